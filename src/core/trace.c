/* trace.c - a tolerant walk over JSON for trace.h: whatever comes, it ends, and every string is looked at.
 *
 *     {"userId":"u-17","context":{"device":{"id":7}},"note":"ask \u0075-17"}
 *       name    value      name      name   name=id under device     value
 *
 * A whole reader would refuse a text that was cut; this one keeps only the member name of each depth. */
#include "core/trace.h"

#include "base/utf8.h"

enum { TRACE_DEPTH = 40, TRACE_NAME = 24, DISTINCT_BYTES = 6, LONG_BYTES = 16, PHONE_DIGITS = 7 };

struct walk {
    souk_text text;
    size_t at;
    souk_buf *room; /* the string in hand, decoded; behind it, with %XX undone, once more */
    const souk_identifier *ids;
    size_t count, depth;
    char names[TRACE_DEPTH][TRACE_NAME]; /* the member in hand of each depth; "": none, or longer */
    bool found;
};

/* ---- an identifier in a text ------------------------------------------------------------------------- */

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_word(char byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (unsigned char)byte >= 0x80;
}

/* Does the identifier end (or begin) here?  A mark binds only where it joins: "u-17-b", but "u-17." */
static bool is_edge(souk_text text, size_t at, size_t beyond)
{
    if (at >= text.bytes) /* before the first byte, too: it wraps */
        return true;
    if (is_word(text.at[at]))
        return false;
    bool joins = memchr("-_.+@", text.at[at], 5) != NULL;
    return !joins || beyond >= text.bytes || !is_word(text.at[beyond]);
}

static bool holds_bytes(souk_text text, souk_text id, bool any_case)
{
    for (size_t at = 0; at + id.bytes <= text.bytes; at++) {
        if ((text.at[at] | 0x20) != (id.at[0] | 0x20)) /* near enough for nearly all */
            continue;
        souk_text here = {text.at + at, id.bytes};
        size_t end = at + id.bytes;
        if ((any_case ? souk_text_equal_nocase(here, id) : souk_text_equal(here, id)) &&
            is_edge(text, at - 1, at - 2) && is_edge(text, end, end + 1))
            return true;
    }
    return false;
}

/* The bytes of the text that spell the phone from `at` on, separators and all; 0: it does not. */
static size_t phone_bytes(souk_text text, size_t at, souk_text id)
{
    size_t from = at, told = 0;
    if (id.at[0] == '+' && at + 1 < text.bytes && !memcmp(text.at + at, "00", 2)) {
        at += 2;
        told = 1;
    }
    for (; at < text.bytes && told < id.bytes; at++) {
        if (text.at[at] == id.at[told])
            told++;
        else if (at == from || !memchr(" .-()/", text.at[at], 6))
            return 0;
    }
    return told == id.bytes ? at - from : 0;
}

static bool holds_phone(souk_text text, souk_text id)
{
    for (size_t at = 0; at < text.bytes; at++) {
        size_t bytes = phone_bytes(text, at, id);
        bool whole = bytes && (at == 0 || !is_digit(text.at[at - 1])) &&
                     (at + bytes == text.bytes || !is_digit(text.at[at + bytes]));
        if (whole)
            return true;
    }
    return false;
}

static bool is_distinct(const souk_identifier *id)
{
    size_t digits = 0;
    for (size_t i = 0; i < id->value.bytes; i++)
        digits += is_digit(id->value.at[i]);
    if (id->kind == SOUK_ID_EMAIL)
        return memchr(id->value.at, '@', id->value.bytes) != NULL;
    if (id->kind == SOUK_ID_PHONE)
        return digits >= PHONE_DIGITS;
    return id->value.bytes >= LONG_BYTES ||
           (id->value.bytes >= DISTINCT_BYTES && digits > 0 && digits < id->value.bytes);
}

static bool holds(souk_text text, const souk_identifier *id)
{
    if (id->value.bytes == 0 || !is_distinct(id))
        return false;
    return id->kind == SOUK_ID_PHONE ? holds_phone(text, id->value)
                                     : holds_bytes(text, id->value, id->kind == SOUK_ID_EMAIL);
}

/* ---- a member that says whose the event is ------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *words)
{
    while (*words && !souk_text_equal_nocase(souk_text_of(name), souk_text_of(*words)))
        words++;
    return *words != NULL;
}

static bool names_a_person(const struct walk *walk)
{
    static const char *const names[] = {"userId",      "user_id",     "anonymousId", "anonymous_id",
                                        "previousId",  "previous_id", "customerId",  "deviceId",
                                        "device_id",   "customer_id", "openId",      "open_id",
                                        "phoneNumber", "phone",       "mobile",      "email",
                                        "e-mail",      "card",        "cardNumber",  "memberId",
                                        "member_id",   NULL};
    static const char *const holders[] = {"device", "user",  "customer", "member",
                                          "traits", "phone", "card",     NULL};
    if (walk->depth >= TRACE_DEPTH)
        return false;
    const char *name = walk->names[walk->depth];
    return is_one_of(name, names) ||
           (souk_text_equal_nocase(souk_text_of(name), SOUK_TEXT("id")) && walk->depth &&
            is_one_of(walk->names[walk->depth - 1], holders));
}

static bool equals(souk_text value, const souk_identifier *id)
{
    char room[SOUK_ID_BYTES];
    souk_text normal;
    return souk_id_normalise(id->kind, value, room, &normal) == SOUK_OK &&
           souk_text_equal(normal, id->value);
}

static bool is_held(const struct walk *walk, souk_text text)
{
    for (size_t i = 0; i < walk->count; i++)
        if (holds(text, &walk->ids[i]))
            return true;
    return false;
}

static void look_at_value(struct walk *walk, souk_text value)
{
    bool theirs = names_a_person(walk);
    for (size_t i = 0; i < walk->count && theirs; i++)
        walk->found |= equals(value, &walk->ids[i]);
}

/* ---- strings --------------------------------------------------------------------------------------------- */

/* The value of so many hexadecimal digits, or -1. */
static int32_t hex_at(souk_text text, size_t at, size_t digits)
{
    int32_t value = 0;
    if (at + digits > text.bytes)
        return -1;
    for (size_t i = at; i < at + digits; i++) {
        char low = (char)(text.at[i] | 0x20);
        bool letter = low >= 'a' && low <= 'f';
        if (!letter && !is_digit(text.at[i]))
            return -1;
        value = value * 16 + (letter ? low - 'a' + 10 : text.at[i] - '0');
    }
    return value;
}

/* RFC 8259 7: \uXXXX, and two of them for what lies above U+FFFF. */
static void put_code_point(struct walk *walk)
{
    int32_t high = hex_at(walk->text, walk->at + 1, 4), low = -1;
    char bytes[4];
    if (high < 0) {
        souk_buf_byte(walk->room, 'u');
        return;
    }
    walk->at += 4;
    bool pair = high >= 0xd800 && high < 0xdc00 && walk->at + 2 < walk->text.bytes &&
                !memcmp(walk->text.at + walk->at + 1, "\\u", 2);
    if (pair)
        low = hex_at(walk->text, walk->at + 3, 4);
    if (low >= 0xdc00 && low < 0xe000) {
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        walk->at += 6;
    }
    souk_buf_append(walk->room, bytes, souk_utf8_put(bytes, (uint32_t)high));
}

static void put_escape(struct walk *walk)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char byte = walk->text.at[walk->at];
    const char *known = memchr(from, byte, sizeof from - 1);
    if (byte == 'u')
        put_code_point(walk);
    else
        souk_buf_byte(walk->room, known ? to[known - from] : byte);
}

/* The string that begins here, decoded into the room; one that was cut off ends with the text. */
static souk_text read_string(struct walk *walk)
{
    souk_buf_clear(walk->room);
    for (walk->at++; walk->at < walk->text.bytes && walk->text.at[walk->at] != '"'; walk->at++) {
        if (walk->text.at[walk->at] == '\\' && walk->at + 1 < walk->text.bytes) {
            walk->at++;
            put_escape(walk);
        } else {
            souk_buf_byte(walk->room, walk->text.at[walk->at]);
        }
    }
    walk->at += walk->at < walk->text.bytes;
    return souk_buf_view(walk->room);
}

/* "?mail=anna%40example.com", as an address means it (RFC 3986 2.1). */
static void look_at_escaped(struct walk *walk)
{
    souk_text value = souk_buf_view(walk->room);
    if (value.bytes == 0 || !memchr(value.at, '%', value.bytes))
        return;
    size_t plain = value.bytes;
    char *room = souk_buf_room(walk->room, plain);
    if (!room)
        return;
    value = (souk_text){walk->room->at, plain};
    size_t bytes = 0;
    for (size_t i = 0; i < plain; i++) {
        int32_t byte = value.at[i] == '%' ? hex_at(value, i + 1, 2) : -1;
        room[bytes++] = byte < 0 ? value.at[i] : (char)byte;
        i += byte < 0 ? 0 : 2;
    }
    walk->found |= is_held(walk, (souk_text){room, bytes});
}

/* ---- the walk ---------------------------------------------------------------------------------------------- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void take_name(struct walk *walk, souk_text name)
{
    if (walk->depth >= TRACE_DEPTH)
        return;
    char *kept = walk->names[walk->depth];
    bool fits = name.bytes < TRACE_NAME;
    if (fits && name.bytes)
        memcpy(kept, name.at, name.bytes);
    kept[fits ? name.bytes : 0] = '\0';
}

static void walk_string(struct walk *walk)
{
    souk_text value = read_string(walk);
    walk->found |= is_held(walk, value);
    while (walk->at < walk->text.bytes && is_space(walk->text.at[walk->at]))
        walk->at++;
    if (walk->at < walk->text.bytes && walk->text.at[walk->at] == ':')
        take_name(walk, value);
    else
        look_at_value(walk, value);
    look_at_escaped(walk);
}

/* Members of an array stand under its own name. */
static void walk_in(struct walk *walk, bool is_array)
{
    walk->depth++;
    if (walk->depth >= TRACE_DEPTH)
        return;
    if (is_array)
        memcpy(walk->names[walk->depth], walk->names[walk->depth - 1], TRACE_NAME);
    else
        walk->names[walk->depth][0] = '\0';
}

static void walk_bare(struct walk *walk)
{
    size_t from = walk->at;
    while (walk->at < walk->text.bytes && !is_space(walk->text.at[walk->at]) &&
           !memchr(",:{}[]\"", walk->text.at[walk->at], 7))
        walk->at++;
    look_at_value(walk, (souk_text){walk->text.at + from, walk->at - from});
}

souk_err souk_trace_find(souk_buf *room, souk_text text, const souk_identifier *ids, size_t count,
                         bool *ret_found)
{
    struct walk walk = {.text = text, .room = room, .ids = ids, .count = count};
    walk.found = is_held(&walk, text); /* what is no JSON has its words all the same */
    while (walk.at < text.bytes && !walk.found && count) {
        char byte = text.at[walk.at];
        if (byte == '"') {
            walk_string(&walk);
            SOUK_TRY(souk_buf_check(room));
        } else if (byte == '{' || byte == '[') {
            walk_in(&walk, byte == '[');
            walk.at++;
        } else if (byte == '}' || byte == ']') {
            walk.depth -= walk.depth > 0;
            walk.at++;
        } else if (byte == ',' || byte == ':' || is_space(byte)) {
            walk.at++;
        } else {
            walk_bare(&walk);
        }
    }
    *ret_found = walk.found;
    return SOUK_OK;
}
