/* merchant.c - the tables of merchant.h, and a hash table of keys and tokens in memory.
 *
 * Secrets are stored as keyed hashes; the table finds one by its hash, so a lookup compares nothing
 * with the secret itself.  A change makes room in the table before its transaction, so that nothing
 * can fail after the commit: what is stored is known, and what is revoked is not. */
#include "core/merchant_private.h"

#include "base/random.h"
#include "base/utf8.h"

static const souk_migration merchant_steps[] = {
    {1, "CREATE TABLE merchant ("
        "  number    INTEGER PRIMARY KEY CHECK (number > 0)," /* 1: the operator */
        "  public_id TEXT NOT NULL UNIQUE,"
        "  name      TEXT NOT NULL"
        ");"
        "CREATE TABLE source_name ("
        "  source    INTEGER PRIMARY KEY,"
        "  merchant  INTEGER NOT NULL REFERENCES merchant (number),"
        "  name      TEXT NOT NULL,"
        "  statement TEXT NOT NULL," /* purpose=basis …, age=…, as it was stated */
        "  UNIQUE (merchant, name)"
        ");"
        "CREATE TABLE secret ("
        "  hash     BLOB PRIMARY KEY CHECK (length(hash) = 16)," /* keyed hash of key or token */
        "  merchant INTEGER NOT NULL REFERENCES merchant (number),"
        "  source   INTEGER NOT NULL,"                    /* of a write key; 0: a token */
        "  scopes   INTEGER NOT NULL CHECK (scopes > 0)," /* souk_scope bits */
        "  name     TEXT NOT NULL UNIQUE"
        ") WITHOUT ROWID"},
    /* A name is a merchant's own, as that of a source is: one could not use what another had taken. */
    {2, "CREATE TABLE secret_of_merchant ("
        "  hash     BLOB PRIMARY KEY CHECK (length(hash) = 16)," /* keyed hash of key or token */
        "  merchant INTEGER NOT NULL REFERENCES merchant (number),"
        "  source   INTEGER NOT NULL,"                    /* of a write key; 0: a token */
        "  scopes   INTEGER NOT NULL CHECK (scopes > 0)," /* souk_scope bits */
        "  name     TEXT NOT NULL,"
        "  UNIQUE (merchant, name)"
        ") WITHOUT ROWID;"
        "INSERT INTO secret_of_merchant (hash, merchant, source, scopes, name) "
        "SELECT hash, merchant, source, scopes, name FROM secret;"
        "DROP TABLE secret;"
        "ALTER TABLE secret_of_merchant RENAME TO secret"},
    {3, "ALTER TABLE secret ADD COLUMN made INTEGER NOT NULL DEFAULT 0;"   /* ms UTC; 0: before */
        "UPDATE secret SET scopes = 15 WHERE scopes = 7 AND source = 0"},  /* all is more now */
    {4, "UPDATE secret SET scopes = 31 WHERE scopes = 15 AND source = 0"}, /* and tills */
};

enum { SECRET_ID = (SOUK_SECRET_ID_BYTES - 1) / 2 };

/* ---- secrets in memory -------------------------------------------------------------------------------- */

static souk_hash128 hash_secret(const souk_merchants *merchants, souk_text secret)
{
    return souk_hash128_of(&merchants->key, &secret, 1);
}

static void write_id(souk_hash128 hash, char ret_id[SOUK_SECRET_ID_BYTES])
{
    souk_hex(&hash, SECRET_ID, ret_id);
    ret_id[SOUK_SECRET_ID_BYTES - 1] = '\0';
}

void souk_merchants_secret_id(const souk_merchants *merchants, souk_text secret,
                              char ret_id[SOUK_SECRET_ID_BYTES])
{
    write_id(hash_secret(merchants, secret), ret_id);
}

static void place_secret(struct secret *table, size_t capacity, struct secret secret)
{
    size_t at = secret.hash.low & (capacity - 1);
    while (table[at].caller.scopes)
        at = (at + 1) & (capacity - 1);
    table[at] = secret;
}

/* Room for `more` secrets, at most 16. */
static souk_err grow_secrets(souk_merchants *merchants, size_t more)
{
    if ((merchants->count + more) * 2 <= merchants->capacity)
        return SOUK_OK;
    size_t capacity = souk_max_size(64, merchants->capacity * 2), count = 0;
    struct secret *grown = souk_mem_array(merchants->mem, capacity, sizeof *grown);
    if (!grown)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < merchants->capacity; i++)
        if (merchants->secrets[i].caller.merchant) {
            place_secret(grown, capacity, merchants->secrets[i]);
            count++;
        }
    souk_mem_put(merchants->mem, merchants->secrets);
    merchants->secrets = grown;
    merchants->capacity = capacity;
    merchants->count = count;
    return SOUK_OK;
}

static void know_secret(souk_merchants *merchants, struct secret secret)
{
    place_secret(merchants->secrets, merchants->capacity, secret);
    merchants->count++;
}

/* NULL: nobody's. */
static struct secret *find_hash(const souk_merchants *merchants, souk_hash128 hash)
{
    size_t mask = merchants->capacity - 1;
    for (size_t at = hash.low & mask; merchants->capacity && merchants->secrets[at].caller.scopes;
         at = (at + 1) & mask) {
        struct secret *secret = &merchants->secrets[at];
        if (souk_hash128_equal(secret->hash, hash) && secret->caller.merchant)
            return secret;
    }
    return NULL;
}

static souk_err find_caller(souk_merchants *merchants, souk_text secret, souk_caller *ret_caller)
{
    souk_hash128 hash = hash_secret(merchants, secret);
    souk_auto_read(&merchants->lock);
    const struct secret *found = find_hash(merchants, hash);
    if (!found)
        return SOUK_EUNAUTH;
    *ret_caller = found->caller;
    return SOUK_OK;
}

souk_err souk_merchants_write_key(souk_merchants *merchants, souk_text key, souk_caller *ret_caller)
{
    souk_caller found;
    SOUK_TRY(find_caller(merchants, key, &found));
    if (!found.source)
        return SOUK_EUNAUTH;
    *ret_caller = found;
    return SOUK_OK;
}

souk_err souk_merchants_token(souk_merchants *merchants, souk_text token, unsigned scopes,
                              souk_caller *ret_caller)
{
    souk_caller found;
    SOUK_TRY(find_caller(merchants, token, &found));
    if (found.source)
        return SOUK_EUNAUTH;
    if ((found.scopes & scopes) != scopes)
        return SOUK_EDENIED;
    *ret_caller = found;
    return SOUK_OK;
}

souk_hash128 souk_merchants_mark(const souk_merchants *merchants, souk_text token)
{
    return hash_secret(merchants, token);
}

bool souk_merchants_mark_works(souk_merchants *merchants, souk_hash128 mark, unsigned scopes)
{
    souk_auto_read(&merchants->lock);
    const struct secret *found = find_hash(merchants, mark);
    return found && !found->caller.source && (found->caller.scopes & scopes) == scopes;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static souk_err read_secrets(souk_tx *tx, void *context)
{
    souk_merchants *merchants = context;
    souk_auto_value(souk_rows) rows = {0};
    if (merchants->secrets)
        memset(merchants->secrets, 0, merchants->capacity * sizeof *merchants->secrets);
    merchants->count = 0;
    SOUK_TRY(souk_rows_begin(tx, "SELECT hash, merchant, source, scopes FROM secret",
                             SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        struct secret secret = {.caller = {.merchant = (uint32_t)souk_rows_int(&rows, 1),
                                           .source = (uint32_t)souk_rows_int(&rows, 2),
                                           .scopes = (unsigned)souk_rows_int(&rows, 3)}};
        souk_text hash = souk_rows_blob(&rows, 0);
        if (hash.bytes != sizeof secret.hash)
            return SOUK_ECORRUPT;
        memcpy(&secret.hash, hash.at, sizeof secret.hash);
        SOUK_TRY(grow_secrets(merchants, 1));
        know_secret(merchants, secret);
    }
    return souk_rows_check(&rows);
}

/* Its bytes stay in the hash key alone. */
static souk_err read_key(souk_vault *vault, souk_hash_key *ret_key)
{
    uint8_t key[SOUK_VAULT_KEY_BYTES];
    souk_err err = souk_vault_named(vault, SOUK_VAULT_SESSIONS, key);
    if (!err)
        memcpy(ret_key->bytes, key, sizeof ret_key->bytes);
    explicit_bzero(key, sizeof key);
    return err;
}

souk_err souk_merchants_open(souk_mem *mem, souk_spine *spine, souk_merchants **ret_merchants,
                             souk_diag *diag)
{
    SOUK_TRY(souk_ledger_migrate(souk_spine_ledger(spine), "merchant", merchant_steps,
                                 sizeof merchant_steps / sizeof *merchant_steps, diag));
    souk_auto(souk_merchants) merchants = souk_mem_get(mem, sizeof *merchants);
    if (!merchants)
        return SOUK_ENOMEM;
    merchants->mem = mem;
    merchants->spine = spine;
    souk_mutex_init(&merchants->changes);
    souk_rwlock_init(&merchants->lock);
    SOUK_TRY(read_key(souk_spine_vault(spine), &merchants->key));
    SOUK_TRY(souk_ledger_read(souk_spine_ledger(spine), read_secrets, merchants));
    *ret_merchants = souk_take(&merchants);
    return SOUK_OK;
}

void souk_merchants_free(souk_merchants *merchants)
{
    if (!merchants)
        return;
    souk_mem_put(merchants->mem, merchants->secrets);
    souk_rwlock_done(&merchants->lock);
    souk_mutex_done(&merchants->changes);
    explicit_bzero(&merchants->key, sizeof merchants->key);
    souk_mem_put(merchants->mem, merchants);
}

/* ---- making ---------------------------------------------------------------------------------------------- */

static void make_secret(const char *prefix, size_t random_bytes, char *ret_text)
{
    unsigned char random[32];
    size_t head = strlen(prefix);
    souk_entropy(random, random_bytes);
    memcpy(ret_text, prefix, head);
    souk_hex(random, random_bytes, ret_text + head);
    ret_text[head + 2 * random_bytes] = '\0';
}

enum { MAKING_SECRETS = 2 };
struct making {
    souk_merchants *merchants;
    uint32_t merchant, source;
    souk_time at;
    souk_text name; /* of the source or token */
    const souk_statement *statement;
    unsigned scopes;
    bool is_new;
    souk_text operator_name; /* of a founding */
    char *operator_id;
    char *write_key, *token;
    struct secret made[MAKING_SECRETS]; /* by the last run of the closure */
    size_t made_count;
};

static souk_err store_secret(struct making *making, souk_tx *tx, const char *text, souk_text name,
                             souk_caller caller)
{
    struct secret secret = {hash_secret(making->merchants, souk_text_of(text)), caller};
    char id[SOUK_SECRET_ID_BYTES];
    souk_assert(making->made_count < MAKING_SECRETS);
    write_id(secret.hash, id);
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO secret (hash, merchant, source, scopes, name, made) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        SOUK_VALUES(SOUK_BLOB(&secret.hash, sizeof secret.hash), SOUK_INT(caller.merchant),
                    SOUK_INT(caller.source), SOUK_INT(caller.scopes),
                    SOUK_STR(name.bytes ? name : souk_text_of(id)), SOUK_INT(making->at))));
    making->made[making->made_count++] = secret;
    return SOUK_OK;
}

/* Runs the closure and knows what it made. */
static souk_err make(struct making *making, souk_tx_closure *closure)
{
    souk_merchants *merchants = making->merchants;
    making->at = souk_clock_now_ms(souk_spine_clock(merchants->spine));
    souk_auto_lock(&merchants->changes);
    {
        souk_auto_write(&merchants->lock);
        SOUK_TRY(grow_secrets(merchants, MAKING_SECRETS));
    }
    SOUK_TRY(
        souk_ledger_write(souk_spine_ledger(merchants->spine), SOUK_LANE_INGEST, closure, making));
    souk_auto_write(&merchants->lock);
    for (size_t i = 0; i < making->made_count; i++)
        know_secret(merchants, making->made[i]);
    return SOUK_OK;
}

static void write_statement(const souk_statement *statement, souk_buf *out)
{
    for (unsigned i = 0; i < SOUK_PURPOSE_FIXED; i++)
        if (statement->bases[i] != SOUK_BASIS_NONE)
            souk_buf_print(out, "%s=%s ", souk_purpose_word((souk_purpose)i),
                           souk_basis_word(statement->bases[i]));
    souk_buf_print(out, "age=%s", souk_age_word(statement->age));
}

static souk_speaks speaks_of(const struct making *making)
{
    if (making->statement->speaks != SOUK_SPEAKS_USUAL)
        return making->statement->speaks;
    return making->write_key ? SOUK_SPEAKS_VISITOR : SOUK_SPEAKS_ANYBODY;
}

static uint16_t bases_of(const souk_statement *statement)
{
    uint16_t bases = 0;
    for (unsigned i = 0; i < SOUK_PURPOSE_FIXED; i++)
        if (statement->bases[i] != SOUK_BASIS_NONE)
            bases = (uint16_t)(bases | 1u << i);
    return bases;
}

/* The source of that name, if it stated the same; SOUK_ENOENT where there is none. */
static souk_err find_source(struct making *making, souk_tx *tx, souk_text statement)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx, "SELECT source, statement FROM source_name WHERE merchant = ?1 AND name = ?2",
        SOUK_VALUES(SOUK_INT(making->merchant), SOUK_STR(making->name)), &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    making->source = (uint32_t)souk_rows_int(&rows, 0);
    return souk_text_equal(souk_rows_text(&rows, 1), statement) ? SOUK_OK : SOUK_ECONFLICT;
}

static souk_err insert_source(struct making *making, souk_tx *tx)
{
    souk_auto_value(souk_buf) statement = {.mem = making->merchants->mem};
    if (making->write_key)
        making->write_key[0] = '\0';
    write_statement(making->statement, &statement);
    SOUK_TRY(souk_buf_check(&statement));
    making->is_new = false;
    souk_err err = find_source(making, tx, souk_buf_view(&statement));
    if (err != SOUK_ENOENT)
        return err;
    making->is_new = true;
    SOUK_TRY(souk_spine_new_source(tx, making->merchant, bases_of(making->statement),
                                   making->statement->age, speaks_of(making), &making->source));
    SOUK_TRY(souk_sql_run(
        tx, "INSERT INTO source_name (source, merchant, name, statement) VALUES (?1, ?2, ?3, ?4)",
        SOUK_VALUES(SOUK_INT(making->source), SOUK_INT(making->merchant), SOUK_STR(making->name),
                    SOUK_STR(souk_buf_view(&statement)))));
    if (!making->write_key)
        return SOUK_OK;
    make_secret("souk_wk_", 16, making->write_key);
    return store_secret(making, tx, making->write_key, making->name,
                        (souk_caller){making->merchant, making->source, SOUK_SCOPE_WRITE});
}

static souk_err make_source(souk_tx *tx, void *context)
{
    struct making *making = context;
    making->made_count = 0;
    return insert_source(making, tx);
}

static void tell_spine(const struct making *making)
{
    if (making->is_new)
        souk_spine_know_source(making->merchants->spine, making->source, making->merchant,
                               bases_of(making->statement), making->statement->age,
                               speaks_of(making));
}

souk_err souk_merchants_source(souk_merchants *merchants, uint32_t merchant, souk_text name,
                               const souk_statement *statement, uint32_t *ret_source,
                               char ret_write_key[SOUK_WRITE_KEY_BYTES])
{
    struct making making = {.merchants = merchants,
                            .merchant = merchant,
                            .name = name,
                            .statement = statement,
                            .write_key = ret_write_key};
    if (!souk_utf8_plain(name))
        return SOUK_EINVAL;
    SOUK_TRY(make(&making, make_source));
    tell_spine(&making);
    *ret_source = making.source;
    return SOUK_OK;
}

static souk_err insert_token(struct making *making, souk_tx *tx, souk_text name)
{
    make_secret("souk_at_", 32, making->token);
    return store_secret(making, tx, making->token, name,
                        (souk_caller){.merchant = making->merchant, .scopes = making->scopes});
}

static souk_err make_token(souk_tx *tx, void *context)
{
    struct making *making = context;
    making->made_count = 0;
    return insert_token(making, tx, making->name);
}

souk_err souk_merchants_add_token(souk_merchants *merchants, uint32_t merchant, souk_text name,
                                  unsigned scopes, char ret_token[SOUK_TOKEN_BYTES])
{
    struct making making = {.merchants = merchants,
                            .merchant = merchant,
                            .name = name,
                            .scopes = scopes,
                            .token = ret_token};
    return make(&making, make_token);
}

/* Another key of a source: named by its id, since the first one has the source's name. */
static souk_err make_key(souk_tx *tx, void *context)
{
    struct making *making = context;
    int64_t source;
    making->made_count = 0;
    SOUK_TRY(
        souk_sql_one_int(tx, "SELECT source FROM source_name WHERE merchant = ?1 AND name = ?2",
                         SOUK_VALUES(SOUK_INT(making->merchant), SOUK_STR(making->name)), &source));
    make_secret("souk_wk_", 16, making->write_key);
    return store_secret(making, tx, making->write_key, SOUK_TEXT(""),
                        (souk_caller){making->merchant, (uint32_t)source, SOUK_SCOPE_WRITE});
}

souk_err souk_merchants_add_key(souk_merchants *merchants, uint32_t merchant, souk_text source,
                                char ret_write_key[SOUK_WRITE_KEY_BYTES])
{
    struct making making = {
        .merchants = merchants, .merchant = merchant, .name = source, .write_key = ret_write_key};
    return make(&making, make_key);
}

struct dropping {
    uint32_t merchant; /* whose it must be */
    souk_text name;    /* its name; or */
    bool is_key;       /* its kind, */
    char id[8];        /* and the first bytes of its hash */
    souk_hash128 hash;
};

static souk_err find_name(struct dropping *dropping, souk_tx *tx)
{
    souk_auto_value(souk_rows) rows = {0};
    if (dropping->name.at)
        SOUK_TRY(souk_rows_begin(
            tx, "SELECT hash FROM secret WHERE merchant = ?1 AND name = ?2",
            SOUK_VALUES(SOUK_INT(dropping->merchant), SOUK_STR(dropping->name)), &rows));
    else
        SOUK_TRY(
            souk_rows_begin(tx,
                            "SELECT hash FROM secret WHERE substr(hash, 1, 6) = ?1 AND "
                            "merchant = ?2 AND CASE source WHEN 0 THEN 0 ELSE 1 END = ?3",
                            SOUK_VALUES(SOUK_BLOB(dropping->id, SECRET_ID),
                                        SOUK_INT(dropping->merchant), SOUK_INT(dropping->is_key)),
                            &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    souk_text hash = souk_rows_blob(&rows, 0);
    if (hash.bytes != sizeof dropping->hash)
        return SOUK_ECORRUPT;
    memcpy(&dropping->hash, hash.at, sizeof dropping->hash);
    return SOUK_OK;
}

static souk_err drop_secret(souk_tx *tx, void *context)
{
    struct dropping *dropping = context;
    SOUK_TRY(find_name(dropping, tx));
    return souk_sql_run(tx, "DELETE FROM secret WHERE hash = ?1",
                        SOUK_VALUES(SOUK_BLOB(&dropping->hash, sizeof dropping->hash)));
}

static souk_err revoke(souk_merchants *merchants, struct dropping *dropping)
{
    souk_auto_lock(&merchants->changes);
    SOUK_TRY(souk_ledger_write(souk_spine_ledger(merchants->spine), SOUK_LANE_INGEST, drop_secret,
                               dropping));
    souk_auto_write(&merchants->lock);
    struct secret *known = find_hash(merchants, dropping->hash);
    if (known)
        known->caller.merchant = 0;
    return SOUK_OK;
}

souk_err souk_merchants_revoke(souk_merchants *merchants, uint32_t merchant, souk_text name)
{
    struct dropping dropping = {.merchant = merchant, .name = name};
    return revoke(merchants, &dropping);
}

souk_err souk_merchants_revoke_id(souk_merchants *merchants, uint32_t merchant, bool is_key,
                                  souk_text id)
{
    struct dropping dropping = {.merchant = merchant, .is_key = is_key};
    if (!souk_unhex(id, dropping.id, SECRET_ID))
        return SOUK_ENOENT;
    return revoke(merchants, &dropping);
}

/* All of a founding in one transaction: a shop without its first token could not be entered. */
static souk_err make_operator(souk_tx *tx, void *context)
{
    struct making *making = context;
    int64_t count;
    making->made_count = 0;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM merchant", SOUK_NO_VALUES, &count));
    if (count)
        return SOUK_EEXIST;
    make_secret("", 16, making->operator_id);
    SOUK_TRY(souk_sql_run(tx, "INSERT INTO merchant (number, public_id, name) VALUES (?1, ?2, ?3)",
                          SOUK_VALUES(SOUK_INT(SOUK_OPERATOR),
                                      SOUK_STR(souk_text_of(making->operator_id)),
                                      SOUK_STR(making->operator_name))));
    SOUK_TRY(insert_token(making, tx, SOUK_TEXT("admin")));
    return insert_source(making, tx);
}

souk_err souk_merchants_found(souk_merchants *merchants, souk_text name, souk_secrets *ret_secrets)
{
    souk_statement web = {.bases[SOUK_PURPOSE_SERVE] = SOUK_BASIS_CONTRACT};
    struct making making = {.merchants = merchants,
                            .merchant = SOUK_OPERATOR,
                            .operator_name = name,
                            .name = SOUK_TEXT("web"),
                            .statement = &web,
                            .scopes = SOUK_SCOPE_ALL,
                            .operator_id = ret_secrets->operator_id,
                            .write_key = ret_secrets->write_key,
                            .token = ret_secrets->admin_token};
    SOUK_TRY(make(&making, make_operator));
    tell_spine(&making);
    return SOUK_OK;
}

static souk_err read_operator(souk_tx *tx, void *context)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT public_id FROM merchant WHERE number = 1", SOUK_NO_VALUES,
                             &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    souk_text id = souk_rows_text(&rows, 0);
    if (id.bytes != 32)
        return SOUK_ECORRUPT;
    memcpy(context, id.at, 32);
    return SOUK_OK;
}

souk_err souk_merchants_operator(souk_merchants *merchants, char ret_id[33])
{
    ret_id[32] = '\0';
    return souk_ledger_read(souk_spine_ledger(merchants->spine), read_operator, ret_id);
}

souk_err souk_statement_read(souk_statement *statement, souk_text purpose_basis, souk_diag *diag)
{
    souk_text rest = purpose_basis, word = souk_text_cut(&rest, '=');
    souk_purpose purpose;
    souk_basis basis = souk_basis_of_word(rest);
    if (!souk_purpose_of_word(word, &purpose))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "'%.*s' is no purpose: serve, profile, personalise, recognise, "
                             "face_pay, mood, advertise or research",
                             SOUK_TEXT_PRINT(word));
    if (basis == SOUK_BASIS_NONE || basis == SOUK_BASIS_WITHDRAWN)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "'%.*s' is no basis: consent, contract or legal, as in "
                             "--basis profile=consent",
                             SOUK_TEXT_PRINT(rest));
    statement->bases[purpose] = basis;
    return SOUK_OK;
}
