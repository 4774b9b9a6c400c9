/* stream_filter.h - who wants this event?  Filters, filed under the rarest name that each asks for.
 *
 *     stream_want *want;
 *     SOUK_TRY(stream_index_add(index, &filter, channel, &want));
 *
 *     stream_facets facets = {.merchant = 1, .type = stream_index_name(index, STREAM_TYPE, text), …};
 *     stream_index_match(index, &facets, take, context);          take(context, channel), each once
 *
 * A filter that names a product is filed there, else under its store, its source, its types; one that names
 * nothing wants everything.  An event looks into its own four drawers only: five hundred filters for five
 * hundred stores cost it one look, not five hundred.  Names that no filter asks for are not kept, so whoever
 * keeps what stream_index_name gave asks again when stream_index_edition has changed.
 *
 * Cost     a match: a step for each filter in the drawers of the event
 * Threads  one */
#ifndef SOUK_SERVE_STREAM_FILTER_H
#define SOUK_SERVE_STREAM_FILTER_H

#include "base/hash.h"
#include "base/text.h"

enum { STREAM_FILTER_TYPES = 16, STREAM_FACET_PRODUCTS = 256 };

typedef enum stream_kind {
    STREAM_TYPE,
    STREAM_SOURCE,
    STREAM_STORE,
    STREAM_PRODUCT,
    STREAM_KINDS
} stream_kind;

/* Every condition must hold, and of several types one. */
typedef struct stream_filter {
    uint32_t merchant;                    /* whose events; 0: everybody's */
    souk_text types[STREAM_FILTER_TYPES]; /* [type_count] */
    size_t type_count;                    /* 0: any */
    souk_text source, store, product;     /* empty: any */
} stream_filter;

typedef struct stream_index stream_index;
typedef struct stream_name stream_name; /* a text that some filter asks for */
typedef struct stream_want stream_want; /* a filter in the index */

SOUK_CHECKED souk_err stream_index_new(souk_mem *mem, stream_index **ret_index);
void stream_index_free(stream_index *index);
SOUK_AUTO(stream_index)

/* The texts are copied. */
SOUK_CHECKED souk_err stream_index_add(stream_index *index, const stream_filter *filter,
                                       void *owner, stream_want **ret_want);
/* The same, in no drawer: it is asked alone, with stream_want_fits. */
SOUK_CHECKED souk_err stream_index_add_alone(stream_index *index, const stream_filter *filter,
                                             stream_want **ret_want);
/* NULL is fine. */
void stream_index_remove(stream_index *index, stream_want *want);

/* NULL: no filter asks for it. */
const stream_name *stream_index_name(const stream_index *index, stream_kind kind, souk_text text);
/* Another number after each name that came or went. */
uint32_t stream_index_edition(const stream_index *index);

/* An event as filters see it; NULL: a name that none of them asks for. */
typedef struct stream_facets {
    uint32_t merchant;
    const stream_name *type, *source, *store;
    const stream_name *products[STREAM_FACET_PRODUCTS]; /* [product_count] */
    size_t product_count;
} stream_facets;

bool stream_want_fits(const stream_want *want, const stream_facets *facets);
void stream_index_match(stream_index *index, const stream_facets *facets,
                        void (*take)(void *context, void *owner), void *context);

#endif
