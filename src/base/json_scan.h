/* json_scan.h - the first pass of the JSON reader: from bytes to tokens, 64 bytes a step.
 *
 * Private to base/json_*.c and their tests and benches.
 *
 *     source   {"id": "a,b", "n": [1, true]}
 *     kinds    {"   :"     , "  :[1,t   ]}       the first byte of each token
 *     offsets  0 1  5 7 ...                      and where in the source it stands
 *
 * A token is one of { } [ ] : , outside strings, the opening quote of a string, or the first byte of
 * any other run without white space.  The scan has then proven of every string that it is UTF-8,
 * holds no control character and only good escapes; of the rest it knows nothing yet, and an unclosed
 * string is left to `in_string`.  So the second pass need not look at a string again.
 *
 * Each block becomes six 64-bit masks (quote, backslash, ...), one bit per byte; where strings begin
 * and end is then the running parity of the quotes, a carry-less multiplication by all ones.
 * `bad` says that the text is certainly not JSON; where and why is told by souk_json_explain.
 *
 * Source   Langdale, Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 2019 (masks,
 *          parity); Keiser, Lemire, "Validating UTF-8 in less than one instruction per byte", 2020.
 * Threads  the choice of the kernel is made once and may be raced for; a scan belongs to one. */
#ifndef SOUK_BASE_JSON_SCAN_H
#define SOUK_BASE_JSON_SCAN_H

#include "base/json.h"

enum {
    SOUK_JSON_BLOCK =
        64, /* bytes a step; a kernel may write this many entries past the last token */
};

typedef struct souk_json_scan {
    const unsigned char *source; /* the whole document: nothing outside is ever read */
    size_t bytes;
    size_t at;               /* scanned up to here; a multiple of 64 until the end */
    uint32_t *offsets;       /* room for the tokens of the step and SOUK_JSON_BLOCK more */
    unsigned char *kinds;    /* the same room */
    size_t tokens;           /* written so far */
    uint64_t in_string;      /* all ones: a string is open at `at` */
    uint64_t escaped;        /* 1: the byte at `at` stands behind a backslash */
    uint64_t in_scalar;      /* 1: the byte before `at` belongs to a number, word or rubbish */
    size_t low_surrogate_at; /* the escape a high surrogate just called for; 0: none */
    size_t utf8_at;          /* kernels without shuffles: bytes before this one are valid UTF-8 */
    bool escapes;            /* there was a backslash */
    bool bad;                /* not JSON; the tokens are worth nothing */
} souk_json_scan;

/* Goes on from scan->at to `until`, which is a multiple of 64 or scan->bytes. */
typedef void souk_json_kernel_scan(souk_json_scan *scan, size_t until);

typedef struct souk_json_kernel {
    const char *name;
    bool (*runs_here)(void);
    souk_json_kernel_scan *scan;
} souk_json_kernel;

#if defined(__x86_64__)
bool souk_json_has_avx2(void);
bool souk_json_has_avx512(void);
souk_json_kernel_scan souk_json_scan_sse2, souk_json_scan_avx2, souk_json_scan_avx512;
#endif

/* All kernels of this build, the best first, ended by a NULL name; the last one runs everywhere. */
extern const souk_json_kernel souk_json_kernels[];
/* The best that runs here, unless souk_json_kernel_use chose (tests and benches do; NULL: the best). */
const souk_json_kernel *souk_json_kernel_chosen(void);
void souk_json_kernel_use(const souk_json_kernel *kernel);

/* The length of the well-formed UTF-8 sequence at `at` (1 to 4); 0 where there is none within `left`
 * bytes (RFC 3629 section 4: no surrogates, nothing overlong, nothing above U+10FFFF). */
size_t souk_json_utf8(const unsigned char *at, size_t left);
/* Whether the text stops within a UTF-8 sequence, judged by lead bytes alone. */
static inline bool souk_json_utf8_open(const unsigned char *text, size_t bytes)
{
    return (bytes >= 1 && text[bytes - 1] >= 0xC0) || (bytes >= 2 && text[bytes - 2] >= 0xE0) ||
           (bytes >= 3 && text[bytes - 3] >= 0xF0);
}
/* The 16 bits of four hexadecimal digits; -1 where one of them is none. */
int32_t souk_json_hex4(const unsigned char *at);

/* The second opinion: reads the text byte by byte and tells the first thing that is wrong with it,
 * SOUK_ESYNTAX or SOUK_ETOOBIG, words and place in diag; SOUK_OK: nothing is.  No field of limits
 * is 0.  ret_values counts the values up to there. */
SOUK_CHECKED souk_err souk_json_explain(souk_text source, const souk_json_limits *limits,
                                        size_t *ret_values, souk_diag *diag);

/* What every kernel does with its masks.  Inlined into each, so that it is compiled for its CPU. */
typedef struct souk_json_masks {
    uint64_t quote, backslash, mark, white, control; /* mark: one of {}[]:, */
} souk_json_masks;

/* Checks the escapes that begin in the block at `base`; returns which bytes they escape. */
uint64_t souk_json_scan_escapes(souk_json_scan *scan, size_t base, uint64_t backslash);

/* For kernels without shuffles: checks the UTF-8 that begins in [base, end). */
void souk_json_scan_utf8(souk_json_scan *scan, size_t base, size_t end);

/* The quotes that open or close a string. */
static inline __attribute__((always_inline)) uint64_t
souk_json_scan_quotes(souk_json_scan *scan, size_t base, const souk_json_masks *masks)
{
    if (__builtin_expect((masks->backslash | scan->escaped) == 0, 1))
        return masks->quote;
    return masks->quote & ~souk_json_scan_escapes(scan, base, masks->backslash);
}

/* The first bytes of tokens.  parity: for each byte the parity of the quotes up to and with it. */
static inline __attribute__((always_inline)) uint64_t
souk_json_scan_tokens(souk_json_scan *scan, const souk_json_masks *masks, uint64_t quotes,
                      uint64_t parity)
{
    uint64_t inside = parity ^ scan->in_string; /* with the opening quote, without the closing */
    uint64_t scalar = ~(masks->mark | masks->white | quotes | inside);
    uint64_t begins = scalar & ~(scalar << 1 | scan->in_scalar);
    scan->bad |= (masks->control & inside) != 0;
    scan->in_string = (uint64_t)((int64_t)inside >> 63);
    scan->in_scalar = scalar >> 63;
    return (masks->mark & ~inside) | (quotes & inside) | begins;
}

#endif
