/* ledger.c - what every backend shares: the pool of readers, the way of statements to the backend,
 * schema steps, the order of opening and closing.  See ledger.h. */
#include "base/random.h"
#include "os/thread.h"
#include "store/writer.h"

#include <stdio.h>
#include <time.h>

struct souk_ledger {
    souk_mem *mem;
    const souk_ledger_backend *backend;
    void *place;
    souk_ledger_options options;
    souk_tx *tx; /* the writer's */
    souk_writer *writer;

    souk_mutex lock; /* over the pool */
    souk_cond came_back;
    souk_tx **idle; /* souk_tx *[options.readers]: the first idle_count wait for work */
    size_t idle_count, made_count;
    bool closing, closed;
};

souk_ledger_options souk_ledger_options_of(const souk_ledger_options *given)
{
    souk_ledger_options options = given ? *given : (souk_ledger_options){0};
    options.readers = options.readers ? options.readers : 4;
    options.writers = options.writers ? options.writers : 8;
    options.queue_jobs = options.queue_jobs ? options.queue_jobs : 4096;
    options.group_jobs = options.group_jobs ? options.group_jobs : 1024;
    options.slice_us = options.slice_us ? options.slice_us : 5000;
    options.checkpoint_pages = options.checkpoint_pages ? options.checkpoint_pages : 1000;
    options.cache_kib = options.cache_kib ? options.cache_kib : 2048;
    options.wal_limit_bytes = options.wal_limit_bytes ? options.wal_limit_bytes : 64u << 20;
    options.clock = options.clock ? options.clock : souk_clock_real();
    return options;
}

void souk_ledger_pause(unsigned attempt)
{
    uint64_t chance = 0, most_us = (uint64_t)1000 << (attempt < 7 ? attempt : 7);
    souk_entropy(&chance, sizeof chance);
    uint64_t us = most_us / 2 + chance % (most_us / 2 + 1);
    nanosleep(&(struct timespec){.tv_nsec = (long)(us * 1000)}, NULL);
}

/* ---- life ------------------------------------------------------------------------------- */

souk_err souk_ledger_open_on(souk_mem *mem, const souk_ledger_backend *backend, void *place,
                             const souk_ledger_options *options, souk_ledger **ret_ledger,
                             souk_diag *diag)
{
    souk_auto(souk_ledger) ledger = souk_mem_get(mem, sizeof *ledger);
    if (!ledger) {
        backend->forget(place);
        return SOUK_ENOMEM;
    }
    ledger->mem = mem;
    ledger->backend = backend;
    ledger->place = place;
    ledger->options = souk_ledger_options_of(options);
    souk_mutex_init(&ledger->lock);
    souk_cond_init(&ledger->came_back);
    ledger->idle = souk_mem_array(mem, ledger->options.readers, sizeof *ledger->idle);
    if (!ledger->idle)
        return SOUK_ENOMEM;
    SOUK_TRY(backend->connect(place, true, &ledger->tx, diag));
    SOUK_TRY(souk_writer_new(mem, ledger->tx, place, &ledger->options, &ledger->writer));
    *ret_ledger = souk_take(&ledger);
    return SOUK_OK;
}

/* Lets the readers come home; from here on nobody gets one. */
static void drop_readers(souk_ledger *ledger)
{
    souk_mutex_lock(&ledger->lock);
    ledger->closing = true;
    souk_cond_broadcast(&ledger->came_back);
    while (ledger->idle_count < ledger->made_count)
        souk_cond_wait(&ledger->came_back, &ledger->lock);
    ledger->made_count = 0;
    souk_mutex_unlock(&ledger->lock);
    while (ledger->idle_count)
        ledger->backend->disconnect(ledger->idle[--ledger->idle_count], false);
}

bool souk_ledger_is_elsewhere(const souk_ledger_options *options)
{
    return options && options->url && options->url[0];
}

souk_err souk_ledger_open(souk_mem *mem, souk_disk *disk, const char *file_name,
                          const souk_ledger_options *options, souk_ledger **ret_ledger,
                          souk_diag *diag)
{
    if (souk_ledger_is_elsewhere(options))
        return souk_ledger_open_postgres(mem, options->url, options, ret_ledger, diag);
    return souk_ledger_open_sqlite(mem, disk, file_name, options, ret_ledger, diag);
}

souk_err souk_ledger_close(souk_ledger *ledger)
{
    if (ledger->closed)
        return SOUK_OK;
    ledger->closed = true;
    souk_writer_stop(ledger->writer, false);
    drop_readers(ledger);
    souk_err err = souk_writer_failed(ledger->writer);
    if (!err)
        err = ledger->backend->checkpoint(ledger->tx, true);
    ledger->backend->disconnect(ledger->tx, err == SOUK_OK);
    ledger->tx = NULL;
    return err;
}

void souk_ledger_free(souk_ledger *ledger)
{
    if (!ledger)
        return;
    if (ledger->writer)
        souk_writer_stop(ledger->writer, true);
    drop_readers(ledger);
    souk_writer_free(ledger->writer);
    if (ledger->tx)
        ledger->backend->disconnect(ledger->tx, false);
    ledger->backend->forget(ledger->place);
    souk_mem_put(ledger->mem, ledger->idle);
    souk_cond_done(&ledger->came_back);
    souk_mutex_done(&ledger->lock);
    souk_mem_put(ledger->mem, ledger);
}

const char *souk_ledger_backend_name(const souk_ledger *ledger)
{
    return ledger->backend->name;
}

/* ---- transactions ------------------------------------------------------------------------- */

souk_err souk_ledger_write(souk_ledger *ledger, enum souk_lane lane, souk_tx_closure *apply,
                           void *context)
{
    return souk_writer_write(ledger->writer, lane, apply, context);
}

souk_err souk_ledger_submit(souk_ledger *ledger, souk_job *job)
{
    return souk_writer_submit(ledger->writer, job);
}

struct watching {
    souk_writer *writer;
    souk_watch *watch;
    bool on;
};

/* In the writer's thread, which alone looks at the list. */
static souk_err change_watches(souk_tx *tx, void *context)
{
    (void)tx;
    const struct watching *watching = context;
    souk_writer_watch(watching->writer, watching->watch, watching->on);
    return SOUK_OK;
}

souk_err souk_ledger_watch(souk_ledger *ledger, souk_watch *watch)
{
    struct watching watching = {ledger->writer, watch, true};
    if (ledger->backend->parallel)
        return SOUK_EUNSUPPORTED;
    return souk_writer_write(ledger->writer, SOUK_LANE_JOB, change_watches, &watching);
}

/* A writer that takes no work tells nobody anything. */
void souk_ledger_unwatch(souk_ledger *ledger, souk_watch *watch)
{
    struct watching watching = {ledger->writer, watch, false};
    if (ledger->backend->parallel)
        return;
    souk_err err = souk_writer_write(ledger->writer, SOUK_LANE_JOB, change_watches, &watching);
    (void)err;
}

void souk_ledger_hold(souk_ledger *ledger)
{
    souk_writer_hold(ledger->writer);
}

void souk_ledger_release(souk_ledger *ledger)
{
    souk_writer_release(ledger->writer);
}

/* An idle connection, a new one below the ceiling, or the next that comes back. */
static souk_err take_reader(souk_ledger *ledger, souk_tx **ret_tx)
{
    souk_mutex_lock(&ledger->lock);
    while (!ledger->closing && !ledger->idle_count && ledger->made_count == ledger->options.readers)
        souk_cond_wait(&ledger->came_back, &ledger->lock);
    bool closing = ledger->closing;
    bool make = !closing && !ledger->idle_count;
    if (make)
        ledger->made_count++;
    else if (!closing)
        *ret_tx = ledger->idle[--ledger->idle_count];
    souk_mutex_unlock(&ledger->lock);
    if (closing)
        return SOUK_ESTOPPED;
    if (!make)
        return SOUK_OK;

    souk_err err = ledger->backend->connect(ledger->place, false, ret_tx, NULL);
    if (err) {
        souk_auto_lock(&ledger->lock);
        ledger->made_count--;
        souk_cond_broadcast(&ledger->came_back);
    }
    return err;
}

static void give_back_reader(souk_ledger *ledger, souk_tx *tx)
{
    souk_auto_lock(&ledger->lock);
    ledger->idle[ledger->idle_count++] = tx;
    if (ledger->closing)
        souk_cond_broadcast(&ledger->came_back);
    else
        souk_cond_signal(&ledger->came_back);
}

static souk_err read_once(souk_tx *tx, souk_tx_closure *apply, void *context)
{
    tx->failed = SOUK_OK;
    tx->words[0] = '\0';
    tx->backend->rollback(tx); /* where the last one ended without memory even for that */
    SOUK_TRY(tx->backend->begin(tx));
    souk_err err = apply(tx, context);
    souk_assert(tx->open_rows == 0); /* the closure left a cursor behind */
    tx->backend->rollback(tx);       /* it wrote nothing */
    return err && tx->failed != SOUK_ERETRY ? err : tx->failed;
}

souk_err souk_ledger_read(souk_ledger *ledger, souk_tx_closure *apply, void *context)
{
    SOUK_TRY(souk_writer_failed(ledger->writer));
    souk_tx *tx = NULL;
    SOUK_TRY(take_reader(ledger, &tx));
    souk_err err = SOUK_ERETRY;
    for (int attempt = 0; attempt < 8 && err == SOUK_ERETRY; attempt++)
        err = read_once(tx, apply, context);
    give_back_reader(ledger, tx);
    return err;
}

/* ---- statements --------------------------------------------------------------------------- */

/* The first failure of a closure stays with its transaction, and nothing follows it: SQLite has rolled
 * back by itself after some of them (I/O, no memory), and the next statement would commit alone. */
static souk_err note(souk_tx *tx, souk_err err)
{
    if (err && !tx->failed)
        tx->failed = err;
    return err;
}

souk_err souk_sql_run(souk_tx *tx, const char *sql, const souk_value *values, size_t count)
{
    SOUK_TRY(tx->failed);
    return note(tx, tx->backend->run(tx, sql, values, count));
}

uint64_t souk_sql_changed(const souk_tx *tx)
{
    return tx->changed;
}

souk_err souk_sql_one_int(souk_tx *tx, const char *sql, const souk_value *values, size_t count,
                          int64_t *ret_number)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, sql, values, count, &rows));
    bool found = souk_rows_next(&rows) && !souk_rows_is_null(&rows, 0);
    int64_t number = found ? souk_rows_int(&rows, 0) : 0;
    while (souk_rows_next(&rows)) /* what RETURNING changed counts at its end */
        ;
    SOUK_TRY(souk_rows_check(&rows));
    if (!found)
        return SOUK_ENOENT;
    *ret_number = number;
    return SOUK_OK;
}

souk_err souk_sql_script(souk_tx *tx, const char *sql)
{
    souk_assert(tx->writes);
    SOUK_TRY(tx->failed);
    return note(tx, tx->backend->script(tx, sql));
}

const char *souk_sql_words(const souk_tx *tx)
{
    return tx->words;
}

souk_err souk_sql_blob_read(souk_tx *tx, const char *table, const char *column, int64_t rowid,
                            size_t offset, void *to, size_t bytes)
{
    SOUK_TRY(tx->failed);
    souk_err err = tx->backend->blob_read(tx, table, column, rowid, offset, to, bytes);
    return err == SOUK_ENOENT || err == SOUK_EINVAL ? err : note(tx, err);
}

souk_err souk_rows_begin(souk_tx *tx, const char *sql, const souk_value *values, size_t count,
                         souk_rows *rows)
{
    *rows = (souk_rows){0};
    SOUK_TRY(tx->failed);
    SOUK_TRY(note(tx, tx->backend->rows_begin(tx, sql, values, count, rows)));
    rows->tx = tx;
    tx->open_rows++;
    return SOUK_OK;
}

bool souk_rows_next(souk_rows *rows)
{
    if (!rows->tx || rows->failed || rows->finished)
        return false;
    bool more = false;
    rows->failed = note(rows->tx, rows->tx->backend->rows_next(rows, &more));
    rows->finished = !more;
    return more && !rows->failed;
}

souk_err souk_rows_check(const souk_rows *rows)
{
    return rows->failed;
}

bool souk_rows_is_null(const souk_rows *rows, unsigned column)
{
    return rows->tx->backend->rows_kind(rows, column) == SOUK_VALUE_NULL;
}

int64_t souk_rows_int(const souk_rows *rows, unsigned column)
{
    return rows->tx->backend->rows_int(rows, column);
}

double souk_rows_real(const souk_rows *rows, unsigned column)
{
    return rows->tx->backend->rows_real(rows, column);
}

souk_text souk_rows_blob(souk_rows *rows, unsigned column)
{
    souk_text bytes = {0};
    souk_err err = note(rows->tx, rows->tx->backend->rows_bytes(rows, column, &bytes));
    if (err && !rows->failed)
        rows->failed = err;
    return bytes;
}

souk_text souk_rows_text(souk_rows *rows, unsigned column)
{
    return souk_rows_blob(rows, column); /* stored as UTF-8, so the same bytes */
}

void souk_rows_done(souk_rows *rows)
{
    if (!rows->tx)
        return;
    rows->tx->backend->rows_done(rows);
    souk_assert(rows->tx->open_rows > 0);
    rows->tx->open_rows--;
    *rows = (souk_rows){0};
}

/* ---- schema -------------------------------------------------------------------------------- */

struct schema_step {
    const char *module;
    const souk_migration *step; /* NULL: make the table of steps */
    int64_t known;              /* the module's last step in the data */
    char words[200];
};

static souk_err guard(souk_tx *tx)
{
    return tx->backend->guard_schema ? note(tx, tx->backend->guard_schema(tx)) : SOUK_OK;
}

static souk_err make_step_table(souk_tx *tx, void *context)
{
    struct schema_step *my = context;
    SOUK_TRY(guard(tx));
    SOUK_TRY(souk_sql_run(tx,
                          "CREATE TABLE IF NOT EXISTS souk_migration ("
                          " module TEXT NOT NULL, number BIGINT NOT NULL,"
                          " PRIMARY KEY (module, number))",
                          SOUK_NO_VALUES));
    return souk_sql_one_int(tx,
                            "SELECT coalesce(max(number), 0) FROM souk_migration WHERE module = ?1",
                            SOUK_VALUES(SOUK_STR(souk_text_of(my->module))), &my->known);
}

/* Another node may have taken it meanwhile. */
static souk_err is_taken(souk_tx *tx, const struct schema_step *my, bool *ret_taken)
{
    int64_t count = 0;
    SOUK_TRY(souk_sql_one_int(
        tx, "SELECT count(*) FROM souk_migration WHERE module = ?1 AND number = ?2",
        SOUK_VALUES(SOUK_STR(souk_text_of(my->module)), SOUK_INT(my->step->number)), &count));
    *ret_taken = count > 0;
    return SOUK_OK;
}

static souk_err take_step(souk_tx *tx, void *context)
{
    struct schema_step *my = context;
    bool taken = false;
    SOUK_TRY(guard(tx));
    SOUK_TRY(is_taken(tx, my, &taken));
    souk_err err = taken ? SOUK_OK : souk_sql_script(tx, my->step->sql);
    if (!err && !taken)
        err = souk_sql_run(
            tx, "INSERT INTO souk_migration (module, number) VALUES (?1, ?2)",
            SOUK_VALUES(SOUK_STR(souk_text_of(my->module)), SOUK_INT(my->step->number)));
    snprintf(my->words, sizeof my->words, "%s", souk_sql_words(tx));
    return err;
}

souk_err souk_ledger_migrate(souk_ledger *ledger, const char *module, const souk_migration *steps,
                             size_t count, souk_diag *diag)
{
    for (size_t i = 0; i < count; i++)
        souk_assert(steps[i].number > (i ? steps[i - 1].number : 0));
    struct schema_step my = {.module = module};
    SOUK_TRY(souk_ledger_write(ledger, SOUK_LANE_JOB, make_step_table, &my));
    if (my.known > (count ? (int64_t)steps[count - 1].number : 0))
        return souk_diag_say(diag, SOUK_EVERSION,
                             "the tables of '%s' are at step %lld and this program knows %u: "
                             "run the newer one",
                             module, (long long)my.known, count ? steps[count - 1].number : 0);
    for (size_t i = 0; i < count; i++) {
        if ((int64_t)steps[i].number <= my.known)
            continue;
        my.step = &steps[i];
        souk_err err = souk_ledger_write(ledger, SOUK_LANE_JOB, take_step, &my);
        if (err)
            return souk_diag_say(diag, err, "step %u of the tables of '%s' failed: %s",
                                 steps[i].number, module,
                                 my.words[0] ? my.words : souk_err_words(err));
    }
    return SOUK_OK;
}

/* ---- upkeep -------------------------------------------------------------------------------- */

souk_err souk_ledger_checkpoint(souk_ledger *ledger, bool truncate)
{
    enum { WAIT_MS = 5000, PAUSE_MS = 2 };
    const souk_clock *clock = souk_clock_real(); /* a real wait for real threads */
    int64_t end_ns = souk_clock_monotonic_ns(clock) + (int64_t)WAIT_MS * 1000000;
    for (;;) {
        souk_err err = souk_writer_checkpoint(ledger->writer, truncate);
        int64_t now_ns = souk_clock_monotonic_ns(clock);
        if (err != SOUK_EBUSY || ledger->options.no_thread || now_ns >= end_ns)
            return err;
        nanosleep(&(struct timespec){.tv_nsec = (long)PAUSE_MS * 1000000}, NULL);
    }
}

souk_err souk_ledger_backup(souk_ledger *ledger, souk_disk *to, const char *name,
                            souk_ledger_progress *progress, void *context)
{
    if (ledger->closed)
        return SOUK_ESTOPPED;
    SOUK_TRY(souk_writer_failed(ledger->writer));
    return ledger->backend->backup(ledger->place, to, name, progress, context);
}

souk_err souk_ledger_verify(souk_ledger *ledger, souk_diag *diag)
{
    if (ledger->closed)
        return SOUK_ESTOPPED;
    SOUK_TRY(souk_writer_failed(ledger->writer));
    return ledger->backend->verify(ledger->place, diag);
}

void souk_ledger_count(souk_ledger *ledger, souk_ledger_counters *ret_counters)
{
    souk_writer_count(ledger->writer, ret_counters);
}

void souk_ledger_found_room(souk_ledger *ledger)
{
    souk_writer_found_room(ledger->writer);
}
