/* idempotency.c - one table of answers, and a set of the keys at work (idempotency.h). */
#include "serve/idempotency.h"

#include "base/random.h"
#include "os/thread.h"

enum { KEY_BYTES = 255, AT_WORK_MOST = 4096, SEAL_CLASS = 5, ANSWER_MOST = 1 << 20 };

static const souk_migration steps[] = {
    {1,
     "CREATE TABLE idempotency ("
     "  id          BLOB PRIMARY KEY CHECK (length(id) = 16),"       /* of the caller and its key */
     "  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16)," /* method, path, query, body */
     "  at          INTEGER NOT NULL,"                               /* ms UTC: kept for 72 hours */
     "  status      INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),"
     "  type        TEXT NOT NULL," /* Content-Type */
     "  body        BLOB NOT NULL"  /* nonce[24], then the answer, sealed */
     ") WITHOUT ROWID;"
     "CREATE INDEX idempotency_at ON idempotency (at)"},
    /* Answers were kept with the keys and tokens that they made. */
    {2, "DELETE FROM idempotency"},
};

struct souk_idempotency {
    souk_mem *mem;
    souk_spine *spine;
    const souk_clock *clock;
    souk_mutex mutex;
    souk_hash128 at_work[AT_WORK_MOST]; /* of calls that are not answered yet */
    size_t at_work_count;
};

/* One call with a key, in the call's arena. */
struct keyed {
    souk_idempotency *keys;
    souk_call *call;
    souk_hash128 id, fingerprint;
    void (*send)(souk_call *call, int status, const char *type, souk_text body, unsigned retry_s);
    const char *secret; /* of the route */
    int status;         /* of the answer that is kept or to be kept */
    const char *type;
    souk_buf body;
};

souk_err souk_idempotency_open(souk_mem *mem, souk_spine *spine, const souk_clock *clock,
                               souk_idempotency **ret_keys, souk_diag *diag)
{
    SOUK_TRY(souk_ledger_migrate(souk_spine_ledger(spine), "idempotency", steps,
                                 sizeof steps / sizeof *steps, diag));
    souk_idempotency *keys = souk_mem_get(mem, sizeof *keys);
    if (!keys)
        return SOUK_ENOMEM;
    keys->mem = mem;
    keys->spine = spine;
    keys->clock = clock ? clock : souk_spine_clock(spine);
    souk_mutex_init(&keys->mutex);
    *ret_keys = keys;
    return SOUK_OK;
}

void souk_idempotency_free(souk_idempotency *keys)
{
    if (!keys)
        return;
    souk_assert(keys->at_work_count == 0);
    souk_mutex_done(&keys->mutex);
    souk_mem_put(keys->mem, keys);
}

/* ---- at work --------------------------------------------------------------------------------------------- */

static size_t find_at_work(const souk_idempotency *keys, souk_hash128 id)
{
    size_t i = 0;
    while (i < keys->at_work_count && !souk_hash128_equal(keys->at_work[i], id))
        i++;
    return i;
}

static souk_err begin_work(struct keyed *keyed)
{
    souk_idempotency *keys = keyed->keys;
    souk_auto_lock(&keys->mutex);
    if (find_at_work(keys, keyed->id) < keys->at_work_count)
        return souk_diag_say(&keyed->call->diag, SOUK_ECONFLICT,
                             "a request with this Idempotency-Key is still at work: wait, then "
                             "send it again");
    if (keys->at_work_count == AT_WORK_MOST)
        return SOUK_EBUSY;
    keys->at_work[keys->at_work_count++] = keyed->id;
    return SOUK_OK;
}

static void end_work(struct keyed *keyed)
{
    souk_idempotency *keys = keyed->keys;
    souk_auto_lock(&keys->mutex);
    size_t i = find_at_work(keys, keyed->id);
    souk_assert(i < keys->at_work_count);
    keys->at_work[i] = keys->at_work[--keys->at_work_count];
}

/* ---- the table ------------------------------------------------------------------------------------------- */

static souk_seal_place place_of(const struct keyed *keyed)
{
    return (souk_seal_place){
        .merchant = SOUK_OPERATOR, .position = keyed->id.low, .class = SEAL_CLASS};
}

static souk_err unseal(struct keyed *keyed, souk_text sealed)
{
    souk_seal_place place = place_of(keyed);
    if (sealed.bytes < SOUK_VAULT_NONCE_BYTES + SOUK_SEAL_TAG)
        return SOUK_ECORRUPT;
    size_t bytes = sealed.bytes - SOUK_VAULT_NONCE_BYTES;
    char *room = souk_buf_room(&keyed->body, bytes);
    if (!room)
        return souk_buf_check(&keyed->body);
    SOUK_TRY(souk_vault_unseal(souk_spine_vault(keyed->keys->spine), SOUK_VAULT_NOBODY, &place,
                               (const uint8_t *)sealed.at, sealed.at + SOUK_VAULT_NONCE_BYTES,
                               bytes, room));
    souk_buf_added(&keyed->body, bytes - SOUK_SEAL_TAG);
    return SOUK_OK;
}

static souk_err read_answer(souk_tx *tx, void *context)
{
    struct keyed *keyed = context;
    souk_auto_value(souk_rows) rows = {0};
    keyed->status = 0;
    souk_buf_clear(&keyed->body);
    SOUK_TRY(souk_rows_begin(
        tx, "SELECT fingerprint, status, type, body FROM idempotency WHERE id = ?1 AND at > ?2",
        SOUK_VALUES(SOUK_BLOB(&keyed->id, sizeof keyed->id),
                    SOUK_INT(souk_clock_now_ms(keyed->keys->clock) - SOUK_IDEMPOTENCY_KEPT_MS)),
        &rows));
    if (!souk_rows_next(&rows))
        return souk_rows_check(&rows);
    souk_text fingerprint = souk_rows_blob(&rows, 0);
    if (fingerprint.bytes != sizeof keyed->fingerprint ||
        memcmp(fingerprint.at, &keyed->fingerprint, sizeof keyed->fingerprint))
        return SOUK_EREUSED;
    souk_text type = souk_rows_text(&rows, 2);
    keyed->type = souk_text_in(&keyed->call->arena, type);
    SOUK_TRY(unseal(keyed, souk_rows_blob(&rows, 3)));
    keyed->status = (int)souk_rows_int(&rows, 1);
    return SOUK_OK;
}

static souk_err write_answer(souk_tx *tx, void *context)
{
    const struct keyed *keyed = context;
    int64_t now = souk_clock_now_ms(keyed->keys->clock);
    SOUK_TRY(souk_sql_run(tx, "DELETE FROM idempotency WHERE at <= ?1",
                          SOUK_VALUES(SOUK_INT(now - SOUK_IDEMPOTENCY_KEPT_MS))));
    return souk_sql_run(
        tx,
        "INSERT OR REPLACE INTO idempotency (id, fingerprint, at, status, type, body) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        SOUK_VALUES(SOUK_BLOB(&keyed->id, sizeof keyed->id),
                    SOUK_BLOB(&keyed->fingerprint, sizeof keyed->fingerprint), SOUK_INT(now),
                    SOUK_INT(keyed->status), SOUK_STR(souk_text_of(keyed->type)),
                    SOUK_BLOB(keyed->body.at, keyed->body.bytes)));
}

static souk_err seal(struct keyed *keyed, souk_text body)
{
    uint8_t nonce[SOUK_VAULT_NONCE_BYTES];
    souk_seal_place place = place_of(keyed);
    souk_entropy(nonce, sizeof nonce);
    souk_buf_clear(&keyed->body);
    souk_buf_append(&keyed->body, nonce, sizeof nonce);
    char *room = souk_buf_room(&keyed->body, body.bytes + SOUK_SEAL_TAG);
    if (!room)
        return souk_buf_check(&keyed->body);
    SOUK_TRY(souk_vault_seal(souk_spine_vault(keyed->keys->spine), SOUK_VAULT_NOBODY, &place, nonce,
                             body.at, body.bytes, room));
    souk_buf_added(&keyed->body, body.bytes + SOUK_SEAL_TAG);
    return SOUK_OK;
}

/* ---- one call -------------------------------------------------------------------------------------------- */

/* The answer without its secret, which names what it withholds. */
static souk_err leave_out(const char *secret, souk_text body, souk_mem *mem, souk_buf *ret_rest)
{
    souk_json_doc doc = {.mem = mem};
    souk_json_writer out = {.out = ret_rest};
    souk_err err = souk_json_read(&doc, body, NULL, NULL);
    if (!err && souk_json_type(&doc, souk_json_root(&doc)) != SOUK_JSON_OBJECT)
        err = SOUK_ESYNTAX;
    souk_json_write_object(&out);
    for (souk_json_node node = err ? SOUK_JSON_NONE : souk_json_first(&doc, souk_json_root(&doc));
         node != SOUK_JSON_NONE; node = souk_json_next(&doc, node)) {
        if (souk_text_equal(souk_json_key(&doc, node), souk_text_of(secret)))
            continue;
        souk_json_write_raw_key(&out, souk_json_key(&doc, node));
        souk_json_write_raw(&out, souk_json_raw(&doc, node));
    }
    souk_json_put_words(&out, "withheld", secret);
    souk_json_write_end(&out);
    souk_json_doc_done(&doc);
    return err ? err : souk_json_write_check(&out);
}

static souk_err keep(struct keyed *keyed, souk_text body)
{
    souk_auto_value(souk_buf) rest = {.mem = keyed->keys->mem};
    if (keyed->secret) {
        SOUK_TRY(leave_out(keyed->secret, body, keyed->keys->mem, &rest));
        body = souk_buf_view(&rest);
    }
    SOUK_TRY(seal(keyed, body));
    return souk_ledger_write(souk_spine_ledger(keyed->keys->spine), SOUK_LANE_INGEST, write_answer,
                             keyed);
}

/* In place of the call's own send.  Where the answer cannot be kept, the deed is done all the same, and the caller is
 * told of it: an error would make it be done again. */
static void send_and_keep(souk_call *call, int status, const char *type, souk_text body,
                          unsigned retry_s)
{
    struct keyed *keyed = call->keyed;
    keyed->status = status;
    keyed->type = type;
    call->send = keyed->send;
    if (status >= 200 && status < 300 && body.bytes <= ANSWER_MOST) {
        souk_err err = keep(keyed, body);
        (void)err;
    }
    souk_buf_done(&keyed->body);
    end_work(keyed);
    call->send(call, status, type, body, retry_s);
}

static souk_err read_key(souk_call *call, const souk_route *route, souk_text *ret_key)
{
    *ret_key = souk_call_header(call, SOUK_TEXT("idempotency-key"));
    bool plain = ret_key->bytes <= KEY_BYTES;
    for (size_t i = 0; i < ret_key->bytes; i++)
        plain &= ret_key->at[i] > ' ' && ret_key->at[i] < 127;
    if (!plain)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "Idempotency-Key has 1 to %d visible characters: send a UUID",
                             KEY_BYTES);
    if (ret_key->bytes == 0 && route->needs_key && !call->local)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "this path needs an Idempotency-Key: send a new UUID with each "
                             "request, and the same one when you repeat it");
    return SOUK_OK;
}

static souk_err begin(souk_idempotency *keys, souk_call *call, souk_text key,
                      struct keyed **ret_keyed)
{
    const souk_hashes *hashes = souk_spine_hashes(keys->spine);
    souk_text token = souk_call_header(call, SOUK_TEXT("authorization"));
    souk_text_cut(&token, ' '); /* the scheme, in any case */
    souk_text who = souk_text_trim(token);
    souk_text caller[] = {SOUK_TEXT("idempotency"), who, key};
    souk_text request[] = {call->method, call->path, call->query, call->body};
    struct keyed *keyed = souk_arena_get(&call->arena, sizeof *keyed);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    *keyed = (struct keyed){.keys = keys,
                            .call = call,
                            .id = souk_hash128_of(&hashes->messages, caller, 3),
                            .fingerprint = souk_hash128_of(&hashes->messages, request, 4),
                            .body = {.mem = keys->mem}};
    SOUK_TRY(begin_work(keyed));
    souk_err err = souk_ledger_read(souk_spine_ledger(keys->spine), read_answer, keyed);
    if (err == SOUK_EREUSED)
        err = souk_diag_say(&call->diag, err,
                            "this Idempotency-Key was used for another request: take a new one");
    if (err) {
        souk_buf_done(&keyed->body);
        end_work(keyed);
        return err;
    }
    *ret_keyed = keyed;
    return SOUK_OK;
}

static void answer_again(struct keyed *keyed)
{
    souk_call *call = keyed->call;
    souk_text body = souk_buf_view(&keyed->body);
    souk_text kept = {souk_arena_copy(&call->arena, body.at, body.bytes), body.bytes};
    souk_buf_done(&keyed->body);
    end_work(keyed);
    if (call->arena.failed) {
        souk_call_fail(call, SOUK_ENOMEM);
        return;
    }
    souk_call_add_header(call, "Idempotency-Replayed", SOUK_TEXT("true"));
    souk_call_answer_text(call, keyed->status, keyed->type, kept);
}

void souk_idempotency_handle(souk_idempotency *keys, souk_call *call, const souk_route *route)
{
    souk_text key;
    struct keyed *keyed;
    souk_err err = read_key(call, route, &key);
    if (!err && key.bytes == 0) {
        route->handle(call);
        return;
    }
    if (!err)
        err = begin(keys, call, key, &keyed);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    if (keyed->status) {
        answer_again(keyed);
        return;
    }
    keyed->send = call->send;
    keyed->secret = route->secret;
    call->keyed = keyed;
    call->send = send_and_keep;
    route->handle(call);
}
