/* csv_fuzz.c - any bytes as rows: whole and in chunks they read the same, and what was read is
 * written and read back as it was. */
#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads in chunks and writes all rows again. */
static souk_err copy(souk_text text, size_t chunk_bytes, souk_buf *out)
{
    souk_auto(souk_csv) csv = NULL;
    souk_csv_options options = {.max_fields = 50, .max_row_bytes = 300};
    SOUK_TRY(souk_csv_new(souk_mem_heap(), &options, &csv));
    souk_csv_writer writer = {.out = out};
    for (bool last = false; !last;) {
        size_t bytes = souk_min_size(chunk_bytes, text.bytes);
        last = bytes == text.bytes;
        souk_csv_feed(csv, (souk_text){text.at, bytes}, last);
        souk_csv_row row;
        while (souk_csv_next(csv, &row)) {
            for (size_t i = 0; i < row.field_count; i++)
                souk_csv_put(&writer, row.fields[i]);
            souk_csv_end_row(&writer);
        }
        SOUK_TRY(souk_csv_check(csv, NULL));
        text = bytes ? (souk_text){text.at + bytes, text.bytes - bytes} : text;
    }
    return SOUK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    souk_text text = {(const char *)data + 1, size - 1};
    souk_buf whole = {0}, chunked = {0}, again = {0};
    souk_err err = copy(text, SIZE_MAX, &whole);
    souk_err chunked_err = copy(text, 1 + data[0] % 80, &chunked);
    /* A ceiling may be met before or after a mistake far behind it. */
    souk_assert(!err == !chunked_err);
    souk_assert(souk_text_equal(souk_buf_view(&whole), souk_buf_view(&chunked)));
    if (!copy(souk_buf_view(&whole), SIZE_MAX, &again))
        souk_assert(souk_text_equal(souk_buf_view(&whole), souk_buf_view(&again)));
    souk_buf_done(&whole);
    souk_buf_done(&chunked);
    souk_buf_done(&again);
    return 0;
}
