/* import_folder.c - see import_folder.h. */
#include "service/collect/import_folder.h"

#include "service/collect/import_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILES_MOST = 100, HEAD_BYTES = 4096 };

void import_folder_done(import_folder *folder)
{
    souk_mem_put(folder->mem, folder->files);
    *folder = (import_folder){.mem = folder->mem};
}

const char *import_folder_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool import_folder_is(const souk_import_format *format, const char *path)
{
    struct stat status;
    return format->part && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static souk_err look_at(const import_folder *folder, const souk_import_format *format,
                        import_folder_file *part, souk_diag *diag)
{
    import_file file = {.path = part->path, .fd = -1, .room.mem = folder->mem};
    souk_err err = import_file_peek(&file, diag);
    if (!err)
        err = import_file_next(&file, diag);
    if (!err)
        part->part =
            format->part((souk_text){file.piece.at, souk_min_size(file.piece.bytes, HEAD_BYTES)});
    import_file_done(&file);
    return err;
}

static int by_part(const void *a, const void *b)
{
    const import_folder_file *one = a, *other = b;
    if (one->part != other->part)
        return one->part < other->part ? -1 : 1;
    return strcmp(one->path, other->path);
}

static souk_err add_entry(import_folder *folder, const souk_import_format *format, const char *path,
                          const char *name, souk_diag *diag)
{
    struct stat status;
    char whole[sizeof folder->files->path];
    int bytes = snprintf(whole, sizeof whole, "%s/%s", path, name);
    if (name[0] == '.' || bytes >= (int)sizeof whole || stat(whole, &status) ||
        !S_ISREG(status.st_mode))
        return SOUK_OK;
    if (folder->count == FILES_MOST)
        return souk_diag_say(diag, SOUK_ETOOBIG, "%s has too many files: at most %d", path,
                             FILES_MOST);
    import_folder_file *file = &folder->files[folder->count++];
    *file = (import_folder_file){.bytes = (uint64_t)status.st_size};
    memcpy(file->path, whole, (size_t)bytes + 1);
    SOUK_TRY(look_at(folder, format, file, diag));
    folder->parts += file->part != 0;
    return SOUK_OK;
}

souk_err import_folder_list(import_folder *folder, const souk_import_format *format,
                            const char *path, souk_diag *diag)
{
    folder->files = souk_mem_array(folder->mem, FILES_MOST, sizeof *folder->files);
    if (!folder->files)
        return SOUK_ENOMEM;
    DIR *open_folder = opendir(path);
    if (!open_folder)
        return souk_diag_say(diag, SOUK_ENOENT, "%s cannot be read: give a folder that can", path);
    souk_err err = SOUK_OK;
    for (struct dirent *entry; !err && (entry = readdir(open_folder));)
        err = add_entry(folder, format, path, entry->d_name, diag);
    closedir(open_folder);
    SOUK_TRY(err);
    if (folder->parts == 0)
        return souk_diag_say(diag, SOUK_EINVAL, "%s holds no file of format %s", path,
                             format->name);
    qsort(folder->files, folder->count, sizeof *folder->files, by_part);
    return SOUK_OK;
}
