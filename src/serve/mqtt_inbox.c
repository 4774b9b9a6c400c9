/* mqtt_inbox.c - the intakes of what has come from the broker and is not yet durable.
 *
 * A message small enough shares an intake with its neighbours of one source; a large one has an intake of its own, for
 * if it makes more events than the queue takes it must go without them.  All intakes of a batch are handed to the writer
 * at once, so that they share one transaction and one sync of the disk. */
#include "serve/mqtt_inbox.h"

#include "os/thread.h"
#include "service/collect/intake.h"
#include "service/collect/segment.h"

enum {
    ALONE_BYTES = 32768,   /* a payload above has an intake of its own */
    MESSAGE_EVENTS = 8000, /* below the least queue of the writer, spine.queue_events */
    FULL_MESSAGES = 1000,
    FULL_BYTES = 4 << 20,
    FULL_EVENTS = 2000,
    FULL_INTAKES = SOUK_MQTT_TOPICS,
    INTAKES = 2 * SOUK_MQTT_TOPICS + 8,
    ARENA_BYTES = 256 << 20,
    REJECT_MS = 600, /* one more is kept after so long */
};

struct souk_inbox {
    souk_mem *mem;
    souk_spine *spine;
    void *collect;
    const souk_mqtt_topic *topics;
    size_t topic_count;
    uint32_t sources[SOUK_MQTT_TOPICS];
    souk_arena arena;
    souk_diag diag;
    /* the batch */
    struct {
        souk_intake *intake;
        const souk_mqtt_topic *topic;
        bool is_shared;
    } open[INTAKES];
    size_t open_count, messages, bytes, events;
    souk_err err; /* the first */
    /* what may still be kept of rejects */
    int64_t rejects_ms; /* monotonic; SOUK_INBOX_REJECTS * REJECT_MS before now: all */
    /* the write */
    souk_mutex mutex;
    souk_cond written;
    size_t waiting;
    souk_err write_err;
    souk_inbox_counts counts; /* each read and written atomically */
};

static void count(uint64_t *counter, uint64_t by)
{
    __atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

souk_inbox_counts souk_inbox_count(const souk_inbox *inbox)
{
    souk_inbox_counts counts;
    const uint64_t *from = (const uint64_t *)&inbox->counts;
    uint64_t *to = (uint64_t *)&counts;
    for (size_t i = 0; i < sizeof counts / sizeof *to; i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    return counts;
}

/* ---- sources ----------------------------------------------------------------------------------------- */

struct search {
    souk_text name;
    uint32_t number;
};

static souk_err compare_source(void *context, const souk_source *source)
{
    struct search *search = context;
    if (souk_text_equal(source->name, search->name))
        search->number = source->number;
    return SOUK_OK;
}

/* One that is there keeps what it stated; a new one states nothing. */
static souk_err find_source(souk_merchants *merchants, souk_text name, uint32_t *ret_source,
                            souk_diag *diag)
{
    struct search search = {.name = name};
    souk_statement statement = {.age = SOUK_AGE_UNKNOWN, .speaks = SOUK_SPEAKS_NOBODY};
    souk_err err = souk_merchants_sources(merchants, SOUK_OPERATOR, compare_source, &search);
    if (!err && search.number)
        *ret_source = search.number;
    else if (!err)
        err = souk_merchants_source(merchants, SOUK_OPERATOR, name, &statement, ret_source, NULL);
    return err ? souk_diag_say(diag, err, "the source '%.*s' of MQTT: %s", SOUK_TEXT_PRINT(name),
                               souk_err_words(err))
               : SOUK_OK;
}

souk_err souk_inbox_open(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                         const souk_mqtt_topic *topics, size_t topic_count, souk_inbox **ret_inbox,
                         souk_diag *diag)
{
    souk_assert(topic_count <= SOUK_MQTT_TOPICS);
    souk_auto(souk_inbox) inbox = souk_mem_get(mem, sizeof *inbox);
    if (!inbox)
        return SOUK_ENOMEM;
    inbox->mem = inbox->arena.mem = mem;
    inbox->arena.limit_bytes = ARENA_BYTES;
    inbox->spine = spine;
    inbox->topics = topics;
    inbox->topic_count = topic_count;
    souk_mutex_init(&inbox->mutex);
    souk_cond_init(&inbox->written);
    inbox->rejects_ms = INT64_MIN / 2;
    SOUK_TRY(souk_collect_open(mem, spine, merchants, &inbox->collect));
    for (size_t i = 0; i < topic_count; i++)
        SOUK_TRY(find_source(merchants, topics[i].source, &inbox->sources[i], diag));
    *ret_inbox = souk_take(&inbox);
    return SOUK_OK;
}

/* ---- the batch ------------------------------------------------------------------------------------------ */

static void empty(souk_inbox *inbox)
{
    while (inbox->open_count)
        souk_intake_free(inbox->open[--inbox->open_count].intake);
    souk_arena_clear(&inbox->arena);
    inbox->arena.failed = false;
    inbox->messages = inbox->bytes = inbox->events = 0;
    inbox->err = SOUK_OK;
}

void souk_inbox_free(souk_inbox *inbox)
{
    if (!inbox)
        return;
    empty(inbox);
    souk_collect_close(inbox->collect);
    souk_arena_done(&inbox->arena);
    souk_cond_done(&inbox->written);
    souk_mutex_done(&inbox->mutex);
    souk_mem_put(inbox->mem, inbox);
}

bool souk_inbox_full(const souk_inbox *inbox)
{
    return inbox->err || inbox->messages >= FULL_MESSAGES || inbox->bytes >= FULL_BYTES ||
           inbox->events >= FULL_EVENTS || inbox->open_count >= FULL_INTAKES;
}

static souk_err open_intake(souk_inbox *inbox, const souk_mqtt_topic *topic, bool is_shared,
                            souk_intake **ret_intake)
{
    for (size_t i = 0; is_shared && i < inbox->open_count; i++)
        if (inbox->open[i].is_shared && inbox->open[i].topic == topic) {
            *ret_intake = inbox->open[i].intake;
            return SOUK_OK;
        }
    if (inbox->open_count == INTAKES)
        return SOUK_EBUSY;
    SOUK_TRY(souk_intake_open(inbox->collect, &inbox->arena, &inbox->diag, ret_intake));
    souk_intake_source(*ret_intake, inbox->sources[topic - inbox->topics]);
    inbox->open[inbox->open_count].intake = *ret_intake;
    inbox->open[inbox->open_count].topic = topic;
    inbox->open[inbox->open_count++].is_shared = is_shared;
    return SOUK_OK;
}

/* ---- rejects ------------------------------------------------------------------------------------------------ */

static size_t rejects_left(souk_inbox *inbox)
{
    int64_t now = souk_clock_monotonic_ns(souk_spine_clock(inbox->spine)) / 1000000;
    int64_t all = (int64_t)SOUK_INBOX_REJECTS * REJECT_MS;
    if (inbox->rejects_ms < now - all)
        inbox->rejects_ms = now - all;
    return (size_t)((now - inbox->rejects_ms) / REJECT_MS);
}

static souk_err say_too_large(const souk_foreign *message)
{
    return souk_diag_say(message->diag, SOUK_ETOOBIG,
                         "the message has more than %d bytes, or makes more than %d events: let "
                         "the device send less at once",
                         SOUK_INBOX_PAYLOAD_BYTES, MESSAGE_EVENTS);
}

/* A reject with the message's place and without its text. */
static souk_err refuse_large(souk_inbox *inbox, souk_intake *intake, const souk_mqtt_topic *topic,
                             souk_text name)
{
    souk_foreign_form form = {topic->form->name, say_too_large, .is_private = true};
    count(&inbox->counts.too_large, 1);
    return souk_intake_foreign(intake, &form, (souk_text){"", 0}, name, (souk_text){"", 0});
}

/* ---- messages ------------------------------------------------------------------------------------------------ */

static souk_text keep(souk_inbox *inbox, souk_text text)
{
    return (souk_text){souk_arena_copy(&inbox->arena, text.at, text.bytes), text.bytes};
}

/* An intake that the message has overfilled is given back, and another says so. */
static souk_err tell(souk_inbox *inbox, souk_intake **intake, const souk_mqtt_topic *topic,
                     souk_text store, souk_text name, souk_text payload, size_t left)
{
    if (payload.bytes > SOUK_INBOX_PAYLOAD_BYTES)
        return refuse_large(inbox, *intake, topic, name);
    bool is_alone = payload.bytes > ALONE_BYTES;
    souk_text body = keep(inbox, payload);
    if (inbox->arena.failed)
        return SOUK_ENOMEM;
    souk_err err = souk_intake_foreign(*intake, topic->form, body, name, (souk_text){"", 0});
    if (!is_alone || (err != SOUK_ETOOBIG && souk_intake_events(*intake) <= MESSAGE_EVENTS))
        return err;
    souk_intake_free(*intake);
    inbox->open_count--;
    SOUK_TRY(open_intake(inbox, topic, false, intake));
    souk_intake_store(*intake, store);
    souk_intake_faults_most(*intake, left);
    return refuse_large(inbox, *intake, topic, name);
}

static souk_err take(souk_inbox *inbox, const souk_mqtt_topic *topic, souk_text store,
                     souk_text name, souk_text payload)
{
    souk_intake *intake;
    SOUK_TRY(open_intake(inbox, topic, payload.bytes <= ALONE_BYTES, &intake));
    size_t left = rejects_left(inbox), faults = souk_intake_faults(intake);
    size_t events = souk_intake_events(intake), left_out = souk_intake_left_out(intake);
    size_t dropped = souk_intake_faults_dropped(intake);
    store = keep(inbox, store);
    souk_intake_store(intake, store);
    souk_intake_faults_most(intake, faults + left);
    SOUK_TRY(tell(inbox, &intake, topic, store, keep(inbox, name), payload, left));
    size_t new_faults = souk_intake_faults(intake) - faults;
    inbox->rejects_ms += (int64_t)souk_min_size(new_faults, left) * REJECT_MS;
    inbox->events += souk_intake_events(intake) - events;
    count(&inbox->counts.rejects, new_faults);
    count(&inbox->counts.rejects_dropped, souk_intake_faults_dropped(intake) - dropped);
    count(&inbox->counts.left_out, souk_intake_left_out(intake) - left_out);
    return SOUK_OK;
}

void souk_inbox_take(souk_inbox *inbox, souk_text topic, souk_text payload, bool is_retained)
{
    souk_text store;
    inbox->messages++;
    inbox->bytes += payload.bytes;
    if (is_retained) {
        count(&inbox->counts.retained, 1);
        return;
    }
    const souk_mqtt_topic *fit =
        souk_mqtt_topic_find(inbox->topics, inbox->topic_count, topic, &store);
    if (!fit) {
        count(&inbox->counts.unmatched, 1);
        return;
    }
    if (!inbox->err)
        inbox->err = take(inbox, fit, store, topic, payload);
}

/* ---- the write --------------------------------------------------------------------------------------------------- */

static void written(void *context, souk_err err)
{
    souk_inbox *inbox = context;
    souk_auto_lock(&inbox->mutex);
    inbox->waiting--;
    if (err && !inbox->write_err)
        inbox->write_err = err;
    souk_cond_signal(&inbox->written);
}

static souk_err write_all(souk_inbox *inbox)
{
    souk_err err = SOUK_OK;
    inbox->write_err = SOUK_OK;
    for (size_t i = 0; i < inbox->open_count && !err; i++) {
        souk_mutex_lock(&inbox->mutex);
        inbox->waiting++;
        souk_mutex_unlock(&inbox->mutex);
        err = souk_intake_submit(inbox->open[i].intake, written, inbox);
        if (err)
            written(inbox, err);
    }
    souk_auto_lock(&inbox->mutex);
    while (inbox->waiting)
        souk_cond_wait(&inbox->written, &inbox->mutex);
    return inbox->write_err;
}

souk_err souk_inbox_store(souk_inbox *inbox)
{
    souk_err err = inbox->err;
    size_t events = inbox->events;
    if (!err && inbox->open_count)
        err = write_all(inbox);
    if (inbox->open_count || err) {
        count(&inbox->counts.stores, 1);
        count(&inbox->counts.failed_stores, err != SOUK_OK);
    }
    if (!err) {
        count(&inbox->counts.events, events);
        count(&inbox->counts.messages, inbox->messages); /* last: who sees them sees the rest */
    }
    empty(inbox);
    return err;
}
