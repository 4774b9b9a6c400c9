/* segment.c - the Segment protocol: a request with one JSON event, or a batch of them, becomes events of the
 * log (segment_event.c reads each one).
 *
 * What one batch of 100 events costs is what this file is shaped by: the body is read once without copying,
 * each event's own slice is packed as it stands, and the request waits, without a thread, for the
 * transaction that its events are in.
 *
 * A fault of one event never refuses its neighbours: it goes to the rejects with its place, and the
 * client hears 200, because clients drop a batch for ever on 400 (docs/collect.md). */
#include "service/collect/inflate.h"
#include "service/collect/segment_inside.h"

#include <stdio.h>

enum {
    EVENTS_MOST = 1 << 17, /* of a batch, whatever its limit is set to */
    RESTING_BENCHES = 256,
};

/* ---- the pool ---------------------------------------------------------------------------------------- */

static void free_bench(struct segment_bench *bench)
{
    souk_mem *mem = bench->collect->mem;
    souk_json_doc_done(&bench->doc);
    souk_buf_done(&bench->inflated);
    souk_buf_done(&bench->packed);
    souk_mem_put(mem, bench->events);
    souk_mem_put(mem, bench->faults);
    souk_mem_put(mem, bench);
}

static souk_err make_bench(souk_collect *collect, struct segment_bench **ret_bench)
{
    struct segment_bench *bench = souk_mem_get(collect->mem, sizeof *bench);
    if (!bench)
        return SOUK_ENOMEM;
    bench->collect = collect;
    bench->doc.mem = bench->inflated.mem = bench->packed.mem = collect->mem;
    *ret_bench = bench;
    return SOUK_OK;
}

static souk_err take_packer(struct segment_bench *bench)
{
    souk_collect *collect = bench->collect;
    {
        souk_auto_lock(&collect->mutex);
        if (collect->packer_count) {
            bench->packer = collect->packers[--collect->packer_count];
            return SOUK_OK;
        }
    }
    return souk_packer_new(collect->mem, &bench->packer);
}

static void put_packer(struct segment_bench *bench)
{
    souk_collect *collect = bench->collect;
    souk_packer *packer = souk_take(&bench->packer);
    {
        souk_auto_lock(&collect->mutex);
        if (packer && collect->packer_count < SEGMENT_PACKERS) {
            collect->packers[collect->packer_count++] = packer;
            return;
        }
    }
    souk_packer_free(packer);
}

static souk_err take_bench(souk_collect *collect, struct segment_bench **ret_bench)
{
    souk_mutex_lock(&collect->mutex);
    struct segment_bench *bench = collect->resting;
    if (bench) {
        collect->resting = bench->next;
        collect->resting_count--;
    }
    souk_mutex_unlock(&collect->mutex);
    if (!bench)
        return make_bench(collect, ret_bench);
    bench->batch = (souk_batch){0};
    bench->has_sent = false;
    souk_buf_clear(&bench->inflated);
    souk_buf_clear(&bench->packed);
    *ret_bench = bench;
    return SOUK_OK;
}

static void put_bench(struct segment_bench *bench)
{
    souk_collect *collect = bench->collect;
    souk_mutex_lock(&collect->mutex);
    bool keep = collect->resting_count < RESTING_BENCHES;
    if (keep) {
        bench->next = collect->resting;
        collect->resting = bench;
        collect->resting_count++;
    }
    souk_mutex_unlock(&collect->mutex);
    if (!keep)
        free_bench(bench);
}

souk_err souk_collect_open(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                           void **ret_state)
{
    souk_collect *collect = souk_mem_get(mem, sizeof *collect);
    if (!collect)
        return SOUK_ENOMEM;
    collect->mem = mem;
    collect->spine = spine;
    collect->merchants = merchants;
    souk_mutex_init(&collect->mutex);
    *ret_state = collect;
    return SOUK_OK;
}

void souk_collect_close(void *state)
{
    souk_collect *collect = state;
    if (!collect)
        return;
    while (collect->resting) {
        struct segment_bench *bench = collect->resting;
        collect->resting = bench->next;
        free_bench(bench);
    }
    while (collect->packer_count)
        souk_packer_free(collect->packers[--collect->packer_count]);
    souk_mutex_done(&collect->mutex);
    souk_mem_put(collect->mem, collect);
}

/* ---- one request's events --------------------------------------------------------------------------------- */

static void place_packed(struct segment_bench *bench)
{
    for (size_t i = 0; i < bench->batch.count; i++) {
        size_t from = bench->events[i].packed.bytes;
        size_t to =
            i + 1 < bench->batch.count ? bench->events[i + 1].packed.bytes : bench->packed.bytes;
        bench->events[i].packed = (souk_text){bench->packed.at + from, to - from};
    }
}

/* A fault of a single call keeps the call's path as its place: its type stands nowhere else. */
static souk_err keep_fault(struct segment_bench *bench, souk_json_node node, souk_text path_type,
                           size_t number, const souk_diag *fault)
{
    souk_arena *arena = &bench->call->arena;
    char where[32];
    int bytes = path_type.bytes ? snprintf(where, sizeof where, "/v1/%.*s",
                                           (int)souk_min_size(path_type.bytes, 20), path_type.at)
                                : snprintf(where, sizeof where, "batch[%zu]", number);
    SOUK_TRY(souk_mem_grow(bench->collect->mem, &bench->faults, &bench->fault_capacity,
                           bench->batch.fault_count + 1, EVENTS_MOST, sizeof *bench->faults));
    bench->faults[bench->batch.fault_count++] =
        (souk_reject){.source = bench->batch.source,
                      .at = bench->received,
                      .fault = souk_text_of(souk_text_in(arena, souk_text_of(fault->words))),
                      .where = {souk_arena_copy(arena, where, (size_t)bytes), (size_t)bytes},
                      .text = souk_json_raw(&bench->doc, node)};
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err add_event(struct segment_bench *bench, souk_json_node node, souk_text path_type,
                          size_t number)
{
    souk_diag fault = {.words = ""};
    size_t packed_bytes = bench->packed.bytes;
    SOUK_TRY(souk_mem_grow(bench->collect->mem, &bench->events, &bench->event_capacity,
                           bench->batch.count + 1, EVENTS_MOST, sizeof *bench->events));
    souk_err err =
        segment_read_event(bench, node, path_type, &bench->events[bench->batch.count], &fault);
    if (err == SOUK_EINVAL) {
        bench->packed.bytes = packed_bytes;
        return keep_fault(bench, node, path_type, number, &fault);
    }
    bench->batch.count += err == SOUK_OK;
    return err;
}

/* ---- one request ------------------------------------------------------------------------------------------------ */

/* "Basic base64(key:)", with or without the colon. */
static bool basic_key(souk_call *call, souk_text header, souk_text *ret_key)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (header.bytes < 6 || !souk_text_equal_nocase((souk_text){header.at, 6}, SOUK_TEXT("basic ")))
        return false;
    souk_text coded = souk_text_trim((souk_text){header.at + 6, header.bytes - 6});
    char *to = souk_arena_get(&call->arena, coded.bytes);
    uint32_t bits = 0;
    unsigned held = 0;
    size_t bytes = 0;
    for (size_t i = 0; to && i < coded.bytes && coded.at[i] != '='; i++) {
        const char *found = memchr(letters, coded.at[i], 64);
        if (!found)
            return false;
        bits = bits << 6 | (uint32_t)(found - letters);
        held += 6;
        if (held >= 8)
            to[bytes++] = (char)(bits >> (held -= 8));
    }
    *ret_key = (souk_text){to, bytes};
    souk_text rest = *ret_key;
    *ret_key = souk_text_cut(&rest, ':');
    return to != NULL;
}

static souk_err find_caller(struct segment_bench *bench)
{
    souk_call *call = bench->call;
    souk_text key;
    souk_json_node root = souk_json_root(&bench->doc);
    souk_json_node in_body = souk_json_member(&bench->doc, root, SOUK_TEXT("writeKey"));
    bool told = basic_key(call, souk_call_header(call, SOUK_TEXT("authorization")), &key) ||
                souk_json_text(&bench->doc, in_body, &call->arena, &key) == SOUK_OK ||
                souk_call_query(call, SOUK_TEXT("writeKey"), &key);
    if (call->arena.failed) /* a 401 would tell the client to drop what it sent */
        return SOUK_ENOMEM;
    if (!told)
        return souk_diag_say(&call->diag, SOUK_EUNAUTH,
                             "no write key: send it as the user of Basic authorization, or as "
                             "writeKey in the body");
    souk_err err = souk_merchants_write_key(call->merchants, key, &call->caller);
    if (err == SOUK_EUNAUTH)
        return souk_diag_say(&call->diag, err, "the write key is not one of this shop's");
    bench->batch.source = call->caller.source;
    return err;
}

static void answer(souk_batch *batch, souk_err err)
{
    struct segment_bench *bench = batch->context;
    souk_call *call = bench->call;
    put_bench(bench);
    if (err == SOUK_EFULL)
        souk_diag_say(&call->diag, err,
                      "the disk of the server's data folder is full: nothing of this request was "
                      "stored; free some space there, then send it again");
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer_text(call, 200, "application/json", SOUK_TEXT("{\"success\":true}"));
}

static souk_err read_batch(struct segment_bench *bench, souk_json_node list, souk_json_node root)
{
    size_t number = 0;
    bench->has_sent = segment_time_at(bench, root, "sentAt", &bench->sent);
    size_t most = bench->call->limits.batch_events;
    if (souk_json_count(&bench->doc, list) > most)
        return souk_diag_say(&bench->call->diag, SOUK_ETOOBIG, "more than %zu events in a batch",
                             most);
    for (souk_json_node node = souk_json_first(&bench->doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(&bench->doc, node))
        SOUK_TRY(add_event(bench, node, SOUK_TEXT(""), number++));
    return SOUK_OK;
}

/* A write key in the body of a single call would be stored with the event, and be read in a timeline or a reject
 * by who may not write: null stands in its place.  *ret_text is the body in the arena. */
static souk_err hide_key(struct segment_bench *bench, souk_text body, souk_json_node key,
                         souk_text *ret_text)
{
    souk_text raw = souk_json_raw(&bench->doc, key);
    char *copy = souk_arena_copy(&bench->call->arena, body.at, body.bytes);
    if (bench->call->arena.failed)
        return SOUK_ENOMEM;
    memset(copy + (raw.at - body.at), ' ', raw.bytes);
    memcpy(copy + (raw.at - body.at), "null", souk_min_size(raw.bytes, 4));
    *ret_text = (souk_text){copy, body.bytes};
    return SOUK_OK;
}

static souk_err read_single(struct segment_bench *bench, souk_text body,
                            const souk_json_limits *limits, souk_text path_type)
{
    souk_json_node root = souk_json_root(&bench->doc);
    souk_json_node key = souk_json_member(&bench->doc, root, SOUK_TEXT("writeKey"));
    if (souk_json_type(&bench->doc, key) == SOUK_JSON_STRING &&
        souk_json_raw(&bench->doc, key).bytes >= 4) {
        SOUK_TRY(hide_key(bench, body, key, &body));
        SOUK_TRY(souk_json_read(&bench->doc, body, limits, &bench->call->diag));
        root = souk_json_root(&bench->doc);
    }
    return add_event(bench, root, path_type, 0);
}

static souk_err read_body(struct segment_bench *bench, souk_text body, souk_text path_type)
{
    souk_call *call = bench->call;
    size_t most = call->limits.body_bytes;
    souk_json_limits limits = {.bytes = most, .values = 1 << 20, .depth = 32};
    if (souk_is_gzip(body)) {
        souk_err err = souk_inflate(body, most, &bench->inflated);
        if (err == SOUK_ETOOBIG)
            return souk_diag_say(&call->diag, err,
                                 "the gzip body is above %zu bytes inflated: send less at once",
                                 most);
        if (err == SOUK_ESYNTAX)
            return souk_diag_say(&call->diag, err,
                                 "the gzip body is damaged or cut off: compress it again");
        SOUK_TRY(err);
        body = souk_buf_view(&bench->inflated);
    }
    SOUK_TRY(souk_json_read(&bench->doc, body, &limits, &call->diag));
    SOUK_TRY(find_caller(bench));
    souk_json_node root = souk_json_root(&bench->doc);
    souk_json_node list = souk_json_member(&bench->doc, root, SOUK_TEXT("batch"));
    if (path_type.bytes)
        return read_single(bench, body, &limits, path_type);
    if (souk_json_type(&bench->doc, list) != SOUK_JSON_ARRAY)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "the body has no batch: send {\"batch\":[…]}");
    return read_batch(bench, list, root);
}

static void collect(souk_call *call, souk_text path_type)
{
    souk_collect *state = call->state;
    struct segment_bench *bench;
    souk_err err = take_bench(state, &bench);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    bench->call = call;
    bench->received = souk_clock_now_ms(souk_spine_clock(state->spine));
    err = take_packer(bench);
    if (!err)
        err = read_body(bench, call->body, path_type);
    put_packer(bench);
    if (!err && call->arena.failed)
        err = SOUK_ENOMEM;
    if (!err) {
        place_packed(bench);
        bench->batch.events = bench->events;
        bench->batch.faults = bench->faults;
        bench->batch.done = answer;
        bench->batch.context = bench;
        err = souk_spine_submit(state->spine, &bench->batch);
        if (!err)
            return; /* answered when durable */
    }
    put_bench(bench);
    souk_call_fail(call, err);
}

void souk_collect_batch(souk_call *call)
{
    collect(call, SOUK_TEXT(""));
}

/* /v1/track, /v1/identify …: the path says the type. */
void souk_collect_one(souk_call *call)
{
    souk_text path = call->path;
    size_t slash = path.bytes;
    while (slash && path.at[slash - 1] != '/')
        slash--;
    collect(call, (souk_text){path.at + slash, path.bytes - slash});
}

/* ---- a reject, mended ---------------------------------------------------------------------------------------------- */

/* The type that a reject's place tells: "/v1/track" is a single call, "batch[3]" tells none. */
static souk_text type_of_place(souk_text where)
{
    souk_text path = SOUK_TEXT("/v1/");
    if (!souk_text_starts(where, path))
        return SOUK_TEXT("");
    return (souk_text){where.at + path.bytes, where.bytes - path.bytes};
}

static souk_err read_again(struct segment_bench *bench, souk_text text, souk_text type,
                           bool is_mended, souk_event *event)
{
    souk_call *call = bench->call;
    souk_diag fault = {.words = ""};
    SOUK_TRY(souk_json_read(&bench->doc, text, NULL, &call->diag));
    souk_json_node root = souk_json_root(&bench->doc);
    souk_json_node own = souk_json_member(&bench->doc, root, SOUK_TEXT("type"));
    if (is_mended && own != SOUK_JSON_NONE)
        type = SOUK_TEXT("");
    SOUK_TRY(take_packer(bench));
    souk_err err = segment_read_event(bench, root, type, event, &fault);
    put_packer(bench);
    if (err == SOUK_EINVAL)
        err = souk_diag_say(&call->diag, err, "it is still at fault: %s", fault.words);
    return err;
}

souk_err souk_collect_replay(souk_collect *state, souk_call *call, uint64_t reject_id,
                             souk_text mended)
{
    struct segment_bench *bench;
    uint32_t source;
    souk_auto_value(souk_buf) stored = {.mem = state->mem}, where = {.mem = state->mem};
    SOUK_TRY(
        souk_rejects_read(souk_spine_rejects(state->spine), reject_id, &source, &where, &stored));
    SOUK_TRY(take_bench(state, &bench));
    bench->call = call;
    bench->batch.source = source;
    bench->received = souk_clock_now_ms(souk_spine_clock(state->spine));
    souk_event event;
    souk_err err = read_again(bench, mended.bytes ? mended : souk_buf_view(&stored),
                              type_of_place(souk_buf_view(&where)), mended.bytes != 0, &event);
    if (!err) {
        event.packed = souk_buf_view(&bench->packed);
        bench->batch.events = &event;
        bench->batch.count = 1;
        err = souk_spine_write(state->spine, &bench->batch);
    }
    put_bench(bench);
    SOUK_TRY(err);
    return souk_rejects_remove(souk_spine_rejects(state->spine), reject_id);
}
