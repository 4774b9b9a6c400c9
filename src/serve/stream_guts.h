/* stream_guts.h - what the files of the stream share; nobody else includes it.
 *
 *     stream.c           the service: requests become listeners; counters
 *     stream_tail.c      the thread: rounds, blocks, who is in them
 *     stream_channel.c   channels and listeners: what they are told
 *     stream_shopper.c   streams of one shopper
 *     stream_words.c     an event as a message
 *     stream_filter.c    filters in drawers
 *     stream_ticket.c    passes for browsers
 *
 * A channel is a filter, a rate and a place in the log, with the listeners that share them.  While it is live its
 * place is that of the thread.  One that comes from further back has one listener and waits for it; when it has
 * caught up, its listener joins the live channel of the same filter, or it becomes that.
 *
 * A request makes a channel with one listener, begins the answer and hands both to the thread, which owns all of
 * them from then on.  Loops only set the two flags of a listener. */
#ifndef SOUK_SERVE_STREAM_GUTS_H
#define SOUK_SERVE_STREAM_GUTS_H

#include "os/thread.h"
#include "serve/http.h"
#include "serve/stream_filter.h"
#include "serve/stream_ticket.h"
#include "serve/stream_words.h"

enum {
    STREAM_LISTENERS = 1000,
    STREAM_SHOPPERS = 64,
    STREAM_BACK = 100000,  /* positions that are read again */
    STREAM_STORIES = 1000, /* of a shopper, the same */
    STREAM_RATE = 1000,    /* events a second, where nothing is said */
    STREAM_RATE_MOST = 10000,
    STREAM_PIECE_BYTES = 65536,    /* a chunk is sent off at */
    STREAM_TEXT_BYTES = 128 << 10, /* a longer text of an event is left out */
    STREAM_QUIET_MS = 15000,
    STREAM_CHECK_MS = 500,  /* between looks at tokens */
    STREAM_RETRY_MS = 2000, /* what a browser waits before it comes back */
    STREAM_ROUND_MS = 20,
    STREAM_ROUND_MOST_MS = 200,
    STREAM_OLD_BLOCKS = 32, /* read in a round for who comes from further back */
};

typedef struct stream_listener stream_listener;
typedef struct stream_channel stream_channel;
typedef struct stream_service stream_service;

struct stream_listener {
    stream_listener *next, **at; /* in the channel */
    stream_channel *channel;
    souk_http_stream *stream;
    bool gone, draining; /* atomic, set by a loop */
    stream_pass pass;
    int64_t told_ms;                        /* when it last was told anything */
    uint64_t lost, lost_from, lost_through; /* events it was too slow for */
    bool touched;                           /* in this round: to be flushed */
};

/* One shopper's stream. */
typedef struct stream_shopper {
    souk_id_kind kind;
    souk_purpose purpose;
    uint32_t controller;
    souk_text value;
    uint32_t *atoms; /* [atom_count]: hers as of the last look */
    size_t atom_count, atom_capacity;
    bool hit; /* one of hers came by */
} stream_shopper;

struct stream_channel {
    stream_channel *next, **at; /* of the service; at NULL: not with it yet */
    stream_service *service;
    stream_listener *listeners;
    souk_buf key;         /* filter and rate as bytes: channels of one key may be joined */
    stream_filter filter; /* its texts lie in the key */
    stream_want *want;
    stream_shopper *shopper; /* NULL: everybody's */
    uint64_t place;          /* the next position it takes */
    bool live;
    bool feeding;    /* takes part in the block in hand */
    bool dirty;      /* something is to be told */
    souk_buf out;    /* messages */
    size_t out_told; /* bytes of them that are chunks already; who waits for its listener */
    souk_http_chunk *pending;                   /* that its listener had no room for; likewise */
    uint64_t out_events, out_from, out_through; /* events in out */
    uint32_t rate;
    int64_t tokens_milli, refilled_ms;
    uint64_t skipped, skipped_from, skipped_through;
};

typedef struct stream_counts {
    uint64_t listeners; /* now */
    uint64_t shoppers;  /* now, of these */
    uint64_t opened, refused, told, skipped_rate, skipped_slow, gaps, blocks, rounds, behind;
} stream_counts;

struct stream_service {
    souk_mem *mem;
    souk_spine *spine;
    souk_merchants *merchants;
    const souk_clock *clock;
    stream_tickets tickets;
    stream_counts counts; /* atomic */
    souk_thread thread;
    souk_mutex mutex; /* of what follows */
    souk_cond wake;
    bool started, stopping;
    stream_channel *arrivals;
    /* The thread's own: */
    stream_index *index;
    stream_words *words;
    stream_facets facets; /* of the event in hand */
    stream_channel *channels;
    uint64_t place; /* of live channels */
    size_t live_count;
    int64_t now_ms, checked_ms;
    size_t touched;         /* listeners, in this round */
    souk_buf message;       /* the event in hand, once somebody wants it */
    souk_http_chunk *quiet; /* what quiet listeners are told in this round */
    /* Shoppers: their atoms, open addressing; and as of when. */
    struct stream_hers {
        uint32_t atom; /* 0: free */
        stream_channel *channel;
    } * hers;
    size_t hers_capacity;
    uint64_t hers_end, hers_epoch;
    int64_t hers_ms;
    souk_person *person; /* a scratch of 16 KiB */
};

#define STREAM_COUNT(service, field, n) \
    __atomic_fetch_add(&(service)->counts.field, (n), __ATOMIC_RELAXED)

/* ---- stream_channel.c ------------------------------------------------------------------------ */
/* A channel that says what the key says, with no listener; the shopper's value, too, lies in the key. */
void stream_channel_free(stream_channel *channel);
/* The thread's: files its filter.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err stream_channel_join(stream_service *service, stream_channel *channel);
/* Now with the others at the service's place. */
void stream_channel_go_live(stream_channel *channel);
/* The same, where there is one with this key: its listener goes there, and it is freed. */
void stream_channel_merge(stream_channel *channel);

/* The message in hand, which has one event. */
void stream_channel_take(stream_channel *channel, souk_text message, uint64_t position);
/* Positions that are not told. */
void stream_channel_gap(stream_channel *channel, uint64_t from, uint64_t through);
/* Hands what there is to the listeners.  False: one that it waits for has no room yet. */
bool stream_channel_tell(stream_channel *channel);
/* Whether it waits for its listener instead of passing over it. */
static inline bool stream_channel_is_patient(const stream_channel *channel)
{
    return !channel->live || channel->shopper;
}

/* Says why, ends the answer, frees the listener, and its channel with the last one. */
void stream_listener_end(stream_listener *listener, const char *why);
/* Flags, deadlines of silence, tokens (where check).  The listener may be gone afterwards. */
void stream_listener_look(stream_listener *listener, bool check);

/* ---- stream_shopper.c ------------------------------------------------------------------------ */
/* Who it is, and whether that may be shown.  SOUK_ENOENT, SOUK_EDENIED with words. */
SOUK_CHECKED souk_err stream_shopper_ask(souk_spine *spine, stream_shopper *shopper,
                                         souk_person *person, souk_grant *ret_grant,
                                         souk_diag *diag);
/* Asks again where something may have changed; ends the streams of those who are not shown any more. */
void stream_shoppers_look(stream_service *service, uint64_t end);
/* Whose event it is: marks her channels. */
void stream_shoppers_hit(stream_service *service, uint32_t atom);
/* Tells the events of marked channels up to the service's place. */
void stream_shoppers_tell(stream_service *service);
/* A channel goes: the table that names it is made anew by the next look. */
void stream_shoppers_forget(stream_service *service);
void stream_shopper_free(stream_service *service, stream_shopper *shopper);

/* ---- stream_tail.c --------------------------------------------------------------------------- */
/* The thread, started by the first listener. */
SOUK_CHECKED souk_err stream_tail_start(stream_service *service);
/* The arrival is the thread's now. */
void stream_tail_add(stream_service *service, stream_channel *channel);
/* Ends the thread and what is left. */
void stream_tail_stop(stream_service *service);

#endif
