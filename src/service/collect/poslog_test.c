/* poslog_test.c - tills' documents, whole and in pieces, and what may not be read. */
#include "service/collect/poslog.h"
#include "test/test.h"

#include "service/collect/foreign_poslog.h"
#include "service/collect/tell_rig.h"

#include <malloc.h>
#include <stdio.h>

#define V2_HEAD                                                                            \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<POSLog xmlns=\"http://www.nrf-arts.org/" \
    "IXRetail/namespace/\" xmlns:v=\"http://vendor.example/tlog\">"
/* What stands in front of each transaction's own content. */
#define V2_TOP(attributes, number)                                                \
    "<Transaction" attributes "><RetailStoreID>0042</RetailStoreID>"              \
    "<WorkstationID>3</WorkstationID><SequenceNumber>" number "</SequenceNumber>" \
    "<BusinessDayDate>2026-01-02</BusinessDayDate>"                               \
    "<BeginDateTime>2026-01-02T10:00:00</BeginDateTime>"                          \
    "<EndDateTime>2026-01-02T10:02:54</EndDateTime><OperatorID>94</OperatorID>"   \
    "<CurrencyCode>EUR</CurrencyCode>"
#define SALE_OF(id, price, amount, quantity)                                                 \
    "<Sale ItemType=\"Stock\"><POSIdentity POSIDType=\"GTIN\"><POSItemID>" id                \
    "</POSItemID></POSIdentity><ItemID>I-" id "</ItemID><RegularSalesUnitPrice>" price       \
    "</RegularSalesUnitPrice><ExtendedAmount>" amount "</ExtendedAmount><Quantity>" quantity \
    "</Quantity></Sale>"
#define LINE(content)       "<LineItem EntryMethod=\"Scanned\">" content "</LineItem>"
#define RETAIL(content)     "<RetailTransaction Version=\"2.2\">" content "</RetailTransaction>"
#define ONE_SALE            RETAIL(LINE(SALE_OF("4006381333931", "2.50", "5.00", "2")))
#define V2(number, content) V2_HEAD V2_TOP("", number) content "</Transaction></POSLog>"

static const char receipt[] = V2(
    "17",
    RETAIL(
        "<LineItem EntryMethod=\"Scanned\"><SequenceNumber>1</SequenceNumber><Sale "
        "ItemType=\"Stock\"><POSIdentity POSIDType=\"GTIN\"><POSItemID>4006381333931</POSItemID>"
        "<Qualifier>6</Qualifier></POSIdentity><ItemID>A-1</ItemID><MerchandiseHierarchy "
        "Level=\"Department\" v:Text=\"x\">Pens</MerchandiseHierarchy><Description> Pen &amp; "
        "ink</Description><RegularSalesUnitPrice>3.00</RegularSalesUnitPrice>"
        "<ActualSalesUnitPrice>2.50</ActualSalesUnitPrice><ExtendedAmount>5.00</ExtendedAmount>"
        "<v:Secret>9</v:Secret><v:POSIdentity><POSItemID>wrong</POSItemID></v:POSIdentity>"
        "<Quantity UnitOfMeasureCode=\"EA\">2</Quantity></Sale></LineItem>"
        "<LineItem "
        "EntryMethod=\"Keyed\"><Sale><ItemID>APPLE</ItemID><Description>苹果</Description>"
        "<RegularSalesUnitPrice>2.99</RegularSalesUnitPrice><ExtendedAmount>1.26</ExtendedAmount>"
        "<Quantity UnitOfMeasureCode=\"KGM\">0.42</Quantity></Sale></LineItem>"
        "<LineItem VoidFlag=\"true\">" SALE_OF(
            "999", "9.00", "9.00",
            "1") "</LineItem>"
                 "<LineItem><Return><ItemID>A-2</ItemID><ExtendedAmount>1.00</ExtendedAmount>"
                 "<Quantity>1</Quantity></Return></LineItem>"
                 "<LineItem><Tax><Amount>0.84</Amount></Tax></LineItem>"
                 "<LineItem><Tender TenderType=\"Cash\" TypeCode=\"Sale\"><Amount>6.00</Amount>"
                 "<TenderChange><Amount>0.74</Amount></TenderChange></Tender></LineItem>"
                 "<LineItem VoidFlag=\"1\"><Tender "
                 "TenderType=\"Check\"><Amount>1</Amount></Tender></LineItem>"
                 "<Total TotalType=\"TransactionNetAmount\">4.42</Total>"
                 "<Total TotalType=\"TransactionGrandAmount\">5.26</Total>"
                 "<Customer><CustomerID>C-7</CustomerID><Name>Ada Lovelace</Name><Address><eMail>"
                 "ada@example.org</eMail></Address><TelephoneNumber><FullTelephoneNumber>+49 30 "
                 "1234"
                 "</FullTelephoneNumber></TelephoneNumber></Customer>"
                 "<LoyaltyAccount><LoyaltyAccountID>9001</LoyaltyAccountID></LoyaltyAccount>"));

SOUK_TEST("a receipt of version 2.2 is told with its lines, its payment and its customer")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(&rig, &souk_foreign_poslog, "", receipt));
    SOUK_CHECK(rig.events == 1 && rig.refused == 0);
    SOUK_CHECK_TEXT(
        souk_buf_view(&rig.told),
        "[{\"type\":\"track\",\"event\":\"Receipt Issued\",\"messageId\":\"0042/3/2026-01-02/17\","
        "\"timestamp\":\"2026-01-02T10:02:54.000Z\",\"context\":{\"externalIds\":["
        "{\"type\":\"card\",\"id\":\"C-7\"},{\"type\":\"card\",\"id\":\"9001\"},"
        "{\"type\":\"phone\",\"id\":\"+49 30 1234\"},"
        "{\"type\":\"email\",\"id\":\"ada@example.org\"}],\"library\":{\"name\":\"poslog\"}},"
        "\"properties\":{\"receipt_id\":\"0042/3/2026-01-02/17\",\"store_id\":\"0042\","
        "\"till_id\":\"3\",\"operator_id\":\"94\",\"business_date\":\"2026-01-02\","
        "\"local_time\":\"2026-01-02T10:02:54\",\"total\":\"5.26\",\"tax\":\"0.84\","
        "\"currency\":\"EUR\",\"products\":[{\"product_id\":\"4006381333931\",\"sku\":\"A-1\","
        "\"gtin\":\"4006381333931\",\"name\":\"Pen & ink\",\"category\":\"Pens\","
        "\"price\":\"2.50\",\"regular_price\":\"3.00\",\"quantity\":\"2\",\"unit\":\"EA\","
        "\"amount\":\"5.00\",\"entry_method\":\"Scanned\"},{\"product_id\":\"APPLE\","
        "\"sku\":\"APPLE\",\"name\":\"苹果\",\"price\":\"2.99\",\"quantity\":\"0.42\","
        "\"unit\":\"KGM\",\"amount\":\"1.26\",\"entry_method\":\"Keyed\"},"
        "{\"product_id\":\"A-2\",\"sku\":\"A-2\",\"quantity\":\"-1\",\"amount\":\"-1.00\"}],"
        "\"voided_products\":[{\"product_id\":\"999\",\"sku\":\"I-999\",\"price\":\"9.00\","
        "\"quantity\":\"1\",\"amount\":\"9.00\"}],\"tenders\":[{\"type\":\"Cash\","
        "\"amount\":\"6.00\",\"change\":\"0.74\"}]}}]");
    rig_close(&rig);
}

SOUK_TEST(
    "a receipt of version 6 has its store in a business unit, its time a zone, its items tags")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(
        &rig, &souk_foreign_poslog, "",
        "<p:POSLog xmlns:p=\"http://www.nrf-arts.org/IXRetail/v6.0.0/poslog\"><p:Transaction "
        "TrainingModeFlag=\"false\"><p:BusinessUnit><p:UnitID TypeCode=\"RetailStore\">SH-14"
        "</p:UnitID></p:BusinessUnit><p:WorkstationID>7</p:WorkstationID><p:SequenceNumber>17"
        "</p:SequenceNumber><p:BusinessDayDate>2026-01-02</p:BusinessDayDate><p:EndDateTime>"
        "2026-01-02T23:30:00.5+08:00</p:EndDateTime><p:CurrencyCode>CNY</p:CurrencyCode>"
        "<p:ReceiptNumber>R-1</p:ReceiptNumber><p:RetailTransaction "
        "TransactionStatus=\"Delivered\">"
        "<p:LineItem "
        "EntryMethod=\"RFID\"><p:Sale><p:ItemID>875559</p:ItemID><p:ActualSalesUnitPrice>"
        "+19.00</p:ActualSalesUnitPrice><p:ExtendedAmount>019.00</p:ExtendedAmount><p:Quantity "
        "Units=\"1\" UnitOfMeasureCode=\"PCE\"/><p:SerialNumber "
        "Type=\"SGTIN\">30395DFA835709C0000A28D3"
        "</p:SerialNumber></p:Sale></p:LineItem><p:Total TotalType=\"TransactionGrandAmount\">19.00"
        "</p:Total><p:Total TotalType=\"TransactionTaxAmount\">2.19</p:Total></p:RetailTransaction>"
        "</p:Transaction></p:POSLog>"));
    SOUK_CHECK(rig.events == 1);
    SOUK_CHECK(rig_has(&rig, "\"messageId\":\"SH-14/7/2026-01-02/17\""));
    SOUK_CHECK(rig_has(&rig, "\"timestamp\":\"2026-01-02T15:30:00.500Z\""));
    SOUK_CHECK(!rig_has(&rig, "local_time") && !rig_has(&rig, "externalIds"));
    SOUK_CHECK(rig_has(&rig, "\"receipt_number\":\"R-1\",\"total\":\"19.00\",\"tax\":\"2.19\""));
    SOUK_CHECK(rig_has(&rig, "[{\"product_id\":\"875559\",\"sku\":\"875559\",\"price\":\"19.00\","
                             "\"quantity\":\"1\",\"unit\":\"PCE\",\"amount\":\"19.00\","
                             "\"epc\":\"30395DFA835709C0000A28D3\",\"serial\":\"665811\","
                             "\"entry_method\":\"RFID\"}]"));
    rig_close(&rig);
}

SOUK_TEST("a name space of a vendor's own, or none, is read by the names of its elements")
{
    static const char *const heads[] = {"<POSLog>", "<POSLog xmlns='urn:x'>",
                                        "<POSLog xmlns='urn:x' xmlns:y='urn:y'>"};
    struct rig rig;
    char body[4000];
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        snprintf(body, sizeof body, "%s<Body>%s%s</Transaction></Body></POSLog>", heads[i],
                 V2_TOP("", "1"), ONE_SALE);
        SOUK_MUST(rig_tell(&rig, &souk_foreign_poslog, "", body));
        SOUK_CHECK(rig.events == 1 && rig_has(&rig, "\"product_id\":\"4006381333931\""));
    }
    SOUK_MUST(rig_tell(&rig, &souk_foreign_poslog, "", V2_TOP("", "1") ONE_SALE "</Transaction>"));
    SOUK_CHECK(rig.events == 1);
    rig_close(&rig);
}

/* ---- what kind of receipt -------------------------------------------------------------------------------- */

SOUK_TEST("returns alone are a receipt of their own, with what went back as positive figures")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(
        &rig, &souk_foreign_poslog, "",
        V2("18",
           RETAIL(LINE("<Return><ItemID>A</ItemID><ExtendedAmount>-5.00</ExtendedAmount>"
                       "<Quantity>-2</Quantity><TransactionLink ReasonCode=\"Return\">"
                       "<WorkstationID>2</WorkstationID><BusinessDayDate>2025-12-30"
                       "</BusinessDayDate><SequenceNumber>9</SequenceNumber>"
                       "</TransactionLink></Return>")
                      LINE("<Tender TenderType=\"Cash\" TypeCode=\"Refund\"><Amount>-5.00"
                           "</Amount></Tender>") "<Total TotalType=\"TransactionGrandAmount\">"
                                                 "-5.00</Total>"))));
    SOUK_CHECK(rig.events == 1 && rig_has(&rig, "\"event\":\"Receipt Returned\""));
    SOUK_CHECK(rig_has(&rig, "\"original_receipt_id\":\"0042/2/2025-12-30/9\",\"total\":\"5.00\""));
    SOUK_CHECK(rig_has(&rig, "\"quantity\":\"2\",\"amount\":\"5.00\""));
    SOUK_CHECK(rig_has(&rig, "\"tenders\":[{\"type\":\"Cash\",\"amount\":\"5.00\"}]"));
    rig_close(&rig);
}

SOUK_TEST("what was cancelled at the till is voided, training and suspended sales are nothing")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(
        &rig, &souk_foreign_poslog, "",
        V2_HEAD V2_TOP(" CancelFlag=\"true\"", "1") ONE_SALE
        "</Transaction>" V2_TOP(" TrainingModeFlag=\"true\"", "2") ONE_SALE
        "</Transaction>" V2_TOP("", "3") "<RetailTransaction TransactionStatus=\"Suspended\">" LINE(SALE_OF(
            "1", "1", "1",
            "1")) "</RetailTransaction></Transaction>" V2_TOP("",
                                                              "4") "<ControlTransaction><"
                                                                   "ReasonCode>SignOn</"
                                                                   "ReasonCode></"
                                                                   "ControlTransaction>"
                                                                   "</Transaction>" V2_TOP("", "5") RETAIL(
                                                                       "<LineItem "
                                                                       "VoidFlag="
                                                                       "\"true\""
                                                                       ">" SALE_OF(
                                                                           "1", "1", "1",
                                                                           "1") "</"
                                                                                "LineItem"
                                                                                ">") "</"
                                                                                     "Tran"
                                                                                     "sact"
                                                                                     "ion"
                                                                                     ">" V2_TOP(
                                                                                         "",
                                                                                         "6") "<Ret"
                                                                                              "ailT"
                                                                                              "rans"
                                                                                              "ac"
                                                                                              "tion"
                                                                                              "/></"
                                                                                              "Tran"
                                                                                              "sact"
                                                                                              "ion>"
                                                                                              "</"
                                                                                              "POSL"
                                                                                              "og"
                                                                                              ">"));
    SOUK_CHECK(rig.events == 2 && rig_count(&rig, "\"event\":\"Receipt Voided\"") == 2);
    SOUK_CHECK(rig_has(&rig, "2026-01-02/1\"") && rig_has(&rig, "2026-01-02/5\""));
    SOUK_CHECK(rig_has(&rig, "\"amount\":\"5.00\""));
    rig_close(&rig);
}

SOUK_TEST("a receipt that is voided later takes its lines back, those that went back come again")
{
    static const char *const words[] = {
        "<PostVoid/>", "<TransactionLink ReasonCode=\"PostVoided\"><SequenceNumber>17"
                       "</SequenceNumber></TransactionLink>"};
    struct rig rig;
    char body[4000];
    rig_open(&rig, test);
    for (size_t i = 0; i < 2; i++) {
        snprintf(body, sizeof body,
                 V2_HEAD V2_TOP("", "19") RETAIL("%s" LINE(SALE_OF("1", "2.50", "5.00", "2")) LINE(
                     "<Return><ItemID>B</ItemID><ExtendedAmount>1.00</ExtendedAmount>"
                     "</Return>")) "</Transaction></POSLog>",
                 words[i]);
        SOUK_MUST(rig_tell(&rig, &souk_foreign_poslog, "", body));
        SOUK_CHECK(rig.events == 2);
        SOUK_CHECK(
            rig_has(&rig, "\"event\":\"Receipt Voided\",\"messageId\":\"0042/3/2026-01-02/19\""));
        SOUK_CHECK(rig_has(&rig, "\"event\":\"Receipt Returned\",\"messageId\":\"0042/3/2026-01-02/"
                                 "19/void\""));
        SOUK_CHECK(i == 0 ||
                   rig_count(&rig, "\"voided_receipt_id\":\"0042/3/2026-01-02/17\"") == 2);
        SOUK_CHECK(rig_has(&rig, "\"quantity\":\"2\",\"amount\":\"5.00\""));
        SOUK_CHECK(rig_has(&rig, "\"quantity\":\"-1\",\"amount\":\"-1.00\""));
    }
    rig_close(&rig);
}

SOUK_TEST("a receipt with a bad line is refused whole, also where its first events were well")
{
    struct rig rig;
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    rig_open(&rig, test);
    souk_buf_print(&body, "%s", V2_HEAD V2_TOP("", "20") "<RetailTransaction>");
    for (int i = 0; i < 450; i++)
        souk_buf_print(&body,
                       "<LineItem><Sale><ItemID>N%d</ItemID><ExtendedAmount>%s</ExtendedAmount>"
                       "</Sale></LineItem>",
                       i, i == 420 ? "one" : "1");
    souk_buf_print(&body, "</RetailTransaction></Transaction></POSLog>");
    SOUK_MUST(rig_tell_text(&rig, &souk_foreign_poslog, "", souk_buf_view(&body)));
    SOUK_CHECK(rig.events == 0 && rig.refused == 1);
    rig_close(&rig);
}

SOUK_TEST("a receipt of 450 lines is three events, each line in one of them")
{
    struct rig rig;
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    rig_open(&rig, test);
    souk_buf_print(&body, "%s", V2_HEAD V2_TOP("", "20") "<RetailTransaction>");
    for (int i = 0; i < 450; i++)
        souk_buf_print(&body,
                       "<LineItem><Sale><ItemID>N%d</ItemID><ExtendedAmount>1</ExtendedAmount>"
                       "</Sale></LineItem>",
                       i);
    souk_buf_print(&body, "<Total TotalType=\"TransactionGrandAmount\">450</Total>"
                          "</RetailTransaction></Transaction></POSLog>");
    SOUK_MUST(rig_tell_text(&rig, &souk_foreign_poslog, "", souk_buf_view(&body)));
    SOUK_CHECK(rig.events == 3 && rig_count(&rig, "\"event\":\"Receipt Continued\"") == 2);
    SOUK_CHECK(rig_has(&rig, "\"messageId\":\"0042/3/2026-01-02/20/3\""));
    SOUK_CHECK(rig_count(&rig, "\"product_id\"") == 450);
    SOUK_CHECK(rig_count(&rig, "\"total\":\"450\"") == 1 &&
               rig_count(&rig, "\"total\":\"0\"") == 2);
    for (int i = 0; i < 450; i += 7) {
        char line[40];
        snprintf(line, sizeof line, "\"product_id\":\"N%d\"", i);
        SOUK_CHECK(rig_count(&rig, line) == 1);
    }
    rig_close(&rig);
}

SOUK_TEST("a vendor's loyalty is read, a blank card and a card told twice are not")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(
        &rig, &souk_foreign_poslog, "",
        V2("21", RETAIL(LINE(SALE_OF("1", "1", "1", "1")) LINE(
                     "<v:LoyaltyMembership><v:LoyaltyID>40000666</v:LoyaltyID>"
                     "<v:MembershipID>40000666</v:MembershipID><v:HouseholdID>5"
                     "</v:HouseholdID></v:LoyaltyMembership>") "<Customer><CustomerID>0000</"
                                                               "CustomerID></Customer>"))));
    SOUK_CHECK(rig_has(&rig, "\"externalIds\":[{\"type\":\"card\",\"id\":\"40000666\"}]"));
    rig_close(&rig);
}

/* ---- faults ------------------------------------------------------------------------------------------------- */

SOUK_TEST("a transaction at fault is refused alone, with its own text, and can be told alone")
{
    static const struct {
        const char *content, *words;
    } bad[] = {
        {RETAIL(LINE("<SequenceNumber>4</SequenceNumber><Sale><ItemID>A</ItemID><ExtendedAmount>"
                     "five</ExtendedAmount></Sale>")),
         "line 4: ExtendedAmount 'five' is no number"},
        {RETAIL(LINE("<Sale><ItemID>A</ItemID><ExtendedAmount>1e3</ExtendedAmount></Sale>")),
         "ExtendedAmount '1e3'"},
        {RETAIL(LINE("<Sale><ItemID>A</ItemID><Quantity>99999999999999</Quantity></Sale>")),
         "Quantity"},
        {RETAIL(LINE("<Sale><ItemID>A</ItemID></Sale>") LINE("<Tax><Amount>x</Amount></Tax>")),
         "Amount of a Tax"},
        {RETAIL(LINE("<Tender><Amount>x</Amount></Tender>")), "Amount of a Tender"},
        {RETAIL(LINE(SALE_OF("1", "1", "1", "1")) "<Total TotalType=\"TransactionGrandAmount\">x"
                                                  "</Total>"),
         "Total 'x'"},
    };
    struct rig rig;
    char body[6000], alone[3000];
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(alone, sizeof alone, "%s%s</Transaction>", V2_TOP("", "2"), bad[i].content);
        snprintf(body, sizeof body, "%s%s%s</Transaction>\n%s\n%s%s</Transaction></POSLog>",
                 V2_HEAD, V2_TOP("", "1"), ONE_SALE, alone, V2_TOP("", "3"), ONE_SALE);
        SOUK_MUST(rig_tell(&rig, &souk_foreign_poslog, "", body));
        SOUK_CHECK(rig.events == 2 && rig.refused == 1);
        SOUK_CHECK(strstr(rig.faults[0].words, bad[i].words));
        SOUK_CHECK_TEXT(rig.parts[0], alone);
        SOUK_MUST(rig_tell(&rig, &souk_foreign_poslog, "", alone));
        SOUK_CHECK(rig.events == 0 && rig.refused == 1);
        SOUK_CHECK_TEXT(rig.parts[0], alone);
    }
    rig_close(&rig);
}

SOUK_TEST("a transaction without its natural key or its time is refused with what is missing")
{
    static const struct {
        const char *body, *words;
    } bad[] = {
        {"<Transaction>" ONE_SALE "</Transaction>", "RetailStoreID"},
        {"<Transaction><RetailStoreID>1</RetailStoreID>" ONE_SALE "</Transaction>",
         "SequenceNumber"},
        {"<Transaction><RetailStoreID>1</RetailStoreID><SequenceNumber>2</SequenceNumber>" ONE_SALE
         "</Transaction>",
         "BusinessDayDate"},
        {"<Transaction><RetailStoreID>1</RetailStoreID><SequenceNumber>2</SequenceNumber>"
         "<BusinessDayDate>yesterday</BusinessDayDate>" ONE_SALE "</Transaction>",
         "the time 'yesterday'"},
    };
    struct rig rig;
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        SOUK_MUST(rig_tell(&rig, &souk_foreign_poslog, "", bad[i].body));
        SOUK_CHECK(rig.events == 0 && rig.refused == 1);
        SOUK_CHECK(strstr(rig.faults[0].words, bad[i].words));
    }
    rig_close(&rig);
}

SOUK_TEST("DTDs, entities, foreign encodings and other documents are refused with their place")
{
    static const struct {
        const char *body, *words;
        souk_err err;
    } bad[] = {
        {"<!DOCTYPE POSLog [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><POSLog>&b;</POSLog>",
         "DTD", SOUK_EINVAL},
        {"<!DOCTYPE POSLog SYSTEM \"file:///etc/passwd\"><POSLog/>", "DTD", SOUK_EINVAL},
        {"<POSLog>&b;</POSLog>", "undefined entity", SOUK_ESYNTAX},
        {"<?xml version=\"1.0\" encoding=\"GB18030\"?><POSLog/>", "encoding GB18030", SOUK_EINVAL},
        {"<html/>", "begins with <html>", SOUK_EINVAL},
        {"{\"a\":1}", "no XML", SOUK_ESYNTAX},
        {"", "no XML: no element found", SOUK_ESYNTAX},
        {"<POSLog>", "no XML", SOUK_ESYNTAX},
        {"<POSLog></Transaction>", "mismatched tag", SOUK_ESYNTAX},
        {"<POSLog>\xff</POSLog>", "no XML", SOUK_ESYNTAX},
    };
    struct rig rig;
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        SOUK_CHECK_ERR(rig_tell(&rig, &souk_foreign_poslog, "", bad[i].body), bad[i].err);
        SOUK_CHECK(strstr(rig.diag.words, bad[i].words) && rig.diag.line == 1);
    }
    rig_close(&rig);
}

SOUK_TEST("depth, attributes, fields, lines and tags have their ends")
{
    struct rig rig;
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    rig_open(&rig, test);
    for (int known = 0; known < 2; known++) {
        souk_buf_clear(&body);
        souk_buf_print(&body, "<POSLog><Transaction>%s", known ? "<Customer>" : "");
        for (int i = 0; i < 70; i++)
            souk_buf_print(&body, "<x>");
        SOUK_CHECK_ERR(rig_tell_text(&rig, &souk_foreign_poslog, "", souk_buf_view(&body)),
                       SOUK_ETOOBIG);
        SOUK_CHECK(strstr(rig.diag.words, "64 deep"));
    }
    souk_buf_clear(&body);
    souk_buf_print(&body, "<POSLog");
    for (int i = 0; i < 101; i++)
        souk_buf_print(&body, " a%d=''", i);
    souk_buf_print(&body, "/>");
    SOUK_CHECK_ERR(rig_tell_text(&rig, &souk_foreign_poslog, "", souk_buf_view(&body)),
                   SOUK_ETOOBIG);
    souk_buf_clear(&body);
    souk_buf_print(&body, "%s<RetailTransaction><LineItem><Sale><Description>", V2_TOP("", "1"));
    for (int i = 0; i < 1025; i++)
        souk_buf_byte(&body, 'x');
    souk_buf_print(&body, "</Description></Sale></LineItem></RetailTransaction></Transaction>");
    SOUK_MUST(rig_tell_text(&rig, &souk_foreign_poslog, "", souk_buf_view(&body)));
    SOUK_CHECK(rig.refused == 1 && strstr(rig.faults[0].words, "1024 bytes"));
    souk_buf_clear(&body);
    souk_buf_print(&body, "%s<RetailTransaction>", V2_TOP("", "1"));
    for (int i = 0; i < 5001; i++)
        souk_buf_print(&body, "<LineItem><Sale><ItemID>1</ItemID></Sale></LineItem>");
    souk_buf_print(&body, "</RetailTransaction></Transaction>");
    SOUK_MUST(rig_tell_text(&rig, &souk_foreign_poslog, "", souk_buf_view(&body)));
    SOUK_CHECK(rig.events == 0 && strstr(rig.faults[0].words, "5000 lines"));
    SOUK_CHECK(rig.parts[0].bytes == 65536);
    souk_buf_clear(&body);
    souk_buf_print(&body, "<POSLog a='");
    for (int i = 0; i < 2 << 20; i++)
        souk_buf_byte(&body, 'x');
    SOUK_CHECK_ERR(rig_tell_text(&rig, &souk_foreign_poslog, "", souk_buf_view(&body)),
                   SOUK_ETOOBIG);
    rig_close(&rig);
}

/* ---- in pieces -------------------------------------------------------------------------------------------------- */

struct heard {
    souk_buf text;
    size_t count;
    souk_err answer; /* of the next call */
};

static souk_err hear(void *context, souk_text event, souk_text transaction, const souk_diag *fault)
{
    struct heard *heard = context;
    heard->count++;
    souk_buf_text(&heard->text, event);
    souk_buf_text(&heard->text, transaction);
    if (fault)
        souk_buf_print(&heard->text, "!%s", fault->words);
    souk_buf_byte(&heard->text, '\n');
    return heard->answer ? heard->answer : souk_buf_check(&heard->text);
}

static souk_err read_pieces(souk_mem *mem, souk_text body, size_t most, souk_test *test,
                            struct heard *heard)
{
    souk_auto(souk_poslog) poslog = NULL;
    SOUK_TRY(souk_poslog_new(mem, &(souk_poslog_options){.each = hear, .context = heard}, &poslog));
    while (body.bytes) {
        size_t bytes = souk_min_size(body.bytes, most ? 1 + test_random(test, most) : body.bytes);
        SOUK_TRY(souk_poslog_feed(poslog, (souk_text){body.at, bytes}, bytes == body.bytes, NULL));
        body = (souk_text){body.at + bytes, body.bytes - bytes};
    }
    return SOUK_OK;
}

/* A day of a till, with faults in between. */
static void write_day(souk_test *test, souk_buf *body, size_t count)
{
    souk_buf_print(body, "%s", V2_HEAD);
    for (size_t i = 0; i < count; i++) {
        bool bad = test_random(test, 5) == 0;
        souk_buf_print(body,
                       "\n<!-- %d --><Transaction><RetailStoreID>S</RetailStoreID>"
                       "<SequenceNumber>%zu</SequenceNumber><EndDateTime>2026-01-02T10:00:00Z"
                       "</EndDateTime><RetailTransaction>",
                       (int)test_random(test, 1000), i);
        for (size_t k = 1 + test_random(test, 4); k > 0; k--)
            souk_buf_print(body,
                           "<LineItem><Sale><ItemID>%d</ItemID><Description>茶 &lt;%d&gt;"
                           "</Description><ExtendedAmount>%s</ExtendedAmount></Sale></LineItem>",
                           (int)test_random(test, 99), (int)test_random(test, 99),
                           bad ? "bad" : "1.5");
        souk_buf_print(body, "</RetailTransaction></Transaction>");
    }
    souk_buf_print(body, "</POSLog>");
}

SOUK_TEST(
    "a document in random pieces is the same as whole, with the same texts of what is refused")
{
    for (int round = 0; round < 60; round++) {
        souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
        struct heard whole = {.text = {.mem = souk_mem_heap()}},
                     pieces = {.text = {.mem = souk_mem_heap()}};
        write_day(test, &body, 1 + test_random(test, 20));
        if (round % 3 == 0) /* a mistake in the middle ends both at the same place */
            body.at[body.bytes / 2] = '<';
        souk_err err = read_pieces(test->mem, souk_buf_view(&body), 0, test, &whole);
        SOUK_CHECK_ERR(
            read_pieces(test->mem, souk_buf_view(&body), 1 + test_random(test, 200), test, &pieces),
            err);
        SOUK_CHECK(souk_text_equal(souk_buf_view(&whole.text), souk_buf_view(&pieces.text)));
        SOUK_CHECK(whole.count == pieces.count);
        souk_buf_done(&whole.text);
        souk_buf_done(&pieces.text);
    }
}

/* Gives memory of the heap and keeps count of what is live. */
struct counting {
    souk_mem mem;
    size_t live, most;
};

static void *count_memory(souk_mem *self, void *old, size_t bytes)
{
    struct counting *counting = (struct counting *)(void *)self;
    size_t before = old ? malloc_usable_size(old) : 0;
    void *now = souk_mem_heap()->resize(souk_mem_heap(), old, bytes);
    counting->live += (now ? malloc_usable_size(now) : 0) - (now || bytes == 0 ? before : 0);
    counting->most = souk_max_size(counting->most, counting->live);
    return now;
}

SOUK_TEST("a file of 20,000 receipts takes no more memory than one of 200")
{
    struct counting counting = {.mem = {.resize = count_memory}};
    size_t most = 0;
    souk_auto(souk_poslog) poslog = NULL;
    struct heard heard = {.text = {.mem = souk_mem_heap()}};
    SOUK_MUST(souk_poslog_new(&counting.mem,
                              &(souk_poslog_options){.each = hear, .context = &heard}, &poslog));
    SOUK_MUST(souk_poslog_feed(poslog, SOUK_TEXT("<POSLog>"), false, NULL));
    char one[3000];
    for (int i = 0; i < 20000; i++) {
        int bytes = snprintf(one, sizeof one,
                             "<Transaction><RetailStoreID>S</RetailStoreID><SequenceNumber>%d"
                             "</SequenceNumber><EndDateTime>2026-01-02T10:00:00Z</EndDateTime>%s"
                             "</Transaction>",
                             i, ONE_SALE);
        if (i == 200)
            most = counting.most;
        SOUK_MUST(souk_poslog_feed(poslog, (souk_text){one, (size_t)bytes}, false, NULL));
        souk_buf_clear(&heard.text);
    }
    SOUK_MUST(souk_poslog_feed(poslog, SOUK_TEXT("</POSLog>"), true, NULL));
    SOUK_CHECK(counting.most == most);
    souk_poslog_counts counts = souk_poslog_count(poslog);
    SOUK_CHECK(counts.transactions == 20000 && counts.events == 20000 && counts.refused == 0);
    souk_buf_done(&heard.text);
}

SOUK_TEST("who hears the events may end the reading with an error of his own")
{
    struct heard heard = {.text = {.mem = souk_mem_heap()}, .answer = SOUK_EFULL};
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    write_day(test, &body, 3);
    SOUK_CHECK_ERR(read_pieces(test->mem, souk_buf_view(&body), 0, test, &heard), SOUK_EFULL);
    SOUK_CHECK(heard.count == 1);
    souk_buf_done(&heard.text);
}

SOUK_TEST("a till's document survives any failing allocation")
{
    rig_faults(test, &souk_foreign_poslog, "", receipt);
}
