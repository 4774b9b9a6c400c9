/* import_format.h - a format of files: a reader that is fed pieces, and the sink that takes what it makes of them.
 *
 *     static souk_err feed(void *state, souk_text piece, bool last, souk_diag *diag)
 *     {
 *         struct lines *lines = state;
 *         …
 *             lines->sink->rows++;                                    a record begins
 *             souk_event event = {.received = sink->received, …};     texts in *sink->room
 *             SOUK_TRY(souk_import_put_event(sink, sink->rows, &event, body));
 *     }
 *     const souk_import_format souk_import_groceries = {
 *         .name = "groceries", .summary = "…", .state_bytes = sizeof(struct lines),
 *         .begin = begin, .feed = feed, .done = done,
 *     };
 *
 * import.c opens the file, inflates it, feeds it piece by piece and ends with an empty last piece; import_batches.c
 * is the sink of an import, import_look.c that of a dry run.  A format knows neither.
 *
 * Rows     The reader counts sink->rows up by one for each record of the file (a row, a line, an item of a feed),
 *          in the order of the file.  What it puts says through which row it holds all of the file: a resumed
 *          import passes over what ends at or before the row that was durable.  So the same file must give the
 *          same records again, whatever the pieces.  A row that becomes several events (at most
 *          SOUK_IMPORT_ROW_EVENTS) is put with row_open set, but for the last of them
 * Room     Texts of what is put lie in *sink->room, or live as long as the reader.  After each put sink->room may be
 *          another arena: what is begun must be taken from the new one
 * Faults   A record that cannot be taken is told to souk_import_put_fault, with its line and words, and the next one
 *          is read.  Others that have to wait for it are counted in sink->stayed_out.  An error that feed returns ends the import: the file is none of this format, or damaged
 * Threads  a reader belongs to one */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_FORMAT_H
#define SOUK_SERVICE_COLLECT_IMPORT_FORMAT_H

#include "core/product.h"
#include "service/collect/import.h"

enum { SOUK_IMPORT_BODY_BYTES = 30000 }; /* an event's own text is not longer than this */

enum { SOUK_IMPORT_ROW_EVENTS = 64 };

/* What is stored beside the log. */
typedef struct souk_import_entry {
    enum { SOUK_IMPORT_PRODUCT, SOUK_IMPORT_CONSENT, SOUK_IMPORT_STORE } kind;
    union {
        souk_product product;
        souk_consent_told consent;
        struct {
            souk_text code, text; /* text: as core/store.h has it */
        } store;
    };
} souk_import_entry;

typedef struct souk_import_fault {
    uint64_t line;         /* of the file, from 1; 0: told by row */
    const souk_diag *diag; /* what is wrong */
    souk_text
        text; /* the record as JSON: an erasure looks in it for whom it names (core/trace.h) */
} souk_import_fault;

typedef struct souk_import_sink souk_import_sink;
struct souk_import_sink {
    souk_mem *mem;
    const souk_hashes *hashes;
    uint32_t source;
    souk_time received;                 /* when the import began */
    const souk_import_options *options; /* never NULL */
    void *shared; /* of the format, for all files of a folder; zeroed at first */
    souk_arena *room;
    uint64_t rows;
    uint64_t
        stayed_out; /* rows that could be read, and wait for one of their order that could not */
    bool row_open;  /* more of this row will be put: what it becomes is stored together */
    /* the sink's own */
    souk_err (*event)(souk_import_sink *sink, uint64_t through, const souk_event *event,
                      souk_text body);
    souk_err (*entry)(souk_import_sink *sink, uint64_t through, const souk_import_entry *entry);
    souk_err (*fault)(souk_import_sink *sink, const souk_import_fault *fault);
};

/* body: the event as JSON, in the form of the Segment protocol or as its row has it; copied. */
static inline SOUK_CHECKED souk_err souk_import_put_event(souk_import_sink *sink, uint64_t through,
                                                          const souk_event *event, souk_text body)
{
    return sink->event(sink, through, event, body);
}
static inline SOUK_CHECKED souk_err souk_import_put_entry(souk_import_sink *sink, uint64_t through,
                                                          const souk_import_entry *entry)
{
    return sink->entry(sink, through, entry);
}
static inline SOUK_CHECKED souk_err souk_import_put_fault(souk_import_sink *sink, uint64_t line,
                                                          const souk_diag *diag, souk_text text)
{
    return sink->fault(sink, &(souk_import_fault){line, diag, text});
}

typedef struct souk_import_format {
    const char *name, *summary;
    size_t state_bytes; /* zeroed memory for one file's reading */
    souk_err (*begin)(void *state, souk_import_sink *sink, souk_diag *diag);
    /* The next bytes; `last` comes once, at the end, perhaps with no bytes. */
    souk_err (*feed)(void *state, souk_text piece, bool last, souk_diag *diag);
    /* Also of a state that begin refused. */
    void (*done)(void *state);
    /* Members of an open JSON object: how the file is read; NULL: nothing to tell.  After some feeding. */
    void (*tell)(const void *state, souk_json_writer *out);
    bool is_mapped, has_entries;
    /* A format of several files: which part a file is by its first bytes, in the order in which they are read,
     * from 1; 0: none of them.  NULL: one file is all. */
    unsigned (*part)(souk_text head);
    size_t shared_bytes;
    void (*shared_done)(void *shared, souk_mem *mem);
} souk_import_format;

/* NULL: there is none. */
const souk_import_format *souk_import_find(souk_text name);

extern const souk_import_format souk_import_online_retail, souk_import_tafeng,
    souk_import_complete_journey, souk_import_cdnow, souk_import_groceries, souk_import_orders,
    souk_import_products, souk_import_stores, souk_import_shoppers, souk_import_consents,
    souk_import_merchant_feed, souk_import_events, souk_import_poslog;

#endif
