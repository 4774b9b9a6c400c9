/* ledger_test.c - the contract of ledger.h on every arrangement: values, readers, copies, schema, threads. */
#include "test/test.h"

#include "os/thread.h"
#include "store/ledger_shop.h"

/* ---- values, rows, errors ----------------------------------------------------------------------- */

static souk_err write_values(souk_tx *tx, void *context)
{
    (void)context;
    static const char bytes[] = {'a', 0, 'b'};
    SOUK_TRY(souk_sql_run(tx, "INSERT INTO item VALUES (?1, ?2, ?3, ?4)",
                          SOUK_VALUES(SOUK_INT(INT64_MIN), SOUK_STR(SOUK_TEXT("salty")),
                                      SOUK_INT(INT64_MAX), SOUK_BLOB(bytes, 3))));
    if (souk_sql_changed(tx) != 1)
        return SOUK_ECONFLICT;
    SOUK_TRY(souk_sql_run(
        tx, "INSERT INTO item VALUES (?1, ?2, ?3, ?4)",
        SOUK_VALUES(SOUK_INT(2), SOUK_STR((souk_text){0}), SOUK_NULL, SOUK_BLOB(NULL, 0))));
    return souk_sql_run(tx, "UPDATE item SET stock = 7 WHERE id > ?1", SOUK_VALUES(SOUK_INT(5)));
}

static souk_err read_values(souk_tx *tx, void *context)
{
    bool *same = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT id, name, stock, picture, 0.5 * ?1 FROM item ORDER BY id",
                             SOUK_VALUES(SOUK_REAL(3.0)), &rows));
    *same = souk_rows_next(&rows) && souk_rows_int(&rows, 0) == INT64_MIN &&
            souk_text_equal(souk_rows_text(&rows, 1), SOUK_TEXT("salty")) &&
            souk_rows_int(&rows, 2) == INT64_MAX &&
            souk_text_equal(souk_rows_blob(&rows, 3), SOUK_TEXT("a\0b")) &&
            souk_rows_real(&rows, 4) == 1.5;
    *same = *same && souk_rows_next(&rows) && souk_rows_int(&rows, 0) == 2 &&
            !souk_rows_is_null(&rows, 1) && souk_rows_text(&rows, 1).bytes == 0 &&
            souk_rows_is_null(&rows, 2) && souk_rows_int(&rows, 2) == 0 &&
            !souk_rows_is_null(&rows, 3) && souk_rows_blob(&rows, 3).bytes == 0;
    *same = *same && !souk_rows_next(&rows) && !souk_rows_next(&rows);
    return souk_rows_check(&rows);
}

SOUK_TEST("what is written is read again, with NUL bytes, NULLs and the ends of the integers")
{
    EACH_SHOP(shop, .readers = 1)
    {
        bool same = false;
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_TILL, write_values, NULL));
        SOUK_MUST(souk_ledger_read(shop.ledger, read_values, &same));
        SOUK_CHECK(same);
        reopen(test, &shop, (souk_ledger_options){.quick_check = true});
        same = false;
        SOUK_MUST(souk_ledger_read(shop.ledger, read_values, &same));
        SOUK_CHECK(same);
    }
}

/* Every pair of items, by the same literal within itself. */
static souk_err count_pairs(souk_tx *tx, void *context)
{
    int64_t *pairs = context;
    *pairs = 0;
    static const char sql[] = "SELECT id FROM item WHERE id > ?1 ORDER BY id";
    souk_auto_value(souk_rows) outer = {0};
    SOUK_TRY(souk_rows_begin(tx, sql, SOUK_VALUES(SOUK_INT(0)), &outer));
    while (souk_rows_next(&outer)) {
        souk_auto_value(souk_rows) inner = {0};
        SOUK_TRY(souk_rows_begin(tx, sql, SOUK_VALUES(SOUK_INT(souk_rows_int(&outer, 0))), &inner));
        while (souk_rows_next(&inner))
            ++*pairs;
        SOUK_TRY(souk_rows_check(&inner));
    }
    return souk_rows_check(&outer);
}

static souk_err count_returned(souk_tx *tx, void *context)
{
    (void)context;
    int64_t id = 0;
    SOUK_TRY(souk_sql_one_int(tx, "UPDATE item SET stock = 1 WHERE id <= ?1 RETURNING id",
                              SOUK_VALUES(SOUK_INT(3)), &id));
    if (souk_sql_changed(tx) != 3 || id != 1)
        return SOUK_ECONFLICT;
    souk_err err =
        souk_sql_one_int(tx, "SELECT id FROM item WHERE id = ?1", SOUK_VALUES(SOUK_INT(99)), &id);
    if (err != SOUK_ENOENT || id != 1)
        return SOUK_ECONFLICT;
    return SOUK_OK; /* a row that is not there is an answer and no failure */
}

SOUK_TEST("a cursor may run inside a cursor of the same literal, and RETURNING counts what changed")
{
    EACH_SHOP(shop, 0)
    {
        must_sql(test, &shop, "INSERT INTO item (id) VALUES (1), (2), (3), (4)");
        int64_t pairs = 0;
        SOUK_MUST(souk_ledger_read(shop.ledger, count_pairs, &pairs));
        SOUK_CHECK(pairs == 6);
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_JOB, count_pairs, &pairs));
        SOUK_CHECK(pairs == 6);
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_JOB, count_returned, NULL));
        SOUK_CHECK(ask(test, &shop, "SELECT sum(stock) FROM item") == 3);
    }
}

static souk_err swallow(souk_tx *tx, void *context)
{
    SOUK_TRY(souk_sql_run(tx, "INSERT INTO item (id, name) VALUES (50, 'fifty')", SOUK_NO_VALUES));
    souk_err err = souk_sql_script(tx, context);
    (void)err; /* a closure that does not look */
    return SOUK_OK;
}

static souk_err swallow_reading(souk_tx *tx, void *context)
{
    int64_t *answer = context;
    souk_err err = souk_sql_one_int(tx, "SELECT id FROM nowhere", SOUK_NO_VALUES, answer);
    (void)err; /* the same, reading */
    return SOUK_OK;
}

SOUK_TEST("each kind of refusal has its code, and a closure that ignores it does not commit")
{
    static const struct {
        const char *sql;
        souk_err err;
    } refusals[] = {
        {"INSERT INTO item (id) VALUES (1)", SOUK_EEXIST},
        {"INSERT INTO item (id, name) VALUES (2, 'one')", SOUK_EEXIST},
        {"INSERT INTO item (id, stock) VALUES (2, -1)", SOUK_ECONFLICT},
        {"INSERT INTO line (item) VALUES (77)", SOUK_ECONFLICT},
        {"INSERT INTO nowhere VALUES (1)", SOUK_EINVAL},
        {"INSERT INTO item (id, name) VALUES (2, \"one\")", SOUK_EINVAL},
    };
    EACH_SHOP(shop, 0)
    {
        must_sql(test, &shop,
                 "INSERT INTO item (id, name) VALUES (1, 'one');"
                 "CREATE TABLE line (item INTEGER REFERENCES item (id))");
        for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
            void *sql = (void *)(uintptr_t)refusals[i].sql;
            SOUK_CHECK_ERR(souk_ledger_write(shop.ledger, SOUK_LANE_TILL, run_sql, sql),
                           refusals[i].err);
            SOUK_CHECK_ERR(souk_ledger_write(shop.ledger, SOUK_LANE_TILL, swallow, sql),
                           refusals[i].err);
        }
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM item") == 1);
        int64_t answer = 0;
        SOUK_CHECK_ERR(souk_ledger_read(shop.ledger, swallow_reading, &answer), SOUK_EINVAL);
    }
}

static souk_err write_pictures(souk_tx *tx, void *context)
{
    (void)context;
    static const char zeros[5000];
    return souk_sql_run(tx, "INSERT INTO item VALUES (1, 'a', 1, ?1), (2, 'b', 1, x'616263')",
                        SOUK_VALUES(SOUK_BLOB(zeros, sizeof zeros)));
}

static souk_err read_slices(souk_tx *tx, void *context)
{
    bool *good = context;
    char to[8] = {0};
    SOUK_TRY(souk_sql_blob_read(tx, "item", "picture", 1, 4990, to, 8));
    *good = !memcmp(to, "\0\0\0\0\0\0\0\0", 8);
    SOUK_TRY(souk_sql_blob_read(tx, "item", "picture", 2, 1, to, 2));
    *good = *good && !memcmp(to, "bc", 2);
    SOUK_TRY(souk_sql_blob_read(tx, "item", "picture", 2, 3, to, 0));
    *good = *good && souk_sql_blob_read(tx, "item", "picture", 2, 2, to, 2) == SOUK_EINVAL;
    *good = *good && souk_sql_blob_read(tx, "item", "picture", 2, SIZE_MAX, to, 2) == SOUK_EINVAL;
    *good = *good && souk_sql_blob_read(tx, "item", "picture", 3, 0, to, 0) == SOUK_ENOENT;
    *good = *good && souk_sql_blob_read(tx, "item", "stock", 2, 0, to, 1) == SOUK_EINVAL;
    return SOUK_OK;
}

SOUK_TEST("a blob is read in slices, and never beyond its end")
{
    EACH_SHOP(shop, 0)
    {
        bool good = false;
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_JOB, write_pictures, NULL));
        SOUK_MUST(souk_ledger_read(shop.ledger, read_slices, &good));
        SOUK_CHECK(good);
    }
}

/* ---- snapshots, checkpoints, backups ---------------------------------------------------------- */

struct peek {
    souk_test *test;
    struct shop *shop;
    bool good;
};

/* Inside one snapshot: what commits meanwhile is not seen. */
static souk_err peek_closure(souk_tx *tx, void *context)
{
    struct peek *peek = context;
    souk_test *test = peek->test;
    int64_t before = 0, after = 0;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM item", SOUK_NO_VALUES, &before));
    must_sql(test, peek->shop, "INSERT INTO item (id) VALUES (1000)");
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM item", SOUK_NO_VALUES, &after));
    if (peek->shop->how->no_thread) /* nobody could let this reader end */
        SOUK_CHECK_ERR(souk_ledger_checkpoint(peek->shop->ledger, true), SOUK_EBUSY);
    SOUK_MUST(souk_ledger_checkpoint(peek->shop->ledger, false));
    peek->good = before == after && ask(test, peek->shop, "SELECT count(*) FROM item") == after + 1;
    return SOUK_OK;
}

SOUK_TEST("a reader sees one moment while others commit, and checkpoints go on around it")
{
    EACH_SHOP(shop, 0)
    {
        struct peek peek = {test, &shop, false};
        SOUK_MUST(souk_ledger_read(shop.ledger, peek_closure, &peek));
        SOUK_CHECK(peek.good);
        SOUK_MUST(souk_ledger_checkpoint(shop.ledger, true));
        souk_ledger_counters counters;
        souk_ledger_count(shop.ledger, &counters);
        SOUK_CHECK(counters.wal_bytes == 0 && counters.checkpoints >= 2);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM item") == 1);
    }
}

/* 300 pictures that no dump can make smaller. */
static souk_err write_many_pictures(souk_tx *tx, void *context)
{
    souk_test *test = context;
    for (int64_t i = 1; i <= 300; i++) {
        uint64_t picture[375];
        for (size_t j = 0; j < 375; j++)
            picture[j] = test_random(test, 0);
        SOUK_TRY(souk_sql_run(tx, "INSERT INTO item VALUES (?1, 'item ' || ?1, 100, ?2)",
                              SOUK_VALUES(SOUK_INT(i), SOUK_BLOB(picture, sizeof picture))));
    }
    return SOUK_OK;
}

struct copying {
    souk_test *test;
    struct shop *shop;
    int calls, stop_at;
};

/* Every slice of the backup lets a commit happen which the copy must not contain. */
static souk_err copy_progress(void *context, uint64_t done_bytes, uint64_t total_bytes)
{
    struct copying *copying = context;
    souk_test *test = copying->test;
    SOUK_CHECK(done_bytes <= total_bytes && total_bytes > 0);
    copying->calls++;
    must_sql(test, copying->shop,
             "UPDATE item SET stock = stock + 1 WHERE id % 2 = 0;"
             "UPDATE item SET stock = stock - 1 WHERE id % 2 = 1");
    return copying->calls == copying->stop_at ? SOUK_EINTERRUPT : SOUK_OK;
}

SOUK_TEST("a backup is one moment of a ledger that is written meanwhile")
{
    EACH_SHOP(shop, 0)
    {
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_JOB, write_many_pictures, test));
        souk_auto(souk_disk) other = NULL;
        SOUK_MUST(souk_disk_open_sim(test->mem, 5, &other));
        struct copying copying = {.test = test, .shop = &shop, .stop_at = 2};
        SOUK_CHECK_ERR(souk_ledger_backup(shop.ledger, other, "copy", copy_progress, &copying),
                       SOUK_EINTERRUPT);
        SOUK_CHECK(!souk_disk_exists(other, "copy") && !souk_disk_exists(other, "copy.part"));
        copying.stop_at = 0;
        SOUK_MUST(souk_ledger_backup(shop.ledger, other, "copy", copy_progress, &copying));
        SOUK_CHECK(copying.calls > 3);
        SOUK_MUST(souk_ledger_backup(shop.ledger, shop.disk, "copy", NULL, NULL));
        SOUK_CHECK(souk_disk_exists(shop.disk, "copy"));
        souk_sim_power_on(other); /* it was synced, name and all */
        souk_ledger *copy = NULL;
        SOUK_MUST(shop.how->open(test->mem, other, "copy",
                                 &(souk_ledger_options){.no_thread = true}, &copy, NULL));
        struct shop copied = {shop.how, other, copy};
        SOUK_CHECK(ask(test, &copied, "SELECT sum(stock) FROM item") == 30000);
        SOUK_CHECK(ask(test, &copied, "SELECT max(stock) FROM item") == 102);
        SOUK_MUST(souk_ledger_verify(copy, NULL));
        SOUK_MUST(souk_ledger_close(copy));
        souk_ledger_free(copy);
    }
}

/* ---- schema -------------------------------------------------------------------------------------- */

SOUK_TEST("schema steps are taken once, a failing one is undone, and newer data is refused")
{
    static const souk_migration steps[] = {
        {1, "CREATE TABLE coupon (code BLOB); CREATE TABLE offer (id INTEGER)"},
        {3, "INSERT INTO offer VALUES (3)"},
        {4, "INSERT INTO offer VALUES (4)"},
    };
    static const souk_migration broken[] = {
        {4, "INSERT INTO offer VALUES (4); INSERT INTO gone VALUES (1)"}};
    EACH_SHOP(shop, 0)
    {
        souk_diag diag = {0};
        SOUK_MUST(souk_ledger_migrate(shop.ledger, "coupon", steps, 2, &diag));
        SOUK_MUST(souk_ledger_migrate(shop.ledger, "coupon", steps, 2, &diag));
        SOUK_CHECK_ERR(souk_ledger_migrate(shop.ledger, "coupon", broken, 1, &diag), SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, "gone") && strstr(diag.words, "step 4"));
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM offer") == 1);
        SOUK_MUST(souk_ledger_migrate(shop.ledger, "coupon", steps, 3, &diag));
        SOUK_CHECK(ask(test, &shop, "SELECT sum(id) FROM offer") == 7);
        diag = (souk_diag){0};
        SOUK_CHECK_ERR(souk_ledger_migrate(shop.ledger, "coupon", steps, 2, &diag), SOUK_EVERSION);
        SOUK_CHECK(strstr(diag.words, "coupon"));
        SOUK_MUST(souk_ledger_migrate(shop.ledger, "points", NULL, 0, NULL));
    }
}

/* ---- against a dumb model -------------------------------------------------------------------------- */

enum { ACCOUNTS = 12, MOVES = 400 };

struct move {
    souk_job job;
    int from, to;
    int64_t amount;
    souk_err err;
};

static souk_err move_apply(souk_tx *tx, souk_job *job)
{
    struct move *move = SOUK_JOB_OWNER(job, struct move, job);
    SOUK_TRY(souk_sql_run(tx, "UPDATE item SET stock = stock + ?2 WHERE id = ?1",
                          SOUK_VALUES(SOUK_INT(move->to), SOUK_INT(move->amount))));
    SOUK_TRY(souk_sql_run(tx, "UPDATE item SET stock = stock - ?2 WHERE id = ?1 AND stock >= ?2",
                          SOUK_VALUES(SOUK_INT(move->from), SOUK_INT(move->amount))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ECONFLICT;
}

static void move_after(souk_job *job, souk_err err)
{
    SOUK_JOB_OWNER(job, struct move, job)->err = err;
}

static bool model_agrees(souk_test *test, struct shop *shop, const int64_t *model)
{
    for (int i = 0; i < ACCOUNTS; i++) {
        char sql[80];
        snprintf(sql, sizeof sql, "INSERT INTO item (id, stock) VALUES (0, %lld)",
                 (long long)model[i]);
        must_sql(test, shop, sql); /* a text of its own each time: scripts are not kept */
        bool same = ask(test, shop, "SELECT stock FROM item WHERE id = 0") == model[i];
        static char questions[ACCOUNTS][64]; /* literals keep their text */
        snprintf(questions[i], sizeof questions[i], "SELECT stock FROM item WHERE id = %d", i + 1);
        same = same && ask(test, shop, questions[i]) == model[i];
        must_sql(test, shop, "DELETE FROM item WHERE id = 0");
        if (!same)
            return false;
    }
    return true;
}

SOUK_TEST("random moves in groups of random size end where an array of numbers ends")
{
    EACH_SHOP(shop, 0)
    {
        int64_t model[ACCOUNTS];
        static struct move moves[MOVES];
        for (int i = 0; i < ACCOUNTS; i++) {
            char sql[80];
            model[i] = 50;
            snprintf(sql, sizeof sql, "INSERT INTO item (id, stock) VALUES (%d, 50)", i + 1);
            must_sql(test, &shop, sql);
        }
        for (size_t done = 0; done < MOVES;) {
            size_t end = souk_min_size(MOVES, done + 1 + test_random(test, 20));
            souk_ledger_hold(shop.ledger);
            for (size_t i = done; i < end; i++) {
                moves[i] = (struct move){
                    .job = {.lane = SOUK_LANE_INGEST,
                            .may_fail = test_random(test, 2),
                            .apply = move_apply,
                            .after = move_after},
                    .from = 1 + (int)test_random(test, ACCOUNTS),
                    .to = 1 + (int)test_random(test, ACCOUNTS),
                    .amount = 1 + (int64_t)test_random(test, 60),
                };
                SOUK_MUST(souk_ledger_submit(shop.ledger, &moves[i].job));
            }
            souk_ledger_release(shop.ledger);
            SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_JOB, nothing, NULL));
            for (; done < end; done++) {
                struct move *move = &moves[done];
                int64_t *from = &model[move->from - 1], *to = &model[move->to - 1];
                bool enough = *from + (from == to ? move->amount : 0) >= move->amount;
                SOUK_CHECK_ERR(move->err, enough ? SOUK_OK : SOUK_ECONFLICT);
                *from -= enough ? move->amount : 0;
                *to += enough ? move->amount : 0;
            }
        }
        SOUK_CHECK(model_agrees(test, &shop, model));
        must_sql(test, &shop, "UPDATE item SET stock = stock + 1 WHERE id = 7"); /* planted */
        SOUK_CHECK(!model_agrees(test, &shop, model));
    }
}

/* ---- threads ------------------------------------------------------------------------------------------ */

enum { THREADS = 8, ROUNDS = 40 };

struct clerk {
    struct shop *shop;
    souk_thread thread;
    int number;
    uint64_t wrong, done, busy;
};

static souk_err sum_closure(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT sum(stock) FROM item", SOUK_NO_VALUES, context);
}

static souk_err clerk_move(souk_tx *tx, void *context)
{
    struct move *move = context;
    return move_apply(tx, &move->job);
}

static void clerk_body(void *context)
{
    struct clerk *clerk = context;
    for (int i = 0; i < ROUNDS; i++) {
        struct move move = {.from = 1 + (clerk->number + i) % ACCOUNTS,
                            .to = 1 + (clerk->number * 5 + i * 3) % ACCOUNTS,
                            .amount = 1};
        souk_err err = souk_ledger_write(clerk->shop->ledger, (enum souk_lane)(i % SOUK_LANE_COUNT),
                                         clerk_move, &move);
        clerk->done += err == SOUK_OK;
        clerk->wrong += err && err != SOUK_ECONFLICT;
        int64_t sum = 0;
        clerk->wrong += souk_ledger_read(clerk->shop->ledger, sum_closure, &sum) != SOUK_OK;
        clerk->wrong += sum != ACCOUNTS * 50;
        if (i % 16 == 0)
            clerk->wrong += souk_ledger_checkpoint(clerk->shop->ledger, i % 32 == 0) != SOUK_OK;
    }
}

SOUK_TEST("eight threads write and read at once, and every reader sees a whole sum")
{
    EACH_SHOP(shop, .readers = 3, .checkpoint_pages = 20)
    {
        if (shop.how->no_thread)
            continue;
        for (int i = 0; i < ACCOUNTS; i++) {
            char sql[80];
            snprintf(sql, sizeof sql, "INSERT INTO item (id, stock) VALUES (%d, 50)", i + 1);
            must_sql(test, &shop, sql);
        }
        struct clerk clerks[THREADS];
        for (int i = 0; i < THREADS; i++) {
            clerks[i] = (struct clerk){.shop = &shop, .number = i};
            SOUK_MUST(souk_thread_start(&clerks[i].thread, "clerk", clerk_body, &clerks[i]));
        }
        for (int i = 0; i < THREADS; i++)
            souk_thread_join(&clerks[i].thread);
        for (int i = 0; i < THREADS; i++)
            SOUK_CHECK(clerks[i].wrong == 0 && clerks[i].done > 0);
        souk_ledger_counters counters;
        souk_ledger_count(shop.ledger, &counters);
        SOUK_CHECK(counters.failed == SOUK_OK);
        SOUK_CHECK(counters.jobs >= THREADS * ROUNDS - counters.refused_jobs);
    }
}

/* ThreadSanitizer does not see into the database library, whose readers of the shared index race on
 * purpose and check what they read; the locks between it and us are ours and are watched. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libsqlite3\n";
}
