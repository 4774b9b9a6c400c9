/* sender.c - the thread of sender.h.
 *
 *     wait for the network -> store what came back -> the log becomes rows -> send what is due -> wait …
 *
 * What a try needs is read in one short read of the ledger; nothing of the ledger is held while it is under way. */
#include "serve/sender.h"

#include "os/thread.h"
#include "serve/pace.h"
#include "serve/payload.h"

#include <stdio.h>

enum {
    LOOK_MS = 100,   /* between looks at the log */
    OTHER_MS = 500,  /* between looks at consent and rejects */
    IDLE_MS = 60000, /* where there is no endpoint */
    PAUSE_MOST_MS = 600000,
    CAREFUL = 3, /* failures in a row */
};

/* What the sender knows of an endpoint that is on. */
struct line {
    int64_t id; /* 0: free */
    souk_bucket bucket;
    unsigned failures; /* in a row */
    int64_t paused_ns; /* until then */
    int64_t busy[SOUK_SENDER_EACH];
    size_t busy_count;
    bool seen; /* by the look under way */
};

_Static_assert(SOUK_POSTS_MOST <= (int)SOUK_OUTBOX_SETTLE, "what ended is stored at once");

struct souk_sender {
    souk_mem *mem;
    souk_spine *spine;
    souk_outbox *outbox;
    souk_sender_options options;
    souk_payload *payload;
    souk_posts *posts;
    souk_thread thread;
    bool stopping, poked; /* atomic */
    /* of the thread alone: */
    souk_arena arena;
    souk_endpoint *endpoints; /* [count], of the last look */
    size_t count;
    struct line lines[SOUK_ENDPOINTS_MOST];
    souk_outcome ended[SOUK_POSTS_MOST]; /* [ended_count], to be stored */
    size_t ended_count;
    struct tried {
        souk_delivery delivery;
        bool taken;
    } tried[SOUK_POSTS_MOST];
    int64_t looked_ns; /* at consent and rejects */
    bool was_full, in_trouble;
    souk_sender_counters counters; /* atomic */
};

static int64_t now_ns(const souk_sender *sender)
{
    return souk_clock_monotonic_ns(souk_spine_clock(sender->spine));
}

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* ---- lines --------------------------------------------------------------------------------------------- */

static struct line *find_line(souk_sender *sender, int64_t id)
{
    for (size_t i = 0; i < SOUK_ENDPOINTS_MOST; i++)
        if (sender->lines[i].id == id)
            return &sender->lines[i];
    return NULL;
}

static void say_off(const souk_sender *sender, const souk_endpoint *endpoint)
{
    if (endpoint->state == SOUK_ENDPOINT_GONE)
        souk_log_with(sender->options.log, SOUK_LOG_WARN, "webhooks",
                      "an endpoint answered 410 and is off: see `souk webhook list`",
                      SOUK_LOG_INT("webhook", endpoint->id));
    else if (endpoint->state == SOUK_ENDPOINT_FAILING)
        souk_log_with(sender->options.log, SOUK_LOG_ERROR, "webhooks",
                      "an endpoint has failed for days and is off: see `souk webhook deliveries`",
                      SOUK_LOG_INT("webhook", endpoint->id),
                      SOUK_LOG_COUNT("waiting", endpoint->waiting));
}

/* One for each endpoint that is on; those of others go once nothing is under way. */
static void match_lines(souk_sender *sender)
{
    for (size_t i = 0; i < SOUK_ENDPOINTS_MOST; i++)
        sender->lines[i].seen = false;
    for (size_t i = 0; i < sender->count; i++) {
        const souk_endpoint *endpoint = &sender->endpoints[i];
        struct line *line = find_line(sender, endpoint->id);
        bool on = endpoint->state == SOUK_ENDPOINT_ON;
        if (line && !on && !line->busy_count)
            say_off(sender, endpoint);
        if (!line && on && (line = find_line(sender, 0)))
            *line = (struct line){.id = endpoint->id};
        if (line)
            line->seen = on;
    }
    for (size_t i = 0; i < SOUK_ENDPOINTS_MOST; i++)
        if (!sender->lines[i].seen && !sender->lines[i].busy_count)
            sender->lines[i].id = 0;
}

/* ---- what comes back ----------------------------------------------------------------------------------- */

static void leave_busy(struct line *line, int64_t id)
{
    for (size_t i = 0; i < line->busy_count; i++)
        if (line->busy[i] == id) {
            line->busy[i] = line->busy[--line->busy_count];
            return;
        }
}

/* What was under way together fails together, and counts once. */
static void note_failure(souk_sender *sender, struct line *line, int64_t retry_ms)
{
    int64_t now = now_ns(sender), pause_ms = retry_ms;
    if (now >= line->paused_ns) {
        unsigned more = ++line->failures >= CAREFUL ? line->failures - CAREFUL : 0;
        int64_t careful_ms = line->failures < CAREFUL ? 0
                             : more > 10              ? PAUSE_MOST_MS
                                                      : sender->options.first_wait_ms << more;
        if (careful_ms > PAUSE_MOST_MS)
            careful_ms = PAUSE_MOST_MS;
        if (pause_ms < careful_ms)
            pause_ms = careful_ms;
    }
    if (line->paused_ns < now + pause_ms * 1000000)
        line->paused_ns = now + pause_ms * 1000000;
}

static void note_outcome(souk_sender *sender, const souk_outcome *outcome)
{
    struct line *line = find_line(sender, outcome->delivery.endpoint);
    sender->ended[sender->ended_count++] = *outcome;
    count(outcome->delivered ? &sender->counters.delivered : &sender->counters.failed);
    if (outcome->fault == SOUK_DELIVERY_FAULT_REFUSED)
        count(&sender->counters.refused);
    if (!line)
        return;
    leave_busy(line, outcome->delivery.id);
    if (outcome->delivered)
        line->failures = 0;
    else
        note_failure(sender, line, outcome->retry_ms);
}

static void gather(souk_sender *sender)
{
    souk_posted posted;
    while (sender->ended_count < SOUK_POSTS_MOST && souk_posts_next(sender->posts, &posted)) {
        struct tried *tried = posted.user;
        souk_outcome outcome = {.delivery = tried->delivery,
                                .delivered = posted.fault == SOUK_DELIVERY_FAULT_NONE,
                                .gone = posted.status == 410,
                                .status = posted.status,
                                .fault = posted.fault,
                                .retry_ms = posted.retry_ms};
        tried->taken = false;
        note_outcome(sender, &outcome);
    }
    __atomic_store_n(&sender->counters.under_way, souk_posts_under_way(sender->posts),
                     __ATOMIC_RELAXED);
}

/* Where it cannot be stored it stays here; the deliveries are due again, and would be sent again. */
static souk_err store(souk_sender *sender)
{
    SOUK_TRY(souk_outbox_settle(sender->outbox, sender->ended, sender->ended_count));
    sender->ended_count = 0;
    return SOUK_OK;
}

/* ---- what goes out ------------------------------------------------------------------------------------- */

struct preparing {
    souk_sender *sender;
    int64_t endpoint;
    souk_signing_secret secrets[SOUK_ENDPOINT_SECRETS];
    size_t secret_count;
    souk_time now;
};

static souk_err read_secrets(souk_tx *tx, void *context)
{
    struct preparing *my = context;
    return souk_endpoint_secrets(tx, souk_spine_vault(my->sender->spine), my->endpoint, my->now,
                                 my->secrets, &my->secret_count);
}

static souk_err sign(souk_sender *sender, const souk_delivery *delivery, souk_time now,
                     souk_text body, souk_buf *signature)
{
    struct preparing my = {.sender = sender, .endpoint = delivery->endpoint, .now = now};
    souk_err err = souk_ledger_read(souk_spine_ledger(sender->spine), read_secrets, &my);
    if (!err && my.secret_count == 0) /* removed in this moment */
        err = SOUK_ENOENT;
    souk_buf_text(signature, SOUK_TEXT("webhook-signature: "));
    if (!err)
        souk_signature_write(my.secrets, my.secret_count, souk_text_of(delivery->webhook_id),
                             now / 1000, body, signature);
    souk_signing_secrets_wipe(my.secrets, SOUK_ENDPOINT_SECRETS);
    return err ? err : souk_buf_check(signature);
}

static struct tried *free_try(souk_sender *sender)
{
    for (size_t i = 0; i < SOUK_POSTS_MOST; i++)
        if (!sender->tried[i].taken)
            return &sender->tried[i];
    return NULL;
}

static souk_err post(souk_sender *sender, const souk_endpoint *endpoint, struct tried *tried)
{
    souk_auto_value(souk_buf) body = {.mem = sender->mem}, signature = {.mem = sender->mem};
    const souk_delivery *delivery = &tried->delivery;
    souk_time now = souk_clock_now_ms(souk_spine_clock(sender->spine));
    souk_payload_person person;
    char id[64], stamp[64];
    SOUK_TRY(souk_payload_write(sender->payload, endpoint, delivery, &body, &person));
    SOUK_TRY(sign(sender, delivery, now, souk_buf_view(&body), &signature));
    snprintf(id, sizeof id, "webhook-id: %s", delivery->webhook_id);
    snprintf(stamp, sizeof stamp, "webhook-timestamp: %lld", (long long)(now / 1000));
    souk_post post = {.url = souk_text_in(&sender->arena, endpoint->url),
                      .headers = {id, stamp, souk_buf_ended(&signature)},
                      .body = souk_buf_view(&body),
                      .user = tried};
    if (sender->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_posts_send(sender->posts, &post));
    count(&sender->counters.sent);
    if (person != SOUK_PAYLOAD_NOBODY)
        count(person == SOUK_PAYLOAD_TOLD ? &sender->counters.told : &sender->counters.withheld);
    return SOUK_OK;
}

/* What cannot be made ready counts as a try, so that it does not stand in the way of the others for ever. */
static souk_err send_one(souk_sender *sender, const souk_endpoint *endpoint, struct line *line,
                         const souk_delivery *delivery)
{
    struct tried *tried = free_try(sender);
    souk_assert(tried != NULL);
    tried->delivery = *delivery;
    souk_err err = post(sender, endpoint, tried);
    if (err == SOUK_ENOMEM || err == SOUK_EIO || err == SOUK_EBUSY || err == SOUK_ESTOPPED)
        return err;
    if (!err) {
        tried->taken = true;
        line->busy[line->busy_count++] = delivery->id;
        return SOUK_OK;
    }
    souk_log_with(sender->options.log, SOUK_LOG_ERROR, "webhooks",
                  "a delivery could not be made ready", SOUK_LOG_INT("webhook", delivery->endpoint),
                  SOUK_LOG_INT("delivery", delivery->id), SOUK_LOG_ERR("error", err));
    note_outcome(sender,
                 &(souk_outcome){.delivery = *delivery, .fault = SOUK_DELIVERY_FAULT_INSIDE});
    return SOUK_OK;
}

static souk_err send_line(souk_sender *sender, const souk_endpoint *endpoint, struct line *line)
{
    souk_delivery due[SOUK_OUTBOX_DUE];
    size_t due_count, each = line->failures >= CAREFUL ? 1 : SOUK_SENDER_EACH;
    size_t room = SOUK_POSTS_MOST - souk_posts_under_way(sender->posts) - sender->ended_count;
    int64_t now = now_ns(sender);
    if (now < line->paused_ns || line->busy_count >= each || room == 0 || !endpoint->waiting)
        return SOUK_OK;
    if (souk_bucket_wait_ns(&line->bucket, endpoint->rate, now) > 0)
        return SOUK_OK;
    SOUK_TRY(souk_outbox_due(sender->outbox, endpoint->id, line->busy, line->busy_count,
                             souk_min_size(each - line->busy_count, room), due, &due_count));
    for (size_t i = 0; i < due_count; i++) {
        if (!souk_bucket_take(&line->bucket, endpoint->rate, now))
            return SOUK_OK;
        SOUK_TRY(send_one(sender, endpoint, line, &due[i]));
    }
    return SOUK_OK;
}

static souk_err send_due(souk_sender *sender)
{
    for (size_t i = 0; i < sender->count; i++) {
        struct line *line = find_line(sender, sender->endpoints[i].id);
        if (line && line->seen)
            SOUK_TRY(send_line(sender, &sender->endpoints[i], line));
    }
    return SOUK_OK;
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

static souk_err read_endpoints(souk_tx *tx, void *context)
{
    souk_sender *sender = context;
    souk_arena_clear(&sender->arena);
    sender->count = 0;
    return souk_endpoint_list(tx, &sender->arena, &sender->endpoints, &sender->count);
}

static void say_full(souk_sender *sender)
{
    bool full = souk_outbox_is_full(sender->outbox);
    if (full != sender->was_full)
        souk_log_say(sender->options.log, full ? SOUK_LOG_ERROR : SOUK_LOG_WARN, "webhooks",
                     full ? "too many deliveries wait: the outbox reads no further until some are "
                            "gone; see `souk webhook list`"
                          : "the outbox has room again");
    sender->was_full = full;
}

/* The log is looked at as long as there is more of it; a moment at a time, since answers come meanwhile. */
static souk_err read_log(souk_sender *sender, bool *ret_more)
{
    int64_t now = now_ns(sender);
    *ret_more = false;
    bool is_due = souk_outbox_behind(sender->outbox) ||
                  now - sender->looked_ns >= (int64_t)OTHER_MS * 1000000;
    if (!is_due)
        return SOUK_OK;
    SOUK_TRY(souk_outbox_step(sender->outbox, ret_more));
    if (!*ret_more)
        sender->looked_ns = now;
    say_full(sender);
    return SOUK_OK;
}

static souk_err work(souk_sender *sender, bool *ret_more)
{
    bool swept;
    SOUK_TRY(store(sender));
    SOUK_TRY(read_log(sender, ret_more));
    SOUK_TRY(souk_ledger_read(souk_spine_ledger(sender->spine), read_endpoints, sender));
    match_lines(sender);
    SOUK_TRY(send_due(sender));
    SOUK_TRY(souk_outbox_sweep(sender->outbox, &swept));
    *ret_more |= swept;
    return SOUK_OK;
}

static void say_trouble(souk_sender *sender, souk_err err)
{
    if (err && !sender->in_trouble)
        souk_log_with(sender->options.log, SOUK_LOG_ERROR, "webhooks",
                      "deliveries wait until the ledger answers again", SOUK_LOG_ERR("error", err));
    sender->in_trouble = err != SOUK_OK;
}

static int wait_ms(const souk_sender *sender, bool more, souk_err err)
{
    if (err)
        return 1000;
    return more ? 0 : sender->count ? LOOK_MS : IDLE_MS;
}

static bool is_stopping(const souk_sender *sender)
{
    return __atomic_load_n(&sender->stopping, __ATOMIC_ACQUIRE);
}

/* What is under way may still end well. */
static void finish(souk_sender *sender)
{
    int64_t end_ns = now_ns(sender) + (int64_t)SOUK_SENDER_STOP_MS * 1000000;
    while (souk_posts_under_way(sender->posts) && now_ns(sender) < end_ns) {
        souk_posts_wait(sender->posts, 50);
        gather(sender);
    }
    souk_err err = store(sender);
    (void)err; /* the next start sends it again */
}

static void run(void *context)
{
    souk_sender *sender = context;
    int next_ms = 0;
    while (!is_stopping(sender)) {
        bool more = false;
        souk_posts_wait(sender->posts, next_ms);
        if (__atomic_exchange_n(&sender->poked, false, __ATOMIC_ACQ_REL))
            sender->looked_ns = INT64_MIN / 2;
        gather(sender);
        souk_err err = work(sender, &more);
        say_trouble(sender, err);
        next_ms = wait_ms(sender, more, err);
    }
    finish(sender);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

souk_err souk_sender_new(souk_mem *mem, souk_spine *spine, souk_outbox *outbox,
                         souk_sender **ret_sender)
{
    souk_sender *sender = souk_mem_get(mem, sizeof *sender);
    if (!sender)
        return SOUK_ENOMEM;
    sender->mem = mem;
    sender->spine = spine;
    sender->outbox = outbox;
    sender->arena.mem = mem;
    *ret_sender = sender;
    return SOUK_OK;
}

souk_err souk_sender_start(souk_sender *sender, const souk_sender_options *options)
{
    souk_assert(!sender->posts);
    sender->options = *options;
    if (!sender->options.first_wait_ms)
        sender->options.first_wait_ms = 5000;
    SOUK_TRY(souk_payload_new(sender->mem, sender->spine, &sender->payload));
    SOUK_TRY(souk_posts_new(sender->mem, &options->posts, &sender->posts));
    sender->looked_ns = INT64_MIN / 2;
    return souk_thread_start(&sender->thread, "webhooks", run, sender);
}

void souk_sender_poke(souk_sender *sender)
{
    __atomic_store_n(&sender->poked, true, __ATOMIC_RELEASE);
    if (sender->posts)
        souk_posts_wake(sender->posts);
}

void souk_sender_free(souk_sender *sender)
{
    if (!sender)
        return;
    __atomic_store_n(&sender->stopping, true, __ATOMIC_RELEASE);
    if (sender->posts)
        souk_posts_wake(sender->posts);
    souk_thread_join(&sender->thread);
    souk_posts_free(sender->posts);
    souk_payload_free(sender->payload);
    souk_arena_done(&sender->arena);
    souk_mem_put(sender->mem, sender);
}

void souk_sender_count(const souk_sender *sender, souk_sender_counters *ret_counters)
{
    const souk_sender_counters *c = &sender->counters;
    *ret_counters = (souk_sender_counters){
        .sent = __atomic_load_n(&c->sent, __ATOMIC_RELAXED),
        .delivered = __atomic_load_n(&c->delivered, __ATOMIC_RELAXED),
        .failed = __atomic_load_n(&c->failed, __ATOMIC_RELAXED),
        .told = __atomic_load_n(&c->told, __ATOMIC_RELAXED),
        .withheld = __atomic_load_n(&c->withheld, __ATOMIC_RELAXED),
        .refused = __atomic_load_n(&c->refused, __ATOMIC_RELAXED),
        .under_way = __atomic_load_n(&c->under_way, __ATOMIC_RELAXED),
    };
}
