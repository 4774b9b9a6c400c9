/* spine.h - one open data folder, and the way of an event through it.
 *
 *     souk_auto(souk_spine) spine = NULL;
 *     SOUK_TRY(souk_spine_open(mem, disk, NULL, &spine, diag));
 *
 *     souk_batch batch = {.source = source, .events = events, .count = n, .done = answer};
 *     SOUK_TRY(souk_spine_submit(spine, &batch));     `answer` is called when it is durable
 *
 *     SOUK_TRY(souk_spine_close(spine));               where all went well; then free
 *
 * Spine    A door makes events (event.h).  The writer takes the batches that have gathered and, in one
 *          transaction: drops repeats, resolves identifiers to atoms, seals, appends blocks.  After the
 *          commit it folds them into the index; only then is `done` called with SOUK_OK, so whoever got a 2xx
 *          reads its own event.
 * Files    root.key, keys     (vault.h)    what opens sealed texts
 *          ledger, -wal, -shm (ledger.h)   the truth
 *          index, runs/                    derived: removed and made again by souk_spine_rebuild
 *          lock                            one owner per folder
 * Start    maps the newest snapshot and reads the log behind it; finishes a half-done erasure; then says
 *          ready.  Snapshots are written while the spine works, by a copy of the process.
 * Errors   SOUK_EBUSY: the queue is full, answer 503.  SOUK_EFULL: the disk is full, nothing of the batch is
 *          stored.  SOUK_EIO: the commit failed, nobody knows; stop the process and open again.
 * Threads  submit and all reads from any thread.  open, close, free, rebuild: alone. */
#ifndef SOUK_CORE_SPINE_H
#define SOUK_CORE_SPINE_H

#include "core/catalogue.h"
#include "core/consent.h"
#include "core/event.h"
#include "core/index.h"
#include "os/clock.h"
#include "os/disk.h"
#include "store/ledger.h"
#include "store/vault.h"

typedef struct souk_spine souk_spine;

typedef struct souk_spine_options { /* {0} is the sane default */
    const souk_clock *clock;        /* NULL: the machine's */
    souk_ledger_options ledger; /* .no_thread: everything happens in the caller, for simulations */
    /* What the ledger stands on; NULL: souk_ledger_open, by ledger.url a file of the folder or a server.  Another one keeps it elsewhere, and
     * the folder holds the keys and what is derived. */
    souk_ledger_opener *open_ledger;
    souk_vault_options vault;
    uint32_t runs_memory;  /* pairs in a memory table of the runs; 0: 16,384 */
    uint32_t queue_events; /* events that may wait; 0: 65,536 */
    /* Events in one transaction, but for a batch that has more; 0: 1,024, some 5 ms of work. */
    uint32_t group_events;
    /* A snapshot is written beside the work after so many events, or more where the index has grown
     * so large that snapshots would outweigh the log; 0: 500,000. */
    uint32_t snapshot_events;
    souk_err (*progress)(void *context, uint64_t done, uint64_t total); /* of the replay at open */
    void *progress_context;
} souk_spine_options;

/* Makes a new data folder: root key, key file, ledger.  SOUK_EEXIST: there is one. */
SOUK_CHECKED souk_err souk_spine_init(souk_mem *mem, souk_disk *disk,
                                      const souk_spine_options *options, souk_diag *diag);
/* SOUK_ELOCKED: another process owns the folder.  SOUK_ENOENT: none was made here.  SOUK_ECORRUPT: its
 * files are damaged, or the ledger is a file of no bytes beside an index. */
SOUK_CHECKED souk_err souk_spine_open(souk_mem *mem, souk_disk *disk,
                                      const souk_spine_options *options, souk_spine **ret_spine,
                                      souk_diag *diag);
/* Finishes what was submitted, writes a snapshot, closes the ledger. */
SOUK_CHECKED souk_err souk_spine_close(souk_spine *spine);
void souk_spine_free(souk_spine *spine); /* after close; or abandons, as a crash would */
SOUK_AUTO(souk_spine)

/* ---- writing ----------------------------------------------------------------------------------- */

typedef struct souk_batch souk_batch;
struct souk_batch {
    uint32_t source;          /* merchant.h; its merchant owns the products it names */
    const souk_event *events; /* [count], with everything they point to, until done */
    size_t count;
    const struct souk_reject
        *faults; /* [fault_count] of the same request, stored with the events */
    size_t fault_count;
    /* Called once, in the writer thread (or the caller's, without threads); keep it short. */
    void (*done)(souk_batch *batch, souk_err err);
    void *context;
    size_t accepted, repeats; /* told when done with SOUK_OK; accepted + repeats = count */
    souk_batch *next;         /* private */
    /* private: done by the writer before its group begins, perhaps again when that runs again */
    void (*settle)(souk_batch *batch);
};
/* SOUK_EBUSY, SOUK_ESTOPPED, SOUK_EIO: refused, `done` is not called. */
SOUK_CHECKED souk_err souk_spine_submit(souk_spine *spine, souk_batch *batch);
/* The same, waiting until it is durable. */
SOUK_CHECKED souk_err souk_spine_write(souk_spine *spine, souk_batch *batch);

/* False: everything happens in the caller (options.ledger.no_thread). */
bool souk_spine_is_threaded(const souk_spine *spine);

/* ---- the rooms ----------------------------------------------------------------------------------- */

const souk_hashes *souk_spine_hashes(const souk_spine *spine);
const souk_clock *souk_spine_clock(const souk_spine *spine);
souk_ledger *souk_spine_ledger(souk_spine *spine);
souk_vault *souk_spine_vault(souk_spine *spine);
souk_index *souk_spine_index(souk_spine *spine);
souk_catalogue *souk_spine_catalogue(souk_spine *spine);
souk_consent *souk_spine_consent(souk_spine *spine);
struct souk_rejects *souk_spine_rejects(souk_spine *spine); /* reject.h */
souk_disk *souk_spine_disk(souk_spine *spine);
/* The position the next event will get; the first is 1. */
uint64_t souk_spine_end(souk_spine *spine);

/* A new source in the caller's transaction: whose it is and what it states, for ever (merchant.h); for whom it speaks
 * can be changed.  After the commit tell the spine with souk_spine_know_source. */
SOUK_CHECKED souk_err souk_spine_new_source(souk_tx *tx, uint32_t merchant, uint16_t bases,
                                            souk_age age, souk_speaks speaks, uint32_t *ret_source);
void souk_spine_know_source(souk_spine *spine, uint32_t source, uint32_t merchant, uint16_t bases,
                            souk_age age, souk_speaks speaks);
/* From its next event on; what was granted stands.  After the commit tell the spine. */
SOUK_CHECKED souk_err souk_spine_change_speaks(souk_tx *tx, uint32_t source, souk_speaks speaks);
void souk_spine_know_speaks(souk_spine *spine, uint32_t source, souk_speaks speaks);

/* ---- people (people.h has the words for shells and pages) ------------------------------------------ */

/* The person behind an identifier: (SOUK_ID_PUBLIC takes 32 hexadecimal digits).  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_spine_find(souk_spine *spine, souk_id_kind kind, souk_text value,
                                      souk_person *ret_person);
/* The public id of a shopper as 32 hexadecimal digits and NUL.  SOUK_ENOENT, SOUK_EERASED. */
SOUK_CHECKED souk_err souk_spine_public_id(souk_spine *spine, uint32_t shopper, char ret_id[33]);

/* A person's decision that two shoppers are one, or that they are not after all: it names the merge
 * that it undoes.  by: who decided; both are kept.  SOUK_EEXIST: they are one already.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_spine_merge(souk_spine *spine, uint32_t shopper_a, uint32_t shopper_b,
                                       souk_text by, souk_text reason);
/* Undoes every standing merge decision that names the shopper. */
SOUK_CHECKED souk_err souk_spine_unmerge(souk_spine *spine, uint32_t shopper, souk_text by,
                                         souk_text reason);

/* Consent given or withdrawn for the person as she is today; see consent.h for where rows go. */
SOUK_CHECKED souk_err souk_spine_consent_record(souk_spine *spine, const souk_person *person,
                                                const souk_consent_row *row, souk_age age);

/* What a list says of one person: who she is, and a row without its atom and purpose. */
typedef struct souk_consent_told {
    souk_id_kind kind;
    souk_text value;      /* normalised (event.h) */
    souk_text purpose;    /* a word: "profile", "share:nestle"; a new party becomes a purpose */
    souk_consent_row row; /* its `from` says when she said so */
    souk_age age;
} souk_consent_told;
enum { SOUK_CONSENTS_TOLD = 2000 };
/* Records a list, for imports: in its order, in one transaction, each once.  By the times that the rows tell, a row
 * that stands already, or that a newer one of the same atom, controller and purpose has overtaken, is passed over with
 * its age: an old list brings no old yes back.  A grant stays on the atom of the identifier, a withdrawal goes to every
 * atom of the person.  Whom nobody knows is passed over.
 * told: [count], at most SOUK_CONSENTS_TOLD.  SOUK_EINVAL: a row that souk_consent_apply refuses; nothing is stored. */
SOUK_CHECKED souk_err souk_spine_consents_record(souk_spine *spine, const souk_consent_told *told,
                                                 size_t count, size_t *ret_stored);

/* Erases the person: log entry, keys destroyed and synced, identifiers removed from ledger, memory and
 * snapshot, blocks that hold her events rewritten without atom and text; then returns.
 * ret_events: how many events lost their person.  From the log entry on she is found no more, and her next
 * event begins a new history.
 * SOUK_EFULL, SOUK_ENOMEM: nothing has happened yet, or it is half done: the keeper's thread goes on. */
SOUK_CHECKED souk_err souk_spine_erase(souk_spine *spine, const souk_person *person,
                                       uint64_t *ret_events);
/* The public ids that whoever the log's entry at this position erased was known by outside: 32 digits each, one behind
 * the other; none: a visitor, or it was more than SOUK_ERASED_TOLD_MS ago. */
#define SOUK_ERASED_TOLD_MS ((souk_time)31 * 24 * 3600 * 1000)
SOUK_CHECKED souk_err souk_spine_erased_ids(souk_spine *spine, uint64_t position,
                                            souk_buf *ret_ids);
/* Older ones go; each erasure does so, too. */
SOUK_CHECKED souk_err souk_spine_erased_forget(souk_spine *spine, souk_tx *tx);
/* Goes on now with what is half done.  SOUK_OK: no erasure is. */
SOUK_CHECKED souk_err souk_spine_erase_rest(souk_spine *spine);

/* The list of erasures as a file of its own, one line each: "atom slot shopper at position"; the data folder
 * keeps one up to date, since a restored ledger needs a list newer than itself. */
SOUK_CHECKED souk_err souk_spine_erasures_write(souk_spine *spine, souk_disk *to, const char *name);
/* Erases again whom the list names and this (older) ledger still knows.  SOUK_ENOENT: no list. */
SOUK_CHECKED souk_err souk_spine_erasures_replay(souk_spine *spine, const char *name);

/* ---- reading ------------------------------------------------------------------------------------- */

/* A person's sums: over the atoms, unordered keys of index.h, each once. */
typedef struct souk_profile {
    souk_time first_at, last_at; /* first > last: no events */
    size_t count;
    souk_count *counts; /* [count], in the arena */
} souk_profile;
/* SOUK_EDENIED: the grant does not cover this person. */
SOUK_CHECKED souk_err souk_spine_profile(souk_spine *spine, const souk_person *person,
                                         const souk_grant *grant, souk_arena *arena,
                                         souk_profile *ret_profile);

/* One event of a timeline, its text unpacked. */
typedef struct souk_story {
    souk_fact fact;
    const souk_fact_line *lines; /* [fact.line_count] */
    souk_text text;              /* what the source sent */
} souk_story;
/* The newest `limit` events below before_position (UINT64_MAX: all), newest first, in the arena.  Fewer, but at
 * least one, where their texts reach SOUK_TIMELINE_BYTES: what one answer takes has a ceiling. */
enum { SOUK_TIMELINE_BYTES = 4 << 20 };
SOUK_CHECKED souk_err souk_spine_timeline(souk_spine *spine, const souk_person *person,
                                          const souk_grant *grant, uint64_t before_position,
                                          size_t limit, souk_arena *arena, souk_story **ret_stories,
                                          size_t *ret_count);

/* The identifiers of a person with where they came from, in the arena. */
typedef struct souk_tie {
    souk_id_kind kind;
    souk_text value;
    uint32_t atom;
    uint64_t position; /* of the event that made the link */
    bool moved;        /* led to her once, see SOUK_LINK_MOVED */
} souk_tie;
SOUK_CHECKED souk_err souk_spine_ties(souk_spine *spine, const souk_person *person,
                                      const souk_grant *grant, souk_arena *arena,
                                      souk_tie **ret_ties, size_t *ret_count);

/* ---- upkeep --------------------------------------------------------------------------------------- */

/* Makes everything derived again from the log, with progress.  After an error nothing derived is there: every
 * other call gets SOUK_EIO until a rebuild succeeds; close leaves the rest to the next open. */
SOUK_CHECKED souk_err souk_spine_rebuild(souk_spine *spine, souk_ledger_progress *progress,
                                         void *context);
/* Folds the log anew beside what is there and compares every atom, identifier, counter, total, repeat and
 * timeline; checks ledger and keys.  Writing goes on meanwhile: each part is compared as it was at one moment.
 * SOUK_ECORRUPT with the first difference in diag.  Memory: a second index. */
SOUK_CHECKED souk_err souk_spine_verify(souk_spine *spine, souk_ledger_progress *progress,
                                        void *context, souk_diag *diag);
/* Writes the snapshot now; nothing may be under way. */
SOUK_CHECKED souk_err souk_spine_snapshot(souk_spine *spine);
/* One step of background work (sorting runs, making keys, a snapshot that is due); the keeper's thread
 * calls it, and so does a simulation without threads. */
SOUK_CHECKED souk_err souk_spine_work(souk_spine *spine, bool *ret_did);

/* SOUK_EIO once the disk has failed a commit, a key or the background's work (what is stored then is not
 * known), or a rebuild has failed: stop the process and open again.  SOUK_OK before. */
souk_err souk_spine_failed(souk_spine *spine);

typedef struct souk_spine_counters {
    uint64_t events, repeats, groups, blocks, quarantined;
    uint64_t rejects_dropped; /* went at the ceiling, see reject.h */
    uint64_t block_bytes, packed_bytes;
    uint64_t queued_events;
    uint64_t snapshots, snapshots_failed, snapshot_through; /* position */
    souk_index_bytes memory;
    uint64_t runs_memory_bytes, runs_file_bytes;
    souk_ledger_counters ledger;
} souk_spine_counters;
void souk_spine_count(souk_spine *spine, souk_spine_counters *ret_counters);

#endif
