/* json_write.c - the writer of json_write.h. */
#include "base/json_write.h"

#include "base/json_scan.h"

static bool in_object(const souk_json_writer *json)
{
    unsigned top = json->depth - 1;
    return json->depth && json->objects[top / 64] >> (top % 64) & 1;
}

/* Before every value: the comma, and the proof that a value may stand here. */
static void begin_value(souk_json_writer *json)
{
    if (json->depth > SOUK_JSON_DEPTH_MAX)
        return;
    if (json->has_key) {
        json->has_key = false;
        return;
    }
    souk_assert(!in_object(json));             /* a member needs its key */
    souk_assert(json->depth || !json->filled); /* a document is one value */
    if (json->filled)
        souk_buf_byte(json->out, ',');
    json->filled = true;
}

static void open_container(souk_json_writer *json, char mark, uint64_t object)
{
    begin_value(json);
    unsigned top = json->depth++;
    if (top >= SOUK_JSON_DEPTH_MAX) {
        if (!json->out->failed)
            json->out->failed = SOUK_ETOOBIG;
        return;
    }
    json->objects[top / 64] &= ~((uint64_t)1 << (top % 64));
    json->objects[top / 64] |= object << (top % 64);
    json->filled = false;
    souk_buf_byte(json->out, mark);
}

void souk_json_write_object(souk_json_writer *json)
{
    open_container(json, '{', 1);
}

void souk_json_write_array(souk_json_writer *json)
{
    open_container(json, '[', 0);
}

void souk_json_write_end(souk_json_writer *json)
{
    souk_assert(json->depth > 0);
    if (json->depth <= SOUK_JSON_DEPTH_MAX) {
        souk_assert(!json->has_key);
        souk_buf_byte(json->out, in_object(json) ? '}' : ']');
        json->filled = true;
    }
    json->depth--;
}

/* Whether all 8 bytes are ASCII from the space on and neither " nor \.  A byte with bit 7 set may
 * disturb its neighbours in the subtractions, but it refuses the 8 by itself. */
static bool all_plain(const char *at)
{
    const uint64_t ones = 0x0101010101010101, tops = ones << 7;
    uint64_t bytes = souk_get_u64(at);
    uint64_t quote = bytes ^ ones * '"', backslash = bytes ^ ones * '\\';
    return ((bytes | (bytes - ones * 0x20) | (quote - ones) | (backslash - ones)) & tops) == 0;
}

/* How many bytes one U+FFFD stands for: the longest part of a good sequence, at least 1. */
static size_t broken_bytes(const unsigned char *at, size_t left)
{
    if (left < 2 || souk_json_utf8((unsigned char[4]){at[0], at[1], 0x80, 0x80}, 4) < 3)
        return 1;
    return left > 2 && at[0] >= 0xF0 && (at[2] & 0xC0) == 0x80 ? 3 : 2;
}

static void put_escape(souk_buf *out, unsigned char c)
{
    static const char letters[] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                   ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    if (letters[c]) {
        souk_buf_append(out, (char[2]){'\\', letters[c]}, 2);
    } else {
        char code[6] = {'\\', 'u', '0', '0'};
        souk_hex(&c, 1, code + 4);
        souk_buf_append(out, code, sizeof code);
    }
}

static void put_string(souk_buf *out, souk_text text)
{
    souk_buf_byte(out, '"');
    size_t at = 0, written = 0; /* bytes in between wait to be copied as they are */
    while (at < text.bytes) {
        if (text.bytes - at >= 8 && all_plain(text.at + at)) {
            at += 8;
            continue;
        }
        const unsigned char *c = (const unsigned char *)text.at + at;
        if (*c >= 0x20 && *c < 0x80 && *c != '"' && *c != '\\') {
            at++;
            continue;
        }
        size_t bytes = *c < 0x80 ? 0 : souk_json_utf8(c, text.bytes - at);
        if (bytes) {
            at += bytes;
            continue;
        }
        souk_buf_append(out, text.at + written, at - written);
        if (*c < 0x80) {
            put_escape(out, *c);
            at++;
        } else {
            souk_buf_text(out, SOUK_TEXT("\xEF\xBF\xBD"));
            at += broken_bytes(c, text.bytes - at);
        }
        written = at;
    }
    if (at > written)
        souk_buf_append(out, text.at + written, at - written);
    souk_buf_byte(out, '"');
}

/* False beyond the deepest container: nothing is written there. */
static bool begin_key(souk_json_writer *json)
{
    if (json->depth > SOUK_JSON_DEPTH_MAX)
        return false;
    souk_assert(in_object(json) && !json->has_key);
    if (json->filled)
        souk_buf_byte(json->out, ',');
    json->filled = true;
    json->has_key = true;
    return true;
}

void souk_json_write_key(souk_json_writer *json, souk_text key)
{
    if (!begin_key(json))
        return;
    put_string(json->out, key);
    souk_buf_byte(json->out, ':');
}

void souk_json_write_raw_key(souk_json_writer *json, souk_text key)
{
    if (!begin_key(json))
        return;
    souk_buf_byte(json->out, '"');
    souk_buf_text(json->out, key);
    souk_buf_text(json->out, SOUK_TEXT("\":"));
}

void souk_json_write_text(souk_json_writer *json, souk_text text)
{
    begin_value(json);
    put_string(json->out, text);
}

/* Writes the sign and the digits of a number from the right. */
static void put_number(souk_json_writer *json, bool negative, uint64_t size)
{
    char digits[24];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + size % 10);
        size /= 10;
    } while (size);
    if (negative)
        digits[--first] = '-';
    begin_value(json);
    souk_buf_append(json->out, digits + first, sizeof digits - first);
}

void souk_json_write_i64(souk_json_writer *json, int64_t number)
{
    put_number(json, number < 0, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void souk_json_write_u64(souk_json_writer *json, uint64_t number)
{
    put_number(json, false, number);
}

void souk_json_write_raw(souk_json_writer *json, souk_text value)
{
    souk_assert(value.bytes > 0);
    begin_value(json);
    souk_buf_text(json->out, value);
}

void souk_json_write_decimal(souk_json_writer *json, souk_decimal decimal)
{
    char text[SOUK_DECIMAL_BYTES];
    size_t bytes = souk_decimal_write(decimal, text);
    souk_json_write_raw(json, (souk_text){text, bytes});
}

void souk_json_write_bool(souk_json_writer *json, bool yes)
{
    souk_json_write_raw(json, yes ? SOUK_TEXT("true") : SOUK_TEXT("false"));
}

void souk_json_write_null(souk_json_writer *json)
{
    souk_json_write_raw(json, SOUK_TEXT("null"));
}

souk_err souk_json_write_check(const souk_json_writer *json)
{
    souk_assert(json->depth == 0 && json->filled);
    return souk_buf_check(json->out);
}

void souk_json_put_time(souk_json_writer *json, const char *key, souk_time at)
{
    char text[SOUK_TIME_BYTES];
    souk_json_put_text(json, key, (souk_text){text, souk_time_write(at, text)});
}
