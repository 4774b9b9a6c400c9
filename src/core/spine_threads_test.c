/* spine_threads_test.c - doors, readers, decisions, erasures and snapshots at the same time, on a real disk.
 *
 * Its worth is under TSan, and in what must hold afterwards: every accepted event is there once, and everything
 * derived equals the log. */
#include "test/test.h"

#include "core/spine.h"

#include <stdio.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
enum { DOORS = 3, READERS = 2, BATCHES = 25, BATCH = 20, USERS = 40, DECISIONS = 20 };
#else
enum { DOORS = 3, READERS = 2, BATCHES = 120, BATCH = 20, USERS = 40, DECISIONS = 80 };
#endif

struct shop {
    souk_test *test;
    souk_mem *mem; /* counts nothing: the test's own is for one thread */
    souk_disk *disk;
    souk_spine *spine;
    souk_spine_options options;
    bool done;              /* the doors have sent everything; atomic */
    uint64_t read, decided; /* atomic */
};

struct actor {
    struct shop *shop;
    uint64_t random;
    unsigned number;
    souk_err err;
    uint64_t accepted, repeats;
    souk_person person;
};

static uint64_t chance(struct actor *actor, uint64_t below)
{
    actor->random = souk_mix64(actor->random + 0x9e3779b97f4a7c15);
    return actor->random % below;
}

/* ---- doors ------------------------------------------------------------------------------------------ */

struct words {
    char message[24], user[16], device[16];
};

static void make_event(struct actor *actor, uint32_t number, struct words *words, souk_event *event)
{
    const souk_hashes *hashes = souk_spine_hashes(actor->shop->spine);
    uint64_t who = souk_mix64(number + 1000u * actor->number);
    snprintf(words->message, sizeof words->message, "m%u-%u", actor->number, number);
    snprintf(words->user, sizeof words->user, "u%u", (unsigned)(who % USERS));
    snprintf(words->device, sizeof words->device, "d%u", (unsigned)(who / USERS % 60));
    *event = (souk_event){.at = 1767268800000 + number,
                          .received = 1767268800000 + number,
                          .type = SOUK_TEXT("Product Viewed"),
                          .message = souk_hashes_message(hashes, 1, souk_text_of(words->message)),
                          .packed = SOUK_TEXT("\0{}")};
    if (who >> 32 & 3)
        souk_event_identify(event, hashes, SOUK_ID_USER, souk_text_of(words->user));
    souk_event_identify(event, hashes, SOUK_ID_DEVICE, souk_text_of(words->device));
}

static souk_err send_batch(struct actor *actor, uint32_t first)
{
    souk_event events[BATCH];
    struct words words[BATCH];
    for (uint32_t i = 0; i < BATCH; i++)
        make_event(actor, first + i, &words[i], &events[i]);
    souk_batch batch = {.source = 1, .events = events, .count = BATCH};
    souk_err err = souk_spine_write(actor->shop->spine, &batch); /* it waits for the keeper */
    actor->accepted += err ? 0 : batch.accepted;
    actor->repeats += err ? 0 : batch.repeats;
    return err;
}

static void run_door(void *context)
{
    struct actor *actor = context;
    for (uint32_t i = 0; i < BATCHES && !actor->err; i++)
        actor->err = send_batch(actor, i * BATCH);
}

/* ---- readers ------------------------------------------------------------------------------------------ */

static bool find_someone(struct actor *actor)
{
    char user[16];
    snprintf(user, sizeof user, "u%u", (unsigned)chance(actor, USERS));
    return souk_spine_find(actor->shop->spine, SOUK_ID_USER, souk_text_of(user), &actor->person) ==
           SOUK_OK;
}

static souk_err read_someone(struct actor *actor, souk_arena *arena)
{
    souk_spine *spine = actor->shop->spine;
    souk_index *index = souk_spine_index(spine);
    souk_grant grant;
    souk_profile profile;
    souk_story *stories;
    size_t count;
    souk_index_read(index);
    souk_err err =
        souk_consent_ask(souk_spine_consent(spine), index, &actor->person, SOUK_PURPOSE_PROFILE,
                         SOUK_OPERATOR, 1767268900000, &grant, NULL);
    souk_index_read_done(index);
    if (!err)
        err = souk_spine_profile(spine, &actor->person, &grant, arena, &profile);
    if (!err)
        err = souk_spine_timeline(spine, &actor->person, &grant, UINT64_MAX, 20, arena, &stories,
                                  &count);
    if (!err)
        __atomic_fetch_add(&actor->shop->read, 1, __ATOMIC_RELAXED);
    /* between the question and the reading she may withdraw, be merged or erased */
    return err == SOUK_EDENIED || err == SOUK_EERASED ? SOUK_OK : err;
}

static void run_reader(void *context)
{
    struct actor *actor = context;
    souk_arena arena = {.mem = actor->shop->mem};
    while (!__atomic_load_n(&actor->shop->done, __ATOMIC_ACQUIRE) && !actor->err) {
        if (find_someone(actor))
            actor->err = read_someone(actor, &arena);
        souk_arena_clear(&arena);
        souk_spine_counters counters;
        souk_spine_count(actor->shop->spine, &counters);
    }
    souk_arena_done(&arena);
}

/* ---- decisions ------------------------------------------------------------------------------------------ */

static souk_err decide(struct actor *actor)
{
    souk_spine *spine = actor->shop->spine;
    uint32_t first = actor->person.shopper;
    uint64_t events;
    souk_consent_row row = {.controller = SOUK_OPERATOR,
                            .purpose = SOUK_PURPOSE_PROFILE,
                            .basis = chance(actor, 4) ? SOUK_BASIS_CONSENT : SOUK_BASIS_WITHDRAWN,
                            .from = 1767268800000,
                            .evidence = SOUK_TEXT("a form")};
    switch (chance(actor, 8)) {
    case 0:
        return souk_spine_erase(spine, &actor->person, &events);
    case 1:
        return souk_spine_unmerge(spine, first, SOUK_TEXT("eve"), SOUK_TEXT(""));
    case 2:
    case 3:
        return find_someone(actor) ? souk_spine_merge(spine, first, actor->person.shopper,
                                                      SOUK_TEXT("eve"), SOUK_TEXT(""))
                                   : SOUK_OK;
    default:
        return souk_spine_consent_record(spine, &actor->person, &row, SOUK_AGE_ADULT);
    }
}

static void run_decider(void *context)
{
    struct actor *actor = context;
    for (unsigned i = 0; i < DECISIONS && !actor->err;) {
        if (!find_someone(actor) || !actor->person.shopper)
            continue;
        souk_err err = decide(actor);
        /* others may have been there first, or read so much that the erased one's traces wait in the log */
        if (err != SOUK_EEXIST && err != SOUK_ENOENT && err != SOUK_EERASED && err != SOUK_EBUSY)
            actor->err = err;
        __atomic_fetch_add(&actor->shop->decided, err == SOUK_OK, __ATOMIC_RELAXED);
        i++;
    }
}

/* ---- the test -------------------------------------------------------------------------------------------- */

static void begin(struct shop *shop, souk_test *test)
{
    *shop = (struct shop){.test = test, .mem = souk_mem_heap()};
    shop->options = (souk_spine_options){.vault = {.block_slots = 1024, .cache_keys = 256},
                                         .runs_memory = 512,
                                         .snapshot_events = 500};
    SOUK_MUST(souk_disk_open_real(shop->mem, test_folder(test), &shop->disk, NULL));
    SOUK_MUST(souk_spine_init(shop->mem, shop->disk, &shop->options, NULL));
    SOUK_MUST(souk_spine_open(shop->mem, shop->disk, &shop->options, &shop->spine, NULL));
}

SOUK_TEST("doors, readers, decisions, erasures and snapshots at once leave every event once, and "
          "all in order")
{
    static struct actor actors[DOORS + READERS + 1];
    static souk_thread threads[DOORS + READERS + 1];
    static const char *const names[] = {"door", "reader", "decider"};
    struct shop shop;
    uint64_t accepted = 0;
    begin(&shop, test);
    for (unsigned i = 0; i < DOORS + READERS + 1; i++) {
        unsigned kind = i < DOORS ? 0 : i < DOORS + READERS ? 1 : 2;
        actors[i] = (struct actor){.shop = &shop, .number = i, .random = test_random(test, 0)};
        SOUK_MUST(souk_thread_start(&threads[i], names[kind],
                                    kind == 0   ? run_door
                                    : kind == 1 ? run_reader
                                                : run_decider,
                                    &actors[i]));
    }
    for (unsigned i = 0; i < DOORS; i++)
        souk_thread_join(&threads[i]);
    souk_thread_join(&threads[DOORS + READERS]);
    __atomic_store_n(&shop.done, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < READERS; i++)
        souk_thread_join(&threads[DOORS + i]);
    for (unsigned i = 0; i < DOORS + READERS + 1; i++) {
        SOUK_MUST(actors[i].err);
        accepted += actors[i].accepted;
        SOUK_CHECK(actors[i].repeats == 0);
    }
    SOUK_CHECK(accepted == (uint64_t)DOORS * BATCHES * BATCH && shop.decided > 0);
    souk_diag diag = {.words = ""};
    souk_spine_counters counters;
    souk_spine_count(shop.spine, &counters);
    fprintf(stderr, "  threads: %llu events, %llu readings, %llu decisions, %llu snapshots\n",
            (unsigned long long)accepted, (unsigned long long)shop.read,
            (unsigned long long)shop.decided, (unsigned long long)counters.snapshots);
    souk_err verified = souk_spine_verify(shop.spine, NULL, NULL, &diag);
    if (verified)
        test_fail(test, __FILE__, __LINE__, "%s", diag.words);
    SOUK_CHECK(counters.snapshots_failed == 0);
    souk_spine_free(souk_take(&shop.spine)); /* as a crash: from the last snapshot on */
    SOUK_MUST(souk_spine_open(shop.mem, shop.disk, &shop.options, &shop.spine, NULL));
    for (unsigned i = 0; i < DOORS; i++) {
        actors[i].accepted = 0;
        run_door(&actors[i]);
        SOUK_CHECK(!actors[i].err && actors[i].accepted == 0 &&
                   actors[i].repeats == (uint64_t)BATCHES * BATCH);
    }
    verified = souk_spine_verify(shop.spine, NULL, NULL, &diag);
    if (verified)
        test_fail(test, __FILE__, __LINE__, "%s", diag.words);
    SOUK_MUST(souk_spine_close(shop.spine));
    souk_spine_free(souk_take(&shop.spine));
    souk_disk_free(shop.disk);
}

/* Batches that nobody has sent, until so many snapshots were made or have failed. */
static void write_until(struct actor *actor, uint32_t *sent, uint64_t made, uint64_t failed)
{
    souk_test *test = actor->shop->test;
    souk_spine_counters counters = {0};
    while (counters.snapshots < made || counters.snapshots_failed < failed) {
        SOUK_CHECK(*sent < 4000000); /* the keeper never came */
        SOUK_MUST(send_batch(actor, *sent));
        *sent += BATCH;
        souk_spine_count(actor->shop->spine, &counters);
    }
}

SOUK_TEST("snapshots that cannot be written stop neither events nor readers, and come again")
{
    static struct actor actor;
    souk_auto_value(souk_arena) arena = {.mem = souk_mem_heap()};
    struct shop shop;
    souk_diag diag = {.words = ""};
    uint64_t events;
    uint32_t sent = 0;
    char part[300];
    begin(&shop, test);
    actor = (struct actor){.shop = &shop, .random = 7};
    SOUK_MUST(souk_disk_make_folder(shop.disk, "index.part")); /* no file can be made there */
    write_until(&actor, &sent, 0, 1);
    while (!find_someone(&actor) || !actor.person.shopper)
        ;
    SOUK_MUST(read_someone(&actor, &arena));
    /* half done, for the folder is in its way, too: the keeper finishes it */
    SOUK_CHECK_ERR(souk_spine_erase(shop.spine, &actor.person, &events), SOUK_EINVAL);
    write_until(&actor, &sent, 0, 2);
    snprintf(part, sizeof part, "%s/index.part", souk_disk_folder(shop.disk));
    SOUK_CHECK(rmdir(part) == 0);
    write_until(&actor, &sent, 1, 2);
    if (souk_spine_verify(shop.spine, NULL, NULL, &diag))
        test_fail(test, __FILE__, __LINE__, "%s", diag.words);
    souk_spine_free(souk_take(&shop.spine)); /* as a crash, with whatever was under way */
    SOUK_MUST(souk_spine_open(shop.mem, shop.disk, &shop.options, &shop.spine, NULL));
    if (souk_spine_verify(shop.spine, NULL, NULL, &diag))
        test_fail(test, __FILE__, __LINE__, "%s", diag.words);
    SOUK_MUST(souk_spine_close(shop.spine));
    souk_spine_free(souk_take(&shop.spine));
    souk_disk_free(shop.disk);
}
