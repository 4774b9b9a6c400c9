/* vault_desk.h - for tests of vault.h: a vault in memory, texts to seal in it, and bytes to flip.
 *
 * Stands after test/test.h. */
#ifndef SOUK_STORE_VAULT_DESK_H
#define SOUK_STORE_VAULT_DESK_H

#include "store/vault.h"
#include "store/vault_format.h"

enum { BLOCK = 128, TEXT = 40 };
static const uint8_t test_root[32] = "thirty-two bytes of a root key..";
static const souk_vault_options small = {
    .root_key = test_root, .block_slots = BLOCK, .cache_keys = 16};

/* A text, and where it lies, that follow from a number. */
typedef struct parcel {
    souk_seal_place place;
    uint8_t nonce[24], plain[TEXT], sealed[TEXT + 16];
} parcel;

static inline void parcel_fill(parcel *made, uint32_t number)
{
    memset(made, 0, sizeof *made);
    made->place = (souk_seal_place){
        .merchant = number % 3, .atom = number, .class = (uint8_t)(number % 5), .position = number};
    souk_put_u32(made->nonce, number);
    for (size_t i = 0; i < TEXT; i++)
        made->plain[i] = (uint8_t)(number * 31 + i);
}

static inline souk_err parcel_seal(souk_vault *vault, uint32_t slot, uint32_t number, parcel *made)
{
    parcel_fill(made, number);
    return souk_vault_seal(vault, slot, &made->place, made->nonce, made->plain, TEXT, made->sealed);
}

/* SOUK_ECONFLICT: opened, and another text came out. */
static inline souk_err parcel_open(souk_vault *vault, uint32_t slot, const parcel *made)
{
    uint8_t plain[TEXT];
    SOUK_TRY(souk_vault_unseal(vault, slot, &made->place, made->nonce, made->sealed,
                               sizeof made->sealed, plain));
    return memcmp(plain, made->plain, TEXT) ? SOUK_ECONFLICT : SOUK_OK;
}

typedef struct vault_desk {
    souk_disk *disk;
    souk_vault *vault;
} vault_desk;

static inline vault_desk desk_of(souk_test *test, const souk_vault_options *options)
{
    vault_desk desk = {0};
    SOUK_MUST(souk_disk_open_sim(test->mem, 9, &desk.disk));
    SOUK_MUST(souk_vault_init(test->mem, desk.disk, options, NULL));
    SOUK_MUST(souk_vault_open(test->mem, desk.disk, options, &desk.vault, NULL));
    return desk;
}

static inline void desk_done(vault_desk *desk)
{
    souk_vault_free(desk->vault);
    souk_disk_free(desk->disk);
}

static inline void desk_reopen(souk_test *test, vault_desk *desk)
{
    souk_vault_free(desk->vault);
    desk->vault = NULL;
    SOUK_MUST(souk_vault_open(test->mem, desk->disk, &small, &desk->vault, NULL));
}

/* Reads or changes bytes of the file behind the vault's back. */
static inline void file_bytes(souk_test *test, souk_disk *disk, uint64_t offset, void *bytes,
                              size_t count, bool write)
{
    souk_auto(souk_file) file = NULL;
    size_t got = count;
    SOUK_MUST(souk_file_open(disk, "keys", SOUK_FILE_WRITE, &file));
    if (write)
        SOUK_MUST(souk_file_write(file, bytes, count, offset));
    else
        SOUK_MUST(souk_file_read(file, bytes, count, offset, &got));
    SOUK_CHECK(got == count);
}

static inline void file_flip(souk_test *test, souk_disk *disk, uint64_t offset)
{
    uint8_t byte;
    file_bytes(test, disk, offset, &byte, 1, false);
    byte ^= 4;
    file_bytes(test, disk, offset, &byte, 1, true);
}

#endif
