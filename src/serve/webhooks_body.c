/* webhooks_body.c - what the routes of webhooks.h take and give. */
#include "serve/webhooks_inside.h"
#include "service/collect/vocabulary.h"

enum { RATE_USUAL = 50, KEEP_USUAL_S = 86400, KEEP_MOST_S = 30 * 86400 };

/* ---- out ----------------------------------------------------------------------------------------------- */

static void write_time(souk_json_writer *out, const char *key, souk_time at)
{
    char text[SOUK_TIME_BYTES];
    souk_json_write_key(out, souk_text_of(key));
    if (at)
        souk_json_write_text(out, (souk_text){text, souk_time_write(at, text)});
    else
        souk_json_write_null(out);
}

static void write_lines(souk_json_writer *out, const char *key, souk_text lines)
{
    souk_json_put_array(out, key);
    while (lines.bytes)
        souk_json_write_text(out, souk_text_cut(&lines, '\n'));
    souk_json_write_end(out);
}

void webhooks_write_endpoint(souk_json_writer *out, const souk_endpoint *endpoint,
                             const char *secret)
{
    souk_json_write_object(out);
    souk_json_put_u64(out, "id", (uint64_t)endpoint->id);
    souk_json_put_text(out, "url", endpoint->url);
    write_lines(out, "events", endpoint->events);
    write_lines(out, "stores", endpoint->stores);
    souk_json_write_key(out, SOUK_TEXT("purpose"));
    if (endpoint->purpose.bytes)
        souk_json_write_text(out, endpoint->purpose);
    else
        souk_json_write_null(out);
    souk_json_put_u64(out, "rate", endpoint->rate);
    souk_json_put_bool(out, "enabled", endpoint->state == SOUK_ENDPOINT_ON);
    souk_json_put_words(out, "state", souk_endpoint_state_word(endpoint->state));
    souk_json_put_u64(out, "version", endpoint->version);
    write_time(out, "made", endpoint->made);
    write_time(out, "failing", endpoint->failing);
    souk_json_put_u64(out, "waiting", endpoint->waiting);
    souk_json_put_u64(out, "behind", endpoint->behind);
    souk_json_put_u64(out, "dead", endpoint->dead);
    if (secret)
        souk_json_put_words(out, "secret", secret);
    souk_json_write_end(out);
}

void webhooks_write_delivery(souk_json_writer *out, const souk_delivery *delivery)
{
    bool waits = delivery->state == SOUK_DELIVERY_WAITING;
    const char *name = souk_delivery_kind_name(delivery->kind);
    souk_json_write_object(out);
    souk_json_put_u64(out, "id", (uint64_t)delivery->id);
    souk_json_put_words(out, "webhook_id", delivery->webhook_id);
    souk_json_put_words(out, "type", name ? name : "event");
    if (delivery->kind == SOUK_DELIVERY_EVENT || delivery->kind == SOUK_DELIVERY_ERASED)
        souk_json_put_u64(out, "position", delivery->position);
    write_time(out, "at", delivery->at);
    souk_json_put_words(out, "state", souk_delivery_state_word(delivery->state));
    souk_json_put_u64(out, "tries", delivery->tries);
    souk_json_write_key(out, SOUK_TEXT("status"));
    if (delivery->status)
        souk_json_write_i64(out, delivery->status);
    else
        souk_json_write_null(out);
    souk_json_put_words(out, "fault", souk_delivery_fault_words(delivery->fault));
    write_time(out, "next", waits ? delivery->next : 0);
    write_time(out, "ended", waits ? 0 : delivery->next);
    souk_json_write_end(out);
}

/* ---- in ------------------------------------------------------------------------------------------------ */

static souk_err check_name(souk_call *call, const char *key, souk_text name)
{
    bool plain = name.bytes > 0 && name.bytes <= SOUK_EVENT_NAME_BYTES;
    for (size_t i = 0; i < name.bytes; i++)
        plain &= (unsigned char)name.at[i] >= ' ' && name.at[i] != 127;
    if (plain)
        return SOUK_OK;
    return souk_diag_say(&call->diag, SOUK_EINVAL,
                         "a name in %s has 1 to %d bytes and no control characters", key,
                         SOUK_EVENT_NAME_BYTES);
}

/* A v1 name becomes the one that events are stored under; what differs in its capitals alone is a slip. */
static souk_err read_event(souk_call *call, souk_text *name)
{
    const souk_vocable *vocable = souk_vocable_find(*name);
    if (vocable) {
        *name = souk_text_of(vocable->name);
        return SOUK_OK;
    }
    for (size_t i = 0; i < souk_vocable_count; i++)
        if (souk_text_equal_nocase(*name, souk_text_of(souk_vocables[i].name)))
            return souk_diag_say(&call->diag, SOUK_EINVAL,
                                 "no event is called '%.*s', they are compared letter by letter: "
                                 "'%s'",
                                 SOUK_TEXT_PRINT(*name), souk_vocables[i].name);
    return SOUK_OK;
}

/* A list of names as lines. */
static souk_err read_names(souk_call *call, const souk_json_doc *doc, const char *key,
                           bool are_events, souk_text *ret_lines)
{
    souk_json_node list = souk_json_member(doc, souk_json_root(doc), souk_text_of(key));
    souk_auto_value(souk_buf) lines = {.mem = call->arena.mem};
    souk_json_kind kind = souk_json_type(doc, list);
    bool absent = kind == SOUK_JSON_MISSING || kind == SOUK_JSON_NULL;
    if (!absent && (kind != SOUK_JSON_ARRAY || souk_json_count(doc, list) > SOUK_ENDPOINT_NAMES))
        return souk_diag_say(&call->diag, SOUK_EINVAL, "%s is a list of at most %d names", key,
                             SOUK_ENDPOINT_NAMES);
    for (souk_json_node item = absent ? SOUK_JSON_NONE : souk_json_first(doc, list);
         item != SOUK_JSON_NONE; item = souk_json_next(doc, item)) {
        souk_text name;
        if (souk_json_text(doc, item, &call->arena, &name))
            return souk_diag_say(&call->diag, SOUK_EINVAL, "%s is a list of texts", key);
        SOUK_TRY(check_name(call, key, name));
        if (are_events)
            SOUK_TRY(read_event(call, &name));
        if (lines.bytes)
            souk_buf_byte(&lines, '\n');
        souk_buf_text(&lines, name);
    }
    SOUK_TRY(souk_buf_check(&lines));
    *ret_lines = (souk_text){souk_arena_copy(&call->arena, lines.at, lines.bytes), lines.bytes};
    return call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err read_rate(souk_call *call, const souk_json_doc *doc, unsigned *ret_rate)
{
    souk_json_node node = souk_json_member(doc, souk_json_root(doc), SOUK_TEXT("rate"));
    int64_t rate = RATE_USUAL;
    if (node != SOUK_JSON_NONE &&
        (souk_json_i64(doc, node, &rate) || rate < 1 || rate > SOUK_ENDPOINT_RATE))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "rate is how many deliveries a second may go there: 1 to %d",
                             SOUK_ENDPOINT_RATE);
    *ret_rate = (unsigned)rate;
    return SOUK_OK;
}

static souk_err read_purpose(souk_call *call, const souk_json_doc *doc, souk_text *ret_word)
{
    souk_json_node node = souk_json_member(doc, souk_json_root(doc), SOUK_TEXT("purpose"));
    souk_json_kind kind = souk_json_type(doc, node);
    souk_purpose purpose;
    *ret_word = SOUK_TEXT("");
    if (kind == SOUK_JSON_MISSING || kind == SOUK_JSON_NULL)
        return SOUK_OK;
    souk_err err = souk_json_text(doc, node, &call->arena, ret_word);
    if (!err)
        err = souk_consent_purpose(souk_spine_consent(call->spine), *ret_word, &purpose);
    if (err == SOUK_ENOENT || err == SOUK_EINVAL)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "'%.*s' is no purpose for which persons could be told: serve, "
                             "profile, … or share:<party>; without one they are not",
                             SOUK_TEXT_PRINT(*ret_word));
    return err;
}

static souk_err read_enabled(souk_call *call, const souk_json_doc *doc,
                             souk_endpoint_state *ret_state)
{
    souk_json_node node = souk_json_member(doc, souk_json_root(doc), SOUK_TEXT("enabled"));
    bool enabled = true;
    if (node != SOUK_JSON_NONE && souk_json_bool(doc, node, &enabled))
        return souk_diag_say(&call->diag, SOUK_EINVAL, "enabled is true or false");
    *ret_state = enabled ? SOUK_ENDPOINT_ON : SOUK_ENDPOINT_OFF;
    return SOUK_OK;
}

static souk_err read_members(souk_call *call, const souk_json_doc *doc, souk_endpoint *endpoint)
{
    souk_json_node root = souk_json_root(doc);
    souk_target target;
    if (souk_json_type(doc, root) != SOUK_JSON_OBJECT ||
        souk_json_text(doc, souk_json_member(doc, root, SOUK_TEXT("url")), &call->arena,
                       &endpoint->url))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "say where: {\"url\":\"https://…\",\"events\":[\"Order Completed\"]}");
    SOUK_TRY(souk_target_read(endpoint->url, &target, &call->diag));
    endpoint->url.at = souk_arena_copy(&call->arena, endpoint->url.at, endpoint->url.bytes);
    SOUK_TRY(read_names(call, doc, "events", true, &endpoint->events));
    if (endpoint->events.bytes == 0)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "say which events: a list of names, or [\"*\"] for all of a shop's");
    SOUK_TRY(read_names(call, doc, "stores", false, &endpoint->stores));
    SOUK_TRY(read_rate(call, doc, &endpoint->rate));
    SOUK_TRY(read_purpose(call, doc, &endpoint->purpose));
    endpoint->purpose.at =
        souk_arena_copy(&call->arena, endpoint->purpose.at, endpoint->purpose.bytes);
    SOUK_TRY(read_enabled(call, doc, &endpoint->state));
    return call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

souk_err webhooks_read_body(souk_call *call, souk_endpoint *ret_endpoint)
{
    souk_json_doc doc = {.mem = call->arena.mem};
    souk_endpoint endpoint = {.id = 0};
    souk_err err = souk_json_read(&doc, call->body, NULL, &call->diag);
    if (!err)
        err = read_members(call, &doc, &endpoint);
    souk_json_doc_done(&doc);
    SOUK_TRY(err);
    *ret_endpoint = endpoint;
    return SOUK_OK;
}

souk_err webhooks_read_keep(souk_call *call, souk_time *ret_keep_ms)
{
    souk_json_doc doc = {.mem = call->arena.mem};
    int64_t keep_s = KEEP_USUAL_S;
    souk_err err = SOUK_OK;
    if (call->body.bytes)
        err = souk_json_read(&doc, call->body, NULL, &call->diag);
    souk_json_node node = souk_json_member(&doc, souk_json_root(&doc), SOUK_TEXT("keep_s"));
    if (!err && node != SOUK_JSON_NONE &&
        (souk_json_i64(&doc, node, &keep_s) || keep_s < 0 || keep_s > KEEP_MOST_S))
        err = souk_diag_say(&call->diag, SOUK_EINVAL,
                            "keep_s is for how many seconds the secret before signs too: 0 to %d",
                            KEEP_MOST_S);
    souk_json_doc_done(&doc);
    *ret_keep_ms = 1000 * keep_s;
    return err;
}
