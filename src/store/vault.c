/* vault.c - the life of a vault, sealing, taking and destroying; see vault.h for the promises.
 *
 * Every event is sealed once and opened by each reader that shows it, so the way to a key is a
 * locked look into the cache (vault_keys.h) and the file is read on a miss only.  What a key's way
 * leaves on the stack is zeroed before it returns. */
#include "store/vault.h"

#include "base/random.h"
#include "store/vault_state.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

static const char keys_name[] = "keys", root_name[] = "root.key";

enum {
    BLOCK_USUAL = 65536,
    CACHE_USUAL = 65536,
    LIMIT_USUAL = 1 << 30,
    ROOT_TEXT_BYTES = 2 * SOUK_VAULT_ROOT_BYTES + 1,
};

/* ---- options and the root key ---------------------------------------------------------- */

static void entropy(void *context, void *to, size_t bytes)
{
    (void)context;
    souk_entropy(to, bytes);
}

/* With every default filled in. */
static souk_err options_settle(const souk_vault_options *given, souk_vault_options *ret_options,
                               souk_diag *diag)
{
    souk_vault_options options = given ? *given : (souk_vault_options){0};
    if (!options.block_slots)
        options.block_slots = BLOCK_USUAL;
    if (!options.cache_keys)
        options.cache_keys = CACHE_USUAL;
    if (!options.slot_limit)
        options.slot_limit = LIMIT_USUAL;
    if (!options.random)
        options.random = entropy;
    if (options.block_slots % SOUK_VAULT_BLOCK_STEP || options.block_slots > SOUK_VAULT_BLOCK_MOST)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "keys are made in blocks of a multiple of %d up to %d, not %u",
                             SOUK_VAULT_BLOCK_STEP, SOUK_VAULT_BLOCK_MOST, options.block_slots);
    if (options.cache_keys > SOUK_VAULT_CACHE_MOST)
        return souk_diag_say(diag, SOUK_EINVAL, "at most %d keys are cached, not %u",
                             SOUK_VAULT_CACHE_MOST, options.cache_keys);
    if (sodium_init() < 0)
        return souk_diag_say(diag, SOUK_EUNSUPPORTED, "libsodium does not start");
    *ret_options = options;
    return SOUK_OK;
}

static souk_err root_read(souk_disk *disk, uint8_t ret_key[SOUK_VAULT_ROOT_BYTES], souk_diag *diag)
{
    souk_auto(souk_file) file = NULL;
    souk_err err = souk_file_open(disk, root_name, SOUK_FILE_READ, &file);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, err,
                             "the file 'root.key' is missing: put it back, or name the "
                             "credential that holds the root key");
    SOUK_TRY(err);
    char text[ROOT_TEXT_BYTES + 8];
    size_t bytes;
    err = souk_file_read(file, text, sizeof text, 0, &bytes);
    if (!err && !souk_vault_root_parse((souk_text){text, bytes}, ret_key))
        err = souk_diag_say(diag, SOUK_ECORRUPT,
                            "the file 'root.key' must hold 64 hexadecimal digits or 32 bytes");
    sodium_memzero(text, sizeof text);
    return err;
}

/* The door makes files with mode 0600; a key that nobody writes again deserves 0400. */
static souk_err root_close_door(souk_disk *disk, souk_diag *diag)
{
    const char *folder = souk_disk_folder(disk);
    char path[4096 + sizeof root_name];
    if (!folder[0])
        return SOUK_OK; /* simulated: there are no modes */
    int bytes = snprintf(path, sizeof path, "%s/%s", folder, root_name);
    if (bytes < 0 || (size_t)bytes >= sizeof path || chmod(path, 0400) != 0)
        return souk_diag_say(diag, SOUK_EIO, "the mode of 'root.key' cannot be set to 0400");
    return SOUK_OK;
}

static souk_err root_make(souk_disk *disk, const souk_vault_options *options,
                          uint8_t ret_key[SOUK_VAULT_ROOT_BYTES])
{
    char text[ROOT_TEXT_BYTES];
    options->random(options->random_context, ret_key, SOUK_VAULT_ROOT_BYTES);
    souk_hex(ret_key, SOUK_VAULT_ROOT_BYTES, text);
    text[ROOT_TEXT_BYTES - 1] = '\n';
    souk_err err = souk_disk_put(disk, root_name, text, sizeof text);
    sodium_memzero(text, sizeof text);
    return err;
}

/* For init: given, found or made. */
static souk_err root_settle(souk_disk *disk, const souk_vault_options *options,
                            uint8_t ret_key[SOUK_VAULT_ROOT_BYTES], souk_diag *diag)
{
    if (options->root_key) {
        memcpy(ret_key, options->root_key, SOUK_VAULT_ROOT_BYTES);
        return SOUK_OK;
    }
    if (souk_disk_exists(disk, root_name))
        SOUK_TRY(root_read(disk, ret_key, diag));
    else
        SOUK_TRY(root_make(disk, options, ret_key));
    /* Found may mean: put there by a process that died before the folder was synced. */
    SOUK_TRY(souk_disk_sync_folder(disk));
    return root_close_door(disk, diag);
}

/* ---- life ------------------------------------------------------------------------------ */

/* Header and named slots as bytes. */
static void first_image(const souk_vault_options *options, const souk_vault_root *root,
                        uint8_t *image)
{
    souk_vault_form form = {.block_slots = options->block_slots};
    options->random(options->random_context, form.id, sizeof form.id);
    souk_vault_header_write(root, &form, image);
    for (uint32_t slot = 0; slot < SOUK_VAULT_FIRST; slot++) {
        uint8_t *record = image + souk_vault_record_offset(slot);
        options->random(options->random_context, record, SOUK_VAULT_SEED_BYTES);
        souk_vault_record_make(root, &form, slot, record);
    }
}

souk_err souk_vault_init(souk_mem *mem, souk_disk *disk, const souk_vault_options *given,
                         souk_diag *diag)
{
    souk_vault_options options;
    SOUK_TRY(options_settle(given, &options, diag));
    if (souk_disk_exists(disk, keys_name))
        return souk_diag_say(diag, SOUK_EEXIST, "the file 'keys' is there already");
    size_t bytes = (size_t)souk_vault_record_offset(SOUK_VAULT_FIRST);
    uint8_t *image = souk_mem_get(mem, bytes);
    if (!image)
        return SOUK_ENOMEM;

    uint8_t key[SOUK_VAULT_ROOT_BYTES];
    souk_vault_root root;
    souk_err err = root_settle(disk, &options, key, diag);
    if (!err) {
        souk_vault_root_set(&root, key);
        first_image(&options, &root, image);
        err = souk_disk_put(disk, keys_name, image, bytes);
    }
    sodium_memzero(key, sizeof key);
    sodium_memzero(&root, sizeof root);
    souk_mem_put(mem, image);
    return err;
}

/* The root key into locked memory. */
static souk_err root_keep(souk_vault *vault, const souk_vault_options *options, souk_diag *diag)
{
    uint8_t key[SOUK_VAULT_ROOT_BYTES];
    SOUK_TRY(souk_vault_pages_init(&vault->secret, vault->mem, sizeof *vault->root));
    vault->root = vault->secret.at;
    souk_err err = SOUK_OK;
    if (options->root_key)
        memcpy(key, options->root_key, sizeof key);
    else
        err = root_read(vault->disk, key, diag);
    if (!err)
        souk_vault_root_set(vault->root, key);
    sodium_memzero(key, sizeof key);
    return err;
}

static souk_err header_read(souk_vault *vault, souk_diag *diag)
{
    uint8_t page[SOUK_VAULT_HEADER_BYTES];
    uint32_t copies;
    souk_err err = souk_vault_read(vault, page, sizeof page, 0);
    if (err == SOUK_ECORRUPT)
        return souk_diag_say(diag, err, "the file 'keys' is too short to hold its header");
    SOUK_TRY(err);
    return souk_vault_header_read(vault->root, page, &vault->form, &copies, diag);
}

souk_err souk_vault_open(souk_mem *mem, souk_disk *disk, const souk_vault_options *given,
                         souk_vault **ret_vault, souk_diag *diag)
{
    souk_vault_options options;
    SOUK_TRY(options_settle(given, &options, diag));
    souk_auto(souk_vault) vault = souk_mem_get(mem, sizeof *vault);
    if (!vault)
        return SOUK_ENOMEM;
    vault->mem = mem;
    vault->disk = disk;
    vault->slot_limit = options.slot_limit;
    vault->random = options.random;
    vault->random_context = options.random_context;
    souk_mutex_init(&vault->making);
    souk_mutex_init(&vault->writing);
    souk_mutex_init(&vault->choosing);
    vault->slots = (souk_vault_slots){.mem = mem, .first = SOUK_VAULT_FIRST};

    SOUK_TRY(root_keep(vault, &options, diag));
    souk_err err = souk_file_open(disk, keys_name, SOUK_FILE_WRITE, &vault->file);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, err,
                             "the file 'keys' is missing: restore it from the newest key "
                             "backup, or start a new data folder with `souk init`");
    SOUK_TRY(err);
    SOUK_TRY(header_read(vault, diag));
    /* An init that died after its rename left names which only this makes durable. */
    SOUK_TRY(souk_disk_sync_folder(disk));
    SOUK_TRY(souk_vault_keys_init(&vault->keys, mem, options.cache_keys));
    vault->slots.block_slots = vault->form.block_slots;
    SOUK_TRY(souk_vault_find_blocks(vault, diag));
    *ret_vault = souk_take(&vault);
    return SOUK_OK;
}

void souk_vault_free(souk_vault *vault)
{
    if (!vault)
        return;
    souk_vault_keys_done(&vault->keys);
    souk_vault_pages_done(&vault->secret);
    souk_file_free(vault->file);
    souk_vault_slots_done(&vault->slots);
    souk_mutex_done(&vault->making);
    souk_mutex_done(&vault->writing);
    souk_mutex_done(&vault->choosing);
    souk_mem *mem = vault->mem;
    sodium_memzero(vault, sizeof *vault); /* the records read ahead, too */
    souk_mem_put(mem, vault);
}

souk_err souk_vault_look(souk_disk *disk, souk_vault_found *ret_found, souk_diag *diag)
{
    uint8_t key[SOUK_VAULT_ROOT_BYTES], page[SOUK_VAULT_HEADER_BYTES];
    souk_vault_options options;
    souk_vault_root root;
    souk_vault_form form;
    souk_auto(souk_file) file = NULL;
    size_t bytes = 0;
    *ret_found = (souk_vault_found){.checked = 0};
    SOUK_TRY(options_settle(NULL, &options, diag));
    SOUK_TRY(root_read(disk, key, diag));
    souk_vault_root_set(&root, key);
    souk_err err = souk_file_open(disk, keys_name, SOUK_FILE_READ, &file);
    if (!err)
        err = souk_file_read(file, page, sizeof page, 0, &bytes);
    if (!err && bytes < sizeof page)
        err = souk_diag_say(diag, SOUK_ECORRUPT, "the file 'keys' is too short to hold its header");
    if (!err)
        err = souk_vault_header_read(&root, page, &form, &ret_found->header_copies, diag);
    sodium_memzero(key, sizeof key);
    sodium_memzero(&root, sizeof root);
    return err;
}

/* ---- the file -------------------------------------------------------------------------- */

void souk_vault_draw(souk_vault *vault, void *to, size_t bytes)
{
    vault->random(vault->random_context, to, bytes);
}

souk_err souk_vault_read(souk_vault *vault, void *to, size_t bytes, uint64_t offset)
{
    size_t got;
    SOUK_TRY(souk_file_read(vault->file, to, bytes, offset, &got));
    return got == bytes ? SOUK_OK : SOUK_ECORRUPT;
}

souk_err souk_vault_write(souk_vault *vault, const void *from, size_t bytes, uint64_t offset)
{
    if (atomic_load(&vault->sync_failed))
        return SOUK_EIO;
    return souk_file_write(vault->file, from, bytes, offset);
}

souk_err souk_vault_sync(souk_vault *vault)
{
    if (atomic_load(&vault->sync_failed))
        return SOUK_EIO;
    souk_err err = souk_file_sync(vault->file);
    if (err)
        atomic_store(&vault->sync_failed, true);
    return err;
}

static souk_err record_read(souk_vault *vault, uint32_t slot, uint8_t ret_key[32])
{
    uint8_t record[SOUK_VAULT_RECORD_BYTES];
    SOUK_TRY(souk_vault_read(vault, record, sizeof record, souk_vault_record_offset(slot)));
    return souk_vault_record_open(vault->root, &vault->form, slot, record, ret_key);
}

souk_err souk_vault_read_key(souk_vault *vault, uint32_t slot, uint8_t ret_key[32])
{
    souk_err err = record_read(vault, slot, ret_key);
    if (err != SOUK_ECORRUPT)
        return err;
    /* A read beside a destroy may see half of each (write(2) allows it): look again alone. */
    souk_auto_lock(&vault->writing);
    return record_read(vault, slot, ret_key);
}

/* ---- sealing --------------------------------------------------------------------------- */

/* A copy of the slot's key, which the caller zeroes. */
static souk_err key_of(souk_vault *vault, uint32_t slot, uint8_t ret_key[32])
{
    if (slot == 0 || slot >= atomic_load_explicit(&vault->made, memory_order_acquire))
        return SOUK_ENOENT;
    uint64_t epoch;
    while (!souk_vault_keys_find(&vault->keys, slot, ret_key, &epoch)) {
        SOUK_TRY(souk_vault_read_key(vault, slot, ret_key));
        if (souk_vault_keys_keep(&vault->keys, slot, ret_key, epoch))
            break;
    }
    return SOUK_OK;
}

enum { PLACE_BYTES = 17 };

static void place_bytes(const souk_seal_place *place, uint8_t to[PLACE_BYTES])
{
    souk_put_u32(to, place->merchant);
    souk_put_u32(to + 4, place->atom);
    to[8] = place->class;
    souk_put_u64(to + 9, place->position);
}

souk_err souk_vault_seal(souk_vault *vault, uint32_t slot, const souk_seal_place *place,
                         const uint8_t nonce[SOUK_VAULT_NONCE_BYTES], const void *plain,
                         size_t bytes, void *sealed)
{
    uint8_t key[32], data[PLACE_BYTES];
    SOUK_TRY(key_of(vault, slot, key));
    place_bytes(place, data);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, plain, bytes, data, sizeof data, NULL,
                                               nonce, key);
    sodium_memzero(key, sizeof key);
    return SOUK_OK;
}

souk_err souk_vault_unseal(souk_vault *vault, uint32_t slot, const souk_seal_place *place,
                           const uint8_t nonce[SOUK_VAULT_NONCE_BYTES], const void *sealed,
                           size_t sealed_bytes, void *plain)
{
    uint8_t key[32], data[PLACE_BYTES];
    SOUK_TRY(key_of(vault, slot, key));
    place_bytes(place, data);
    int wrong = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed, sealed_bytes,
                                                           data, sizeof data, nonce, key);
    sodium_memzero(key, sizeof key);
    return wrong ? SOUK_ECORRUPT : SOUK_OK;
}

souk_err souk_vault_derive(souk_vault *vault, uint32_t slot, const char *purpose, void *ret_secret,
                           size_t bytes)
{
    uint8_t key[32];
    SOUK_TRY(key_of(vault, slot, key));
    int failed = crypto_generichash(ret_secret, bytes, (const uint8_t *)purpose, strlen(purpose),
                                    key, sizeof key);
    sodium_memzero(key, sizeof key);
    souk_assert(!failed);
    return SOUK_OK;
}

souk_err souk_vault_named(souk_vault *vault, souk_vault_name which,
                          uint8_t ret_key[SOUK_VAULT_KEY_BYTES])
{
    if ((uint32_t)which == 0 || (uint32_t)which >= SOUK_VAULT_FIRST)
        return SOUK_EINVAL;
    return key_of(vault, (uint32_t)which, ret_key);
}

/* ---- taking ---------------------------------------------------------------------------- */

static bool is_shoppers(souk_vault *vault, uint32_t slot)
{
    return slot >= SOUK_VAULT_FIRST && slot < atomic_load(&vault->made);
}

souk_err souk_vault_mark_taken(souk_vault *vault, uint32_t slot)
{
    if (!is_shoppers(vault, slot))
        return SOUK_ENOENT;
    souk_auto_lock(&vault->choosing);
    souk_vault_slots_take(&vault->slots, slot);
    return SOUK_OK;
}

souk_err souk_vault_mark_all(souk_vault *vault, const uint64_t *taken, size_t word_count)
{
    enum { FIRST_WORD = SOUK_VAULT_FIRST / 64 };
    size_t made = atomic_load(&vault->made) / 64; /* blocks are whole words */
    for (size_t i = 0; i < word_count; i++)
        if (taken[i] && (i < FIRST_WORD || i >= made))
            return SOUK_ENOENT;
    souk_auto_lock(&vault->choosing);
    for (size_t i = FIRST_WORD; i < word_count; i++)
        if (taken[i])
            souk_vault_slots_take_word(&vault->slots, (uint32_t)i * 64, taken[i]);
    return SOUK_OK;
}

/* Under `choosing`: the record of a slot that was just chosen; slots go in order, so the next ones are read
 * with it. */
static souk_err read_ahead(souk_vault *vault, uint32_t slot, uint8_t *record)
{
    if (!vault->ahead_slot || slot - vault->ahead_slot >= SOUK_VAULT_AHEAD) {
        vault->ahead_slot = 0;
        SOUK_TRY(souk_vault_read(vault, vault->ahead, sizeof vault->ahead,
                                 souk_vault_record_offset(slot)));
        vault->ahead_slot = slot;
    }
    memcpy(record, vault->ahead + (slot - vault->ahead_slot) * SOUK_VAULT_RECORD_BYTES,
           SOUK_VAULT_RECORD_BYTES);
    return SOUK_OK;
}

static bool choose(souk_vault *vault, uint32_t *ret_slot, uint8_t *record, bool *ret_read)
{
    souk_auto_lock(&vault->choosing);
    if (!vault->slots.free_count)
        return false;
    *ret_slot = souk_vault_slots_choose(&vault->slots);
    *ret_read = read_ahead(vault, *ret_slot, record) == SOUK_OK;
    return true;
}

/* Opens the record and leaves the key where sealing looks for it. */
static souk_err try_slot(souk_vault *vault, uint32_t slot, const uint8_t *record, bool is_read)
{
    uint8_t key[32];
    uint64_t epoch;
    bool found = souk_vault_keys_find(&vault->keys, slot, key, &epoch);
    souk_err err = SOUK_ECORRUPT;
    if (!found && is_read)
        err = souk_vault_record_open(vault->root, &vault->form, slot, record, key);
    /* Near the end of the file, or torn by a write beside the reading: once more, alone. */
    if (found || err || !souk_vault_keys_keep(&vault->keys, slot, key, epoch))
        err = key_of(vault, slot, key);
    sodium_memzero(key, sizeof key);
    return err;
}

souk_err souk_vault_take(souk_vault *vault, uint32_t *ret_slot)
{
    /* Opening the record shows that it is good.
     * Destroyed slots of which the ledger no longer knows turn up here, and stay taken. */
    for (uint32_t passed = 0; passed < 2 * vault->form.block_slots;) { /* damaged ones */
        uint32_t slot;
        uint8_t record[SOUK_VAULT_RECORD_BYTES];
        bool is_read;
        if (!choose(vault, &slot, record, &is_read)) {
            SOUK_TRY(souk_vault_make_block(vault, 1));
            continue;
        }
        souk_err err = try_slot(vault, slot, record, is_read);
        if (!err) {
            *ret_slot = slot;
            return SOUK_OK;
        }
        souk_auto_lock(&vault->choosing);
        if (err != SOUK_EERASED && err != SOUK_ECORRUPT) {
            souk_vault_slots_give(&vault->slots, slot);
            return err;
        }
        vault->skipped++;
        passed += err == SOUK_ECORRUPT;
    }
    return SOUK_ECORRUPT;
}

souk_err souk_vault_prepare(souk_vault *vault)
{
    return souk_vault_make_block(vault, vault->form.block_slots / 4);
}

/* ---- destroying ------------------------------------------------------------------------ */

/* Under `writing`.  A record that says "destroyed" already is written again: it may be so in the
 * page cache only, after a sync that failed. */
static souk_err records_destroy(souk_vault *vault, const uint32_t *slots, size_t count)
{
    uint8_t record[SOUK_VAULT_RECORD_BYTES];
    for (size_t i = 0; i < count; i++) {
        souk_vault_draw(vault, record, SOUK_VAULT_SEED_BYTES);
        souk_vault_record_mark(vault->root, &vault->form, slots[i], record);
        SOUK_TRY(
            souk_vault_write(vault, record, sizeof record, souk_vault_record_offset(slots[i])));
    }
    return souk_vault_sync(vault);
}

souk_err souk_vault_destroy(souk_vault *vault, const uint32_t *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slots[i] && slots[i] < SOUK_VAULT_FIRST)
            return SOUK_EINVAL;
        if (!is_shoppers(vault, slots[i]))
            return SOUK_ENOENT;
    }
    for (size_t i = 0; i < count; i++)
        SOUK_TRY(souk_vault_mark_taken(vault, slots[i]));
    souk_err err = SOUK_OK;
    if (count) {
        souk_auto_lock(&vault->writing);
        err = records_destroy(vault, slots, count);
    }
    /* After the writes, so that no reader brings an old key back (vault_keys.h); and also after an
     * error, for part of it may be on the disk. */
    for (size_t i = 0; i < count; i++)
        souk_vault_keys_forget(&vault->keys, slots[i]);
    return err;
}

/* ---- counters -------------------------------------------------------------------------- */

souk_vault_stats souk_vault_stats_of(souk_vault *vault)
{
    souk_vault_stats stats = {
        .made = atomic_load(&vault->made),
        .block_slots = vault->form.block_slots,
        .memory_locked = vault->keys.pages.locked && vault->secret.locked,
        .writes_failed = atomic_load(&vault->sync_failed),
    };
    souk_vault_keys_count(&vault->keys, &stats.hits, &stats.misses);
    souk_auto_lock(&vault->choosing);
    stats.free_slots = vault->slots.free_count;
    stats.skipped = vault->skipped;
    return stats;
}
