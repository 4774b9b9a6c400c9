/* receipt.c - tills, their chains, and what came back: see receipt.h. */
#include "service/checkout/receipt.h"

#include <stdio.h>

static const souk_migration steps[] = {
    {1,
     "CREATE TABLE till ("
     "  id       INTEGER PRIMARY KEY,"
     "  merchant INTEGER NOT NULL CHECK (merchant > 0),"
     "  store    TEXT NOT NULL CHECK (length(store) BETWEEN 1 AND 64),"
     "  name     TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 32),"
     "  number   INTEGER NOT NULL CHECK (number >= 0)," /* of its last receipt */
     "  UNIQUE (merchant, store, name));"
     /* Never changed, never removed. */
     "CREATE TABLE receipt ("
     "  id       INTEGER PRIMARY KEY,"
     "  till     INTEGER NOT NULL,"                              /* till.id */
     "  number   INTEGER NOT NULL CHECK (number > 0),"           /* 1, 2, 3 … of the till */
     "  at       INTEGER NOT NULL,"                              /* ms UTC */
     "  kind     INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 3)," /* SOUK_RECEIPT_KINDS */
     "  currency TEXT NOT NULL CHECK (length(currency) = 3),"
     "  total    INTEGER NOT NULL," /* minor units; below zero for returns and voids */
     "  sale     BLOB NOT NULL CHECK (length(sale) = 16)," /* as other rows refer to it */
     "  body     TEXT NOT NULL,"                           /* JSON: lines, offers, taxes, tenders */
     "  hash     BLOB NOT NULL CHECK (length(hash) = 32)," /* over body and the receipt before */
     "  UNIQUE (till, number));"
     /* What came back of a sale, by line; line 0: 1 where the whole receipt is void. */
     "CREATE TABLE receipt_back ("
     "  receipt  INTEGER NOT NULL," /* receipt.id */
     "  line     INTEGER NOT NULL CHECK (line >= 0),"
     "  quantity INTEGER NOT NULL CHECK (quantity >= 0)," /* x 1e-6 */
     "  PRIMARY KEY (receipt, line)) WITHOUT ROWID;"
     /* Receipts that the log has not heard of. */
     "CREATE TABLE receipt_untold ("
     "  receipt INTEGER PRIMARY KEY," /* receipt.id */
     "  who     BLOB NOT NULL)"}, /* nonce[24] and an identifier's kind and value, sealed; or empty */
};

souk_err souk_receipts_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "receipt", steps, sizeof steps / sizeof *steps, diag);
}

const char *souk_receipt_word(int64_t kind)
{
    switch (kind) {
#define RECEIPT_WORD(name, number, word) \
    case number:                         \
        return word;
        SOUK_RECEIPT_KINDS(RECEIPT_WORD)
#undef RECEIPT_WORD
    default:
        return NULL;
    }
}

/* ---- the chain ------------------------------------------------------------------------------------ */

void souk_receipt_prepare(souk_receipt *receipt)
{
    souk_sha256(&receipt->body, 1, receipt->body_hash);
}

enum { NAME_ROOM = SOUK_RECEIPT_STORE_BYTES + SOUK_RECEIPT_TILL_BYTES + 24 };

static void chain(const unsigned char before[SOUK_SHA256_BYTES],
                  const unsigned char body_hash[SOUK_SHA256_BYTES], souk_text store, souk_text till,
                  int64_t number, unsigned char ret_hash[SOUK_SHA256_BYTES])
{
    char name[NAME_ROOM];
    int bytes = snprintf(name, sizeof name, "%.*s/%.*s/%lld", SOUK_TEXT_PRINT(store),
                         SOUK_TEXT_PRINT(till), (long long)number);
    souk_text parts[] = {{(const char *)before, SOUK_SHA256_BYTES},
                         {(const char *)body_hash, SOUK_SHA256_BYTES},
                         {name, (size_t)bytes}};
    souk_sha256(parts, 3, ret_hash);
}

static bool is_name(souk_text name, size_t most)
{
    bool good = name.bytes > 0 && name.bytes <= most;
    for (size_t i = 0; i < name.bytes && good; i++)
        good = name.at[i] > ' ' && name.at[i] < 127 && name.at[i] != '/';
    return good;
}

static souk_err check(const souk_receipt *receipt, souk_diag *diag)
{
    if (!is_name(receipt->store, SOUK_RECEIPT_STORE_BYTES))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the store's code has 1 to %d visible ASCII characters, without '/'",
                             SOUK_RECEIPT_STORE_BYTES);
    if (!is_name(receipt->till, SOUK_RECEIPT_TILL_BYTES))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the till's name has 1 to %d visible ASCII characters, without '/'",
                             SOUK_RECEIPT_TILL_BYTES);
    if (receipt->body.bytes > SOUK_RECEIPT_BODY_MOST)
        return souk_diag_say(diag, SOUK_ETOOBIG, "a receipt has at most %d bytes",
                             SOUK_RECEIPT_BODY_MOST);
    return SOUK_OK;
}

/* The next number of the till; from here on until the commit nobody else has the till. */
static souk_err take_number(souk_tx *tx, uint32_t merchant, souk_text store, souk_text till,
                            int64_t *ret_till, int64_t *ret_number)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(
        souk_rows_begin(tx,
                        "UPDATE till SET number = number + 1 "
                        "WHERE merchant = ?1 AND store = ?2 AND name = ?3 RETURNING id, number",
                        SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(store), SOUK_STR(till)), &rows));
    bool there = souk_rows_next(&rows);
    if (there) {
        *ret_till = souk_rows_int(&rows, 0);
        *ret_number = souk_rows_int(&rows, 1);
    }
    SOUK_TRY(souk_rows_check(&rows));
    return there ? SOUK_OK : SOUK_ENOENT;
}

static souk_err open_till(souk_tx *tx, uint32_t merchant, souk_text store, souk_text till)
{
    return souk_sql_run(tx,
                        "INSERT INTO till (merchant, store, name, number) VALUES (?1, ?2, ?3, 0) "
                        "ON CONFLICT (merchant, store, name) DO NOTHING",
                        SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(store), SOUK_STR(till)));
}

static souk_err read_hash(souk_tx *tx, int64_t till, int64_t number,
                          unsigned char ret_hash[SOUK_SHA256_BYTES])
{
    memset(ret_hash, 0, SOUK_SHA256_BYTES);
    if (number == 0)
        return SOUK_OK;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT hash FROM receipt WHERE till = ?1 AND number = ?2",
                             SOUK_VALUES(SOUK_INT(till), SOUK_INT(number)), &rows));
    if (!souk_rows_next(&rows))
        return souk_rows_check(&rows) ? souk_rows_check(&rows) : SOUK_ECORRUPT;
    souk_text hash = souk_rows_blob(&rows, 0);
    if (hash.bytes != SOUK_SHA256_BYTES)
        return SOUK_ECORRUPT;
    memcpy(ret_hash, hash.at, hash.bytes);
    return SOUK_OK;
}

static souk_err write_receipt(souk_tx *tx, uint32_t merchant, souk_receipt *receipt)
{
    int64_t till;
    unsigned char before[SOUK_SHA256_BYTES];
    souk_err err =
        take_number(tx, merchant, receipt->store, receipt->till, &till, &receipt->number);
    if (err == SOUK_ENOENT) {
        SOUK_TRY(open_till(tx, merchant, receipt->store, receipt->till));
        err = take_number(tx, merchant, receipt->store, receipt->till, &till, &receipt->number);
    }
    SOUK_TRY(err);
    SOUK_TRY(read_hash(tx, till, receipt->number - 1, before));
    chain(before, receipt->body_hash, receipt->store, receipt->till, receipt->number,
          receipt->hash);
    int64_t id;
    SOUK_TRY(souk_sql_one_int(
        tx,
        "INSERT INTO receipt (till, number, at, kind, currency, total, sale, body, hash) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id",
        SOUK_VALUES(SOUK_INT(till), SOUK_INT(receipt->number), SOUK_INT(receipt->at),
                    SOUK_INT(receipt->kind), SOUK_STR(souk_text_of(receipt->currency)),
                    SOUK_INT(receipt->total_minor), SOUK_BLOB(&receipt->id, sizeof receipt->id),
                    SOUK_STR(receipt->body), SOUK_BLOB(receipt->hash, sizeof receipt->hash)),
        &id));
    return souk_sql_run(tx, "INSERT INTO receipt_untold (receipt, who) VALUES (?1, ?2)",
                        SOUK_VALUES(SOUK_INT(id), SOUK_BLOB(receipt->who.at, receipt->who.bytes)));
}

/* ---- what comes back ---------------------------------------------------------------------------------- */

static souk_err find_receipt(souk_tx *tx, const souk_receipt_name *name, int64_t *ret_id,
                             int64_t *ret_kind)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(
        souk_rows_begin(tx,
                        "SELECT r.id, r.kind FROM till t JOIN receipt r ON r.till = t.id "
                        "WHERE t.merchant = ?1 AND t.store = ?2 AND t.name = ?3 AND r.number = ?4",
                        SOUK_VALUES(SOUK_INT(name->merchant), SOUK_STR(name->store),
                                    SOUK_STR(name->till), SOUK_INT(name->number)),
                        &rows));
    bool there = souk_rows_next(&rows);
    if (there) {
        *ret_id = souk_rows_int(&rows, 0);
        *ret_kind = souk_rows_int(&rows, 1);
    }
    SOUK_TRY(souk_rows_check(&rows));
    return there ? SOUK_OK : SOUK_ENOENT;
}

/* Holds the receipt until the commit, so that a void and a return never pass each other. */
static souk_err hold_receipt(souk_tx *tx, int64_t receipt, bool voids, souk_diag *diag)
{
    SOUK_TRY(souk_sql_run(tx,
                          "INSERT INTO receipt_back (receipt, line, quantity) VALUES (?1, 0, 0) "
                          "ON CONFLICT (receipt, line) DO NOTHING",
                          SOUK_VALUES(SOUK_INT(receipt))));
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE receipt_back SET quantity = ?2 "
                          "WHERE receipt = ?1 AND line = 0 AND quantity = 0",
                          SOUK_VALUES(SOUK_INT(receipt), SOUK_INT(voids))));
    if (souk_sql_changed(tx) != 1)
        return souk_diag_say(diag, SOUK_ECONFLICT, "this receipt is void already");
    return SOUK_OK;
}

static souk_err bring_back(souk_tx *tx, int64_t receipt, const souk_receipt_back *back,
                           souk_diag *diag)
{
    SOUK_TRY(souk_sql_run(tx,
                          "INSERT INTO receipt_back (receipt, line, quantity) VALUES (?1, ?2, 0) "
                          "ON CONFLICT (receipt, line) DO NOTHING",
                          SOUK_VALUES(SOUK_INT(receipt), SOUK_INT(back->line))));
    SOUK_TRY(souk_sql_run(
        tx,
        "UPDATE receipt_back SET quantity = quantity + ?3 "
        "WHERE receipt = ?1 AND line = ?2 AND quantity = ?5 AND quantity <= ?4 - ?3",
        SOUK_VALUES(SOUK_INT(receipt), SOUK_INT(back->line), SOUK_INT(back->quantity.micro),
                    SOUK_INT(back->sold.micro), SOUK_INT(back->before.micro))));
    if (souk_sql_changed(tx) == 1)
        return SOUK_OK;
    char sold[SOUK_DECIMAL_BYTES];
    souk_decimal_write(back->sold, sold);
    if (back->before.micro + back->quantity.micro > back->sold.micro)
        return souk_diag_say(diag, SOUK_ECONFLICT,
                             "line %u: more would come back than the %s that were sold", back->line,
                             sold);
    return souk_diag_say(diag, SOUK_ECONFLICT,
                         "line %u: another return of this receipt came first: send it again",
                         back->line);
}

static souk_err check_untouched(souk_tx *tx, int64_t receipt, souk_diag *diag)
{
    int64_t lines;
    SOUK_TRY(souk_sql_one_int(
        tx, "SELECT count(*) FROM receipt_back WHERE receipt = ?1 AND line > 0 AND quantity > 0",
        SOUK_VALUES(SOUK_INT(receipt)), &lines));
    if (lines)
        return souk_diag_say(diag, SOUK_ECONFLICT,
                             "part of this receipt was returned: return the rest, it cannot be "
                             "voided any more");
    return SOUK_OK;
}

static souk_err take_back(souk_tx *tx, const souk_receipt *receipt, souk_diag *diag)
{
    int64_t id, kind;
    souk_err err = find_receipt(tx, &receipt->of, &id, &kind);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, err, "there is no receipt %.*s/%.*s/%lld",
                             SOUK_TEXT_PRINT(receipt->of.store), SOUK_TEXT_PRINT(receipt->of.till),
                             (long long)receipt->of.number);
    SOUK_TRY(err);
    if (kind != SOUK_RECEIPT_SALE)
        return souk_diag_say(diag, SOUK_ECONFLICT,
                             "this receipt is a %s: only a sale comes back, give its receipt",
                             souk_receipt_word(kind));
    bool voids = receipt->kind == SOUK_RECEIPT_VOID;
    SOUK_TRY(hold_receipt(tx, id, voids, diag));
    if (voids)
        return check_untouched(tx, id, diag);
    for (size_t i = 0; i < receipt->back_count; i++) {
        souk_assert(receipt->backs[i].line > 0 && receipt->backs[i].quantity.micro > 0);
        SOUK_TRY(bring_back(tx, id, &receipt->backs[i], diag));
    }
    return SOUK_OK;
}

souk_err souk_receipt_apply(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                            size_t count)
{
    (void)state;
    for (size_t i = 0; i < count; i++) {
        souk_receipt *receipt = effects[i].what;
        SOUK_TRY(check(receipt, &plan->diag));
        if (receipt->kind != SOUK_RECEIPT_SALE)
            SOUK_TRY(take_back(tx, receipt, &plan->diag));
        SOUK_TRY(write_receipt(tx, plan->merchant, receipt));
    }
    return SOUK_OK;
}

/* ---- reading -------------------------------------------------------------------------------------------- */

static souk_err read_before(souk_tx *tx, const souk_receipt_name *name, int64_t till,
                            souk_receipt_row *row)
{
    return read_hash(tx, till, name->number - 1, row->before);
}

static souk_err read_void(souk_tx *tx, int64_t id, bool *ret_void)
{
    int64_t voids;
    SOUK_TRY(souk_sql_one_int(
        tx, "SELECT count(*) FROM receipt_back WHERE receipt = ?1 AND line = 0 AND quantity = 1",
        SOUK_VALUES(SOUK_INT(id)), &voids));
    *ret_void = voids > 0;
    return SOUK_OK;
}

souk_err souk_receipt_read(souk_tx *tx, const souk_receipt_name *name, souk_arena *arena,
                           souk_receipt_row *ret_row)
{
    souk_receipt_row row = {.kind = SOUK_RECEIPT_SALE};
    int64_t id, till;
    {
        souk_auto_value(souk_rows) rows = {0};
        SOUK_TRY(souk_rows_begin(
            tx,
            "SELECT r.id, t.id, r.kind, r.at, r.total, r.currency, r.sale, r.body, r.hash "
            "FROM till t JOIN receipt r ON r.till = t.id "
            "WHERE t.merchant = ?1 AND t.store = ?2 AND t.name = ?3 AND r.number = ?4",
            SOUK_VALUES(SOUK_INT(name->merchant), SOUK_STR(name->store), SOUK_STR(name->till),
                        SOUK_INT(name->number)),
            &rows));
        if (!souk_rows_next(&rows))
            return souk_rows_check(&rows) ? souk_rows_check(&rows) : SOUK_ENOENT;
        id = souk_rows_int(&rows, 0);
        till = souk_rows_int(&rows, 1);
        row.kind = (souk_receipt_kind)souk_rows_int(&rows, 2);
        row.at = souk_rows_int(&rows, 3);
        row.total_minor = souk_rows_int(&rows, 4);
        souk_text currency = souk_rows_text(&rows, 5), sale = souk_rows_blob(&rows, 6);
        souk_text body = souk_rows_text(&rows, 7), hash = souk_rows_blob(&rows, 8);
        if (currency.bytes != 3 || sale.bytes != sizeof row.id || hash.bytes != sizeof row.hash)
            return SOUK_ECORRUPT;
        memcpy(row.currency, currency.at, 3);
        memcpy(&row.id, sale.at, sizeof row.id);
        memcpy(row.hash, hash.at, sizeof row.hash);
        row.body = (souk_text){souk_arena_copy(arena, body.at, body.bytes), body.bytes};
        SOUK_TRY(souk_rows_check(&rows));
    }
    SOUK_TRY(read_before(tx, name, till, &row));
    SOUK_TRY(read_void(tx, id, &row.is_void));
    *ret_row = row;
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

souk_err souk_receipt_returned(souk_tx *tx, const souk_receipt_name *name, uint32_t line,
                               souk_decimal *ret_quantity)
{
    int64_t id, kind;
    ret_quantity->micro = 0;
    SOUK_TRY(find_receipt(tx, name, &id, &kind));
    souk_err err =
        souk_sql_one_int(tx, "SELECT quantity FROM receipt_back WHERE receipt = ?1 AND line = ?2",
                         SOUK_VALUES(SOUK_INT(id), SOUK_INT(line)), &ret_quantity->micro);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

/* ---- verify ----------------------------------------------------------------------------------------------- */

struct verifying {
    souk_diag *diag;
    uint64_t count;
    int64_t till, number;
    unsigned char hash[SOUK_SHA256_BYTES];
};

static souk_err say_broken(const struct verifying *verifying, souk_rows *rows, const char *how)
{
    souk_text store = souk_rows_text(rows, 1), till = souk_rows_text(rows, 2);
    return souk_diag_say(
        verifying->diag, SOUK_ECORRUPT, "the chain of receipts breaks at %.*s/%.*s/%lld: %s",
        SOUK_TEXT_PRINT(store), SOUK_TEXT_PRINT(till), (long long)souk_rows_int(rows, 4), how);
}

static souk_err verify_row(struct verifying *verifying, souk_rows *rows)
{
    int64_t till = souk_rows_int(rows, 0), number = souk_rows_int(rows, 4);
    if (till != verifying->till) {
        verifying->till = till;
        verifying->number = 0;
        memset(verifying->hash, 0, sizeof verifying->hash);
    }
    if (number != verifying->number + 1)
        return say_broken(verifying, rows, "a receipt before it is missing");
    souk_receipt receipt = {.body = souk_rows_text(rows, 5)};
    souk_receipt_prepare(&receipt);
    unsigned char hash[SOUK_SHA256_BYTES];
    chain(verifying->hash, receipt.body_hash, souk_rows_text(rows, 1), souk_rows_text(rows, 2),
          number, hash);
    souk_text stored = souk_rows_blob(rows, 6);
    if (stored.bytes != sizeof hash || memcmp(stored.at, hash, sizeof hash))
        return say_broken(verifying, rows, "it was changed, or the one before it was");
    memcpy(verifying->hash, hash, sizeof hash);
    verifying->number = number;
    verifying->count++;
    return SOUK_OK;
}

static souk_err verify_ends(souk_tx *tx, struct verifying *verifying)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT store, name, number FROM till WHERE number <> "
                             "(SELECT count(*) FROM receipt WHERE receipt.till = till.id) LIMIT 1",
                             SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows)) {
        souk_text store = souk_rows_text(&rows, 0), till = souk_rows_text(&rows, 1);
        return souk_diag_say(verifying->diag, SOUK_ECORRUPT,
                             "till %.*s/%.*s gave %lld numbers, and not so many receipts are there",
                             SOUK_TEXT_PRINT(store), SOUK_TEXT_PRINT(till),
                             (long long)souk_rows_int(&rows, 2));
    }
    return souk_rows_check(&rows);
}

static souk_err verify(souk_tx *tx, void *context)
{
    struct verifying *verifying = context;
    souk_auto_value(souk_rows) rows = {0};
    *verifying = (struct verifying){.diag = verifying->diag};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT t.id, t.store, t.name, r.id, r.number, r.body, r.hash "
                             "FROM till t JOIN receipt r ON r.till = t.id ORDER BY t.id, r.number",
                             SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows))
        SOUK_TRY(verify_row(verifying, &rows));
    SOUK_TRY(souk_rows_check(&rows));
    return verify_ends(tx, verifying);
}

souk_err souk_receipts_verify(souk_ledger *ledger, uint64_t *ret_count, souk_diag *diag)
{
    struct verifying verifying = {.diag = diag};
    SOUK_TRY(souk_ledger_read(ledger, verify, &verifying));
    *ret_count = verifying.count;
    return SOUK_OK;
}
