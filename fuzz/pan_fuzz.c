/* pan_fuzz.c - any text: what is found is a card by a slow rule, lies in the text, and is found again alone; a card put
 * behind the text is always found. */
#include "base/pan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_found(souk_text text, souk_text found)
{
    char digits[40];
    size_t count = 0, marks = 0;
    souk_assert(found.at >= text.at && found.bytes <= text.bytes);
    souk_assert((size_t)(found.at - text.at) <= text.bytes - found.bytes);
    for (size_t i = 0; i < found.bytes; i++) {
        bool digit = found.at[i] >= '0' && found.at[i] <= '9';
        souk_assert(digit || found.at[i] == ' ' || found.at[i] == '-');
        if (digit)
            digits[count++] = found.at[i];
        else
            marks++;
        souk_assert(count <= 19 && marks <= 4);
    }
    souk_assert(count >= 13 && souk_pan_is((souk_text){digits, count}));
    souk_text again = souk_pan_find(found);
    souk_assert(again.at == found.at && again.bytes == found.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char more[65536 + 32];
    souk_text text = {(const char *)data, size};
    souk_text found = souk_pan_find(text);
    if (found.at) {
        check_found(text, found);
        return 0;
    }
    if (size > 65536)
        return 0;
    memcpy(more, data, size);
    memcpy(more + size, " / 4111111111111111", 19);
    found = souk_pan_find((souk_text){more, size + 19});
    souk_assert(found.at == more + size + 3 && found.bytes == 16);
    return 0;
}
