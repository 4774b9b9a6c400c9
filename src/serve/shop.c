/* shop.c - the routes of shop.h. */
#include "serve/shop.h"

#include "serve/api.h"
#include "serve/metrics.h"

#include <stdio.h>

/* ---- words into numbers ------------------------------------------------------------------------------- */

static souk_err read_purpose(souk_call *call, souk_text word, souk_purpose *ret_purpose)
{
    souk_err err = souk_consent_purpose(souk_spine_consent(call->spine), word, ret_purpose);
    if (err != SOUK_ENOENT)
        return err;
    return souk_diag_say(&call->diag, SOUK_EINVAL,
                         "'%.*s' is no purpose: serve, profile, personalise, recognise, face_pay, "
                         "mood, advertise or research",
                         SOUK_TEXT_PRINT(word));
}

static souk_err ask_grant(souk_call *call, const souk_person *person, souk_grant *ret_grant)
{
    souk_text word = SOUK_TEXT("serve");
    souk_purpose purpose;
    souk_call_query(call, SOUK_TEXT("purpose"), &word);
    SOUK_TRY(read_purpose(call, word, &purpose));
    souk_index *index = souk_spine_index(call->spine);
    souk_index_read(index);
    souk_err err = souk_consent_ask(
        souk_spine_consent(call->spine), index, person, purpose, call->caller.merchant,
        souk_clock_now_ms(souk_spine_clock(call->spine)), ret_grant, &call->diag);
    souk_index_read_done(index);
    return err;
}

/* Of a path. */
static souk_err person_of_path(souk_call *call, souk_person **ret_person)
{
    souk_text value;
    SOUK_TRY(souk_call_part(call, 1, &value));
    return souk_call_person(call, call->parts[0], value, ret_person);
}

/* ---- totals ---------------------------------------------------------------------------------------------- */

static void write_amount(souk_json_writer *out, uint32_t currency, souk_wide micro)
{
    char name[4], text[64], *at = text + sizeof text;
    souk_currency_name(currency, name);
    souk_json_write_key(out, name[0] ? souk_text_of(name) : SOUK_TEXT("none"));
    bool negative = micro < 0;
    souk_wide_unsigned rest = negative ? -(souk_wide_unsigned)micro : (souk_wide_unsigned)micro;
    bool digits = false; /* of the fraction, trailing zeros dropped */
    for (unsigned i = 0; i < 6; i++, rest /= 10) {
        digits |= rest % 10 != 0;
        if (digits)
            *--at = (char)('0' + (int)(rest % 10));
    }
    if (digits)
        *--at = '.';
    do {
        *--at = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest);
    if (negative)
        *--at = '-';
    souk_json_write_text(out, souk_text_range(at, text + sizeof text));
}

static void get_stats(souk_call *call)
{
    souk_index *index = souk_spine_index(call->spine);
    souk_totals *totals = souk_arena_get(&call->arena, sizeof *totals);
    if (call->arena.failed) {
        souk_call_fail(call, SOUK_ENOMEM);
        return;
    }
    souk_index_read(index);
    souk_index_totals(index, totals);
    uint32_t shoppers = souk_index_person_count(index);
    souk_index_read_done(index);
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_u64(out, "events", totals->events);
    souk_json_put_u64(out, "shoppers", shoppers);
    souk_json_put_u64(out, "orders", totals->orders);
    souk_json_put_u64(out, "cancelled", totals->cancelled);
    souk_json_put_u64(out, "products",
                      souk_catalogue_count(souk_spine_catalogue(call->spine), SOUK_NAME_PRODUCT));
    souk_json_put_object(out, "revenue");
    for (size_t i = 0; i < totals->currency_count; i++)
        write_amount(out, totals->amounts[i].currency, totals->amounts[i].amount_micro);
    souk_json_write_end(out);
    souk_json_write_end(out);
    souk_call_answer(call, 200);
}

/* ---- one shopper -------------------------------------------------------------------------------------------- */

static souk_err write_ties(souk_call *call, const souk_person *person, const souk_grant *grant,
                           souk_json_writer *out)
{
    souk_tie *ties;
    size_t count;
    SOUK_TRY(souk_spine_ties(call->spine, person, grant, &call->arena, &ties, &count));
    souk_json_put_array(out, "identifiers");
    for (size_t i = 0; i < count; i++) {
        souk_json_write_object(out);
        souk_json_put_text(out, "kind", souk_text_of(souk_id_word(ties[i].kind)));
        souk_json_put_text(out, "value", ties[i].value);
        souk_json_put_u64(out, "position", ties[i].position);
        if (ties[i].moved) {
            souk_json_put_bool(out, "moved", true);
        }
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
    return SOUK_OK;
}

static void write_public_id(souk_call *call, const souk_person *person, souk_json_writer *out)
{
    char id[33];
    souk_json_write_key(out, SOUK_TEXT("shopper"));
    if (person->shopper && souk_spine_public_id(call->spine, person->shopper, id) == SOUK_OK)
        souk_json_write_text(out, souk_text_of(id));
    else
        souk_json_write_null(out); /* a visitor */
}

static souk_err show_shopper(souk_call *call)
{
    souk_person *person;
    souk_grant grant;
    SOUK_TRY(person_of_path(call, &person));
    SOUK_TRY(ask_grant(call, person, &grant));
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    write_public_id(call, person, out);
    souk_json_put_u64(out, "histories", person->atom_count);
    SOUK_TRY(write_ties(call, person, &grant, out));
    souk_json_write_end(out);
    return SOUK_OK;
}

static void answer(souk_call *call, souk_err err)
{
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

static void get_shopper(souk_call *call)
{
    answer(call, show_shopper(call));
}

static void write_micro(souk_json_writer *out, int64_t micro)
{
    char text[SOUK_DECIMAL_BYTES];
    souk_json_write_text(out, (souk_text){text, souk_decimal_write((souk_decimal){micro}, text)});
}

static void write_counts(souk_call *call, const souk_profile *profile, enum souk_counter dimension,
                         const char *key, souk_json_writer *out)
{
    const souk_catalogue *catalogue = souk_spine_catalogue(call->spine);
    souk_json_write_key(out, souk_text_of(key));
    souk_json_write_object(out);
    for (size_t i = 0; i < profile->count; i++) {
        uint32_t rest = profile->counts[i].key & SOUK_COUNTER_REST;
        char name[SOUK_EVENT_NAME_BYTES + 16] = "";
        if (profile->counts[i].key >> 28 != dimension)
            continue;
        if (dimension == SOUK_COUNT_TYPE) {
            souk_catalogue_name(catalogue, SOUK_NAME_TYPE, rest, name, sizeof name);
        } else if (dimension == SOUK_COUNT_AMOUNT) {
            souk_currency_name(rest, name);
        } else {
            char category[SOUK_EVENT_NAME_BYTES + 1], day[SOUK_TIME_BYTES];
            souk_catalogue_name(catalogue, SOUK_NAME_CATEGORY, rest >> 12, category,
                                sizeof category);
            souk_time_write(souk_time_of_month((int32_t)(rest & 4095)), day);
            snprintf(name, sizeof name, "%.7s %.90s", day, category);
        }
        souk_text label = souk_text_trim(souk_text_of(name));
        souk_json_write_key(out, label.bytes ? label : SOUK_TEXT("none"));
        if (dimension == SOUK_COUNT_AMOUNT)
            write_micro(out, profile->counts[i].value);
        else
            souk_json_write_i64(out, profile->counts[i].value);
    }
    souk_json_write_end(out);
}

static int64_t count_of(const souk_profile *profile, enum souk_counter dimension)
{
    for (size_t i = 0; i < profile->count; i++)
        if (profile->counts[i].key == SOUK_COUNTER_KEY(dimension, 0))
            return profile->counts[i].value;
    return 0;
}

static souk_err show_profile(souk_call *call)
{
    souk_person *person;
    souk_grant grant;
    souk_profile profile;
    SOUK_TRY(person_of_path(call, &person));
    SOUK_TRY(ask_grant(call, person, &grant));
    SOUK_TRY(souk_spine_profile(call->spine, person, &grant, &call->arena, &profile));
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    write_public_id(call, person, out);
    if (profile.first_at <= profile.last_at) {
        souk_json_put_time(out, "first", profile.first_at);
        souk_json_put_time(out, "last", profile.last_at);
    }
    souk_json_write_key(out, SOUK_TEXT("orders"));
    souk_json_write_i64(out, count_of(&profile, SOUK_COUNT_ORDERS));
    souk_json_write_key(out, SOUK_TEXT("cancelled"));
    souk_json_write_i64(out, count_of(&profile, SOUK_COUNT_CANCELLED));
    souk_json_write_key(out, SOUK_TEXT("units"));
    write_micro(out, count_of(&profile, SOUK_COUNT_UNITS));
    write_counts(call, &profile, SOUK_COUNT_AMOUNT, "amounts", out);
    write_counts(call, &profile, SOUK_COUNT_TYPE, "events", out);
    write_counts(call, &profile, SOUK_COUNT_MONTH, "months", out);
    souk_json_write_end(out);
    return SOUK_OK;
}

static void get_profile(souk_call *call)
{
    answer(call, show_profile(call));
}

/* ---- timeline ---------------------------------------------------------------------------------------------- */

static void write_lines(souk_call *call, const souk_story *story, souk_json_writer *out)
{
    souk_json_put_array(out, "lines");
    for (uint32_t i = 0; i < story->fact.line_count; i++) {
        char product[SOUK_EVENT_NAME_BYTES + 1];
        souk_catalogue_name(souk_spine_catalogue(call->spine), SOUK_NAME_PRODUCT,
                            story->lines[i].product, product, sizeof product);
        souk_json_write_object(out);
        souk_json_put_text(out, "product", souk_text_of(product));
        souk_json_write_key(out, SOUK_TEXT("quantity"));
        write_micro(out, story->lines[i].quantity_micro);
        souk_json_write_key(out, SOUK_TEXT("amount"));
        write_micro(out, story->lines[i].amount_micro);
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
}

static void write_story(souk_call *call, const souk_story *story, souk_json_writer *out)
{
    char type[SOUK_EVENT_NAME_BYTES + 1], currency[4];
    souk_catalogue_name(souk_spine_catalogue(call->spine), SOUK_NAME_TYPE, story->fact.type, type,
                        sizeof type);
    souk_currency_name(story->fact.currency, currency);
    souk_json_write_object(out);
    souk_json_put_u64(out, "position", story->fact.position);
    souk_json_put_time(out, "at", story->fact.at);
    souk_json_put_text(out, "type", souk_text_of(type));
    if (story->fact.flags & SOUK_EVENT_SALE) {
        souk_json_write_key(out, SOUK_TEXT("amount"));
        write_micro(out, story->fact.amount_micro);
        souk_json_put_text(out, "currency", souk_text_of(currency));
    }
    if (story->fact.line_count)
        write_lines(call, story, out);
    souk_json_write_key(out, SOUK_TEXT("event"));
    if (story->text.bytes)
        souk_json_write_raw(out, story->text); /* the door read it as JSON */
    else
        souk_json_write_null(out);
    souk_json_write_end(out);
}

static souk_err show_timeline(souk_call *call)
{
    souk_person *person;
    souk_grant grant;
    souk_story *stories;
    souk_text word;
    size_t count, limit;
    uint64_t before = UINT64_MAX;
    SOUK_TRY(souk_call_limit(call, 20, 1000, &limit));
    if (souk_call_query(call, SOUK_TEXT("before"), &word) && souk_text_to_u64(word, &before))
        return souk_diag_say(&call->diag, SOUK_EINVAL, "before is a position");
    SOUK_TRY(person_of_path(call, &person));
    SOUK_TRY(ask_grant(call, person, &grant));
    SOUK_TRY(souk_spine_timeline(call->spine, person, &grant, before, limit, &call->arena, &stories,
                                 &count));
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_array(out, "events");
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        write_story(call, &stories[i], out);
        bytes += stories[i].text.bytes;
    }
    souk_json_write_end(out);
    if (count == limit || bytes >= SOUK_TIMELINE_BYTES) {
        souk_json_put_u64(out, "next_before", stories[count - 1].fact.position);
        souk_call_link_next_u64(call, "before", stories[count - 1].fact.position);
    }
    souk_json_write_end(out);
    return SOUK_OK;
}

static void get_timeline(souk_call *call)
{
    answer(call, show_timeline(call));
}

/* ---- decisions ------------------------------------------------------------------------------------------------ */

struct request {
    souk_json_doc doc;
    souk_json_node root;
};

static souk_err read_request(souk_call *call, struct request *request)
{
    *request = (struct request){.doc = {.mem = call->arena.mem}};
    SOUK_TRY(souk_json_read(&request->doc, call->body, NULL, &call->diag));
    request->root = souk_json_root(&request->doc);
    return SOUK_OK;
}

static souk_text field(souk_call *call, const struct request *request, souk_json_node object,
                       const char *key)
{
    souk_text text = {"", 0};
    souk_json_node node = souk_json_member(&request->doc, object, souk_text_of(key));
    if (souk_json_text(&request->doc, node, &call->arena, &text))
        return SOUK_TEXT("");
    return text;
}

static souk_err named_person(souk_call *call, const struct request *request, const char *key,
                             souk_person **ret_person)
{
    souk_json_node node = souk_json_member(&request->doc, request->root, souk_text_of(key));
    if (souk_json_type(&request->doc, node) != SOUK_JSON_OBJECT)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "\"%s\" is missing: {\"kind\":\"user\",\"value\":\"…\"}", key);
    return souk_call_person(call, field(call, request, node, "kind"),
                            field(call, request, node, "value"), ret_person);
}

static souk_text decided_by(souk_call *call, const struct request *request)
{
    souk_text by = field(call, request, request->root, "by");
    return by.bytes ? by : SOUK_TEXT("operator");
}

static souk_err say_shopper(souk_call *call, const souk_person *person)
{
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    write_public_id(call, person, out);
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err merge(souk_call *call, const struct request *request)
{
    souk_person *a, *b;
    SOUK_TRY(named_person(call, request, "a", &a));
    SOUK_TRY(named_person(call, request, "b", &b));
    if (!a->shopper || !b->shopper)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "a visitor cannot be merged: identify her first");
    souk_err err = souk_spine_merge(call->spine, a->shopper, b->shopper, decided_by(call, request),
                                    field(call, request, request->root, "reason"));
    if (err == SOUK_EEXIST)
        return souk_diag_say(&call->diag, err, "they are one person already");
    if (err == SOUK_ETOOBIG)
        return souk_diag_say(&call->diag, err,
                             "together they would have more than %d histories: too many for one "
                             "person",
                             SOUK_PERSON_ATOMS);
    SOUK_TRY(err);
    return say_shopper(call, a->shopper < b->shopper ? a : b);
}

static souk_err unmerge(souk_call *call, const struct request *request)
{
    souk_person *a;
    SOUK_TRY(named_person(call, request, "a", &a));
    /* The shopper the identifier itself belongs to, not the group's lowest number. */
    souk_index *index = souk_spine_index(call->spine);
    souk_json_node node = souk_json_member(&request->doc, request->root, SOUK_TEXT("a"));
    char room[SOUK_ID_BYTES];
    souk_text value;
    souk_id_kind kind = souk_id_of_word(field(call, request, node, "kind"));
    uint32_t shopper = a->shopper;
    if (kind != SOUK_ID_PUBLIC &&
        souk_id_normalise(kind, field(call, request, node, "value"), room, &value) == SOUK_OK) {
        souk_index_read(index);
        uint32_t atom = souk_index_find(
            index, souk_hashes_identifier(souk_spine_hashes(call->spine), kind, value));
        shopper = atom ? souk_index_owner(index, atom) : shopper;
        souk_index_read_done(index);
    }
    souk_err err = souk_spine_unmerge(call->spine, shopper, decided_by(call, request),
                                      field(call, request, request->root, "reason"));
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, err, "no merge of this shopper stands");
    SOUK_TRY(err);
    return say_shopper(call, a);
}

static souk_err consent(souk_call *call, const struct request *request)
{
    souk_person *a;
    souk_text purpose = field(call, request, request->root, "purpose");
    souk_text age_word = field(call, request, request->root, "age");
    souk_consent_row row = {.controller = SOUK_OPERATOR,
                            .basis =
                                souk_basis_of_word(field(call, request, request->root, "basis")),
                            .from = souk_clock_now_ms(souk_spine_clock(call->spine)),
                            .evidence = field(call, request, request->root, "evidence")};
    souk_age age = souk_text_equal(age_word, SOUK_TEXT("adult"))   ? SOUK_AGE_ADULT
                   : souk_text_equal(age_word, SOUK_TEXT("minor")) ? SOUK_AGE_MINOR
                                                                   : SOUK_AGE_UNKNOWN;
    if (age == SOUK_AGE_UNKNOWN && age_word.bytes) /* a misspelt minor must not pass */
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "the age is 'adult' or 'minor', or is left out");
    SOUK_TRY(named_person(call, request, "a", &a));
    SOUK_TRY(read_purpose(call, purpose, &row.purpose));
    if (row.basis == SOUK_BASIS_NONE)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "basis is consent, contract, legal or withdrawn");
    souk_err err = souk_spine_consent_record(call->spine, a, &row, age);
    if (err == SOUK_EINVAL)
        return souk_diag_say(&call->diag, err,
                             "'serve' cannot be withdrawn: what the law keeps can only be erased");
    SOUK_TRY(err);
    return say_shopper(call, a);
}

static souk_err erase(souk_call *call, const struct request *request)
{
    souk_person *a;
    uint64_t events;
    souk_err err = named_person(call, request, "a", &a);
    if (err == SOUK_ENOENT) /* asked again, perhaps: "nobody" must mean that it is done */
        SOUK_TRY(souk_spine_erase_rest(call->spine));
    SOUK_TRY(err);
    SOUK_TRY(souk_spine_erase(call->spine, a, &events));
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_bool(out, "erased", true);
    souk_json_put_u64(out, "events", events);
    souk_json_write_end(out);
    return SOUK_OK;
}

static void with_request(souk_call *call,
                         souk_err (*act)(souk_call *call, const struct request *request))
{
    struct request request;
    souk_err err = read_request(call, &request);
    if (!err)
        err = act(call, &request);
    souk_json_doc_done(&request.doc);
    answer(call, err);
}

static void post_merge(souk_call *call)
{
    with_request(call, merge);
}
static void post_unmerge(souk_call *call)
{
    with_request(call, unmerge);
}
static void post_consent(souk_call *call)
{
    with_request(call, consent);
}
static void post_erase(souk_call *call)
{
    with_request(call, erase);
}

/* ---- counters ---------------------------------------------------------------------------------------------------- */

static void get_metrics(souk_call *call)
{
    souk_auto_value(souk_buf) out = {.mem = call->arena.mem};
    souk_metrics_write(call->spine, &out);
    souk_api_counters(call, &out);
    souk_err err = souk_buf_check(&out);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer_text(call, 200, "text/plain; version=0.0.4", souk_buf_view(&out));
}

#define KINDS   "kind: user, card, phone, email, open, device, anonymous or public"
#define PURPOSE "purpose?: text 'what it is read for; serve'"

static const souk_shape_name shapes[] = {
    {"Identifier",
     "{kind: text 'user, card, phone, email, open, device, anonymous or public', value: text}"},
    {"Line", "{product: text, quantity: decimal, amount: decimal}"},
    {"Story", "{position: integer, at: time, type: text, amount?: decimal, currency?: text, "
              "lines?: [Line], event: any 'as it "
              "was sent; null: its person was erased'}"},
};

static const souk_route routes[] = {
    {"GET", "/v1/stats", SOUK_SCOPE_READ, get_stats, .summary = "Totals over every event",
     .operators = true,
     .gives = "{events: integer, shoppers: integer, orders: integer, cancelled: integer, products: "
              "integer, "
              "revenue: {*: decimal} 'by currency'}"},
    {"GET", "/v1/shoppers/{kind}/{value}", SOUK_SCOPE_READ, get_shopper,
     .summary = "The person behind an identifier", .words = KINDS, .query = PURPOSE,
     .gives = "{shopper: id? 'null: a visitor', histories: integer, identifiers: [{kind: text, "
              "value: text, "
              "position: integer 'of the event that told it', moved?: boolean}]}"},
    {"GET", "/v1/shoppers/{kind}/{value}/profile", SOUK_SCOPE_READ, get_profile,
     .summary = "A person's sums", .words = KINDS, .query = PURPOSE,
     .gives = "{shopper: id?, first?: time, last?: time, orders: integer, cancelled: integer, "
              "units: decimal, "
              "amounts: {*: decimal} 'by currency', events: {*: integer} 'by name', months: {*: "
              "integer} 'by "
              "month and category'}"},
    {"GET", "/v1/shoppers/{kind}/{value}/timeline", SOUK_SCOPE_READ, get_timeline,
     .summary = "A person's events, newest first", .words = KINDS,
     .query = "limit?: integer(1..1000) 'of a page; 20', before?: integer 'next_before of the last "
              "page', " PURPOSE,
     .sheet = "events", .gives = "{events: [Story], next_before?: integer 'there are more'}"},
    {"POST", "/v1/shoppers/merge", SOUK_SCOPE_MANAGE, post_merge, .slow = true,
     .summary = "Two shoppers are one person",
     .takes = "{a: Identifier, b: Identifier, by?: text 'who decided', reason?: text}",
     .gives = "{shopper: id}"},
    {"POST", "/v1/shoppers/unmerge", SOUK_SCOPE_MANAGE, post_unmerge, .slow = true,
     .summary = "They are not, after all", .takes = "{a: Identifier, by?: text, reason?: text}",
     .gives = "{shopper: id?}"},
    {"POST", "/v1/shoppers/consent", SOUK_SCOPE_MANAGE, post_consent, .slow = true,
     .summary = "Consent given or withdrawn",
     .takes = "{a: Identifier, purpose: text, basis: text 'consent, contract, legal or withdrawn', "
              "evidence?: text, age?: adult|minor}",
     .gives = "{shopper: id?}"},
    {"POST", "/v1/shoppers/erase", SOUK_SCOPE_MANAGE, post_erase, .slow = true,
     .summary = "A person asks to be forgotten", .takes = "{a: Identifier}",
     .gives = "{erased: boolean, events: integer 'that lost their person'}"},
    {"GET", "/metrics", SOUK_SCOPE_READ, get_metrics, .summary = "Counters for Prometheus",
     .gives_type = "text/plain", .operators = true},
};

const souk_service souk_shop_service = {
    .name = "shop",
    .words = "Shoppers: found, shown, merged, forgotten; totals",
    .shapes = shapes,
    .shape_count = sizeof shapes / sizeof *shapes,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
};
