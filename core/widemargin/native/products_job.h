/* A job of products of rows; `wm_products` is mirrored in native/products.py. */

#define ROWS_BYTES (320 * 1024)
#define COLUMNS_TAKEN 1024

static size_t size_of(const wm_products *job)
{
    return job->is_double ? sizeof(double) : sizeof(float);
}

static int64_t height_of(const wm_products *job)
{
    return job->is_double ? heights_double[level] : heights_float[level];
}

static int64_t breadth_of(const wm_products *job)
{
    return job->is_double ? breadths_double[level] : breadths_float[level];
}

static int64_t whole_panels(int64_t n, int64_t panel) { return (n + panel - 1) / panel * panel; }

/* Get the memory of the panels; wm_products_end gives it back. */
EXPORT void wm_products_begin(wm_products *job)
{
    const size_t d = job->d > 0 ? (size_t)job->d : 1;
    job->px = get_memory(size_of(job) * d * whole_panels(job->n, height_of(job)));
    job->py = get_memory(size_of(job) * d * whole_panels(job->m, breadth_of(job)));
    job->x_lengths = calloc(job->n + 1, sizeof(double));
    job->y_lengths = calloc(job->m + 1, sizeof(double));
    job->failed = !job->px || !job->py || !job->x_lengths || !job->y_lengths;
}

EXPORT void wm_products_end(wm_products *job)
{
    free(job->px);
    free(job->py);
    free(job->x_lengths);
    free(job->y_lengths);
}

/* First every panel is packed, by as many threads as call this ... */
EXPORT void wm_products_pack(wm_products *job)
{
    const int64_t height = height_of(job), breadth = breadth_of(job), d = job->d;
    const int64_t x_panels = whole_panels(job->n, height) / height;
    const int64_t y_panels = whole_panels(job->m, breadth) / breadth;
    while (!job->stop && !job->failed) {
        const int64_t task = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        if (task >= x_panels + y_panels)
            return;
        const int of_x = task < x_panels;
        const int64_t panel = of_x ? height : breadth;
        const int64_t first = (of_x ? task : task - x_panels) * panel;
        const void *rows = of_x ? job->X : job->Y;
        const int64_t n = of_x ? job->n : job->m;
        const int64_t *which = of_x ? job->x_rows : job->y_rows;
        double *lengths = of_x ? job->x_lengths : job->y_lengths;
        char *packed = (char *)(of_x ? job->px : job->py) + size_of(job) * first * d;
        if (job->is_double)
            packs_double[level](rows, which, (int)job->given_double, n, d, job->centre, first, panel,
                                (double *)packed, lengths);
        else
            packs_float[level](rows, which, (int)job->given_double, n, d, job->centre, first, panel,
                               (float *)packed, lengths);
    }
}

/* ... then every tile is computed. */
EXPORT void wm_products_work(wm_products *job)
{
    const int64_t height = height_of(job), breadth = breadth_of(job);
    const int64_t row_bytes = (int64_t)size_of(job) * height * (job->d > 0 ? job->d : 1);
    int64_t many = ROWS_BYTES / row_bytes;
    many = many < 1 ? 1 : many > 16 ? 16 : many;
    const int64_t block = height * many;
    /* Decisions add up over the columns: one thread takes all of them, in one order. */
    const int64_t taken = job->decision ? whole_panels(job->m, breadth) + 1
                                        : COLUMNS_TAKEN / breadth * breadth;
    const int64_t down = (job->n + block - 1) / block;
    const int64_t across = job->m ? (job->m + taken - 1) / taken : 0;
    while (!job->stop && !job->failed) {
        const int64_t task = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        if (task >= down * across)
            return;
        const int64_t top = task / across * block, from = task % across * taken;
        const int64_t to = from + taken < job->m ? from + taken : job->m;
        if (job->symmetric && to <= top)
            continue;
        if (job->is_double)
            blocks_double[level](job, top, block, from, to);
        else
            blocks_float[level](job, top, block, from, to);
    }
}

/* out = exp(-gamma quantity), in pieces of 64 Ki numbers. */
EXPORT void wm_exponentials(wm_exponential *job)
{
    const int64_t piece = 65536;
    while (!job->stop) {
        const int64_t first = piece * __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        if (first >= job->count)
            return;
        const int64_t count = job->count - first < piece ? job->count - first : piece;
        if (job->is_double)
            exponentials_double[level]((const double *)job->quantity + first,
                                       (double *)job->out + first, count, job->gamma);
        else
            exponentials_float[level]((const float *)job->quantity + first,
                                      (float *)job->out + first, count, job->gamma);
    }
}

/* v -= the rows, each times its factor, in pieces of 1,024 columns. */
EXPORT void wm_subtract(wm_values *job)
{
    enum { PIECE = 1024 };
    while (!job->stop) {
        const int64_t first = PIECE * __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        if (first >= job->n_columns)
            return;
        const int64_t count = job->n_columns - first < PIECE ? job->n_columns - first : PIECE;
        if (job->is_double)
            levels_double[level].subtract(job->v + first, (const double *)job->gram + first,
                                          job->ld, job->rows, job->factors, job->n_rows, count);
        else
            levels_float[level].subtract(job->v + first, (const float *)job->gram + first, job->ld,
                                         job->rows, job->factors, job->n_rows, count);
    }
}

/* The values of rows and columns, to where those of columns and rows belong. */
EXPORT void wm_mirror(wm_values *job)
{
    enum { PIECE = 16 };
    const int64_t ld = job->ld;
    while (!job->stop) {
        const int64_t first = PIECE * __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        if (first >= job->n_columns)
            return;
        const int64_t last = first + PIECE < job->n_columns ? first + PIECE : job->n_columns;
        for (int64_t a = 0; a < job->n_rows; a++) {
            const int64_t row = job->rows[a], from = job->places[row] * ld;
            for (int64_t b = first; b < last; b++) {
                const int64_t column = job->columns[b], to = job->places[column] * ld + row;
                if (job->is_double)
                    ((double *)job->gram)[to] = ((const double *)job->gram)[from + column];
                else
                    ((float *)job->gram)[to] = ((const float *)job->gram)[from + column];
            }
        }
    }
}
