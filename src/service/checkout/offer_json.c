/* offer_json.c - each object of an offer is a table of members; a member is read by its function (offer_json.h). */
#include "service/checkout/offer_json.h"

#include "base/form.h"
#include "base/nearest.h"

typedef souk_form_member member;

typedef struct reading {
    souk_form form; /* its user is the reading */
    const souk_offer_reader *with;
    souk_offer *offer;
    souk_offer_scope *scopes; /* [SOUK_OFFER_SCOPES_MOST], as read */
    souk_offer_scope *scope;  /* the one that is being read */
    size_t bundle_count;
    uint64_t seen; /* members of the outermost object, a bit each */
} reading;

/* ---- values ----------------------------------------------------------------------------------------------- */

static souk_err read_u32(reading *my, souk_json_node value, int64_t least, int64_t most,
                         uint32_t *ret)
{
    int64_t number;
    SOUK_TRY(souk_form_i64(&my->form, value, least, most, &number));
    *ret = (uint32_t)number;
    return SOUK_OK;
}

static souk_err read_text(reading *my, souk_json_node value, const char *what, souk_text *ret)
{
    souk_err err = souk_json_text(my->form.doc, value, my->with->arena, ret);
    return err == SOUK_EINVAL ? souk_form_refuse(&my->form, "%s is expected, in quotes", what)
                              : err;
}

static souk_err read_amount(reading *my, souk_json_node value, int64_t *ret_minor)
{
    souk_decimal amount;
    bool rounded, cut;
    int64_t minor;
    if (souk_json_decimal_or_text(my->form.doc, value, &amount, &rounded))
        return souk_form_refuse(&my->form, "an amount is expected, such as 2.5 or \"2.50\"");
    SOUK_TRY(souk_decimal_to_minor(amount, my->with->exponent, &minor, &cut));
    if (rounded || cut)
        return souk_form_refuse(&my->form, "the currency has %u decimal places: write no more",
                                my->with->exponent);
    if (minor < 0 || minor > SOUK_OFFER_MINOR_MOST)
        return souk_form_refuse(&my->form, "an amount from 0 to 10^12 minor units is expected");
    *ret_minor = minor;
    return SOUK_OK;
}

/* A number, or a name that somebody knows. */
static souk_err read_name(reading *my, souk_json_node value, souk_offer_noun noun, uint32_t *ret)
{
    static const char *const nouns[] = {"product",  "tag",    "store", "tier",
                                        "audience", "coupon", "group"};
    const souk_offer_names *names = my->with->names;
    souk_text name;
    if (souk_json_type(my->form.doc, value) != SOUK_JSON_STRING || !names)
        return read_u32(my, value, noun == SOUK_OFFER_COUPON || noun == SOUK_OFFER_GROUP,
                        UINT32_MAX, ret);
    SOUK_TRY(read_text(my, value, nouns[noun], &name));
    souk_err err = names->find(names, noun, name, ret);
    if (err == SOUK_ENOENT)
        return souk_form_refuse(&my->form, "there is no %s '%.*s'", nouns[noun],
                                (int)souk_min_size(name.bytes, 80), name.at);
    return err;
}

static souk_err read_names(reading *my, souk_json_node array, souk_offer_noun noun,
                           const uint32_t **ret_list, size_t *ret_count)
{
    size_t count = souk_json_count(my->form.doc, array), at = 0;
    if (souk_json_type(my->form.doc, array) != SOUK_JSON_ARRAY || !count)
        return souk_form_refuse(&my->form, "a list of at least one is expected, in brackets");
    if (count > SOUK_OFFER_NAMES_MOST)
        return souk_diag_say(my->form.diag, SOUK_ETOOBIG,
                             "%s: the list is longer than %d: use a tag", my->form.path,
                             SOUK_OFFER_NAMES_MOST);
    uint32_t *list = souk_arena_get(my->with->arena, count * sizeof *list);
    if (my->with->arena->failed || !list)
        return SOUK_ENOMEM;
    for (souk_json_node value = souk_json_first(my->form.doc, array); value != SOUK_JSON_NONE;
         value = souk_json_next(my->form.doc, value), at++) {
        size_t end = souk_form_enter(&my->form, "[%zu]", at);
        SOUK_TRY(read_name(my, value, noun, &list[at]));
        souk_form_leave(&my->form, end);
    }
    *ret_list = list;
    *ret_count = count;
    return SOUK_OK;
}

/* ---- scopes ----------------------------------------------------------------------------------------------- */

#define LIST(name, noun, target, list, count)                                      \
    static souk_err name(souk_form *form, souk_json_node value)                    \
    {                                                                              \
        reading *my = form->user;                                                  \
        return read_names(my, value, noun, &my->target->list, &my->target->count); \
    }
LIST(read_products, SOUK_OFFER_PRODUCT, scope, products, product_count)
LIST(read_tags, SOUK_OFFER_TAG, scope, tags, tag_count)
LIST(read_not_products, SOUK_OFFER_PRODUCT, scope, not_products, not_product_count)
LIST(read_not_tags, SOUK_OFFER_TAG, scope, not_tags, not_tag_count)
LIST(read_stores, SOUK_OFFER_STORE, offer, stores, store_count)
LIST(read_audiences, SOUK_OFFER_AUDIENCE, offer, audiences, audience_count)

#define COUNT(table) (sizeof(table) / sizeof *(table))

static souk_err read_except(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    static const member members[] = {{"products", read_not_products}, {"tags", read_not_tags}};
    uint64_t seen;
    return souk_form_object(&my->form, value, members, COUNT(members), &seen);
}

static souk_err read_quantity(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_u32(my, value, 1, SOUK_OFFER_SET_MOST, &my->scope->quantity);
}

/* `quantity` comes last and only where a scope has one. */
static souk_err read_scope(reading *my, souk_json_node value, size_t at, bool has_quantity)
{
    static const member members[] = {{"products", read_products},
                                     {"tags", read_tags},
                                     {"except", read_except},
                                     {"quantity", read_quantity}};
    uint64_t seen;
    my->scope = &my->scopes[at];
    SOUK_TRY(souk_form_object(&my->form, value, members, COUNT(members) - !has_quantity, &seen));
    if (has_quantity && !my->scope->quantity)
        my->scope->quantity = 1;
    return SOUK_OK;
}

static souk_err read_on(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_scope(my, value, 0, false);
}

static souk_err read_gift(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_scope(my, value, 1, true);
}

static souk_err read_bundle(souk_form *form, souk_json_node array)
{
    reading *my = form->user;
    size_t count = souk_json_count(my->form.doc, array), at = 0;
    if (souk_json_type(my->form.doc, array) != SOUK_JSON_ARRAY || count < 2 ||
        count > SOUK_OFFER_SCOPES_MOST)
        return souk_form_refuse(&my->form, "a list of 2 to %d scopes is expected",
                                SOUK_OFFER_SCOPES_MOST);
    for (souk_json_node value = souk_json_first(my->form.doc, array); value != SOUK_JSON_NONE;
         value = souk_json_next(my->form.doc, value), at++) {
        size_t end = souk_form_enter(&my->form, "[%zu]", at);
        SOUK_TRY(read_scope(my, value, at, true));
        souk_form_leave(&my->form, end);
    }
    my->bundle_count = count;
    return SOUK_OK;
}

/* ---- conditions ---------------------------------------------------------------------------------------------- */

static souk_err read_time(reading *my, souk_json_node value, int64_t *ret_time)
{
    souk_text text;
    SOUK_TRY(read_text(my, value, "a time such as 2026-11-01T00:00:00+08:00", &text));
    if (souk_time_read(text, my->with->zone, ret_time) || *ret_time == 0)
        return souk_form_refuse(&my->form,
                                "it is no time: write such as 2026-11-01T00:00:00+08:00");
    return SOUK_OK;
}

static souk_err read_from(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_time(my, value, &my->offer->from);
}

static souk_err read_until(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_time(my, value, &my->offer->until);
}

static souk_err read_weekdays(souk_form *form, souk_json_node array)
{
    reading *my = form->user;
    size_t at = 0;
    if (souk_json_type(my->form.doc, array) != SOUK_JSON_ARRAY ||
        !souk_json_count(my->form.doc, array))
        return souk_form_refuse(&my->form, "a list of weekdays is expected: [\"mon\", \"sat\"]");
    for (souk_json_node value = souk_json_first(my->form.doc, array); value != SOUK_JSON_NONE;
         value = souk_json_next(my->form.doc, value), at++) {
        souk_text text;
        size_t end = souk_form_enter(&my->form, "[%zu]", at);
        unsigned day = 0;
        SOUK_TRY(read_text(my, value, "a weekday such as mon", &text));
        while (day < 7 && !souk_text_equal(text, souk_text_of(souk_offer_weekdays[day])))
            day++;
        if (day == 7)
            return souk_form_refuse(&my->form,
                                    "it is no weekday: write mon, tue, wed, thu, fri, sat or sun");
        my->offer->weekdays |= (uint8_t)(1 << day);
        souk_form_leave(&my->form, end);
    }
    return SOUK_OK;
}

/* "22:00", "24:00" where it ends; false: not so. */
static bool read_minute(souk_text text, unsigned most, uint16_t *ret_minute)
{
    uint64_t hour, minute;
    souk_text first = souk_text_cut(&text, ':');
    if (first.bytes != 2 || text.bytes != 2 || souk_text_to_u64(first, &hour) ||
        souk_text_to_u64(text, &minute) || minute > 59 || hour * 60 + minute > most)
        return false;
    *ret_minute = (uint16_t)(hour * 60 + minute);
    return true;
}

static souk_err read_hours(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    souk_text text;
    souk_offer *offer = my->offer;
    SOUK_TRY(read_text(my, value, "hours such as 22:00-02:00", &text));
    souk_text from = souk_text_cut(&text, '-');
    if (!read_minute(from, 1439, &offer->minute_from) ||
        !read_minute(text, 1440, &offer->minute_until) || offer->minute_from == offer->minute_until)
        return souk_form_refuse(
            &my->form, "hours are expected such as 09:00-12:30 or, over midnight, 22:00-02:00");
    return SOUK_OK;
}

static souk_err read_tiers(souk_form *form, souk_json_node array)
{
    reading *my = form->user;
    const uint32_t *list;
    size_t count;
    SOUK_TRY(read_names(my, array, SOUK_OFFER_TIER, &list, &count));
    for (size_t i = 0; i < count; i++) {
        if (list[i] >= SOUK_OFFER_TIERS)
            return souk_form_refuse(&my->form, "tiers are numbers from 0 to %d",
                                    SOUK_OFFER_TIERS - 1);
        my->offer->tiers |= (uint64_t)1 << list[i];
    }
    return SOUK_OK;
}

static souk_err read_coupon(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_name(my, value, SOUK_OFFER_COUPON, &my->offer->coupon);
}

static souk_err read_when(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    static const member members[] = {{"from", read_from},           {"until", read_until},
                                     {"weekdays", read_weekdays},   {"hours", read_hours},
                                     {"stores", read_stores},       {"tiers", read_tiers},
                                     {"audiences", read_audiences}, {"coupon", read_coupon}};
    uint64_t seen;
    return souk_form_object(&my->form, value, members, COUNT(members), &seen);
}

static souk_err read_least_quantity(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    bool rounded;
    if (souk_json_decimal_or_text(my->form.doc, value, &my->offer->least_quantity, &rounded) ||
        rounded || my->offer->least_quantity.micro <= 0)
        return souk_form_refuse(&my->form,
                                "a quantity above 0 is expected, with at most 6 decimal places");
    return SOUK_OK;
}

static souk_err read_least_amount(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_amount(my, value, &my->offer->least_minor);
}

static souk_err read_at_least(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    static const member members[] = {{"quantity", read_least_quantity},
                                     {"amount", read_least_amount}};
    uint64_t seen;
    return souk_form_object(&my->form, value, members, COUNT(members), &seen);
}

static souk_err read_times(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_u32(my, value, 1, UINT32_MAX, &my->offer->most_times);
}

static souk_err read_most_amount(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_amount(my, value, &my->offer->most_minor);
}

static souk_err read_limit(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    static const member members[] = {{"times", read_times}, {"amount", read_most_amount}};
    uint64_t seen;
    return souk_form_object(&my->form, value, members, COUNT(members), &seen);
}

/* ---- the offer ------------------------------------------------------------------------------------------------ */

static souk_err read_id(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    int64_t id;
    SOUK_TRY(souk_form_i64(form, value, 1, INT64_MAX, &id));
    my->offer->id = (uint64_t)id;
    return SOUK_OK;
}

static souk_err read_kind(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    souk_text text;
    SOUK_TRY(read_text(my, value, "a kind of offer", &text));
    souk_nearest near = {.word = text};
    for (int kind = 0; kind < SOUK_OFFER_KIND_COUNT; kind++) {
        const char *name = souk_offer_kind_name((souk_offer_kind)kind);
        if (souk_text_equal(text, souk_text_of(name))) {
            my->offer->kind = (souk_offer_kind)kind;
            return SOUK_OK;
        }
        souk_nearest_try(&near, name);
    }
    return near.best
               ? souk_form_refuse(&my->form, "there is no such kind: do you mean %s?", near.best)
               : souk_form_refuse(&my->form, "there is no such kind: see docs/offers.md");
}

static souk_err read_priority(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    int64_t priority;
    SOUK_TRY(souk_form_i64(form, value, INT32_MIN, INT32_MAX, &priority));
    my->offer->priority = (int32_t)priority;
    return SOUK_OK;
}

static souk_err read_group(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_name(my, value, SOUK_OFFER_GROUP, &my->offer->group);
}

static souk_err read_exclusive(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return souk_form_bool(form, value, &my->offer->exclusive);
}

static souk_err read_offer_amount(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_amount(my, value, &my->offer->amount_minor);
}

static souk_err read_percent(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    souk_decimal percent;
    bool rounded;
    if (souk_json_decimal_or_text(my->form.doc, value, &percent, &rounded) || rounded ||
        percent.micro % 100 || percent.micro <= 0 || percent.micro > 100000000)
        return souk_form_refuse(
            &my->form,
            "a percentage above 0 and up to 100 is expected, with at most 4 decimal places");
    my->offer->percent_micro = (uint32_t)(percent.micro / 100);
    return SOUK_OK;
}

static souk_err read_take(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_u32(my, value, 1, SOUK_OFFER_SET_MOST, &my->offer->take);
}

static souk_err read_pay(souk_form *form, souk_json_node value)
{
    reading *my = form->user;
    return read_u32(my, value, 1, SOUK_OFFER_SET_MOST, &my->offer->pay);
}

enum { ID, KIND, ON, BUNDLE, GIFT, AMOUNT, PERCENT, TAKE, PAY, FIRST_FREE };
static const member offer_members[] = {
    [ID] = {"id", read_id},
    [KIND] = {"kind", read_kind},
    [ON] = {"on", read_on},
    [BUNDLE] = {"bundle", read_bundle},
    [GIFT] = {"gift", read_gift},
    [AMOUNT] = {"amount", read_offer_amount},
    [PERCENT] = {"percent", read_percent},
    [TAKE] = {"take", read_take},
    [PAY] = {"pay", read_pay},
    [FIRST_FREE] = {"priority", read_priority},
    {"group", read_group},
    {"exclusive", read_exclusive},
    {"when", read_when},
    {"at_least", read_at_least},
    {"limit", read_limit},
};

#define BIT(member) (1u << (member))

/* What a kind must have; all but BUNDLE_ may have `on`. */
static const unsigned wanted[SOUK_OFFER_KIND_COUNT] = {
    [SOUK_OFFER_UNIT_AMOUNT] = BIT(AMOUNT),
    [SOUK_OFFER_UNIT_PERCENT] = BIT(PERCENT),
    [SOUK_OFFER_UNIT_PRICE] = BIT(AMOUNT),
    [SOUK_OFFER_N_FOR_M] = BIT(TAKE) | BIT(PAY),
    [SOUK_OFFER_N_FOR_PRICE] = BIT(TAKE) | BIT(AMOUNT),
    [SOUK_OFFER_BUNDLE_PRICE] = BIT(BUNDLE) | BIT(AMOUNT),
    [SOUK_OFFER_BUNDLE_PERCENT] = BIT(BUNDLE) | BIT(PERCENT),
    [SOUK_OFFER_BASKET_AMOUNT] = BIT(AMOUNT),
    [SOUK_OFFER_BASKET_PERCENT] = BIT(PERCENT),
    [SOUK_OFFER_BASKET_FREE] = BIT(GIFT),
};

static souk_err check_members(reading *my)
{
    unsigned must = wanted[my->offer->kind] | BIT(ID) | BIT(KIND);
    unsigned may = must & BIT(BUNDLE) ? must : must | BIT(ON);
    for (unsigned i = 0; i < FIRST_FREE; i++) {
        bool there = my->seen >> i & 1;
        if (!there && (must & BIT(i)))
            return souk_form_refuse(&my->form, "%s is missing", offer_members[i].name);
        if (there && !(may & BIT(i))) {
            (void)souk_form_enter(&my->form, "%s%s", *my->form.path ? "." : "",
                                  offer_members[i].name);
            return souk_form_refuse(&my->form, "%s has none: drop it, or choose another kind",
                                    souk_offer_kind_name(my->offer->kind));
        }
    }
    return SOUK_OK;
}

souk_err souk_offer_read(const souk_offer_reader *reader, const souk_json_doc *doc,
                         souk_json_node node, souk_text path, souk_offer *ret_offer,
                         souk_diag *diag)
{
    souk_offer offer = {0};
    reading my = {
        .form = {.doc = doc, .arena = reader->arena, .diag = diag, .help = "docs/offers.md"},
        .with = reader,
        .offer = &offer};
    my.form.user = &my;
    (void)souk_form_enter(&my.form, "%.*s", (int)souk_min_size(path.bytes, 100),
                          path.at ? path.at : "");
    my.scopes = souk_arena_get(reader->arena, SOUK_OFFER_SCOPES_MOST * sizeof *my.scopes);
    if (reader->arena->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_form_object(&my.form, node, offer_members, COUNT(offer_members), &my.seen));
    SOUK_TRY(check_members(&my));
    offer.scopes = my.scopes;
    offer.scope_count = my.bundle_count                        ? my.bundle_count
                        : offer.kind == SOUK_OFFER_BASKET_FREE ? 2
                                                               : 1;
    souk_diag words = {.words = ""};
    souk_err err = souk_offer_check(&offer, &words);
    if (err)
        return souk_form_refuse(&my.form, "%s", souk_diag_words(&words, err));
    *ret_offer = offer;
    return SOUK_OK;
}
