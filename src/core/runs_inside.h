/* runs_inside.h - private to runs: the list that views hold, the manifest, the work under way.
 *
 * A list is immutable and counted.  The writer (a table more) and the worker (a table less, files
 * merged) each make a new list from the current one under the mutex and put it in its place;
 * readers take the mutex only to hold the current list. */
#ifndef SOUK_CORE_RUNS_INSIDE_H
#define SOUK_CORE_RUNS_INSIDE_H

#include "core/run_file.h"
#include "core/run_table.h"
#include "core/runs.h"
#include "os/thread.h"

enum { SOUK_RUNS_PATH = 80 };

typedef struct souk_runs_list {
    souk_mem *mem;
    uint32_t refs;           /* atomic */
    size_t file_count;       /* oldest first: tiers never rise */
    size_t table_count;      /* oldest first; the last one is live, the others wait */
    souk_run_file **files;   /* [file_count] */
    souk_run_table **tables; /* [table_count] */
} souk_runs_list;

typedef struct souk_runs_entry {
    uint64_t number, pairs;
    uint32_t tier;
} souk_runs_entry;

typedef struct souk_runs_manifest {
    uint64_t through, next_number;
    size_t count;
    souk_runs_entry entries[SOUK_RUNS_FILES];
} souk_runs_manifest;

/* A table becoming a file, or files becoming one.  Which steps are done shows in its fields, in
 * order: pairs (sorted), maker (being written), made (finished, perhaps named by the manifest). */
typedef struct souk_runs_job {
    souk_run_table *table; /* held; NULL for a merge, and where there is no job */
    souk_run_pair *pairs, *scratch;
    souk_run_file *sources[SOUK_RUNS_FAN]; /* held */
    size_t source_count;
    uint64_t at[SOUK_RUNS_FAN]; /* the next pair of each source; at[0] for a table */
    souk_run_block blocks[SOUK_RUNS_FAN];
    souk_run_pair heads[SOUK_RUNS_FAN];
    uint64_t number; /* of the new file */
    souk_run_maker *maker;
    souk_run_file *made;
    bool under_way;
} souk_runs_job;

struct souk_runs {
    souk_mem *mem;
    souk_disk *disk;
    char name[SOUK_RUNS_NAME + 1];
    bool filter;
    uint32_t memory_count, fan;

    souk_mutex mutex;
    souk_runs_list *list;  /* under the mutex */
    souk_run_table *spare; /* under the mutex: the next live table, made ahead by the worker */

    /* the writer's */
    souk_run_table *live; /* the list's last table */
    uint64_t group_through;

    /* the worker's; both are read by others */
    uint64_t through;    /* atomic: the manifest's */
    uint64_t work_bytes; /* atomic: memory of the jobs */

    /* the worker's alone */
    uint64_t next_number;
    souk_runs_job flush, merge;
    souk_runs_manifest *manifest; /* scratch */
};

/* A list with room for so many, to be filled with held files and tables. */
SOUK_CHECKED souk_err souk_runs_list_new(souk_mem *mem, size_t file_count, size_t table_count,
                                         souk_runs_list **ret_list);
void souk_runs_list_free(souk_runs_list *list);
SOUK_AUTO(souk_runs_list)
/* The current list, held. */
souk_runs_list *souk_runs_list_now(souk_runs *runs);

void souk_runs_path(const char *name, uint64_t number, char path[SOUK_RUNS_PATH]);
/* SOUK_EINVAL unless 1 to SOUK_RUNS_NAME letters and digits. */
SOUK_CHECKED souk_err souk_runs_name_check(const char *name);
/* SOUK_ENOENT: none.  SOUK_ECORRUPT, SOUK_EVERSION. */
SOUK_CHECKED souk_err souk_runs_manifest_read(souk_mem *mem, souk_disk *disk, const char *name,
                                              souk_runs_manifest *ret_manifest);
SOUK_CHECKED souk_err souk_runs_manifest_put(souk_mem *mem, souk_disk *disk, const char *name,
                                             const souk_runs_manifest *manifest);
/* Removes the set's files that the manifest does not name; NULL: all. */
SOUK_CHECKED souk_err souk_runs_remove_others(souk_disk *disk, const char *name,
                                              const souk_runs_manifest *manifest);
/* Ends both jobs where they stand and gives back what they hold; files on disk stay. */
void souk_runs_jobs_done(souk_runs *runs);

#endif
