/* loyalty_ask.c - what bodies of the routes tell: one table of members, of which each route takes some. */
#include "service/loyalty/loyalty_inside.h"

#include "base/pan.h"

enum { LINES_MOST = 1000, TAGS_MOST = 20 };

static loyalty_body *of(souk_form *form)
{
    return form->user;
}

/* ---- customers ------------------------------------------------------------------------------------------- */

static souk_err read_customer_kind(souk_form *form, souk_json_node value)
{
    return souk_form_text(form, value, 1, 20, &((struct loyalty_customer *)form->user)->kind);
}
static souk_err read_customer_value(souk_form *form, souk_json_node value)
{
    return souk_form_text(form, value, 1, SOUK_ID_BYTES,
                          &((struct loyalty_customer *)form->user)->value);
}

static souk_err read_customer_as(souk_form *form, souk_json_node value,
                                 struct loyalty_customer *customer)
{
    static const souk_form_member members[] = {{"kind", read_customer_kind},
                                               {"value", read_customer_value}};
    void *user = form->user;
    uint64_t seen;
    form->user = customer;
    souk_err err = souk_form_object(form, value, members, 2, &seen);
    form->user = user;
    SOUK_TRY(err);
    if (seen != 3)
        return souk_form_refuse(form,
                                "kind and value are needed: {\"kind\":\"card\",\"value\":\"…\"}");
    if (souk_pan_is(customer->value))
        return souk_form_refuse(form, "value: it reads as a payment card's number, and such a "
                                      "number names nobody here");
    return SOUK_OK;
}

static souk_err read_customer(souk_form *form, souk_json_node value)
{
    of(form)->has_customer = true;
    return read_customer_as(form, value, &of(form)->customer);
}
static souk_err read_by_customer(souk_form *form, souk_json_node value)
{
    of(form)->has_by = true;
    return read_customer_as(form, value, &of(form)->by_customer);
}

souk_err loyalty_path_person(souk_call *call, souk_person **ret_person)
{
    souk_text value;
    SOUK_TRY(souk_call_part(call, 1, &value));
    return souk_call_person(call, call->parts[0], value, ret_person);
}

/* ---- lines -------------------------------------------------------------------------------------------------- */

static souk_err read_line_product(souk_form *form, souk_json_node value)
{
    return souk_form_text(form, value, 1, 100, &((souk_earn_line *)form->user)->product);
}
static souk_err read_line_amount(souk_form *form, souk_json_node value)
{
    souk_decimal amount;
    SOUK_TRY(souk_form_decimal(form, value, 0, INT64_MAX, &amount));
    /* in 1e-6, until the currency's places are known */
    ((souk_earn_line *)form->user)->amount_minor = amount.micro;
    return SOUK_OK;
}
static souk_err read_line_tag(souk_form *form, souk_json_node value, size_t index)
{
    souk_earn_line *line = form->user;
    line->tag_count = index + 1;
    return souk_form_text(form, value, 1, 100, (souk_text *)(uintptr_t)&line->tags[index]);
}
static souk_err read_line_tags(souk_form *form, souk_json_node value)
{
    souk_earn_line *line = form->user;
    line->tags = souk_arena_get(form->arena, TAGS_MOST * sizeof *line->tags);
    return form->arena->failed ? SOUK_ENOMEM
                               : souk_form_array(form, value, TAGS_MOST, read_line_tag);
}

static souk_err read_line(souk_form *form, souk_json_node value, size_t index)
{
    static const souk_form_member members[] = {
        {"product", read_line_product}, {"amount", read_line_amount}, {"tags", read_line_tags}};
    loyalty_body *body = of(form);
    uint64_t seen;
    form->user = &body->lines[index];
    souk_err err = souk_form_object(form, value, members, 3, &seen);
    form->user = body;
    SOUK_TRY(err);
    if ((seen & 2) == 0)
        return souk_form_refuse(form, "amount is missing: what was paid for the line");
    body->line_count = index + 1;
    return SOUK_OK;
}

static souk_err read_lines(souk_form *form, souk_json_node value)
{
    of(form)->lines = souk_arena_get(form->arena, LINES_MOST * sizeof *of(form)->lines);
    return form->arena->failed ? SOUK_ENOMEM : souk_form_array(form, value, LINES_MOST, read_line);
}

/* ---- plain members ------------------------------------------------------------------------------------------- */

#define NUMBER_READER(name, least, most)                                 \
    static souk_err read_##name(souk_form *form, souk_json_node value)   \
    {                                                                    \
        return souk_form_i64(form, value, least, most, &of(form)->name); \
    }
NUMBER_READER(points, -SOUK_POINTS_MOST, SOUK_POINTS_MOST)
NUMBER_READER(count, 1, 1000)
NUMBER_READER(month_most, 0, SOUK_POINTS_MOST)
NUMBER_READER(batch, 1, INT64_MAX)
#undef NUMBER_READER

#define TEXT_READER(name, least, most)                                    \
    static souk_err read_##name(souk_form *form, souk_json_node value)    \
    {                                                                     \
        return souk_form_text(form, value, least, most, &of(form)->name); \
    }
TEXT_READER(reason, 1, SOUK_POINTS_REASON_BYTES)
TEXT_READER(by, 1, SOUK_POINTS_BY_BYTES)
TEXT_READER(name, 0, SOUK_FAMILY_NAME_BYTES)
TEXT_READER(code, 1, 100)
TEXT_READER(store, 1, SOUK_COUPON_STORE_BYTES)
TEXT_READER(currency, 3, 3)
TEXT_READER(receipt, 32, 32)
#undef TEXT_READER

static souk_err read_time(souk_form *form, souk_json_node value, souk_time *ret_time)
{
    souk_text text;
    SOUK_TRY(souk_form_text(form, value, 1, 40, &text));
    if (souk_time_read(text, NULL, ret_time))
        return souk_form_refuse(form, "a time is expected, such as 2026-12-24T18:00:00+08:00");
    return SOUK_OK;
}
static souk_err read_until(souk_form *form, souk_json_node value)
{
    return read_time(form, value, &of(form)->until);
}
static souk_err read_expires(souk_form *form, souk_json_node value)
{
    return read_time(form, value, &of(form)->expires);
}
static souk_err read_day(souk_form *form, souk_json_node value)
{
    souk_time at;
    SOUK_TRY(read_time(form, value, &at));
    of(form)->day = souk_time_day(at);
    of(form)->has_day = true;
    return SOUK_OK;
}
static souk_err read_void(souk_form *form, souk_json_node value)
{
    return souk_form_bool(form, value, &of(form)->is_void);
}

static const souk_form_member all[] = {
    {"customer", read_customer},
    {"member", read_by_customer},
    {"points", read_points},
    {"count", read_count},
    {"month_most", read_month_most},
    {"batch", read_batch},
    {"reason", read_reason},
    {"by", read_by},
    {"name", read_name},
    {"code", read_code},
    {"store", read_store},
    {"currency", read_currency},
    {"receipt", read_receipt},
    {"until", read_until},
    {"expires", read_expires},
    {"day", read_day},
    {"void", read_void},
    {"lines", read_lines},
};

static souk_form_member member_named(const char *name)
{
    size_t i = 0;
    while (strcmp(all[i].name, name) != 0)
        i++;
    return all[i];
}

/* ---- a body ------------------------------------------------------------------------------------------------------ */

static souk_err read_members(souk_call *call, loyalty_body *body, const char *const *names,
                             size_t count, size_t needed)
{
    souk_form_member members[sizeof all / sizeof *all];
    souk_json_doc *doc = souk_arena_get(&call->arena, sizeof *doc);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    *doc = (souk_json_doc){.mem = call->arena.mem};
    souk_form form = {.doc = doc,
                      .arena = &call->arena,
                      .diag = &call->diag,
                      .user = body,
                      .help = "docs/loyalty.md"};
    for (size_t i = 0; i < count; i++)
        members[i] = member_named(names[i]);
    souk_err err = souk_json_read(doc, call->body, NULL, &call->diag);
    if (!err)
        err = souk_form_object(&form, souk_json_root(doc), members, count, &body->seen);
    for (size_t i = 0; i < needed && !err; i++)
        if (!(body->seen >> i & 1))
            err = souk_form_refuse(&form, "%s is missing", names[i]);
    souk_json_doc_done(doc);
    return err;
}

souk_err loyalty_read_body(souk_call *call, const char *const *names, size_t count, size_t needed,
                           loyalty_body **ret_body)
{
    loyalty_body *body = souk_arena_get(&call->arena, sizeof *body);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    *body = (loyalty_body){.call = call, .loyalty = call->state, .until = SOUK_TIME_LAST};
    SOUK_TRY(read_members(call, body, names, count, needed));
    if (body->has_customer)
        SOUK_TRY(souk_call_person(call, body->customer.kind, body->customer.value, &body->person));
    if (body->has_by)
        SOUK_TRY(souk_call_person(call, body->by_customer.kind, body->by_customer.value,
                                  &body->by_person));
    *ret_body = body;
    return loyalty_whole(call, SOUK_OK);
}

souk_err loyalty_whole(souk_call *call, souk_err err)
{
    if (!call->arena.failed)
        return err;
    call->diag = (souk_diag){0};
    return SOUK_ENOMEM;
}

souk_loyalty_hand loyalty_hand_of(const loyalty_body *body)
{
    souk_time now = souk_clock_now_ms(souk_spine_clock(body->call->spine));
    int64_t day = body->has_day ? body->day : souk_time_day(now);
    return (souk_loyalty_hand){.merchant = body->call->caller.merchant,
                               .person = body->person,
                               .store = body->store,
                               .day = day,
                               .weekday = (unsigned)souk_day_weekday(day),
                               .at = now};
}

void loyalty_answer(souk_call *call, souk_err err, int status)
{
    err = loyalty_whole(call, err);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, status);
}

void loyalty_put_i64(souk_json_writer *out, const char *key, int64_t number)
{
    souk_json_write_key(out, souk_text_of(key));
    souk_json_write_i64(out, number);
}
