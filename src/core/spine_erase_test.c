/* spine_erase_test.c - a shopper erased while her next event is on its way. */
#include "core/spine.h"

#include "os/thread.h"

#include "test/test.h"

#include <sched.h>

struct race {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_person person; /* who is erased */
    souk_thread eraser;
    souk_err err;
    unsigned number; /* of the next message */
};

static void race_open(souk_test *test, struct race *race)
{
    souk_spine_options options = {.vault = {.block_slots = 64}, .runs_memory = 1024};
    memset(race, 0, sizeof *race);
    race->test = test;
    SOUK_MUST(souk_disk_open_real(souk_mem_heap(), test_folder(test), &race->disk, NULL));
    SOUK_MUST(souk_spine_init(souk_mem_heap(), race->disk, &options, NULL));
    SOUK_MUST(souk_spine_open(souk_mem_heap(), race->disk, &options, &race->spine, NULL));
}

static void race_close(struct race *race)
{
    souk_spine_free(race->spine);
    souk_disk_free(race->disk);
}

/* Her event, with either identifier or both. */
static souk_event event_of(struct race *race, const char *user, const char *device)
{
    const souk_hashes *hashes = souk_spine_hashes(race->spine);
    souk_text message = {(const char *)&race->number, sizeof race->number};
    race->number++;
    souk_event event = {.type = SOUK_TEXT("Search"),
                        .at = 1767268800000,
                        .message = souk_hashes_message(hashes, 1, message)};
    if (user)
        souk_event_identify(&event, hashes, SOUK_ID_USER, souk_text_of(user));
    if (device)
        souk_event_identify(&event, hashes, SOUK_ID_ANONYMOUS, souk_text_of(device));
    return event;
}

static void send(struct race *race, const char *user, const char *device)
{
    souk_test *test = race->test;
    souk_event event = event_of(race, user, device);
    souk_batch batch = {.source = 1, .events = &event, .count = 1};
    SOUK_MUST(souk_spine_write(race->spine, &batch));
}

static souk_err find(struct race *race, souk_id_kind kind, const char *value)
{
    return souk_spine_find(race->spine, kind, souk_text_of(value), &race->person);
}

static void erase(void *context)
{
    struct race *race = context;
    uint64_t events;
    race->err = souk_spine_erase(race->spine, &race->person, &events);
}

static void count_done(souk_batch *batch, souk_err err)
{
    souk_err *told = batch->context;
    *told = err;
}

static uint64_t waiting(struct race *race)
{
    souk_ledger_counters counters;
    souk_ledger_count(souk_spine_ledger(race->spine), &counters);
    return counters.queued[SOUK_LANE_INGEST];
}

/* The event and the erasure's entry wait for the writer together, the event first. */
static void erase_beside(struct race *race, const char *user, const char *device)
{
    souk_test *test = race->test;
    souk_ledger *ledger = souk_spine_ledger(race->spine);
    souk_event event = event_of(race, user, device);
    souk_err told = SOUK_ESTOPPED;
    souk_batch batch = {
        .source = 1, .events = &event, .count = 1, .done = count_done, .context = &told};
    souk_ledger_hold(ledger);
    SOUK_MUST(souk_spine_submit(race->spine, &batch));
    SOUK_MUST(souk_thread_start(&race->eraser, "eraser", erase, race));
    while (waiting(race) < 2)
        sched_yield();
    souk_ledger_release(ledger);
    souk_thread_join(&race->eraser);
    SOUK_MUST(race->err);
    SOUK_MUST(told); /* the erasure's steps came behind it */
}

static void must_be_sound(struct race *race)
{
    souk_test *test = race->test;
    uint32_t atoms = souk_index_next_atom(souk_spine_index(race->spine));
    uint32_t shoppers = souk_index_next_shopper(souk_spine_index(race->spine));
    SOUK_MUST(souk_spine_verify(race->spine, NULL, NULL, NULL));
    SOUK_MUST(souk_spine_rebuild(race->spine, NULL, NULL));
    SOUK_MUST(souk_spine_verify(race->spine, NULL, NULL, NULL));
    SOUK_CHECK(souk_index_next_atom(souk_spine_index(race->spine)) == atoms);
    SOUK_CHECK(souk_index_next_shopper(souk_spine_index(race->spine)) == shoppers);
}

SOUK_TEST(
    "a visitor's atom that she claims while she is erased goes with her, and the log reads anew")
{
    static struct race race;
    race_open(test, &race);
    send(&race, NULL, "phone");
    send(&race, "ann", NULL);
    SOUK_MUST(find(&race, SOUK_ID_USER, "ann"));
    SOUK_CHECK(race.person.atom_count == 1);
    erase_beside(&race, "ann", "phone");
    SOUK_CHECK_ERR(find(&race, SOUK_ID_USER, "ann"), SOUK_ENOENT);
    SOUK_CHECK_ERR(find(&race, SOUK_ID_ANONYMOUS, "phone"), SOUK_ENOENT);
    must_be_sound(&race);
    send(&race, "bob", "phone"); /* a new history */
    SOUK_MUST(find(&race, SOUK_ID_ANONYMOUS, "phone"));
    SOUK_CHECK(race.person.atom_count == 1 && race.person.shopper == 2);
    must_be_sound(&race);
    race_close(&race);
}

SOUK_TEST("a visitor who signs in while she is erased is erased, and her number is not given again")
{
    static struct race race;
    race_open(test, &race);
    send(&race, NULL, "tablet");
    SOUK_MUST(find(&race, SOUK_ID_ANONYMOUS, "tablet"));
    SOUK_CHECK(race.person.shopper == 0);
    erase_beside(&race, "cat", "tablet");
    SOUK_CHECK_ERR(find(&race, SOUK_ID_USER, "cat"), SOUK_ENOENT);
    SOUK_CHECK_ERR(find(&race, SOUK_ID_ANONYMOUS, "tablet"), SOUK_ENOENT);
    must_be_sound(&race);
    send(&race, "dan", NULL);
    SOUK_MUST(find(&race, SOUK_ID_USER, "dan"));
    SOUK_CHECK(race.person.shopper == 2);
    must_be_sound(&race);
    race_close(&race);
}

SOUK_TEST("a visitor whom another shopper claims while she is erased leaves that shopper as he was")
{
    static struct race race;
    race_open(test, &race);
    send(&race, NULL, "shared");
    send(&race, "eve", NULL);
    SOUK_MUST(find(&race, SOUK_ID_ANONYMOUS, "shared"));
    erase_beside(&race, "eve", "shared");
    SOUK_CHECK_ERR(find(&race, SOUK_ID_ANONYMOUS, "shared"), SOUK_ENOENT);
    SOUK_MUST(find(&race, SOUK_ID_USER, "eve"));
    SOUK_CHECK(race.person.shopper == 1 && race.person.atom_count == 1);
    must_be_sound(&race);
    race_close(&race);
}
