/* Products of rows, and the exponential, at one level and in one type of number. */

#undef MR
#undef NR
#undef VECTORS
#if LEVEL == 2
#define MR 12
#define VECTORS 2
#elif LEVEL == 1
#define MR 6
#define VECTORS 2
#else
#define MR 4
#define VECTORS 2
#endif
#define NR (VECTORS * L)

/* exp(x) for x <= 0: 2^k exp(r) with |r| <= ln(2) / 2, and Taylor's series of exp(r), whose first
   term left out is below the type's precision. Below the least normal number it is 0. */
INLINE VF NAME(exponential)(VF x)
{
#if IS_DOUBLE
    const VF shift = SPLAT(6755399441055744.0); /* 1.5 * 2^52: adding it rounds */
    const R lowest = -708.0;
#else
    const VF shift = SPLAT(12582912.0f); /* 1.5 * 2^23 */
    const R lowest = -87.0f;
#endif
    VF safe = MAXIMUM(x, SPLAT(lowest));
    VF rounded = safe * SPLAT(1.4426950408889634) + shift;
    VF k = rounded - shift;
#if IS_DOUBLE
    VF r = safe - k * SPLAT(6.93147180369123816490e-01);
    r = r - k * SPLAT(1.90821492927058770002e-10);
    VF sum = SPLAT(1.0 / 6227020800.0);
    sum = sum * r + SPLAT(1.0 / 479001600.0);
    sum = sum * r + SPLAT(1.0 / 39916800.0);
    sum = sum * r + SPLAT(1.0 / 3628800.0);
    sum = sum * r + SPLAT(1.0 / 362880.0);
    sum = sum * r + SPLAT(1.0 / 40320.0);
    sum = sum * r + SPLAT(1.0 / 5040.0);
#else
    VF r = safe - k * SPLAT(0.693359375f);
    r = r - k * SPLAT(-2.12194440e-4f);
    VF sum = SPLAT(1.0 / 5040.0);
#endif
    sum = sum * r + SPLAT(1.0 / 720.0);
    sum = sum * r + SPLAT(1.0 / 120.0);
    sum = sum * r + SPLAT(1.0 / 24.0);
    sum = sum * r + SPLAT(1.0 / 6.0);
    sum = sum * r + SPLAT(0.5);
    sum = sum * r + SPLAT(1.0);
    sum = sum * r + SPLAT(1.0);
#if IS_DOUBLE
    VI power = ((VI)rounded << 52) + (VI)SPLAT(1.0);
#else
    VI power = ((VI)rounded << 23) + (VI)SPLAT(1.0f);
#endif
    return SELECT(GREATER(SPLAT(lowest), x), SPLAT(0), sum * (VF)power);
}

/* out = exp(-gamma quantity) */
TARGET static void NAME(exponentials)(const R *quantity, R *out, int64_t count, double gamma)
{
    const VF factor = SPLAT(-gamma);
    int64_t k = 0;
    for (; k + L <= count; k += L)
        STORE(out + k, NAME(exponential)(LOAD(quantity + k) * factor));
    if (k < count) {
        R rest[WIDTH / sizeof(R)] = {0};
        memcpy(rest, quantity + k, sizeof(R) * (count - k));
        STORE(rest, NAME(exponential)(LOAD(rest) * factor));
        memcpy(out + k, rest, sizeof(R) * (count - k));
    }
}

/* One tile: c += a b', from panels that hold their rows side by side, feature by feature. */
TARGET static void NAME(tile)(const R *restrict a, const R *restrict b, int64_t depth,
                              R *restrict c)
{
    for (int64_t start = 0; start < depth; start += 512) {
        const int64_t end = start + 512 < depth ? start + 512 : depth;
        VF sum[MR][VECTORS];
#pragma GCC unroll 12
        for (int r = 0; r < MR; r++)
#pragma GCC unroll 2
            for (int s = 0; s < VECTORS; s++)
                sum[r][s] = SPLAT(0);
        for (int64_t k = start; k < end; k++) {
            VF own[VECTORS];
#pragma GCC unroll 2
            for (int s = 0; s < VECTORS; s++)
                own[s] = LOAD(b + k * NR + s * L);
#pragma GCC unroll 12
            for (int r = 0; r < MR; r++) {
                VF x = SPLAT(a[k * MR + r]);
#pragma GCC unroll 2
                for (int s = 0; s < VECTORS; s++)
                    sum[r][s] += x * own[s];
            }
        }
#pragma GCC unroll 12
        for (int r = 0; r < MR; r++)
#pragma GCC unroll 2
            for (int s = 0; s < VECTORS; s++)
                STORE(c + r * NR + s * L, LOAD(c + r * NR + s * L) + sum[r][s]);
    }
}

/* Four numbers of four rows into four rows of four: what a compiler makes of it is a scatter. */
typedef R NAME(quad) __attribute__((vector_size(4 * sizeof(R))));
typedef RI NAME(places) __attribute__((vector_size(4 * sizeof(R))));
#if defined(__clang__)
#define MIX(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define MIX(a, b, i, j, k, l) __builtin_shuffle(a, b, (NAME(places)){i, j, k, l})
#endif

INLINE void NAME(turn)(const R *from, int64_t stride, R *to, int64_t height)
{
    NAME(quad) x[4];
    for (int r = 0; r < 4; r++)
        memcpy(&x[r], from + r * stride, sizeof x[r]);
    const NAME(quad) a = MIX(x[0], x[1], 0, 4, 1, 5), b = MIX(x[2], x[3], 0, 4, 1, 5);
    const NAME(quad) c = MIX(x[0], x[1], 2, 6, 3, 7), d = MIX(x[2], x[3], 2, 6, 3, 7);
    const NAME(quad) y[4] = {MIX(a, b, 0, 1, 4, 5), MIX(a, b, 2, 3, 6, 7), MIX(c, d, 0, 1, 4, 5),
                             MIX(c, d, 2, 3, 6, 7)};
    for (int k = 0; k < 4; k++)
        memcpy(to + k * height, &y[k], sizeof y[k]);
}
#undef MIX

/* Copy rows first .. first + height of those wanted into panels, less the centre; absent rows are 0. A few features
   of all rows are taken at a time, so that what they are turned into stays near. */
TARGET static void NAME(pack)(const void *X, const int64_t *rows, int is_double, int64_t n,
                              int64_t d, const double *centre, int64_t first, int64_t height,
                              R *panel, double *lengths)
{
    enum { FEW = 64 };
    R four[4][FEW];
    double length[MR > NR ? MR : NR] = {0};
    for (int64_t start = 0; start < d; start += FEW) {
        const int64_t count = d - start < FEW ? d - start : FEW;
        R *to = panel + start * height;
        for (int64_t r = 0; r < height; r++) {
            const int64_t row = first + r;
            R *kept = four[r % 4];
            if (row >= n) {
                memset(kept, 0, sizeof four[0]);
                goto kept_all;
            }
            const int64_t offset = (rows ? rows[row] : row) * d + start;
            if (is_double) {
                const double *x = (const double *)X + offset;
                if (centre)
                    for (int64_t k = 0; k < count; k++)
                        kept[k] = (R)(x[k] - centre[start + k]);
                else
                    for (int64_t k = 0; k < count; k++)
                        kept[k] = (R)x[k];
            } else {
                const float *x = (const float *)X + offset;
                if (centre)
                    for (int64_t k = 0; k < count; k++)
                        kept[k] = (R)((double)x[k] - centre[start + k]);
                else
                    for (int64_t k = 0; k < count; k++)
                        kept[k] = (R)x[k];
            }
            double part[8] = {0};
            int64_t k = 0;
            for (; k + 8 <= count; k += 8)
#pragma GCC unroll 8
                for (int lane = 0; lane < 8; lane++)
                    part[lane] += (double)kept[k + lane] * kept[k + lane];
            for (; k < count; k++)
                part[0] += (double)kept[k] * kept[k];
            length[r] += ((part[0] + part[1]) + (part[2] + part[3])) +
                         ((part[4] + part[5]) + (part[6] + part[7]));
        kept_all:
            if (r % 4 < 3 && r + 1 < height)
                continue;
            /* Squares of numbers are turned over; what is left goes one by one. */
            int64_t done = 0;
            for (; r % 4 == 3 && done + 4 <= count; done += 4)
                NAME(turn)(four[0] + done, FEW, to + done * height + r - 3, height);
            for (int64_t at = r / 4 * 4; at <= r; at++)
                for (int64_t f = done; f < count; f++)
                    to[f * height + at] = four[at % 4][f];
        }
    }
    for (int64_t r = 0; r < height && first + r < n; r++)
        lengths[first + r] = length[r];
}

/* Products into squared distances, in place. */
INLINE void NAME(distances)(R *c, const double *x, const double *y, int64_t rows, int64_t columns)
{
    R across[2 * WIDTH / sizeof(R)];
    for (int64_t s = 0; s < NR; s++)
        across[s] = s < columns ? (R)y[s] : 0;
    for (int64_t r = 0; r < rows; r++) {
        const VF own = SPLAT(x[r]);
        for (int64_t s = 0; s < NR; s += L) {
            VF product = LOAD(c + r * NR + s);
            STORE(c + r * NR + s,
                  MAXIMUM(own + LOAD(across + s) - (product + product), SPLAT(0)));
        }
    }
}

/* Values to where the job wants them; those of a symmetric job twice. */
TARGET static void NAME(scatter)(const wm_products *job, int64_t row, int64_t height,
                                 int64_t column, int64_t columns, const R *c)
{
    const int64_t *places = job->to + row, *which = job->y_rows + column;
    R *out = job->out;
    for (int64_t r = 0; r < height; r++) {
        R *own = out + places[r] * job->ld;
        for (int64_t s = 0; s < columns; s++)
            if (!job->symmetric || column + s > row + r)
                own[which[s]] = c[r * NR + s];
            else if (column + s == row + r)
                own[which[s]] = job->kind == RBF;
    }
    for (int64_t s = 0; job->symmetric && s < columns; s++) {
        R *own = out + job->to[column + s] * job->ld;
        for (int64_t r = 0; r < height && row + r < column + s; r++)
            own[job->y_rows[row + r]] = c[r * NR + s];
    }
}

/* The tiles of one block of rows, against the panels of columns from `from` to `to`. */
TARGET static void NAME(rows_block)(const wm_products *job, int64_t top, int64_t rows, int64_t from,
                                    int64_t to)
{
    const int64_t d = job->d, n = job->n, m = job->m;
    const R *px = job->px, *py = job->py;
    R *out = job->out;
    R c[MR * 2 * WIDTH / sizeof(R)];
    for (int64_t column = from; column < to; column += NR) {
        const int64_t columns = m - column < NR ? m - column : NR;
        for (int64_t row = top; row < top + rows; row += MR) {
            const int64_t height = n - row < MR ? n - row : MR;
            if (height <= 0 || (job->symmetric && column + columns <= row))
                continue;
            memset(c, 0, sizeof(R) * MR * NR);
            NAME(tile)(px + row * d, py + column * d, d, c);
            if (job->kind)
                NAME(distances)(c, job->x_lengths + row, job->y_lengths + column, height, columns);
            if (job->kind == RBF)
                for (int64_t at = 0; at < height * NR; at += L)
                    STORE(c + at, NAME(exponential)(LOAD(c + at) * SPLAT(-job->gamma)));
            if (job->decision) {
                for (int64_t r = 0; r < height; r++) {
                    double value[2 * WIDTH / sizeof(R)];
                    for (int64_t s = 0; s < NR; s++)
                        value[s] = s < columns ? c[r * NR + s] : 0;
                    double *decision = job->decision + (row + r) * job->n_functions;
                    const double *coef = job->coef + column;
                    for (int64_t f = 0; f < job->n_functions; f++, coef += job->coef_ld) {
                        double sum = 0;
#pragma GCC unroll 4
                        for (int64_t s = 0; s < NR; s++)
                            sum += coef[s] * value[s];
                        decision[f] += sum;
                    }
                }
                continue;
            }
            if (job->to) {
                NAME(scatter)(job, row, height, column, columns, c);
                continue;
            }
            if (!job->symmetric || column >= row + height) {
                for (int64_t r = 0; r < height; r++)
                    memcpy(out + (row + r) * m + column, c + r * NR, sizeof(R) * columns);
                if (job->symmetric)
                    for (int64_t s = 0; s < columns; s++)
                        for (int64_t r = 0; r < height; r++)
                            out[(column + s) * m + row + r] = c[r * NR + s];
            } else
                /* A tile on the diagonal: its upper half speaks for both. */
                for (int64_t r = 0; r < height; r++)
                    for (int64_t s = 0; s < columns; s++) {
                        if (column + s < row + r)
                            continue;
                        const R x = job->kind && column + s == row + r ? 0 : c[r * NR + s];
                        out[(row + r) * m + column + s] = x;
                        out[(column + s) * m + row + r] = x;
                    }
        }
    }
}
