/* plan_test.c - baskets against a dumb model: whole or absent, once each, on every ledger and through power cuts.
 *
 * The shop of these tests: `shelf` has stock that must not go below zero, `coupon` may be used so often, `sold` counts
 * what each plan did.  A faulty harness is planted where the test must notice it. */
#include "core/plan.h"

#include "os/thread.h"
#include "test/test.h"

#include "store/ledger_shop.h"
#include "store/vault_desk.h"

enum { SHELVES = 4, COUPON_USES = 9 };

static const souk_migration shop_steps[] = {
    {1, "CREATE TABLE shelf (name TEXT PRIMARY KEY, stock INTEGER NOT NULL CHECK (stock >= 0));"
        "CREATE TABLE sold (id INTEGER PRIMARY KEY, shelf TEXT NOT NULL, pieces INTEGER NOT NULL);"
        "CREATE TABLE coupon (name TEXT PRIMARY KEY, used INTEGER NOT NULL);"
        "INSERT INTO coupon (name, used) VALUES ('ten', 0)"},
};

/* ---- owners ------------------------------------------------------------------------------------------- */

struct owners {
    char trace[400]; /* kinds and keys in the order of their coming */
    bool reads_first;
};

static void note(struct owners *owners, char kind, const souk_effect *effect)
{
    size_t used = strlen(owners->trace);
    snprintf(owners->trace + used, sizeof owners->trace - used, "%c%.*s:%d ", kind,
             SOUK_TEXT_PRINT(effect->key), (int)effect->amount);
}

static souk_err take_stock(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        note(state, 's', &effects[i]);
        SOUK_TRY(souk_sql_run(tx,
                              "UPDATE shelf SET stock = stock - ?2 WHERE name = ?1 AND stock >= ?2",
                              SOUK_VALUES(SOUK_STR(effects[i].key), SOUK_INT(effects[i].amount))));
        if (souk_sql_changed(tx) != 1)
            return souk_diag_say(&plan->diag, SOUK_ECONFLICT, "shelf %.*s is empty",
                                 SOUK_TEXT_PRINT(effects[i].key));
        SOUK_TRY(souk_sql_run(tx, "INSERT INTO sold (shelf, pieces) VALUES (?1, ?2)",
                              SOUK_VALUES(SOUK_STR(effects[i].key), SOUK_INT(effects[i].amount))));
    }
    return SOUK_OK;
}

static souk_err redeem_naive(souk_tx *tx, souk_text name, bool *ret_room)
{
    int64_t used;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT used FROM coupon WHERE name = ?1",
                              SOUK_VALUES(SOUK_STR(name)), &used));
    *ret_room = used < COUPON_USES;
    return souk_sql_run(tx, "UPDATE coupon SET used = ?2 WHERE name = ?1",
                        SOUK_VALUES(SOUK_STR(name), SOUK_INT(used + 1)));
}

static souk_err redeem(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                       size_t count)
{
    struct owners *owners = state;
    for (size_t i = 0; i < count; i++) {
        bool room;
        note(owners, 'r', &effects[i]);
        if (owners->reads_first) {
            SOUK_TRY(redeem_naive(tx, effects[i].key, &room));
        } else {
            SOUK_TRY(souk_sql_run(tx,
                                  "UPDATE coupon SET used = used + 1 WHERE name = ?1 AND used < ?2",
                                  SOUK_VALUES(SOUK_STR(effects[i].key), SOUK_INT(COUPON_USES))));
            room = souk_sql_changed(tx) == 1;
        }
        if (!room)
            return souk_diag_say(&plan->diag, SOUK_ECONFLICT, "coupon %.*s is used up",
                                 SOUK_TEXT_PRINT(effects[i].key));
    }
    return SOUK_OK;
}

static souk_effect_owners owners_of(struct owners *state)
{
    return (souk_effect_owners){
        .of = {[SOUK_EFFECT_STOCK] = {take_stock, state}, [SOUK_EFFECT_REDEEM] = {redeem, state}}};
}

/* ---- one shop ------------------------------------------------------------------------------------------ */

struct stall {
    souk_test *test;
    vault_desk keys;
    struct owners state;
    souk_effect_owners owners;
    souk_arena arena;
};

static void open_stall(struct stall *stall, souk_test *test, struct shop *shop, int stock)
{
    memset(stall, 0, sizeof *stall);
    stall->test = test;
    stall->keys = desk_of(test, &small);
    stall->owners = owners_of(&stall->state);
    stall->arena.mem = test->mem;
    SOUK_MUST(souk_once_migrate(shop->ledger, NULL));
    SOUK_MUST(souk_ledger_migrate(shop->ledger, "stall", shop_steps, 1, NULL));
    for (int i = 0; i < SHELVES; i++) {
        char sql[100];
        snprintf(sql, sizeof sql, "INSERT INTO shelf (name, stock) VALUES ('%c', %d)", 'a' + i,
                 stock);
        must_sql(test, shop, sql);
    }
}

static void close_stall(struct stall *stall)
{
    souk_arena_done(&stall->arena);
    desk_done(&stall->keys);
}

static souk_once once_of(const struct stall *stall, uint64_t key, uint64_t asked)
{
    return (souk_once){.vault = stall->keys.vault,
                       .id = {key, 1},
                       .fingerprint = {asked, 2},
                       .at = 1767268800000,
                       .body = {.mem = stall->test->mem}};
}

static souk_err tell_trace(souk_plan *plan, souk_tx *tx)
{
    (void)tx;
    const char *words = plan->context;
    plan->once->status = 201;
    snprintf(plan->once->type, sizeof plan->once->type, "text/plain");
    souk_buf_clear(&plan->once->body);
    souk_buf_append(&plan->once->body, words, strlen(words));
    return SOUK_OK;
}

static souk_plan plan_of(struct stall *stall, souk_once *once, const char *words)
{
    return (souk_plan){.arena = &stall->arena,
                       .once = once,
                       .at = 1767268800000,
                       .tell = tell_trace,
                       .context = (void *)(uintptr_t)words};
}

SOUK_TEST("effects come to their owners by kind, then by key, then as they were added")
{
    EACH_SHOP(shop, .readers = 1)
    {
        struct stall stall;
        open_stall(&stall, test, &shop, 100);
        souk_plan plan = {.arena = &stall.arena};
        souk_plan_add(&plan, SOUK_EFFECT_STOCK, SOUK_TEXT("c"), 1, NULL);
        souk_plan_add(&plan, SOUK_EFFECT_STOCK, SOUK_TEXT("a"), 2, NULL);
        souk_plan_add(&plan, SOUK_EFFECT_REDEEM, SOUK_TEXT("ten"), 1, NULL);
        souk_plan_add(&plan, SOUK_EFFECT_STOCK, SOUK_TEXT("c"), 3, NULL);
        SOUK_MUST(souk_plan_run(shop.ledger, &stall.owners, &plan));
        SOUK_CHECK_TEXT(souk_text_of(stall.state.trace), "rten:1 sa:2 sc:1 sc:3 ");
        SOUK_CHECK(ask(test, &shop, "SELECT sum(stock) FROM shelf") == 394);
        close_stall(&stall);
    }
}

SOUK_TEST("a refused effect undoes the basket and frees its key; words say which")
{
    EACH_SHOP(shop, .readers = 1)
    {
        struct stall stall;
        open_stall(&stall, test, &shop, 2);
        souk_once once = once_of(&stall, 7, 70);
        souk_plan plan = plan_of(&stall, &once, "sold");
        souk_plan_add(&plan, SOUK_EFFECT_REDEEM, SOUK_TEXT("ten"), 1, NULL);
        souk_plan_add(&plan, SOUK_EFFECT_STOCK, SOUK_TEXT("a"), 2, NULL);
        souk_plan_add(&plan, SOUK_EFFECT_STOCK, SOUK_TEXT("b"), 3, NULL);
        SOUK_CHECK_ERR(souk_plan_run(shop.ledger, &stall.owners, &plan), SOUK_ECONFLICT);
        SOUK_CHECK_TEXT(souk_text_of(plan.diag.words), "shelf b is empty");
        SOUK_CHECK(ask(test, &shop, "SELECT used FROM coupon WHERE name = 'ten'") == 0);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM sold") == 0);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM idempotency") == 0);

        souk_plan mended = plan_of(&stall, &once, "sold");
        souk_plan_add(&mended, SOUK_EFFECT_STOCK, SOUK_TEXT("a"), 2, NULL);
        SOUK_MUST(souk_plan_run(shop.ledger, &stall.owners, &mended));
        SOUK_CHECK(!mended.again);
        souk_once_done(&once);
        close_stall(&stall);
    }
}

SOUK_TEST("a repeat hears the first answer and does nothing; the key of another request is refused")
{
    EACH_SHOP(shop, .readers = 1)
    {
        struct stall stall;
        open_stall(&stall, test, &shop, 10);
        for (int i = 0; i < 3; i++) {
            souk_once once = once_of(&stall, 7, 70);
            souk_plan plan = plan_of(&stall, &once, i ? "another" : "first");
            souk_plan_add(&plan, SOUK_EFFECT_STOCK, SOUK_TEXT("a"), 2, NULL);
            SOUK_MUST(souk_plan_run(shop.ledger, &stall.owners, &plan));
            SOUK_CHECK(plan.again == (i > 0) && once.status == 201);
            SOUK_CHECK_TEXT(souk_buf_view(&once.body), "first");
            SOUK_CHECK_TEXT(souk_text_of(once.type), "text/plain");
            souk_once_done(&once);
        }
        SOUK_CHECK(ask(test, &shop, "SELECT stock FROM shelf WHERE name = 'a'") == 8);
        souk_once once = once_of(&stall, 7, 71);
        souk_plan plan = plan_of(&stall, &once, "other");
        SOUK_CHECK_ERR(souk_plan_run(shop.ledger, &stall.owners, &plan), SOUK_EREUSED);

        once = once_of(&stall, 7, 71);
        once.at += SOUK_ONCE_KEPT_MS; /* three days later the key is free */
        plan = plan_of(&stall, &once, "other");
        SOUK_MUST(souk_plan_run(shop.ledger, &stall.owners, &plan));
        SOUK_CHECK(!plan.again);
        souk_once_done(&once);
        close_stall(&stall);
    }
}

static souk_err sweep(souk_tx *tx, void *context)
{
    return souk_once_sweep(tx, *(souk_time *)context, 2);
}

SOUK_TEST(
    "the sweep removes the oldest answers that nobody may ask for any more, so many at a time")
{
    EACH_SHOP(shop, .readers = 1)
    {
        struct stall stall;
        open_stall(&stall, test, &shop, 10);
        for (uint64_t key = 0; key < 4; key++) {
            souk_once once = once_of(&stall, key, 1);
            once.at += (souk_time)key;
            souk_plan plan = plan_of(&stall, &once, "done");
            SOUK_MUST(souk_plan_run(shop.ledger, &stall.owners, &plan));
            souk_once_done(&once);
        }
        souk_time now = 1767268800000 + SOUK_ONCE_KEPT_MS + 2; /* the fourth is still kept */
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_JOB, sweep, &now));
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM idempotency") == 2);
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_JOB, sweep, &now));
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_JOB, sweep, &now));
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM idempotency") == 1);
        close_stall(&stall);
    }
}

SOUK_TEST("a plan of too many effects, or of too long a key, is refused and not cut")
{
    EACH_SHOP(shop, .readers = 1)
    {
        struct stall stall;
        open_stall(&stall, test, &shop, 10);
        souk_plan plan = {.arena = &stall.arena};
        for (int i = 0; i <= SOUK_EFFECTS_MOST; i++)
            souk_plan_add(&plan, SOUK_EFFECT_STOCK, SOUK_TEXT("a"), 0, NULL);
        SOUK_CHECK_ERR(souk_plan_run(shop.ledger, &stall.owners, &plan), SOUK_ETOOBIG);
        close_stall(&stall);
    }
}

/* ---- many clients ---------------------------------------------------------------------------------------- */

enum { CLIENTS = 8, KEYS = 120 };

struct crowd {
    souk_ledger *ledger;
    souk_vault *vault;
    bool keyless, reads_first;
    uint64_t seed;
    unsigned done[CLIENTS], refused[CLIENTS];
};

struct client {
    struct crowd *crowd;
    unsigned number;
    souk_thread thread;
};

/* Every client tries every key, in an order of its own: each basket is told CLIENTS times. */
static void try_all(void *context)
{
    struct client *client = context;
    struct crowd *crowd = client->crowd;
    for (unsigned i = 0; i < KEYS; i++) {
        uint64_t key = (i * 7 + client->number * 31) % KEYS;
        struct owners state = {.reads_first = crowd->reads_first};
        souk_effect_owners owners = owners_of(&state);
        souk_arena arena = {.mem = souk_mem_heap()};
        souk_once once = {.vault = crowd->vault,
                          .id = {key, 9},
                          .fingerprint = {key, 9},
                          .at = 1767268800000,
                          .body = {.mem = souk_mem_heap()}};
        souk_plan plan = {.arena = &arena,
                          .once = crowd->keyless ? NULL : &once,
                          .tell = crowd->keyless ? NULL : tell_trace,
                          .context = (void *)(uintptr_t) "sold"};
        souk_plan_add(&plan, SOUK_EFFECT_STOCK, (souk_text){"abcd" + key % SHELVES, 1}, 1, NULL);
        souk_plan_add(&plan, SOUK_EFFECT_STOCK, (souk_text){"abcd" + (key + 1) % SHELVES, 1}, 1,
                      NULL);
        if (key < 2 * COUPON_USES)
            souk_plan_add(&plan, SOUK_EFFECT_REDEEM, SOUK_TEXT("ten"), 1, NULL);
        souk_err err = souk_plan_run(crowd->ledger, &owners, &plan);
        crowd->done[client->number] += !err && !plan.again;
        crowd->refused[client->number] += err == SOUK_ECONFLICT;
        souk_once_done(&once);
        souk_arena_done(&arena);
    }
}

/* Returns how many baskets were done, by the clients' word. */
static unsigned run_crowd(souk_test *test, struct crowd *crowd)
{
    struct client clients[CLIENTS];
    unsigned done = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.crowd = crowd, .number = i};
        SOUK_MUST(souk_thread_start(&clients[i].thread, "client", try_all, &clients[i]));
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        souk_thread_join(&clients[i].thread);
    for (unsigned i = 0; i < CLIENTS; i++)
        done += crowd->done[i];
    return done;
}

SOUK_TEST(
    "each basket told by eight clients at once is done once, and no coupon more often than it may")
{
    EACH_SHOP(shop, .readers = 1)
    {
        if (shop.how->no_thread)
            continue;
        struct stall stall;
        open_stall(&stall, test, &shop, 1000);
        struct crowd crowd = {.ledger = shop.ledger, .vault = stall.keys.vault};
        unsigned done = run_crowd(test, &crowd);
        SOUK_CHECK(done == KEYS - COUPON_USES); /* so many found the coupon used up */
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM sold") == 2 * done);
        SOUK_CHECK(ask(test, &shop, "SELECT used FROM coupon WHERE name = 'ten'") == COUPON_USES);
        SOUK_CHECK(ask(test, &shop, "SELECT sum(stock) FROM shelf") == SHELVES * 1000 - 2 * done);
        close_stall(&stall);
    }
}

SOUK_TEST("the same harness notices baskets without a key: they are done once for each telling")
{
    EACH_SHOP(shop, .readers = 1)
    {
        if (shop.how->no_thread)
            continue;
        struct stall stall;
        open_stall(&stall, test, &shop, 1000);
        struct crowd crowd = {.ledger = shop.ledger, .vault = stall.keys.vault, .keyless = true};
        SOUK_CHECK(run_crowd(test, &crowd) > KEYS);
        close_stall(&stall);
    }
}

/* ---- power cuts ------------------------------------------------------------------------------------------ */

struct cuts {
    souk_test *test;
    souk_disk *disk;
    struct stall stall;
    enum souk_ledger_sync sync;
    uint64_t next, answered_through, lost, doubled, answers;
};

static souk_err open_ledger(struct cuts *cuts, souk_ledger **ret_ledger)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1, .sync = cuts->sync};
    return souk_ledger_open_sqlite(cuts->test->mem, cuts->disk, "ledger", &options, ret_ledger,
                                   NULL);
}

static souk_err sell(struct cuts *cuts, souk_ledger *ledger, uint64_t key, bool *ret_again)
{
    souk_once once = once_of(&cuts->stall, key, key);
    souk_plan plan = plan_of(&cuts->stall, &once, "sold");
    char name[2] = {(char)('a' + key % SHELVES), 0};
    souk_plan_add(&plan, SOUK_EFFECT_STOCK, souk_text_of(name), 1, NULL);
    souk_plan_add(&plan, SOUK_EFFECT_STOCK, SOUK_TEXT("a"), 1, NULL);
    souk_err err = souk_plan_run(ledger, &cuts->stall.owners, &plan);
    *ret_again = plan.again;
    souk_once_done(&once);
    souk_arena_clear(&cuts->stall.arena);
    return err;
}

static int64_t count_sold(struct cuts *cuts, souk_ledger *ledger)
{
    struct question question = {.sql = "SELECT count(*) FROM sold"};
    souk_test *test = cuts->test;
    SOUK_MUST(souk_ledger_read(ledger, ask_closure, &question));
    return question.answer;
}

/* Sells until the power goes; then every basket that was answered is told again, and the one in doubt. */
static void one_life(struct cuts *cuts)
{
    souk_test *test = cuts->test;
    souk_ledger *ledger = NULL;
    bool again;
    souk_sim_plan(cuts->disk, (souk_sim_faults){.cut_at = 1 + test_random(test, 60)});
    uint64_t first = cuts->next;
    if (!open_ledger(cuts, &ledger))
        while (!sell(cuts, ledger, cuts->next, &again))
            cuts->answers++, cuts->next++;
    souk_ledger_free(ledger);
    souk_sim_power_on(cuts->disk);
    souk_sim_plan(cuts->disk, (souk_sim_faults){.cut_at = 0});
    ledger = NULL;
    if (open_ledger(cuts, &ledger)) { /* only where syncs lie */
        cuts->lost++;
        return;
    }
    for (uint64_t key = first; key < cuts->next; key++) {
        if (sell(cuts, ledger, key, &again))
            cuts->lost++;
        cuts->lost += !again;
    }
    cuts->lost += sell(cuts, ledger, cuts->next, &again) != SOUK_OK;
    cuts->next++;
    cuts->doubled += count_sold(cuts, ledger) != 2 * (int64_t)cuts->next;
    souk_ledger_free(ledger);
}

static void open_cuts(struct cuts *cuts, souk_test *test)
{
    souk_ledger *ledger = NULL;
    cuts->test = test;
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &cuts->disk));
    SOUK_MUST(open_ledger(cuts, &ledger));
    struct shop shop = {.ledger = ledger};
    open_stall(&cuts->stall, test, &shop, 1000000);
    SOUK_MUST(souk_ledger_close(ledger));
    souk_ledger_free(ledger);
}

static void close_cuts(struct cuts *cuts)
{
    close_stall(&cuts->stall);
    souk_disk_free(cuts->disk);
}

SOUK_TEST("through power cuts no answered basket is lost, none is half there, and telling it again "
          "doubles none")
{
    struct cuts cuts = {.sync = SOUK_SYNC_FULL};
    open_cuts(&cuts, test);
    for (int life = 0; life < 150; life++)
        one_life(&cuts);
    SOUK_CHECK(cuts.lost == 0);
    SOUK_CHECK(cuts.doubled == 0);
    SOUK_CHECK(cuts.answers > 150);
    close_cuts(&cuts);
}

SOUK_TEST("the same harness notices a ledger that answers before its baskets are on the disk")
{
    struct cuts cuts = {.sync = SOUK_SYNC_OFF};
    open_cuts(&cuts, test);
    for (int life = 0; life < 150 && !cuts.lost; life++)
        one_life(&cuts);
    SOUK_CHECK(cuts.lost > 0);
    close_cuts(&cuts);
}

SOUK_TEST("a basket ends well or says what stood in its way, whatever allocation fails")
{
    vault_desk keys = desk_of(test, &small);
    SOUK_FAULT_LOOP (test) {
        souk_disk *disk = NULL;
        souk_ledger *ledger = NULL;
        souk_ledger_options options = {.no_thread = true, .readers = 1};
        struct owners state = {.reads_first = false};
        souk_effect_owners owners = owners_of(&state);
        souk_arena arena = {.mem = test->mem};
        souk_once once = {.vault = keys.vault, .at = 5, .body = {.mem = test->mem}};
        souk_plan plan = {
            .arena = &arena, .once = &once, .tell = tell_trace, .context = (void *)(uintptr_t) "x"};
        souk_plan_add(&plan, SOUK_EFFECT_REDEEM, SOUK_TEXT("ten"), 1, NULL);
        souk_err err = souk_disk_open_sim(souk_mem_heap(), 3, &disk);
        if (!err)
            err = souk_ledger_open_sqlite(souk_mem_heap(), disk, "ledger", &options, &ledger, NULL);
        if (!err)
            err = souk_once_migrate(ledger, NULL);
        if (!err)
            err = souk_ledger_migrate(ledger, "stall", shop_steps, 1, NULL);
        if (!err)
            err = souk_plan_run(ledger, &owners, &plan);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
        souk_once_done(&once);
        souk_arena_done(&arena);
        souk_ledger_free(ledger);
        souk_disk_free(disk);
    }
    desk_done(&keys);
}
