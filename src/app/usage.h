/* usage.h - what may stand where on the command line: the tables behind help, manual pages and completion.
 *
 *     app_shapes shapes;
 *     SOUK_TRY(app_shapes_read("[replay ID [EVENT] | drop ID]", &shapes));
 *     shapes.count == 2, shapes.at[0]: replay, ID, EVENT; shapes.at[1]: drop, ID
 *     const app_word *word = app_word_find(shapes.at[0].parts[1].word);          ID
 *
 * Usage    what a row of app_commands says of its operands and flags is read here, so that it is said
 *          once:  word       as it stands       WORD   what app_word_find knows of     [a b]  may be left out
 *                 --flag     a flag; what follows within its bracket is its value      a…     again and again
 *                 a | b      one of them, over the whole text or within one bracket around it all
 * Threads  the tables never change */
#ifndef SOUK_APP_USAGE_H
#define SOUK_APP_USAGE_H

#include "app/app.h"

enum { APP_SHAPES = 8, APP_PARTS = 24, APP_CHOICE_BYTES = 64 };

typedef struct app_part {
    souk_text word; /* without its brackets and its ellipsis */
    uint8_t opens, closes;
    bool repeats; /* it, or the bracket that it closes */
} app_part;
static inline bool app_part_is_flag(const app_part *part)
{
    return souk_text_starts(part->word, SOUK_TEXT("--"));
}
/* Typed as it stands. */
static inline bool app_part_is_literal(const app_part *part)
{
    return part->word.at[0] >= 'a' && part->word.at[0] <= 'z';
}

typedef struct app_shape {
    app_part parts[APP_PARTS];
    size_t count;
} app_shape;
typedef struct app_shapes {
    app_shape at[APP_SHAPES];
    size_t count;     /* 0 for "" */
    bool may_be_none; /* a bracket stood around it all */
} app_shapes;
/* SOUK_EINVAL: brackets that do not match, or more than there is room for: a bug in a row. */
SOUK_CHECKED souk_err app_shapes_read(const char *usage, app_shapes *ret_shapes);

/* ---- words ----------------------------------------------------------------------------------- */

typedef enum app_word_kind {
    APP_WORD_FREE,   /* anything */
    APP_WORD_CHOICE, /* one of a list that the code has */
    APP_WORD_FILE,
    APP_WORD_FOLDER,
} app_word_kind;

/* A word means the same in every command. */
typedef struct app_word {
    const char *word;
    const char *meaning; /* NULL: the list; from ';' or ':' on: stands behind the list */
    app_word_kind kind;
    /* Of a CHOICE: the i-th, with what it is (may be left ""); false behind the last one. */
    bool (*choice)(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what);
} app_word;
extern const app_word app_words[];
extern const size_t app_word_count;
/* NULL: none, as for a literal. */
const app_word *app_word_find(souk_text word);
/* "adult or minor; unknown where it is left out": list and meaning. */
void app_word_write(const app_word *word, souk_buf *out);

/* ---- flags ----------------------------------------------------------------------------------- */

typedef enum app_flag_kind {
    APP_FLAG_TEXT,   /* a value, the last one counts */
    APP_FLAG_SWITCH, /* no value */
    APP_FLAG_BASES,  /* a value, all of them count */
    APP_FLAG_TYPES,  /* the same */
} app_flag_kind;

typedef struct app_flag {
    const char *name, *value;     /* value: a word, or what it must be; NULL: none */
    const char *words, *variable; /* variable: of the environment; NULL: none */
    app_flag_kind kind;
    bool common; /* each command takes it */
    size_t at;   /* of a const char * or a bool in app_options */
} app_flag;
extern const app_flag app_flags[];
extern const size_t app_flag_count;
const app_flag *app_flag_find(souk_text name);
/* Whether the command's row names the flag; and whether it names the settings, `--SETTING`. */
bool app_command_has_flag(const app_command *command, souk_text name);

/* Reads what stands behind the command's name, the environment before it.
 * SOUK_EINVAL with words: also for a flag that another command takes and this one does not; a setting is
 * taken by all of them. */
SOUK_CHECKED souk_err app_options_read(const app_command *command, int count, char **arguments,
                                       app_options *options, souk_diag *diag);

/* ---- in other forms ---------------------------------------------------------------------------- */

/* man.c: "souk", "import" or "souk-import", "souk.toml", each with ".1" or ".5" behind it or not, as mdoc(7).
 * SOUK_ENOENT: there is no such page. */
SOUK_CHECKED souk_err app_man_write(souk_text page, souk_buf *out);
/* The i-th page as "souk-import.1"; false behind the last one. */
bool app_man_page(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what);
/* completion.c: the script for "bash", "zsh" or "fish".  SOUK_ENOENT: for another shell. */
SOUK_CHECKED souk_err app_completion_write(souk_text shell, souk_buf *out);

#endif
