/* The forward pass of a BERT encoder (Devlin et al. 2019, arXiv:1810.04805) over texts of any
   lengths; the formulas stand in encoders/text/bert_layers.py. `wm_bert` is mirrored in
   native/bert.py. */

typedef struct {
    const int32_t *ids;
    const int64_t *starts; /* of each text among the ids, and the end */
    const int64_t *chunks; /* the first text of each piece of work, and the end */
    int64_t n_chunks, most_tokens, longest; /* of a chunk, and of a text */
    int64_t d, inner, heads, n_layers;
    double eps;
    const uint8_t *taken; /* which of the n_layers + 1 states are averaged */
    int64_t pooling;      /* 0 mean, 1 first token, 2 greatest */
    int64_t arithmetic;   /* of products with weights, as below */
    const float *const *weights;
    float *out;    /* a vector a text, or NULL */
    float *states; /* a vector a token, or NULL */
    int64_t next;
    volatile int32_t stop, failed;
} wm_bert;

/* bfloat16 numbers are summed in float32: two a word where the processor does that, else rounded
   and kept in words of their own. */
enum { FLOAT32, BFLOAT16_ROUNDED, BFLOAT16_PAIRS };

/* What follows a matrix product, and what its numbers are. */
typedef struct {
    const float *bias;
    int gelu, add, pairs;
    int narrow; /* whether gelu's numbers are stored as pairs */
    float *out;
    int64_t ld;
} wm_after;

/* `weights` begins with these, ... */
enum { WORDS, POSITIONS, FIRST_SCALE, FIRST_SHIFT, N_FIRST };
/* ... and each layer has these; matrices are in panels of 16 columns, and end on a multiple of 32,
   as do biases. */
enum {
    QKV, QKV_BIAS, MIX, MIX_BIAS, MIX_SCALE, MIX_SHIFT,
    GROW, GROW_BIAS, SHRINK, SHRINK_BIAS, SHRINK_SCALE, SHRINK_SHIFT, N_EACH
};

/* Rows of the inner layer that are computed at once, so that they stay near the processor; twice
   as many of pairs. */
#define INNER_ROWS 96

#if X86 && (defined(__clang__) || __GNUC__ >= 10)
#define PAIRS 1
#define TARGET_PAIRS                                                                               \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512bf16,avx2,fma")))
#else
#define PAIRS 0
#endif

static int64_t whole(int64_t n) { return (n + 31) / 32 * 32; }

#define R float
#define IS_DOUBLE 0
#define LEVEL 0
#define NAME(x) JOIN(x, bert_portable)
#include "vectors.h"
#include "bert_level.h"
#undef NAME
#undef LEVEL
#if X86
#define LEVEL 1
#define NAME(x) JOIN(x, bert_avx2)
#include "vectors.h"
#include "bert_level.h"
#undef NAME
#undef LEVEL
#define LEVEL 2
#define NAME(x) JOIN(x, bert_avx512)
#include "vectors.h"
#include "bert_level.h"
#undef NAME
#undef LEVEL
#define OF_EACH(name) {JOIN(name, bert_portable), JOIN(name, bert_avx2), JOIN(name, bert_avx512)}
#else
#define OF_EACH(name) {JOIN(name, bert_portable)}
#endif
#undef R
#undef IS_DOUBLE

static void (*products_after[3])(const wm_bert *, const float *, int64_t, int64_t, const float *,
                                 int64_t, int64_t, const wm_after *) = OF_EACH(product);
static void (*normalises[3])(float *, int64_t, int64_t, int64_t, const float *, const float *,
                             float) = OF_EACH(normalise);
static void (*narrows[3])(const float *, int64_t, int64_t, int64_t, int, float *, int64_t) =
    OF_EACH(narrow);
static void (*attends[3])(const wm_bert *, const float *, int64_t, int64_t, int64_t, float *,
                          float *, float *, int64_t) = OF_EACH(attend);

/* One thread's memory; rows are a little longer than a multiple of the cache's sets. */
typedef struct {
    int64_t ld, qkv_ld, inner_ld;
    float *x, *sum, *qkv, *context, *inner, *narrow, *scores, *panels;
    const float *pairs; /* where `inner` is pairs, it */
} bert_room;

static void add_states(const wm_bert *job, const bert_room *room, int64_t n, int64_t layer)
{
    if (!job->taken[layer])
        return;
    for (int64_t row = 0; row < n; row++)
        for (int64_t k = 0; k < job->d; k++)
            room->sum[row * job->d + k] += room->x[row * room->ld + k];
}

static void pool(const wm_bert *job, const float *states, int64_t n, float *out)
{
    const int64_t d = job->d;
    memcpy(out, states, sizeof(float) * d);
    if (job->pooling == 1)
        return;
    for (int64_t row = 1; row < n; row++)
        for (int64_t k = 0; k < d; k++) {
            const float x = states[row * d + k];
            out[k] = job->pooling == 0 ? out[k] + x : x > out[k] ? x : out[k];
        }
    if (job->pooling == 0)
        for (int64_t k = 0; k < d; k++)
            out[k] /= n;
}

/* out = x w' and what comes after, in the job's arithmetic. */
static void project(const wm_bert *job, const bert_room *room, const float *x, int64_t ld,
                    int64_t n, const float *w, int64_t depth, int64_t columns, wm_after after)
{
    after.pairs = job->arithmetic == BFLOAT16_PAIRS;
    if (job->arithmetic != FLOAT32 && x != room->pairs) {
        const int64_t narrow_ld = depth / (1 + after.pairs) + 16;
        narrows[level](x, ld, n, depth, after.pairs, room->narrow, narrow_ld);
        x = room->narrow;
        ld = narrow_ld;
    }
    products_after[level](job, x, ld, n, w, depth / (1 + after.pairs), columns, &after);
}

static void bert_chunk(const wm_bert *job, const bert_room *room, int64_t chunk)
{
    const int64_t first = job->chunks[chunk], end = job->chunks[chunk + 1], d = job->d;
    const int64_t begin = job->starts[first], n = job->starts[end] - begin;
    const int64_t size = d / job->heads, ld = room->ld;
    const float *const *w = job->weights;
    const int pairs = room->pairs != NULL;
    const int64_t inner_ld = pairs ? room->inner_ld / 2 : room->inner_ld;
    float *x = room->x;
    for (int64_t text = first; text < end; text++)
        for (int64_t at = job->starts[text]; at < job->starts[text + 1]; at++) {
            const float *word = w[WORDS] + job->ids[at] * d;
            const float *position = w[POSITIONS] + (at - job->starts[text]) * d;
            for (int64_t k = 0; k < d; k++)
                x[(at - begin) * ld + k] = word[k] + position[k];
        }
    normalises[level](x, ld, n, d, w[FIRST_SCALE], w[FIRST_SHIFT], (float)job->eps);
    memset(room->sum, 0, sizeof(float) * n * d);
    add_states(job, room, n, 0);
    w += N_FIRST;
    for (int64_t layer = 0; layer < job->n_layers && !job->stop; layer++, w += N_EACH) {
        project(job, room, x, ld, n, w[QKV], d, whole(3 * d),
                (wm_after){.bias = w[QKV_BIAS], .out = room->qkv, .ld = room->qkv_ld});
        for (int64_t text = first; text < end; text++) {
            const int64_t at = job->starts[text] - begin;
            for (int64_t head = 0; head < job->heads; head++)
                attends[level](job, room->qkv + at * room->qkv_ld + head * size, room->qkv_ld,
                               job->starts[text + 1] - job->starts[text], size, room->scores,
                               room->panels, room->context + at * ld + head * size, ld);
        }
        project(job, room, room->context, ld, n, w[MIX], d, whole(d),
                (wm_after){.bias = w[MIX_BIAS], .add = 1, .out = x, .ld = ld});
        normalises[level](x, ld, n, d, w[MIX_SCALE], w[MIX_SHIFT], (float)job->eps);
        const int64_t at_once = pairs ? 2 * INNER_ROWS : INNER_ROWS;
        for (int64_t row = 0; row < n; row += at_once) {
            const int64_t many = n - row < at_once ? n - row : at_once;
            float *own = x + row * ld;
            project(job, room, own, ld, many, w[GROW], d, whole(job->inner),
                    (wm_after){.bias = w[GROW_BIAS], .gelu = 1, .narrow = pairs,
                               .out = room->inner, .ld = inner_ld});
            project(job, room, room->inner, inner_ld, many, w[SHRINK], job->inner, whole(d),
                    (wm_after){.bias = w[SHRINK_BIAS], .add = 1, .out = own, .ld = ld});
        }
        normalises[level](x, ld, n, d, w[SHRINK_SCALE], w[SHRINK_SHIFT], (float)job->eps);
        add_states(job, room, n, layer + 1);
    }
    int64_t n_taken = 0;
    for (int64_t layer = 0; layer <= job->n_layers; layer++)
        n_taken += job->taken[layer] != 0;
    for (int64_t k = 0; n_taken > 1 && k < n * d; k++)
        room->sum[k] /= n_taken;
    if (job->states)
        memcpy(job->states + begin * d, room->sum, sizeof(float) * n * d);
    for (int64_t text = first; job->out && text < end; text++)
        pool(job, room->sum + (job->starts[text] - begin) * d,
             job->starts[text + 1] - job->starts[text], job->out + text * d);
}

/* Texts' vectors; every thread that calls this takes the next chunk of texts until none is left. */
EXPORT void wm_bert_work(wm_bert *job)
{
    const int64_t d = job->d, n = job->most_tokens, longest = job->longest;
    const int64_t breadth = whole(d / job->heads);
    /* A head's context is written in whole panels: what stands over is the next head's place. */
    bert_room room = {.ld = whole(d) + 48, .qkv_ld = whole(3 * d) + 16,
                      .inner_ld = whole(job->inner) + 16};
    const int64_t outer = n * (d + 16), inner = INNER_ROWS * room.inner_ld;
    const int64_t narrow = job->arithmetic == FLOAT32 ? 0 : outer > inner ? outer : inner;
    const int64_t sizes[] = {n * room.ld, n * d, n * room.qkv_ld, n * room.ld,
                             inner, narrow, longest * whole(longest),
                             whole(longest) * breadth};
    float **const places[] = {&room.x, &room.sum, &room.qkv, &room.context, &room.inner,
                              &room.narrow, &room.scores, &room.panels};
    int64_t total = 0;
    for (int k = 0; k < 8; k++)
        total += sizes[k];
    float *memory = malloc(sizeof(float) * (total + 16));
    if (!memory) {
        job->failed = 1;
        return;
    }
    float *at = (float *)(((uintptr_t)memory + 63) / 64 * 64);
    for (int k = 0; k < 8; k++, at += sizes[k - 1])
        *places[k] = at;
    room.pairs = job->arithmetic == BFLOAT16_PAIRS ? room.inner : NULL;
    while (!job->stop && !job->failed) {
        const int64_t chunk = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        if (chunk >= job->n_chunks)
            break;
        bert_chunk(job, &room, chunk);
    }
    free(memory);
}

/* Whether the level in use sums pairs of bfloat16 numbers. */
EXPORT int wm_sums_pairs(void)
{
#if PAIRS
    unsigned a, b, c, d;
    return level == 2 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5));
#else
    return 0;
#endif
}
