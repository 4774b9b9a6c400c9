/* merchant_feed_test.c - feeds as tables, RSS and Atom; what is refused; the same in pieces of any size. */
#include "test/test.h"

#include "service/collect/import_rig.h"
#include "service/collect/merchant_xml.h"

#include <stdio.h>

static void check(souk_test *test, const souk_import_options *options, const char *text,
                  const char *expected)
{
    for (size_t chunk = 0; chunk < 60; chunk += chunk < 4 ? 1 : 17) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        souk_diag diag = {.words = ""};
        souk_err err = rig_read(test->mem, &souk_import_merchant_feed, options, souk_text_of(text),
                                chunk, &out, &diag);
        if (err)
            test_fail(test, __FILE__, __LINE__, "%s: %s", souk_err_name(err), diag.words);
        SOUK_CHECK_TEXT(souk_buf_view(&out), expected);
    }
}

#define NAMESPACE "xmlns:g=\"http://base.google.com/ns/1.0\""

SOUK_TEST("a table by tabs is products, a column that comes again a list, an inch sign a letter")
{
    check(test, NULL,
          "id\tTitle\tg:price\timage link\tgtin\tadditional image "
          "link\tadditional_image_link\tproduct_type\n"
          "A\tTea 5\" pot\t15.00 CNY\thttps://i\t4 006381 333931\tu1\tu2\tFood > Tea\n"
          "B\tCup\tCNY 1,015.00\t\t\t\t\t\nB\tCup\t1 CNY\nC\tx\tcheap\n\tx\t1 CNY\n",
          "product 1 A | Tea 5\" pot |  | Food > Tea | 4006381333931 |  | https://i |  | 15 CNY | "
          "{\"additional_image_link\":[\"u1\",\"u2\"]}\n"
          "product 2 B | Cup |  |  |  |  |  |  | 1015 CNY | \n"
          "fault 3 line 4: the id 'B' stands in this feed before: "
          "{\"id\":\"B\",\"title\":\"Cup\",\"price\":"
          "\"1 CNY\"}\n"
          "fault 4 line 5: price is no amount such as 15.00 CNY: "
          "{\"id\":\"C\",\"title\":\"x\",\"price\":"
          "\"cheap\"}\n"
          "fault 5 line 6: the product has no code: give it one: {\"title\":\"x\",\"price\":\"1 "
          "CNY\"}\n"
          "rows 5\n");
}

SOUK_TEST("RSS 2.0: names of Google before those of RSS, nested ones by their path, entities of "
          "XML alone")
{
    check(
        test, NULL,
        "<?xml version=\"1.0\"?>\n<rss version=\"2.0\" " NAMESPACE "><channel><title>Shop</title>"
        "<item><title>plain</title><g:title>Tea &amp; &#x8336;</g:title><g:id> A </g:id>"
        "<link>https://x</link><guid>7</guid><description><![CDATA[<b>good</b>]]></description>"
        "<g:price>15.00 CNY</g:price><g:availability>in stock</g:availability>"
        "<g:shipping><g:country>DE</g:country><g:price>1 EUR</g:price></g:shipping>"
        "<g:google_product_category>499</g:google_product_category><other>x</other></item>\n"
        "<item><g:id>B</g:id><g:price>1</g:price></item></channel></rss>",
        "product 1 A | Tea & \xE8\x8C\xB6 |  | 499 |  | https://x |  | in_stock | 15 CNY | "
        "{\"description\":\"<b>good</b>\",\"shipping.country\":\"DE\",\"shipping.price\":\"1 "
        "EUR\"}\n"
        "fault 2 line 3: price has no currency: write 15.00 CNY, or pass --currency: {\"id\":\"B\","
        "\"price\":\"1\"}\n"
        "rows 2\n");
}

SOUK_TEST("Atom: links by their href, the id of Google before that of Atom")
{
    souk_import_options options = {.currency = SOUK_TEXT("EUR")};
    check(test, &options,
          "<feed xmlns=\"http://www.w3.org/2005/Atom\" " NAMESPACE "><title>Shop</title><entry>"
          "<id>tag:shop,2026:a</id><g:id>A</g:id><title>Tea</title><summary>good</summary>"
          "<link rel=\"self\" href=\"https://self\"/><link "
          "href=\"https://x\"/><g:price>2</g:price></entry>"
          "</feed>",
          "product 1 A | Tea |  |  |  | https://x |  |  | 2 EUR | {\"summary\":\"good\"}\n"
          "rows 1\n");
}

SOUK_TEST("what is no feed, or more than one, is refused with words")
{
    static const struct {
        const char *text;
        souk_err err;
        const char *words;
    } bad[] = {
        {"", SOUK_EINVAL, "the file is empty"},
        {"   \n", SOUK_EINVAL, "the file is empty"},
        {"name\tprice\nx\t1\n", SOUK_EINVAL, "line 1 has no column id"},
        {"store_code\tid\tquantity\nS\tA\t1\n", SOUK_EINVAL, "stock by store is not taken yet"},
        {"<rss><item><id>A</id><store_code>", SOUK_ESYNTAX, "line 1, column"},
        {"<rss " NAMESPACE "><item><g:id>A</g:id><g:store_code>S</g:store_code></item></rss>",
         SOUK_EINVAL, "stock by store is not taken yet"},
        {"<!DOCTYPE rss [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><rss><item>&b;</item></rss>",
         SOUK_EINVAL, "declares a document type"},
        {"<rss><item><id>&file;</id></item></rss>", SOUK_ESYNTAX, "undefined entity"},
        {"<html><body/></html>", SOUK_EINVAL, "the root is 'html'"},
        {"<rss><item></rss>", SOUK_ESYNTAX, "mismatched tag"},
        {"<rss/><rss/>", SOUK_ESYNTAX, "junk after document element"},
        {"<?xml version=\"1.0\" encoding=\"GB18030\"?><rss/>", SOUK_EUNSUPPORTED,
         "write it in UTF-8"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        souk_diag diag = {.words = ""};
        souk_err err = rig_read(test->mem, &souk_import_merchant_feed, NULL,
                                souk_text_of(bad[i].text), 0, &out, &diag);
        if (err != bad[i].err || !strstr(diag.words, bad[i].words))
            test_fail(test, __FILE__, __LINE__, "%s: %s: %s", bad[i].text, souk_err_name(err),
                      diag.words);
    }
}

SOUK_TEST("an item beyond the bounds is a fault, and the next one is read; depth has an end")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem}, out = {.mem = test->mem};
    souk_diag diag = {.words = ""};
    souk_buf_print(&text, "<rss " NAMESPACE "><item><g:id>A</g:id>");
    for (unsigned i = 0; i <= MERCHANT_FIELDS; i++)
        souk_buf_print(&text, "<g:f%u>x</g:f%u>", i, i);
    souk_buf_print(&text, "</item><item><g:id>B</g:id></item><item><g:id>C</g:id><g:description>");
    for (unsigned i = 0; i < MERCHANT_ITEM_BYTES / 16; i++)
        souk_buf_print(&text, "0123456789abcdef");
    souk_buf_print(&text, "</g:description></item></rss>");
    SOUK_MUST(
        rig_read(test->mem, &souk_import_merchant_feed, NULL, souk_buf_view(&text), 0, &out, NULL));
    SOUK_CHECK(rig_has(&out, "fault 1 line 1: the item has more than 500 fields or 262144 bytes"));
    SOUK_CHECK(rig_has(&out, "product 2 B |"));
    SOUK_CHECK(rig_has(&out, "fault 3 line 1: the item has more than"));
    souk_buf_clear(&text);
    souk_buf_print(&text, "<rss>");
    for (unsigned i = 0; i < 100000; i++)
        souk_buf_print(&text, "<a>");
    SOUK_CHECK_ERR(
        rig_read(test->mem, &souk_import_merchant_feed, NULL, souk_buf_view(&text), 0, &out, &diag),
        SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "nested deeper than 32"));
}
