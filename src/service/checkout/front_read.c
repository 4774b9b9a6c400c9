/* front_read.c - one document becomes a part of a front: see front.h. */
#include "service/checkout/front_inside.h"

#include "base/form.h"
#include "base/pan.h"
#include "os/zones.h"
#include "service/checkout/offer_json.h"

enum {
    STORES_MOST = 100000,
    ZONES_MOST = 1000,
    TAXES_MOST = 100000,
    TEMPLATES_MOST = SOUK_MEASURES,
    RATES_MOST = 24 /* with eight tenders as much as the books take at once, SOUK_BOOKS_SET_MOST */
};

struct part {
    front_reading *reading;
    souk_front *front;
    souk_text key;
    /* of an offer */
    struct front_offer offer;
    souk_json_node offer_node;
    /* of a tax */
    souk_front_tax tax;
    souk_tax_rate rates[SOUK_TAX_RATES_MOST];
    souk_tax_class classes[SOUK_FRONT_CLASSES_MOST];
    souk_text usual;
    souk_json_node classes_node;
};

/* ---- stores ------------------------------------------------------------------------------------------ */

static souk_err add_zone(souk_front *front, souk_text name, const souk_zone **ret_zone)
{
    for (size_t i = 0; i < front->zone_count; i++)
        if (souk_text_equal(souk_text_of(souk_zone_name(front->zones[i])), name)) {
            *ret_zone = front->zones[i];
            return SOUK_OK;
        }
    SOUK_TRY(souk_mem_grow(front->mem, &front->zones, &front->zone_capacity, front->zone_count + 1,
                           ZONES_MOST, sizeof *front->zones));
    SOUK_TRY(souk_zone_open(front->mem, name, &front->zones[front->zone_count], NULL));
    *ret_zone = front->zones[front->zone_count++];
    return SOUK_OK;
}

/* Its door has checked it (core/store.h). */
static souk_err read_store(struct part *part)
{
    const souk_json_doc *doc = &part->reading->doc;
    souk_front *front = part->front;
    souk_front_store store = {.code = part->key};
    souk_text zone = SOUK_TEXT(""), currency = SOUK_TEXT("");
    souk_json_node root = souk_json_root(doc);
    souk_json_node zone_node = souk_json_member(doc, root, SOUK_TEXT("time_zone"));
    souk_json_node currency_node = souk_json_member(doc, root, SOUK_TEXT("currency"));
    if (souk_json_type(doc, zone_node) == SOUK_JSON_STRING)
        SOUK_TRY(souk_json_text(doc, zone_node, &front->arena, &zone));
    if (souk_json_type(doc, currency_node) == SOUK_JSON_STRING)
        SOUK_TRY(souk_json_text(doc, currency_node, &front->arena, &currency));
    if (zone.bytes) {
        souk_err err = add_zone(front, zone, &store.zone);
        if (err)
            return souk_diag_say(&part->reading->diag, err,
                                 "time_zone: this machine has no zone "
                                 "'%.*s'",
                                 SOUK_TEXT_PRINT(zone));
    }
    if (currency.bytes && souk_currency_read(currency, store.currency))
        return souk_diag_say(&part->reading->diag, SOUK_EINVAL, "currency: no code of ISO 4217");
    SOUK_TRY(souk_mem_grow(front->mem, &front->stores, &front->store_capacity,
                           front->store_count + 1, STORES_MOST, sizeof *front->stores));
    front->stores[front->store_count++] = store;
    return SOUK_OK;
}

/* ---- offers ------------------------------------------------------------------------------------------- */

struct finder {
    souk_offer_names names;
    souk_names *numbers;
    uint32_t merchant;
};

static souk_err find_name(const souk_offer_names *self, souk_offer_noun noun, souk_text name,
                          uint32_t *ret_number)
{
    static const enum souk_shelf_noun nouns[] = {
        [SOUK_OFFER_PRODUCT] = SOUK_NOUN_PRODUCT,   [SOUK_OFFER_TAG] = SOUK_NOUN_TAG,
        [SOUK_OFFER_STORE] = SOUK_NOUN_STORE,       [SOUK_OFFER_TIER] = SOUK_NOUN_TIER,
        [SOUK_OFFER_AUDIENCE] = SOUK_NOUN_AUDIENCE, [SOUK_OFFER_COUPON] = SOUK_NOUN_COUPON,
        [SOUK_OFFER_GROUP] = SOUK_NOUN_GROUP};
    const struct finder *finder = (const struct finder *)(const void *)self;
    if (noun == SOUK_OFFER_TIER) /* tiers have small numbers of their own: write those */
        return SOUK_ENOENT;
    return souk_names_number(finder->numbers, finder->merchant, nouns[noun], name, ret_number);
}

static souk_err read_offer_name(souk_form *form, souk_json_node value)
{
    struct part *part = form->user;
    souk_text name;
    SOUK_TRY(souk_form_text(form, value, 1, SOUK_FRONT_OFFER_NAME_BYTES, &name));
    if (souk_pan_find(name).at)
        return souk_form_refuse(form, "a payment card's number is in it: give another name");
    part->offer.name = souk_text_in(form->arena, name);
    return SOUK_OK;
}

static souk_err read_offer_currency(souk_form *form, souk_json_node value)
{
    struct part *part = form->user;
    souk_text code;
    SOUK_TRY(souk_form_text(form, value, 3, 3, &code));
    if (souk_currency_read(code, part->offer.currency))
        return souk_form_refuse(form, "no code of ISO 4217: send one, such as EUR");
    return SOUK_OK;
}

static souk_err read_offer_node(souk_form *form, souk_json_node value)
{
    ((struct part *)form->user)->offer_node = value;
    return SOUK_OK;
}

/* An amount means something in its currency alone. */
static bool has_amount(const souk_offer *offer)
{
    return offer->amount_minor || offer->least_minor || offer->most_minor;
}

static souk_err check_offer(struct part *part)
{
    char key[24];
    souk_diag *diag = &part->reading->diag;
    snprintf(key, sizeof key, "%llu", (unsigned long long)part->offer.offer.id);
    if (!souk_text_equal(part->key, souk_text_of(key)))
        return souk_diag_say(diag, SOUK_EINVAL, "offer.id: it is %s here and %.*s in the path", key,
                             SOUK_TEXT_PRINT(part->key));
    if (!part->offer.currency[0] && has_amount(&part->offer.offer))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "currency is missing: the offer has an amount, say in what");
    return SOUK_OK;
}

static souk_err read_offer(struct part *part)
{
    static const souk_form_member members[] = {
        {"name", read_offer_name}, {"currency", read_offer_currency}, {"offer", read_offer_node}};
    souk_front *front = part->front;
    souk_form form = {.doc = &part->reading->doc,
                      .arena = &front->arena,
                      .diag = &part->reading->diag,
                      .user = part,
                      .help = "docs/offers.md"};
    uint64_t seen;
    SOUK_TRY(souk_form_object(&form, souk_json_root(form.doc), members, 3, &seen));
    if ((seen & 5) != 5)
        return souk_form_refuse(&form, "give a name for the receipt, and the offer: "
                                       "{\"name\":…,\"offer\":{…}}");
    struct finder finder = {.names = {.find = find_name},
                            .numbers = part->reading->names,
                            .merchant = part->reading->merchant};
    souk_offer_reader reader = {
        .exponent = part->offer.currency[0] ? souk_currency_exponent(part->offer.currency) : 2,
        .names = &finder.names,
        .arena = &front->arena};
    SOUK_TRY(souk_offer_read(&reader, form.doc, part->offer_node, SOUK_TEXT("offer"),
                             &part->offer.offer, form.diag));
    SOUK_TRY(check_offer(part));
    SOUK_TRY(souk_mem_grow(front->mem, &front->offers, &front->offer_capacity,
                           front->offer_count + 1, SOUK_BOOK_OFFERS_MOST, sizeof *front->offers));
    front->offers[front->offer_count++] = part->offer;
    return SOUK_OK;
}

/* ---- taxes --------------------------------------------------------------------------------------------- */

static souk_err read_prices(souk_form *form, souk_json_node value)
{
    return souk_form_either(form, value, "without_tax", "with_tax",
                            &((struct part *)form->user)->tax.rule.inclusive);
}

static souk_err read_round(souk_form *form, souk_json_node value)
{
    return souk_form_either(form, value, "receipt", "line",
                            &((struct part *)form->user)->tax.rule.by_line);
}

static souk_err read_rounding(souk_form *form, souk_json_node value)
{
    static const char *const words[] = {"half_even", "half_up"};
    size_t word;
    SOUK_TRY(souk_form_word(form, value, words, 2, &word));
    ((struct part *)form->user)->tax.rule.rounding =
        word ? SOUK_ROUND_HALF_UP : SOUK_ROUND_HALF_EVEN;
    return SOUK_OK;
}

static souk_err read_rate_name(souk_form *form, souk_json_node value)
{
    struct part *part = form->user;
    souk_text name;
    SOUK_TRY(souk_form_text(form, value, 1, 60, &name));
    for (size_t i = 0; i < part->tax.rule.rate_count; i++)
        if (souk_text_equal(souk_text_of(part->rates[i].name), name))
            return souk_form_refuse(form, "another rate has this name: give each its own");
    part->rates[part->tax.rule.rate_count].name = souk_text_in(form->arena, name);
    return SOUK_OK;
}

static souk_err read_rate_percent(souk_form *form, souk_json_node value)
{
    struct part *part = form->user;
    souk_decimal percent;
    SOUK_TRY(souk_form_decimal(form, value, 0, INT64_C(1000000000), &percent));
    if (percent.micro % 100)
        return souk_form_refuse(form, "at most four decimal places are taken");
    part->rates[part->tax.rule.rate_count].rate_micro = (uint32_t)(percent.micro / 100);
    return SOUK_OK;
}

static souk_err read_rate(souk_form *form, souk_json_node value, size_t index)
{
    static const souk_form_member members[] = {{"name", read_rate_name},
                                               {"percent", read_rate_percent}};
    struct part *part = form->user;
    uint64_t seen;
    (void)index;
    SOUK_TRY(souk_form_object(form, value, members, 2, &seen));
    if (seen != 3)
        return souk_form_refuse(form, "a rate has a name and a percent");
    part->tax.rule.rate_count++;
    return SOUK_OK;
}

static souk_err read_rates(souk_form *form, souk_json_node value)
{
    return souk_form_array(form, value, RATES_MOST, read_rate);
}

static souk_err note_classes(souk_form *form, souk_json_node value)
{
    ((struct part *)form->user)->classes_node = value;
    return SOUK_OK;
}

static souk_err read_usual(souk_form *form, souk_json_node value)
{
    return souk_form_text(form, value, 1, 60, &((struct part *)form->user)->usual);
}

static souk_err read_class_rate(souk_form *form, souk_json_node value, size_t index)
{
    struct part *part = form->user;
    souk_text name;
    (void)index;
    SOUK_TRY(souk_form_text(form, value, 1, 60, &name));
    for (size_t i = 0; i < part->tax.rule.rate_count; i++)
        if (souk_text_equal(souk_text_of(part->rates[i].name), name)) {
            part->classes[part->tax.rule.class_count].rates |= 1u << i;
            return SOUK_OK;
        }
    return souk_form_refuse(form, "there is no rate '%.*s' above", SOUK_TEXT_PRINT(name));
}

/* Names of classes are the shop's own: what stands there is a class. */
static souk_err read_class(souk_form *form, souk_json_node value)
{
    struct part *part = form->user;
    souk_text name;
    size_t at = part->tax.rule.class_count, end = strlen(form->path);
    if (at == SOUK_FRONT_CLASSES_MOST)
        return souk_form_refuse(form, "at most %d classes are taken", SOUK_FRONT_CLASSES_MOST);
    SOUK_TRY(souk_json_key_text(form->doc, value, form->arena, &name));
    snprintf(form->path + end, sizeof form->path - end, ".%.*s", SOUK_TEXT_PRINT(name));
    if (name.bytes == 0 || name.bytes > 60)
        return souk_form_refuse(form, "a class has a name of 1 to 60 bytes");
    SOUK_TRY(souk_names_number(part->reading->names, part->reading->merchant, SOUK_NOUN_TAX_CLASS,
                               name, &part->classes[at].tax_class));
    for (size_t i = 0; i < at; i++)
        if (part->classes[i].tax_class == part->classes[at].tax_class)
            return souk_form_refuse(form, "it is there twice: drop one");
    SOUK_TRY(souk_form_array(form, value, SOUK_TAX_RATES_MOST, read_class_rate));
    if (souk_text_equal(name, part->usual))
        part->tax.usual = part->classes[at].tax_class;
    form->path[end] = '\0';
    part->tax.rule.class_count++;
    return SOUK_OK;
}

static souk_err read_classes(souk_form *form)
{
    struct part *part = form->user;
    snprintf(form->path, sizeof form->path, "classes");
    if (souk_json_type(form->doc, part->classes_node) != SOUK_JSON_OBJECT)
        return souk_form_refuse(form, "an object of classes is expected: {\"standard\":[\"…\"]}");
    for (souk_json_node value = souk_json_first(form->doc, part->classes_node);
         value != SOUK_JSON_NONE; value = souk_json_next(form->doc, value))
        SOUK_TRY(read_class(form, value));
    form->path[0] = '\0';
    if (part->tax.usual == 0)
        return souk_form_refuse(form, "usual: it names no class of those told");
    return SOUK_OK;
}

static souk_err add_tax(struct part *part)
{
    souk_front *front = part->front;
    struct front_tax_of told = {.store = part->key, .tax = part->tax};
    souk_tax_rule *rule = &told.tax.rule;
    rule->rates =
        souk_arena_copy(&front->arena, part->rates, rule->rate_count * sizeof *part->rates);
    rule->classes =
        souk_arena_copy(&front->arena, part->classes, rule->class_count * sizeof *part->classes);
    SOUK_TRY(souk_mem_grow(front->mem, &front->taxes, &front->tax_capacity, front->tax_count + 1,
                           TAXES_MOST, sizeof *front->taxes));
    front->taxes[front->tax_count++] = told;
    return SOUK_OK;
}

static souk_err read_tax(struct part *part)
{
    static const souk_form_member members[] = {{"prices", read_prices},     {"round", read_round},
                                               {"rounding", read_rounding}, {"rates", read_rates},
                                               {"classes", note_classes},   {"usual", read_usual}};
    souk_form form = {.doc = &part->reading->doc,
                      .arena = &part->front->arena,
                      .diag = &part->reading->diag,
                      .user = part,
                      .help = "docs/checkout.md"};
    uint64_t seen;
    SOUK_TRY(souk_form_object(&form, souk_json_root(form.doc), members, 6, &seen));
    if ((seen & 0x39) != 0x39)
        return souk_form_refuse(&form, "prices, rates, classes and usual must be told");
    SOUK_TRY(read_classes(&form));
    return add_tax(part);
}

/* ---- scales -------------------------------------------------------------------------------------------- */

static souk_err read_template(souk_form *form, souk_json_node value, size_t index)
{
    struct part *part = form->user;
    souk_text line;
    souk_diag diag = {0};
    (void)index;
    SOUK_TRY(souk_form_text(form, value, 1, 100, &line));
    souk_err err = souk_measure_add(&part->front->measures, line, &diag);
    if (err)
        return souk_form_refuse(form, "column %llu: %s", (unsigned long long)diag.column,
                                diag.words);
    return SOUK_OK;
}

static souk_err read_templates(souk_form *form, souk_json_node value)
{
    return souk_form_array(form, value, TEMPLATES_MOST, read_template);
}

static souk_err read_measure(struct part *part)
{
    static const souk_form_member members[] = {{"templates", read_templates}};
    souk_form form = {.doc = &part->reading->doc,
                      .arena = &part->front->arena,
                      .diag = &part->reading->diag,
                      .user = part,
                      .help = "docs/checkout.md"};
    if (!souk_text_equal(part->key, SOUK_TEXT("all")))
        return souk_form_refuse(&form, "templates of scales are of all stores: use the key all");
    return souk_form_object(&form, souk_json_root(form.doc), members, 1, NULL);
}

souk_err front_read(front_reading *reading, souk_front *front, souk_text kind, souk_text key,
                    souk_text text)
{
    struct part part = {.reading = reading, .front = front, .key = key};
    SOUK_TRY(souk_json_read(&reading->doc, text, NULL, &reading->diag));
    if (souk_text_equal(kind, SOUK_TEXT("store")))
        return read_store(&part);
    if (souk_text_equal(kind, SOUK_TEXT("offer")))
        return read_offer(&part);
    if (souk_text_equal(kind, SOUK_TEXT("tax")))
        return read_tax(&part);
    souk_assert(souk_text_equal(kind, SOUK_TEXT("measure")));
    return read_measure(&part);
}
