/* vault_make.c - making blocks of keys, finding them at start, copying and checking the file.
 *
 * A block of 65,536 is 2 MiB and 65,536 hashes (some 40 ms).  It is made by a background thread in
 * chunks, so that an erasure waits for one chunk's write or one sync, never for the whole. */
#include "store/vault_state.h"

#include <sodium.h>
#include <stdio.h>

enum {
    SECTOR_SLOTS = SOUK_VAULT_SECTOR_BYTES / SOUK_VAULT_RECORD_BYTES,
    CHUNK_SLOTS = 1024,
    DRAW_SLOTS = 32, /* seeds drawn at a time, on the stack */
};
_Static_assert(CHUNK_SLOTS % SECTOR_SLOTS == 0, "chunks are whole sectors");

/* ---- finding --------------------------------------------------------------------------- */

static uint64_t block_offset(const souk_vault *vault, uint32_t block)
{
    return souk_vault_record_offset(SOUK_VAULT_FIRST) +
           (uint64_t)block * vault->form.block_slots * SOUK_VAULT_RECORD_BYTES;
}

/* Looks at each block's first sector; blocks: one past the last that was made. */
static souk_err blocks_count(souk_vault *vault, uint64_t file_bytes, uint32_t *ret_blocks)
{
    uint32_t most = (UINT32_MAX - SOUK_VAULT_FIRST) / vault->form.block_slots;
    *ret_blocks = 0;
    for (uint32_t block = 0; block < most; block++) {
        uint8_t sector[SOUK_VAULT_SECTOR_BYTES];
        if (block_offset(vault, block) + sizeof sector > file_bytes)
            break;
        SOUK_TRY(souk_vault_read(vault, sector, sizeof sector, block_offset(vault, block)));
        if (!sodium_is_zero(sector, sizeof sector))
            *ret_blocks = block + 1;
    }
    return SOUK_OK;
}

/* A process that died, or whose sync failed, may have left the last block's first sector in the
 * page cache only: written once more and synced, it is safe to hand out what stands behind it. */
static souk_err last_block_settle(souk_vault *vault, uint32_t blocks)
{
    souk_auto_lock(&vault->writing);
    if (blocks) {
        uint8_t sector[SOUK_VAULT_SECTOR_BYTES];
        uint64_t offset = block_offset(vault, blocks - 1);
        SOUK_TRY(souk_vault_read(vault, sector, sizeof sector, offset));
        SOUK_TRY(souk_vault_write(vault, sector, sizeof sector, offset));
    }
    return souk_vault_sync(vault);
}

souk_err souk_vault_find_blocks(souk_vault *vault, souk_diag *diag)
{
    uint64_t file_bytes;
    uint32_t blocks = 0;
    SOUK_TRY(souk_file_size(vault->file, &file_bytes));
    SOUK_TRY(blocks_count(vault, file_bytes, &blocks));
    if (file_bytes < block_offset(vault, blocks))
        return souk_diag_say(diag, SOUK_ECORRUPT,
                             "the file 'keys' was cut short: restore it from the newest key backup "
                             "and replay the erasure list");
    SOUK_TRY(last_block_settle(vault, blocks));
    SOUK_TRY(souk_vault_slots_room(&vault->slots, blocks));
    for (uint32_t block = 0; block < blocks; block++)
        souk_vault_slots_add(&vault->slots);
    atomic_store(&vault->made, SOUK_VAULT_FIRST + blocks * vault->form.block_slots);
    return SOUK_OK;
}

/* ---- making ---------------------------------------------------------------------------- */

/* Records of [slot, slot + count), fresh seeds in them. */
static void records_make(souk_vault *vault, uint32_t slot, uint32_t count, uint8_t *records)
{
    uint8_t seeds[DRAW_SLOTS][SOUK_VAULT_SEED_BYTES];
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *record = records + i * SOUK_VAULT_RECORD_BYTES;
        if (i % DRAW_SLOTS == 0)
            souk_vault_draw(vault, seeds, sizeof seeds);
        memcpy(record, seeds[i % DRAW_SLOTS], SOUK_VAULT_SEED_BYTES);
        souk_vault_record_make(vault->root, &vault->form, slot + i, record);
    }
    sodium_memzero(seeds, sizeof seeds);
}

static souk_err write_alone(souk_vault *vault, const void *from, size_t bytes, uint64_t offset)
{
    souk_auto_lock(&vault->writing);
    return souk_vault_write(vault, from, bytes, offset);
}

static souk_err sync_alone(souk_vault *vault)
{
    souk_auto_lock(&vault->writing);
    return souk_vault_sync(vault);
}

/* The block's bytes: all but the first sector, a sync, the first sector, a sync. */
static souk_err block_write(souk_vault *vault, uint32_t first_slot, uint8_t *chunk)
{
    uint32_t end = first_slot + vault->form.block_slots;
    for (uint32_t slot = first_slot + SECTOR_SLOTS; slot < end;) {
        uint32_t count = end - slot < CHUNK_SLOTS ? end - slot : CHUNK_SLOTS;
        records_make(vault, slot, count, chunk);
        SOUK_TRY(write_alone(vault, chunk, (size_t)count * SOUK_VAULT_RECORD_BYTES,
                             souk_vault_record_offset(slot)));
        slot += count;
    }
    SOUK_TRY(sync_alone(vault));
    records_make(vault, first_slot, SECTOR_SLOTS, chunk);
    SOUK_TRY(
        write_alone(vault, chunk, SOUK_VAULT_SECTOR_BYTES, souk_vault_record_offset(first_slot)));
    return sync_alone(vault);
}

/* Under `making`: room for one more block, before anything is written. */
static souk_err block_room(souk_vault *vault)
{
    uint32_t made = atomic_load(&vault->made);
    if (made > vault->slot_limit || vault->slot_limit - made < vault->form.block_slots)
        return SOUK_ETOOBIG;
    souk_auto_lock(&vault->choosing);
    return souk_vault_slots_room(&vault->slots, vault->slots.block_count + 1);
}

static bool has_enough(souk_vault *vault, uint32_t enough)
{
    souk_auto_lock(&vault->choosing);
    return vault->slots.free_count >= enough;
}

souk_err souk_vault_make_block(souk_vault *vault, uint32_t enough)
{
    if (has_enough(vault, enough))
        return SOUK_OK;
    souk_auto_lock(&vault->making);
    if (has_enough(vault, enough)) /* somebody else was faster */
        return SOUK_OK;
    SOUK_TRY(block_room(vault));
    uint8_t *chunk = souk_mem_array(vault->mem, CHUNK_SLOTS, SOUK_VAULT_RECORD_BYTES);
    if (!chunk)
        return SOUK_ENOMEM;
    uint32_t made = atomic_load(&vault->made);
    souk_err err = block_write(vault, made, chunk);
    souk_mem_put(vault->mem, chunk);
    SOUK_TRY(err);
    atomic_store(&vault->made, made + vault->form.block_slots);
    souk_auto_lock(&vault->choosing);
    souk_vault_slots_add(&vault->slots);
    return SOUK_OK;
}

/* ---- copying --------------------------------------------------------------------------- */

/* [0, bytes) of keys; whole records, for each chunk is read while nobody writes. */
static souk_err bytes_copy(souk_vault *vault, uint64_t bytes, souk_file *to, uint8_t *chunk)
{
    enum { CHUNK_BYTES = CHUNK_SLOTS * SOUK_VAULT_RECORD_BYTES };
    for (uint64_t offset = 0; offset < bytes;) {
        size_t count = (size_t)(bytes - offset < CHUNK_BYTES ? bytes - offset : CHUNK_BYTES);
        {
            souk_auto_lock(&vault->writing);
            SOUK_TRY(souk_vault_read(vault, chunk, count, offset));
        }
        SOUK_TRY(souk_file_write(to, chunk, count, offset));
        offset += count;
    }
    return souk_file_sync(to);
}

static souk_err part_write(souk_vault *vault, souk_disk *to, const char *part, uint64_t bytes)
{
    uint8_t *chunk = souk_mem_array(vault->mem, CHUNK_SLOTS, SOUK_VAULT_RECORD_BYTES);
    if (!chunk)
        return SOUK_ENOMEM;
    souk_auto(souk_file) file = NULL;
    souk_err err = souk_file_open(to, part, SOUK_FILE_TRUNCATE, &file);
    if (!err)
        err = bytes_copy(vault, bytes, file, chunk);
    souk_mem_put(vault->mem, chunk);
    return err;
}

souk_err souk_vault_copy(souk_vault *vault, souk_disk *to, const char *name)
{
    char part[256];
    int length = snprintf(part, sizeof part, "%s.part", name);
    if (length < 0 || (size_t)length >= sizeof part || (to == vault->disk && !strcmp(name, "keys")))
        return SOUK_EINVAL;
    uint64_t bytes = souk_vault_record_offset(atomic_load(&vault->made));
    souk_err err = part_write(vault, to, part, bytes);
    if (!err)
        err = souk_disk_rename(to, part, name);
    if (!err)
        return souk_disk_sync_folder(to);
    /* Wrapped keys should not lie about; the first error is the one to tell. */
    if (souk_disk_exists(to, part)) {
        souk_err left = souk_disk_remove(to, part);
        (void)left;
    }
    return err;
}

/* ---- checking -------------------------------------------------------------------------- */

static souk_err slot_check(souk_vault *vault, uint32_t slot, souk_vault_found *found)
{
    uint8_t key[32];
    souk_err err = souk_vault_read_key(vault, slot, key);
    sodium_memzero(key, sizeof key);
    if (err != SOUK_OK && err != SOUK_EERASED && err != SOUK_ECORRUPT)
        return err;
    found->checked++;
    found->live += err == SOUK_OK;
    found->destroyed += err == SOUK_EERASED;
    if (err == SOUK_ECORRUPT && found->damaged++ == 0)
        found->first_damaged = slot;
    return SOUK_OK;
}

static souk_err slots_check(souk_vault *vault, uint32_t sample, souk_vault_found *found)
{
    uint32_t made = atomic_load(&vault->made);
    for (uint32_t slot = 1; !sample && slot < made; slot++)
        SOUK_TRY(slot_check(vault, slot, found));
    for (uint32_t i = 0; i < sample; i++) {
        uint64_t chance; /* the bias of 2^-32 does not matter to a sample */
        souk_vault_draw(vault, &chance, sizeof chance);
        SOUK_TRY(slot_check(vault, 1 + (uint32_t)(chance % (made - 1)), found));
    }
    return SOUK_OK;
}

souk_err souk_vault_check(souk_vault *vault, uint32_t sample, souk_vault_found *ret_found,
                          souk_diag *diag)
{
    uint8_t page[SOUK_VAULT_HEADER_BYTES];
    souk_vault_found found = {0};
    souk_vault_form form;
    *ret_found = found;
    SOUK_TRY(souk_vault_read(vault, page, sizeof page, 0));
    souk_err header = souk_vault_header_read(vault->root, page, &form, &found.header_copies, diag);
    SOUK_TRY(slots_check(vault, sample, &found));
    *ret_found = found;
    if (found.damaged)
        return souk_diag_say(diag, SOUK_ECORRUPT,
                             "%u of %u keys looked at do not open, the first is slot %u: restore "
                             "'keys' from the newest key backup and replay the erasure list",
                             found.damaged, found.checked, found.first_damaged);
    SOUK_TRY(header);
    if (found.header_copies < SOUK_VAULT_HEADER_COPIES)
        return souk_diag_say(diag, SOUK_ECORRUPT,
                             "%u of %d copies of the header of 'keys' are damaged; the others will "
                             "do, but the disk loses data",
                             SOUK_VAULT_HEADER_COPIES - found.header_copies,
                             SOUK_VAULT_HEADER_COPIES);
    return SOUK_OK;
}
