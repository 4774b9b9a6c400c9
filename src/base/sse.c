/* sse.c - the lines and fields of sse.h. */
#include "base/sse.h"

static void set(souk_buf *buf, souk_text text)
{
    souk_buf_clear(buf);
    souk_buf_text(buf, text);
}

static souk_err check(souk_sse *sse)
{
    SOUK_TRY(souk_buf_check(&sse->line));
    SOUK_TRY(souk_buf_check(&sse->event));
    SOUK_TRY(souk_buf_check(&sse->data));
    return souk_buf_check(&sse->id);
}

static souk_err end_message(souk_sse *sse)
{
    souk_sse_message message = {.event = souk_buf_view(&sse->event),
                                .data = souk_buf_view(&sse->data),
                                .id = souk_buf_view(&sse->id)};
    if (message.event.bytes == 0)
        message.event = SOUK_TEXT("message");
    souk_err err = sse->has_data ? sse->take(sse->context, &message) : SOUK_OK;
    souk_buf_clear(&sse->event);
    souk_buf_clear(&sse->data);
    sse->has_data = false;
    return err;
}

static void read_field(souk_sse *sse, souk_text name, souk_text value)
{
    if (souk_text_equal(name, SOUK_TEXT("data"))) {
        if (sse->has_data)
            souk_buf_byte(&sse->data, '\n');
        souk_buf_text(&sse->data, value);
        sse->has_data = true;
    } else if (souk_text_equal(name, SOUK_TEXT("event"))) {
        set(&sse->event, value);
    } else if (souk_text_equal(name, SOUK_TEXT("id"))) {
        if (!value.bytes || !memchr(value.at, '\0', value.bytes))
            set(&sse->id, value);
    }
}

static souk_err end_line(souk_sse *sse)
{
    souk_text value = souk_buf_view(&sse->line), name;
    if (!sse->begun && souk_text_starts(value, SOUK_TEXT("\xEF\xBB\xBF"))) /* a byte order mark */
        value = souk_text_range(value.at + 3, value.at + value.bytes);
    sse->begun = true;
    bool is_empty = value.bytes == 0;
    name = souk_text_cut(&value, ':');
    if (souk_text_starts(value, SOUK_TEXT(" ")))
        value = souk_text_range(value.at + 1, value.at + value.bytes);
    if (!is_empty)
        read_field(sse, name, value);
    SOUK_TRY(check(sse));
    souk_buf_clear(&sse->line);
    return is_empty ? end_message(sse) : SOUK_OK;
}

/* Bytes before the next line end. */
static size_t plain_bytes(souk_text bytes)
{
    size_t i = 0;
    while (i < bytes.bytes && bytes.at[i] != '\n' && bytes.at[i] != '\r')
        i++;
    return i;
}

souk_err souk_sse_read(souk_sse *sse, souk_text bytes)
{
    souk_buf *all[] = {&sse->line, &sse->event, &sse->data, &sse->id};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        all[i]->mem = sse->mem;
        all[i]->limit_bytes = SOUK_SSE_BYTES;
    }
    while (bytes.bytes) {
        if (sse->after_cr && bytes.at[0] == '\n')
            bytes = souk_text_range(bytes.at + 1, bytes.at + bytes.bytes);
        sse->after_cr = false;
        size_t plain = plain_bytes(bytes);
        souk_buf_append(&sse->line, bytes.at, plain);
        SOUK_TRY(souk_buf_check(&sse->line));
        if (plain == bytes.bytes)
            break;
        sse->after_cr = bytes.at[plain] == '\r';
        bytes = souk_text_range(bytes.at + plain + 1, bytes.at + bytes.bytes);
        SOUK_TRY(end_line(sse));
    }
    return SOUK_OK;
}

void souk_sse_done(souk_sse *sse)
{
    souk_buf_done(&sse->line);
    souk_buf_done(&sse->event);
    souk_buf_done(&sse->data);
    souk_buf_done(&sse->id);
}
