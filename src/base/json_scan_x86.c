/* json_scan_x86.c - the kernels of json_scan.h for x86-64: SSE2 (every machine), AVX2, AVX-512.
 *
 * Marks and white space are found by one shuffle each (Langdale, Lemire 2019, section 3.1): the low
 * four bits of a byte choose the only byte with those bits which belongs to the class, and the byte
 * is compared with it.  With bit 5 set, [ and ] fall onto { and }; so do the control characters 0C
 * and 1A onto , and :, which the second pass refuses since it looks at the byte itself.
 *
 * UTF-8 is checked by three shuffles (Keiser, Lemire 2020, section 6): the high and the low half of
 * the byte before and the high half of the byte itself each name the errors they would allow; an
 * error that all three allow has happened. */
#include "base/json_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* Errors that two neighbouring bytes can show.  TWO_MORE is none by itself: two continuations in a
 * row are right exactly where a lead of three or four bytes stands two or three bytes before. */
enum {
    TOO_SHORT = 1 << 0,  /* a lead, and no continuation behind it */
    TOO_LONG = 1 << 1,   /* ASCII, and a continuation behind it */
    OVERLONG_3 = 1 << 2, /* E0 80..9F */
    TOO_LARGE = 1 << 3,  /* F4 90.., F5.. and a continuation */
    SURROGATE = 1 << 4,  /* ED A0.. */
    OVERLONG_2 = 1 << 5, /* C0, C1 */
    OVERLONG_4 = 1 << 6, /* F0 80..8F; F5.. 80..8F shares the bit: with it F5 80 is seen too */
    TWO_MORE = 1 << 7,
    EVER = TOO_SHORT | TOO_LONG | TWO_MORE, /* do not depend on the low half of the byte before */
    ABOVE = EVER | TOO_LARGE | OVERLONG_4,
};

/* clang-format off */
#define BEFORE_HIGH                                                                               \
    TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,               \
    (char)TWO_MORE, (char)TWO_MORE, (char)TWO_MORE, (char)TWO_MORE,                               \
    TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE,                        \
    TOO_SHORT | TOO_LARGE | OVERLONG_4
#define BEFORE_LOW                                                                                \
    (char)(EVER | OVERLONG_2 | OVERLONG_3 | OVERLONG_4), (char)(EVER | OVERLONG_2),               \
    (char)EVER, (char)EVER, (char)(EVER | TOO_LARGE), (char)ABOVE, (char)ABOVE, (char)ABOVE,      \
    (char)ABOVE, (char)ABOVE, (char)ABOVE, (char)ABOVE, (char)ABOVE, (char)(ABOVE | SURROGATE),   \
    (char)ABOVE, (char)ABOVE
#define CONTINUES (TOO_LONG | OVERLONG_2 | TWO_MORE)
#define ITSELF_HIGH                                                                               \
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,       \
    (char)(CONTINUES | OVERLONG_3 | OVERLONG_4), (char)(CONTINUES | OVERLONG_3 | TOO_LARGE),      \
    (char)(CONTINUES | SURROGATE | TOO_LARGE), (char)(CONTINUES | SURROGATE | TOO_LARGE),         \
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT
#define WHITES ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0
#define MARKS 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0
/* clang-format on */

/* A last block of less than 64 bytes, with spaces behind. */
static const unsigned char *padded(unsigned char block[SOUK_JSON_BLOCK], const unsigned char *from,
                                   size_t bytes)
{
    memset(block, ' ', SOUK_JSON_BLOCK);
    memcpy(block, from, bytes);
    return block;
}

/* Writes the offsets and kinds of tokens one by one. */
static inline __attribute__((always_inline)) void
put_tokens(souk_json_scan *scan, size_t base, const unsigned char *block, uint64_t tokens)
{
    uint32_t *offsets = scan->offsets + scan->tokens;
    unsigned char *kinds = scan->kinds + scan->tokens;
    scan->tokens += (size_t)__builtin_popcountll(tokens);
    while (tokens) {
        unsigned bit = (unsigned)__builtin_ctzll(tokens);
        *offsets++ = (uint32_t)(base + bit);
        *kinds++ = block[bit];
        tokens &= tokens - 1;
    }
}

static inline uint64_t equal_sse2(const __m128i in[4], char c)
{
    uint64_t mask = 0;
    for (int i = 3; i >= 0; i--)
        mask = mask << 16 | (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(in[i], _mm_set1_epi8(c)));
    return mask;
}

void souk_json_scan_sse2(souk_json_scan *scan, size_t until)
{
    unsigned char tail[SOUK_JSON_BLOCK];
    for (size_t base = scan->at; base < until; base += SOUK_JSON_BLOCK) {
        const unsigned char *block = scan->source + base;
        size_t bytes = souk_min_size(SOUK_JSON_BLOCK, scan->bytes - base);
        if (bytes < SOUK_JSON_BLOCK)
            block = padded(tail, block, bytes);
        __m128i in[4], folded[4];
        uint64_t high = 0, control = 0;
        for (int i = 3; i >= 0; i--) {
            in[i] = _mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i));
            folded[i] = _mm_or_si128(in[i], _mm_set1_epi8(0x20));
            __m128i least = _mm_min_epu8(in[i], _mm_set1_epi8(0x1F));
            control = control << 16 | (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(least, in[i]));
            high = high << 16 | (unsigned)_mm_movemask_epi8(in[i]);
        }
        souk_json_masks masks = {
            .quote = equal_sse2(in, '"'),
            .backslash = equal_sse2(in, '\\'),
            .mark = equal_sse2(folded, '{') | equal_sse2(folded, '}') | equal_sse2(in, ':') |
                    equal_sse2(in, ','),
            .white = equal_sse2(in, ' ') | equal_sse2(in, '\t') | equal_sse2(in, '\n') |
                     equal_sse2(in, '\r'),
            .control = control,
        };
        if (high)
            souk_json_scan_utf8(scan, base, base + bytes);
        uint64_t quotes = souk_json_scan_quotes(scan, base, &masks);
        uint64_t parity = quotes;
        for (unsigned shift = 1; shift < 64; shift *= 2)
            parity ^= parity << shift;
        put_tokens(scan, base, block, souk_json_scan_tokens(scan, &masks, quotes, parity));
    }
    scan->at = until;
}

#define FOR_AVX2 __attribute__((target("avx2,bmi,pclmul,popcnt")))

bool souk_json_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("popcnt");
}

/* Bit i of the result is the parity of bits 0 to i. */
static inline __attribute__((target("pclmul"))) uint64_t parity_clmul(uint64_t bits)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)bits), _mm_set1_epi8((char)0xFF), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

FOR_AVX2 static inline __m256i choose_avx2(__m128i table, __m256i nibbles)
{
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), nibbles);
}

/* Non-zero bytes where UTF-8 is broken; `before` holds the 32 bytes in front of `in`. */
FOR_AVX2 static inline __m256i utf8_errors_avx2(__m256i in, __m256i before)
{
    const __m256i low_half = _mm256_set1_epi8(0x0F);
    __m256i seam = _mm256_permute2x128_si256(before, in, 0x21);
    __m256i back1 = _mm256_alignr_epi8(in, seam, 15);
    __m256i back2 = _mm256_alignr_epi8(in, seam, 14);
    __m256i back3 = _mm256_alignr_epi8(in, seam, 13);
    __m256i allowed =
        _mm256_and_si256(choose_avx2(_mm_setr_epi8(BEFORE_HIGH),
                                     _mm256_and_si256(_mm256_srli_epi16(back1, 4), low_half)),
                         choose_avx2(_mm_setr_epi8(BEFORE_LOW), _mm256_and_si256(back1, low_half)));
    allowed = _mm256_and_si256(allowed,
                               choose_avx2(_mm_setr_epi8(ITSELF_HIGH),
                                           _mm256_and_si256(_mm256_srli_epi16(in, 4), low_half)));
    /* Bit 7 stays set for E0.. two bytes before and F0.. three bytes before. */
    __m256i called =
        _mm256_or_si256(_mm256_subs_epu8(back2, _mm256_set1_epi8(0xE0 - 0x80)),
                        _mm256_subs_epu8(back3, _mm256_set1_epi8((char)(0xF0 - 0x80))));
    called = _mm256_and_si256(called, _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(called, allowed);
}

FOR_AVX2 static inline uint64_t mask_avx2(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << 32;
}

FOR_AVX2 static inline uint64_t class_avx2(__m256i low, __m256i high, __m128i table, char folded)
{
    /* The shuffle yields 0 for bytes above 7F, which then equals nothing. */
    __m256i fold = _mm256_set1_epi8(folded);
    return mask_avx2(_mm256_cmpeq_epi8(choose_avx2(table, low), _mm256_or_si256(low, fold)),
                     _mm256_cmpeq_epi8(choose_avx2(table, high), _mm256_or_si256(high, fold)));
}

FOR_AVX2 static inline uint64_t equal_avx2(__m256i low, __m256i high, char c)
{
    __m256i all = _mm256_set1_epi8(c);
    return mask_avx2(_mm256_cmpeq_epi8(low, all), _mm256_cmpeq_epi8(high, all));
}

FOR_AVX2 static inline uint64_t control_avx2(__m256i low, __m256i high)
{
    __m256i last = _mm256_set1_epi8(0x1F);
    return mask_avx2(_mm256_cmpeq_epi8(_mm256_min_epu8(low, last), low),
                     _mm256_cmpeq_epi8(_mm256_min_epu8(high, last), high));
}

FOR_AVX2 void souk_json_scan_avx2(souk_json_scan *scan, size_t until)
{
    unsigned char tail[SOUK_JSON_BLOCK];
    const __m128i marks = _mm_setr_epi8(MARKS), whites = _mm_setr_epi8(WHITES);
    __m256i before = _mm256_setzero_si256();
    if (scan->at)
        before = _mm256_loadu_si256((const __m256i *)(const void *)(scan->source + scan->at - 32));
    bool was_high = _mm256_movemask_epi8(before) != 0;
    for (size_t base = scan->at; base < until; base += SOUK_JSON_BLOCK) {
        const unsigned char *block = scan->source + base;
        if (scan->bytes - base < SOUK_JSON_BLOCK)
            block = padded(tail, block, scan->bytes - base);
        __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)block);
        __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(block + 32));
        if (_mm256_movemask_epi8(_mm256_or_si256(low, high))) {
            __m256i errors =
                _mm256_or_si256(utf8_errors_avx2(low, before), utf8_errors_avx2(high, low));
            scan->bad |= !_mm256_testz_si256(errors, errors);
            was_high = true;
        } else if (was_high) {
            scan->bad |= souk_json_utf8_open(scan->source, base);
            was_high = false;
        }
        before = high;
        souk_json_masks masks = {
            .quote = equal_avx2(low, high, '"'),
            .backslash = equal_avx2(low, high, '\\'),
            .mark = class_avx2(low, high, marks, 0x20),
            .white = class_avx2(low, high, whites, 0),
            .control = control_avx2(low, high),
        };
        uint64_t quotes = souk_json_scan_quotes(scan, base, &masks);
        put_tokens(scan, base, block,
                   souk_json_scan_tokens(scan, &masks, quotes, parity_clmul(quotes)));
    }
    scan->at = until;
}

/* Tokens leave by the byte compression of VBMI2 (Ice Lake, Zen 4 and later). */
#define FOR_AVX512 \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi,pclmul,popcnt")))

bool souk_json_has_avx512(void)
{
    return souk_json_has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi2");
}

FOR_AVX512 static inline __m512i choose_avx512(__m128i table, __m512i nibbles)
{
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), nibbles);
}

FOR_AVX512 static inline bool utf8_bad_avx512(__m512i in, __m512i before)
{
    const __m512i low_half = _mm512_set1_epi8(0x0F);
    __m512i seam = _mm512_alignr_epi64(in, before, 6);
    __m512i back1 = _mm512_alignr_epi8(in, seam, 15);
    __m512i back2 = _mm512_alignr_epi8(in, seam, 14);
    __m512i back3 = _mm512_alignr_epi8(in, seam, 13);
    __m512i before_high = choose_avx512(_mm_setr_epi8(BEFORE_HIGH),
                                        _mm512_and_si512(_mm512_srli_epi16(back1, 4), low_half));
    __m512i before_low =
        choose_avx512(_mm_setr_epi8(BEFORE_LOW), _mm512_and_si512(back1, low_half));
    __m512i itself_high = choose_avx512(_mm_setr_epi8(ITSELF_HIGH),
                                        _mm512_and_si512(_mm512_srli_epi16(in, 4), low_half));
    __m512i allowed = _mm512_and_si512(_mm512_and_si512(before_high, before_low), itself_high);
    __mmask64 called = _mm512_cmpge_epu8_mask(back2, _mm512_set1_epi8((char)0xE0)) |
                       _mm512_cmpge_epu8_mask(back3, _mm512_set1_epi8((char)0xF0));
    return ((_mm512_movepi8_mask(allowed) ^ called) |
            _mm512_test_epi8_mask(allowed, _mm512_set1_epi8(0x7F))) != 0;
}

/* The same as put_tokens, 16 offsets a store; writes up to 64 entries past the last token. */
FOR_AVX512 static inline void put_tokens_avx512(souk_json_scan *scan, size_t base, __m512i in,
                                                uint64_t tokens, __m512i numbers)
{
    uint32_t *offsets = scan->offsets + scan->tokens;
    _mm512_storeu_si512(scan->kinds + scan->tokens, _mm512_maskz_compress_epi8(tokens, in));
    __m512i bits = _mm512_maskz_compress_epi8(tokens, numbers);
    __m512i start = _mm512_set1_epi32((int)(uint32_t)base);
    unsigned count = (unsigned)__builtin_popcountll(tokens);
    scan->tokens += count;
    __m512i first = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(bits));
    _mm512_storeu_si512(offsets, _mm512_add_epi32(first, start));
    if (count > 16) {
        __m512i second = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bits, 1));
        _mm512_storeu_si512(offsets + 16, _mm512_add_epi32(second, start));
    }
    if (__builtin_expect(count > 32, 0)) {
        __m512i third = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bits, 2));
        __m512i fourth = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bits, 3));
        _mm512_storeu_si512(offsets + 32, _mm512_add_epi32(third, start));
        _mm512_storeu_si512(offsets + 48, _mm512_add_epi32(fourth, start));
    }
}

FOR_AVX512 void souk_json_scan_avx512(souk_json_scan *scan, size_t until)
{
    static const unsigned char zero_to_63[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    const __m512i numbers = _mm512_loadu_si512(zero_to_63);
    const __m512i marks = _mm512_broadcast_i32x4(_mm_setr_epi8(MARKS));
    const __m512i whites = _mm512_broadcast_i32x4(_mm_setr_epi8(WHITES));
    const __m512i space = _mm512_set1_epi8(' ');
    __m512i before = _mm512_setzero_si512();
    if (scan->at)
        before = _mm512_loadu_si512(scan->source + scan->at - SOUK_JSON_BLOCK);
    bool was_high = _mm512_movepi8_mask(before) != 0;
    for (size_t base = scan->at; base < until; base += SOUK_JSON_BLOCK) {
        size_t left = scan->bytes - base;
        __m512i in;
        if (left >= SOUK_JSON_BLOCK)
            in = _mm512_loadu_si512(scan->source + base);
        else /* bytes outside the mask are not read */
            in = _mm512_mask_loadu_epi8(space, ((uint64_t)1 << left) - 1, scan->source + base);
        if (_mm512_movepi8_mask(in)) {
            scan->bad |= utf8_bad_avx512(in, before);
            was_high = true;
        } else if (was_high) {
            scan->bad |= souk_json_utf8_open(scan->source, base);
            was_high = false;
        }
        before = in;
        souk_json_masks masks = {
            .quote = _mm512_cmpeq_epi8_mask(in, _mm512_set1_epi8('"')),
            .backslash = _mm512_cmpeq_epi8_mask(in, _mm512_set1_epi8('\\')),
            .mark =
                _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(marks, in), _mm512_or_si512(in, space)),
            .white = _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(whites, in), in),
            .control = _mm512_cmplt_epu8_mask(in, space),
        };
        uint64_t quotes = souk_json_scan_quotes(scan, base, &masks);
        uint64_t tokens = souk_json_scan_tokens(scan, &masks, quotes, parity_clmul(quotes));
        put_tokens_avx512(scan, base, in, tokens, numbers);
    }
    scan->at = until;
}
#endif
