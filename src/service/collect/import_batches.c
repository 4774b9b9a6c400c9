/* import_batches.c - see import_batches.h. */
#include "service/collect/import_batches.h"

#include "base/utf8.h"
#include "core/pack.h"
#include "core/reject.h"
#include "core/store.h"
#include "core/task.h"
#include "os/thread.h"
#include "service/collect/import_folder.h"
#include "service/collect/import_record.h"
#include "service/collect/import_saying.h"

#include <stdio.h>
#include <unistd.h>

enum { BATCH_EVENTS = 2000, BATCH_LINES = 10000, BATCHES = 4, FAULTS_KEPT = 1000 };
enum { TELL_BATCHES = 16 }; /* are durable, then the task hears of it */
enum { BATCH_ENTRIES = 2000 };
_Static_assert((int)BATCH_ENTRIES <= (int)SOUK_CONSENTS_TOLD, "a batch is one list");
static const size_t ROOM_MOST = (size_t)8 << 20; /* texts of one batch, about */

struct slot {
    souk_batch batch;
    souk_job job; /* of products and stores */
    import_batches *of;
    souk_event *events;         /* [BATCH_EVENTS + SOUK_IMPORT_ROW_EVENTS] */
    souk_import_entry *entries; /* [BATCH_ENTRIES], made with the first */
    size_t entry_count, changed, lines;
    souk_arena arena;
    bool busy;
    bool is_said; /* of a list: its events are answered, with said_err */
    souk_err said_err;
    struct slot *next_list;
    uint64_t rows_through; /* rows of the file up to the end of this batch */
};

struct import_batches {
    souk_import_sink sink;
    import_batches_options options;
    souk_import *import;
    import_customers *customers;
    souk_packer *packer;
    souk_buf packed, body; /* body: of consents */
    struct slot slots[BATCHES];
    size_t filling;
    souk_mutex mutex;
    souk_cond answered;
    souk_err err; /* of any batch */
    uint64_t durable_rows;
    uint64_t last_through; /* of what was put last */
    uint64_t faults;
    souk_task task;
    souk_job telling; /* how far the task is, while is_telling */
    uint64_t telling_rows;
    unsigned untold; /* batches that are durable since */
    bool is_telling;
    souk_thread recorder; /* of lists of consents; started with the first */
    struct slot *lists, **lists_end;
    bool stopping;
};

static souk_time now(const import_batches *batches)
{
    return souk_clock_now_ms(souk_spine_clock(batches->import->spine));
}

/* ---- what is durable, for the run that goes on from there ------------------------------------------------ */

static souk_err tell_task(souk_tx *tx, souk_job *job)
{
    const import_batches *batches = SOUK_JOB_OWNER(job, import_batches, telling);
    return souk_task_progress(tx, &batches->task, batches->telling_rows, 0, now(batches));
}

/* Where the task could not hear of it the next run looks at more rows again. */
static void task_told(souk_job *job, souk_err err)
{
    import_batches *batches = SOUK_JOB_OWNER(job, import_batches, telling);
    (void)err;
    souk_auto_lock(&batches->mutex);
    batches->is_telling = false;
    souk_cond_broadcast(&batches->answered);
}

/* Where so many batches are not told yet; nobody waits for it but the end. */
static void begin_telling(import_batches *batches, unsigned untold)
{
    {
        souk_auto_lock(&batches->mutex);
        if (batches->is_telling || batches->untold < untold ||
            batches->durable_rows <= batches->task.done)
            return;
        batches->is_telling = true;
        batches->untold = 0;
        batches->telling_rows = batches->durable_rows;
    }
    batches->telling = (souk_job){.lane = SOUK_LANE_JOB, .apply = tell_task, .after = task_told};
    souk_err err = souk_ledger_submit(souk_spine_ledger(batches->import->spine), &batches->telling);
    if (err)
        task_told(&batches->telling, err);
}

static void end_telling(import_batches *batches)
{
    souk_auto_lock(&batches->mutex);
    while (batches->is_telling)
        souk_cond_wait(&batches->answered, &batches->mutex);
}

/* ---- a batch that is answered -------------------------------------------------------------------------- */

static void answer(struct slot *slot, souk_err err, uint64_t events, uint64_t entries,
                   uint64_t repeats)
{
    import_batches *batches = slot->of;
    souk_auto_lock(&batches->mutex);
    if (err && !batches->err)
        batches->err = err;
    if (!err) {
        batches->import->events += events;
        batches->import->entries += entries;
        batches->import->repeats += repeats;
        if (!batches->err && slot->rows_through > batches->durable_rows)
            batches->durable_rows = slot->rows_through; /* answers come in order */
    }
    batches->untold++;
    slot->busy = false;
    souk_cond_broadcast(&batches->answered);
}

static void events_done(souk_batch *batch, souk_err err)
{
    answer(batch->context, err, batch->accepted, 0, batch->repeats);
}

static void list_said(souk_batch *batch, souk_err err)
{
    struct slot *slot = batch->context;
    souk_auto_lock(&slot->of->mutex);
    slot->is_said = true;
    slot->said_err = err;
    souk_cond_broadcast(&slot->of->answered);
}

static souk_err put_documents(souk_tx *tx, souk_job *job)
{
    struct slot *slot = SOUK_JOB_OWNER(job, struct slot, job);
    const souk_import_sink *sink = &slot->of->sink;
    slot->changed = 0;
    for (size_t i = 0; i < slot->entry_count; i++) {
        const souk_import_entry *entry = &slot->entries[i];
        bool changed;
        if (entry->kind == SOUK_IMPORT_STORE)
            SOUK_TRY(souk_store_add(tx, sink->mem, SOUK_OPERATOR, entry->store.code,
                                    entry->store.text, sink->received, &changed));
        else
            SOUK_TRY(
                souk_product_put(tx, SOUK_OPERATOR, sink->received, &entry->product, &changed));
        slot->changed += changed;
    }
    return SOUK_OK;
}

static void documents_done(souk_job *job, souk_err err)
{
    struct slot *slot = SOUK_JOB_OWNER(job, struct slot, job);
    answer(slot, err, 0, slot->changed, slot->entry_count - slot->changed);
}

static souk_err wait_for(import_batches *batches, struct slot *slot)
{
    souk_auto_lock(&batches->mutex);
    while (slot->busy)
        souk_cond_wait(&batches->answered, &batches->mutex);
    return batches->err;
}

/* ---- sending ---------------------------------------------------------------------------------------------- */

/* A full queue is answered by waiting: nobody hurries an import. */
static souk_err submit(import_batches *batches, struct slot *slot, bool is_job)
{
    souk_spine *spine = batches->import->spine;
    slot->busy = true;
    souk_err err;
    while ((err = is_job ? souk_ledger_submit(souk_spine_ledger(spine), &slot->job)
                         : souk_spine_submit(spine, &slot->batch)) == SOUK_EBUSY)
        usleep(1000);
    if (err)
        slot->busy = false;
    return err;
}

static souk_err send_events(import_batches *batches, struct slot *slot,
                            void (*done)(souk_batch *batch, souk_err err))
{
    slot->batch.events = slot->events;
    slot->batch.source = batches->import->source;
    slot->batch.done = done;
    slot->batch.context = slot;
    return submit(batches, slot, false);
}

static souk_err send_documents(import_batches *batches, struct slot *slot)
{
    slot->job = (souk_job){.lane = SOUK_LANE_JOB, .apply = put_documents, .after = documents_done};
    return submit(batches, slot, true);
}

static souk_err keep_body(import_batches *batches, struct slot *slot, souk_text body,
                          souk_event *event)
{
    souk_buf_clear(&batches->packed);
    SOUK_TRY(souk_pack(batches->packer, body, &batches->packed));
    event->packed.at = souk_arena_copy(&slot->arena, batches->packed.at, batches->packed.bytes);
    event->packed.bytes = batches->packed.bytes;
    return slot->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

/* ---- lists of consents ------------------------------------------------------------------------------------ */

static souk_err record(import_batches *batches, struct slot *slot, size_t *ret_stored)
{
    souk_consent_told *told = souk_mem_array(batches->sink.mem, slot->entry_count, sizeof *told);
    if (!told)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < slot->entry_count; i++)
        told[i] = slot->entries[i].consent;
    souk_err err =
        souk_spine_consents_record(batches->import->spine, told, slot->entry_count, ret_stored);
    souk_mem_put(batches->sink.mem, told);
    return err;
}

/* What a list says is recorded once its events are durable. */
static void record_list(import_batches *batches, struct slot *slot)
{
    souk_err err;
    size_t stored = 0;
    {
        souk_auto_lock(&batches->mutex);
        while (!slot->is_said)
            souk_cond_wait(&batches->answered, &batches->mutex);
        err = slot->said_err ? slot->said_err : batches->err;
    }
    if (!err)
        err = record(batches, slot, &stored);
    answer(slot, err, slot->batch.accepted, stored, slot->entry_count - stored);
}

static struct slot *next_list(import_batches *batches)
{
    souk_auto_lock(&batches->mutex);
    while (!batches->lists && !batches->stopping)
        souk_cond_wait(&batches->answered, &batches->mutex);
    struct slot *slot = batches->lists;
    if (slot && !(batches->lists = slot->next_list))
        batches->lists_end = &batches->lists;
    return slot;
}

static void record_lists(void *context)
{
    import_batches *batches = context;
    for (struct slot *slot; (slot = next_list(batches));)
        record_list(batches, slot);
}

static void queue_list(import_batches *batches, struct slot *slot)
{
    souk_auto_lock(&batches->mutex);
    slot->next_list = NULL;
    *batches->lists_end = slot;
    batches->lists_end = &slot->next_list;
    souk_cond_broadcast(&batches->answered);
}

/* What a row of a list says is an event, too: so whom nobody knew is somebody, and whoever was erased since is not
 * brought back by the same list, whose events are known. */
static souk_err send_list(import_batches *batches, struct slot *slot)
{
    bool is_threaded = souk_spine_is_threaded(batches->import->spine);
    for (size_t i = 0; i < slot->entry_count; i++) {
        souk_event *event = &slot->events[slot->batch.count++];
        SOUK_TRY(import_saying(&batches->sink, &slot->entries[i].consent, &batches->body, event));
        SOUK_TRY(keep_body(batches, slot, souk_buf_view(&batches->body), event));
    }
    if (is_threaded && !batches->recorder.started)
        SOUK_TRY(souk_thread_start(&batches->recorder, "recorder", record_lists, batches));
    slot->is_said = false;
    SOUK_TRY(send_events(batches, slot, list_said));
    if (is_threaded)
        queue_list(batches, slot);
    else
        record_list(batches, slot);
    return SOUK_OK;
}

static void stop_recorder(import_batches *batches)
{
    {
        souk_auto_lock(&batches->mutex);
        batches->stopping = true;
        souk_cond_broadcast(&batches->answered);
    }
    souk_thread_join(&batches->recorder);
}

static souk_err send_batch(import_batches *batches)
{
    struct slot *slot = &batches->slots[batches->filling];
    slot->rows_through = batches->last_through;
    if (slot->entry_count && slot->entries->kind == SOUK_IMPORT_CONSENT)
        SOUK_TRY(send_list(batches, slot));
    else if (slot->entry_count)
        SOUK_TRY(send_documents(batches, slot));
    else if (slot->batch.count)
        SOUK_TRY(send_events(batches, slot, events_done));
    batches->filling = (batches->filling + 1) % BATCHES;
    slot = &batches->slots[batches->filling];
    batches->sink.room = &slot->arena;
    SOUK_TRY(wait_for(batches, slot));
    slot->batch.count = slot->entry_count = slot->lines = 0;
    souk_arena_clear(&slot->arena);
    return SOUK_OK;
}

static souk_err tell_bytes(import_batches *batches, uint64_t at)
{
    const import_batches_options *options = &batches->options;
    souk_import *import = batches->import;
    uint64_t here = options->bytes_here ? options->bytes_here : options->file->bytes;
    uint64_t total = options->bytes_total ? options->bytes_total : here;
    if (!import->progress)
        return SOUK_OK;
    if (options->bytes_here && options->file->bytes)
        at = (uint64_t)((double)at / (double)options->file->bytes * (double)here);
    return import->progress(import->context, options->bytes_before + at, total);
}

static souk_err send_and_tell(import_batches *batches)
{
    const import_file *file = batches->options.file;
    SOUK_TRY(send_batch(batches));
    begin_telling(batches, TELL_BATCHES);
    return tell_bytes(batches, file->at - file->piece.bytes);
}

/* ---- the sink ------------------------------------------------------------------------------------------- */

static souk_err note_customer(import_batches *batches, uint64_t hash)
{
    SOUK_TRY(import_customers_add(batches->customers, hash));
    batches->import->shoppers = batches->customers->count;
    return SOUK_OK;
}

/* Durable since an earlier run? */
static bool is_resumed(import_batches *batches, struct slot *slot, uint64_t through)
{
    batches->last_through = through;
    if (through > batches->task.done)
        return false;
    batches->import->resumed++;
    {
        souk_auto_lock(&batches->mutex);
        batches->import->repeats++;
    }
    if (slot->batch.count == 0 && slot->entry_count == 0)
        souk_arena_clear(&slot->arena);
    return true;
}

static souk_err put_event(souk_import_sink *sink, uint64_t through, const souk_event *event,
                          souk_text body)
{
    import_batches *batches = (import_batches *)(void *)sink;
    struct slot *slot = &batches->slots[batches->filling];
    souk_event *kept = &slot->events[slot->batch.count];
    if (event->id_count)
        SOUK_TRY(note_customer(batches, event->ids[0].hash.low));
    if (is_resumed(batches, slot, through))
        return SOUK_OK;
    if (slot->batch.count == BATCH_EVENTS + SOUK_IMPORT_ROW_EVENTS)
        return SOUK_ETOOBIG;
    *kept = *event;
    SOUK_TRY(keep_body(batches, slot, body, kept));
    slot->lines += event->line_count;
    slot->batch.count++;
    bool full = slot->batch.count >= BATCH_EVENTS || slot->lines >= BATCH_LINES ||
                slot->arena.total_bytes >= ROOM_MOST;
    full = full && !sink->row_open;
    return full ? send_and_tell(batches) : SOUK_OK;
}

static souk_err put_entry(souk_import_sink *sink, uint64_t through, const souk_import_entry *entry)
{
    import_batches *batches = (import_batches *)(void *)sink;
    struct slot *slot = &batches->slots[batches->filling];
    if (entry->kind == SOUK_IMPORT_CONSENT)
        SOUK_TRY(note_customer(
            batches,
            souk_hashes_identifier(sink->hashes, entry->consent.kind, entry->consent.value).low));
    if (is_resumed(batches, slot, through))
        return SOUK_OK;
    if (slot->arena.failed)
        return SOUK_ENOMEM;
    if (!slot->entries &&
        !(slot->entries = souk_mem_array(sink->mem, BATCH_ENTRIES, sizeof *slot->entries)))
        return SOUK_ENOMEM;
    slot->entries[slot->entry_count++] = *entry;
    bool full = slot->entry_count == BATCH_ENTRIES || slot->arena.total_bytes >= ROOM_MOST;
    return full ? send_and_tell(batches) : SOUK_OK;
}

/* A reject and the note that its row has one are durable together, so that no other run adds it again. */
struct noting {
    import_batches *batches;
    souk_reject reject;
};

static souk_err note_reject(souk_tx *tx, void *context)
{
    const struct noting *noting = context;
    const import_batches *batches = noting->batches;
    bool first;
    SOUK_TRY(souk_task_note(tx, &batches->task, batches->sink.rows, &first));
    return first ? souk_rejects_put(souk_spine_rejects(batches->import->spine), tx, &noting->reject,
                                    1)
                 : SOUK_OK;
}

/* "import orders: line 3 of orders.csv", as souk_import_place reads it. */
static void tell_place(const import_batches *batches, uint64_t line,
                       char where[SOUK_IMPORT_PLACE_BYTES])
{
    char name[SOUK_IMPORT_NAME_BYTES];
    int bytes = snprintf(name, sizeof name, "%s", import_folder_name(batches->options.file->path));
    souk_text shown = {name, souk_min_size((size_t)bytes, sizeof name - 1)};
    while (shown.bytes && !souk_utf8_valid(shown)) /* cut within a character */
        shown.bytes =
            bytes >= (int)sizeof name && shown.bytes > sizeof name - 4 ? shown.bytes - 1 : 0;
    for (size_t i = 0; i < shown.bytes; i++)
        name[i] = (unsigned char)name[i] < 32 || name[i] == 127 ? '.' : name[i];
    if (shown.bytes == 0)
        shown = SOUK_TEXT("the file");
    snprintf(where, SOUK_IMPORT_PLACE_BYTES, "import %s: %s %llu of %.*s",
             batches->options.format->name, line ? "line" : "record",
             (unsigned long long)(line ? line : batches->sink.rows), SOUK_TEXT_PRINT(shown));
}

static souk_err put_fault(souk_import_sink *sink, const souk_import_fault *fault)
{
    import_batches *batches = (import_batches *)(void *)sink;
    struct slot *slot = &batches->slots[batches->filling];
    char where[SOUK_IMPORT_PLACE_BYTES];
    tell_place(batches, fault->line, where);
    batches->import->rejected++;
    if (++batches->faults <= FAULTS_KEPT) {
        struct noting noting = {batches,
                                {.source = sink->source,
                                 .at = now(batches),
                                 .fault = souk_text_of(fault->diag->words),
                                 .where = souk_text_of(where),
                                 .text = fault->text}};
        SOUK_TRY(souk_ledger_write(souk_spine_ledger(batches->import->spine), SOUK_LANE_INGEST,
                                   note_reject, &noting));
    }
    if (slot->batch.count == 0 && slot->entry_count == 0)
        souk_arena_clear(&slot->arena);
    return slot->arena.total_bytes >= ROOM_MOST ? send_and_tell(batches) : SOUK_OK;
}

/* ---- life ----------------------------------------------------------------------------------------------- */

static souk_err begin_task(import_batches *batches, souk_diag *diag)
{
    const souk_import *import = batches->import;
    souk_ledger *ledger = souk_spine_ledger(import->spine);
    const souk_hash128 *content = &batches->options.file->content;
    char kind[64], subject[2 * sizeof *content + 20];
    souk_hex(content, sizeof *content, subject);
    int bytes = 2 * (int)sizeof *content;
    const souk_text *said = (const souk_text *)(const void *)&import->options;
    enum { SAID = sizeof import->options / sizeof *said };
    _Static_assert((int)SAID <= (int)SOUK_HASH_PARTS, "one hash tells all options");
    size_t said_bytes = 0;
    for (size_t i = 0; i < SAID; i++)
        said_bytes += said[i].bytes;
    if (said_bytes) { /* read otherwise, its rows are others */
        static const souk_hash_key plain_key = {{'o', 'p', 't', 'i', 'o', 'n', 's'}};
        bytes += snprintf(subject + bytes, sizeof subject - (size_t)bytes, "-%016llx",
                          (unsigned long long)souk_hash128_of(&plain_key, said, SAID).low);
    }
    snprintf(kind, sizeof kind, "import %s %u", batches->options.format->name, import->source);
    SOUK_TRY(souk_task_migrate(ledger, diag));
    SOUK_TRY(souk_documents_migrate(ledger, diag));
    return souk_task_begin(ledger, souk_text_of(kind), (souk_text){subject, (size_t)bytes},
                           now(batches), &batches->task);
}

static souk_err make_slots(import_batches *batches)
{
    for (size_t i = 0; i < BATCHES; i++) {
        struct slot *slot = &batches->slots[i];
        slot->of = batches;
        slot->arena.mem = batches->sink.mem;
        slot->events = souk_mem_array(batches->sink.mem, BATCH_EVENTS + SOUK_IMPORT_ROW_EVENTS,
                                      sizeof *slot->events);
        if (!slot->events)
            return SOUK_ENOMEM;
    }
    return souk_packer_new(batches->sink.mem, &batches->packer);
}

souk_err import_batches_new(souk_mem *mem, const import_batches_options *options,
                            import_customers *customers, import_batches **ret_batches,
                            souk_diag *diag)
{
    souk_import *import = options->import;
    souk_auto(import_batches) batches = souk_mem_get(mem, sizeof *batches);
    if (!batches)
        return SOUK_ENOMEM;
    souk_mutex_init(&batches->mutex);
    souk_cond_init(&batches->answered);
    batches->lists_end = &batches->lists;
    batches->options = *options;
    batches->import = import;
    batches->customers = customers;
    batches->packed.mem = batches->body.mem = mem;
    batches->sink = (souk_import_sink){.mem = mem,
                                       .hashes = souk_spine_hashes(import->spine),
                                       .source = import->source,
                                       .received = now(batches),
                                       .options = &import->options,
                                       .shared = options->shared,
                                       .room = &batches->slots[0].arena,
                                       .event = put_event,
                                       .entry = put_entry,
                                       .fault = put_fault};
    SOUK_TRY(make_slots(batches));
    SOUK_TRY(begin_task(batches, diag));
    *ret_batches = souk_take(&batches);
    return SOUK_OK;
}

void import_batches_free(import_batches *batches)
{
    if (!batches)
        return;
    stop_recorder(batches);
    for (size_t i = 0; i < BATCHES; i++) {
        souk_arena_done(&batches->slots[i].arena);
        souk_mem_put(batches->sink.mem, batches->slots[i].events);
        souk_mem_put(batches->sink.mem, batches->slots[i].entries);
    }
    souk_packer_free(batches->packer);
    souk_buf_done(&batches->packed);
    souk_buf_done(&batches->body);
    souk_cond_done(&batches->answered);
    souk_mutex_done(&batches->mutex);
    souk_mem_put(batches->sink.mem, batches);
}

souk_import_sink *import_batches_sink(import_batches *batches)
{
    return &batches->sink;
}

static souk_err finish_batches(import_batches *batches)
{
    souk_err first = SOUK_OK;
    for (size_t i = 0; i < BATCHES; i++) {
        souk_err err = wait_for(batches, &batches->slots[i]);
        first = first ? first : err;
    }
    return first;
}

souk_err import_batches_end(import_batches *batches, souk_err err)
{
    souk_ledger *ledger = souk_spine_ledger(batches->import->spine);
    if (!err) {
        batches->last_through = batches->sink.rows;
        err = send_batch(batches);
    }
    souk_err finished = finish_batches(batches);
    end_telling(batches);
    err = err ? err : finished;
    if (err) { /* the first error is the one to tell */
        /* Of a file that changed nobody knows which rows are durable: the next run looks at each. */
        if (err == SOUK_ECONFLICT)
            finished = souk_task_end(ledger, &batches->task, now(batches));
        else
            begin_telling(batches, 1);
        end_telling(batches);
        return err;
    }
    err = tell_bytes(batches, batches->options.file->bytes); /* it is done, whatever the answer */
    (void)err;
    return souk_task_end(ledger, &batches->task, now(batches));
}
