/* runs_manifest.c - which files make the set, and how far they reach.
 *
 *     0 magic "SoukRunM", 8 version u32 = 1, 12 files u32, 16 through u64, 24 next number u64,
 *     then for each file, oldest first: number u64, pairs u64, tier u32, 0 u32; then the CRC-32C of
 *     everything before it, u32
 *
 * It is replaced as a whole (souk_disk_put), after the files it names are synced and before those
 * it no longer names are removed. */
#include "base/hash.h"
#include "core/runs_inside.h"

#include <stdio.h>

enum { VERSION = 1, HEAD = 32, ENTRY = 24, SUM = 4 };
enum { MOST = HEAD + ENTRY * SOUK_RUNS_FILES + SUM };
static const char magic[8] = "SoukRunM";

void souk_runs_path(const char *name, uint64_t number, char path[SOUK_RUNS_PATH])
{
    snprintf(path, SOUK_RUNS_PATH, "runs/%s-%llu", name, (unsigned long long)number);
}

static void manifest_path(const char *name, char path[SOUK_RUNS_PATH])
{
    snprintf(path, SOUK_RUNS_PATH, "runs/%s-manifest", name);
}

souk_err souk_runs_name_check(const char *name)
{
    size_t bytes = strlen(name);
    if (bytes == 0 || bytes > SOUK_RUNS_NAME)
        return SOUK_EINVAL;
    for (size_t i = 0; i < bytes; i++) {
        char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return SOUK_EINVAL;
    }
    return SOUK_OK;
}

static souk_err parse(souk_text bytes, souk_runs_manifest *ret_manifest)
{
    const char *at = bytes.at;
    if (bytes.bytes < HEAD + SUM || memcmp(at, magic, sizeof magic) ||
        souk_get_u32(at + bytes.bytes - SUM) != souk_crc32c(0, at, bytes.bytes - SUM))
        return SOUK_ECORRUPT;
    if (souk_get_u32(at + 8) > VERSION)
        return SOUK_EVERSION;
    size_t count = souk_get_u32(at + 12);
    if (count > SOUK_RUNS_FILES || bytes.bytes != HEAD + count * ENTRY + SUM)
        return SOUK_ECORRUPT;
    ret_manifest->count = count;
    ret_manifest->through = souk_get_u64(at + 16);
    ret_manifest->next_number = souk_get_u64(at + 24);
    for (size_t i = 0; i < count; i++) {
        const char *from = at + HEAD + i * ENTRY;
        souk_runs_entry *entry = &ret_manifest->entries[i];
        *entry = (souk_runs_entry){
            .number = souk_get_u64(from),
            .pairs = souk_get_u64(from + 8),
            .tier = souk_get_u32(from + 16),
        };
        if (entry->number >= ret_manifest->next_number || (i > 0 && entry->tier > entry[-1].tier))
            return SOUK_ECORRUPT;
    }
    return SOUK_OK;
}

souk_err souk_runs_manifest_read(souk_mem *mem, souk_disk *disk, const char *name,
                                 souk_runs_manifest *ret_manifest)
{
    char path[SOUK_RUNS_PATH];
    manifest_path(name, path);
    souk_auto_value(souk_buf) buf = {.mem = mem, .limit_bytes = 2 * MOST};
    souk_err err = souk_disk_take(disk, path, &buf);
    if (err)
        return err == SOUK_ETOOBIG ? SOUK_ECORRUPT : err;
    return parse(souk_buf_view(&buf), ret_manifest);
}

souk_err souk_runs_manifest_put(souk_mem *mem, souk_disk *disk, const char *name,
                                const souk_runs_manifest *manifest)
{
    char path[SOUK_RUNS_PATH];
    manifest_path(name, path);
    souk_auto_value(souk_buf) buf = {.mem = mem, .limit_bytes = 2 * MOST};
    size_t bytes = HEAD + manifest->count * ENTRY + SUM;
    char *to = souk_buf_room(&buf, bytes);
    if (!to)
        return souk_buf_check(&buf);
    memset(to, 0, bytes);
    memcpy(to, magic, sizeof magic);
    souk_put_u32(to + 8, VERSION);
    souk_put_u32(to + 12, (uint32_t)manifest->count);
    souk_put_u64(to + 16, manifest->through);
    souk_put_u64(to + 24, manifest->next_number);
    for (size_t i = 0; i < manifest->count; i++) {
        char *entry = to + HEAD + i * ENTRY;
        souk_put_u64(entry, manifest->entries[i].number);
        souk_put_u64(entry + 8, manifest->entries[i].pairs);
        souk_put_u32(entry + 16, manifest->entries[i].tier);
    }
    souk_put_u32(to + bytes - SUM, souk_crc32c(0, to, bytes - SUM));
    return souk_disk_put(disk, path, to, bytes);
}

typedef struct run_removal {
    souk_disk *disk;
    const char *name;
    const souk_runs_manifest *manifest;
} run_removal;

/* The number of "runs/<name>-<number>"; false for any other name. */
static bool number_of(const run_removal *removal, const char *path, uint64_t *ret_number)
{
    souk_text rest = souk_text_of(path), prefix = souk_text_of(removal->name);
    if (!souk_text_starts(rest, SOUK_TEXT("runs/")))
        return false;
    rest = souk_text_range(rest.at + 5, rest.at + rest.bytes);
    if (!souk_text_starts(rest, prefix) || rest.bytes <= prefix.bytes ||
        rest.at[prefix.bytes] != '-')
        return false;
    rest = souk_text_range(rest.at + prefix.bytes + 1, rest.at + rest.bytes);
    return souk_text_to_u64(rest, ret_number) == SOUK_OK;
}

static souk_err remove_unnamed(void *context, const char *path, uint64_t bytes)
{
    const run_removal *removal = context;
    uint64_t number;
    (void)bytes;
    if (!number_of(removal, path, &number))
        return SOUK_OK;
    for (size_t i = 0; removal->manifest && i < removal->manifest->count; i++)
        if (removal->manifest->entries[i].number == number)
            return SOUK_OK;
    return souk_disk_remove(removal->disk, path);
}

souk_err souk_runs_remove_others(souk_disk *disk, const char *name,
                                 const souk_runs_manifest *manifest)
{
    run_removal removal = {disk, name, manifest};
    souk_err err = souk_disk_list(disk, "runs", remove_unnamed, &removal);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

souk_err souk_runs_reset(souk_disk *disk, const char *name)
{
    char path[SOUK_RUNS_PATH];
    SOUK_TRY(souk_runs_name_check(name));
    manifest_path(name, path);
    souk_err err = souk_disk_remove(disk, path);
    if (err && err != SOUK_ENOENT)
        return err;
    /* Durably, before any file it names goes: half of a set must never open. */
    SOUK_TRY(souk_disk_sync_folder(disk));
    SOUK_TRY(souk_runs_remove_others(disk, name, NULL));
    return souk_disk_sync_folder(disk);
}
