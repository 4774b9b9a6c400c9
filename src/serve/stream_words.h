/* stream_words.h - an event's numbers as words: as filters see them, and as a message of the stream.
 *
 *     stream_words_facets(words, &fact, lines, &facets);
 *     stream_words_write(words, &fact, lines, NULL, &out);
 *
 *     id: 4711
 *     event: event
 *     data: {"position":4711,"at":"2026-…Z","received":"2026-…Z","type":"Product Viewed","source":"web",…}
 *
 * Names come from the catalogue once and are kept, written as JSON already, in tables of fixed size where the
 * last number that fell on a place stays.
 *
 * Memory   1.2 MiB and the names
 * Cost     a message of one product: about 0.4 us
 * Threads  one */
#ifndef SOUK_SERVE_STREAM_WORDS_H
#define SOUK_SERVE_STREAM_WORDS_H

#include "core/block.h"
#include "core/merchant.h"
#include "serve/stream_filter.h"

typedef struct stream_words stream_words;

/* The merchants and the index must outlive it. */
SOUK_CHECKED souk_err stream_words_new(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                                       const stream_index *index, stream_words **ret_words);
void stream_words_free(stream_words *words);
SOUK_AUTO(stream_words)

/* lines[fact->line_count]; of more than STREAM_FACET_PRODUCTS the first ones count. */
void stream_words_facets(stream_words *words, const souk_fact *fact, const souk_fact_line *lines,
                         stream_facets *ret_facets);

/* Appends the message.  text: what the source sent, JSON, empty where it is not kept, for a stream that may show
 * it; NULL: another stream. */
void stream_words_write(stream_words *words, const souk_fact *fact, const souk_fact_line *lines,
                        const souk_text *text, souk_buf *out);

#endif
