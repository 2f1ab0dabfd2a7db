/* Every pass at every level, and the tables that choose among them. */

#define LEVEL 0
#define R float
#define IS_DOUBLE 0
#define NAME(x) JOIN(x, float_portable)
#include "level.h"
#undef NAME
#undef R
#undef IS_DOUBLE
#define R double
#define IS_DOUBLE 1
#define NAME(x) JOIN(x, double_portable)
#include "level.h"
#undef NAME
#undef R
#undef IS_DOUBLE
#undef LEVEL

#if X86
#define LEVEL 1
#define R float
#define IS_DOUBLE 0
#define NAME(x) JOIN(x, float_avx2)
#include "level.h"
#undef NAME
#undef R
#undef IS_DOUBLE
#define R double
#define IS_DOUBLE 1
#define NAME(x) JOIN(x, double_avx2)
#include "level.h"
#undef NAME
#undef R
#undef IS_DOUBLE
#undef LEVEL

#define LEVEL 2
#define R float
#define IS_DOUBLE 0
#define NAME(x) JOIN(x, float_avx512)
#include "level.h"
#undef NAME
#undef R
#undef IS_DOUBLE
#define R double
#define IS_DOUBLE 1
#define NAME(x) JOIN(x, double_avx512)
#include "level.h"
#undef NAME
#undef R
#undef IS_DOUBLE
#undef LEVEL
#endif

#define TABLE(suffix)                                                                              \
    {JOIN(second, suffix), JOIN(update, suffix), JOIN(subtract, suffix), JOIN(gather_dot, suffix)}
#if X86
#define TABLES(real) {TABLE(real##_portable), TABLE(real##_avx2), TABLE(real##_avx512)}
#define EACH(name, real)                                                                           \
    {JOIN(name, real##_portable), JOIN(name, real##_avx2), JOIN(name, real##_avx512)}
#else
#define TABLES(real) {TABLE(real##_portable)}
#define EACH(name, real) {JOIN(name, real##_portable)}
#endif

static operations_float levels_float[3] = TABLES(float);
static operations_double levels_double[3] = TABLES(double);

#define OF_BOTH(type, table, name, arguments_float, arguments_double)                              \
    static type (*table##_float[3]) arguments_float = EACH(name, float);                           \
    static type (*table##_double[3]) arguments_double = EACH(name, double);

OF_BOTH(void, packs, pack,
        (const void *, const int64_t *, int, int64_t, int64_t, const double *, int64_t, int64_t,
         float *, double *),
        (const void *, const int64_t *, int, int64_t, int64_t, const double *, int64_t, int64_t,
         double *, double *))
OF_BOTH(void, blocks, rows_block, (const wm_products *, int64_t, int64_t, int64_t, int64_t),
        (const wm_products *, int64_t, int64_t, int64_t, int64_t))
OF_BOTH(void, exponentials, exponentials, (const float *, float *, int64_t, double),
        (const double *, double *, int64_t, double))

#if X86
static const int64_t heights_float[3] = {4, 6, 12}, heights_double[3] = {4, 6, 12};
static const int64_t breadths_float[3] = {8, 16, 32}, breadths_double[3] = {4, 8, 16};
#else
static const int64_t heights_float[3] = {4}, heights_double[3] = {4};
static const int64_t breadths_float[3] = {8}, breadths_double[3] = {4};
#endif
