/* vault_fuzz.c - root.key, the header and the records of the file `keys` as a stranger might write
 * them: whatever the bytes are, opening ends in a key or in an error that the header file names.
 *
 * Input: 1 byte that selects, then the bytes of root.key (0), a header page (1) or a record (2).
 * Where bit 7 of the first byte is set the header's sums are made right, so that what stands behind
 * them is reached. */
#include "store/vault_format.h"

#include "base/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_header(const souk_vault_root *root, const uint8_t *data, size_t size, bool mend)
{
    uint8_t page[SOUK_VAULT_HEADER_BYTES] = {0};
    souk_vault_form form;
    uint32_t copies;
    souk_diag diag = {0};
    if (size)
        memcpy(page, data, souk_min_size(size, sizeof page));
    for (size_t copy = 0; mend && copy < SOUK_VAULT_HEADER_COPIES; copy++) {
        uint8_t *sector = page + copy * SOUK_VAULT_SECTOR_BYTES;
        souk_put_u32(sector + 56, souk_crc32c(0, sector, 56));
    }
    souk_err err = souk_vault_header_read(root, page, &form, &copies, &diag);
    souk_assert(err == SOUK_OK || err == SOUK_EUNAUTH || err == SOUK_EVERSION ||
                err == SOUK_ECORRUPT);
    souk_assert((err == SOUK_OK) == (copies > 0) && (err == SOUK_OK) == (diag.words[0] == 0));
    souk_assert(err || (form.block_slots && form.block_slots % SOUK_VAULT_BLOCK_STEP == 0));
}

static void fuzz_record(const souk_vault_root *root, const uint8_t *data, size_t size)
{
    souk_vault_form form = {.block_slots = 64};
    uint8_t record[SOUK_VAULT_RECORD_BYTES] = {0}, key[32];
    if (size)
        memcpy(record, data, souk_min_size(size, sizeof record));
    /* nobody finds a tag by chance, so anything but damage is our mistake */
    souk_assert(souk_vault_record_open(root, &form, 300, record, key) == SOUK_ECORRUPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t key[SOUK_VAULT_ROOT_BYTES] = {0};
    souk_vault_root root;
    if (size == 0)
        return 0;
    souk_vault_root_set(&root, key);
    switch (data[0] % 128 % 3) {
    case 0: {
        souk_text text = {(const char *)data + 1, size - 1};
        bool good = souk_vault_root_parse(text, key);
        souk_assert(!good || text.bytes >= SOUK_VAULT_ROOT_BYTES);
        break;
    }
    case 1:
        fuzz_header(&root, data + 1, size - 1, data[0] & 128);
        break;
    default:
        fuzz_record(&root, data + 1, size - 1);
    }
    return 0;
}
