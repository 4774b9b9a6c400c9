/* pulse_test.c - who lives answers, and each part that is made to hang is named until it goes on. */
#include "serve/pulse.h"

#include "test/test.h"

#include "serve/clerk.h"
#include "serve/http_rig.h"
#include "store/postgres_server.h"

#include <stdlib.h>

/* A writer that stands in a closure until the gate is opened. */
typedef struct gate {
    souk_mutex mutex;
    souk_cond changed;
    bool open, entered;
    souk_job job;
    unsigned ended;
} gate;

static souk_err enter_gate(souk_tx *tx, souk_job *job)
{
    gate *my = SOUK_JOB_OWNER(job, gate, job);
    (void)tx;
    souk_auto_lock(&my->mutex);
    my->entered = true;
    souk_cond_broadcast(&my->changed);
    while (!my->open)
        souk_cond_wait(&my->changed, &my->mutex);
    return SOUK_OK;
}

static void leave_gate(souk_job *job, souk_err err)
{
    gate *my = SOUK_JOB_OWNER(job, gate, job);
    souk_assert(!err);
    souk_auto_lock(&my->mutex);
    my->ended++;
}

static void close_gate(souk_test *test, souk_ledger *ledger, gate *my)
{
    *my = (gate){.job = {.lane = SOUK_LANE_TILL, .apply = enter_gate, .after = leave_gate}};
    souk_mutex_init(&my->mutex);
    souk_cond_init(&my->changed);
    SOUK_MUST(souk_ledger_submit(ledger, &my->job));
    souk_auto_lock(&my->mutex);
    while (!my->entered)
        souk_cond_wait(&my->changed, &my->mutex);
}

static void open_gate(gate *my)
{
    souk_auto_lock(&my->mutex);
    my->open = true;
    souk_cond_broadcast(&my->changed);
}

static void await_answers(souk_test *test, souk_pulse *pulse)
{
    const char *silent;
    for (int looks = 0; (silent = souk_pulse_silent(pulse)) != NULL; looks++) {
        if (looks == RIG_PATIENCE_MS * 4)
            test_fail(test, __FILE__, __LINE__, "%s stays silent", silent);
        nanosleep(&(struct timespec){.tv_nsec = 250000}, NULL);
    }
}

/* Once no loop is silent any more, the one who is must be this one, however often one asks. */
static void check_silent(souk_test *test, souk_pulse *pulse, const char *who)
{
    for (int i = 0; i < 20; i++) {
        const char *silent = souk_pulse_silent(pulse);
        SOUK_CHECK(silent);
        SOUK_CHECK_TEXT(souk_text_of(silent), who);
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        souk_pulse_ask(pulse);
    }
}

typedef struct patient {
    souk_disk *disk;
    souk_ledger *ledger;
    http_rig *rig;
    souk_pulse *pulse;
} patient;

static patient admit(souk_test *test, unsigned queue_jobs, unsigned loops)
{
    patient my = {.rig = rig_open(test, (souk_http_options){.loop_count = loops})};
    souk_ledger_options options = {.queue_jobs = queue_jobs, .group_jobs = 1};
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &my.disk, NULL));
    SOUK_MUST(test_ledger_open(test->mem, my.disk, "ledger", &options, &my.ledger, NULL));
    SOUK_MUST(souk_pulse_new(
        test->mem, &(souk_pulse_parts){.ledger = my.ledger, .http = my.rig->http}, &my.pulse));
    return my;
}

static void dismiss(souk_test *test, patient *my)
{
    rig_close(my->rig);
    SOUK_MUST(souk_ledger_close(my->ledger));
    souk_pulse_free(my->pulse);
    souk_ledger_free(my->ledger);
    souk_disk_free(my->disk);
}

SOUK_TEST("who lives answers, and asking writes nothing")
{
    patient my = admit(test, 0, 3);
    souk_ledger_counters before, after;
    SOUK_CHECK(!souk_pulse_silent(my.pulse)); /* nobody was asked */
    souk_pulse_ask(my.pulse);
    await_answers(test, my.pulse);
    souk_ledger_count(my.ledger, &before);
    for (int i = 0; i < 50; i++) {
        souk_pulse_ask(my.pulse);
        await_answers(test, my.pulse);
    }
    souk_ledger_count(my.ledger, &after);
    SOUK_CHECK(after.jobs == before.jobs + 50 && after.written_bytes == before.written_bytes);
    dismiss(test, &my);
}

SOUK_TEST("a writer that hangs is named until it goes on, and is asked once")
{
    if (test_on_postgres())
        return; /* tills go beside the writer there */
    patient my = admit(test, 0, 1);
    souk_ledger_counters counters;
    gate only;
    close_gate(test, my.ledger, &only);
    souk_pulse_ask(my.pulse);
    check_silent(test, my.pulse, "the writer");
    souk_ledger_count(my.ledger, &counters);
    SOUK_CHECK(counters.queued[SOUK_LANE_TILL] == 1);
    open_gate(&only);
    await_answers(test, my.pulse);
    SOUK_CHECK(only.ended == 1);
    dismiss(test, &my);
}

SOUK_TEST("a writer whose queue is full is alive if it does something and silent if not")
{
    patient my = admit(test, 1, 1);
    gate first;
    close_gate(test, my.ledger, &first);
    gate second = {.open = true,
                   .job = {.lane = SOUK_LANE_TILL, .apply = enter_gate, .after = leave_gate}};
    souk_mutex_init(&second.mutex);
    souk_cond_init(&second.changed);
    SOUK_MUST(souk_ledger_submit(my.ledger, &second.job));
    souk_pulse_ask(my.pulse); /* SOUK_EBUSY */
    check_silent(test, my.pulse, "the writer");
    open_gate(&first);
    await_answers(test, my.pulse);
    souk_pulse_ask(my.pulse);
    await_answers(test, my.pulse);
    dismiss(test, &my);
}

SOUK_TEST("one loop of two whose handler hangs is noticed until it goes on")
{
    patient my = admit(test, 0, 2);
    souk_client client = rig_connect(my.rig);
    rig_say(my.rig, &client, "GET /stall HTTP/1.1\r\nHost: a\r\n\r\n");
    {
        souk_auto_lock(&my.rig->mutex);
        while (!my.rig->stalled)
            souk_cond_wait(&my.rig->changed, &my.rig->mutex);
    }
    souk_pulse_ask(my.pulse);
    while (strcmp(souk_pulse_silent(my.pulse), "a loop") != 0) /* the writer answers first */
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    for (int i = 0; i < 20; i++) {
        SOUK_CHECK(souk_http_is_silent(my.rig->http));
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    {
        souk_auto_lock(&my.rig->mutex);
        my.rig->stalled = false;
        souk_cond_broadcast(&my.rig->changed);
    }
    rig_hear_ok(my.rig, &client, "GET /stall []");
    await_answers(test, my.pulse);
    souk_client_done(&client);
    dismiss(test, &my);
}

SOUK_TEST("a closed ledger is not asked, and nobody waits for its answer")
{
    patient my = admit(test, 0, 1);
    SOUK_MUST(souk_ledger_close(my.ledger));
    souk_pulse_ask(my.pulse);
    await_answers(test, my.pulse);
    rig_close(my.rig);
    souk_pulse_free(my.pulse);
    souk_ledger_free(my.ledger);
    souk_disk_free(my.disk);
}
