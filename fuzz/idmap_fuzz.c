/* idmap_fuzz.c - a snapshot of any bytes is refused or mapped, and then no call reads outside it.
 *
 * The header's CRC is made right first, or nothing behind it would ever be reached. */
#include "base/hash.h"
#include "core/idmap.h"
#include "core/idmap_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static souk_err put_file(souk_disk *disk, const uint8_t *data, size_t bytes, souk_file **ret_file)
{
    unsigned char header[SOUK_IDMAP_HEADER] = {0};
    memcpy(header, data, souk_min_size(bytes, sizeof header));
    souk_put_u32(header + 48, souk_crc32c(0, header, 48));
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, "map", SOUK_FILE_CREATE, &file));
    SOUK_TRY(souk_file_write(file, data, bytes, SOUK_IDMAP_PAGE - sizeof header));
    SOUK_TRY(souk_file_write(file, header, sizeof header, 0));
    *ret_file = souk_take(&file);
    return SOUK_OK;
}

static souk_err one(const uint8_t *data, size_t bytes)
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_file) file = NULL;
    souk_auto(souk_idmap) map = NULL;
    SOUK_TRY(souk_disk_open_sim(souk_mem_heap(), 1, &disk));
    SOUK_TRY(put_file(disk, data, bytes, &file));
    SOUK_TRY(souk_idmap_new(souk_mem_heap(), 100000, &map));
    souk_idmap_key key = {{0}};
    memcpy(key.bytes, data, souk_min_size(bytes, sizeof key.bytes));
    SOUK_TRY(souk_idmap_remove_in_file(disk, "map", 0, &key));
    SOUK_TRY(souk_idmap_map(map, file, 0));
    (void)!souk_idmap_verify(map);
    for (size_t at = 0; at + sizeof key <= bytes && at < 4096; at += 2) {
        memcpy(key.bytes, data + at, sizeof key.bytes);
        if (at % 3 == 0)
            souk_idmap_remove(map, &key);
        else if (at % 3 == 1)
            (void)!souk_idmap_replace(map, &key, 1);
        key.bytes[0] ^= (unsigned char)at;
        (void)!souk_idmap_put(map, &key, (uint32_t)at);
    }
    return SOUK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    (void)!one(data, bytes);
    return 0;
}
