/* endpoint.c - the tables of endpoint.h. */
#include "serve/endpoint.h"

#include "base/random.h"
#include "core/consent.h"
#include "core/log.h"
#include "core/reject.h"

static const souk_migration endpoint_steps[] = {
    {1, "CREATE TABLE webhook ("
        "  id            INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  version       INTEGER NOT NULL," /* counts changes */
        "  url           TEXT NOT NULL,"
        "  events        TEXT NOT NULL," /* names, one to a line; '*': all of the shop's */
        "  stores        TEXT NOT NULL," /* the same; empty: any */
        "  purpose       TEXT NOT NULL," /* for which persons are told; empty: they are not */
        "  rate          INTEGER NOT NULL CHECK (rate BETWEEN 1 AND 1000)," /* a second */
        "  state         INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),"   /* endpoint.h */
        "  since         INTEGER NOT NULL,"                        /* the first position told */
        "  since_consent INTEGER NOT NULL,"                        /* rows of consent behind it */
        "  since_reject  INTEGER NOT NULL,"                        /* rejects behind it */
        "  salt          BLOB NOT NULL CHECK (length(salt) = 16)," /* of its deliveries' ids */
        "  made          INTEGER NOT NULL,"                        /* ms UTC */
        "  failing       INTEGER NOT NULL," /* ms UTC of the first failure behind a success; 0 */
        "  failures      INTEGER NOT NULL," /* since then */
        "  waiting       INTEGER NOT NULL CHECK (waiting >= 0)," /* deliveries in that state */
        "  dead          INTEGER NOT NULL CHECK (dead >= 0)"
        ");"
        "CREATE TABLE webhook_secret ("
        "  id      INTEGER PRIMARY KEY AUTOINCREMENT," /* the newest signs first */
        "  webhook INTEGER NOT NULL,"
        "  until   INTEGER NOT NULL," /* ms UTC; 0: open */
        "  nonce   BLOB NOT NULL CHECK (length(nonce) = 24),"
        "  sealed  BLOB NOT NULL"
        ");"
        "CREATE INDEX webhook_secret_of ON webhook_secret (webhook)"},
    {2, "ALTER TABLE webhook ADD COLUMN" /* of the next event it is told of; 0: not known yet */
        "  position INTEGER NOT NULL DEFAULT 0 CHECK (position >= 0);"
        "ALTER TABLE webhook ADD COLUMN" /* while it is off: the end of the log when that began */
        "  until INTEGER NOT NULL DEFAULT 0 CHECK (until >= 0);"
        "ALTER TABLE webhook ADD COLUMN" /* ms UTC, when it was first seen to be off; 0: it is on */
        "  off_at INTEGER NOT NULL DEFAULT 0;"
        "CREATE TABLE webhook_gap (" /* what is stored in [begins, ends) came while it was off */
        "  webhook INTEGER NOT NULL,"
        "  begins  INTEGER NOT NULL," /* positions */
        "  ends    INTEGER NOT NULL CHECK (ends > begins),"
        "  PRIMARY KEY (webhook, begins)"
        ") WITHOUT ROWID"},
};

enum { GAPS_MOST = 64 }; /* of an endpoint */
enum { SECRET_CLASS = 9, NONCE = SOUK_VAULT_NONCE_BYTES, TAG = SOUK_VAULT_TAG_BYTES };

souk_err souk_endpoint_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "webhook", endpoint_steps,
                               sizeof endpoint_steps / sizeof *endpoint_steps, diag);
}

const char *souk_endpoint_state_word(souk_endpoint_state state)
{
    static const char *const words[] = {
#define STATE_WORD(name, word) word,
        SOUK_ENDPOINT_STATES(STATE_WORD)
#undef STATE_WORD
    };
    souk_assert((unsigned)state < SOUK_ENDPOINT_STATE_COUNT);
    return words[state];
}

/* ---- reading ------------------------------------------------------------------------------------------- */

#define COLUMNS                                                                                   \
    "id, version, url, events, stores, purpose, rate, state, since_consent, since_reject, "       \
    "salt, made, failing, failures, waiting, dead, position, until, off_at, "                     \
    "(SELECT min(begins) FROM webhook_gap WHERE webhook_gap.webhook = webhook.id), "              \
    "(SELECT ends FROM webhook_gap WHERE webhook_gap.webhook = webhook.id ORDER BY begins LIMIT " \
    "1)"

static souk_text kept(souk_arena *arena, souk_text text)
{
    return (souk_text){souk_arena_copy(arena, text.at, text.bytes), text.bytes};
}

/* end: of the log. */
static souk_err read_row(souk_rows *rows, souk_arena *arena, uint64_t end,
                         souk_endpoint *ret_endpoint)
{
    souk_endpoint endpoint = {.id = souk_rows_int(rows, 0),
                              .version = (uint64_t)souk_rows_int(rows, 1),
                              .url = kept(arena, souk_rows_text(rows, 2)),
                              .events = kept(arena, souk_rows_text(rows, 3)),
                              .stores = kept(arena, souk_rows_text(rows, 4)),
                              .purpose = kept(arena, souk_rows_text(rows, 5)),
                              .rate = (unsigned)souk_rows_int(rows, 6),
                              .state = (souk_endpoint_state)souk_rows_int(rows, 7),
                              .since_consent = (uint64_t)souk_rows_int(rows, 8),
                              .since_reject = (uint64_t)souk_rows_int(rows, 9),
                              .made = souk_rows_int(rows, 11),
                              .failing = souk_rows_int(rows, 12),
                              .failures = (uint64_t)souk_rows_int(rows, 13),
                              .waiting = (uint64_t)souk_rows_int(rows, 14),
                              .dead = (uint64_t)souk_rows_int(rows, 15),
                              .position = (uint64_t)souk_rows_int(rows, 16),
                              .until = (uint64_t)souk_rows_int(rows, 17),
                              .off_at = souk_rows_int(rows, 18),
                              .gap_begins = (uint64_t)souk_rows_int(rows, 19),
                              .gap_ends = (uint64_t)souk_rows_int(rows, 20)};
    souk_text salt = souk_rows_blob(rows, 10);
    if (salt.bytes != sizeof endpoint.salt || (unsigned)endpoint.state >= SOUK_ENDPOINT_STATE_COUNT)
        return SOUK_ECORRUPT;
    memcpy(endpoint.salt, salt.at, sizeof endpoint.salt);
    if (endpoint.state != SOUK_ENDPOINT_ON)
        end = endpoint.until;
    endpoint.behind = end > endpoint.position ? end - endpoint.position : 0;
    if (arena->failed)
        return SOUK_ENOMEM;
    *ret_endpoint = endpoint;
    return SOUK_OK;
}

souk_err souk_endpoint_list(souk_tx *tx, souk_arena *arena, souk_endpoint **ret_list,
                            size_t *ret_count)
{
    souk_auto_value(souk_rows) rows = {0};
    enum { MOST = 4 * SOUK_ENDPOINTS_MOST }; /* with removed ones whose deliveries still go */
    souk_endpoint *list = souk_arena_get(arena, MOST * sizeof *list);
    size_t count = 0;
    uint64_t end;
    if (arena->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_log_end(tx, &end));
    SOUK_TRY(souk_rows_begin(tx, "SELECT " COLUMNS " FROM webhook ORDER BY state = 4, id",
                             SOUK_NO_VALUES, &rows));
    while (count < MOST && souk_rows_next(&rows))
        SOUK_TRY(read_row(&rows, arena, end, &list[count++]));
    *ret_list = list;
    *ret_count = count;
    return souk_rows_check(&rows);
}

souk_err souk_endpoint_find(souk_tx *tx, int64_t id, souk_arena *arena, souk_endpoint *ret_endpoint)
{
    souk_auto_value(souk_rows) rows = {0};
    uint64_t end;
    SOUK_TRY(souk_log_end(tx, &end));
    SOUK_TRY(souk_rows_begin(tx, "SELECT " COLUMNS " FROM webhook WHERE id = ?1 AND state <> 4",
                             SOUK_VALUES(SOUK_INT(id)), &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    return read_row(&rows, arena, end, ret_endpoint);
}

static bool has_line(souk_text lines, souk_text wanted)
{
    while (lines.bytes)
        if (souk_text_equal(souk_text_cut(&lines, '\n'), wanted))
            return true;
    return false;
}

bool souk_endpoint_wants(const souk_endpoint *endpoint, souk_text name, souk_text store)
{
    if (!has_line(endpoint->events, name) && !has_line(endpoint->events, SOUK_TEXT("*")))
        return false;
    return endpoint->stores.bytes == 0 || (store.bytes && has_line(endpoint->stores, store));
}

bool souk_endpoint_wants_own(const souk_endpoint *endpoint, souk_text name)
{
    return has_line(endpoint->events, name);
}

/* ---- secrets ------------------------------------------------------------------------------------------- */

static souk_seal_place place_of(int64_t id)
{
    return (souk_seal_place){.merchant = 1, .position = (uint64_t)id, .class = SECRET_CLASS};
}

static souk_err store_secret(souk_tx *tx, souk_vault *vault, int64_t id,
                             souk_signing_secret *ret_secret)
{
    uint8_t nonce[NONCE], sealed[SOUK_SIGNING_MADE + TAG];
    souk_seal_place place = place_of(id);
    souk_signing_secret secret;
    souk_signing_secret_make(&secret);
    souk_entropy(nonce, sizeof nonce);
    SOUK_TRY(souk_vault_seal(vault, SOUK_VAULT_SETTINGS, &place, nonce, secret.key, secret.bytes,
                             sealed));
    *ret_secret = secret;
    souk_signing_secrets_wipe(&secret, 1);
    return souk_sql_run(
        tx, "INSERT INTO webhook_secret (webhook, until, nonce, sealed) VALUES (?1, 0, ?2, ?3)",
        SOUK_VALUES(SOUK_INT(id), SOUK_BLOB(nonce, sizeof nonce),
                    SOUK_BLOB(sealed, sizeof sealed)));
}

souk_err souk_endpoint_rotate(souk_tx *tx, souk_vault *vault, int64_t id, souk_time now,
                              souk_time until, souk_signing_secret *ret_secret)
{
    int64_t found;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT id FROM webhook WHERE id = ?1 AND state <> 4",
                              SOUK_VALUES(SOUK_INT(id)), &found));
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE webhook_secret SET until = ?2 WHERE webhook = ?1 AND "
                          "(until = 0 OR until > ?2)",
                          SOUK_VALUES(SOUK_INT(id), SOUK_INT(until))));
    SOUK_TRY(souk_sql_run(
        tx,
        "DELETE FROM webhook_secret WHERE webhook = ?1 AND (until <= ?2 OR "
        "id NOT IN (SELECT id FROM webhook_secret WHERE webhook = ?1 "
        "ORDER BY id DESC LIMIT ?3))",
        SOUK_VALUES(SOUK_INT(id), SOUK_INT(now), SOUK_INT(SOUK_ENDPOINT_SECRETS - 1))));
    return store_secret(tx, vault, id, ret_secret);
}

static souk_err open_secret(souk_vault *vault, int64_t id, souk_text nonce, souk_text sealed,
                            souk_signing_secret *ret_secret)
{
    souk_seal_place place = place_of(id);
    if (nonce.bytes != NONCE || sealed.bytes < (size_t)TAG + SOUK_SIGNING_MADE ||
        sealed.bytes > (size_t)TAG + SOUK_SIGNING_BYTES)
        return SOUK_ECORRUPT;
    ret_secret->bytes = sealed.bytes - (size_t)TAG;
    return souk_vault_unseal(vault, SOUK_VAULT_SETTINGS, &place, (const uint8_t *)nonce.at,
                             sealed.at, sealed.bytes, ret_secret->key);
}

souk_err souk_endpoint_secrets(souk_tx *tx, souk_vault *vault, int64_t id, souk_time now,
                               souk_signing_secret secrets[SOUK_ENDPOINT_SECRETS],
                               size_t *ret_count)
{
    souk_auto_value(souk_rows) rows = {0};
    size_t count = 0;
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT nonce, sealed FROM webhook_secret WHERE webhook = ?1 AND "
                             "(until = 0 OR until > ?2) ORDER BY id DESC",
                             SOUK_VALUES(SOUK_INT(id), SOUK_INT(now)), &rows));
    while (count < SOUK_ENDPOINT_SECRETS && souk_rows_next(&rows))
        SOUK_TRY(open_secret(vault, id, souk_rows_blob(&rows, 0), souk_rows_blob(&rows, 1),
                             &secrets[count++]));
    *ret_count = count;
    return souk_rows_check(&rows);
}

/* ---- changing ------------------------------------------------------------------------------------------ */

/* What came while it was off is passed over once it gets there; at once where it has told all before that.  Above
 * GAPS_MOST nothing is: it is told too much rather than too little. */
static souk_err leave_gap(souk_tx *tx, int64_t id, uint64_t end)
{
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE webhook SET position = ?2 WHERE id = ?1 AND position >= until",
                          SOUK_VALUES(SOUK_INT(id), SOUK_INT(end))));
    if (souk_sql_changed(tx))
        return SOUK_OK;
    return souk_sql_run(tx,
                        "INSERT INTO webhook_gap (webhook, begins, ends) "
                        "SELECT id, until, ?2 FROM webhook WHERE id = ?1 AND until < ?2 AND "
                        "(SELECT count(*) FROM webhook_gap WHERE webhook = ?1) < ?3",
                        SOUK_VALUES(SOUK_INT(id), SOUK_INT(end), SOUK_INT(GAPS_MOST)));
}

/* Behind what is there already, but for what it was still to be told. */
static souk_err begin_now(souk_tx *tx, int64_t id)
{
    uint64_t end, consent, count, reject;
    SOUK_TRY(souk_log_end(tx, &end));
    SOUK_TRY(souk_consent_newest(tx, &consent));
    SOUK_TRY(souk_rejects_behind(tx, 0, &count, &reject));
    SOUK_TRY(leave_gap(tx, id, end));
    return souk_sql_run(
        tx,
        "UPDATE webhook SET since = ?2, since_consent = ?3, since_reject = ?4, until = 0, "
        "off_at = 0, failing = 0, failures = 0 WHERE id = ?1",
        SOUK_VALUES(SOUK_INT(id), SOUK_INT(end), SOUK_INT(consent), SOUK_INT(reject)));
}

souk_err souk_endpoint_end(souk_tx *tx, int64_t id)
{
    uint64_t end;
    SOUK_TRY(souk_log_end(tx, &end));
    return souk_sql_run(tx, "UPDATE webhook SET until = ?2 WHERE id = ?1",
                        SOUK_VALUES(SOUK_INT(id), SOUK_INT(end)));
}

souk_err souk_endpoint_add(souk_tx *tx, souk_vault *vault, const souk_endpoint *endpoint,
                           souk_time now, int64_t *ret_id, souk_signing_secret *ret_secret)
{
    uint8_t salt[16];
    int64_t count;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM webhook WHERE state <> 4", SOUK_NO_VALUES,
                              &count));
    if (count >= SOUK_ENDPOINTS_MOST)
        return SOUK_ETOOBIG;
    souk_entropy(salt, sizeof salt);
    SOUK_TRY(souk_sql_one_int(
        tx,
        "INSERT INTO webhook (version, url, events, stores, purpose, rate, state, since, "
        "since_consent, since_reject, salt, made, failing, failures, waiting, dead) "
        "VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, ?7, ?8, 0, 0, 0, 0) RETURNING id",
        SOUK_VALUES(SOUK_STR(endpoint->url), SOUK_STR(endpoint->events), SOUK_STR(endpoint->stores),
                    SOUK_STR(endpoint->purpose), SOUK_INT(endpoint->rate),
                    SOUK_INT(endpoint->state), SOUK_BLOB(salt, sizeof salt), SOUK_INT(now)),
        ret_id));
    SOUK_TRY(begin_now(tx, *ret_id));
    if (endpoint->state != SOUK_ENDPOINT_ON)
        SOUK_TRY(souk_endpoint_end(tx, *ret_id));
    return store_secret(tx, vault, *ret_id, ret_secret);
}

souk_err souk_endpoint_change(souk_tx *tx, const souk_endpoint *endpoint)
{
    int64_t version, state;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT version FROM webhook WHERE id = ?1 AND state <> 4",
                              SOUK_VALUES(SOUK_INT(endpoint->id)), &version));
    SOUK_TRY(souk_sql_one_int(tx, "SELECT state FROM webhook WHERE id = ?1",
                              SOUK_VALUES(SOUK_INT(endpoint->id)), &state));
    if (endpoint->version != (uint64_t)version)
        return SOUK_ECHANGED;
    SOUK_TRY(souk_sql_run(
        tx,
        "UPDATE webhook SET version = version + 1, url = ?2, events = ?3, stores = ?4, "
        "purpose = ?5, rate = ?6, state = ?7 WHERE id = ?1",
        SOUK_VALUES(SOUK_INT(endpoint->id), SOUK_STR(endpoint->url), SOUK_STR(endpoint->events),
                    SOUK_STR(endpoint->stores), SOUK_STR(endpoint->purpose),
                    SOUK_INT(endpoint->rate), SOUK_INT(endpoint->state))));
    bool was_on = state == SOUK_ENDPOINT_ON, is_on = endpoint->state == SOUK_ENDPOINT_ON;
    if (was_on == is_on)
        return SOUK_OK;
    return is_on ? begin_now(tx, endpoint->id) : souk_endpoint_end(tx, endpoint->id);
}

souk_err souk_endpoint_remove(souk_tx *tx, int64_t id)
{
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE webhook SET state = 4, version = version + 1, url = '' "
                          "WHERE id = ?1 AND state <> 4",
                          SOUK_VALUES(SOUK_INT(id))));
    if (souk_sql_changed(tx) != 1)
        return SOUK_ENOENT;
    return souk_sql_run(tx, "DELETE FROM webhook_secret WHERE webhook = ?1",
                        SOUK_VALUES(SOUK_INT(id)));
}
