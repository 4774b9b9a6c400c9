/* stream.c - the routes of stream.h: a request becomes a listener, or hears why not. */
#include "serve/stream.h"

#include "base/url.h"
#include "serve/api.h"
#include "serve/metrics.h"
#include "serve/stream_guts.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what is asked for ------------------------------------------------------------------------ */

struct asked {
    stream_filter filter; /* its texts in the call's arena */
    souk_text shopper, purpose;
    uint64_t from; /* 0: with what comes now */
    uint64_t rate;
};

static souk_err too_long(souk_call *call, souk_text name)
{
    return souk_diag_say(&call->diag, SOUK_EINVAL, "%.*s is longer than any name: %d bytes",
                         SOUK_TEXT_PRINT(name), SOUK_EVENT_NAME_BYTES);
}

static souk_err is_empty(souk_call *call, souk_text name)
{
    return souk_diag_say(&call->diag, SOUK_EINVAL, "%.*s is empty: leave it out for all of them",
                         SOUK_TEXT_PRINT(name));
}

static souk_err read_name(souk_call *call, souk_text name, souk_text value, struct asked *asked)
{
    stream_filter *filter = &asked->filter;
    if (value.bytes > SOUK_EVENT_NAME_BYTES)
        return too_long(call, name);
    if (value.bytes == 0)
        return is_empty(call, name);
    if (souk_text_equal(name, SOUK_TEXT("source")))
        filter->source = value;
    else if (souk_text_equal(name, SOUK_TEXT("store")))
        filter->store = value;
    else if (souk_text_equal(name, SOUK_TEXT("product")))
        filter->product = value;
    else if (filter->type_count == STREAM_FILTER_TYPES)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "at most %d types in one stream: leave type out for all of them",
                             STREAM_FILTER_TYPES);
    else
        filter->types[filter->type_count++] = value;
    return SOUK_OK;
}

static souk_err read_number(souk_call *call, souk_text name, souk_text value, uint64_t least,
                            uint64_t most, uint64_t *ret_number)
{
    if (!souk_text_to_u64(value, ret_number) && *ret_number >= least && *ret_number <= most)
        return SOUK_OK;
    return souk_diag_say(&call->diag, SOUK_EINVAL, "%.*s is a number from %llu to %llu",
                         SOUK_TEXT_PRINT(name), (unsigned long long)least,
                         (unsigned long long)most);
}

static souk_err read_field(souk_call *call, souk_text name, souk_text value, struct asked *asked)
{
    static const char *const names[] = {"type", "source", "store", "product"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (souk_text_equal(name, souk_text_of(names[i])))
            return read_name(call, name, value, asked);
    if (souk_text_equal(name, SOUK_TEXT("rate")))
        return read_number(call, name, value, 1, STREAM_RATE_MOST, &asked->rate);
    if (souk_text_equal(name, SOUK_TEXT("from")))
        return read_number(call, name, value, 1, INT64_MAX, &asked->from);
    if (souk_text_equal(name, SOUK_TEXT("shopper")) && value.bytes == 0)
        return is_empty(call, name);
    if (souk_text_equal(name, SOUK_TEXT("shopper")))
        asked->shopper = value;
    else if (souk_text_equal(name, SOUK_TEXT("purpose")))
        asked->purpose = value;
    else if (!souk_text_equal(name, SOUK_TEXT("ticket")))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "'%.*s' is nothing a stream is asked by: type, source, store, "
                             "product, shopper, purpose, from, rate or ticket",
                             SOUK_TEXT_PRINT(name));
    return SOUK_OK;
}

/* A misspelt filter must not open a stream of everything. */
static souk_err read_query(souk_call *call, struct asked *asked)
{
    souk_text rest = call->query, name, raw, value;
    while (souk_url_next(&rest, &name, &raw)) {
        char *room = souk_arena_get(&call->arena, raw.bytes + 1);
        if (call->arena.failed)
            return SOUK_ENOMEM;
        value.at = room;
        if (souk_url_decode(raw, true, room, &value.bytes))
            return souk_diag_say(&call->diag, SOUK_EINVAL,
                                 "%.*s is badly escaped: %%XX, and no %%00", SOUK_TEXT_PRINT(name));
        SOUK_TRY(read_field(call, name, value, asked));
    }
    if (asked->purpose.bytes && asked->shopper.bytes == 0)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "purpose goes with shopper: say whose events it is for");
    return SOUK_OK;
}

/* EventSource sends the last id by itself when it comes back, with the query of the first time. */
static souk_err read_last_id(souk_call *call, struct asked *asked)
{
    souk_text last = souk_call_header(call, SOUK_TEXT("last-event-id"));
    if (last.bytes == 0)
        return SOUK_OK;
    SOUK_TRY(read_number(call, SOUK_TEXT("Last-Event-ID"), last, 0, INT64_MAX - 1, &asked->from));
    asked->from++;
    return SOUK_OK;
}

/* ---- a channel of it ---------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    return souk_text_compare(*(const souk_text *)a, *(const souk_text *)b);
}

/* The texts move into the key, which says the same for the same question. */
static souk_err make_key(stream_channel *channel, const struct asked *asked,
                         const stream_pass *pass)
{
    stream_filter *filter = &channel->filter;
    souk_text *texts[STREAM_FILTER_TYPES + 4];
    size_t offsets[STREAM_FILTER_TYPES + 4], count = 0;
    souk_text value = channel->shopper ? channel->shopper->value : SOUK_TEXT("");
    *filter = asked->filter;
    filter->merchant = pass->caller.merchant == SOUK_OPERATOR ? 0 : pass->caller.merchant;
    qsort(filter->types, filter->type_count, sizeof *filter->types, by_bytes);
    for (size_t i = 0; i < filter->type_count; i++)
        texts[count++] = &filter->types[i];
    texts[count++] = &filter->source;
    texts[count++] = &filter->store;
    texts[count++] = &filter->product;
    texts[count++] = channel->shopper ? &channel->shopper->value : &value;
    souk_buf_print(&channel->key, "%u %u %zu", filter->merchant, channel->rate, filter->type_count);
    for (size_t i = 0; i < count; i++) {
        souk_buf_print(&channel->key, " %zu:", texts[i]->bytes);
        offsets[i] = channel->key.bytes;
        souk_buf_text(&channel->key, *texts[i]);
    }
    SOUK_TRY(souk_buf_check(&channel->key));
    for (size_t i = 0; i < count; i++)
        texts[i]->at = channel->key.at + offsets[i];
    return SOUK_OK;
}

static souk_err read_shopper(souk_call *call, const struct asked *asked, const stream_pass *pass,
                             stream_shopper *shopper)
{
    souk_text rest = asked->shopper, word = souk_text_cut(&rest, ':');
    souk_text purpose = asked->purpose.bytes ? asked->purpose : SOUK_TEXT("serve");
    souk_person *person = souk_arena_get(&call->arena, sizeof *person);
    souk_grant grant;
    if (call->arena.failed)
        return SOUK_ENOMEM;
    shopper->kind = souk_id_of_word(word);
    shopper->value = rest;
    shopper->controller = pass->caller.merchant;
    if (shopper->kind == SOUK_ID_NONE || rest.bytes == 0)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "shopper is KIND:VALUE, as user:u-17; a kind is user, card, phone, "
                             "email, open, device, anonymous or public");
    if (pass->caller.merchant != SOUK_OPERATOR)
        return souk_diag_say(
            &call->diag, SOUK_EDENIED,
            "the shoppers are the operator's: a guest merchant cannot ask for them");
    souk_err err =
        souk_consent_purpose(souk_spine_consent(call->spine), purpose, &shopper->purpose);
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "'%.*s' is no purpose",
                             SOUK_TEXT_PRINT(purpose));
    SOUK_TRY(err);
    return stream_shopper_ask(call->spine, shopper, person, &grant, &call->diag);
}

static void note_gone(void *context)
{
    __atomic_store_n(&((stream_listener *)context)->gone, true, __ATOMIC_RELEASE);
}

static void note_drain(void *context)
{
    __atomic_store_n(&((stream_listener *)context)->draining, true, __ATOMIC_RELEASE);
}

/* A channel with its listener, whose answer has not begun. */
static souk_err make_channel(souk_call *call, const struct asked *asked, const stream_pass *pass,
                             stream_channel **ret_channel)
{
    stream_service *service = call->state;
    stream_channel *channel = souk_mem_get(service->mem, sizeof *channel);
    if (!channel)
        return SOUK_ENOMEM;
    *ret_channel = channel; /* the caller's to free, whatever comes */
    channel->service = service;
    channel->key.mem = channel->out.mem = service->mem;
    channel->rate = (uint32_t)asked->rate;
    if (asked->shopper.bytes) {
        channel->shopper = souk_mem_get(service->mem, sizeof *channel->shopper);
        if (!channel->shopper)
            return SOUK_ENOMEM;
        SOUK_TRY(read_shopper(call, asked, pass, channel->shopper));
    }
    SOUK_TRY(make_key(channel, asked, pass));
    stream_listener *listener = souk_mem_get(service->mem, sizeof *listener);
    if (!listener)
        return SOUK_ENOMEM;
    listener->channel = channel;
    listener->at = &channel->listeners;
    listener->pass = *pass;
    channel->listeners = listener;
    return SOUK_OK;
}

/* ---- beginning ------------------------------------------------------------------------------------ */

/* Where it begins; what the log does not have any more, or not yet, is told as a gap. */
static void find_place(stream_channel *channel, uint64_t from)
{
    uint64_t end = souk_spine_end(channel->service->spine);
    channel->place = from && from < end ? from : end;
    if (from > end)
        stream_channel_gap(channel, end, from - 1);
}

static souk_err say_hello(stream_channel *channel)
{
    char words[128];
    souk_auto(souk_http_chunk) chunk = NULL;
    int bytes = snprintf(words, sizeof words, ": souk\nretry: %d\nid: %llu\n\n", STREAM_RETRY_MS,
                         (unsigned long long)channel->place - 1);
    SOUK_TRY(souk_http_chunk_new(channel->service->mem, (souk_text){words, (size_t)bytes}, &chunk));
    return souk_http_stream_put(channel->listeners->stream, chunk) ? SOUK_OK : SOUK_EBUSY;
}

static souk_err begin_answer(souk_call *call, stream_channel *channel)
{
    static const souk_http_header headers[] = {
        {{"Content-Type", 12}, {"text/event-stream", 17}},
        {{"Cache-Control", 13}, {"no-store", 8}},
        {{"X-Accel-Buffering", 17}, {"no", 2}}, /* nginx would gather it */
    };
    souk_http_stream_options options = {
        .gone = note_gone, .drain = note_drain, .context = channel->listeners};
    SOUK_TRY(stream_tail_start(channel->service));
    return souk_http_stream_begin(souk_api_exchange(call), 200, headers,
                                  sizeof headers / sizeof *headers, &options,
                                  &channel->listeners->stream);
}

/* A place for one more listener, and for one more on a shopper. */
static souk_err enter(souk_call *call, bool is_shopper)
{
    stream_service *service = call->state;
    stream_counts *counts = &service->counts;
    if (__atomic_fetch_add(&counts->listeners, 1, __ATOMIC_RELAXED) >= STREAM_LISTENERS) {
        __atomic_fetch_sub(&counts->listeners, 1, __ATOMIC_RELAXED);
        STREAM_COUNT(service, refused, 1);
        return souk_diag_say(&call->diag, SOUK_EBUSY,
                             "all %d places of listeners are taken: come back later, or end a "
                             "stream that nobody looks at",
                             STREAM_LISTENERS);
    }
    if (is_shopper &&
        __atomic_fetch_add(&counts->shoppers, 1, __ATOMIC_RELAXED) >= STREAM_SHOPPERS) {
        __atomic_fetch_sub(&counts->shoppers, 1, __ATOMIC_RELAXED);
        __atomic_fetch_sub(&counts->listeners, 1, __ATOMIC_RELAXED);
        STREAM_COUNT(service, refused, 1);
        return souk_diag_say(&call->diag, SOUK_EBUSY,
                             "all %d places of listeners on shoppers are taken: come back later",
                             STREAM_SHOPPERS);
    }
    return SOUK_OK;
}

static void leave(stream_service *service, bool is_shopper)
{
    __atomic_fetch_sub(&service->counts.listeners, 1, __ATOMIC_RELAXED);
    if (is_shopper)
        __atomic_fetch_sub(&service->counts.shoppers, 1, __ATOMIC_RELAXED);
}

/* Nothing can fail behind the begin: the answer is under way. */
static souk_err open_stream(souk_call *call, const struct asked *asked, const stream_pass *pass)
{
    stream_service *service = call->state;
    stream_channel *channel = NULL;
    souk_err err = make_channel(call, asked, pass, &channel);
    if (!err)
        err = begin_answer(call, channel);
    if (err) {
        if (channel)
            souk_mem_put(service->mem, channel->listeners);
        stream_channel_free(channel);
        return err;
    }
    find_place(channel, asked->from);
    (void)!say_hello(channel); /* without memory it is only less polite */
    souk_http_stream_flush(channel->listeners->stream);
    STREAM_COUNT(service, opened, 1);
    stream_tail_add(service, channel);
    return SOUK_OK;
}

/* ---- who ------------------------------------------------------------------------------------------- */

static souk_err read_pass(souk_call *call, stream_pass *pass)
{
    stream_service *service = call->state;
    souk_text bearer = souk_call_header(call, SOUK_TEXT("authorization")), ticket;
    *pass = (stream_pass){.caller = call->caller};
    if (call->caller.scopes == 0) { /* api.c: no token, but a ticket */
        int64_t now_ms = souk_clock_monotonic_ns(service->clock) / 1000000;
        if (!souk_call_query(call, SOUK_TEXT("ticket"), &ticket) ||
            stream_tickets_take(&service->tickets, ticket, now_ms, pass))
            return souk_diag_say(&call->diag, SOUK_EUNAUTH,
                                 "the ticket is none, or was used, or is older than a minute: POST "
                                 "/v1/stream/tickets gives another");
        return SOUK_OK;
    }
    if (call->local || bearer.bytes <= 7)
        return SOUK_OK;
    souk_text token = souk_text_trim((souk_text){bearer.at + 7, bearer.bytes - 7});
    pass->mark = souk_merchants_mark(call->merchants, token);
    pass->has_mark = true;
    return SOUK_OK;
}

static souk_err try_stream(souk_call *call)
{
    struct asked asked = {.rate = STREAM_RATE};
    stream_pass pass;
    if (!souk_api_exchange(call))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "a stream goes on: it needs a server that runs (souk serve)");
    SOUK_TRY(read_query(call, &asked));
    SOUK_TRY(read_last_id(call, &asked));
    SOUK_TRY(read_pass(call, &pass));
    bool is_shopper = asked.shopper.bytes > 0;
    SOUK_TRY(enter(call, is_shopper));
    souk_err err = open_stream(call, &asked, &pass);
    if (err)
        leave(call->state, is_shopper);
    return err;
}

static void get_stream(souk_call *call)
{
    if (souk_text_equal(call->method, SOUK_TEXT("HEAD"))) {
        souk_call_answer_text(call, 200, "text/event-stream", SOUK_TEXT(""));
        return;
    }
    souk_err err = try_stream(call);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_free(call);
}

static void post_ticket(souk_call *call)
{
    stream_service *service = call->state;
    stream_pass pass;
    char ticket[STREAM_TICKET_BYTES];
    souk_err err = read_pass(call, &pass);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    stream_tickets_make(&service->tickets, &pass, souk_clock_monotonic_ns(service->clock) / 1000000,
                        ticket);
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_text(out, "ticket", souk_text_of(ticket));
    souk_json_write_key(out, SOUK_TEXT("expires_in"));
    souk_json_write_i64(out, STREAM_TICKET_MS / 1000);
    souk_json_write_end(out);
    souk_call_add_header(call, "Cache-Control", SOUK_TEXT("no-store"));
    souk_call_answer(call, 201);
}

/* ---- the service ------------------------------------------------------------------------------------- */

static souk_err open_service(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                             void **ret_state)
{
    stream_service *service = souk_mem_get(mem, sizeof *service);
    if (!service)
        return SOUK_ENOMEM;
    service->mem = service->message.mem = mem;
    service->spine = spine;
    service->merchants = merchants;
    service->clock = souk_spine_clock(spine);
    souk_mutex_init(&service->mutex);
    souk_cond_init(&service->wake);
    stream_tickets_init(&service->tickets);
    *ret_state = service;
    return SOUK_OK;
}

static void close_service(void *state)
{
    stream_service *service = state;
    if (!service)
        return;
    stream_tail_stop(service);
    stream_tickets_done(&service->tickets);
    souk_cond_done(&service->wake);
    souk_mutex_done(&service->mutex);
    souk_mem_put(service->mem, service);
}

static void count(void *state, souk_buf *out)
{
    const stream_counts *from = &((stream_service *)state)->counts;
    static const struct {
        const char *name, *type, *help;
        size_t at;
    } table[] = {
#define ROW(field, name, type, help) \
    {"souk_stream_" name, type, help, offsetof(stream_counts, field)}
        ROW(listeners, "listeners", "gauge", "Who listens."),
        ROW(shoppers, "shopper_listeners", "gauge", "Who listens to one shopper."),
        ROW(behind, "behind_events", "gauge", "Events stored and not told yet."),
        ROW(opened, "opened_total", "counter", "Streams begun."),
        ROW(refused, "refused_total", "counter", "Refused: too many."),
        ROW(told, "told_total", "counter", "Events told, to each listener."),
        ROW(skipped_rate, "skipped_rate_total", "counter", "Passed over by the ceiling of a rate."),
        ROW(skipped_slow, "skipped_slow_total", "counter", "Passed over for slow listeners."),
        ROW(gaps, "gaps_total", "counter", "Times that positions were not told."),
        ROW(blocks, "blocks_total", "counter", "Blocks of the log read."),
        ROW(rounds, "rounds_total", "counter", "Looks at the log."),
#undef ROW
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const uint64_t *value = (const uint64_t *)(const void *)((const char *)from + table[i].at);
        souk_metrics_put(out, table[i].name, table[i].type, table[i].help,
                         __atomic_load_n(value, __ATOMIC_RELAXED));
    }
}

static const souk_route routes[] = {
    {"GET", "/v1/stream", SOUK_SCOPE_READ, get_stream, .by_ticket = true,
     .summary = "Events as they happen, as server-sent events",
     .words = "A message is an id (the position), the event `event`, and data: {position, at, "
              "received, type, source, store, amount, currency, products}. `skipped`, `gap` and "
              "`end` tell what is not told. Last-Event-ID goes on behind the last one.",
     .query =
         "type?: text 'such events; may be repeated', source?: text, store?: text, "
         "product?: text, shopper?: text 'KIND:VALUE, her events with their texts', "
         "purpose?: text 'of reading a shopper; serve', from?: integer(1..) 'position', "
         "rate?: integer(1..10000) 'events a second; 1000', ticket?: text 'instead of a token'",
     .gives_type = "text/event-stream"},
    {"POST", "/v1/stream/tickets", SOUK_SCOPE_READ, post_ticket,
     .summary = "A pass for one stream, for a browser's EventSource",
     .words = "It opens one stream within a minute, which ends when the token is revoked.",
     .gives = "{ticket: text, expires_in: integer 'seconds'}", .gives_status = 201},
};

const souk_service souk_stream_service = {.name = "stream",
                                          .open = open_service,
                                          .close = close_service,
                                          .routes = routes,
                                          .route_count = sizeof routes / sizeof *routes,
                                          .count = count};
