/* spine_verify_test.c - the comparison with the log while events, merges and erasures go on; and what it finds. */
#include "core/spine.h"

#include "core/index.h"
#include "core/runs.h"
#include "os/thread.h"

#include "test/test.h"

#include <stdio.h>

enum { BATCH = 40, BATCHES = 80, USERS = 60, DEVICES = 90, NAME = 16 };

struct bustle {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_thread feeder, decider;
    uint64_t random[2];       /* one for each thread */
    souk_time number;         /* of the next message */
    bool stopping;            /* atomic */
    unsigned batches, erased; /* atomic */
    souk_err failed;          /* atomic: of either thread */
};

static uint64_t draw(struct bustle *bustle, unsigned who, uint64_t below)
{
    uint64_t *state = &bustle->random[who]; /* xorshift64*, Vigna, ACM TOMS 42 (2016) */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (*state * 0x2545f4914f6cdd1dULL >> 33) % below;
}

static void bustle_open(souk_test *test, struct bustle *bustle)
{
    souk_mem *heap = souk_mem_heap();
    souk_spine_options options = {.vault = {.block_slots = 256}, .runs_memory = 4096};
    memset(bustle, 0, sizeof *bustle);
    bustle->test = test;
    bustle->random[0] = test_random(test, UINT32_MAX) + 1;
    bustle->random[1] = test_random(test, UINT32_MAX) + 1;
    SOUK_MUST(souk_disk_open_real(heap, test_folder(test), &bustle->disk, NULL));
    SOUK_MUST(souk_spine_init(heap, bustle->disk, &options, NULL));
    SOUK_MUST(souk_spine_open(heap, bustle->disk, &options, &bustle->spine, NULL));
}

static void bustle_close(struct bustle *bustle)
{
    souk_spine_free(bustle->spine);
    souk_disk_free(bustle->disk);
}

/* ---- a shop at work ---------------------------------------------------------------------------------- */

struct texts {
    char user[NAME], device[NAME], message[NAME];
};

/* An event of a user, of a device, of both, or of nobody; now and then a repeat. */
static void make_event(struct bustle *bustle, struct texts *texts, souk_event *event)
{
    const souk_hashes *hashes = souk_spine_hashes(bustle->spine);
    uint64_t kind = draw(bustle, 0, 10);
    if (draw(bustle, 0, 50))
        bustle->number++;
    snprintf(texts->message, NAME, "m%lld", (long long)bustle->number);
    snprintf(texts->user, NAME, "u%llu", (unsigned long long)draw(bustle, 0, USERS));
    snprintf(texts->device, NAME, "d%llu", (unsigned long long)draw(bustle, 0, DEVICES));
    *event = (souk_event){.type = SOUK_TEXT("Order Completed"),
                          .at = 1700000000000 + bustle->number * 1000,
                          .amount = {(int64_t)draw(bustle, 0, 1000000)},
                          .currency = "EUR",
                          .flags = SOUK_EVENT_ORDER | SOUK_EVENT_SALE};
    event->message = souk_hashes_message(hashes, 1, souk_text_of(texts->message));
    if (kind < 6)
        souk_event_identify(event, hashes, SOUK_ID_USER, souk_text_of(texts->user));
    if (kind > 3 && kind < 9)
        souk_event_identify(event, hashes, SOUK_ID_ANONYMOUS, souk_text_of(texts->device));
}

static souk_err feed_once(struct bustle *bustle)
{
    static _Thread_local struct texts texts[BATCH];
    static _Thread_local souk_event events[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        make_event(bustle, &texts[i], &events[i]);
    souk_batch batch = {.source = 1, .events = events, .count = BATCH};
    return souk_spine_write(bustle->spine, &batch);
}

/* Somebody whom nobody else's events concern. */
static souk_err feed_quiet(struct bustle *bustle)
{
    const souk_hashes *hashes = souk_spine_hashes(bustle->spine);
    souk_event event = {.type = SOUK_TEXT("Search"),
                        .at = 1700000000000,
                        .message = souk_hashes_message(hashes, 1, SOUK_TEXT("quiet"))};
    souk_event_identify(&event, hashes, SOUK_ID_USER, SOUK_TEXT("quiet"));
    souk_batch batch = {.source = 1, .events = &event, .count = 1};
    return souk_spine_write(bustle->spine, &batch);
}

static void fail(struct bustle *bustle, souk_err err)
{
    if (err)
        __atomic_store_n(&bustle->failed, err, __ATOMIC_RELAXED);
}

static bool goes_on(struct bustle *bustle)
{
    return !__atomic_load_n(&bustle->stopping, __ATOMIC_RELAXED) &&
           !__atomic_load_n(&bustle->failed, __ATOMIC_RELAXED);
}

static void feed(void *context)
{
    struct bustle *bustle = context;
    while (goes_on(bustle)) {
        souk_err err = feed_once(bustle);
        fail(bustle, err == SOUK_EBUSY ? SOUK_OK : err); /* the runs are behind: it comes again */
        __atomic_fetch_add(&bustle->batches, 1, __ATOMIC_RELAXED);
    }
}

static souk_err find_user(struct bustle *bustle, souk_person *ret_person)
{
    char user[NAME];
    snprintf(user, sizeof user, "u%llu", (unsigned long long)draw(bustle, 1, USERS));
    return souk_spine_find(bustle->spine, SOUK_ID_USER, souk_text_of(user), ret_person);
}

static souk_err decide_once(struct bustle *bustle, souk_person *a, souk_person *b)
{
    uint64_t what = draw(bustle, 1, 10), events;
    souk_err err = find_user(bustle, a);
    if (!err && what < 4)
        err = find_user(bustle, b);
    if (err)
        return err == SOUK_ENOENT ? SOUK_OK : err;
    if (what < 4)
        err = souk_spine_merge(bustle->spine, a->shopper, b->shopper, SOUK_TEXT("me"),
                               SOUK_TEXT("a test"));
    else if (what < 7)
        err = souk_spine_unmerge(bustle->spine, a->shopper, SOUK_TEXT("me"), SOUK_TEXT("a test"));
    else
        err = souk_spine_erase(bustle->spine, a, &events);
    if (!err && what >= 7)
        __atomic_fetch_add(&bustle->erased, 1, __ATOMIC_RELAXED);
    /* Somebody else was quicker; or the runs are behind. */
    return err == SOUK_ENOENT || err == SOUK_EEXIST || err == SOUK_EERASED || err == SOUK_EBUSY
               ? SOUK_OK
               : err;
}

static void decide(void *context)
{
    struct bustle *bustle = context;
    souk_person *two = souk_mem_array(souk_mem_heap(), 2, sizeof *two);
    while (two && goes_on(bustle))
        fail(bustle, decide_once(bustle, &two[0], &two[1]));
    souk_mem_put(souk_mem_heap(), two);
}

static void bustle_begin(struct bustle *bustle, bool decisions)
{
    souk_test *test = bustle->test;
    SOUK_MUST(souk_thread_start(&bustle->feeder, "feeder", feed, bustle));
    if (decisions)
        SOUK_MUST(souk_thread_start(&bustle->decider, "decider", decide, bustle));
}

static void bustle_end(struct bustle *bustle)
{
    souk_test *test = bustle->test;
    __atomic_store_n(&bustle->stopping, true, __ATOMIC_RELAXED);
    souk_thread_join(&bustle->feeder);
    souk_thread_join(&bustle->decider);
    SOUK_MUST(bustle->failed);
}

static unsigned batches_of(struct bustle *bustle)
{
    return __atomic_load_n(&bustle->batches, __ATOMIC_RELAXED);
}

/* ---- nothing is wrong -------------------------------------------------------------------------------- */

SOUK_TEST("beside events, merges and erasures that go on, nothing differs where nothing is wrong")
{
    static struct bustle bustle;
    unsigned checks = 0;
    bustle_open(test, &bustle);
    bustle_begin(&bustle, true);
    while (checks < 3 || (batches_of(&bustle) < BATCHES && goes_on(&bustle))) {
        souk_diag diag = {.words = ""};
        souk_err err = souk_spine_verify(bustle.spine, NULL, NULL, &diag);
        if (err)
            test_fail(test, __FILE__, __LINE__, "check %u: %s: %s", checks, souk_err_name(err),
                      diag.words);
        checks++;
    }
    bustle_end(&bustle);
    SOUK_MUST(souk_spine_verify(bustle.spine, NULL, NULL, NULL));
    fprintf(stderr, "  %u checks beside %u batches and %u erasures\n", checks, bustle.batches,
            bustle.erased);
    bustle_close(&bustle);
}

/* ---- something is -------------------------------------------------------------------------------------- */

struct damage {
    souk_batch batch; /* of no events: the writer calls settle between two groups */
    struct bustle *bustle;
    souk_hash128 hash;
    uint32_t atom;
    unsigned how;
    bool done;
    souk_err err;
};

static void damage_now(souk_batch *batch)
{
    struct damage *damage = (struct damage *)(void *)batch;
    souk_index *index = souk_spine_index(damage->bustle->spine);
    if (damage->done) /* by a run before this one */
        return;
    damage->done = true;
    souk_index_lock(index);
    souk_fact fact = {.position = souk_index_through(index) - 1,
                      .source = 1,
                      .at = souk_index_atom(index, damage->atom)->first_at,
                      .type = 1,
                      .atom = damage->how == 0 ? damage->atom : 0};
    if (damage->how < 2) /* one event too many: of an atom; of nobody */
        damage->err = souk_index_fold(index, &fact, NULL);
    else if (damage->how == 2)
        souk_index_unlink(index, damage->hash);
    else if (damage->how == 3)
        damage->err = souk_index_join(index, 1, 2);
    else
        souk_index_erase_atom(index, damage->atom);
    souk_index_unlock(index);
}

/* Damages the live index as a bug in a fold would. */
static void damage(struct bustle *bustle, unsigned how)
{
    souk_test *test = bustle->test;
    static souk_person person;
    souk_text quiet = SOUK_TEXT("quiet");
    SOUK_MUST(souk_spine_find(bustle->spine, SOUK_ID_USER, quiet, &person));
    struct damage damage = {
        .batch = {.settle = damage_now},
        .bustle = bustle,
        .hash = souk_hashes_identifier(souk_spine_hashes(bustle->spine), SOUK_ID_USER, quiet),
        .atom = person.atoms[0],
        .how = how};
    SOUK_MUST(souk_spine_write(bustle->spine, &damage.batch));
    SOUK_MUST(damage.err);
}

SOUK_TEST("one event, identifier, person or erasure that differs is found while events go on")
{
    static struct bustle bustle;
    static const char *const words[] = {"sums", "totals", "leads elsewhere", "totals", "identity"};
    for (unsigned how = 0; how < 5; how++) {
        souk_diag diag = {.words = ""};
        bustle_open(test, &bustle);
        for (unsigned i = 0; i < 20; i++)
            SOUK_MUST(feed_once(&bustle));
        SOUK_MUST(feed_quiet(&bustle));
        bustle_begin(&bustle, false);
        SOUK_MUST(souk_spine_verify(bustle.spine, NULL, NULL, NULL));
        damage(&bustle, how);
        SOUK_CHECK_ERR(souk_spine_verify(bustle.spine, NULL, NULL, &diag), SOUK_ECORRUPT);
        if (!strstr(diag.words, words[how]))
            test_fail(test, __FILE__, __LINE__, "damage %u: '%s'", how, diag.words);
        bustle_end(&bustle);
        bustle_close(&bustle);
        SOUK_MUST(souk_disk_open_real(souk_mem_heap(), test_folder(test), &bustle.disk, NULL));
        static const char *const files[] = {"ledger", "ledger-wal", "ledger-shm",
                                            "keys",   "root.key",   "index"};
        for (size_t i = 0; i < 6; i++)
            if (souk_disk_exists(bustle.disk, files[i]))
                SOUK_MUST(souk_disk_remove(bustle.disk, files[i]));
        SOUK_MUST(souk_runs_reset(bustle.disk, "seen"));
        SOUK_MUST(souk_runs_reset(bustle.disk, "timeline"));
        souk_disk_free(bustle.disk);
    }
}

/* ---- cut off ------------------------------------------------------------------------------------------- */

struct patience {
    unsigned calls, most;
    uint64_t last_done;
    bool went_back;
};

static souk_err lose_patience(void *context, uint64_t done, uint64_t total)
{
    struct patience *patience = context;
    patience->went_back |= done < patience->last_done || done > total;
    patience->last_done = done;
    return patience->calls++ == patience->most ? SOUK_EINTERRUPT : SOUK_OK;
}

SOUK_TEST(
    "a check is cut off at every word of progress, and the shop goes on as if it had not been")
{
    static struct bustle bustle;
    struct patience patience = {.most = 0};
    bustle_open(test, &bustle);
    for (unsigned i = 0; i < 20; i++)
        SOUK_MUST(feed_once(&bustle));
    souk_err err;
    while ((err = souk_spine_verify(bustle.spine, lose_patience, &patience, NULL))) {
        SOUK_CHECK(err == SOUK_EINTERRUPT && !patience.went_back);
        SOUK_MUST(feed_once(&bustle));
        patience = (struct patience){.most = patience.most + 1 + patience.most / 4};
    }
    SOUK_CHECK(patience.most > 10 && !patience.went_back);
    SOUK_CHECK(patience.last_done == souk_spine_end(bustle.spine) - 1);
    bustle_close(&bustle);
}
