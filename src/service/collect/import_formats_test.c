/* import_formats_test.c - tafeng, cdnow, groceries and complete-journey: small files, record by record. */
#include "test/test.h"

#include "service/collect/import_rig.h"

#include <stdio.h>

/* Reads in one piece and in small ones: the same records. */
static void read_all(souk_test *test, const souk_import_format *format, void *shared,
                     const char *text, souk_buf *out)
{
    for (size_t chunk = 0; chunk < 4; chunk++) {
        souk_auto_value(souk_buf) again = {.mem = test->mem};
        souk_buf *to = chunk ? &again : out;
        souk_diag diag = {.words = ""};
        if (format->shared_bytes && chunk) /* it would tell its neighbours twice */
            break;
        souk_err err = rig_read_with(test->mem, format, NULL, shared, 0, souk_text_of(text),
                                     chunk * 3, to, &diag);
        if (err)
            test_fail(test, __FILE__, __LINE__, "%s: %s", souk_err_name(err), diag.words);
        SOUK_CHECK(!chunk || souk_text_equal(souk_buf_view(&again), souk_buf_view(out)));
    }
}

SOUK_TEST("Ta-Feng's rows become one order for each basket, in days that are made up")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    read_all(test, &souk_import_tafeng, NULL,
             "user_id,basket_no,product_id\n1,1,0\n1,1,7\n1,2,0\n2,1,7\n1,1,9\n,1,2\n1,0,2\n1,1\n",
             &out);
    SOUK_CHECK_TEXT(
        souk_buf_view(&out),
        "event 2 2000-11-01T00:00:00.000Z Order Completed 0  flags 5 user=1 | 0 1 0 | 7 1 0 |\n"
        "event 3 2000-11-02T00:00:00.000Z Order Completed 0  flags 5 user=1 | 0 1 0 |\n"
        "event 4 2000-11-01T00:00:00.000Z Order Completed 0  flags 5 user=2 | 7 1 0 |\n"
        /* nobody knows whose the next row is: the basket before it may be, and stays out */
        "fault 6 line 7: user_id is empty or above 50 bytes; so the baskets before and behind it "
        "stay out until it is mended: "
        "{\"basket_no\":\"1\",\"product_id\":\"2\"}\n"
        "fault 7 line 8: basket_no is no number from 1 to 1000000; so the baskets before and "
        "behind it stay out until it is mended: "
        "{\"user_id\":\"1\",\"basket_no\":\"0\",\"product_id\":\"2\"}\n"
        "fault 8 line 9: 2 fields where the heading has 3; so the baskets before and behind it "
        "stay out until it is mended: {\"user_id\":\"1\",\"basket_no\":\"1\"}\n"
        "rows 8, 1 stayed out\n");
    souk_buf_clear(&out);
    read_all(test, &souk_import_tafeng, NULL, "user_id,basket_no,product_id\n1,1,0\n2,1,7\n1,1,9\n",
             &out);
    SOUK_CHECK(rig_has(&out, /* the basket came back: the same order, counted once */
                       "event 3 2000-11-01T00:00:00.000Z Order Completed 0  flags 4 user=1 | 9 1 "
                       "0 |\n"));
}

SOUK_TEST("CDNOW's rows are purchases each, also two alike on one day")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    read_all(test, &souk_import_cdnow, NULL,
             "customer_id,date,cds,amount_usd\n00001,20210101,1,11.77\n00002,20210112,5,77.00\n"
             "00002,20210112,5,77.00\n00003,20211301,1,1\n00003,20210101,one,1\n",
             &out);
    SOUK_CHECK(rig_has(&out, "event 1 2021-01-01T00:00:00.000Z Order Completed 11.77 "
                             "USD flags 5 user=00001 | CD 1 11.77 |\n"));
    SOUK_CHECK(rig_has(&out, "event 3 2021-01-12T00:00:00.000Z Order Completed 77 USD "
                             "flags 5 user=00002 | CD 5 77 |\n"));
    SOUK_CHECK(rig_has(&out, "fault 4 line 5: date is no day like 20210131"));
    SOUK_CHECK(rig_has(&out, "fault 5 line 6: cds is no number"));
}

SOUK_TEST("a line of groceries is a basket of nobody's, its items trimmed, twice the same twice")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    read_all(test, &souk_import_groceries, NULL,
             "whole milk\ncream cheese ,\"rolls, buns\"\nwhole milk\na,,b\n", &out);
    SOUK_CHECK_TEXT(
        souk_buf_view(&out),
        "event 1 2026-01-01T12:00:00.000Z Order Completed 0  flags 5 | whole milk 1 0 |\n"
        "event 2 2026-01-01T12:00:00.000Z Order Completed 0  flags 5 | cream cheese 1 0 | rolls, "
        "buns "
        "1 0 |\n"
        "event 3 2026-01-01T12:00:00.000Z Order Completed 0  flags 5 | whole milk 1 0 |\n"
        "fault 4 line 4: item 2 is empty or above 100 bytes: [\"a\",\"\",\"b\"]\n"
        "rows 4\n");
}

SOUK_TEST("a basket above 200 items is several events of one row")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem}, text = {.mem = test->mem};
    for (unsigned i = 0; i < 450; i++)
        souk_buf_print(&text, "%sitem %u", i ? "," : "", i);
    SOUK_MUST(
        rig_read(test->mem, &souk_import_groceries, NULL, souk_buf_view(&text), 0, &out, NULL));
    size_t events = 0;
    for (souk_text rest = souk_buf_view(&out); rest.bytes; souk_text_cut(&rest, '\n'))
        events += souk_text_starts(rest, SOUK_TEXT("event 1 "));
    SOUK_CHECK(events == 3);
}

SOUK_TEST(
    "The Complete Journey: each file by its heading, dates and categories from one to the next")
{
    static const char *const files[] = {
        "campaign_id,campaign_type,start_date,end_date\n26,Type A,2016-12-28,2017-02-19\n",
        "product_id,manufacturer_id,department,brand,product_category,product_type,package_size\r\n"
        "25671,2,GROCERY,National,FRZN ICE,ICE - CRUSHED,22 LB\r\n26081,2,MISC,National,,,\r\n",
        "household_id,age,income,home_ownership,marital_status,household_size,household_comp,"
        "kids_count\n1,65+,35-49K,Homeowner,Married,2,2 Adults No Kids,0\n",
        "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,"
        "coupon_match_disc,week,transaction_timestamp\n"
        "1,309,31,25671,2,3.86,0.43,0,0,5,2017-01-28T19:06:53Z\n"
        "1,309,31,99,1,1,0,0,0,5,2017-01-28T19:06:53Z\n",
        "campaign_id,household_id\n26,1\n27,1\n",
        "coupon_upc,product_id,campaign_id\n10000085207,25671,26\n10000085207,26081,26\n",
        "household_id,coupon_upc,campaign_id,redemption_date\n1,10000085207,26,2017-01-03\n",
    };
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    const souk_import_format *format = &souk_import_complete_journey;
    void *shared = souk_mem_get(test->mem, format->shared_bytes);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        SOUK_CHECK(format->part(souk_text_of(files[i])) == i + 1);
        read_all(test, format, shared, files[i], &out);
    }
    format->shared_done(shared, test->mem);
    souk_mem_put(test->mem, shared);
    SOUK_CHECK_TEXT(
        souk_buf_view(&out),
        "rows 1\n"
        "product 1 25671 | ICE - CRUSHED | National | GROCERY > FRZN ICE > ICE - CRUSHED |  |  |  "
        "|  |  "
        "| {\"manufacturer_id\":\"2\",\"package_size\":\"22 LB\"}\n"
        "product 2 26081 |  | National | MISC |  |  |  |  |  | {\"manufacturer_id\":\"2\"}\n"
        "rows 2\n"
        "event 1 2026-01-01T12:00:00.000Z Identify 0  flags 0 user=1 |\n"
        "rows 1\n"
        "event 2 2017-01-28T19:06:53.000Z Order Completed in 309 4.86 USD flags 5 user=1 | 25671 "
        "(FRZN ICE) 2 3.86 | 99 1 1 |\n"
        "rows 2\n"
        "fault 2 line 3: campaign '27' is not in campaign_descriptions, so it has no date: import "
        "the "
        "folder with both: {\"campaign_id\":\"27\",\"household_id\":\"1\"}\n"
        "event 1 2016-12-28T00:00:00.000Z Campaign Received 0  flags 0 user=1 |\n"
        "rows 2\n"
        "event 2 2016-12-28T00:00:00.000Z Coupon Offered 0  flags 0 | 25671 (FRZN ICE) 0 0 | 26081 "
        "0 "
        "0 |\n"
        "rows 2\n"
        "event 1 2017-01-03T00:00:00.000Z Coupon Redeemed 0  flags 0 user=1 |\n"
        "rows 1\n");
}

SOUK_TEST("a file of another format, and one that has no dates by itself, are refused with words")
{
    static const struct {
        const souk_import_format *format;
        const char *text, *words;
    } files[] = {
        {&souk_import_tafeng, "user,basket,product\n1,1,1\n", "column 1 should be 'user_id'"},
        {&souk_import_cdnow, "", "the file is empty"},
        {&souk_import_groceries, "", "the file is empty"},
        {&souk_import_complete_journey, "a,b\n1,2\n", "no file of The Complete Journey"},
        {&souk_import_complete_journey, "", "the file is empty"},
        {&souk_import_complete_journey, "campaign_id,household_id\n26,1\n",
         "this file has no dates"},
        {&souk_import_complete_journey,
         "product_id,store_id,display_location,mailer_location,week\n",
         "no file of The Complete Journey"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        souk_diag diag = {.words = ""};
        const souk_import_format *format = files[i].format;
        void *shared = souk_mem_get(test->mem, format->shared_bytes + 1);
        SOUK_CHECK_ERR(rig_read_with(test->mem, format, NULL, shared, 0,
                                     souk_text_of(files[i].text), 0, &out, &diag),
                       SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, files[i].words));
        if (format->shared_done)
            format->shared_done(shared, test->mem);
        souk_mem_put(test->mem, shared);
    }
}

SOUK_TEST("readers of fixed formats survive the lack of memory")
{
    static const struct {
        const souk_import_format *format;
        const char *text;
    } files[] = {
        {&souk_import_tafeng, "user_id,basket_no,product_id\n1,1,0\n1,1,7\n1,2,0\n"},
        {&souk_import_cdnow, "customer_id,date,cds,amount_usd\n00001,20210101,1,11.77\nx\n"},
        {&souk_import_groceries, "whole milk,rolls\nwhole milk,,\n"},
        {&souk_import_complete_journey,
         "household_id,coupon_upc,campaign_id,redemption_date\n1,10000085207,26,2017-01-03\n"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        SOUK_FAULT_LOOP (test) {
            souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
            const souk_import_format *format = files[i].format;
            void *shared = souk_mem_get(souk_mem_heap(), format->shared_bytes + 1);
            souk_err err = rig_read_with(test->mem, format, NULL, shared, 0,
                                         souk_text_of(files[i].text), 5, &out, NULL);
            SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
            if (format->shared_done)
                format->shared_done(shared, test->mem);
            souk_mem_put(souk_mem_heap(), shared);
            test_fault_seen(test, err);
        }
}
