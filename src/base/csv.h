/* csv.h - rows of comma-separated text, read from chunks of any size, and written safely.
 *
 *     souk_auto(souk_csv) csv = NULL;
 *     SOUK_TRY(souk_csv_new(mem, &(souk_csv_options){0}, &csv));
 *     while (!last) {
 *         last = read_chunk(&chunk);
 *         souk_csv_feed(csv, chunk, last);
 *         souk_csv_row row;
 *         while (souk_csv_next(csv, &row))
 *             use(row.fields, row.field_count, row.line);
 *         SOUK_TRY(souk_csv_check(csv, diag));
 *     }
 *
 *     souk_csv_writer writer = {.out = &buf, .guard = true};
 *     souk_csv_put(&writer, SOUK_TEXT("=1+1"));           '=1+1 : a sheet shows it and runs nothing
 *     souk_csv_end_row(&writer);
 *
 * A row ends in LF or CRLF, or with the text.  A field in quotes may hold delimiters, line ends and
 * doubled quotes.  A UTF-8 byte order mark in front is skipped; an empty line is no row.  Strict: a
 * quote inside a field without quotes, text behind a closing quote and a quote never closed are
 * errors.  A CR that no LF follows is text.  Fields are bytes: whether they are UTF-8 is the
 * caller's question (utf8.h).
 *
 * Shape    a field is a slice of the chunk; copied are only fields with doubled quotes, and the row
 *          that the end of a chunk cuts in two
 * Errors   sticky, after the rows that stand before: SOUK_ESYNTAX, SOUK_ETOOBIG (a row above its
 *          ceilings), SOUK_ENOMEM; the diag tells line and column
 * Cost     one pass, 64 bytes a step; plain rows that lie within chunks allocate nothing
 * Source   RFC 4180; the guard is OWASP's "CSV Injection"
 * Threads  a reader or writer belongs to one */
#ifndef SOUK_BASE_CSV_H
#define SOUK_BASE_CSV_H

#include "base/text.h"

typedef struct souk_csv souk_csv;

typedef struct souk_csv_options {
    char delimiter; /* 0: ',' */
    char quote;     /* 0: '"' */
    bool
        no_quotes; /* quotes are text like any other: a field then holds no delimiter or line end */
    size_t max_fields;    /* in a row; 0: 1024 */
    size_t max_row_bytes; /* without its line end; 0: 1 MiB */
} souk_csv_options;

typedef struct souk_csv_row {
    const souk_text *fields; /* these and their bytes live until the next call of the reader */
    size_t field_count;      /* at least 1 */
    uint64_t number;         /* from 1; a heading counts */
    uint64_t line;           /* from 1; where the row starts */
} souk_csv_row;

/* SOUK_EINVAL: a delimiter that is the quote, or either of them ends lines.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_csv_new(souk_mem *mem, const souk_csv_options *options,
                                   souk_csv **ret_csv);
void souk_csv_free(souk_csv *csv);
SOUK_AUTO(souk_csv)

/* Hands the next bytes over; they must live until souk_csv_next says false, which must have
 * happened for the chunk before. */
void souk_csv_feed(souk_csv *csv, souk_text chunk, bool last);
/* False: the chunk is used up, or souk_csv_check has an error. */
bool souk_csv_next(souk_csv *csv, souk_csv_row *ret_row);
SOUK_CHECKED souk_err souk_csv_check(const souk_csv *csv, souk_diag *diag);

/* A failure is the buffer's: check it once at the end. */
typedef struct souk_csv_writer {
    souk_buf *out;
    char delimiter; /* 0: ',' */
    bool guard;     /* against formulas: text that a sheet would run gets an apostrophe in front */
    size_t field_count; /* of the row being written; private */
    bool only_empty;    /* private */
} souk_csv_writer;

/* Quotes the field where it must.  The guard leaves numbers such as -0.5 as they are. */
void souk_csv_put(souk_csv_writer *writer, souk_text field);
/* The text that a guarded field was written for: without its first apostrophe where what follows would have got one.
 * Any other field is itself; a sheet's own habit of marking text so ('+44 12) is taken back, too. */
souk_text souk_csv_unguard(souk_text field);
/* Ends the row with CRLF; a row without fields is nothing. */
void souk_csv_end_row(souk_csv_writer *writer);

#endif
