/* offer_json_test.c - offers are read strictly, written back the same, and the page that documents them is true. */
#include "test/test.h"

#include "service/checkout/offer_json.h"

#include <stdio.h>

typedef struct desk {
    souk_json_doc doc;
    souk_arena arena;
    souk_offer_reader reader;
    souk_offer offer;
    souk_diag diag;
} desk;

static void desk_open(desk *my, souk_test *test)
{
    *my = (desk){.doc = {.mem = test->mem}, .arena = {.mem = test->mem}, .reader = {.exponent = 2}};
    my->reader.arena = &my->arena;
}

static void desk_close(desk *my)
{
    souk_json_doc_done(&my->doc);
    souk_arena_done(&my->arena);
}

static souk_err take(desk *my, souk_text text)
{
    my->diag = (souk_diag){.words = ""};
    souk_err err = souk_json_read(&my->doc, text, NULL, &my->diag);
    return err ? err
               : souk_offer_read(&my->reader, &my->doc, souk_json_root(&my->doc),
                                 SOUK_TEXT("offers[3]"), &my->offer, &my->diag);
}

/* ---- what is read ------------------------------------------------------------------------------------------ */

SOUK_TEST("an offer is read with all its members")
{
    desk my;
    desk_open(&my, test);
    SOUK_MUST(take(
        &my,
        SOUK_TEXT(
            "{\"id\":7,\"kind\":\"n_for_m\",\"on\":{\"products\":[5,6],\"tags\":[1],\"except\":"
            "{\"products\":[9],\"tags\":[2,3]}},\"take\":3,\"pay\":2,\"priority\":-4,\"group\":11,"
            "\"exclusive\":true,\"at_least\":{\"quantity\":2.5,\"amount\":\"50.00\"},\"limit\":"
            "{\"times\":2,\"amount\":10.5},\"when\":{\"from\":\"2026-11-01T00:00:00+08:00\","
            "\"until\":"
            "\"2026-12-01\",\"weekdays\":[\"fri\",\"sat\"],\"hours\":\"22:00-02:30\",\"stores\":[4]"
            ","
            "\"tiers\":[0,3],\"audiences\":[8],\"coupon\":6}}")));
    const souk_offer *offer = &my.offer;
    SOUK_CHECK(offer->id == 7 && offer->kind == SOUK_OFFER_N_FOR_M && offer->take == 3 &&
               offer->pay == 2);
    SOUK_CHECK(offer->priority == -4 && offer->group == 11 && offer->exclusive);
    SOUK_CHECK(offer->scope_count == 1 && offer->scopes[0].product_count == 2 &&
               offer->scopes[0].products[1] == 6);
    SOUK_CHECK(offer->scopes[0].not_product_count == 1 && offer->scopes[0].not_tag_count == 2);
    SOUK_CHECK(offer->least_quantity.micro == 2500000 && offer->least_minor == 5000);
    SOUK_CHECK(offer->most_times == 2 && offer->most_minor == 1050);
    SOUK_CHECK(offer->from == 1793462400000 && offer->until == 1796083200000);
    SOUK_CHECK(offer->weekdays == 0x30 && offer->minute_from == 1320 && offer->minute_until == 150);
    SOUK_CHECK(offer->store_count == 1 && offer->tiers == 9 && offer->audience_count == 1 &&
               offer->coupon == 6);
    desk_close(&my);
}

static souk_err find(const souk_offer_names *self, souk_offer_noun noun, souk_text name,
                     uint32_t *ret_number)
{
    (void)self;
    if (!souk_text_starts(name, SOUK_TEXT("n-")))
        return SOUK_ENOENT;
    *ret_number = (uint32_t)(10 * (int)noun + name.at[2] - '0');
    return SOUK_OK;
}

SOUK_TEST("names are found by who knows them, unknown ones are refused with their path")
{
    const souk_offer_names names = {find};
    desk my;
    desk_open(&my, test);
    my.reader.names = &names;
    SOUK_MUST(take(
        &my,
        SOUK_TEXT("{\"id\":1,\"kind\":\"amount_off\",\"amount\":1,\"on\":{\"products\":[\"n-4\",7],"
                  "\"tags\":[\"n-2\"]},\"when\":{\"coupon\":\"n-1\"},\"group\":\"n-5\"}")));
    SOUK_CHECK(my.offer.scopes[0].products[0] == 4 && my.offer.scopes[0].products[1] == 7);
    SOUK_CHECK(my.offer.scopes[0].tags[0] == 12 && my.offer.coupon == 51 && my.offer.group == 65);
    SOUK_CHECK_ERR(
        take(&my, SOUK_TEXT(
                      "{\"id\":1,\"kind\":\"amount_off\",\"amount\":1,\"on\":{\"except\":{\"tags\":"
                      "[1,\"tee\"]}}}")),
        SOUK_EINVAL);
    SOUK_CHECK(!strcmp(my.diag.words, "offers[3].on.except.tags[1]: there is no tag 'tee'"));
    desk_close(&my);
}

/* ---- what is refused ----------------------------------------------------------------------------------------- */

SOUK_TEST("what is no offer is refused with its path and what to do")
{
#define START "{\"id\":1,\"kind\":\"amount_off\",\"amount\":1,"
    static const struct {
        const char *text, *words;
    } wrong[] = {
        {"[]", "offers[3]: an object is expected"},
        {"{\"id\":1,\"kind\":\"n_for_n\"}",
         "offers[3].kind: there is no such kind: do you mean n_for_m?"},
        {"{\"id\":1,\"kind\":\"zzzzzzzzzzzzzzz\"}",
         "offers[3].kind: there is no such kind: see docs/offers.md"},
        {"{\"id\":1,\"kind\":4}", "offers[3].kind: a kind of offer is expected"},
        {"{\"id\":0}", "offers[3].id: a whole number from 1"},
        {"{\"id\":1.5}", "offers[3].id: a whole number"},
        {"{\"kind\":\"amount_off\",\"amount\":1}", "offers[3]: id is missing"},
        {"{\"id\":1,\"amount\":1}", "offers[3]: kind is missing"},
        {"{\"id\":1,\"kind\":\"amount_off\"}", "offers[3]: amount is missing"},
        {START "\"take\":2}", "offers[3].take: amount_off has none"},
        {START "\"id\":1}", "offers[3].id: it is there twice"},
        {START "\"priorty\":1}",
         "offers[3].priorty: there is no such member: do you mean priority?"},
        {START "\"when\":{\"weekdys\":[]}}",
         "offers[3].when.weekdys: there is no such member: do you mean weekdays?"},
        {START "\"when\":{\"weekdays\":[\"mon\",\"Tue\"]}}",
         "offers[3].when.weekdays[1]: it is no weekday"},
        {START "\"when\":{\"hours\":\"9-12\"}}", "offers[3].when.hours: hours are expected"},
        {START "\"when\":{\"hours\":\"09:00-09:00\"}}", "offers[3].when.hours: hours are expected"},
        {START "\"when\":{\"hours\":\"24:00-09:00\"}}", "offers[3].when.hours: hours are expected"},
        {START "\"when\":{\"from\":\"soon\"}}", "offers[3].when.from: it is no time"},
        {START "\"when\":{\"from\":5}}", "offers[3].when.from: a time such as"},
        {START "\"when\":{\"tiers\":[64]}}",
         "offers[3].when.tiers: tiers are numbers from 0 to 63"},
        {START "\"when\":{\"stores\":[]}}", "offers[3].when.stores: a list of at least one"},
        {START "\"when\":{\"stores\":[\"SH-1\"]}}", "offers[3].when.stores[0]: a whole number"},
        {START "\"when\":{\"coupon\":0}}", "offers[3].when.coupon: a whole number from 1"},
        {START "\"exclusive\":1}", "offers[3].exclusive: true or false"},
        {START "\"on\":{\"quantity\":2}}", "offers[3].on.quantity: there is no such member"},
        {START "\"limit\":{\"amount\":1.005}}",
         "offers[3].limit.amount: the currency has 2 decimal places"},
        {START "\"limit\":{\"amount\":-1}}", "offers[3].limit.amount: an amount from 0"},
        {START "\"at_least\":{\"quantity\":0}}", "offers[3].at_least.quantity: a quantity above 0"},
        {START "\"when\":{\"from\":\"2026-01-02\",\"until\":\"2026-01-02\"}}",
         "offers[3]: offer 1 has an end that is not"},
        {"{\"id\":1,\"kind\":\"percent_off\",\"percent\":101}",
         "offers[3].percent: a percentage above 0"},
        {"{\"id\":1,\"kind\":\"percent_off\",\"percent\":1.00001}", "at most 4 decimal places"},
        {"{\"id\":1,\"kind\":\"amount_off\",\"amount\":0}",
         "offers[3]: the amount of offer 1 is 0"},
        {"{\"id\":1,\"kind\":\"amount_off\",\"amount\":\"1e400\"}",
         "offers[3].amount: an amount is expected"},
        {"{\"id\":1,\"kind\":\"n_for_m\",\"take\":2,\"pay\":2}", "nothing is free"},
        {"{\"id\":1,\"kind\":\"bundle_price\",\"amount\":1,\"bundle\":[{}]}",
         "offers[3].bundle: a list of 2 to 8"},
        {"{\"id\":1,\"kind\":\"bundle_price\",\"amount\":1,\"bundle\":[{},{\"quantity\":0}]}",
         "offers[3].bundle[1].quantity: a whole number from 1 to 1000"},
        {"{\"id\":1,\"kind\":\"bundle_price\",\"amount\":1,\"bundle\":[{},{}],\"on\":{}}",
         "offers[3].on: bundle_price has none"},
        {"{\"id\":1,\"kind\":\"basket_free\"}", "offers[3]: gift is missing"},
    };
#undef START
    desk my;
    desk_open(&my, test);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        SOUK_CHECK_ERR(take(&my, souk_text_of(wrong[i].text)), SOUK_EINVAL);
        if (!strstr(my.diag.words, wrong[i].words))
            test_fail(test, __FILE__, __LINE__, "'%s' lacks '%s'", my.diag.words, wrong[i].words);
    }
    desk_close(&my);
}

/* ---- there and back -------------------------------------------------------------------------------------------- */

/* Writes what was read; reading that and writing it again gives the same text, and both books stand. */
static void check_round_trip(desk *my, souk_test *test)
{
    souk_auto_value(souk_buf) once = {.mem = test->mem}, again = {.mem = test->mem};
    souk_json_writer first = {.out = &once}, second = {.out = &again};
    souk_auto(souk_book) book = NULL;
    SOUK_MUST(souk_book_new(test->mem, &my->offer, 1, my->reader.exponent, &book, NULL));
    souk_offer_write(&first, &my->offer, my->reader.exponent);
    SOUK_MUST(souk_json_write_check(&first));
    SOUK_MUST(take(my, souk_buf_view(&once)));
    souk_offer_write(&second, &my->offer, my->reader.exponent);
    SOUK_MUST(souk_json_write_check(&second));
    SOUK_CHECK(souk_text_equal(souk_buf_view(&once), souk_buf_view(&again)));
}

SOUK_TEST(
    "each example of docs/offers.md is an offer, one of each kind, and is written back the same")
{
    souk_auto_value(souk_buf) page = {.mem = test->mem};
    FILE *file = fopen("docs/offers.md", "rb");
    unsigned kinds = 0;
    desk my;
    if (!file)
        test_skip(test, "docs/offers.md is not here: run from the root of the tree");
    desk_open(&my, test);
    char *room = souk_buf_room(&page, 65536);
    SOUK_CHECK(room != NULL);
    souk_buf_added(&page, fread(room, 1, 65536, file));
    fclose(file);
    souk_text rest = souk_buf_view(&page);
    while (rest.bytes) {
        souk_text line = souk_text_cut(&rest, '\n');
        if (!souk_text_starts(line, SOUK_TEXT("{\"id\"")))
            continue;
        if (take(&my, line))
            test_fail(test, __FILE__, __LINE__, "%s in %.*s", my.diag.words, SOUK_TEXT_PRINT(line));
        kinds |= 1u << my.offer.kind;
        check_round_trip(&my, test);
    }
    SOUK_CHECK(kinds == (1u << SOUK_OFFER_KIND_COUNT) - 1);
    desk_close(&my);
}

SOUK_TEST("an offer with every member, a price of nothing, and whole yen go there and back")
{
    static const char *const texts[] = {
        "{\"id\":7,\"kind\":\"bundle_percent\",\"bundle\":[{\"products\":[5,6],\"tags\":[1],"
        "\"except\":{\"products\":[9],"
        "\"tags\":[2]},\"quantity\":3},{\"tags\":[4]}],\"percent\":0.0001,\"priority\":-4,"
        "\"group\":11,\"exclusive\":true,"
        "\"at_least\":{\"quantity\":0.000001,\"amount\":5},\"limit\":{\"times\":4294967295,"
        "\"amount\":10},\"when\":{\"from\":"
        "\"1969-12-31T23:59:59Z\",\"until\":\"2026-12-01\",\"weekdays\":[\"mon\",\"sun\"],"
        "\"hours\":\"00:00-24:00\","
        "\"stores\":[4],\"tiers\":[0,63],\"audiences\":[8],\"coupon\":6}}",
        "{\"id\":8,\"kind\":\"fixed_price\",\"amount\":0,\"when\":{\"hours\":\"10:00-00:00\"}}",
        "{\"id\":9,\"kind\":\"basket_amount\",\"amount\":1000000000000}",
    };
    desk my;
    desk_open(&my, test);
    my.reader.exponent = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        SOUK_MUST(take(&my, souk_text_of(texts[i])));
        check_round_trip(&my, test);
    }
    desk_close(&my);
}

SOUK_TEST("reading an offer survives every failure of memory")
{
    SOUK_FAULT_LOOP (test) {
        desk my;
        desk_open(&my, test);
        souk_err err = take(&my, SOUK_TEXT("{\"id\":1,\"kind\":\"amount\\u005foff\",\"amount\":"
                                           "1,\"on\":{\"tags\":[1,2]}}"));
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        desk_close(&my);
        test_fault_seen(test, err);
    }
}
