/* shelves.c - what the world sells and where: tables, and what is made of them.
 *
 * A row says how often a trip buys the category, or how many people use what runs out, without and with the
 * trait that it hangs on.  The gap is never all or nothing: an uncle buys toys, a driver of an SUV buys none of
 * its accessories for years.  That is what makes a trait learnable but not certain. */
#include "base/csv.h"
#include "world/inside.h"

#include <stdarg.h>
#include <stdio.h>

/* clang-format off */
const struct world_leaf world_leaves[LEAVES] = {
    /*                   path, brands, varieties, packs, price low and high, trait, without, with, runs out, taste, season */
    [LEAF_MILK]       = {"Fresh/Milk", "2Dairy Lane|1Daily Basket|3Alpine Morning|2小满", "Whole|Low Fat|Oat", "500 ml|1 l",
                         590, 1190, HAS_CHILD, 520, 820, 6, HEALTHY, ANY_MONTH},
    [LEAF_BREAD]      = {"Fresh/Bread", "2Meadow & Mill|1Daily Basket|3Stone Oven", "White|Rye|Sesame", "400 g|750 g",
                         680, 1680, EVERYONE, 600, 600, 5, HEALTHY, ANY_MONTH},
    [LEAF_FRUIT]      = {"Fresh/Fruit", "2Old Orchard|1Daily Basket|3Sun Terrace", "Apples|Oranges|Grapes", "500 g|1 kg",
                         890, 2990, EVERYONE, 260, 260, 0, HEALTHY, SUMMER},
    [LEAF_VEGETABLES] = {"Fresh/Vegetables", "2Old Orchard|1Daily Basket|3Green Terrace", "Tomatoes|Pak Choi|Carrots", "500 g|1 kg",
                         490, 1490, EVERYONE, 300, 300, 0, HEALTHY, ANY_MONTH},
    [LEAF_MEAT]       = {"Fresh/Meat", "2Hill Farm|1Daily Basket|3Highland Reserve", "Pork|Chicken|Beef", "300 g|800 g",
                         1890, 5990, EVERYONE, 210, 210, 0, PREMIUM, ANY_MONTH},
    [LEAF_BEER]       = {"Drinks/Beer", "1Harbour Light|2North Gate|3Copper Kettle|2Blue Heron", "Lager|Wheat|Dark", "500 ml|6 x 330 ml",
                         490, 1290, IS_MALE, 50, 150, 0, SALTY, SUMMER},
    [LEAF_SOFT]       = {"Drinks/Soft Drinks", "2Fizz & Co|1Pop Corner|3Botanist|1Plainfield", "Cola|Lemon|Peach", "500 ml|1.5 l",
                         350, 890, IS_YOUNG, 130, 230, 0, SWEET, SUMMER},
    [LEAF_COFFEE]     = {"Drinks/Coffee", "2Roast House|1Daily Basket|3Single Hill|2Night Owl", "Beans|Ground|Instant", "250 g|1 kg",
                         2990, 7990, EVERYONE, 420, 420, 21, PREMIUM, ANY_MONTH},
    [LEAF_TEA]        = {"Drinks/Tea", "2云上|1Plainfield|3Jade Spring", "Green|Black|Jasmine", "50 g|250 g",
                         1990, 9990, IS_OLD, 300, 600, 40, PREMIUM, WINTER},
    [LEAF_SALTY]      = {"Snacks/Salty", "2Goldcrisp|1Saltwell|3山野|2Crackle Bay|1Redpepper", "Sea Salt|Paprika|Chilli|Seaweed", "80 g|200 g",
                         590, 1290, EVERYONE, 200, 200, 0, SALTY, ANY_MONTH},
    [LEAF_SWEET]      = {"Snacks/Sweet", "2Cocoa Lane|1Sugarfold|3Maison Lune|2Honeybell", "Milk Chocolate|Biscuits|Gummies", "100 g|300 g",
                         690, 2490, HAS_CHILD, 150, 240, 0, SWEET, GIFTS},
    [LEAF_NUTS]       = {"Snacks/Nuts", "2山野|1Saltwell|3Grove & Stone", "Cashews|Almonds|Mixed", "120 g|400 g",
                         1490, 3990, EVERYONE, 90, 90, 0, HEALTHY, WINTER},
    [LEAF_RICE]       = {"Pantry/Rice", "1Plainfield|2Nine Terraces|3Black Soil", "Jasmine|Short Grain|Brown", "2 kg|5 kg",
                         1990, 4990, EVERYONE, 700, 700, 35, HEALTHY, ANY_MONTH},
    [LEAF_NOODLES]    = {"Pantry/Noodles", "1Quick Bowl|2Long Life|3Hand Pulled", "Wheat|Rice|Udon", "400 g|1 kg",
                         450, 1690, EVERYONE, 160, 160, 0, SPICY, WINTER},
    [LEAF_SAUCES]     = {"Pantry/Sauces", "2Auntie Lan|1Plainfield|3Stone Jar|2Redpepper", "Soy|Chilli|Sesame", "200 g|500 g",
                         790, 2290, EVERYONE, 60, 60, 0, SPICY, ANY_MONTH},
    [LEAF_ORGANIC]    = {"Pantry/Organic", "3Green Terrace|2小满|3Grove & Stone", "Muesli|Lentils|Olive Oil", "300 g|750 g",
                         2490, 6990, EVERYONE, 55, 55, 0, HEALTHY, ANY_MONTH},
    [LEAF_DETERGENT]  = {"Household/Detergent", "2Clearwater|1Plainfield|3Pure Linen", "Liquid|Powder|Capsules", "1 l|3 l",
                         1990, 4990, EVERYONE, 650, 650, 50, HOME, ANY_MONTH},
    [LEAF_PAPER]      = {"Household/Paper", "1Plainfield|2Softwell|3Bamboo Days", "Tissues|Kitchen|Toilet", "4 rolls|12 rolls",
                         1290, 2990, EVERYONE, 750, 750, 24, HOME, ANY_MONTH},
    [LEAF_SKIN_CARE]  = {"Beauty/Skin Care", "2Rosewater|1Daily Glow|3Maison Lune|2Calm Lake", "Day Cream|Serum|Sun", "50 ml|100 ml",
                         4990, 19990, IS_FEMALE, 120, 620, 50, BEAUTY, ANY_MONTH},
    [LEAF_MAKE_UP]    = {"Beauty/Make-up", "2Rosewater|1Daily Glow|3Maison Lune", "Lipstick|Mascara|Powder", "1 piece|Set of 3",
                         3990, 14990, IS_FEMALE, 6, 48, 0, BEAUTY, GIFTS},
    [LEAF_SHAMPOO]    = {"Beauty/Shampoo", "2Calm Lake|1Daily Glow|3Rosewater", "Dry|Fine|Dandruff", "250 ml|500 ml",
                         1990, 6990, EVERYONE, 800, 800, 45, BEAUTY, ANY_MONTH},
    [LEAF_SHAVING]    = {"Beauty/Shaving", "2Steel & Soap|1Daily Glow|3Barber No. 5", "Blades|Foam|Gel", "1 piece|Set of 4",
                         2490, 7990, IS_MALE, 90, 560, 60, BEAUTY, ANY_MONTH},
    [LEAF_VITAMINS]   = {"Health/Vitamins", "2Vital Path|1Plainfield|3Grove & Stone", "C|D|Multi", "60 tablets|180 tablets",
                         2990, 8990, IS_OLD, 18, 52, 0, HEALTHY, WINTER},
    [LEAF_NAPPIES]    = {"Baby/Nappies", "2Little Cloud|1Plainfield|3Pure Linen", "Size 2|Size 3|Size 4", "30 pieces|72 pieces",
                         3990, 8990, HAS_BABY, 12, 780, 9, HOME, ANY_MONTH},
    [LEAF_WIPES]      = {"Baby/Wipes", "2Little Cloud|1Plainfield|3Pure Linen", "Plain|Aloe", "80 pieces|3 x 80 pieces",
                         890, 2190, HAS_BABY, 8, 90, 0, HOME, ANY_MONTH},
    [LEAF_FORMULA]    = {"Baby/Formula", "3Alpine Morning|2Dairy Lane|3First Spoon", "Stage 1|Stage 2|Stage 3", "400 g|900 g",
                         8990, 19990, HAS_BABY, 8, 520, 13, PREMIUM, ANY_MONTH},
    [LEAF_TOYS]       = {"Kids/Toys", "2Wooden Whale|1Pop Corner|3Star Workshop", "Blocks|Puzzle|Figures", "1 piece|Set of 3",
                         2990, 14990, HAS_CHILD, 14, 75, 0, HOME, GIFTS},
    [LEAF_SCHOOL]     = {"Kids/School", "2Blue Pencil|1Plainfield|3Star Workshop", "Exercise Books|Pencils|Bags", "1 piece|Set of 5",
                         990, 8990, HAS_CHILD, 8, 62, 0, HOME, SCHOOL_START},
    [LEAF_OUTDOOR]    = {"Sport/Outdoor", "2Ridgeline|1Day Tripper|3Far Summit", "Bottle|Lamp|Mat", "1 piece|Set of 2",
                         4990, 29990, HAS_SUV, 16, 40, 0, SPORT, SPRING},
    [LEAF_FITNESS]    = {"Sport/Fitness", "2Tempo|1Day Tripper|3Iron Lotus", "Bands|Shaker|Towel", "1 piece|Set of 2",
                         2990, 12990, IS_YOUNG, 14, 30, 0, SPORT, WINTER},
    [LEAF_DECORATION] = {"Home/Decoration", "2Clay & Linen|1Plainfield|3Quiet Room", "Candle|Vase|Cushion", "1 piece|Set of 2",
                         2490, 12990, IS_FEMALE, 14, 34, 0, HOME, GIFTS},
    [LEAF_KITCHEN]    = {"Home/Kitchen", "2Clay & Linen|1Plainfield|3Steel & Soap", "Pan|Bowls|Knife", "1 piece|Set of 3",
                         3990, 24990, EVERYONE, 18, 18, 0, HOME, ANY_MONTH},
    [LEAF_SUV]        = {"Car/SUV Accessories", "2Ridgeline|1Road Mate|3Far Summit", "Roof Box|Boot Mat|Cargo Net", "Universal|XL",
                         9900, 59900, HAS_SUV, 3, 55, 0, SPORT, SPRING},
    [LEAF_CAR_CARE]   = {"Car/Care", "2Road Mate|1Plainfield|3Mirror Finish", "Wax|Screen Wash|Cloths", "500 ml|2 l",
                         1990, 6990, HAS_CAR, 6, 42, 0, HOME, WINTER},
};

const uint8_t world_season_percent[SEASONS][12] = {
    /*                Jan  Feb  Mar  Apr  May  Jun  Jul  Aug  Sep  Oct  Nov  Dec */
    [ANY_MONTH]    = {100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100},
    [SUMMER]       = { 70,  70,  80,  90, 110, 130, 150, 150, 110,  90,  75,  75},
    [WINTER]       = {140, 130, 110,  95,  85,  75,  70,  70,  85, 100, 115, 125},
    [SCHOOL_START] = { 80, 120,  90,  70,  70,  70,  80, 220, 180,  80,  70,  70},
    [GIFTS]        = {150, 120,  80,  75,  85,  90,  75,  75,  85,  90, 115, 160},
    [SPRING]       = { 70,  80, 125, 140, 140, 120, 105, 100,  95,  90,  70,  65},
};
/* clang-format on */
static const uint8_t trip_percent_of_month[12] = {108, 104, 97,  97,  99, 98,
                                                  97,  98,  100, 101, 99, 102};
static const uint8_t trip_percent_of_weekday[7] = {130, 80, 82, 86, 92, 105, 125}; /* from Sunday */

const char *const world_taste_names[TASTES] = {"salty",   "sweet", "spicy", "healthy",
                                               "premium", "sport", "home",  "beauty"};
const char *const world_trait_names[TRAITS] = {
    "everyone", "baby", "child", "suv", "car", "female", "male", "young", "old",
};
const struct world_complement world_complements[WORLD_COMPLEMENTS] = {
    {LEAF_BEER, LEAF_SALTY, 3},
    {LEAF_SOFT, LEAF_SWEET, 2},
    {LEAF_NOODLES, LEAF_SAUCES, 5},
    {LEAF_NAPPIES, LEAF_WIPES, 4},
};

/* ---- products -------------------------------------------------------------------------------------- */

/* The part of that number among parts between bars. */
static souk_text part_of(const char *list, unsigned number)
{
    souk_text rest = souk_text_of(list), part = souk_text_cut(&rest, '|');
    while (number--)
        part = souk_text_cut(&rest, '|');
    return part;
}

static uint8_t parts_of(const char *list)
{
    uint8_t count = 1;
    for (; *list; list++)
        count = (uint8_t)(count + (*list == '|'));
    return count;
}

/* GS1 prefix 952 is for examples; GS1 General Specifications 7.9 for the last digit. */
static void make_gtin(uint32_t number, char gtin[14])
{
    unsigned sum = 0;
    snprintf(gtin, 14, "952%09u", number * 7 + 100000);
    for (unsigned i = 0; i < 12; i++)
        sum += (unsigned)(gtin[i] - '0') * (i % 2 ? 3 : 1);
    gtin[12] = (char)('0' + (10 - sum % 10) % 10);
    gtin[13] = '\0';
}

/* "6.09" and the like; the large pack is dear, but less for each gram. */
static uint32_t price_of(const struct world_leaf *leaf, const struct world_product *product,
                         int band)
{
    uint32_t price = leaf->low + (uint32_t)(leaf->high - leaf->low) * (uint32_t)(band - 1) / 2;
    price += price * product->variety / 20;
    if (product->pack)
        price = price * 11 / 5;
    return price / 10 * 10 + 9;
}

static souk_text printed(souk_world *world, const char *format, ...) SOUK_PRINTF(2, 3);
static souk_text printed(souk_world *world, const char *format, ...)
{
    char words[400];
    va_list list;
    va_start(list, format);
    int bytes = vsnprintf(words, sizeof words, format, list);
    va_end(list);
    souk_assert(bytes > 0 && (size_t)bytes < sizeof words);
    return (souk_text){souk_arena_copy(&world->arena, words, (size_t)bytes), (size_t)bytes};
}

static void make_product(souk_world *world, uint32_t number)
{
    struct world_product *product = &world->products[number];
    const struct world_leaf *leaf = &world_leaves[product->leaf];
    souk_text brand = part_of(leaf->brands, product->brand);
    int band = brand.at[0] - '0';
    brand = (souk_text){brand.at + 1, brand.bytes - 1};
    make_gtin(number, product->gtin);
    product->price_minor = price_of(leaf, product, band);
    product->brand_name = brand;
    product->variety_name = part_of(leaf->varieties, product->variety);
    product->name = printed(world, "%.*s %.*s %.*s", SOUK_TEXT_PRINT(brand),
                            SOUK_TEXT_PRINT(product->variety_name),
                            SOUK_TEXT_PRINT(part_of(leaf->packs, product->pack)));
    product->words = printed(world,
                             "\"product_id\":\"P%04u\",\"sku\":\"%s\",\"name\":\"%.*s\","
                             "\"brand\":\"%.*s\",\"category\":\"%s\",\"price\":",
                             number, product->gtin, SOUK_TEXT_PRINT(product->name),
                             SOUK_TEXT_PRINT(brand), leaf->path);
}

static void make_zone(souk_world *world, uint32_t leaf)
{
    souk_text rest = souk_text_of(world_leaves[leaf].path), name = souk_text_cut(&rest, '/');
    char zone[16];
    for (size_t i = 0; i <= name.bytes; i++)
        zone[i] = (char)(i == name.bytes ? '\0' : name.at[i] | ' '); /* lower case */
    if (strcmp(world->zones[world->zone_count - 1], zone) != 0)
        memcpy(world->zones[world->zone_count++], zone, sizeof zone);
    world->zone[leaf] = (uint8_t)(world->zone_count - 1);
}

static void make_leaf(souk_world *world, uint32_t number)
{
    const struct world_leaf *leaf = &world_leaves[number];
    uint8_t brands = parts_of(leaf->brands), varieties = parts_of(leaf->varieties);
    souk_assert(brands <= WORLD_BRANDS && varieties <= WORLD_VARIETIES);
    world->brand_count[number] = brands;
    world->variety_count[number] = varieties;
    world->first_product[number] = world->product_count;
    for (uint8_t brand = 0; brand < brands; brand++) {
        world->bands[number][brand] = (char)(part_of(leaf->brands, brand).at[0] - '0');
        for (uint8_t variety = 0; variety < varieties; variety++)
            for (uint8_t pack = 0; pack < WORLD_PACKS; pack++)
                world->products[world->product_count++] = (struct world_product){
                    .leaf = (uint8_t)number, .brand = brand, .variety = variety, .pack = pack};
    }
    make_zone(world, number);
}

static void make_stores(souk_world *world)
{
    static const uint8_t hours[][2] = {{8, 22}, {9, 21}, {7, 22}};
    for (uint32_t i = 0; i < world->options.stores; i++) {
        world_dice dice = world_dice_of(world->key, i, 0, WORLD_HOURS);
        uint32_t chosen = world_below(&dice, 3);
        world->stores[i].open = hours[chosen][0];
        world->stores[i].close = hours[chosen][1];
        snprintf(world->stores[i].id, sizeof world->stores[i].id, "SH-%04u", (i + 1) % 10000);
    }
}

souk_err world_fill_shelves(souk_world *world)
{
    size_t most = (size_t)LEAVES * WORLD_BRANDS * WORLD_VARIETIES * WORLD_PACKS;
    world->products = souk_mem_array(world->mem, most, sizeof *world->products);
    world->stores = souk_mem_array(world->mem, world->options.stores, sizeof *world->stores);
    if (!world->products || !world->stores)
        return SOUK_ENOMEM;
    memcpy(world->zones[world->zone_count++], "entrance", sizeof "entrance");
    for (uint32_t i = 0; i < LEAVES; i++)
        make_leaf(world, i);
    world->first_product[LEAVES] = world->product_count;
    memcpy(world->zones[world->zone_count++], "till", sizeof "till");
    souk_assert(world->zone_count <= WORLD_ZONES);
    for (uint32_t i = 0; i < world->product_count; i++)
        make_product(world, i);
    make_stores(world);
    return world->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

/* ---- days ------------------------------------------------------------------------------------------ */

struct world_promotion world_promotion_of(const souk_world *world, uint32_t week, uint32_t slot)
{
    static const uint8_t discounts[] = {10, 15, 20, 30}, extras[] = {30, 45, 60, 90};
    uint8_t impulses[LEAVES];
    uint32_t count = 0;
    for (uint8_t i = 0; i < LEAVES; i++)
        if (world_leaves[i].interval_days == 0 && i != WORLD_RIVAL_LEAF)
            impulses[count++] = i;
    world_dice dice = world_dice_of(world->key, week, 0, WORLD_PROMOTION);
    uint32_t leaf = world_below(&dice, count);
    for (uint32_t i = 0; i < slot; i++)
        leaf =
            (leaf + 1 + world_below(&dice, count / WORLD_PROMOTIONS)) % count; /* never the same */
    uint32_t depth = world_below(&dice, 4);
    return (struct world_promotion){impulses[leaf], discounts[depth], extras[depth]};
}

struct world_today world_today_of(const souk_world *world, int32_t number)
{
    int64_t day = WORLD_FIRST_DAY + number;
    int weekday = souk_day_weekday(day);
    struct world_today today = {.number = number, .month = souk_date_of(day).month - 1};
    today.trip_percent =
        (uint32_t)trip_percent_of_weekday[weekday] * trip_percent_of_month[today.month] / 100;
    today.risen = number >= (int32_t)world->rise_day;
    if (number < 0 || number % 7 < WORLD_PROMOTION_FIRST || number % 7 > WORLD_PROMOTION_LAST)
        return today;
    for (uint32_t slot = 0; slot < WORLD_PROMOTIONS; slot++) {
        struct world_promotion p = world_promotion_of(world, (uint32_t)number / 7, slot);
        today.discount_percent[p.leaf] = (uint8_t)p.discount_percent;
        today.extra_percent[p.leaf] = (uint8_t)p.extra_percent;
    }
    return today;
}

void world_write_date(int32_t number, char out[11])
{
    souk_date date = souk_date_of(WORLD_FIRST_DAY + number);
    char *at = world_put_digits(out, (uint32_t)date.year, 4);
    *at++ = '-';
    at = world_put_digits(at, date.month, 2);
    *at++ = '-';
    *world_put_digits(at, date.day, 2) = '\0';
}

/* ---- files ----------------------------------------------------------------------------------------- */

static void put_row(souk_csv_writer *csv, const souk_text *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        souk_csv_put(csv, fields[i]);
    souk_csv_end_row(csv);
}
#define PUT_ROW(csv, ...)                            \
    put_row((csv), (const souk_text[]){__VA_ARGS__}, \
            sizeof((const souk_text[]){__VA_ARGS__}) / sizeof(souk_text))

void souk_world_products(const souk_world *world, souk_buf *out)
{
    souk_csv_writer csv = {.out = out};
    PUT_ROW(&csv, SOUK_TEXT("id"), SOUK_TEXT("gtin"), SOUK_TEXT("title"), SOUK_TEXT("brand"),
            SOUK_TEXT("category"), SOUK_TEXT("price"), SOUK_TEXT("currency"));
    for (uint32_t i = 0; i < world->product_count; i++) {
        const struct world_product *product = &world->products[i];
        char id[16], price[24];
        snprintf(id, sizeof id, "P%04u", i);
        snprintf(price, sizeof price, "%u.%02u", product->price_minor / 100,
                 product->price_minor % 100);
        PUT_ROW(&csv, souk_text_of(id), souk_text_of(product->gtin), product->name,
                product->brand_name, souk_text_of(world_leaves[product->leaf].path),
                souk_text_of(price), SOUK_TEXT("CNY"));
    }
}

void souk_world_stores(const souk_world *world, souk_buf *out)
{
    static const char *const places[] = {"Riverside", "North Gate", "Old Town",  "Station",
                                         "Garden",    "Harbour",    "West Hill", "University"};
    uint32_t place_count = sizeof places / sizeof *places;
    souk_csv_writer csv = {.out = out};
    PUT_ROW(&csv, SOUK_TEXT("store_id"), SOUK_TEXT("name"), SOUK_TEXT("time_zone"),
            SOUK_TEXT("currency"), SOUK_TEXT("open"), SOUK_TEXT("close"));
    for (uint32_t i = 0; i < world->options.stores; i++) {
        const struct world_store *store = &world->stores[i];
        char name[40], open[8], close[8];
        snprintf(name, sizeof name, "%s %u", places[i % place_count], i / place_count + 1);
        snprintf(open, sizeof open, "%02u:00", store->open);
        snprintf(close, sizeof close, "%02u:00", store->close);
        PUT_ROW(&csv, souk_text_of(store->id), souk_text_of(name), SOUK_TEXT("Asia/Shanghai"),
                SOUK_TEXT("CNY"), souk_text_of(open), souk_text_of(close));
    }
}
