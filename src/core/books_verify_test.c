/* books_verify_test.c - the auditor notices what is planted, and the tables refuse what they can. */
#include "test/test.h"

#include "core/books_world.h"
#include "os/thread.h"

/* Some of everything, and a mark in the middle. */
static void live_a_day(struct world *world)
{
    souk_test *test = world->test;
    SOUK_MUST(top_up(world, 1, 5000));
    SOUK_MUST(tell(world, post(2, world->ann, world->sales, 300)));
    SOUK_MUST(tell(world, hold(3, world->ann, world->sales, 400)));
    SOUK_MUST(tell(world, later(SOUK_TRANSFER_CAPTURE, 4, 3, 250)));
    SOUK_CHECK(roll(world, 0) == 4);
    SOUK_MUST(tell(world, hold(5, world->ann, world->bob, 60)));
    SOUK_MUST(tell(world, later(SOUK_TRANSFER_REFUND, 6, 4, 50)));
    SOUK_MUST(tell(world, post(7, world->tab, world->sales, 30)));
    must_verify(world);
}

/* By hand, past triggers and predicates: what a fault of ours, or somebody with the file, would leave.  Accounts
 * in the order of opening: 1 ann, 2 bob, 3 tab, -4 sales, -5 tax, -6 tender. */
static const struct planted {
    const char *what, *sql, *words;
} planted[] = {
    {"a missing credit leg", "UPDATE book_account SET credits = credits - 5000 + 4000 WHERE id = 1",
     "account 1 says that it took"},
    {"a missing debit leg", "UPDATE book_account SET debits = debits - 300 WHERE id = 1",
     "account 1 says that it gave"},
    {"a sum that a lost transfer made",
     "UPDATE book_account SET credits = credits + 1 WHERE id = -4", "account -4"},
    {"a transfer that nobody counted",
     "INSERT INTO book_transfer (id, kind, debit, credit, amount, legs, at)"
     " VALUES (x'00112233445566778899aabbccddeeff', 1, 1, -4, 5, 1, 0)",
     "account 1"},
    {"a capture beyond its hold",
     "INSERT INTO book_transfer (id, kind, debit, credit, amount, legs, at, original)"
     " SELECT x'00112233445566778899aabbccddeeff', 3, debit, credit, amount + 1, 1, 0, id FROM "
     "book_transfer"
     " WHERE kind = 2 AND amount = 60",
     "settles 61 of a hold of 60"},
    {"a hold that is settled twice",
     "INSERT INTO book_transfer (id, kind, debit, credit, amount, legs, at, original)"
     " SELECT x'00112233445566778899aabbccddeeff', 4, debit, credit, 400, 1, 0, id FROM "
     "book_transfer"
     " WHERE kind = 2 AND amount = 400",
     "settled 2 times"},
    {"a hold that vanished", "DELETE FROM book_hold", "stands open with 0"},
    {"a hold that grew", "UPDATE book_hold SET amount = amount + 1", "stands open with 61"},
    {"a hold from nowhere",
     "INSERT INTO book_hold (id, debit, credit, amount, due, day) VALUES "
     "(x'00112233445566778899aabbccddeeff', 2, -4, "
     "9, 9, 0)",
     "account 2 has an open hold of 9"},
    {"pending that no hold explains",
     "UPDATE book_account SET held_out = held_out + 1 WHERE id = 1", "account 1 says that 61"},
    {"pending that was never freed", "UPDATE book_account SET held_in = 0 WHERE id = 2",
     "account 2 says that 0"},
    {"a refund that was forgotten", "DELETE FROM book_refund", "0 are counted"},
    {"a refund that was counted twice", "UPDATE book_refund SET refunded = refunded + 50",
     "50 are given back and 100"},
    {"a refund that was never made",
     "INSERT INTO book_refund (original, most, refunded) VALUES "
     "(x'00112233445566778899aabbccddeeff', 9, 9)",
     "never made"},
    {"a refund beyond what went over",
     "INSERT INTO book_transfer (id, kind, debit, credit, amount, legs, at, original)"
     " SELECT x'00112233445566778899aabbccddeeff', 6, credit, debit, 201, 1, 0, id FROM "
     "book_transfer"
     " WHERE kind = 3",
     "251 are given back"},
    {"a transfer between currencies",
     "INSERT INTO book_account (id, merchant, kind, owner, currency, opened_at, set_most, day_most,"
     " confirm_above) VALUES (-9, 1, 64, 1, 'USD', 0, 0, 0, 0);"
     "INSERT INTO book_transfer (id, kind, debit, credit, amount, legs, at)"
     " VALUES (x'00112233445566778899aabbccddeeff', 1, -4, -9, 5, 1, 0)",
     "strangers"},
    {"a transfer to nobody",
     "INSERT INTO book_transfer (id, kind, debit, credit, amount, legs, at)"
     " VALUES (x'00112233445566778899aabbccddeeff', 1, -4, -99, 5, 1, 0)",
     "not there"},
    {"a mark that ran ahead", "UPDATE book_roll SET mark = 1000", "below 1000"},
    {"a mark that moved without its sums", "UPDATE book_roll SET upto = 7, mark = 7", "account -4"},
    {"no mark", "DELETE FROM book_roll", "restore"},
    {"a transfer changed",
     "DROP TRIGGER book_transfer_kept;"
     "UPDATE book_transfer SET amount = 299 WHERE amount = 300",
     "account 1"},
    {"a transfer removed",
     "DROP TRIGGER book_transfer_stays;"
     "DELETE FROM book_transfer WHERE amount = 30",
     "account 3"},
};

struct planting {
    const struct planted *fault;
    souk_diag diag;
    souk_err found;
};

/* Planted, looked at, and undone with the closure. */
static souk_err plant(souk_tx *tx, void *context)
{
    struct planting *my = context;
    my->diag = (souk_diag){.words = ""};
    SOUK_TRY(souk_sql_script(tx, my->fault->sql));
    my->found = souk_books_verify(tx, &my->diag);
    return SOUK_ECONFLICT;
}

SOUK_TEST("the auditor notices each planted fault, and says where")
{
    EACH_WORLD(world)
    {
        live_a_day(&world);
        for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
            struct planting my = {.fault = &planted[i]};
            if (!memcmp(planted[i].sql, "DROP", 4) && /* each database has its own way */
                strcmp(souk_ledger_backend_name(world.ledger), "sqlite") != 0)
                continue;
            SOUK_CHECK_ERR(souk_ledger_write(world.ledger, SOUK_LANE_JOB, plant, &my),
                           SOUK_ECONFLICT);
            if (my.found != SOUK_ECORRUPT || !strstr(my.diag.words, planted[i].words))
                test_fail(test, __FILE__, __LINE__, "%s: '%s'", planted[i].what, my.diag.words);
        }
    }
}

SOUK_TEST("an account beyond its limit is refused by the table itself")
{
    EACH_WORLD(world)
    {
        live_a_day(&world);
        static const char *const refused[] = {
            "UPDATE book_account SET debits = debits + 1000000 WHERE id > 0",
            "UPDATE book_account SET held_out = held_out + 1000000 WHERE id > 0",
            "UPDATE book_account SET below = 0 WHERE credits < debits AND id > 0",
            "UPDATE book_account SET owner = 99 WHERE id > 0",
            "UPDATE book_account SET currency = 'USD'",
            "DELETE FROM book_account",
            "UPDATE book_transfer SET amount = amount + 1",
            "DELETE FROM book_transfer",
            ("INSERT INTO book_transfer (id, kind, debit, credit, amount, legs, at)"
             " SELECT id, 1, -4, -5, 5, 1, 0 FROM book_transfer"),
        };
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
            souk_err err = souk_ledger_write(world.ledger, SOUK_LANE_JOB, run_sql,
                                             (void *)(uintptr_t)refused[i]);
            SOUK_CHECK(err == SOUK_ECONFLICT || err == SOUK_EEXIST);
        }
    }
}

/* ---- tills at once ------------------------------------------------------------------------------------------ */

struct till {
    struct world *world;
    unsigned char id[16];
    int64_t seen;
};

static souk_err read_first(souk_tx *tx, void *context)
{
    struct till *till = context;
    return souk_sql_one_int(tx, "SELECT debits FROM book_account WHERE id = ?1",
                            SOUK_VALUES(SOUK_INT(till->world->ann)), &till->seen);
}

static souk_err write_then(souk_tx *tx, void *context)
{
    struct till *till = context;
    SOUK_TRY(souk_sql_run(tx,
                          "INSERT INTO book_transfer (id, kind, debit, credit, amount, legs, at)"
                          " VALUES (?1, 1, ?2, ?3, 10, 1, 0)",
                          SOUK_VALUES(SOUK_BLOB(till->id, sizeof till->id),
                                      SOUK_INT(till->world->ann), SOUK_INT(till->world->sales))));
    return souk_sql_run(tx, "UPDATE book_account SET debits = ?2 WHERE id = ?1",
                        SOUK_VALUES(SOUK_INT(till->world->ann), SOUK_INT(till->seen + 10)));
}

SOUK_TEST("the auditor notices two tills that read the balance first and write it then")
{
    EACH_SHOP(shop, .readers = 2)
    {
        struct world world = open_world(test, &shop);
        struct till tills[] = {{.world = &world, .id = {1}}, {.world = &world, .id = {2}}};
        SOUK_MUST(top_up(&world, 1, 5000));
        for (size_t i = 0; i < 2; i++)
            SOUK_MUST(souk_ledger_read(world.ledger, read_first, &tills[i]));
        for (size_t i = 0; i < 2; i++)
            SOUK_MUST(souk_ledger_write(world.ledger, SOUK_LANE_TILL, write_then, &tills[i]));
        SOUK_CHECK_ERR(verify(&world), SOUK_ECORRUPT);
        SAYS(&world, "gave 10 and its transfers say 20");
    }
}

enum { TILLS = 8, CHARGES = 100, RACED = 2000 };

struct racer {
    struct world world; /* its own copy: words and answers are each till's */
    souk_thread thread;
    uint64_t number, random;
    int64_t kept;
    size_t refused, strange;
};

/* Every till charges ids of which half are another till's too, between the same two shoppers in both directions. */
static void race(void *context)
{
    struct racer *racer = context;
    struct world *world = &racer->world;
    for (uint64_t i = 0; i < CHARGES; i++) {
        bool shared = i % 2, back = i % 4 >= 2;
        uint64_t id = shared ? 1000 + i : (racer->number + 2) * 1000 + i;
        souk_transfer set[] = {
            post(id * 2, back ? world->bob : world->ann, back ? world->ann : world->bob, 7),
            post(id * 2 + 1, world->ann, world->sales, 5)};
        souk_err err = tell_set(world, set, 2);
        if (!err && !world->was_there)
            racer->kept += 5;
        racer->refused += err == SOUK_ECONFLICT;
        racer->strange += err && err != SOUK_ECONFLICT;
    }
}

SOUK_TEST("tills that race for one account never take more than it has, nor anything twice")
{
    EACH_WORLD(world)
    {
        static struct racer racers[TILLS];
        if (shop.how->no_thread)
            continue;
        SOUK_MUST(top_up(&world, 1, RACED));
        SOUK_MUST(tell(&world, post(2, world.tender, world.bob, 50)));
        for (size_t i = 0; i < TILLS; i++) {
            racers[i] = (struct racer){.world = world, .number = i};
            SOUK_MUST(souk_thread_start(&racers[i].thread, "till", race, &racers[i]));
        }
        int64_t kept = 0;
        size_t refused = 0;
        for (size_t i = 0; i < TILLS; i++) {
            souk_thread_join(&racers[i].thread);
            kept += racers[i].kept;
            refused += racers[i].refused;
            SOUK_CHECK(racers[i].strange == 0);
        }
        SOUK_CHECK(kept == balance(&world, world.sales) && refused > 0);
        SOUK_CHECK(balance(&world, world.ann) + balance(&world, world.bob) + kept == RACED + 50);
        SOUK_CHECK(balance(&world, world.ann) >= 0 && balance(&world, world.bob) >= 0);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM book_transfer") == 2 + kept / 5 * 2);
    }
}
