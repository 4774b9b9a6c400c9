/* import_told.h - for formats whose records are told in the form of the Segment protocol: text into an event.
 *
 *     import_told told;
 *     import_told_begin(&told, sink);
 *     SOUK_TRY(import_told_put(&told, text, line));           an event, or a fault with its reason
 *     import_told_done(&told);
 *
 * An event may be nobody's.  One without a messageId is named by its text and its row, so that an import again adds
 * nothing. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_TOLD_H
#define SOUK_SERVICE_COLLECT_IMPORT_TOLD_H

#include "service/collect/import_format.h"

typedef struct import_told {
    souk_import_sink *sink;
    struct souk_intake *reading;
} import_told;

SOUK_CHECKED souk_err import_told_begin(import_told *told, souk_import_sink *sink);
void import_told_done(import_told *told);
/* The text is of the row in hand; it is copied.  line: where it stands, from 1; 0: by row.  SOUK_ENOMEM, the sink's. */
SOUK_CHECKED souk_err import_told_put(import_told *told, souk_text text, uint64_t line);

#endif
