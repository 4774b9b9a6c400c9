/* stream_tail.c - the thread that follows the log for all listeners, in rounds.
 *
 *     arrivals     become channels, patient ones, filed in the index
 *     flags        who is gone, whose token was revoked; the server drains
 *     live         blocks from the common place to the end of the log: each read once, each event that somebody
 *                  wants written once
 *     old          blocks for patient channels, the lowest place first, some in a round; those who stand in the
 *                  same block share it
 *     shoppers     those whom a block named
 *     telling      chunks for the listeners, loops woken once
 *
 * Rounds are 20 ms apart, and up to 200 where many listeners had to be told: a send costs a client and the loop some
 * microseconds however little it brings. */
#include "serve/stream_guts.h"

#include "core/log.h"

/* ---- blocks --------------------------------------------------------------------------------- */

struct load {
    souk_mem *mem;
    uint64_t position;
    souk_block *block;
};

static souk_err load_block(souk_tx *tx, void *context)
{
    struct load *load = context;
    uint64_t first;
    size_t count;
    souk_block_free(souk_take(&load->block));
    SOUK_TRY(souk_log_find(tx, load->position, &first, &count));
    return souk_log_columns(load->mem, tx, first, &load->block);
}

struct feeding {
    stream_service *service;
    const souk_fact *fact;
    const souk_fact_line *lines;
    bool is_written; /* service->message is the fact's */
};

static void take(void *context, void *owner)
{
    struct feeding *feeding = context;
    stream_service *service = feeding->service;
    stream_channel *channel = owner;
    uint64_t position = feeding->fact->position;
    if (!channel->feeding || position < channel->place)
        return;
    if (!feeding->is_written) {
        souk_buf_clear(&service->message);
        stream_words_write(service->words, feeding->fact, feeding->lines, NULL, &service->message);
        feeding->is_written = true;
    }
    if (souk_buf_check(&service->message))
        stream_channel_gap(channel, position, position);
    else
        stream_channel_take(channel, souk_buf_view(&service->message), position);
    if (channel->out.bytes < STREAM_PIECE_BYTES)
        return;
    if (!stream_channel_tell(channel)) { /* enough for it: goes on behind this event */
        channel->feeding = false;
        channel->place = position + 1;
    }
}

/* Shows the block's events below `end` to all channels that are feeding. */
static void feed(stream_service *service, const souk_block *block, uint64_t from, uint64_t end,
                 bool is_new)
{
    for (size_t i = from - block->first_position; i < block->count; i++) {
        struct feeding feeding = {.service = service, .fact = &block->facts[i]};
        if (feeding.fact->position >= end)
            return;
        feeding.lines = block->lines + feeding.fact->first_line;
        stream_words_facets(service->words, feeding.fact, feeding.lines, &service->facets);
        stream_index_match(service->index, &service->facets, take, &feeding);
        if (is_new)
            stream_shoppers_hit(service, feeding.fact->atom);
    }
}

/* ---- live ------------------------------------------------------------------------------------- */

/* So far behind that it would never catch up: what lies between is not told. */
static void leap(stream_service *service, uint64_t end)
{
    for (stream_channel *channel = service->channels; channel; channel = channel->next) {
        if (channel->shopper)
            channel->shopper->hit = true;
        else if (channel->live)
            stream_channel_gap(channel, service->place, end - 1);
    }
    service->place = end;
}

static void feed_live(stream_service *service, uint64_t end)
{
    struct load load = {.mem = service->mem};
    if (end > service->place && end - service->place > STREAM_BACK)
        leap(service, end);
    for (stream_channel *channel = service->channels; channel; channel = channel->next)
        channel->feeding = channel->live && !channel->shopper;
    while (service->place < end) {
        load.position = service->place;
        if (souk_ledger_read(souk_spine_ledger(service->spine), load_block, &load))
            break; /* in the next round */
        STREAM_COUNT(service, blocks, 1);
        feed(service, load.block, service->place, end, true);
        service->place = souk_min_size(load.block->first_position + load.block->count, end);
    }
    souk_block_free(load.block);
    for (stream_channel *channel = service->channels; channel; channel = channel->next)
        if (channel->live && !channel->shopper)
            channel->place = service->place;
}

/* ---- old -------------------------------------------------------------------------------------- */

static bool is_hungry(const stream_channel *channel)
{
    return !channel->live && !channel->shopper && !channel->dirty &&
           channel->place < channel->service->place;
}

/* False: nobody stands further back. */
static bool feed_oldest(stream_service *service, struct load *load)
{
    uint64_t lowest = UINT64_MAX;
    for (stream_channel *channel = service->channels; channel; channel = channel->next)
        if (is_hungry(channel))
            lowest = souk_min_size(lowest, channel->place);
    load->position = lowest;
    if (lowest == UINT64_MAX ||
        souk_ledger_read(souk_spine_ledger(service->spine), load_block, load))
        return false;
    STREAM_COUNT(service, blocks, 1);
    uint64_t end = souk_min_size(load->block->first_position + load->block->count, service->place);
    for (stream_channel *channel = service->channels; channel; channel = channel->next)
        channel->feeding = is_hungry(channel) && channel->place < end;
    feed(service, load->block, lowest, end, false);
    for (stream_channel *channel = service->channels; channel; channel = channel->next)
        if (channel->feeding)
            channel->place = end;
    return true;
}

static void feed_old(stream_service *service)
{
    struct load load = {.mem = service->mem};
    for (stream_channel *channel = service->channels; channel; channel = channel->next)
        if (is_hungry(channel) && channel->place + STREAM_BACK < service->place) {
            stream_channel_gap(channel, channel->place, service->place - STREAM_BACK - 1);
            channel->place = service->place - STREAM_BACK;
        }
    for (int i = 0; i < STREAM_OLD_BLOCKS && feed_oldest(service, &load); i++)
        for (stream_channel *channel = service->channels; channel; channel = channel->next)
            if (channel->dirty && !channel->live && !channel->shopper)
                (void)!stream_channel_tell(channel);
    souk_block_free(load.block);
}

/* ---- rounds ----------------------------------------------------------------------------------- */

static void welcome(stream_service *service)
{
    souk_mutex_lock(&service->mutex);
    stream_channel *channel = souk_take(&service->arrivals);
    souk_mutex_unlock(&service->mutex);
    for (stream_channel *next; channel; channel = next) {
        next = channel->next;
        if (stream_channel_join(service, channel)) {
            stream_listener_end(channel->listeners, "the server has no memory left");
            continue;
        }
        channel->listeners->told_ms = service->now_ms;
        if (channel->shopper) {
            channel->shopper->hit = true; /* what came between her first event asked for and now */
            service->hers_end = 0;        /* look at once */
            stream_channel_go_live(channel);
        }
    }
}

static void look_at_listeners(stream_service *service)
{
    bool check = service->now_ms - service->checked_ms >= STREAM_CHECK_MS;
    if (check)
        service->checked_ms = service->now_ms;
    for (stream_channel *channel = service->channels, *next; channel; channel = next) {
        next = channel->next;
        for (stream_listener *listener = channel->listeners, *behind; listener; listener = behind) {
            behind = listener->next; /* the channel goes with its last listener */
            stream_listener_look(listener, check);
        }
    }
}

/* Who has caught up joins only when those it joins have been told what it knows already. */
static void tell_all(stream_service *service)
{
    for (stream_channel *channel = service->channels; channel; channel = channel->next)
        if (channel->dirty)
            (void)!stream_channel_tell(channel);
    for (stream_channel *channel = service->channels, *next; channel; channel = next) {
        next = channel->next;
        if (!channel->dirty && !channel->live && channel->place == service->place)
            stream_channel_merge(channel);
    }
}

static void flush(stream_service *service)
{
    for (stream_channel *channel = service->channels; channel; channel = channel->next)
        for (stream_listener *listener = channel->listeners; listener; listener = listener->next) {
            if (listener->touched)
                souk_http_stream_flush(listener->stream);
            listener->touched = false;
        }
    souk_http_chunk_free(souk_take(&service->quiet));
}

static void run_round(stream_service *service)
{
    service->now_ms = souk_clock_monotonic_ns(service->clock) / 1000000;
    service->touched = 0;
    if (!service->live_count)
        service->place = souk_spine_end(service->spine);
    welcome(service);
    uint64_t end = souk_spine_end(service->spine);
    __atomic_store_n(&service->counts.behind,
                     service->live_count && end > service->place ? end - service->place : 0,
                     __ATOMIC_RELAXED);
    stream_shoppers_look(service, end);
    feed_live(service, end);
    feed_old(service);
    stream_shoppers_tell(service);
    tell_all(service);
    look_at_listeners(service);
    flush(service);
    STREAM_COUNT(service, rounds, 1);
}

/* ---- the thread -------------------------------------------------------------------------------- */

static bool wait_for_listeners(stream_service *service)
{
    souk_auto_lock(&service->mutex);
    while (!service->stopping && !service->arrivals && !service->channels)
        souk_cond_wait(&service->wake, &service->mutex);
    return !service->stopping;
}

static void wait_for_round(stream_service *service, int64_t began_ns)
{
    int64_t rest_ms = STREAM_ROUND_MS + (int64_t)service->touched / 3;
    if (rest_ms > STREAM_ROUND_MOST_MS)
        rest_ms = STREAM_ROUND_MOST_MS;
    souk_auto_lock(&service->mutex);
    bool in_time = true;
    while (!service->stopping && in_time)
        in_time =
            souk_cond_wait_until(&service->wake, &service->mutex, began_ns + rest_ms * 1000000);
}

static void run(void *context)
{
    stream_service *service = context;
    while (wait_for_listeners(service)) {
        /* A real deadline even under a fake clock: it only says when to look again. */
        int64_t began_ns = souk_clock_monotonic_ns(souk_clock_real());
        run_round(service);
        wait_for_round(service, began_ns);
    }
}

static souk_err make_rooms(stream_service *service)
{
    if (!service->person)
        service->person = souk_mem_get(service->mem, sizeof *service->person);
    if (!service->person)
        return SOUK_ENOMEM;
    if (!service->index)
        SOUK_TRY(stream_index_new(service->mem, &service->index));
    if (!service->words)
        SOUK_TRY(stream_words_new(service->mem, service->spine, service->merchants, service->index,
                                  &service->words));
    return SOUK_OK;
}

souk_err stream_tail_start(stream_service *service)
{
    souk_auto_lock(&service->mutex);
    if (service->started)
        return SOUK_OK;
    SOUK_TRY(make_rooms(service));
    SOUK_TRY(souk_thread_start(&service->thread, "stream", run, service));
    service->started = true;
    return SOUK_OK;
}

void stream_tail_add(stream_service *service, stream_channel *channel)
{
    souk_auto_lock(&service->mutex);
    channel->next = service->arrivals;
    service->arrivals = channel;
    souk_cond_signal(&service->wake);
}

void stream_tail_stop(stream_service *service)
{
    {
        souk_auto_lock(&service->mutex);
        service->stopping = true;
        souk_cond_signal(&service->wake);
    }
    souk_thread_join(&service->thread);
    souk_assert(!service->arrivals &&
                !service->channels); /* the HTTP server is gone: all have ended */
    stream_words_free(service->words);
    stream_index_free(service->index);
    souk_mem_put(service->mem, service->hers);
    souk_mem_put(service->mem, service->person);
    souk_buf_done(&service->message);
}
