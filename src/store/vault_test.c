/* vault_test.c - what vault.h promises while the power stays on: a model, refusals, damage, copies. */
#include "test/test.h"

#include "store/vault_desk.h"

#include <stdio.h>
#include <sys/stat.h>

/* ---- the dumb model -------------------------------------------------------------------- */

enum { MODEL_MOST = 6 * BLOCK, MODEL_WORDS = (SOUK_VAULT_FIRST + 16 * BLOCK) / 64 };
typedef struct model_slot {
    uint32_t slot;
    bool destroyed;
    parcel text;
} model_slot;
typedef struct vault_model {
    souk_disk *disk;
    souk_vault *vault;
    model_slot *slots;
    uint32_t count;
} vault_model;

static bool model_knows(const vault_model *model, uint32_t slot)
{
    for (uint32_t i = 0; i < model->count; i++)
        if (model->slots[i].slot == slot)
            return true;
    return false;
}

static void model_take(souk_test *test, vault_model *model)
{
    uint32_t slot;
    SOUK_MUST(souk_vault_take(model->vault, &slot));
    SOUK_CHECK(slot >= SOUK_VAULT_FIRST);
    SOUK_CHECK(!model_knows(model, slot));
    model_slot *fresh = &model->slots[model->count++];
    *fresh = (model_slot){.slot = slot};
    SOUK_MUST(parcel_seal(model->vault, slot, (uint32_t)test_random(test, 1 << 30), &fresh->text));
}

static void model_destroy(souk_test *test, vault_model *model)
{
    uint32_t slots[3], count = 1 + (uint32_t)test_random(test, 3);
    for (uint32_t i = 0; i < count; i++) {
        model_slot *victim = &model->slots[test_random(test, model->count)];
        victim->destroyed = true;
        slots[i] = victim->slot;
    }
    SOUK_MUST(souk_vault_destroy(model->vault, slots, count));
}

static void model_reopen(souk_test *test, vault_model *model)
{
    souk_vault_free(model->vault);
    model->vault = NULL;
    SOUK_MUST(souk_vault_open(test->mem, model->disk, &small, &model->vault, NULL));
    uint64_t taken[MODEL_WORDS] = {0};
    bool at_once = test_random(test, 2);
    for (uint32_t i = 0; i < model->count; i++) {
        uint32_t slot = model->slots[i].slot;
        SOUK_MUST(slot / 64 < MODEL_WORDS ? SOUK_OK : SOUK_ETOOBIG);
        taken[slot / 64] |= (uint64_t)1 << (slot % 64);
        if (!at_once)
            SOUK_MUST(souk_vault_mark_taken(model->vault, slot));
    }
    if (at_once)
        SOUK_MUST(souk_vault_mark_all(model->vault, taken, MODEL_WORDS));
}

static void model_compare(souk_test *test, const vault_model *model, uint32_t i)
{
    const model_slot *one = &model->slots[i];
    SOUK_CHECK_ERR(parcel_open(model->vault, one->slot, &one->text),
                   one->destroyed ? SOUK_EERASED : SOUK_OK);
}

SOUK_TEST("a vault behaves as a list of texts would over random takes, seals, erasures, restarts")
{
    vault_model model = {.slots = souk_mem_array(test->mem, MODEL_MOST, sizeof(model_slot))};
    SOUK_MUST(souk_disk_open_sim(test->mem, 5, &model.disk));
    SOUK_MUST(souk_vault_init(test->mem, model.disk, &small, NULL));
    model_reopen(test, &model);
    for (int step = 0; step < 6000; step++) {
        uint64_t what = test_random(test, 100);
        if (what < 12 && model.count < MODEL_MOST)
            model_take(test, &model);
        else if (what < 15 && model.count)
            model_destroy(test, &model);
        else if (what < 17)
            SOUK_MUST(souk_vault_prepare(model.vault));
        else if (what < 18)
            model_reopen(test, &model);
        else if (model.count)
            model_compare(test, &model, (uint32_t)test_random(test, model.count));
    }
    for (uint32_t i = 0; i < model.count; i++)
        model_compare(test, &model, i);
    SOUK_CHECK(model.count > 2 * BLOCK);
    souk_vault_found found;
    SOUK_MUST(souk_vault_check(model.vault, 0, &found, NULL));
    SOUK_CHECK(found.damaged == 0 && found.destroyed > 20);
    SOUK_MUST(souk_vault_check(model.vault, 50, &found, NULL));
    SOUK_CHECK(found.checked == 50);
    souk_vault_free(model.vault);
    souk_disk_free(model.disk);
    souk_mem_put(test->mem, model.slots);
}

/* ---- sealing --------------------------------------------------------------------------- */

SOUK_TEST("a sealed text opens nowhere but in its place, slot and nonce")
{
    vault_desk desk = desk_of(test, &small);
    uint32_t slot, other;
    parcel text, moved;
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_MUST(souk_vault_take(desk.vault, &other));
    SOUK_MUST(parcel_seal(desk.vault, slot, 77, &text));
    SOUK_MUST(parcel_open(desk.vault, slot, &text));
    SOUK_CHECK_ERR(parcel_open(desk.vault, other, &text), SOUK_ECORRUPT);
    SOUK_CHECK_ERR(parcel_open(desk.vault, SOUK_VAULT_OPERATOR, &text), SOUK_ECORRUPT);
#define MOVED(change)                                                         \
    do {                                                                      \
        moved = text;                                                         \
        moved.change;                                                         \
        SOUK_CHECK_ERR(parcel_open(desk.vault, slot, &moved), SOUK_ECORRUPT); \
    } while (0)
    MOVED(place.merchant++);
    MOVED(place.atom++);
    MOVED(place.class ++);
    MOVED(place.position++);
    MOVED(place.position ^= (uint64_t)1 << 63);
    MOVED(nonce[0]++);
    MOVED(nonce[23]++);
    for (size_t i = 0; i < sizeof text.sealed; i++)
        MOVED(sealed[i] ^= 1);
#undef MOVED
    desk_done(&desk);
}

SOUK_TEST("texts of any length are sealed, also in their own memory, and short ones are refused")
{
    vault_desk desk = desk_of(test, &small);
    uint32_t slot;
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    souk_seal_place place = {.atom = 1};
    for (size_t bytes = 0; bytes < 300; bytes += 1 + bytes / 8) {
        uint8_t text[316], nonce[24] = {(uint8_t)bytes};
        memset(text, 'x', sizeof text);
        SOUK_MUST(souk_vault_seal(desk.vault, slot, &place, nonce, text, bytes, text));
        SOUK_CHECK_ERR(souk_vault_unseal(desk.vault, slot, &place, nonce, text, 15, text),
                       SOUK_ECORRUPT);
        SOUK_MUST(souk_vault_unseal(desk.vault, slot, &place, nonce, text, bytes + 16, text));
        for (size_t i = 0; i < bytes; i++)
            SOUK_CHECK(text[i] == 'x');
    }
    desk_done(&desk);
}

SOUK_TEST("a slot that was never made is not there, and 0 is never a slot")
{
    vault_desk desk = desk_of(test, &small);
    parcel text;
    uint32_t slot;
    static const uint32_t never[] = {0, 256, 256 + BLOCK, UINT32_MAX};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        SOUK_CHECK_ERR(parcel_seal(desk.vault, never[i], 1, &text), SOUK_ENOENT);
        SOUK_CHECK_ERR(parcel_open(desk.vault, never[i], &text), SOUK_ENOENT);
        SOUK_CHECK_ERR(souk_vault_mark_taken(desk.vault, never[i]), SOUK_ENOENT);
        uint64_t taken[MODEL_WORDS] = {0};
        if (never[i] / 64 < MODEL_WORDS) {
            taken[never[i] / 64] |= (uint64_t)1 << (never[i] % 64);
            SOUK_CHECK_ERR(souk_vault_mark_all(desk.vault, taken, MODEL_WORDS), SOUK_ENOENT);
        }
        SOUK_CHECK_ERR(souk_vault_destroy(desk.vault, &never[i], 1), SOUK_ENOENT);
    }
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_MUST(parcel_seal(desk.vault, slot, 1, &text));
    uint32_t mixed[2] = {slot, 300000};
    SOUK_CHECK_ERR(souk_vault_destroy(desk.vault, mixed, 2), SOUK_ENOENT);
    mixed[1] = SOUK_VAULT_OPERATOR;
    SOUK_CHECK_ERR(souk_vault_destroy(desk.vault, mixed, 2), SOUK_EINVAL);
    SOUK_MUST(parcel_open(desk.vault, slot, &text));
    desk_done(&desk);
}

SOUK_TEST("named keys differ from one another and stay the same after a restart")
{
    vault_desk desk = desk_of(test, &small);
    uint8_t first[256][32], again[32];
    for (unsigned which = 1; which < 256; which++) {
        SOUK_MUST(souk_vault_named(desk.vault, (souk_vault_name)which, first[which]));
        for (unsigned before = 1; before < which; before++)
            SOUK_CHECK(memcmp(first[before], first[which], 32) != 0);
    }
    desk_reopen(test, &desk);
    for (unsigned which = 1; which < 256; which++) {
        SOUK_MUST(souk_vault_named(desk.vault, (souk_vault_name)which, again));
        SOUK_CHECK(!memcmp(first[which], again, 32));
    }
    SOUK_CHECK_ERR(souk_vault_named(desk.vault, (souk_vault_name)0, again), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_vault_named(desk.vault, (souk_vault_name)256, again), SOUK_EINVAL);
    desk_done(&desk);
}

/* ---- taking ---------------------------------------------------------------------------- */

SOUK_TEST(
    "slots come in order, each once; what the ledger does not know comes again after a restart")
{
    enum { MANY = 4096, KNOWN = 1000 };
    souk_vault_options options = small;
    options.block_slots = MANY;
    vault_desk desk = desk_of(test, &options);
    uint32_t slot;
    for (uint32_t i = 0; i < MANY; i++) {
        SOUK_MUST(souk_vault_take(desk.vault, &slot));
        SOUK_CHECK(slot == 256 + i);
    }
    SOUK_CHECK(souk_vault_stats_of(desk.vault).free_slots == 0);
    desk_reopen(test, &desk);
    for (uint32_t i = 0; i < KNOWN; i++)
        SOUK_MUST(souk_vault_mark_taken(desk.vault, 256 + i + (i >= KNOWN / 2)));
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_CHECK(slot == 256 + KNOWN / 2);
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_CHECK(slot == 256 + KNOWN + 1);
    desk_done(&desk);
}

SOUK_TEST("a slot destroyed behind the one taken last is never handed out")
{
    vault_desk desk = desk_of(test, &small);
    uint32_t slot, next;
    parcel text;
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    next = slot + 1; /* its record was read with the first one's */
    SOUK_MUST(souk_vault_destroy(desk.vault, &next, 1));
    for (uint32_t i = 0; i + 2 < BLOCK; i++) {
        SOUK_MUST(souk_vault_take(desk.vault, &slot));
        SOUK_CHECK(slot != next);
        SOUK_MUST(parcel_seal(desk.vault, slot, 1, &text));
        SOUK_MUST(parcel_open(desk.vault, slot, &text));
    }
    desk_done(&desk);
}

SOUK_TEST("taking a slot neither writes nor syncs while a prepared one is left")
{
    vault_desk desk = desk_of(test, &small);
    uint32_t slot;
    SOUK_MUST(souk_vault_prepare(desk.vault));
    souk_sim_plan(desk.disk, (souk_sim_faults){0});
    for (uint32_t i = 0; i < BLOCK; i++)
        SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_CHECK(souk_sim_operations(desk.disk) == 0);
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_CHECK(souk_sim_operations(desk.disk) == 4); /* two writes, each with its sync */
    desk_done(&desk);
}

SOUK_TEST("preparing makes a block only when fewer than a quarter block are free")
{
    vault_desk desk = desk_of(test, &small);
    uint32_t slot;
    SOUK_MUST(souk_vault_prepare(desk.vault));
    for (uint32_t i = 0; i < BLOCK * 3 / 4; i++)
        SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_MUST(souk_vault_prepare(desk.vault));
    SOUK_CHECK(souk_vault_stats_of(desk.vault).made == 256 + BLOCK);
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_MUST(souk_vault_prepare(desk.vault));
    SOUK_CHECK(souk_vault_stats_of(desk.vault).made == 256 + 2 * BLOCK);
    SOUK_CHECK(souk_vault_stats_of(desk.vault).free_slots == 2 * BLOCK - BLOCK * 3 / 4 - 1);
    desk_done(&desk);
}

SOUK_TEST("the ceiling of slots holds, also for a file that is above it already")
{
    souk_vault_options options = small;
    options.slot_limit = 256 + 2 * BLOCK;
    vault_desk desk = desk_of(test, &options);
    uint32_t slot;
    for (uint32_t i = 0; i < 2 * BLOCK; i++)
        SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_CHECK_ERR(souk_vault_take(desk.vault, &slot), SOUK_ETOOBIG);
    SOUK_CHECK_ERR(souk_vault_prepare(desk.vault), SOUK_ETOOBIG);
    souk_vault_free(desk.vault);
    desk.vault = NULL;
    options.slot_limit = 300;
    SOUK_MUST(souk_vault_open(test->mem, desk.disk, &options, &desk.vault, NULL));
    for (uint32_t i = 0; i < 2 * BLOCK; i++)
        SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_CHECK_ERR(souk_vault_take(desk.vault, &slot), SOUK_ETOOBIG);
    desk_done(&desk);
}

SOUK_TEST("destroyed and damaged slots are passed over even when the ledger forgot them")
{
    vault_desk desk = desk_of(test, &small);
    uint32_t slot, gone[20];
    for (uint32_t i = 0; i < 20; i++)
        SOUK_MUST(souk_vault_take(desk.vault, &gone[i]));
    SOUK_MUST(souk_vault_destroy(desk.vault, gone, 19));
    SOUK_MUST(souk_vault_destroy(desk.vault, gone, 19)); /* again changes nothing */
    file_flip(test, desk.disk, souk_vault_record_offset(gone[19]));
    desk_reopen(test, &desk);
    for (uint32_t i = 0; i < BLOCK - 20; i++) {
        SOUK_MUST(souk_vault_take(desk.vault, &slot));
        for (uint32_t k = 0; k < 20; k++)
            SOUK_CHECK(slot != gone[k]);
    }
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_CHECK(slot >= 256 + BLOCK);
    SOUK_CHECK(souk_vault_stats_of(desk.vault).skipped == 20);
    desk_done(&desk);
}

/* ---- damage and wrong keys ------------------------------------------------------------- */

SOUK_TEST("a damaged record is damage and not an erasure, and the check names it")
{
    vault_desk desk = desk_of(test, &small);
    uint32_t slot, other;
    uint8_t record[SOUK_VAULT_RECORD_BYTES], zeros[16] = {0};
    parcel text;
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    SOUK_MUST(souk_vault_take(desk.vault, &other));
    SOUK_MUST(parcel_seal(desk.vault, slot, 1, &text));
    uint64_t at = souk_vault_record_offset(slot);
    file_bytes(test, desk.disk, at, record, sizeof record, false);
    for (size_t byte = 0; byte < sizeof record; byte += 9) {
        file_flip(test, desk.disk, at + byte);
        desk_reopen(test, &desk);
        SOUK_CHECK_ERR(parcel_open(desk.vault, slot, &text), SOUK_ECORRUPT);
        file_flip(test, desk.disk, at + byte);
    }
    /* who can write the disk, but has no root key, can fake neither an erasure nor a swap */
    file_bytes(test, desk.disk, at + 16, zeros, 16, true);
    desk_reopen(test, &desk);
    SOUK_CHECK_ERR(parcel_open(desk.vault, slot, &text), SOUK_ECORRUPT);
    souk_vault_found found;
    souk_diag diag = {0};
    SOUK_CHECK_ERR(souk_vault_check(desk.vault, 0, &found, &diag), SOUK_ECORRUPT);
    SOUK_CHECK(found.damaged == 1 && found.first_damaged == slot && strstr(diag.words, "1 of"));
    file_bytes(test, desk.disk, souk_vault_record_offset(other), record, sizeof record, true);
    desk_reopen(test, &desk);
    SOUK_CHECK_ERR(parcel_open(desk.vault, other, &text), SOUK_ECORRUPT);
    file_bytes(test, desk.disk, at, record, sizeof record, true);
    desk_reopen(test, &desk);
    SOUK_MUST(parcel_open(desk.vault, slot, &text));
    desk_done(&desk);
}

SOUK_TEST("a wrong root key, a missing file and a cut file are told apart in words")
{
    vault_desk desk = desk_of(test, &small);
    uint32_t slot;
    SOUK_MUST(souk_vault_take(desk.vault, &slot));
    souk_vault_free(desk.vault);
    desk.vault = NULL;
    uint8_t wrong_root[32] = {1};
    souk_vault_options wrong = small;
    wrong.root_key = wrong_root;
    souk_diag diag = {0};
    SOUK_CHECK_ERR(souk_vault_open(test->mem, desk.disk, &wrong, &desk.vault, &diag), SOUK_EUNAUTH);
    SOUK_CHECK(strstr(diag.words, "another root key"));
    diag = (souk_diag){0};
    wrong.root_key = NULL;
    SOUK_CHECK_ERR(souk_vault_open(test->mem, desk.disk, &wrong, &desk.vault, &diag), SOUK_ENOENT);
    SOUK_CHECK(strstr(diag.words, "root.key"));
    diag = (souk_diag){0};
    SOUK_MUST(souk_disk_put(desk.disk, "root.key", "short", 5));
    SOUK_CHECK_ERR(souk_vault_open(test->mem, desk.disk, &wrong, &desk.vault, &diag),
                   SOUK_ECORRUPT);
    SOUK_CHECK(strstr(diag.words, "root.key"));
    {
        souk_auto(souk_file) file = NULL;
        SOUK_MUST(souk_file_open(desk.disk, "keys", SOUK_FILE_WRITE, &file));
        static const uint64_t cuts[] = {256 + BLOCK - 1, 256 + 64, 256 + 16, 200, 0};
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            diag = (souk_diag){0};
            SOUK_MUST(souk_file_truncate(file, souk_vault_record_offset((uint32_t)cuts[i])));
            SOUK_CHECK_ERR(souk_vault_open(test->mem, desk.disk, &small, &desk.vault, &diag),
                           SOUK_ECORRUPT);
            SOUK_CHECK(strstr(diag.words, "cut short"));
        }
        diag = (souk_diag){0};
        SOUK_MUST(souk_file_truncate(file, 100));
        SOUK_CHECK_ERR(souk_vault_open(test->mem, desk.disk, &small, &desk.vault, &diag),
                       SOUK_ECORRUPT);
        SOUK_CHECK(strstr(diag.words, "too short"));
    }
    diag = (souk_diag){0};
    SOUK_MUST(souk_disk_remove(desk.disk, "keys"));
    SOUK_CHECK_ERR(souk_vault_open(test->mem, desk.disk, &small, &desk.vault, &diag), SOUK_ENOENT);
    SOUK_CHECK(strstr(diag.words, "'keys' is missing"));
    desk_done(&desk);
}

SOUK_TEST("a header damaged in part still opens, and the check tells")
{
    vault_desk desk = desk_of(test, &small);
    for (uint64_t copy = 0; copy < 7; copy++)
        file_flip(test, desk.disk, copy * 512 + 20);
    desk_reopen(test, &desk);
    souk_vault_found found;
    souk_diag diag = {0};
    SOUK_CHECK_ERR(souk_vault_check(desk.vault, 0, &found, &diag), SOUK_ECORRUPT);
    SOUK_CHECK(found.header_copies == 1 && found.damaged == 0 && strstr(diag.words, "7 of 8"));
    desk_done(&desk);
}

SOUK_TEST("options that make no sense are refused in words, and init does not overwrite")
{
    souk_auto(souk_disk) disk = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    souk_vault_options odd = small;
    souk_diag diag = {0};
    odd.block_slots = 100;
    SOUK_CHECK_ERR(souk_vault_init(test->mem, disk, &odd, &diag), SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "multiple of 64"));
    odd.block_slots = 1 << 21;
    SOUK_CHECK_ERR(souk_vault_init(test->mem, disk, &odd, NULL), SOUK_EINVAL);
    odd = small;
    odd.cache_keys = (1 << 20) + 1;
    SOUK_CHECK_ERR(souk_vault_init(test->mem, disk, &odd, NULL), SOUK_EINVAL);
    SOUK_MUST(souk_vault_init(test->mem, disk, &small, NULL));
    SOUK_CHECK_ERR(souk_vault_init(test->mem, disk, &small, NULL), SOUK_EEXIST);
}

/* ---- copies ---------------------------------------------------------------------------- */

SOUK_TEST("a copy opens like the original and has no key that was destroyed before")
{
    vault_desk desk = desk_of(test, &small);
    uint32_t slot[2];
    parcel text[2];
    for (uint32_t i = 0; i < 2; i++) {
        SOUK_MUST(souk_vault_take(desk.vault, &slot[i]));
        SOUK_MUST(parcel_seal(desk.vault, slot[i], i, &text[i]));
    }
    SOUK_MUST(souk_vault_destroy(desk.vault, slot, 1));
    souk_auto(souk_disk) to = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 2, &to));
    SOUK_MUST(souk_vault_copy(desk.vault, to, "keys"));
    SOUK_MUST(souk_vault_destroy(desk.vault, &slot[1], 1));
    SOUK_CHECK(!souk_disk_exists(to, "keys.part"));
    souk_auto(souk_vault) copy = NULL;
    SOUK_MUST(souk_vault_open(test->mem, to, &small, &copy, NULL));
    SOUK_CHECK_ERR(parcel_open(copy, slot[0], &text[0]), SOUK_EERASED);
    SOUK_MUST(parcel_open(copy, slot[1], &text[1]));
    /* a restore replays the erasure list */
    SOUK_MUST(souk_vault_destroy(copy, slot, 2));
    SOUK_CHECK_ERR(parcel_open(copy, slot[1], &text[1]), SOUK_EERASED);
    SOUK_CHECK_ERR(souk_vault_copy(desk.vault, desk.disk, "keys"), SOUK_EINVAL);
    desk_done(&desk);
}

/* ---- the real disk --------------------------------------------------------------------- */

SOUK_TEST("on a real disk root.key is made with mode 0400 and a restart finds everything")
{
    souk_auto(souk_disk) disk = NULL;
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &disk, NULL));
    souk_vault_options options = {.block_slots = BLOCK};
    SOUK_MUST(souk_vault_init(test->mem, disk, &options, NULL));
    char path[600];
    struct stat about;
    snprintf(path, sizeof path, "%s/root.key", test_folder(test));
    SOUK_CHECK(stat(path, &about) == 0 && (about.st_mode & 0777) == 0400 && about.st_size == 65);
    uint32_t slot[2];
    parcel text[2];
    for (uint32_t i = 0; i < 2; i++) {
        souk_auto(souk_vault) vault = NULL;
        SOUK_MUST(souk_vault_open(test->mem, disk, NULL, &vault, NULL));
        SOUK_CHECK(souk_vault_stats_of(vault).block_slots == BLOCK);
        for (uint32_t k = 0; k < i; k++)
            SOUK_MUST(souk_vault_mark_taken(vault, slot[k]));
        SOUK_MUST(souk_vault_take(vault, &slot[i]));
        SOUK_MUST(parcel_seal(vault, slot[i], i, &text[i]));
    }
    SOUK_CHECK(slot[0] != slot[1]);
    souk_auto(souk_vault) vault = NULL;
    SOUK_MUST(souk_vault_open(test->mem, disk, NULL, &vault, NULL));
    SOUK_MUST(souk_vault_destroy(vault, slot, 1));
    SOUK_CHECK_ERR(parcel_open(vault, slot[0], &text[0]), SOUK_EERASED);
    SOUK_MUST(parcel_open(vault, slot[1], &text[1]));
}
