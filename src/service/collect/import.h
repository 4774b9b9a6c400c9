/* import.h - a file of history becomes events, products or consents: exactly once, resumed where it was cut.
 *
 *     souk_import import = {.spine = spine, .source = source, .progress = show, .context = bar};
 *     SOUK_TRY(souk_import_file(mem, &import, SOUK_TEXT("orders"), "orders.csv.gz", diag));
 *     printf("%llu rows\n", import.rows);
 *
 * Formats  import_format.h says what one is; souk_import_list tells their names.  orders, products, shoppers and
 *          consents read CSV of any heading: which column means what is guessed (import_guess.h) and told by
 *          souk_import_look, before anything is stored
 * Once     What a row becomes has its identity in the row itself (each format says how), so running an import
 *          again adds nothing.  A row that cannot be taken goes to the rejects with its file and line, once for
 *          all runs over the same file (the first 1,000 of a file; all are counted), and its order stays out whole:
 *          the mended file imports it, once
 * Files    plain, or gzip of one member or many (up to 4 GiB inflated); regular files alone, or for a format of
 *          several files their folder.  A file is read twice, as far as it went when it was opened: it may grow
 *          meanwhile.  One that changes otherwise is SOUK_ECONFLICT; what was read of it stays, and the next
 *          import adds the rest
 * Cost     memory: a piece of 256 KiB, or what gzip holds and inflates to; four batches of 2,000 events; what
 *          the format remembers (16 to 64 bytes an order)
 * Threads  one import per struct; rows are read here while the writer stores the batch before */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_H
#define SOUK_SERVICE_COLLECT_IMPORT_H

#include "base/json_write.h"
#include "core/spine.h"

/* What the caller says of a file of CSV where the guess would be wrong; empty: guessed. */
typedef struct souk_import_options {
    souk_text map;       /* "Column=meaning,…"; "Column=" takes a column's meaning away */
    souk_text encoding;  /* UTF-8, UTF-16LE, UTF-16BE, GB18030, windows-1252 */
    souk_text separator; /* , ; | or "tab" */
    souk_text quote;     /* " ' or "none" */
    souk_text decimal;   /* "point" or "comma" */
    souk_text dates;     /* "dmy", "mdy" or "ymd": the order of 1/2/2026 */
    souk_text zone;      /* of times without one, "Asia/Shanghai"; empty: UTC */
    souk_text currency;  /* where no column tells it */
} souk_import_options;

typedef struct souk_import {
    souk_spine *spine;
    uint32_t source;
    souk_import_options options;
    /* Called now and then with bytes of the file; an error stops the import after what is done:
     * SOUK_EINTERRUPT for Ctrl-C.  May be NULL. */
    souk_ledger_progress *progress;
    void *context;
    /* told by the import */
    uint64_t rows, events, repeats;
    uint64_t rejected; /* rows that stayed out: those at fault, and others of their orders */
    uint64_t resumed;  /* records of an earlier run that was cut off; counted in repeats, too */
    uint64_t shoppers; /* different identified shoppers in the file */
    uint64_t entries;  /* products new or changed, consents new */
    bool has_entries;  /* the format makes entries */
} souk_import;

/* SOUK_EINVAL: no such format, or the file is none of it.  SOUK_ENOENT: no such file. */
SOUK_CHECKED souk_err souk_import_file(souk_mem *mem, souk_import *import, souk_text format,
                                       const char *path, souk_diag *diag);

/* What the file looks like, stored nowhere: writes one JSON object
 *     {"format":"orders","encoding":"UTF-8","separator":",",…,"columns":[{"column":"Order No","meaning":"order",
 *      "confidence":95,"sample":"A-1","why":"the heading says so"},…]}
 * records above 0: reads the whole of it, and adds the first records as they would be stored, the first faults
 * and "rows", "records", "faults" (rows), "rejected" (rows that would stay out), "named" (records that
 * name somebody).  Of a folder: {"format":…,"files":[{"file":"products.csv","rows":…,…},…],"rows":…}, where a file that
 * is none of the format's has "passed_over".  Needs no shop: spine may be NULL.
 * Errors as souk_import_file's; what stands in `out` then is no document. */
SOUK_CHECKED souk_err souk_import_look(souk_mem *mem, const souk_import *import, souk_text format,
                                       const char *path, unsigned records, souk_json_writer *out,
                                       souk_diag *diag);

/* Of a reject's place, where it was made by an import: "line 3 of orders.csv".  Such a row is mended in its file, and the
 * file imported again: what it becomes has its identity in the row, which a replay would not have. */
bool souk_import_place(souk_text place, souk_text *ret_row);

/* Whether there is a format of this name; whether it reads columns of any heading. */
bool souk_import_known(souk_text format);
bool souk_import_is_mapped(souk_text format);
/* The i-th format's name and what it is; NULL behind the last one. */
const char *souk_import_at(size_t i, const char **ret_summary);
/* "orders, products, …". */
const char *souk_import_list(void);

#endif
