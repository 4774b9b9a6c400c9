/* once.c - one table of answers by the hash of their keys: see once.h. */
#include "core/once.h"

#include "base/random.h"

enum { SEAL_CLASS = 5 };

static const souk_migration steps[] = {
    {1,
     "CREATE TABLE idempotency ("
     "  id          BLOB PRIMARY KEY CHECK (length(id) = 16),"       /* of the caller and its key */
     "  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16)," /* method, path, query, body */
     "  at          INTEGER NOT NULL,"                               /* ms UTC: kept for 72 hours */
     "  status      INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),"
     "  type        TEXT NOT NULL," /* Content-Type */
     "  body        BLOB NOT NULL" /* nonce[24], then the answer, sealed; empty until the deed is done */
     ") WITHOUT ROWID;"
     "CREATE INDEX idempotency_at ON idempotency (at)"},
    /* Answers were kept with the keys and tokens that they made. */
    {2, "DELETE FROM idempotency"},
};

souk_err souk_once_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "idempotency", steps, sizeof steps / sizeof *steps, diag);
}

void souk_once_done(souk_once *once)
{
    souk_buf_done(&once->body);
}

souk_err souk_once_say_reused(souk_diag *diag)
{
    return souk_diag_say(diag, SOUK_EREUSED,
                         "this Idempotency-Key was used for another request: take a new one");
}

/* ---- sealing ------------------------------------------------------------------------------------- */

static souk_seal_place place_of(const souk_once *once)
{
    return (souk_seal_place){.merchant = 1, .position = once->id.low, .class = SEAL_CLASS};
}

static souk_err unseal(souk_once *once, souk_text sealed)
{
    souk_seal_place place = place_of(once);
    if (sealed.bytes < SOUK_VAULT_NONCE_BYTES + SOUK_VAULT_TAG_BYTES)
        return SOUK_ECORRUPT;
    size_t bytes = sealed.bytes - SOUK_VAULT_NONCE_BYTES;
    souk_buf_clear(&once->body);
    char *room = souk_buf_room(&once->body, bytes);
    if (!room)
        return souk_buf_check(&once->body);
    SOUK_TRY(souk_vault_unseal(once->vault, SOUK_VAULT_NOBODY, &place, (const uint8_t *)sealed.at,
                               sealed.at + SOUK_VAULT_NONCE_BYTES, bytes, room));
    souk_buf_added(&once->body, bytes - SOUK_VAULT_TAG_BYTES);
    return SOUK_OK;
}

static souk_err seal(const souk_once *once, souk_buf *to)
{
    uint8_t nonce[SOUK_VAULT_NONCE_BYTES];
    souk_seal_place place = place_of(once);
    souk_entropy(nonce, sizeof nonce);
    souk_buf_append(to, nonce, sizeof nonce);
    char *room = souk_buf_room(to, once->body.bytes + SOUK_VAULT_TAG_BYTES);
    if (!room)
        return souk_buf_check(to);
    SOUK_TRY(souk_vault_seal(once->vault, SOUK_VAULT_NOBODY, &place, nonce, once->body.at,
                             once->body.bytes, room));
    souk_buf_added(to, once->body.bytes + SOUK_VAULT_TAG_BYTES);
    return SOUK_OK;
}

/* ---- the row ------------------------------------------------------------------------------------- */

souk_err souk_once_find(souk_tx *tx, souk_once *once, bool *ret_again)
{
    souk_auto_value(souk_rows) rows = {0};
    *ret_again = false;
    SOUK_TRY(souk_rows_begin(
        tx, "SELECT fingerprint, status, type, body FROM idempotency WHERE id = ?1 AND at > ?2",
        SOUK_VALUES(SOUK_BLOB(&once->id, sizeof once->id), SOUK_INT(once->at - SOUK_ONCE_KEPT_MS)),
        &rows));
    if (!souk_rows_next(&rows))
        return souk_rows_check(&rows);
    souk_text fingerprint = souk_rows_blob(&rows, 0), type = souk_rows_text(&rows, 2);
    if (fingerprint.bytes != sizeof once->fingerprint || type.bytes > SOUK_ONCE_TYPE_MOST)
        return SOUK_ECORRUPT;
    if (memcmp(fingerprint.at, &once->fingerprint, sizeof once->fingerprint))
        return SOUK_EREUSED;
    memcpy(once->type, type.at, type.bytes);
    once->type[type.bytes] = '\0';
    SOUK_TRY(unseal(once, souk_rows_blob(&rows, 3)));
    once->status = (int)souk_rows_int(&rows, 1);
    *ret_again = true;
    return SOUK_OK;
}

souk_err souk_once_claim(souk_tx *tx, souk_once *once, bool *ret_again)
{
    *ret_again = false;
    if (!once->vault)
        return SOUK_OK;
    SOUK_TRY(souk_sql_run(tx,
                          "INSERT INTO idempotency (id, fingerprint, at, status, type, body) "
                          "VALUES (?1, ?2, ?3, 200, '', ?4) ON CONFLICT (id) DO UPDATE "
                          "SET fingerprint = ?2, at = ?3, status = 200, type = '', body = ?4 "
                          "WHERE idempotency.at <= ?5",
                          SOUK_VALUES(SOUK_BLOB(&once->id, sizeof once->id),
                                      SOUK_BLOB(&once->fingerprint, sizeof once->fingerprint),
                                      SOUK_INT(once->at), SOUK_BLOB(NULL, 0),
                                      SOUK_INT(once->at - SOUK_ONCE_KEPT_MS))));
    if (souk_sql_changed(tx) == 1)
        return SOUK_OK;
    SOUK_TRY(souk_once_find(tx, once, ret_again));
    return *ret_again ? SOUK_OK : SOUK_ERETRY; /* swept between the two statements */
}

souk_err souk_once_answer(souk_tx *tx, souk_once *once)
{
    souk_assert(once->status >= 200 && once->status < 300);
    SOUK_TRY(souk_buf_check(&once->body));
    if (once->body.bytes > SOUK_ONCE_BODY_MOST)
        return SOUK_ETOOBIG;
    if (!once->vault)
        return SOUK_OK;
    souk_auto_value(souk_buf) sealed = {.mem = once->body.mem};
    SOUK_TRY(seal(once, &sealed));
    SOUK_TRY(souk_sql_run(
        tx, "UPDATE idempotency SET status = ?2, type = ?3, body = ?4 WHERE id = ?1",
        SOUK_VALUES(SOUK_BLOB(&once->id, sizeof once->id), SOUK_INT(once->status),
                    SOUK_STR(souk_text_of(once->type)), SOUK_BLOB(sealed.at, sealed.bytes))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ECORRUPT;
}

souk_err souk_once_sweep(souk_tx *tx, souk_time now, unsigned most)
{
    return souk_sql_run(tx,
                        "DELETE FROM idempotency WHERE id IN "
                        "(SELECT id FROM idempotency WHERE at <= ?1 ORDER BY at LIMIT ?2)",
                        SOUK_VALUES(SOUK_INT(now - SOUK_ONCE_KEPT_MS), SOUK_INT(most)));
}
