/* epc_fuzz.c - any text as a tag: what is read has keys of the right length with the right check digit, and the
 * same in the other case. */
#include "base/epc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_forms(const souk_epc *epc)
{
    static const size_t key_bytes[] = {14, 18, 13};
    char out[SOUK_EPC_BYTES];
    for (int form = SOUK_EPC_KEY; form <= SOUK_EPC_LINK; form++) {
        size_t bytes = souk_epc_write(epc, (souk_epc_form)form, out);
        souk_assert(bytes < sizeof out && out[bytes] == '\0' && strlen(out) == bytes);
    }
    size_t bytes = souk_epc_write(epc, SOUK_EPC_KEY, out);
    souk_assert(bytes == key_bytes[epc->scheme]);
    souk_assert(souk_gs1_check_digit((souk_text){out, bytes - 1}) == out[bytes - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_text hex = {(const char *)data, size};
    char other[24];
    souk_epc epc, again;
    souk_diag diag = {.words = ""};
    souk_err err = souk_epc_read(hex, &epc, &diag);
    souk_assert(!err == !diag.words[0]);
    if (err)
        return 0;
    check_forms(&epc);
    for (size_t i = 0; i < sizeof other; i++)
        other[i] = (char)(hex.at[i] >= 'A' ? hex.at[i] ^ 32 : hex.at[i]);
    souk_assert(souk_epc_read((souk_text){other, sizeof other}, &again, NULL) == SOUK_OK);
    souk_assert(!memcmp(&epc, &again, sizeof epc));
    return 0;
}
