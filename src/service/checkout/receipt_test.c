/* receipt_test.c - chains that show any change, and lines that come back at most as often as they were sold. */
#include "service/checkout/receipt.h"

#include "os/thread.h"
#include "test/test.h"

#include "store/ledger_shop.h"

#include <stdio.h>

static const souk_effect_owners owners = {
    .of = {[SOUK_EFFECT_RECEIPT] = {souk_receipt_apply, NULL}}};

#define EACH_COUNTER(shop, ...)                   \
    EACH_SHOP(shop, __VA_ARGS__)                  \
    if (souk_receipts_migrate(shop.ledger, NULL)) \
        SOUK_CHECK(!"migrated");                  \
    else

static souk_err hand_over(struct shop *shop, souk_receipt *receipt, souk_diag *ret_diag)
{
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_plan plan = {.arena = &arena, .merchant = 1, .at = receipt->at};
    char key[100];
    snprintf(key, sizeof key, "%.*s/%.*s", SOUK_TEXT_PRINT(receipt->store),
             SOUK_TEXT_PRINT(receipt->till));
    souk_receipt_prepare(receipt);
    souk_plan_add(&plan, SOUK_EFFECT_RECEIPT, souk_text_of(key), 1, receipt);
    souk_err err = souk_plan_run(shop->ledger, &owners, &plan);
    *ret_diag = plan.diag;
    souk_arena_done(&arena);
    return err;
}

static souk_receipt sale_of(const char *till, const char *body)
{
    return (souk_receipt){.store = SOUK_TEXT("SH-014"),
                          .till = souk_text_of(till),
                          .kind = SOUK_RECEIPT_SALE,
                          .at = 1767268800000,
                          .currency = "CNY",
                          .total_minor = 4210,
                          .body = souk_text_of(body),
                          .id = {7, 8}};
}

static souk_receipt return_of(int64_t number, const souk_receipt_back *backs, size_t count)
{
    souk_receipt back = sale_of("3", "{\"back\":true}");
    back.kind = count ? SOUK_RECEIPT_RETURN : SOUK_RECEIPT_VOID;
    back.of = (souk_receipt_name){1, SOUK_TEXT("SH-014"), SOUK_TEXT("3"), number};
    back.backs = backs;
    back.back_count = count;
    return back;
}

struct asked {
    souk_receipt_name name;
    souk_arena arena;
    souk_receipt_row row;
    souk_decimal returned;
};

static souk_err ask_receipt(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    SOUK_TRY(souk_receipt_returned(tx, &asked->name, 1, &asked->returned));
    return souk_receipt_read(tx, &asked->name, &asked->arena, &asked->row);
}

static struct asked asked_of(souk_test *test, const char *till, int64_t number)
{
    return (struct asked){.name = {1, SOUK_TEXT("SH-014"), souk_text_of(till), number},
                          .arena = {.mem = test->mem}};
}

SOUK_TEST("receipts of a till are numbered without a gap, each with the hash of the one before")
{
    EACH_COUNTER(shop, .readers = 1)
    {
        souk_diag diag;
        souk_receipt sales[3] = {sale_of("3", "{\"n\":1}"), sale_of("4", "{}"),
                                 sale_of("3", "{\"n\":2}")};
        uint64_t count;
        for (int i = 0; i < 3; i++)
            SOUK_MUST(hand_over(&shop, &sales[i], &diag));
        SOUK_CHECK(sales[0].number == 1 && sales[1].number == 1 && sales[2].number == 2);
        struct asked asked = asked_of(test, "3", 2);
        SOUK_MUST(souk_ledger_read(shop.ledger, ask_receipt, &asked));
        SOUK_CHECK_TEXT(asked.row.body, "{\"n\":2}");
        SOUK_CHECK(!memcmp(asked.row.before, sales[0].hash, SOUK_SHA256_BYTES));
        SOUK_CHECK(!memcmp(asked.row.hash, sales[2].hash, SOUK_SHA256_BYTES));
        SOUK_CHECK(asked.row.total_minor == 4210 && asked.row.id.high == 8 && !asked.row.is_void);
        SOUK_CHECK(asked.row.kind == SOUK_RECEIPT_SALE && !strcmp(asked.row.currency, "CNY"));
        souk_arena_done(&asked.arena);
        asked = asked_of(test, "3", 3);
        SOUK_CHECK_ERR(souk_ledger_read(shop.ledger, ask_receipt, &asked), SOUK_ENOENT);
        souk_arena_done(&asked.arena);
        SOUK_MUST(souk_receipts_verify(shop.ledger, &count, NULL));
        SOUK_CHECK(count == 3);
    }
}

/* What anybody can compute from what was printed, with sha256sum. */
SOUK_TEST("the hash of a first receipt is that of zeros, of its body's hash and of its name")
{
    EACH_COUNTER(shop, .readers = 1)
    {
        souk_diag diag;
        souk_receipt sale = sale_of("3", "{}");
        unsigned char zeros[32] = {0}, body[32], hash[32];
        souk_text text = SOUK_TEXT("{}");
        souk_sha256(&text, 1, body);
        souk_text parts[] = {
            {(const char *)zeros, 32}, {(const char *)body, 32}, SOUK_TEXT("SH-014/3/1")};
        souk_sha256(parts, 3, hash);
        SOUK_MUST(hand_over(&shop, &sale, &diag));
        SOUK_CHECK(!memcmp(hash, sale.hash, sizeof hash));
    }
}

SOUK_TEST("names that would not fit on a receipt are refused in words")
{
    EACH_COUNTER(shop, .readers = 1)
    {
        static const char *const names[] = {
            "", "a/b", "a b", "\n", "kasse\xc3\xa4", "123456789012345678901234567890123"};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            souk_diag diag;
            souk_receipt sale = sale_of(names[i], "{}");
            SOUK_CHECK_ERR(hand_over(&shop, &sale, &diag), SOUK_EINVAL);
            SOUK_CHECK(strstr(diag.words, "till"));
        }
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM till") == 0);
    }
}

SOUK_TEST("a line comes back at most as often as it was sold; a refused return leaves nothing")
{
    EACH_COUNTER(shop, .readers = 1)
    {
        souk_diag diag;
        souk_receipt sale = sale_of("3", "{}");
        SOUK_MUST(hand_over(&shop, &sale, &diag));
        souk_receipt_back two[] = {{1, {2000000}, {3000000}, {0}}, {2, {500000}, {500000}, {0}}};
        souk_receipt first = return_of(1, two, 2), second = return_of(1, two, 1);
        SOUK_MUST(hand_over(&shop, &first, &diag));
        SOUK_CHECK_ERR(hand_over(&shop, &second, &diag), SOUK_ECONFLICT);
        SOUK_CHECK_TEXT(souk_text_of(diag.words),
                        "line 1: another return of this receipt came first: send it again");
        two[0].before.micro = 2000000;
        second = return_of(1, two, 1);
        SOUK_CHECK_ERR(hand_over(&shop, &second, &diag), SOUK_ECONFLICT);
        SOUK_CHECK_TEXT(souk_text_of(diag.words),
                        "line 1: more would come back than the 3 that were sold");
        struct asked asked = asked_of(test, "3", 1);
        SOUK_MUST(souk_ledger_read(shop.ledger, ask_receipt, &asked));
        SOUK_CHECK(asked.returned.micro == 2000000);
        souk_arena_done(&asked.arena);
        souk_receipt of_return = return_of(2, two, 1), of_none = return_of(9, two, 1);
        SOUK_CHECK_ERR(hand_over(&shop, &of_return, &diag), SOUK_ECONFLICT);
        SOUK_CHECK_ERR(hand_over(&shop, &of_none, &diag), SOUK_ENOENT);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM receipt") == 2);
    }
}

SOUK_TEST("a receipt is void once, not after a return, and nothing comes back of a void one")
{
    EACH_COUNTER(shop, .readers = 1)
    {
        souk_diag diag;
        souk_receipt sales[2] = {sale_of("3", "{}"), sale_of("3", "{}")};
        SOUK_MUST(hand_over(&shop, &sales[0], &diag));
        SOUK_MUST(hand_over(&shop, &sales[1], &diag));
        souk_receipt_back one = {1, {1000000}, {1000000}, {0}};
        souk_receipt voids = return_of(1, NULL, 0), again = return_of(1, NULL, 0);
        souk_receipt back = return_of(1, &one, 1);
        SOUK_MUST(hand_over(&shop, &voids, &diag));
        SOUK_CHECK_ERR(hand_over(&shop, &again, &diag), SOUK_ECONFLICT);
        SOUK_CHECK_ERR(hand_over(&shop, &back, &diag), SOUK_ECONFLICT);
        struct asked asked = asked_of(test, "3", 1);
        SOUK_MUST(souk_ledger_read(shop.ledger, ask_receipt, &asked));
        SOUK_CHECK(asked.row.is_void);
        souk_arena_done(&asked.arena);

        souk_receipt part = return_of(2, &one, 1), late = return_of(2, NULL, 0);
        SOUK_MUST(hand_over(&shop, &part, &diag));
        SOUK_CHECK_ERR(hand_over(&shop, &late, &diag), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(diag.words, "return the rest"));
    }
}

static void check_broken(souk_test *test, struct shop *shop, const char *change, const char *undo)
{
    uint64_t count;
    souk_diag diag = {0};
    must_sql(test, shop, change);
    souk_err err = souk_receipts_verify(shop->ledger, &count, &diag);
    if (err != SOUK_ECORRUPT)
        test_fail(test, __FILE__, __LINE__, "not noticed: %s", change);
    must_sql(test, shop, undo);
    SOUK_MUST(souk_receipts_verify(shop->ledger, &count, NULL));
}

SOUK_TEST("verify notices a receipt that was changed, moved, taken out, put in or cut off")
{
    EACH_COUNTER(shop, .readers = 1)
    {
        souk_diag diag;
        for (int i = 0; i < 4; i++) {
            char body[20];
            snprintf(body, sizeof body, "{\"n\":%d}", i);
            souk_receipt sale = sale_of("3", body);
            SOUK_MUST(hand_over(&shop, &sale, &diag));
        }
        check_broken(test, &shop, "UPDATE receipt SET body = '{\"n\":9}' WHERE number = 2",
                     "UPDATE receipt SET body = '{\"n\":1}' WHERE number = 2");
        check_broken(test, &shop, "UPDATE receipt SET number = 9 WHERE number = 2",
                     "UPDATE receipt SET number = 2 WHERE number = 9");
        check_broken(test, &shop, "UPDATE till SET name = '5'", "UPDATE till SET name = '3'");
        check_broken(test, &shop, "UPDATE till SET number = 5", "UPDATE till SET number = 4");
        must_sql(test, &shop, "DELETE FROM receipt WHERE number = 4");
        uint64_t count;
        SOUK_CHECK_ERR(souk_receipts_verify(shop.ledger, &count, &diag), SOUK_ECORRUPT);
    }
}

/* ---- many at once -------------------------------------------------------------------------------------------- */

enum { CLERKS = 6, TRIES = 20 };
struct clerk {
    struct shop *shop;
    unsigned number, sold, back, others;
    souk_thread thread;
};

/* One piece of the first receipt's 30, as often as another return came first. */
static souk_err bring_one_back(struct shop *shop, souk_diag *diag)
{
    for (;;) {
        struct asked asked = {.name = {1, SOUK_TEXT("SH-014"), SOUK_TEXT("3"), 1},
                              .arena = {.mem = souk_mem_heap()}};
        souk_err err = souk_ledger_read(shop->ledger, ask_receipt, &asked);
        souk_receipt_back one = {1, {1000000}, {30000000}, asked.returned};
        souk_receipt back = return_of(1, &one, 1);
        souk_arena_done(&asked.arena);
        if (!err)
            err = hand_over(shop, &back, diag);
        if (err != SOUK_ECONFLICT || !strstr(diag->words, "came first"))
            return err;
    }
}

/* All sell at two tills, and all bring back line 1 of the same first receipt, which held 30. */
static void work(void *context)
{
    struct clerk *clerk = context;
    for (unsigned i = 0; i < TRIES; i++) {
        souk_diag diag;
        souk_receipt sale = sale_of(i % 2 ? "3" : "4", "{}");
        souk_err err = hand_over(clerk->shop, &sale, &diag);
        clerk->sold += !err;
        clerk->others += err != SOUK_OK;
        err = bring_one_back(clerk->shop, &diag);
        clerk->back += !err;
        clerk->others += err != SOUK_OK && err != SOUK_ECONFLICT;
    }
}

SOUK_TEST("six clerks at two tills: no number twice, no chain broken, thirty pieces come back and "
          "no more")
{
    EACH_COUNTER(shop, .readers = 1)
    {
        if (shop.how->no_thread)
            continue;
        struct clerk clerks[CLERKS];
        unsigned back = 0;
        uint64_t count;
        souk_diag diag;
        souk_receipt sale = sale_of("3", "{}");
        SOUK_MUST(hand_over(&shop, &sale, &diag));
        for (unsigned i = 0; i < CLERKS; i++) {
            clerks[i] = (struct clerk){.shop = &shop, .number = i};
            SOUK_MUST(souk_thread_start(&clerks[i].thread, "clerk", work, &clerks[i]));
        }
        for (unsigned i = 0; i < CLERKS; i++) {
            souk_thread_join(&clerks[i].thread);
            SOUK_CHECK(clerks[i].sold == TRIES && clerks[i].others == 0);
            back += clerks[i].back;
        }
        SOUK_CHECK(back == 30);
        SOUK_MUST(souk_receipts_verify(shop.ledger, &count, NULL));
        SOUK_CHECK(count == 1 + CLERKS * TRIES + 30);
    }
}
