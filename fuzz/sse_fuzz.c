/* sse_fuzz.c - any bytes as a stream: whole and in pieces it says the same, and what was read is written and
 * read back as it was. */
#include "base/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each message as lines again. */
static souk_err write_message(void *context, const souk_sse_message *message)
{
    souk_buf *out = context;
    souk_text rest = message->data;
    souk_buf_print(out, "id: %.*s\nevent: %.*s\n", SOUK_TEXT_PRINT(message->id),
                   SOUK_TEXT_PRINT(message->event));
    for (bool more = true; more;) {
        const char *end = rest.bytes ? memchr(rest.at, '\n', rest.bytes) : NULL;
        souk_text line = end ? souk_text_range(rest.at, end) : rest;
        more = end != NULL;
        if (more)
            rest = souk_text_range(end + 1, rest.at + rest.bytes);
        souk_buf_text(out, SOUK_TEXT("data: "));
        souk_buf_text(out, line);
        souk_buf_byte(out, '\n');
    }
    souk_buf_byte(out, '\n');
    return souk_buf_check(out);
}

static void copy(souk_text text, size_t piece, souk_buf *out)
{
    souk_sse sse = {.mem = souk_mem_heap(), .take = write_message, .context = out};
    while (text.bytes) {
        size_t bytes = souk_min_size(piece, text.bytes);
        souk_err err = souk_sse_read(&sse, (souk_text){text.at, bytes});
        souk_assert(!err);
        text = (souk_text){text.at + bytes, text.bytes - bytes};
    }
    souk_sse_done(&sse);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    souk_text text = {(const char *)data + 1, size - 1};
    souk_buf whole = {.mem = souk_mem_heap()}, pieces = {.mem = souk_mem_heap()},
             again = {.mem = souk_mem_heap()};
    copy(text, SIZE_MAX, &whole);
    copy(text, 1 + data[0] % 80, &pieces);
    souk_assert(souk_text_equal(souk_buf_view(&whole), souk_buf_view(&pieces)));
    /* Names with a NUL are cut where they are printed: those are not read back as they were. */
    if (!whole.bytes || !memchr(whole.at, '\0', whole.bytes)) {
        copy(souk_buf_view(&whole), 7, &again);
        souk_assert(souk_text_equal(souk_buf_view(&whole), souk_buf_view(&again)) ||
                    (text.bytes && memchr(text.at, '\0', text.bytes)));
    }
    souk_buf_done(&whole);
    souk_buf_done(&pieces);
    souk_buf_done(&again);
    return 0;
}
