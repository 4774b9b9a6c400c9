/* bench.h - `souk bench`: one row for each measured claim, beside its bar and its peer of the same run.
 *
 *     souk bench --list
 *     souk bench collect --json     {"name":"collect","machine":…,"claims":[{"claim":…,"value":…,…}]}
 *
 * CPU seconds are compared before wall seconds: machines are shared.  A peer that is not installed makes a
 * claim "not measured", never true. */
#ifndef SOUK_APP_BENCH_H
#define SOUK_APP_BENCH_H

#include "app/app.h"
#include "os/clock.h"
#include "service/checkout/offer_json.h"

enum { BENCH_CLAIMS = 64 };

enum bench_sense { BENCH_AT_LEAST, BENCH_AT_MOST, BENCH_TOLD /* no bar: context */ };

typedef struct bench_claim {
    const char *claim, *unit, *against;
    double value, bar;
    enum bench_sense sense;
    bool measured;
} bench_claim;

typedef struct bench_run {
    souk_mem *mem;
    char folder[512]; /* empty, the bench's own, removed afterwards but for SOUK_BENCH_KEEP */
    bench_claim claims[BENCH_CLAIMS];
    size_t claim_count;
    uint64_t scale; /* SOUK_BENCH_EVENTS, or 0 for the bench's own size */
    uint64_t
        newcomers; /* SOUK_BENCH_SHOPPERS: `restart` begins with so many, each with one event */
} bench_run;

void bench_add(bench_run *bench, const char *claim, double value, const char *unit,
               enum bench_sense sense, double bar, const char *against);
void bench_missing(bench_run *bench, const char *claim, const char *unit, enum bench_sense sense,
                   double bar, const char *against);

typedef struct bench_entry {
    const char *name, *summary;
    souk_err (*run)(bench_run *bench, souk_diag *diag);
} bench_entry;

/* ---- a server of this very binary ------------------------------------------------------------------- */

typedef struct bench_server {
    long pid;
    char address[128], write_key[64], token[128];
    char data[512];
    int out;        /* its stdout */
    double ready_s; /* from the start of the process to its line "listening" */
} bench_server;

/* Makes the folder where it is new and starts `souk serve`; cpu: core it is bound to, -1: any. */
SOUK_CHECKED souk_err bench_server_start(bench_run *bench, const char *data, int cpu,
                                         unsigned loops, bench_server *ret_server, souk_diag *diag);
/* Makes the folder of a shop where it is new, and tells its keys then. */
SOUK_CHECKED souk_err bench_found(bench_run *bench, const char *data, bench_server *server,
                                  souk_diag *diag);
/* The same server as a copy of this process, which has run `before` (NULL: nothing), without limits by token. */
SOUK_CHECKED souk_err bench_server_fork(bench_run *bench, const char *data, void (*before)(void),
                                        bench_server *ret_server, souk_diag *diag);
/* SIGTERM and wait, or SIGKILL. */
void bench_server_stop(bench_server *server, bool kill_it);
/* Measures on a server of a fresh folder, and ends it. */
SOUK_CHECKED souk_err bench_on_server(bench_run *bench,
                                      souk_err (*measure)(bench_run *bench, bench_server *server,
                                                          souk_diag *diag),
                                      souk_diag *diag);
/* User and system seconds of a process so far, of copies that wrote its snapshots too. */
double bench_cpu_s(long pid);
/* Of its threads with that name which still run. */
double bench_thread_cpu_s(long pid, const char *name);
double bench_wall_s(void);
uint64_t bench_anonymous_bytes(long pid);
uint64_t bench_folder_bytes(const char *folder);
/* A counter of the server's /metrics; -1 where it is missing. */
double bench_metric(const bench_server *server, const char *name);
double bench_shoppers(const bench_server *server); /* in the shop; -1: it does not answer */
/* GET over the control socket: the answer with its head is appended. */
SOUK_CHECKED souk_err bench_ask(const bench_server *server, const char *path, souk_buf *answer);
/* The number behind "key": in what `ask` answered; -1 where it is missing. */
double bench_number(souk_buf *answer, const char *key);

/* Runs a program to its end; its stdout is appended (NULL: dropped), ret_wall_s may be NULL.
 * SOUK_ENOENT: it is not installed.  SOUK_EIO: it failed. */
SOUK_CHECKED souk_err bench_command(const char *const *arguments, souk_buf *out, double *ret_wall_s,
                                    double *ret_cpu_s);
/* The disk below a folder: the p50 of 200 appends of 4 KiB, each with fdatasync, so that figures of two disks can be
 * told apart.  SOUK_EIO, with words. */
SOUK_CHECKED souk_err bench_sync_ms(const char *folder, double *ret_p50_ms, souk_diag *diag);
/* This very binary. */
const char *bench_self(void);
double bench_median(double *values, size_t count);

/* ---- load -------------------------------------------------------------------------------------------- */

#define BENCH_ALL_NEW UINT32_MAX

typedef struct bench_load { /* {0} takes the defaults in brackets */
    const bench_server *server;
    uint64_t first;        /* number of the first event: a load that goes on */
    uint64_t events;       /* to send */
    unsigned connections;  /* [16] */
    unsigned batch_events; /* [100]; 1 sends /v1/track */
    uint32_t shoppers;     /* by Zipf 1.0 [1,000,000]; BENCH_ALL_NEW: each event has a new one */
    unsigned stores;       /* [0: none] each event in one of so many, and one of 100 types, alike */
    double events_per_s;   /* 0: as fast as it goes */
    uint64_t seed;
    /* Called between requests, false ends the load without waiting for answers; may be NULL. */
    bool (*tick)(void *context);
    /* Writes a whole request, head and body, in place of events, and returns its bytes; NULL: events.  Where they come at a
     * pace, latencies count from the moment when each was due. */
    size_t (*request)(void *context, uint64_t number, char *room, size_t bytes);
    void *context;
    /* told */
    uint64_t sent, accepted_requests, refused_requests, json_bytes, repeats;
    double wall_s, server_cpu_s;
    double p50_ms, p99_ms; /* of requests */
} bench_load;
SOUK_CHECKED souk_err bench_load_run(bench_load *load, souk_diag *diag);
/* One event of the load as text; returns its length.  room: 1024 bytes. */
size_t bench_event(uint64_t seed, uint64_t number, uint32_t shoppers, char *room);
/* Whose event that is: the shopper's user id is "u-" and this; 0: a visitor's. */
uint32_t bench_event_user(uint64_t seed, uint64_t number, uint32_t shoppers);

/* The i-th of them all, NULL behind the last one. */
const bench_entry *bench_entry_at(size_t i);
/* bench_files.c: a part of `souk bench import`: every format of files, with rows made here. */
SOUK_CHECKED souk_err bench_files(bench_run *bench, souk_diag *diag);
/* bench_pricing.c: the 500 offers of the typical book, which name products 0 to 19,999, tags 0 to 299 (category is
 * product * 7 % 300) and 300 to 399 (brand is 300 + product * 11 % 100), and stores 0 to 19. */
SOUK_CHECKED souk_err bench_offers_each(souk_err (*each)(void *context, const souk_offer *offer),
                                        void *context);

extern const bench_entry bench_import_entry;
extern const bench_entry bench_collect_entry;
extern const bench_entry bench_single_entry;
extern const bench_entry bench_json_entry;
extern const bench_entry bench_read_entry;
extern const bench_entry bench_restart_entry;
extern const bench_entry bench_scale_entry;
extern const bench_entry bench_world_entry;
extern const bench_entry bench_stream_entry;
extern const bench_entry bench_webhooks_entry;
extern const bench_entry bench_pricing_entry;
extern const bench_entry bench_books_entry;
extern const bench_entry bench_stock_entry;
extern const bench_entry bench_till_entry;

#endif
