/* json_read.c - the second pass of the reader: do the tokens form a value?
 *
 *     kinds    { " : " , " : [ 1 , t ] }
 *     pairs    12            11      2 2        { is closed by 12, [ by 11; both hold two values
 *
 * An event of 440 bytes has some 90 tokens, and most come in fours: a key, its colon, a string, a
 * comma.  Strings are known to be good, so that the four are one comparison.  Numbers and words are
 * looked at in the source.  While a container is open its slot in pairs holds the one around it.
 *
 * This pass only says yes or no.  After a no, json_explain.c reads the text byte by byte. */
#include "base/json_scan.h"

enum {
    STEP = 4096,             /* bytes scanned before the arrays are grown again: 64 blocks */
    SLACK = SOUK_JSON_BLOCK, /* see souk_json_scan */
    TOKENS_PER_VALUE = 5,    /* at most: comma, key, colon, { and } */
};

void souk_json_doc_done(souk_json_doc *doc)
{
    souk_mem *mem = doc->mem ? doc->mem : souk_mem_heap();
    souk_mem_put(mem, doc->kinds);
    souk_mem_put(mem, doc->offsets);
    souk_mem_put(mem, doc->pairs);
    *doc = (souk_json_doc){.mem = doc->mem};
}

/* What may stand behind a number or word; : is left to the walk. */
static inline bool ends_scalar(unsigned char c)
{
    static const bool ends[256] = {[' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true,
                                   [','] = true, [':'] = true,  [']'] = true,  ['}'] = true};
    return ends[c];
}

static inline const unsigned char *skip_digits(const unsigned char *at, const unsigned char *end)
{
    while (at < end && (unsigned)*at - '0' < 10)
        at++;
    return at;
}

/* RFC 8259 section 6. */
static inline bool number_good(const unsigned char *at, const unsigned char *end)
{
    at += *at == '-';
    if (at == end)
        return false;
    const unsigned char *digits = at;
    at = *at == '0' ? at + 1 : skip_digits(at, end);
    if (at == digits)
        return false;
    if (at < end && *at == '.') {
        digits = ++at;
        at = skip_digits(at, end);
        if (at == digits)
            return false;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        digits = at;
        at = skip_digits(at, end);
        if (at == digits)
            return false;
    }
    return at == end || ends_scalar(*at);
}

static inline bool word_good(const unsigned char *at, const unsigned char *end, const char *word,
                             size_t bytes)
{
    return (size_t)(end - at) >= bytes && memcmp(at, word, bytes) == 0 &&
           ((size_t)(end - at) == bytes || ends_scalar(at[bytes]));
}

/* Numbers, true, false, null. */
static inline bool scalar_good(const souk_json_doc *doc, size_t token)
{
    const unsigned char *source = (const unsigned char *)doc->source.at;
    const unsigned char *at = source + doc->offsets[token], *end = source + doc->source.bytes;
    switch (*at) {
    case 't':
        return word_good(at, end, "true", 4);
    case 'f':
        return word_good(at, end, "false", 5);
    case 'n':
        return word_good(at, end, "null", 4);
    default:
        return number_good(at, end);
    }
}

static inline uint32_t four(const unsigned char *kinds)
{
    return souk_get_u32(kinds);
}

/* Whether the tokens are one value within the limits; fills pairs. */
static bool walk(souk_json_doc *doc, const souk_json_limits *limits)
{
    const unsigned char *kinds = doc->kinds;
    const uint32_t string_member = souk_get_u32("\":\",");
    const uint16_t key = souk_get_u16("\":");
    uint32_t *pairs = doc->pairs;
    uint32_t at = 0, container = 0, count = 0;
    unsigned depth = 0;
    size_t values = 1;

    if (kinds[0] == '{' || kinds[0] == '[')
        goto open;
    doc->values = 1;
    return doc->tokens == 1 && (kinds[0] == '"' || scalar_good(doc, 0));

open: /* at a { or [ */
    if (depth == limits->depth)
        return false;
    pairs[at] = container;
    doc->counts[depth++] = count;
    container = at++;
    count = 0;
    if (kinds[container] == '[') {
        if (kinds[at] == ']')
            goto close;
        goto element;
    }
    if (kinds[at] == '}')
        goto close;

member: /* at a key */
    while (four(kinds + at) == string_member) {
        at += 4;
        count++;
    }
    if (souk_get_u16(kinds + at) != key)
        return false;
    at += 2;
    count++;
    if (kinds[at] == '"')
        at++;
    else if (kinds[at] == '{' || kinds[at] == '[')
        goto open;
    else if (at < doc->tokens && scalar_good(doc, at))
        at++;
    else
        return false;

member_end:
    if (kinds[at] == ',') {
        at++;
        goto member;
    }
    if (kinds[at] != '}')
        return false;
    goto close;

element: /* at a value of an array */
    count++;
    if (kinds[at] == '"')
        at++;
    else if (kinds[at] == '{' || kinds[at] == '[')
        goto open;
    else if (at < doc->tokens && scalar_good(doc, at))
        at++;
    else
        return false;

element_end:
    if (kinds[at] == ',') {
        at++;
        goto element;
    }
    if (kinds[at] != ']')
        return false;

close: /* at the } or ] of container */
    values += count;
    uint32_t around = pairs[container];
    pairs[container] = at;
    pairs[at++] = count;
    count = doc->counts[--depth];
    container = around;
    if (depth == 0) {
        doc->values = values;
        return at == doc->tokens && values <= limits->values;
    }
    if (kinds[container] == '{')
        goto member_end;
    goto element_end;
}

/* Fills kinds and offsets; false: not JSON, or so many tokens that the values are too many. */
static souk_err scan_all(souk_json_doc *doc, souk_mem *mem, size_t tokens_limit, bool *ret_good)
{
    souk_json_scan scan = {.source = (const unsigned char *)doc->source.at,
                           .bytes = doc->source.bytes};
    souk_json_kernel_scan *step = souk_json_kernel_chosen()->scan;
    size_t room_limit = tokens_limit + STEP + 2 * SLACK;
    *ret_good = false;
    while (scan.at < scan.bytes) {
        size_t until = scan.bytes - scan.at > STEP ? scan.at + STEP : scan.bytes;
        size_t need = scan.tokens + (until - scan.at) + SLACK;
        SOUK_TRY(souk_mem_grow(mem, &doc->kinds, &doc->kinds_room, need, room_limit, 1));
        SOUK_TRY(souk_mem_grow(mem, &doc->offsets, &doc->offsets_room, need, room_limit,
                               sizeof *doc->offsets));
        scan.kinds = doc->kinds;
        scan.offsets = doc->offsets;
        step(&scan, until);
        if (scan.bad || scan.tokens > tokens_limit)
            return SOUK_OK;
    }
    if (scan.in_string || scan.tokens == 0 || souk_json_utf8_open(scan.source, scan.bytes))
        return SOUK_OK;
    SOUK_TRY(souk_mem_grow(mem, &doc->pairs, &doc->pairs_room, scan.tokens, room_limit,
                           sizeof *doc->pairs));
    /* The walk looks up to four tokens ahead. */
    memset(doc->kinds + scan.tokens, 0, 4);
    doc->tokens = scan.tokens;
    doc->escapes = scan.escapes;
    *ret_good = true;
    return SOUK_OK;
}

/* The caller's limits with the defaults filled in. */
static souk_err settle(const souk_json_limits *limits, souk_json_limits *ret_limits,
                       souk_diag *diag)
{
    souk_json_limits asked = limits ? *limits : (souk_json_limits){0};
    if (asked.depth > SOUK_JSON_DEPTH_MAX || asked.bytes > SOUK_JSON_BYTES_MAX)
        return souk_diag_say(diag, SOUK_EINVAL, "the limits of JSON go to depth %d and %zu bytes",
                             SOUK_JSON_DEPTH_MAX, SOUK_JSON_BYTES_MAX);
    ret_limits->bytes = asked.bytes ? asked.bytes : (size_t)16 << 20;
    ret_limits->values = asked.values ? asked.values : (size_t)1 << 20;
    ret_limits->depth = asked.depth ? asked.depth : 32;
    return SOUK_OK;
}

souk_err souk_json_read(souk_json_doc *doc, souk_text source, const souk_json_limits *limits,
                        souk_diag *diag)
{
    doc->tokens = doc->values = 0;
    doc->source = source;
    souk_json_limits within;
    SOUK_TRY(settle(limits, &within, diag));
    if (source.bytes > within.bytes)
        return souk_diag_say(diag, SOUK_ETOOBIG, "the JSON text has %zu bytes, the limit is %zu",
                             source.bytes, within.bytes);

    /* No text has more tokens than bytes; this also keeps the product small. */
    size_t tokens_limit = source.bytes;
    if (within.values < source.bytes / TOKENS_PER_VALUE)
        tokens_limit = within.values * TOKENS_PER_VALUE;
    bool good;
    souk_err err = scan_all(doc, doc->mem ? doc->mem : souk_mem_heap(), tokens_limit, &good);
    if (err) {
        doc->tokens = 0;
        return souk_diag_say(diag, err, "there is no memory left to read the JSON text");
    }
    if (good && walk(doc, &within))
        return SOUK_OK;

    doc->tokens = doc->values = 0;
    size_t values;
    err = souk_json_explain(source, &within, &values, diag);
    /* Both opinions are tested to agree; should they not, the text is refused all the same. */
    return err ? err : souk_diag_say(diag, SOUK_ESYNTAX, "the text is not JSON");
}
