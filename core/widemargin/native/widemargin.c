/* The native engine: one translation unit, compiled for every level that the machine may have.

   Threads are the caller's: each function takes the next piece of a job until none is left, and
   every piece is computed alike whichever thread takes it. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
#define X86 1
#include <cpuid.h>
#include <immintrin.h>
#endif

#if defined(__linux__)
#include <sys/mman.h>
#endif

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* Beyond every v that occurs, and its square within float. */
#define HUGE_BOUND 1e18f

/* Memory to be given back by free(); large pieces in large pages, which are had much faster. */
static void *get_memory(size_t size)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    const size_t page = 2 << 20;
    if (size >= 4 * page) {
        void *memory = NULL;
        if (posix_memalign(&memory, page, size))
            return NULL;
        madvise(memory, size, MADV_HUGEPAGE);
        return memory;
    }
#endif
    return malloc(size);
}

/* As many rows are looked at in no more time than it takes to find out which matter. */
#define FEW_ROWS 192

enum { CONVERGED, STOPPED, STALLED, OUT_OF_MEMORY };

/* 0 portable, 1 AVX2, 2 AVX-512 */
static int level = 0;

typedef struct {
    int64_t m, ld, iterations, max_iter, exact_ld;
    const void *gram;
    const double *exact;
    /* Which rows and columns of the Gram matrix are this problem's. */
    const int64_t *rows, *columns;
    double *beta, *v, *low, *high, *diagonal;
    const double *p;
    double epsilon, tol;
    volatile int32_t *stop;
    /* Where rows of `gram` come from, and which have come; NULL where `gram` is the caller's. */
    const void *source;
    int64_t source_ld;
    int source_is_double;
    uint8_t *present;
    void *copy;
} problem;

enum { PRODUCTS, DISTANCES, RBF };

/* Products or squared distances of rows, or what an rbf machine makes of them: kernel values, or
   decisions, which need no matrix. */
typedef struct {
    const void *X, *Y;
    int64_t n, m, d, given_double, is_double, symmetric, kind;
    const double *centre;
    void *out;
    const double *coef;
    int64_t coef_ld, n_functions;
    double gamma;
    double *decision;
    void *px, *py;
    double *x_lengths, *y_lengths;
    /* Which rows of X and Y are wanted; and where values go: row `to[i]`, column `y_rows[j]` of a
       matrix of `ld` columns. NULL is every row, in its place. */
    const int64_t *x_rows, *y_rows, *to;
    int64_t ld;
    int64_t next;
    volatile int32_t stop, failed;
} wm_products;

typedef struct {
    const void *quantity;
    void *out;
    int64_t count, is_double;
    double gamma;
    int64_t next;
    volatile int32_t stop, failed;
} wm_exponential;

/* A Gram matrix whose row k lies at places[k]: some of its rows and columns. */
typedef struct {
    void *gram;
    int64_t ld, is_double;
    const int64_t *places, *rows, *columns;
    int64_t n_rows, n_columns;
    const double *factors;
    double *v;
    int64_t next;
    volatile int32_t stop, failed;
} wm_values;

static inline double up_of(double beta, double high, double epsilon)
{
    return beta < high ? (beta >= 0 ? -epsilon : epsilon) : -HUGE_BOUND;
}

static inline double down_of(double beta, double low, double epsilon)
{
    return beta > low ? (beta > 0 ? -epsilon : epsilon) : HUGE_BOUND;
}

/* The greatest gain of growing a multiplier, and the least of letting one fall. */
static void reach(const problem *x, double *top, double *bottom)
{
    *top = -INFINITY;
    *bottom = INFINITY;
    for (int64_t k = 0; k < x->m; k++) {
        const double high = x->v[k] + up_of(x->beta[k], x->high[k], x->epsilon);
        const double low = x->v[k] + down_of(x->beta[k], x->low[k], x->epsilon);
        *top = high > *top ? high : *top;
        *bottom = low < *bottom ? low : *bottom;
    }
}

#define PASTE(a, b) a##_##b
#define JOIN(a, b) PASTE(a, b)

#define R float
#define IS_DOUBLE 0
#define REAL(x) JOIN(x, float)
#include "smo.h"
#undef REAL
#undef R
#undef IS_DOUBLE
#define R double
#define IS_DOUBLE 1
#define REAL(x) JOIN(x, double)
#include "smo.h"
#undef REAL
#undef R
#undef IS_DOUBLE

#include "levels.h"
#include "duals.h"
#include "products_job.h"
#include "rows.h"
#include "bert.h"

EXPORT int wm_version(void) { return 2; }

/* Bytes of the structures that Python mirrors, which a test compares. */
EXPORT int64_t wm_size(int which)
{
    const size_t sizes[] = {sizeof(wm_duals), sizeof(wm_rows), sizeof(wm_products),
                            sizeof(wm_exponential), sizeof(wm_bert), sizeof(wm_values)};
    return (int64_t)sizes[which];
}

/* The best level of this machine; the operating system must keep the wide registers, too. */
static int best_level(void)
{
#if X86
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA))
        return 0;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & 6) != 6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX2))
        return 0;
    const unsigned wide = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    return (low & 0xe6) == 0xe6 && (b & wide) == wide ? 2 : 1;
#else
    return 0;
#endif
}

/* Use the given level, or the best where it is -1 or not to be had; returns the level in use. */
EXPORT int wm_set_level(int wanted)
{
    const int best = best_level();
    level = wanted < 0 || wanted > best ? best : wanted;
    return level;
}
