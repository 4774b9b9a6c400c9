/* toml_fuzz.c - any bytes as a settings file: what is read can be written and read back. */
#include "base/toml.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_value(souk_buf *out, const souk_toml_value *value)
{
    char decimal[SOUK_DECIMAL_BYTES];
    switch (value->kind) {
    case SOUK_TOML_TEXT:
        souk_buf_byte(out, '"');
        for (size_t i = 0; i < value->text.bytes; i++) {
            unsigned char c = (unsigned char)value->text.at[i];
            if (c < 0x20 || c == 0x7F || c == '"' || c == '\\')
                souk_buf_print(out, "\\u%04X", (unsigned)c);
            else
                souk_buf_byte(out, (char)c);
        }
        souk_buf_byte(out, '"');
        break;
    case SOUK_TOML_INT:
        souk_buf_print(out, "%lld", (long long)value->number);
        break;
    case SOUK_TOML_DECIMAL:
        souk_decimal_write(value->decimal, decimal);
        souk_buf_print(out, strchr(decimal, '.') ? "%s" : "%s.0", decimal);
        break;
    case SOUK_TOML_BOOL:
        souk_buf_print(out, value->yes ? "true" : "false");
        break;
    }
}

/* A file of this value alone. */
static void check_value(const souk_toml_value *value)
{
    souk_buf file = {0};
    size_t key = value->path.bytes;
    while (key > 0 && value->path.at[key - 1] != '.')
        key--;
    if (key > 0)
        souk_buf_print(&file, "[%.*s]\n", (int)key - 1, value->path.at);
    souk_buf_print(&file, "%.*s = ", (int)(value->path.bytes - key), value->path.at + key);
    put_value(&file, value);
    souk_toml *again = NULL;
    souk_assert(!souk_toml_read(souk_mem_heap(), souk_buf_view(&file), &again, NULL));
    souk_assert(souk_toml_count(again) == 1);
    souk_toml_value back = souk_toml_at(again, 0);
    souk_assert(souk_text_equal(back.path, value->path) && back.kind == value->kind);
    if (value->kind == SOUK_TOML_TEXT)
        souk_assert(souk_utf8_valid(back.text) && souk_text_equal(back.text, value->text));
    else if (value->kind == SOUK_TOML_BOOL)
        souk_assert(back.yes == value->yes);
    else
        souk_assert(back.number == value->number);
    souk_toml_free(again);
    souk_buf_done(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_auto(souk_toml) toml = NULL;
    souk_diag diag = {0};
    souk_text text = {(const char *)data, size};
    if (souk_toml_read(souk_mem_heap(), text, &toml, &diag)) {
        souk_assert(diag.words[0] && (diag.line > 0 || size > SOUK_TOML_FILE_BYTES));
        return 0;
    }
    for (size_t i = 0; i < souk_toml_count(toml); i++) {
        souk_toml_value value = souk_toml_at(toml, i);
        check_value(&value);
    }
    return 0;
}
