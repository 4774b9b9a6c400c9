/* toml.c - the reader of toml.h: line by line, because no value goes over several.
 *
 * Keys and tables stand in one array sorted by path, where each new one finds what it clashes with:
 *
 *     [store.door]     adds "store" (implied) and "store.door" (a table)
 *     [store]          makes the implied one a table; a second [store] is refused
 *     door = 1         is refused: "store.door" is there */
#include "base/toml.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum { NUMBER_BYTES = 64 }; /* as written, underscores and all */

typedef enum role { ROLE_VALUE, ROLE_TABLE, ROLE_IMPLIED } role;

typedef struct entry {
    souk_toml_value value; /* of a table only path and line mean something */
    role role;
    bool read;
} entry;

struct souk_toml {
    souk_mem *mem;
    souk_arena arena; /* paths and texts */
    entry *entries;   /* sorted by path; only values once the file is read */
    size_t count, capacity;
};

typedef struct reader {
    souk_toml *toml;
    souk_diag *diag;
    souk_text line; /* at hand, without its end */
    uint64_t line_number;
    const char *at, *end; /* the rest of the line */
    char table[SOUK_TOML_PATH_BYTES + 1];
    size_t table_bytes; /* with the point behind it; 0: the top */
} reader;

/* In characters, from 1. */
static uint64_t column_of(const reader *r, const char *at)
{
    uint64_t column = 1;
    for (const char *before = r->line.at; before < at; before++)
        column += ((unsigned char)*before & 0xC0) != 0x80;
    return column;
}

static souk_err refuse_at(reader *r, const char *at, souk_err err, const char *format, ...)
    SOUK_PRINTF(4, 5);
static souk_err refuse_at(reader *r, const char *at, souk_err err, const char *format, ...)
{
    if (!r->diag || r->diag->words[0])
        return err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->diag->words, sizeof r->diag->words, format, arguments);
    va_end(arguments);
    r->diag->line = r->line_number;
    r->diag->column = column_of(r, at);
    return err;
}
#define refuse(r, ...) refuse_at(r, (r)->at, SOUK_ESYNTAX, __VA_ARGS__)

/* ---- the sorted array ---- */

/* Where the path stands or would stand. */
static size_t place_of(const souk_toml *toml, souk_text path, bool *ret_there)
{
    size_t low = 0, high = toml->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (souk_text_compare(toml->entries[middle].value.path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_there = low < toml->count && souk_text_equal(toml->entries[low].value.path, path);
    return low;
}

/* Puts a new entry at its place; the path is copied. */
static souk_err insert(reader *r, size_t place, role what, souk_toml_value value)
{
    souk_toml *toml = r->toml;
    souk_err err = souk_mem_grow(toml->mem, &toml->entries, &toml->capacity, toml->count + 1,
                                 SOUK_TOML_KEYS, sizeof *toml->entries);
    if (err == SOUK_ETOOBIG)
        return refuse_at(r, r->at, err, "there are more than %d keys and tables", SOUK_TOML_KEYS);
    if (err)
        return err;
    value.path.at = souk_text_in(&toml->arena, value.path);
    if (toml->arena.failed)
        return SOUK_ENOMEM;
    value.line = r->line_number;
    entry *at = toml->entries + place;
    memmove(at + 1, at, (toml->count - place) * sizeof *at);
    *at = (entry){.value = value, .role = what};
    toml->count++;
    return SOUK_OK;
}

/* ---- keys and tables ---- */

static void skip_space(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t'))
        r->at++;
}

static bool is_key_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* Takes a bare key and writes it behind the first *bytes of path. */
static souk_err take_key(reader *r, char *path, size_t *bytes)
{
    const char *from = r->at;
    if (from < r->end && (*from == '"' || *from == '\''))
        return refuse(r, "a key in quotes is not read here: use letters, digits, _ and -");
    while (r->at < r->end && is_key_byte(*r->at))
        r->at++;
    size_t key_bytes = (size_t)(r->at - from);
    if (key_bytes == 0)
        return refuse(r, "a key is missing: letters, digits, _ and -");
    if (key_bytes > SOUK_TOML_PATH_BYTES - *bytes)
        return refuse_at(r, from, SOUK_ETOOBIG, "the name is longer than %d bytes",
                         SOUK_TOML_PATH_BYTES);
    memcpy(path + *bytes, from, key_bytes);
    *bytes += key_bytes;
    return SOUK_OK;
}

/* Enters the table of this path, or notes that it is implied by one below it. */
static souk_err enter(reader *r, souk_text path, bool implied)
{
    bool there;
    size_t place = place_of(r->toml, path, &there);
    if (!there)
        return insert(r, place, implied ? ROLE_IMPLIED : ROLE_TABLE,
                      (souk_toml_value){.path = path});
    entry *old = &r->toml->entries[place];
    if (old->role == ROLE_VALUE)
        return refuse(r, "%.*s is a value since line %llu, not a table", SOUK_TEXT_PRINT(path),
                      (unsigned long long)old->value.line);
    if (implied)
        return SOUK_OK;
    if (old->role == ROLE_TABLE)
        return refuse(r, "the table [%.*s] is there already, in line %llu", SOUK_TEXT_PRINT(path),
                      (unsigned long long)old->value.line);
    old->role = ROLE_TABLE;
    old->value.line = r->line_number;
    return SOUK_OK;
}

static souk_err expect_end(reader *r, const char *behind)
{
    skip_space(r);
    if (r->at < r->end && *r->at != '#')
        return refuse(r, "text follows %s", behind);
    return SOUK_OK;
}

/* "[store.door]"; spaces may stand around the names. */
static souk_err read_table(reader *r)
{
    const char *from = r->at++;
    if (r->at < r->end && *r->at == '[')
        return refuse_at(r, from, SOUK_ESYNTAX, "lists of tables, [[...]], are not read here");
    r->table_bytes = 0;
    for (;;) {
        skip_space(r);
        SOUK_TRY(take_key(r, r->table, &r->table_bytes));
        skip_space(r);
        bool more = r->at < r->end && *r->at == '.';
        if (!more && (r->at == r->end || *r->at != ']'))
            return refuse(r, "the table's name does not end with ]");
        SOUK_TRY(enter(r, (souk_text){r->table, r->table_bytes}, more));
        r->at++;
        if (r->table_bytes == SOUK_TOML_PATH_BYTES)
            return refuse_at(r, from, SOUK_ETOOBIG, "the name is longer than %d bytes",
                             SOUK_TOML_PATH_BYTES - 1);
        r->table[r->table_bytes++] = '.';
        if (!more)
            return expect_end(r, "the table's name");
    }
}

/* ---- values ---- */

/* The code point of \uXXXX or \UXXXXXXXX, whose letter has been taken. */
static souk_err take_code_point(reader *r, size_t digits, char **to)
{
    unsigned char bytes[4] = {0};
    const char *from = r->at - 2;
    if ((size_t)(r->end - r->at) < digits ||
        !souk_unhex((souk_text){r->at, digits}, bytes + 4 - digits / 2, digits / 2))
        return refuse_at(r, from, SOUK_ESYNTAX, "\\%c needs %zu hexadecimal digits", r->at[-1],
                         digits);
    uint32_t code = __builtin_bswap32(souk_get_u32(bytes));
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return refuse_at(r, from, SOUK_ESYNTAX, "there is no character U+%04X", (unsigned)code);
    r->at += digits;
    *to += souk_utf8_put(*to, code);
    return SOUK_OK;
}

/* What stands behind a backslash; no escape is shorter than what it means. */
static souk_err take_escape(reader *r, char **to)
{
    static const char letters[] = "btnfr\"\\", meant[] = "\b\t\n\f\r\"\\";
    char c = r->at < r->end ? *r->at : '\0';
    if (c == 'u' || c == 'U') {
        r->at++;
        return take_code_point(r, c == 'u' ? 4 : 8, to);
    }
    const char *known = c ? strchr(letters, c) : NULL;
    if (!known)
        return refuse_at(r, r->at - 1, SOUK_ESYNTAX,
                         "this escape is not known: for a plain backslash write \\\\ or use '...'");
    *(*to)++ = meant[known - letters];
    r->at++;
    return SOUK_OK;
}

static souk_err read_text(reader *r, souk_toml_value *ret_value)
{
    const char *from = r->at, mark = *r->at;
    if (r->end - r->at >= 3 && r->at[1] == mark && r->at[2] == mark)
        return refuse(r, "texts over several lines are not read here");
    r->at++;
    char *text = souk_arena_get(&r->toml->arena, (size_t)(r->end - r->at) + 1);
    if (r->toml->arena.failed)
        return SOUK_ENOMEM;
    char *to = text;
    for (;;) {
        if (r->at == r->end)
            return refuse_at(r, from, SOUK_ESYNTAX, "the text does not end in its line");
        char c = *r->at++;
        if (c == mark)
            break;
        if (c == '\\' && mark == '"')
            SOUK_TRY(take_escape(r, &to));
        else
            *to++ = c;
    }
    ret_value->kind = SOUK_TOML_TEXT;
    ret_value->text = souk_text_range(text, to);
    return SOUK_OK;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number without '+' and underscores, each of which stands between digits; false where not. */
static bool plain_number(souk_text word, char room[NUMBER_BYTES], souk_text *ret_plain)
{
    size_t bytes = 0;
    for (size_t i = word.at[0] == '+'; i < word.bytes; i++) {
        if (word.at[i] == '_') {
            if (i == 0 || i + 1 == word.bytes || !is_digit(word.at[i - 1]) ||
                !is_digit(word.at[i + 1]))
                return false;
            continue;
        }
        room[bytes++] = word.at[i];
    }
    *ret_plain = (souk_text){room, bytes};
    return true;
}

static souk_err read_integer(souk_text plain, int64_t *ret_number)
{
    bool negative = plain.at[0] == '-';
    uint64_t magnitude;
    SOUK_TRY(
        souk_text_to_u64((souk_text){plain.at + negative, plain.bytes - negative}, &magnitude));
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return SOUK_EOVERFLOW;
    *ret_number = (int64_t)(negative ? 0 - magnitude : magnitude);
    return SOUK_OK;
}

static souk_err refuse_number(reader *r, souk_text word, const char *from)
{
    bool date = word.bytes > 4 && (memchr(word.at + 1, ':', word.bytes - 1) ||
                                   (is_digit(word.at[3]) && word.at[4] == '-'));
    bool base = word.bytes > 1 && word.at[0] == '0' && strchr("xob", word.at[1]);
    return refuse_at(r, from, SOUK_ESYNTAX, "%s",
                     date   ? "dates and times are not read here: put them in quotes"
                     : base ? "numbers to other bases than ten are not read here"
                            : "this is no number: 12, 1_000, -0.5 and 1e3 are, 01 and .5 are not");
}

static souk_err read_number(reader *r, souk_text word, souk_toml_value *ret_value)
{
    char room[NUMBER_BYTES];
    souk_text plain;
    const char *from = word.at;
    souk_decimal decimal;
    bool rounded = false;
    if (word.bytes > NUMBER_BYTES)
        return refuse_at(r, from, SOUK_ETOOBIG, "the number is longer than %d characters",
                         NUMBER_BYTES);
    if (!plain_number(word, room, &plain) || plain.bytes == 0)
        return refuse_number(r, word, from);
    /* The grammar of decimals is that of integers too. */
    souk_err err = souk_decimal_read(plain, &decimal, &rounded);
    if (err == SOUK_ESYNTAX || (word.at[0] == '+' && plain.at[0] == '-'))
        return refuse_number(r, word, from);
    bool integer = !memchr(plain.at, '.', plain.bytes) && !memchr(plain.at, 'e', plain.bytes) &&
                   !memchr(plain.at, 'E', plain.bytes);
    if (integer) {
        ret_value->kind = SOUK_TOML_INT;
        err = read_integer(plain, &ret_value->number);
    } else {
        ret_value->kind = SOUK_TOML_DECIMAL;
        ret_value->decimal = decimal;
    }
    if (err)
        return refuse_at(r, from, err, "the number does not fit");
    if (rounded)
        return refuse_at(r, from, SOUK_ESYNTAX, "the number has more than six decimals");
    return SOUK_OK;
}

static souk_err read_value(reader *r, souk_toml_value *ret_value)
{
    char c = r->at < r->end ? *r->at : '\0';
    if (c == '"' || c == '\'')
        return read_text(r, ret_value);
    if (c == '[')
        return refuse(r, "lists are not read here");
    if (c == '{')
        return refuse(r, "tables in one line are not read here: write [table] above the keys");
    const char *from = r->at;
    while (r->at < r->end && (is_key_byte(*r->at) || strchr("+.:", *r->at)))
        r->at++;
    souk_text word = souk_text_range(from, r->at);
    bool yes = souk_text_equal(word, SOUK_TEXT("true"));
    if (yes || souk_text_equal(word, SOUK_TEXT("false"))) {
        ret_value->kind = SOUK_TOML_BOOL;
        ret_value->yes = yes;
        return SOUK_OK;
    }
    if (word.bytes && (is_digit(*from) || *from == '-' || *from == '+' || *from == '.'))
        return read_number(r, word, ret_value);
    return refuse_at(r, from, SOUK_ESYNTAX,
                     word.bytes ? "this is no value: a text stands in quotes"
                                : "a value is missing");
}

/* "tills = 12" */
static souk_err read_pair(reader *r)
{
    char path[SOUK_TOML_PATH_BYTES];
    size_t bytes = r->table_bytes;
    memcpy(path, r->table, bytes);
    const char *from = r->at;
    SOUK_TRY(take_key(r, path, &bytes));
    skip_space(r);
    if (r->at < r->end && *r->at == '.')
        return refuse(r, "a key with points is not read here: write [table] above it");
    if (r->at == r->end || *r->at != '=')
        return refuse(r, "behind a key stands =");
    souk_toml_value value = {.path = {path, bytes}, .key_column = column_of(r, from)};
    bool there;
    size_t place = place_of(r->toml, value.path, &there);
    if (there)
        return refuse_at(r, from, SOUK_ESYNTAX, "%.*s is there already, in line %llu",
                         SOUK_TEXT_PRINT(value.path),
                         (unsigned long long)r->toml->entries[place].value.line);
    r->at++;
    skip_space(r);
    value.column = column_of(r, r->at);
    SOUK_TRY(read_value(r, &value));
    SOUK_TRY(expect_end(r, "the value"));
    return insert(r, place, ROLE_VALUE, value);
}

/* ---- the file ---- */

/* Controls and broken UTF-8 are refused everywhere, in comments too. */
static souk_err check_characters(reader *r)
{
    bool utf8 = souk_utf8_valid(r->line);
    for (r->at = r->line.at; r->at < r->end; r->at++) {
        unsigned char c = (unsigned char)*r->at;
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return refuse(r, "a control character, U+%04X, stands here", (unsigned)c);
    }
    r->at = r->line.at;
    return utf8 ? SOUK_OK : refuse(r, "this line is not UTF-8");
}

static souk_err read_line(reader *r)
{
    r->end = r->line.at + r->line.bytes;
    SOUK_TRY(check_characters(r));
    skip_space(r);
    if (r->at == r->end || *r->at == '#')
        return SOUK_OK;
    return *r->at == '[' ? read_table(r) : read_pair(r);
}

static void drop_tables(souk_toml *toml)
{
    size_t kept = 0;
    for (size_t i = 0; i < toml->count; i++)
        if (toml->entries[i].role == ROLE_VALUE)
            toml->entries[kept++] = toml->entries[i];
    toml->count = kept;
}

souk_err souk_toml_read(souk_mem *mem, souk_text bytes, souk_toml **ret_toml, souk_diag *diag)
{
    if (bytes.bytes > SOUK_TOML_FILE_BYTES)
        return souk_diag_say(diag, SOUK_ETOOBIG, "the file is larger than %d bytes",
                             SOUK_TOML_FILE_BYTES);
    souk_auto(souk_toml) toml = souk_mem_get(mem, sizeof *toml);
    if (!toml)
        return SOUK_ENOMEM;
    toml->mem = mem;
    toml->arena = (souk_arena){.mem = mem};
    reader r = {.toml = toml, .diag = diag};
    if (souk_text_starts(bytes, SOUK_TEXT("\xEF\xBB\xBF"))) /* editors put a mark there */
        bytes = (souk_text){bytes.at + 3, bytes.bytes - 3};
    while (bytes.bytes) {
        r.line = souk_text_cut(&bytes, '\n');
        r.line_number++;
        bool ended = bytes.at != NULL; /* TOML knows a CR in front of an LF only */
        if (ended && r.line.bytes && r.line.at[r.line.bytes - 1] == '\r')
            r.line.bytes--;
        SOUK_TRY(read_line(&r));
    }
    drop_tables(toml);
    *ret_toml = souk_take(&toml);
    return SOUK_OK;
}

void souk_toml_free(souk_toml *toml)
{
    if (!toml)
        return;
    souk_arena_done(&toml->arena);
    souk_mem_put(toml->mem, toml->entries);
    souk_mem_put(toml->mem, toml);
}

/* ---- getters ---- */

static entry *find(souk_toml *toml, const char *path)
{
    bool there;
    size_t place = place_of(toml, souk_text_of(path), &there);
    if (!there)
        return NULL;
    toml->entries[place].read = true;
    return &toml->entries[place];
}

static souk_err unfit(const entry *found, souk_diag *diag, const char *must_be)
{
    if (diag && !diag->words[0]) {
        diag->line = found->value.line;
        diag->column = found->value.column;
    }
    return souk_diag_say(diag, SOUK_EINVAL, "%.*s must be %s", SOUK_TEXT_PRINT(found->value.path),
                         must_be);
}

souk_err souk_toml_text(souk_toml *toml, const char *path, souk_text *ret_value, souk_diag *diag)
{
    const entry *found = find(toml, path);
    if (!found)
        return SOUK_OK;
    if (found->value.kind != SOUK_TOML_TEXT)
        return unfit(found, diag, "a text in quotes");
    *ret_value = found->value.text;
    return SOUK_OK;
}

souk_err souk_toml_int(souk_toml *toml, const char *path, int64_t least, int64_t most,
                       int64_t *ret_value, souk_diag *diag)
{
    const entry *found = find(toml, path);
    if (!found)
        return SOUK_OK;
    int64_t number = found->value.number;
    if (found->value.kind != SOUK_TOML_INT || number < least || number > most) {
        char must_be[100];
        snprintf(must_be, sizeof must_be, "an integer from %lld to %lld", (long long)least,
                 (long long)most);
        return unfit(found, diag, must_be);
    }
    *ret_value = number;
    return SOUK_OK;
}

souk_err souk_toml_decimal(souk_toml *toml, const char *path, souk_decimal *ret_value,
                           souk_diag *diag)
{
    const entry *found = find(toml, path);
    if (!found)
        return SOUK_OK;
    if (found->value.kind == SOUK_TOML_DECIMAL)
        *ret_value = found->value.decimal;
    else if (found->value.kind != SOUK_TOML_INT ||
             souk_decimal_from_minor(found->value.number, 0, ret_value))
        return unfit(found, diag, "a number of at most 13 digits before the point");
    return SOUK_OK;
}

souk_err souk_toml_bool(souk_toml *toml, const char *path, bool *ret_value, souk_diag *diag)
{
    const entry *found = find(toml, path);
    if (!found)
        return SOUK_OK;
    if (found->value.kind != SOUK_TOML_BOOL)
        return unfit(found, diag, "true or false");
    *ret_value = found->value.yes;
    return SOUK_OK;
}

size_t souk_toml_count(const souk_toml *toml)
{
    return toml->count;
}

souk_toml_value souk_toml_at(const souk_toml *toml, size_t index)
{
    souk_assert(index < toml->count);
    return toml->entries[index].value;
}

souk_err souk_toml_unread(const souk_toml *toml, souk_diag *diag)
{
    const entry *first = NULL;
    for (size_t i = 0; i < toml->count; i++) {
        const entry *at = &toml->entries[i];
        if (!at->read && (!first || at->value.line < first->value.line))
            first = at;
    }
    if (!first)
        return SOUK_OK;
    if (diag && !diag->words[0]) {
        diag->line = first->value.line;
        diag->column = first->value.key_column;
    }
    return souk_diag_say(diag, SOUK_EINVAL, "there is no setting %.*s: is it misspelt?",
                         SOUK_TEXT_PRINT(first->value.path));
}
