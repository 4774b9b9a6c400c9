/* bench_till.c - whole baskets a second, durably committed: 64 clients, each waiting for its own receipt.
 *
 *     here     64 threads hand requests to the checkout in this process: read, priced under 500 offers, planned, committed
 *              (money, stock, receipt, the answer under its key) and answered
 *     peer     the same rows by SQLite alone, as many baskets to a transaction, nothing checked (bench_till_peer.c)
 *     http     64 connections to a server; clients on the same cores
 *     slow     all of it again with 2 ms more for each sync, as disks with flushes have it
 *
 * The disk is measured beside it, so that figures of two disks can be told apart. */
#include "app/bench_till.h"
#include "base/hash.h"
#include "os/thread.h"
#include "service/checkout/checkout.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 3, ROUNDS_SLOW = 1, BASKETS = 10000, SLOW_MS = 2, WORDS = 100 };

struct shop {
    bench_run *bench;
    const char *name; /* "5,000 stock rows" */
    till_size size;
    double least_per_s;
    char data[600], peer[600];
    bench_server server; /* its keys */
    till_baskets baskets;
    app_shop open;
    souk_effect_owners owners;
    uint64_t count, next; /* baskets of a round; the number of the next one ever */
};

/* ---- one client here ----------------------------------------------------------------------------------- */

struct client {
    struct shop *shop;
    souk_thread thread;
    uint64_t from, to;
    souk_mutex mutex;
    souk_cond answered;
    int status; /* 0: not yet */
    char words[300];
    souk_err err;
};

static void take_answer(souk_call *call, int status, const char *type, souk_text body,
                        unsigned retry_s)
{
    struct client *client = call->from;
    (void)type;
    (void)retry_s;
    if (status != 201)
        snprintf(client->words, sizeof client->words, "%.*s", SOUK_TEXT_PRINT(body));
    souk_mutex_lock(&client->mutex);
    client->status = status;
    souk_cond_signal(&client->answered);
    souk_mutex_unlock(&client->mutex);
    souk_call_free(call);
}

/* As the door does it for a request with an Idempotency-Key. */
static souk_once *once_of(struct shop *shop, souk_call *call, uint64_t number)
{
    const souk_hash_key *key = &souk_spine_hashes(shop->open.spine)->messages;
    souk_text who[] = {{(const char *)&number, sizeof number}};
    souk_once *once = souk_arena_get(&call->arena, sizeof *once);
    if (once)
        *once = (souk_once){.vault = souk_spine_vault(shop->open.spine),
                            .id = souk_hash128_of(key, who, 1),
                            .fingerprint = souk_hash128_of(key, &call->body, 1),
                            .at = souk_clock_now_ms(souk_spine_clock(shop->open.spine)),
                            .body = {.mem = call->arena.mem}};
    return once;
}

static souk_err pay(struct client *client, void (*handle)(souk_call *call), uint64_t number)
{
    struct shop *shop = client->shop;
    souk_call *call;
    size_t at = number % TILL_BASKETS;
    SOUK_TRY(souk_call_new(shop->bench->mem, &call));
    call->spine = shop->open.spine;
    call->merchants = shop->open.merchants;
    call->body = (souk_text){shop->baskets.texts[at], shop->baskets.bytes[at]};
    call->caller = (souk_caller){.merchant = SOUK_OPERATOR, .scopes = SOUK_SCOPE_ALL};
    call->state = souk_api_state(shop->open.api, &souk_checkout_service);
    call->owners = &shop->owners;
    call->from = client;
    call->send = take_answer;
    call->once = once_of(shop, call, number);
    client->status = 0;
    handle(call);
    souk_auto_lock(&client->mutex);
    while (!client->status)
        souk_cond_wait(&client->answered, &client->mutex);
    return client->status == 201 ? SOUK_OK : SOUK_EIO;
}

static void (*commit_handler(void))(souk_call *call)
{
    for (size_t i = 0; i < souk_checkout_service.route_count; i++)
        if (!strcmp(souk_checkout_service.routes[i].path, "/v1/till/commit"))
            return souk_checkout_service.routes[i].handle;
    return NULL;
}

static void run_client(void *context)
{
    struct client *client = context;
    void (*handle)(souk_call * call) = commit_handler();
    for (uint64_t i = client->from; i < client->to && !client->err; i++)
        client->err = pay(client, handle, i);
}

/* ---- 64 of them ------------------------------------------------------------------------------------------ */

struct ours {
    double per_s, cpu_ms, writer_ms, group, log_kib;
};

static souk_err run_clients(struct shop *shop, souk_diag *diag)
{
    static struct client clients[TILL_CLIENTS];
    souk_err err = SOUK_OK;
    for (uint64_t i = 0; i < TILL_CLIENTS; i++) {
        clients[i] = (struct client){.shop = shop,
                                     .from = shop->next + shop->count * i / TILL_CLIENTS,
                                     .to = shop->next + shop->count * (i + 1) / TILL_CLIENTS};
        souk_mutex_init(&clients[i].mutex);
        souk_cond_init(&clients[i].answered);
        souk_err start_err = souk_thread_start(&clients[i].thread, "till", run_client, &clients[i]);
        err = err ? err : start_err;
    }
    for (size_t i = 0; i < TILL_CLIENTS; i++) {
        souk_thread_join(&clients[i].thread);
        if (clients[i].err && !err)
            err = souk_diag_say(diag, clients[i].err, "a basket was refused: %s", clients[i].words);
        souk_cond_done(&clients[i].answered);
        souk_mutex_done(&clients[i].mutex);
    }
    shop->next += shop->count;
    return err;
}

static souk_err measure_ours(struct shop *shop, struct ours *ret_ours, souk_diag *diag)
{
    souk_ledger *ledger = souk_spine_ledger(shop->open.spine);
    souk_ledger_counters before, after;
    souk_ledger_count(ledger, &before);
    double cpu_s = bench_cpu_s(getpid()), began_s = bench_wall_s();
    double writer_s = bench_thread_cpu_s(getpid(), "ledger-writer");
    SOUK_TRY(run_clients(shop, diag));
    ret_ours->per_s = (double)shop->count / (bench_wall_s() - began_s);
    ret_ours->cpu_ms = 1e3 * (bench_cpu_s(getpid()) - cpu_s) / (double)shop->count;
    ret_ours->writer_ms =
        1e3 * (bench_thread_cpu_s(getpid(), "ledger-writer") - writer_s) / (double)shop->count;
    souk_ledger_count(ledger, &after);
    ret_ours->group = (double)(after.jobs - before.jobs) / (double)(after.groups - before.groups);
    ret_ours->log_kib =
        (double)(after.written_bytes - before.written_bytes) / 1024 / (double)shop->count;
    return SOUK_OK;
}

/* ---- http ------------------------------------------------------------------------------------------------- */

static size_t write_request(void *context, uint64_t number, char *room, size_t bytes)
{
    const struct shop *shop = context;
    size_t at = number % TILL_BASKETS;
    int head = snprintf(room, bytes,
                        "POST /v1/till/commit HTTP/1.1\r\nHost: souk\r\nAuthorization: Bearer "
                        "%s\r\nIdempotency-Key: %016llx\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        shop->server.token, (unsigned long long)number, shop->baskets.bytes[at]);
    memcpy(room + head, shop->baskets.texts[at], shop->baskets.bytes[at]);
    return (size_t)head + shop->baskets.bytes[at];
}

static souk_err load_http(struct shop *shop, double per_s, uint64_t count, bench_load *load,
                          souk_diag *diag)
{
    *load = (bench_load){.server = &shop->server,
                         .first = shop->next,
                         .events = count,
                         .connections = TILL_CLIENTS,
                         .events_per_s = per_s,
                         .request = write_request,
                         .context = shop};
    SOUK_TRY(bench_load_run(load, diag));
    shop->next += count;
    if (load->refused_requests)
        return souk_diag_say(diag, SOUK_EIO, "%llu baskets were refused over HTTP",
                             (unsigned long long)load->refused_requests);
    return SOUK_OK;
}

struct http {
    double per_s, server_cpu_ms, p50_ms, p99_ms;
};

static souk_err load_both(struct shop *shop, struct http *ret_http, souk_diag *diag)
{
    bench_load load;
    SOUK_TRY(load_http(shop, 0, shop->count / 5, &load, diag)); /* warm */
    SOUK_TRY(load_http(shop, 0, shop->count, &load, diag));
    ret_http->per_s = (double)shop->count / load.wall_s;
    ret_http->server_cpu_ms = 1e3 * load.server_cpu_s / (double)shop->count;
    SOUK_TRY(load_http(shop, 0.7 * ret_http->per_s, shop->count, &load, diag));
    ret_http->p50_ms = load.p50_ms;
    ret_http->p99_ms = load.p99_ms;
    return SOUK_OK;
}

static souk_err measure_http(struct shop *shop, struct http *ret_http, souk_diag *diag)
{
    SOUK_TRY(bench_server_fork(shop->bench, shop->data, NULL, &shop->server, diag));
    souk_err err = load_both(shop, ret_http, diag);
    bench_server_stop(&shop->server, false);
    return err;
}

/* ---- claims -------------------------------------------------------------------------------------------------- */

/* Words of a claim, which live as long as the claims do. */
static const char *words(const struct shop *shop, const char *what, bool is_slow)
{
    static char rooms[BENCH_CLAIMS][WORDS];
    char *room = rooms[shop->bench->claim_count];
    snprintf(room, WORDS, "%s%s: %s", shop->name, is_slow ? ", syncs + 2 ms" : "", what);
    return room;
}

struct turns {
    struct ours ours[ROUNDS];
    till_peer peer[ROUNDS];
    double ratio[ROUNDS], cpu_ratio[ROUNDS];
    size_t count;
};

/* The median over the turns of what lies at that offset in each. */
static double median(const void *turns, size_t each_bytes, size_t offset, size_t count)
{
    double values[ROUNDS];
    for (size_t i = 0; i < count; i++)
        memcpy(&values[i], (const char *)turns + i * each_bytes + offset, sizeof *values);
    return bench_median(values, count);
}

#define MEDIAN(list, field) \
    median(list, sizeof *(list), offsetof(__typeof__(*(list)), field), turns->count)

static void tell_here(struct shop *shop, struct turns *turns, bool is_slow)
{
    bench_run *bench = shop->bench;
    bench_add(bench, words(shop, "baskets durably committed", is_slow), MEDIAN(turns->ours, per_s),
              "baskets/s", is_slow ? BENCH_TOLD : BENCH_AT_LEAST, shop->least_per_s, "the floor");
    bench_add(bench, words(shop, "SQLite's own group commit of these rows", is_slow),
              MEDIAN(turns->peer, baskets_per_s), "baskets/s", BENCH_TOLD, 0, "-");
    bench_add(bench, words(shop, "of SQLite's own group commit", is_slow),
              bench_median(turns->ratio, turns->count), "times", BENCH_AT_LEAST, 0.5,
              "SQLite, in turn");
    bench_add(bench, words(shop, "the same by CPU of the thread that writes", is_slow),
              bench_median(turns->cpu_ratio, turns->count), "times", BENCH_TOLD, 0, "-");
    bench_add(bench, words(shop, "CPU of a basket, writer", is_slow),
              MEDIAN(turns->ours, writer_ms), "ms", BENCH_TOLD, 0, "-");
    bench_add(bench, words(shop, "CPU of a basket, all threads", is_slow),
              MEDIAN(turns->ours, cpu_ms), "ms", BENCH_TOLD, 0, "-");
    bench_add(bench, words(shop, "baskets to a sync", is_slow), MEDIAN(turns->ours, group),
              "baskets", BENCH_TOLD, 0, "-");
    if (is_slow)
        return;
    bench_add(bench, words(shop, "pages for SQLite's log, of a basket", is_slow),
              MEDIAN(turns->ours, log_kib), "KiB", BENCH_TOLD, 0, "-");
    bench_add(bench, words(shop, "rows of a basket", is_slow), turns->peer[0].rows, "rows",
              BENCH_TOLD, 0, "-");
}

static void tell_http(struct shop *shop, const struct http *http, bool is_slow)
{
    bench_run *bench = shop->bench;
    bench_add(bench, words(shop, "over HTTP, client on the same cores", is_slow), http->per_s,
              "baskets/s", BENCH_TOLD, 0, "-");
    bench_add(bench, words(shop, "server's CPU of a basket", is_slow), http->server_cpu_ms, "ms",
              BENCH_TOLD, 0, "-");
    bench_add(bench, words(shop, "p50 at 70 % of that", is_slow), http->p50_ms, "ms", BENCH_TOLD, 0,
              "-");
    bench_add(bench, words(shop, "p99 at 70 % of that", is_slow), http->p99_ms, "ms", BENCH_AT_MOST,
              20, "the bar");
}

/* ---- in turn --------------------------------------------------------------------------------------------------- */

static souk_err one_turn(struct shop *shop, struct turns *turns, souk_diag *diag)
{
    struct ours *ours = &turns->ours[turns->count];
    till_peer *peer = &turns->peer[turns->count];
    SOUK_TRY(measure_ours(shop, ours, diag));
    SOUK_TRY(till_peer_run(shop->data, shop->peer, shop->count, (unsigned)(ours->group + 0.5), peer,
                           diag));
    turns->ratio[turns->count] = ours->per_s / peer->baskets_per_s;
    turns->cpu_ratio[turns->count] = peer->cpu_ms / ours->writer_ms;
    turns->count++;
    return SOUK_OK;
}

static souk_err take_turns(struct shop *shop, size_t rounds, bool is_slow, souk_diag *diag)
{
    struct turns turns = {.count = 0};
    till_slow_syncs(is_slow ? SLOW_MS : 0);
    while (turns.count < rounds)
        SOUK_TRY(one_turn(shop, &turns, diag));
    tell_here(shop, &turns, is_slow);
    return SOUK_OK;
}

static souk_err measure_here(struct shop *shop, souk_diag *diag)
{
    struct ours warm;
    SOUK_TRY(till_baskets_make(shop->bench, shop->open.api, shop->size, &shop->baskets, diag));
    for (size_t i = 0; i < app_service_count; i++)
        if (app_services[i]->own)
            app_services[i]->own(souk_api_state(shop->open.api, app_services[i]), &shop->owners);
    SOUK_TRY(measure_ours(shop, &warm, diag));
    SOUK_TRY(take_turns(shop, ROUNDS, false, diag));
    return take_turns(shop, ROUNDS_SLOW, true, diag);
}

static souk_err measure_server(struct shop *shop, souk_diag *diag)
{
    struct http http;
    for (int is_slow = 0; is_slow < 2; is_slow++) {
        till_slow_syncs(is_slow ? SLOW_MS : 0);
        SOUK_TRY(measure_http(shop, &http, diag));
        tell_http(shop, &http, is_slow);
    }
    return SOUK_OK;
}

static souk_err make_shop(struct shop *shop, souk_diag *diag)
{
    bench_run *bench = shop->bench;
    snprintf(shop->data, sizeof shop->data, "%.500s/shop-%u", bench->folder, shop->size.stores);
    snprintf(shop->peer, sizeof shop->peer, "%.500s/peer-%u", bench->folder, shop->size.stores);
    SOUK_TRY(bench_found(bench, shop->data, &shop->server, diag));
    SOUK_TRY(till_shop_make(bench, shop->data, shop->size, diag));
    const char *const copy[] = {"cp", "-r", shop->data, shop->peer, NULL};
    return bench_command(copy, NULL, NULL, NULL);
}

static souk_err measure_shop(struct shop *shop, souk_diag *diag)
{
    app_options options = {.data = shop->data};
    SOUK_TRY(make_shop(shop, diag));
    SOUK_TRY(app_shop_open(&options, &shop->open, diag));
    souk_err err = measure_here(shop, diag);
    souk_err closed = app_shop_close(&shop->open);
    if (!err && !closed)
        err = measure_server(shop, diag);
    till_baskets_done(shop->bench, &shop->baskets);
    return err ? err : closed;
}

static souk_err run(bench_run *bench, souk_diag *diag)
{
    static struct shop shops[] = {
        {.name = "5,000 stock rows", .size = {1, 5000}, .least_per_s = 5000},
        {.name = "1,000,000 stock rows", .size = {50, 20000}, .least_per_s = 1500}};
    double sync_ms = 0;
    till_slow_syncs(0); /* before any database is opened */
    for (size_t i = 0; i < sizeof shops / sizeof *shops; i++) {
        shops[i].bench = bench;
        shops[i].count = bench->scale ? bench->scale : BASKETS;
        SOUK_TRY(measure_shop(&shops[i], diag));
    }
    SOUK_TRY(bench_sync_ms(bench->folder, &sync_ms, diag));
    bench_add(bench, "fdatasync of 4 KiB, p50", sync_ms, "ms", BENCH_TOLD, 0, "-");
    return SOUK_OK;
}

const bench_entry bench_till_entry = {
    "till", "whole baskets a second: 15 lines, 500 offers, 64 clients, beside SQLite", run};
