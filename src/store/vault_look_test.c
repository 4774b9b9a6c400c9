/* vault_look_test.c - the header of the keys, seen beside the vault that has them open. */
#include "store/vault_format.h"

#include "store/vault.h"
#include "test/test.h"

static souk_err damage(souk_disk *disk, uint64_t offset)
{
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, "keys", SOUK_FILE_WRITE, &file));
    return souk_file_write(file, "?", 1, offset);
}

SOUK_TEST("a look at the keys counts sound copies of the header, and knows another root key")
{
    static const souk_vault_options small = {.block_slots = 64, .cache_keys = 16};
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_vault) vault = NULL;
    souk_vault_found found;
    souk_diag diag = {.words = ""};
    SOUK_MUST(souk_disk_open_sim(test->mem, 9, &disk));
    SOUK_CHECK_ERR(souk_vault_look(disk, &found, &diag), SOUK_ENOENT);
    SOUK_CHECK(strstr(diag.words, "root.key"));
    SOUK_MUST(souk_vault_init(test->mem, disk, &small, NULL));
    SOUK_MUST(souk_vault_open(test->mem, disk, &small, &vault, NULL));
    SOUK_MUST(souk_vault_look(disk, &found, NULL));
    SOUK_CHECK(found.header_copies == SOUK_VAULT_HEADER_COPIES);

    SOUK_MUST(damage(disk, 3));
    SOUK_MUST(damage(disk, 3 + 2 * SOUK_VAULT_SECTOR_BYTES));
    SOUK_MUST(souk_vault_look(disk, &found, NULL));
    SOUK_CHECK(found.header_copies == SOUK_VAULT_HEADER_COPIES - 2);

    char other[65];
    memset(other, 'a', 64);
    other[64] = '\n';
    SOUK_MUST(souk_disk_put(disk, "root.key", other, sizeof other));
    SOUK_CHECK_ERR(souk_vault_look(disk, &found, NULL), SOUK_EUNAUTH);
    SOUK_MUST(souk_disk_put(disk, "root.key", "abc", 3));
    SOUK_CHECK_ERR(souk_vault_look(disk, &found, NULL), SOUK_ECORRUPT);
    SOUK_MUST(souk_disk_put(disk, "root.key", other, sizeof other));
    SOUK_MUST(souk_disk_put(disk, "keys", "SOUKKEYS", 8));
    SOUK_CHECK_ERR(souk_vault_look(disk, &found, NULL), SOUK_ECORRUPT);
}
