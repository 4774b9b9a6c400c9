/* inside.h - what the files of world/ share: shelves, people, what they do in a day.
 *
 *   shelves.c  categories, brands, products, stores, promotions      -> products.csv, stores.csv
 *   person.c   who somebody is, a function of (key, number)
 *   basket.c   what somebody buys on a day, a function of (key, person, day)
 *   life.c     trips of a day and their moments, sorted by time
 *   tell.c     moments as lines of JSON
 *   truth.c    truth.json, truth.jsonl, README.txt */
#ifndef SOUK_WORLD_INSIDE_H
#define SOUK_WORLD_INSIDE_H

#include "base/time.h"
#include "world/dice.h"
#include "world/world.h"

/* ---- shelves --------------------------------------------------------------------------------------- */

/* In the order of the walk through a store; what draws another into the basket stands before it. */
enum world_leaf_name {
    LEAF_MILK,
    LEAF_BREAD,
    LEAF_FRUIT,
    LEAF_VEGETABLES,
    LEAF_MEAT,
    LEAF_BEER,
    LEAF_SOFT,
    LEAF_COFFEE,
    LEAF_TEA,
    LEAF_SALTY,
    LEAF_SWEET,
    LEAF_NUTS,
    LEAF_RICE,
    LEAF_NOODLES,
    LEAF_SAUCES,
    LEAF_ORGANIC,
    LEAF_DETERGENT,
    LEAF_PAPER,
    LEAF_SKIN_CARE,
    LEAF_MAKE_UP,
    LEAF_SHAMPOO,
    LEAF_SHAVING,
    LEAF_VITAMINS,
    LEAF_NAPPIES,
    LEAF_WIPES,
    LEAF_FORMULA,
    LEAF_TOYS,
    LEAF_SCHOOL,
    LEAF_OUTDOOR,
    LEAF_FITNESS,
    LEAF_DECORATION,
    LEAF_KITCHEN,
    LEAF_SUV,
    LEAF_CAR_CARE,
    LEAVES
};
enum {
    WORLD_BRANDS = 5,
    WORLD_VARIETIES = 4,
    WORLD_PACKS = 2,
    WORLD_ZONES = 16, /* entrance, departments, till */
    WORLD_CHILDREN = 3,
    WORLD_LINES = 16, /* of a basket */
    WORLD_RETURN_FIRST = 3,
    WORLD_RETURN_LAST = 14, /* days after the purchase */
    WORLD_RETURN_PERMILLE = 25,
    WORLD_LOOK_BACK = 28, /* days: what ran out before is bought in the same trip */
    WORLD_PROMOTIONS = 2, /* a week */
    WORLD_PROMOTION_FIRST = 3,
    WORLD_PROMOTION_LAST = 6, /* Thursday to Sunday */
};

/* Tastes are 0 to 100, 50 in the middle. */
enum world_taste { SALTY, SWEET, SPICY, HEALTHY, PREMIUM, SPORT, HOME, BEAUTY, TASTES };
/* What a category may hang on; bits of world_person.traits. */
enum world_trait {
    EVERYONE,
    HAS_BABY,  /* a child of 0 to 2 */
    HAS_CHILD, /* of 3 to 11 */
    HAS_SUV,
    HAS_CAR,
    IS_FEMALE,
    IS_MALE,
    IS_YOUNG, /* 18 to 34 */
    IS_OLD,   /* 55 and more */
    TRAITS
};
enum world_season { ANY_MONTH, SUMMER, WINTER, SCHOOL_START, GIFTS, SPRING, SEASONS };

struct world_leaf {
    const char *path;
    const char *brands;    /* "2Goldcrisp|…": price band 1 to 3 and name, best seller first */
    const char *varieties; /* "Sea Salt|…" */
    const char *packs;     /* "80 g|200 g" */
    uint16_t low, high;    /* price of the small pack from band 1 to band 3, 0.01 CNY */
    enum world_trait trait;
    /* permille without and with the trait: of trips that buy it, or of people who use it */
    uint16_t without, with;
    uint8_t interval_days; /* it runs out: days of one person; 0: bought on impulse */
    enum world_taste taste;
    enum world_season season;
};
extern const struct world_leaf world_leaves[LEAVES];
extern const char *const world_taste_names[TASTES];
extern const char *const world_trait_names[TRAITS];
extern const uint8_t world_season_percent[SEASONS][12];

/* What lies in the basket raises the chance of another. */
struct world_complement {
    enum world_leaf_name cause, effect;
    uint32_t factor;
};
enum { WORLD_COMPLEMENTS = 4 };
extern const struct world_complement world_complements[WORLD_COMPLEMENTS];

/* A rival rises: whoever likes it spicy turns to its chilli variety, `factor` times as likely. */
enum {
    WORLD_RIVAL_LEAF = LEAF_SALTY,
    WORLD_RIVAL_BRAND = 4,
    WORLD_RIVAL_VARIETY = 2,
    WORLD_RIVAL_TASTE = 60,
    WORLD_RIVAL_FACTOR = 15,
};

struct world_product {
    uint32_t price_minor;
    uint8_t leaf, brand, variety, pack;
    char gtin[14];
    souk_text words; /* "product_id":"P0001",…,"price": as events carry it */
    souk_text name, brand_name, variety_name;
};

struct world_store {
    uint8_t open, close; /* hours */
    char id[8];
};

struct souk_world {
    souk_mem *mem;
    souk_world_options options;
    uint64_t key;
    char message_prefix[10]; /* "w41c1f0a2", of all options */
    uint32_t rise_day;
    struct world_product *products;
    uint32_t product_count, first_product[LEAVES + 1];
    uint8_t brand_count[LEAVES], variety_count[LEAVES], zone[LEAVES];
    char bands[LEAVES][WORLD_BRANDS]; /* 1 to 3 */
    char zones[WORLD_ZONES][16];
    uint32_t zone_count; /* the last is the till */
    struct world_store *stores;
    souk_arena arena;
};

static inline uint32_t world_product_at(const souk_world *world, uint32_t leaf, uint32_t brand,
                                        uint32_t variety, uint32_t pack)
{
    return world->first_product[leaf] +
           (brand * world->variety_count[leaf] + variety) * WORLD_PACKS + pack;
}

SOUK_CHECKED souk_err world_fill_shelves(souk_world *world);

struct world_promotion {
    enum world_leaf_name leaf;
    uint32_t discount_percent,
        extra_percent; /* extra: of the chance to buy, for response 1; twice for 2 */
};
struct world_promotion world_promotion_of(const souk_world *world, uint32_t week, uint32_t slot);

/* What is the same for all people on a day; number may be below 0. */
struct world_today {
    int32_t number, month; /* 0 to 11 */
    uint32_t trip_percent;
    bool risen;
    uint8_t discount_percent[LEAVES], extra_percent[LEAVES];
};
struct world_today world_today_of(const souk_world *world, int32_t number);
/* "2024-01-31" and a NUL. */
void world_write_date(int32_t number, char out[11]);
#define WORLD_FIRST_DAY 19723    /* 2024-01-01, since 1970 */
#define WORLD_AHEAD_MS  28800000 /* Asia/Shanghai is 8 hours ahead, always */

/* ---- people ---------------------------------------------------------------------------------------- */

enum world_kind { MEMBER, CARD_HOLDER, GUEST };
enum world_device { PHONE, LAPTOP, APP, TABLET, DEVICES };
enum world_car { NO_CAR, COMPACT, SUV };
/* Asked of her; bits. */
enum world_consent { PROFILE, PERSONALISE, ADVERTISE, RECOGNISE, RESEARCH, CONSENTS };
enum world_typo { TYPO_EMAIL = 1, TYPO_PHONE = 2, TYPO_NAME = 4 };
enum { WORLD_NEVER = INT32_MAX };

struct world_person {
    uint32_t number, household; /* the household's number is that of its lower person */
    uint16_t traits;
    bool couple, female, answered; /* answered: the questionnaire */
    uint8_t age_band, income;      /* 0 to 5, 1 to 3 */
    uint8_t child_count, child_ages[WORLD_CHILDREN], car;
    uint8_t tastes[TASTES];
    uint8_t kind, devices, cards; /* devices: bits */
    uint8_t first_name, last_name, typos, consents, response;
    uint32_t home_store, online_percent, trip_ppm, browse_ppm; /* a day, of a million */
    int32_t joined, left, withdrew; /* days; joined 0: before the first */
};
void world_person_of(const souk_world *world, uint32_t number, struct world_person *ret_person);
extern const char *const world_age_names[6],
    *const world_income_names[4], *const world_car_names[3], *const world_consent_names[CONSENTS];

static inline bool world_has(const struct world_person *person, enum world_trait trait)
{
    return person->traits >> trait & 1;
}
/* What she says yes to on a day. */
static inline unsigned world_consents_on(const struct world_person *person, int32_t day)
{
    unsigned withdrawn = day >= person->withdrew ? 1u << ADVERTISE | 1u << PERSONALISE : 0;
    return person->consents & ~withdrawn;
}

/* Names as events carry them: each appends without a NUL and returns the end. */
char *world_put_user(const souk_world *world, uint32_t person, char *at);
char *world_put_card(const souk_world *world, uint32_t person, unsigned card, char *at);
char *world_put_phone(const souk_world *world, uint32_t person, bool typo, char *at);
char *world_put_email(const souk_world *world, const struct world_person *person, bool typo,
                      char *at);
char *world_put_first_name(const struct world_person *person, bool typo, char *at);
char *world_put_last_name(const struct world_person *person, char *at);
/* 36 characters; a tablet is the household's. */
char *world_put_anonymous(const souk_world *world, uint32_t person, uint32_t household,
                          enum world_device device, char *at);
/* An app tells the device's own number, too. */
char *world_put_device(const souk_world *world, uint32_t person, char *at);
char *world_put_hex(char *at, uint64_t number);
char *world_put_digits(char *at, uint32_t number, unsigned width);

/* ---- days ------------------------------------------------------------------------------------------ */

struct world_line {
    uint32_t price_minor;
    uint16_t product;
    uint8_t quantity, leaf;
};

/* She goes out or not: bits. */
enum world_outing { SHOPS = 1, ONLINE = 2, BROWSES = 4 };
unsigned world_outing_of(const souk_world *world, const struct world_person *person,
                         const struct world_today *today);
/* What she buys who shops on that day; last: her trip before that.  Returns how many lines. */
uint32_t world_basket_of(const souk_world *world, const struct world_person *person,
                         const struct world_today *today, int32_t last,
                         struct world_line lines[WORLD_LINES]);
uint16_t world_choose_product(const souk_world *world, const struct world_person *person,
                              const struct world_today *today, uint32_t leaf, world_dice *dice);
/* How much she looks at a category, of a million. */
uint32_t world_interest(const struct world_person *person, const struct world_today *today,
                        uint32_t leaf);
uint32_t world_store_of(const souk_world *world, const struct world_person *person, int32_t day);

enum world_what {
    SAYS_WHO,
    SEARCHES,
    VIEWS,
    ADDS,
    LOOKS_AT_CART,
    STARTS_CHECKOUT,
    ORDERS,
    REFUNDED,
    ENTERS_STORE,
    ENTERS_ZONE,
    LEAVES_ZONE,
    PICKS_UP,
    RECEIVES,
    BRINGS_BACK,
    WHATS
};

/* A moment of a trip: one event. */
struct world_moment {
    uint32_t at_ms; /* of the local day */
    uint32_t trip;
    uint16_t value;     /* product, or seconds */
    uint8_t what, item; /* item: line or zone */
};

enum world_known { KNOWN_USER = 1, KNOWN_DEVICE = 2, KNOWN_CARD = 4, MISTYPED = 8 };
struct world_trip {
    uint32_t person, household, store, first_line, card_of;
    int32_t bought; /* the day of the order or receipt */
    uint8_t line_count, device, known, card;
};

struct souk_world_day {
    souk_mem *mem;
    int32_t number;
    struct world_moment *moments, *sorting;
    struct world_trip *trips;
    struct world_line *lines;
    size_t moment_count, moment_room, sorting_room, trip_count, trip_room, line_count, line_room;
};

#endif
