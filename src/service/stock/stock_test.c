/* stock_test.c - what the owner of stock does and says: verbs, reservations, transfers, races, power cuts, no memory. */
#include "test/test.h"

#include "service/stock/stock_rig.h"

SOUK_TEST("a sale of what is not free is refused in words; a till's sale stands, and a product "
          "that is not kept there moves nothing")
{
    EACH_STOCK(shop, stock, .readers = 1)
    {
        souk_diag diag;
        SOUK_MUST(rig_one(test, &shop, stock, SOUK_STOCK_PUT, "SH/tea", 5000000, NULL));
        SOUK_MUST(rig_reserve(test, &shop, stock, "r", 4500000, rig_noon + 1000));
        SOUK_CHECK_ERR(rig_one(test, &shop, stock, SOUK_STOCK_TAKE, "SH/tea", 1000000, &diag),
                       SOUK_ECONFLICT);
        SOUK_CHECK_TEXT(souk_text_of(diag.words),
                        "tea at SH: 0.5 is free (5 on hand, 4.5 reserved), 1 was asked for");
        SOUK_CHECK_ERR(rig_one(test, &shop, stock, SOUK_STOCK_TAKE, "SH/salt", 1, &diag),
                       SOUK_ENOENT);
        SOUK_CHECK(strstr(diag.words, "salt is not kept in stock at SH"));
        SOUK_CHECK_ERR(rig_one(test, &shop, stock, SOUK_STOCK_TAKE, "tea", 1, &diag), SOUK_EINVAL);
        SOUK_CHECK_ERR(rig_one(test, &shop, stock, SOUK_STOCK_PUT, "SH/tea", -1, &diag),
                       SOUK_EINVAL);
        SOUK_CHECK_ERR(rig_one(test, &shop, stock, SOUK_STOCK_PUT, "SH/tea", INT64_MAX, &diag),
                       SOUK_EINVAL);
        SOUK_MUST(rig_one(test, &shop, stock, SOUK_STOCK_SELL, "SH/tea", 1000000, NULL));
        struct rig_plan rig;
        souk_stock_deed tea = {.verb = SOUK_STOCK_SELL}, salt = {.verb = SOUK_STOCK_SELL};
        rig_begin(test, &rig, rig_noon);
        rig_level(&rig, "SH/tea", 500000, &tea);
        rig_level(&rig, "SH/salt", 500000, &salt);
        SOUK_MUST(rig_run(&rig, &shop, stock));
        SOUK_CHECK(tea.kept && !salt.kept && tea.after.on_hand.micro == 3500000);
        SOUK_MUST(souk_stock_verify(stock, NULL));
    }
}

SOUK_TEST("a reservation is held until its moment, ends once, and says how it ended")
{
    EACH_STOCK(shop, stock, .readers = 1)
    {
        souk_diag diag;
        uint64_t expired;
        SOUK_MUST(rig_one(test, &shop, stock, SOUK_STOCK_PUT, "SH/tea", 10, NULL));
        SOUK_CHECK_ERR(rig_reserve(test, &shop, stock, "r", 11, rig_noon + 1000), SOUK_ECONFLICT);
        SOUK_MUST(rig_reserve(test, &shop, stock, "r", 4, rig_noon + 1000));
        SOUK_CHECK_ERR(rig_reserve(test, &shop, stock, "r", 1, rig_noon + 1000), SOUK_EEXIST);
        SOUK_CHECK_ERR(rig_reserve(test, &shop, stock, "late", 1, rig_noon), SOUK_EINVAL);
        SOUK_CHECK_ERR(rig_reserve(test, &shop, stock, "two words", 1, rig_noon + 1), SOUK_EINVAL);
        SOUK_CHECK_ERR(rig_reserve(test, &shop, stock, "4111111111111111", 1, rig_noon + 1),
                       SOUK_EINVAL);
        /* over, although nobody came by to free it */
        SOUK_CHECK_ERR(rig_end(test, &shop, stock, SOUK_STOCK_FULFIL, "r", rig_noon + 1000, &diag),
                       SOUK_ECONFLICT);
        SOUK_CHECK(strstr(diag.words, "is over its time"));
        SOUK_MUST(rig_end(test, &shop, stock, SOUK_STOCK_FULFIL, "r", rig_noon + 999, &diag));
        SOUK_CHECK(rig_read(test, stock, "SH", "tea").on_hand.micro == 6);
        SOUK_CHECK(rig_read(test, stock, "SH", "tea").reserved.micro == 0);
        SOUK_CHECK_ERR(rig_end(test, &shop, stock, SOUK_STOCK_RELEASE, "r", rig_noon, &diag),
                       SOUK_ECONFLICT);
        SOUK_CHECK(strstr(diag.words, "was fulfilled already"));
        SOUK_CHECK_ERR(rig_end(test, &shop, stock, SOUK_STOCK_RELEASE, "x", rig_noon, &diag),
                       SOUK_ENOENT);

        SOUK_MUST(rig_reserve(test, &shop, stock, "s", 6, rig_noon + 1000));
        SOUK_MUST(souk_stock_expire(stock, rig_noon + 999, &expired));
        SOUK_CHECK(expired == 0);
        SOUK_MUST(souk_stock_expire(stock, rig_noon + 1000, &expired));
        SOUK_CHECK(expired == 1 && rig_read(test, stock, "SH", "tea").reserved.micro == 0);
        SOUK_CHECK_ERR(rig_end(test, &shop, stock, SOUK_STOCK_FULFIL, "s", rig_noon, &diag),
                       SOUK_ECONFLICT);
        SOUK_CHECK(strstr(diag.words, "has expired"));
        SOUK_MUST(souk_stock_verify(stock, NULL));
    }
}

SOUK_TEST("hundreds of reservations that are over are freed in slices, each once")
{
    EACH_STOCK(shop, stock, .readers = 1)
    {
        uint64_t expired;
        char id[16];
        SOUK_MUST(rig_one(test, &shop, stock, SOUK_STOCK_PUT, "SH/tea", 1000, NULL));
        for (int i = 0; i < 100; i++) {
            snprintf(id, sizeof id, "r%d", i);
            SOUK_MUST(rig_reserve(test, &shop, stock, id, 3, rig_noon + 1 + i));
        }
        SOUK_MUST(souk_stock_expire(stock, rig_noon + 50, &expired));
        SOUK_CHECK(expired == 50 && rig_read(test, stock, "SH", "tea").reserved.micro == 150);
        SOUK_MUST(souk_stock_expire(stock, rig_noon + 500, &expired));
        SOUK_CHECK(expired == 50 && rig_read(test, stock, "SH", "tea").reserved.micro == 0);
        SOUK_MUST(souk_stock_verify(stock, NULL));
    }
}

/* ---- transfers ------------------------------------------------------------------------------------------ */

static souk_err send_tea(souk_test *test, struct shop *shop, souk_stock *stock, const char *id,
                         const char *origin, int64_t amount)
{
    struct rig_plan rig;
    souk_stock_line line = {SOUK_TEXT(""), SOUK_TEXT("tea"), {amount}, SOUK_TEXT(""), 0};
    souk_stock_transfer what = {.verb = SOUK_STOCK_SEND,
                                .origin = souk_text_of(origin),
                                .destination = SOUK_TEXT("SH"),
                                .expected = rig_noon + SOUK_DAY_MS,
                                .lines = &line,
                                .line_count = 1};
    rig_begin(test, &rig, rig_noon);
    rig_other(&rig, id, &what);
    return rig_run(&rig, shop, stock);
}

static souk_err arrive_tea(souk_test *test, struct shop *shop, souk_stock *stock, const char *id,
                           int64_t amount, bool last, bool books, souk_diag *diag)
{
    struct rig_plan rig;
    souk_stock_line line = {SOUK_TEXT(""), SOUK_TEXT("tea"), {amount}, SOUK_TEXT(""), 0};
    souk_stock_transfer what = {.verb = SOUK_STOCK_ARRIVE,
                                .lines = &line,
                                .line_count = amount > 0,
                                .last = last,
                                .books = books};
    rig_begin(test, &rig, rig_noon);
    rig_other(&rig, id, &what);
    souk_err err = rig_run(&rig, shop, stock);
    if (diag)
        *diag = rig.plan.diag;
    return err;
}

static souk_err add_coming(void *context, souk_text location, souk_decimal quantity)
{
    (void)location;
    *(int64_t *)context += quantity.micro;
    return SOUK_OK;
}

struct asking {
    souk_time by;
    int64_t sum;
};

static souk_err ask_coming(souk_tx *tx, void *context)
{
    struct asking *asking = context;
    asking->sum = 0;
    return transfers_coming(tx, 1, SOUK_TEXT("tea"), asking->by, add_coming, &asking->sum);
}

static int64_t coming(souk_test *test, struct shop *shop, souk_time by)
{
    struct asking asking = {.by = by};
    SOUK_MUST(souk_ledger_read(shop->ledger, ask_coming, &asking));
    return asking.sum;
}

SOUK_TEST("goods leave one location, are on their way, and arrive in parts, short or over")
{
    EACH_STOCK(shop, stock, .readers = 1)
    {
        souk_diag diag;
        SOUK_MUST(rig_one(test, &shop, stock, SOUK_STOCK_PUT, "WH/tea", 100, NULL));
        SOUK_CHECK_ERR(send_tea(test, &shop, stock, "t", "WH", 101), SOUK_ECONFLICT);
        SOUK_CHECK_ERR(send_tea(test, &shop, stock, "t", "SH", 1), SOUK_EINVAL);
        SOUK_MUST(send_tea(test, &shop, stock, "t", "WH", 10));
        SOUK_CHECK_ERR(send_tea(test, &shop, stock, "t", "WH", 1), SOUK_EEXIST);
        SOUK_CHECK(rig_read(test, stock, "WH", "tea").on_hand.micro == 90);
        SOUK_CHECK(coming(test, &shop, rig_noon + SOUK_DAY_MS) == 10);
        SOUK_CHECK(coming(test, &shop, rig_noon) == 0); /* not yet by then */
        SOUK_MUST(arrive_tea(test, &shop, stock, "t", 6, false, false, NULL));
        SOUK_CHECK(coming(test, &shop, INT64_MAX) == 4);
        SOUK_CHECK_ERR(arrive_tea(test, &shop, stock, "t", 5, false, false, &diag), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(diag.words, "of tea came above what was sent"));
        SOUK_CHECK_ERR(arrive_tea(test, &shop, stock, "t", 3, true, false, &diag), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(diag.words, "of tea has not come"));
        SOUK_CHECK(coming(test, &shop, INT64_MAX) == 4); /* what was refused is undone */
        SOUK_MUST(arrive_tea(test, &shop, stock, "t", 3, true, true, NULL));
        SOUK_CHECK(rig_read(test, stock, "SH", "tea").on_hand.micro == 9);
        SOUK_CHECK(coming(test, &shop, INT64_MAX) == 0);
        SOUK_CHECK_ERR(arrive_tea(test, &shop, stock, "t", 1, false, true, &diag), SOUK_ECONFLICT);
        SOUK_CHECK_ERR(arrive_tea(test, &shop, stock, "u", 1, false, true, &diag), SOUK_ENOENT);

        SOUK_MUST(send_tea(test, &shop, stock, "over", "WH", 2));
        SOUK_MUST(arrive_tea(test, &shop, stock, "over", 3, false, true, NULL));
        SOUK_CHECK(rig_read(test, stock, "SH", "tea").on_hand.micro == 12);
        SOUK_MUST(send_tea(test, &shop, stock, "bought", "", 20)); /* of a supplier */
        SOUK_CHECK(coming(test, &shop, INT64_MAX) == 20);
        SOUK_MUST(arrive_tea(test, &shop, stock, "bought", 15, false, false, NULL));
        SOUK_MUST(arrive_tea(test, &shop, stock, "bought", 0, true, true, NULL));
        SOUK_CHECK(rig_read(test, stock, "SH", "tea").on_hand.micro == 27);
        SOUK_MUST(souk_stock_verify(stock, NULL));
    }
}

SOUK_TEST("verify notices a reservation or a transfer that its levels know nothing of")
{
    EACH_STOCK(shop, stock, .readers = 1)
    {
        souk_diag diag = {0};
        SOUK_MUST(rig_one(test, &shop, stock, SOUK_STOCK_PUT, "SH/tea", 9, NULL));
        SOUK_MUST(rig_reserve(test, &shop, stock, "r", 3, rig_noon + 1000));
        SOUK_MUST(rig_one(test, &shop, stock, SOUK_STOCK_PUT, "WH/tea", 9, NULL));
        SOUK_MUST(send_tea(test, &shop, stock, "t", "WH", 2));
        SOUK_MUST(souk_stock_verify(stock, NULL));
        must_sql(test, &shop, "UPDATE stock_reservation SET state = 3, ended = 1");
        SOUK_CHECK_ERR(souk_stock_verify(stock, &diag), SOUK_ECORRUPT);
        SOUK_CHECK(strstr(diag.words, "what is reserved of tea at SH"));
        must_sql(test, &shop, "UPDATE stock_reservation SET state = 1, ended = NULL");
        must_sql(test, &shop, "UPDATE stock_transfer_line SET sent = 3");
        diag = (souk_diag){0};
        SOUK_CHECK_ERR(souk_stock_verify(stock, &diag), SOUK_ECORRUPT);
        SOUK_CHECK(strstr(diag.words, "what was sent"));
        must_sql(test, &shop, "UPDATE stock_transfer_line SET sent = 2");
        must_sql(test, &shop, "UPDATE stock_transfer SET state = 2, ended = 1");
        diag = (souk_diag){0};
        SOUK_CHECK_ERR(souk_stock_verify(stock, &diag), SOUK_ECORRUPT);
        SOUK_CHECK(strstr(diag.words, "transfer t"));
        must_sql(test, &shop, "UPDATE stock_transfer SET state = 1, ended = NULL");
        SOUK_MUST(souk_stock_verify(stock, NULL));
    }
}

/* ---- races --------------------------------------------------------------------------------------------------- */

enum { CLIENTS = 8, RESERVATIONS = 20 };

struct client {
    souk_test *test;
    struct shop *shop;
    souk_stock *stock;
    souk_thread thread;
    unsigned number;
    uint64_t held, fulfilled, released, expired, others;
};

/* Everybody reaches for the same pieces, then everybody ends every reservation in a way of his own. */
static void reserve_and_end(void *context)
{
    struct client *client = context;
    souk_test *test = client->test;
    char id[24];
    for (unsigned i = 0; i < RESERVATIONS; i++) {
        snprintf(id, sizeof id, "r-%u-%u", client->number, i);
        souk_err err =
            rig_reserve(test, client->shop, client->stock, id, 1, rig_noon + 1 + i % 2 * 1000);
        client->held += err == SOUK_OK;
        client->others += err != SOUK_OK && err != SOUK_ECONFLICT;
    }
    for (unsigned i = 0; i < CLIENTS * RESERVATIONS; i++) {
        uint64_t expired;
        snprintf(id, sizeof id, "r-%u-%u", (client->number + i) % CLIENTS, i / CLIENTS);
        souk_stock_verb verb = client->number % 2 ? SOUK_STOCK_FULFIL : SOUK_STOCK_RELEASE;
        souk_err err = rig_end(test, client->shop, client->stock, verb, id, rig_noon + 1, NULL);
        client->fulfilled += err == SOUK_OK && verb == SOUK_STOCK_FULFIL;
        client->released += err == SOUK_OK && verb == SOUK_STOCK_RELEASE;
        client->others += err != SOUK_OK && err != SOUK_ECONFLICT && err != SOUK_ENOENT;
        if (client->number == 0 && i % 16 == 0) {
            client->others += souk_stock_expire(client->stock, rig_noon + 1, &expired) != SOUK_OK;
            client->expired += expired;
        }
    }
}

SOUK_TEST("eight clients race for the last pieces, and then to fulfil, release and expire: each "
          "reservation ends once")
{
    EACH_STOCK(shop, stock, .readers = 2)
    {
        struct client clients[CLIENTS];
        uint64_t held = 0, fulfilled = 0, released = 0, expired, over = 0;
        if (shop.how->no_thread)
            continue;
        SOUK_MUST(rig_one(test, &shop, stock, SOUK_STOCK_PUT, "SH/tea", 100, NULL));
        for (unsigned i = 0; i < CLIENTS; i++) {
            clients[i] = (struct client){.test = test, .shop = &shop, .stock = stock, .number = i};
            SOUK_MUST(
                souk_thread_start(&clients[i].thread, "client", reserve_and_end, &clients[i]));
        }
        for (unsigned i = 0; i < CLIENTS; i++) {
            souk_thread_join(&clients[i].thread);
            held += clients[i].held;
            fulfilled += clients[i].fulfilled;
            released += clients[i].released;
            over += clients[i].expired;
            SOUK_CHECK(clients[i].others == 0);
        }
        SOUK_MUST(souk_stock_expire(stock, rig_noon + 5000, &expired));
        SOUK_CHECK(held >= 100); /* what was freed early may have been reserved again */
        SOUK_CHECK(held == fulfilled + released + over + expired);
        souk_stock_level left = rig_read(test, stock, "SH", "tea");
        SOUK_CHECK(left.on_hand.micro == 100 - (int64_t)fulfilled && left.reserved.micro == 0);
        SOUK_MUST(souk_stock_verify(stock, NULL));
    }
}

/* ---- power cuts ------------------------------------------------------------------------------------------------ */

struct cuts {
    souk_test *test;
    souk_disk *disk;
    struct shop shop;
    souk_stock *stock;
    int64_t received,
        done; /* answered: pieces put, and rounds of put, send, arrive, reserve, fulfil */
};

static souk_err open_cut(struct cuts *cuts)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    SOUK_TRY(souk_ledger_open_sqlite(cuts->test->mem, cuts->disk, "ledger", &options,
                                     &cuts->shop.ledger, NULL));
    return souk_stock_open(cuts->test->mem, cuts->shop.ledger, souk_clock_real(), &stock_rig_key,
                           NULL, &cuts->stock, NULL);
}

static void close_cut(struct cuts *cuts)
{
    souk_stock_free(souk_take(&cuts->stock));
    souk_ledger_free(souk_take(&cuts->shop.ledger));
}

/* One whole story under ids of its number; told again after a cut it goes on where it was. */
static souk_err one_story(struct cuts *cuts, int64_t number)
{
    souk_test *test = cuts->test;
    char id[24];
    bool more;
    snprintf(id, sizeof id, "n%lld", (long long)number);
    souk_err err = send_tea(test, &cuts->shop, cuts->stock, id, "", 1);
    if (err && err != SOUK_EEXIST)
        return err;
    err = arrive_tea(test, &cuts->shop, cuts->stock, id, 1, true, true, NULL);
    if (err && err != SOUK_ECONFLICT) /* it has arrived already */
        return err;
    err = rig_reserve(test, &cuts->shop, cuts->stock, id, 1, rig_noon + 1000);
    if (err && err != SOUK_EEXIST)
        return err;
    if (test_random(test, 3) == 0)
        SOUK_TRY(souk_stock_keep(cuts->stock, 1, &more));
    err = rig_end(test, &cuts->shop, cuts->stock, SOUK_STOCK_FULFIL, id, rig_noon, NULL);
    return err == SOUK_ECONFLICT ? SOUK_OK : err;
}

static void one_life(struct cuts *cuts)
{
    souk_test *test = cuts->test;
    souk_sim_plan(cuts->disk, (souk_sim_faults){.cut_at = 1 + test_random(test, 120)});
    souk_err err = open_cut(cuts);
    while (!err) {
        err = one_story(cuts, cuts->done);
        cuts->done += !err;
    }
    close_cut(cuts);
    souk_sim_power_on(cuts->disk);
    souk_sim_plan(cuts->disk, (souk_sim_faults){.cut_at = 0});
}

SOUK_TEST("through power cuts every answered step stands, and a story that is told again ends as "
          "it would have")
{
    struct cuts cuts = {.test = test};
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &cuts.disk));
    for (int life = 0; life < 80; life++) {
        one_life(&cuts);
        SOUK_MUST(open_cut(&cuts));
        SOUK_MUST(souk_stock_verify(cuts.stock, NULL));
        int64_t ended =
            ask(test, &cuts.shop, "SELECT count(*) FROM stock_reservation WHERE state = 2");
        SOUK_CHECK(ended == cuts.done || ended == cuts.done + 1);
        close_cut(&cuts);
    }
    SOUK_MUST(open_cut(&cuts));
    SOUK_MUST(one_story(&cuts, cuts.done));
    SOUK_CHECK(ask(test, &cuts.shop, "SELECT count(*) FROM stock_movement WHERE kind = 6") ==
               cuts.done + 1);
    SOUK_CHECK(rig_read(test, cuts.stock, "SH", "tea").on_hand.micro == 0);
    SOUK_CHECK(cuts.done > 80);
    close_cut(&cuts);
    souk_disk_free(cuts.disk);
}

SOUK_TEST("whatever allocation fails, each plan is whole or absent")
{
    SOUK_FAULT_LOOP (test) {
        struct cuts cuts = {.test = test};
        souk_err err = souk_disk_open_sim(souk_mem_heap(), 3, &cuts.disk);
        souk_ledger_options options = {.no_thread = true, .readers = 1};
        if (!err)
            err = souk_ledger_open_sqlite(souk_mem_heap(), cuts.disk, "ledger", &options,
                                          &cuts.shop.ledger, NULL);
        if (!err)
            err = souk_stock_open(test->mem, cuts.shop.ledger, souk_clock_real(), &stock_rig_key,
                                  NULL, &cuts.stock, NULL);
        for (int64_t i = 0; i < 3 && !err; i++)
            err = one_story(&cuts, i);
        if (cuts.stock && err) /* the fault is over */
            SOUK_MUST(souk_stock_verify(cuts.stock, NULL));
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        close_cut(&cuts);
        souk_disk_free(cuts.disk);
        test_fault_seen(test, err);
    }
}
