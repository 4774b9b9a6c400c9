/* base64_fuzz.c - any bytes as letters: what is read is written back as it was, and any bytes go there and back. */
#include "base/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(souk_text bytes, unsigned form)
{
    char *letters = souk_mem_get(souk_mem_heap(), SOUK_BASE64_BYTES(bytes.bytes));
    size_t count = souk_base64_encode(bytes.at, bytes.bytes, form, letters), back = 0;
    souk_assert(letters[count] == '\0' && count < SOUK_BASE64_BYTES(bytes.bytes));
    souk_assert(!souk_base64_decode((souk_text){letters, count}, form, letters, &back, NULL));
    souk_assert(souk_text_equal((souk_text){letters, back}, bytes));
    souk_mem_put(souk_mem_heap(), letters);
}

static void read_letters(souk_text letters, unsigned form)
{
    /* exactly as much as is promised to be enough */
    char *bytes = souk_mem_get(souk_mem_heap(), SOUK_BASE64_ROOM(letters.bytes));
    char *again = souk_mem_get(souk_mem_heap(), SOUK_BASE64_BYTES(SOUK_BASE64_ROOM(letters.bytes)));
    souk_diag diag = {.words = ""};
    size_t count = 0;
    if (souk_base64_decode(letters, form, bytes, &count, &diag)) {
        souk_assert(diag.words[0] && diag.column >= 1 && diag.column <= letters.bytes + 1);
    } else {
        bool padded = letters.bytes % 4 == 0;
        unsigned same = form & SOUK_BASE64_EITHER
                            ? (form & SOUK_BASE64_URL) | (padded ? 0u : SOUK_BASE64_BARE)
                            : form;
        size_t written = souk_base64_encode(bytes, count, same, again);
        souk_assert(souk_text_equal((souk_text){again, written}, letters));
    }
    souk_mem_put(souk_mem_heap(), bytes);
    souk_mem_put(souk_mem_heap(), again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned forms[] = {SOUK_BASE64_STANDARD, SOUK_BASE64_URL,
                                     SOUK_BASE64_BARE,     SOUK_BASE64_URL | SOUK_BASE64_BARE,
                                     SOUK_BASE64_EITHER,   SOUK_BASE64_EITHER | SOUK_BASE64_URL};
    souk_text text = {(const char *)data, size};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        read_letters(text, forms[i]);
    for (size_t i = 0; i < 4; i++)
        there_and_back(text, forms[i]);
    return 0;
}
