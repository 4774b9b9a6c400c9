/* runs.h - pairs (key, value) sorted in the background: has this message come, and what did she do?
 *
 *     souk_auto(souk_runs) seen = NULL;
 *     SOUK_TRY(souk_runs_open(mem, disk, "seen", &(souk_runs_options){.filter = true}, &seen));
 *     for each event of the log from souk_runs_through(seen) on: add it again, as below
 *
 *     the writer, for each group:                     the background thread:
 *         souk_runs_find_batch(seen, keys, n, values);    do
 *         souk_runs_reserve(seen, n);                         err = souk_runs_work(seen, &did);
 *         ... commit ...                                  while (!err && did && !stopping);
 *         souk_runs_add(seen, key, position);  n times
 *         souk_runs_group(seen, next_position);
 *
 *     a reader, the newest 50 of one atom:
 *         souk_runs_view view;
 *         souk_runs_view_init(runs, &view);
 *         err = souk_runs_last(&view, atom, UINT64_MAX, 50, values, &count);
 *         souk_runs_view_done(&view);
 *
 * Used twice: "seen" (key: first 64 bits of a message-id hash, value: log position, with a filter)
 * and "timeline" (key: atom, value: position * 2 + flag).  Derived data: the log makes it again.
 *
 * A pair is a member of a set: adding it again is the same as once (counts may see both until a
 * merge).  One key has any number of values, and two messages may share 64 bits: the caller
 * confirms what it finds against the log.  Keys of a filtered set must be hashes (bloom.h);
 * UINT64_MAX is no value.
 *
 * Shape    a memory table of memory_count pairs (26 bytes each); full, it waits to be sorted into a
 *          file "runs/<name>-<number>" of tier 0; 8 files of a tier become one of the next, so N
 *          pairs are written log8(N / memory_count) + 1 times and lie in about 20 files at most.
 *          A file is { head | filter | index | blocks of 128 pairs }, see run_file.h.
 *          "runs/<name>-manifest" names the live files and `through`.
 * Promise  every pair added before souk_runs_group(through) is in the files when souk_runs_through
 *          says so; a power cut at any moment leaves files that open and keep it (tested at every
 *          operation).  Files no manifest names are removed at open.
 * Disk     per pair, measured at 10 M pairs: "seen" 10.7 bytes with its filter, "timeline" 4.0
 * Memory   26 bytes a pair in tables (the live one, the next, those that wait), 32 more while one
 *          is sorted; file pages are the system's
 * Errors   SOUK_ECORRUPT from open, verify or any read: a checksum does not fit.  Free it, then
 *          souk_runs_reset and open, and add the log from the start.
 *          Every block is checked when first read since open.  A file cut short or a failing disk
 *          under a mapped page stops the process (SIGBUS), as it would stop any mapped database.
 * Cost     add: two cache misses.  A key not there: one cache line a file.  A key found: about six.
 * Source   O'Neil, Cheng, Gawlick, O'Neil, "The log-structured merge-tree", Acta Informatica 1996
 * Threads  add, reserve, group, freeze: one writer.  work: one thread at a time, beside the writer.
 *          Everything else: any thread at any time, without a lock of the caller's; a view is fixed
 *          at its init: it sees all adds before and none after. */
#ifndef SOUK_CORE_RUNS_H
#define SOUK_CORE_RUNS_H

#include "os/disk.h"

#define SOUK_RUNS_NONE UINT64_MAX

enum {
    SOUK_RUNS_NAME = 40,   /* bytes of a name, letters and digits */
    SOUK_RUNS_FILES = 256, /* at most */
    SOUK_RUNS_WAITING = 4, /* full tables waiting for souk_runs_work, at most */
    SOUK_RUNS_FAN = 8,
};

typedef struct souk_runs souk_runs;

typedef struct souk_runs_options {
    bool filter;           /* 12 bits a pair that answer "not there" */
    uint32_t memory_count; /* pairs in a memory table, at most 2^24; 0: 16,384 */
    uint32_t fan;          /* files of a tier that merge, 2 to 8; 0: SOUK_RUNS_FAN */
} souk_runs_options;

/* Opens or makes the set.  The disk outlives it.  Options may differ from those before: they are
 * for new tables and files.
 * SOUK_EINVAL: name or options.  SOUK_ECORRUPT: rebuild.  SOUK_EVERSION.  SOUK_ENOMEM, SOUK_EIO. */
SOUK_CHECKED souk_err souk_runs_open(souk_mem *mem, souk_disk *disk, const char *name,
                                     const souk_runs_options *options, souk_runs **ret_runs);
/* All views must be done.  What is only in memory is added again after the next open. */
void souk_runs_free(souk_runs *runs);
SOUK_AUTO(souk_runs)
/* Removes all files of a set that is not open, the manifest first; nothing there is fine. */
SOUK_CHECKED souk_err souk_runs_reset(souk_disk *disk, const char *name);

/* Every pair of log positions below this is in files; the log must be added again from here. */
uint64_t souk_runs_through(const souk_runs *runs);

/* Makes sure that the next `count` adds (at most 2^24) cannot fail; the writer calls it before it
 * commits.  More than memory_count get a larger table.  SOUK_EBUSY: too many tables wait, run souk_runs_work and try again.
 * SOUK_ETOOBIG: count.  SOUK_ENOMEM.  Nothing changed then. */
SOUK_CHECKED souk_err souk_runs_reserve(souk_runs *runs, size_t count);
/* Whether as many tables wait as may: the next reserve could be SOUK_EBUSY. */
bool souk_runs_behind(souk_runs *runs);
/* Adds a pair; readers see it at once.  Without a reserve it can fail as that does. */
SOUK_CHECKED souk_err souk_runs_add(souk_runs *runs, uint64_t key, uint64_t value);
/* All pairs of log positions below `through` have been added; through never goes back. */
void souk_runs_group(souk_runs *runs, uint64_t through);
/* Lets the table wait to become a file before it is full (an orderly stop; tests).  As reserve. */
SOUK_CHECKED souk_err souk_runs_freeze(souk_runs *runs);

/* One bounded step (some tens of milliseconds, a sync apart) of sorting a table into a file or of
 * merging files; *ret_did says whether there was anything to do.  What is stopped half way is begun
 * again after the next open.  After SOUK_EIO, SOUK_EFULL or SOUK_ENOMEM a later call begins a fresh
 * file.  SOUK_ECORRUPT: rebuild.  SOUK_ETOOBIG: SOUK_RUNS_FILES. */
SOUK_CHECKED souk_err souk_runs_work(souk_runs *runs, bool *ret_did);

/* For keys[count] any value of the key from the newest table or file that has one, or
 * SOUK_RUNS_NONE.  SOUK_ECORRUPT. */
SOUK_CHECKED souk_err souk_runs_find_batch(souk_runs *runs, const uint64_t *keys, size_t count,
                                           uint64_t *ret_values);

/* ---- a view: what was there at one moment ---------------------------------------------- */

typedef struct souk_runs_view {
    struct souk_runs_list *list;
    uint32_t live_count; /* pairs of the live table that the view sees */
} souk_runs_view;

/* Cannot fail, allocates nothing; holds files and tables until done. */
void souk_runs_view_init(souk_runs *runs, souk_runs_view *ret_view);
void souk_runs_view_done(souk_runs_view *view);

SOUK_CHECKED souk_err souk_runs_view_find_batch(const souk_runs_view *view, const uint64_t *keys,
                                                size_t count, uint64_t *ret_values);
/* Calls `each` with every value of the key, newest table or file first, a repeated pair perhaps
 * twice.  A call that returns an error ends the walk with it. */
SOUK_CHECKED souk_err souk_runs_find_all(const souk_runs_view *view, uint64_t key,
                                         souk_err (*each)(void *context, uint64_t value),
                                         void *context);
/* The greatest values of the key below before_value (UINT64_MAX: all), greatest first, each once,
 * at most `limit` into ret_values[limit].  To turn the page: before_value = the last returned.
 * Files whose values all lie below what was asked for are not touched. */
SOUK_CHECKED souk_err souk_runs_last(const souk_runs_view *view, uint64_t key,
                                     uint64_t before_value, size_t limit, uint64_t *ret_values,
                                     size_t *ret_count);
/* Reads every block and checks order and checksums.  SOUK_ECORRUPT. */
SOUK_CHECKED souk_err souk_runs_verify(const souk_runs_view *view);

typedef struct souk_runs_state {
    uint64_t through;
    uint64_t file_count, file_pairs, file_bytes;
    uint64_t waiting_count; /* full tables */
    uint64_t memory_pairs;  /* in all tables */
    uint64_t memory_bytes;  /* all but mapped files */
} souk_runs_state;
void souk_runs_state_of(souk_runs *runs, souk_runs_state *ret_state);

#endif
