/* json.c - looks into a document that json_read.c has found good.
 *
 * Everything about a value follows from the tokens around it.  A string's text ends at the last quote
 * before the next token, since only white space can stand between; a member's value is the one with a
 * colon in front; what follows a value is a comma or the end of its container. */
#include "base/json.h"

#include "base/json_scan.h"
#include "base/utf8.h"

static const unsigned char kind_of[256] = {
    ['n'] = SOUK_JSON_NULL,   ['f'] = SOUK_JSON_FALSE,  ['t'] = SOUK_JSON_TRUE,
    ['"'] = SOUK_JSON_STRING, ['['] = SOUK_JSON_ARRAY,  ['{'] = SOUK_JSON_OBJECT,
    ['-'] = SOUK_JSON_NUMBER, ['0'] = SOUK_JSON_NUMBER, ['1'] = SOUK_JSON_NUMBER,
    ['2'] = SOUK_JSON_NUMBER, ['3'] = SOUK_JSON_NUMBER, ['4'] = SOUK_JSON_NUMBER,
    ['5'] = SOUK_JSON_NUMBER, ['6'] = SOUK_JSON_NUMBER, ['7'] = SOUK_JSON_NUMBER,
    ['8'] = SOUK_JSON_NUMBER, ['9'] = SOUK_JSON_NUMBER,
};

souk_json_node souk_json_root(const souk_json_doc *doc)
{
    return doc->tokens ? 0 : SOUK_JSON_NONE;
}

souk_json_kind souk_json_type(const souk_json_doc *doc, souk_json_node node)
{
    return node < doc->tokens ? (souk_json_kind)kind_of[doc->kinds[node]] : SOUK_JSON_MISSING;
}

/* The end of a token that is no container: behind it stands the next one, after white space. */
static size_t scalar_end(const souk_json_doc *doc, size_t node)
{
    size_t end = node + 1 < doc->tokens ? doc->offsets[node + 1] : doc->source.bytes;
    const char *text = doc->source.at;
    while (text[end - 1] == ' ' || (text[end - 1] >= '\t' && text[end - 1] <= '\r'))
        end--;
    return end;
}

/* The raw text between the quotes of the string at node. */
static inline souk_text inside_quotes(const souk_json_doc *doc, size_t node)
{
    size_t begin = (size_t)doc->offsets[node] + 1;
    return (souk_text){doc->source.at + begin, scalar_end(doc, node) - 1 - begin};
}

souk_text souk_json_raw(const souk_json_doc *doc, souk_json_node node)
{
    size_t end;
    switch (souk_json_type(doc, node)) {
    case SOUK_JSON_MISSING:
        return (souk_text){NULL, 0};
    case SOUK_JSON_ARRAY:
    case SOUK_JSON_OBJECT:
        end = (size_t)doc->offsets[doc->pairs[node]] + 1;
        break;
    default:
        end = scalar_end(doc, node);
    }
    size_t begin = doc->offsets[node];
    return (souk_text){doc->source.at + begin, end - begin};
}

static bool is_container(souk_json_kind kind)
{
    return kind >= SOUK_JSON_ARRAY;
}

souk_json_node souk_json_first(const souk_json_doc *doc, souk_json_node container)
{
    souk_json_kind kind = souk_json_type(doc, container);
    if (!is_container(kind) || doc->pairs[container] == container + 1)
        return SOUK_JSON_NONE;
    return container + (kind == SOUK_JSON_OBJECT ? 3 : 1);
}

/* Behind the value come `}`, `]`, `, value` or `, "key" : value`; and the byte behind the last token
 * is 0.  In an array no colon can stand second after the comma. */
static inline souk_json_node next_of(const souk_json_doc *doc, souk_json_node node)
{
    const unsigned char *kinds = doc->kinds;
    souk_json_node last = kinds[node] == '{' || kinds[node] == '[' ? doc->pairs[node] : node;
    if (kinds[last + 1] != ',')
        return SOUK_JSON_NONE;
    return last + (kinds[last + 3] == ':' ? 4 : 2);
}

souk_json_node souk_json_next(const souk_json_doc *doc, souk_json_node node)
{
    return node < doc->tokens ? next_of(doc, node) : SOUK_JSON_NONE;
}

size_t souk_json_count(const souk_json_doc *doc, souk_json_node container)
{
    return is_container(souk_json_type(doc, container)) ? doc->pairs[doc->pairs[container]] : 0;
}

static bool is_member(const souk_json_doc *doc, souk_json_node node)
{
    return node < doc->tokens && node >= 3 && doc->kinds[node - 1] == ':';
}

souk_text souk_json_key(const souk_json_doc *doc, souk_json_node node)
{
    return is_member(doc, node) ? inside_quotes(doc, node - 2) : (souk_text){NULL, 0};
}

/* Decodes the character or escape at *at, moves on and returns its bytes in out; the text has been
 * checked.  Bytes of longer characters pass one by one. */
static size_t decode(const char **at, char out[4])
{
    if (**at != '\\') {
        out[0] = *(*at)++;
        return 1;
    }
    char letter = (*at)[1];
    *at += 2;
    if (letter != 'u') {
        static const char plain[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
        out[0] = plain[letter & 127];
        return 1;
    }
    uint32_t code = (uint32_t)souk_json_hex4((const unsigned char *)*at);
    *at += 4;
    if ((code & 0xFC00) == 0xD800) {
        uint32_t low = (uint32_t)souk_json_hex4((const unsigned char *)*at + 2);
        code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
        *at += 6;
    }
    return souk_utf8_put(out, code);
}

static bool escaped_equal(souk_text raw, souk_text text)
{
    const char *at = raw.at, *end = raw.at + raw.bytes;
    size_t matched = 0;
    while (at < end) {
        char bytes[4];
        size_t count = decode(&at, bytes);
        if (count > text.bytes - matched || memcmp(bytes, text.at + matched, count) != 0)
            return false;
        matched += count;
    }
    return matched == text.bytes;
}

static bool has_escape(const souk_json_doc *doc, souk_text raw)
{
    return doc->escapes && raw.bytes && memchr(raw.at, '\\', raw.bytes);
}

souk_json_node souk_json_member(const souk_json_doc *doc, souk_json_node object, souk_text key)
{
    if (souk_json_type(doc, object) != SOUK_JSON_OBJECT || doc->pairs[object] == object + 1)
        return SOUK_JSON_NONE;
    souk_json_node node = object + 3;
    do {
        souk_text raw = inside_quotes(doc, node - 2);
        /* An escape is longer than what it stands for. */
        if (raw.bytes == key.bytes
                ? memcmp(raw.at, key.at ? key.at : "", key.bytes) == 0 && !has_escape(doc, raw)
                : raw.bytes > key.bytes && has_escape(doc, raw) && escaped_equal(raw, key))
            return node;
        node = next_of(doc, node);
    } while (node != SOUK_JSON_NONE);
    return SOUK_JSON_NONE;
}

static size_t find_key(const souk_json_doc *doc, souk_text raw, const souk_text *keys, size_t count)
{
    bool escaped = has_escape(doc, raw);
    for (size_t i = 0; i < count; i++)
        if (escaped ? escaped_equal(raw, keys[i])
                    : raw.bytes == keys[i].bytes && !memcmp(raw.at, keys[i].at, raw.bytes))
            return i;
    return count;
}

void souk_json_members(const souk_json_doc *doc, souk_json_node object, const souk_text *keys,
                       size_t count, souk_json_node *ret_nodes)
{
    for (size_t i = 0; i < count; i++)
        ret_nodes[i] = SOUK_JSON_NONE;
    if (souk_json_type(doc, object) != SOUK_JSON_OBJECT || doc->pairs[object] == object + 1)
        return;
    for (souk_json_node node = object + 3; node != SOUK_JSON_NONE; node = next_of(doc, node)) {
        size_t key = find_key(doc, inside_quotes(doc, node - 2), keys, count);
        if (key < count && ret_nodes[key] == SOUK_JSON_NONE)
            ret_nodes[key] = node;
    }
}

/* The text of the string token at node. */
static souk_err text_of(const souk_json_doc *doc, size_t node, souk_arena *arena,
                        souk_text *ret_text)
{
    souk_text raw = inside_quotes(doc, node);
    if (!has_escape(doc, raw)) {
        *ret_text = raw;
        return SOUK_OK;
    }
    char *copy = souk_arena_get(arena, raw.bytes);
    if (!copy || arena->failed)
        return SOUK_ENOMEM;
    size_t bytes = 0;
    for (const char *at = raw.at, *end = raw.at + raw.bytes; at < end;) {
        char decoded[4];
        size_t count = decode(&at, decoded);
        memcpy(copy + bytes, decoded, count);
        bytes += count;
    }
    *ret_text = (souk_text){copy, bytes};
    return SOUK_OK;
}

souk_err souk_json_text(const souk_json_doc *doc, souk_json_node node, souk_arena *arena,
                        souk_text *ret_text)
{
    if (souk_json_type(doc, node) != SOUK_JSON_STRING)
        return SOUK_EINVAL;
    return text_of(doc, node, arena, ret_text);
}

souk_err souk_json_key_text(const souk_json_doc *doc, souk_json_node node, souk_arena *arena,
                            souk_text *ret_key)
{
    if (!is_member(doc, node))
        return SOUK_EINVAL;
    return text_of(doc, node - 2, arena, ret_key);
}

souk_err souk_json_decimal(const souk_json_doc *doc, souk_json_node node, souk_decimal *ret_decimal,
                           bool *ret_rounded)
{
    if (souk_json_type(doc, node) != SOUK_JSON_NUMBER)
        return SOUK_EINVAL;
    return souk_decimal_read(souk_json_raw(doc, node), ret_decimal, ret_rounded);
}

souk_err souk_json_decimal_or_text(const souk_json_doc *doc, souk_json_node node,
                                   souk_decimal *ret_decimal, bool *ret_rounded)
{
    if (souk_json_type(doc, node) != SOUK_JSON_STRING)
        return souk_json_decimal(doc, node, ret_decimal, ret_rounded);
    souk_err err = souk_decimal_read(inside_quotes(doc, node), ret_decimal, ret_rounded);
    return err == SOUK_ESYNTAX ? SOUK_EINVAL : err;
}

souk_err souk_json_i64(const souk_json_doc *doc, souk_json_node node, int64_t *ret_number)
{
    if (souk_json_type(doc, node) != SOUK_JSON_NUMBER)
        return SOUK_EINVAL;
    souk_text digits = souk_json_raw(doc, node);
    bool negative = digits.at[0] == '-';
    digits.at += negative;
    digits.bytes -= negative;
    uint64_t size;
    SOUK_TRY(souk_text_to_u64(digits, &size));
    if (size > (uint64_t)INT64_MAX + negative)
        return SOUK_EOVERFLOW;
    *ret_number = negative ? (int64_t)(0 - size) : (int64_t)size;
    return SOUK_OK;
}

souk_err souk_json_bool(const souk_json_doc *doc, souk_json_node node, bool *ret_bool)
{
    souk_json_kind kind = souk_json_type(doc, node);
    if (kind != SOUK_JSON_TRUE && kind != SOUK_JSON_FALSE)
        return SOUK_EINVAL;
    *ret_bool = kind == SOUK_JSON_TRUE;
    return SOUK_OK;
}
