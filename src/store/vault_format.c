/* vault_format.c - header and records of vault_format.h. */
#include "store/vault_format.h"

#include "base/hash.h"

#include <sodium.h>

enum {
    VERSION = 2,
    NAMED_SLOTS = 256,
    /* offsets in a header sector */
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_ID = 12,
    AT_BLOCK = 28,
    AT_NAMED = 32,
    AT_RECORD = 36,
    AT_CHECK = 40,
    AT_SUM = 56,
    SAID_BYTES = 60,
    /* offsets in a record */
    AT_TAG = 16,
};
static const char magic[8] = {'S', 'O', 'U', 'K', 'K', 'E', 'Y', 'S'};

static void derive(const uint8_t root[32], const char *purpose, uint8_t to[32])
{
    int failed = crypto_generichash(to, 32, (const uint8_t *)purpose, strlen(purpose), root, 32);
    souk_assert(!failed);
}

void souk_vault_root_set(souk_vault_root *root, const uint8_t key[SOUK_VAULT_ROOT_BYTES])
{
    derive(key, "souk vault: keys", root->key);
    derive(key, "souk vault: destroyed", root->mark);
    derive(key, "souk vault: header", root->check);
}

/* ---- the header ------------------------------------------------------------------------ */

static void header_check(const souk_vault_root *root, const uint8_t *sector, uint8_t to[16])
{
    int failed = crypto_generichash(to, 16, sector, AT_CHECK, root->check, sizeof root->check);
    souk_assert(!failed);
}

void souk_vault_header_write(const souk_vault_root *root, const souk_vault_form *form,
                             uint8_t page[SOUK_VAULT_HEADER_BYTES])
{
    memset(page, 0, SOUK_VAULT_HEADER_BYTES);
    memcpy(page + AT_MAGIC, magic, sizeof magic);
    souk_put_u32(page + AT_VERSION, VERSION);
    memcpy(page + AT_ID, form->id, sizeof form->id);
    souk_put_u32(page + AT_BLOCK, form->block_slots);
    souk_put_u32(page + AT_NAMED, NAMED_SLOTS);
    souk_put_u32(page + AT_RECORD, SOUK_VAULT_RECORD_BYTES);
    header_check(root, page, page + AT_CHECK);
    souk_put_u32(page + AT_SUM, souk_crc32c(0, page, AT_SUM));
    for (size_t copy = 1; copy < SOUK_VAULT_HEADER_COPIES; copy++)
        memcpy(page + copy * SOUK_VAULT_SECTOR_BYTES, page, SAID_BYTES);
}

static bool form_is_sane(const uint8_t *sector)
{
    uint32_t block_slots = souk_get_u32(sector + AT_BLOCK);
    return block_slots && block_slots % SOUK_VAULT_BLOCK_STEP == 0 &&
           block_slots <= SOUK_VAULT_BLOCK_MOST && souk_get_u32(sector + AT_NAMED) == NAMED_SLOTS &&
           souk_get_u32(sector + AT_RECORD) == SOUK_VAULT_RECORD_BYTES;
}

/* One copy.  Its sum is ours to check only where the version is ours too. */
static souk_err sector_read(const souk_vault_root *root, const uint8_t *sector,
                            souk_vault_form *ret_form)
{
    if (memcmp(sector + AT_MAGIC, magic, sizeof magic) != 0)
        return SOUK_ECORRUPT;
    uint32_t version = souk_get_u32(sector + AT_VERSION);
    if (souk_get_u32(sector + AT_SUM) != souk_crc32c(0, sector, AT_SUM) || version < VERSION)
        return version > VERSION ? SOUK_EVERSION : SOUK_ECORRUPT;
    if (version > VERSION)
        return SOUK_EVERSION;
    uint8_t check[16];
    header_check(root, sector, check);
    if (sodium_memcmp(check, sector + AT_CHECK, sizeof check) != 0)
        return SOUK_EUNAUTH;
    if (!form_is_sane(sector))
        return SOUK_ECORRUPT;
    memcpy(ret_form->id, sector + AT_ID, sizeof ret_form->id);
    ret_form->block_slots = souk_get_u32(sector + AT_BLOCK);
    return SOUK_OK;
}

souk_err souk_vault_header_read(const souk_vault_root *root,
                                const uint8_t page[SOUK_VAULT_HEADER_BYTES],
                                souk_vault_form *ret_form, uint32_t *ret_copies, souk_diag *diag)
{
    uint32_t sound = 0, other_key = 0, newer = 0;
    for (size_t copy = 0; copy < SOUK_VAULT_HEADER_COPIES; copy++) {
        souk_vault_form form;
        souk_err err = sector_read(root, page + copy * SOUK_VAULT_SECTOR_BYTES, &form);
        if (!err && sound++ == 0)
            *ret_form = form;
        other_key += err == SOUK_EUNAUTH;
        newer += err == SOUK_EVERSION;
    }
    *ret_copies = sound;
    if (sound)
        return SOUK_OK;
    if (other_key)
        return souk_diag_say(diag, SOUK_EUNAUTH,
                             "the file 'keys' was made under another root key: give the root.key "
                             "(or credential) that belongs to this data folder");
    if (newer)
        return souk_diag_say(diag, SOUK_EVERSION,
                             "the file 'keys' was written by a newer version of Souk");
    return souk_diag_say(diag, SOUK_ECORRUPT,
                         "the header of the file 'keys' is damaged in all its copies: restore the "
                         "file from the newest key backup and replay the erasure list");
}

/* ---- records --------------------------------------------------------------------------- */

enum { SAID_OF_RECORD = SOUK_VAULT_ID_BYTES + 4 + SOUK_VAULT_SEED_BYTES };

/* BLAKE2b of where the record stands and its first half. */
static void hash_record(const uint8_t key[32], const souk_vault_form *form, uint32_t slot,
                        const uint8_t *record, uint8_t *to, size_t bytes)
{
    uint8_t said[SAID_OF_RECORD];
    memcpy(said, form->id, SOUK_VAULT_ID_BYTES);
    souk_put_u32(said + SOUK_VAULT_ID_BYTES, slot);
    memcpy(said + SOUK_VAULT_ID_BYTES + 4, record, SOUK_VAULT_SEED_BYTES);
    int failed = crypto_generichash(to, bytes, said, sizeof said, key, 32);
    souk_assert(!failed);
}

void souk_vault_record_make(const souk_vault_root *root, const souk_vault_form *form, uint32_t slot,
                            uint8_t record[SOUK_VAULT_RECORD_BYTES])
{
    uint8_t made[48];
    hash_record(root->key, form, slot, record, made, sizeof made);
    memcpy(record + AT_TAG, made + 32, 16);
    sodium_memzero(made, sizeof made);
}

void souk_vault_record_mark(const souk_vault_root *root, const souk_vault_form *form, uint32_t slot,
                            uint8_t record[SOUK_VAULT_RECORD_BYTES])
{
    hash_record(root->mark, form, slot, record, record + AT_TAG, 16);
}

souk_err souk_vault_record_open(const souk_vault_root *root, const souk_vault_form *form,
                                uint32_t slot, const uint8_t record[SOUK_VAULT_RECORD_BYTES],
                                uint8_t ret_key[32])
{
    uint8_t made[48], mark[16];
    hash_record(root->key, form, slot, record, made, sizeof made);
    bool live = sodium_memcmp(made + 32, record + AT_TAG, 16) == 0;
    if (live)
        memcpy(ret_key, made, 32);
    else
        sodium_memzero(ret_key, 32);
    sodium_memzero(made, sizeof made);
    if (live)
        return SOUK_OK;
    hash_record(root->mark, form, slot, record, mark, sizeof mark);
    return sodium_memcmp(mark, record + AT_TAG, 16) ? SOUK_ECORRUPT : SOUK_EERASED;
}

/* ---- root.key -------------------------------------------------------------------------- */

bool souk_vault_root_parse(souk_text text, uint8_t ret_key[SOUK_VAULT_ROOT_BYTES])
{
    if (text.bytes == SOUK_VAULT_ROOT_BYTES) {
        memcpy(ret_key, text.at, SOUK_VAULT_ROOT_BYTES);
        return true;
    }
    text = souk_text_trim(text);
    return text.bytes == 2 * SOUK_VAULT_ROOT_BYTES &&
           souk_unhex(text, ret_key, SOUK_VAULT_ROOT_BYTES);
}
