/* levels_history_test.c - the movements of a level, page by page, along the chain and by the index. */
#include "test/test.h"

#include "service/stock/levels_rig.h"

enum { MOVEMENTS = 40 };

static souk_movement in_of(const char *product, int64_t quantity)
{
    return (souk_movement){.place = {1, SOUK_TEXT("SH-014"), souk_text_of(product)},
                           .kind = SOUK_MOVE_RECEIVED,
                           .on_hand = {quantity},
                           .at = 1767268800000 + quantity,
                           .opens = true};
}

struct paged {
    souk_test *test;
    int64_t last_id, next; /* next: the quantity that is to come */
    unsigned count;
};

static souk_err take_moved(void *context, const souk_moved *moved)
{
    struct paged *paged = context;
    souk_test *test = paged->test;
    SOUK_CHECK(moved->id < paged->last_id && moved->on_hand.micro == paged->next);
    paged->last_id = moved->id;
    paged->next--;
    paged->count++;
    return SOUK_OK;
}

static void check_pages(souk_test *test, souk_levels *levels, const char *product)
{
    souk_movement of = in_of(product, 0);
    struct paged paged = {.test = test, .last_id = INT64_MAX, .next = MOVEMENTS};
    do {
        paged.count = 0;
        SOUK_MUST(souk_levels_moved(levels, &of.place, paged.last_id, 7, take_moved, &paged));
    } while (paged.count == 7);
    SOUK_CHECK(paged.next == 0);
}

SOUK_TEST("every movement of a level comes once, newest first, however the pages are cut")
{
    EACH_SHOP(shop, .readers = 2)
    {
        for (int rows_alone = 0; rows_alone < 2; rows_alone++) {
            souk_auto(souk_levels) levels = open_levels(test, &shop, rows_alone);
            for (int64_t i = 1; i <= MOVEMENTS; i++) {
                souk_stock_level after;
                bool more;
                souk_movement tea = in_of("tea", i), salt = in_of("salt", i);
                struct moving undone = {
                    .levels = levels, .movements = &tea, .count = 1, .answer = SOUK_EDENIED};
                SOUK_MUST(move_one(&shop, levels, &tea, &after));
                SOUK_CHECK_ERR(souk_ledger_write(shop.ledger, SOUK_LANE_TILL, move_all, &undone),
                               SOUK_EDENIED);
                SOUK_MUST(move_one(&shop, levels, &salt, &after));
                if (i % 9 == 0)
                    SOUK_MUST(souk_levels_keep(levels, 1, &more));
                if (i % 13 == 0 && !rows_alone) { /* a restart */
                    souk_levels_free(souk_take(&levels));
                    levels = open_levels(test, &shop, false);
                }
            }
            check_pages(test, levels, "tea");
            check_pages(test, levels, "salt");
            SOUK_MUST(souk_levels_verify(levels, NULL));
        }
    }
}

SOUK_TEST("a chain that leaves out a movement is noticed, and a page behind another's movement "
          "is refused")
{
    EACH_SHOP(shop, .readers = 1)
    {
        souk_auto(souk_levels) levels = open_levels(test, &shop, false);
        souk_stock_level after;
        souk_levels_counters counters;
        souk_diag diag = {0};
        struct paged paged = {.test = test, .last_id = INT64_MAX, .next = 3};
        for (int64_t i = 1; i <= 3; i++) {
            souk_movement tea = in_of("tea", i), salt = in_of("salt", i);
            SOUK_MUST(move_one(&shop, levels, &tea, &after));
            SOUK_MUST(move_one(&shop, levels, &salt, &after));
        }
        souk_levels_count(levels, &counters);
        if (counters.levels == 0)
            continue; /* several writers: there is no chain */
        souk_movement salt = in_of("salt", 0);
        SOUK_CHECK_ERR(souk_levels_moved(levels, &salt.place, 5, 9, take_moved, &paged),
                       SOUK_EINVAL); /* 5 is tea's */
        must_sql(test, &shop, "UPDATE stock_movement SET before = 1 WHERE id = 5");
        SOUK_CHECK_ERR(souk_levels_verify(levels, &diag), SOUK_ECORRUPT);
        SOUK_CHECK(strstr(diag.words, "movement 5 of stock does not follow"));
    }
}
