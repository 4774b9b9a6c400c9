/* spine_private.h - the rooms of an open data folder, shared by the spine_*.c files. */
#ifndef SOUK_CORE_SPINE_PRIVATE_H
#define SOUK_CORE_SPINE_PRIVATE_H

#include "core/log.h"
#include "core/pack.h"
#include "core/product.h"
#include "core/quarantine.h"
#include "core/reject.h"
#include "core/resolve.h"
#include "core/runs.h"
#include "core/spine.h"
#include "os/thread.h"

enum {
    SPINE_BLOCK_EVENTS = 256, /* small enough to read one event of it in some ten microseconds */
    SPINE_SOURCES = 65536,
    SPINE_EVENT_ATOMS = 16, /* an event ties to at most: its own, and two for each device id */
};

/* What a sealed text is of; part of its associated data, never changed. */
enum spine_class {
    SPINE_CLASS_EVENT = 1,
    SPINE_CLASS_EDGE = 2,
    SPINE_CLASS_DECISION = 4,
    SPINE_CLASS_ERASED = 6, /* public ids of the erased; 5: answers of serve/idempotency.c */
};

/* A pair for the timeline runs: an event of the atom, or (odd) a link that concerns it. */
static inline uint64_t spine_timeline_event(uint64_t position)
{
    return position * 2;
}
static inline uint64_t spine_timeline_link(uint64_t position)
{
    return position * 2 + 1;
}

struct spine_pair {
    uint64_t key, value;
};

struct spine_source {
    uint32_t merchant;
    uint16_t bases;
    uint8_t age, speaks;
};

/* What one event ties to one atom, on its way into the block. */
struct spine_edge {
    uint32_t slot, atom;
    uint64_t position;
    souk_buf plain; /* sealed in place at the end */
};

/* Positions of events whose sums did not fit, on their way into the quarantine. */
enum { SPINE_UNFIT = 4096 };
struct spine_unfit {
    souk_mutex mutex;
    uint64_t positions[SPINE_UNFIT];
    souk_err why[SPINE_UNFIT];
    size_t count;
};

/* What one run of the writer has in hand: the batches taken, and what became of their events. */
struct spine_group {
    souk_job job;
    bool out;                  /* submitted, or running, or held */
    bool held;                 /* until the keeper has sorted what waits */
    souk_batch *first, **last; /* taken from the queue, kept when the transaction runs again */
    souk_block_maker *maker;
    souk_packer *packer;
    unsigned char prefix[SOUK_BLOCK_PREFIX];
    uint64_t block_first, next; /* positions: of the block being made, of the next event */
    souk_fact *facts;
    size_t fact_count, fact_capacity;
    souk_fact_line *lines;
    size_t line_count, line_capacity;
    uint64_t *keys, *found; /* of the batch in hand, for the repeats */
    size_t key_capacity, found_capacity;
    struct spine_pair *pairs; /* edges, for the timeline */
    size_t pair_count, pair_capacity;
    souk_hash128 *messages; /* [fact_count]: identities of what was accepted */
    size_t message_capacity;
    uint32_t *set; /* open addressing over messages, 0: free, else number + 1 */
    size_t set_capacity;
    struct spine_edge edges[SPINE_EVENT_ATOMS]; /* of the event in hand */
    size_t edge_count;
    souk_buf bytes, value;
    souk_consent_change consent; /* what persons say with their events */
    souk_person person;          /* scratch */
};

/* The message hashes of a block read lately: repeats come in runs. */
struct spine_recent {
    uint64_t first;
    size_t count;
    souk_buf hashes;
};
enum { SPINE_RECENT = 16, SPINE_PACKERS = 8 };

struct souk_spine {
    souk_mem *mem;
    souk_disk *disk;
    const souk_clock *clock;
    souk_spine_options options;
    souk_vault *vault;
    souk_ledger *ledger;
    souk_catalogue *catalogue;
    souk_consent *consent;
    souk_rejects *rejects;
    souk_index *index;
    souk_runs *seen, *timeline;
    souk_hashes hashes;
    souk_rwlock sources_lock;
    struct spine_source *sources; /* [SPINE_SOURCES] */

    souk_mutex queue_mutex;
    souk_batch *queue, **queue_end;
    uint64_t queued_events;
    bool stopping;
    struct spine_group group;
    struct spine_recent recent[SPINE_RECENT];
    size_t recent_at;
    souk_mutex packers_mutex;
    souk_packer *packers[SPINE_PACKERS]; /* resting, their buffers grown */
    size_t packer_count;
    souk_buf seal_room;   /* of the writer */
    uint64_t end;         /* position after the last committed event; atomic */
    uint32_t erased_type; /* number of the event type that the log's erasures have */

    struct spine_unfit unfit;
    souk_thread keeper;
    souk_mutex keeper_mutex;
    souk_cond keeper_wake;
    bool keeper_stop, keeper_poked;
    struct spine_snapshot {
        enum spine_snapshot_state {
            SPINE_SNAPSHOT_NONE,
            SPINE_SNAPSHOT_WANTED, /* by the keeper: the writer makes the copy behind its group */
            SPINE_SNAPSHOT_FORKING,
            SPINE_SNAPSHOT_COPYING, /* the copy writes the image */
            SPINE_SNAPSHOT_SAVING,  /* the keeper writes the file */
            SPINE_SNAPSHOT_FAILED,
        } state; /* under keeper_mutex */
        long pid;
        souk_file *image;        /* in memory */
        uint64_t saved_bytes;    /* of it, in the file */
        int64_t rest_until_ns;   /* then the next piece */
        uint64_t wanted_through; /* of the one under way */
        uint64_t through;        /* of the last one, or of the last attempt */
        uint64_t count, failed;  /* atomic */
    } snapshot;
    bool keeper_failed;        /* the disk failed its work; atomic */
    souk_mutex snapshot_mutex; /* held while the snapshot file is written or edited */
    souk_mutex decision_mutex; /* one merge, un-merge or erasure at a time */
    bool half_made;            /* a rebuild failed: what is derived is not there; atomic */
    bool half_erased;          /* an erasure failed after its log entry; atomic */
    /* Atoms that came to be an erased shopper's while she was: erased in memory, their rows still to be
     * stored.  Changed by the writer within an erasure, and by the erasure itself. */
    struct spine_late {
        uint32_t atom, slot, shopper;
    } * late;
    size_t late_count, late_capacity;

    uint64_t events, repeats, groups, blocks, quarantined, block_bytes, packed_bytes; /* atomic */
};

/* spine_keep.c: the thread that works behind the writer. */
/* Notes that an event did not fit the index; the keeper writes it down. */
void spine_unfit_note(souk_spine *spine, uint64_t position, souk_err why);
/* Writes down what was noted, before a snapshot passes over it. */
SOUK_CHECKED souk_err spine_unfit_write(souk_spine *spine);
bool spine_unfit_is_empty(souk_spine *spine);
#define SPINE_INDEX_FILE "index"
SOUK_CHECKED souk_err spine_keeper_start(souk_spine *spine);
void spine_keeper_stop(souk_spine *spine);
void spine_keeper_poke(souk_spine *spine);
/* Behind each group, in the writer's thread: the moment at which all of the index is committed. */
void spine_keeper_group_ended(souk_spine *spine);

/* spine_group.c: a group without events, where none is under way; one that is held, once the keeper is no longer
 * behind, or `anyway`. */
void spine_group_kick(souk_spine *spine);
void spine_group_resume(souk_spine *spine, bool anyway);
SOUK_CHECKED souk_err spine_group_init(souk_spine *spine);
void spine_group_done(souk_spine *spine);

/* A packer for one call, and its return. */
SOUK_CHECKED souk_err spine_packer_take(souk_spine *spine, souk_packer **ret_packer);
void spine_packer_put(souk_spine *spine, souk_packer *packer);

/* spine_link.c: an edge's sealed text, written and read. */
void spine_edge_begin(struct spine_edge *edge, const souk_link *link, uint64_t block_first);
SOUK_CHECKED souk_err spine_edge_add(struct spine_edge *edge, const souk_link *link,
                                     souk_text value, souk_packer *packer, souk_buf *room);
SOUK_CHECKED souk_err spine_edge_seal(souk_spine *spine, struct spine_edge *edge,
                                      const unsigned char *prefix, uint64_t block_first,
                                      size_t edge_index);
/* Calls each with every link of an edge and its value (a public id: 16 bytes; a claim: none).
 * SOUK_EERASED: its key is gone. */
typedef souk_err spine_edge_each(void *context, const souk_link *link, souk_text value);
SOUK_CHECKED souk_err spine_edge_links(souk_spine *spine, const souk_block *block,
                                       size_t edge_index, spine_edge_each *each, void *context);

/* spine_source.c: reads the sources; folds need to know what each one states. */
SOUK_CHECKED souk_err spine_sources_open(souk_spine *spine, souk_diag *diag);

/* spine_open.c: SOUK_EIO where a rebuild failed half way. */
SOUK_CHECKED souk_err spine_check(const souk_spine *spine);
/* spine_open.c: reads a block's edges, applies their links to the index (NULL: not), and tells the pairs
 * that the timeline has for them, ret_pairs[edge_count]. */
SOUK_CHECKED souk_err spine_replay_edges(souk_spine *spine, souk_index *index,
                                         const souk_block *block, struct spine_pair *ret_pairs,
                                         size_t *ret_count);
/* Reads the standing merge decisions into an index. */
SOUK_CHECKED souk_err spine_load_groups(souk_spine *spine, souk_index *index);

/* spine_read.c: where a person's events and links stand (or her links only), ascending, perhaps twice;
 * the caller frees them with the spine's mem. */
SOUK_CHECKED souk_err spine_positions(souk_spine *spine, const souk_person *person, bool links_only,
                                      uint64_t **ret_positions, size_t *ret_count);

/* Calls each with every link of every edge in the blocks that hold these ascending positions; erased edges
 * are left out. */
SOUK_CHECKED souk_err spine_read_links(souk_spine *spine, souk_tx *tx, const uint64_t *positions,
                                       size_t count, spine_edge_each *each, void *context);

/* spine_erase.c: goes on with erasures that a crash cut off; tells the index about all of them. */
SOUK_CHECKED souk_err spine_erase_migrate(souk_spine *spine, souk_diag *diag);
/* Before the log is read it marks; afterwards it also makes sure that no number is given twice. */
SOUK_CHECKED souk_err spine_erase_known(souk_spine *spine, souk_index *index, bool log_is_read);
SOUK_CHECKED souk_err spine_erase_finish(souk_spine *spine);
/* Where an atom's edges stand, in the arena. */
SOUK_CHECKED souk_err spine_erase_links(souk_spine *spine, souk_arena *arena, uint32_t atom,
                                        uint64_t **ret_links, size_t *ret_count);
/* Removes the erased shoppers' decisions, in a transaction of the writer. */
SOUK_CHECKED souk_err spine_forget_decisions(souk_tx *tx, uint32_t shopper);
SOUK_CHECKED souk_err spine_people_migrate(souk_spine *spine, souk_diag *diag);
/* spine_link.c: a link of the event in hand, applied to the index at once (resolve.h); and, once the event is
 * resolved, one edge, one seal, for each atom it tied something to. */
SOUK_CHECKED souk_err spine_write_link(void *spine, const souk_link *link, souk_text value);
SOUK_CHECKED souk_err spine_write_edges(souk_spine *spine);
/* nonce[24], then the words sealed under the key of an atom, appended. */
SOUK_CHECKED souk_err spine_seal_words(souk_spine *spine, uint32_t number, souk_text by,
                                       souk_text reason, souk_buf *words);
/* The same under the key of a slot, with a nonce that it never had. */
SOUK_CHECKED souk_err spine_seal_words_of(souk_spine *spine, uint32_t slot,
                                          const unsigned char nonce[SOUK_NONCE], souk_text by,
                                          souk_text reason, souk_buf *words);
/* spine_consent.c: what the person says with the event about her data, into the group's transaction. */
SOUK_CHECKED souk_err spine_consent_event(souk_spine *spine, souk_tx *tx, const souk_event *event,
                                          const souk_fact *fact);
/* The groups again, after a decision; takes the index's lock. */
SOUK_CHECKED souk_err spine_regroup(souk_spine *spine);

#endif
