/* segment.c - the Segment protocol: one JSON event, or a batch of them, becomes events of the log.
 *
 * What one batch of 100 events costs is what this file is shaped by: the body is read once without copying,
 * each event's own slice is packed as it stands, and the request waits, without a thread, for the
 * transaction that its events are in.
 *
 * A fault of one event never refuses its neighbours: it goes to the rejects with its place, and the
 * client hears 200, because clients drop a batch for ever on 400 (docs/collect.md). */
#include "service/collect/segment.h"

#include "base/currency.h"
#include "base/random.h"
#include "core/pack.h"
#include "os/thread.h"
#include "service/collect/inflate.h"

#include <stdio.h>

enum {
    EVENT_BYTES = 32768,
    MESSAGE_ID_BYTES = 100,
    EVENTS_MOST = 1 << 17, /* of a batch, whatever its limit is set to */
    SKEW_MS = 5 * 60 * 1000,
    RESTING_BENCHES = 256,
    RESTING_PACKERS = 16,
};

/* What one request works with until it is answered; rests in a pool, warm for the next one.  The packer is
 * needed only while the request is read: it takes milliseconds to make, so a few serve all. */
struct bench {
    souk_collect *collect;
    struct bench *next;
    souk_json_doc doc;
    souk_packer *packer;
    souk_buf inflated, packed;
    souk_batch batch;
    souk_event *events;
    size_t event_capacity;
    souk_reject *faults;
    size_t fault_capacity;
    souk_call *call;
    souk_time received, sent;
    bool has_sent;
};

struct souk_collect {
    souk_mem *mem;
    souk_spine *spine;
    souk_merchants *merchants;
    souk_mutex mutex;
    struct bench *resting;
    size_t resting_count;
    souk_packer *packers[RESTING_PACKERS];
    size_t packer_count;
};

/* ---- the pool ---------------------------------------------------------------------------------------- */

static void free_bench(struct bench *bench)
{
    souk_mem *mem = bench->collect->mem;
    souk_json_doc_done(&bench->doc);
    souk_buf_done(&bench->inflated);
    souk_buf_done(&bench->packed);
    souk_mem_put(mem, bench->events);
    souk_mem_put(mem, bench->faults);
    souk_mem_put(mem, bench);
}

static souk_err make_bench(souk_collect *collect, struct bench **ret_bench)
{
    struct bench *bench = souk_mem_get(collect->mem, sizeof *bench);
    if (!bench)
        return SOUK_ENOMEM;
    bench->collect = collect;
    bench->doc.mem = bench->inflated.mem = bench->packed.mem = collect->mem;
    *ret_bench = bench;
    return SOUK_OK;
}

static souk_err take_packer(struct bench *bench)
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

static void put_packer(struct bench *bench)
{
    souk_collect *collect = bench->collect;
    souk_packer *packer = souk_take(&bench->packer);
    {
        souk_auto_lock(&collect->mutex);
        if (packer && collect->packer_count < RESTING_PACKERS) {
            collect->packers[collect->packer_count++] = packer;
            return;
        }
    }
    souk_packer_free(packer);
}

static souk_err take_bench(souk_collect *collect, struct bench **ret_bench)
{
    souk_mutex_lock(&collect->mutex);
    struct bench *bench = collect->resting;
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

static void put_bench(struct bench *bench)
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
        struct bench *bench = collect->resting;
        collect->resting = bench->next;
        free_bench(bench);
    }
    while (collect->packer_count)
        souk_packer_free(collect->packers[--collect->packer_count]);
    souk_mutex_done(&collect->mutex);
    souk_mem_put(collect->mem, collect);
}

/* ---- small readings ------------------------------------------------------------------------------------ */

struct reading {
    struct bench *bench;
    souk_arena *arena;
    souk_json_node node, properties;
    size_t product; /* which of its products is being read, from 1; 0: none */
    souk_event *event;
    souk_diag *fault;
};

static souk_json_node member(const struct reading *r, souk_json_node object, const char *key)
{
    return souk_json_member(&r->bench->doc, object, souk_text_of(key));
}

/* A string, or a number as it stands; empty where missing, null or something else. */
static souk_text text_of(const struct reading *r, souk_json_node node)
{
    souk_text text = {"", 0};
    souk_json_kind kind = souk_json_type(&r->bench->doc, node);
    if (kind == SOUK_JSON_NUMBER)
        return souk_json_raw(&r->bench->doc, node);
    if (kind != SOUK_JSON_STRING || souk_json_text(&r->bench->doc, node, r->arena, &text))
        return (souk_text){"", 0};
    return text;
}

static souk_text text_at(const struct reading *r, souk_json_node object, const char *key)
{
    return text_of(r, member(r, object, key));
}

/* "price" as a client finds it in the event: "properties.price", "properties.products[2].price". */
static souk_err blame_field(const struct reading *r, const char *key, const char *words)
{
    if (r->product == 0)
        return souk_diag_say(r->fault, SOUK_EINVAL, "properties.%s %s", key, words);
    return souk_diag_say(r->fault, SOUK_EINVAL, "properties.products[%zu].%s %s", r->product - 1,
                         key, words);
}

/* Money or a count; *ret_there says whether the field is there at all. */
static souk_err money_at(const struct reading *r, souk_json_node object, const char *key,
                         souk_decimal *ret_money, bool *ret_there)
{
    bool rounded = false;
    souk_json_node node = member(r, object, key);
    souk_json_kind kind = souk_json_type(&r->bench->doc, node);
    *ret_there = kind != SOUK_JSON_MISSING && kind != SOUK_JSON_NULL;
    if (!*ret_there)
        return SOUK_OK;
    if (souk_json_decimal_or_text(&r->bench->doc, node, ret_money, &rounded))
        return blame_field(r, key, "is no number, or does not fit: send it as 12.34");
    if (rounded)
        r->event->flags |= SOUK_EVENT_ROUNDED;
    return SOUK_OK;
}

static bool time_at(const struct reading *r, souk_json_node object, const char *key,
                    souk_time *ret_time)
{
    souk_text text = text_at(r, object, key);
    return text.bytes && souk_time_read(text, NULL, ret_time) == SOUK_OK;
}

/* ---- who ------------------------------------------------------------------------------------------------ */

static souk_err add_identifier(const struct reading *r, souk_id_kind kind, souk_text value,
                               const char *key)
{
    souk_text normal;
    char *room;
    if (value.bytes == 0)
        return SOUK_OK;
    room = souk_arena_get(r->arena, SOUK_ID_BYTES);
    if (r->arena->failed)
        return SOUK_ENOMEM;
    if (souk_id_normalise(kind, value, room, &normal))
        return souk_diag_say(r->fault, SOUK_EINVAL,
                             "%s is no identifier: at most %d bytes, no control characters", key,
                             SOUK_ID_BYTES);
    souk_event_identify(r->event, souk_spine_hashes(r->bench->collect->spine), kind, normal);
    return SOUK_OK;
}

static souk_err read_who(const struct reading *r, bool is_alias)
{
    souk_text user = text_at(r, r->node, "userId"), anonymous = text_at(r, r->node, "anonymousId");
    souk_json_node context = member(r, r->node, "context");
    souk_json_node traits = member(r, r->node, "traits");
    if (traits == SOUK_JSON_NONE)
        traits = member(r, context, "traits");
    if (user.bytes == 0 && anonymous.bytes == 0)
        return souk_diag_say(r->fault, SOUK_EINVAL,
                             "neither userId nor anonymousId: say whose event it is");
    SOUK_TRY(add_identifier(r, SOUK_ID_USER, user, "userId"));
    SOUK_TRY(add_identifier(r, SOUK_ID_ANONYMOUS, anonymous, "anonymousId"));
    if (is_alias)
        SOUK_TRY(
            add_identifier(r, SOUK_ID_ANONYMOUS, text_at(r, r->node, "previousId"), "previousId"));
    SOUK_TRY(add_identifier(r, SOUK_ID_EMAIL, text_at(r, traits, "email"), "traits.email"));
    SOUK_TRY(add_identifier(r, SOUK_ID_PHONE, text_at(r, traits, "phone"), "traits.phone"));
    return add_identifier(r, SOUK_ID_DEVICE, text_at(r, member(r, context, "device"), "id"),
                          "context.device.id");
}

/* ---- when ------------------------------------------------------------------------------------------------- */

/* The event's own time; a device whose clock is off by more than five minutes is corrected by what its
 * sentAt says, and nothing happens after it was received. */
static void read_when(const struct reading *r)
{
    souk_event *event = r->event;
    const struct bench *bench = r->bench;
    souk_time sent = bench->sent;
    bool has_sent = bench->has_sent || time_at(r, r->node, "sentAt", &sent);
    event->received = event->at = bench->received;
    if (!time_at(r, r->node, "timestamp", &event->at) &&
        !time_at(r, r->node, "originalTimestamp", &event->at))
        return;
    int64_t skew = has_sent ? bench->received - sent : 0;
    if (skew > SKEW_MS || skew < -SKEW_MS)
        event->at += skew;
    if (event->at > event->received)
        event->at = event->received;
}

/* ---- what --------------------------------------------------------------------------------------------------- */

static const struct {
    const char *type, *name;
} call_types[] = {
    {"track", NULL},      {"identify", "Identify"}, {"page", "Page"},
    {"screen", "Screen"}, {"group", "Group"},       {"alias", "Alias"},
};

/* What an event name means for orders; v1 names are the same events. */
static const struct {
    const char *name;
    uint8_t flags;
    int sign; /* of its money and quantities */
} order_events[] = {
    {"Order Completed", SOUK_EVENT_ORDER | SOUK_EVENT_SALE, 1},
    {"Completed Order", SOUK_EVENT_ORDER | SOUK_EVENT_SALE, 1},
    {"Order Refunded", SOUK_EVENT_SALE, -1},
    {"Order Cancelled", SOUK_EVENT_CANCELLED, 1},
};

static souk_text short_name(souk_text name)
{
    return name.bytes <= SOUK_EVENT_NAME_BYTES ? name : SOUK_TEXT("");
}

/* *ret_tells is false for a product that has neither id nor price nor quantity: it says nothing. */
static souk_err read_line(const struct reading *r, souk_json_node product, int sign,
                          souk_line *line, bool *ret_tells)
{
    souk_decimal price = {0}, quantity = {1000000};
    bool has_price, has_quantity, rounded = false;
    souk_text code = text_at(r, product, "product_id");
    if (code.bytes == 0)
        code = text_at(r, product, "sku");
    if (code.bytes == 0)
        code = text_at(r, product, "id");
    *line = (souk_line){.product = short_name(code),
                        .name = text_at(r, product, "name"),
                        .category = short_name(text_at(r, product, "category"))};
    SOUK_TRY(money_at(r, product, "price", &price, &has_price));
    SOUK_TRY(money_at(r, product, "quantity", &quantity, &has_quantity));
    *ret_tells = line->product.bytes || has_price || has_quantity;
    if (souk_decimal_mul(price, quantity, &line->amount, &rounded) ||
        souk_decimal_mul_int(line->amount, sign, &line->amount) ||
        souk_decimal_mul_int(quantity, sign, &line->quantity))
        return blame_field(r, "price", "times quantity does not fit: check both");
    if (rounded)
        r->event->flags |= SOUK_EVENT_ROUNDED;
    return SOUK_OK;
}

static souk_err read_lines(const struct reading *r, int sign)
{
    const souk_json_doc *doc = &r->bench->doc;
    souk_json_node products = member(r, r->properties, "products");
    bool is_list = souk_json_type(doc, products) == SOUK_JSON_ARRAY;
    size_t count = is_list ? souk_json_count(doc, products) : 1;
    if (count > SOUK_EVENT_LINES)
        return souk_diag_say(r->fault, SOUK_EINVAL,
                             "properties.products has more than %d entries: send the rest as an "
                             "event of its own",
                             SOUK_EVENT_LINES);
    souk_line *lines = souk_arena_get(r->arena, count * sizeof *lines);
    if (r->arena->failed)
        return SOUK_ENOMEM;
    size_t kept = 0;
    struct reading one = *r;
    souk_json_node product = is_list ? souk_json_first(doc, products) : r->properties;
    for (size_t i = 0; i < count; i++) {
        one.product = is_list ? i + 1 : 0;
        bool tells;
        SOUK_TRY(read_line(&one, product, sign, &lines[kept], &tells));
        kept += tells;
        product = is_list ? souk_json_next(doc, product) : SOUK_JSON_NONE;
    }
    r->event->lines = lines;
    r->event->line_count = (uint16_t)kept;
    return SOUK_OK;
}

static souk_err sum_lines(const struct reading *r, souk_decimal *ret_sum)
{
    for (size_t i = 0; i < r->event->line_count; i++)
        if (souk_decimal_add(*ret_sum, r->event->lines[i].amount, ret_sum))
            return souk_diag_say(r->fault, SOUK_EINVAL,
                                 "the sum of properties.products does not fit: check the prices");
    return SOUK_OK;
}

/* What is not three letters ("EURO", a sign of three bytes) is no currency; three letters that no one
 * pays in are a fault, since each code has a place in the totals for ever. */
static souk_err read_currency(const struct reading *r)
{
    souk_text told = text_at(r, r->properties, "currency");
    if (souk_currency_read(told, r->event->currency) == SOUK_ENOENT)
        return blame_field(r, "currency", "is no code of ISO 4217: send one, such as EUR");
    return SOUK_OK;
}

static souk_err read_money(const struct reading *r, int sign)
{
    static const char *const fields[] = {"revenue", "total", "value"};
    SOUK_TRY(read_currency(r));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        bool there;
        souk_decimal money;
        SOUK_TRY(money_at(r, r->properties, fields[i], &money, &there));
        if (!there)
            continue;
        if (souk_decimal_mul_int(money, sign, &r->event->amount))
            return blame_field(r, fields[i], "does not fit: send it as 12.34");
        return SOUK_OK;
    }
    return sum_lines(r, &r->event->amount);
}

static souk_err read_what(const struct reading *r, souk_text type, bool *ret_is_alias)
{
    souk_event *event = r->event;
    size_t i = 0, count = sizeof call_types / sizeof *call_types;
    while (i < count && !souk_text_equal(type, souk_text_of(call_types[i].type)))
        i++;
    if (i == count)
        return souk_diag_say(r->fault, SOUK_EINVAL,
                             "type is missing or unknown: send track, identify, page, screen, "
                             "group or alias");
    *ret_is_alias = i == 5;
    event->type = souk_text_of(call_types[i].name);
    if (call_types[i].name)
        return SOUK_OK;
    event->type = text_at(r, r->node, "event");
    if (event->type.bytes == 0 || event->type.bytes > SOUK_EVENT_NAME_BYTES)
        return souk_diag_say(r->fault, SOUK_EINVAL, "event is empty or above %d bytes: name it",
                             SOUK_EVENT_NAME_BYTES);
    int sign = 1;
    for (size_t k = 0; k < sizeof order_events / sizeof *order_events; k++)
        if (souk_text_equal(event->type, souk_text_of(order_events[k].name))) {
            event->flags |= order_events[k].flags;
            sign = order_events[k].sign;
        }
    event->store = short_name(text_at(r, r->properties, "store_id"));
    SOUK_TRY(read_lines(r, sign));
    return event->flags & SOUK_EVENT_SALE ? read_money(r, sign) : SOUK_OK;
}

/* ---- one event ------------------------------------------------------------------------------------------------ */

static souk_hash128 message_identity(const struct reading *r, souk_text message_id)
{
    souk_hash128 fresh;
    if (message_id.bytes)
        return souk_hashes_message(souk_spine_hashes(r->bench->collect->spine),
                                   r->bench->batch.source, message_id);
    souk_entropy(&fresh, sizeof fresh);
    return fresh;
}

static souk_err read_event(struct bench *bench, souk_json_node node, souk_text path_type,
                           souk_event *event, souk_diag *fault)
{
    struct reading r = {
        .bench = bench, .arena = &bench->call->arena, .node = node, .event = event, .fault = fault};
    souk_text raw = souk_json_raw(&bench->doc, node);
    bool is_alias = false;
    *event = (souk_event){.at = 0};
    if (souk_json_type(&bench->doc, node) != SOUK_JSON_OBJECT)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "the event is no object: send {\"type\":\"track\",…}");
    if (raw.bytes > EVENT_BYTES)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "the event has more than %d bytes: send fewer or shorter properties",
                             EVENT_BYTES);
    r.properties = member(&r, node, "properties");
    souk_text message_id = text_at(&r, node, "messageId");
    if (message_id.bytes > MESSAGE_ID_BYTES)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "messageId has more than %d bytes: send a shorter one",
                             MESSAGE_ID_BYTES);
    souk_text type = path_type.bytes ? path_type : text_at(&r, node, "type");
    SOUK_TRY(read_what(&r, type, &is_alias));
    SOUK_TRY(read_who(&r, is_alias));
    read_when(&r);
    event->message = message_identity(&r, message_id);
    /* Offsets for now: the buffer may move while it grows. */
    event->packed = (souk_text){NULL, bench->packed.bytes};
    SOUK_TRY(souk_pack(bench->packer, raw, &bench->packed));
    return r.arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

static void place_packed(struct bench *bench)
{
    for (size_t i = 0; i < bench->batch.count; i++) {
        size_t from = bench->events[i].packed.bytes;
        size_t to =
            i + 1 < bench->batch.count ? bench->events[i + 1].packed.bytes : bench->packed.bytes;
        bench->events[i].packed = (souk_text){bench->packed.at + from, to - from};
    }
}

/* A fault of a single call keeps the call's path as its place: its type stands nowhere else. */
static souk_err keep_fault(struct bench *bench, souk_json_node node, souk_text path_type,
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

static souk_err add_event(struct bench *bench, souk_json_node node, souk_text path_type,
                          size_t number)
{
    souk_diag fault = {.words = ""};
    size_t packed_bytes = bench->packed.bytes;
    SOUK_TRY(souk_mem_grow(bench->collect->mem, &bench->events, &bench->event_capacity,
                           bench->batch.count + 1, EVENTS_MOST, sizeof *bench->events));
    souk_err err = read_event(bench, node, path_type, &bench->events[bench->batch.count], &fault);
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

static souk_err find_caller(struct bench *bench)
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
    struct bench *bench = batch->context;
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

static souk_err read_batch(struct bench *bench, souk_json_node list, souk_json_node root)
{
    struct reading r = {.bench = bench, .arena = &bench->call->arena};
    size_t number = 0;
    bench->has_sent = time_at(&r, root, "sentAt", &bench->sent);
    size_t most = bench->call->limits.batch_events;
    if (souk_json_count(&bench->doc, list) > most)
        return souk_diag_say(&bench->call->diag, SOUK_ETOOBIG, "more than %zu events in a batch",
                             most);
    for (souk_json_node node = souk_json_first(&bench->doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(&bench->doc, node))
        SOUK_TRY(add_event(bench, node, SOUK_TEXT(""), number++));
    return SOUK_OK;
}

static souk_err read_body(struct bench *bench, souk_text body, souk_text path_type)
{
    souk_call *call = bench->call;
    size_t most = call->limits.body_bytes;
    souk_json_limits limits = {.bytes = most, .values = 1 << 20, .depth = 32};
    if (souk_is_gzip(body)) {
        souk_err err = souk_inflate(body, most, &bench->inflated);
        if (err)
            return souk_diag_say(&call->diag, err == SOUK_ESYNTAX ? SOUK_ESYNTAX : err,
                                 "the gzip body is damaged, or above %zu bytes inflated", most);
        body = souk_buf_view(&bench->inflated);
    }
    SOUK_TRY(souk_json_read(&bench->doc, body, &limits, &call->diag));
    SOUK_TRY(find_caller(bench));
    souk_json_node root = souk_json_root(&bench->doc);
    souk_json_node list = souk_json_member(&bench->doc, root, SOUK_TEXT("batch"));
    if (path_type.bytes)
        return add_event(bench, root, path_type, 0);
    if (souk_json_type(&bench->doc, list) != SOUK_JSON_ARRAY)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "the body has no batch: send {\"batch\":[…]}");
    return read_batch(bench, list, root);
}

static void collect(souk_call *call, souk_text path_type)
{
    souk_collect *state = call->state;
    struct bench *bench;
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

static souk_err read_again(struct bench *bench, souk_text text, souk_text type, bool is_mended,
                           souk_event *event)
{
    souk_call *call = bench->call;
    souk_diag fault = {.words = ""};
    SOUK_TRY(souk_json_read(&bench->doc, text, NULL, &call->diag));
    souk_json_node root = souk_json_root(&bench->doc);
    souk_json_node own = souk_json_member(&bench->doc, root, SOUK_TEXT("type"));
    if (is_mended && own != SOUK_JSON_NONE)
        type = SOUK_TEXT("");
    SOUK_TRY(take_packer(bench));
    souk_err err = read_event(bench, root, type, event, &fault);
    put_packer(bench);
    if (err == SOUK_EINVAL)
        err = souk_diag_say(&call->diag, err, "it is still at fault: %s", fault.words);
    return err;
}

souk_err souk_collect_replay(souk_collect *state, souk_call *call, uint64_t reject_id,
                             souk_text mended)
{
    struct bench *bench;
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
