/* json_scan.c - what the kernels share, the kernel for any machine, and the choice among them. */
#include "base/json_scan.h"

size_t souk_json_utf8(const unsigned char *at, size_t left)
{
    /* The second byte carries the limits of the first: E0 A0.., ED ..9F, F0 90.., F4 ..8F. */
    unsigned lead = at[0];
    if (lead < 0x80)
        return 1;
    size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead < 0xC2 || lead > 0xF4 || left < bytes)
        return 0;
    unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < bytes; i++)
        if (at[i] < 0x80 || at[i] > 0xBF)
            return 0;
    return bytes;
}

int32_t souk_json_hex4(const unsigned char *at)
{
    int32_t code = 0;
    for (int i = 0; i < 4; i++) {
        int c = at[i], letter = c | 0x20;
        if (c >= '0' && c <= '9')
            code = code << 4 | (c - '0');
        else if (letter >= 'a' && letter <= 'f')
            code = code << 4 | (letter - 'a' + 10);
        else
            return -1;
    }
    return code;
}

/* RFC 8259 section 7; a surrogate must stand in a pair, since no text could hold it alone.  `at` is
 * a backslash that begins an escape. */
static bool escape_good(souk_json_scan *scan, size_t at)
{
    const unsigned char *text = scan->source + at;
    size_t left = scan->bytes - at;
    if (left < 2)
        return false;
    switch (text[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    case 'u':
        break;
    default:
        return false;
    }
    int32_t code = left < 6 ? -1 : souk_json_hex4(text + 2);
    if ((code & 0xFC00) == 0xDC00 && code > 0) {
        /* `at` 0 cannot be called for: a high surrogate stands before it. */
        return at == scan->low_surrogate_at && at != 0;
    }
    if ((code & 0xFC00) == 0xD800 && code > 0) {
        scan->low_surrogate_at = at + 6;
        return left >= 12 && text[6] == '\\' && text[7] == 'u' &&
               (souk_json_hex4(text + 8) & ~0x3FF) == 0xDC00;
    }
    return code >= 0;
}

uint64_t souk_json_scan_escapes(souk_json_scan *scan, size_t base, uint64_t backslash)
{
    uint64_t escaped = scan->escaped;
    uint64_t begins = backslash & ~escaped;
    scan->escapes = true;
    scan->escaped = 0;
    while (begins) {
        unsigned bit = (unsigned)__builtin_ctzll(begins);
        scan->bad |= !escape_good(scan, base + bit);
        if (bit == 63) {
            scan->escaped = 1;
            break;
        }
        escaped |= (uint64_t)2 << bit;
        begins &= ~((uint64_t)3 << bit);
    }
    return escaped;
}

/* The kernel for any machine: the masks bit by bit from a table. */
enum { QUOTE = 1, BACKSLASH = 2, MARK = 4, WHITE = 8, CONTROL = 16, HIGH = 32 };

static unsigned class_of(unsigned c)
{
    static const unsigned char classes[128] = {
        [0x00] = CONTROL,
        [0x01] = CONTROL,
        [0x02] = CONTROL,
        [0x03] = CONTROL,
        [0x04] = CONTROL,
        [0x05] = CONTROL,
        [0x06] = CONTROL,
        [0x07] = CONTROL,
        [0x08] = CONTROL,
        ['\t'] = CONTROL | WHITE,
        ['\n'] = CONTROL | WHITE,
        [0x0B] = CONTROL,
        [0x0C] = CONTROL,
        ['\r'] = CONTROL | WHITE,
        [0x0E] = CONTROL,
        [0x0F] = CONTROL,
        [0x10] = CONTROL,
        [0x11] = CONTROL,
        [0x12] = CONTROL,
        [0x13] = CONTROL,
        [0x14] = CONTROL,
        [0x15] = CONTROL,
        [0x16] = CONTROL,
        [0x17] = CONTROL,
        [0x18] = CONTROL,
        [0x19] = CONTROL,
        [0x1A] = CONTROL,
        [0x1B] = CONTROL,
        [0x1C] = CONTROL,
        [0x1D] = CONTROL,
        [0x1E] = CONTROL,
        [0x1F] = CONTROL,
        [' '] = WHITE,
        ['"'] = QUOTE,
        ['\\'] = BACKSLASH,
        ['{'] = MARK,
        ['}'] = MARK,
        ['['] = MARK,
        [']'] = MARK,
        [':'] = MARK,
        [','] = MARK,
    };
    return c < 128 ? classes[c] : HIGH;
}

static uint64_t parity_of(uint64_t bits)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

void souk_json_scan_utf8(souk_json_scan *scan, size_t base, size_t end)
{
    size_t at = souk_max_size(base, scan->utf8_at);
    while (at < end) {
        size_t bytes = souk_json_utf8(scan->source + at, scan->bytes - at);
        scan->bad |= bytes == 0;
        at += souk_max_size(bytes, 1);
    }
    scan->utf8_at = at;
}

static void scan_plain(souk_json_scan *scan, size_t until)
{
    for (size_t base = scan->at; base < until; base += SOUK_JSON_BLOCK) {
        const unsigned char *block = scan->source + base;
        size_t bytes = souk_min_size(SOUK_JSON_BLOCK, scan->bytes - base);
        souk_json_masks masks = {.white = bytes < 64 ? ~(uint64_t)0 << bytes : 0};
        uint64_t high = 0;
        for (size_t i = 0; i < bytes; i++) {
            uint64_t class = class_of(block[i]);
            masks.quote |= (class & 1) << i;
            masks.backslash |= (class >> 1 & 1) << i;
            masks.mark |= (class >> 2 & 1) << i;
            masks.white |= (class >> 3 & 1) << i;
            masks.control |= (class >> 4 & 1) << i;
            high |= class >> 5;
        }
        if (high)
            souk_json_scan_utf8(scan, base, base + bytes);
        uint64_t quotes = souk_json_scan_quotes(scan, base, &masks);
        uint64_t tokens = souk_json_scan_tokens(scan, &masks, quotes, parity_of(quotes));
        for (; tokens; tokens &= tokens - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(tokens);
            scan->offsets[scan->tokens] = (uint32_t)(base + bit);
            scan->kinds[scan->tokens++] = block[bit];
        }
    }
    scan->at = until;
}

static bool anywhere(void)
{
    return true;
}

const souk_json_kernel souk_json_kernels[] = {
#if defined(__x86_64__)
    {"avx512", souk_json_has_avx512, souk_json_scan_avx512},
    {"avx2", souk_json_has_avx2, souk_json_scan_avx2},
    {"sse2", anywhere, souk_json_scan_sse2},
#endif
    {"plain", anywhere, scan_plain},
    {NULL, NULL, NULL},
};

static const souk_json_kernel *chosen;

const souk_json_kernel *souk_json_kernel_chosen(void)
{
    const souk_json_kernel *kernel = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (!kernel) {
        kernel = souk_json_kernels;
        while (!kernel->runs_here())
            kernel++;
        __atomic_store_n(&chosen, kernel, __ATOMIC_RELAXED);
    }
    return kernel;
}

void souk_json_kernel_use(const souk_json_kernel *kernel)
{
    __atomic_store_n(&chosen, kernel, __ATOMIC_RELAXED);
}
