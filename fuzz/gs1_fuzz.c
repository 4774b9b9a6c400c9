/* gs1_fuzz.c - any text as a label and as a link: what is read is written in each form, and read again as the same;
 * the forms that we write are the only ones. */
#include "base/gs1.h"
#include "base/gs1_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const souk_gs1 *a, const souk_gs1 *b)
{
    souk_assert(a->count == b->count && a->room_bytes == b->room_bytes);
    for (size_t i = 0; i < a->count; i++) {
        souk_assert(a->fields[i].ai == b->fields[i].ai);
        souk_assert(souk_text_equal(souk_gs1_value(a, i), souk_gs1_value(b, i)));
    }
}

static void check_values(const souk_gs1 *gs1)
{
    size_t bytes = 0, column;
    const char *words;
    souk_assert(gs1->count > 0 && gs1->count <= SOUK_GS1_FIELDS);
    for (size_t i = 0; i < gs1->count; i++) {
        unsigned ai = gs1->fields[i].ai;
        souk_text value = souk_gs1_value(gs1, i), found = souk_gs1_find(gs1, ai);
        souk_assert(gs1->fields[i].at == bytes && found.at == value.at);
        bytes += value.bytes;
        souk_assert(souk_gs1_check(souk_gs1_ai_of(ai), value, &column, &words) == SOUK_OK);
    }
    souk_assert(bytes == gs1->room_bytes && bytes <= SOUK_GS1_ROOM);
}

/* The link has the fields in an order of its own: the second link must be the first. */
static void check_link(const souk_gs1 *gs1)
{
    static char one[SOUK_GS1_BYTES], two[SOUK_GS1_BYTES];
    size_t one_bytes, two_bytes;
    souk_gs1 again;
    souk_diag diag = {.words = ""};
    souk_err err = souk_gs1_link_write(gs1, SOUK_TEXT("https://a.b/c"), one, &one_bytes, &diag);
    souk_assert(!err == !diag.words[0]);
    if (err)
        return;
    souk_assert(one_bytes == strlen(one) && one_bytes < SOUK_GS1_BYTES);
    souk_assert(souk_gs1_link_read((souk_text){one, one_bytes}, &again, NULL) == SOUK_OK);
    souk_assert(again.count == gs1->count && again.room_bytes == gs1->room_bytes);
    for (size_t i = 0; i < gs1->count; i++)
        souk_assert(
            souk_text_equal(souk_gs1_value(gs1, i), souk_gs1_find(&again, gs1->fields[i].ai)));
    souk_assert(souk_gs1_link_write(&again, SOUK_TEXT("https://a.b/c"), two, &two_bytes, NULL) ==
                SOUK_OK);
    souk_assert(one_bytes == two_bytes && !memcmp(one, two, one_bytes));
}

static void check_forms(const souk_gs1 *gs1)
{
    static char out[SOUK_GS1_BYTES];
    souk_gs1 again;
    souk_gs1_reading reading;
    check_values(gs1);
    size_t bytes = souk_gs1_write(gs1, out);
    souk_assert(bytes < SOUK_GS1_BYTES && out[bytes] == '\0');
    souk_assert(souk_gs1_read((souk_text){out, bytes}, &again, NULL) == SOUK_OK);
    check_same(gs1, &again);
    bytes = souk_gs1_write_plain(gs1, out);
    souk_assert(bytes < SOUK_GS1_BYTES && strlen(out) == bytes);
    souk_assert(souk_gs1_read((souk_text){out, bytes}, &again, NULL) == SOUK_OK);
    check_same(gs1, &again);
    check_link(gs1);
    if (souk_gs1_tell(gs1, 20783, &reading, NULL) == SOUK_OK) {
        souk_assert(!reading.gtin.at || reading.gtin.bytes == 14);
        souk_assert(reading.measure.micro >= 0 && reading.price.micro >= 0);
    }
    souk_diag diag = {.words = ""};
    souk_err err = souk_gs1_pairs(gs1, &diag);
    souk_assert(!err == !diag.words[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static souk_gs1 gs1;
    souk_text text = {(const char *)data, size};
    souk_diag diag = {.words = ""};
    souk_err err = souk_gs1_read(text, &gs1, &diag);
    souk_assert(!err == !diag.words[0] && diag.column <= size + 1);
    if (!err)
        check_forms(&gs1);
    diag.words[0] = '\0';
    err = souk_gs1_link_read(text, &gs1, &diag);
    souk_assert(!err == !diag.words[0]);
    if (!err)
        check_forms(&gs1);
    return 0;
}
