/* vault_threads_test.c - readers, a maker of blocks and an erasure at once on one vault. */
#include "test/test.h"

#include "base/random.h"
#include "os/thread.h"
#include "store/vault_desk.h"

#include <stdatomic.h>

enum { SHARED_SLOTS = 96, READERS = 3 };
typedef struct vault_shared {
    souk_vault *vault;
    uint32_t slots[SHARED_SLOTS];
    parcel texts[SHARED_SLOTS];
    _Atomic bool destroyed[SHARED_SLOTS]; /* set once destroy returned */
    _Atomic bool stop;
    _Atomic uint32_t wrong, opened;
} vault_shared;

static void run_reader(void *context)
{
    vault_shared *shared = context;
    souk_random random = souk_random_of((uintptr_t)&random);
    while (!atomic_load(&shared->stop)) {
        size_t i = souk_random_below(&random, SHARED_SLOTS);
        bool was_destroyed = atomic_load(&shared->destroyed[i]);
        souk_err err = parcel_open(shared->vault, shared->slots[i], &shared->texts[i]);
        bool right = err == SOUK_EERASED || (err == SOUK_OK && !was_destroyed);
        atomic_fetch_add(&shared->wrong, !right);
        atomic_fetch_add(&shared->opened, err == SOUK_OK);
    }
}

static void run_maker(void *context)
{
    vault_shared *shared = context;
    while (!atomic_load(&shared->stop))
        if (souk_vault_prepare(shared->vault) != SOUK_OK)
            atomic_fetch_add(&shared->wrong, 1);
}

SOUK_TEST("readers beside a writer, a maker and an erasure see the text or that it is gone")
{
    vault_desk desk = desk_of(test, &small);
    static vault_shared shared;
    memset(&shared, 0, sizeof shared);
    shared.vault = desk.vault;
    for (uint32_t i = 0; i < SHARED_SLOTS; i++) {
        SOUK_MUST(souk_vault_take(desk.vault, &shared.slots[i]));
        SOUK_MUST(parcel_seal(desk.vault, shared.slots[i], i, &shared.texts[i]));
    }
    souk_thread readers[READERS] = {0}, maker = {0};
    for (int i = 0; i < READERS; i++)
        SOUK_MUST(souk_thread_start(&readers[i], "reader", run_reader, &shared));
    SOUK_MUST(souk_thread_start(&maker, "maker", run_maker, &shared));
    souk_err failed = SOUK_OK;
    for (uint32_t i = 0; i < SHARED_SLOTS && !failed; i++) {
        /* every reader gets a look in between */
        for (uint32_t seen = atomic_load(&shared.opened);
             i + 1 < SHARED_SLOTS && atomic_load(&shared.opened) < seen + 20;) {
            uint32_t slot;
            parcel text;
            failed = failed ? failed : souk_vault_take(desk.vault, &slot);
            failed = failed ? failed : parcel_seal(desk.vault, slot, 1000 + i, &text);
            failed = failed ? failed : parcel_open(desk.vault, slot, &text);
            if (failed)
                break;
        }
        failed = failed ? failed : souk_vault_destroy(desk.vault, &shared.slots[i], 1);
        atomic_store(&shared.destroyed[i], true);
    }
    atomic_store(&shared.stop, true);
    for (int i = 0; i < READERS; i++)
        souk_thread_join(&readers[i]);
    souk_thread_join(&maker);
    SOUK_MUST(failed);
    SOUK_CHECK(atomic_load(&shared.wrong) == 0);
    desk_done(&desk);
}
