/* json_explain.c - the second opinion on a text: byte by byte, with words, line and column.
 *
 * Only refused texts come here, so it is written to be obvious.  The tests and the fuzzer hold it and
 * the fast reader against each other: they must refuse the same texts. */
#include "base/json_scan.h"

#include <stdio.h>

typedef struct reader {
    const unsigned char *text;
    size_t bytes, at;
    const souk_json_limits *limits;
    size_t values;
    unsigned depth;
    bool object[SOUK_JSON_DEPTH_MAX]; /* of the open containers: { and not [ */
    souk_diag *diag;
} reader;

/* The byte at hand; -1 at the end. */
static int peek(const reader *r)
{
    return r->at < r->bytes ? r->text[r->at] : -1;
}

/* Says what is wrong at r->at. */
static souk_err say(reader *r, souk_err err, const char *words)
{
    if (!r->diag)
        return err;
    if (r->diag->words[0] == '\0') {
        r->diag->line = r->diag->column = 1;
        for (size_t i = 0; i < r->at && i < r->bytes; i++) {
            if (r->text[i] == '\n') {
                r->diag->line++;
                r->diag->column = 1;
            } else if ((r->text[i] & 0xC0) != 0x80) {
                r->diag->column++;
            }
        }
    }
    return souk_diag_say(r->diag, err, "%s", words);
}

/* "a value was expected, found '}'" */
static souk_err expected(reader *r, const char *what)
{
    char words[200];
    int c = peek(r);
    if (c < 0)
        snprintf(words, sizeof words, "%s was expected, but the text ends", what);
    else if (c >= 0x20 && c < 0x7F)
        snprintf(words, sizeof words, "%s was expected, found '%c'", what, c);
    else
        snprintf(words, sizeof words, "%s was expected, found the byte 0x%02X", what, (unsigned)c);
    return say(r, SOUK_ESYNTAX, words);
}

static void skip_white(reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || peek(r) == '\r')
        r->at++;
}

static souk_err read_escape(reader *r)
{
    size_t begin = r->at++;
    int letter = peek(r);
    if (letter < 0 || !strchr("\"\\/bfnrtu", letter) || letter == 0)
        return expected(r, "one of \" \\ / b f n r t u behind a backslash");
    r->at++;
    if (letter != 'u')
        return SOUK_OK;
    for (int i = 0; i < 4; i++, r->at++) {
        int c = peek(r), low = c | 0x20;
        if (c < 0 || !((c >= '0' && c <= '9') || (low >= 'a' && low <= 'f')))
            return expected(r, "four hexadecimal digits behind \\u");
    }
    int32_t code = souk_json_hex4(r->text + begin + 2);
    if (code >= 0xDC00 && code <= 0xDFFF) {
        r->at = begin;
        return say(r, SOUK_ESYNTAX, "a low surrogate stands without a high one in front");
    }
    if (code < 0xD800 || code > 0xDBFF)
        return SOUK_OK;
    int32_t low = -1;
    if (r->bytes - r->at >= 6 && r->text[r->at] == '\\' && r->text[r->at + 1] == 'u')
        low = souk_json_hex4(r->text + r->at + 2);
    if (low < 0xDC00 || low > 0xDFFF) {
        r->at = begin;
        return say(r, SOUK_ESYNTAX, "a high surrogate stands without a low one behind");
    }
    r->at += 6;
    return SOUK_OK;
}

/* From the opening quote to behind the closing one. */
static souk_err read_string(reader *r)
{
    r->at++;
    for (;;) {
        int c = peek(r);
        if (c == '"') {
            r->at++;
            return SOUK_OK;
        }
        if (c < 0)
            return expected(r, "the closing quote of a string");
        if (c < 0x20)
            return expected(r, "an escape such as \\n instead of a control character");
        if (c == '\\') {
            SOUK_TRY(read_escape(r));
            continue;
        }
        size_t bytes = souk_json_utf8(r->text + r->at, r->bytes - r->at);
        if (bytes == 0)
            return say(r, SOUK_ESYNTAX, "the string is not UTF-8");
        r->at += bytes;
    }
}

static souk_err read_digits(reader *r)
{
    if (peek(r) < '0' || peek(r) > '9')
        return expected(r, "a digit");
    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return SOUK_OK;
}

static souk_err read_number(reader *r)
{
    if (peek(r) == '-')
        r->at++;
    if (peek(r) == '0') {
        r->at++;
        if (peek(r) >= '0' && peek(r) <= '9')
            return say(r, SOUK_ESYNTAX, "a number begins with a needless 0");
    } else {
        SOUK_TRY(read_digits(r));
    }
    if (peek(r) == '.') {
        r->at++;
        SOUK_TRY(read_digits(r));
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        if (peek(r) == '+' || peek(r) == '-')
            r->at++;
        SOUK_TRY(read_digits(r));
    }
    return SOUK_OK;
}

static souk_err read_word(reader *r, const char *word)
{
    size_t bytes = strlen(word);
    if (r->bytes - r->at < bytes || memcmp(r->text + r->at, word, bytes) != 0)
        return expected(r, "a value (a string needs quotes; true, false and null are the words)");
    r->at += bytes;
    return SOUK_OK;
}

/* A value; of a container only the opening, which *ret_opened then tells. */
static souk_err read_value(reader *r, bool *ret_opened)
{
    *ret_opened = false;
    int c = peek(r);
    if (c == '{' || c == '[') {
        if (r->depth == r->limits->depth)
            return say(r, SOUK_ETOOBIG, "the containers are nested too deep");
        *ret_opened = true;
        r->object[r->depth++] = c == '{';
    } else if (c != '"' && c != '-' && c != 't' && c != 'f' && c != 'n' && (c < '0' || c > '9')) {
        return expected(r, "a value");
    }
    if (++r->values > r->limits->values)
        return say(r, SOUK_ETOOBIG, "there are too many values");
    switch (c) {
    case '{':
    case '[':
        r->at++;
        return SOUK_OK;
    case '"':
        return read_string(r);
    case 't':
        return read_word(r, "true");
    case 'f':
        return read_word(r, "false");
    case 'n':
        return read_word(r, "null");
    default:
        return read_number(r);
    }
}

static souk_err read_key(reader *r, const char *what)
{
    skip_white(r);
    if (peek(r) != '"')
        return expected(r, what);
    SOUK_TRY(read_string(r));
    skip_white(r);
    if (peek(r) != ':')
        return expected(r, "':' behind the key");
    r->at++;
    return SOUK_OK;
}

souk_err souk_json_explain(souk_text source, const souk_json_limits *limits, size_t *ret_values,
                           souk_diag *diag)
{
    reader r = {.text = (const unsigned char *)source.at,
                .bytes = source.bytes,
                .limits = limits,
                .diag = diag};
    souk_err err = SOUK_OK;
    bool opened = false;
    skip_white(&r);
    err = read_value(&r, &opened);
    while (!err && (opened || r.depth)) {
        bool object = r.object[r.depth - 1];
        skip_white(&r);
        int c = peek(&r);
        if (c == (object ? '}' : ']')) {
            r.at++;
            r.depth--;
            opened = false;
            continue;
        }
        if (!opened && c != ',') {
            err = expected(&r, object ? "',' or '}'" : "',' or ']'");
            break;
        }
        r.at += !opened;
        if (object)
            err = read_key(&r, opened ? "a key in quotes or '}'" : "a key in quotes");
        skip_white(&r);
        if (!err)
            err = read_value(&r, &opened);
    }
    skip_white(&r);
    if (!err && r.at < r.bytes)
        err = expected(&r, "the end of the text");
    *ret_values = r.values;
    return err;
}
