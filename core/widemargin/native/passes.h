/* The two passes over a problem's rows that one change of a pair of multipliers takes.

   up[k] is minus epsilon's derivative where multiplier k may grow, and -HUGE_BOUND where it may
   not; down[k] likewise, with +HUGE_BOUND. So no pass needs a branch. */

/* The row k that, with the row `i` of the greatest v + up, promises the greatest decrease: second
   order selection, (top - v_k - down_k)^2 / (K_ii + K_kk - 2 K_ik); Fan, Chen & Lin 2005. Fractions
   are compared by cross-multiplication. Returns -1 where no row violates. */
TARGET static int64_t NAME(second)(const R *restrict ki, const R *restrict v,
                                   const R *restrict down, const R *restrict diagonal, int64_t m,
                                   R top, R kii, R share, R least)
{
    const VF vshare = SPLAT(share);
    const VF vtop = SPLAT(top), vkii = SPLAT(kii), vleast = SPLAT(least), zero = SPLAT(0);
    VF numerator[4], denominator[4];
    VI place[4];
    for (int a = 0; a < 4; a++) {
        numerator[a] = zero;
        denominator[a] = SPLAT(1);
        place[a] = (VI){0} - 1;
    }
    int64_t k = 0;
#define ONE(a, at)                                                                                 \
    {                                                                                              \
        VF gain = MAXIMUM(vtop - (LOAD(v + (at)) + LOAD(down + (at))), zero);                      \
        VF both = vkii + LOAD(diagonal + (at));                                                    \
        VF product = LOAD(ki + (at));                                                              \
        VF curve = MAXIMUM(both - (product + product), MAXIMUM(both * vshare, vleast));            \
        VF square = gain * gain;                                                                   \
        MASK better = GREATER(square * denominator[a], numerator[a] * curve);                      \
        numerator[a] = SELECT(better, square, numerator[a]);                                       \
        denominator[a] = SELECT(better, curve, denominator[a]);                                    \
        place[a] = SELECT_INDEX(better, (VI){0} + (RI)(at), place[a]);                             \
    }
    for (; k + 4 * L <= m; k += 4 * L) {
        ONE(0, k)
        ONE(1, k + L)
        ONE(2, k + 2 * L)
        ONE(3, k + 3 * L)
    }
    for (; k + L <= m; k += L)
        ONE(0, k)
#undef ONE
    for (int a = 1; a < 4 && m >= 4 * L; a++) {
        MASK better = GREATER(numerator[a] * denominator[0], numerator[0] * denominator[a]);
        numerator[0] = SELECT(better, numerator[a], numerator[0]);
        denominator[0] = SELECT(better, denominator[a], denominator[0]);
        place[0] = SELECT_INDEX(better, place[a], place[0]);
    }
    R greatest, best_numerator = 0, best_denominator = 1;
    int64_t best = -1;
    const int64_t lane = NAME(most_of)(numerator[0] / denominator[0], &greatest);
    if (greatest > 0) {
        best_numerator = numerator[0][lane];
        best_denominator = denominator[0][lane];
        best = (int64_t)place[0][lane] + lane;
    }
    for (; k < m; k++) {
        R gain = top - (v[k] + down[k]);
        if (gain <= 0)
            continue;
        const R both = kii + diagonal[k];
        R curve = both - (ki[k] + ki[k]);
        curve = curve > both * share ? curve : both * share;
        curve = curve > least ? curve : least;
        if (gain * gain * best_denominator > best_numerator * curve) {
            best_numerator = gain * gain;
            best_denominator = curve;
            best = k;
        }
    }
    return best;
}

/* v -= t (K_i - K_j); then the greatest v + up, where it is, and the least v + down. */
TARGET static int64_t NAME(update)(R *restrict v, const R *restrict ki, const R *restrict kj, R t,
                                   const R *restrict up, const R *restrict down, int64_t m,
                                   R *top, R *bottom)
{
    const VF vt = SPLAT(t);
    VF most[4], least[4];
    VI place[4];
    for (int a = 0; a < 4; a++) {
        most[a] = SPLAT(-2 * HUGE_BOUND);
        least[a] = SPLAT(2 * HUGE_BOUND);
        place[a] = (VI){0};
    }
    int64_t k = 0;
#define ONE(a, at)                                                                                 \
    {                                                                                              \
        VF x = LOAD(v + (at)) - vt * (LOAD(ki + (at)) - LOAD(kj + (at)));                          \
        STORE(v + (at), x);                                                                        \
        VF high = x + LOAD(up + (at));                                                             \
        MASK better = GREATER(high, most[a]);                                                      \
        most[a] = SELECT(better, high, most[a]);                                                   \
        place[a] = SELECT_INDEX(better, (VI){0} + (RI)(at), place[a]);                             \
        least[a] = MINIMUM(least[a], x + LOAD(down + (at)));                                       \
    }
    for (; k + 4 * L <= m; k += 4 * L) {
        ONE(0, k)
        ONE(1, k + L)
        ONE(2, k + 2 * L)
        ONE(3, k + 3 * L)
    }
    for (; k + L <= m; k += L)
        ONE(0, k)
#undef ONE
    for (int a = 1; a < 4 && m >= 4 * L; a++) {
        MASK better = GREATER(most[a], most[0]);
        most[0] = SELECT(better, most[a], most[0]);
        place[0] = SELECT_INDEX(better, place[a], place[0]);
        least[0] = MINIMUM(least[0], least[a]);
    }
    R high, low = NAME(least_of)(least[0]);
    const int64_t lane = NAME(most_of)(most[0], &high);
    int64_t best = (int64_t)place[0][lane] + lane;
    for (; k < m; k++) {
        v[k] -= t * (ki[k] - kj[k]);
        if (v[k] + up[k] > high) {
            high = v[k] + up[k];
            best = k;
        }
        if (v[k] + down[k] < low)
            low = v[k] + down[k];
    }
    *top = high;
    *bottom = low;
    return best;
}

/* v -= sum_j delta_j row_j, in double precision, eight rows at a time. */
TARGET static void NAME(subtract)(double *restrict v, const R *rows, int64_t ld,
                                  const int64_t *which, const double *delta, int64_t count,
                                  int64_t m)
{
    int64_t j = 0;
    for (; j + 8 <= count; j += 8) {
        const R *r0 = rows + which[j] * ld, *r1 = rows + which[j + 1] * ld;
        const R *r2 = rows + which[j + 2] * ld, *r3 = rows + which[j + 3] * ld;
        const R *r4 = rows + which[j + 4] * ld, *r5 = rows + which[j + 5] * ld;
        const R *r6 = rows + which[j + 6] * ld, *r7 = rows + which[j + 7] * ld;
        const double *d = delta + j;
        for (int64_t k = 0; k < m; k++)
            v[k] -= ((d[0] * r0[k] + d[1] * r1[k]) + (d[2] * r2[k] + d[3] * r3[k])) +
                    ((d[4] * r4[k] + d[5] * r5[k]) + (d[6] * r6[k] + d[7] * r7[k]));
    }
    for (; j < count; j++) {
        const R *row = rows + which[j] * ld;
        for (int64_t k = 0; k < m; k++)
            v[k] -= delta[j] * row[k];
    }
}

/* out[c] += sum_j row[which[j]] beta[j][c] for eight columns c. */
TARGET static void NAME(gather_dot)(const R *row, const int64_t *which, const double *beta,
                                    int64_t count, double *out)
{
    double sum[4][8] = {{0}};
    int64_t j = 0;
    for (; j + 4 <= count; j += 4)
#pragma GCC unroll 4
        for (int a = 0; a < 4; a++) {
            const double x = row[which[j + a]];
#pragma GCC unroll 8
            for (int c = 0; c < 8; c++)
                sum[a][c] += x * beta[8 * (j + a) + c];
        }
    for (; j < count; j++)
        for (int c = 0; c < 8; c++)
            sum[0][c] += row[which[j]] * beta[8 * j + c];
    for (int c = 0; c < 8; c++)
        out[c] += (sum[0][c] + sum[1][c]) + (sum[2][c] + sum[3][c]);
}
