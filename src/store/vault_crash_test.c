/* vault_crash_test.c - what vault.h promises when the power goes, the disk fails or memory ends.
 *
 * The test plays the ledger: it knows which slots were acknowledged as taken or destroyed, and
 * survives every cut.  After each disaster the promises are counted that were broken. */
#include "os/disk.h"
#include "store/vault.h"
#include "store/vault_format.h"
#include "test/test.h"

#include <stdio.h>

enum { BLOCK = 64, TEXT = 24, MOST = 400, ROUNDS = 4, TAKEN = 30, DESTROYED = 3 };
static const souk_vault_options small = {.block_slots = BLOCK, .cache_keys = 8};

typedef enum page_state { LIVE, DESTROYING, GONE } page_state;
typedef struct page {
    uint32_t slot;
    page_state state;
    uint8_t nonce[24], sealed[TEXT + 16];
    uint8_t seed[SOUK_VAULT_SEED_BYTES], key[32]; /* from before the destroy, where has_bytes */
    bool has_bytes;
} page;
typedef struct book {
    bool made; /* init was acknowledged */
    uint32_t count;
    page pages[MOST];
} book;

static souk_seal_place place_of(uint32_t slot)
{
    return (souk_seal_place){.merchant = 1, .atom = slot, .class = 2, .position = slot};
}

static void text_of(uint32_t slot, uint8_t text[TEXT])
{
    for (size_t i = 0; i < TEXT; i++)
        text[i] = (uint8_t)(slot >> (i % 4 * 8)) ^ (uint8_t)i;
}

static bool book_knows(const book *known, uint32_t slot)
{
    for (uint32_t i = 0; i < known->count; i++)
        if (known->pages[i].slot == slot)
            return true;
    return false;
}

/* A slot with a text under it, in the book once both succeeded. */
static souk_err book_take(book *known, souk_vault *vault, bool *ret_known_before)
{
    souk_assert(known->count < MOST);
    page fresh = {0};
    uint8_t text[TEXT];
    SOUK_TRY(souk_vault_take(vault, &fresh.slot));
    souk_seal_place place = place_of(fresh.slot);
    text_of(fresh.slot, text);
    memcpy(fresh.nonce, &fresh.slot, sizeof fresh.slot);
    SOUK_TRY(souk_vault_seal(vault, fresh.slot, &place, fresh.nonce, text, TEXT, fresh.sealed));
    if (ret_known_before)
        *ret_known_before = book_knows(known, fresh.slot);
    known->pages[known->count++] = fresh;
    return SOUK_OK;
}

static souk_err page_open(const page *one, souk_vault *vault)
{
    uint8_t text[TEXT], right[TEXT];
    souk_seal_place place = place_of(one->slot);
    text_of(one->slot, right);
    SOUK_TRY(souk_vault_unseal(vault, one->slot, &place, one->nonce, one->sealed,
                               sizeof one->sealed, text));
    return memcmp(text, right, TEXT) ? SOUK_ECONFLICT : SOUK_OK;
}

/* Keeps the bytes that a destroy has to make disappear. */
static souk_err page_remember(page *one, souk_disk *disk)
{
    souk_auto(souk_file) keys = NULL;
    souk_auto(souk_file) root_file = NULL;
    uint8_t header[SOUK_VAULT_HEADER_BYTES], record[SOUK_VAULT_RECORD_BYTES], root_key[32];
    char digits[65];
    size_t got[3];
    SOUK_TRY(souk_file_open(disk, "keys", SOUK_FILE_READ, &keys));
    SOUK_TRY(souk_file_open(disk, "root.key", SOUK_FILE_READ, &root_file));
    SOUK_TRY(souk_file_read(keys, header, sizeof header, 0, &got[0]));
    SOUK_TRY(
        souk_file_read(keys, record, sizeof record, souk_vault_record_offset(one->slot), &got[1]));
    SOUK_TRY(souk_file_read(root_file, digits, sizeof digits, 0, &got[2]));
    souk_vault_root root;
    souk_vault_form form;
    uint32_t copies;
    if (!souk_vault_root_parse((souk_text){digits, got[2]}, root_key))
        return SOUK_ECORRUPT;
    souk_vault_root_set(&root, root_key);
    SOUK_TRY(souk_vault_header_read(&root, header, &form, &copies, NULL));
    SOUK_TRY(souk_vault_record_open(&root, &form, one->slot, record, one->key));
    memcpy(one->seed, record, sizeof one->seed);
    one->has_bytes = true;
    return SOUK_OK;
}

/* Destroys the pages in state DESTROYING, together. */
static souk_err book_destroy(book *known, souk_vault *vault)
{
    uint32_t slots[MOST], count = 0;
    for (uint32_t i = 0; i < known->count; i++)
        if (known->pages[i].state == DESTROYING)
            slots[count++] = known->pages[i].slot;
    SOUK_TRY(souk_vault_destroy(vault, slots, count));
    for (uint32_t i = 0; i < known->count; i++)
        if (known->pages[i].state == DESTROYING)
            known->pages[i].state = GONE;
    return SOUK_OK;
}

static souk_err book_open(const book *known, souk_mem *mem, souk_disk *disk, souk_vault **ret_vault)
{
    souk_auto(souk_vault) vault = NULL;
    SOUK_TRY(souk_vault_open(mem, disk, &small, &vault, NULL));
    for (uint32_t i = 0; i < known->count; i++)
        SOUK_TRY(souk_vault_mark_taken(vault, known->pages[i].slot));
    *ret_vault = souk_take(&vault);
    return SOUK_OK;
}

/* The life of a shop, as far as it gets. */
static souk_err story(book *known, souk_mem *mem, souk_disk *disk)
{
    SOUK_TRY(souk_vault_init(mem, disk, &small, NULL));
    known->made = true;
    souk_auto(souk_vault) vault = NULL;
    SOUK_TRY(book_open(known, mem, disk, &vault));
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < TAKEN; i++)
            SOUK_TRY(book_take(known, vault, NULL));
        SOUK_TRY(souk_vault_prepare(vault));
        for (uint32_t i = 0; i < DESTROYED; i++) {
            page *victim = &known->pages[round * TAKEN + i * 7];
            SOUK_TRY(page_remember(victim, disk));
            victim->state = DESTROYING;
        }
        SOUK_TRY(book_destroy(known, vault));
    }
    return SOUK_OK;
}

/* ---- what a thief would find ----------------------------------------------------------- */

typedef struct hunt {
    const book *known;
    uint32_t found;
} hunt;

static void hunt_in(void *context, const char *name, const void *at, size_t bytes)
{
    (void)name;
    hunt *hunted = context;
    for (uint32_t i = 0; i < hunted->known->count; i++) {
        const page *one = &hunted->known->pages[i];
        if (!one->has_bytes)
            continue;
        hunted->found += memmem(at, bytes, one->key, 32) != NULL;
        if (one->state != GONE)
            continue;
        /* in halves, so that half a key left behind is found too */
        hunted->found += memmem(at, bytes, one->seed, sizeof one->seed) != NULL;
    }
}

static uint32_t hunt_on(const book *known, souk_disk *disk)
{
    hunt hunted = {known, 0};
    souk_sim_scan(disk, hunt_in, &hunted);
    return hunted.found;
}

/* ---- the promises ---------------------------------------------------------------------- */

static uint32_t states_broken(const book *known, souk_vault *vault)
{
    uint32_t broken = 0;
    for (uint32_t i = 0; i < known->count; i++) {
        const page *one = &known->pages[i];
        souk_err err = page_open(one, vault);
        broken += !((err == SOUK_OK && one->state != GONE) ||
                    (err == SOUK_EERASED && one->state != LIVE));
    }
    return broken;
}

/* How many promises are broken now; what was half destroyed is finished, some slots are taken. */
static uint32_t promises_broken(book *known, souk_mem *mem, souk_disk *disk)
{
    souk_auto(souk_vault) vault = NULL;
    uint32_t broken = 0;
    if (!known->made) {
        souk_err err = souk_vault_init(mem, disk, &small, NULL);
        if (err != SOUK_OK && err != SOUK_EEXIST)
            return 1;
        known->made = true;
    }
    if (book_open(known, mem, disk, &vault) != SOUK_OK)
        return 1;
    broken += states_broken(known, vault) + hunt_on(known, disk);
    broken += book_destroy(known, vault) != SOUK_OK;
    for (uint32_t i = 0; i < 10; i++) {
        bool known_before = false;
        broken += book_take(known, vault, &known_before) != SOUK_OK;
        broken += known_before;
    }
    broken += states_broken(known, vault) + hunt_on(known, disk);
    return broken;
}

/* Cuts the story at every operation, each torn in that many ways; counts broken promises. */
static uint32_t cut_everywhere(souk_test *test, uint32_t seeds, bool lying_sync, uint64_t *ret_cuts)
{
    static book known;
    uint32_t broken = 0;
    bool finished = false;
    for (uint64_t at = 1; !finished; at++) {
        for (uint32_t seed = 0; seed < seeds; seed++) {
            souk_auto(souk_disk) disk = NULL;
            memset(&known, 0, sizeof known);
            SOUK_MUST(souk_disk_open_sim(test->mem, at * 1000 + seed, &disk));
            souk_sim_plan(disk, (souk_sim_faults){.cut_at = at, .lying_sync = lying_sync});
            souk_err err = story(&known, test->mem, disk);
            finished = err == SOUK_OK;
            SOUK_CHECK(finished || souk_sim_is_cut(disk));
            souk_sim_power_on(disk);
            broken += promises_broken(&known, test->mem, disk);
            /* once more, without a warning: what was just acknowledged has to be there */
            souk_sim_power_on(disk);
            broken += promises_broken(&known, test->mem, disk);
        }
        *ret_cuts = at;
    }
    return broken;
}

SOUK_TEST("after a power cut at any operation every promise of the vault holds")
{
    uint64_t cuts;
    SOUK_CHECK(cut_everywhere(test, 12, false, &cuts) == 0);
    SOUK_CHECK(cuts > 30);
}

SOUK_TEST("a disk that lies about syncs breaks promises, and the count shows it")
{
    uint64_t cuts;
    SOUK_CHECK(cut_everywhere(test, 2, true, &cuts) > 10);
}

static void fail_everywhere(souk_test *test, souk_sim_faults faults)
{
    static book known;
    bool finished = false;
    for (uint64_t at = 1; !finished; at++) {
        souk_auto(souk_disk) disk = NULL;
        memset(&known, 0, sizeof known);
        SOUK_MUST(souk_disk_open_sim(test->mem, at, &disk));
        faults.fail_at = at;
        souk_sim_plan(disk, faults);
        souk_err err = story(&known, test->mem, disk);
        finished = err == SOUK_OK;
        SOUK_CHECK(finished || err == (faults.fail_err ? faults.fail_err : SOUK_EIO));
        /* the process starts anew on a disk that works; then the power goes */
        souk_sim_plan(disk, (souk_sim_faults){0});
        SOUK_CHECK(promises_broken(&known, test->mem, disk) == 0);
        souk_sim_power_on(disk);
        SOUK_CHECK(promises_broken(&known, test->mem, disk) == 0);
    }
}

SOUK_TEST("after any failed write, sync or read the promises hold, and after a cut behind it")
{
    fail_everywhere(test, (souk_sim_faults){0});
    fail_everywhere(test, (souk_sim_faults){.fail_err = SOUK_EFULL});
    fail_everywhere(test, (souk_sim_faults){.fail_for_ever = true});
    fail_everywhere(test, (souk_sim_faults){.fail_reads = true});
}

SOUK_TEST("a full disk stops new blocks and nothing else")
{
    static book known;
    souk_auto(souk_disk) disk = NULL;
    memset(&known, 0, sizeof known);
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(souk_vault_init(test->mem, disk, &small, NULL));
    souk_auto(souk_vault) vault = NULL;
    SOUK_MUST(book_open(&known, test->mem, disk, &vault));
    SOUK_MUST(souk_vault_prepare(vault));
    souk_sim_plan(disk, (souk_sim_faults){.capacity_bytes = 15 * 1024});
    for (uint32_t i = 0; i < BLOCK; i++)
        SOUK_MUST(book_take(&known, vault, NULL));
    SOUK_CHECK_ERR(book_take(&known, vault, NULL), SOUK_EFULL);
    SOUK_CHECK_ERR(souk_vault_prepare(vault), SOUK_EFULL);
    known.pages[5].state = DESTROYING;
    SOUK_MUST(book_destroy(&known, vault));
    SOUK_CHECK(states_broken(&known, vault) == 0);
    souk_sim_plan(disk, (souk_sim_faults){0});
    SOUK_MUST(book_take(&known, vault, NULL));
}

/* ---- a failed sync --------------------------------------------------------------------- */

SOUK_TEST("after a failed sync nothing is written until the vault is opened anew")
{
    static book known;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto(souk_vault) vault = NULL;
        memset(&known, 0, sizeof known);
        SOUK_MUST(souk_disk_open_sim(test->mem, seed, &disk));
        SOUK_MUST(souk_vault_init(test->mem, disk, &small, NULL));
        SOUK_MUST(book_open(&known, test->mem, disk, &vault));
        for (uint32_t i = 0; i < 5; i++)
            SOUK_MUST(book_take(&known, vault, NULL));
        known.pages[2].state = DESTROYING;
        souk_sim_plan(disk, (souk_sim_faults){.fail_at = 2});
        SOUK_CHECK_ERR(book_destroy(&known, vault), SOUK_EIO);
        uint64_t before = souk_sim_operations(disk);
        SOUK_CHECK_ERR(book_destroy(&known, vault), SOUK_EIO);
        SOUK_CHECK(souk_sim_operations(disk) == before);
        SOUK_CHECK(souk_vault_stats_of(vault).writes_failed);
        SOUK_CHECK(states_broken(&known, vault) == 0);
        SOUK_MUST(book_take(&known, vault, NULL)); /* what is made stays usable */
        souk_vault_free(souk_take(&vault));
        souk_sim_plan(disk, (souk_sim_faults){0});
        SOUK_MUST(book_open(&known, test->mem, disk, &vault));
        SOUK_MUST(book_destroy(&known, vault)); /* seen as destroyed, yet written again */
        souk_vault_free(souk_take(&vault));
        souk_sim_power_on(disk);
        SOUK_CHECK(promises_broken(&known, test->mem, disk) == 0);
    }
}

SOUK_TEST("a block that is made a second time has other keys")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_vault) vault = NULL;
    static uint8_t before[BLOCK][SOUK_VAULT_RECORD_BYTES], after[BLOCK][SOUK_VAULT_RECORD_BYTES];
    uint32_t slot;
    SOUK_MUST(souk_disk_open_sim(test->mem, 3, &disk));
    SOUK_MUST(souk_vault_init(test->mem, disk, &small, NULL));
    SOUK_MUST(souk_vault_open(test->mem, disk, &small, &vault, NULL));
    souk_sim_plan(disk, (souk_sim_faults){.fail_at = 3});
    SOUK_CHECK_ERR(souk_vault_take(vault, &slot), SOUK_EIO);
    {
        souk_auto(souk_file) file = NULL;
        size_t got;
        SOUK_MUST(souk_file_open(disk, "keys", SOUK_FILE_READ, &file));
        SOUK_MUST(souk_file_read(file, before, sizeof before, souk_vault_record_offset(256), &got));
        SOUK_MUST(souk_vault_take(vault, &slot));
        SOUK_MUST(souk_file_read(file, after, sizeof after, souk_vault_record_offset(256), &got));
    }
    for (size_t i = SOUK_VAULT_SECTOR_BYTES / SOUK_VAULT_RECORD_BYTES; i < BLOCK; i++)
        SOUK_CHECK(memcmp(before[i], after[i], SOUK_VAULT_SEED_BYTES) != 0);
}

/* ---- copies and memory ----------------------------------------------------------------- */

SOUK_TEST("a copy cut off or failing anywhere is whole or not there, and leaves no part behind")
{
    static book known;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_vault) vault = NULL;
    memset(&known, 0, sizeof known);
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(souk_vault_init(test->mem, disk, &small, NULL));
    SOUK_MUST(book_open(&known, test->mem, disk, &vault));
    for (uint32_t i = 0; i < 5; i++)
        SOUK_MUST(book_take(&known, vault, NULL));
    uint8_t root[65];
    {
        souk_auto(souk_file) file = NULL;
        size_t got;
        SOUK_MUST(souk_file_open(disk, "root.key", SOUK_FILE_READ, &file));
        SOUK_MUST(souk_file_read(file, root, sizeof root, 0, &got));
    }
    for (int cut = 0; cut < 2; cut++) {
        souk_err err = SOUK_EIO;
        for (uint64_t at = 1; err; at++) {
            souk_auto(souk_disk) to = NULL;
            SOUK_MUST(souk_disk_open_sim(test->mem, at, &to));
            SOUK_MUST(souk_disk_put(to, "root.key", root, sizeof root));
            souk_sim_plan(to, (souk_sim_faults){.cut_at = cut ? at : 0, .fail_at = cut ? 0 : at});
            err = souk_vault_copy(vault, to, "keys");
            SOUK_CHECK(err == SOUK_OK || err == SOUK_EIO);
            souk_sim_plan(to, (souk_sim_faults){0});
            SOUK_CHECK(cut || !souk_disk_exists(to, "keys.part"));
            souk_sim_power_on(to);
            SOUK_CHECK(err || souk_disk_exists(to, "keys"));
            souk_auto(souk_vault) copy = NULL;
            if (souk_disk_exists(to, "keys")) {
                SOUK_MUST(book_open(&known, test->mem, to, &copy));
                SOUK_CHECK(states_broken(&known, copy) == 0);
            }
        }
    }
}

SOUK_TEST("when memory ends anywhere the story says so, leaks nothing and breaks no promise")
{
    static book known;
    SOUK_FAULT_LOOP (test) {
        memset(&known, 0, sizeof known);
        souk_disk *disk = NULL;
        /* the disk's own memory does not fail: its faults are the disk's tests */
        SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 1, &disk));
        souk_err err = story(&known, test->mem, disk);
        souk_vault_found found;
        souk_auto(souk_vault) vault = NULL;
        if (!err)
            err = book_open(&known, test->mem, disk, &vault);
        if (!err)
            err = souk_vault_copy(vault, disk, "copy");
        if (!err)
            err = souk_vault_check(vault, 0, &found, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        souk_vault_free(souk_take(&vault));
        uint64_t fail_at = test->fail_at;
        test->fail_at = 0;
        uint32_t broken = promises_broken(&known, test->mem, disk);
        test->fail_at = fail_at;
        souk_disk_free(disk);
        SOUK_CHECK(broken == 0);
        test_fault_seen(test, err);
    }
}

SOUK_TEST("an init that failed, then was cut off anywhere, can be repeated")
{
    bool finished = false;
    for (uint64_t at = 1; !finished; at++) {
        for (uint64_t seed = 0; seed < 12; seed++) {
            souk_auto(souk_disk) disk = NULL;
            souk_auto(souk_vault) vault = NULL;
            SOUK_MUST(souk_disk_open_sim(test->mem, at * 100 + seed, &disk));
            souk_sim_plan(disk, (souk_sim_faults){.fail_at = 5}); /* root.key's folder sync */
            SOUK_CHECK_ERR(souk_vault_init(test->mem, disk, &small, NULL), SOUK_EIO);
            souk_sim_plan(disk, (souk_sim_faults){.cut_at = at});
            finished = souk_vault_init(test->mem, disk, &small, NULL) == SOUK_OK;
            souk_sim_power_on(disk);
            souk_err err = souk_vault_init(test->mem, disk, &small, NULL);
            SOUK_CHECK(err == SOUK_OK || err == SOUK_EEXIST);
            SOUK_MUST(souk_vault_open(test->mem, disk, &small, &vault, NULL));
        }
    }
}
