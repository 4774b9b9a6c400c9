/* import_file.h - the bytes of a file in pieces, whatever happens to it meanwhile.
 *
 *     import_file file = {.path = path, .fd = -1, .room.mem = mem};
 *     SOUK_TRY(import_file_open(&file, diag));             file.content: what the whole of it is
 *     do
 *         SOUK_TRY(import_file_next(&file, diag));
 *     while (file.piece.bytes);                            the last one is empty
 *     SOUK_TRY(import_file_check(&file, diag));            still what it was
 *     import_file_done(&file);
 *
 * Not mapped: a file that is cut while it is read, or lies on a disk that fails, would stop the process (SIGBUS)
 * and with it the server. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_FILE_H
#define SOUK_SERVICE_COLLECT_IMPORT_FILE_H

#include "base/hash.h"

enum { IMPORT_PIECE_BYTES = 1 << 18 };

typedef struct import_file {
    const char *path;
    int fd;        /* -1: its text lies inflated in memory */
    size_t bytes;  /* of the text; of a plain file as it was when it was opened */
    size_t at;     /* read so far */
    souk_buf room; /* the inflated text, or the present piece */
    souk_text piece;
    souk_hash128 read;    /* of all pieces so far */
    souk_hash128 content; /* of all pieces: what a resumed import recognises */
} import_file;

/* Opens it and reads it once.  SOUK_ENOENT: no regular file, or not to be read. */
SOUK_CHECKED souk_err import_file_open(import_file *file, souk_diag *diag);
/* Opens it and inflates it where it is gzip; content stays unknown.  For a look at it. */
SOUK_CHECKED souk_err import_file_peek(import_file *file, souk_diag *diag);
void import_file_done(import_file *file);
/* The next piece in file->piece; empty at the end. */
SOUK_CHECKED souk_err import_file_next(import_file *file, souk_diag *diag);
/* SOUK_ECONFLICT: it changed between the two readings. */
SOUK_CHECKED souk_err import_file_check(const import_file *file, souk_diag *diag);

#endif
