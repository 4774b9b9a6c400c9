/* outbox.c - from the log, from consent and from rejects to the rows of outbox.h.
 *
 * The endpoints are read anew by each run of a step, in its own transaction: one that was made before an event was
 * stored is told of it, however near the two stand. */
#include "serve/outbox_inside.h"

#include "core/reject.h"

enum {
    STEP_ROWS = 128,    /* in one transaction: below 5 ms */
    CONSENT_ROWS = 256, /* looked at in one transaction */
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
}

static souk_err take(void *context, souk_tx *tx, const souk_fact *fact,
                     const souk_fact_line *lines);

static souk_err fill(souk_outbox *outbox, souk_diag *diag)
{
    souk_ledger *ledger = ledger_of(outbox);
    souk_cursor_options cursor = {.name = "webhooks", .take = take, .context = outbox};
    SOUK_TRY(souk_endpoint_migrate(ledger, diag));
    SOUK_TRY(outbox_migrate(ledger, diag));
    SOUK_TRY(souk_vault_derive(souk_spine_vault(outbox->spine), SOUK_VAULT_SETTINGS,
                               "souk: webhook-id", outbox->key.bytes, sizeof outbox->key.bytes));
    return souk_cursor_open(outbox->mem, ledger, souk_spine_clock(outbox->spine), &cursor,
                            &outbox->cursor, diag);
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
    souk_cursor_free(outbox->cursor);
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
    size_t on;
    uint64_t waiting;                            /* for them */
    uint64_t since, since_consent, since_reject; /* the least */
    uint64_t consent;                            /* the newest row there is */
};

static souk_err look(souk_tx *tx, void *context)
{
    struct view *view = context;
    souk_outbox *outbox = view->outbox;
    *view = (struct view){.outbox = outbox,
                          .since = UINT64_MAX,
                          .since_consent = UINT64_MAX,
                          .since_reject = UINT64_MAX};
    SOUK_TRY(load(outbox, tx));
    for (size_t i = 0; i < outbox->count; i++) {
        const souk_endpoint *endpoint = &outbox->endpoints[i];
        if (!is_on(endpoint))
            continue;
        view->on++;
        view->waiting += endpoint->waiting;
        view->since = souk_min_size(view->since, endpoint->since);
        view->since_consent = souk_min_size(view->since_consent, endpoint->since_consent);
        view->since_reject = souk_min_size(view->since_reject, endpoint->since_reject);
    }
    return souk_consent_newest(tx, &view->consent);
}

/* Whether the endpoint is to be told; an event by its name and store, Souk's own by its name. */
static bool is_told(const souk_endpoint *endpoint, const struct outbox_news *news, souk_text name,
                    souk_text store)
{
    bool later = news->kind == SOUK_DELIVERY_WITHDRAWN ? news->position > endpoint->since_consent
                                                       : news->position >= endpoint->since;
    if (!is_on(endpoint) || !later)
        return false;
    return news->kind == SOUK_DELIVERY_EVENT ? souk_endpoint_wants(endpoint, name, store)
                                             : souk_endpoint_wants_own(endpoint, name);
}

static souk_err add_for_all(souk_outbox *outbox, souk_tx *tx, const struct outbox_news *news,
                            souk_text name, souk_text store)
{
    int64_t id;
    for (size_t i = 0; i < outbox->count; i++)
        if (is_told(&outbox->endpoints[i], news, name, store))
            SOUK_TRY(outbox_add(outbox, tx, &outbox->endpoints[i], news, &id));
    return SOUK_OK;
}

/* ---- events -------------------------------------------------------------------------------------------- */

static souk_err take(void *context, souk_tx *tx, const souk_fact *fact, const souk_fact_line *lines)
{
    souk_outbox *outbox = context;
    const souk_catalogue *names = souk_spine_catalogue(outbox->spine);
    char name[SOUK_EVENT_NAME_BYTES + 1], store[SOUK_EVENT_NAME_BYTES + 1];
    struct outbox_news news = {.kind = SOUK_DELIVERY_EVENT,
                               .position = fact->position,
                               .at = fact->at,
                               .received = fact->received};
    (void)lines;
    if (fact->position == outbox->step_from)
        SOUK_TRY(load(outbox, tx));
    souk_catalogue_name(names, SOUK_NAME_TYPE, fact->type, name, sizeof name);
    souk_catalogue_name(names, SOUK_NAME_STORE, fact->store, store, sizeof store);
    souk_text told = souk_text_of(name);
    if (fact->source == 0) { /* Souk's own entries: those of erasures */
        news.kind = SOUK_DELIVERY_ERASED;
        told = souk_text_of(souk_delivery_kind_name(news.kind));
    } else if (souk_delivery_is_own_name(told)) {
        return SOUK_OK; /* whoever has a write key could say so */
    }
    return add_for_all(outbox, tx, &news, told, souk_text_of(store));
}

/* Only what is committed and folded: then its names are known. */
static souk_err step_events(souk_outbox *outbox, const struct view *view, bool *ret_did)
{
    SOUK_TRY(souk_cursor_skip(outbox->cursor, view->since));
    uint64_t from = souk_cursor_position(outbox->cursor), end = souk_spine_end(outbox->spine);
    size_t most = souk_max_size(STEP_ROWS / view->on, 8);
    *ret_did = false;
    if (from >= end)
        return SOUK_OK;
    outbox->step_from = from;
    return souk_cursor_step(outbox->cursor, souk_min_size(most, (size_t)(end - from)), ret_did);
}

/* ---- consent ------------------------------------------------------------------------------------------- */

struct telling {
    souk_outbox *outbox;
    souk_tx *tx;
    uint64_t least; /* of what the endpoints are told */
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
    return add_for_all(telling->outbox, telling->tx, &news,
                       souk_text_of(souk_delivery_kind_name(news.kind)), SOUK_TEXT(""));
}

static souk_err take_consent(souk_tx *tx, void *context)
{
    struct telling *telling = context;
    uint64_t mark, last;
    souk_time at;
    telling->tx = tx;
    SOUK_TRY(load(telling->outbox, tx));
    SOUK_TRY(outbox_mark_read(tx, MARK_CONSENT, &mark, &at));
    SOUK_TRY(souk_consent_withdrawn(tx, souk_max_size(mark, telling->least), CONSENT_ROWS,
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
    int64_t id;
    uint64_t mark;
    souk_time at;
    SOUK_TRY(load(outbox, tx));
    SOUK_TRY(outbox_mark_read(tx, MARK_REJECT, &mark, &at));
    for (size_t i = 0; i < outbox->count; i++) {
        const souk_endpoint *endpoint = &outbox->endpoints[i];
        SOUK_TRY(souk_rejects_behind(tx, souk_max_size(mark, endpoint->since_reject), &news.number,
                                     &news.position));
        if (is_on(endpoint) && news.number && souk_endpoint_wants_own(endpoint, name))
            SOUK_TRY(outbox_add(outbox, tx, endpoint, &news, &id));
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
    struct telling telling = {.outbox = outbox, .least = view->since_consent};
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
    struct view view = {.outbox = outbox};
    uint64_t end = souk_spine_end(outbox->spine);
    *ret_did = false;
    SOUK_TRY(souk_ledger_read(ledger_of(outbox), look, &view));
    bool full = view.waiting >= outbox->options.waiting_most;
    __atomic_store_n(&outbox->is_full, full, __ATOMIC_RELAXED);
    if (view.on && !full) {
        SOUK_TRY(step_events(outbox, &view, ret_did));
        SOUK_TRY(step_others(outbox, &view, ret_did));
    }
    if (!*ret_did)
        outbox->looked_end = end;
    return SOUK_OK;
}
