/* A batch of dual problems; `wm_duals` is mirrored in engines/native.py. */

typedef struct {
    const void *const *grams;
    int64_t n_grams, n, is_double;
    int64_t n_problems;
    const int64_t *rows, *starts;
    const double *target, *lower, *upper;
    const int64_t *held, *held_starts;
    /* Where in the Gram matrix each row lies; NULL: in order. */
    const int64_t *places;
    double epsilon, total;
    int64_t n_C;
    const double *C;
    double tol;
    int64_t max_iter;
    const double *start;
    const double *start_products;
    const double *warm;
    double warm_C;
    /* Each row's target less what `warm` decides, where that is known; there is one problem then. */
    const double *warm_v;
    double *beta, *intercept, *decision, *objective, *gap;
    int64_t *n_iter;
    uint8_t *converged;
    int64_t next;
    volatile int32_t stop, failed;
} wm_duals;

/* Make room for the problem's own copy of the Gram matrix, whose rows come when asked for. */
static int copy_lazily(const wm_duals *job, const void *gram, problem *x, int as_double)
{
    x->ld = (x->m + 15) / 16 * 16;
    free(x->copy);
    x->gram = x->copy = get_memory((as_double ? sizeof(double) : sizeof(float)) * (size_t)x->ld *
                                   (size_t)x->m);
    if (!x->present)
        x->present = malloc((size_t)x->m + 1);
    if (!x->copy || !x->present)
        return OUT_OF_MEMORY;
    memset(x->present, 0, (size_t)x->m);
    x->source = gram;
    x->source_ld = job->n;
    x->source_is_double = (int)job->is_double;
    x->exact = job->is_double && !as_double ? gram : NULL;
    x->exact_ld = job->n;
    return CONVERGED;
}

static int64_t place_of(const wm_duals *job, int64_t row)
{
    return job->places ? job->places[row] : row;
}

/* v -= delta K_k, by the Gram matrix that the caller gave. */
static void subtract_row(const wm_duals *job, const void *gram, problem *x, int64_t row,
                         double delta)
{
    if (job->is_double) {
        const double *k = (const double *)gram + place_of(job, row) * job->n;
        for (int64_t a = 0; a < x->m; a++)
            x->v[a] -= delta * k[x->columns[a]];
    } else {
        const float *k = (const float *)gram + place_of(job, row) * job->n;
        for (int64_t a = 0; a < x->m; a++)
            x->v[a] -= delta * k[x->columns[a]];
    }
}

/* Bring the sum of the multipliers to `total` by those that gain most, or lose least. */
static void repair_sum(const wm_duals *job, const void *gram, problem *x)
{
    double rest = job->total;
    for (int64_t k = 0; k < x->m; k++)
        rest -= x->beta[k];
    const double small = 1e-14 * (fabs(job->total) + 1);
    while (fabs(rest) > small) {
        int64_t best = -1;
        double most = -INFINITY;
        for (int64_t k = 0; k < x->m; k++) {
            const double gain =
                rest > 0 ? (x->beta[k] < x->high[k] ? x->v[k] + up_of(x->beta[k], x->high[k], x->epsilon) : -INFINITY)
                         : (x->beta[k] > x->low[k] ? -x->v[k] - down_of(x->beta[k], x->low[k], x->epsilon) : -INFINITY);
            if (gain > most) {
                most = gain;
                best = k;
            }
        }
        if (best < 0)
            return;
        double t = rest;
        if (rest > 0 && t > x->high[best] - x->beta[best])
            t = x->high[best] - x->beta[best];
        if (rest < 0 && t < x->low[best] - x->beta[best])
            t = x->low[best] - x->beta[best];
        const double end = rest > 0 ? x->high[best] : x->low[best];
        x->beta[best] = t == end - x->beta[best] ? end : x->beta[best] + t;
        subtract_row(job, gram, x, x->columns[best], t);
        rest -= t;
    }
}

/* Start from the given multipliers of all rows, cut to this problem's bounds. */
static void seed(const wm_duals *job, const void *gram, problem *x, const double *start,
                 const double *products, const double *p, double *full)
{
    memcpy(full, start, sizeof(double) * job->n);
    for (int64_t k = 0; k < x->m; k++) {
        const double given = start[x->columns[k]];
        x->beta[k] = given < x->low[k] ? x->low[k] : given > x->high[k] ? x->high[k] : given;
        x->v[k] = p[k] - products[x->columns[k]];
        full[x->columns[k]] -= x->beta[k];
    }
    for (int64_t row = 0; row < job->n; row++)
        if (full[row] != 0)
            subtract_row(job, gram, x, row, -full[row]);
    repair_sum(job, gram, x);
}

/* Grow the multipliers of the last C by the factor that decreases the objective most. */
static void rescale(problem *x, const double *p, double ratio)
{
    double along = 0, square = 0;
    for (int64_t k = 0; k < x->m; k++) {
        along += p[k] * x->beta[k] - x->epsilon * fabs(x->beta[k]);
        square += x->beta[k] * (p[k] - x->v[k]);
    }
    double s = square > 0 ? along / square : 1;
    s = s < 1 ? 1 : s > ratio ? ratio : s;
    for (int64_t k = 0; k < x->m; k++) {
        x->beta[k] *= s;
        x->v[k] = p[k] - s * (p[k] - x->v[k]);
        if (x->beta[k] > x->high[k] * (1 - 1e-12) && x->high[k] > 0)
            x->beta[k] = x->high[k];
        if (x->beta[k] < x->low[k] * (1 - 1e-12) && x->low[k] < 0)
            x->beta[k] = x->low[k];
    }
}

/* The constant term, the objective, and the relative duality gap. */
static void conclude(const problem *x, const double *p, double *intercept, double *objective,
                     double *relative)
{
    double sum = 0, top = -INFINITY, bottom = INFINITY, value = 0, gap = 0;
    int64_t free_count = 0;
    for (int64_t k = 0; k < x->m; k++) {
        const double beta = x->beta[k], v = x->v[k];
        if (beta > x->low[k] && beta < x->high[k] && (x->epsilon == 0 || beta != 0)) {
            sum += v - (beta > 0 ? x->epsilon : beta < 0 ? -x->epsilon : 0);
            free_count++;
        }
        if (beta < x->high[k]) {
            const double high = v + up_of(beta, x->high[k], x->epsilon);
            top = high > top ? high : top;
        }
        if (beta > x->low[k]) {
            const double low = v + down_of(beta, x->low[k], x->epsilon);
            bottom = low < bottom ? low : bottom;
        }
        value += 0.5 * beta * (p[k] - v) - p[k] * beta + x->epsilon * fabs(beta);
    }
    double b = free_count ? sum / free_count : isfinite(top) && isfinite(bottom) ? (top + bottom) / 2
               : isfinite(top) ? top : isfinite(bottom) ? bottom : 0;
    for (int64_t k = 0; k < x->m; k++) {
        const double off = x->v[k] - b;
        double loss = 0;
        if (off > x->epsilon)
            loss = x->high[k] * (off - x->epsilon);
        else if (off < -x->epsilon)
            loss = x->low[k] * (off + x->epsilon);
        gap += loss - x->beta[k] * off + x->epsilon * fabs(x->beta[k]);
    }
    const double dual = fabs(value), primal = fabs(gap - value);
    const double size = dual > primal ? dual : primal;
    *intercept = b;
    *objective = value;
    *relative = size > 0 ? (gap > 0 ? gap / size : 0) : 0;
}

static int solve_one(wm_duals *job, int64_t g, int64_t problem_at)
{
    const int64_t n = job->n, n_C = job->n_C;
    const int64_t at = job->starts[problem_at];
    const int64_t total = job->starts[job->n_problems];
    const int64_t own = job->starts[problem_at + 1] - at;
    const int64_t held_at = job->held_starts[problem_at];
    const int64_t n_held = job->held_starts[problem_at + 1] - held_at;
    const int64_t all_held = job->held_starts[job->n_problems];
    const void *gram = job->grams[g];
    const int64_t *rows = job->rows + at;
    double largest = 0;
    for (int64_t k = 0; k < own; k++)
        largest = fabs(job->target[at + k]) > largest ? fabs(job->target[at + k]) : largest;
    /* float resolves violations down to about its own precision. */
    int as_double = job->tol < 2e-5 * (largest > 1 ? largest : 1);
    /* All rows or nearly all take part: work in the Gram matrix itself, others held at 0. */
    int direct = !job->places && (own == n || job->start) && (job->is_double || !as_double);
    if (direct) {
        /* ... unless a row comes more than once. */
        uint8_t *seen = calloc((size_t)n + 1, 1);
        if (!seen)
            return OUT_OF_MEMORY;
        for (int64_t k = 0; k < own; k++)
            direct &= !seen[rows[k]]++;
        free(seen);
    }
    if (direct)
        as_double = (int)job->is_double;
    const int64_t m = direct ? n : own;
    double *numbers = malloc(sizeof(double) * (9 * m + n));
    int64_t *places = malloc(sizeof(int64_t) * 2 * (m + 1));
    int result = OUT_OF_MEMORY;
    problem x = {.copy = NULL, .present = NULL};
    if (!numbers || !places)
        goto done;
    double *p = numbers, *l = p + m, *u = l + m;
    x = (problem){.m = m, .p = p, .beta = u + m, .v = u + 2 * m, .low = u + 3 * m, .high = u + 4 * m,
                  .diagonal = u + 5 * m, .rows = places, .columns = places + m, .epsilon = job->epsilon,
                  /* A regression's decision is what it predicts, and is wanted to `tol` itself. */
                  .tol = job->epsilon > 0 ? 0.5 * job->tol : job->tol,
                  .max_iter = job->max_iter, .stop = &job->stop};
    double *full = u + 6 * m;
    if (direct) {
        for (int64_t k = 0; k < m; k++) {
            p[k] = l[k] = u[k] = 0;
            places[k] = places[m + k] = k;
        }
        for (int64_t k = 0; k < own; k++) {
            p[rows[k]] = job->target[at + k];
            l[rows[k]] = job->lower[at + k];
            u[rows[k]] = job->upper[at + k];
        }
        x.gram = gram;
        x.ld = n;
    } else {
        memcpy(p, job->target + at, sizeof(double) * m);
        memcpy(l, job->lower + at, sizeof(double) * m);
        memcpy(u, job->upper + at, sizeof(double) * m);
        for (int64_t k = 0; k < m; k++)
            places[k] = place_of(job, rows[k]);
        memcpy(places + m, rows, sizeof(int64_t) * m);
        if (copy_lazily(job, gram, &x, as_double) == OUT_OF_MEMORY)
            goto done;
    }
    for (int64_t k = 0; k < m; k++)
        x.diagonal[k] = job->is_double ? ((const double *)gram)[places[k] * n + places[m + k]]
                                       : ((const float *)gram)[places[k] * n + places[m + k]];
    for (int64_t k = 0; k < m; k++) {
        x.beta[k] = 0;
        x.v[k] = p[k];
    }
    for (int64_t c = 0; c < n_C; c++) {
        const int64_t cell = g * n_C + c;
        const double C = job->C[c];
        for (int64_t k = 0; k < m; k++) {
            x.low[k] = C * l[k];
            x.high[k] = C * u[k];
        }
        if (job->start)
            seed(job, gram, &x, job->start + cell * n, job->start_products + cell * n, p, full);
        else if (c)
            rescale(&x, p, C / job->C[c - 1]);
        else if (job->warm && job->warm_v)
            for (int64_t k = 0; k < m; k++) {
                x.beta[k] = job->warm[at + k];
                x.v[k] = job->warm_v[rows[k]];
            }
        else if (job->warm) {
            for (int64_t k = 0; k < own; k++) {
                const double beta = job->warm[g * total + at + k];
                if (beta != 0) {
                    x.beta[direct ? rows[k] : k] = beta;
                    subtract_row(job, gram, &x, rows[k], beta);
                }
            }
            rescale(&x, p, C / job->warm_C);
        } else
            repair_sum(job, gram, &x);
        x.iterations = 0;
        int state = as_double ? descend_double(&x) : descend_float(&x);
        if (state == STALLED && !as_double) {
            /* float is not enough here; the rest of the path is solved in double precision. */
            if (copy_lazily(job, gram, &x, 1) == OUT_OF_MEMORY)
                goto done;
            as_double = 1;
            state = descend_double(&x);
        }
        if (state == OUT_OF_MEMORY)
            goto done;
        if (job->stop)
            break;
        const int64_t place = cell * job->n_problems + problem_at;
        conclude(&x, p, job->intercept + place, job->objective + place, job->gap + place);
        job->n_iter[place] = x.iterations;
        job->converged[place] = state == CONVERGED;
        double *beta = job->beta + cell * total + at;
        for (int64_t k = 0; k < own; k++)
            beta[k] = x.beta[direct ? rows[k] : k];
        if (direct)
            for (int64_t h = 0; h < n_held; h++) {
                const int64_t row = job->held[held_at + h];
                job->decision[cell * all_held + held_at + h] =
                    p[row] - x.v[row] + job->intercept[place];
            }
    }
    result = CONVERGED;
    if (!direct && n_held && !job->stop) {
        const int64_t first = g * n_C;
        const double *beta = job->beta + first * total + at;
        const double *intercept = job->intercept + first * job->n_problems + problem_at;
        double *decision = job->decision + first * all_held + held_at;
        const int64_t *held = job->held + held_at;
        result = job->is_double
                     ? decide_double(gram, n, places, m, held, n_held, beta, total, n_C, intercept,
                                     job->n_problems, decision, all_held)
                     : decide_float(gram, n, places, m, held, n_held, beta, total, n_C, intercept,
                                    job->n_problems, decision, all_held);
    }
done:
    free(numbers);
    free(places);
    free(x.copy);
    free(x.present);
    return result;
}

/* Take problems until none is left; several threads may call it with one job. */
EXPORT void wm_solve(wm_duals *job)
{
    const int64_t tasks = job->n_grams * job->n_problems;
    while (!job->stop && !job->failed) {
        const int64_t task = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        if (task >= tasks)
            return;
        if (solve_one(job, task / job->n_problems, task % job->n_problems) == OUT_OF_MEMORY)
            job->failed = 1;
    }
}
