/* world_test.c - the same bytes always; lines that our reader takes, in the order of time, with sums that are right. */
#include "test/test.h"

#include "world/test_world.h"

#include "base/csv.h"

#include <pthread.h>

/* ---- bytes ------------------------------------------------------------------------------------------- */

/* Of everything that a world says. */
static uint32_t sum_of(souk_test *test, uint32_t shoppers, uint32_t days, uint64_t seed)
{
    struct rig rig;
    uint32_t sum = 0;
    rig_open(&rig, test, shoppers, days, seed);
    for (uint32_t day = 0; day < days; day++) {
        rig_day(&rig, day);
        sum = souk_crc32c(sum, rig.lines.at, rig.lines.bytes);
    }
    souk_buf_clear(&rig.lines);
    souk_world_products(rig.world, &rig.lines);
    souk_world_stores(rig.world, &rig.lines);
    souk_world_truth(rig.world, &rig.lines);
    souk_world_people(rig.world, 0, shoppers, &rig.lines);
    souk_world_readme(rig.world, &rig.lines);
    SOUK_MUST(souk_buf_check(&rig.lines));
    sum = souk_crc32c(sum, rig.lines.at, rig.lines.bytes);
    rig_close(&rig);
    return sum;
}

SOUK_TEST("the same seed makes the same bytes on every machine, another seed others")
{
    /* From one machine and compiler; where a table is changed on purpose, this number changes too. */
    SOUK_CHECK(sum_of(test, 300, 20, 1) == 0xbc55abfb);
    SOUK_CHECK(sum_of(test, 300, 20, 1) != sum_of(test, 300, 20, 2));
    SOUK_CHECK(sum_of(test, 301, 20, 1) != sum_of(test, 300, 20, 1));
}

/* One day in so many parts and slices of random lengths, the parts lived in a random order. */
static void tell_in_pieces(souk_test *test, struct rig *rig, uint32_t number, souk_buf *out)
{
    souk_world_day *parts[7] = {NULL};
    uint32_t shoppers = rig->world->options.shoppers, borders[8] = {0};
    size_t count = 1 + test_random(test, 7), from = test_random(test, count);
    for (size_t i = 1; i <= count; i++) {
        uint32_t left = shoppers - borders[i - 1];
        borders[i] = i == count ? shoppers : borders[i - 1] + (uint32_t)test_random(test, left + 1);
    }
    for (size_t k = 0; k < count; k++) {
        size_t i = (from + k) % count;
        SOUK_MUST(souk_world_day_new(test->mem, &parts[i]));
        SOUK_MUST(souk_world_live(rig->world, number, borders[i], borders[i + 1], parts[i]));
    }
    for (uint32_t at = 0, next; at < SOUK_DAY_MS; at = next) {
        next = at + 1 + (uint32_t)test_random(test, SOUK_DAY_MS / 4);
        souk_world_tell(rig->world, parts, count, at, next, out);
    }
    for (size_t i = 0; i < count; i++)
        souk_world_day_free(parts[i]);
    SOUK_MUST(souk_buf_check(out));
}

SOUK_TEST("days may be told in any order, people and hours in any parts")
{
    struct rig rig;
    souk_auto_value(souk_buf) pieces = {.mem = test->mem};
    rig_open(&rig, test, 400, 40, 3);
    for (int i = 0; i < 25; i++) {
        uint32_t number = (uint32_t)test_random(test, 40);
        rig_day(&rig, number);
        souk_buf_clear(&pieces);
        tell_in_pieces(test, &rig, number, &pieces);
        SOUK_CHECK(pieces.bytes > 10000);
        SOUK_CHECK(souk_text_equal(souk_buf_view(&pieces), souk_buf_view(&rig.lines)));
    }
    rig_close(&rig);
}

struct teller {
    const souk_world *world;
    uint32_t sums[10];
    souk_err err;
};

static void *tell_alone(void *context)
{
    struct teller *teller = context;
    souk_auto(souk_world_day) day = NULL;
    souk_auto_value(souk_buf) lines = {.mem = souk_mem_heap()};
    teller->err = souk_world_day_new(souk_mem_heap(), &day);
    for (uint32_t i = 0; i < 10 && !teller->err; i++) {
        souk_buf_clear(&lines);
        teller->err = souk_world_live(teller->world, i, 0, 300, day);
        if (!teller->err)
            souk_world_tell(teller->world, &day, 1, 0, SOUK_DAY_MS, &lines);
        teller->sums[i] = souk_crc32c(0, lines.at, lines.bytes);
    }
    return NULL;
}

SOUK_TEST("threads share a world and tell the same")
{
    struct rig rig;
    struct teller tellers[3];
    pthread_t threads[3];
    rig_open(&rig, test, 300, 10, 5);
    for (int i = 0; i < 3; i++) {
        tellers[i] = (struct teller){.world = rig.world};
        SOUK_CHECK(pthread_create(&threads[i], NULL, tell_alone, &tellers[i]) == 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (uint32_t day = 0; day < 10; day++) {
        rig_day(&rig, day);
        for (int i = 0; i < 3; i++)
            SOUK_CHECK(!tellers[i].err &&
                       tellers[i].sums[day] == souk_crc32c(0, rig.lines.at, rig.lines.bytes));
    }
    rig_close(&rig);
}

/* ---- lines ------------------------------------------------------------------------------------------- */

static const char *const names[] = {
    "Products Searched", "Product Viewed", "Product Added",   "Cart Viewed",  "Checkout Started",
    "Order Completed",   "Order Refunded", "Store Entered",   "Zone Entered", "Zone Dwelled",
    "Item Picked Up",    "Receipt Issued", "Receipt Returned"};
enum { NAMES = sizeof names / sizeof *names };

static size_t check_name(souk_test *test, struct rig *rig)
{
    bool identify = souk_text_equal(rig_text(rig, rig->event, "type"), SOUK_TEXT("identify"));
    size_t i = 0;
    if (identify)
        return NAMES;
    SOUK_CHECK_TEXT(rig_text(rig, rig->event, "type"), "track");
    while (i < NAMES && !rig_is(rig, names[i]))
        i++;
    SOUK_CHECK(i < NAMES);
    return i;
}

/* The sum of the lines is the total, and each is of a product with that price or less. */
static void check_money(souk_test *test, struct rig *rig)
{
    souk_json_node lines = rig_at(rig, rig->properties, "products");
    bool receipt = rig_at(rig, rig->properties, "receipt_id") != SOUK_JSON_NONE;
    bool order = rig_at(rig, rig->properties, "order_id") != SOUK_JSON_NONE;
    int64_t sum = 0;
    if (!receipt && !order)
        return;
    SOUK_CHECK_TEXT(rig_text(rig, rig->properties, "currency"), "CNY");
    for (souk_json_node line = souk_json_first(&rig->doc, lines); line != SOUK_JSON_NONE;
         line = souk_json_next(&rig->doc, line)) {
        uint64_t product;
        souk_text id = rig_text(rig, line, "product_id");
        SOUK_MUST(souk_text_to_u64((souk_text){id.at + 1, id.bytes - 1}, &product));
        SOUK_CHECK(product < rig->world->product_count);
        int64_t price = rig_hundredths(rig, line, "price");
        SOUK_CHECK(price > 0 && price <= (int64_t)rig->world->products[product].price_minor);
        SOUK_CHECK_TEXT(rig_text(rig, line, "sku"), rig->world->products[product].gtin);
        sum += price * rig_hundredths(rig, line, "quantity") / 100;
    }
    SOUK_CHECK(sum > 0 &&
               sum == rig_hundredths(rig, rig->properties, receipt ? "total" : "revenue"));
    if (!receipt)
        return;
    souk_json_node tender = souk_json_first(&rig->doc, rig_at(rig, rig->properties, "tenders"));
    SOUK_CHECK(sum == rig_hundredths(rig, tender, "amount"));
}

/* While the store is open: the clock of its wall is 8 hours ahead. */
static void check_hours(souk_test *test, struct rig *rig, souk_time at)
{
    souk_text id = rig_text(rig, rig->properties, "store_id");
    if (id.bytes == 0)
        return;
    uint64_t number;
    SOUK_MUST(souk_text_to_u64((souk_text){id.at + 3, 4}, &number));
    SOUK_CHECK(number > 0 && number <= rig->world->options.stores);
    const struct world_store *store = &rig->world->stores[number - 1];
    int64_t hour = (at + WORLD_AHEAD_MS) % SOUK_DAY_MS / 3600000;
    SOUK_CHECK(hour >= store->open && hour < store->close);
}

SOUK_TEST("every line is JSON in the Segment form, in the order of time, with an id of its own")
{
    struct rig rig;
    souk_time last = 0;
    char message[101] = "";
    size_t seen[NAMES + 1] = {0};
    rig_open(&rig, test, 600, 40, 1);
    for (uint32_t day = 0; day < 40; day++)
        for (rig_day(&rig, day); rig_next(&rig);) {
            souk_time at;
            SOUK_MUST(souk_time_read(rig_text(&rig, rig.event, "timestamp"), NULL, &at));
            SOUK_CHECK(at >= last);
            SOUK_CHECK(souk_time_day(at + WORLD_AHEAD_MS) == WORLD_FIRST_DAY + (int64_t)day);
            last = at;
            souk_text id = rig_text(&rig, rig.event, "messageId"); /* they rise: no two are alike */
            SOUK_CHECK(id.bytes > 0 && id.bytes < sizeof message);
            SOUK_CHECK(souk_text_compare(id, souk_text_of(message)) > 0);
            memcpy(message, id.at, id.bytes);
            message[id.bytes] = '\0';
            seen[check_name(test, &rig)]++;
            check_money(test, &rig);
            check_hours(test, &rig, at);
            SOUK_CHECK(rig.line.bytes < 6000);
        }
    for (size_t i = 0; i <= NAMES; i++)
        SOUK_CHECK(seen[i] > 0);
    rig_close(&rig);
}

SOUK_TEST("an identify carries traits, consents and a card in their places")
{
    struct rig rig;
    size_t told = 0, cards = 0, answers = 0;
    rig_open(&rig, test, 500, 20, 1);
    for (uint32_t day = 0; day < 20; day++)
        for (rig_day(&rig, day); rig_next(&rig);) {
            if (!souk_text_equal(rig_text(&rig, rig.event, "type"), SOUK_TEXT("identify")))
                continue;
            souk_json_node traits = rig_at(&rig, rig.event, "traits");
            SOUK_CHECK(memchr(rig_text(&rig, traits, "email").at, '@', 80));
            SOUK_CHECK(souk_text_starts(rig_text(&rig, traits, "phone"), SOUK_TEXT("+8612")));
            SOUK_CHECK(rig_text(&rig, traits, "firstName").bytes);
            souk_json_node yes =
                rig_at(&rig, rig_at(&rig, rig.context, "consent"), "categoryPreferences");
            SOUK_CHECK(souk_json_count(&rig.doc, yes) == CONSENTS);
            for (size_t i = 0; i < CONSENTS; i++) {
                bool says;
                SOUK_MUST(
                    souk_json_bool(&rig.doc, rig_at(&rig, yes, world_consent_names[i]), &says));
            }
            told++;
            cards += rig_at(&rig, rig.context, "externalIds") != SOUK_JSON_NONE;
            answers += rig_text(&rig, traits, "car").bytes > 0;
        }
    SOUK_CHECK(told > 100 && cards > told / 2 && cards < told && answers > 0 && answers < told / 2);
    rig_close(&rig);
}

/* ---- products ---------------------------------------------------------------------------------------- */

static bool check_digit_is_right(souk_text gtin)
{
    unsigned sum = 0;
    for (size_t i = 0; i < gtin.bytes; i++)
        sum += (unsigned)(gtin.at[i] - '0') * (i % 2 ? 3 : 1);
    return gtin.bytes == 13 && sum % 10 == 0;
}

SOUK_TEST("products have a GTIN each with a right check digit, and the CSV reads back")
{
    struct rig rig;
    souk_auto(souk_csv) csv = NULL;
    souk_csv_row row;
    size_t rows = 0;
    rig_open(&rig, test, 10, 1, 1);
    souk_world_products(rig.world, &rig.lines);
    SOUK_MUST(souk_csv_new(test->mem, &(souk_csv_options){0}, &csv));
    souk_csv_feed(csv, souk_buf_view(&rig.lines), true);
    for (; souk_csv_next(csv, &row); rows++) {
        SOUK_CHECK(row.field_count == 7);
        if (rows == 0)
            continue;
        const struct world_product *product = &rig.world->products[rows - 1];
        SOUK_CHECK(check_digit_is_right(row.fields[1]));
        SOUK_CHECK(souk_text_equal(row.fields[2], product->name));
        for (size_t i = 0; i + 1 < rows; i++)
            SOUK_CHECK(!souk_text_equal(row.fields[1], souk_text_of(rig.world->products[i].gtin)));
    }
    SOUK_MUST(souk_csv_check(csv, NULL));
    SOUK_CHECK(rows == rig.world->product_count + 1 && rows > 600);
    SOUK_CHECK(check_digit_is_right(SOUK_TEXT("4006381333931")));
    SOUK_CHECK(!check_digit_is_right(SOUK_TEXT("4006381333930")));
    rig_close(&rig);
}

/* ---- limits ------------------------------------------------------------------------------------------ */

SOUK_TEST("a world of nothing, or of too much, is refused with its range")
{
    static const struct {
        souk_world_options options;
        const char *words;
    } cases[] = {
        {{0, 1, 1, 1}, "0 shoppers: give 1 to 10000000"},
        {{10000001, 1, 1, 1}, "10000001 shoppers: give 1 to 10000000"},
        {{1, 0, 1, 1}, "0 stores: give 1 to 9999"},
        {{1, 1, 3661, 1}, "3661 days: give 1 to 3660"},
    };
    souk_world *world = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(souk_world_new(test->mem, &cases[i].options, &world, &diag), SOUK_EINVAL);
        SOUK_CHECK_TEXT(souk_text_of(diag.words), cases[i].words);
    }
}

SOUK_TEST("the smallest world lives, and the last day of the longest")
{
    struct rig rig;
    rig_open(&rig, test, 1, 1, 9);
    rig_day(&rig, 0);
    rig_close(&rig);
    rig_open(&rig, test, 3001, SOUK_WORLD_DAYS_MOST, 9);
    rig_day(&rig, SOUK_WORLD_DAYS_MOST - 1);
    SOUK_CHECK(rig_next(&rig) && rig.lines.bytes > 10000);
    rig_close(&rig);
}

static souk_err live_once(souk_mem *mem)
{
    souk_world_options options = {.shoppers = 50, .stores = 2, .days = 3, .seed = 1};
    souk_auto(souk_world) world = NULL;
    souk_auto(souk_world_day) day = NULL;
    souk_auto_value(souk_buf) out = {.mem = mem};
    SOUK_TRY(souk_world_new(mem, &options, &world, NULL));
    SOUK_TRY(souk_world_day_new(mem, &day));
    SOUK_TRY(souk_world_live(world, 2, 0, 50, day));
    souk_world_tell(world, &day, 1, 0, SOUK_DAY_MS, &out);
    souk_world_truth(world, &out);
    souk_world_people(world, 0, 50, &out);
    souk_world_products(world, &out);
    return souk_buf_check(&out);
}

SOUK_TEST("each allocation that fails is told, and nothing leaks")
{
    SOUK_FAULT_LOOP (test) {
        souk_err err = live_once(test->mem);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}
