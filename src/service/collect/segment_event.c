/* segment_event.c - one JSON event of the Segment protocol: whose it is, when it was, what it says. */
#include "base/currency.h"
#include "base/random.h"
#include "base/utf8.h"
#include "service/collect/intake_inside.h"
#include "service/collect/vocabulary.h"

#include <stdio.h>

enum { EVENT_BYTES = 32768, MESSAGE_ID_BYTES = 100, SKEW_MS = 5 * 60 * 1000 };

/* ---- small readings ------------------------------------------------------------------------------------ */

/* What is read of an event and of its properties: each object is walked once for all of them. */
enum event_field {
    MESSAGE_ID,
    TYPE,
    EVENT,
    USER_ID,
    ANONYMOUS_ID,
    PREVIOUS_ID,
    MERGE_PROPERTIES,
    CONTEXT,
    TRAITS,
    PROPERTIES,
    TIMESTAMP,
    ORIGINAL_TIMESTAMP,
    SENT_AT,
    EVENT_FIELDS
};
enum property { PRODUCTS, STORE_ID, CURRENCY, REVENUE, TOTAL, VALUE, PROPERTY_COUNT };
enum product_field { PRODUCT_ID, SKU, ID, NAME, CATEGORY, PRICE, QUANTITY, AMOUNT, PRODUCT_FIELDS };

enum call {
    CALL_TRACK,
    CALL_IDENTIFY,
    CALL_PAGE,
    CALL_SCREEN,
    CALL_GROUP,
    CALL_ALIAS,
    CALL_MERGE,
    CALLS
};

#define KEY(word)              \
    {                          \
        word, sizeof(word) - 1 \
    }
static const souk_text event_keys[EVENT_FIELDS] = {
    [MESSAGE_ID] = KEY("messageId"),
    [TYPE] = KEY("type"),
    [EVENT] = KEY("event"),
    [USER_ID] = KEY("userId"),
    [ANONYMOUS_ID] = KEY("anonymousId"),
    [PREVIOUS_ID] = KEY("previousId"),
    [MERGE_PROPERTIES] = KEY("mergeProperties"),
    [CONTEXT] = KEY("context"),
    [TRAITS] = KEY("traits"),
    [PROPERTIES] = KEY("properties"),
    [TIMESTAMP] = KEY("timestamp"),
    [ORIGINAL_TIMESTAMP] = KEY("originalTimestamp"),
    [SENT_AT] = KEY("sentAt"),
};
static const souk_text property_keys[PROPERTY_COUNT] = {
    [PRODUCTS] = KEY("products"), [STORE_ID] = KEY("store_id"), [CURRENCY] = KEY("currency"),
    [REVENUE] = KEY("revenue"),   [TOTAL] = KEY("total"),       [VALUE] = KEY("value"),
};
static const souk_text product_keys[PRODUCT_FIELDS] = {
    [PRODUCT_ID] = KEY("product_id"),
    [SKU] = KEY("sku"),
    [ID] = KEY("id"),
    [NAME] = KEY("name"),
    [CATEGORY] = KEY("category"),
    [PRICE] = KEY("price"),
    [QUANTITY] = KEY("quantity"),
    [AMOUNT] = KEY("amount"),
};

struct reading {
    souk_intake *intake;
    souk_arena *arena;
    souk_json_node fields[EVENT_FIELDS], properties[PROPERTY_COUNT];
    size_t product; /* which of its products is being read, from 1; 0: none */
    souk_event *event;
    souk_diag *fault;
};

static souk_json_node member(const struct reading *r, souk_json_node object, const char *key)
{
    return souk_json_member(&r->intake->doc, object, souk_text_of(key));
}

/* A string, or a number as it stands; empty where missing, null or something else. */
static souk_text text_of(const struct reading *r, souk_json_node node)
{
    souk_text text = {"", 0};
    souk_json_kind kind = souk_json_type(&r->intake->doc, node);
    if (kind == SOUK_JSON_NUMBER)
        return souk_json_raw(&r->intake->doc, node);
    if (kind != SOUK_JSON_STRING || souk_json_text(&r->intake->doc, node, r->arena, &text))
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
static souk_err money_of(const struct reading *r, souk_json_node node, const char *key,
                         souk_decimal *ret_money, bool *ret_there)
{
    bool rounded = false;
    souk_json_kind kind = souk_json_type(&r->intake->doc, node);
    *ret_there = kind != SOUK_JSON_MISSING && kind != SOUK_JSON_NULL;
    if (!*ret_there)
        return SOUK_OK;
    if (souk_json_decimal_or_text(&r->intake->doc, node, ret_money, &rounded))
        return blame_field(r, key, "is no number, or does not fit: send it as 12.34");
    if (rounded)
        r->event->flags |= SOUK_EVENT_ROUNDED;
    return SOUK_OK;
}

static bool time_of(const struct reading *r, souk_json_node node, souk_time *ret_time)
{
    souk_text text = text_of(r, node);
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
    souk_event_identify(r->event, r->intake->hashes, kind, normal);
    return SOUK_OK;
}

/* Words that clients have for our kinds of identifiers. */
static souk_id_kind kind_of(souk_text word)
{
    static const struct {
        const char *word;
        souk_id_kind kind;
    } others[] = {
        {"user_id", SOUK_ID_USER},      {"anonymous_id", SOUK_ID_ANONYMOUS},
        {"loyalty_card", SOUK_ID_CARD}, {"open_id", SOUK_ID_OPEN},
        {"openid", SOUK_ID_OPEN},       {"device_id", SOUK_ID_DEVICE},
        {"android.id", SOUK_ID_DEVICE}, {"android.idfa", SOUK_ID_DEVICE},
        {"ios.id", SOUK_ID_DEVICE},     {"ios.idfa", SOUK_ID_DEVICE},
    };
    souk_id_kind kind = souk_id_of_word(word);
    for (size_t i = 0; kind == SOUK_ID_NONE && i < sizeof others / sizeof *others; i++)
        if (souk_text_equal(word, souk_text_of(others[i].word)))
            kind = others[i].kind;
    return kind == SOUK_ID_PUBLIC ? SOUK_ID_NONE : kind;
}

/* [{"type":"card","id":"9001"},…] or, of a merge, "value" for "id"; kinds that are none of ours are passed over. */
static souk_err read_others(const struct reading *r, souk_json_node list, const char *id_key,
                            const char *place)
{
    const souk_json_doc *doc = &r->intake->doc;
    if (souk_json_type(doc, list) != SOUK_JSON_ARRAY)
        return SOUK_OK;
    for (souk_json_node node = souk_json_first(doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(doc, node)) {
        souk_id_kind kind = kind_of(text_at(r, node, "type"));
        if (kind != SOUK_ID_NONE)
            SOUK_TRY(add_identifier(r, kind, text_at(r, node, id_key), place));
    }
    return SOUK_OK;
}

static souk_err read_traits(const struct reading *r, souk_json_node context)
{
    souk_json_node traits = r->fields[TRAITS];
    if (traits == SOUK_JSON_NONE)
        traits = member(r, context, "traits");
    SOUK_TRY(add_identifier(r, SOUK_ID_EMAIL, text_at(r, traits, "email"), "traits.email"));
    SOUK_TRY(add_identifier(r, SOUK_ID_PHONE, text_at(r, traits, "phone"), "traits.phone"));
    return add_identifier(r, SOUK_ID_CARD, text_at(r, traits, "card"), "traits.card");
}

static souk_err read_who(const struct reading *r, enum call call)
{
    souk_json_node context = r->fields[CONTEXT];
    SOUK_TRY(add_identifier(r, SOUK_ID_USER, text_of(r, r->fields[USER_ID]), "userId"));
    SOUK_TRY(
        add_identifier(r, SOUK_ID_ANONYMOUS, text_of(r, r->fields[ANONYMOUS_ID]), "anonymousId"));
    if (call == CALL_ALIAS)
        SOUK_TRY(
            add_identifier(r, SOUK_ID_ANONYMOUS, text_of(r, r->fields[PREVIOUS_ID]), "previousId"));
    if (call == CALL_MERGE)
        SOUK_TRY(read_others(r, r->fields[MERGE_PROPERTIES], "value", "mergeProperties"));
    SOUK_TRY(read_traits(r, context));
    SOUK_TRY(add_identifier(r, SOUK_ID_DEVICE, text_at(r, member(r, context, "device"), "id"),
                            "context.device.id"));
    SOUK_TRY(read_others(r, member(r, context, "externalIds"), "id", "context.externalIds"));
    if (r->event->id_count || r->intake->nobodys)
        return SOUK_OK;
    return souk_diag_say(r->fault, SOUK_EINVAL,
                         "neither userId nor anonymousId: say whose event it is");
}

/* ---- what she says about her data ------------------------------------------------------------------------ */

enum { ADULT_YEARS = 18 };

/* {"advertise":true,"profile":false}: categories that are purposes of ours. */
static void read_preferences(const struct reading *r, souk_json_node preferences)
{
    const souk_json_doc *doc = &r->intake->doc;
    souk_purpose purpose;
    for (souk_json_node node = souk_json_first(doc, preferences); node != SOUK_JSON_NONE;
         node = souk_json_next(doc, node)) {
        souk_json_kind kind = souk_json_type(doc, node);
        if (!souk_purpose_of_word(souk_json_key(doc, node), &purpose))
            continue;
        if (kind == SOUK_JSON_TRUE)
            r->event->granted |= (uint16_t)(1 << purpose);
        else if (kind == SOUK_JSON_FALSE)
            r->event->refused |= (uint16_t)(1 << purpose);
    }
}

/* ["advertise","profile"] */
static void read_purposes(const struct reading *r, souk_json_node list, uint16_t *ret_bits)
{
    const souk_json_doc *doc = &r->intake->doc;
    souk_purpose purpose;
    if (souk_json_type(doc, list) != SOUK_JSON_ARRAY)
        return;
    for (souk_json_node node = souk_json_first(doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(doc, node))
        if (souk_purpose_of_word(text_of(r, node), &purpose))
            *ret_bits |= (uint16_t)(1 << purpose);
}

/* A birthday tells more than an age, and both more than a band. */
static souk_age age_of(const struct reading *r, souk_json_node traits)
{
    souk_text band = text_at(r, traits, "age_band"), years_text = text_at(r, traits, "age");
    souk_time born;
    uint64_t years;
    if (time_of(r, member(r, traits, "birthday"), &born))
        return souk_time_years(born, r->event->at) >= ADULT_YEARS ? SOUK_AGE_ADULT : SOUK_AGE_MINOR;
    if (souk_text_to_u64(years_text, &years) == SOUK_OK && years > 0 && years < 130)
        return years >= ADULT_YEARS ? SOUK_AGE_ADULT : SOUK_AGE_MINOR;
    if (souk_text_equal(band, SOUK_TEXT("adult")))
        return SOUK_AGE_ADULT;
    return souk_text_equal(band, SOUK_TEXT("minor")) ? SOUK_AGE_MINOR : SOUK_AGE_UNKNOWN;
}

/* In the words of Segment (context.consent) and of RudderStack (context.consentManagement).  Who refuses and grants
 * at once refuses. */
static void read_consent(const struct reading *r)
{
    souk_json_node context = r->fields[CONTEXT], traits = r->fields[TRAITS];
    if (context != SOUK_JSON_NONE) {
        souk_json_node managed = member(r, context, "consentManagement");
        read_preferences(r, member(r, member(r, context, "consent"), "categoryPreferences"));
        read_purposes(r, member(r, managed, "allowedConsentIds"), &r->event->granted);
        read_purposes(r, member(r, managed, "deniedConsentIds"), &r->event->refused);
    }
    if (traits == SOUK_JSON_NONE)
        traits = member(r, context, "traits");
    if (traits != SOUK_JSON_NONE)
        r->event->age = (uint8_t)age_of(r, traits);
    r->event->refused |= r->intake->refused;
    r->event->granted &= (uint16_t)~r->event->refused;
}

/* ---- when ------------------------------------------------------------------------------------------------- */

static bool is_told(const struct reading *r, souk_json_node node)
{
    souk_json_kind kind = souk_json_type(&r->intake->doc, node);
    return kind != SOUK_JSON_MISSING && kind != SOUK_JSON_NULL;
}

/* The event's own time; one that is no time is counted, and the event dated to its receipt, as Segment does: nothing of it
 * is lost.  A device whose clock is off by more than five minutes is corrected by what its
 * sentAt says, and nothing happens after it was received. */
static void read_when(const struct reading *r)
{
    souk_event *event = r->event;
    const souk_intake *intake = r->intake;
    souk_time sent = intake->sent;
    bool has_sent = intake->has_sent || time_of(r, r->fields[SENT_AT], &sent);
    event->received = event->at = intake->received;
    if (!time_of(r, r->fields[TIMESTAMP], &event->at) &&
        !time_of(r, r->fields[ORIGINAL_TIMESTAMP], &event->at)) {
        if (is_told(r, r->fields[TIMESTAMP]) || is_told(r, r->fields[ORIGINAL_TIMESTAMP]))
            __atomic_fetch_add(&intake->collect->untimed, 1, __ATOMIC_RELAXED);
        return;
    }
    int64_t skew = has_sent ? intake->received - sent : 0;
    if (skew > SKEW_MS || skew < -SKEW_MS)
        event->at += skew;
    if (event->at > event->received)
        event->at = event->received;
}

/* ---- what --------------------------------------------------------------------------------------------------- */

/* What the single calls are called in the log. */
static const struct {
    const char *type, *name;
} call_types[CALLS] = {
    [CALL_TRACK] = {"track", NULL},    [CALL_IDENTIFY] = {"identify", "Identify"},
    [CALL_PAGE] = {"page", "Page"},    [CALL_SCREEN] = {"screen", "Screen"},
    [CALL_GROUP] = {"group", "Group"}, [CALL_ALIAS] = {"alias", "Alias"},
    [CALL_MERGE] = {"merge", "Merge"},
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
    bool has_price, has_quantity, has_amount = false, rounded = false;
    souk_json_node fields[PRODUCT_FIELDS];
    souk_json_members(&r->intake->doc, product, product_keys, PRODUCT_FIELDS, fields);
    souk_text code = text_of(r, fields[PRODUCT_ID]);
    if (code.bytes == 0)
        code = text_of(r, fields[SKU]);
    if (code.bytes == 0)
        code = text_of(r, fields[ID]);
    *line = (souk_line){.product = short_name(code),
                        .name = text_of(r, fields[NAME]),
                        .category = short_name(text_of(r, fields[CATEGORY]))};
    SOUK_TRY(money_of(r, fields[PRICE], "price", &price, &has_price));
    SOUK_TRY(money_of(r, fields[QUANTITY], "quantity", &quantity, &has_quantity));
    if (r->product) /* a line's own total, such as of what was weighed, is its truth */
        SOUK_TRY(money_of(r, fields[AMOUNT], "amount", &line->amount, &has_amount));
    *ret_tells = line->product.bytes || has_price || has_quantity || has_amount;
    if ((!has_amount && souk_decimal_mul(price, quantity, &line->amount, &rounded)) ||
        souk_decimal_mul_int(line->amount, sign, &line->amount) ||
        souk_decimal_mul_int(quantity, sign, &line->quantity))
        return blame_field(r, "price", "times quantity does not fit: check both");
    if (rounded)
        r->event->flags |= SOUK_EVENT_ROUNDED;
    return SOUK_OK;
}

static souk_err read_lines(const struct reading *r, int sign)
{
    const souk_json_doc *doc = &r->intake->doc;
    souk_json_node products = r->properties[PRODUCTS];
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
    souk_json_node product = is_list ? souk_json_first(doc, products) : r->fields[PROPERTIES];
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
    souk_text told = text_of(r, r->properties[CURRENCY]);
    if (souk_currency_read(told, r->event->currency) == SOUK_ENOENT)
        return blame_field(r, "currency", "is no code of ISO 4217: send one, such as EUR");
    return SOUK_OK;
}

static souk_err read_money(const struct reading *r, int sign)
{
    SOUK_TRY(read_currency(r));
    for (enum property i = REVENUE; i <= VALUE; i++) {
        bool there;
        souk_decimal money;
        SOUK_TRY(money_of(r, r->properties[i], property_keys[i].at, &money, &there));
        if (!there)
            continue;
        if (souk_decimal_mul_int(money, sign, &r->event->amount))
            return blame_field(r, property_keys[i].at, "does not fit: send it as 12.34");
        return SOUK_OK;
    }
    return sum_lines(r, &r->event->amount);
}

/* What a shop calls in its own way has lines where they can be read as such, and no fault where not. */
static souk_err read_own_event(struct reading *r)
{
    souk_diag ignored = {.words = ""}, *fault = r->fault;
    r->fault = &ignored;
    souk_err err = read_lines(r, 1);
    r->fault = fault;
    return err == SOUK_EINVAL ? SOUK_OK : err;
}

static souk_err read_track(struct reading *r)
{
    souk_event *event = r->event;
    const souk_vocable *vocable = souk_vocable_find(event->type);
    souk_json_members(&r->intake->doc, r->fields[PROPERTIES], property_keys, PROPERTY_COUNT,
                      r->properties);
    event->store = short_name(text_of(r, r->properties[STORE_ID]));
    if (!souk_utf8_plain(event->store)) /* it stands in lists, paths and on terminals */
        return blame_field(r, "store_id", "has a control character: send the store's code alone");
    if (!vocable)
        return read_own_event(r);
    SOUK_TRY(souk_vocable_check(vocable, &r->intake->doc, r->fields[PROPERTIES], r->fault));
    event->type = souk_text_of(vocable->name);
    event->flags |= vocable->flags;
    SOUK_TRY(read_lines(r, vocable->sign));
    return event->flags & SOUK_EVENT_SALE ? read_money(r, vocable->sign) : SOUK_OK;
}

static souk_err read_what(struct reading *r, souk_text type, enum call *ret_call)
{
    souk_event *event = r->event;
    enum call call = CALL_TRACK;
    while (call < CALLS && !souk_text_equal(type, souk_text_of(call_types[call].type)))
        call++;
    if (call == CALLS)
        return souk_diag_say(r->fault, SOUK_EINVAL,
                             "type is missing or unknown: send track, identify, page, screen, "
                             "group, alias or merge");
    *ret_call = call;
    event->type = souk_text_of(call_types[call].name);
    if (call != CALL_TRACK)
        return SOUK_OK;
    event->type = text_of(r, r->fields[EVENT]);
    if (event->type.bytes == 0 || event->type.bytes > SOUK_EVENT_NAME_BYTES)
        return souk_diag_say(r->fault, SOUK_EINVAL, "event is empty or above %d bytes: name it",
                             SOUK_EVENT_NAME_BYTES);
    return read_track(r);
}

/* ---- one event ------------------------------------------------------------------------------------------------ */

static souk_hash128 message_identity(const struct reading *r, souk_text message_id)
{
    const souk_intake *intake = r->intake;
    souk_hash128 fresh;
    char name[64];
    if (message_id.bytes == 0 && intake->unnamed.bytes) {
        int bytes = snprintf(name, sizeof name, "%.*s/%zu", SOUK_TEXT_PRINT(intake->unnamed),
                             intake->batch.count);
        message_id = (souk_text){name, (size_t)bytes};
    }
    if (message_id.bytes)
        return souk_hashes_message(intake->hashes, intake->batch.source, message_id);
    souk_entropy(&fresh, sizeof fresh);
    return fresh;
}

souk_err segment_read_event(souk_intake *intake, souk_json_node node, souk_text path_type,
                            souk_event *event, souk_diag *fault)
{
    struct reading r = {.intake = intake, .arena = intake->arena, .event = event, .fault = fault};
    souk_text raw = souk_json_raw(&intake->doc, node);
    enum call call = CALL_TRACK;
    *event = (souk_event){.at = 0};
    if (souk_json_type(&intake->doc, node) != SOUK_JSON_OBJECT)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "the event is no object: send {\"type\":\"track\",…}");
    if (raw.bytes > EVENT_BYTES)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "the event has more than %d bytes: send fewer or shorter properties",
                             EVENT_BYTES);
    souk_json_members(&intake->doc, node, event_keys, EVENT_FIELDS, r.fields);
    souk_text message_id = text_of(&r, r.fields[MESSAGE_ID]);
    if (message_id.bytes > MESSAGE_ID_BYTES)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "messageId has more than %d bytes: send a shorter one",
                             MESSAGE_ID_BYTES);
    souk_text type = path_type.bytes ? path_type : text_of(&r, r.fields[TYPE]);
    SOUK_TRY(read_what(&r, type, &call));
    SOUK_TRY(read_who(&r, call));
    read_when(&r);
    read_consent(&r);
    event->message = message_identity(&r, message_id);
    return r.arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

bool segment_time_at(souk_intake *intake, souk_json_node object, const char *key,
                     souk_time *ret_time)
{
    struct reading r = {.intake = intake, .arena = intake->arena};
    return time_of(&r, member(&r, object, key), ret_time);
}
