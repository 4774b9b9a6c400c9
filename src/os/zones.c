/* zones.c - one file, whole: see zones.h. */
#include "os/zones.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static souk_err say_unknown(souk_text name, souk_diag *diag)
{
    return souk_diag_say(diag, SOUK_EINVAL, "'%.*s' is no zone: say one such as Asia/Shanghai",
                         SOUK_TEXT_PRINT(name));
}

souk_err souk_zone_open(souk_mem *mem, souk_text name, souk_zone **ret_zone, souk_diag *diag)
{
    char path[SOUK_ZONE_NAME_BYTES + 40];
    souk_auto_value(souk_buf) bytes = {.mem = mem, .limit_bytes = SOUK_ZONE_FILE_BYTES + 1};
    if (!souk_zone_name_valid(name))
        return say_unknown(name, diag);
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", SOUK_TEXT_PRINT(name));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return say_unknown(name, diag);
    char *room = souk_buf_room(&bytes, SOUK_ZONE_FILE_BYTES);
    ssize_t got = room ? read(fd, room, SOUK_ZONE_FILE_BYTES) : 0;
    close(fd);
    SOUK_TRY(souk_buf_check(&bytes));
    return souk_zone_new(mem, name, (souk_text){room, got > 0 ? (size_t)got : 0}, ret_zone, diag);
}
