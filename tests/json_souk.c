/* json_souk.c - see json_souk.h. */
#include "json_souk.h"

#include "base/json_scan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static souk_buf line;
static souk_arena arena;
static int huge;

static void tell_number(souk_text raw)
{
    char text[512];
    if (raw.bytes >= sizeof text)
        abort();
    memcpy(text, raw.at, raw.bytes);
    text[raw.bytes] = '\0';
    if (!strpbrk(text, ".eE")) {
        errno = 0;
        if (text[0] == '-')
            souk_buf_print(&line, "i%lld\n", strtoll(text, NULL, 10));
        else
            souk_buf_print(&line, "i%llu\n", strtoull(text, NULL, 10));
        huge |= errno == ERANGE;
        return;
    }
    double number = strtod(text, NULL);
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    huge |= isinf(number);
    souk_buf_print(&line, "d%016llx\n", (unsigned long long)bits);
}

static void tell_text(char mark, souk_text text)
{
    souk_buf_print(&line, "%c%zu:", mark, text.bytes);
    souk_buf_text(&line, text);
    souk_buf_byte(&line, '\n');
}

static void tell(const souk_json_doc *doc, souk_json_node node)
{
    souk_text text;
    switch (souk_json_type(doc, node)) {
    case SOUK_JSON_MISSING:
        abort();
    case SOUK_JSON_NULL:
    case SOUK_JSON_TRUE:
    case SOUK_JSON_FALSE:
        souk_buf_print(&line, "%c\n", souk_json_raw(doc, node).at[0]);
        return;
    case SOUK_JSON_NUMBER:
        tell_number(souk_json_raw(doc, node));
        return;
    case SOUK_JSON_STRING:
        if (souk_json_text(doc, node, &arena, &text))
            abort();
        tell_text('s', text);
        return;
    case SOUK_JSON_ARRAY:
    case SOUK_JSON_OBJECT:
        souk_buf_print(&line, "%c%zu\n", souk_json_raw(doc, node).at[0],
                       souk_json_count(doc, node));
        for (souk_json_node at = souk_json_first(doc, node); at != SOUK_JSON_NONE;
             at = souk_json_next(doc, at)) {
            if (souk_json_key_text(doc, at, &arena, &text) == SOUK_OK)
                tell_text('k', text);
            tell(doc, at);
        }
    }
}

const char *json_souk_tell(const char *text, size_t bytes, size_t *ret_bytes, int *ret_huge)
{
    static souk_json_doc doc;
    arena.mem = souk_mem_heap();
    souk_arena_clear(&arena);
    souk_buf_clear(&line);
    huge = 0;
    if (souk_json_read(&doc, (souk_text){text, bytes}, NULL, NULL))
        return NULL;
    tell(&doc, souk_json_root(&doc));
    const char *told = souk_buf_ended(&line);
    *ret_bytes = line.bytes;
    *ret_huge = huge;
    return told;
}

int json_souk_kernel(int n)
{
    for (const souk_json_kernel *kernel = souk_json_kernels; kernel->name; kernel++) {
        if (!kernel->runs_here() || n-- > 0)
            continue;
        souk_json_kernel_use(kernel);
        return 1;
    }
    return 0;
}
