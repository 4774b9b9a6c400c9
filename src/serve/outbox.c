/* outbox.c - a step of outbox.h: who has room for events (outbox_log.c), and from consent and from rejects to rows.
 *
 * The endpoints are read anew by each step, and consent and rejects in the transaction that writes: one that was made
 * before something was stored is told of it, however near the two stand. */
#include "serve/outbox_inside.h"

#include "core/cursor.h"
#include "core/reject.h"

enum {
    CONSENT_ROWS = 256, /* made of consent in one transaction */
    REJECT_MS = 60000,
};
enum { MARK_CONSENT = 1, MARK_REJECT = 2 };

static souk_ledger *ledger_of(const souk_outbox *outbox)
{
    return souk_spine_ledger(outbox->spine);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

void souk_outbox_set(souk_outbox *outbox, const souk_outbox_options *options)
{
    outbox->options = *options;
    if (!outbox->options.waiting_most)
        outbox->options.waiting_most = 1000000;
    if (!outbox->options.first_wait_ms)
        outbox->options.first_wait_ms = 5000;
    if (!outbox->options.ahead)
        outbox->options.ahead = 64;
}

/* A ledger in which one cursor went before all endpoints. */
static souk_err take_nothing(void *context, souk_tx *tx, const souk_fact *fact,
                             const souk_fact_line *lines)
{
    (void)context;
    (void)tx;
    (void)fact;
    (void)lines;
    return SOUK_OK;
}

static souk_err count_unplaced(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT count(*) FROM webhook WHERE position = 0", SOUK_NO_VALUES,
                            context);
}

static souk_err place(souk_tx *tx, void *context)
{
    const souk_cursor *cursor = context;
    return souk_sql_run(
        tx,
        "UPDATE webhook SET position = CASE WHEN since > ?1 THEN since ELSE ?1 END, "
        "until = CASE WHEN since > ?1 THEN since ELSE ?1 END "
        "WHERE position = 0",
        SOUK_VALUES(SOUK_INT(souk_cursor_position(cursor))));
}

static souk_err place_all(souk_outbox *outbox, souk_diag *diag)
{
    souk_ledger *ledger = ledger_of(outbox);
    souk_cursor_options options = {.name = "webhooks", .take = take_nothing};
    souk_auto(souk_cursor) cursor = NULL;
    int64_t count;
    SOUK_TRY(souk_ledger_read(ledger, count_unplaced, &count));
    if (count == 0)
        return SOUK_OK;
    SOUK_TRY(souk_cursor_open(outbox->mem, ledger, souk_spine_clock(outbox->spine), &options,
                              &cursor, diag));
    return souk_ledger_write(ledger, SOUK_LANE_JOB, place, cursor);
}

static souk_err fill(souk_outbox *outbox, souk_diag *diag)
{
    souk_ledger *ledger = ledger_of(outbox);
    SOUK_TRY(souk_endpoint_migrate(ledger, diag));
    SOUK_TRY(outbox_migrate(ledger, diag));
    SOUK_TRY(place_all(outbox, diag));
    return souk_vault_derive(souk_spine_vault(outbox->spine), SOUK_VAULT_SETTINGS,
                             "souk: webhook-id", outbox->key.bytes, sizeof outbox->key.bytes);
}

souk_err souk_outbox_open(souk_mem *mem, souk_spine *spine, const souk_outbox_options *options,
                          souk_outbox **ret_outbox, souk_diag *diag)
{
    souk_auto(souk_outbox) outbox = souk_mem_get(mem, sizeof *outbox);
    if (!outbox)
        return SOUK_ENOMEM;
    outbox->mem = mem;
    outbox->arena.mem = mem;
    outbox->spine = spine;
    souk_outbox_set(outbox, options ? options : &(souk_outbox_options){0});
    SOUK_TRY(fill(outbox, diag));
    *ret_outbox = souk_take(&outbox);
    return SOUK_OK;
}

void souk_outbox_free(souk_outbox *outbox)
{
    if (!outbox)
        return;
    souk_block_free(outbox->block);
    souk_arena_done(&outbox->arena);
    souk_mem_put(outbox->mem, outbox);
}

bool souk_outbox_is_full(const souk_outbox *outbox)
{
    return __atomic_load_n(&outbox->is_full, __ATOMIC_RELAXED);
}

bool souk_outbox_behind(const souk_outbox *outbox)
{
    return outbox->looked_end != souk_spine_end(outbox->spine);
}

/* ---- the endpoints of a step ------------------------------------------------------------------------------ */

static souk_err load(souk_outbox *outbox, souk_tx *tx)
{
    souk_arena_clear(&outbox->arena);
    outbox->count = 0;
    return souk_endpoint_list(tx, &outbox->arena, &outbox->endpoints, &outbox->count);
}

static bool is_on(const souk_endpoint *endpoint)
{
    return endpoint->state == SOUK_ENDPOINT_ON;
}

/* What the endpoints that are on look like together. */
struct view {
    souk_outbox *outbox;
    uint64_t end; /* of what is committed and folded: there the names are known */
    size_t on;
    uint64_t waiting;                     /* for them */
    uint64_t since_consent, since_reject; /* the least */
    uint64_t consent;                     /* the newest row there is */
    bool behind;                          /* one has not come to the end of the log */
};

/* Room for rows, where half of those that were made ahead have gone: then some are made at once. */
static souk_err aim_at(struct view *view, souk_tx *tx, const souk_endpoint *endpoint)
{
    struct outbox_scan *scan = &view->outbox->scan;
    size_t ahead = view->outbox->options.ahead, due;
    if (endpoint->position >= view->end)
        return SOUK_OK;
    view->behind = true;
    SOUK_TRY(outbox_count_due(view->outbox, tx, endpoint->id, ahead, &due));
    if (due <= ahead / 2 && scan->aim_count < SOUK_ENDPOINTS_MOST)
        scan->aims[scan->aim_count++] = (struct outbox_aim){
            .endpoint = endpoint, .position = endpoint->position, .room = ahead - due};
    return SOUK_OK;
}

static souk_err look(souk_tx *tx, void *context)
{
    struct view *view = context;
    souk_outbox *outbox = view->outbox;
    *view = (struct view){.outbox = outbox,
                          .end = view->end,
                          .since_consent = UINT64_MAX,
                          .since_reject = UINT64_MAX};
    outbox->scan.aim_count = 0;
    SOUK_TRY(load(outbox, tx));
    for (size_t i = 0; i < outbox->count; i++) {
        const souk_endpoint *endpoint = &outbox->endpoints[i];
        if (!is_on(endpoint))
            continue;
        view->on++;
        view->waiting += endpoint->waiting;
        view->since_consent = souk_min_size(view->since_consent, endpoint->since_consent);
        view->since_reject = souk_min_size(view->since_reject, endpoint->since_reject);
        SOUK_TRY(aim_at(view, tx, endpoint));
    }
    return souk_consent_newest(tx, &view->consent);
}

/* ---- consent ------------------------------------------------------------------------------------------- */

struct telling {
    souk_outbox *outbox;
    souk_tx *tx;
    uint64_t least; /* of what the endpoints are told */
    size_t most;
};

static souk_err tell_withdrawal(void *context, uint64_t id, const souk_consent_row *row)
{
    const struct telling *telling = context;
    struct outbox_news news = {.kind = SOUK_DELIVERY_WITHDRAWN,
                               .position = id,
                               .atom = row->atom,
                               .number = (uint64_t)row->purpose,
                               .at = row->from,
                               .received = row->from};
    souk_text name = souk_text_of(souk_delivery_kind_name(news.kind));
    souk_outbox *outbox = telling->outbox;
    for (size_t i = 0; i < outbox->count; i++) {
        const souk_endpoint *endpoint = &outbox->endpoints[i];
        if (is_on(endpoint) && id > endpoint->since_consent &&
            souk_endpoint_wants_own(endpoint, name))
            SOUK_TRY(outbox_add(outbox, telling->tx, endpoint, &news));
    }
    return SOUK_OK;
}

static souk_err take_consent(souk_tx *tx, void *context)
{
    struct telling *telling = context;
    uint64_t mark, last;
    souk_time at;
    telling->tx = tx;
    SOUK_TRY(load(telling->outbox, tx));
    SOUK_TRY(outbox_mark_read(tx, MARK_CONSENT, &mark, &at));
    SOUK_TRY(souk_consent_withdrawn(tx, souk_max_size(mark, telling->least), telling->most,
                                    tell_withdrawal, telling, &last));
    return outbox_mark_write(tx, MARK_CONSENT, last, 0);
}

/* ---- rejects ------------------------------------------------------------------------------------------- */

static souk_err take_rejects(souk_tx *tx, void *context)
{
    struct telling *telling = context;
    souk_outbox *outbox = telling->outbox;
    struct outbox_news news = {.kind = SOUK_DELIVERY_REJECTS,
                               .at = souk_clock_now_ms(souk_spine_clock(outbox->spine))};
    souk_text name = souk_text_of(souk_delivery_kind_name(news.kind));
    uint64_t mark;
    souk_time at;
    SOUK_TRY(load(outbox, tx));
    SOUK_TRY(outbox_mark_read(tx, MARK_REJECT, &mark, &at));
    for (size_t i = 0; i < outbox->count; i++) {
        const souk_endpoint *endpoint = &outbox->endpoints[i];
        SOUK_TRY(souk_rejects_behind(tx, souk_max_size(mark, endpoint->since_reject), &news.number,
                                     &news.position));
        if (is_on(endpoint) && news.number && souk_endpoint_wants_own(endpoint, name))
            SOUK_TRY(outbox_add(outbox, tx, endpoint, &news));
    }
    SOUK_TRY(
        souk_rejects_behind(tx, souk_max_size(mark, telling->least), &news.number, &news.position));
    return outbox_mark_write(tx, MARK_REJECT, news.position, news.at);
}

/* ---- a step -------------------------------------------------------------------------------------------- */

/* How far the others were told, and whether there is more. */
struct marks {
    const struct view *view;
    uint64_t consent, reject, rejects, newest;
    souk_time reject_at, unused;
};

static souk_err read_marks(souk_tx *tx, void *context)
{
    struct marks *marks = context;
    SOUK_TRY(outbox_mark_read(tx, MARK_CONSENT, &marks->consent, &marks->unused));
    SOUK_TRY(outbox_mark_read(tx, MARK_REJECT, &marks->reject, &marks->reject_at));
    return souk_rejects_behind(tx, souk_max_size(marks->reject, marks->view->since_reject),
                               &marks->rejects, &marks->newest);
}

static souk_err step_others(souk_outbox *outbox, const struct view *view, bool *ret_did)
{
    struct marks marks = {.view = view};
    struct telling telling = {.outbox = outbox,
                              .least = view->since_consent,
                              .most = souk_max_size(CONSENT_ROWS / view->on, 2)};
    souk_time now = souk_clock_now_ms(souk_spine_clock(outbox->spine));
    SOUK_TRY(souk_ledger_read(ledger_of(outbox), read_marks, &marks));
    if (view->consent > souk_max_size(marks.consent, view->since_consent)) {
        SOUK_TRY(souk_ledger_write(ledger_of(outbox), SOUK_LANE_JOB, take_consent, &telling));
        *ret_did = true;
    }
    bool soon = now >= marks.reject_at && now < marks.reject_at + REJECT_MS;
    telling.least = view->since_reject;
    if (!soon && marks.rejects) {
        SOUK_TRY(souk_ledger_write(ledger_of(outbox), SOUK_LANE_JOB, take_rejects, &telling));
        *ret_did = true;
    }
    return SOUK_OK;
}

souk_err souk_outbox_step(souk_outbox *outbox, bool *ret_did)
{
    struct view view = {.outbox = outbox, .end = souk_spine_end(outbox->spine)};
    uint64_t most = outbox->options.waiting_most;
    *ret_did = false;
    SOUK_TRY(souk_ledger_read(ledger_of(outbox), look, &view));
    bool full = view.waiting >= most;
    __atomic_store_n(&outbox->is_full, full, __ATOMIC_RELAXED);
    if (view.on && !full) {
        outbox->scan.row_most = souk_min_size(OUTBOX_STEP_ROWS, most - view.waiting);
        SOUK_TRY(outbox_read_log(outbox, view.end, ret_did));
        SOUK_TRY(step_others(outbox, &view, ret_did));
    }
    outbox->looked_end = *ret_did || view.behind ? UINT64_MAX : view.end;
    return SOUK_OK;
}
