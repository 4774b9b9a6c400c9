/* books_test.c - what the books promise, one sentence at a time, on every arrangement.  Each story ends before
 * the auditor (EACH_WORLD). */
#include "test/test.h"

#include "core/books_world.h"

SOUK_TEST("a charge goes from the shopper to the shop, and the books agree")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 5000));
        souk_transfer basket[] = {post(2, world.ann, world.sales, 1000),
                                  post(3, world.ann, world.tax, 190)};
        SOUK_MUST(tell_set(&world, basket, 2));
        SOUK_CHECK(balance(&world, world.ann) == 3810 && balance(&world, world.sales) == 1000);
        SOUK_CHECK(balance(&world, world.tax) == 190 && balance(&world, world.tender) == -5000);
    }
}

SOUK_TEST("an account is opened once, whoever asks, and found again")
{
    EACH_WORLD(world)
    {
        SOUK_CHECK(world.ann > 0 && world.tab > 0 && world.sales < 0 && world.tax < world.sales);
        SOUK_CHECK(must_open(&world, SOUK_BOOK_BALANCE, 1, 0) == world.ann);
        SOUK_CHECK(must_open(&world, SOUK_BOOK_BALANCE, UINT64_MAX, 0) > world.ann);
        int64_t account;
        souk_book book = {.merchant = 1, .kind = SOUK_BOOK_BALANCE, .owner = 1, .currency = "eur"};
        SOUK_MUST(open_book(&world, book, &account));
        SOUK_CHECK(account == world.ann);
        memcpy(book.currency, "EURO", 4);
        SOUK_CHECK_ERR(open_book(&world, book, &account), SOUK_EINVAL);
        SAYS(&world, "EURO");
        memcpy(book.currency, "ABC", 4);
        SOUK_CHECK_ERR(open_book(&world, book, &account), SOUK_EINVAL);
        memcpy(book.currency, "EUR", 4);
        book.limits.day_minor = -1;
        SOUK_CHECK_ERR(open_book(&world, book, &account), SOUK_EINVAL);
        book.limits = (souk_book_limits){.below_minor = SOUK_BOOKS_AMOUNT_MOST + 1};
        SOUK_CHECK_ERR(open_book(&world, book, &account), SOUK_EOVERFLOW);
        book = (souk_book){.kind = SOUK_BOOK_SALES, .currency = "EUR", .limits = {.set_minor = 1}};
        SOUK_CHECK_ERR(open_book(&world, book, &account), SOUK_EINVAL);
        book.kind = SOUK_BOOK_KINDS;
        SOUK_CHECK_ERR(open_book(&world, book, &account), SOUK_EINVAL);
    }
}

SOUK_TEST("a hold is captured in part and the rest is free again, once")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 5000));
        SOUK_MUST(tell(&world, hold(2, world.ann, world.sales, 4000)));
        souk_book_state state = state_of(&world, world.ann);
        SOUK_CHECK(state.available == 1000 && state.balance == 5000 && state.pending_out == 4000);
        SOUK_CHECK(state_of(&world, world.sales).pending_in == 4000);
        SOUK_CHECK(balance(&world, world.sales) == 0);
        must_verify(&world);

        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_CAPTURE, 3, 2, 4001)), SOUK_ECONFLICT);
        SAYS(&world, "40.01 EUR are captured of a hold of 40.00 EUR");
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_CAPTURE, 3, 2, 2500)));
        state = state_of(&world, world.ann);
        SOUK_CHECK(state.available == 2500 && state.balance == 2500 && state.pending_out == 0);
        SOUK_CHECK(balance(&world, world.sales) == 2500);
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_CAPTURE, 4, 2, 1)), SOUK_ECONFLICT);
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_VOID, 5, 2, 0)), SOUK_ECONFLICT);
        SAYS(&world, "over");
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_VOID, 6, 1, 0)), SOUK_EINVAL);
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_VOID, 6, 77, 0)), SOUK_ENOENT);
    }
}

SOUK_TEST("a voided hold frees all of it")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 5000));
        SOUK_MUST(tell(&world, hold(2, world.ann, world.bob, 4000)));
        SOUK_CHECK(state_of(&world, world.bob).pending_in == 4000);
        SOUK_CHECK(available(&world, world.bob) == 0); /* what may come is not there yet */
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_VOID, 3, 2, 0)));
        SOUK_CHECK(available(&world, world.ann) == 5000);
        SOUK_CHECK(state_of(&world, world.bob).pending_in == 0);
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_VOID, 3, 2, 0)));
        SOUK_CHECK(world.was_there);
    }
}

SOUK_TEST("a hold ends when it is due, also before the job has come, and whatever the clock does")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 50000));
        for (uint64_t i = 0; i < 70; i++)
            SOUK_MUST(tell(&world, hold(100 + i, world.ann, world.sales, 10)));
        SOUK_CHECK(expire(&world) == 0);
        world.when.at = NOON + 60000;
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_CAPTURE, 2, 100, 10)), SOUK_ECONFLICT);
        SAYS(&world, "due");
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_VOID, 3, 101, 0)));
        world.when.at =
            NOON; /* somebody sets the clock back: the hold is open again, and counts once */
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_CAPTURE, 4, 102, 10)));
        world.when.at = NOON + 3600000;
        SOUK_CHECK(expire(&world) == 32 && expire(&world) == 32 && expire(&world) == 4);
        SOUK_CHECK(expire(&world) == 0);
        world.when.at = NOON;
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_CAPTURE, 5, 103, 10)), SOUK_ECONFLICT);
        SOUK_MUST(tell(&world, hold(103, world.ann, world.sales, 10))); /* told again long after */
        SOUK_CHECK(world.was_there && available(&world, world.ann) == 49990);
    }
}

SOUK_TEST("what is told again happens once, and another content under its id is refused")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 5000));
        SOUK_CHECK(!world.was_there);
        SOUK_MUST(top_up(&world, 1, 5000));
        SOUK_CHECK(world.was_there && balance(&world, world.ann) == 5000);
        souk_transfer told = hold(2, world.ann, world.sales, 100), other;
        SOUK_MUST(tell(&world, told));
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_CAPTURE, 3, 2, 60)));
        world.when = (souk_books_when){.at = NOON + 999999, .confirmed = true, .day = 7};
        told.due = NOON + 1999999;
        SOUK_MUST(tell(&world, told));
        SOUK_CHECK(world.was_there);
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_CAPTURE, 3, 2, 60)));
        SOUK_CHECK(world.was_there && balance(&world, world.sales) == 60);

        SOUK_CHECK_ERR(top_up(&world, 1, 5001), SOUK_EREUSED);
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_CAPTURE, 3, 2, 61)), SOUK_EREUSED);
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_VOID, 3, 2, 0)), SOUK_EREUSED);
        other = told, other.credit = world.tax;
        SOUK_CHECK_ERR(tell(&world, other), SOUK_EREUSED);
        other = told, other.debit = world.bob;
        SOUK_CHECK_ERR(tell(&world, other), SOUK_EREUSED);
        other = told, other.reason = id_of(9);
        SOUK_CHECK_ERR(tell(&world, other), SOUK_EREUSED);
        other = told, other.kind = SOUK_TRANSFER_POST, other.due = 0;
        SOUK_CHECK_ERR(tell(&world, other), SOUK_EREUSED);
        SAYS(&world, "another content");
    }
}

SOUK_TEST("linked transfers stand or fall together, and are told again together")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 1000));
        souk_transfer set[] = {post(12, world.ann, world.sales, 900),
                               post(11, world.ann, world.tax, 190)};
        SOUK_CHECK_ERR(tell_set(&world, set, 2), SOUK_ECONFLICT);
        SAYS(&world, "10.00 EUR available and 10.90 EUR are asked");
        SOUK_CHECK(balance(&world, world.sales) == 0 && available(&world, world.ann) == 1000);
        set[1].amount_minor = 100;
        SOUK_MUST(tell_set(&world, set, 2));
        souk_transfer turned[] = {set[1], set[0]};
        SOUK_MUST(tell_set(&world, turned, 2));
        SOUK_CHECK(world.was_there);
        SOUK_CHECK_ERR(tell(&world, set[0]), SOUK_EREUSED); /* it was never alone */
        souk_transfer more[] = {set[0], post(13, world.tender, world.ann, 5)};
        SOUK_CHECK_ERR(tell_set(&world, more, 2), SOUK_EREUSED);
        SAYS(&world, "as a whole");
        SOUK_CHECK(balance(&world, world.ann) == 0);

        /* In whichever order: what comes in with a set may go out with it. */
        souk_transfer through[] = {post(21, world.ann, world.bob, 70),
                                   post(20, world.tender, world.ann, 70)};
        SOUK_MUST(tell_set(&world, through, 2));
        SOUK_CHECK(balance(&world, world.ann) == 0 && balance(&world, world.bob) == 70);
    }
}

SOUK_TEST(
    "a refund gives back at most what went over, in parts, and takes from a top-up what is left")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(top_up(&world, 1, 5000));
        SOUK_MUST(tell(&world, hold(2, world.ann, world.sales, 1000)));
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_REFUND, 9, 2, 1)), SOUK_EINVAL);
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_CAPTURE, 3, 2, 800)));
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_REFUND, 4, 3, 801)), SOUK_ECONFLICT);
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_REFUND, 4, 3, 500)));
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_REFUND, 5, 3, 301)), SOUK_ECONFLICT);
        SAYS(&world, "3.00 EUR of 8.00 EUR are left");
        souk_transfer parts[] = {later(SOUK_TRANSFER_REFUND, 6, 3, 200),
                                 later(SOUK_TRANSFER_REFUND, 7, 3, 101)};
        SOUK_CHECK_ERR(tell_set(&world, parts, 2), SOUK_ECONFLICT);
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_REFUND, 5, 3, 300)));
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_REFUND, 5, 3, 300)));
        SOUK_CHECK(world.was_there && balance(&world, world.ann) == 5000);
        SOUK_CHECK(balance(&world, world.sales) == 0);
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_REFUND, 8, 5, 1)), SOUK_EINVAL);
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_REFUND, 8, 77, 1)), SOUK_ENOENT);

        SOUK_MUST(tell(&world, post(30, world.ann, world.sales, 4000)));
        SOUK_CHECK_ERR(tell(&world, later(SOUK_TRANSFER_REFUND, 31, 1, 1001)), SOUK_ECONFLICT);
        SOUK_MUST(tell(&world, later(SOUK_TRANSFER_REFUND, 31, 1, 1000)));
        SOUK_CHECK(balance(&world, world.ann) == 0 && balance(&world, world.tender) == -4000);
    }
}

SOUK_TEST("a tab goes as far below zero as its line, and the line cannot be drawn above it")
{
    EACH_WORLD(world)
    {
        SOUK_MUST(tell(&world, hold(1, world.tab, world.sales, 400)));
        SOUK_MUST(tell(&world, post(2, world.tab, world.sales, 600)));
        SOUK_CHECK_ERR(tell(&world, post(3, world.tab, world.sales, 1)), SOUK_ECONFLICT);
        SAYS(&world, "0.00 EUR available");
        SOUK_MUST(tell(&world, post(4, world.tender, world.tab, 100)));
        SOUK_MUST(tell(&world, post(3, world.tab, world.sales, 1)));
        SOUK_CHECK(balance(&world, world.tab) == -501 && available(&world, world.tab) == 99);
    }
}

SOUK_TEST("transfers that cannot be are refused with words, and nothing is half done")
{
    EACH_WORLD(world)
    {
        int64_t dollars, strangers;
        souk_book book = {.merchant = 1, .kind = SOUK_BOOK_SALES, .owner = 1, .currency = "USD"};
        SOUK_MUST(open_book(&world, book, &dollars));
        book = (souk_book){.merchant = 2, .kind = SOUK_BOOK_SALES, .owner = 1, .currency = "EUR"};
        SOUK_MUST(open_book(&world, book, &strangers));
        SOUK_MUST(top_up(&world, 1, 5000));
        souk_transfer good = post(2, world.ann, world.sales, 10);
        const struct {
            souk_transfer told;
            souk_err err;
            const char *word;
        } cases[] = {
            {post(2, world.ann, world.sales, 0), SOUK_EINVAL, "amount of 0"},
            {post(2, world.ann, world.sales, -5), SOUK_EINVAL, "swap"},
            {post(2, world.ann, world.sales, INT64_MIN), SOUK_EINVAL, "no transfer"},
            {post(2, world.ann, world.sales, INT64_MAX), SOUK_EOVERFLOW, "split"},
            {post(2, world.ann, world.sales, SOUK_BOOKS_AMOUNT_MOST + 1), SOUK_EOVERFLOW, "split"},
            {post(2, world.tender, world.sales, SOUK_BOOKS_AMOUNT_MOST), SOUK_OK, ""},
            {post(3, world.ann, world.ann, 5), SOUK_EINVAL, "pay itself"},
            {post(3, world.ann, dollars, 5), SOUK_EINVAL, "USD"},
            {post(3, world.ann, strangers, 5), SOUK_EINVAL, "merchant 1"},
            {post(3, world.ann, -999, 5), SOUK_ENOENT, "-999"},
            {post(3, 999, world.sales, 5), SOUK_ENOENT, "999"},
            {post(3, 0, world.sales, 5), SOUK_ENOENT, "account 0"},
            {post(3, -world.ann, world.sales, 5), SOUK_ENOENT, "open it first"},
            {later(SOUK_TRANSFER_VOID, 3, 2, 5), SOUK_EINVAL, "leave its amount"},
            {later(SOUK_TRANSFER_CAPTURE, 3, 2, 0), SOUK_EINVAL, "amount of 0"},
            {later(SOUK_TRANSFER_EXPIRE, 3, 2, 5), SOUK_EINVAL, "kind"},
            {{.id = id_of(3), .kind = SOUK_TRANSFER_CAPTURE, .amount_minor = 5}, SOUK_EINVAL, "of"},
            {{.kind = SOUK_TRANSFER_POST}, SOUK_EINVAL, "no id"},
            {{.id = id_of(3), .kind = 77}, SOUK_EINVAL, "77"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            SOUK_CHECK_ERR(tell(&world, cases[i].told), cases[i].err);
            SAYS(&world, cases[i].word);
        }
        souk_transfer bad = good;
        bad.of = id_of(1);
        SOUK_CHECK_ERR(tell(&world, bad), SOUK_EINVAL);
        bad = good, bad.due = NOON + 1;
        SOUK_CHECK_ERR(tell(&world, bad), SOUK_EINVAL);
        bad = hold(3, world.ann, world.sales, 5), bad.due = NOON;
        SOUK_CHECK_ERR(tell(&world, bad), SOUK_EINVAL);
        bad = later(SOUK_TRANSFER_REFUND, 3, 1, 5), bad.debit = world.ann;
        SOUK_CHECK_ERR(tell(&world, bad), SOUK_EINVAL);
        souk_transfer twice[] = {good, good}, many[SOUK_BOOKS_SET_MOST + 1] = {good};
        SOUK_CHECK_ERR(tell_set(&world, twice, 2), SOUK_EINVAL);
        SOUK_CHECK_ERR(tell_set(&world, many, SOUK_BOOKS_SET_MOST + 1), SOUK_EINVAL);
        SOUK_CHECK_ERR(tell_set(&world, many, 0), SOUK_EINVAL);
        SOUK_CHECK(available(&world, world.ann) == 5000);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM book_transfer") == 2);
    }
}
