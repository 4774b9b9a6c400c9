/* postgres_dialect.c - see postgres_dialect.h: a lexer of a dozen kinds of tokens, and behind it a machine
 * that knows three places: anywhere, in the brackets of a CREATE TABLE, and in a CAST.
 *
 *     CREATE TABLE t ( name TEXT CHECK (…) , … ) STRICT ;
 *     └ TABLE ───────┘ └ NAME                    └ TAIL
 *                           └ TYPE
 *                                └ REST ──────┘ └ NAME again */
#include "store/postgres_dialect.h"

#include <stdio.h>

enum token_kind { END, SPACE, WORD, NUMBER, QUOTED, HEX, PARAMETER, MARK };

struct token {
    enum token_kind kind;
    souk_text text;
};

/* Where in a statement the machine stands. */
enum place {
    BEGIN,     /* before the first word */
    ANYWHERE,  /* nothing of a schema follows */
    CREATE,    /* behind CREATE */
    TABLE,     /* behind CREATE TABLE, before its bracket */
    NAME,      /* a column's name, or CHECK, UNIQUE … */
    TYPE,      /* the word behind a column's name */
    REST,      /* what follows a type, up to the comma */
    TAIL,      /* behind the bracket of CREATE TABLE */
    ALTER,     /* behind ALTER */
    ALTERING,  /* behind ALTER TABLE */
    ADD,       /* behind its ADD */
    ADD_COLUMN /* behind ADD COLUMN */
};

struct dialect {
    const char *begin, *at, *end;
    souk_buf *out;
    souk_diag *diag;
    enum place place;
    size_t depth;       /* of brackets, within the statement */
    size_t cast_depth;  /* of the innermost CAST's own bracket; 0: none */
    bool cast_follows;  /* the last word was CAST */
    bool cast_type;     /* the last word was its AS */
    bool word_before;   /* the last token was a word or a number, and ends here */
    bool without_rowid; /* the last word was WITHOUT */
};

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 128;
}

static souk_err refuse(struct dialect *my, const char *at, const char *words)
{
    if (my->diag) {
        my->diag->line = 1;
        my->diag->column = 1;
        for (const char *c = my->begin; c < at; c++) {
            my->diag->column = *c == '\n' ? 1 : my->diag->column + 1;
            my->diag->line += *c == '\n';
        }
    }
    return souk_diag_say(my->diag, SOUK_EINVAL, "%s", words);
}

/* Behind the quote that ends what the quote at `at` begins; doubled ones stand for themselves. */
static const char *quoted_end(const struct dialect *my, const char *at)
{
    char quote = *at++;
    for (; at < my->end; at++)
        if (*at == quote && (at + 1 == my->end || at[1] != quote))
            return at + 1;
        else if (*at == quote)
            at++;
    return NULL;
}

/* A comment of either form; NULL where it has no end. */
static const char *comment_end(const struct dialect *my, const char *at)
{
    if (*at == '-') {
        while (at < my->end && *at != '\n')
            at++;
        return at;
    }
    for (at += 2; at + 1 < my->end; at++)
        if (at[0] == '*' && at[1] == '/')
            return at + 2;
    return NULL;
}

static bool starts(const struct dialect *my, const char *at, char first, char second)
{
    return at + 1 < my->end && at[0] == first && at[1] == second;
}

static souk_err next_parameter(struct dialect *my, struct token *token)
{
    const char *at = my->at + 1;
    unsigned number = 0;
    while (at < my->end && is_digit(*at) && number < 1000)
        number = number * 10 + (unsigned)(*at++ - '0');
    if (number < 1 || number > 999)
        return refuse(my, my->at, "a parameter is '?' with its number from 1 to 999: write ?1");
    *token = (struct token){PARAMETER, souk_text_range(my->at + 1, at)};
    my->at = at;
    return SOUK_OK;
}

static souk_err next_quoted(struct dialect *my, enum token_kind kind, size_t prefix,
                            struct token *token)
{
    const char *end = quoted_end(my, my->at + prefix);
    if (!end)
        return refuse(my, my->at, "a quote has no end: close it");
    *token = (struct token){kind, souk_text_range(my->at, end)};
    my->at = end;
    if (kind != HEX)
        return SOUK_OK;
    token->text = (souk_text){token->text.at + 2, token->text.bytes - 3};
    bool good = token->text.bytes % 2 == 0;
    for (size_t i = 0; i < token->text.bytes; i++) {
        char c = token->text.at[i];
        good &= is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    }
    return good ? SOUK_OK : refuse(my, token->text.at, "a blob is pairs of digits: x'00ff'");
}

static souk_err next_token(struct dialect *my, struct token *token)
{
    const char *from = my->at;
    *token = (struct token){END, souk_text_range(from, from)};
    if (from == my->end)
        return SOUK_OK;
    if (*from == '\0')
        return refuse(my, from, "a NUL stands in the statement: leave it out");
    if (*from == '\'' && my->word_before) /* e'…' and its kin have escapes of their own */
        return refuse(my, from, "a word touches a quote: put a space between them");
    my->word_before = false;
    if (*from == '\'' || *from == '"')
        return next_quoted(my, QUOTED, 0, token);
    if (starts(my, from, 'x', '\'') || starts(my, from, 'X', '\''))
        return next_quoted(my, HEX, 1, token);
    if (*from == '?')
        return next_parameter(my, token);
    if (*from == '$' || *from == '@' || *from == '`' || *from == '[')
        return refuse(my, from,
                      "only one of the two databases knows this sign: write ?1, \"name\"");
    if (starts(my, from, '-', '-') || starts(my, from, '/', '*')) {
        my->at = comment_end(my, from);
        if (!my->at) {
            my->at = my->end;
            return refuse(my, from, "a comment has no end: close it");
        }
        *token = (struct token){SPACE, SOUK_TEXT(" ")};
        return SOUK_OK;
    }
    enum token_kind kind = MARK;
    if (is_space(*my->at)) {
        kind = SPACE;
        while (my->at < my->end && is_space(*my->at))
            my->at++;
    } else if (is_letter(*my->at) || is_digit(*my->at)) {
        kind = is_digit(*my->at) ? NUMBER : WORD;
        while (my->at < my->end && (is_letter(*my->at) || is_digit(*my->at)))
            my->at++;
        my->word_before = true;
    } else {
        my->at++;
    }
    *token = (struct token){kind, souk_text_range(from, my->at)};
    return SOUK_OK;
}

static bool is_word(const struct token *token, const char *word)
{
    return token->kind == WORD && souk_text_equal_nocase(token->text, souk_text_of(word));
}

/* The token that follows, spaces passed over, which stays where it is. */
static struct token peek(const struct dialect *my)
{
    struct dialect ahead = *my;
    struct token token;
    ahead.diag = NULL;
    do {
        if (next_token(&ahead, &token))
            return (struct token){END, {0}};
    } while (token.kind == SPACE);
    return token;
}

/* ---- the machine ------------------------------------------------------------------------------ */

/* PostgreSQL's word for a type; no bytes where it is none of those that differ. */
static souk_text type_of(const struct token *token)
{
    static const struct {
        const char *ours, *theirs;
    } types[] = {{"INTEGER", "bigint"}, {"INT", "bigint"}, {"BIGINT", "bigint"},
                 {"TEXT", "text"},      {"BLOB", "bytea"}, {"REAL", "double precision"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (is_word(token, types[i].ours))
            return souk_text_of(types[i].theirs);
    return (souk_text){0};
}

static bool is_constraint(const struct token *token)
{
    return is_word(token, "CONSTRAINT") || is_word(token, "PRIMARY") || is_word(token, "UNIQUE") ||
           is_word(token, "CHECK") || is_word(token, "FOREIGN");
}

/* A space, so that what stood on both sides of it does not grow together. */
static bool drop(struct dialect *my)
{
    souk_buf_byte(my->out, ' ');
    return true;
}

/* True where the token was told in another way. */
static bool tell_type(struct dialect *my, const struct token *token)
{
    souk_text type = type_of(token);
    my->place = REST;
    if (!type.bytes)
        return false;
    souk_buf_text(my->out, type);
    if (is_word(token, "TEXT"))
        souk_buf_text(my->out, SOUK_TEXT(" COLLATE \"C\""));
    if (my->at < my->end && *my->at == '"')
        souk_buf_byte(my->out, ' ');
    struct token next = peek(my);
    if (is_word(token, "INTEGER") && is_word(&next, "PRIMARY"))
        souk_buf_text(my->out, SOUK_TEXT(" GENERATED BY DEFAULT AS IDENTITY"));
    return true;
}

static bool drop_tail(struct dialect *my, const struct token *token)
{
    struct token next = peek(my);
    bool rowid = is_word(token, "ROWID") && my->without_rowid;
    my->without_rowid = is_word(token, "WITHOUT") && is_word(&next, "ROWID");
    bool comma = token->kind == MARK && token->text.at[0] == ',';
    return (rowid || comma || my->without_rowid || is_word(token, "STRICT")) && drop(my);
}

/* Words by which a statement becomes one of a schema. */
static enum place place_behind(const struct dialect *my, const struct token *token)
{
    switch (my->place) {
    case BEGIN:
        return is_word(token, "CREATE") ? CREATE : is_word(token, "ALTER") ? ALTER : ANYWHERE;
    case CREATE:
        if (is_word(token, "TEMP") || is_word(token, "TEMPORARY"))
            return CREATE;
        return is_word(token, "TABLE") ? TABLE : ANYWHERE;
    case TABLE:
        return is_word(token, "AS") ? ANYWHERE : TABLE;
    case ALTER:
        return is_word(token, "TABLE") ? ALTERING : ANYWHERE;
    case ALTERING:
        return is_word(token, "ADD") ? ADD : ALTERING;
    case ADD:
        return is_word(token, "COLUMN") ? ADD_COLUMN : is_constraint(token) ? REST : TYPE;
    case ADD_COLUMN:
        return TYPE;
    case NAME:
        return is_constraint(token) ? REST : TYPE;
    default:
        return my->place;
    }
}

/* CAST (… AS TYPE): true where the token was told. */
static bool tell_cast(struct dialect *my, const struct token *token)
{
    bool is_type = my->cast_type && my->depth == my->cast_depth;
    my->cast_type = my->cast_depth && my->depth == my->cast_depth && is_word(token, "AS");
    my->cast_follows = is_word(token, "CAST");
    souk_text type = is_type ? type_of(token) : (souk_text){0};
    souk_buf_text(my->out, type);
    return type.bytes != 0;
}

static bool tell_word(struct dialect *my, const struct token *token)
{
    if (my->place == TYPE && (my->depth <= 1))
        return tell_type(my, token);
    if (my->place == TAIL && drop_tail(my, token))
        return true;
    if (my->place == REST && is_word(token, "AUTOINCREMENT"))
        return drop(my);
    my->place = place_behind(my, token);
    return tell_cast(my, token);
}

static bool tell_mark(struct dialect *my, const struct token *token)
{
    char mark = token->text.at[0];
    bool declares = my->place == NAME || my->place == TYPE || my->place == REST;
    if (mark == '(') {
        my->depth++;
        if (my->place == TABLE && my->depth == 1)
            my->place = NAME;
        if (my->cast_follows)
            my->cast_depth = my->depth;
    } else if (mark == ')') {
        if (my->cast_depth == my->depth)
            my->cast_depth = 0;
        my->depth -= my->depth > 0;
        if (declares && my->depth == 0)
            my->place = TAIL;
    } else if (mark == ',') {
        if (my->place == TAIL)
            return drop_tail(my, token);
        if (declares && my->depth == 1)
            my->place = NAME;
    } else if (mark == ';') {
        my->depth = my->cast_depth = 0;
        my->place = BEGIN;
    }
    my->cast_follows = my->cast_type = false;
    return false;
}

/* Two quotes side by side would be one in a text, and a word behind the type a longer one. */
static bool tell_blob(struct dialect *my, const struct token *token)
{
    const souk_buf *out = my->out;
    bool behind_quote = out->bytes && out->at[out->bytes - 1] == '\'';
    bool before_word = my->at < my->end && (is_letter(*my->at) || is_digit(*my->at));
    souk_buf_print(my->out, "%s'\\x%.*s'::bytea%s", behind_quote ? " " : "",
                   SOUK_TEXT_PRINT(token->text), before_word ? " " : "");
    return true;
}

static void tell(struct dialect *my, const struct token *token)
{
    bool told = false;
    switch (token->kind) {
    case PARAMETER:
        souk_buf_byte(my->out, '$');
        break;
    case HEX:
        told = tell_blob(my, token);
        break;
    case WORD:
        told = tell_word(my, token);
        break;
    case QUOTED: /* a name, quoted, is a name */
        if (my->place == NAME || my->place == ADD || my->place == ADD_COLUMN)
            my->place = TYPE;
        break;
    case MARK:
        told = tell_mark(my, token);
        break;
    default:
        break;
    }
    if (!told)
        souk_buf_text(my->out, token->text);
}

souk_err souk_postgres_dialect(souk_text sql, souk_buf *out, souk_diag *diag)
{
    const char *from = sql.bytes ? sql.at : "";
    struct dialect my = {.begin = from, .at = from, .end = from + sql.bytes, .out = out};
    my.diag = diag;
    struct token token;
    do {
        SOUK_TRY(next_token(&my, &token));
        tell(&my, &token);
    } while (token.kind != END);
    return souk_buf_check(out);
}

bool souk_postgres_is_query(souk_text sql)
{
    const char *from = sql.bytes ? sql.at : "";
    struct dialect my = {.begin = from, .at = from, .end = from + sql.bytes};
    struct token token;
    bool with = false;
    size_t depth = 0;
    while (next_token(&my, &token) == SOUK_OK && token.kind != END) {
        if (token.kind == MARK && token.text.at[0] == '(')
            depth++;
        if (token.kind == MARK && token.text.at[0] == ')')
            depth -= depth > 0;
        if (token.kind != WORD || depth)
            continue;
        if (is_word(&token, "SELECT") || is_word(&token, "VALUES"))
            return true;
        if (is_word(&token, "INSERT") || is_word(&token, "UPDATE") || is_word(&token, "DELETE"))
            return false;
        with |= is_word(&token, "WITH");
        if (!with)
            return false;
    }
    return false;
}
