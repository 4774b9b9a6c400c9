/* json_test.c - the reader against a table of texts, a recursive model, and its own second opinion. */
#include "base/json.h"

#include "base/json_cases.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include "test/test.h"

static const souk_json_limits defaults = {
    .bytes = (size_t)16 << 20, .values = (size_t)1 << 20, .depth = 32};

/* Reads a copy with nothing behind its last byte, so that the sanitizer sees a step too far; both
 * opinions must agree.  The doc then refers to the copy in *ret_copy, which the caller frees. */
static souk_err read_copy(souk_test *test, souk_json_doc *doc, souk_text text,
                          const souk_json_limits *limits, char **ret_copy)
{
    char *copy = souk_mem_get(test->mem, text.bytes);
    SOUK_CHECK(copy);
    if (text.bytes)
        memcpy(copy, text.at, text.bytes);
    souk_diag diag = {0}, again = {0};
    souk_err err = souk_json_read(doc, (souk_text){copy, text.bytes}, limits, &diag);
    souk_json_limits within = limits ? *limits : defaults;
    size_t values;
    souk_err second = souk_json_explain((souk_text){copy, text.bytes}, &within, &values, &again);
    if (err != second)
        test_fail(test, __FILE__, __LINE__, "%s, but explained %s (%s): %.*s", souk_err_name(err),
                  souk_err_name(second), again.words, SOUK_TEXT_PRINT(text));
    SOUK_CHECK(err == SOUK_OK ? values == doc->values && diag.words[0] == 0
                              : diag.words[0] && diag.line && doc->tokens == 0);
    *ret_copy = copy;
    return err;
}

static bool reads(souk_test *test, souk_json_doc *doc, souk_text text)
{
    char *copy;
    souk_err err = read_copy(test, doc, text, NULL, &copy);
    souk_mem_put(test->mem, copy);
    return err == SOUK_OK;
}

static void check_case(souk_test *test, souk_json_doc *doc, const char *kernel,
                       const json_case *one)
{
    if (reads(test, doc, one->text) != one->good)
        test_fail(test, __FILE__, __LINE__, "kernel %s: %s: %.*s", kernel,
                  one->good ? "refused" : "read", SOUK_TEXT_PRINT(one->text));
}

/* Runs the rest of the block once with each kernel of this machine; `kernel` is its name. */
#define FOR_EACH_KERNEL(kernel)                                         \
    for (const souk_json_kernel *kernel = souk_json_kernels;            \
         kernel->name || (souk_json_kernel_use(NULL), false); kernel++) \
        if (kernel->runs_here() && (souk_json_kernel_use(kernel), true))

SOUK_TEST("every kernel reads the good texts of the table and refuses the bad ones")
{
    _Static_assert(JSON_CASE_COUNT >= 300, "the table has shrunk");
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    FOR_EACH_KERNEL(kernel)
    {
        for (size_t i = 0; i < JSON_CASE_COUNT; i++)
            check_case(test, &doc, kernel->name, &json_cases[i]);
    }
}

SOUK_TEST("a text means the same wherever it meets the edge of a block or of a step")
{
    static const unsigned short fronts[] = {1,  7,  15, 16, 31, 32, 47, 55,   58,   59,
                                            60, 61, 62, 63, 64, 65, 90, 4094, 4095, 4096};
    static char padded[8192];
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    for (size_t i = 0; i < JSON_CASE_COUNT; i++) {
        FOR_EACH_KERNEL(kernel)
        {
            size_t f = 0, fronts_count = sizeof fronts / sizeof fronts[0];
            for (f = 0; f < (kernel->name[0] == 'p' ? 3 : fronts_count); f++) {
                size_t front = fronts[f], bytes = json_cases[i].text.bytes;
                memset(padded, ' ', front);
                memcpy(padded + front, json_cases[i].text.at, bytes);
                json_case one = {{padded, front + bytes}, json_cases[i].good};
                check_case(test, &doc, kernel->name, &one);
            }
        }
    }
}

/* The model: a tree that knows what its text says, written down in as many ways as JSON allows. */
typedef struct tree {
    souk_json_kind kind;
    souk_text text; /* of a string: decoded; of a number: as written */
    souk_text key;  /* decoded; at NULL in arrays */
    struct tree *child, *next;
    size_t children;
} tree;

static souk_text random_text(souk_test *test, souk_arena *arena)
{
    static const char *const pieces[] = {"a",
                                         "event",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\x01",
                                         "/",
                                         " ",
                                         "{}[]:,",
                                         "\xC3\xA9",
                                         "\xE8\x89\xAF",
                                         "\xF0\x9F\x98\x80",
                                         "x\\u0041",
                                         "0123456789abcdef"};
    souk_buf buf = {.mem = test->mem};
    size_t count = test_random(test, 8) ? test_random(test, 6) : test_random(test, 60);
    for (size_t i = 0; i < count; i++)
        souk_buf_text(&buf, souk_text_of(pieces[test_random(test, 14)]));
    souk_text text = {souk_arena_copy(arena, buf.at, buf.bytes), buf.bytes};
    souk_buf_done(&buf);
    return text;
}

static tree *random_tree(souk_test *test, souk_arena *arena, unsigned depth)
{
    static const char *const numbers[] = {
        "0", "-0", "1", "-12.5", "1e9", "0.000001", "9223372036854775807"};
    tree *made = souk_arena_get(arena, sizeof *made);
    made->kind = SOUK_JSON_NULL + (souk_json_kind)test_random(test, depth ? 7 : 5);
    if (made->kind == SOUK_JSON_NUMBER)
        made->text = souk_text_of(numbers[test_random(test, 7)]);
    if (made->kind == SOUK_JSON_STRING)
        made->text = random_text(test, arena);
    if (made->kind < SOUK_JSON_ARRAY)
        return made;
    made->children = test_random(test, 7);
    for (size_t i = 0; i < made->children; i++) {
        tree *child = random_tree(test, arena, depth - 1);
        if (made->kind == SOUK_JSON_OBJECT)
            child->key = random_text(test, arena);
        child->next = made->child; /* in front: the order is part of the tree */
        made->child = child;
    }
    return made;
}

static void print_white(souk_test *test, souk_buf *out)
{
    while (test_random(test, 6) == 0)
        souk_buf_byte(out, " \t\r\n"[test_random(test, 4)]);
}

static void print_text(souk_test *test, souk_text text, souk_buf *out)
{
    souk_buf_byte(out, '"');
    for (size_t i = 0; i < text.bytes; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\' || (c == '/' && test_random(test, 2)))
            souk_buf_print(out, "\\%c", c);
        else if (c == '\n' && test_random(test, 2))
            souk_buf_print(out, "\\n");
        else if (c == 0xF0 && test_random(test, 2)) /* the one face among the pieces */
            souk_buf_print(out, "\\ud83D\\uDe00"), i += 3;
        else if (c < 0x20 || (c < 0x80 && test_random(test, 20) == 0))
            souk_buf_print(out, "\\u%04x", c);
        else
            souk_buf_byte(out, (char)c);
    }
    souk_buf_byte(out, '"');
}

static void print_tree(souk_test *test, const tree *node, souk_buf *out)
{
    static const char *const words[] = {"", "null", "false", "true"};
    print_white(test, out);
    if (node->kind == SOUK_JSON_STRING)
        print_text(test, node->text, out);
    else if (node->kind == SOUK_JSON_NUMBER)
        souk_buf_text(out, node->text);
    else if (node->kind < SOUK_JSON_NUMBER)
        souk_buf_text(out, souk_text_of(words[node->kind]));
    if (node->kind >= SOUK_JSON_ARRAY) {
        bool object = node->kind == SOUK_JSON_OBJECT;
        souk_buf_byte(out, object ? '{' : '[');
        print_white(test, out);
        for (const tree *child = node->child; child; child = child->next) {
            if (object) {
                print_white(test, out);
                print_text(test, child->key, out);
                print_white(test, out);
                souk_buf_byte(out, ':');
            }
            print_tree(test, child, out);
            if (child->next)
                souk_buf_byte(out, ',');
        }
        souk_buf_byte(out, object ? '}' : ']');
    }
    print_white(test, out);
}

/* Whether the document says what the tree says. */
static bool same(const souk_json_doc *doc, souk_json_node node, const tree *model,
                 souk_arena *arena)
{
    souk_text text;
    if (souk_json_type(doc, node) != model->kind || souk_json_count(doc, node) != model->children)
        return false;
    if (model->kind == SOUK_JSON_NUMBER)
        return souk_text_equal(souk_json_raw(doc, node), model->text);
    if (model->kind == SOUK_JSON_STRING)
        return souk_json_text(doc, node, arena, &text) == SOUK_OK &&
               souk_text_equal(text, model->text);
    souk_json_node at = souk_json_first(doc, node);
    for (const tree *child = model->child; child; child = child->next) {
        if (at == SOUK_JSON_NONE || !same(doc, at, child, arena))
            return false;
        if ((souk_json_key_text(doc, at, arena, &text) == SOUK_OK) != (child->key.at != NULL))
            return false;
        if (child->key.at) {
            const tree *first = model->child;
            while (!souk_text_equal(first->key, child->key))
                first = first->next;
            bool is_first = souk_json_member(doc, node, child->key) == at;
            if (!souk_text_equal(text, child->key) || is_first != (first == child))
                return false;
        }
        at = souk_json_next(doc, at);
    }
    return at == SOUK_JSON_NONE;
}

/* One byte changed, removed, doubled or cut off. */
static void mutate(souk_test *test, souk_buf *buf)
{
    static const char bytes[] = "{}[]:,\"\\ \n\0ue01-.Etfn\x01\x80\xBF\xC3\xED\xF0\xFF";
    if (buf->bytes == 0)
        return;
    size_t at = test_random(test, buf->bytes);
    switch (test_random(test, 4)) {
    case 0:
        buf->at[at] = bytes[test_random(test, sizeof bytes)];
        break;
    case 1:
        memmove(buf->at + at, buf->at + at + 1, buf->bytes-- - at - 1);
        break;
    case 2:
        if (souk_buf_room(buf, 1))
            memmove(buf->at + at + 1, buf->at + at, buf->bytes++ - at);
        break;
    default:
        buf->bytes = at;
    }
}

SOUK_TEST("random documents say what their model says, and mutated ones are judged twice alike")
{
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    souk_auto_value(souk_arena) arena = {.mem = test->mem};
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    for (int round = 0; round < 400; round++) {
        souk_arena_clear(&arena);
        souk_buf_clear(&text);
        tree *model = random_tree(test, &arena, 1 + (unsigned)round % 6);
        print_tree(test, model, &text);
        SOUK_MUST(souk_buf_check(&text));
        FOR_EACH_KERNEL(kernel)
        {
            char *copy;
            SOUK_MUST(read_copy(test, &doc, souk_buf_view(&text), NULL, &copy));
            bool equal = same(&doc, souk_json_root(&doc), model, &arena);
            /* The planted error: a model that differs by one kind must not pass. */
            model->kind = model->kind == SOUK_JSON_NULL ? SOUK_JSON_TRUE : SOUK_JSON_NULL;
            bool differs = !same(&doc, souk_json_root(&doc), model, &arena);
            model->kind = souk_json_type(&doc, souk_json_root(&doc));
            souk_mem_put(test->mem, copy);
            SOUK_CHECK(equal && differs);
        }
        for (int i = 0; i < 10; i++) {
            mutate(test, &text);
            bool first = false, any = false;
            FOR_EACH_KERNEL(kernel)
            {
                bool good = reads(test, &doc, souk_buf_view(&text));
                SOUK_CHECK(!any || good == first);
                first = good;
                any = true;
            }
        }
    }
}

static const char sample[] =
    "{\"type\":\"track\",\"event\":\"Order \\u5b8c\\ud83d\\ude00\",\"properties\":{\"price\":12.50,"
    "\"tags\":[\"\xE8\x89\xAF\xE5\x93\x81\",null,true,-1e-3,[]],\"a\":\"b\",\"c\":\"d\"},\n\t\"x\":"
    "{}}";

SOUK_TEST("every truncation and every changed byte of a sample is judged twice alike")
{
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    char changed[sizeof sample];
    FOR_EACH_KERNEL(kernel)
    {
        for (size_t bytes = 0; bytes < sizeof sample - 1; bytes++)
            SOUK_CHECK(!reads(test, &doc, (souk_text){sample, bytes}));
        SOUK_CHECK(reads(test, &doc, (souk_text){sample, sizeof sample - 1}));
    }
    for (size_t at = 0; at < sizeof sample - 1; at++) {
        memcpy(changed, sample, sizeof sample);
        for (unsigned byte = 0; byte < 256; byte++) {
            changed[at] = (char)byte;
            bool good = reads(test, &doc, (souk_text){changed, sizeof sample - 1});
            FOR_EACH_KERNEL(kernel)
            {
                SOUK_CHECK(reads(test, &doc, (souk_text){changed, sizeof sample - 1}) == good);
            }
        }
    }
}

SOUK_TEST("all kernels write the same tokens for a long document and check UTF-8 alike")
{
    souk_auto_value(souk_json_doc) first = {.mem = test->mem}, doc = {.mem = test->mem};
    souk_auto_value(souk_arena) arena = {.mem = test->mem};
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    souk_buf_byte(&text, '[');
    while (text.bytes < 30000) {
        tree *model = random_tree(test, &arena, 4);
        print_tree(test, model, &text);
        souk_buf_byte(&text, ',');
    }
    souk_buf_text(&text, SOUK_TEXT("0]"));
    SOUK_MUST(souk_buf_check(&text));
    souk_json_kernel_use(NULL);
    SOUK_MUST(souk_json_read(&first, souk_buf_view(&text), NULL, NULL));
    FOR_EACH_KERNEL(kernel)
    {
        SOUK_MUST(souk_json_read(&doc, souk_buf_view(&text), NULL, NULL));
        SOUK_CHECK(doc.tokens == first.tokens && doc.escapes == first.escapes);
        SOUK_CHECK(memcmp(doc.kinds, first.kinds, doc.tokens) == 0);
        SOUK_CHECK(memcmp(doc.offsets, first.offsets, doc.tokens * sizeof *doc.offsets) == 0);
    }
}

SOUK_TEST("every pair of lead and second byte, and a sample of longer sequences, is judged alike")
{
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    char text[] = "\"............................................................xxxxxxx\"";
    for (unsigned lead = 0x7E; lead < 256; lead++) {
        for (unsigned second = 0x7E; second < 0x102; second++) {
            for (unsigned tail = 0; tail < 3; tail++) {
                char *at = text + 58 + (lead + second + tail) % 7;
                memset(text + 58, '.', sizeof text - 60);
                at[0] = (char)lead;
                at[1] = (char)(second & 255);
                memset(at + 2, 0x80 + (int)(second & 63), tail);
                bool good = false, any = false;
                FOR_EACH_KERNEL(kernel)
                {
                    souk_err err =
                        souk_json_read(&doc, (souk_text){text, sizeof text - 1}, NULL, NULL);
                    SOUK_CHECK(!any || good == (err == SOUK_OK));
                    good = err == SOUK_OK;
                    any = true;
                }
                souk_text all = {text, sizeof text - 1};
                SOUK_CHECK(good == (souk_utf8_valid(all) && (second & 255) >= 0x20));
            }
        }
    }
}

SOUK_TEST("members, texts, numbers and words are handed out")
{
    static const char text[] =
        "{\"id\":\"7\",\"n\\u0061me\":\"Jo\\u0065 \\uD83D\\uDE00\\n\",\"price\" : 12.5000004 ,"
        "\"count\":-9223372036854775808,\"big\":9223372036854775808,\"yes\":true,\"no\":false,"
        "\"nil\":null,\"list\":[1,\"a\",[2],{}, 3 ],\"id\":\"8\",\"\":0, \"huge\":1e400}";
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    souk_auto_value(souk_arena) arena = {.mem = test->mem};
    SOUK_MUST(souk_json_read(&doc, souk_text_of(text), NULL, NULL));
    souk_json_node root = souk_json_root(&doc);
    SOUK_CHECK(souk_json_type(&doc, root) == SOUK_JSON_OBJECT && souk_json_count(&doc, root) == 12);
#define MEMBER(name) souk_json_member(&doc, root, SOUK_TEXT(name))
    souk_text got;
    souk_decimal decimal;
    bool flag;
    int64_t number;
    SOUK_MUST(souk_json_text(&doc, MEMBER("id"), &arena, &got));
    SOUK_CHECK_TEXT(got, "7");
    SOUK_CHECK(got.at > doc.source.at && got.at < doc.source.at + doc.source.bytes);
    SOUK_MUST(souk_json_text(&doc, MEMBER("name"), &arena, &got));
    SOUK_CHECK_TEXT(got, "Joe \xF0\x9F\x98\x80\n");
    SOUK_CHECK_TEXT(souk_json_key(&doc, MEMBER("name")), "n\\u0061me");
    SOUK_MUST(souk_json_key_text(&doc, MEMBER("name"), &arena, &got));
    SOUK_CHECK_TEXT(got, "name");
    SOUK_CHECK(MEMBER("n\\u0061me") == SOUK_JSON_NONE && MEMBER("nam") == SOUK_JSON_NONE);
    SOUK_CHECK(souk_json_member(&doc, root, (souk_text){NULL, 0}) != SOUK_JSON_NONE);
    SOUK_MUST(souk_json_decimal(&doc, MEMBER("price"), &decimal, &flag));
    SOUK_CHECK(decimal.micro == 12500000 && flag);
    SOUK_CHECK_TEXT(souk_json_raw(&doc, MEMBER("price")), "12.5000004");
    SOUK_CHECK_ERR(souk_json_decimal(&doc, MEMBER("id"), &decimal, NULL), SOUK_EINVAL);
    SOUK_MUST(souk_json_decimal_or_text(&doc, MEMBER("id"), &decimal, NULL));
    SOUK_CHECK(decimal.micro == 7000000);
    SOUK_CHECK_ERR(souk_json_decimal_or_text(&doc, MEMBER("name"), &decimal, NULL), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_json_decimal(&doc, MEMBER("huge"), &decimal, NULL), SOUK_EOVERFLOW);
    SOUK_MUST(souk_json_i64(&doc, MEMBER("count"), &number));
    SOUK_CHECK(number == INT64_MIN);
    SOUK_CHECK_ERR(souk_json_i64(&doc, MEMBER("big"), &number), SOUK_EOVERFLOW);
    SOUK_CHECK_ERR(souk_json_i64(&doc, MEMBER("price"), &number), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_json_i64(&doc, MEMBER("huge"), &number), SOUK_EINVAL);
    SOUK_MUST(souk_json_bool(&doc, MEMBER("yes"), &flag));
    SOUK_CHECK(flag);
    SOUK_MUST(souk_json_bool(&doc, MEMBER("no"), &flag));
    SOUK_CHECK(!flag);
    SOUK_CHECK_ERR(souk_json_bool(&doc, MEMBER("nil"), &flag), SOUK_EINVAL);
    SOUK_CHECK_TEXT(souk_json_raw(&doc, MEMBER("list")), "[1,\"a\",[2],{}, 3 ]");
    SOUK_CHECK_TEXT(souk_json_raw(&doc, MEMBER("id")), "\"7\"");
    SOUK_CHECK(souk_json_key(&doc, souk_json_first(&doc, MEMBER("list"))).at == NULL);
    SOUK_CHECK(souk_json_first(&doc, MEMBER("id")) == SOUK_JSON_NONE);
    SOUK_CHECK(souk_json_raw(&doc, root).bytes == sizeof text - 1);
#undef MEMBER
}

SOUK_TEST("a missing node may be passed on and yields nothing")
{
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    souk_auto_value(souk_arena) arena = {.mem = test->mem};
    souk_text text;
    int64_t number;
    bool flag;
    SOUK_CHECK(souk_json_root(&doc) == SOUK_JSON_NONE);
    SOUK_MUST(souk_json_read(&doc, SOUK_TEXT("{\"a\":{}}"), NULL, NULL));
    souk_json_node none = souk_json_member(&doc, 0, SOUK_TEXT("b"));
    SOUK_CHECK(none == SOUK_JSON_NONE && souk_json_type(&doc, none) == SOUK_JSON_MISSING);
    SOUK_CHECK(souk_json_member(&doc, none, SOUK_TEXT("a")) == SOUK_JSON_NONE);
    SOUK_CHECK(souk_json_first(&doc, none) == SOUK_JSON_NONE);
    SOUK_CHECK(souk_json_next(&doc, none) == SOUK_JSON_NONE && souk_json_count(&doc, none) == 0);
    SOUK_CHECK(!souk_json_raw(&doc, none).at && !souk_json_key(&doc, none).at);
    SOUK_CHECK_ERR(souk_json_text(&doc, none, &arena, &text), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_json_i64(&doc, none, &number), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_json_bool(&doc, none, &flag), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_json_read(&doc, SOUK_TEXT("{"), NULL, NULL), SOUK_ESYNTAX);
    SOUK_CHECK(souk_json_root(&doc) == SOUK_JSON_NONE);
}

static void check_words(souk_test *test, const char *text, const char *words, uint64_t line,
                        uint64_t column)
{
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    souk_diag diag = {0};
    SOUK_CHECK_ERR(souk_json_read(&doc, souk_text_of(text), NULL, &diag), SOUK_ESYNTAX);
    if (strcmp(diag.words, words) != 0 || diag.line != line || diag.column != column)
        test_fail(test, __FILE__, __LINE__, "%s: said '%s' at %llu:%llu", text, diag.words,
                  (unsigned long long)diag.line, (unsigned long long)diag.column);
}

SOUK_TEST("a refused text is told with line, column and what was expected")
{
    check_words(test, "", "a value was expected, but the text ends", 1, 1);
    check_words(test, "{\"a\":1,\n \"b\" 2}", "':' behind the key was expected, found '2'", 2, 6);
    check_words(test, "[1 2]", "',' or ']' was expected, found '2'", 1, 4);
    check_words(test, "{\"a\":1,}", "a key in quotes was expected, found '}'", 1, 8);
    check_words(test, "[\"\xE8\x89\xAF\xE5\x93\x81\",01]", "a number begins with a needless 0", 1,
                8);
    check_words(test, "[\"\\ud800\"]", "a high surrogate stands without a low one behind", 1, 3);
    check_words(test, "[\"a\xFF\"]", "the string is not UTF-8", 1, 4);
    check_words(test, "[] \x01", "the end of the text was expected, found the byte 0x01", 1, 4);
}

SOUK_TEST("limits hold to the last byte, value and level")
{
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    souk_json_limits limits = {.bytes = 20, .values = 4, .depth = 2};
    char *copy;
    static const struct {
        const char *text;
        souk_err err;
    } cases[] = {
        {"[1,2,3]", SOUK_OK},
        {"[1,2,3,4]", SOUK_ETOOBIG},
        {"[[1],2]", SOUK_OK},
        {"[[[]]]", SOUK_ETOOBIG},
        {"{\"a\":{\"b\":{}}}", SOUK_ETOOBIG},
        {"[1,2,3,4", SOUK_ETOOBIG},
        {"[[1,2],3,x", SOUK_ETOOBIG},
        {"{\"a\":[{}]}", SOUK_ETOOBIG},
        {"[1,2,x]", SOUK_ESYNTAX},
        {",,,,,,,,,,,,,,,,,,,", SOUK_ESYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SOUK_CHECK_ERR(read_copy(test, &doc, souk_text_of(cases[i].text), &limits, &copy),
                       cases[i].err);
        souk_mem_put(test->mem, copy);
    }
    SOUK_MUST(souk_json_read(&doc, SOUK_TEXT("[1]                 "), &limits, NULL));
    SOUK_CHECK_ERR(souk_json_read(&doc, SOUK_TEXT("[1]                  "), &limits, NULL),
                   SOUK_ETOOBIG);
    limits.depth = SOUK_JSON_DEPTH_MAX + 1;
    SOUK_CHECK_ERR(souk_json_read(&doc, SOUK_TEXT("1"), &limits, NULL), SOUK_EINVAL);
}

SOUK_TEST("memory stays within nine bytes for each token the limit allows")
{
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    for (int i = 0; i < 500000; i++)
        souk_buf_byte(&text, ',');
    souk_json_limits limits = {.values = 1000};
    SOUK_CHECK_ERR(souk_json_read(&doc, souk_buf_view(&text), &limits, NULL), SOUK_ESYNTAX);
    SOUK_CHECK(doc.kinds_room <= 5000 + 4096 + 128 && doc.offsets_room <= 5000 + 4096 + 128);
    SOUK_CHECK(doc.pairs_room <= 5000 + 4096 + 128);
}

SOUK_TEST("a warm doc reads without allocating")
{
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    SOUK_MUST(souk_json_read(&doc, souk_text_of(sample), NULL, NULL));
    uint64_t calls = test->fault_calls;
    for (int i = 0; i < 10; i++)
        SOUK_MUST(souk_json_read(&doc, souk_text_of(sample), NULL, NULL));
    SOUK_CHECK(test->fault_calls == calls);
}

static souk_err story(souk_test *test, souk_mem *mem)
{
    souk_auto_value(souk_json_doc) doc = {.mem = mem};
    souk_auto_value(souk_arena) arena = {.mem = mem};
    souk_text text;
    SOUK_TRY(souk_json_read(&doc, SOUK_TEXT("[1]"), NULL, NULL));
    souk_err err = souk_json_read(&doc, souk_text_of(sample), NULL, NULL);
    SOUK_CHECK((err == SOUK_OK) == (souk_json_root(&doc) == 0));
    SOUK_TRY(err);
    souk_json_node event = souk_json_member(&doc, 0, SOUK_TEXT("event"));
    SOUK_TRY(souk_json_text(&doc, event, &arena, &text));
    SOUK_CHECK_TEXT(text, "Order \xE5\xAE\x8C\xF0\x9F\x98\x80");
    return SOUK_OK;
}

SOUK_TEST("every failed allocation is told and leaves an empty doc")
{
    SOUK_FAULT_LOOP (test) {
        souk_err err = story(test, test->mem);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}

SOUK_TEST("several members found in one walk are those found one by one")
{
    static const souk_text keys[] = {{"a", 1}, {"price", 5}, {"", 0}, {"\xc3\xa9", 2}, {"gone", 4}};
    static const char *const texts[] = {
        "{\"a\":1,\"price\":{\"a\":2},\"a\":3,\"\":[1,2],\"pricey\":4}",
        "{\"\\u0061\":1,\"a\":2,\"pr\\u0069ce\":\"\\n\",\"\\u00e9\":null}",
        "{\"b\":[{\"price\":1}],\"\xc3\xa9\":{},\"price\":[]}",
        "{}",
        "[1,2]",
        "7"};
    enum { KEYS = sizeof keys / sizeof *keys };
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        souk_json_node found[KEYS];
        SOUK_MUST(souk_json_read(&doc, souk_text_of(texts[i]), NULL, NULL));
        souk_json_members(&doc, souk_json_root(&doc), keys, KEYS, found);
        for (size_t k = 0; k < KEYS; k++)
            SOUK_CHECK(found[k] == souk_json_member(&doc, souk_json_root(&doc), keys[k]));
    }
    souk_json_node none;
    souk_json_members(&doc, SOUK_JSON_NONE, keys, 1, &none);
    SOUK_CHECK(none == SOUK_JSON_NONE);
}
