/* block_fuzz.c - any bytes as a block of the log: refused, or read within bounds. */
#include "core/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    souk_text text = {(const char *)bytes, count};
    souk_auto(souk_block) columns = NULL;
    souk_auto(souk_block) all = NULL;
    if (souk_block_read(souk_mem_heap(), text, SOUK_BLOCK_COLUMNS, &columns) == SOUK_OK)
        souk_assert(columns->count <= SOUK_BLOCK_EVENTS);
    if (souk_block_read(souk_mem_heap(), text, SOUK_BLOCK_ALL, &all) == SOUK_OK)
        for (size_t i = 0; i < all->count; i++)
            souk_assert(all->facts[i].first_line + all->facts[i].line_count <= all->line_count);
    return 0;
}
