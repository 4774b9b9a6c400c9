/* idempotency.c - one table of answers, and a set of the keys at work (idempotency.h). */
#include "serve/idempotency.h"

#include "os/thread.h"

enum { KEY_BYTES = 255, AT_WORK_MOST = 4096, SWEEP_EACH = 128, SWEEP_ROWS = 256 };

struct souk_idempotency {
    souk_mem *mem;
    souk_spine *spine;
    const souk_clock *clock;
    souk_mutex mutex;
    souk_hash128 at_work[AT_WORK_MOST]; /* of calls that are not answered yet */
    size_t at_work_count;
    uint64_t begun; /* calls with a key */
    souk_job sweep;
    bool sweeping; /* the job is the writer's */
    souk_cond swept;
};

/* One call with a key, in the call's arena. */
struct keyed {
    souk_idempotency *keys;
    souk_once once;
    void (*send)(souk_call *call, int status, const char *type, souk_text body, unsigned retry_s);
    const char *secret; /* of the route */
    bool unseen;        /* nobody has looked whether it is a repeat: the plan will */
};

souk_err souk_idempotency_open(souk_mem *mem, souk_spine *spine, const souk_clock *clock,
                               souk_idempotency **ret_keys, souk_diag *diag)
{
    SOUK_TRY(souk_once_migrate(souk_spine_ledger(spine), diag));
    souk_idempotency *keys = souk_mem_get(mem, sizeof *keys);
    if (!keys)
        return SOUK_ENOMEM;
    keys->mem = mem;
    keys->spine = spine;
    keys->clock = clock ? clock : souk_spine_clock(spine);
    souk_mutex_init(&keys->mutex);
    souk_cond_init(&keys->swept);
    *ret_keys = keys;
    return SOUK_OK;
}

void souk_idempotency_free(souk_idempotency *keys)
{
    if (!keys)
        return;
    souk_assert(keys->at_work_count == 0);
    souk_mutex_lock(&keys->mutex);
    while (keys->sweeping)
        souk_cond_wait(&keys->swept, &keys->mutex);
    souk_mutex_unlock(&keys->mutex);
    souk_cond_done(&keys->swept);
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

static souk_err begin_work(struct keyed *keyed, souk_diag *diag)
{
    souk_idempotency *keys = keyed->keys;
    souk_auto_lock(&keys->mutex);
    if (find_at_work(keys, keyed->once.id) < keys->at_work_count)
        return souk_diag_say(diag, SOUK_ECONFLICT,
                             "a request with this Idempotency-Key is still at work: wait, then "
                             "send it again");
    if (keys->at_work_count == AT_WORK_MOST)
        return SOUK_EBUSY;
    keys->at_work[keys->at_work_count++] = keyed->once.id;
    keys->begun++;
    return SOUK_OK;
}

static void end_work(struct keyed *keyed)
{
    souk_idempotency *keys = keyed->keys;
    souk_auto_lock(&keys->mutex);
    size_t i = find_at_work(keys, keyed->once.id);
    souk_assert(i < keys->at_work_count);
    keys->at_work[i] = keys->at_work[--keys->at_work_count];
}

/* ---- the table ------------------------------------------------------------------------------------------- */

struct finding {
    souk_once *once;
    bool again;
};

static souk_err find_answer(souk_tx *tx, void *context)
{
    struct finding *finding = context;
    return souk_once_find(tx, finding->once, &finding->again);
}

static souk_err look(struct keyed *keyed, bool *ret_again, souk_diag *diag)
{
    struct finding finding = {.once = &keyed->once};
    souk_err err = souk_ledger_read(souk_spine_ledger(keyed->keys->spine), find_answer, &finding);
    *ret_again = finding.again;
    return err == SOUK_EREUSED ? souk_once_say_reused(diag) : err;
}

static souk_err keep_answer(souk_tx *tx, void *context)
{
    souk_once *once = context;
    bool again;
    SOUK_TRY(souk_once_claim(tx, once, &again));
    return again ? SOUK_OK : souk_once_answer(tx, once);
}

static souk_err sweep_answers(souk_tx *tx, souk_job *job)
{
    const souk_idempotency *keys = SOUK_JOB_OWNER(job, souk_idempotency, sweep);
    return souk_once_sweep(tx, souk_clock_now_ms(keys->clock), SWEEP_ROWS);
}

static void end_sweep(souk_job *job, souk_err err)
{
    souk_idempotency *keys = SOUK_JOB_OWNER(job, souk_idempotency, sweep);
    (void)err; /* another time */
    souk_auto_lock(&keys->mutex);
    keys->sweeping = false;
    souk_cond_signal(&keys->swept); /* under the lock: who frees it has not yet */
}

/* Answers that are kept no longer go faster than others come.  Nobody waits for it: the thread that brings the calls would
 * stand behind every till, and they behind it. */
static void sweep_sometimes(souk_idempotency *keys)
{
    {
        souk_auto_lock(&keys->mutex);
        if (keys->sweeping || keys->begun % SWEEP_EACH)
            return;
        keys->sweeping = true;
    }
    keys->sweep = (souk_job){.lane = SOUK_LANE_JOB, .apply = sweep_answers, .after = end_sweep};
    souk_err err = souk_ledger_submit(souk_spine_ledger(keys->spine), &keys->sweep);
    if (err)
        end_sweep(&keys->sweep, err);
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
    souk_once *once = &keyed->once;
    souk_buf_clear(&once->body);
    if (keyed->secret)
        SOUK_TRY(leave_out(keyed->secret, body, keyed->keys->mem, &once->body));
    else
        souk_buf_text(&once->body, body);
    SOUK_TRY(souk_buf_check(&once->body));
    return souk_ledger_write(souk_spine_ledger(keyed->keys->spine), SOUK_LANE_INGEST, keep_answer,
                             once);
}

static void answer_again(souk_call *call, struct keyed *keyed)
{
    souk_text body = souk_buf_view(&keyed->once.body);
    souk_text kept = {souk_arena_copy(&call->arena, body.at, body.bytes), body.bytes};
    souk_once_done(&keyed->once);
    end_work(keyed);
    if (call->arena.failed) {
        souk_call_fail(call, SOUK_ENOMEM);
        return;
    }
    souk_call_add_header(call, "Idempotency-Replayed", SOUK_TEXT("true"));
    souk_call_answer_text(call, keyed->once.status, keyed->once.type, kept);
}

/* A repeat that was refused before its plan, as when prices have changed meanwhile: its first answer, or another request's
 * key.  False: it is no repeat. */
static bool answer_repeat(souk_call *call, struct keyed *keyed)
{
    bool again;
    call->diag = (souk_diag){0}; /* the refusal has its words already */
    souk_err err = look(keyed, &again, &call->diag);
    if (err == SOUK_EREUSED) {
        souk_once_done(&keyed->once);
        end_work(keyed);
        souk_call_fail(call, err);
    } else if (!err && again) {
        answer_again(call, keyed);
    } else {
        return false;
    }
    return true;
}

/* In place of the call's own send.  What a plan did is kept with its answer already.  Where the answer of another deed
 * cannot be kept, the deed is done all the same, and the caller is told of it: an error would make it be done again. */
static void send_and_keep(souk_call *call, int status, const char *type, souk_text body,
                          unsigned retry_s)
{
    struct keyed *keyed = call->keyed;
    bool keeps = status >= 200 && status < 300 && !call->planned;
    call->send = keyed->send;
    if (keyed->unseen && !call->planned && status >= 400 && answer_repeat(call, keyed))
        return;
    if (keeps && body.bytes <= SOUK_ONCE_BODY_MOST && strlen(type) <= SOUK_ONCE_TYPE_MOST) {
        keyed->once.status = status;
        memcpy(keyed->once.type, type, strlen(type) + 1);
        souk_err err = keep(keyed, body);
        (void)err;
    }
    souk_once_done(&keyed->once);
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

static struct keyed *key_of(souk_idempotency *keys, souk_call *call, souk_text key)
{
    const souk_hashes *hashes = souk_spine_hashes(keys->spine);
    souk_text token = souk_call_header(call, SOUK_TEXT("authorization"));
    souk_text_cut(&token, ' '); /* the scheme, in any case */
    souk_text who = souk_text_trim(token);
    souk_text caller[] = {SOUK_TEXT("idempotency"), who, key};
    souk_text request[] = {call->method, call->path, call->query, call->body};
    struct keyed *keyed = souk_arena_get(&call->arena, sizeof *keyed);
    if (call->arena.failed)
        return NULL;
    *keyed = (struct keyed){
        .keys = keys,
        .once = {.vault = souk_spine_vault(keys->spine),
                 .id = souk_hash128_of(&hashes->messages, caller, 3),
                 .fingerprint = souk_hash128_of(&hashes->messages, request, 4),
                 .at = souk_clock_now_ms(keys->clock),
                 .body = {.mem = keys->mem, .limit_bytes = SOUK_ONCE_BODY_MOST + 4096}}};
    return keyed;
}

static souk_err begin(souk_idempotency *keys, souk_call *call, const souk_route *route,
                      souk_text key, struct keyed **ret_keyed, bool *ret_again)
{
    struct keyed *keyed = key_of(keys, call, key);
    if (!keyed)
        return SOUK_ENOMEM;
    SOUK_TRY(begin_work(keyed, &call->diag));
    *ret_again = false;
    keyed->unseen = route->plans;
    souk_err err = keyed->unseen ? SOUK_OK : look(keyed, ret_again, &call->diag);
    if (err) {
        souk_once_done(&keyed->once);
        end_work(keyed);
        return err;
    }
    *ret_keyed = keyed;
    return SOUK_OK;
}

void souk_idempotency_handle(souk_idempotency *keys, souk_call *call, const souk_route *route)
{
    souk_text key;
    struct keyed *keyed;
    bool again;
    souk_err err = read_key(call, route, &key);
    if (!err && key.bytes == 0) {
        route->handle(call);
        return;
    }
    sweep_sometimes(keys);
    if (!err)
        err = begin(keys, call, route, key, &keyed, &again);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    if (again) {
        answer_again(call, keyed);
        return;
    }
    keyed->send = call->send;
    keyed->secret = route->secret;
    call->keyed = keyed;
    call->once = &keyed->once;
    call->send = send_and_keep;
    route->handle(call);
}
