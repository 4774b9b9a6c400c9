/* spine_group.c - the writer's turn: batches that gathered become blocks, durable, then folded.
 *
 * The order inside one transaction, for each event: is it a repeat?  whose is it?  numbers for its names; seal;
 * into the block.  A full block (256 events) goes to the ledger and the next begins.  Links are applied to
 * the index as they are made, with a way back; everything else changes after the commit:
 *
 *     apply (in the transaction, may run again)        after (committed)          after (failed)
 *     index_begin … links …                            index_commit               index_rollback
 *     catalogue_begin … names …                        catalogue_commit           catalogue_rollback
 *     facts, pairs gather here                         fold facts, add pairs      forgotten
 *     batches taken from the queue stay taken          done(SOUK_OK)              done(err)
 */
#include "core/spine_private.h"

#include "base/random.h"

enum {
    GROUP_FOLD_SLICE = 32,
    GROUP_FAR = 12,
    GROUP_NEAR = 5,
    GROUP_LINES_MOST = 1 << 20,
    GROUP_REPEAT = 1
};

/* ---- repeats ---------------------------------------------------------------------------------------- */

static souk_err clear_set(souk_spine *spine, size_t events)
{
    struct spine_group *group = &spine->group;
    size_t capacity = 64;
    while (capacity < events * 2)
        capacity *= 2;
    if (capacity > group->set_capacity) {
        uint32_t *grown = souk_mem_array(spine->mem, capacity, sizeof *grown);
        if (!grown)
            return SOUK_ENOMEM;
        souk_mem_put(spine->mem, group->set);
        group->set = grown;
        group->set_capacity = capacity;
    }
    memset(group->set, 0, group->set_capacity * sizeof *group->set);
    return SOUK_OK;
}

/* Whether this group has the message already; remembers it as the next accepted one if not. */
static bool seen_in_group(struct spine_group *group, souk_hash128 message)
{
    size_t mask = group->set_capacity - 1;
    size_t at = message.low & mask;
    for (; group->set[at]; at = (at + 1) & mask)
        if (souk_hash128_equal(group->messages[group->set[at] - 1], message))
            return true;
    group->set[at] = (uint32_t)group->fact_count + 1;
    return false;
}

static souk_err recent_hashes(souk_spine *spine, souk_tx *tx, uint64_t position,
                              const struct spine_recent **ret_recent)
{
    for (size_t i = 0; i < SPINE_RECENT; i++) {
        *ret_recent = &spine->recent[i];
        if (position - spine->recent[i].first < spine->recent[i].count)
            return SOUK_OK;
    }
    struct spine_recent *oldest = &spine->recent[spine->recent_at++ % SPINE_RECENT];
    oldest->count = 0;
    oldest->hashes.mem = spine->mem;
    souk_buf_clear(&oldest->hashes);
    size_t count;
    SOUK_TRY(souk_log_find(tx, position, &oldest->first, &count));
    SOUK_TRY(souk_log_messages(tx, oldest->first, count, &oldest->hashes));
    oldest->count = count;
    *ret_recent = oldest;
    return SOUK_OK;
}

struct confirm {
    souk_spine *spine;
    souk_tx *tx;
    souk_hash128 message;
    bool same;
};

/* Runs keep 64 bits of an identity; the block has 96. */
static souk_err confirm_at(void *context, uint64_t position)
{
    struct confirm *confirm = context;
    const struct spine_recent *recent;
    SOUK_TRY(recent_hashes(confirm->spine, confirm->tx, position, &recent));
    const char *at = recent->hashes.at + (position - recent->first) * SOUK_BLOCK_MESSAGE;
    confirm->same |= !memcmp(at, &confirm->message, SOUK_BLOCK_MESSAGE);
    return SOUK_OK;
}

static souk_err is_repeat(souk_spine *spine, souk_tx *tx, souk_hash128 message, uint64_t found,
                          bool *ret_repeat)
{
    struct confirm confirm = {spine, tx, message, false};
    *ret_repeat = false;
    if (found == SOUK_RUNS_NONE)
        return SOUK_OK;
    SOUK_TRY(confirm_at(&confirm, found));
    if (!confirm.same) { /* another message with the same 64 bits: look at every one */
        souk_runs_view view;
        souk_runs_view_init(spine->seen, &view);
        souk_err err = souk_runs_find_all(&view, message.low, confirm_at, &confirm);
        souk_runs_view_done(&view);
        SOUK_TRY(err);
    }
    *ret_repeat = confirm.same;
    return SOUK_OK;
}

static souk_err find_candidates(souk_spine *spine, const souk_batch *batch)
{
    struct spine_group *group = &spine->group;
    SOUK_TRY(souk_mem_grow(spine->mem, &group->keys, &group->key_capacity, batch->count,
                           (size_t)1 << 24, sizeof *group->keys));
    SOUK_TRY(souk_mem_grow(spine->mem, &group->found, &group->found_capacity, batch->count,
                           (size_t)1 << 24, sizeof *group->found));
    for (size_t i = 0; i < batch->count; i++)
        group->keys[i] = batch->events[i].message.low;
    return souk_runs_find_batch(spine->seen, group->keys, batch->count, group->found);
}

/* ---- one event ---------------------------------------------------------------------------------------- */

static souk_err number_lines(souk_spine *spine, souk_tx *tx, uint32_t merchant,
                             const souk_event *event, souk_fact *fact)
{
    struct spine_group *group = &spine->group;
    SOUK_TRY(souk_mem_grow(spine->mem, &group->lines, &group->line_capacity,
                           group->line_count + event->line_count, GROUP_LINES_MOST,
                           sizeof *group->lines));
    fact->line_count = event->line_count;
    fact->first_line = (uint32_t)group->line_count;
    for (size_t i = 0; i < event->line_count; i++) {
        const souk_line *line = &event->lines[i];
        souk_fact_line *numbered = &group->lines[group->line_count + i];
        SOUK_TRY(souk_catalogue_product(spine->catalogue, tx, merchant, line->product, line->name,
                                        line->category, &numbered->product, &numbered->category));
        numbered->quantity_micro = line->quantity.micro;
        numbered->amount_micro = line->amount.micro;
    }
    group->line_count += event->line_count;
    return SOUK_OK;
}

static souk_err number_fact(souk_spine *spine, souk_tx *tx, const souk_batch *batch,
                            const souk_event *event, souk_fact *fact)
{
    uint32_t merchant = spine->sources[batch->source].merchant;
    fact->position = spine->group.next;
    fact->at = event->at;
    fact->received = event->received;
    fact->source = batch->source;
    fact->currency = souk_currency_code(event->currency);
    fact->amount_micro = event->amount.micro;
    fact->flags = event->flags;
    SOUK_TRY(
        souk_catalogue_number(spine->catalogue, tx, SOUK_NAME_TYPE, 0, event->type, &fact->type));
    SOUK_TRY(souk_catalogue_number(spine->catalogue, tx, SOUK_NAME_STORE, merchant, event->store,
                                   &fact->store));
    return number_lines(spine, tx, merchant, event, fact);
}

/* The event's own text, under its atom's key; what is nobody's, under the deployment's. */
static souk_err seal_text(souk_spine *spine, const souk_event *event, souk_fact *fact)
{
    souk_buf *room = &spine->seal_room;
    souk_buf_clear(room);
    fact->sealed_bytes = 0;
    if (event->packed.bytes == 0)
        return SOUK_OK;
    if (!souk_buf_room(room, event->packed.bytes + SOUK_SEAL_TAG))
        return souk_buf_check(room);
    unsigned char nonce[SOUK_NONCE];
    souk_nonce_event(nonce, spine->group.prefix, fact->position);
    souk_seal_place place = {.merchant = spine->sources[fact->source].merchant,
                             .atom = fact->atom,
                             .position = fact->position,
                             .class = SPINE_CLASS_EVENT};
    uint32_t slot =
        fact->atom ? souk_index_atom_now(spine->index, fact->atom)->slot : SOUK_VAULT_NOBODY;
    SOUK_TRY(souk_vault_seal(spine->vault, slot, &place, nonce, event->packed.at,
                             event->packed.bytes, room->at));
    fact->sealed_bytes = (uint32_t)(event->packed.bytes + SOUK_SEAL_TAG);
    return SOUK_OK;
}

static void begin_block(struct spine_group *group)
{
    souk_entropy(group->prefix, sizeof group->prefix);
    group->block_first = group->next;
    souk_block_begin(group->maker, group->next, group->prefix);
}

static souk_err end_block(souk_spine *spine, souk_tx *tx)
{
    struct spine_group *group = &spine->group;
    size_t count = group->next - group->block_first;
    if (count == 0)
        return SOUK_OK;
    souk_buf_clear(&group->bytes);
    SOUK_TRY(souk_block_finish(group->maker, &group->bytes));
    SOUK_TRY(souk_log_append(tx, group->block_first, count, souk_buf_view(&group->bytes)));
    __atomic_fetch_add(&spine->blocks, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&spine->block_bytes, group->bytes.bytes, __ATOMIC_RELAXED);
    return SOUK_OK;
}

static const souk_fact_line *lines_of(const struct spine_group *group, const souk_fact *fact)
{
    return group->lines ? group->lines + fact->first_line : NULL;
}

static souk_err accept_event(souk_spine *spine, souk_tx *tx, const souk_batch *batch,
                             const souk_event *event)
{
    struct spine_group *group = &spine->group;
    if (group->next - group->block_first == SPINE_BLOCK_EVENTS) {
        SOUK_TRY(end_block(spine, tx));
        begin_block(group);
    }
    souk_fact *fact = &group->facts[group->fact_count];
    *fact = (souk_fact){0};
    souk_resolver resolver = {spine->index, spine->vault, spine->hashes, spine_write_link, spine};
    group->edge_count = 0;
    SOUK_TRY(souk_resolve(&resolver, event, group->next, &fact->atom));
    SOUK_TRY(spine_write_edges(spine));
    SOUK_TRY(number_fact(spine, tx, batch, event, fact));
    if (group->edge_count)
        fact->flags |= SOUK_FACT_LINKS;
    SOUK_TRY(seal_text(spine, event, fact));
    SOUK_TRY(spine_consent_event(spine, tx, event, fact));
    const souk_fact_line *lines = lines_of(group, fact);
    souk_block_add(group->maker, fact, lines, event->message, spine->seal_room.at);
    group->messages[group->fact_count] = event->message;
    group->fact_count++;
    group->next++;
    return SOUK_OK;
}

/* The identifiers of events that come soon wait for memory together, and so do the atoms they lead to. */
static void look_ahead(souk_spine *spine, const souk_batch *batch, size_t i)
{
    if (i + GROUP_FAR < batch->count) {
        const souk_event *far = &batch->events[i + GROUP_FAR];
        for (size_t k = 0; k < far->id_count; k++)
            souk_index_expect(spine->index, far->ids[k].hash);
    }
    if (i + GROUP_NEAR < batch->count && batch->events[i + GROUP_NEAR].id_count) {
        const souk_event *near = &batch->events[i + GROUP_NEAR];
        souk_index_expect_atom(spine->index, souk_index_find_now(spine->index, near->ids[0].hash));
    }
}

static souk_err accept_batch(souk_spine *spine, souk_tx *tx, souk_batch *batch)
{
    struct spine_group *group = &spine->group;
    SOUK_TRY(find_candidates(spine, batch));
    batch->accepted = batch->repeats = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const souk_event *event = &batch->events[i];
        bool repeat;
        look_ahead(spine, batch, i);
        SOUK_TRY(is_repeat(spine, tx, event->message, group->found[i], &repeat));
        if (repeat || seen_in_group(group, event->message)) {
            batch->repeats++;
            continue;
        }
        SOUK_TRY(accept_event(spine, tx, batch, event));
        batch->accepted++;
    }
    return batch->fault_count
               ? souk_rejects_put(spine->rejects, tx, batch->faults, batch->fault_count)
               : SOUK_OK;
}

/* ---- the group ----------------------------------------------------------------------------------------- */

static size_t take_batches(souk_spine *spine)
{
    struct spine_group *group = &spine->group;
    size_t events = 0, most = spine->options.group_events;
    souk_auto_lock(&spine->queue_mutex);
    for (souk_batch *batch = group->first; batch; batch = batch->next)
        events += batch->count; /* of a run before this one */
    while (spine->queue && (events == 0 || events + spine->queue->count <= most)) {
        souk_batch *batch = spine->queue;
        spine->queue = batch->next;
        if (!spine->queue)
            spine->queue_end = &spine->queue;
        batch->next = NULL;
        *group->last = batch;
        group->last = &batch->next;
        events += batch->count;
    }
    return events;
}

static souk_err group_room(souk_spine *spine, size_t events)
{
    struct spine_group *group = &spine->group;
    SOUK_TRY(souk_mem_grow(spine->mem, &group->facts, &group->fact_capacity, events,
                           (size_t)1 << 24, sizeof *group->facts));
    SOUK_TRY(souk_mem_grow(spine->mem, &group->messages, &group->message_capacity, events,
                           (size_t)1 << 24, sizeof *group->messages));
    SOUK_TRY(clear_set(spine, events));
    group->fact_count = group->line_count = group->pair_count = 0;
    return SOUK_OK;
}

static void go_back(souk_spine *spine)
{
    souk_index_lock(spine->index);
    souk_index_rollback(spine->index);
    souk_index_unlock(spine->index);
    souk_catalogue_rollback(spine->catalogue);
}

/* Memory that the fold and the runs will need is made before the commit, so that they cannot fail. */
static souk_err reserve_after(souk_spine *spine)
{
    const struct spine_group *group = &spine->group;
    SOUK_TRY(souk_index_room(spine->index, group->fact_count, group->line_count));
    SOUK_TRY(souk_runs_reserve(spine->seen, group->fact_count));
    return souk_runs_reserve(spine->timeline, group->fact_count + group->pair_count);
}

static souk_err apply_group(souk_tx *tx, souk_job *job)
{
    souk_spine *spine = SOUK_JOB_OWNER(job, souk_spine, group.job);
    struct spine_group *group = &spine->group;
    go_back(spine); /* of a run before this one */
    if (group->consent.is_open)
        souk_consent_begin(spine->consent, &group->consent);
    size_t events = take_batches(spine);
    for (souk_batch *batch = group->first; batch; batch = batch->next)
        if (batch->settle)
            batch->settle(batch);
    SOUK_TRY(group_room(spine, events));
    SOUK_TRY(souk_log_end(tx, &group->next));
    souk_index_begin(spine->index);
    souk_catalogue_begin(spine->catalogue);
    begin_block(group);
    for (souk_batch *batch = group->first; batch; batch = batch->next)
        SOUK_TRY(accept_batch(spine, tx, batch));
    SOUK_TRY(end_block(spine, tx));
    return reserve_after(spine);
}

/* What does not fit is quarantined and answered all the same: it is durable, and the log can be folded again. */
static void fold_group(souk_spine *spine)
{
    struct spine_group *group = &spine->group;
    for (size_t i = 0; i < group->fact_count;) {
        size_t end = souk_min_size(i + GROUP_FOLD_SLICE, group->fact_count);
        souk_index_lock(spine->index);
        for (; i < end; i++) {
            const souk_fact *fact = &group->facts[i];
            if (i + GROUP_FAR < group->fact_count)
                souk_index_expect_atom(spine->index, group->facts[i + GROUP_FAR].atom);
            if (i + GROUP_NEAR < group->fact_count)
                souk_index_expect_fold(spine->index, group->facts[i + GROUP_NEAR].atom);
            souk_err err = souk_index_fold(spine->index, fact, lines_of(group, fact));
            if (err)
                spine_unfit_note(spine, fact->position, err);
        }
        souk_index_unlock(spine->index);
    }
}

static void add_to_runs(souk_spine *spine)
{
    struct spine_group *group = &spine->group;
    souk_err err = SOUK_OK;
    for (size_t i = 0; i < group->fact_count && !err; i++) {
        const souk_fact *fact = &group->facts[i];
        err = souk_runs_add(spine->seen, group->messages[i].low, fact->position);
        if (!err && fact->atom)
            err = souk_runs_add(spine->timeline, fact->atom, spine_timeline_event(fact->position));
    }
    for (size_t i = 0; i < group->pair_count && !err; i++)
        err = souk_runs_add(spine->timeline, group->pairs[i].key, group->pairs[i].value);
    souk_assert(err == SOUK_OK); /* reserved before the commit */
    souk_runs_group(spine->seen, group->next);
    souk_runs_group(spine->timeline, group->next);
}

static void commit_group(souk_spine *spine)
{
    struct spine_group *group = &spine->group;
    souk_index_lock(spine->index);
    souk_index_commit(spine->index);
    souk_index_unlock(spine->index);
    souk_catalogue_commit(spine->catalogue);
    fold_group(spine);
    add_to_runs(spine);
    __atomic_store_n(&spine->end, group->next, __ATOMIC_RELEASE);
    __atomic_fetch_add(&spine->events, group->fact_count, __ATOMIC_RELAXED);
    __atomic_fetch_add(&spine->groups, 1, __ATOMIC_RELAXED);
}

static void answer_batches(souk_spine *spine, souk_err err)
{
    struct spine_group *group = &spine->group;
    souk_batch *batch = group->first;
    group->first = NULL;
    group->last = &group->first;
    uint64_t events = 0;
    for (const souk_batch *taken = batch; taken; taken = taken->next)
        events += taken->count;
    souk_mutex_lock(&spine->queue_mutex);
    spine->queued_events -= events;
    souk_mutex_unlock(&spine->queue_mutex);
    while (batch) {
        souk_batch *next = batch->next;
        __atomic_fetch_add(&spine->repeats, batch->repeats, __ATOMIC_RELAXED);
        batch->done(batch, err); /* it may be gone after this */
        batch = next;
    }
}

/* Where the ledger refuses it, whoever queued meanwhile hears so now. */
static void submit_group(souk_spine *spine)
{
    souk_err err = souk_ledger_submit(spine->ledger, &spine->group.job);
    if (!err)
        return;
    take_batches(spine);
    answer_batches(spine, err);
    souk_auto_lock(&spine->queue_mutex);
    spine->group.out = false;
}

static bool runs_are_behind(souk_spine *spine)
{
    return souk_runs_behind(spine->seen) || souk_runs_behind(spine->timeline);
}

/* Where the keeper is behind with sorting the group waits for it: its batches gather, and only a full queue
 * refuses. */
static void send_group(souk_spine *spine)
{
    bool holds = !spine->options.ledger.no_thread && runs_are_behind(spine);
    if (holds) {
        souk_auto_lock(&spine->queue_mutex);
        holds = spine->group.held = !spine->stopping;
    }
    if (holds)
        spine_keeper_poke(spine);
    else
        submit_group(spine);
}

void spine_group_resume(souk_spine *spine, bool anyway)
{
    {
        souk_auto_lock(&spine->queue_mutex);
        if (!spine->group.held || (!anyway && runs_are_behind(spine)))
            return;
        spine->group.held = false;
    }
    submit_group(spine);
}

/* What gathered meanwhile is the next group. */
static void go_on(souk_spine *spine)
{
    {
        souk_auto_lock(&spine->queue_mutex);
        spine->group.out = spine->queue != NULL;
        if (!spine->group.out)
            return;
    }
    send_group(spine);
}

/* Where the rows cannot be read again, what was withdrawn in vain holds until they can: too strict, never wrong. */
static void end_consent(souk_spine *spine, souk_err err)
{
    souk_consent_change *change = &spine->group.consent;
    if (!change->is_open)
        return;
    if (!err)
        souk_consent_committed(spine->consent, change);
    else
        err = souk_consent_abandoned(spine->consent, change);
}

static void after_group(souk_job *job, souk_err err)
{
    souk_spine *spine = SOUK_JOB_OWNER(job, souk_spine, group.job);
    if (err)
        go_back(spine);
    else
        commit_group(spine);
    end_consent(spine, err);
    answer_batches(spine, err);
    spine_keeper_group_ended(spine);
    spine_keeper_poke(spine);
    go_on(spine);
}

void spine_group_kick(souk_spine *spine)
{
    {
        souk_auto_lock(&spine->queue_mutex);
        if (spine->group.out || spine->stopping)
            return;
        spine->group.out = true;
    }
    send_group(spine);
}

/* ---- the queue ------------------------------------------------------------------------------------------- */

souk_err souk_spine_submit(souk_spine *spine, souk_batch *batch)
{
    souk_assert(batch->source < SPINE_SOURCES);
    SOUK_TRY(spine_check(spine));
    batch->next = NULL;
    {
        souk_auto_lock(&spine->queue_mutex);
        if (spine->stopping)
            return SOUK_ESTOPPED;
        if (spine->queued_events &&
            spine->queued_events + batch->count > spine->options.queue_events)
            return SOUK_EBUSY;
        *spine->queue_end = batch;
        spine->queue_end = &batch->next;
        spine->queued_events += batch->count;
        if (spine->group.out)
            return SOUK_OK;
        spine->group.out = true;
    }
    send_group(spine);
    return SOUK_OK;
}

struct waiter {
    souk_mutex mutex;
    souk_cond done;
    bool is_done;
    souk_err err;
};

static void wake_waiter(souk_batch *batch, souk_err err)
{
    struct waiter *waiter = batch->context;
    souk_auto_lock(&waiter->mutex);
    waiter->err = err;
    waiter->is_done = true;
    souk_cond_signal(&waiter->done);
}

souk_err souk_spine_write(souk_spine *spine, souk_batch *batch)
{
    struct waiter waiter = {.is_done = false};
    souk_mutex_init(&waiter.mutex);
    souk_cond_init(&waiter.done);
    batch->done = wake_waiter;
    batch->context = &waiter;
    souk_err err = souk_spine_submit(spine, batch);
    if (!err) {
        souk_auto_lock(&waiter.mutex);
        while (!waiter.is_done)
            souk_cond_wait(&waiter.done, &waiter.mutex);
        err = waiter.err;
    }
    souk_cond_done(&waiter.done);
    souk_mutex_done(&waiter.mutex);
    return err;
}

souk_err spine_group_init(souk_spine *spine)
{
    struct spine_group *group = &spine->group;
    group->job = (souk_job){
        .lane = SOUK_LANE_INGEST, .may_fail = true, .apply = apply_group, .after = after_group};
    group->last = &group->first;
    group->bytes.mem = group->value.mem = spine->mem;
    for (size_t i = 0; i < SPINE_EVENT_ATOMS; i++)
        group->edges[i].plain.mem = spine->mem;
    spine->seal_room.mem = spine->mem;
    spine->queue_end = &spine->queue;
    SOUK_TRY(souk_block_maker_new(spine->mem, &group->maker));
    return souk_packer_new(spine->mem, &group->packer);
}

void spine_group_done(souk_spine *spine)
{
    struct spine_group *group = &spine->group;
    souk_block_maker_free(group->maker);
    souk_packer_free(group->packer);
    if (spine->consent)
        souk_consent_change_done(spine->consent, &group->consent);
    souk_mem_put(spine->mem, group->facts);
    souk_mem_put(spine->mem, group->lines);
    souk_mem_put(spine->mem, group->keys);
    souk_mem_put(spine->mem, group->found);
    souk_mem_put(spine->mem, group->pairs);
    souk_mem_put(spine->mem, group->messages);
    souk_mem_put(spine->mem, group->set);
    souk_buf_done(&group->bytes);
    for (size_t i = 0; i < SPINE_EVENT_ATOMS; i++)
        souk_buf_done(&group->edges[i].plain);
    souk_buf_done(&group->value);
    souk_buf_done(&spine->seal_room);
    for (size_t i = 0; i < SPINE_RECENT; i++)
        souk_buf_done(&spine->recent[i].hashes);
}
