/* webhooks.c - the routes of webhooks.h. */
#include "serve/sender.h"
#include "serve/webhooks_inside.h"

#include <stdio.h>

enum { PAGE = 50 };

struct webhooks {
    souk_mem *mem;
    souk_spine *spine;
    souk_webhooks_options options;
    souk_outbox *outbox;
    souk_sender *sender;
};

/* ---- life ---------------------------------------------------------------------------------------------- */

static void close_webhooks(void *state)
{
    struct webhooks *my = state;
    if (!my)
        return;
    souk_sender_free(my->sender);
    souk_outbox_free(my->outbox);
    souk_mem_put(my->mem, my);
}

static souk_err open_webhooks(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                              void **ret_state)
{
    struct webhooks *my = souk_mem_get(mem, sizeof *my);
    (void)merchants;
    if (!my)
        return SOUK_ENOMEM;
    my->mem = mem;
    my->spine = spine;
    souk_err err = souk_outbox_open(mem, spine, NULL, &my->outbox, NULL);
    if (!err)
        err = souk_sender_new(mem, spine, my->outbox, &my->sender);
    if (err)
        close_webhooks(my);
    else
        *ret_state = my;
    return err;
}

void souk_webhooks_set(void *state, const souk_webhooks_options *options)
{
    struct webhooks *my = state;
    my->options = *options;
    souk_outbox_set(my->outbox, &(souk_outbox_options){.first_wait_ms = options->first_wait_ms});
}

souk_err souk_webhooks_start(void *state, souk_log *log)
{
    struct webhooks *my = state;
    return souk_sender_start(
        my->sender, &(souk_sender_options){.posts = {.allowed = my->options.allowed,
                                                     .deadline_ms = my->options.deadline_ms},
                                           .first_wait_ms = my->options.first_wait_ms,
                                           .log = log});
}

/* ---- a call -------------------------------------------------------------------------------------------- */

/* What the closures of a call need and find. */
struct asked {
    souk_call *call;
    struct webhooks *my;
    souk_endpoint endpoint;
    souk_delivery delivery;
    souk_signing_secret secret;
    souk_time now, until;
    int64_t before;
    int state;
};

static souk_ledger *ledger_of(const struct asked *asked)
{
    return souk_spine_ledger(asked->my->spine);
}

static souk_err begin(souk_call *call, struct asked *asked)
{
    *asked = (struct asked){
        .call = call, .my = call->state, .now = souk_clock_now_ms(souk_spine_clock(call->spine))};
    if (call->caller.merchant == SOUK_OPERATOR)
        return SOUK_OK;
    return souk_diag_say(&call->diag, SOUK_EDENIED, "webhooks are the operator's");
}

static souk_err id_of(souk_call *call, unsigned part, const char *what, int64_t *ret_id)
{
    uint64_t id;
    if (souk_text_to_u64(call->parts[part], &id) || id == 0 || id > INT64_MAX)
        return souk_diag_say(&call->diag, SOUK_ENOENT, "the id of a %s is a number", what);
    *ret_id = (int64_t)id;
    return SOUK_OK;
}

static souk_err no_endpoint(souk_call *call, souk_err err)
{
    if (err != SOUK_ENOENT)
        return err;
    return souk_diag_say(&call->diag, err,
                         "there is no webhook %.*s: see `souk webhook list` or GET /v1/webhooks",
                         SOUK_TEXT_PRINT(call->parts[0]));
}

static souk_err find(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    return souk_endpoint_find(tx, asked->endpoint.id, &asked->call->arena, &asked->endpoint);
}

/* The endpoint that the path names. */
static souk_err begin_at(souk_call *call, struct asked *asked)
{
    SOUK_TRY(begin(call, asked));
    SOUK_TRY(id_of(call, 0, "webhook", &asked->endpoint.id));
    return no_endpoint(call, souk_ledger_read(ledger_of(asked), find, asked));
}

static void answer(souk_call *call, souk_err err, int status)
{
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, status);
}

/* Writes it as it is stored now. */
static souk_err show(struct asked *asked, const char *secret, bool *ret_same)
{
    souk_call *call = asked->call;
    SOUK_TRY(no_endpoint(call, souk_ledger_read(ledger_of(asked), find, asked)));
    webhooks_write_endpoint(souk_call_json(call), &asked->endpoint, secret);
    *ret_same = souk_call_version(call, asked->endpoint.version);
    return SOUK_OK;
}

/* ---- endpoints ----------------------------------------------------------------------------------------- */

static souk_err list_all(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    souk_json_writer *out = souk_call_json(asked->call);
    souk_endpoint *list;
    size_t count;
    SOUK_TRY(souk_endpoint_list(tx, &asked->call->arena, &list, &count));
    souk_json_write_object(out);
    souk_json_put_array(out, "webhooks");
    for (size_t i = 0; i < count; i++)
        if (list[i].state != SOUK_ENDPOINT_REMOVED)
            webhooks_write_endpoint(out, &list[i], NULL);
    souk_json_write_end(out);
    souk_json_write_end(out);
    return SOUK_OK;
}

static void get_webhooks(souk_call *call)
{
    struct asked asked;
    souk_err err = begin(call, &asked);
    if (!err)
        err = souk_ledger_read(ledger_of(&asked), list_all, &asked);
    answer(call, err, 200);
}

static void get_webhook(souk_call *call)
{
    struct asked asked;
    bool same = false;
    souk_err err = begin_at(call, &asked);
    if (!err)
        err = show(&asked, NULL, &same);
    if (!err && same)
        souk_call_answer_same(call);
    else
        answer(call, err, 200);
}

static souk_err add(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    return souk_endpoint_add(tx, souk_spine_vault(asked->my->spine), &asked->endpoint, asked->now,
                             &asked->endpoint.id, &asked->secret);
}

static souk_err show_secret(struct asked *asked)
{
    char text[SOUK_SIGNING_TEXT];
    bool same;
    souk_signing_secret_write(&asked->secret, text);
    souk_signing_secrets_wipe(&asked->secret, 1);
    return show(asked, text, &same);
}

static souk_err make(souk_call *call)
{
    struct asked asked;
    SOUK_TRY(begin(call, &asked));
    SOUK_TRY(webhooks_read_body(call, &asked.endpoint));
    SOUK_TRY(souk_posts_check(&asked.my->options.allowed, asked.endpoint.url, &call->diag));
    souk_err err = souk_ledger_write(ledger_of(&asked), SOUK_LANE_INGEST, add, &asked);
    if (err == SOUK_ETOOBIG)
        return souk_diag_say(&call->diag, SOUK_ECONFLICT,
                             "there are %d webhooks already: remove one first",
                             SOUK_ENDPOINTS_MOST);
    SOUK_TRY(err);
    souk_sender_poke(asked.my->sender);
    return show_secret(&asked);
}

static void post_webhook(souk_call *call)
{
    answer(call, make(call), 201);
}

static souk_err change(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    return souk_endpoint_change(tx, &asked->endpoint);
}

static souk_err put(souk_call *call)
{
    struct asked asked;
    uint64_t version;
    bool same;
    SOUK_TRY(begin_at(call, &asked));
    souk_endpoint was = asked.endpoint;
    SOUK_TRY(souk_call_expected(call, SOUK_VERSION_TOLD, &version));
    SOUK_TRY(webhooks_read_body(call, &asked.endpoint));
    asked.endpoint.id = was.id;
    asked.endpoint.version = version;
    if (!souk_text_equal(was.url, asked.endpoint.url))
        SOUK_TRY(souk_posts_check(&asked.my->options.allowed, asked.endpoint.url, &call->diag));
    souk_err err = souk_ledger_write(ledger_of(&asked), SOUK_LANE_INGEST, change, &asked);
    if (err == SOUK_ECHANGED)
        return souk_diag_say(&call->diag, err,
                             "webhook %lld was changed meanwhile: read it again, then change it",
                             (long long)was.id);
    SOUK_TRY(no_endpoint(call, err));
    souk_sender_poke(asked.my->sender);
    return show(&asked, NULL, &same);
}

static void put_webhook(souk_call *call)
{
    answer(call, put(call), 200);
}

static souk_err remove_it(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    return souk_endpoint_remove(tx, asked->endpoint.id);
}

static souk_err remove_one(souk_call *call)
{
    struct asked asked;
    SOUK_TRY(begin_at(call, &asked));
    SOUK_TRY(no_endpoint(
        call, souk_ledger_write(ledger_of(&asked), SOUK_LANE_INGEST, remove_it, &asked)));
    souk_sender_poke(asked.my->sender);
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_bool(out, "removed", true);
    souk_json_write_end(out);
    return SOUK_OK;
}

static void delete_webhook(souk_call *call)
{
    answer(call, remove_one(call), 200);
}

static souk_err rotate(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    return souk_endpoint_rotate(tx, souk_spine_vault(asked->my->spine), asked->endpoint.id,
                                asked->now, asked->until, &asked->secret);
}

static souk_err make_secret(souk_call *call)
{
    struct asked asked;
    souk_time keep_ms;
    SOUK_TRY(begin_at(call, &asked));
    SOUK_TRY(webhooks_read_keep(call, &keep_ms));
    asked.until = asked.now + keep_ms;
    SOUK_TRY(
        no_endpoint(call, souk_ledger_write(ledger_of(&asked), SOUK_LANE_INGEST, rotate, &asked)));
    return show_secret(&asked);
}

static void post_rotate(souk_call *call)
{
    answer(call, make_secret(call), 200);
}

/* ---- deliveries ---------------------------------------------------------------------------------------- */

static souk_err find_delivery(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    return souk_outbox_find(tx, asked->endpoint.id, asked->delivery.id, &asked->delivery);
}

static souk_err show_delivery(struct asked *asked)
{
    SOUK_TRY(souk_ledger_read(ledger_of(asked), find_delivery, asked));
    webhooks_write_delivery(souk_call_json(asked->call), &asked->delivery);
    return SOUK_OK;
}

static souk_err write_each(void *context, const souk_delivery *delivery)
{
    webhooks_write_delivery(context, delivery);
    return SOUK_OK;
}

static souk_err list_deliveries(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    souk_json_writer *out = souk_call_json(asked->call);
    int64_t next;
    souk_json_write_object(out);
    souk_json_put_array(out, "deliveries");
    SOUK_TRY(souk_outbox_list(tx, asked->endpoint.id, asked->state, asked->before, PAGE, write_each,
                              out, &next));
    souk_json_write_end(out);
    if (next) {
        souk_json_write_key(out, SOUK_TEXT("next_before"));
        souk_json_write_i64(out, next);
        souk_call_link_next_u64(asked->call, "before", (uint64_t)next);
    }
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err read_page(souk_call *call, struct asked *asked)
{
    souk_text word;
    uint64_t before = INT64_MAX;
    if (souk_call_query(call, SOUK_TEXT("before"), &word) &&
        (souk_text_to_u64(word, &before) || before == 0 || before > INT64_MAX))
        return souk_diag_say(&call->diag, SOUK_EINVAL, "before is the id of a delivery");
    asked->before = (int64_t)before;
    asked->state = -1;
    if (!souk_call_query(call, SOUK_TEXT("state"), &word))
        return SOUK_OK;
    for (int state = SOUK_DELIVERY_WAITING; state <= SOUK_DELIVERY_DEAD; state++)
        if (souk_text_equal(word,
                            souk_text_of(souk_delivery_state_word((souk_delivery_state)state))))
            asked->state = state;
    if (asked->state < 0)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "state is waiting, delivered or dead, or is left out");
    return SOUK_OK;
}

static void get_deliveries(souk_call *call)
{
    struct asked asked;
    souk_err err = begin_at(call, &asked);
    if (!err)
        err = read_page(call, &asked);
    if (!err)
        err = souk_ledger_read(ledger_of(&asked), list_deliveries, &asked);
    answer(call, err, 200);
}

static souk_err check_on(const struct asked *asked)
{
    if (asked->endpoint.state == SOUK_ENDPOINT_ON)
        return SOUK_OK;
    return souk_diag_say(&asked->call->diag, SOUK_ECONFLICT,
                         "webhook %lld is %s, nothing is sent to it: PUT it with \"enabled\": true",
                         (long long)asked->endpoint.id,
                         souk_endpoint_state_word(asked->endpoint.state));
}

static souk_err add_test(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    return souk_outbox_test(asked->my->outbox, tx, &asked->endpoint, &asked->delivery.id);
}

static souk_err make_test(souk_call *call)
{
    struct asked asked;
    SOUK_TRY(begin_at(call, &asked));
    SOUK_TRY(check_on(&asked));
    SOUK_TRY(souk_ledger_write(ledger_of(&asked), SOUK_LANE_INGEST, add_test, &asked));
    souk_sender_poke(asked.my->sender);
    return show_delivery(&asked);
}

static void post_test(souk_call *call)
{
    answer(call, make_test(call), 202);
}

static souk_err retry(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    return souk_outbox_retry(asked->my->outbox, tx, asked->endpoint.id, asked->delivery.id);
}

static souk_err make_retry(souk_call *call)
{
    struct asked asked;
    SOUK_TRY(begin_at(call, &asked));
    SOUK_TRY(id_of(call, 1, "delivery", &asked.delivery.id));
    SOUK_TRY(check_on(&asked));
    souk_err err = souk_ledger_write(ledger_of(&asked), SOUK_LANE_INGEST, retry, &asked);
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, err,
                             "webhook %lld has no delivery %.*s, or no longer: see `souk webhook "
                             "deliveries %lld`",
                             (long long)asked.endpoint.id, SOUK_TEXT_PRINT(call->parts[1]),
                             (long long)asked.endpoint.id);
    SOUK_TRY(err);
    souk_sender_poke(asked.my->sender);
    return show_delivery(&asked);
}

static void post_retry(souk_call *call)
{
    answer(call, make_retry(call), 202);
}

/* ---- counters ------------------------------------------------------------------------------------------ */

static void put_counter(souk_buf *out, const char *name, const char *type, const char *help,
                        uint64_t value)
{
    souk_buf_print(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                   (unsigned long long)value);
}

struct sums {
    souk_arena arena;
    uint64_t on, failing, gone, waiting, behind, dead; /* behind: the farthest */
};

static souk_err sum_up(souk_tx *tx, void *context)
{
    struct sums *sums = context;
    souk_endpoint *list;
    size_t count;
    SOUK_TRY(souk_endpoint_list(tx, &sums->arena, &list, &count));
    for (size_t i = 0; i < count; i++) {
        if (list[i].state == SOUK_ENDPOINT_REMOVED)
            continue;
        sums->on += list[i].state == SOUK_ENDPOINT_ON;
        sums->failing += list[i].state == SOUK_ENDPOINT_FAILING;
        sums->gone += list[i].state == SOUK_ENDPOINT_GONE;
        sums->waiting += list[i].waiting;
        sums->behind = souk_max_size(sums->behind, list[i].behind);
        sums->dead += list[i].dead;
    }
    return SOUK_OK;
}

static void count(void *state, souk_buf *out)
{
    struct webhooks *my = state;
    struct sums sums = {.arena = {.mem = my->mem}};
    souk_sender_counters c;
    souk_sender_count(my->sender, &c);
    if (!souk_ledger_read(souk_spine_ledger(my->spine), sum_up, &sums)) {
        put_counter(out, "souk_webhooks_on", "gauge", "Endpoints that are sent to.", sums.on);
        put_counter(out, "souk_webhooks_failing", "gauge",
                    "Endpoints that are off because they failed for days.", sums.failing);
        put_counter(out, "souk_webhooks_gone", "gauge", "Endpoints that answered 410.", sums.gone);
        put_counter(out, "souk_webhooks_waiting", "gauge", "Deliveries that wait.", sums.waiting);
        put_counter(out, "souk_webhooks_behind", "gauge",
                    "Events of the log that the slowest endpoint has still to come to.",
                    sums.behind);
        put_counter(out, "souk_webhooks_dead", "gauge", "Deliveries that were given up.",
                    sums.dead);
    }
    souk_arena_done(&sums.arena);
    put_counter(out, "souk_webhooks_full", "gauge",
                "1 while too many wait: the outbox reads no further.",
                souk_outbox_is_full(my->outbox));
    put_counter(out, "souk_webhooks_under_way", "gauge", "Deliveries under way.", c.under_way);
    put_counter(out, "souk_webhooks_sent_total", "counter", "Tries.", c.sent);
    put_counter(out, "souk_webhooks_delivered_total", "counter", "Tries answered 2xx.",
                c.delivered);
    put_counter(out, "souk_webhooks_failed_total", "counter", "Tries that failed.", c.failed);
    put_counter(out, "souk_webhooks_refused_total", "counter",
                "Tries whose address is not one to send to.", c.refused);
    put_counter(out, "souk_webhooks_told_total", "counter", "Persons told, by their grant.",
                c.told);
    put_counter(out, "souk_webhooks_withheld_total", "counter",
                "Persons not told, since they do not grant it.", c.withheld);
}

/* ---- the tables ---------------------------------------------------------------------------------------- */

#define MEMBERS                                                                                      \
    "url: text 'https://…', events: [text] 'names; * for all of a shop', stores?: [text] 'codes; " \
    "none: any', "                                                                                   \
    "purpose?: text? 'for which persons are told; none: they are not', "                             \
    "rate?: integer(1..1000) 'deliveries a second; 50', enabled?: boolean"

static const souk_shape_name shapes[] = {
    {"Webhook",
     "{id: integer, url: text, events: [text], stores: [text], purpose: text?, rate: integer, "
     "enabled: boolean, state: text 'on, off, gone (it answered 410) or failing', version: integer "
     "'its ETag', made: time, failing: time? 'since when nothing arrived there', waiting: integer, "
     "behind: integer 'events of the log it has still to come to', dead: integer, secret?: text "
     "'whsec_…, shown this once', withheld?: text 'of a repeat under one Idempotency-Key: the "
     "secret "
     "it has not'}"},
    {"Delivery",
     "{id: integer, webhook_id: text 'as it was sent', type: text 'event, or a name of our own', "
     "position?: integer 'in the log', at: time, state: text 'waiting, delivered or dead', tries: "
     "integer, status: integer? 'of the last answer', fault: text, next: time?, ended: time?}"},
};

static const souk_route routes[] = {
    {"GET", "/v1/webhooks", SOUK_SCOPE_ADMIN, get_webhooks, .summary = "Who is told of events",
     .gives = "{webhooks: [Webhook]}"},
    {"POST", "/v1/webhooks", SOUK_SCOPE_ADMIN, post_webhook, .slow = true,
     .summary = "A new endpoint, and its secret", .secret = "secret", .takes = "{" MEMBERS "}",
     .gives = "Webhook", .gives_status = 201},
    {"GET", "/v1/webhooks/{id}", SOUK_SCOPE_ADMIN, get_webhook, .summary = "One endpoint",
     .gives = "Webhook", .words = "Its ETag is what a PUT gives as If-Match."},
    {"PUT", "/v1/webhooks/{id}", SOUK_SCOPE_ADMIN, put_webhook, .slow = true,
     .summary = "Change an endpoint", .takes = "{" MEMBERS "}", .gives = "Webhook",
     .words = "412 where it was changed meanwhile, 428 without If-Match.", .versioned = true},
    {"DELETE", "/v1/webhooks/{id}", SOUK_SCOPE_ADMIN, delete_webhook, .slow = true,
     .summary = "Remove an endpoint, with what waits for it", .gives = "{removed: boolean}"},
    {"POST", "/v1/webhooks/{id}/rotate", SOUK_SCOPE_ADMIN, post_rotate, .slow = true,
     .summary = "Another secret; the one before signs beside it for a while", .secret = "secret",
     .takes = "{keep_s?: integer(0..2592000) 'for how long; 86400'}", .gives = "Webhook"},
    {"POST", "/v1/webhooks/{id}/test", SOUK_SCOPE_ADMIN, post_test, .slow = true,
     .summary = "Send it a delivery that only says that it arrives", .gives = "Delivery",
     .gives_status = 202},
    {"GET", "/v1/webhooks/{id}/deliveries", SOUK_SCOPE_ADMIN, get_deliveries,
     .summary = "Its deliveries, newest first",
     .query = "state?: waiting|delivered|dead, before?: integer 'next_before of the last page'",
     .gives = "{deliveries: [Delivery], next_before?: integer 'there may be more'}"},
    {"POST", "/v1/webhooks/{id}/deliveries/{delivery}/retry", SOUK_SCOPE_ADMIN, post_retry,
     .slow = true, .summary = "Send it again now", .gives = "Delivery", .gives_status = 202},
};

const souk_service souk_webhooks_service = {
    .name = "webhooks",
    .words = "Events told to other servers, signed by Standard Webhooks",
    .shapes = shapes,
    .shape_count = sizeof shapes / sizeof *shapes,
    .open = open_webhooks,
    .close = close_webhooks,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
    .count = count,
};
