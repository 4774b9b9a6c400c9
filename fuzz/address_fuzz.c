/* address_fuzz.c - any text is an address or is refused with words; nothing is opened. */
#include "os/socket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char address[512];
    if (bytes >= sizeof address)
        return 0;
    if (bytes)
        memcpy(address, data, bytes);
    address[bytes] = 0;
    souk_diag diag = {0};
    souk_err err = souk_socket_check(address, &diag);
    souk_assert(err == SOUK_OK ? !diag.words[0] : err == SOUK_EINVAL && diag.words[0]);
    return 0;
}
