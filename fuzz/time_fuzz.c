/* time_fuzz.c - any text as a moment: what is read is written and read back as the same. */
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_time at, back;
    if (souk_time_read((souk_text){(const char *)data, size}, NULL, &at))
        return 0;
    char text[SOUK_TIME_BYTES];
    souk_assert(souk_time_write(at, text) == SOUK_TIME_BYTES - 1);
    souk_assert(!souk_time_read(souk_text_of(text), NULL, &back) && back == at);
    return 0;
}
