/* segment.c - the Segment protocol: a request with one JSON event, or a batch of them, becomes events of the
 * log (segment_event.c reads each one, intake.h keeps them).
 *
 * A fault of one event never refuses its neighbours: it goes to the rejects with its place, and the
 * client hears 200, because clients drop a batch for ever on 400 (docs/collect.md). */
#include "service/collect/segment.h"

#include "base/base64.h"
#include "service/collect/intake_inside.h"

/* ---- who calls --------------------------------------------------------------------------------------- */

/* "Basic base64(key:)", with or without the colon (RFC 7617 2). */
static bool basic_key(souk_call *call, souk_text header, souk_text *ret_key)
{
    if (header.bytes < 6 || !souk_text_equal_nocase((souk_text){header.at, 6}, SOUK_TEXT("basic ")))
        return false;
    souk_text coded = souk_text_trim((souk_text){header.at + 6, header.bytes - 6}), plain;
    char *to = souk_arena_get(&call->arena, SOUK_BASE64_ROOM(coded.bytes));
    if (!to || souk_base64_decode(coded, SOUK_BASE64_EITHER, to, &plain.bytes, NULL))
        return false;
    plain.at = to;
    *ret_key = souk_text_cut(&plain, ':');
    return true;
}

souk_err souk_collect_key(souk_call *call, souk_text *ret_key)
{
    if (basic_key(call, souk_call_header(call, SOUK_TEXT("authorization")), ret_key) ||
        souk_call_query(call, SOUK_TEXT("writeKey"), ret_key))
        return SOUK_OK;
    return souk_diag_say(&call->diag, call->arena.failed ? SOUK_ENOMEM : SOUK_EUNAUTH,
                         "no write key: send it as the user of Basic authorization, or as "
                         "writeKey in the body or the query");
}

souk_err souk_collect_caller(souk_call *call, souk_text key)
{
    if (call->arena.failed) /* a 401 would tell the client to drop what it sent */
        return SOUK_ENOMEM;
    if (key.bytes == 0)
        SOUK_TRY(souk_collect_key(call, &key));
    souk_err err = souk_merchants_write_key(call->merchants, key, &call->caller);
    if (err == SOUK_EUNAUTH)
        return souk_diag_say(&call->diag, err, "the write key is not one of this shop's");
    return err;
}

/* The header's key wins, then the body's, then the query's. */
static souk_err find_caller(souk_intake *intake, souk_call *call)
{
    souk_text key = {"", 0};
    souk_json_node root = souk_json_root(&intake->doc);
    souk_json_node in_body = souk_json_member(&intake->doc, root, SOUK_TEXT("writeKey"));
    if (!basic_key(call, souk_call_header(call, SOUK_TEXT("authorization")), &key) &&
        souk_json_text(&intake->doc, in_body, &call->arena, &key))
        key = SOUK_TEXT("");
    SOUK_TRY(souk_collect_caller(call, key));
    souk_intake_source(intake, call->caller.source);
    return SOUK_OK;
}

/* ---- one request ------------------------------------------------------------------------------------- */

static souk_err read_batch(souk_intake *intake, souk_call *call, souk_json_node list,
                           souk_json_node root)
{
    ptrdiff_t number = 0;
    size_t most = call->limits.batch_events;
    intake->has_sent = segment_time_at(intake, root, "sentAt", &intake->sent);
    if (souk_json_count(&intake->doc, list) > most)
        return souk_diag_say(&call->diag, SOUK_ETOOBIG, "more than %zu events in a batch", most);
    for (souk_json_node node = souk_json_first(&intake->doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(&intake->doc, node))
        SOUK_TRY(intake_add(intake, node, SOUK_TEXT(""), SOUK_TEXT("batch"), number++));
    return SOUK_OK;
}

/* A write key in the body of a single call would be stored with the event, and be read in a timeline or a reject
 * by who may not write: null stands in its place.  *ret_text is the body in the arena. */
static souk_err hide_key(souk_intake *intake, souk_text body, souk_json_node key,
                         souk_text *ret_text)
{
    souk_text raw = souk_json_raw(&intake->doc, key);
    char *copy = souk_arena_copy(intake->arena, body.at, body.bytes);
    if (intake->arena->failed)
        return SOUK_ENOMEM;
    memset(copy + (raw.at - body.at), ' ', raw.bytes);
    memcpy(copy + (raw.at - body.at), "null", souk_min_size(raw.bytes, 4));
    *ret_text = (souk_text){copy, body.bytes};
    return SOUK_OK;
}

/* A fault of a single call keeps the call's path as its place, "/v1/track": its type stands nowhere else. */
static souk_text place_of_type(souk_intake *intake, souk_text type)
{
    char *place = souk_arena_get(intake->arena, 4 + type.bytes);
    memcpy(place, "/v1/", 4);
    memcpy(place + 4, type.at, type.bytes);
    return (souk_text){place, 4 + type.bytes};
}

static souk_err read_single(souk_intake *intake, souk_text body, const souk_json_limits *limits,
                            souk_text path_type)
{
    souk_json_node root = souk_json_root(&intake->doc);
    souk_json_node key = souk_json_member(&intake->doc, root, SOUK_TEXT("writeKey"));
    if (souk_json_type(&intake->doc, key) == SOUK_JSON_STRING &&
        souk_json_raw(&intake->doc, key).bytes >= 4) {
        SOUK_TRY(hide_key(intake, body, key, &body));
        SOUK_TRY(souk_json_read(&intake->doc, body, limits, intake->diag));
        root = souk_json_root(&intake->doc);
    }
    return intake_add(intake, root, path_type, place_of_type(intake, path_type), INTAKE_ALONE);
}

static void write_members(const souk_json_doc *doc, souk_json_node object, souk_json_node but,
                          souk_json_writer *out)
{
    for (souk_json_node node = souk_json_first(doc, object); node != SOUK_JSON_NONE;
         node = souk_json_next(doc, node)) {
        souk_text key = souk_json_key(doc, node);
        if (souk_json_member(doc, but, key) != SOUK_JSON_NONE)
            continue;
        souk_json_write_raw_key(out, key);
        souk_json_write_raw(out, souk_json_raw(doc, node));
    }
}

/* The event, its context with what the batch's has and it has not. */
static void write_with_context(const souk_json_doc *doc, souk_json_node event,
                               souk_json_node context, souk_json_writer *out)
{
    if (souk_json_type(doc, event) != SOUK_JSON_OBJECT) {
        souk_json_write_raw(out, souk_json_raw(doc, event));
        return;
    }
    souk_json_node own = souk_json_member(doc, event, SOUK_TEXT("context"));
    souk_json_write_object(out);
    souk_json_put_object(out, "context");
    write_members(doc, own, SOUK_JSON_NONE, out);
    write_members(doc, context, own, out);
    souk_json_write_end(out);
    for (souk_json_node node = souk_json_first(doc, event); node != SOUK_JSON_NONE;
         node = souk_json_next(doc, node)) {
        souk_text key = souk_json_key(doc, node);
        if (souk_text_equal(key, SOUK_TEXT("context")))
            continue;
        souk_json_write_raw_key(out, key);
        souk_json_write_raw(out, souk_json_raw(doc, node));
    }
    souk_json_write_end(out);
}

/* The batch's own context goes into each event that does not say otherwise, so that what is stored stands by
 * itself: *body becomes {"batch":[…]} anew, and is read again. */
static souk_err spread_context(souk_intake *intake, souk_json_node context, souk_text *body,
                               const souk_json_limits *limits)
{
    const souk_json_doc *doc = &intake->doc;
    souk_json_writer out = {.out = &intake->told};
    souk_json_node root = souk_json_root(doc);
    souk_json_node list = souk_json_member(doc, root, SOUK_TEXT("batch"));
    souk_buf_clear(&intake->told);
    souk_json_write_object(&out);
    souk_json_write_key(&out, SOUK_TEXT("sentAt"));
    souk_json_node sent = souk_json_member(doc, root, SOUK_TEXT("sentAt"));
    souk_json_write_raw(&out,
                        sent == SOUK_JSON_NONE ? SOUK_TEXT("null") : souk_json_raw(doc, sent));
    souk_json_put_array(&out, "batch");
    for (souk_json_node node = souk_json_first(doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(doc, node))
        write_with_context(doc, node, context, &out);
    souk_json_write_end(&out);
    souk_json_write_end(&out);
    SOUK_TRY(souk_json_write_check(&out));
    souk_text told = souk_buf_view(&intake->told);
    if (told.bytes > limits->bytes)
        return souk_diag_say(intake->diag, SOUK_ETOOBIG,
                             "with the batch's context in each of its events it has more than %zu "
                             "bytes: send fewer at once, or the context with those that need it",
                             limits->bytes);
    *body = (souk_text){souk_arena_copy(intake->arena, told.at, told.bytes), told.bytes};
    if (intake->arena->failed)
        return SOUK_ENOMEM;
    return souk_json_read(&intake->doc, *body, limits, intake->diag);
}

static souk_err read_body(souk_intake *intake, souk_call *call, souk_text path_type)
{
    size_t most = call->limits.body_bytes;
    souk_json_limits limits = {.bytes = most, .values = 1 << 20, .depth = 32};
    souk_text body;
    SOUK_TRY(souk_intake_inflate(intake, call->body, most, &body));
    SOUK_TRY(souk_json_read(&intake->doc, body, &limits, &call->diag));
    SOUK_TRY(find_caller(intake, call));
    souk_json_node root = souk_json_root(&intake->doc);
    souk_json_node list = souk_json_member(&intake->doc, root, SOUK_TEXT("batch"));
    if (path_type.bytes)
        return read_single(intake, body, &limits, path_type);
    if (souk_json_type(&intake->doc, list) != SOUK_JSON_ARRAY)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "the body has no batch: send {\"batch\":[…]}");
    souk_json_node context = souk_json_member(&intake->doc, root, SOUK_TEXT("context"));
    if (souk_json_count(&intake->doc, context)) {
        SOUK_TRY(spread_context(intake, context, &body, &limits));
        root = souk_json_root(&intake->doc);
        list = souk_json_member(&intake->doc, root, SOUK_TEXT("batch"));
    }
    return read_batch(intake, call, list, root);
}

void souk_collect_answer(souk_call *call, souk_err err)
{
    if (err == SOUK_EFULL)
        souk_diag_say(&call->diag, err,
                      "the disk of the server's data folder is full: nothing of this request was "
                      "stored; free some space there, then send it again");
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer_text(call, 200, "application/json", SOUK_TEXT("{\"success\":true}"));
}

static void answer(void *context, souk_err err)
{
    souk_call *call = context;
    souk_intake_free(call->user);
    souk_collect_answer(call, err);
}

static void collect(souk_call *call, souk_text path_type)
{
    souk_intake *intake;
    souk_err err = souk_intake_open(call->state, &call->arena, &call->diag, &intake);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    call->user = intake;
    if (souk_text_equal(souk_call_header(call, SOUK_TEXT("sec-gpc")), SOUK_TEXT("1")))
        intake->refused = 1 << SOUK_PURPOSE_ADVERTISE; /* Global Privacy Control 2.1 */
    err = read_body(intake, call, path_type);
    if (!err)
        err = souk_intake_submit(intake, answer, call);
    if (!err)
        return; /* answered when durable */
    souk_intake_free(intake);
    souk_call_fail(call, err);
}

void souk_collect_batch(souk_call *call)
{
    collect(call, SOUK_TEXT(""));
}

/* "/v1/track" and "/v1/t": the path says the type. */
static souk_text type_of_path(souk_text path)
{
    static const char *const types[] = {"track", "identify", "page", "screen",
                                        "group", "alias",    "merge"};
    size_t slash = path.bytes;
    while (slash && path.at[slash - 1] != '/')
        slash--;
    souk_text word = {path.at + slash, path.bytes - slash};
    for (size_t i = 0; word.bytes == 1 && i < sizeof types / sizeof *types; i++)
        if (types[i][0] == word.at[0])
            return souk_text_of(types[i]);
    return word;
}

void souk_collect_one(souk_call *call)
{
    collect(call, type_of_path(call->path));
}
