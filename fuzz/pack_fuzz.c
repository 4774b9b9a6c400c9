/* pack_fuzz.c - both ways: any bytes as packed ones, and any bytes packed and unpacked again. */
#include "core/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static souk_packer *packer;
    souk_text text = {(const char *)bytes, count};
    souk_auto_value(souk_buf) packed = {.mem = souk_mem_heap()};
    souk_auto_value(souk_buf) back = {.mem = souk_mem_heap()};
    if (!packer && souk_packer_new(souk_mem_heap(), &packer))
        return 0;
    (void)!souk_unpack(packer, text, 65536, &back);
    souk_buf_clear(&back);
    if (souk_pack(packer, text, &packed) == SOUK_OK) {
        souk_err err = souk_unpack(packer, souk_buf_view(&packed), count, &back);
        souk_assert(err == SOUK_OK && souk_text_equal(souk_buf_view(&back), text));
    }
    return 0;
}
