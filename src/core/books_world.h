/* books_world.h - for tests of books.h: books on an arrangement of ledger_shop.h, with a chart of accounts and
 * short ways to tell transfers.
 *
 *     EACH_WORLD(world)                                           at its end the books are verified
 *     {
 *         SOUK_MUST(top_up(&world, 1, 5000));
 *         SOUK_CHECK_ERR(tell(&world, post(2, world.ann, world.sales, 6000)), SOUK_ECONFLICT);
 *     }
 *
 * Stands after test/test.h. */
#ifndef SOUK_CORE_BOOKS_WORLD_H
#define SOUK_CORE_BOOKS_WORLD_H

#include "core/books.h"
#include "store/ledger_shop.h"

#define NOON 1767268800000

struct world {
    souk_test *test;
    souk_ledger *ledger;
    souk_books_when when;
    souk_diag diag; /* of the last call */
    bool was_there;
    int64_t ann, bob, tab, sales, tax, tender; /* of merchant 1, EUR; tab may owe 1000 */
};

/* A call of books.h as a closure: each field that it needs. */
struct call {
    struct world *world;
    const souk_transfer *set;
    size_t count;
    souk_book book;
    int64_t account, lag_ms;
    souk_book_state state;
    size_t done;
};

static inline souk_err apply_closure(souk_tx *tx, void *context)
{
    struct call *call = context;
    struct world *world = call->world;
    world->diag = (souk_diag){.words = ""};
    return souk_books_apply(tx, &world->when, call->set, call->count, &world->was_there,
                            &world->diag);
}

static inline souk_err tell_set(struct world *world, const souk_transfer *set, size_t count)
{
    struct call call = {.world = world, .set = set, .count = count};
    return souk_ledger_write(world->ledger, SOUK_LANE_TILL, apply_closure, &call);
}

static inline souk_err tell(struct world *world, souk_transfer transfer)
{
    return tell_set(world, &transfer, 1);
}

static inline souk_hash128 id_of(uint64_t number)
{
    return (souk_hash128){souk_mix64(number), number};
}

static inline souk_transfer post(uint64_t id, int64_t debit, int64_t credit, int64_t amount)
{
    return (souk_transfer){.id = id_of(id),
                           .kind = SOUK_TRANSFER_POST,
                           .debit = debit,
                           .credit = credit,
                           .amount_minor = amount};
}

static inline souk_transfer hold(uint64_t id, int64_t debit, int64_t credit, int64_t amount)
{
    souk_transfer transfer = post(id, debit, credit, amount);
    transfer.kind = SOUK_TRANSFER_HOLD;
    transfer.due = NOON + 60000;
    return transfer;
}

/* CAPTURE, VOID, REFUND. */
static inline souk_transfer later(enum souk_transfer_kind kind, uint64_t id, uint64_t of,
                                  int64_t amount)
{
    return (souk_transfer){.id = id_of(id), .kind = kind, .of = id_of(of), .amount_minor = amount};
}

static inline souk_err top_up(struct world *world, uint64_t id, int64_t amount)
{
    return tell(world, post(id, world->tender, world->ann, amount));
}

static inline souk_err open_closure(souk_tx *tx, void *context)
{
    struct call *call = context;
    call->world->diag = (souk_diag){.words = ""};
    return souk_books_open(tx, &call->book, call->world->when.at, &call->account,
                           &call->world->diag);
}

static inline souk_err open_book(struct world *world, souk_book book, int64_t *ret_account)
{
    struct call call = {.world = world, .book = book};
    souk_err err = souk_ledger_write(world->ledger, SOUK_LANE_TILL, open_closure, &call);
    *ret_account = call.account;
    return err;
}

static inline int64_t must_open(struct world *world, unsigned kind, uint64_t owner, int64_t below)
{
    souk_test *test = world->test;
    int64_t account;
    SOUK_MUST(open_book(world,
                        (souk_book){.merchant = 1,
                                    .kind = kind,
                                    .owner = owner,
                                    .currency = "EUR",
                                    .limits = {.below_minor = below}},
                        &account));
    return account;
}

static inline souk_err state_closure(souk_tx *tx, void *context)
{
    struct call *call = context;
    call->world->diag = (souk_diag){.words = ""};
    return souk_books_state(tx, call->account, &call->state, &call->world->diag);
}

static inline souk_book_state state_of(struct world *world, int64_t account)
{
    souk_test *test = world->test;
    struct call call = {.world = world, .account = account};
    SOUK_MUST(souk_ledger_read(world->ledger, state_closure, &call));
    return call.state;
}

static inline int64_t available(struct world *world, int64_t account)
{
    return state_of(world, account).available;
}

static inline int64_t balance(struct world *world, int64_t account)
{
    return state_of(world, account).balance;
}

static inline souk_err expire_closure(souk_tx *tx, void *context)
{
    struct call *call = context;
    call->world->diag = (souk_diag){.words = ""};
    return souk_books_expire(tx, &call->world->when, &call->done, &call->world->diag);
}

static inline size_t expire(struct world *world)
{
    souk_test *test = world->test;
    struct call call = {.world = world};
    SOUK_MUST(souk_ledger_write(world->ledger, SOUK_LANE_JOB, expire_closure, &call));
    return call.done;
}

static inline souk_err roll_closure(souk_tx *tx, void *context)
{
    struct call *call = context;
    call->world->diag = (souk_diag){.words = ""};
    return souk_books_roll(tx, call->world->when.at, call->lag_ms, &call->done, &call->world->diag);
}

static inline size_t roll(struct world *world, int64_t lag_ms)
{
    souk_test *test = world->test;
    struct call call = {.world = world, .lag_ms = lag_ms};
    SOUK_MUST(souk_ledger_write(world->ledger, SOUK_LANE_JOB, roll_closure, &call));
    return call.done;
}

static inline souk_err verify_closure(souk_tx *tx, void *context)
{
    struct world *world = context;
    world->diag = (souk_diag){.words = ""};
    return souk_books_verify(tx, &world->diag);
}

static inline souk_err verify(struct world *world)
{
    return souk_ledger_read(world->ledger, verify_closure, world);
}

static inline void must_verify(struct world *world)
{
    if (verify(world))
        test_fail(world->test, __FILE__, __LINE__, "%s", world->diag.words);
}

static inline struct world open_world(souk_test *test, struct shop *shop)
{
    struct world world = {.test = test, .ledger = shop->ledger, .when = {.at = NOON}};
    if (souk_books_migrate(world.ledger, &world.diag))
        test_fail(test, __FILE__, __LINE__, "%s", world.diag.words);
    world.ann = must_open(&world, SOUK_BOOK_BALANCE, 1, 0);
    world.bob = must_open(&world, SOUK_BOOK_BALANCE, 2, 0);
    world.tab = must_open(&world, SOUK_BOOK_TAB, 1, 1000);
    world.sales = must_open(&world, SOUK_BOOK_SALES, 1, 0);
    world.tax = must_open(&world, SOUK_BOOK_TAX, 19, 0);
    world.tender = must_open(&world, SOUK_BOOK_TENDER, 1, 0);
    return world;
}

#define EACH_WORLD(world)                                            \
    EACH_SHOP(shop, .readers = 2)                                    \
    for (struct world world = open_world(test, &shop); world.ledger; \
         must_verify(&world), world.ledger = NULL)

#define SAYS(world, word)                                                         \
    (strstr((world)->diag.words, word)                                            \
         ? (void)0                                                                \
         : test_fail((world)->test, __FILE__, __LINE__, "'%s' does not say '%s'", \
                     (world)->diag.words, word))

#endif
