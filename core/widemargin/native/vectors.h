/* Vectors of one width and one type of number: included once for each level and type.

   The includer defines LEVEL (0 portable, 1 AVX2, 2 AVX-512), R (float or double), IS_DOUBLE,
   and NAME(x), which adds both to a name. */

#undef WIDTH
#undef TARGET
#undef INLINE
#undef L
#undef VF
#undef VI
#undef RI
#undef SPLAT
#undef LOAD
#undef STORE
#undef MASK
#undef GREATER
#undef SELECT
#undef SELECT_INDEX
#undef MAXIMUM
#undef MINIMUM
#undef FMA

#if LEVEL == 2
#define WIDTH 64
#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#elif LEVEL == 1
#define WIDTH 32
#define TARGET __attribute__((target("avx2,fma")))
#else
#define WIDTH 16
#define TARGET
#endif
#define INLINE static inline __attribute__((always_inline)) TARGET

#if IS_DOUBLE
#define RI int64_t
#else
#define RI int32_t
#endif
#define L ((int64_t)(WIDTH / sizeof(R)))
#define VF NAME(real_vector)
#define VI NAME(index_vector)
typedef R VF __attribute__((vector_size(WIDTH)));
typedef RI VI __attribute__((vector_size(WIDTH)));

#define SPLAT(x) ((VF){0} + (R)(x))
#define LOAD(p) NAME(load)(p)
#define STORE(p, x) NAME(store)(p, x)

INLINE VF NAME(load)(const R *p)
{
    VF x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
}

INLINE void NAME(store)(R *p, VF x) { __builtin_memcpy(p, &x, sizeof x); }

/* GREATER(a, b) is a mask of lanes; SELECT(mask, x, y) is x where it holds. */
#if LEVEL == 2 && IS_DOUBLE
#define MASK __mmask8
#define GREATER(a, b) _mm512_cmp_pd_mask((__m512d)(a), (__m512d)(b), _CMP_GT_OQ)
#define SELECT(m, x, y) ((VF)_mm512_mask_blend_pd(m, (__m512d)(y), (__m512d)(x)))
#define SELECT_INDEX(m, x, y) ((VI)_mm512_mask_blend_epi64(m, (__m512i)(y), (__m512i)(x)))
#define MAXIMUM(a, b) ((VF)_mm512_max_pd((__m512d)(a), (__m512d)(b)))
#define MINIMUM(a, b) ((VF)_mm512_min_pd((__m512d)(a), (__m512d)(b)))
#elif LEVEL == 2
#define MASK __mmask16
#define GREATER(a, b) _mm512_cmp_ps_mask((__m512)(a), (__m512)(b), _CMP_GT_OQ)
#define SELECT(m, x, y) ((VF)_mm512_mask_blend_ps(m, (__m512)(y), (__m512)(x)))
#define SELECT_INDEX(m, x, y) ((VI)_mm512_mask_blend_epi32(m, (__m512i)(y), (__m512i)(x)))
#define MAXIMUM(a, b) ((VF)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define MINIMUM(a, b) ((VF)_mm512_min_ps((__m512)(a), (__m512)(b)))
#elif LEVEL == 1 && IS_DOUBLE
#define MASK __m256d
#define GREATER(a, b) _mm256_cmp_pd((__m256d)(a), (__m256d)(b), _CMP_GT_OQ)
#define SELECT(m, x, y) ((VF)_mm256_blendv_pd((__m256d)(y), (__m256d)(x), m))
#define SELECT_INDEX(m, x, y) ((VI)_mm256_blendv_pd((__m256d)(y), (__m256d)(x), m))
#define MAXIMUM(a, b) ((VF)_mm256_max_pd((__m256d)(a), (__m256d)(b)))
#define MINIMUM(a, b) ((VF)_mm256_min_pd((__m256d)(a), (__m256d)(b)))
#elif LEVEL == 1
#define MASK __m256
#define GREATER(a, b) _mm256_cmp_ps((__m256)(a), (__m256)(b), _CMP_GT_OQ)
#define SELECT(m, x, y) ((VF)_mm256_blendv_ps((__m256)(y), (__m256)(x), m))
#define SELECT_INDEX(m, x, y) ((VI)_mm256_blendv_ps((__m256)(y), (__m256)(x), m))
#define MAXIMUM(a, b) ((VF)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define MINIMUM(a, b) ((VF)_mm256_min_ps((__m256)(a), (__m256)(b)))
#else
#define MASK VI
#define GREATER(a, b) ((VI)((a) > (b)))
#define SELECT(m, x, y) ((VF)(((m) & (VI)(x)) | (~(m) & (VI)(y))))
#define SELECT_INDEX(m, x, y) (((m) & (x)) | (~(m) & (y)))
#define MAXIMUM(a, b) NAME(maximum)(a, b)
#define MINIMUM(a, b) NAME(minimum)(a, b)
INLINE VF NAME(maximum)(VF a, VF b) { return SELECT(GREATER(a, b), a, b); }
INLINE VF NAME(minimum)(VF a, VF b) { return SELECT(GREATER(a, b), b, a); }
#endif

/* The greatest of all lanes and the first that holds it, and the least of all lanes. */
INLINE int64_t NAME(most_of)(VF x, R *most)
{
#if LEVEL == 2 && IS_DOUBLE
    *most = _mm512_reduce_max_pd((__m512d)x);
    return __builtin_ctz(_mm512_cmp_pd_mask((__m512d)x, _mm512_set1_pd(*most), _CMP_EQ_OQ) | 128);
#elif LEVEL == 2
    *most = _mm512_reduce_max_ps((__m512)x);
    return __builtin_ctz(_mm512_cmp_ps_mask((__m512)x, _mm512_set1_ps(*most), _CMP_EQ_OQ) | 32768);
#else
    int64_t place = 0;
    *most = x[0];
    for (int64_t lane = 1; lane < L; lane++)
        if (x[lane] > *most) {
            *most = x[lane];
            place = lane;
        }
    return place;
#endif
}

INLINE R NAME(least_of)(VF x)
{
#if LEVEL == 2 && IS_DOUBLE
    return _mm512_reduce_min_pd((__m512d)x);
#elif LEVEL == 2
    return _mm512_reduce_min_ps((__m512)x);
#else
    R least = x[0];
    for (int64_t lane = 1; lane < L; lane++)
        least = x[lane] < least ? x[lane] : least;
    return least;
#endif
}
