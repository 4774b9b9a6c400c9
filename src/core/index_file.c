/* index_file.c - snapshots of index.h: one file, each array from a multiple of 4096 bytes, mapped at
 * start.
 *
 *     head 8192 | atoms | shoppers | counters | slots: a bit each | identifiers (idmap.h)
 *
 * Only head and slots have a CRC, since these are read: the arrays are too large to read at start.  `souk verify` compares every
 * value with what the log says; until then a damaged value may be a wrong answer, never an access outside. */
#include "core/index_private.h"

#include <stdio.h>

enum { FILE_MAGIC = 0x584b4f53, FILE_VERSION = 5, FILE_HEAD = 8192, FILE_PAGE = 4096 };

struct file_head {
    uint32_t magic, version;
    uint32_t crc;                                        /* of the head with 0 here */
    uint32_t atom_bytes, shopper_bytes, counter_classes; /* the layout's check */
    uint32_t slot_words, slots_crc;
    uint64_t atoms_at, shoppers_at, counters_at, slots_at, identifiers_at;
    struct index_head head;
};
_Static_assert(sizeof(struct file_head) <= FILE_HEAD, "the head fits its pages");

static uint64_t counter_bytes(const struct index_head *head)
{
    return (uint64_t)head->counter_units * 16;
}

static uint64_t page_up(uint64_t bytes)
{
    return (bytes + FILE_PAGE - 1) / FILE_PAGE * FILE_PAGE;
}

static uint32_t head_crc(const struct file_head *head)
{
    struct file_head without = *head;
    without.crc = 0;
    return souk_crc32c(0, &without, sizeof without);
}

static void lay_out(struct file_head *file)
{
    file->atoms_at = FILE_HEAD;
    file->shoppers_at = page_up(file->atoms_at + file->head.atom_count * sizeof(souk_atom));
    file->counters_at =
        page_up(file->shoppers_at + file->head.shopper_count * sizeof(struct shopper));
    file->slots_at = page_up(file->counters_at + counter_bytes(&file->head));
    file->identifiers_at = page_up(file->slots_at + (uint64_t)file->slot_words * 8);
}

/* ---- slots --------------------------------------------------------------------------------------------- */

enum { SLOTS_MOST = 1 << 30 }; /* whatever is not below is damage */

souk_err souk_index_slots(const souk_index *index, uint64_t **ret_taken, size_t *ret_words)
{
    uint32_t from = index->slot_atoms ? index->slot_atoms : 1, end = index->head.atom_count;
    size_t words = index->slot_words;
    for (uint32_t atom = from; atom < end; atom++) {
        uint32_t slot = souk_index_atom_at(index, atom)->slot;
        if (slot < SLOTS_MOST)
            words = souk_max_size(words, slot / 64 + 1);
    }
    uint64_t *taken = souk_mem_array(index->mem, souk_max_size(words, 1), sizeof *taken);
    if (!taken)
        return SOUK_ENOMEM;
    if (index->slot_words)
        memcpy(taken, index->slots, index->slot_words * sizeof *taken);
    for (uint32_t atom = from; atom < end; atom++) {
        uint32_t slot = souk_index_atom_at(index, atom)->slot;
        if (slot < SLOTS_MOST)
            taken[slot / 64] |= (uint64_t)1 << (slot % 64);
    }
    if (words)
        taken[0] &= ~(uint64_t)1; /* 0 is no slot: an erased atom's */
    *ret_taken = taken;
    *ret_words = words;
    return SOUK_OK;
}

static souk_err read_slots(souk_index *index, souk_file *file, const struct file_head *head)
{
    size_t got, bytes = (size_t)head->slot_words * sizeof *index->slots;
    if (head->slot_words > SLOTS_MOST / 64)
        return SOUK_ECORRUPT;
    index->slots = souk_mem_get(index->mem, souk_max_size(bytes, 1));
    if (!index->slots)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_file_read(file, index->slots, bytes, head->slots_at, &got));
    if (got < bytes || souk_crc32c(0, index->slots, bytes) != head->slots_crc)
        return SOUK_ECORRUPT;
    index->slot_words = head->slot_words;
    index->slot_atoms = head->head.atom_count;
    return SOUK_OK;
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static souk_err write_arrays(const souk_index *index, const uint64_t *slots, size_t slot_words,
                             souk_file *file)
{
    struct file_head head;
    memset(&head, 0, sizeof head); /* padding too, for the CRC */
    head.magic = FILE_MAGIC;
    head.version = FILE_VERSION;
    head.atom_bytes = sizeof(souk_atom);
    head.shopper_bytes = sizeof(struct shopper);
    head.counter_classes = INDEX_CLASSES;
    head.slot_words = (uint32_t)slot_words;
    head.slots_crc = souk_crc32c(0, slots, slot_words * sizeof *slots);
    memcpy(&head.head, &index->head, sizeof head.head);
    lay_out(&head);
    head.crc = head_crc(&head);
    SOUK_TRY(souk_file_write(file, index->atoms.at, head.head.atom_count * sizeof(souk_atom),
                             head.atoms_at));
    SOUK_TRY(souk_file_write(file, index->shoppers.at,
                             head.head.shopper_count * sizeof(struct shopper), head.shoppers_at));
    SOUK_TRY(
        souk_file_write(file, index->counters.at, counter_bytes(&head.head), head.counters_at));
    SOUK_TRY(souk_file_write(file, slots, slot_words * sizeof *slots, head.slots_at));
    uint64_t bytes;
    SOUK_TRY(souk_idmap_write(index->identifiers, file, head.identifiers_at, &bytes));
    return souk_file_write(file, &head, sizeof head, 0);
}

enum { PART_NAME = 220, PIECE_BYTES = 1 << 20 };

static void name_part(const char *name, char ret_part[PART_NAME])
{
    snprintf(ret_part, PART_NAME, "%s.part", name);
}

souk_err souk_index_write(const souk_index *index, souk_file *file)
{
    uint64_t *slots;
    size_t slot_words;
    SOUK_TRY(souk_index_slots(index, &slots, &slot_words));
    souk_err err = write_arrays(index, slots, slot_words, file);
    souk_mem_put(index->mem, slots);
    return err;
}

static souk_err remove_if_there(souk_disk *disk, const char *name)
{
    souk_err err = souk_disk_remove(disk, name);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

static souk_err put_in_place(souk_disk *disk, const char *part, const char *name)
{
    SOUK_TRY(souk_disk_rename(disk, part, name));
    return souk_disk_sync_folder(disk);
}

/* What was written of it would keep a full disk full. */
static souk_err end_part(souk_disk *disk, const char *part, souk_err err)
{
    if (err)
        (void)!souk_disk_remove(disk, part);
    return err;
}

static souk_err write_part(const souk_index *index, souk_disk *disk, const char *part)
{
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, part, SOUK_FILE_TRUNCATE, &file));
    SOUK_TRY(souk_index_write(index, file));
    return souk_file_sync(file);
}

souk_err souk_index_save(const souk_index *index, souk_disk *disk, const char *name)
{
    char part[PART_NAME];
    name_part(name, part);
    souk_err err = write_part(index, disk, part);
    return end_part(disk, part, err ? err : put_in_place(disk, part, name));
}

static souk_err copy_piece(souk_file *image, souk_disk *disk, const char *part, uint64_t from)
{
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, part, from ? SOUK_FILE_WRITE : SOUK_FILE_TRUNCATE, &file));
    SOUK_TRY(souk_file_copy(image, file, from, PIECE_BYTES));
    return souk_file_sync(file);
}

souk_err souk_index_save_piece(souk_file *image, souk_disk *disk, const char *name, uint64_t *done,
                               bool *ret_saved)
{
    char part[PART_NAME];
    name_part(name, part);
    uint64_t bytes;
    souk_err err = souk_file_size(image, &bytes);
    if (!err)
        err = copy_piece(image, disk, part, *done);
    if (err)
        return end_part(disk, part, err);
    *done += PIECE_BYTES;
    *ret_saved = *done >= bytes;
    return *ret_saved ? end_part(disk, part, put_in_place(disk, part, name)) : SOUK_OK;
}

static souk_err read_head(souk_file *file, struct file_head *ret_head)
{
    size_t got;
    uint64_t bytes;
    SOUK_TRY(souk_file_read(file, ret_head, sizeof *ret_head, 0, &got));
    SOUK_TRY(souk_file_size(file, &bytes));
    if (got < sizeof *ret_head || ret_head->magic != FILE_MAGIC)
        return SOUK_ECORRUPT;
    if (ret_head->version != FILE_VERSION || ret_head->atom_bytes != sizeof(souk_atom) ||
        ret_head->shopper_bytes != sizeof(struct shopper) ||
        ret_head->counter_classes != INDEX_CLASSES)
        return SOUK_EVERSION;
    if (head_crc(ret_head) != ret_head->crc || bytes < ret_head->identifiers_at)
        return SOUK_ECORRUPT;
    return SOUK_OK;
}

static souk_err map_arrays(souk_index *index, souk_file *file, const struct file_head *head)
{
    SOUK_TRY(souk_region_map(&index->atoms, file, head->atoms_at,
                             head->head.atom_count * sizeof(souk_atom)));
    SOUK_TRY(souk_region_map(&index->shoppers, file, head->shoppers_at,
                             head->head.shopper_count * sizeof(struct shopper)));
    SOUK_TRY(
        souk_region_map(&index->counters, file, head->counters_at, counter_bytes(&head->head)));
    SOUK_TRY(souk_idmap_map(index->identifiers, file, head->identifiers_at));
    SOUK_TRY(read_slots(index, file, head));
    index->head = head->head;
    souk_index_commit(index);
    return SOUK_OK;
}

souk_err souk_index_load(souk_index *index, souk_disk *disk, const char *name)
{
    struct file_head head;
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, name, SOUK_FILE_READ, &file));
    SOUK_TRY(read_head(file, &head));
    SOUK_TRY(souk_region_clear(&index->atoms));
    SOUK_TRY(souk_region_clear(&index->shoppers));
    SOUK_TRY(souk_region_clear(&index->counters));
    souk_err err = map_arrays(index, file, &head);
    if (err) {
        souk_err cleared = souk_index_clear(index);
        return cleared ? cleared : err;
    }
    return SOUK_OK;
}

static souk_err erase_hashes(souk_disk *disk, const char *name, const souk_hash128 *hashes,
                             const uint32_t *now, size_t count)
{
    struct file_head head;
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, name, SOUK_FILE_WRITE, &file));
    SOUK_TRY(read_head(file, &head));
    for (size_t i = 0; i < count; i++) {
        souk_idmap_key key = souk_idmap_key_of(&hashes[i]);
        uint32_t value;
        SOUK_TRY(souk_idmap_find_in_file(disk, name, head.identifiers_at, &key, &value));
        if (value != now[i]) /* where it is gone too: that may not be synced yet */
            SOUK_TRY(souk_idmap_remove_in_file(disk, name, head.identifiers_at, &key));
    }
    return SOUK_OK;
}

souk_err souk_index_remove_file(souk_disk *disk, const char *name)
{
    char part[PART_NAME];
    name_part(name, part);
    SOUK_TRY(remove_if_there(disk, part));
    SOUK_TRY(remove_if_there(disk, name));
    return souk_disk_sync_folder(disk);
}

souk_err souk_index_erase_in_file(souk_disk *disk, const char *name, const souk_hash128 *hashes,
                                  const uint32_t *now, size_t count)
{
    char part[PART_NAME];
    name_part(name, part);
    SOUK_TRY(remove_if_there(disk, part)); /* of a save that did not end */
    souk_err err = erase_hashes(disk, name, hashes, now, count);
    if (err == SOUK_ECORRUPT || err == SOUK_EVERSION)
        err = remove_if_there(disk, name); /* it is made again from the log */
    if (err && err != SOUK_ENOENT)
        return err;
    return souk_disk_sync_folder(disk);
}
