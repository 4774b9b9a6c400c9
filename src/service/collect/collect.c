/* collect.c - the collect service: the routes of the Segment protocol, of rejects and of imports. */
#include "service/collect/import.h"
#include "service/collect/segment.h"

/* ---- rejects ----------------------------------------------------------------------------------------- */

static souk_err write_reject(void *context, const souk_reject *reject)
{
    souk_json_writer *out = context;
    char at[SOUK_TIME_BYTES];
    souk_json_write_object(out);
    souk_json_write_key(out, SOUK_TEXT("id"));
    souk_json_write_u64(out, reject->id);
    souk_json_write_key(out, SOUK_TEXT("source"));
    souk_json_write_u64(out, reject->source);
    souk_json_write_key(out, SOUK_TEXT("at"));
    souk_json_write_text(out, (souk_text){at, souk_time_write(reject->at, at)});
    souk_json_write_key(out, SOUK_TEXT("fault"));
    souk_json_write_text(out, reject->fault);
    souk_json_write_key(out, SOUK_TEXT("where"));
    souk_json_write_text(out, reject->where);
    souk_json_write_key(out, SOUK_TEXT("text"));
    souk_json_write_text(out, reject->text);
    souk_json_write_end(out);
    return SOUK_OK;
}

static void list_rejects(souk_call *call)
{
    souk_text word;
    uint64_t after = 0, count;
    if (souk_call_query(call, SOUK_TEXT("after"), &word) && souk_text_to_u64(word, &after)) {
        souk_diag_say(&call->diag, SOUK_EINVAL, "after is the id of a reject");
        souk_call_fail(call, SOUK_EINVAL);
        return;
    }
    souk_rejects *rejects = souk_spine_rejects(call->spine);
    souk_json_writer *out = souk_call_json(call);
    souk_err err = souk_rejects_count(rejects, &count);
    souk_json_write_object(out);
    souk_json_write_key(out, SOUK_TEXT("count"));
    souk_json_write_u64(out, count);
    souk_json_write_key(out, SOUK_TEXT("rejects"));
    souk_json_write_array(out);
    if (!err)
        err = souk_rejects_each(rejects, after, 100, write_reject, out);
    souk_json_write_end(out);
    souk_json_write_end(out);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

static bool reject_id(souk_call *call, uint64_t *ret_id)
{
    if (souk_text_to_u64(call->parts[0], ret_id) == SOUK_OK)
        return true;
    souk_diag_say(&call->diag, SOUK_ENOENT, "the id of a reject is a number: see GET /v1/rejects");
    souk_call_fail(call, SOUK_ENOENT);
    return false;
}

static void replay_reject(souk_call *call)
{
    uint64_t id;
    if (!reject_id(call, &id))
        return;
    souk_err err = souk_collect_replay(call->state, call, id, call->body);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer_text(call, 200, "application/json", SOUK_TEXT("{\"success\":true}"));
}

static void remove_reject(souk_call *call)
{
    uint64_t id;
    if (!reject_id(call, &id))
        return;
    souk_err err = souk_rejects_remove(souk_spine_rejects(call->spine), id);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer_text(call, 200, "application/json", SOUK_TEXT("{\"success\":true}"));
}

/* ---- the table ------------------------------------------------------------------------------------------ */

enum { BATCH_BYTES = SOUK_CALL_BODY_MOST, SINGLE_BYTES = 65536 }; /* a batch: as the server's */

#define SINGLE(path, summary)                                                                 \
    {                                                                                         \
        "POST", path, SOUK_SCOPE_WRITE, souk_collect_one, summary, SINGLE_BYTES, false, false \
    }

static const souk_route routes[] = {
    {"POST", "/v1/batch", SOUK_SCOPE_WRITE, souk_collect_batch, .summary = "A batch of events",
     .body_limit = BATCH_BYTES},
    SINGLE("/v1/track", "What a shopper did"),
    SINGLE("/v1/identify", "Who a visitor is"),
    SINGLE("/v1/page", "A page seen"),
    SINGLE("/v1/screen", "A screen seen"),
    SINGLE("/v1/group", "A group joined"),
    SINGLE("/v1/alias", "A visitor's earlier id"),
    {"GET", "/v1/rejects", SOUK_SCOPE_MANAGE, list_rejects,
     .summary = "Events that could not be taken, oldest first"},
    {"POST", "/v1/rejects/{id}/replay", SOUK_SCOPE_MANAGE, replay_reject,
     .summary = "Take a reject again, mended in the body or as it is", .slow = true,
     .body_limit = SINGLE_BYTES},
    {"DELETE", "/v1/rejects/{id}", SOUK_SCOPE_MANAGE, remove_reject, .summary = "Drop a reject",
     .slow = true},
};

const souk_service souk_collect_service = {
    .name = "collect",
    .open = souk_collect_open,
    .close = souk_collect_close,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
};
