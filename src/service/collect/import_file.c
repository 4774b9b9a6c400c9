/* import_file.c - see import_file.h. */
#include "service/collect/import_file.h"

#include "service/collect/inflate.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t INFLATED_MOST = (size_t)4 << 30;

void import_file_done(import_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    souk_buf_done(&file->room);
}

/* What is no regular file is not read: a pipe would wait for its writer for ever, a device has no end. */
static souk_err open_file(import_file *file, souk_diag *diag)
{
    struct stat status;
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file->fd < 0 || fstat(file->fd, &status) || !S_ISREG(status.st_mode))
        return souk_diag_say(diag, SOUK_ENOENT, "%s cannot be read: give the path of a CSV file",
                             file->path);
    file->bytes = (size_t)status.st_size;
    return SOUK_OK;
}

static souk_err say_changed(const import_file *file, souk_diag *diag)
{
    return souk_diag_say(diag, SOUK_ECONFLICT,
                         "%s changed while it was read: what was read so far is kept, import it "
                         "again when nobody writes to it",
                         file->path);
}

/* Appends the next bytes, at most so many, to the room. */
static souk_err read_bytes(import_file *file, size_t most, souk_diag *diag)
{
    size_t bytes = souk_min_size(most, file->bytes - file->at);
    char *to = souk_buf_room(&file->room, souk_max_size(bytes, 1));
    if (!to)
        return souk_buf_check(&file->room);
    while (bytes) {
        ssize_t got = pread(file->fd, to, bytes, (off_t)file->at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return souk_diag_say(diag, SOUK_EIO, "%s cannot be read: %s", file->path,
                                 strerror(errno));
        if (got == 0)
            return say_changed(file, diag);
        souk_buf_added(&file->room, (size_t)got);
        file->at += (size_t)got;
        to += got;
        bytes -= (size_t)got;
    }
    return SOUK_OK;
}

static void hash_piece(import_file *file)
{
    static const souk_hash_key plain_key = {{'f', 'i', 'l', 'e'}};
    souk_text parts[] = {{(const char *)&file->read, sizeof file->read}, file->piece};
    file->read = souk_hash128_of(&plain_key, parts, 2);
}

souk_err import_file_next(import_file *file, souk_diag *diag)
{
    if (file->fd < 0) {
        file->piece = souk_buf_view(&file->room);
        file->piece.at += file->at;
        file->piece.bytes = souk_min_size(IMPORT_PIECE_BYTES, file->bytes - file->at);
        file->at += file->piece.bytes;
    } else {
        souk_buf_clear(&file->room);
        SOUK_TRY(read_bytes(file, IMPORT_PIECE_BYTES, diag));
        file->piece = souk_buf_view(&file->room);
    }
    hash_piece(file);
    return SOUK_OK;
}

static void read_from_start(import_file *file)
{
    file->at = 0;
    file->read = (souk_hash128){0};
}

static souk_err inflate_file(import_file *file, souk_diag *diag)
{
    souk_buf inflated = {.mem = file->room.mem, .limit_bytes = INFLATED_MOST};
    read_from_start(file);
    souk_buf_clear(&file->room);
    file->room.limit_bytes = INFLATED_MOST;
    SOUK_TRY(read_bytes(file, file->bytes, diag));
    souk_err err = souk_inflate(souk_buf_view(&file->room), INFLATED_MOST, &inflated);
    souk_buf_done(&file->room);
    file->room = inflated;
    close(file->fd);
    file->fd = -1;
    file->bytes = inflated.bytes;
    if (err == SOUK_ETOOBIG || err == SOUK_ESYNTAX)
        return souk_diag_say(diag, err, "%s: the gzip file is %s", file->path,
                             err == SOUK_ETOOBIG ? "above 4 GiB inflated: split it"
                                                 : "damaged or cut off");
    return err;
}

souk_err import_file_peek(import_file *file, souk_diag *diag)
{
    SOUK_TRY(open_file(file, diag));
    SOUK_TRY(import_file_next(file, diag));
    if (souk_is_gzip(file->piece))
        SOUK_TRY(inflate_file(file, diag));
    read_from_start(file);
    return SOUK_OK;
}

souk_err import_file_open(import_file *file, souk_diag *diag)
{
    SOUK_TRY(import_file_peek(file, diag));
    do
        SOUK_TRY(import_file_next(file, diag));
    while (file->piece.bytes);
    file->content = file->read;
    read_from_start(file);
    return SOUK_OK;
}

souk_err import_file_check(const import_file *file, souk_diag *diag)
{
    return souk_hash128_equal(file->read, file->content) ? SOUK_OK : say_changed(file, diag);
}
