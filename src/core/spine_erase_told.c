/* spine_erase_told.c - who was erased, for those outside who were told of her: her public ids, for a month.
 *
 * A public id is made of a key, and goes with it; but a receiver of webhooks keeps it, and must hear which of his copies to
 * delete.  So the entry's own transaction keeps the ids, sealed under the deployment's key and not hers; after
 * SOUK_ERASED_TOLD_MS, when the last delivery that could tell them is gone, so are they.  No row of them has an atom, a
 * number or an identifier: a public id leads nowhere once she is erased. */
#include "core/spine_erase_private.h"

#include "base/random.h"

enum { ID_DIGITS = 32 };

/* Each shopper of hers once; those whose id cannot be made any more have been told before. */
souk_err erase_note_ids(struct erasing *erasing)
{
    souk_buf_clear(&erasing->ids);
    for (size_t i = 0; i < erasing->gone_count; i++) {
        uint32_t shopper = erasing->gone[i].shopper;
        bool known = shopper == 0;
        char id[ID_DIGITS + 1];
        for (size_t k = 0; k < i && !known; k++)
            known = erasing->gone[k].shopper == shopper;
        souk_err err = known ? SOUK_ENOENT : souk_spine_public_id(erasing->spine, shopper, id);
        if (!err)
            souk_buf_append(&erasing->ids, id, ID_DIGITS);
        else if (err != SOUK_ENOENT && err != SOUK_EERASED)
            return err;
    }
    return souk_buf_check(&erasing->ids);
}

static souk_seal_place place_of(uint64_t position)
{
    return (souk_seal_place){
        .merchant = SOUK_OPERATOR, .position = position, .class = SPINE_CLASS_ERASED};
}

static souk_err forget(souk_tx *tx, souk_time now)
{
    return souk_sql_run(tx, "DELETE FROM erasure_told WHERE at <= ?1",
                        SOUK_VALUES(SOUK_INT(now - SOUK_ERASED_TOLD_MS)));
}

souk_err erase_tell(struct erasing *erasing, souk_tx *tx)
{
    souk_auto_value(souk_buf) sealed = {.mem = erasing->spine->mem};
    uint8_t nonce[SOUK_VAULT_NONCE_BYTES];
    souk_seal_place place = place_of(erasing->position);
    SOUK_TRY(forget(tx, erasing->at));
    if (erasing->ids.bytes == 0) /* a visitor was never told of by an id */
        return SOUK_OK;
    souk_entropy(nonce, sizeof nonce);
    souk_buf_append(&sealed, nonce, sizeof nonce);
    char *room = souk_buf_room(&sealed, erasing->ids.bytes + SOUK_SEAL_TAG);
    if (!room)
        return souk_buf_check(&sealed);
    SOUK_TRY(souk_vault_seal(erasing->spine->vault, SOUK_VAULT_NOBODY, &place, nonce,
                             erasing->ids.at, erasing->ids.bytes, room));
    souk_buf_added(&sealed, erasing->ids.bytes + SOUK_SEAL_TAG);
    return souk_sql_run(tx, "INSERT INTO erasure_told (position, at, ids) VALUES (?1, ?2, ?3)",
                        SOUK_VALUES(SOUK_INT(erasing->position), SOUK_INT(erasing->at),
                                    SOUK_BLOB(sealed.at, sealed.bytes)));
}

struct asked {
    souk_spine *spine;
    uint64_t position;
    souk_buf *ids;
};

static souk_err unseal(const struct asked *asked, souk_text sealed)
{
    souk_seal_place place = place_of(asked->position);
    if (sealed.bytes < SOUK_VAULT_NONCE_BYTES + SOUK_SEAL_TAG)
        return SOUK_ECORRUPT;
    size_t bytes = sealed.bytes - SOUK_VAULT_NONCE_BYTES;
    char *room = souk_buf_room(asked->ids, bytes);
    if (!room)
        return souk_buf_check(asked->ids);
    SOUK_TRY(souk_vault_unseal(asked->spine->vault, SOUK_VAULT_NOBODY, &place,
                               (const uint8_t *)sealed.at, sealed.at + SOUK_VAULT_NONCE_BYTES,
                               bytes, room));
    souk_buf_added(asked->ids, bytes - SOUK_SEAL_TAG);
    return SOUK_OK;
}

static souk_err read_ids(souk_tx *tx, void *context)
{
    const struct asked *asked = context;
    souk_auto_value(souk_rows) rows = {0};
    souk_time oldest = souk_clock_now_ms(asked->spine->clock) - SOUK_ERASED_TOLD_MS;
    souk_buf_clear(asked->ids);
    SOUK_TRY(souk_rows_begin(tx, "SELECT ids FROM erasure_told WHERE position = ?1 AND at > ?2",
                             SOUK_VALUES(SOUK_INT(asked->position), SOUK_INT(oldest)), &rows));
    return souk_rows_next(&rows) ? unseal(asked, souk_rows_blob(&rows, 0)) : souk_rows_check(&rows);
}

souk_err souk_spine_erased_ids(souk_spine *spine, uint64_t position, souk_buf *ret_ids)
{
    struct asked asked = {spine, position, ret_ids};
    return souk_ledger_read(spine->ledger, read_ids, &asked);
}

souk_err souk_spine_erased_forget(souk_spine *spine, souk_tx *tx)
{
    return forget(tx, souk_clock_now_ms(spine->clock));
}
