/* payment_book_test.c - what becomes of a payment is what its transfers in the books say, and nothing else. */
#include "service/checkout/payment_book.h"

#include "base/random.h"
#include "test/test.h"

#include "core/books_world.h"

#include <stdio.h>

static const souk_hash_key key = {"payments of test"};

#define EACH_TILL(world)                           \
    EACH_WORLD(world)                              \
    if (souk_payments_migrate(world.ledger, NULL)) \
        SOUK_CHECK(false);                         \
    else

/* One step in one transaction, as payment.c does it; then the payment as it is. */
struct deed {
    struct world *world;
    souk_transfer transfer;
    bool first;
    souk_payment payment; /* asked, then told */
    souk_arena arena;
};

static souk_err do_deed(souk_tx *tx, void *context)
{
    struct deed *deed = context;
    struct world *world = deed->world;
    world->diag = (souk_diag){.words = ""};
    SOUK_TRY(souk_books_apply(tx, &world->when, &deed->transfer, 1, NULL, &world->diag));
    souk_hash128 id = deed->payment.id;
    SOUK_TRY(deed->first ? souk_payment_keep(tx, &deed->payment, &world->diag)
                         : souk_payment_keep_step(tx, id, deed->transfer.id, &world->diag));
    return souk_payment_read(tx, id, world->when.at, &deed->arena, &deed->payment);
}

static souk_payment payment_of(const char *name)
{
    return (souk_payment){.id = souk_payment_id(&key, 1, souk_text_of(name)),
                          .merchant = 1,
                          .name = souk_text_of(name),
                          .kind = SOUK_BOOK_BALANCE,
                          .currency = "EUR",
                          .store = SOUK_TEXT("BER"),
                          .reference = SOUK_TEXT("")};
}

static struct deed deed_of(struct world *world, const char *name)
{
    return (struct deed){
        .world = world, .payment = payment_of(name), .arena = {.mem = world->test->mem}};
}

static souk_err run(struct deed *deed)
{
    return souk_ledger_write(deed->world->ledger, SOUK_LANE_TILL, do_deed, deed);
}

static struct deed first(struct world *world, const char *name, enum souk_transfer_kind kind,
                         int64_t minor)
{
    struct deed deed = deed_of(world, name);
    deed.first = true;
    deed.transfer = kind == SOUK_TRANSFER_HOLD ? hold(1, world->ann, world->sales, minor)
                                               : post(1, world->ann, world->sales, minor);
    deed.transfer.id = deed.payment.id;
    return deed;
}

static struct deed step(struct world *world, const char *name, enum souk_transfer_kind kind,
                        souk_hash128 of, const char *told, int64_t minor)
{
    struct deed deed = deed_of(world, name);
    deed.transfer = (souk_transfer){
        .id = souk_payment_step_id(&key, deed.payment.id, SOUK_TEXT("step"), souk_text_of(told)),
        .kind = kind,
        .of = of,
        .amount_minor = minor};
    return deed;
}

static souk_err read_deed(souk_tx *tx, void *context)
{
    struct deed *deed = context;
    return souk_payment_read(tx, deed->payment.id, deed->world->when.at, &deed->arena,
                             &deed->payment);
}

SOUK_TEST("a payment is held, captured and refunded, and tells each step in order")
{
    EACH_TILL(world)
    {
        SOUK_MUST(top_up(&world, 100, 10000));
        struct deed held = first(&world, "p", SOUK_TRANSFER_HOLD, 5000);
        souk_hash128 id = held.payment.id;
        SOUK_MUST(run(&held));
        SOUK_CHECK(held.payment.state == SOUK_PAYMENT_AUTHORISED);
        SOUK_CHECK(held.payment.due == NOON + 60000 && held.payment.amount_minor == 5000);
        SOUK_CHECK_TEXT(held.payment.store, "BER");
        SOUK_CHECK(!strcmp(held.payment.currency, "EUR"));
        struct deed taken = step(&world, "p", SOUK_TRANSFER_CAPTURE, id, "a", 4000);
        SOUK_MUST(run(&taken));
        SOUK_CHECK(taken.payment.state == SOUK_PAYMENT_CAPTURED);
        SOUK_CHECK(souk_hash128_equal(taken.payment.captured, taken.transfer.id));
        struct deed back = step(&world, "p", SOUK_TRANSFER_REFUND, taken.transfer.id, "b", 1500);
        SOUK_MUST(run(&back));
        SOUK_CHECK(back.payment.state == SOUK_PAYMENT_CAPTURED);
        SOUK_MUST(run(&back)); /* told again */
        SOUK_CHECK(back.payment.refunded_minor == 1500 && back.payment.step_count == 3);
        struct deed rest = step(&world, "p", SOUK_TRANSFER_REFUND, taken.transfer.id, "c", 2500);
        SOUK_MUST(run(&rest));
        SOUK_CHECK(rest.payment.state == SOUK_PAYMENT_REFUNDED && rest.payment.step_count == 4);
        for (size_t i = 1; i < rest.payment.step_count; i++)
            SOUK_CHECK(rest.payment.steps[i - 1].number < rest.payment.steps[i].number);
        SOUK_CHECK(souk_payment_find_step(&rest.payment, back.transfer.id)->amount_minor == 1500);
        SOUK_CHECK(!souk_payment_find_step(&rest.payment, (souk_hash128){1, 2}));
        SOUK_MUST(souk_payments_verify(world.ledger, NULL));
        souk_arena_done(&held.arena);
        souk_arena_done(&taken.arena);
        souk_arena_done(&back.arena);
        souk_arena_done(&rest.arena);
    }
}

SOUK_TEST("a hold that is due is over before the keeper has been there, and tells its end after")
{
    EACH_TILL(world)
    {
        SOUK_MUST(top_up(&world, 100, 10000));
        struct deed held = first(&world, "p", SOUK_TRANSFER_HOLD, 5000);
        SOUK_MUST(run(&held));
        world.when.at = NOON + 59999;
        SOUK_MUST(souk_ledger_read(world.ledger, read_deed, &held));
        SOUK_CHECK(held.payment.state == SOUK_PAYMENT_AUTHORISED);
        world.when.at = NOON + 60000;
        SOUK_MUST(souk_ledger_read(world.ledger, read_deed, &held));
        SOUK_CHECK(held.payment.state == SOUK_PAYMENT_EXPIRED && held.payment.step_count == 1);
        SOUK_CHECK(expire(&world) == 1);
        SOUK_MUST(souk_ledger_read(world.ledger, read_deed, &held));
        SOUK_CHECK(held.payment.state == SOUK_PAYMENT_EXPIRED && held.payment.step_count == 2);
        SOUK_CHECK(held.payment.steps[1].kind == SOUK_TRANSFER_EXPIRE);
        world.when.at = NOON; /* a calendar that went back does not open it again */
        SOUK_MUST(souk_ledger_read(world.ledger, read_deed, &held));
        SOUK_CHECK(held.payment.state == SOUK_PAYMENT_EXPIRED);
        souk_arena_done(&held.arena);
    }
}

SOUK_TEST("a payment's id is its merchant's and its name's, and other content under it is refused")
{
    EACH_TILL(world)
    {
        SOUK_MUST(top_up(&world, 100, 10000));
        souk_hash128 mine = souk_payment_id(&key, 1, SOUK_TEXT("p"));
        SOUK_CHECK(!souk_hash128_equal(mine, souk_payment_id(&key, 2, SOUK_TEXT("p"))));
        SOUK_CHECK(!souk_hash128_equal(mine, souk_payment_id(&key, 1, SOUK_TEXT("q"))));
        SOUK_CHECK(!souk_hash128_equal(
            souk_payment_step_id(&key, mine, SOUK_TEXT("capture"), SOUK_TEXT("k")),
            souk_payment_step_id(&key, mine, SOUK_TEXT("refund"), SOUK_TEXT("k"))));
        struct deed post = first(&world, "p", SOUK_TRANSFER_POST, 100);
        SOUK_MUST(run(&post));
        SOUK_CHECK(post.payment.state == SOUK_PAYMENT_CAPTURED && post.payment.due == 0);
        struct deed again = first(&world, "p", SOUK_TRANSFER_POST, 100);
        SOUK_MUST(run(&again));
        SOUK_CHECK(again.payment.step_count == 1);
        struct deed other = first(&world, "p", SOUK_TRANSFER_POST, 100);
        other.payment.reference = SOUK_TEXT("table 7");
        SOUK_CHECK_ERR(run(&other), SOUK_EREUSED);
        SAYS(&world, "another store or reference");
        struct deed more = first(&world, "p", SOUK_TRANSFER_POST, 101);
        SOUK_CHECK_ERR(run(&more), SOUK_EREUSED);
        SOUK_CHECK(balance(&world, world.ann) == 9900);
        souk_arena_done(&post.arena);
        souk_arena_done(&again.arena);
        souk_arena_done(&other.arena);
        souk_arena_done(&more.arena);
    }
}

SOUK_TEST("a payment takes a hundred steps, and the one behind them moves nothing")
{
    EACH_TILL(world)
    {
        char told[24];
        SOUK_MUST(top_up(&world, 1000, 10000));
        struct deed post = first(&world, "p", SOUK_TRANSFER_POST, 200);
        SOUK_MUST(run(&post));
        souk_arena_done(&post.arena);
        for (int i = 0; i <= SOUK_PAYMENT_STEPS; i++) {
            snprintf(told, sizeof told, "%d", i);
            struct deed back = step(&world, "p", SOUK_TRANSFER_REFUND, post.payment.id, told, 1);
            souk_err err = run(&back);
            SOUK_CHECK_ERR(err, i < SOUK_PAYMENT_STEPS ? SOUK_OK : SOUK_ECONFLICT);
            SOUK_CHECK(err || back.payment.refunded_minor == i + 1);
            souk_arena_done(&back.arena);
        }
        SAYS(&world, "100 steps");
        SOUK_CHECK(balance(&world, world.ann) == 9800 + SOUK_PAYMENT_STEPS);
    }
}

struct naming {
    souk_hash128 id;
    souk_arena arena;
    souk_text name;
};

static souk_err name_in(souk_tx *tx, void *context)
{
    struct naming *naming = context;
    souk_book_entry entry;
    SOUK_TRY(souk_books_entry(tx, naming->id, &entry));
    return souk_payment_name_of(tx, &entry, &naming->arena, &naming->name);
}

SOUK_TEST("every transfer of a payment finds its name, and another finds none")
{
    EACH_TILL(world)
    {
        SOUK_MUST(top_up(&world, 100, 10000));
        struct deed held = first(&world, "mine", SOUK_TRANSFER_HOLD, 500);
        SOUK_MUST(run(&held));
        struct deed taken = step(&world, "mine", SOUK_TRANSFER_CAPTURE, held.payment.id, "a", 500);
        SOUK_MUST(run(&taken));
        struct deed back = step(&world, "mine", SOUK_TRANSFER_REFUND, taken.transfer.id, "b", 1);
        SOUK_MUST(run(&back));
        struct deed due = first(&world, "due", SOUK_TRANSFER_HOLD, 500);
        SOUK_MUST(run(&due));
        world.when.at = NOON + 60000;
        SOUK_CHECK(expire(&world) == 1);
        struct {
            souk_hash128 id;
            const char *name;
        } const cases[] = {{held.payment.id, "mine"},
                           {taken.transfer.id, "mine"},
                           {back.transfer.id, "mine"},
                           {due.payment.id, "due"},
                           {souk_books_expiry(due.payment.id), "due"},
                           {id_of(100), ""}};
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct naming naming = {.id = cases[i].id, .arena = {.mem = test->mem}};
            SOUK_MUST(souk_ledger_read(world.ledger, name_in, &naming));
            SOUK_CHECK_TEXT(naming.name, cases[i].name);
            souk_arena_done(&naming.arena);
        }
        souk_arena_done(&held.arena);
        souk_arena_done(&taken.arena);
        souk_arena_done(&back.arena);
        souk_arena_done(&due.arena);
    }
}

/* ---- random payments against a dumb model ---------------------------------------------------------------- */

enum { NAMES = 4, ROUNDS = 120 };

struct model {
    bool there, open;
    int64_t amount, captured, refunded;
    souk_hash128 capture;
    souk_payment_state state;
};

static bool may(const struct model *model, enum souk_transfer_kind kind, int64_t minor)
{
    if (kind == SOUK_TRANSFER_HOLD || kind == SOUK_TRANSFER_POST)
        return !model->there;
    if (kind == SOUK_TRANSFER_REFUND)
        return model->captured && minor <= model->captured - model->refunded;
    return model->open && minor <= model->amount;
}

static void do_model(struct model *model, const struct deed *deed)
{
    int64_t minor = deed->transfer.amount_minor;
    switch (deed->transfer.kind) {
    case SOUK_TRANSFER_HOLD:
        *model = (struct model){true, true, minor, 0, 0, {0, 0}, SOUK_PAYMENT_AUTHORISED};
        break;
    case SOUK_TRANSFER_REFUND:
        model->refunded += minor;
        if (model->refunded == model->captured)
            model->state = SOUK_PAYMENT_REFUNDED;
        break;
    case SOUK_TRANSFER_VOID:
        model->open = false;
        model->state = SOUK_PAYMENT_VOIDED;
        break;
    default: /* captured */
        if (!model->there)
            *model = (struct model){.there = true, .amount = minor};
        model->open = false;
        model->captured = minor;
        model->capture = deed->transfer.id;
        model->state = SOUK_PAYMENT_CAPTURED;
    }
}

static struct deed random_deed(struct world *world, const char *name, const struct model *model,
                               int round)
{
    static const enum souk_transfer_kind kinds[] = {SOUK_TRANSFER_HOLD, SOUK_TRANSFER_POST,
                                                    SOUK_TRANSFER_CAPTURE, SOUK_TRANSFER_VOID,
                                                    SOUK_TRANSFER_REFUND};
    enum souk_transfer_kind kind = kinds[test_random(world->test, 5)];
    int64_t minor = 1 + (int64_t)test_random(world->test, 9);
    char told[24];
    snprintf(told, sizeof told, "%d", round);
    if (kind == SOUK_TRANSFER_HOLD || kind == SOUK_TRANSFER_POST)
        return first(world, name, kind, minor);
    souk_hash128 of = kind == SOUK_TRANSFER_REFUND && model->captured
                          ? model->capture
                          : souk_payment_id(&key, 1, souk_text_of(name));
    return step(world, name, kind, of, told, kind == SOUK_TRANSFER_VOID ? 0 : minor);
}

static bool is_told(const struct model *model, const souk_payment *payment)
{
    return payment->state == model->state && payment->amount_minor == model->amount &&
           payment->captured_minor == model->captured && payment->refunded_minor == model->refunded;
}

SOUK_TEST("random steps of payments end as in a model, and one wrong number in it is noticed")
{
    EACH_TILL(world)
    {
        static const char *const names[NAMES] = {"a", "b", "c", "d"};
        struct model models[NAMES] = {{0}};
        bool noticed = false;
        SOUK_MUST(top_up(&world, 100, 10000));
        for (int round = 0; round < ROUNDS; round++) {
            size_t which = (size_t)test_random(test, NAMES);
            struct model *model = &models[which];
            struct deed deed = random_deed(&world, names[which], model, round);
            bool expected = may(model, deed.transfer.kind, deed.transfer.amount_minor);
            bool repeats = deed.first && model->there; /* told again, or refused */
            souk_err err = run(&deed);
            SOUK_CHECK(repeats || expected == !err);
            if (expected && !err)
                do_model(model, &deed);
            if (!err) {
                SOUK_CHECK(is_told(model, &deed.payment));
                struct model wrong = *model;
                wrong.refunded++;
                noticed |= !is_told(&wrong, &deed.payment);
            }
            souk_arena_done(&deed.arena);
        }
        SOUK_CHECK(noticed);
        SOUK_MUST(souk_payments_verify(world.ledger, NULL));
    }
}

SOUK_TEST("verify finds a payment without money and a step of another payment")
{
    EACH_TILL(world)
    {
        souk_diag diag = {0};
        SOUK_MUST(top_up(&world, 100, 10000));
        struct deed post = first(&world, "p", SOUK_TRANSFER_POST, 200);
        SOUK_MUST(run(&post));
        must_sql(test, &shop, "INSERT INTO payment_step (id, payment) SELECT id, id FROM payment");
        SOUK_CHECK_ERR(souk_payments_verify(world.ledger, &diag), SOUK_ECORRUPT);
        SOUK_CHECK(strstr(diag.words, "none of their transfers"));
        must_sql(test, &shop, "DELETE FROM payment_step");
        diag = (souk_diag){0};
        SOUK_MUST(souk_payments_verify(world.ledger, &diag));
        struct deed back = step(&world, "p", SOUK_TRANSFER_REFUND, post.payment.id, "a", 1);
        SOUK_MUST(run(&back));
        must_sql(test, &shop,
                 "INSERT INTO payment (id, merchant, name, kind, currency, store, reference) "
                 "SELECT id, 1, 'lost', 1, 'EUR', '', '' FROM book_transfer WHERE kind = 6");
        SOUK_CHECK_ERR(souk_payments_verify(world.ledger, &diag), SOUK_ECORRUPT);
        SOUK_CHECK(strstr(diag.words, "no transfer of the books"));
        souk_arena_done(&post.arena);
        souk_arena_done(&back.arena);
    }
}
