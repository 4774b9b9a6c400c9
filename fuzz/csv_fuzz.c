/* csv_fuzz.c - any bytes as rows: whole and in chunks they read the same, and what was read is
 * written and read back as it was.  Behind the guard no
 * cell is what a sheet would run, and each is still known. */
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

/* The whole text as one cell, for a sheet. */
static void guard(souk_text text)
{
    souk_auto(souk_csv) csv = NULL;
    souk_buf out = {0};
    souk_csv_writer writer = {.out = &out, .guard = true};
    souk_csv_row row = {.field_count = 0};
    souk_csv_put(&writer, text);
    souk_csv_end_row(&writer);
    if (souk_csv_new(souk_mem_heap(), &(souk_csv_options){0}, &csv) == SOUK_OK) {
        souk_csv_feed(csv, souk_buf_view(&out), true);
        bool is_read = souk_csv_next(csv, &row);
        souk_assert(is_read && row.field_count == 1);
        souk_assert(souk_text_equal(souk_csv_unguard(row.fields[0]), text));
        souk_assert(row.fields[0].bytes == 0 || !memchr("=@\t\r\n", row.fields[0].at[0], 5));
    }
    souk_buf_done(&out);
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
    guard(text);
    souk_buf_done(&whole);
    souk_buf_done(&chunked);
    souk_buf_done(&again);
    return 0;
}
