/* vault_parts_test.c - the bytes of the file, the key cache, the bitmap, each against a model. */
#include "store/vault_format.h"
#include "store/vault_keys.h"
#include "store/vault_slots.h"
#include "test/test.h"

static void root_of(uint8_t filler, souk_vault_root *root)
{
    uint8_t key[32];
    memset(key, filler, sizeof key);
    souk_vault_root_set(root, key);
}

static const souk_vault_form form = {.id = "a file's own id", .block_slots = 64};

SOUK_TEST("a header reads back from any one of its copies")
{
    souk_vault_root root;
    root_of(1, &root);
    uint8_t page[SOUK_VAULT_HEADER_BYTES];
    for (size_t keep = 0; keep < SOUK_VAULT_HEADER_COPIES; keep++) {
        souk_vault_header_write(&root, &form, page);
        for (size_t copy = 0; copy < SOUK_VAULT_HEADER_COPIES; copy++)
            if (copy != keep)
                page[copy * SOUK_VAULT_SECTOR_BYTES + test_random(test, 60)] ^= 1;
        souk_vault_form read;
        uint32_t copies;
        SOUK_MUST(souk_vault_header_read(&root, page, &read, &copies, NULL));
        SOUK_CHECK(copies == 1 && read.block_slots == form.block_slots);
        SOUK_CHECK(!memcmp(read.id, form.id, sizeof read.id));
    }
}

SOUK_TEST("any bit changed in every copy of a header is noticed")
{
    souk_vault_root root;
    root_of(1, &root);
    uint8_t page[SOUK_VAULT_HEADER_BYTES];
    for (size_t bit = 0; bit < 60 * 8; bit++) {
        souk_vault_form read;
        uint32_t copies;
        souk_vault_header_write(&root, &form, page);
        for (size_t copy = 0; copy < SOUK_VAULT_HEADER_COPIES; copy++)
            page[copy * SOUK_VAULT_SECTOR_BYTES + bit / 8] ^= (uint8_t)(1 << bit % 8);
        souk_err err = souk_vault_header_read(&root, page, &read, &copies, NULL);
        SOUK_CHECK(err == SOUK_ECORRUPT || err == SOUK_EVERSION);
        SOUK_CHECK((err == SOUK_EVERSION) == (bit / 8 >= 8 && bit / 8 < 12 && bit != 65));
        SOUK_CHECK(copies == 0);
    }
}

SOUK_TEST("a header under another root key says so in words")
{
    souk_vault_root root, other;
    root_of(1, &root);
    root_of(2, &other);
    uint8_t page[SOUK_VAULT_HEADER_BYTES];
    souk_vault_form read;
    uint32_t copies;
    souk_diag diag = {0};
    souk_vault_header_write(&root, &form, page);
    SOUK_CHECK_ERR(souk_vault_header_read(&other, page, &read, &copies, &diag), SOUK_EUNAUTH);
    SOUK_CHECK(strstr(diag.words, "another root key"));
}

SOUK_TEST("a record opens as what it is, and no bit of it can change")
{
    souk_vault_root root;
    root_of(3, &root);
    uint8_t got[32], again[32], live[SOUK_VAULT_RECORD_BYTES], gone[SOUK_VAULT_RECORD_BYTES];
    for (size_t i = 0; i < SOUK_VAULT_SEED_BYTES; i++)
        live[i] = (uint8_t)test_random(test, 256);
    souk_vault_record_make(&root, &form, 300, live);
    memset(gone, 0x5a, SOUK_VAULT_SEED_BYTES);
    souk_vault_record_mark(&root, &form, 300, gone);
    SOUK_MUST(souk_vault_record_open(&root, &form, 300, live, got));
    SOUK_MUST(souk_vault_record_open(&root, &form, 300, live, again));
    SOUK_CHECK(!memcmp(again, got, 32) && !memmem(live, sizeof live, got, 16));
    SOUK_CHECK_ERR(souk_vault_record_open(&root, &form, 300, gone, got), SOUK_EERASED);
    SOUK_CHECK_ERR(souk_vault_record_open(&root, &form, 301, live, got), SOUK_ECORRUPT);
    SOUK_CHECK_ERR(souk_vault_record_open(&root, &form, 301, gone, got), SOUK_ECORRUPT);
    for (size_t bit = 0; bit < sizeof live * 8; bit++) {
        live[bit / 8] ^= (uint8_t)(1 << bit % 8);
        gone[bit / 8] ^= (uint8_t)(1 << bit % 8);
        SOUK_CHECK_ERR(souk_vault_record_open(&root, &form, 300, live, got), SOUK_ECORRUPT);
        SOUK_CHECK_ERR(souk_vault_record_open(&root, &form, 300, gone, got), SOUK_ECORRUPT);
        live[bit / 8] ^= (uint8_t)(1 << bit % 8);
        gone[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    memset(live, 0, sizeof live);
    SOUK_CHECK_ERR(souk_vault_record_open(&root, &form, 300, live, got), SOUK_ECORRUPT);
}

SOUK_TEST("a record of one file does not open in another with the same root key")
{
    souk_vault_root root;
    root_of(3, &root);
    souk_vault_form other = form;
    other.id[15] ^= 1;
    uint8_t got[32], record[SOUK_VAULT_RECORD_BYTES] = {9};
    souk_vault_record_make(&root, &form, 300, record);
    SOUK_CHECK_ERR(souk_vault_record_open(&root, &other, 300, record, got), SOUK_ECORRUPT);
}

SOUK_TEST("a root key is read from digits or raw bytes and from nothing else")
{
    uint8_t key[32];
    souk_text digits =
        SOUK_TEXT("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    SOUK_CHECK(souk_vault_root_parse(digits, key) && key[0] == 0 && key[31] == 31);
    SOUK_CHECK(souk_vault_root_parse(
        SOUK_TEXT(" 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\r\n"), key));
    SOUK_CHECK(souk_vault_root_parse(SOUK_TEXT("\nexactly thirty-two raw bytes..\n"), key));
    SOUK_CHECK(key[0] == '\n' && key[31] == '\n');
    SOUK_CHECK(!souk_vault_root_parse(SOUK_TEXT(""), key));
    SOUK_CHECK(!souk_vault_root_parse((souk_text){digits.at, 63}, key));
    SOUK_CHECK(!souk_vault_root_parse(
        SOUK_TEXT("x00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), key));
}

/* ---- the cache ------------------------------------------------------------------------- */

static void key_for(uint32_t slot, uint32_t version, uint8_t key[32])
{
    memset(key, 0, 32);
    souk_put_u32(key, slot);
    souk_put_u32(key + 4, version);
}

/* Whether 20,000 random steps on 500 slots went as the model has it: what is found is the newest
 * key, and never one that was forgotten.  forgetful plants an error: destroys do not reach it. */
static bool cache_holds(souk_test *test, bool forgetful)
{
    static souk_vault_keys keys;
    uint32_t version[500] = {0};
    bool good = true;
    memset(&keys, 0, sizeof keys);
    SOUK_MUST(souk_vault_keys_init(&keys, test->mem, 64));
    for (int step = 0; step < 20000 && good; step++) {
        uint32_t slot = 1 + (uint32_t)test_random(test, 499);
        uint8_t key[32], right[32];
        uint64_t epoch;
        key_for(slot, version[slot], right);
        if (souk_vault_keys_find(&keys, slot, key, &epoch)) {
            good = memcmp(key, right, 32) == 0;
        } else if (souk_vault_keys_keep(&keys, slot, right, epoch)) {
            good = souk_vault_keys_find(&keys, slot, key, &epoch) && !memcmp(key, right, 32);
        }
        if (test_random(test, 5) == 0) {
            version[slot]++;
            if (!forgetful)
                souk_vault_keys_forget(&keys, slot);
        }
    }
    souk_vault_keys_done(&keys);
    return good;
}

SOUK_TEST("the key cache finds the newest key or none, and a missing purge is noticed")
{
    SOUK_CHECK(cache_holds(test, false));
    SOUK_CHECK(!cache_holds(test, true));
}

SOUK_TEST("a key read before a purge cannot enter the cache after it")
{
    static souk_vault_keys keys;
    uint8_t key[32] = {1}, got[32];
    uint64_t epoch;
    memset(&keys, 0, sizeof keys);
    SOUK_MUST(souk_vault_keys_init(&keys, test->mem, 64));
    bool found = souk_vault_keys_find(&keys, 300, got, &epoch);
    souk_vault_keys_forget(&keys, 300);
    bool kept = souk_vault_keys_keep(&keys, 300, key, epoch);
    bool found_after = souk_vault_keys_find(&keys, 300, got, &epoch);
    bool kept_after = souk_vault_keys_keep(&keys, 300, key, epoch);
    souk_vault_keys_forget(&keys, 300);
    bool clean = true;
    for (size_t i = 0; i < keys.set_count * sizeof *keys.sets; i++)
        clean = clean && ((const uint8_t *)keys.sets)[i] == 0;
    souk_vault_keys_done(&keys);
    SOUK_CHECK(!found && !kept && !found_after && kept_after);
    SOUK_CHECK(clean);
}

/* ---- the bitmap ------------------------------------------------------------------------ */

enum { FIRST = 256, BLOCK = 128, BLOCKS = 4 };

SOUK_TEST("free slots are counted and chosen as a plain array would")
{
    souk_vault_slots slots = {.mem = test->mem, .first = FIRST, .block_slots = BLOCK};
    bool taken[BLOCK * BLOCKS] = {0};
    uint32_t count = 0, free_count = 0;
    bool good = true;
    for (int step = 0; step < 30000 && good; step++) {
        uint64_t what = test_random(test, 100);
        if (count < BLOCKS && (what == 0 || !count)) {
            SOUK_MUST(souk_vault_slots_room(&slots, count + 1));
            souk_vault_slots_add(&slots);
            count++;
            free_count += BLOCK;
        } else if (what < 50 && free_count) {
            uint32_t at = 0;
            while (taken[at])
                at++;
            good = souk_vault_slots_choose(&slots) == FIRST + at;
            taken[at] = true;
            free_count--;
        } else if (what < 53) {
            uint32_t word = (uint32_t)test_random(test, count * BLOCK / 64);
            uint64_t bits = test_random(test, 0) & test_random(test, 0) & test_random(test, 0);
            souk_vault_slots_take_word(&slots, FIRST + word * 64, bits);
            for (uint32_t at = word * 64; bits; at++, bits >>= 1)
                if (bits & 1 && !taken[at]) {
                    taken[at] = true;
                    free_count--;
                }
        } else {
            uint32_t at = (uint32_t)test_random(test, count * BLOCK);
            bool take = what < 72;
            (take ? souk_vault_slots_take : souk_vault_slots_give)(&slots, FIRST + at);
            free_count += (uint32_t)(taken[at] && !take);
            free_count -= (uint32_t)(!taken[at] && take);
            taken[at] = take;
        }
        good = good && slots.free_count == free_count;
    }
    souk_vault_slots_done(&slots);
    SOUK_CHECK(good);
}
