/* intake.c - the pool of intakes, and what is the same for every door: events and faults gathered, stored.
 *
 * What one batch of 100 events costs is what this file is shaped by: an intake and its packer are warm from the one
 * before, each event's own text is packed as it stands, and the request waits, without a thread, for the
 * transaction that its events are in. */
#include "service/collect/foreign_devices.h"
#include "service/collect/foreign_poslog.h"
#include "service/collect/inflate.h"
#include "service/collect/intake_inside.h"
#include "service/collect/segment.h"

#include <stdio.h>

enum {
    EVENTS_MOST = 1 << 17, /* of an intake, whatever the limit of a batch is set to */
    RESTING_MOST = 256,
    WARM_BYTES = 1 << 20, /* of a buffer that rests */
    TOLD_MOST = 64 << 20, /* what a form makes of one message */
};

/* ---- forms ------------------------------------------------------------------------------------------- */

static const souk_foreign_form *const forms[] = {
    &souk_foreign_sensors, &souk_foreign_shopify, &souk_foreign_woo,
    &souk_foreign_frigate, &souk_foreign_onvif,   &souk_foreign_impinj,
    &souk_foreign_zebra,   &souk_foreign_counts,  &souk_foreign_poslog,
};

const souk_foreign_form *souk_foreign_find(souk_text name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (souk_text_equal(name, souk_text_of(forms[i]->name)))
            return forms[i];
    return NULL;
}

/* ---- the pool ---------------------------------------------------------------------------------------- */

static void discard(souk_intake *intake)
{
    souk_mem *mem = intake->collect->mem;
    souk_json_doc_done(&intake->doc);
    souk_buf_done(&intake->inflated);
    souk_buf_done(&intake->told);
    souk_buf_done(&intake->packed);
    souk_mem_put(mem, intake->events);
    souk_mem_put(mem, intake->faults);
    souk_mem_put(mem, intake);
}

static souk_err make(souk_collect *collect, souk_intake **ret_intake)
{
    souk_intake *intake = souk_mem_get(collect->mem, sizeof *intake);
    if (!intake)
        return SOUK_ENOMEM;
    intake->collect = collect;
    intake->hashes = souk_spine_hashes(collect->spine);
    intake->doc.mem = intake->inflated.mem = intake->told.mem = intake->packed.mem = collect->mem;
    intake->told.limit_bytes = TOLD_MOST;
    *ret_intake = intake;
    return SOUK_OK;
}

static void forget(souk_intake *intake)
{
    intake->batch = (souk_batch){.source = intake->batch.source};
    souk_buf_clear(&intake->packed);
}

souk_err souk_intake_open(souk_collect *collect, souk_arena *arena, souk_diag *diag,
                          souk_intake **ret_intake)
{
    souk_mutex_lock(&collect->mutex);
    souk_intake *intake = collect->resting;
    if (intake) {
        collect->resting = intake->next;
        collect->resting_count--;
    }
    souk_mutex_unlock(&collect->mutex);
    if (!intake)
        SOUK_TRY(make(collect, &intake));
    intake->arena = arena;
    intake->diag = diag;
    intake->has_sent = intake->nobodys = false;
    intake->batch.source = 0;
    intake->refused = 0;
    intake->store = (souk_text){"", 0};
    intake->left_out = intake->faults_dropped = 0;
    intake->faults_most = SIZE_MAX;
    intake->unnamed = (souk_text){"", 0};
    souk_buf_clear(&intake->inflated);
    forget(intake);
    intake->received = souk_clock_now_ms(souk_spine_clock(collect->spine));
    *ret_intake = intake;
    return SOUK_OK;
}

static souk_err take_packer(souk_intake *intake)
{
    souk_collect *collect = intake->collect;
    if (intake->packer)
        return SOUK_OK;
    {
        souk_auto_lock(&collect->mutex);
        if (collect->packer_count) {
            intake->packer = collect->packers[--collect->packer_count];
            return SOUK_OK;
        }
    }
    return souk_packer_new(collect->mem, &intake->packer);
}

static void put_packer(souk_intake *intake)
{
    souk_collect *collect = intake->collect;
    souk_packer *packer = souk_take(&intake->packer);
    if (packer) {
        souk_auto_lock(&collect->mutex);
        if (collect->packer_count < INTAKE_PACKERS) {
            collect->packers[collect->packer_count++] = packer;
            return;
        }
    }
    souk_packer_free(packer);
}

/* What one large body took is not held for the next, smaller ones. */
static void shrink(souk_buf *buf)
{
    if (buf->capacity > WARM_BYTES)
        souk_buf_done(buf);
}

void souk_intake_free(souk_intake *intake)
{
    if (!intake)
        return;
    souk_collect *collect = intake->collect;
    put_packer(intake);
    shrink(&intake->inflated);
    shrink(&intake->told);
    souk_mutex_lock(&collect->mutex);
    bool keep = collect->resting_count < RESTING_MOST;
    if (keep) {
        intake->next = collect->resting;
        collect->resting = intake;
        collect->resting_count++;
    }
    souk_mutex_unlock(&collect->mutex);
    if (!keep)
        discard(intake);
}

souk_err souk_collect_open(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                           void **ret_state)
{
    souk_collect *collect = souk_mem_get(mem, sizeof *collect);
    if (!collect)
        return SOUK_ENOMEM;
    collect->mem = mem;
    collect->spine = spine;
    collect->merchants = merchants;
    souk_mutex_init(&collect->mutex);
    *ret_state = collect;
    return SOUK_OK;
}

void souk_collect_close(void *state)
{
    souk_collect *collect = state;
    if (!collect)
        return;
    while (collect->resting) {
        souk_intake *intake = collect->resting;
        collect->resting = intake->next;
        discard(intake);
    }
    while (collect->packer_count)
        souk_packer_free(collect->packers[--collect->packer_count]);
    souk_mutex_done(&collect->mutex);
    souk_mem_put(collect->mem, collect);
}

void souk_collect_count(void *state, souk_buf *out)
{
    const souk_collect *collect = state;
    souk_buf_print(out,
                   "# HELP souk_events_untimed_total Events whose timestamp is no time: they are "
                   "dated to their receipt.\n"
                   "# TYPE souk_events_untimed_total counter\n"
                   "souk_events_untimed_total %llu\n",
                   (unsigned long long)__atomic_load_n(&collect->untimed, __ATOMIC_RELAXED));
}

/* ---- events and faults -------------------------------------------------------------------------------- */

void souk_intake_source(souk_intake *intake, uint32_t source)
{
    intake->batch.source = source;
}

void souk_intake_store(souk_intake *intake, souk_text store)
{
    intake->store = store;
}

void souk_intake_faults_most(souk_intake *intake, size_t most)
{
    intake->faults_most = most;
}

size_t souk_intake_faults_dropped(const souk_intake *intake)
{
    return intake->faults_dropped;
}

size_t souk_intake_left_out(const souk_intake *intake)
{
    return intake->left_out;
}

size_t souk_intake_events(const souk_intake *intake)
{
    return intake->batch.count;
}

size_t souk_intake_repeats(const souk_intake *intake)
{
    return intake->batch.repeats;
}

size_t souk_intake_faults(const souk_intake *intake)
{
    return intake->batch.fault_count;
}

static souk_text place_in(souk_intake *intake, souk_text place, ptrdiff_t number)
{
    char *to = souk_arena_get(intake->arena, place.bytes + 24);
    memcpy(to, place.at, place.bytes);
    int bytes = number == INTAKE_ALONE ? 0 : snprintf(to + place.bytes, 24, "[%td]", number);
    return (souk_text){to, place.bytes + (size_t)bytes};
}

static souk_err add_fault(souk_intake *intake, const souk_diag *fault, souk_text where,
                          souk_text text)
{
    if (intake->batch.fault_count >= intake->faults_most) {
        intake->faults_dropped++;
        return intake->arena->failed ? SOUK_ENOMEM : SOUK_OK;
    }
    SOUK_TRY(souk_mem_grow(intake->collect->mem, &intake->faults, &intake->fault_capacity,
                           intake->batch.fault_count + 1, EVENTS_MOST, sizeof *intake->faults));
    intake->faults[intake->batch.fault_count++] = (souk_reject){
        .source = intake->batch.source,
        .at = intake->received,
        .fault = souk_text_of(souk_text_in(intake->arena, souk_text_of(fault->words))),
        .where = where,
        .text = text};
    return intake->arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

souk_err intake_add(souk_intake *intake, souk_json_node node, souk_text path_type, souk_text place,
                    ptrdiff_t number)
{
    souk_diag fault = {.words = ""};
    SOUK_TRY(take_packer(intake));
    SOUK_TRY(souk_mem_grow(intake->collect->mem, &intake->events, &intake->event_capacity,
                           intake->batch.count + 1, EVENTS_MOST, sizeof *intake->events));
    souk_err err =
        segment_read_event(intake, node, path_type, &intake->events[intake->batch.count], &fault);
    if (err == SOUK_EINVAL)
        return add_fault(intake, &fault, place_in(intake, place, number),
                         souk_json_raw(&intake->doc, node));
    SOUK_TRY(err);
    /* As an offset: the buffer may move while it grows. */
    intake->events[intake->batch.count++].packed = (souk_text){NULL, intake->packed.bytes};
    return souk_pack(intake->packer, souk_json_raw(&intake->doc, node), &intake->packed);
}

/* ---- messages of other forms ----------------------------------------------------------------------------- */

/* What is refused goes to the rejects as a message of its own. */
struct part {
    souk_intake *intake;
    const souk_foreign_form *form;
    souk_text where;
};

static souk_err refuse_part(const souk_foreign *message, souk_text text, const souk_diag *fault)
{
    struct part *part = message->context;
    souk_intake *intake = part->intake;
    char *copy = souk_arena_copy(intake->arena, text.at, text.bytes);
    if (!copy)
        return SOUK_ENOMEM;
    return add_fault(intake, fault, place_in(intake, part->where, INTAKE_ALONE),
                     (souk_text){copy, part->form->is_private ? 0 : text.bytes});
}

souk_err intake_tell(souk_intake *intake, const souk_foreign_form *form, souk_text body,
                     souk_text topic, souk_text message_id, souk_text where, souk_diag *fault,
                     souk_text *ret_told)
{
    struct part part = {.intake = intake, .form = form, .where = where};
    souk_buf_clear(&intake->told);
    souk_json_writer out = {.out = &intake->told};
    souk_foreign message = {.mem = intake->collect->mem,
                            .arena = intake->arena,
                            .body = body,
                            .topic = topic,
                            .message_id = message_id,
                            .store = intake->store,
                            .received = intake->received,
                            .out = &out,
                            .diag = fault,
                            .refuse = refuse_part,
                            .context = &part,
                            .left_out = &intake->left_out};
    souk_json_write_array(&out);
    SOUK_TRY(form->tell(&message));
    souk_json_write_end(&out);
    SOUK_TRY(souk_json_write_check(&out));
    souk_text told = souk_buf_view(&intake->told);
    *ret_told = (souk_text){souk_arena_copy(intake->arena, told.at, told.bytes), told.bytes};
    return intake->arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

static bool is_weather(souk_err err)
{
    return err != SOUK_EINVAL && err != SOUK_ESYNTAX && err != SOUK_ETOOBIG;
}

souk_err souk_intake_foreign(souk_intake *intake, const souk_foreign_form *form, souk_text body,
                             souk_text topic, souk_text message_id)
{
    souk_diag fault = {.words = ""};
    char place[200]; /* a reject's place is for people: a long topic is cut */
    souk_text told;
    size_t faults = intake->batch.fault_count;
    int bytes =
        snprintf(place, sizeof place, "form:%s%s%.*s %.*s", form->name,
                 intake->store.bytes ? "@" : "", (int)souk_min_size(intake->store.bytes, 60),
                 intake->store.at, (int)souk_min_size(topic.bytes, 100), topic.at);
    souk_text whole = {place, souk_min_size((size_t)bytes, sizeof place - 1)};
    souk_err err = intake_tell(intake, form, body, topic, message_id, whole, &fault, &told);
    if (err && is_weather(err))
        return err;
    if (err) {
        intake->batch.fault_count = faults; /* its parts are in it */
        if (!fault.words[0])
            souk_diag_say(&fault, err, "%s", souk_err_words(err));
        return add_fault(intake, &fault, place_in(intake, whole, INTAKE_ALONE),
                         (souk_text){body.at, form->is_private ? 0 : body.bytes});
    }
    souk_json_limits limits = {.bytes = TOLD_MOST, .values = 1 << 22, .depth = 64};
    SOUK_TRY(souk_json_read(&intake->doc, told, &limits, intake->diag));
    souk_json_node list = souk_json_root(&intake->doc);
    souk_text of_form = {whole.at + 5, whole.bytes - 5};
    ptrdiff_t number = 0;
    intake->nobodys = true;
    for (souk_json_node node = souk_json_first(&intake->doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(&intake->doc, node))
        SOUK_TRY(intake_add(intake, node, SOUK_TEXT(""), of_form, number++));
    return SOUK_OK;
}

/* ---- into the log ---------------------------------------------------------------------------------------- */

static void place_packed(souk_intake *intake)
{
    for (size_t i = 0; i < intake->batch.count; i++) {
        size_t from = intake->events[i].packed.bytes;
        size_t to =
            i + 1 < intake->batch.count ? intake->events[i + 1].packed.bytes : intake->packed.bytes;
        intake->events[i].packed = (souk_text){intake->packed.at + from, to - from};
    }
}

static souk_err close_batch(souk_intake *intake)
{
    put_packer(intake);
    if (intake->arena->failed)
        return SOUK_ENOMEM;
    place_packed(intake);
    intake->batch.events = intake->events;
    intake->batch.faults = intake->faults;
    return SOUK_OK;
}

souk_err souk_intake_write(souk_intake *intake)
{
    SOUK_TRY(close_batch(intake));
    souk_err err = souk_spine_write(intake->collect->spine, &intake->batch);
    forget(intake);
    return err;
}

static void stored(souk_batch *batch, souk_err err)
{
    souk_intake *intake = batch->context;
    intake->done(intake->context, err);
}

souk_err souk_intake_submit(souk_intake *intake, void (*done)(void *context, souk_err err),
                            void *context)
{
    SOUK_TRY(close_batch(intake));
    intake->done = done;
    intake->context = context;
    intake->batch.done = stored;
    intake->batch.context = intake;
    return souk_spine_submit(intake->collect->spine, &intake->batch);
}

souk_err souk_intake_inflate(souk_intake *intake, souk_text body, size_t most, souk_text *ret_body)
{
    *ret_body = body;
    if (!souk_is_gzip(body))
        return SOUK_OK;
    souk_err err = souk_inflate(body, most, &intake->inflated);
    if (err == SOUK_ETOOBIG)
        return souk_diag_say(intake->diag, err,
                             "the gzip body is above %zu bytes inflated: send less at once", most);
    if (err == SOUK_ESYNTAX)
        return souk_diag_say(intake->diag, err,
                             "the gzip body is damaged or cut off: compress it again");
    *ret_body = souk_buf_view(&intake->inflated);
    return err;
}
