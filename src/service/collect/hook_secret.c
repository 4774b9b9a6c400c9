/* hook_secret.c - the table of hook_secret.h, and the same in memory for checking. */
#include "service/collect/hook_secret.h"

#include "base/random.h"
#include "os/thread.h"

static const souk_migration hook_steps[] = {
    {1, "CREATE TABLE hook_secret ("
        "  id       INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  merchant INTEGER NOT NULL CHECK (merchant > 0)," /* whose source it is */
        "  source   INTEGER NOT NULL CHECK (source > 0),"   /* whose events it signs */
        "  form     TEXT NOT NULL,"                         /* shopify, woocommerce */
        "  name     TEXT NOT NULL,"                         /* of the source, as the path has it */
        "  made     INTEGER NOT NULL,"                      /* ms UTC */
        "  nonce    BLOB NOT NULL CHECK (length(nonce) = 24),"
        "  sealed   BLOB NOT NULL" /* the secret, under the vault's SETTINGS */
        ")"},
};

enum { HOOK_CLASS = 32, TAG = SOUK_VAULT_TAG_BYTES };

struct known {
    souk_hook_secret hook;
    char form[24], name[SOUK_HOOK_NAME_BYTES];
    char secret[SOUK_HOOK_SECRET_MOST];
    size_t secret_bytes;
};

struct souk_hook_secrets {
    souk_mem *mem;
    souk_spine *spine;
    souk_mutex changes; /* one at a time */
    souk_rwlock lock;   /* of what follows */
    struct known **known;
    size_t count, capacity;
};

static souk_seal_place place_of(const souk_hook_secret *hook)
{
    return (souk_seal_place){
        .merchant = hook->merchant, .position = hook->source, .class = HOOK_CLASS};
}

static void forget(souk_hook_secrets *secrets, struct known *known)
{
    if (known)
        explicit_bzero(known, sizeof *known);
    souk_mem_put(secrets->mem, known);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

/* The texts must fit; they are the struct's own from here on. */
static struct known *make_known(souk_mem *mem, const souk_hook_secret *hook)
{
    struct known *known = souk_mem_get(mem, sizeof *known);
    if (!known)
        return NULL;
    known->hook = *hook;
    memcpy(known->form, hook->form.at, hook->form.bytes);
    memcpy(known->name, hook->name.at, hook->name.bytes);
    known->hook.form.at = known->form;
    known->hook.name.at = known->name;
    return known;
}

static souk_err make_room(souk_hook_secrets *secrets)
{
    return souk_mem_grow(secrets->mem, &secrets->known, &secrets->capacity, secrets->count + 1,
                         SOUK_HOOK_SECRETS, sizeof(struct known *));
}

static souk_err open_row(souk_hook_secrets *secrets, souk_rows *rows)
{
    souk_hook_secret hook = {.id = (uint64_t)souk_rows_int(rows, 0),
                             .merchant = (uint32_t)souk_rows_int(rows, 1),
                             .source = (uint32_t)souk_rows_int(rows, 2),
                             .form = souk_rows_text(rows, 3),
                             .name = souk_rows_text(rows, 4),
                             .made = souk_rows_int(rows, 5)};
    souk_text nonce = souk_rows_blob(rows, 6), sealed = souk_rows_blob(rows, 7);
    souk_seal_place place = place_of(&hook);
    if (nonce.bytes != SOUK_VAULT_NONCE_BYTES || sealed.bytes < TAG ||
        sealed.bytes > TAG + SOUK_HOOK_SECRET_MOST || hook.name.bytes > SOUK_HOOK_NAME_BYTES ||
        hook.form.bytes > sizeof((struct known *)0)->form)
        return SOUK_ECORRUPT;
    SOUK_TRY(make_room(secrets));
    struct known *known = make_known(secrets->mem, &hook);
    if (!known)
        return SOUK_ENOMEM;
    known->secret_bytes = sealed.bytes - TAG;
    secrets->known[secrets->count++] = known;
    return souk_vault_unseal(souk_spine_vault(secrets->spine), SOUK_VAULT_SETTINGS, &place,
                             (const uint8_t *)nonce.at, sealed.at, sealed.bytes, known->secret);
}

static souk_err read_all(souk_tx *tx, void *context)
{
    souk_hook_secrets *secrets = context;
    souk_auto_value(souk_rows) rows = {0};
    while (secrets->count)
        forget(secrets, secrets->known[--secrets->count]);
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT id, merchant, source, form, name, made, nonce, sealed FROM "
                             "hook_secret ORDER BY id",
                             SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows))
        SOUK_TRY(open_row(secrets, &rows));
    return souk_rows_check(&rows);
}

souk_err souk_hook_secrets_open(souk_mem *mem, souk_spine *spine, souk_hook_secrets **ret_secrets)
{
    souk_ledger *ledger = souk_spine_ledger(spine);
    SOUK_TRY(souk_ledger_migrate(ledger, "hook", hook_steps, 1, NULL));
    souk_auto(souk_hook_secrets) secrets = souk_mem_get(mem, sizeof *secrets);
    if (!secrets)
        return SOUK_ENOMEM;
    secrets->mem = mem;
    secrets->spine = spine;
    souk_mutex_init(&secrets->changes);
    souk_rwlock_init(&secrets->lock);
    SOUK_TRY(souk_ledger_read(ledger, read_all, secrets));
    *ret_secrets = souk_take(&secrets);
    return SOUK_OK;
}

void souk_hook_secrets_free(souk_hook_secrets *secrets)
{
    if (!secrets)
        return;
    while (secrets->count)
        forget(secrets, secrets->known[--secrets->count]);
    souk_mem_put(secrets->mem, secrets->known);
    souk_rwlock_done(&secrets->lock);
    souk_mutex_done(&secrets->changes);
    souk_mem_put(secrets->mem, secrets);
}

/* ---- changes ----------------------------------------------------------------------------------------------- */

struct adding {
    const souk_hook_secret *hook;
    uint8_t nonce[SOUK_VAULT_NONCE_BYTES];
    char sealed[SOUK_HOOK_SECRET_MOST + TAG];
    size_t sealed_bytes;
    int64_t id;
};

static souk_err insert(souk_tx *tx, void *context)
{
    struct adding *adding = context;
    const souk_hook_secret *hook = adding->hook;
    return souk_sql_one_int(
        tx,
        "INSERT INTO hook_secret (merchant, source, form, name, made, nonce, sealed) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
        SOUK_VALUES(SOUK_INT(hook->merchant), SOUK_INT(hook->source), SOUK_STR(hook->form),
                    SOUK_STR(hook->name), SOUK_INT(hook->made),
                    SOUK_BLOB(adding->nonce, sizeof adding->nonce),
                    SOUK_BLOB(adding->sealed, adding->sealed_bytes)),
        &adding->id);
}

static bool is_of(const struct known *known, souk_text form, souk_text name)
{
    return souk_text_equal(known->hook.form, form) && souk_text_equal(known->hook.name, name);
}

/* How many the merchant's hook has; whether this is one of them. */
static size_t count_of(const souk_hook_secrets *secrets, const souk_hook_secret *hook,
                       souk_text secret, bool *ret_there)
{
    size_t count = 0;
    *ret_there = false;
    for (size_t i = 0; i < secrets->count; i++) {
        const struct known *known = secrets->known[i];
        if (known->hook.merchant != hook->merchant || !is_of(known, hook->form, hook->name))
            continue;
        *ret_there |= souk_text_equal((souk_text){known->secret, known->secret_bytes}, secret);
        count++;
    }
    return count;
}

souk_err souk_hook_secrets_judge(const souk_hook_secret *hook, souk_text secret, souk_diag *diag)
{
    if (secret.bytes < SOUK_HOOK_SECRET_LEAST || secret.bytes > SOUK_HOOK_SECRET_MOST)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the secret has %zu bytes: take the one that the shop shows, of %d to "
                             "%d bytes",
                             secret.bytes, SOUK_HOOK_SECRET_LEAST, SOUK_HOOK_SECRET_MOST);
    if (hook->name.bytes == 0 || hook->name.bytes > SOUK_HOOK_NAME_BYTES ||
        hook->form.bytes > sizeof((struct known *)0)->form)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the name of a hook has 1 to %d bytes: name its source shorter",
                             SOUK_HOOK_NAME_BYTES);
    return SOUK_OK;
}

/* Whether there is room for it. */
static souk_err check_new(souk_hook_secrets *secrets, const souk_hook_secret *hook,
                          souk_text secret, souk_diag *diag)
{
    souk_auto_write(&secrets->lock);
    bool is_there;
    size_t count = count_of(secrets, hook, secret, &is_there);
    if (is_there)
        return souk_diag_say(diag, SOUK_EEXIST,
                             "the hook has this secret already: see `souk hook list`");
    if (count >= SOUK_HOOK_SECRETS_EACH)
        return souk_diag_say(diag, SOUK_ETOOBIG,
                             "the hook has %zu secrets: remove those that the shop no longer uses",
                             count);
    souk_err err = make_room(secrets);
    if (err == SOUK_ETOOBIG)
        return souk_diag_say(diag, err, "there are %d hook secrets: remove some that no shop uses",
                             SOUK_HOOK_SECRETS);
    return err;
}

/* Room is made before the commit, so that what is stored is known. */
souk_err souk_hook_secrets_add(souk_hook_secrets *secrets, souk_hook_secret *hook, souk_text secret,
                               souk_diag *diag)
{
    souk_hook_secret made = *hook;
    struct adding adding = {.hook = &made, .sealed_bytes = secret.bytes + TAG};
    souk_seal_place place = place_of(hook);
    made.made = souk_clock_now_ms(souk_spine_clock(secrets->spine));
    SOUK_TRY(souk_hook_secrets_judge(hook, secret, diag));
    souk_auto_lock(&secrets->changes);
    SOUK_TRY(check_new(secrets, hook, secret, diag));
    struct known *known = make_known(secrets->mem, &made);
    if (!known)
        return SOUK_ENOMEM;
    memcpy(known->secret, secret.at, secret.bytes);
    known->secret_bytes = secret.bytes;
    souk_entropy(adding.nonce, sizeof adding.nonce);
    souk_err err = souk_vault_seal(souk_spine_vault(secrets->spine), SOUK_VAULT_SETTINGS, &place,
                                   adding.nonce, secret.at, secret.bytes, adding.sealed);
    if (!err)
        err =
            souk_ledger_write(souk_spine_ledger(secrets->spine), SOUK_LANE_INGEST, insert, &adding);
    if (err) {
        forget(secrets, known);
        return err;
    }
    known->hook.id = hook->id = (uint64_t)adding.id;
    hook->made = made.made;
    souk_auto_write(&secrets->lock);
    secrets->known[secrets->count++] = known;
    return SOUK_OK;
}

struct removing {
    uint32_t merchant;
    uint64_t id;
};

static souk_err drop(souk_tx *tx, void *context)
{
    const struct removing *removing = context;
    SOUK_TRY(souk_sql_run(tx, "DELETE FROM hook_secret WHERE id = ?1 AND merchant = ?2",
                          SOUK_VALUES(SOUK_INT(removing->id), SOUK_INT(removing->merchant))));
    return souk_sql_changed(tx) ? SOUK_OK : SOUK_ENOENT;
}

souk_err souk_hook_secrets_remove(souk_hook_secrets *secrets, uint32_t merchant, uint64_t id)
{
    struct removing removing = {merchant, id};
    souk_auto_lock(&secrets->changes);
    if (id > INT64_MAX)
        return SOUK_ENOENT;
    SOUK_TRY(
        souk_ledger_write(souk_spine_ledger(secrets->spine), SOUK_LANE_INGEST, drop, &removing));
    souk_auto_write(&secrets->lock);
    for (size_t i = 0; i < secrets->count; i++)
        if (secrets->known[i]->hook.id == id) {
            forget(secrets, secrets->known[i]);
            secrets->count--;
            memmove(&secrets->known[i], &secrets->known[i + 1],
                    (secrets->count - i) * sizeof *secrets->known);
            break;
        }
    return SOUK_OK;
}

/* ---- looking ------------------------------------------------------------------------------------------------ */

souk_err souk_hook_secrets_each(souk_hook_secrets *secrets, uint32_t merchant,
                                souk_err (*each)(void *context, const souk_hook_secret *hook),
                                void *context)
{
    souk_auto_read(&secrets->lock);
    for (size_t i = 0; i < secrets->count; i++)
        if (secrets->known[i]->hook.merchant == merchant)
            SOUK_TRY(each(context, &secrets->known[i]->hook));
    return SOUK_OK;
}

/* All of the hook's secrets are tried, whichever fits: how long it takes does not tell. */
souk_err souk_hook_secrets_check(souk_hook_secrets *secrets, souk_text form, souk_text name,
                                 souk_text body, const uint8_t mac[SOUK_HMAC_BYTES],
                                 souk_caller *ret_caller)
{
    souk_err err = SOUK_EUNAUTH;
    souk_auto_read(&secrets->lock);
    for (size_t i = 0; i < secrets->count; i++) {
        const struct known *known = secrets->known[i];
        uint8_t ours[SOUK_HMAC_BYTES];
        if (!is_of(known, form, name))
            continue;
        souk_hmac_sha256((souk_text){known->secret, known->secret_bytes}, body, ours);
        if (!souk_hmac_equal(ours, mac) || !err)
            continue;
        *ret_caller = (souk_caller){known->hook.merchant, known->hook.source, SOUK_SCOPE_WRITE};
        err = SOUK_OK;
    }
    return err;
}
