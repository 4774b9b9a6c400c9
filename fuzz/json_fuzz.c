/* json_fuzz.c - any bytes as JSON: what is read is walked whole, every value taken as every kind. */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void walk(const souk_json_doc *doc, souk_json_node node, souk_arena *arena)
{
    souk_text text;
    souk_decimal decimal;
    int64_t number;
    bool yes, rounded;
    (void)!souk_json_text(doc, node, arena, &text);
    (void)!souk_json_decimal_or_text(doc, node, &decimal, &rounded);
    (void)!souk_json_i64(doc, node, &number);
    (void)!souk_json_bool(doc, node, &yes);
    for (souk_json_node item = souk_json_first(doc, node); item != SOUK_JSON_NONE;
         item = souk_json_next(doc, item))
        walk(doc, item, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    souk_json_doc doc = {.mem = NULL};
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_diag diag = {.words = ""};
    if (souk_json_read(&doc, (souk_text){(const char *)bytes, count}, NULL, &diag) == SOUK_OK)
        walk(&doc, souk_json_root(&doc), &arena);
    souk_json_doc_done(&doc);
    souk_arena_done(&arena);
    return 0;
}
