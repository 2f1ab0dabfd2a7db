/* The steps of a BERT encoder at one level: matrix products with what follows them, layer
   normalisation, and attention. Rows are tokens; texts lie one behind the other, unpadded. */

#undef MR
#undef NR
#undef VECTORS
#undef PLACE
#define VECTORS 2
#define NR (VECTORS * L)
#if LEVEL == 2
#define MR 12
#elif LEVEL == 1
#define MR 6
#else
#define MR 4
#endif
/* Where the vector of columns from `s` on lies within panels of 16 columns. */
#define PLACE(b, depth, s) ((b) + (s) / 16 * 16 * (depth) + (s) % 16)

/* exp(x) for x <= 0, 0 below the least normal number: 2^k exp(r), |r| <= ln(2) / 2, and Taylor's
   series of exp(r). */
INLINE VF NAME(decay)(VF x)
{
    const VF shift = SPLAT(12582912.0f); /* 1.5 * 2^23: adding it rounds */
    VF safe = MAXIMUM(x, SPLAT(-87.0f));
    VF rounded = safe * SPLAT(1.44269504f) + shift;
    VF k = rounded - shift;
    VF r = safe - k * SPLAT(0.693359375f);
    r = r - k * SPLAT(-2.12194440e-4f);
    VF sum = SPLAT(1.0f / 5040);
    sum = sum * r + SPLAT(1.0f / 720);
    sum = sum * r + SPLAT(1.0f / 120);
    sum = sum * r + SPLAT(1.0f / 24);
    sum = sum * r + SPLAT(1.0f / 6);
    sum = sum * r + SPLAT(0.5f);
    sum = sum * r + SPLAT(1);
    sum = sum * r + SPLAT(1);
    VI power = ((VI)rounded << 23) + (VI)SPLAT(1);
    return SELECT(GREATER(SPLAT(-87.0f), x), SPLAT(0), sum * (VF)power);
}

/* 1 / x, of ordinary size; on the widest level by one of Newton's steps from 14 digits. */
INLINE VF NAME(reciprocal)(VF x)
{
#if LEVEL == 2
    VF y = (VF)_mm512_rcp14_ps((__m512)x);
    return y * (SPLAT(2) - x * y);
#else
    return SPLAT(1) / x;
#endif
}

INLINE float NAME(sum_of)(VF x)
{
#if LEVEL == 2
    return _mm512_reduce_add_ps((__m512)x);
#else
    float sum = 0;
    for (int64_t lane = 0; lane < L; lane++)
        sum += x[lane];
    return sum;
#endif
}

INLINE float NAME(greatest_of)(VF x)
{
#if LEVEL == 2
    return _mm512_reduce_max_ps((__m512)x);
#else
    float most = x[0];
    for (int64_t lane = 1; lane < L; lane++)
        most = x[lane] > most ? x[lane] : most;
    return most;
#endif
}

/* x (1 + erf(x / sqrt(2))) / 2, with 1 - erf(z) = t (a_1 + t (a_2 + ...)) exp(-z^2) and
   t = 1 / (1 + 0.3275911 z) for z >= 0, within 1.5e-7: Abramowitz & Stegun 1964, 7.1.26. */
INLINE VF NAME(gelu)(VF x)
{
    VF positive = MAXIMUM(x, SPLAT(0));
    VF size = positive + positive - x;
    VF t = NAME(reciprocal)(size * SPLAT(0.3275911f * 0.70710678f) + SPLAT(1));
    VF sum = SPLAT(1.061405429f);
    sum = sum * t + SPLAT(-1.453152027f);
    sum = sum * t + SPLAT(1.421413741f);
    sum = sum * t + SPLAT(-0.284496736f);
    sum = sum * t + SPLAT(0.254829592f);
    VF tail = sum * t * NAME(decay)(x * x * SPLAT(-0.5f));
    return positive - SPLAT(0.5f) * size * tail;
}

#if LEVEL == 2
/* Store numbers rounded to bfloat16, half to even, two a word. */
INLINE void NAME(store_halves)(float *out, VF x)
{
    VI words = (VI)x;
    words += 0x7fff + ((words >> 16) & 1);
    const __m256i halves = _mm512_cvtepi32_epi16(_mm512_srli_epi32((__m512i)words, 16));
    __builtin_memcpy(out, &halves, sizeof halves);
}
#endif

/* Take up a tile of sums: add the bias and, where asked, what was there before. */
INLINE void NAME(finish)(const VF *sums, int64_t height, int64_t column, const wm_after *after,
                         int64_t row)
{
    float *out = after->out + row * after->ld + column;
    const int64_t ld = after->ld;
    const VF zero = SPLAT(0), b0 = after->bias ? LOAD(after->bias + column) : zero;
    const VF b1 = after->bias ? LOAD(after->bias + column + L) : zero;
#if LEVEL == 2
    if (after->narrow) {
        out = after->out + row * ld + column / 2;
        for (int64_t r = 0; r < height; r++, out += ld) {
            NAME(store_halves)(out, NAME(gelu)(sums[r * VECTORS] + b0));
            NAME(store_halves)(out + L / 2, NAME(gelu)(sums[r * VECTORS + 1] + b1));
        }
    } else
#endif
        if (after->gelu)
        for (int64_t r = 0; r < height; r++, out += ld) {
            STORE(out, NAME(gelu)(sums[r * VECTORS] + b0));
            STORE(out + L, NAME(gelu)(sums[r * VECTORS + 1] + b1));
        }
    else if (after->add)
        for (int64_t r = 0; r < height; r++, out += ld) {
            STORE(out, sums[r * VECTORS] + b0 + LOAD(out));
            STORE(out + L, sums[r * VECTORS + 1] + b1 + LOAD(out + L));
        }
    else
        for (int64_t r = 0; r < height; r++, out += ld) {
            STORE(out, sums[r * VECTORS] + b0);
            STORE(out + L, sums[r * VECTORS + 1] + b1);
        }
}

/* Sums of `many` rows and NR columns, `depth` words of 32 bits deep. */
#define TILE(name, many, target, SPREAD, TIMES)                                                    \
    target static void NAME(name)(const float *const *rows, const float *b, int64_t depth,         \
                                  VF *restrict out)                                                \
    {                                                                                              \
        VF sum[many][VECTORS];                                                                     \
        const float *a[many];                                                                      \
        _Pragma("GCC unroll 12") for (int r = 0; r < many; r++)                                    \
        {                                                                                          \
            a[r] = rows[r];                                                                        \
            _Pragma("GCC unroll 2") for (int s = 0; s < VECTORS; s++) sum[r][s] = SPLAT(0);        \
        }                                                                                          \
        for (int64_t k = 0; k < depth; k++) {                                                      \
            const VF b0 = LOAD(PLACE(b, depth, 0) + 16 * k);                                       \
            const VF b1 = LOAD(PLACE(b, depth, L) + 16 * k);                                       \
            _Pragma("GCC unroll 12") for (int r = 0; r < many; r++)                                \
            {                                                                                      \
                const VF x = SPREAD(a[r][k]);                                                      \
                sum[r][0] = TIMES(sum[r][0], x, b0);                                               \
                sum[r][1] = TIMES(sum[r][1], x, b1);                                               \
            }                                                                                      \
        }                                                                                          \
        _Pragma("GCC unroll 12") for (int r = 0; r < many; r++)                                    \
        {                                                                                          \
            out[r * VECTORS] = sum[r][0];                                                          \
            out[r * VECTORS + 1] = sum[r][1];                                                      \
        }                                                                                          \
    }
#define ADD_PRODUCT(sum, x, b) ((sum) + (x) * (b))
TILE(whole_tile, MR, TARGET, SPLAT, ADD_PRODUCT)
TILE(low_tile, 4, TARGET, SPLAT, ADD_PRODUCT)
#if LEVEL == 2
TILE(middle_tile, 8, TARGET, SPLAT, ADD_PRODUCT)
#else
#define middle_tile whole_tile
#endif
#if LEVEL == 2 && PAIRS
/* A word is two bfloat16 numbers: the sum grows by both of their products. */
#define SPREAD_PAIR(x) ((VF)_mm512_set1_ps(x))
#define ADD_PAIR(sum, x, b) ((VF)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(x), (__m512bh)(b)))
TILE(whole_tile_of_pairs, MR, TARGET_PAIRS, SPREAD_PAIR, ADD_PAIR)
TILE(middle_tile_of_pairs, 8, TARGET_PAIRS, SPREAD_PAIR, ADD_PAIR)
TILE(low_tile_of_pairs, 4, TARGET_PAIRS, SPREAD_PAIR, ADD_PAIR)
#undef SPREAD_PAIR
#undef ADD_PAIR
#else
#define whole_tile_of_pairs whole_tile
#define middle_tile_of_pairs middle_tile
#define low_tile_of_pairs low_tile
#endif
#undef ADD_PRODUCT
#undef TILE

/* out = a b' and what comes after, with `b` in panels of 16 columns, word by word; `columns` is a
   multiple of 32, depth and lda are in words. */
TARGET static void NAME(product)(const wm_bert *job, const float *a, int64_t lda, int64_t n,
                                 const float *b, int64_t depth, int64_t columns,
                                 const wm_after *after)
{
    VF sums[MR * VECTORS];
    const float *rows[MR];
    void (*const tiles[])(const float *const *, const float *, int64_t, VF *restrict) = {
        after->pairs ? NAME(low_tile_of_pairs) : NAME(low_tile),
        after->pairs ? NAME(middle_tile_of_pairs) : NAME(middle_tile),
        after->pairs ? NAME(whole_tile_of_pairs) : NAME(whole_tile)};
    for (int64_t column = 0; column < columns && !job->stop; column += NR)
        for (int64_t row = 0, height; row < n; row += height) {
            height = n - row < MR ? n - row : MR;
            /* Beyond the last row, its sums are computed again and dropped. */
            for (int64_t r = 0; r < MR; r++)
                rows[r] = a + (row + (r < height ? r : height - 1)) * lda;
            const int fit = height > 8 ? 2 : height > 4;
            tiles[fit](rows, PLACE(b, depth, column), depth, sums);
            NAME(finish)(sums, height, column, after, row);
        }
}

/* Round to bfloat16, half to even: to pairs in one word, or to words of their own. */
TARGET static void NAME(narrow)(const float *x, int64_t ld, int64_t n, int64_t d, int pairs,
                                float *out, int64_t out_ld)
{
    for (int64_t row = 0; row < n; row++) {
        uint32_t words[16];
        for (int64_t k = 0; k < d; k += 16) {
            memcpy(words, x + row * ld + k, sizeof words);
            for (int j = 0; j < 16; j++)
                words[j] += 0x7fff + ((words[j] >> 16) & 1);
            if (pairs) {
                uint16_t halves[16];
                for (int j = 0; j < 16; j++)
                    halves[j] = (uint16_t)(words[j] >> 16);
                memcpy(out + row * out_ld + k / 2, halves, sizeof halves);
            } else {
                for (int j = 0; j < 16; j++)
                    words[j] &= 0xffff0000;
                memcpy(out + row * out_ld + k, words, sizeof words);
            }
        }
    }
}

/* x = (x - mean) / sqrt(variance + eps) * scale + shift, row by row (Ba, Kiros & Hinton 2016,
   arXiv:1607.06450); d is a multiple of 16. */
TARGET static void NAME(normalise)(float *x, int64_t ld, int64_t n, int64_t d, const float *scale,
                                   const float *shift, float eps)
{
    for (int64_t row = 0; row < n; row++, x += ld) {
        VF sum = SPLAT(0), square = SPLAT(0);
        for (int64_t k = 0; k < d; k += L)
            sum += LOAD(x + k);
        const VF mean = SPLAT(NAME(sum_of)(sum) / d);
        for (int64_t k = 0; k < d; k += L) {
            VF away = LOAD(x + k) - mean;
            square += away * away;
        }
        const VF factor = SPLAT(1 / sqrtf(NAME(sum_of)(square) / d + eps));
        for (int64_t k = 0; k < d; k += L)
            STORE(x + k, (LOAD(x + k) - mean) * factor * LOAD(scale + k) + LOAD(shift + k));
    }
}

/* softmax(q k') v for one text and one head. Queries are scaled already. `scores` has room for n
   rows of whole(n) numbers, `panels` for whole(n) rows of whole(size). */
TARGET static void NAME(attend)(const wm_bert *job, const float *qkv, int64_t ld, int64_t n,
                                int64_t size, float *scores, float *panels, float *context,
                                int64_t context_ld)
{
    const int64_t columns = whole(n), breadth = whole(size), d = job->d;
    memset(panels, 0, sizeof(float) * columns * size);
    for (int64_t j = 0; j < n; j++)
        for (int64_t k = 0; k < size; k++)
            panels[j / 16 * 16 * size + k * 16 + j % 16] = qkv[j * ld + d + k];
    wm_after after = {.out = scores, .ld = columns};
    NAME(product)(job, qkv, ld, n, panels, size, columns, &after);
    for (int64_t i = 0; i < n; i++) {
        float *own = scores + i * columns;
        for (int64_t j = n; j < columns; j++)
            own[j] = -HUGE_BOUND;
        VF most = LOAD(own), sum = SPLAT(0);
        for (int64_t j = L; j < columns; j += L)
            most = MAXIMUM(most, LOAD(own + j));
        const VF greatest = SPLAT(NAME(greatest_of)(most));
        for (int64_t j = 0; j < columns; j += L) {
            VF x = NAME(decay)(LOAD(own + j) - greatest);
            STORE(own + j, x);
            sum += x;
        }
        const VF share = SPLAT(1 / NAME(sum_of)(sum));
        for (int64_t j = 0; j < columns; j += L)
            STORE(own + j, LOAD(own + j) * share);
    }
    memset(panels, 0, sizeof(float) * n * breadth);
    for (int64_t panel = 0; panel < size; panel += 16)
        for (int64_t j = 0; j < n; j++) {
            const int64_t width = size - panel < 16 ? size - panel : 16;
            memcpy(panels + panel * n + j * 16, qkv + j * ld + 2 * d + panel,
                   sizeof(float) * width);
        }
    wm_after mixed = {.out = context, .ld = context_ld};
    NAME(product)(job, scores, columns, n, panels, n, breadth, &mixed);
}
#undef whole_tile_of_pairs
#undef low_tile_of_pairs
#undef middle_tile_of_pairs
#undef middle_tile
