/* disk.c - disk.h for every backend: the checks at the door, and what is made of other verbs. */
#include "os/disk_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static const char room_name[] = "room"; /* of souk_disk_try_room */

enum { PAGE_BYTES = 4096, NAMES_MOST = 1 << 20 };

/* Relative, no empty part, no "." and no "..", so that nothing outside the folder can be meant;
 * "lock" is the lock's own. */
static bool name_is_good(const char *name)
{
    size_t bytes = strlen(name);
    if (bytes == 0 || bytes > SOUK_DISK_NAME_MOST || !strcmp(name, "lock"))
        return false;
    souk_text rest = {name, bytes};
    if (name[bytes - 1] == '/')
        return false;
    while (rest.bytes) {
        souk_text part = souk_text_cut(&rest, '/');
        if (part.bytes == 0 || souk_text_equal(part, SOUK_TEXT(".")) ||
            souk_text_equal(part, SOUK_TEXT("..")))
            return false;
    }
    return true;
}

void souk_disk_free(souk_disk *disk)
{
    if (disk)
        disk->backend->free(disk);
}

const char *souk_disk_folder(const souk_disk *disk)
{
    return disk->folder;
}

souk_err souk_disk_lock(souk_disk *disk)
{
    return disk->backend->lock(disk);
}

souk_err souk_file_open(souk_disk *disk, const char *name, unsigned flags, souk_file **ret_file)
{
    souk_assert(flags == SOUK_FILE_READ || flags == SOUK_FILE_WRITE || flags == SOUK_FILE_CREATE ||
                flags == SOUK_FILE_TRUNCATE);
    if (!name_is_good(name))
        return SOUK_EINVAL;
    return disk->backend->open(disk, name, flags, ret_file);
}

souk_err souk_file_scratch(souk_disk *disk, souk_file **ret_file)
{
    return disk->backend->scratch ? disk->backend->scratch(disk, ret_file) : SOUK_EINVAL;
}

void souk_file_free(souk_file *file)
{
    if (file)
        file->disk->backend->close(file);
}

souk_err souk_file_read(souk_file *file, void *to, size_t bytes, uint64_t offset, size_t *ret_bytes)
{
    return file->disk->backend->read(file, to, bytes, offset, ret_bytes);
}

souk_err souk_file_write(souk_file *file, const void *from, size_t bytes, uint64_t offset)
{
    if (!file->writable)
        return SOUK_EINVAL;
    if (bytes > INT64_MAX || offset > INT64_MAX - bytes)
        return SOUK_ETOOBIG;
    return bytes ? file->disk->backend->write(file, from, bytes, offset) : SOUK_OK;
}

souk_err souk_file_sync(souk_file *file)
{
    return file->disk->backend->sync(file);
}

souk_err souk_file_copy(souk_file *from, souk_file *to, uint64_t offset, size_t bytes)
{
    const size_t step = (size_t)256 << 10;
    char *buffer = souk_mem_get(to->disk->mem, step);
    if (!buffer)
        return SOUK_ENOMEM;
    souk_err err = SOUK_OK;
    size_t got = step;
    for (size_t done = 0; done < bytes && got == step && !err; done += got) {
        err = souk_file_read(from, buffer, souk_min_size(step, bytes - done), offset + done, &got);
        if (!err)
            err = souk_file_write(to, buffer, got, offset + done);
    }
    souk_mem_put(to->disk->mem, buffer);
    return err;
}

souk_err souk_file_truncate(souk_file *file, uint64_t bytes)
{
    if (!file->writable)
        return SOUK_EINVAL;
    if (bytes > INT64_MAX)
        return SOUK_ETOOBIG;
    return file->disk->backend->truncate(file, bytes);
}

souk_err souk_file_size(souk_file *file, uint64_t *ret_bytes)
{
    return file->disk->backend->size(file, ret_bytes);
}

souk_err souk_file_map(souk_file *file, uint64_t offset, size_t bytes, void *at, void **ret_at)
{
    if (bytes == 0 || offset % PAGE_BYTES || (uintptr_t)at % PAGE_BYTES)
        return SOUK_EINVAL;
    uint64_t size;
    SOUK_TRY(souk_file_size(file, &size));
    /* Touching a page behind the end would be SIGBUS, long after the cause. */
    if (offset > size || bytes > size - offset)
        return SOUK_ECORRUPT;
    return file->disk->backend->map(file, offset, bytes, at, ret_at);
}

void souk_map_done(souk_disk *disk, void *at, size_t bytes)
{
    (void)disk;
    if (!at)
        return;
    int failed = munmap(at, bytes);
    souk_assert(!failed);
}

souk_err souk_disk_make_folder(souk_disk *disk, const char *name)
{
    return name_is_good(name) ? disk->backend->make_folder(disk, name) : SOUK_EINVAL;
}

souk_err souk_disk_rename(souk_disk *disk, const char *from, const char *to)
{
    if (!name_is_good(from) || !name_is_good(to))
        return SOUK_EINVAL;
    return disk->backend->rename(disk, from, to);
}

souk_err souk_disk_remove(souk_disk *disk, const char *name)
{
    return name_is_good(name) ? disk->backend->remove(disk, name) : SOUK_EINVAL;
}

bool souk_disk_exists(souk_disk *disk, const char *name)
{
    return name_is_good(name) && disk->backend->exists(disk, name);
}

souk_err souk_disk_sync_folder(souk_disk *disk)
{
    return disk->backend->sync_folder(disk, "");
}

souk_err souk_disk_names_add(souk_disk_names *names, const char *name, uint64_t bytes)
{
    size_t name_bytes = strlen(name);
    /* Longer ones are not ours: no verb could open them. */
    if (name_bytes >= SOUK_DISK_NAME_ROOM || !strcmp(name, "lock"))
        return SOUK_OK;
    SOUK_TRY(souk_mem_grow(names->mem, &names->at, &names->capacity, names->count + 1, NAMES_MOST,
                           sizeof *names->at));
    souk_disk_name *added = &names->at[names->count++];
    memcpy(added->name, name, name_bytes + 1);
    added->bytes = bytes;
    return SOUK_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const souk_disk_name *)a)->name, ((const souk_disk_name *)b)->name);
}

souk_err souk_disk_list(souk_disk *disk, const char *under,
                        souk_err (*each)(void *context, const char *name, uint64_t bytes),
                        void *context)
{
    if (*under && !name_is_good(under))
        return SOUK_EINVAL;
    souk_disk_names names = {.mem = disk->mem};
    souk_err err = disk->backend->list(disk, under, &names);
    if (!err && names.count)
        qsort(names.at, names.count, sizeof *names.at, compare_names);
    for (size_t i = 0; !err && i < names.count; i++)
        err = each(context, names.at[i].name, names.at[i].bytes);
    souk_mem_put(disk->mem, names.at);
    return err;
}

static souk_err write_whole(souk_disk *disk, const char *name, const void *from, size_t bytes)
{
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(disk->backend->open(disk, name, SOUK_FILE_TRUNCATE, &file));
    SOUK_TRY(souk_file_write(file, from, bytes, 0));
    return souk_file_sync(file);
}

souk_err souk_disk_put(souk_disk *disk, const char *name, const void *from, size_t bytes)
{
    if (!name_is_good(name))
        return SOUK_EINVAL;
    char fresh[SOUK_DISK_NAME_ROOM];
    snprintf(fresh, sizeof fresh, "%s.new", name);
    souk_err err = write_whole(disk, fresh, from, bytes);
    if (!err)
        err = disk->backend->rename(disk, fresh, name);
    if (err) {
        /* On a full disk the half-written file would hold the space; a failure here is no news. */
        (void)!disk->backend->remove(disk, fresh);
        return err;
    }
    return disk->backend->sync_folder(disk, name);
}

static souk_err fill_room(souk_disk *disk, size_t bytes)
{
    static const char nothing[65536];
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(disk->backend->open(disk, room_name, SOUK_FILE_TRUNCATE, &file));
    for (size_t done = 0; done < bytes; done += sizeof nothing)
        SOUK_TRY(souk_file_write(file, nothing, souk_min_size(bytes - done, sizeof nothing), done));
    return SOUK_OK;
}

souk_err souk_disk_try_room(souk_disk *disk, size_t bytes)
{
    souk_err err = fill_room(disk, bytes);
    souk_err removed = disk->backend->remove(disk, room_name);
    return err ? err : removed;
}

souk_err souk_disk_take(souk_disk *disk, const char *name, souk_buf *buf)
{
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, name, SOUK_FILE_READ, &file));
    souk_buf_clear(buf);
    uint64_t size;
    SOUK_TRY(souk_file_size(file, &size));
    size_t limit = buf->limit_bytes ? buf->limit_bytes : (size_t)64 << 20;
    if (size > limit)
        return SOUK_ETOOBIG;
    if (size == 0)
        return SOUK_OK;
    char *room = souk_buf_room(buf, (size_t)size);
    if (!room)
        return souk_buf_check(buf);
    size_t got;
    SOUK_TRY(souk_file_read(file, room, (size_t)size, 0, &got));
    souk_buf_added(buf, got);
    return SOUK_OK;
}
