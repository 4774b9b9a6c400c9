/* stream_channel.c - channels and their listeners: what each is told, and what of it it was too slow for.
 *
 *     live       out ──► one chunk ──► every listener; who has no room is told later how many it lost
 *     patient    out ──► pieces ──► its one listener, when it has room */
#include "serve/stream_guts.h"

#include <stdio.h>

enum { BURST = 1000 }; /* events at once after a rest, or a second's where that is less */

/* ---- listeners ----------------------------------------------------------------------------- */

/* What the listener missed stands before what comes now.  False: there is no room for that either. */
static bool tell_lost(stream_listener *listener)
{
    stream_service *service = listener->channel->service;
    char words[200];
    souk_auto(souk_http_chunk) chunk = NULL;
    int bytes = snprintf(
        words, sizeof words,
        "id: %llu\nevent: skipped\ndata: {\"count\":%llu,\"from\":%llu,"
        "\"through\":%llu,\"why\":\"slow\"}\n\n",
        (unsigned long long)listener->lost_through, (unsigned long long)listener->lost,
        (unsigned long long)listener->lost_from, (unsigned long long)listener->lost_through);
    if (souk_http_chunk_new(service->mem, (souk_text){words, (size_t)bytes}, &chunk) ||
        !souk_http_stream_put(listener->stream, chunk))
        return false;
    listener->lost = 0;
    return true;
}

static void touch(stream_listener *listener)
{
    stream_service *service = listener->channel->service;
    listener->told_ms = service->now_ms;
    service->touched += !listener->touched;
    listener->touched = true;
}

/* NULL: there was no memory for it. */
static void put(stream_listener *listener, souk_http_chunk *chunk, uint64_t events,
                const stream_channel *channel)
{
    stream_service *service = channel->service;
    if ((!listener->lost || tell_lost(listener)) && chunk &&
        souk_http_stream_put(listener->stream, chunk)) {
        STREAM_COUNT(service, told, channel->out_events);
        touch(listener);
        return;
    }
    if (!listener->lost)
        listener->lost_from = channel->out_from;
    listener->lost += events;
    listener->lost_through = channel->out_through;
    STREAM_COUNT(service, skipped_slow, events);
}

static void unlink_listener(stream_listener *listener)
{
    *listener->at = listener->next;
    if (listener->next)
        listener->next->at = listener->at;
}

static void link_listener(stream_channel *channel, stream_listener *listener)
{
    listener->channel = channel;
    listener->next = channel->listeners;
    listener->at = &channel->listeners;
    if (listener->next)
        listener->next->at = &listener->next;
    channel->listeners = listener;
}

static void say_end(stream_listener *listener, const char *why)
{
    char words[200];
    souk_auto(souk_http_chunk) chunk = NULL;
    int bytes = snprintf(words, sizeof words, "event: end\ndata: {\"why\":\"%s\"}\n\n", why);
    if (listener->lost && !tell_lost(listener))
        return;
    if (!souk_http_chunk_new(listener->channel->service->mem, (souk_text){words, (size_t)bytes},
                             &chunk))
        (void)!souk_http_stream_put(listener->stream, chunk);
}

void stream_listener_end(stream_listener *listener, const char *why)
{
    stream_channel *channel = listener->channel;
    stream_service *service = channel->service;
    say_end(listener, why);
    souk_http_stream_end(listener->stream);
    unlink_listener(listener);
    souk_mem_put(service->mem, listener);
    __atomic_fetch_sub(&service->counts.listeners, 1, __ATOMIC_RELAXED);
    if (channel->shopper)
        __atomic_fetch_sub(&service->counts.shoppers, 1, __ATOMIC_RELAXED);
    if (!channel->listeners)
        stream_channel_free(channel);
}

/* Where it is, so that it goes on there should it be cut off now; to be skipped by every parser of events. */
static void say_quiet(stream_listener *listener)
{
    stream_channel *channel = listener->channel;
    stream_service *service = channel->service;
    char words[64];
    if (!service->quiet) {
        int bytes = snprintf(words, sizeof words, ": quiet\nid: %llu\n\n",
                             (unsigned long long)(service->place - 1));
        if (souk_http_chunk_new(service->mem, (souk_text){words, (size_t)bytes}, &service->quiet))
            return;
    }
    if (souk_http_stream_put(listener->stream, service->quiet))
        touch(listener);
}

void stream_listener_look(stream_listener *listener, bool check)
{
    stream_channel *channel = listener->channel;
    stream_service *service = channel->service;
    const stream_pass *pass = &listener->pass;
    if (__atomic_load_n(&listener->gone, __ATOMIC_ACQUIRE)) {
        stream_listener_end(listener, "gone");
        return;
    }
    if (__atomic_load_n(&listener->draining, __ATOMIC_ACQUIRE)) {
        stream_listener_end(listener, "the server stops: come back soon");
        return;
    }
    if (check && pass->has_mark &&
        !souk_merchants_mark_works(service->merchants, pass->mark, SOUK_SCOPE_READ)) {
        stream_listener_end(listener, "the token was revoked");
        return;
    }
    if (listener->lost && tell_lost(listener))
        touch(listener);
    bool is_quiet = service->now_ms - listener->told_ms >= STREAM_QUIET_MS;
    if (is_quiet && channel->live && !listener->lost && channel->place == service->place)
        say_quiet(listener);
}

/* ---- what is told -------------------------------------------------------------------------- */

static void say(stream_channel *channel, uint64_t from, uint64_t through)
{
    if (!channel->out_events++)
        channel->out_from = from;
    channel->out_through = through;
    channel->dirty = true;
}

/* Live channels have a ceiling of events a second; who catches up is held by its listener alone. */
static bool has_token(stream_channel *channel)
{
    stream_service *service = channel->service;
    if (stream_channel_is_patient(channel))
        return true;
    int64_t passed_ms = service->now_ms - channel->refilled_ms;
    int64_t most = 1000 * (int64_t)souk_min_size(channel->rate, BURST);
    channel->refilled_ms = service->now_ms;
    if (passed_ms > 0)
        channel->tokens_milli += passed_ms < 1000 ? passed_ms * channel->rate : most;
    if (channel->tokens_milli > most)
        channel->tokens_milli = most;
    if (channel->tokens_milli < 1000)
        return false;
    channel->tokens_milli -= 1000;
    return true;
}

void stream_channel_take(stream_channel *channel, souk_text message, uint64_t position)
{
    channel->dirty = true;
    if (!has_token(channel)) {
        if (!channel->skipped++)
            channel->skipped_from = position;
        channel->skipped_through = position;
        STREAM_COUNT(channel->service, skipped_rate, 1);
        return;
    }
    souk_buf_text(&channel->out, message);
    say(channel, position, position);
}

void stream_channel_gap(stream_channel *channel, uint64_t from, uint64_t through)
{
    souk_buf_print(
        &channel->out, "id: %llu\nevent: gap\ndata: {\"from\":%llu,\"through\":%llu}\n\n",
        (unsigned long long)through, (unsigned long long)from, (unsigned long long)through);
    channel->dirty = true;
    STREAM_COUNT(channel->service, gaps, 1);
}

static void say_skipped(stream_channel *channel)
{
    if (!channel->skipped)
        return;
    souk_buf_print(&channel->out,
                   "id: %llu\nevent: skipped\ndata: {\"count\":%llu,\"from\":%llu,"
                   "\"through\":%llu,\"why\":\"rate\"}\n\n",
                   (unsigned long long)channel->skipped_through,
                   (unsigned long long)channel->skipped, (unsigned long long)channel->skipped_from,
                   (unsigned long long)channel->skipped_through);
    if (!channel->out_events)
        channel->out_from = channel->skipped_from;
    channel->out_through = channel->skipped_through;
    channel->skipped = 0;
}

static void forget_out(stream_channel *channel)
{
    souk_buf_clear(&channel->out);
    channel->out_told = 0;
    channel->out_events = 0;
    channel->dirty = false;
}

static void tell_all(stream_channel *channel)
{
    souk_auto(souk_http_chunk) chunk = NULL;
    uint64_t events = channel->out_events + channel->skipped;
    say_skipped(channel);
    souk_text out = souk_buf_view(&channel->out);
    if (souk_buf_check(&channel->out) || out.bytes > SOUK_HTTP_CHUNK_BYTES ||
        (out.bytes && souk_http_chunk_new(channel->service->mem, out, &chunk)))
        chunk = NULL; /* nobody gets it, and hears so */
    for (stream_listener *listener = channel->listeners; listener; listener = listener->next)
        put(listener, chunk, events, channel);
    forget_out(channel);
}

/* Whole messages from the front, about STREAM_PIECE_BYTES of them, at least one. */
static souk_text next_piece(const stream_channel *channel)
{
    souk_text rest =
        souk_text_range(channel->out.at + channel->out_told, channel->out.at + channel->out.bytes);
    size_t most = souk_min_size(rest.bytes, STREAM_PIECE_BYTES);
    for (size_t bytes = most; bytes >= 2; bytes--)
        if (rest.at[bytes - 1] == '\n' && rest.at[bytes - 2] == '\n')
            return (souk_text){rest.at, bytes};
    const char *end = memmem(rest.at, rest.bytes, "\n\n", 2);
    return end ? souk_text_range(rest.at, end + 2) : rest;
}

static bool tell_patiently(stream_channel *channel)
{
    stream_listener *listener = channel->listeners;
    if (souk_buf_check(&channel->out)) { /* no memory: what was lost is told as a gap would be */
        listener->lost += channel->out_events;
        listener->lost_from = channel->out_from;
        listener->lost_through = channel->out_through;
        forget_out(channel);
        return true;
    }
    while (channel->pending || channel->out_told < channel->out.bytes) {
        if (!channel->pending) {
            souk_text piece = next_piece(channel);
            if (souk_http_chunk_new(channel->service->mem, piece, &channel->pending))
                return false;
            channel->out_told += piece.bytes;
        }
        if (!souk_http_stream_put(listener->stream, channel->pending))
            return false;
        souk_http_chunk_free(souk_take(&channel->pending));
        touch(listener);
    }
    STREAM_COUNT(channel->service, told, channel->out_events);
    forget_out(channel);
    return true;
}

bool stream_channel_tell(stream_channel *channel)
{
    if (stream_channel_is_patient(channel))
        return tell_patiently(channel);
    tell_all(channel);
    return true;
}

/* ---- life ---------------------------------------------------------------------------------- */

souk_err stream_channel_join(stream_service *service, stream_channel *channel)
{
    if (channel->shopper)
        SOUK_TRY(stream_index_add_alone(service->index, &channel->filter, &channel->want));
    else
        SOUK_TRY(stream_index_add(service->index, &channel->filter, channel, &channel->want));
    channel->next = service->channels;
    channel->at = &service->channels;
    if (channel->next)
        channel->next->at = &channel->next;
    service->channels = channel;
    return SOUK_OK;
}

void stream_channel_free(stream_channel *channel)
{
    if (!channel)
        return;
    stream_service *service = channel->service;
    if (channel->at) {
        *channel->at = channel->next;
        if (channel->next)
            channel->next->at = channel->at;
        service->live_count -= channel->live;
        stream_index_remove(service->index, channel->want);
        if (channel->shopper)
            stream_shoppers_forget(service);
    }
    stream_shopper_free(service, channel->shopper);
    souk_http_chunk_free(channel->pending);
    souk_buf_done(&channel->key);
    souk_buf_done(&channel->out);
    souk_mem_put(service->mem, channel);
}

void stream_channel_go_live(stream_channel *channel)
{
    stream_service *service = channel->service;
    channel->live = true;
    channel->tokens_milli = 1000 * (int64_t)souk_min_size(channel->rate, BURST);
    channel->refilled_ms = service->now_ms;
    service->live_count++;
}

void stream_channel_merge(stream_channel *channel)
{
    stream_channel *other = channel->service->channels;
    while (other && !(other->live && !other->shopper &&
                      souk_text_equal(souk_buf_view(&other->key), souk_buf_view(&channel->key))))
        other = other->next;
    if (!other) {
        stream_channel_go_live(channel);
        return;
    }
    stream_listener *listener = channel->listeners;
    unlink_listener(listener);
    link_listener(other, listener);
    stream_channel_free(channel);
}
