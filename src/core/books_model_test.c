/* books_model_test.c - 200,000 random operations on the books beside a plain model, compared at every commit.
 *
 * Groups of up to eight closures share a commit, of which about a quarter is refused: so that groups are run
 * again, shielded, and what a closure did twice must count once.  SOUK_MODEL_ROUNDS=50 in the environment makes it
 * 10,000,000 operations. */
#include "test/test.h"

#include "core/books_model.h"
#include "core/books_world.h"

#include <stdlib.h>

enum { GROUP = 8, REMEMBERED = 512, EXACT = 10, SUMMED = 5 };

/* One closure of a group, and what it must answer. */
struct telling {
    souk_job job;
    struct rig *rig;
    struct model_set set;
    souk_books_when when;
    souk_err expected, err;
    bool expects_there, was_there;
    souk_diag diag;
};

struct rig {
    souk_test *test;
    struct world world;
    struct model model;
    struct model_set remembered[REMEMBERED];
    struct telling group[GROUP];
    size_t group_count, remembered_count;
    uint64_t operations, next_id, commits, refused, repeats;
    souk_time now;
    char complaint[500];
};

static uint64_t draw(struct rig *rig, uint64_t below)
{
    return test_random(rig->test, below);
}

/* ---- making up ----------------------------------------------------------------------------------------------- */

static size_t any_account(struct rig *rig)
{
    return (size_t)draw(rig, rig->model.account_count);
}

/* Mostly shoppers of one currency; sometimes what cannot be. */
static souk_transfer make_first(struct rig *rig, enum souk_transfer_kind kind)
{
    size_t debit = any_account(rig), credit = any_account(rig);
    for (int tries = 0; tries < 6 && (credit == debit || rig->model.accounts[credit].currency !=
                                                             rig->model.accounts[debit].currency);
         tries++)
        credit = any_account(rig);
    souk_transfer leg = post(++rig->next_id, rig->model.accounts[debit].id,
                             rig->model.accounts[credit].id, 1 + (int64_t)draw(rig, 3000));
    leg.kind = kind;
    if (kind == SOUK_TRANSFER_HOLD) /* each end its own millisecond */
        leg.due = rig->now + 1 + (int64_t)draw(rig, 60) * 1000 + (int64_t)(rig->next_id % 997);
    if (draw(rig, 200) == 0)
        leg.amount_minor = (int64_t[]){0, -1, INT64_MAX, INT64_MIN}[draw(rig, 4)];
    if (draw(rig, 400) == 0)
        leg.credit = draw(rig, 2) ? 12345 : -12345;
    if (draw(rig, 3) == 0)
        leg.reason = id_of(draw(rig, 1000));
    return leg;
}

static souk_transfer make_leg(struct rig *rig)
{
    const struct model *model = &rig->model;
    uint64_t what = draw(rig, 100);
    souk_hash128 id = id_of(++rig->next_id);
    if (what < 20 && model->hold_count) {
        const struct model_hold *hold = &model->holds[draw(rig, model->hold_count)];
        int64_t part =
            draw(rig, 2) ? hold->amount : 1 + (int64_t)draw(rig, (uint64_t)hold->amount + 2);
        return (souk_transfer){
            .id = id, .kind = SOUK_TRANSFER_CAPTURE, .of = hold->id, .amount_minor = part};
    }
    if (what < 25 && model->hold_count)
        return (souk_transfer){.id = id,
                               .kind = SOUK_TRANSFER_VOID,
                               .of = model->holds[draw(rig, model->hold_count)].id};
    if (what < 38 &&
        model->moved_count == MODEL_MOVED) { /* not those that this set may make forget */
        uint64_t kept = model->next_moved + MODEL_SET + draw(rig, MODEL_MOVED - MODEL_SET);
        const struct model_moved *moved = &model->moved[kept % MODEL_MOVED];
        return (souk_transfer){.id = id,
                               .kind = SOUK_TRANSFER_REFUND,
                               .of = moved->id,
                               .amount_minor = 1 + (int64_t)draw(rig, (uint64_t)moved->amount)};
    }
    bool holds = what < 62 && model->hold_count + GROUP * MODEL_SET < MODEL_HOLDS;
    return make_first(rig, holds ? SOUK_TRANSFER_HOLD : SOUK_TRANSFER_POST);
}

static void make_new(struct rig *rig, struct telling *telling)
{
    telling->set.count = draw(rig, 8) ? 1 : 2 + draw(rig, MODEL_SET - 1);
    for (size_t i = 0; i < telling->set.count; i++)
        telling->set.legs[i] = make_leg(rig);
    telling->expected = model_apply(&rig->model, &telling->when, &telling->set);
    if (telling->expected)
        return;
    size_t at =
        rig->remembered_count < REMEMBERED ? rig->remembered_count++ : draw(rig, REMEMBERED);
    rig->remembered[at] = telling->set;
}

/* Told again: in another order, later, and one time in four with another content. */
static void make_again(struct rig *rig, struct telling *telling)
{
    telling->set = rig->remembered[draw(rig, rig->remembered_count)];
    size_t a = draw(rig, telling->set.count), b = draw(rig, telling->set.count);
    souk_transfer *legs = telling->set.legs, leg = legs[a];
    legs[a] = legs[b];
    legs[b] = leg;
    for (size_t i = 0; i < telling->set.count; i++)
        if (legs[i].kind == SOUK_TRANSFER_HOLD)
            legs[i].due = rig->now + 5000;
    telling->expects_there = draw(rig, 4) > 0;
    if (telling->expects_there)
        return;
    telling->expected = SOUK_EREUSED;
    if (draw(rig, 2) || legs[a].kind == SOUK_TRANSFER_VOID)
        legs[a].reason = id_of(5000 + draw(rig, 10));
    else
        legs[a].amount_minor++;
}

/* ---- commits --------------------------------------------------------------------------------------------------- */

static souk_err telling_apply(souk_tx *tx, souk_job *job)
{
    struct telling *telling = SOUK_JOB_OWNER(job, struct telling, job);
    telling->diag = (souk_diag){.words = ""};
    telling->was_there = false;
    return souk_books_apply(tx, &telling->when, telling->set.legs, telling->set.count,
                            &telling->was_there, &telling->diag);
}

static souk_err telling_closure(souk_tx *tx, void *context)
{
    struct telling *telling = context;
    return telling_apply(tx, &telling->job);
}

static void telling_after(souk_job *job, souk_err err)
{
    SOUK_JOB_OWNER(job, struct telling, job)->err = err;
}

#define COMPLAIN(rig, ...) \
    ((rig)->complaint[0] ? 0 : snprintf((rig)->complaint, sizeof(rig)->complaint, __VA_ARGS__))

static void compare_answers(struct rig *rig)
{
    for (size_t i = 0; i < rig->group_count; i++) {
        const struct telling *telling = &rig->group[i];
        /* which of several reasons a set hears is the books' affair */
        bool same = telling->set.count > 1 ? !telling->err == !telling->expected
                                           : telling->err == telling->expected;
        if (!same || (!telling->err && telling->was_there != telling->expects_there))
            COMPLAIN(rig, "%s instead of %s: %s", souk_err_name(telling->err),
                     souk_err_name(telling->expected), telling->diag.words);
        if (telling->err && !telling->diag.words[0])
            COMPLAIN(rig, "%s has no words", souk_err_name(telling->err));
        rig->refused += telling->err != SOUK_OK;
        rig->repeats += telling->was_there;
    }
}

static souk_err compare_rows(souk_tx *tx, void *context)
{
    struct rig *rig = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT id, debits, credits, held_out, held_in, day_spent"
                             " FROM book_account WHERE id > 0 ORDER BY id",
                             SOUK_NO_VALUES, &rows));
    for (size_t i = 0; i < rig->model.account_count; i++) {
        const struct model_account *account = &rig->model.accounts[i];
        if (!model_has_limit(&rig->model, i))
            continue;
        if (!souk_rows_next(&rows) || souk_rows_int(&rows, 0) != account->id ||
            souk_rows_int(&rows, 1) != account->debits ||
            souk_rows_int(&rows, 2) != account->credits ||
            souk_rows_int(&rows, 3) != account->out || souk_rows_int(&rows, 4) != account->in ||
            souk_rows_int(&rows, 5) != account->day_spent)
            COMPLAIN(rig, "account %lld is not as the model has it", (long long)account->id);
    }
    return souk_rows_check(&rows);
}

static souk_err compare_state(souk_tx *tx, void *context)
{
    struct rig *rig = context;
    souk_book_state state;
    const struct model_account *account = &rig->model.accounts[any_account(rig)];
    SOUK_TRY(souk_books_state(tx, account->id, &state, NULL));
    if (state.debits_minor != account->debits || state.credits_minor != account->credits ||
        state.pending_out != account->out || state.pending_in != account->in ||
        state.available != model_available(account))
        COMPLAIN(rig, "the state of account %lld is not as the model has it",
                 (long long)account->id);
    return compare_rows(tx, rig);
}

static void commit(struct rig *rig)
{
    souk_test *test = rig->test;
    souk_ledger_hold(rig->world.ledger);
    for (size_t i = 0; i < rig->group_count; i++)
        SOUK_MUST(souk_ledger_submit(rig->world.ledger, &rig->group[i].job));
    souk_ledger_release(rig->world.ledger);
    compare_answers(rig);
    rig->group_count = 0;
    rig->commits++;
    SOUK_MUST(souk_ledger_read(rig->world.ledger, compare_state, rig));
}

/* Where others run at the same time, one at a time keeps the model's order. */
static void commit_alone(struct rig *rig)
{
    souk_test *test = rig->test;
    rig->group[0].err =
        souk_ledger_write(rig->world.ledger, SOUK_LANE_TILL, telling_closure, &rig->group[0]);
    compare_answers(rig);
    rig->group_count = 0;
    rig->commits++;
    SOUK_MUST(souk_ledger_read(rig->world.ledger, compare_state, rig));
}

/* ---- jobs and the clock ------------------------------------------------------------------------------------------ */

static void end_due(struct rig *rig)
{
    size_t ended = 0, chunk;
    rig->world.when.at = rig->now;
    while ((chunk = expire(&rig->world)) > 0)
        ended += chunk;
    size_t expected = model_expire(&rig->model, rig->now);
    if (ended != expected)
        COMPLAIN(rig, "%zu holds ended instead of %zu", ended, expected);
}

struct limiting {
    int64_t account;
    souk_book_limits limits;
};

static souk_err limit_closure(souk_tx *tx, void *context)
{
    struct limiting *my = context;
    return souk_books_limit(tx, my->account, &my->limits, NULL);
}

static void change_limits(struct rig *rig)
{
    struct model_account *account = &rig->model.accounts[draw(rig, EXACT)];
    struct limiting my = {account->id, account->limits};
    my.limits.below_minor = (int64_t)draw(rig, 6000);
    int64_t left = model_available(account) - account->limits.below_minor + my.limits.below_minor;
    souk_err err = souk_ledger_write(rig->world.ledger, SOUK_LANE_JOB, limit_closure, &my);
    if (err != (left < 0 ? SOUK_ECONFLICT : SOUK_OK))
        COMPLAIN(rig, "a limit is answered %s", souk_err_name(err));
    if (!err)
        account->limits = my.limits;
}

static void do_other_things(struct rig *rig)
{
    rig->now += (int64_t)draw(rig, 1500);
    uint64_t what = draw(rig, 300);
    if (what == 0)
        rig->now += ((int64_t)draw(rig, 5) - 2) * SOUK_DAY_MS / 2; /* somebody sets the clock */
    if (what < 6)
        end_due(rig);
    else if (what < 8)
        roll(&rig->world, 0);
    else if (what < 12)
        change_limits(rig);
}

/* ---- the run -------------------------------------------------------------------------------------------------------- */

static void open_account(struct rig *rig, unsigned kind, uint64_t owner, int currency,
                         souk_book_limits limits)
{
    souk_test *test = rig->test;
    souk_book book = {.merchant = 1, .kind = kind, .owner = owner, .limits = limits};
    memcpy(book.currency, currency ? "CNY" : "EUR", 4);
    struct model_account *account = &rig->model.accounts[rig->model.account_count++];
    *account = (struct model_account){.limits = limits, .currency = currency};
    SOUK_MUST(open_book(&rig->world, book, &account->id));
}

static void begin(struct rig *rig, souk_test *test, struct shop *shop)
{
    memset(rig, 0, sizeof *rig);
    rig->test = test;
    rig->now = NOON;
    rig->world = (struct world){.test = test, .ledger = shop->ledger, .when = {.at = NOON}};
    SOUK_MUST(souk_books_migrate(shop->ledger, NULL));
    for (uint64_t i = 0; i < EXACT; i++)
        open_account(rig, i % 2 ? SOUK_BOOK_BALANCE : SOUK_BOOK_TAB, i, i >= EXACT - 3,
                     (souk_book_limits){.below_minor = i % 2 ? 0 : 5000,
                                        .set_minor = i % 3 == 0 ? 2800 : 0,
                                        .day_minor = i % 4 == 0 ? 30000 : 0,
                                        .confirm_minor = i % 5 == 0 ? 2000 : 0});
    for (uint64_t i = 0; i < SUMMED; i++)
        open_account(rig, SOUK_BOOK_SALES + (unsigned)i, 1, i >= SUMMED - 2, (souk_book_limits){0});
}

static void step(struct rig *rig, bool in_groups)
{
    struct telling *telling = &rig->group[rig->group_count++];
    *telling = (struct telling){
        .rig = rig,
        .job = {.lane = SOUK_LANE_TILL,
                .may_fail = draw(rig, 2),
                .apply = telling_apply,
                .after = telling_after},
        .when = {.at = rig->now, .confirmed = draw(rig, 3) == 0},
    };
    rig->operations++;
    if (rig->remembered_count && draw(rig, 12) == 0)
        make_again(rig, telling);
    else
        make_new(rig, telling);
    if (!in_groups)
        commit_alone(rig);
    else if (rig->group_count == GROUP || draw(rig, GROUP) == 0)
        commit(rig);
    if (rig->group_count == 0)
        do_other_things(rig);
}

static void audit(struct rig *rig)
{
    if (verify(&rig->world))
        COMPLAIN(rig, "%s", rig->world.diag.words);
}

/* Until the model complains or all are done. */
static void run(struct rig *rig, bool in_groups, uint64_t operations)
{
    uint64_t audit_at = 1000;
    while (rig->operations < operations && !rig->complaint[0]) {
        step(rig, in_groups);
        if (rig->group_count == 0 && rig->operations >= audit_at) {
            audit(rig);
            audit_at *= 4;
        }
    }
    if (rig->group_count)
        commit(rig);
    audit(rig);
}

static uint64_t rounds_wanted(void)
{
    const char *told = getenv("SOUK_MODEL_ROUNDS");
    return told ? strtoull(told, NULL, 10) : 1;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { OPERATIONS = 10000, OF_OTHERS = 300 };
#else
enum { OPERATIONS = 200000, OF_OTHERS = 300 };
#endif

static void run_on(souk_test *test, struct shop *shop, uint64_t operations)
{
    static struct rig rig;
    begin(&rig, test, shop);
    run(&rig, shop->how->no_thread, operations);
    if (rig.complaint[0])
        test_fail(test, __FILE__, __LINE__, "%s: after %llu operations: %s", shop->how->name,
                  (unsigned long long)rig.operations, rig.complaint);
    SOUK_CHECK(rig.refused > operations / 20 && rig.repeats > 0);
    fprintf(stderr, "  books: %llu operations in %llu commits, %llu refused, %llu told again: %s\n",
            (unsigned long long)rig.operations, (unsigned long long)rig.commits,
            (unsigned long long)rig.refused, (unsigned long long)rig.repeats, shop->how->name);
}

/* On the simulated disk without a thread, a new one each time. */
static struct shop open_new(souk_test *test)
{
    struct shop shop = {.how = &arrangements[0]};
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &shop.disk));
    open_with(test, &shop, (souk_ledger_options){.readers = 1});
    return shop;
}

SOUK_TEST("over 200,000 random operations the books equal a plain model at every commit")
{
    for (uint64_t round = rounds_wanted(); round > 0; round--) {
        struct shop shop = open_new(test);
        run_on(test, &shop, OPERATIONS);
        close_shop(test, &shop);
    }
}

SOUK_TEST("on every arrangement the books equal the model")
{
    EACH_SHOP(shop, .readers = 1)
    run_on(test, &shop, OF_OTHERS);
}

struct losing {
    struct rig *rig;
    const char *sql;
};

/* Lost, compared, and undone with the closure. */
static souk_err lose(souk_tx *tx, void *context)
{
    struct losing *my = context;
    my->rig->complaint[0] = '\0';
    SOUK_TRY(souk_sql_script(tx, my->sql));
    SOUK_TRY(compare_rows(tx, my->rig));
    return SOUK_ECONFLICT;
}

SOUK_TEST(
    "the model notices a leg that is lost, a hold that is freed and a day that is not counted")
{
    static const char *const losses[] = {
        "UPDATE book_account SET credits = credits + 1 WHERE id = 3",
        "UPDATE book_account SET held_out = held_out + 1 WHERE id = 1",
        "UPDATE book_account SET day_spent = day_spent + 1 WHERE id = 1",
        "UPDATE book_account SET debits = debits - 1 WHERE debits > 0 AND id > 0",
    };
    static struct rig rig;
    struct shop shop = open_new(test);
    begin(&rig, test, &shop);
    run(&rig, true, 500);
    SOUK_CHECK(!rig.complaint[0]);
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct losing my = {&rig, losses[i]};
        SOUK_CHECK_ERR(souk_ledger_write(shop.ledger, SOUK_LANE_JOB, lose, &my), SOUK_ECONFLICT);
        SOUK_CHECK(rig.complaint[0]);
    }
    close_shop(test, &shop);
}
