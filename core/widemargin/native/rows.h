/* Linear machines with a squared loss by dual coordinate descent over rows, dense or CSR (Hsieh et
   al. 2008, doi:10.1145/1390156.1390208; Ho & Lin 2012, JMLR 13:3323-3348, for regression):

       min_beta 1/2 |w|^2 + 1/2 sum_i d_i beta_i^2 - sum_i p_i beta_i + epsilon |beta|_1,

   w = sum_i beta_i (x_i, 1), d_i = 1 / (2 C u_i), beta_i of its class's sign. Every pass visits the
   rows in another order, and leaves out those that have long stood at 0. */

typedef struct {
    const double *values;
    const int32_t *columns;
    const int64_t *ends; /* both NULL where rows are dense */
    int64_t d;
    int64_t n_problems;
    const int64_t *rows, *starts;
    const double *target, *lower, *upper;
    double epsilon;
    int64_t n_C;
    const double *C;
    double tol;
    int64_t max_iter;
    uint64_t seed;
    double *coef, *intercept;
    int64_t *n_iter;
    uint8_t *converged;
    int64_t next;
    volatile int32_t stop, failed;
} wm_rows;

static inline double row_product(const wm_rows *job, int64_t row, const double *w)
{
    double sum[4] = {0};
    if (job->columns) {
        const int64_t end = job->ends[row + 1];
        int64_t k = job->ends[row];
        for (; k + 4 <= end; k += 4)
            for (int a = 0; a < 4; a++)
                sum[a] += job->values[k + a] * w[job->columns[k + a]];
        for (; k < end; k++)
            sum[0] += job->values[k] * w[job->columns[k]];
    } else {
        const double *x = job->values + row * job->d;
        int64_t k = 0;
        for (; k + 4 <= job->d; k += 4)
            for (int a = 0; a < 4; a++)
                sum[a] += x[k + a] * w[k + a];
        for (; k < job->d; k++)
            sum[0] += x[k] * w[k];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]) + w[job->d];
}

static inline void add_row(const wm_rows *job, int64_t row, double step, double *w)
{
    if (job->columns)
        for (int64_t k = job->ends[row]; k < job->ends[row + 1]; k++)
            w[job->columns[k]] += step * job->values[k];
    else
        for (int64_t k = 0; k < job->d; k++)
            w[k] += step * job->values[row * job->d + k];
    w[job->d] += step;
}

static inline double row_length(const wm_rows *job, int64_t row)
{
    double sum = 1;
    const int64_t first = job->columns ? job->ends[row] : row * job->d;
    const int64_t end = job->columns ? job->ends[row + 1] : first + job->d;
    for (int64_t k = first; k < end; k++)
        sum += job->values[k] * job->values[k];
    return sum;
}

static uint64_t draw(uint64_t *state)
{
    /* xorshift64*: Vigna 2016, doi:10.1145/2845077 */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (*state * 2685821657736338717ULL) >> 33;
}

static int solve_rows_problem(wm_rows *job, int64_t at)
{
    const int64_t first = job->starts[at], m = job->starts[at + 1] - first, d = job->d;
    const int64_t *rows = job->rows + first;
    const double *p = job->target + first, epsilon = job->epsilon;
    double *numbers = malloc(sizeof(double) * (3 * m + d + 1));
    int64_t *order = malloc(sizeof(int64_t) * (m + 1));
    if (!numbers || !order) {
        free(numbers);
        free(order);
        return OUT_OF_MEMORY;
    }
    double *beta = numbers, *length = beta + m, *ridge = length + m, *w = ridge + m;
    memset(w, 0, sizeof(double) * (d + 1));
    uint64_t state = (job->seed * 2 + 1) * 0x9E3779B97F4A7C15ULL;
    for (int64_t k = 0; k < m; k++) {
        beta[k] = 0;
        order[k] = k;
        length[k] = row_length(job, rows[k]);
    }
    for (int64_t c = 0; c < job->n_C; c++) {
        double along = 0, square = 0;
        for (int64_t k = 0; k < m; k++) {
            const double weight = job->upper[first + k] > 0 ? job->upper[first + k]
                                                            : -job->lower[first + k];
            ridge[k] = 1 / (2 * job->C[c] * weight);
            along += p[k] * beta[k] - epsilon * fabs(beta[k]);
            square += ridge[k] * beta[k] * beta[k];
        }
        for (int64_t k = 0; k <= d; k++)
            square += w[k] * w[k];
        if (square > 0 && along > 0) {
            for (int64_t k = 0; k < m; k++)
                beta[k] *= along / square;
            for (int64_t k = 0; k <= d; k++)
                w[k] *= along / square;
        }
        int64_t active = m, pass = 0;
        double most_before = INFINITY, least_before = -INFINITY;
        int met = 0;
        for (; pass < job->max_iter && !job->stop; pass++) {
            double most = -INFINITY, least = INFINITY;
            for (int64_t k = 0; k < active; k++) {
                const int64_t other = k + (int64_t)(draw(&state) % (uint64_t)(active - k));
                const int64_t kept = order[k];
                order[k] = order[other];
                order[other] = kept;
            }
            for (int64_t s = 0; s < active; s++) {
                const int64_t k = order[s];
                const int may_grow = job->upper[first + k] > 0, may_fall = job->lower[first + k] < 0;
                const double slope = row_product(job, rows[k], w) - p[k] + ridge[k] * beta[k];
                /* Derivatives upwards and downwards; a row at rest has one of each sign. */
                const double up = slope + (beta[k] >= 0 ? epsilon : -epsilon);
                const double down = slope + (beta[k] > 0 ? epsilon : -epsilon);
                double pull = 0;
                if (up < 0 && (may_grow || beta[k] < 0))
                    pull = up;
                else if (down > 0 && (may_fall || beta[k] > 0))
                    pull = down;
                else if (beta[k] == 0) {
                    const double room = may_grow && may_fall ? fmin(up, -down)
                                        : may_grow          ? up
                                                            : -down;
                    const double bound = fmax(most_before, -least_before);
                    if (room > bound) {
                        order[s--] = order[--active];
                        order[active] = k;
                        continue;
                    }
                }
                most = pull > most ? pull : most;
                least = pull < least ? pull : least;
                if (fabs(pull) < 1e-14)
                    continue;
                const double curve = length[k] + ridge[k];
                double next = beta[k] - slope / curve;
                const double soft = epsilon / curve;
                next = next > soft ? next - soft : next < -soft ? next + soft : 0;
                if (!may_grow && next > 0)
                    next = 0;
                if (!may_fall && next < 0)
                    next = 0;
                const double step = next - beta[k];
                if (step != 0) {
                    beta[k] = next;
                    add_row(job, rows[k], step, w);
                }
            }
            if (active == 0 || most - least <= job->tol) {
                if (active == m) {
                    met = 1;
                    pass++;
                    break;
                }
                active = m;
                most_before = INFINITY;
                least_before = -INFINITY;
                continue;
            }
            most_before = most > 0 ? most : INFINITY;
            least_before = least < 0 ? least : -INFINITY;
        }
        const int64_t place = c * job->n_problems + at;
        memcpy(job->coef + place * d, w, sizeof(double) * d);
        job->intercept[place] = w[d];
        job->n_iter[place] = pass;
        job->converged[place] = (uint8_t)met;
    }
    free(numbers);
    free(order);
    return CONVERGED;
}

EXPORT void wm_solve_rows(wm_rows *job)
{
    while (!job->stop && !job->failed) {
        const int64_t task = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        if (task >= job->n_problems)
            return;
        if (solve_rows_problem(job, task) == OUT_OF_MEMORY)
            job->failed = 1;
    }
}
