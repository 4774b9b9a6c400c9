/* gs1_link.c - paths of keys and qualifiers, queries of the rest. */
#include "base/gs1_link.h"

#include "base/url.h"

#include <stdio.h>

/* Digital Link URI Syntax 1.6, 4.4 to 4.9: what a path may begin with and what may follow, in this order.  Of
 * several keys the first one here begins a link that we write: the item of trade. */
static const struct key {
    uint16_t ai;
    uint16_t qualifiers[3]; /* 0 ends them */
} keys[] = {
    {1, {22, 10, 21}}, {1, {235}},     {8006, {22, 10, 21}}, {0, {0}},       {253, {0}},
    {255, {0}},        {401, {0}},     {402, {0}},           {414, {254}},   {414, {7040}},
    {415, {8020}},     {417, {7040}},  {8003, {0}},          {8004, {7040}}, {8010, {8011}},
    {8013, {0}},       {8017, {8019}}, {8018, {8019}},
};
enum { KEYS = sizeof keys / sizeof *keys, QUALIFIERS = 3, STEM_BYTES = 200 };

bool souk_gs1_link_is(souk_text text)
{
    static const souk_text schemes[] = {{"https://", 8}, {"http://", 7}};
    for (size_t i = 0; i < 2; i++) {
        if (text.bytes >= schemes[i].bytes &&
            souk_text_equal_nocase((souk_text){text.at, schemes[i].bytes}, schemes[i]))
            return true;
    }
    return false;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

/* The number of an identifier that stands alone; false: it is none. */
static bool number_of(souk_text text, unsigned *ret_number)
{
    const souk_gs1_ai *ai = souk_gs1_ai_find(text);
    uint64_t number;
    if (!ai || souk_gs1_ai_digits(ai->first) != text.bytes ||
        souk_text_to_u64(text, &number) != SOUK_OK)
        return false;
    *ret_number = (unsigned)number;
    return true;
}

static bool is_all_digits(souk_text text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    }
    return text.bytes > 0;
}

static souk_err add(souk_gs1 *gs1, unsigned ai, souk_text encoded, souk_diag *diag)
{
    char value[SOUK_GS1_TEXT + 14];
    size_t bytes;
    if (souk_url_decode(encoded, false, value + 14, &bytes) != SOUK_OK)
        return souk_diag_say(diag, SOUK_ESYNTAX,
                             "(%0*u): a '%%' without two hexadecimal digits behind it: correct "
                             "the link",
                             (int)souk_gs1_ai_digits(ai), ai);
    souk_text plain = {value + 14, bytes};
    bool is_gtin = ai == 1 || ai == 2;
    if (is_gtin && (bytes == 8 || bytes == 12 || bytes == 13)) {
        size_t zeros = 14 - bytes;
        memset(value + 14 - zeros, '0', zeros);
        plain = (souk_text){value + 14 - zeros, 14};
    }
    return souk_gs1_add(gs1, ai, plain, diag);
}

enum { SEGMENTS = 24 };
struct path {
    souk_text
        segments[SEGMENTS]; /* the last ones: keys stand behind what a web site has in front */
    size_t count;
};

static struct path path_of(souk_text text)
{
    struct path path = {.count = 0};
    while (text.bytes) {
        souk_text segment = souk_text_cut(&text, '/');
        if (path.count == SEGMENTS) {
            memmove(path.segments, path.segments + 1, sizeof path.segments - sizeof segment);
            path.count--;
        }
        path.segments[path.count++] = segment;
    }
    return path;
}

/* Do the pairs from `at` on read as a key and its qualifiers, in their order? */
static bool is_row(const struct path *path, size_t at)
{
    unsigned key, next;
    if ((path->count - at) % 2 || !number_of(path->segments[at], &key))
        return false;
    for (size_t row = 0; row < KEYS; row++) {
        size_t i = at + 2, q = 0;
        if (keys[row].ai != key)
            continue;
        while (i < path->count && number_of(path->segments[i], &next)) {
            while (q < QUALIFIERS && keys[row].qualifiers[q] != next)
                q++;
            if (q == QUALIFIERS)
                break;
            q++;
            i += 2;
        }
        if (i == path->count)
            return true;
    }
    return false;
}

static const char *old_name(const struct path *path)
{
    static const char *const names[][2] = {
        {"gtin", "01"},  {"itip", "8006"}, {"gmn", "8013"},   {"cpid", "8010"}, {"sscc", "00"},
        {"gdti", "253"}, {"gcn", "255"},   {"grai", "8003"},  {"giai", "8004"}, {"gln", "414"},
        {"gsin", "402"}, {"ginc", "401"},  {"gsrnp", "8017"}, {"gsrn", "8018"},
    };
    for (size_t i = 0; i + 1 < path->count; i++) {
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            if (souk_text_equal(path->segments[i], souk_text_of(names[k][0])))
                return names[k][1];
        }
    }
    return NULL;
}

static souk_err read_path(souk_text text, souk_gs1 *gs1, souk_diag *diag)
{
    while (text.bytes && text.at[text.bytes - 1] == '/')
        text.bytes--;
    struct path path = path_of(text);
    size_t from = path.count;
    for (size_t at = path.count; at-- > 0 && from == path.count;) {
        if (is_row(&path, at))
            from = at;
    }
    const char *old = from == path.count ? old_name(&path) : NULL;
    if (old)
        return souk_diag_say(diag, SOUK_ESYNTAX,
                             "names for numbers are gone since Digital Link 1.3: write /%s/ in "
                             "the link",
                             old);
    if (from == path.count)
        return souk_diag_say(diag, SOUK_ESYNTAX,
                             "this web address has no key of GS1 in its path, as /01/ and a GTIN: "
                             "scan the code of the product");
    for (size_t i = from; i < path.count; i += 2) {
        unsigned ai = 0;
        (void)number_of(path.segments[i], &ai);
        SOUK_TRY(add(gs1, ai, path.segments[i + 1], diag));
    }
    return SOUK_OK;
}

static souk_err read_query(souk_text query, souk_gs1 *gs1, souk_diag *diag)
{
    souk_text name, value;
    while (souk_url_next(&query, &name, &value)) {
        unsigned ai;
        if (!is_all_digits(name) || value.at == NULL)
            continue;
        if (!number_of(name, &ai))
            return souk_diag_say(diag, SOUK_ESYNTAX,
                                 "%.*s in the query is no application identifier: correct the "
                                 "link",
                                 (int)souk_min_size(name.bytes, 12), name.at);
        SOUK_TRY(add(gs1, ai, value, diag));
    }
    return SOUK_OK;
}

souk_err souk_gs1_link_read(souk_text url, souk_gs1 *ret_gs1, souk_diag *diag)
{
    souk_gs1 gs1;
    gs1.count = gs1.room_bytes = 0;
    souk_gs1_strip(&url);
    if (url.bytes > SOUK_GS1_TEXT)
        return souk_diag_say(diag, SOUK_ETOOBIG, "more than %d characters: use a shorter link",
                             SOUK_GS1_TEXT);
    if (!souk_gs1_link_is(url))
        return souk_diag_say(diag, SOUK_ESYNTAX,
                             "a link begins with https:// or http://: scan the code again");
    souk_text rest = souk_text_cut(&url, '#'), query;
    url = rest;
    rest = souk_text_cut(&url, '?');
    query = url;
    souk_text_cut(&rest, '/'); /* "https:" */
    souk_text_cut(&rest, '/');
    souk_text domain = souk_text_cut(&rest, '/');
    if (domain.bytes == 0)
        return souk_diag_say(diag, SOUK_ESYNTAX, "the link has no domain: scan the code again");
    SOUK_TRY(read_path(rest, &gs1, diag));
    SOUK_TRY(read_query(query, &gs1, diag));
    *ret_gs1 = gs1;
    return SOUK_OK;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

/* RFC 3986 2.3: unreserved characters stand for themselves. */
static size_t put_encoded(souk_text value, char *to)
{
    size_t bytes = 0;
    for (size_t i = 0; i < value.bytes; i++) {
        unsigned char c = (unsigned char)value.at[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c && strchr("-._~", c));
        if (plain)
            to[bytes++] = (char)c;
        else
            bytes += (size_t)snprintf(to + bytes, 4, "%%%02X", c);
    }
    return bytes;
}

struct writer {
    const souk_gs1 *gs1;
    bool written[SOUK_GS1_FIELDS];
    char *out;
    size_t bytes;
};

static void put_field(struct writer *writer, size_t index, const char *before, char between)
{
    unsigned number = writer->gs1->fields[index].ai;
    writer->bytes += (size_t)snprintf(writer->out + writer->bytes, 16, "%s%0*u%c", before,
                                      (int)souk_gs1_ai_digits(number), number, between);
    writer->bytes += put_encoded(souk_gs1_value(writer->gs1, index), writer->out + writer->bytes);
    writer->written[index] = true;
}

/* The row whose qualifiers are there, else the first row of the key. */
static const struct key *row_of(const souk_gs1 *gs1)
{
    const struct key *best = NULL;
    size_t best_count = 0;
    for (size_t i = 0; i < KEYS; i++) {
        size_t count = 0;
        if (souk_gs1_find(gs1, keys[i].ai).at == NULL || (best && best->ai != keys[i].ai))
            continue;
        for (size_t q = 0; q < QUALIFIERS && keys[i].qualifiers[q]; q++)
            count += souk_gs1_find(gs1, keys[i].qualifiers[q]).at != NULL;
        if (!best || count > best_count) {
            best = &keys[i];
            best_count = count;
        }
    }
    return best;
}

/* The field of the query with the lowest number, as text, that is not written yet. */
static size_t next_field(const struct writer *writer)
{
    size_t best = SIZE_MAX;
    char best_name[8] = "", name[8];
    for (size_t i = 0; i < writer->gs1->count; i++) {
        unsigned number = writer->gs1->fields[i].ai;
        snprintf(name, sizeof name, "%0*u", (int)souk_gs1_ai_digits(number), number & 0x3fffu);
        if (writer->written[i] || (best != SIZE_MAX && strcmp(name, best_name) > 0))
            continue;
        best = i;
        memcpy(best_name, name, sizeof name);
    }
    return best;
}

static bool is_stem(souk_text stem)
{
    if (!souk_gs1_link_is(stem) || stem.bytes > STEM_BYTES)
        return false;
    souk_text rest = stem;
    souk_text_cut(&rest, '/');
    souk_text_cut(&rest, '/');
    if (rest.bytes == 0 || rest.at[0] == '/')
        return false;
    for (size_t i = 0; i < stem.bytes; i++) {
        if (stem.at[i] <= ' ' || stem.at[i] > '~' || strchr("?#\"<>\\^`{|}%", stem.at[i]))
            return false;
    }
    return true;
}

souk_err souk_gs1_link_write(const souk_gs1 *gs1, souk_text stem, char out[SOUK_GS1_BYTES],
                             size_t *ret_bytes, souk_diag *diag)
{
    struct writer writer = {.gs1 = gs1, .out = out};
    const struct key *row = row_of(gs1);
    if (stem.bytes == 0)
        stem = SOUK_TEXT("https://id.gs1.org");
    if (!is_stem(stem))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "a link begins with scheme and domain, as https://id.gs1.org, in at "
                             "most %d characters: correct it",
                             STEM_BYTES);
    if (!row)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "a link needs a key such as (01): add the number of the item");
    while (stem.at[stem.bytes - 1] == '/')
        stem.bytes--;
    memcpy(out, stem.at, stem.bytes);
    writer.bytes = stem.bytes;
    put_field(&writer, souk_gs1_find_range(gs1, row->ai, row->ai), "/", '/');
    for (size_t q = 0; q < QUALIFIERS && row->qualifiers[q]; q++) {
        size_t index = souk_gs1_find_range(gs1, row->qualifiers[q], row->qualifiers[q]);
        if (index != SIZE_MAX)
            put_field(&writer, index, "/", '/');
    }
    const char *before = "?";
    for (size_t i; (i = next_field(&writer)) != SIZE_MAX; before = "&") {
        unsigned number = gs1->fields[i].ai;
        if (souk_gs1_ai_of(number)->not_in_query)
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "(%0*u) has no place in this link: leave it out",
                                 (int)souk_gs1_ai_digits(number), number);
        put_field(&writer, i, before, '=');
    }
    out[writer.bytes] = '\0';
    *ret_bytes = writer.bytes;
    return SOUK_OK;
}
