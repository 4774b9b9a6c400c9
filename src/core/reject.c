/* reject.c - the table of reject.h; texts are sealed, each under its own key. */
#include "core/reject.h"

#include "base/random.h"
#include "core/trace.h"

static const souk_migration reject_steps[] = {
    {1, "CREATE TABLE reject ("
        "  id     INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  source INTEGER NOT NULL," /* who sent it */
        "  at     INTEGER NOT NULL," /* ms UTC, when it came */
        "  fault  TEXT NOT NULL,"    /* what is wrong, in words of ours: nothing of the text */
        "  place  TEXT NOT NULL,"    /* where in the request: batch[3], /v1/track */
        "  slot   INTEGER NOT NULL," /* of the key of this text alone */
        "  nonce  BLOB NOT NULL CHECK (length(nonce) = 24),"
        "  sealed BLOB NOT NULL" /* the text as it came */
        ")"},
    {2, "CREATE TABLE reject_gone ("
        "  slot    INTEGER PRIMARY KEY," /* of a key to destroy: its reject is deleted */
        "  dropped INTEGER NOT NULL CHECK (dropped IN (0, 1))" /* 1: it went at the ceiling */
        ")"},
    {3, "ALTER TABLE reject ADD COLUMN upto INTEGER NOT NULL DEFAULT 0;" /* bytes, its own with */
        "CREATE INDEX reject_upto ON reject (upto)"}, /* those before it; never falls with the id */
};

enum {
    REJECT_CLASS = 3,
    REJECT_NONCE = SOUK_VAULT_NONCE_BYTES,
    SWEEP_SLOTS = 256, /* destroyed with one sync, deleted in one transaction */
};

struct souk_rejects {
    souk_mem *mem;
    souk_ledger *ledger;
    souk_vault *vault;
    uint64_t dropped; /* atomic */
};

static souk_err mark_slots(souk_tx *tx, void *context)
{
    souk_rejects *rejects = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT slot FROM reject", SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows))
        SOUK_TRY(souk_vault_mark_taken(rejects->vault, (uint32_t)souk_rows_int(&rows, 0)));
    return souk_rows_check(&rows);
}

/* A key file older than this ledger may lack a slot whose key is to be destroyed.  Then there is nothing to
 * destroy, and the slot must leave the table before somebody else is given it. */
static souk_err mark_gone(souk_tx *tx, void *context)
{
    souk_rejects *rejects = context;
    int64_t slot = 0;
    souk_err err;
    while (!(err = souk_sql_one_int(tx, "SELECT min(slot) FROM reject_gone WHERE slot > ?1",
                                    SOUK_VALUES(SOUK_INT(slot)), &slot))) {
        souk_err marked = souk_vault_mark_taken(rejects->vault, (uint32_t)slot);
        if (marked == SOUK_ENOENT)
            marked = souk_sql_run(tx, "DELETE FROM reject_gone WHERE slot = ?1",
                                  SOUK_VALUES(SOUK_INT(slot)));
        SOUK_TRY(marked);
    }
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

souk_err souk_rejects_open(souk_mem *mem, souk_ledger *ledger, souk_vault *vault,
                           souk_rejects **ret_rejects, souk_diag *diag)
{
    SOUK_TRY(souk_ledger_migrate(ledger, "reject", reject_steps,
                                 sizeof reject_steps / sizeof *reject_steps, diag));
    souk_auto(souk_rejects) rejects = souk_mem_get(mem, sizeof *rejects);
    if (!rejects)
        return SOUK_ENOMEM;
    *rejects = (souk_rejects){.mem = mem, .ledger = ledger, .vault = vault};
    SOUK_TRY(souk_ledger_read(ledger, mark_slots, rejects));
    SOUK_TRY(souk_ledger_write(ledger, SOUK_LANE_JOB, mark_gone, rejects));
    souk_err swept = souk_rejects_sweep(rejects);
    if (swept != SOUK_EFULL)
        SOUK_TRY(swept);
    *ret_rejects = souk_take(&rejects);
    return SOUK_OK;
}

void souk_rejects_free(souk_rejects *rejects)
{
    if (rejects)
        souk_mem_put(rejects->mem, rejects);
}

static souk_seal_place reject_place(void)
{
    return (souk_seal_place){.merchant = 1, .class = REJECT_CLASS};
}

/* ---- adding ------------------------------------------------------------------------------------------ */

static souk_err put_one(souk_rejects *rejects, souk_tx *tx, const souk_reject *fault,
                        souk_buf *sealed)
{
    uint32_t slot;
    unsigned char nonce[REJECT_NONCE];
    size_t bytes = souk_min_size(fault->text.bytes, SOUK_REJECT_BYTES);
    souk_seal_place place = reject_place();
    souk_buf_clear(sealed);
    char *room = souk_buf_room(sealed, bytes + SOUK_VAULT_TAG_BYTES);
    if (!room)
        return souk_buf_check(sealed);
    SOUK_TRY(souk_vault_take(rejects->vault, &slot));
    souk_entropy(nonce, sizeof nonce);
    SOUK_TRY(souk_vault_seal(rejects->vault, slot, &place, nonce, fault->text.at, bytes, room));
    return souk_sql_run(tx,
                        "INSERT INTO reject (source, at, fault, place, slot, nonce, sealed, upto) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, length(?7) + "
                        "coalesce((SELECT upto FROM reject ORDER BY id DESC LIMIT 1), 0))",
                        SOUK_VALUES(SOUK_INT(fault->source), SOUK_INT(fault->at),
                                    SOUK_STR(fault->fault), SOUK_STR(fault->where), SOUK_INT(slot),
                                    SOUK_BLOB(nonce, sizeof nonce),
                                    SOUK_BLOB(room, bytes + SOUK_VAULT_TAG_BYTES)));
}

/* Up to which id they are above a ceiling: there are too many, or too many bytes, behind it. */
static souk_err above_ceiling(souk_tx *tx, int64_t *ret_id)
{
    int64_t bytes_id = 0;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT coalesce(max(id), 0) - ?1 FROM reject",
                              SOUK_VALUES(SOUK_INT(SOUK_REJECTS_MOST)), ret_id));
    souk_err err = souk_sql_one_int(tx,
                                    "SELECT id FROM reject WHERE upto <= "
                                    "(SELECT upto FROM reject ORDER BY id DESC LIMIT 1) - ?1 "
                                    "ORDER BY upto DESC, id DESC LIMIT 1",
                                    SOUK_VALUES(SOUK_INT(SOUK_REJECTS_BYTES)), &bytes_id);
    if (err && err != SOUK_ENOENT)
        return err;
    if (bytes_id > *ret_id)
        *ret_id = bytes_id;
    return SOUK_OK;
}

static souk_err put_ceiling(souk_tx *tx)
{
    int64_t id;
    SOUK_TRY(above_ceiling(tx, &id));
    SOUK_TRY(souk_sql_run(tx,
                          "INSERT INTO reject_gone (slot, dropped) SELECT slot, 1 FROM reject "
                          "WHERE id <= ?1",
                          SOUK_VALUES(SOUK_INT(id))));
    if (souk_sql_changed(tx) == 0)
        return SOUK_OK;
    return souk_sql_run(tx, "DELETE FROM reject WHERE id <= ?1", SOUK_VALUES(SOUK_INT(id)));
}

souk_err souk_rejects_put(souk_rejects *rejects, souk_tx *tx, const souk_reject *faults,
                          size_t count)
{
    souk_auto_value(souk_buf) sealed = {.mem = rejects->mem};
    for (size_t i = 0; i < count; i++)
        SOUK_TRY(put_one(rejects, tx, &faults[i], &sealed));
    return put_ceiling(tx);
}

struct adding {
    souk_rejects *rejects;
    const souk_reject *faults;
    size_t count;
};

static souk_err add_all(souk_tx *tx, void *context)
{
    const struct adding *adding = context;
    return souk_rejects_put(adding->rejects, tx, adding->faults, adding->count);
}

souk_err souk_rejects_add(souk_rejects *rejects, const souk_reject *faults, size_t count)
{
    struct adding adding = {rejects, faults, count};
    return souk_ledger_write(rejects->ledger, SOUK_LANE_INGEST, add_all, &adding);
}

/* ---- reading ----------------------------------------------------------------------------------------- */

struct reading {
    souk_rejects *rejects;
    uint64_t after_id;
    size_t limit;
    souk_err (*each)(void *context, const souk_reject *reject);
    void *context;
    souk_buf plain;
};

/* Opens the text of a row whose columns are slot, nonce, sealed from `column` on. */
static souk_err open_text(souk_rejects *rejects, souk_rows *rows, unsigned column, souk_buf *plain)
{
    uint32_t slot = (uint32_t)souk_rows_int(rows, column);
    souk_text nonce = souk_rows_blob(rows, column + 1), sealed = souk_rows_blob(rows, column + 2);
    souk_seal_place place = reject_place();
    if (nonce.bytes != REJECT_NONCE || sealed.bytes < SOUK_VAULT_TAG_BYTES)
        return SOUK_ECORRUPT;
    souk_buf_clear(plain);
    char *room = souk_buf_room(plain, sealed.bytes);
    if (!room)
        return souk_buf_check(plain);
    SOUK_TRY(souk_vault_unseal(rejects->vault, slot, &place, (const uint8_t *)nonce.at, sealed.at,
                               sealed.bytes, room));
    souk_buf_added(plain, sealed.bytes - SOUK_VAULT_TAG_BYTES);
    return SOUK_OK;
}

static souk_err read_rejects(souk_tx *tx, void *context)
{
    struct reading *reading = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT id, source, at, fault, place, slot, nonce, sealed FROM reject "
                             "WHERE id > ?1 ORDER BY id LIMIT ?2",
                             SOUK_VALUES(SOUK_INT(reading->after_id), SOUK_INT(reading->limit)),
                             &rows));
    while (souk_rows_next(&rows)) {
        souk_err err = open_text(reading->rejects, &rows, 5, &reading->plain);
        if (err == SOUK_EERASED)
            continue;
        SOUK_TRY(err);
        souk_reject reject = {.id = (uint64_t)souk_rows_int(&rows, 0),
                              .source = (uint32_t)souk_rows_int(&rows, 1),
                              .at = souk_rows_int(&rows, 2),
                              .fault = souk_rows_text(&rows, 3),
                              .where = souk_rows_text(&rows, 4),
                              .text = souk_buf_view(&reading->plain)};
        SOUK_TRY(reading->each(reading->context, &reject));
    }
    return souk_rows_check(&rows);
}

souk_err souk_rejects_each(souk_rejects *rejects, uint64_t after_id, size_t limit,
                           souk_err (*each)(void *context, const souk_reject *reject),
                           void *context)
{
    struct reading reading = {rejects, after_id, limit, each, context, {.mem = rejects->mem}};
    souk_err err = souk_ledger_read(rejects->ledger, read_rejects, &reading);
    souk_buf_done(&reading.plain);
    return err;
}

struct listing {
    uint64_t after_id;
    size_t limit, count;
    uint32_t *sources;
};

static souk_err list_sources(souk_tx *tx, void *context)
{
    struct listing *listing = context;
    souk_auto_value(souk_rows) rows = {0};
    listing->count = 0;
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT DISTINCT source FROM (SELECT source FROM reject "
                             "WHERE id > ?1 ORDER BY id LIMIT ?2) AS first",
                             SOUK_VALUES(SOUK_INT(listing->after_id), SOUK_INT(listing->limit)),
                             &rows));
    while (souk_rows_next(&rows))
        listing->sources[listing->count++] = (uint32_t)souk_rows_int(&rows, 0);
    return souk_rows_check(&rows);
}

souk_err souk_rejects_sources(souk_rejects *rejects, uint64_t after_id, size_t limit,
                              uint32_t *sources, size_t *ret_count)
{
    struct listing listing = {.after_id = after_id, .limit = limit, .sources = sources};
    SOUK_TRY(souk_ledger_read(rejects->ledger, list_sources, &listing));
    *ret_count = listing.count;
    return SOUK_OK;
}

struct taking {
    uint32_t *ret_source;
    souk_buf *where, *out;
    uint64_t id;
    bool found;
};

static souk_err take_text(void *context, const souk_reject *reject)
{
    struct taking *taking = context;
    taking->found = reject->id == taking->id;
    if (!taking->found)
        return SOUK_ENOENT;
    *taking->ret_source = reject->source;
    souk_buf_text(taking->out, reject->text);
    if (taking->where)
        souk_buf_text(taking->where, reject->where);
    SOUK_TRY(taking->where ? souk_buf_check(taking->where) : SOUK_OK);
    return souk_buf_check(taking->out);
}

souk_err souk_rejects_read(souk_rejects *rejects, uint64_t id, uint32_t *ret_source,
                           souk_buf *where, souk_buf *text)
{
    struct taking taking = {.ret_source = ret_source, .where = where, .out = text, .id = id};
    if (id == 0)
        return SOUK_ENOENT;
    SOUK_TRY(souk_rejects_each(rejects, id - 1, 1, take_text, &taking));
    return taking.found ? SOUK_OK : SOUK_ENOENT;
}

/* ---- removing ---------------------------------------------------------------------------------------- */

/* Deletes a reject and notes its key as one to destroy. */
static souk_err delete_slot(souk_tx *tx, int64_t slot)
{
    SOUK_TRY(souk_sql_run(tx, "INSERT INTO reject_gone (slot, dropped) VALUES (?1, 0)",
                          SOUK_VALUES(SOUK_INT(slot))));
    SOUK_TRY(souk_sql_run(tx, "DELETE FROM reject WHERE slot = ?1", SOUK_VALUES(SOUK_INT(slot))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ECORRUPT;
}

struct sweeping {
    uint32_t slots[SWEEP_SLOTS];
    size_t count;
    uint64_t dropped;
};

static souk_err read_gone(souk_tx *tx, void *context)
{
    struct sweeping *sweeping = context;
    souk_auto_value(souk_rows) rows = {0};
    sweeping->count = 0;
    SOUK_TRY(souk_rows_begin(tx, "SELECT slot FROM reject_gone ORDER BY slot LIMIT ?1",
                             SOUK_VALUES(SOUK_INT(SWEEP_SLOTS)), &rows));
    while (souk_rows_next(&rows))
        sweeping->slots[sweeping->count++] = (uint32_t)souk_rows_int(&rows, 0);
    return souk_rows_check(&rows);
}

static souk_err delete_gone(souk_tx *tx, void *context)
{
    struct sweeping *sweeping = context;
    sweeping->dropped = 0;
    for (size_t i = 0; i < sweeping->count; i++) {
        int64_t dropped;
        souk_err err =
            souk_sql_one_int(tx, "DELETE FROM reject_gone WHERE slot = ?1 RETURNING dropped",
                             SOUK_VALUES(SOUK_INT(sweeping->slots[i])), &dropped);
        if (err == SOUK_ENOENT) /* another sweep was here */
            continue;
        SOUK_TRY(err);
        sweeping->dropped += (uint64_t)dropped;
    }
    return SOUK_OK;
}

static souk_err destroy_gone(souk_rejects *rejects, struct sweeping *sweeping)
{
    SOUK_TRY(souk_vault_destroy(rejects->vault, sweeping->slots, sweeping->count));
    SOUK_TRY(souk_ledger_write(rejects->ledger, SOUK_LANE_JOB, delete_gone, sweeping));
    __atomic_fetch_add(&rejects->dropped, sweeping->dropped, __ATOMIC_RELAXED);
    return SOUK_OK;
}

souk_err souk_rejects_sweep(souk_rejects *rejects)
{
    struct sweeping sweeping;
    do {
        SOUK_TRY(souk_ledger_read(rejects->ledger, read_gone, &sweeping));
        if (sweeping.count)
            SOUK_TRY(destroy_gone(rejects, &sweeping));
    } while (sweeping.count == SWEEP_SLOTS);
    return SOUK_OK;
}

uint64_t souk_rejects_dropped(const souk_rejects *rejects)
{
    return __atomic_load_n(&rejects->dropped, __ATOMIC_RELAXED);
}

struct removing {
    uint64_t id;
    int64_t slot;
};

static souk_err remove_one(souk_tx *tx, void *context)
{
    struct removing *removing = context;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT slot FROM reject WHERE id = ?1",
                              SOUK_VALUES(SOUK_INT(removing->id)), &removing->slot));
    return delete_slot(tx, removing->slot);
}

souk_err souk_rejects_remove(souk_rejects *rejects, uint64_t id)
{
    struct removing removing = {.id = id};
    SOUK_TRY(souk_ledger_write(rejects->ledger, SOUK_LANE_INGEST, remove_one, &removing));
    struct sweeping alone = {.slots = {(uint32_t)removing.slot}, .count = 1};
    return destroy_gone(rejects, &alone);
}

static souk_err count_rejects(souk_tx *tx, void *context)
{
    int64_t count;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM reject", SOUK_NO_VALUES, &count));
    *(uint64_t *)context = (uint64_t)count;
    return SOUK_OK;
}

souk_err souk_rejects_count(souk_rejects *rejects, uint64_t *ret_count)
{
    return souk_ledger_read(rejects->ledger, count_rejects, ret_count);
}

souk_err souk_rejects_behind(souk_tx *tx, uint64_t after, uint64_t *ret_count, uint64_t *ret_newest)
{
    int64_t count, newest = (int64_t)after;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM reject WHERE id > ?1",
                              SOUK_VALUES(SOUK_INT(after)), &count));
    souk_err err = souk_sql_one_int(tx, "SELECT max(id) FROM reject WHERE id > ?1",
                                    SOUK_VALUES(SOUK_INT(after)), &newest);
    *ret_count = (uint64_t)count;
    *ret_newest = (uint64_t)newest;
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

/* ---- forgetting -------------------------------------------------------------------------------------- */

/* The slots of the rejects that name her, in heap of the rejects. */
struct traces {
    souk_rejects *rejects;
    const souk_identifier *ids;
    size_t id_count;
    souk_buf plain, room;
    int64_t *slots;
    size_t count, capacity;
};

static souk_err look_at(struct traces *traces, souk_rows *rows)
{
    bool hers;
    souk_err err = open_text(traces->rejects, rows, 0, &traces->plain);
    if (err == SOUK_EERASED)
        return SOUK_OK;
    SOUK_TRY(err);
    SOUK_TRY(souk_trace_find(&traces->room, souk_buf_view(&traces->plain), traces->ids,
                             traces->id_count, &hers));
    if (!hers)
        return SOUK_OK;
    SOUK_TRY(souk_mem_grow(traces->rejects->mem, &traces->slots, &traces->capacity,
                           traces->count + 1, SOUK_REJECTS_MOST * 2, sizeof *traces->slots));
    traces->slots[traces->count++] = souk_rows_int(rows, 0);
    return SOUK_OK;
}

static souk_err find_traces(struct traces *traces, souk_tx *tx)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT slot, nonce, sealed FROM reject", SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows))
        SOUK_TRY(look_at(traces, &rows));
    return souk_rows_check(&rows);
}

souk_err souk_rejects_forget(souk_rejects *rejects, souk_tx *tx, const souk_identifier *ids,
                             size_t id_count)
{
    struct traces traces = {.rejects = rejects,
                            .ids = ids,
                            .id_count = id_count,
                            .plain = {.mem = rejects->mem},
                            .room = {.mem = rejects->mem}};
    souk_err err = find_traces(&traces, tx);
    for (size_t i = 0; i < traces.count && !err; i++)
        err = delete_slot(tx, traces.slots[i]);
    souk_buf_done(&traces.plain);
    souk_buf_done(&traces.room);
    souk_mem_put(rejects->mem, traces.slots);
    return err;
}
