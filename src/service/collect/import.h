/* import.h - a file of history becomes events: exactly once, with progress, resumed where it was cut.
 *
 *     souk_import import = {.spine = spine, .source = source, .progress = show, .context = bar};
 *     SOUK_TRY(souk_import_file(mem, &import, SOUK_TEXT("online-retail"), "retail.csv.gz", diag));
 *     printf("%llu rows\n", import.rows);
 *
 * A row is one event; its identity is in the row itself (each format says how), so running an import
 * again adds nothing.  A row that cannot be taken goes to the rejects with its line number, once for all
 * runs over the same file (the first 1,000 of a file; all are counted).
 *
 * Files    CSV, or CSV in gzip of one member or many (up to 4 GiB inflated); regular files alone.  A file is read
 *          twice, as far as it went when it was opened: it may grow meanwhile.  One that changes otherwise is
 *          SOUK_ECONFLICT; what was read of it stays, and the next import adds the rest
 * Cost     memory: a piece of 256 KiB, or what gzip holds and inflates to; three batches of 2,000 events
 * Threads  one import per struct; rows are read here while the writer stores the batch before */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_H
#define SOUK_SERVICE_COLLECT_IMPORT_H

#include "base/csv.h"
#include "core/spine.h"

typedef struct souk_import {
    souk_spine *spine;
    uint32_t source;
    /* Called now and then with bytes of the file; an error stops the import after what is done:
     * SOUK_EINTERRUPT for Ctrl-C.  May be NULL. */
    souk_ledger_progress *progress;
    void *context;
    /* told by the import */
    uint64_t rows, events, repeats, rejected;
    uint64_t resumed;  /* rows of an earlier run that was cut off; counted in repeats, too */
    uint64_t shoppers; /* different identified shoppers in the file */
} souk_import;

/* SOUK_EINVAL: no such format, or the file has not its columns.  SOUK_ENOENT: no such file. */
SOUK_CHECKED souk_err souk_import_file(souk_mem *mem, souk_import *import, souk_text format,
                                       const char *path, souk_diag *diag);

/* Whether there is a format of this name. */
bool souk_import_known(souk_text format);

/* ---- for formats --------------------------------------------------------------------------------- */

/* Makes an event of a row; texts may lie in the row or in the arena.  SOUK_EINVAL with words in diag:
 * the row goes to the rejects.  A currency comes from souk_currency_read alone, so that it is one. */
typedef struct souk_import_format {
    const char *name;
    const char *const *columns; /* the heading, NULL behind the last */
    size_t state_bytes;         /* zeroed memory for the import's own use */
    souk_err (*row)(void *state, souk_mem *mem, const souk_hashes *hashes, uint32_t source,
                    const souk_csv_row *row, souk_arena *arena, souk_event *ret_event,
                    souk_diag *diag);
    void (*done)(void *state, souk_mem *mem);
} souk_import_format;

extern const souk_import_format souk_import_online_retail;

#endif
