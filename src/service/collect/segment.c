/* segment.c - the Segment protocol: a request with one JSON event, or a batch of them, becomes events of the
 * log (segment_event.c reads each one, intake.h keeps them).
 *
 * A fault of one event never refuses its neighbours: it goes to the rejects with its place, and the
 * client hears 200, because clients drop a batch for ever on 400 (docs/collect.md). */
#include "service/collect/segment.h"

#include "service/collect/intake_inside.h"

/* ---- who calls --------------------------------------------------------------------------------------- */

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

/* The key of the header or of the query. */
static bool key_outside(souk_call *call, souk_text *ret_key)
{
    return basic_key(call, souk_call_header(call, SOUK_TEXT("authorization")), ret_key) ||
           souk_call_query(call, SOUK_TEXT("writeKey"), ret_key);
}

souk_err souk_collect_caller(souk_call *call, souk_text key)
{
    if (call->arena.failed) /* a 401 would tell the client to drop what it sent */
        return SOUK_ENOMEM;
    if (key.bytes == 0 && !key_outside(call, &key))
        return souk_diag_say(&call->diag, call->arena.failed ? SOUK_ENOMEM : SOUK_EUNAUTH,
                             "no write key: send it as the user of Basic authorization, or as "
                             "writeKey in the body or the query");
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

/* /v1/track, /v1/identify …: the path says the type. */
void souk_collect_one(souk_call *call)
{
    souk_text path = call->path;
    size_t slash = path.bytes;
    while (slash && path.at[slash - 1] != '/')
        slash--;
    collect(call, (souk_text){path.at + slash, path.bytes - slash});
}
