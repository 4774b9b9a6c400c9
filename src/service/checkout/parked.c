/* parked.c - one table of sealed baskets: see parked.h. */
#include "service/checkout/parked.h"

#include "base/random.h"

enum { SEAL_CLASS = 6, ID_BYTES = 16, SWEEP_ROWS = 256 };

static const souk_migration steps[] = {
    {1, "CREATE TABLE parked_basket ("
        "  id       BLOB PRIMARY KEY CHECK (length(id) = 16)," /* random */
        "  merchant INTEGER NOT NULL CHECK (merchant > 0),"
        "  store    TEXT NOT NULL CHECK (length(store) BETWEEN 1 AND 64),"
        "  till     TEXT NOT NULL,"                       /* that parked it last; '': not told */
        "  lines    INTEGER NOT NULL CHECK (lines >= 0)," /* of the basket */
        "  at       INTEGER NOT NULL," /* ms UTC, of its last change: kept for 24 hours */
        "  version  INTEGER NOT NULL CHECK (version > 0),"
        "  body     BLOB NOT NULL CHECK (length(body) > 40)" /* nonce[24], then JSON, sealed */
        ") WITHOUT ROWID;"
        "CREATE INDEX parked_basket_store ON parked_basket (merchant, store, at);"
        "CREATE INDEX parked_basket_at ON parked_basket (at)"},
};

souk_err souk_parked_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "parked", steps, sizeof steps / sizeof *steps, diag);
}

/* ---- sealing -------------------------------------------------------------------------------------------- */

static souk_seal_place place_of(uint32_t merchant, souk_hash128 id)
{
    return (souk_seal_place){.merchant = merchant, .position = id.low, .class = SEAL_CLASS};
}

static souk_err seal(souk_vault *vault, const souk_parked *basket, souk_buf *to)
{
    uint8_t nonce[SOUK_VAULT_NONCE_BYTES];
    souk_seal_place place = place_of(basket->merchant, basket->id);
    if (basket->body.bytes > SOUK_PARKED_BODY_MOST)
        return SOUK_ETOOBIG;
    souk_entropy(nonce, sizeof nonce);
    souk_buf_append(to, nonce, sizeof nonce);
    char *room = souk_buf_room(to, basket->body.bytes + SOUK_VAULT_TAG_BYTES);
    if (!room)
        return souk_buf_check(to);
    SOUK_TRY(souk_vault_seal(vault, SOUK_VAULT_NOBODY, &place, nonce, basket->body.at,
                             basket->body.bytes, room));
    souk_buf_added(to, basket->body.bytes + SOUK_VAULT_TAG_BYTES);
    return SOUK_OK;
}

static souk_err unseal(souk_vault *vault, souk_text sealed, souk_arena *arena, souk_parked *basket)
{
    souk_seal_place place = place_of(basket->merchant, basket->id);
    if (sealed.bytes < SOUK_VAULT_NONCE_BYTES + SOUK_VAULT_TAG_BYTES)
        return SOUK_ECORRUPT;
    size_t bytes = sealed.bytes - SOUK_VAULT_NONCE_BYTES;
    char *room = souk_arena_get(arena, bytes);
    if (arena->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_vault_unseal(vault, SOUK_VAULT_NOBODY, &place, (const uint8_t *)sealed.at,
                               sealed.at + SOUK_VAULT_NONCE_BYTES, bytes, room));
    basket->body = (souk_text){room, bytes - SOUK_VAULT_TAG_BYTES};
    return SOUK_OK;
}

/* ---- changing ------------------------------------------------------------------------------------------- */

static void put_id(souk_hash128 id, unsigned char to[ID_BYTES])
{
    souk_put_u64(to, id.low);
    souk_put_u64(to + 8, id.high);
}

souk_err souk_parked_add(souk_tx *tx, souk_mem *mem, souk_vault *vault, souk_parked *basket,
                         souk_diag *diag)
{
    unsigned char id[ID_BYTES];
    souk_auto_value(souk_buf) sealed = {.mem = mem};
    put_id(basket->id, id);
    SOUK_TRY(seal(vault, basket, &sealed));
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO parked_basket (id, merchant, store, till, lines, at, version, body) "
        "SELECT ?1, ?2, ?3, ?4, ?5, ?6, 1, ?7 WHERE (SELECT count(*) FROM parked_basket "
        "WHERE merchant = ?2 AND store = ?3 AND at > ?8) < ?9",
        SOUK_VALUES(SOUK_BLOB(id, ID_BYTES), SOUK_INT(basket->merchant), SOUK_STR(basket->store),
                    SOUK_STR(basket->till), SOUK_INT(basket->lines), SOUK_INT(basket->at),
                    SOUK_BLOB(sealed.at, sealed.bytes), SOUK_INT(basket->at - SOUK_PARKED_MS),
                    SOUK_INT(SOUK_PARKED_MOST))));
    if (souk_sql_changed(tx) == 0)
        return souk_diag_say(diag, SOUK_ECONFLICT,
                             "store %.*s has %d suspended baskets, and no more: delete some",
                             SOUK_TEXT_PRINT(basket->store), SOUK_PARKED_MOST);
    basket->version = 1;
    return SOUK_OK;
}

/* The statement has decided; this explains. */
static souk_err why_not(souk_tx *tx, const souk_parked *basket, int64_t expected, souk_diag *diag)
{
    unsigned char id[ID_BYTES];
    souk_auto_value(souk_rows) rows = {0};
    put_id(basket->id, id);
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT version, store FROM parked_basket "
                             "WHERE id = ?1 AND merchant = ?2 AND at > ?3",
                             SOUK_VALUES(SOUK_BLOB(id, ID_BYTES), SOUK_INT(basket->merchant),
                                         SOUK_INT(basket->at - SOUK_PARKED_MS)),
                             &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return souk_diag_say(diag, SOUK_ENOENT,
                             "there is no such basket: it was taken up, or its day is over");
    }
    if (souk_rows_int(&rows, 0) != expected)
        return souk_diag_say(diag, SOUK_ECHANGED,
                             "the basket is of another version by now: GET it again");
    souk_text store = souk_rows_text(&rows, 1);
    return souk_diag_say(diag, SOUK_ECONFLICT,
                         "basket.store: the basket stands in store %.*s, take it up there",
                         SOUK_TEXT_PRINT(store));
}

souk_err souk_parked_change(souk_tx *tx, souk_mem *mem, souk_vault *vault, souk_parked *basket,
                            int64_t expected, souk_diag *diag)
{
    unsigned char id[ID_BYTES];
    souk_auto_value(souk_buf) sealed = {.mem = mem};
    put_id(basket->id, id);
    SOUK_TRY(seal(vault, basket, &sealed));
    SOUK_TRY(souk_sql_run(
        tx,
        "UPDATE parked_basket SET till = ?4, lines = ?5, at = ?6, version = version + 1, "
        "body = ?7 WHERE id = ?1 AND merchant = ?2 AND store = ?3 AND version = ?8 AND at > ?9",
        SOUK_VALUES(SOUK_BLOB(id, ID_BYTES), SOUK_INT(basket->merchant), SOUK_STR(basket->store),
                    SOUK_STR(basket->till), SOUK_INT(basket->lines), SOUK_INT(basket->at),
                    SOUK_BLOB(sealed.at, sealed.bytes), SOUK_INT(expected),
                    SOUK_INT(basket->at - SOUK_PARKED_MS))));
    if (souk_sql_changed(tx) == 0)
        return why_not(tx, basket, expected, diag);
    basket->version = expected + 1;
    return SOUK_OK;
}

souk_err souk_parked_remove(souk_tx *tx, const souk_parked *basket, int64_t expected,
                            souk_diag *diag)
{
    unsigned char id[ID_BYTES];
    put_id(basket->id, id);
    SOUK_TRY(souk_sql_run(
        tx,
        "DELETE FROM parked_basket WHERE id = ?1 AND merchant = ?2 AND version = ?3 AND at > ?4",
        SOUK_VALUES(SOUK_BLOB(id, ID_BYTES), SOUK_INT(basket->merchant), SOUK_INT(expected),
                    SOUK_INT(basket->at - SOUK_PARKED_MS))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : why_not(tx, basket, expected, diag);
}

souk_err souk_parked_sweep(souk_tx *tx, souk_time now, size_t *ret_count)
{
    SOUK_TRY(souk_sql_run(tx,
                          "DELETE FROM parked_basket WHERE at <= ?1 AND id IN "
                          "(SELECT id FROM parked_basket WHERE at <= ?1 ORDER BY at LIMIT ?2)",
                          SOUK_VALUES(SOUK_INT(now - SOUK_PARKED_MS), SOUK_INT(SWEEP_ROWS))));
    *ret_count = (size_t)souk_sql_changed(tx);
    return SOUK_OK;
}

/* ---- reading -------------------------------------------------------------------------------------------- */

static souk_text keep_text(souk_arena *arena, souk_text text)
{
    return (souk_text){souk_arena_copy(arena, text.at, text.bytes), text.bytes};
}

souk_err souk_parked_read(souk_tx *tx, souk_vault *vault, uint32_t merchant, souk_hash128 id,
                          souk_time now, souk_arena *arena, souk_parked *ret_basket)
{
    unsigned char bytes[ID_BYTES];
    souk_auto_value(souk_rows) rows = {0};
    put_id(id, bytes);
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT store, till, lines, at, version, body FROM parked_basket "
        "WHERE id = ?1 AND merchant = ?2 AND at > ?3",
        SOUK_VALUES(SOUK_BLOB(bytes, ID_BYTES), SOUK_INT(merchant), SOUK_INT(now - SOUK_PARKED_MS)),
        &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    *ret_basket = (souk_parked){.id = id,
                                .merchant = merchant,
                                .store = keep_text(arena, souk_rows_text(&rows, 0)),
                                .till = keep_text(arena, souk_rows_text(&rows, 1)),
                                .lines = souk_rows_int(&rows, 2),
                                .at = souk_rows_int(&rows, 3),
                                .version = souk_rows_int(&rows, 4)};
    SOUK_TRY(unseal(vault, souk_rows_blob(&rows, 5), arena, ret_basket));
    SOUK_TRY(souk_rows_check(&rows));
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

souk_err souk_parked_list(souk_tx *tx, uint32_t merchant, souk_text store, souk_time now,
                          size_t most, souk_err (*each)(void *context, const souk_parked *basket),
                          void *context)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT id, till, lines, at, version FROM parked_basket "
                             "WHERE merchant = ?1 AND store = ?2 AND at > ?3 "
                             "ORDER BY at DESC, id LIMIT ?4",
                             SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(store),
                                         SOUK_INT(now - SOUK_PARKED_MS), SOUK_INT(most)),
                             &rows));
    while (souk_rows_next(&rows)) {
        souk_text id = souk_rows_blob(&rows, 0);
        if (id.bytes != ID_BYTES)
            return SOUK_ECORRUPT;
        souk_parked basket = {.id = {souk_get_u64(id.at), souk_get_u64(id.at + 8)},
                              .merchant = merchant,
                              .store = store,
                              .till = souk_rows_text(&rows, 1),
                              .lines = souk_rows_int(&rows, 2),
                              .at = souk_rows_int(&rows, 3),
                              .version = souk_rows_int(&rows, 4)};
        SOUK_TRY(each(context, &basket));
    }
    return souk_rows_check(&rows);
}
