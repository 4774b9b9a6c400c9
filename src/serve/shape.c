/* shape.c - a recursive descent over the notation of shape.h. */
#include "serve/shape.h"

enum { SHAPE_DEPTH = 12 };

struct reader {
    souk_text whole, rest;
    souk_json_writer *out; /* NULL: only passed over */
    souk_diag *diag;
    unsigned depth;
};

static void skip_space(struct reader *r)
{
    while (r->rest.bytes && r->rest.at[0] == ' ') {
        r->rest.at++;
        r->rest.bytes--;
    }
}

static bool take(struct reader *r, char mark)
{
    skip_space(r);
    if (r->rest.bytes == 0 || r->rest.at[0] != mark)
        return false;
    r->rest.at++;
    r->rest.bytes--;
    return true;
}

static souk_err blame(const struct reader *r, const char *words)
{
    return souk_diag_say(r->diag, SOUK_ESYNTAX, "column %zu of '%.*s': %s",
                         r->whole.bytes - r->rest.bytes + 1, SOUK_TEXT_PRINT(r->whole), words);
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '$';
}

static souk_text take_word(struct reader *r)
{
    skip_space(r);
    souk_text word = {r->rest.at, 0};
    while (word.bytes < r->rest.bytes && in_word(word.at[word.bytes]) &&
           !(word.at[word.bytes] == '.' && word.bytes + 1 < r->rest.bytes &&
             word.at[word.bytes + 1] == '.'))
        word.bytes++;
    r->rest.at += word.bytes;
    r->rest.bytes -= word.bytes;
    return word;
}

static void member_text(struct reader *r, const char *key, souk_text value)
{
    if (!r->out)
        return;
    souk_json_write_key(r->out, souk_text_of(key));
    souk_json_write_text(r->out, value);
}

static void key(struct reader *r, souk_text name)
{
    if (r->out)
        souk_json_write_key(r->out, name);
}

static void open_object(struct reader *r)
{
    if (r->out)
        souk_json_write_object(r->out);
}

static void close(struct reader *r)
{
    if (r->out)
        souk_json_write_end(r->out);
}

static const struct {
    const char *word, *type, *format, *pattern;
} words[] = {
    {"text", "string", NULL, NULL},        {"integer", "integer", NULL, NULL},
    {"number", "number", NULL, NULL},      {"decimal", "string", NULL, "^-?[0-9]+(\\.[0-9]+)?$"},
    {"boolean", "boolean", NULL, NULL},    {"time", "string", "date-time", NULL},
    {"id", "string", NULL, "^[0-9a-f]+$"},
};

static void write_type(struct reader *r, const char *type, bool nullable)
{
    key(r, SOUK_TEXT("type"));
    if (!r->out)
        return;
    if (nullable)
        souk_json_write_array(r->out);
    souk_json_write_text(r->out, souk_text_of(type));
    if (nullable) {
        souk_json_write_text(r->out, SOUK_TEXT("null"));
        souk_json_write_end(r->out);
    }
}

/* "(1..1000)" of a number, or of a text's length. */
static souk_err read_limits(struct reader *r, bool is_text)
{
    uint64_t number;
    if (!take(r, '('))
        return SOUK_OK;
    souk_text least = take_word(r);
    if (least.bytes && souk_text_to_u64(least, &number) == SOUK_OK && r->out) {
        key(r, is_text ? SOUK_TEXT("minLength") : SOUK_TEXT("minimum"));
        souk_json_write_u64(r->out, number);
    }
    if (!take(r, '.') || !take(r, '.'))
        return blame(r, "'..' was expected between the limits");
    souk_text most = take_word(r);
    if (most.bytes && souk_text_to_u64(most, &number) == SOUK_OK && r->out) {
        key(r, is_text ? SOUK_TEXT("maxLength") : SOUK_TEXT("maximum"));
        souk_json_write_u64(r->out, number);
    }
    return take(r, ')') ? SOUK_OK : blame(r, "')' was expected behind the limits");
}

static souk_err read_choice(struct reader *r, souk_text word, bool nullable)
{
    write_type(r, "string", nullable);
    key(r, SOUK_TEXT("enum"));
    if (r->out) {
        souk_json_write_array(r->out);
        souk_json_write_text(r->out, word);
    }
    while (take(r, '|')) {
        word = take_word(r);
        if (word.bytes == 0)
            return blame(r, "a word was expected behind '|'");
        if (r->out)
            souk_json_write_text(r->out, word);
    }
    if (r->out && nullable)
        souk_json_write_null(r->out);
    close(r);
    return SOUK_OK;
}

/* A shape of its own name; or null, by "anyOf", since a $ref has no type beside it. */
static souk_err write_name(struct reader *r, souk_text name, bool nullable)
{
    char path[80] = "#/components/schemas/";
    size_t bytes = strlen(path);
    if (name.bytes > sizeof path - bytes - 1)
        return blame(r, "the name is too long");
    memcpy(path + bytes, name.at, name.bytes);
    souk_text reference = {path, bytes + name.bytes};
    if (!nullable || !r->out) {
        member_text(r, "$ref", reference);
        return SOUK_OK;
    }
    key(r, SOUK_TEXT("anyOf"));
    souk_json_write_array(r->out);
    souk_json_write_object(r->out);
    member_text(r, "$ref", reference);
    souk_json_write_end(r->out);
    souk_json_write_object(r->out);
    member_text(r, "type", SOUK_TEXT("null"));
    souk_json_write_end(r->out);
    souk_json_write_end(r->out);
    return SOUK_OK;
}

static souk_err read_word(struct reader *r, bool nullable)
{
    souk_text word = take_word(r);
    if (word.bytes == 0)
        return blame(r, "a word, '{' or '[' was expected");
    skip_space(r);
    if (r->rest.bytes && r->rest.at[0] == '|')
        return read_choice(r, word, nullable);
    if (word.at[0] >= 'A' && word.at[0] <= 'Z')
        return write_name(r, word, nullable);
    if (souk_text_equal(word, SOUK_TEXT("any")))
        return SOUK_OK;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!souk_text_equal(word, souk_text_of(words[i].word)))
            continue;
        write_type(r, words[i].type, nullable);
        if (words[i].format)
            member_text(r, "format", souk_text_of(words[i].format));
        if (words[i].pattern)
            member_text(r, "pattern", souk_text_of(words[i].pattern));
        return read_limits(r, !strcmp(words[i].type, "string"));
    }
    return blame(r, "this word is none of shape.h");
}

static souk_err read_shape(struct reader *r, souk_text description);

/* Where the value in hand ends, and whether '?' follows: the reader is moved over it without writing. */
static souk_err pass_shape(struct reader *r, souk_text *ret_shape)
{
    struct reader probe = *r;
    probe.out = NULL;
    SOUK_TRY(read_shape(&probe, SOUK_TEXT("")));
    *ret_shape = (souk_text){r->rest.at, r->rest.bytes - probe.rest.bytes};
    *r = (struct reader){r->whole, probe.rest, r->out, r->diag, r->depth};
    return SOUK_OK;
}

static souk_err read_member(struct reader *r, souk_shape_member *member)
{
    skip_space(r);
    member->name = take(r, '*') ? SOUK_TEXT("*") : take_word(r);
    if (member->name.bytes == 0)
        return blame(r, "a name was expected");
    member->optional = take(r, '?');
    if (!take(r, ':'))
        return blame(r, "':' was expected behind the name");
    skip_space(r);
    SOUK_TRY(pass_shape(r, &member->shape));
    member->words = SOUK_TEXT("");
    if (take(r, '\'')) {
        member->words = (souk_text){r->rest.at, 0};
        while (member->words.bytes < r->rest.bytes && member->words.at[member->words.bytes] != '\'')
            member->words.bytes++;
        r->rest.at += member->words.bytes;
        r->rest.bytes -= member->words.bytes;
        if (!take(r, '\''))
            return blame(r, "the words have no end");
    }
    return SOUK_OK;
}

souk_err souk_shape_members(souk_text members,
                            souk_err (*each)(void *context, const souk_shape_member *member),
                            void *context, souk_diag *diag)
{
    struct reader r = {.whole = members, .rest = members, .diag = diag};
    skip_space(&r);
    while (r.rest.bytes) {
        souk_shape_member member;
        SOUK_TRY(read_member(&r, &member));
        SOUK_TRY(each(context, &member));
        skip_space(&r);
        if (r.rest.bytes && !take(&r, ','))
            return blame(&r, "',' was expected");
    }
    return SOUK_OK;
}

static souk_err write_member(struct reader *r, const souk_shape_member *member)
{
    struct reader inside = {.whole = member->shape,
                            .rest = member->shape,
                            .out = r->out,
                            .diag = r->diag,
                            .depth = r->depth};
    key(r, member->name);
    return read_shape(&inside, member->words);
}

/* The members from `from` on: those with names as properties, "*" as what the rest look like. */
static souk_err read_members(struct reader *r)
{
    struct reader again = *r;
    souk_shape_member member;
    bool any = false, required = false;
    key(r, SOUK_TEXT("properties"));
    open_object(r);
    for (bool more = !take(r, '}'); more;) {
        SOUK_TRY(read_member(r, &member));
        any |= member.name.at[0] == '*';
        required |= member.name.at[0] != '*' && !member.optional;
        if (member.name.at[0] != '*')
            SOUK_TRY(write_member(r, &member));
        more = take(r, ',');
        if (!more && !take(r, '}'))
            return blame(r, "',' or '}' was expected");
    }
    close(r);
    if (required && r->out) {
        key(r, SOUK_TEXT("required"));
        souk_json_write_array(r->out);
        for (struct reader list = again;;) {
            SOUK_TRY(read_member(&list, &member));
            if (member.name.at[0] != '*' && !member.optional)
                souk_json_write_text(r->out, member.name);
            if (!take(&list, ','))
                break;
        }
        souk_json_write_end(r->out);
    }
    while (any && r->out) {
        SOUK_TRY(read_member(&again, &member));
        if (member.name.at[0] == '*') {
            member.name = SOUK_TEXT("additionalProperties");
            return write_member(r, &member);
        }
        if (!take(&again, ','))
            break;
    }
    return SOUK_OK;
}

/* Whether '?' stands behind the value that begins here. */
static bool is_nullable(souk_text rest)
{
    unsigned open = 0;
    for (size_t i = 0; i < rest.bytes; i++) {
        char c = rest.at[i];
        bool opens = c == '{' || c == '[' || c == '(', closes = c == '}' || c == ']' || c == ')';
        if (open == 0 && (closes || c == ',' || c == '\''))
            return false;
        if (open == 0 && c == '?')
            return true;
        open = open + opens - closes;
    }
    return false;
}

static souk_err read_value(struct reader *r, bool nullable)
{
    skip_space(r);
    if (take(r, '{')) {
        write_type(r, "object", nullable);
        return read_members(r);
    }
    if (!take(r, '['))
        return read_word(r, nullable);
    write_type(r, "array", nullable);
    key(r, SOUK_TEXT("items"));
    SOUK_TRY(read_shape(r, SOUK_TEXT("")));
    return take(r, ']') ? SOUK_OK : blame(r, "']' was expected");
}

static souk_err read_shape(struct reader *r, souk_text description)
{
    if (++r->depth > SHAPE_DEPTH)
        return blame(r, "it is too deep");
    open_object(r);
    SOUK_TRY(read_value(r, is_nullable(r->rest)));
    if (description.bytes)
        member_text(r, "description", description);
    close(r);
    take(r, '?');
    r->depth--;
    return SOUK_OK;
}

souk_err souk_shape_schema(souk_text shape, souk_json_writer *out, souk_diag *diag)
{
    struct reader r = {.whole = shape, .rest = shape, .out = out, .diag = diag};
    SOUK_TRY(read_shape(&r, SOUK_TEXT("")));
    skip_space(&r);
    return r.rest.bytes ? blame(&r, "nothing more was expected") : SOUK_OK;
}
