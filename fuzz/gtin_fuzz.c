/* gtin_fuzz.c - any text as a bar code: what is read prints to what is read again, and has one form only. */
#include "base/gtin.h"

#include "base/epc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_forms(const souk_gtin *gtin)
{
    char text[SOUK_GTIN_BYTES];
    souk_gtin again;
    souk_assert(strlen(gtin->digits) == SOUK_GTIN_DIGITS);
    souk_assert(souk_gs1_check_digit((souk_text){gtin->digits, 13}) == gtin->digits[13]);
    size_t bytes = souk_gtin_write(gtin, text);
    souk_assert(bytes == strlen(text) && (bytes == 8 || (bytes >= 12 && bytes <= 14)));
    souk_assert(souk_gtin_read((souk_text){text, bytes}, &again, NULL) == SOUK_OK);
    souk_assert(!strcmp(again.digits, gtin->digits));
    if (souk_gtin_write_upce(gtin, text)) {
        souk_assert(souk_gtin_read_upce(souk_text_of(text), &again, NULL) == SOUK_OK);
        souk_assert(!strcmp(again.digits, gtin->digits));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_text digits = {(const char *)data, size};
    souk_gtin gtin;
    souk_diag diag = {.words = ""};
    souk_err err = souk_gtin_read(digits, &gtin, &diag);
    souk_assert(!err == !diag.words[0]);
    if (!err)
        check_forms(&gtin);
    diag.words[0] = '\0';
    err = souk_gtin_read_upce(digits, &gtin, &diag);
    souk_assert(!err == !diag.words[0]);
    if (!err) {
        check_forms(&gtin);
        char text[SOUK_UPCE_BYTES];
        souk_assert(souk_gtin_write_upce(&gtin, text) == 8);
    }
    return 0;
}
