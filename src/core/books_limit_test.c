/* books_limit_test.c - limits, sums and their mark, lists, closing; and how many statements it takes. */
#include "test/test.h"

#include "core/books_world.h"
#include "store/ledger_backend.h"

static int64_t limited(struct world *world, souk_book_limits limits)
{
    souk_test *test = world->test;
    souk_book book = {
        .merchant = 1, .kind = SOUK_BOOK_BALANCE, .owner = 7, .currency = "EUR", .limits = limits};
    int64_t account;
    SOUK_MUST(open_book(world, book, &account));
    SOUK_MUST(tell(world, post(1, world->tender, account, 100000)));
    return account;
}

SOUK_TEST("above the step-up the shopper is asked, for the set as a whole")
{
    EACH_WORLD(world)
    {
        int64_t account = limited(&world, (souk_book_limits){.confirm_minor = 500});
        SOUK_MUST(tell(&world, post(2, account, world.sales, 500)));
        SOUK_CHECK_ERR(tell(&world, hold(3, account, world.sales, 501)), SOUK_EDENIED);
        SAYS(&world, "confirm");
        souk_transfer split[] = {post(3, account, world.sales, 300),
                                 post(4, account, world.tax, 201)};
        SOUK_CHECK_ERR(tell_set(&world, split, 2), SOUK_EDENIED);
        world.when.confirmed = true;
        SOUK_MUST(tell_set(&world, split, 2));
        world.when.confirmed = false;
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_REFUND, 5, 1, 90000))); /* nobody spends here */
        SOUK_CHECK(available(&world, account) == 8999);
    }
}

SOUK_TEST("a set takes no more than its limit")
{
    EACH_WORLD(world)
    {
        int64_t account = limited(&world, (souk_book_limits){.set_minor = 500});
        SOUK_CHECK_ERR(tell(&world, post(2, account, world.sales, 501)), SOUK_EDENIED);
        SAYS(&world, "5.00 EUR at once");
        SOUK_MUST(tell(&world, post(2, account, world.sales, 500)));
    }
}

SOUK_TEST("a day takes no more than its limit, what was released counts no more, and a clock set "
          "back wins nothing")
{
    EACH_WORLD(world)
    {
        int64_t account = limited(&world, (souk_book_limits){.day_minor = 1000});
        world.when.day = 100;
        SOUK_MUST(tell(&world, post(2, account, world.sales, 400)));
        SOUK_MUST(tell(&world, hold(3, account, world.sales, 600)));
        SOUK_CHECK_ERR(tell(&world, post(4, account, world.sales, 1)), SOUK_EDENIED);
        SAYS(&world, "tomorrow");
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_CAPTURE, 5, 3, 250))); /* 350 are released */
        SOUK_CHECK_ERR(tell(&world, post(4, account, world.sales, 351)), SOUK_EDENIED);
        SOUK_MUST(tell(&world, hold(4, account, world.sales, 350)));

        world.when.day = 99; /* a till whose calendar is wrong */
        SOUK_CHECK_ERR(tell(&world, post(6, account, world.sales, 1)), SOUK_EDENIED);
        world.when.day = 101;
        SOUK_MUST(tell(&world, post(6, account, world.sales, 900)));
        SOUK_MUST(
            tell(&world, later(SOUK_TRANSFER_VOID, 7, 4, 0))); /* of yesterday: it is not today's */
        SOUK_CHECK_ERR(tell(&world, post(8, account, world.sales, 101)), SOUK_EDENIED);
        SOUK_MUST(tell(&world, post(8, account, world.sales, 100)));
    }
}

struct change {
    int64_t account;
    const souk_book_limits *limits; /* NULL: close it */
    souk_diag diag;
};

static souk_err change_closure(souk_tx *tx, void *context)
{
    struct change *change = context;
    change->diag = (souk_diag){.words = ""};
    return change->limits ? souk_books_limit(tx, change->account, change->limits, &change->diag)
                          : souk_books_close(tx, change->account, &change->diag);
}

static souk_err change(struct world *world, int64_t account, const souk_book_limits *limits)
{
    struct change my = {.account = account, .limits = limits};
    return souk_ledger_write(world->ledger, SOUK_LANE_JOB, change_closure, &my);
}

SOUK_TEST("a credit line is never drawn under what is owed already")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(tell(&world, post(1, world.tab, world.sales, 300)));
        SOUK_MUST(tell(&world, hold(2, world.tab, world.sales, 200)));
        SOUK_CHECK_ERR(change(&world, world.tab, &(souk_book_limits){.below_minor = 499}),
                       SOUK_ECONFLICT);
        SOUK_MUST(change(&world, world.tab, &(souk_book_limits){.below_minor = 500}));
        SOUK_CHECK(available(&world, world.tab) == 0);
        SOUK_CHECK_ERR(change(&world, world.sales, &(souk_book_limits){.below_minor = 1}),
                       SOUK_EINVAL);
        SOUK_CHECK_ERR(change(&world, 999, &(souk_book_limits){.below_minor = 1}), SOUK_ENOENT);
        SOUK_CHECK_ERR(change(&world, world.tab, &(souk_book_limits){.below_minor = -1}),
                       SOUK_EINVAL);
    }
}

SOUK_TEST("an account is closed empty, and nothing but the end of a hold touches it again")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 100));
        SOUK_CHECK_ERR(change(&world, world.ann, NULL), SOUK_ECONFLICT);
        SOUK_MUST(tell(&world, hold(2, world.ann, world.sales, 100)));
        SOUK_MUST(change(&world, world.sales, NULL));
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_CAPTURE, 3, 2, 100)));
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_REFUND, 4, 3, 100)), SOUK_ECONFLICT);
        SAYS(&world, "closed");
        SOUK_MUST(change(&world, world.ann, NULL));
        SOUK_MUST(change(&world, world.ann, NULL));
        SOUK_CHECK_ERR(top_up(&world, 5, 100), SOUK_ECONFLICT);
        SOUK_MUST(top_up(&world, 1, 100)); /* told again: it happened */
        SOUK_CHECK(world.was_there && state_of(&world, world.ann).closed);
        SOUK_CHECK_ERR(change(&world, 999, NULL), SOUK_ENOENT);
    }
}

/* ---- sums ---------------------------------------------------------------------------------------------- */

SOUK_TEST("a summed account says the same before and after its mark has moved")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 5000));
        for (uint64_t i = 2; i < 30; i++)
            SOUK_MUST(tell(&world, post(i, world.ann, world.sales, (int64_t)i)));
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_REFUND, 30, 29, 9)));
        int64_t before = balance(&world, world.sales);
        SOUK_CHECK(ask(test, &shop, "SELECT sum(credits) FROM book_account WHERE id < 0") == 0);
        SOUK_CHECK(roll(&world, 0) == 30 && roll(&world, 0) == 0);
        SOUK_CHECK(balance(&world, world.sales) == before && before == 425);
        SOUK_CHECK(balance(&world, world.tender) == -5000);
        SOUK_CHECK(ask(test, &shop, "SELECT sum(credits) FROM book_account WHERE id < 0") == 434);
        must_verify(&world);
        SOUK_MUST(tell(&world, post(31, world.ann, world.sales, 7)));
        SOUK_CHECK(balance(&world, world.sales) == before + 7);
    }
}

SOUK_TEST("the mark waits until what was under way is over, also when the clock goes back")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 5000));
        SOUK_CHECK(roll(&world, 1000) == 0); /* marked now */
        SOUK_MUST(top_up(&world, 2, 5000));
        world.when.at = NOON + 999;
        SOUK_CHECK(roll(&world, 1000) == 0);
        world.when.at = NOON - 5000;
        SOUK_CHECK(roll(&world, 1000) == 0); /* nobody knows how long ago: marked anew */
        world.when.at = NOON - 4001;
        SOUK_CHECK(roll(&world, 1000) == 0);
        SOUK_MUST(top_up(&world, 3, 5000));
        world.when.at = NOON - 4000;
        SOUK_CHECK(roll(&world, 1000) == 2);
        SOUK_CHECK(roll(&world, 1000) == 0);
        world.when.at = NOON - 3000;
        SOUK_CHECK(roll(&world, 1000) == 1 && balance(&world, world.tender) == -15000);
    }
}

SOUK_TEST("totals above the bounds are refused, and nothing overflows unseen")
{
    EACH_SHOP(shop, .readers = 2)
    {
        struct world world = open_world(test, &shop);
        must_sql(test, &shop,
                 "UPDATE book_account SET credits = 3999900000000000000 WHERE credits = 0");
        SOUK_CHECK_ERR(top_up(&world, 1, SOUK_BOOKS_AMOUNT_MOST - 1 + 2), SOUK_EOVERFLOW);
        SOUK_MUST(top_up(&world, 1, SOUK_BOOKS_AMOUNT_MOST));
        SOUK_CHECK_ERR(top_up(&world, 2, 1), SOUK_EOVERFLOW);
        SAYS(&world, "totals of account");
        SOUK_MUST(tell(&world, post(3, world.tender, world.sales, SOUK_BOOKS_AMOUNT_MOST)));
        SOUK_CHECK(state_of(&world, world.sales).credits_minor == SOUK_BOOKS_TOTAL_MOST);
        SOUK_MUST(tell(&world, post(4, world.tender, world.sales, 1)));
        struct call call = {.world = &world, .account = world.sales};
        SOUK_CHECK_ERR(souk_ledger_read(world.ledger, state_closure, &call), SOUK_EOVERFLOW);
        SOUK_CHECK_ERR(souk_ledger_write(world.ledger, SOUK_LANE_JOB, roll_closure, &call),
                       SOUK_EOVERFLOW);
        SAYS(&world, "summed account");
    }
}

/* ---- lists ---------------------------------------------------------------------------------------------- */

struct listing {
    int64_t account, before;
    size_t most, count;
    souk_book_entry entries[50];
};

static souk_err note_entry(void *context, const souk_book_entry *entry)
{
    struct listing *listing = context;
    if (listing->count == 50)
        return SOUK_ETOOBIG;
    listing->entries[listing->count++] = *entry;
    return SOUK_OK;
}

static souk_err list_closure(souk_tx *tx, void *context)
{
    struct listing *listing = context;
    listing->count = 0;
    return souk_books_list(tx, listing->account, listing->before, listing->most, note_entry,
                           listing);
}

SOUK_TEST("an account's transfers are listed newest first, page by page, each once")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 5000));
        for (uint64_t i = 2; i <= 20; i++)
            SOUK_MUST(tell(&world, i % 2 ? post(i, world.ann, world.sales, 5)
                                         : post(i, world.tender, world.bob, 5)));
        souk_transfer last = later(SOUK_TRANSFER_REFUND, 21, 19, 2);
        last.reason = id_of(77);
        SOUK_MUST(tell(&world, last));
        struct listing listing = {.account = world.ann, .most = 4};
        int64_t previous = INT64_MAX;
        size_t all = 0;
        do {
            SOUK_MUST(souk_ledger_read(world.ledger, list_closure, &listing));
            for (size_t i = 0; i < listing.count; i++) {
                const souk_book_entry *entry = &listing.entries[i];
                SOUK_CHECK(entry->number < previous);
                SOUK_CHECK(entry->debit == world.ann || entry->credit == world.ann);
                listing.before = previous = entry->number;
                if (all++ == 0) {
                    SOUK_CHECK(souk_hash128_equal(entry->id, id_of(21)) &&
                               souk_hash128_equal(entry->of, id_of(19)) &&
                               souk_hash128_equal(entry->reason, id_of(77)) &&
                               entry->kind == SOUK_TRANSFER_REFUND && entry->amount_minor == 2 &&
                               entry->credit == world.ann && entry->at == NOON);
                }
            }
        } while (listing.count == 4);
        SOUK_CHECK(all == 11);
        listing.most = 100, listing.account = world.tender, listing.before = 0;
        SOUK_MUST(souk_ledger_read(world.ledger, list_closure, &listing));
        SOUK_CHECK(listing.count == 11);
        listing.account = 999;
        SOUK_MUST(souk_ledger_read(world.ledger, list_closure, &listing));
        SOUK_CHECK(listing.count == 0);
    }
}

/* ---- budgets ----------------------------------------------------------------------------------------------- */

/* A backend that counts the statements on their way to the real one. */
static struct {
    const souk_ledger_backend *real;
    souk_ledger_backend counting;
    unsigned statements;
} meter;

static souk_err count_run(souk_tx *tx, const char *sql, const souk_value *values, size_t count)
{
    meter.statements++;
    return meter.real->run(tx, sql, values, count);
}

static souk_err count_rows(souk_tx *tx, const char *sql, const souk_value *values, size_t count,
                           souk_rows *rows)
{
    meter.statements++;
    return meter.real->rows_begin(tx, sql, values, count, rows);
}

static souk_err metered_closure(souk_tx *tx, void *context)
{
    meter.real = tx->backend;
    meter.counting = *tx->backend;
    meter.counting.run = count_run;
    meter.counting.rows_begin = count_rows;
    meter.statements = 0;
    tx->backend = &meter.counting;
    souk_err err = apply_closure(tx, context);
    tx->backend = meter.real;
    return err;
}

static unsigned statements(struct world *world, const souk_transfer *set, size_t count)
{
    souk_test *test = world->test;
    struct call call = {.world = world, .set = set, .count = count};
    SOUK_MUST(souk_ledger_write(world->ledger, SOUK_LANE_TILL, metered_closure, &call));
    return meter.statements;
}

static unsigned statements_of(struct world *world, souk_transfer transfer)
{
    return statements(world, &transfer, 1);
}

SOUK_TEST("a charge is two statements, and each verb keeps to its budget")
{
    EACH_WORLD(world)
    {
        SOUK_CHECK(statements_of(&world, post(1, world.tender, world.ann, 5000)) == 2);
        SOUK_CHECK(statements_of(&world, post(2, world.ann, world.sales, 100)) == 2);
        SOUK_CHECK(statements_of(&world, post(3, world.ann, world.bob, 100)) == 3);
        SOUK_CHECK(statements_of(&world, post(4, world.tender, world.sales, 100)) == 1);
        SOUK_CHECK(statements_of(&world, hold(5, world.ann, world.sales, 100)) == 3);
        SOUK_CHECK(statements_of(&world, later(SOUK_TRANSFER_CAPTURE, 6, 5, 90)) == 3);
        SOUK_CHECK(statements_of(&world, later(SOUK_TRANSFER_REFUND, 7, 6, 80)) == 4);
        SOUK_CHECK(statements_of(&world, hold(8, world.ann, world.sales, 100)) == 3);
        SOUK_CHECK(statements_of(&world, later(SOUK_TRANSFER_VOID, 9, 8, 0)) == 3);
        souk_transfer basket[] = {post(10, world.ann, world.sales, 100),
                                  post(11, world.ann, world.tax, 7),
                                  post(12, world.ann, world.tax, 19)};
        SOUK_CHECK(statements(&world, basket, 3) == 4);
        /* told again */
        SOUK_CHECK(statements_of(&world, post(2, world.ann, world.sales, 100)) == 2);
        SOUK_CHECK(statements_of(&world, later(SOUK_TRANSFER_CAPTURE, 6, 5, 90)) == 2);
        SOUK_CHECK(statements_of(&world, later(SOUK_TRANSFER_REFUND, 7, 6, 80)) == 3);
    }
}

SOUK_TEST("a refusal names amounts as a person reads them")
{
    static const struct {
        const char *currency, *says;
        unsigned from, to;
    } cases[] = {
        {"EUR", " has 0.00 EUR available and 12.50 EUR are asked", SOUK_BOOK_BALANCE,
         SOUK_BOOK_SALES},
        {"JPY", " has 0 JPY available and 1250 JPY are asked", SOUK_BOOK_BALANCE, SOUK_BOOK_SALES},
        {"KWD", " has 0.000 KWD available and 1.250 KWD are asked", SOUK_BOOK_BALANCE,
         SOUK_BOOK_SALES},
        {"XXX", " has 0 points available and 1250 points are asked", SOUK_BOOK_POINTS,
         SOUK_BOOK_SALES},
    };
    EACH_WORLD(world)
    {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            int64_t from, to;
            souk_book book = {.merchant = 1, .kind = cases[i].from, .owner = 70 + i};
            memcpy(book.currency, cases[i].currency, 4);
            SOUK_MUST(open_book(&world, book, &from));
            book.kind = cases[i].to;
            SOUK_MUST(open_book(&world, book, &to));
            SOUK_CHECK_ERR(tell(&world, post(100 + i, from, to, 1250)), SOUK_ECONFLICT);
            SAYS(&world, cases[i].says);
        }
    }
}
