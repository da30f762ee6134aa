/* What a C compiler with intrinsics makes of the kernels, for KernelBenchmarks to compare with. */

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { COLUMNS = 32, PATTERNS = 16, FACTORS = 64, SIGNS = 128 };

static float sum_floats(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static int32_t sum_ints(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

/* dims: a multiple of 16. */
static float squared_l2(const float *a, const float *b, int dims) {
#ifdef __AVX512F__
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  int j = 0;
  for (; j + 64 <= dims; j += 64) {
    __m512 d0 = _mm512_sub_ps(_mm512_loadu_ps(a + j), _mm512_loadu_ps(b + j));
    __m512 d1 = _mm512_sub_ps(_mm512_loadu_ps(a + j + 16), _mm512_loadu_ps(b + j + 16));
    __m512 d2 = _mm512_sub_ps(_mm512_loadu_ps(a + j + 32), _mm512_loadu_ps(b + j + 32));
    __m512 d3 = _mm512_sub_ps(_mm512_loadu_ps(a + j + 48), _mm512_loadu_ps(b + j + 48));
    s0 = _mm512_fmadd_ps(d0, d0, s0);
    s1 = _mm512_fmadd_ps(d1, d1, s1);
    s2 = _mm512_fmadd_ps(d2, d2, s2);
    s3 = _mm512_fmadd_ps(d3, d3, s3);
  }
  for (; j < dims; j += 16) {
    __m512 d = _mm512_sub_ps(_mm512_loadu_ps(a + j), _mm512_loadu_ps(b + j));
    s0 = _mm512_fmadd_ps(d, d, s0);
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
#else
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  int j = 0;
  for (; j + 32 <= dims; j += 32) {
    __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(a + j), _mm256_loadu_ps(b + j));
    __m256 d1 = _mm256_sub_ps(_mm256_loadu_ps(a + j + 8), _mm256_loadu_ps(b + j + 8));
    __m256 d2 = _mm256_sub_ps(_mm256_loadu_ps(a + j + 16), _mm256_loadu_ps(b + j + 16));
    __m256 d3 = _mm256_sub_ps(_mm256_loadu_ps(a + j + 24), _mm256_loadu_ps(b + j + 24));
    s0 = _mm256_fmadd_ps(d0, d0, s0);
    s1 = _mm256_fmadd_ps(d1, d1, s1);
    s2 = _mm256_fmadd_ps(d2, d2, s2);
    s3 = _mm256_fmadd_ps(d3, d3, s3);
  }
  for (; j < dims; j += 8) {
    __m256 d = _mm256_sub_ps(_mm256_loadu_ps(a + j), _mm256_loadu_ps(b + j));
    s0 = _mm256_fmadd_ps(d, d, s0);
  }
  return sum_floats(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
#endif
}

/* Codes of 0 to 127; dims: a multiple of 32. */
static int32_t squared_l2_codes(const uint8_t *a, const uint8_t *b, int dims) {
#ifdef __AVX512VNNI__
  __m512i s = _mm512_setzero_si512();
  int j = 0;
  for (; j + 64 <= dims; j += 64) {
    __m512i d = _mm512_abs_epi8(_mm512_sub_epi8(_mm512_loadu_si512(a + j), _mm512_loadu_si512(b + j)));
    s = _mm512_dpbusd_epi32(s, d, d);
  }
  int32_t sum = _mm512_reduce_add_epi32(s);
#else
  int j = 0;
  int32_t sum = 0;
#endif
  __m256i s0 = _mm256_setzero_si256(), s1 = s0;
  const __m256i ones = _mm256_set1_epi16(1);
  for (; j + 64 <= dims; j += 64) {
    __m256i x0 = _mm256_loadu_si256((const __m256i *)(a + j));
    __m256i x1 = _mm256_loadu_si256((const __m256i *)(a + j + 32));
    __m256i y0 = _mm256_loadu_si256((const __m256i *)(b + j));
    __m256i y1 = _mm256_loadu_si256((const __m256i *)(b + j + 32));
    __m256i d0 = _mm256_abs_epi8(_mm256_sub_epi8(x0, y0));
    __m256i d1 = _mm256_abs_epi8(_mm256_sub_epi8(x1, y1));
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(_mm256_maddubs_epi16(d0, d0), ones));
    s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(_mm256_maddubs_epi16(d1, d1), ones));
  }
  for (; j < dims; j += 32) {
    __m256i x = _mm256_loadu_si256((const __m256i *)(a + j));
    __m256i y = _mm256_loadu_si256((const __m256i *)(b + j));
    __m256i d = _mm256_abs_epi8(_mm256_sub_epi8(x, y));
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(_mm256_maddubs_epi16(d, d), ones));
  }
  return sum + sum_ints(_mm256_add_epi32(s0, s1));
}

void floats(const float *query, const float *rows, int count, int dims, float *out) {
  for (int i = 0; i < count; i++) {
    out[i] = squared_l2(query, rows + (size_t)i * dims, dims);
  }
}

void codes(const uint8_t *query, const uint8_t *rows, int count, int dims, int32_t *out) {
  for (int i = 0; i < count; i++) {
    out[i] = squared_l2_codes(query, rows + (size_t)i * dims, dims);
  }
}

/* Entries of 0 to 63; groups: a multiple of 8. */
static int32_t fast_scan(const uint8_t *block, const uint8_t *entries, int groups, float step, float offset,
                         float distance, float bound, float *estimates) {
  const __m256i nibble = _mm256_set1_epi8(15), even = _mm256_set1_epi16(255);
  __m256i low = _mm256_setzero_si256(), low_odd = low, high = low, high_odd = low;
  const uint8_t *signs = block + SIGNS;
  for (int at = 0; at < groups * PATTERNS; at += 8 * PATTERNS) {
    __m256i x = _mm256_setzero_si256(), y = x;
    for (int pair = 0; pair < 4; pair++) {
      __m256i s = _mm256_loadu_si256((const __m256i *)(signs + at + 32 * pair));
      __m256i e = _mm256_loadu_si256((const __m256i *)(entries + at + 32 * pair));
      x = _mm256_add_epi8(x, _mm256_shuffle_epi8(e, _mm256_and_si256(s, nibble)));
      y = _mm256_add_epi8(y, _mm256_shuffle_epi8(e, _mm256_and_si256(_mm256_srli_epi16(s, 4), nibble)));
    }
    low = _mm256_add_epi16(low, _mm256_and_si256(x, even));
    low_odd = _mm256_add_epi16(low_odd, _mm256_srli_epi16(x, 8));
    high = _mm256_add_epi16(high, _mm256_and_si256(y, even));
    high_odd = _mm256_add_epi16(high_odd, _mm256_srli_epi16(y, 8));
  }
  __m256i sums[4] = {low, low_odd, high, high_odd};
  int32_t below = 0;
  for (int quarter = 0; quarter < 4; quarter++) {
    __m128i sum = _mm_add_epi16(_mm256_castsi256_si128(sums[quarter]), _mm256_extracti128_si256(sums[quarter], 1));
    __m256 product = _mm256_add_ps(
        _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sum)), _mm256_set1_ps(step)), _mm256_set1_ps(offset));
    __m128i addends = _mm_loadu_si128((const __m128i *)(block + 16 * quarter));
    __m128i factors = _mm_loadu_si128((const __m128i *)(block + FACTORS + 16 * quarter));
    __m256 addend = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(addends), 16));
    __m256 factor = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(factors), 16));
    __m256 estimate = _mm256_sub_ps(_mm256_add_ps(addend, _mm256_set1_ps(distance)), _mm256_mul_ps(factor, product));
    estimate = _mm256_max_ps(estimate, _mm256_setzero_ps());
    below |= _mm256_movemask_ps(_mm256_cmp_ps(estimate, _mm256_set1_ps(bound), _CMP_LT_OQ)) << (8 * quarter);
    _mm256_storeu_ps(estimates + 8 * quarter, estimate);
  }
  return below;
}

/* Scores each of the blocks; returns the exclusive or of what is below the bound. */
int32_t blocks(const uint8_t *first, long stride, int count, const uint8_t *entries, int groups, float step,
               float offset, float distance, float bound, float *estimates) {
  int32_t below = 0;
  for (int i = 0; i < count; i++) {
    below ^= fast_scan(first + i * stride, entries, groups, step, offset, distance, bound, estimates);
  }
  return below;
}
