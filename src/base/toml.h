/* toml.h - a settings file, read strictly.
 *
 *     # souk.toml                              souk_auto(souk_toml) file = NULL;
 *     listen = "127.0.0.1:8080"                SOUK_TRY(souk_toml_read(mem, bytes, &file, diag));
 *                                              souk_text zone = SOUK_TEXT("UTC");     the default
 *     [store]                                  SOUK_TRY(souk_toml_text(file, "store.zone", &zone,
 *     zone = 'Europe/London'                                           diag));
 *     tills = 12
 *     share = 0.25                             int64_t tills = 1;
 *     open = true                              SOUK_TRY(souk_toml_int(file, "store.tills", 1, 500,
 *                                                                     &tills, diag));
 *
 * Known are [tables] and [tables.in.tables], key = value in one line, "text" with escapes, 'text'
 * as it is, integers, decimals, true, false and # comments.  What else TOML has (arrays, inline
 * tables, dates, several lines, quoted or dotted keys, other bases, inf and nan) is refused by
 * name, not guessed at.  A key or table given twice is refused.  Every file that is read means the
 * same to any TOML 1.0 reader, except that decimals are exact here and may have six places.
 *
 * A path is the table's name, a point and the key: "store.zone".  A getter leaves the caller's
 * default where the file has no such path, and marks what it read; souk_toml_unread then finds
 * misspelt keys.
 *
 * Shape    at most SOUK_TOML_FILE_BYTES of file, SOUK_TOML_KEYS keys and tables, paths of
 *          SOUK_TOML_PATH_BYTES
 * Errors   SOUK_ESYNTAX, SOUK_EOVERFLOW (a number), SOUK_ETOOBIG, SOUK_ENOMEM; the diag has words,
 *          line and column (characters, from 1)
 * Cost     reading: one pass, two allocations or a few; a getter: a binary search
 * Source   TOML 1.0.0
 * Threads  one owner; getters mark */
#ifndef SOUK_BASE_TOML_H
#define SOUK_BASE_TOML_H

#include "base/decimal.h"

typedef struct souk_toml souk_toml;

enum { SOUK_TOML_FILE_BYTES = 1 << 20, SOUK_TOML_KEYS = 4096, SOUK_TOML_PATH_BYTES = 200 };

/* Reads a whole file; the bytes may go afterwards. */
SOUK_CHECKED souk_err souk_toml_read(souk_mem *mem, souk_text bytes, souk_toml **ret_toml,
                                     souk_diag *diag);
void souk_toml_free(souk_toml *toml);
SOUK_AUTO(souk_toml)

/* The value at a path.  No such path: SOUK_OK, and *ret_value stays as it is.
 * SOUK_EINVAL: a value of another kind, or outside [least, most]; the diag says where and which. */
SOUK_CHECKED souk_err souk_toml_text(souk_toml *toml, const char *path, souk_text *ret_value,
                                     souk_diag *diag);
SOUK_CHECKED souk_err souk_toml_int(souk_toml *toml, const char *path, int64_t least, int64_t most,
                                    int64_t *ret_value, souk_diag *diag);
/* An integer is a decimal too. */
SOUK_CHECKED souk_err souk_toml_decimal(souk_toml *toml, const char *path, souk_decimal *ret_value,
                                        souk_diag *diag);
SOUK_CHECKED souk_err souk_toml_bool(souk_toml *toml, const char *path, bool *ret_value,
                                     souk_diag *diag);

/* The values in the order of their paths, for listings: 0 to count - 1. */
typedef enum souk_toml_kind {
    SOUK_TOML_TEXT,
    SOUK_TOML_INT,
    SOUK_TOML_DECIMAL,
    SOUK_TOML_BOOL,
} souk_toml_kind;
typedef struct souk_toml_value {
    souk_text path; /* this and text live as long as the toml */
    souk_toml_kind kind;
    uint64_t line, key_column, column; /* column: of the value */
    union {
        souk_text text;
        int64_t number;
        souk_decimal decimal;
        bool yes;
    };
} souk_toml_value;
size_t souk_toml_count(const souk_toml *toml);
souk_toml_value souk_toml_at(const souk_toml *toml, size_t index);

/* SOUK_EINVAL, with words about the first in the file, if it has a key that no getter asked for. */
SOUK_CHECKED souk_err souk_toml_unread(const souk_toml *toml, souk_diag *diag);

#endif
