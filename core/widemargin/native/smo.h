/* Sequential minimal optimisation in one type of number; see README.md beside the engines.

   R is the type of the working set's arithmetic. Multipliers and `v` are kept in double precision
   beside it and brought up to date exactly between epochs, so that float loses no accuracy that is
   not won back. */

typedef struct {
    int64_t (*second)(const R *, const R *, const R *, const R *, int64_t, R, R, R, R);
    int64_t (*update)(R *, const R *, const R *, R, const R *, const R *, int64_t, R *, R *);
    void (*subtract)(double *, const R *, int64_t, const int64_t *, const double *, int64_t,
                     int64_t);
    void (*gather_dot)(const R *, const int64_t *, const double *, int64_t, double *);
} REAL(operations);

static REAL(operations) REAL(levels)[3];

typedef struct {
    R *gram, *v, *up, *down, *diagonal;
    double *beta, *low, *high;
    int64_t ld, m;
    /* Whose rows are copied when they are first asked for, or NULL. */
    const problem *lazy;
} REAL(working_set);

/* A row of the problem's own copy of the Gram matrix. */
static const R *REAL(row_of)(const problem *x, int64_t k)
{
    R *row = (R *)x->gram + k * x->ld;
    if (x->present && !x->present[k]) {
        x->present[k] = 1;
        if (x->source_is_double) {
            const double *from = (const double *)x->source + x->rows[k] * x->source_ld;
            for (int64_t a = 0; a < x->m; a++)
                row[a] = (R)from[x->columns[a]];
        } else {
            const float *from = (const float *)x->source + x->rows[k] * x->source_ld;
            for (int64_t a = 0; a < x->m; a++)
                row[a] = (R)from[x->columns[a]];
        }
        for (int64_t a = x->m; a < x->ld; a++)
            row[a] = 0;
    }
    return row;
}

/* Change pairs until no pair of the working set violates by `tol`; returns whether that is so. */
static int REAL(minimise)(REAL(working_set) * w, double epsilon, double tol, int64_t budget,
                          int64_t *iterations, volatile int32_t *stop)
{
    const REAL(operations) *ops = &REAL(levels)[level];
    const int64_t m = w->m, ld = w->ld;
    R top = -2 * HUGE_BOUND, bottom = 2 * HUGE_BOUND, greatest = 0;
    int64_t i = 0;
    for (int64_t k = 0; k < m; k++) {
        if (w->v[k] + w->up[k] > top) {
            top = w->v[k] + w->up[k];
            i = k;
        }
        if (w->v[k] + w->down[k] < bottom)
            bottom = w->v[k] + w->down[k];
        if (w->diagonal[k] > greatest)
            greatest = w->diagonal[k];
    }
    /* Below this share of K_ii + K_jj a curvature is rounding; and it is never 0. */
    const R share = sizeof(R) == 4 ? (R)1e-6 : (R)1e-12;
    const R least = greatest > 0 ? greatest * (R)1e-12 : (R)1e-12;
    for (int64_t done = 0; done < budget; done++) {
        if ((double)top - (double)bottom < tol)
            return 1;
        if ((done & 255) == 255 && *stop)
            return 0;
        const R *ki = w->lazy ? REAL(row_of)(w->lazy, i) : w->gram + i * ld;
        const int64_t j = ops->second(ki, w->v, w->down, w->diagonal, m, top, w->diagonal[i], share,
                                      least);
        if (j < 0)
            return 1;
        const R *kj = w->lazy ? REAL(row_of)(w->lazy, j) : w->gram + j * ld;
        double curve = (double)w->diagonal[i] + w->diagonal[j] - 2 * (double)ki[j];
        const double floor = share * ((double)w->diagonal[i] + w->diagonal[j]);
        curve = curve > floor ? curve : floor;
        curve = curve > least ? curve : least;
        const double slope = (double)top - ((double)w->v[j] + w->down[j]);
        double t = slope / curve;
        /* A regression's multiplier stops at 0, where the sign of its penalty changes. */
        const double end_i = epsilon > 0 && w->beta[i] < 0 && w->high[i] > 0 ? 0 : w->high[i];
        const double end_j = epsilon > 0 && w->beta[j] > 0 && w->low[j] < 0 ? 0 : w->low[j];
        const double room_i = end_i - w->beta[i], room_j = w->beta[j] - end_j;
        if (t >= room_i || t >= room_j) {
            t = room_i < room_j ? room_i : room_j;
            w->beta[i] = t == room_i ? end_i : w->beta[i] + t;
            w->beta[j] = t == room_j ? end_j : w->beta[j] - t;
        } else {
            w->beta[i] += t;
            w->beta[j] -= t;
        }
        w->up[i] = up_of(w->beta[i], w->high[i], epsilon);
        w->down[i] = down_of(w->beta[i], w->low[i], epsilon);
        w->up[j] = up_of(w->beta[j], w->high[j], epsilon);
        w->down[j] = down_of(w->beta[j], w->low[j], epsilon);
        i = ops->update(w->v, ki, kj, (R)t, w->up, w->down, m, &top, &bottom);
        ++*iterations;
    }
    return (double)top - (double)bottom < tol;
}

/* Solve one problem at one C from where x->beta and x->v stand. */
static int REAL(descend)(problem *x)
{
    const REAL(operations) *ops = &REAL(levels)[level];
    const int64_t m = x->m;
    const R *gram = x->gram;
    double top, bottom;
    reach(x, &top, &bottom);
    if (top - bottom < x->tol)
        return CONVERGED;
    const int64_t padded = (m + 63) / 64 * 64;
    R *numbers = malloc(sizeof(R) * 4 * padded);
    double *bounds = malloc(sizeof(double) * 4 * padded);
    int64_t *taken = malloc(sizeof(int64_t) * 2 * padded);
    R *copy = NULL;
    int64_t copied = 0;
    int state = OUT_OF_MEMORY, stalls = 0;
    double value_before = INFINITY;
    if (!numbers || !bounds || !taken)
        goto done;
    int64_t *changed = taken + padded;
    double *delta = bounds + 3 * padded;
    REAL(working_set) w = {.v = numbers, .up = numbers + padded, .down = numbers + 2 * padded,
                           .diagonal = numbers + 3 * padded, .beta = bounds,
                           .low = bounds + padded, .high = bounds + 2 * padded};
    for (int epoch = 0;; epoch++) {
        if (epoch)
            reach(x, &top, &bottom);
        const double gap = top - bottom;
        if (!(gap >= x->tol)) {
            state = gap < x->tol ? CONVERGED : STALLED;
            break;
        }
        if (*x->stop || (x->max_iter >= 0 && x->iterations >= x->max_iter)) {
            state = STOPPED;
            break;
        }
        /* Rounding may keep a small tolerance from being met; then the objective stands still. */
        if (epoch % 50 == 1) {
            double value = 0;
            for (int64_t k = 0; k < m; k++)
                value += x->epsilon * fabs(x->beta[k]) -
                         0.5 * x->beta[k] * (x->p[k] + x->v[k]);
            if (value_before - value <= 1e-13 * fabs(value)) {
                state = STALLED;
                break;
            }
            value_before = value;
        }
        /* Rows that no change of another could improve by are left out for this epoch. */
        const double margin = 0.25 * gap;
        int64_t count = 0;
        for (int64_t k = 0; k < m && m > FEW_ROWS; k++) {
            const double high = x->v[k] + up_of(x->beta[k], x->high[k], x->epsilon);
            const double low = x->v[k] + down_of(x->beta[k], x->low[k], x->epsilon);
            if (high > bottom - margin || low < top + margin)
                taken[count++] = k;
        }
        const int whole =
            m <= FEW_ROWS || count > 0.7 * m || (epoch == 0 && (m <= 4096 || 4 * count > m));
        int64_t budget;
        double tol = 0.1 * gap;
        if (whole) {
            count = m;
            for (int64_t k = 0; k < m; k++)
                taken[k] = k;
            w.gram = (R *)gram;
            w.lazy = x->present ? x : NULL;
            w.ld = x->ld;
            /* Rows of a copy are whole vectors. */
            w.m = w.lazy ? x->ld : m;
            budget = m + 200;
            tol = x->tol;
        } else {
            w.ld = (count + 63) / 64 * 64;
            w.m = w.ld;
            if (w.ld > copied) {
                free(copy);
                copy = get_memory(sizeof(R) * w.ld * w.ld);
                copied = w.ld;
                if (!copy)
                    break;
            }
            for (int64_t a = 0; a < count; a++) {
                const R *row = REAL(row_of)(x, taken[a]);
                R *own = copy + a * w.ld;
                for (int64_t b = 0; b < count; b++)
                    own[b] = row[taken[b]];
                for (int64_t b = count; b < w.ld; b++)
                    own[b] = 0;
            }
            w.gram = copy;
            w.lazy = NULL;
            budget = 20 * count + 2000;
            tol = tol < x->tol ? x->tol : tol;
        }
        for (int64_t a = 0; a < count; a++) {
            const int64_t k = taken[a];
            w.v[a] = (R)x->v[k];
            w.beta[a] = x->beta[k];
            w.low[a] = x->low[k];
            w.high[a] = x->high[k];
            w.up[a] = up_of(x->beta[k], x->high[k], x->epsilon);
            w.down[a] = down_of(x->beta[k], x->low[k], x->epsilon);
            w.diagonal[a] = (R)x->diagonal[k];
        }
        for (int64_t a = count; a < w.m; a++) {
            w.v[a] = 0;
            w.up[a] = -HUGE_BOUND;
            w.down[a] = HUGE_BOUND;
            w.diagonal[a] = 1;
        }
        if (x->max_iter >= 0 && budget > x->max_iter - x->iterations)
            budget = x->max_iter - x->iterations;
        const int met = REAL(minimise)(&w, x->epsilon, tol, budget, &x->iterations, x->stop);
        int64_t moved = 0;
        for (int64_t a = 0; a < count; a++) {
            const int64_t k = taken[a];
            if (w.beta[a] != x->beta[k]) {
                changed[moved] = k;
                delta[moved++] = w.beta[a] - x->beta[k];
                x->beta[k] = w.beta[a];
            }
        }
        if (x->exact) {
            for (int64_t j = 0; j < moved; j++) {
                const double *row = x->exact + x->rows[changed[j]] * x->exact_ld;
                for (int64_t k = 0; k < m; k++)
                    x->v[k] -= delta[j] * row[x->columns[k]];
            }
        } else
            ops->subtract(x->v, gram, x->ld, changed, delta, moved, m);
        if (met) {
            /* What the working set believes to be met must hold in double precision too. */
            double most = -INFINITY, fewest = INFINITY;
            for (int64_t a = 0; a < count; a++) {
                const double high = x->v[taken[a]] + w.up[a], low = x->v[taken[a]] + w.down[a];
                most = high > most ? high : most;
                fewest = low < fewest ? low : fewest;
            }
            stalls += most - fewest > 4 * tol || !moved;
            if (stalls >= 3) {
                state = STALLED;
                break;
            }
        }
    }
done:
    free(numbers);
    free(bounds);
    free(taken);
    free(copy);
    return state;
}

/* Decide rows by the union of the support vectors of eight values of C at once. */
static int REAL(decide)(const R *gram, int64_t n, const int64_t *rows, int64_t m,
                        const int64_t *held, int64_t n_held, const double *beta, int64_t stride,
                        int64_t n_C, const double *intercept, int64_t intercept_stride,
                        double *decision, int64_t decision_stride)
{
    const REAL(operations) *ops = &REAL(levels)[level];
    int64_t *which = malloc(sizeof(int64_t) * (m + 1));
    double *columns = malloc(sizeof(double) * 8 * (m + 1));
    if (!which || !columns) {
        free(which);
        free(columns);
        return OUT_OF_MEMORY;
    }
    for (int64_t first = 0; first < n_C; first += 8) {
        const int64_t width = n_C - first < 8 ? n_C - first : 8;
        int64_t count = 0;
        for (int64_t k = 0; k < m; k++) {
            int used = 0;
            for (int64_t c = 0; c < width; c++)
                used |= beta[(first + c) * stride + k] != 0;
            if (!used)
                continue;
            which[count] = rows[k];
            for (int64_t c = 0; c < 8; c++)
                columns[8 * count + c] = c < width ? beta[(first + c) * stride + k] : 0;
            count++;
        }
        for (int64_t h = 0; h < n_held; h++) {
            double sum[8] = {0};
            ops->gather_dot(gram + held[h] * n, which, columns, count, sum);
            for (int64_t c = 0; c < width; c++)
                decision[(first + c) * decision_stride + h] =
                    sum[c] + intercept[(first + c) * intercept_stride];
        }
    }
    free(which);
    free(columns);
    return CONVERGED;
}
