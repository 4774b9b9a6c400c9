/* import_batches.h - the sink of an import: events into the log, entries into their rooms, faults to the rejects.
 *
 *     SOUK_TRY(import_batches_new(mem, &(import_batches_options){.import = import, .format = format,
 *                                                               .file = &file}, &batches, diag));
 *     … read with import_batches_sink(batches) …
 *     return import_batches_end(batches, err);             waits for what is under way
 *
 * Four batches are under way: one being filled here, the others waiting for or in the writer's transaction.
 * What is told as progress is durable: the rows of batches that were answered.  Now and then the task hears of it
 * (core/task.h), and nobody waits for that.  A killed import goes on there, known by format, source, the file's bytes
 * and the options; of rows behind it that are durable already, each event is a repeat.
 *
 * Of a list of consents first the events are sent, one of each row (import_saying.h); once they are durable a thread of
 * its own records what holds of them (souk_spine_consents_record), and the list is answered.  Cut off in between, the
 * next run finds the events and records the rest. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_BATCHES_H
#define SOUK_SERVICE_COLLECT_IMPORT_BATCHES_H

#include "service/collect/import_customers.h"
#include "service/collect/import_file.h"
#include "service/collect/import_format.h"

enum { SOUK_IMPORT_NAME_BYTES = 120, SOUK_IMPORT_PLACE_BYTES = 200 };

typedef struct import_batches import_batches;

typedef struct import_batches_options {
    souk_import *import;
    const souk_import_format *format;
    const import_file *file; /* read through import_file_open */
    void *shared;
    /* Of a folder: bytes of the files before this one, how many this one counts for (0: its own), and of all. */
    uint64_t bytes_before, bytes_here, bytes_total;
} import_batches_options;

SOUK_CHECKED souk_err import_batches_new(souk_mem *mem, const import_batches_options *options,
                                         import_customers *customers, import_batches **ret_batches,
                                         souk_diag *diag);
void import_batches_free(import_batches *batches);
SOUK_AUTO(import_batches)

souk_import_sink *import_batches_sink(import_batches *batches);

/* Sends the rest where err, of the reading, is SOUK_OK; waits; ends the task, or tells how far it came.
 * The first error. */
SOUK_CHECKED souk_err import_batches_end(import_batches *batches, souk_err err);

#endif
