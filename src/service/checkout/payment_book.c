/* payment_book.c - payments by their names, and their transfers: see payment_book.h. */
#include "service/checkout/payment_book.h"

enum { ID_BYTES = 16 };

static const souk_migration steps[] = {
    {1,
     "CREATE TABLE payment ("
     "  id        BLOB PRIMARY KEY CHECK (length(id) = 16)," /* of its HOLD or POST in book_transfer */
     "  merchant  INTEGER NOT NULL CHECK (merchant > 0),"
     "  name      TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64)," /* the caller's */
     "  kind      INTEGER NOT NULL," /* of its account, as book_account.kind */
     "  currency  TEXT NOT NULL CHECK (length(currency) = 3),"
     "  store     TEXT NOT NULL," /* where; '': not told */
     "  reference TEXT NOT NULL," /* the caller's; '': none */
     "  steps     INTEGER NOT NULL DEFAULT 0 CHECK (steps BETWEEN 0 AND 100)"
     ") WITHOUT ROWID;"
     /* Captures, voids and refunds that were asked for.  A hold that was due ends without a row. */
     "CREATE TABLE payment_step ("
     "  id      BLOB PRIMARY KEY CHECK (length(id) = 16),"  /* in book_transfer */
     "  payment BLOB NOT NULL CHECK (length(payment) = 16)" /* payment.id */
     ") WITHOUT ROWID;"
     "CREATE INDEX payment_step_payment ON payment_step (payment)"},
};

souk_err souk_payments_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "payment", steps, sizeof steps / sizeof *steps, diag);
}

const char *souk_payment_word(souk_payment_state state)
{
    static const char *const words[] = {"authorised", "captured", "refunded", "voided", "expired"};
    souk_assert(state < sizeof words / sizeof *words);
    return words[state];
}

/* ---- ids ------------------------------------------------------------------------------------------------ */

/* As the books keep it. */
static void put_id(souk_hash128 id, unsigned char to[ID_BYTES])
{
    souk_put_u64(to, id.low);
    souk_put_u64(to + 8, id.high);
}

souk_hash128 souk_payment_id(const souk_hash_key *key, uint32_t merchant, souk_text name)
{
    unsigned char number[4];
    souk_put_u32(number, merchant);
    souk_text parts[] = {SOUK_TEXT("payment"), {(const char *)number, sizeof number}, name};
    return souk_hash128_of(key, parts, 3);
}

souk_hash128 souk_payment_step_id(const souk_hash_key *key, souk_hash128 payment, souk_text verb,
                                  souk_text told)
{
    unsigned char of[ID_BYTES];
    put_id(payment, of);
    souk_text parts[] = {SOUK_TEXT("payment step"), {(const char *)of, sizeof of}, verb, told};
    return souk_hash128_of(key, parts, 4);
}

/* ---- keeping -------------------------------------------------------------------------------------------- */

/* The books have compared account and amount already. */
static souk_err compare(souk_tx *tx, const souk_payment *payment, const unsigned char id[ID_BYTES],
                        souk_diag *diag)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT store, reference FROM payment WHERE id = ?1",
                             SOUK_VALUES(SOUK_BLOB(id, ID_BYTES)), &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ERETRY;
    }
    if (souk_text_equal(souk_rows_text(&rows, 0), payment->store) &&
        souk_text_equal(souk_rows_text(&rows, 1), payment->reference))
        return SOUK_OK;
    return souk_diag_say(diag, SOUK_EREUSED,
                         "payment '%.*s' is there with another store or reference: take a new id",
                         SOUK_TEXT_PRINT(payment->name));
}

souk_err souk_payment_keep(souk_tx *tx, const souk_payment *payment, souk_diag *diag)
{
    unsigned char id[ID_BYTES];
    put_id(payment->id, id);
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO payment (id, merchant, name, kind, currency, store, reference) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
        SOUK_VALUES(SOUK_BLOB(id, ID_BYTES), SOUK_INT(payment->merchant), SOUK_STR(payment->name),
                    SOUK_INT(payment->kind), SOUK_STR(souk_text_of(payment->currency)),
                    SOUK_STR(payment->store), SOUK_STR(payment->reference))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : compare(tx, payment, id, diag);
}

souk_err souk_payment_keep_step(souk_tx *tx, souk_hash128 payment, souk_hash128 step,
                                souk_diag *diag)
{
    unsigned char of[ID_BYTES], id[ID_BYTES];
    put_id(payment, of);
    put_id(step, id);
    SOUK_TRY(souk_sql_run(
        tx, "INSERT INTO payment_step (id, payment) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
        SOUK_VALUES(SOUK_BLOB(id, ID_BYTES), SOUK_BLOB(of, ID_BYTES))));
    if (souk_sql_changed(tx) == 0)
        return SOUK_OK; /* told again */
    SOUK_TRY(souk_sql_run(tx, "UPDATE payment SET steps = steps + 1 WHERE id = ?1 AND steps < ?2",
                          SOUK_VALUES(SOUK_BLOB(of, ID_BYTES), SOUK_INT(SOUK_PAYMENT_STEPS))));
    if (souk_sql_changed(tx) == 1)
        return SOUK_OK;
    return souk_diag_say(diag, SOUK_ECONFLICT,
                         "the payment has %d steps, and no more: refund the rest in another way",
                         SOUK_PAYMENT_STEPS);
}

/* ---- reading -------------------------------------------------------------------------------------------- */

static souk_text keep_text(souk_arena *arena, souk_text text)
{
    return (souk_text){souk_arena_copy(arena, text.at, text.bytes), text.bytes};
}

static souk_err read_row(souk_tx *tx, const unsigned char id[ID_BYTES], souk_arena *arena,
                         souk_payment *payment)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx, "SELECT merchant, name, kind, currency, store, reference FROM payment WHERE id = ?1",
        SOUK_VALUES(SOUK_BLOB(id, ID_BYTES)), &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    souk_text currency = souk_rows_text(&rows, 3);
    if (currency.bytes != 3)
        return SOUK_ECORRUPT;
    payment->merchant = (uint32_t)souk_rows_int(&rows, 0);
    payment->name = keep_text(arena, souk_rows_text(&rows, 1));
    payment->kind = (unsigned)souk_rows_int(&rows, 2);
    memcpy(payment->currency, currency.at, 3);
    payment->store = keep_text(arena, souk_rows_text(&rows, 4));
    payment->reference = keep_text(arena, souk_rows_text(&rows, 5));
    SOUK_TRY(souk_rows_check(&rows));
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

/* Their ids; the books say what they were. */
static souk_err read_step_ids(souk_tx *tx, const unsigned char id[ID_BYTES], souk_payment *payment)
{
    souk_auto_value(souk_rows) rows = {0};
    payment->steps[payment->step_count++].id = payment->id;
    SOUK_TRY(souk_rows_begin(tx, "SELECT id FROM payment_step WHERE payment = ?1",
                             SOUK_VALUES(SOUK_BLOB(id, ID_BYTES)), &rows));
    while (souk_rows_next(&rows)) {
        souk_text step = souk_rows_blob(&rows, 0);
        if (step.bytes != ID_BYTES || payment->step_count > SOUK_PAYMENT_STEPS)
            return SOUK_ECORRUPT;
        payment->steps[payment->step_count++].id =
            (souk_hash128){souk_get_u64(step.at), souk_get_u64(step.at + 8)};
    }
    return souk_rows_check(&rows);
}

static souk_err read_step(souk_tx *tx, souk_payment *payment, souk_payment_step *step)
{
    souk_book_entry entry;
    SOUK_TRY(souk_books_entry(tx, step->id, &entry));
    step->kind = entry.kind;
    step->number = entry.number;
    step->amount_minor = entry.amount_minor;
    step->at = entry.at;
    if (entry.kind == SOUK_TRANSFER_HOLD)
        payment->due = entry.due;
    return SOUK_OK;
}

/* Few of them: by insertion, in the order of the books. */
static void put_in_order(souk_payment *payment)
{
    for (size_t i = 1; i < payment->step_count; i++) {
        souk_payment_step step = payment->steps[i];
        size_t at = i;
        for (; at && payment->steps[at - 1].number > step.number; at--)
            payment->steps[at] = payment->steps[at - 1];
        payment->steps[at] = step;
    }
}

static souk_err read_steps(souk_tx *tx, souk_payment *payment)
{
    for (size_t i = 0; i < payment->step_count; i++) {
        souk_err err = read_step(tx, payment, &payment->steps[i]);
        if (err)
            return err == SOUK_ENOENT ? SOUK_ECORRUPT : err;
    }
    souk_payment_step *expiry = &payment->steps[payment->step_count];
    expiry->id = souk_books_expiry(payment->id);
    souk_err err = payment->due ? read_step(tx, payment, expiry) : SOUK_ENOENT;
    payment->step_count += !err;
    put_in_order(payment);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

static void sum_up(souk_payment *payment, souk_time now)
{
    const souk_payment_step *first = &payment->steps[0];
    payment->at = first->at;
    payment->amount_minor = first->amount_minor;
    payment->state =
        payment->due && payment->due <= now ? SOUK_PAYMENT_EXPIRED : SOUK_PAYMENT_AUTHORISED;
    for (size_t i = 0; i < payment->step_count; i++) {
        const souk_payment_step *step = &payment->steps[i];
        if (step->kind == SOUK_TRANSFER_POST || step->kind == SOUK_TRANSFER_CAPTURE) {
            payment->state = SOUK_PAYMENT_CAPTURED;
            payment->captured_minor = step->amount_minor;
            payment->captured = step->id;
        } else if (step->kind == SOUK_TRANSFER_REFUND) {
            payment->refunded_minor += step->amount_minor;
        } else if (step->kind == SOUK_TRANSFER_VOID) {
            payment->state = SOUK_PAYMENT_VOIDED;
        } else if (step->kind == SOUK_TRANSFER_EXPIRE) {
            payment->state = SOUK_PAYMENT_EXPIRED;
        }
    }
    if (payment->captured_minor && payment->refunded_minor == payment->captured_minor)
        payment->state = SOUK_PAYMENT_REFUNDED;
}

souk_err souk_payment_read(souk_tx *tx, souk_hash128 id, souk_time now, souk_arena *arena,
                           souk_payment *ret_payment)
{
    unsigned char bytes[ID_BYTES];
    put_id(id, bytes);
    *ret_payment = (souk_payment){.id = id};
    SOUK_TRY(read_row(tx, bytes, arena, ret_payment));
    SOUK_TRY(read_step_ids(tx, bytes, ret_payment));
    SOUK_TRY(read_steps(tx, ret_payment));
    sum_up(ret_payment, now);
    return SOUK_OK;
}

const souk_payment_step *souk_payment_find_step(const souk_payment *payment, souk_hash128 id)
{
    for (size_t i = 0; i < payment->step_count; i++)
        if (souk_hash128_equal(payment->steps[i].id, id))
            return &payment->steps[i];
    return NULL;
}

souk_err souk_payment_name_of(souk_tx *tx, const souk_book_entry *entry, souk_arena *arena,
                              souk_text *ret_name)
{
    unsigned char id[ID_BYTES], of[ID_BYTES];
    put_id(entry->id, id);
    put_id(entry->of, of);
    souk_auto_value(souk_rows) rows = {0};
    *ret_name = SOUK_TEXT("");
    /* A first transfer, what settles it, or a refund of its capture. */
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT name FROM payment WHERE id IN (?1, ?2) UNION "
                             "SELECT p.name FROM payment_step s JOIN payment p ON p.id = s.payment "
                             "WHERE s.id = ?1",
                             SOUK_VALUES(SOUK_BLOB(id, ID_BYTES), SOUK_BLOB(of, ID_BYTES)), &rows));
    if (souk_rows_next(&rows))
        *ret_name = keep_text(arena, souk_rows_text(&rows, 0));
    SOUK_TRY(souk_rows_check(&rows));
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

/* ---- the auditor ---------------------------------------------------------------------------------------- */

static souk_err verify(souk_tx *tx, void *context)
{
    int64_t lost = 0, strange = 0;
    SOUK_TRY(souk_sql_one_int(tx,
                              "SELECT count(*) FROM payment p LEFT JOIN book_transfer t "
                              "ON t.id = p.id AND t.kind IN (1, 2) WHERE t.id IS NULL",
                              SOUK_NO_VALUES, &lost));
    SOUK_TRY(souk_sql_one_int(
        tx,
        "SELECT count(*) FROM payment_step s LEFT JOIN book_transfer t ON t.id = s.id "
        "LEFT JOIN book_transfer c ON c.id = t.original AND c.kind = 3 "
        "WHERE (t.original IS NULL OR t.original <> s.payment) AND (c.id IS NULL OR c.original <> "
        "s.payment)",
        SOUK_NO_VALUES, &strange));
    if (lost)
        return souk_diag_say(context, SOUK_ECORRUPT,
                             "%lld payments are no transfer of the books: restore a backup",
                             (long long)lost);
    if (strange)
        return souk_diag_say(context, SOUK_ECORRUPT,
                             "%lld steps of payments are of none of their transfers: restore a "
                             "backup",
                             (long long)strange);
    return SOUK_OK;
}

souk_err souk_payments_verify(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_read(ledger, verify, diag);
}
