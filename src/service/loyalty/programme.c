/* programme.c - a programme as JSON, and what it says of a basket: see programme.h. */
#include "service/loyalty/programme.h"

#include "base/currency.h"
#include "base/form.h"
#include "core/document.h"

#include <stdio.h>
#include <stdlib.h>

#define ONE_MICRO INT64_C(1000000)

struct reading {
    souk_programme *programme;
    souk_earn_rule *rules; /* [SOUK_PROGRAMME_RULES] */
    souk_text *rule_names;
    souk_earn_rule *rule; /* the one that is being read */
    souk_text *names;     /* the list that is being read */
    size_t name_count;
};

static struct reading *of(souk_form *form)
{
    return form->user;
}

/* ---- values ------------------------------------------------------------------------------------------------- */

static souk_err read_minor(souk_form *form, souk_json_node value, int64_t least, int64_t *ret_minor)
{
    souk_decimal amount;
    bool rounded;
    SOUK_TRY(souk_form_decimal(form, value, 0, INT64_MAX, &amount));
    if (souk_decimal_to_minor(amount, of(form)->programme->exponent, ret_minor, &rounded) ||
        rounded)
        return souk_form_refuse(form, "the currency has %u decimal places: write no more",
                                of(form)->programme->exponent);
    if (*ret_minor < least || *ret_minor > SOUK_EARN_AMOUNT_MOST)
        return souk_form_refuse(form, "an amount from %lld to 10^12 minor units is expected",
                                (long long)least);
    return SOUK_OK;
}

static souk_err read_name(souk_form *form, souk_json_node value, size_t index)
{
    (void)index;
    struct reading *my = of(form);
    return souk_form_text(form, value, 1, SOUK_PROGRAMME_NAME_BYTES, &my->names[my->name_count++]);
}

static int by_text(const void *left, const void *right)
{
    return souk_text_compare(*(const souk_text *)left, *(const souk_text *)right);
}

static souk_err read_names(souk_form *form, souk_json_node value, const souk_text **ret_names,
                           size_t *ret_count)
{
    struct reading *my = of(form);
    size_t count = souk_min_size(souk_json_count(form->doc, value), SOUK_PROGRAMME_NAMES);
    my->names = souk_arena_get(form->arena, (count + 1) * sizeof *my->names);
    my->name_count = 0;
    if (form->arena->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_form_array(form, value, SOUK_PROGRAMME_NAMES, read_name));
    if (my->name_count == 0)
        return souk_form_refuse(form, "an empty list means nothing: name some, or leave it out");
    qsort(my->names, my->name_count, sizeof *my->names, by_text);
    *ret_names = my->names;
    *ret_count = my->name_count;
    return SOUK_OK;
}

static souk_err read_time(souk_form *form, souk_json_node value, int64_t *ret_time)
{
    souk_text text;
    SOUK_TRY(souk_form_text(form, value, 1, 40, &text));
    if (souk_time_read(text, NULL, ret_time))
        return souk_form_refuse(form, "a time is expected, such as 2026-12-24T18:00:00+08:00");
    return SOUK_OK;
}

/* ---- rules ---------------------------------------------------------------------------------------------------- */

static souk_err read_rule_name(souk_form *form, souk_json_node value)
{
    struct reading *my = of(form);
    return souk_form_text(form, value, 1, SOUK_PROGRAMME_NAME_BYTES,
                          &my->rule_names[my->rule - my->rules]);
}
static souk_err read_products(souk_form *form, souk_json_node value)
{
    return read_names(form, value, &of(form)->rule->products, &of(form)->rule->product_count);
}
static souk_err read_tags(souk_form *form, souk_json_node value)
{
    return read_names(form, value, &of(form)->rule->tags, &of(form)->rule->tag_count);
}
static souk_err read_stores(souk_form *form, souk_json_node value)
{
    return read_names(form, value, &of(form)->rule->stores, &of(form)->rule->store_count);
}
static souk_err read_rule_tiers(souk_form *form, souk_json_node value)
{
    return read_names(form, value, &of(form)->rule->tiers, &of(form)->rule->tier_count);
}
static souk_err read_from(souk_form *form, souk_json_node value)
{
    return read_time(form, value, &of(form)->rule->from);
}
static souk_err read_until(souk_form *form, souk_json_node value)
{
    return read_time(form, value, &of(form)->rule->until);
}
static souk_err read_multiply(souk_form *form, souk_json_node value)
{
    souk_decimal times;
    SOUK_TRY(souk_form_decimal(form, value, 0, SOUK_EARN_MULTIPLY_MOST, &times));
    of(form)->rule->multiply_micro = times.micro;
    return SOUK_OK;
}

static souk_err read_weekday(souk_form *form, souk_json_node value, size_t index)
{
    static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    size_t day;
    (void)index;
    SOUK_TRY(souk_form_word(form, value, days, 7, &day));
    of(form)->rule->weekdays |= 1u << day;
    return SOUK_OK;
}
static souk_err read_weekdays(souk_form *form, souk_json_node value)
{
    return souk_form_array(form, value, 7, read_weekday);
}

static souk_err read_rule(souk_form *form, souk_json_node value, size_t index)
{
    static const souk_form_member members[] = {
        {"name", read_rule_name}, {"products", read_products}, {"tags", read_tags},
        {"stores", read_stores},  {"tiers", read_rule_tiers},  {"from", read_from},
        {"until", read_until},    {"weekdays", read_weekdays}, {"multiply", read_multiply}};
    struct reading *my = of(form);
    uint64_t seen;
    my->rule = &my->rules[index];
    *my->rule = (souk_earn_rule){0};
    my->rule_names[index] = SOUK_TEXT("");
    SOUK_TRY(souk_form_object(form, value, members, sizeof members / sizeof *members, &seen));
    if (!(seen >> 8 & 1))
        return souk_form_refuse(form, "multiply is missing: 2 doubles, 0 excludes");
    if ((seen >> 5 & 3) == 1)
        my->rule->until = SOUK_TIME_LAST;
    if ((seen >> 5 & 3) == 2)
        my->rule->from = SOUK_TIME_FIRST;
    if ((seen >> 5 & 3) && my->rule->from >= my->rule->until)
        return souk_form_refuse(form, "until is not behind from: exchange them");
    my->programme->earn.rule_count = index + 1;
    return SOUK_OK;
}

static souk_err read_rules(souk_form *form, souk_json_node value)
{
    return souk_form_array(form, value, SOUK_PROGRAMME_RULES, read_rule);
}

/* ---- earning --------------------------------------------------------------------------------------------------- */

static souk_err read_points(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, 1000000, &of(form)->programme->earn.points);
}
static souk_err read_per(souk_form *form, souk_json_node value)
{
    return read_minor(form, value, 1, &of(form)->programme->earn.per_minor);
}
static souk_err read_round(souk_form *form, souk_json_node value)
{
    static const char *const words[] = {"half_even", "half_up", "down"};
    size_t word;
    SOUK_TRY(souk_form_word(form, value, words, 3, &word));
    of(form)->programme->earn.rounding = (souk_rounding)word;
    return SOUK_OK;
}
static souk_err read_by(souk_form *form, souk_json_node value)
{
    return souk_form_either(form, value, "receipt", "line", &of(form)->programme->earn.by_line);
}
static souk_err read_rules_go(souk_form *form, souk_json_node value)
{
    return souk_form_either(form, value, "highest", "together",
                            &of(form)->programme->earn.together);
}
static souk_err read_least(souk_form *form, souk_json_node value)
{
    return read_minor(form, value, 0, &of(form)->programme->earn.least_minor);
}
static souk_err read_most(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, SOUK_EARN_POINTS_MOST, &of(form)->programme->earn.most);
}

static souk_err read_earn(souk_form *form, souk_json_node value)
{
    static const souk_form_member members[] = {{"points", read_points},     {"per", read_per},
                                               {"round", read_round},       {"by", read_by},
                                               {"least", read_least},       {"most", read_most},
                                               {"rules_go", read_rules_go}, {"rules", read_rules}};
    uint64_t seen;
    SOUK_TRY(souk_form_object(form, value, members, sizeof members / sizeof *members, &seen));
    if ((seen & 3) != 3)
        return souk_form_refuse(form, "points and per are needed: so many points for so much");
    return SOUK_OK;
}

/* ---- the rest --------------------------------------------------------------------------------------------------- */

static souk_err read_days(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, 36500, &of(form)->programme->expire_days);
}
static souk_err read_months(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, 1200, &of(form)->programme->expire_months);
}
static souk_err read_end_of(souk_form *form, souk_json_node value)
{
    static const char *const words[] = {"moment", "day", "month", "year"};
    size_t word;
    SOUK_TRY(souk_form_word(form, value, words, 4, &word));
    of(form)->programme->expire_end = (souk_expire_end)word;
    return SOUK_OK;
}
static souk_err read_expire(souk_form *form, souk_json_node value)
{
    static const souk_form_member members[] = {
        {"days", read_days}, {"months", read_months}, {"end_of", read_end_of}};
    uint64_t seen;
    SOUK_TRY(souk_form_object(form, value, members, 3, &seen));
    if ((seen & 3) == 3 || (seen & 3) == 0)
        return souk_form_refuse(form, "either days or months are needed");
    return SOUK_OK;
}

static souk_err read_worth_points(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, SOUK_POINTS_MOST, &of(form)->programme->worth_points);
}
static souk_err read_worth_amount(souk_form *form, souk_json_node value)
{
    return read_minor(form, value, 1, &of(form)->programme->worth_minor);
}
static souk_err read_burn_least(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, SOUK_POINTS_MOST, &of(form)->programme->burn_least);
}
static souk_err read_burn_step(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, SOUK_POINTS_MOST, &of(form)->programme->burn_step);
}
static souk_err read_worth(souk_form *form, souk_json_node value)
{
    static const souk_form_member members[] = {{"points", read_worth_points},
                                               {"amount", read_worth_amount},
                                               {"least", read_burn_least},
                                               {"step", read_burn_step}};
    uint64_t seen;
    SOUK_TRY(souk_form_object(form, value, members, 4, &seen));
    if ((seen & 3) != 3)
        return souk_form_refuse(form, "points and amount are needed: so many points pay so much");
    return SOUK_OK;
}

static souk_err read_debt(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 0, SOUK_POINTS_MOST, &of(form)->programme->debt_most);
}
static souk_err read_grace(souk_form *form, souk_json_node value)
{
    int64_t days;
    SOUK_TRY(souk_form_i64(form, value, 0, 3650, &days));
    of(form)->programme->grace_ms = days * SOUK_DAY_MS;
    return SOUK_OK;
}
static souk_err read_returns(souk_form *form, souk_json_node value)
{
    static const souk_form_member members[] = {{"debt", read_debt}, {"grace_days", read_grace}};
    return souk_form_object(form, value, members, 2, NULL);
}

/* ---- tiers -------------------------------------------------------------------------------------------------------- */

static souk_err read_tiers_by(souk_form *form, souk_json_node value)
{
    return souk_form_either(form, value, "spend", "points", &of(form)->programme->tiers.by_points);
}
static souk_err read_year(souk_form *form, souk_json_node value)
{
    return souk_form_either(form, value, "rolling", "calendar",
                            &of(form)->programme->tiers.calendar);
}
static souk_err read_tier_grace(souk_form *form, souk_json_node value)
{
    int64_t days;
    SOUK_TRY(souk_form_i64(form, value, 0, 364, &days));
    of(form)->programme->tiers.grace_ms = days * SOUK_DAY_MS;
    return SOUK_OK;
}

static souk_tier_level *level_of(souk_form *form)
{
    souk_tiers *tiers = &of(form)->programme->tiers;
    return &tiers->levels[tiers->level_count];
}
static souk_err read_level_name(souk_form *form, souk_json_node value)
{
    return souk_form_text(form, value, 1, SOUK_TIER_NAME_BYTES, &level_of(form)->name);
}
static souk_err read_level_from(souk_form *form, souk_json_node value)
{
    if (of(form)->programme->tiers.by_points)
        return souk_form_i64(form, value, 1, SOUK_POINTS_MOST, &level_of(form)->from);
    return read_minor(form, value, 1, &level_of(form)->from);
}
static souk_err read_level_multiply(souk_form *form, souk_json_node value)
{
    souk_decimal times;
    SOUK_TRY(souk_form_decimal(form, value, 1, SOUK_EARN_MULTIPLY_MOST, &times));
    level_of(form)->multiply_micro = times.micro;
    return SOUK_OK;
}

static souk_err read_level(souk_form *form, souk_json_node value, size_t index)
{
    static const souk_form_member members[] = {
        {"name", read_level_name}, {"from", read_level_from}, {"multiply", read_level_multiply}};
    souk_tiers *tiers = &of(form)->programme->tiers;
    uint64_t seen;
    tiers->levels[index] = (souk_tier_level){.multiply_micro = ONE_MICRO};
    SOUK_TRY(souk_form_object(form, value, members, 3, &seen));
    if ((seen & 3) != 3)
        return souk_form_refuse(form, "name and from are needed");
    if (index && tiers->levels[index].from <= tiers->levels[index - 1].from)
        return souk_form_refuse(form,
                                "from is not above that of the level before: put them in order");
    for (size_t i = 0; i < index; i++)
        if (souk_text_equal(tiers->levels[i].name, tiers->levels[index].name))
            return souk_form_refuse(form, "another level has this name");
    tiers->level_count = index + 1;
    return SOUK_OK;
}
static souk_err read_levels(souk_form *form, souk_json_node value)
{
    return souk_form_array(form, value, SOUK_TIER_LEVELS, read_level);
}

/* `by` is read before the levels, whose numbers it gives their unit. */
static souk_err read_tiers(souk_form *form, souk_json_node value)
{
    static const souk_form_member members[] = {{"by", read_tiers_by},
                                               {"year", read_year},
                                               {"grace_days", read_tier_grace},
                                               {"levels", read_levels}};
    souk_json_node by = souk_json_member(form->doc, value, SOUK_TEXT("by"));
    souk_text word = SOUK_TEXT("");
    if (souk_json_type(form->doc, by) == SOUK_JSON_STRING)
        SOUK_TRY(souk_json_text(form->doc, by, form->arena, &word));
    of(form)->programme->tiers.by_points = souk_text_equal(word, SOUK_TEXT("points"));
    uint64_t seen;
    SOUK_TRY(souk_form_object(form, value, members, 4, &seen));
    if (of(form)->programme->tiers.level_count == 0)
        return souk_form_refuse(form,
                                "levels are needed: [{\"name\":\"silver\",\"from\":\"500\"}]");
    return SOUK_OK;
}

/* ---- the document -------------------------------------------------------------------------------------------------- */

static souk_err read_programme_name(souk_form *form, souk_json_node value)
{
    return souk_form_text(form, value, 1, SOUK_PROGRAMME_NAME_BYTES, &of(form)->programme->name);
}

static souk_err read_currency(souk_form *form, souk_json_node value)
{
    souk_text text;
    souk_programme *programme = of(form)->programme;
    SOUK_TRY(souk_form_text(form, value, 3, 3, &text));
    if (souk_currency_read(text, programme->currency))
        return souk_form_refuse(form, "a code of ISO 4217 is expected, such as EUR");
    return SOUK_OK;
}

/* Before anything else, since amounts are read by it. */
static souk_err find_currency(souk_form *form, souk_json_node root)
{
    souk_json_node node = souk_json_member(form->doc, root, SOUK_TEXT("currency"));
    souk_programme *programme = of(form)->programme;
    if (souk_json_type(form->doc, root) != SOUK_JSON_OBJECT)
        return souk_form_refuse(form, "an object is expected, in braces");
    if (node == SOUK_JSON_NONE)
        return souk_form_refuse(form, "currency is missing: that of all amounts here, such as EUR");
    snprintf(form->path, sizeof form->path, "currency");
    SOUK_TRY(read_currency(form, node));
    form->path[0] = '\0';
    programme->exponent = souk_currency_exponent(programme->currency);
    return SOUK_OK;
}

static void copy_text(souk_arena *arena, souk_text *text)
{
    *text = (souk_text){souk_arena_copy(arena, text->at, text->bytes), text->bytes};
}

static void copy_list(souk_arena *arena, const souk_text *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        copy_text(arena, (souk_text *)(uintptr_t)&list[i]);
}

/* What was read points into the document, which goes. */
static void copy_texts(souk_arena *arena, struct reading *my)
{
    souk_programme *programme = my->programme;
    copy_text(arena, &programme->name);
    for (size_t i = 0; i < programme->earn.rule_count; i++) {
        const souk_earn_rule *rule = &my->rules[i];
        copy_list(arena, rule->products, rule->product_count);
        copy_list(arena, rule->tags, rule->tag_count);
        copy_list(arena, rule->stores, rule->store_count);
        copy_list(arena, rule->tiers, rule->tier_count);
        copy_text(arena, &my->rule_names[i]);
    }
    for (size_t i = 0; i < programme->tiers.level_count; i++)
        copy_text(arena, &programme->tiers.levels[i].name);
}

static souk_err read_document(souk_form *form)
{
    static const souk_form_member members[] = {
        {"name", read_programme_name}, {"currency", read_currency}, {"earn", read_earn},
        {"expire", read_expire},       {"worth", read_worth},       {"returns", read_returns},
        {"tiers", read_tiers}};
    souk_json_node root = souk_json_root(form->doc);
    uint64_t seen;
    SOUK_TRY(find_currency(form, root));
    SOUK_TRY(souk_form_object(form, root, members, sizeof members / sizeof *members, &seen));
    if (!(seen >> 2 & 1))
        return souk_form_refuse(form, "earn is missing: {\"points\":1,\"per\":\"1.00\"}");
    souk_programme *programme = of(form)->programme;
    programme->burn_step = programme->burn_step ? programme->burn_step : 1;
    return SOUK_OK;
}

souk_err souk_programme_read(souk_text json, souk_arena *arena,
                             const souk_programme **ret_programme, souk_diag *diag)
{
    souk_json_doc doc = {.mem = arena->mem};
    struct reading my = {.programme = souk_arena_get(arena, sizeof *my.programme),
                         .rules = souk_arena_get(arena, SOUK_PROGRAMME_RULES * sizeof *my.rules),
                         .rule_names =
                             souk_arena_get(arena, SOUK_PROGRAMME_RULES * sizeof *my.rule_names)};
    souk_form form = {
        .doc = &doc, .arena = arena, .diag = diag, .user = &my, .help = "docs/loyalty.md"};
    if (arena->failed)
        return SOUK_ENOMEM;
    my.programme->grace_ms = 14 * SOUK_DAY_MS;
    my.programme->earn.rounding = SOUK_ROUND_DOWN;
    my.programme->earn.rules = my.rules;
    my.programme->rule_names = my.rule_names;
    souk_err err = souk_json_read(&doc, json, NULL, diag);
    if (!err)
        err = read_document(&form);
    if (!err)
        copy_texts(arena, &my);
    souk_json_doc_done(&doc);
    if (arena->failed) /* whatever that led to */
        return SOUK_ENOMEM;
    SOUK_TRY(err);
    *ret_programme = my.programme;
    return SOUK_OK;
}

souk_err souk_programme_load(souk_ledger *ledger, uint32_t merchant, souk_arena *arena,
                             const souk_programme **ret_programme, souk_diag *diag)
{
    souk_auto_value(souk_buf) text = {.mem = arena->mem};
    uint64_t version;
    souk_err err = souk_documents_get(ledger, SOUK_TEXT("loyalty"), merchant,
                                      SOUK_TEXT("programme"), &version, &text);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, err,
                             "there is no loyalty programme: PUT /v1/loyalty/programme makes one");
    SOUK_TRY(err);
    SOUK_TRY(souk_buf_check(&text));
    SOUK_TRY(souk_programme_read(souk_buf_view(&text), arena, ret_programme, diag));
    ((souk_programme *)(uintptr_t)*ret_programme)->version = version; /* ours until it is told */
    return SOUK_OK;
}
