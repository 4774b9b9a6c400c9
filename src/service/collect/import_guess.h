/* import_guess.h - what a table of any heading is: how it is written, and what its columns mean.
 *
 *     souk_auto(import_guess) guess = NULL;
 *     SOUK_TRY(import_guess_new(mem, &import_orders_kind, options, head, is_whole, &guess, diag));
 *     int column = guess->column_of[IMPORT_ORDER];           -1: none has this meaning
 *     import_guess_tell(guess, json);                        members for who shows it
 *
 * Written  encoding (charset.h), separator, quotes, decimal mark, order of day and month: from the first
 *          IMPORT_HEAD_BYTES of the file, at most IMPORT_SAMPLE_ROWS rows; what the options say is not guessed
 * Meaning  a column's heading is looked up (import_words.h), and its cells must be what the meaning asks for, half of
 *          them at least; e-mails, phones, currencies and times are also known by their cells alone.  The best pairs
 *          are taken first.  A column without a meaning is kept as it is, under its own heading
 * Errors   SOUK_EINVAL with words: two columns that claim one meaning equally, an option that names no column, no
 *          meaning, no encoding.  SOUK_ESYNTAX: no table.  SOUK_ETOOBIG: more than 1,024 columns
 * Threads  does not change after birth */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_GUESS_H
#define SOUK_SERVICE_COLLECT_IMPORT_GUESS_H

#include "base/charset.h"
#include "service/collect/import.h"
#include "service/collect/import_values.h"
#include "service/collect/import_words.h"

enum { IMPORT_HEAD_BYTES = 1 << 16, IMPORT_SAMPLE_ROWS = 200, IMPORT_COLUMNS_MOST = 1024 };

typedef struct import_column {
    souk_text name, sample; /* sample: its first cell that is not empty */
    int meaning;            /* -1: kept as it is */
    unsigned confidence;    /* of 100 */
    const char *why;
    bool is_ignored; /* "Column=" */
} import_column;

typedef struct import_guess {
    souk_mem *mem;
    const import_kind *kind;
    souk_charset charset;
    char separator, quote;
    bool no_quotes;
    import_habits habits;
    souk_zone *zone;
    char currency[4];   /* where no column tells it */
    bool order_is_open; /* 1/2/2026 could be both: habits.order is a choice */
    bool decimal_is_open;
    import_column *columns; /* [column_count] */
    size_t column_count;
    int column_of[IMPORT_MEANINGS_MOST];
    souk_arena arena; /* of texts */
} import_guess;

SOUK_CHECKED souk_err import_guess_new(souk_mem *mem, const import_kind *kind,
                                       const souk_import_options *options, souk_text head,
                                       bool is_whole, import_guess **ret_guess, souk_diag *diag);
void import_guess_free(import_guess *guess);
SOUK_AUTO(import_guess)

/* SOUK_EINVAL: no column has the meaning; words tell what to pass. */
SOUK_CHECKED souk_err import_guess_need(const import_guess *guess, int meaning, souk_diag *diag);
/* The same for one of several. */
SOUK_CHECKED souk_err import_guess_need_one(const import_guess *guess, const int *meanings,
                                            size_t count, souk_diag *diag);

/* Members of an open object: "encoding", "separator", "quote", "decimal", "dates", "zone", "currency", "notes",
 * "columns". */
void import_guess_tell(const import_guess *guess, souk_json_writer *json);

#endif
