/* outbox_rows.c - the rows of outbox.h: made, due, settled, swept, listed. */
#include "base/random.h"
#include "serve/outbox_inside.h"
#include "serve/pace.h"

#include <stdio.h>

static const souk_migration outbox_steps[] = {
    {1, "CREATE TABLE webhook_delivery ("
        "  id       INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  endpoint INTEGER NOT NULL,"                               /* webhook.id */
        "  kind     INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 5),"  /* outbox.h */
        "  position INTEGER NOT NULL,"                               /* of what is told, by kind */
        "  atom     INTEGER NOT NULL,"                               /* whom it is about, or 0 */
        "  number   INTEGER NOT NULL,"                               /* by kind */
        "  at       INTEGER NOT NULL,"                               /* ms UTC, when it happened */
        "  state    INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2)," /* waiting, delivered, dead */
        "  tries    INTEGER NOT NULL,"                               /* that were made */
        "  status   INTEGER NOT NULL," /* of the last answer; 0: none */
        "  fault    INTEGER NOT NULL," /* of the last try, outbox.h */
        "  next_at  INTEGER NOT NULL," /* ms UTC: waiting: due; otherwise: ended */
        "  key      BLOB NOT NULL CHECK (length(key) = 16)" /* the webhook-id's digits */
        ");"
        "CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint, state, next_at);"
        "CREATE TABLE webhook_mark (" /* how far what is no event has been told */
        "  kind INTEGER PRIMARY KEY CHECK (kind IN (1, 2))," /* rows of consent; rejects */
        "  id   INTEGER NOT NULL,"                           /* the last one looked at */
        "  at   INTEGER NOT NULL"                            /* ms UTC, when it was told */
        ")"},
};

enum {
    LIST_ROWS = 10000,
    SWEEP_ROWS = 200,
    SWEEP_MS = 60000,
    RETRY_MOST_MS = 24 * 3600 * 1000,
};
#define DELIVERED_MS ((souk_time)7 * SOUK_DAY_MS)
#define DEAD_MS      ((souk_time)30 * SOUK_DAY_MS)

souk_err outbox_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "outbox", outbox_steps,
                               sizeof outbox_steps / sizeof *outbox_steps, diag);
}

static souk_time now_of(const souk_outbox *outbox)
{
    return souk_clock_now_ms(souk_spine_clock(outbox->spine));
}

/* ---- words --------------------------------------------------------------------------------------------- */

const char *souk_delivery_state_word(souk_delivery_state state)
{
    static const char *const words[] = {"waiting", "delivered", "dead"};
    souk_assert((unsigned)state < 3);
    return words[state];
}

const char *souk_delivery_fault_words(souk_delivery_fault fault)
{
    static const char *const words[] = {
#define FAULT_WORDS(name, its_words) its_words,
        SOUK_DELIVERY_FAULTS(FAULT_WORDS)
#undef FAULT_WORDS
    };
    souk_assert((unsigned)fault < SOUK_DELIVERY_FAULT_COUNT);
    return words[fault];
}

static const char *const own_names[] = {[SOUK_DELIVERY_ERASED] = "person.erased",
                                        [SOUK_DELIVERY_WITHDRAWN] = "consent.withdrawn",
                                        [SOUK_DELIVERY_REJECTS] = "reject.added",
                                        [SOUK_DELIVERY_TEST] = "webhook.test"};

const char *souk_delivery_kind_name(souk_delivery_kind kind)
{
    souk_assert((size_t)kind < sizeof own_names / sizeof *own_names);
    return own_names[kind];
}

bool souk_delivery_is_own_name(souk_text name)
{
    for (size_t i = SOUK_DELIVERY_ERASED; i < sizeof own_names / sizeof *own_names; i++)
        if (souk_text_equal(name, souk_text_of(own_names[i])))
            return true;
    return false;
}

/* ---- making -------------------------------------------------------------------------------------------- */

static souk_hash128 key_of(const souk_outbox *outbox, const souk_endpoint *endpoint,
                           const struct outbox_news *news)
{
    uint64_t numbers[4] = {(uint64_t)news->kind, news->position, (uint64_t)news->received,
                           (uint64_t)endpoint->id};
    souk_text parts[] = {{(const char *)endpoint->salt, sizeof endpoint->salt},
                         {(const char *)numbers, sizeof numbers}};
    return souk_hash128_of(&outbox->key, parts, 2);
}

souk_err outbox_put(souk_outbox *outbox, souk_tx *tx, const souk_endpoint *endpoint,
                    const struct outbox_news *news)
{
    souk_hash128 key = key_of(outbox, endpoint, news);
    return souk_sql_run(
        tx,
        "INSERT INTO webhook_delivery (endpoint, kind, position, atom, number, at, state, tries, "
        "status, fault, next_at, key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0, ?7, ?8)",
        SOUK_VALUES(SOUK_INT(endpoint->id), SOUK_INT(news->kind), SOUK_INT(news->position),
                    SOUK_INT(news->atom), SOUK_INT(news->number), SOUK_INT(news->at),
                    SOUK_INT(now_of(outbox)), SOUK_BLOB(&key, sizeof key)));
}

souk_err outbox_add(souk_outbox *outbox, souk_tx *tx, const souk_endpoint *endpoint,
                    const struct outbox_news *news)
{
    SOUK_TRY(outbox_put(outbox, tx, endpoint, news));
    return souk_sql_run(tx, "UPDATE webhook SET waiting = waiting + 1 WHERE id = ?1",
                        SOUK_VALUES(SOUK_INT(endpoint->id)));
}

souk_err souk_outbox_test(souk_outbox *outbox, souk_tx *tx, const souk_endpoint *endpoint,
                          int64_t *ret_id)
{
    struct outbox_news news = {.kind = SOUK_DELIVERY_TEST, .at = now_of(outbox)};
    souk_entropy(&news.received, sizeof news.received); /* each has an id of its own */
    SOUK_TRY(outbox_add(outbox, tx, endpoint, &news));
    return souk_sql_one_int(tx, "SELECT max(id) FROM webhook_delivery", SOUK_NO_VALUES, ret_id);
}

souk_err outbox_mark_read(souk_tx *tx, int kind, uint64_t *ret_id, souk_time *ret_at)
{
    int64_t id = 0, at = 0;
    souk_err err = souk_sql_one_int(tx, "SELECT id FROM webhook_mark WHERE kind = ?1",
                                    SOUK_VALUES(SOUK_INT(kind)), &id);
    if (!err)
        err = souk_sql_one_int(tx, "SELECT at FROM webhook_mark WHERE kind = ?1",
                               SOUK_VALUES(SOUK_INT(kind)), &at);
    *ret_id = (uint64_t)id;
    *ret_at = at;
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

souk_err outbox_mark_write(souk_tx *tx, int kind, uint64_t id, souk_time at)
{
    return souk_sql_run(tx,
                        "INSERT INTO webhook_mark (kind, id, at) VALUES (?1, ?2, ?3) "
                        "ON CONFLICT (kind) DO UPDATE SET id = ?2, at = ?3",
                        SOUK_VALUES(SOUK_INT(kind), SOUK_INT(id), SOUK_INT(at)));
}

/* ---- reading ------------------------------------------------------------------------------------------- */

#define COLUMNS \
    "id, endpoint, kind, position, atom, number, at, state, tries, status, fault, next_at, key"

static souk_err read_row(souk_rows *rows, souk_delivery *ret_row)
{
    souk_delivery row = {.id = souk_rows_int(rows, 0),
                         .endpoint = souk_rows_int(rows, 1),
                         .kind = (souk_delivery_kind)souk_rows_int(rows, 2),
                         .position = (uint64_t)souk_rows_int(rows, 3),
                         .atom = (uint32_t)souk_rows_int(rows, 4),
                         .number = (uint64_t)souk_rows_int(rows, 5),
                         .at = souk_rows_int(rows, 6),
                         .state = (souk_delivery_state)souk_rows_int(rows, 7),
                         .tries = (unsigned)souk_rows_int(rows, 8),
                         .status = (int)souk_rows_int(rows, 9),
                         .fault = (souk_delivery_fault)souk_rows_int(rows, 10),
                         .next = souk_rows_int(rows, 11)};
    souk_text key = souk_rows_blob(rows, 12);
    if (key.bytes != 16 || (unsigned)row.fault >= SOUK_DELIVERY_FAULT_COUNT)
        return SOUK_ECORRUPT;
    int bytes = snprintf(row.webhook_id, sizeof row.webhook_id, "msg_");
    for (size_t i = 0; i < key.bytes; i++)
        bytes += snprintf(row.webhook_id + bytes, sizeof row.webhook_id - (size_t)bytes, "%02x",
                          (unsigned)(unsigned char)key.at[i]);
    *ret_row = row;
    return SOUK_OK;
}

struct asking {
    int64_t endpoint;
    souk_time now;
    const int64_t *busy;
    size_t busy_count, most, count;
    souk_delivery *due;
};

static bool is_busy(const struct asking *asking, int64_t id)
{
    for (size_t i = 0; i < asking->busy_count; i++)
        if (asking->busy[i] == id)
            return true;
    return false;
}

static souk_err read_due(souk_tx *tx, void *context)
{
    struct asking *asking = context;
    souk_auto_value(souk_rows) rows = {0};
    asking->count = 0;
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT " COLUMNS " FROM webhook_delivery WHERE endpoint = ?1 AND "
                             "state = 0 AND next_at <= ?2 ORDER BY next_at, id LIMIT ?3",
                             SOUK_VALUES(SOUK_INT(asking->endpoint), SOUK_INT(asking->now),
                                         SOUK_INT(asking->busy_count + asking->most)),
                             &rows));
    while (asking->count < asking->most && souk_rows_next(&rows)) {
        souk_delivery *row = &asking->due[asking->count];
        SOUK_TRY(read_row(&rows, row));
        if (!is_busy(asking, row->id))
            asking->count++;
    }
    return souk_rows_check(&rows);
}

souk_err souk_outbox_due(souk_outbox *outbox, int64_t endpoint, const int64_t *busy,
                         size_t busy_count, size_t most, souk_delivery *ret_due, size_t *ret_count)
{
    souk_assert(most <= SOUK_OUTBOX_DUE);
    struct asking asking = {.endpoint = endpoint,
                            .now = now_of(outbox),
                            .busy = busy,
                            .busy_count = busy_count,
                            .most = most,
                            .due = ret_due};
    SOUK_TRY(souk_ledger_read(souk_spine_ledger(outbox->spine), read_due, &asking));
    *ret_count = asking.count;
    return SOUK_OK;
}

souk_err outbox_count_due(souk_outbox *outbox, souk_tx *tx, int64_t endpoint, size_t most,
                          size_t *ret_count)
{
    int64_t count;
    SOUK_TRY(souk_sql_one_int(
        tx,
        "SELECT count(*) FROM (SELECT 1 FROM webhook_delivery WHERE "
        "endpoint = ?1 AND state = 0 AND next_at <= ?2 LIMIT ?3) AS due",
        SOUK_VALUES(SOUK_INT(endpoint), SOUK_INT(now_of(outbox)), SOUK_INT(most)), &count));
    *ret_count = (size_t)count;
    return SOUK_OK;
}

souk_err souk_outbox_list(souk_tx *tx, int64_t endpoint, int state, int64_t before, size_t most,
                          souk_err (*each)(void *context, const souk_delivery *row), void *context,
                          int64_t *ret_next)
{
    souk_auto_value(souk_rows) rows = {0};
    size_t count = 0, seen = 0;
    int64_t last = 0;
    /* by number: an endpoint's rows lie among others', so a page looks at no more than so many */
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT " COLUMNS " FROM webhook_delivery WHERE id < ?1 "
                             "ORDER BY id DESC LIMIT ?2",
                             SOUK_VALUES(SOUK_INT(before), SOUK_INT(LIST_ROWS)), &rows));
    while (count < most && souk_rows_next(&rows)) {
        souk_delivery row;
        seen++;
        last = souk_rows_int(&rows, 0);
        if (souk_rows_int(&rows, 1) != endpoint || (state >= 0 && souk_rows_int(&rows, 7) != state))
            continue;
        SOUK_TRY(read_row(&rows, &row));
        SOUK_TRY(each(context, &row));
        count++;
    }
    *ret_next = count == most || seen == LIST_ROWS ? last : 0;
    return souk_rows_check(&rows);
}

souk_err souk_outbox_find(souk_tx *tx, int64_t endpoint, int64_t id, souk_delivery *ret_delivery)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx, "SELECT " COLUMNS " FROM webhook_delivery WHERE id = ?1 AND endpoint = ?2",
        SOUK_VALUES(SOUK_INT(id), SOUK_INT(endpoint)), &rows));
    if (souk_rows_next(&rows))
        return read_row(&rows, ret_delivery);
    SOUK_TRY(souk_rows_check(&rows));
    return SOUK_ENOENT;
}

/* ---- outcomes ------------------------------------------------------------------------------------------ */

struct settling {
    souk_outbox *outbox;
    const souk_outcome *outcomes;
    size_t count;
    souk_time now;
    uint64_t random;
};

/* What the outcomes come to for one endpoint, whose row is written once. */
struct sum {
    int64_t endpoint;
    uint64_t ended, died; /* rows that wait no more; those of them that are dead */
    uint64_t failures;    /* behind the last success */
    bool succeeded, gone;
};

static souk_err settle_delivered(souk_tx *tx, const struct settling *settling,
                                 const souk_outcome *outcome, struct sum *sum)
{
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE webhook_delivery SET state = 1, tries = tries + 1, status = ?2, "
                          "fault = 0, next_at = ?3 WHERE id = ?1 AND state = 0",
                          SOUK_VALUES(SOUK_INT(outcome->delivery.id), SOUK_INT(outcome->status),
                                      SOUK_INT(settling->now))));
    sum->ended += souk_sql_changed(tx);
    sum->succeeded = true;
    sum->failures = 0;
    return SOUK_OK;
}

static souk_err settle_failed(souk_tx *tx, const struct settling *settling,
                              const souk_outcome *outcome, uint64_t random, struct sum *sum)
{
    const souk_outbox_options *options = &settling->outbox->options;
    int64_t wait_ms =
        souk_pace_wait_ms(outcome->delivery.tries + 1, options->first_wait_ms, random);
    bool died = wait_ms < 0 && !outcome->gone;
    int64_t asked_ms =
        outcome->retry_ms < RETRY_MOST_MS ? outcome->retry_ms : (int64_t)RETRY_MOST_MS;
    if (wait_ms < asked_ms)
        wait_ms = asked_ms;
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE webhook_delivery SET state = ?2, tries = tries + 1, status = ?3, "
                          "fault = ?4, next_at = ?5 WHERE id = ?1 AND state = 0",
                          SOUK_VALUES(SOUK_INT(outcome->delivery.id), SOUK_INT(died ? 2 : 0),
                                      SOUK_INT(outcome->status), SOUK_INT(outcome->fault),
                                      SOUK_INT(settling->now + (died ? 0 : wait_ms)))));
    sum->ended += died ? souk_sql_changed(tx) : 0;
    sum->died += died ? souk_sql_changed(tx) : 0;
    sum->gone |= outcome->gone;
    sum->failures++;
    return SOUK_OK;
}

/* Off where it answered 410, or where nothing has reached it for too long. */
static souk_err turn_off(souk_tx *tx, const struct settling *settling, const struct sum *sum)
{
    if (sum->gone)
        SOUK_TRY(souk_sql_run(tx,
                              "UPDATE webhook SET state = 2, version = version + 1 "
                              "WHERE id = ?1 AND state = 0",
                              SOUK_VALUES(SOUK_INT(sum->endpoint))));
    else
        SOUK_TRY(
            souk_sql_run(tx,
                         "UPDATE webhook SET state = 3, version = version + 1 WHERE id = ?1 AND "
                         "state = 0 AND failures >= ?2 AND failing <= ?3",
                         SOUK_VALUES(SOUK_INT(sum->endpoint), SOUK_INT(SOUK_ENDPOINT_FAILURES),
                                     SOUK_INT(settling->now - SOUK_ENDPOINT_FAILING_MS))));
    return souk_sql_changed(tx) ? souk_endpoint_end(tx, sum->endpoint) : SOUK_OK;
}

/* failing: 0 behind a success; since now with the first failure behind it. */
static souk_err settle_endpoint(souk_tx *tx, const struct settling *settling, const struct sum *sum)
{
    SOUK_TRY(souk_sql_run(
        tx,
        "UPDATE webhook SET waiting = waiting - ?2, dead = dead + ?3, "
        "failures = CASE ?4 WHEN 1 THEN 0 ELSE failures END + ?5, "
        "failing = CASE WHEN ?4 = 0 AND failing <> 0 THEN failing WHEN ?5 > 0 THEN ?6 ELSE 0 END "
        "WHERE id = ?1",
        SOUK_VALUES(SOUK_INT(sum->endpoint), SOUK_INT(sum->ended), SOUK_INT(sum->died),
                    SOUK_INT(sum->succeeded), SOUK_INT(sum->failures), SOUK_INT(settling->now))));
    return sum->failures ? turn_off(tx, settling, sum) : SOUK_OK;
}

static struct sum *sum_of(struct sum *sums, size_t *count, int64_t endpoint)
{
    for (size_t i = 0; i < *count; i++)
        if (sums[i].endpoint == endpoint)
            return &sums[i];
    sums[*count] = (struct sum){.endpoint = endpoint};
    return &sums[(*count)++];
}

static souk_err settle(souk_tx *tx, void *context)
{
    struct settling *settling = context;
    struct sum sums[SOUK_OUTBOX_SETTLE];
    size_t sum_count = 0;
    uint64_t random = settling->random; /* the same in another run */
    for (size_t i = 0; i < settling->count; i++) {
        const souk_outcome *outcome = &settling->outcomes[i];
        struct sum *sum = sum_of(sums, &sum_count, outcome->delivery.endpoint);
        random = souk_mix64(random + i + 1);
        SOUK_TRY(outcome->delivered ? settle_delivered(tx, settling, outcome, sum)
                                    : settle_failed(tx, settling, outcome, random, sum));
    }
    for (size_t i = 0; i < sum_count; i++)
        SOUK_TRY(settle_endpoint(tx, settling, &sums[i]));
    return SOUK_OK;
}

souk_err souk_outbox_settle(souk_outbox *outbox, const souk_outcome *outcomes, size_t count)
{
    struct settling settling = {
        .outbox = outbox, .outcomes = outcomes, .count = count, .now = now_of(outbox)};
    souk_assert(count <= SOUK_OUTBOX_SETTLE);
    souk_entropy(&settling.random, sizeof settling.random);
    if (count == 0)
        return SOUK_OK;
    return souk_ledger_write(souk_spine_ledger(outbox->spine), SOUK_LANE_JOB, settle, &settling);
}

souk_err souk_outbox_retry(souk_outbox *outbox, souk_tx *tx, int64_t endpoint, int64_t id)
{
    souk_delivery row;
    SOUK_TRY(souk_outbox_find(tx, endpoint, id, &row));
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE webhook_delivery SET state = 0, tries = 0, next_at = ?2 "
                          "WHERE id = ?1",
                          SOUK_VALUES(SOUK_INT(id), SOUK_INT(now_of(outbox)))));
    return souk_sql_run(
        tx, "UPDATE webhook SET waiting = waiting + ?2, dead = dead - ?3 WHERE id = ?1",
        SOUK_VALUES(SOUK_INT(endpoint), SOUK_INT(row.state != SOUK_DELIVERY_WAITING),
                    SOUK_INT(row.state == SOUK_DELIVERY_DEAD)));
}

/* ---- going --------------------------------------------------------------------------------------------- */

struct sweeping {
    souk_outbox *outbox;
    souk_time now;
    bool did;
};

static souk_err delete_old(souk_tx *tx, int64_t endpoint, souk_delivery_state state,
                           souk_time before, uint64_t *ret_count)
{
    SOUK_TRY(souk_sql_run(
        tx,
        "DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM webhook_delivery "
        "WHERE endpoint = ?1 AND state = ?2 AND next_at <= ?3 ORDER BY next_at LIMIT ?4)",
        SOUK_VALUES(SOUK_INT(endpoint), SOUK_INT(state), SOUK_INT(before), SOUK_INT(SWEEP_ROWS))));
    *ret_count = souk_sql_changed(tx);
    return souk_sql_run(
        tx, "UPDATE webhook SET waiting = waiting - ?2, dead = dead - ?3 WHERE id = ?1",
        SOUK_VALUES(SOUK_INT(endpoint), SOUK_INT(state == SOUK_DELIVERY_WAITING ? *ret_count : 0),
                    SOUK_INT(state == SOUK_DELIVERY_DEAD ? *ret_count : 0)));
}

/* What one that is off was still to be told is given up 30 days after it was first seen to be off. */
static souk_err sweep_position(souk_tx *tx, const struct sweeping *sweeping,
                               const souk_endpoint *endpoint)
{
    bool old = endpoint->off_at && endpoint->off_at <= sweeping->now - DEAD_MS;
    if (!endpoint->off_at)
        return souk_sql_run(tx, "UPDATE webhook SET off_at = ?2 WHERE id = ?1",
                            SOUK_VALUES(SOUK_INT(endpoint->id), SOUK_INT(sweeping->now)));
    if (!endpoint->behind || !old)
        return SOUK_OK;
    SOUK_TRY(souk_sql_run(tx, "DELETE FROM webhook_gap WHERE webhook = ?1",
                          SOUK_VALUES(SOUK_INT(endpoint->id))));
    return souk_sql_run(tx, "UPDATE webhook SET position = until WHERE id = ?1",
                        SOUK_VALUES(SOUK_INT(endpoint->id)));
}

static souk_err sweep_removed(souk_tx *tx, int64_t endpoint)
{
    SOUK_TRY(souk_sql_run(tx, "DELETE FROM webhook_gap WHERE webhook = ?1",
                          SOUK_VALUES(SOUK_INT(endpoint))));
    return souk_sql_run(tx, "DELETE FROM webhook WHERE id = ?1", SOUK_VALUES(SOUK_INT(endpoint)));
}

/* What waits for one that is off is given up like what is dead. */
static souk_err sweep_endpoint(souk_tx *tx, struct sweeping *sweeping,
                               const souk_endpoint *endpoint)
{
    bool removed = endpoint->state == SOUK_ENDPOINT_REMOVED;
    uint64_t all = 0, count;
    for (int state = SOUK_DELIVERY_WAITING; state <= SOUK_DELIVERY_DEAD && !all; state++) {
        souk_time before =
            sweeping->now - (state == SOUK_DELIVERY_DELIVERED ? DELIVERED_MS : DEAD_MS);
        if (state == SOUK_DELIVERY_WAITING && endpoint->state == SOUK_ENDPOINT_ON)
            continue;
        SOUK_TRY(delete_old(tx, endpoint->id, (souk_delivery_state)state,
                            removed ? INT64_MAX : before, &count));
        all += count;
    }
    if (removed && !all)
        SOUK_TRY(sweep_removed(tx, endpoint->id));
    else if (endpoint->state != SOUK_ENDPOINT_ON)
        SOUK_TRY(sweep_position(tx, sweeping, endpoint));
    sweeping->did |= all > 0;
    return SOUK_OK;
}

static souk_err sweep(souk_tx *tx, void *context)
{
    struct sweeping *sweeping = context;
    souk_outbox *outbox = sweeping->outbox;
    sweeping->did = false;
    souk_arena_clear(&outbox->arena);
    SOUK_TRY(souk_spine_erased_forget(outbox->spine, tx));
    SOUK_TRY(souk_endpoint_list(tx, &outbox->arena, &outbox->endpoints, &outbox->count));
    for (size_t i = 0; i < outbox->count && !sweeping->did; i++)
        SOUK_TRY(sweep_endpoint(tx, sweeping, &outbox->endpoints[i]));
    return SOUK_OK;
}

souk_err souk_outbox_sweep(souk_outbox *outbox, bool *ret_did)
{
    struct sweeping sweeping = {.outbox = outbox, .now = now_of(outbox)};
    *ret_did = false;
    bool soon = sweeping.now >= outbox->swept && sweeping.now < outbox->swept + SWEEP_MS;
    if (soon)
        return SOUK_OK;
    SOUK_TRY(souk_ledger_write(souk_spine_ledger(outbox->spine), SOUK_LANE_JOB, sweep, &sweeping));
    if (!sweeping.did)
        outbox->swept = sweeping.now;
    *ret_did = sweeping.did;
    return SOUK_OK;
}
