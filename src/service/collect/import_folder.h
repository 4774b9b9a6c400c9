/* import_folder.h - the files of a format that has several: which part of it each is, by its first bytes.
 *
 *     souk_auto_value(import_folder) folder = {.mem = mem};
 *     SOUK_TRY(import_folder_list(&folder, format, path, diag));
 *     for (size_t i = 0; i < folder.count; i++)
 *         read(folder.files[i].path);                     in the order of the parts; those of none stand first
 *
 * Hidden files, folders within it and what is no regular file are passed over. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_FOLDER_H
#define SOUK_SERVICE_COLLECT_IMPORT_FOLDER_H

#include "service/collect/import_format.h"

typedef struct import_folder_file {
    unsigned part;  /* 0: none of the format's */
    uint64_t bytes; /* on disk */
    char path[1024];
} import_folder_file;

typedef struct import_folder {
    souk_mem *mem;
    import_folder_file *files;
    size_t count, parts; /* parts: those that are one */
} import_folder;

/* Whether the path is a folder, and the format one of several files. */
bool import_folder_is(const souk_import_format *format, const char *path);
/* SOUK_ENOENT: it cannot be read.  SOUK_EINVAL: it has no part.  SOUK_ETOOBIG. */
SOUK_CHECKED souk_err import_folder_list(import_folder *folder, const souk_import_format *format,
                                         const char *path, souk_diag *diag);
void import_folder_done(import_folder *folder);
/* "products.csv.gz": the file's name within its folder. */
const char *import_folder_name(const char *path);

#endif
