/* sensors_fuzz.c - any bytes as the form of a Sensors SDK; and, since no chance finds base64 of JSON, as the JSON inside.
 *
 * Input: 1 byte (0: a form as it stands; 1: the JSON of data; 2: of data_list; bit 7: with a crc, a wrong one), then the
 * text. */
#include "base/base64.h"
#include "foreign_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void wrap(const char *key, souk_text json, bool crc, souk_buf *form)
{
    char *letters = souk_mem_get(souk_mem_heap(), SOUK_BASE64_BYTES(json.bytes));
    size_t count = souk_base64_encode(json.at, json.bytes, SOUK_BASE64_STANDARD, letters);
    souk_buf_print(form, "%s=", key);
    souk_buf_append(form, letters, count);
    if (crc)
        souk_buf_print(form, "&ext=crc%%3D0");
    souk_mem_put(souk_mem_heap(), letters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_buf form = {0};
    if (size == 0)
        return 0;
    souk_text text = {(const char *)data + 1, size - 1};
    unsigned choice = (data[0] & 127) % 3;
    if (choice == 0)
        souk_buf_text(&form, text);
    else
        wrap(choice == 1 ? "data" : "data_list", text, data[0] & 128, &form);
    check_told(&souk_foreign_sensors, SOUK_TEXT(""), souk_buf_view(&form));
    souk_buf_done(&form);
    return 0;
}
