/* truth.c - what the world knows and its events do not say: truth.json, truth.jsonl, and the README beside them. */
#include "base/json_write.h"
#include "world/inside.h"

static void put_key(souk_json_writer *json, const char *key)
{
    souk_json_write_key(json, souk_text_of(key));
}

static void put_text(souk_json_writer *json, const char *key, const char *text)
{
    put_key(json, key);
    souk_json_write_text(json, souk_text_of(text));
}

static void put_count(souk_json_writer *json, const char *key, uint64_t number)
{
    put_key(json, key);
    souk_json_write_u64(json, number);
}

static void put_bool(souk_json_writer *json, const char *key, bool yes)
{
    put_key(json, key);
    souk_json_write_bool(json, yes);
}

static void open_object(souk_json_writer *json, const char *key)
{
    put_key(json, key);
    souk_json_write_object(json);
}

static void open_array(souk_json_writer *json, const char *key)
{
    put_key(json, key);
    souk_json_write_array(json);
}

/* null: never, or not within the days of this world. */
static void put_date(souk_json_writer *json, const souk_world *world, const char *key, int32_t day)
{
    char date[11];
    put_key(json, key);
    if (day < 0 || day >= (int32_t)world->options.days) {
        souk_json_write_null(json);
        return;
    }
    world_write_date(day, date);
    souk_json_write_text(json, souk_text_of(date));
}

/* ---- truth.json ------------------------------------------------------------------------------------- */

static void put_world(souk_json_writer *json, const souk_world *world)
{
    put_bool(json, "simulated", true);
    put_count(json, "seed", world->options.seed);
    put_count(json, "shoppers", world->options.shoppers);
    put_count(json, "stores", world->options.stores);
    put_count(json, "days", world->options.days);
    put_date(json, world, "first_day", 0);
    put_text(json, "time_zone", "Asia/Shanghai");
}

static void put_rise(souk_json_writer *json, const souk_world *world)
{
    const struct world_product *rival = &world->products[world_product_at(
        world, WORLD_RIVAL_LEAF, WORLD_RIVAL_BRAND, WORLD_RIVAL_VARIETY, 0)];
    open_object(json, "brand_rise");
    put_text(json, "category", world_leaves[WORLD_RIVAL_LEAF].path);
    put_key(json, "brand");
    souk_json_write_text(json, rival->brand_name);
    put_date(json, world, "from", (int32_t)world->rise_day);
    put_text(json, "reason",
             "a chilli recipe: shoppers who like it spicy turn to it, nobody else does");
    put_key(json, "variety");
    souk_json_write_text(json, rival->variety_name);
    put_text(json, "taste", world_taste_names[SPICY]);
    put_count(json, "taste_from", WORLD_RIVAL_TASTE);
    put_count(json, "factor", WORLD_RIVAL_FACTOR);
    souk_json_write_end(json);
}

static void put_promotions(souk_json_writer *json, const souk_world *world)
{
    open_array(json, "promotions");
    for (uint32_t week = 0; week * 7 + WORLD_PROMOTION_FIRST < world->options.days; week++)
        for (uint32_t slot = 0; slot < WORLD_PROMOTIONS; slot++) {
            struct world_promotion promotion = world_promotion_of(world, week, slot);
            int32_t last = (int32_t)(week * 7) + WORLD_PROMOTION_LAST;
            int32_t end = (int32_t)world->options.days - 1;
            souk_json_write_object(json);
            put_text(json, "category", world_leaves[promotion.leaf].path);
            put_date(json, world, "from", (int32_t)(week * 7) + WORLD_PROMOTION_FIRST);
            put_date(json, world, "to", last < end ? last : end);
            put_count(json, "discount_percent", promotion.discount_percent);
            open_array(json, "uplift_percent_by_response");
            for (uint32_t response = 0; response < 3; response++)
                souk_json_write_u64(json, promotion.extra_percent * response);
            souk_json_write_end(json);
            souk_json_write_end(json);
        }
    souk_json_write_end(json);
}

static void put_complements(souk_json_writer *json)
{
    open_array(json, "complements");
    for (uint32_t i = 0; i < WORLD_COMPLEMENTS; i++) {
        souk_json_write_object(json);
        put_text(json, "if", world_leaves[world_complements[i].cause].path);
        put_text(json, "then", world_leaves[world_complements[i].effect].path);
        put_count(json, "factor", world_complements[i].factor);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

static void put_categories(souk_json_writer *json)
{
    open_array(json, "categories");
    for (uint32_t i = 0; i < LEAVES; i++) {
        const struct world_leaf *leaf = &world_leaves[i];
        souk_json_write_object(json);
        put_text(json, "category", leaf->path);
        put_text(json, "taste", world_taste_names[leaf->taste]);
        put_text(json, "trait", world_trait_names[leaf->trait]);
        put_count(json, leaf->interval_days ? "users_permille_without" : "trips_permille_without",
                  leaf->without);
        put_count(json, leaf->interval_days ? "users_permille_with" : "trips_permille_with",
                  leaf->with);
        if (leaf->interval_days)
            put_count(json, "interval_days", leaf->interval_days);
        open_array(json, "season_percent");
        for (uint32_t month = 0; month < 12; month++)
            souk_json_write_u64(json, world_season_percent[leaf->season][month]);
        souk_json_write_end(json);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

/* How many of the people are what: counted, not intended. */
static void put_shares(souk_json_writer *json, const souk_world *world)
{
    static const char *const kinds[] = {"members", "card_holders", "guests"};
    uint64_t traits[TRAITS] = {0}, kind[3] = {0}, consents[CONSENTS] = {0}, app = 0;
    struct world_person p;
    for (uint32_t i = 0; i < world->options.shoppers; i++) {
        world_person_of(world, i, &p);
        for (uint32_t k = 0; k < TRAITS; k++)
            traits[k] += world_has(&p, (enum world_trait)k);
        for (uint32_t k = 0; k < CONSENTS; k++)
            consents[k] += p.consents >> k & 1;
        kind[p.kind]++;
        app += p.devices >> APP & 1;
    }
    open_object(json, "people");
    for (uint32_t k = 0; k < 3; k++)
        put_count(json, kinds[k], kind[k]);
    put_count(json, "with_app", app);
    open_object(json, "traits");
    for (uint32_t k = EVERYONE + 1; k < TRAITS; k++)
        put_count(json, world_trait_names[k], traits[k]);
    souk_json_write_end(json);
    open_object(json, "say_yes");
    for (uint32_t k = 0; k < CONSENTS; k++)
        put_count(json, world_consent_names[k], consents[k]);
    souk_json_write_end(json);
    souk_json_write_end(json);
}

void souk_world_truth(const souk_world *world, souk_buf *out)
{
    souk_json_writer json = {.out = out};
    souk_json_write_object(&json);
    put_world(&json, world);
    put_rise(&json, world);
    put_promotions(&json, world);
    put_complements(&json);
    open_object(&json, "returns");
    put_count(&json, "trips_permille", WORLD_RETURN_PERMILLE);
    put_count(&json, "days_least", WORLD_RETURN_FIRST);
    put_count(&json, "days_most", WORLD_RETURN_LAST);
    souk_json_write_end(&json);
    put_categories(&json);
    put_shares(&json, world);
    souk_json_write_end(&json);
    souk_buf_byte(out, '\n');
}

/* ---- truth.jsonl ------------------------------------------------------------------------------------ */

static void put_made(souk_json_writer *json, const char *from, const char *end)
{
    souk_json_write_text(json, souk_text_range(from, end));
}

static void put_identifiers(souk_json_writer *json, const souk_world *world,
                            const struct world_person *p)
{
    char text[100];
    bool member = p->kind == MEMBER;
    open_object(json, "identifiers");
    open_array(json, "user");
    if (member)
        put_made(json, text, world_put_user(world, p->number, text));
    souk_json_write_end(json);
    open_array(json, "email");
    for (int typo = 0; typo < 2; typo++)
        if (member && (!typo || p->typos & TYPO_EMAIL))
            put_made(json, text, world_put_email(world, p, typo, text));
    souk_json_write_end(json);
    open_array(json, "phone");
    for (int typo = 0; typo < 2; typo++)
        if (member && (!typo || p->typos & TYPO_PHONE))
            put_made(json, text, world_put_phone(world, p->number, typo, text));
    souk_json_write_end(json);
    open_array(json, "card");
    for (unsigned card = 0; card < p->cards; card++)
        put_made(json, text, world_put_card(world, p->number, card, text));
    souk_json_write_end(json);
    open_array(json, "anonymous");
    for (unsigned device = 0; device < DEVICES; device++)
        if (p->devices >> device & 1)
            put_made(json, text,
                     world_put_anonymous(world, p->number, p->household, (enum world_device)device,
                                         text));
    souk_json_write_end(json);
    open_array(json, "device");
    if (p->devices >> APP & 1)
        put_made(json, text, world_put_device(world, p->number, text));
    souk_json_write_end(json);
    souk_json_write_end(json);
}

static void put_latents(souk_json_writer *json, const souk_world *world,
                        const struct world_person *p)
{
    put_text(json, "gender", p->female ? "female" : "male");
    put_text(json, "age_band", world_age_names[p->age_band]);
    put_text(json, "income_band", world_income_names[p->income]);
    put_text(json, "car", world_car_names[p->car]);
    open_array(json, "children");
    for (uint32_t i = 0; i < p->child_count; i++)
        souk_json_write_u64(json, p->child_ages[i]);
    souk_json_write_end(json);
    open_object(json, "tastes");
    for (uint32_t i = 0; i < TASTES; i++)
        put_count(json, world_taste_names[i], p->tastes[i]);
    souk_json_write_end(json);
    put_text(json, "home_store", world->stores[p->home_store].id);
    put_count(json, "promotion_response", p->response);
    put_count(json, "trips_ppm_a_day", p->trip_ppm);
    put_count(json, "looks_ppm_a_day", p->browse_ppm);
    put_count(json, "online_percent", p->online_percent);
    put_count(json, "joined_day", (uint64_t)p->joined);
    put_count(json, "left_day", (uint64_t)p->left);
}

static void put_person(souk_json_writer *json, const souk_world *world, uint32_t number)
{
    static const char *const kinds[] = {"member", "card", "guest"};
    struct world_person p;
    world_person_of(world, number, &p);
    souk_json_write_object(json);
    put_count(json, "person", number);
    put_count(json, "household", p.household);
    put_key(json, "partner");
    if (p.couple)
        souk_json_write_u64(json, number ^ 1);
    else
        souk_json_write_null(json);
    put_text(json, "kind", kinds[p.kind]);
    put_latents(json, world, &p);
    open_object(json, "says_yes");
    for (uint32_t i = 0; i < CONSENTS; i++)
        put_bool(json, world_consent_names[i], p.consents >> i & 1);
    souk_json_write_end(json);
    put_key(json, "withdrew_day");
    if (p.withdrew == WORLD_NEVER)
        souk_json_write_null(json);
    else
        souk_json_write_u64(json, (uint64_t)p.withdrew);
    put_bool(json, "answered", p.answered);
    put_identifiers(json, world, &p);
    souk_json_write_end(json);
}

void souk_world_people(const souk_world *world, uint32_t first, uint32_t end, souk_buf *out)
{
    souk_assert(first <= end && end <= world->options.shoppers);
    for (uint32_t i = first; i < end; i++) {
        souk_json_writer json = {.out = out};
        put_person(&json, world, i);
        souk_buf_byte(out, '\n');
    }
}

/* ---- README.txt ------------------------------------------------------------------------------------- */

void souk_world_readme(const souk_world *world, souk_buf *out)
{
    const souk_world_options *o = &world->options;
    souk_buf_print(
        out,
        "Everything in this folder is simulated. No person, shop, brand, card, telephone "
        "number or\naddress in it is real: mailboxes end in example.com, .net or .org, "
        "numbers begin with +86 12,\nGTINs with 952, which are given to nobody.\n\n"
        "It was made by\n\n"
        "    souk world --shoppers %u --stores %u --days %u --seed %llu\n\n"
        "and the same command makes the same bytes again.\n\n"
        "    events.jsonl   what happened, in the order of time, one event a line\n"
        "    products.csv   what is sold\n"
        "    stores.csv     where\n"
        "    truth.jsonl    who the people are, one a line: keep it from what you test\n"
        "    truth.json     what was planted: a rival's rise, promotions, complements\n",
        o->shoppers, o->stores, o->days, (unsigned long long)o->seed);
}
