/* form_test.c - what a person wrote is taken whole, or refused with the place and the reason. */
#include "base/form.h"
#include "test/test.h"

struct basket {
    souk_text name;
    int64_t count;
    souk_decimal weights[3];
    size_t weight_count, word;
    bool open, late;
};

static souk_err read_name(souk_form *form, souk_json_node value)
{
    return souk_form_text(form, value, 1, 5, &((struct basket *)form->user)->name);
}
static souk_err read_count(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, 9, &((struct basket *)form->user)->count);
}
static souk_err read_weight(souk_form *form, souk_json_node value, size_t index)
{
    struct basket *basket = form->user;
    basket->weight_count++;
    return souk_form_decimal(form, value, 1, 2000000, &basket->weights[index]);
}
static souk_err read_weights(souk_form *form, souk_json_node value)
{
    return souk_form_array(form, value, 3, read_weight);
}
static souk_err read_when(souk_form *form, souk_json_node value)
{
    return souk_form_either(form, value, "early", "late", &((struct basket *)form->user)->late);
}

static souk_err read_word(souk_form *form, souk_json_node value)
{
    static const char *const words[] = {"receipt", "line"};
    return souk_form_word(form, value, words, 2, &((struct basket *)form->user)->word);
}
static souk_err read_open(souk_form *form, souk_json_node value)
{
    return souk_form_bool(form, value, &((struct basket *)form->user)->open);
}
static souk_err read_inner(souk_form *form, souk_json_node value)
{
    static const souk_form_member members[] = {{"count", read_count}};
    return souk_form_object(form, value, members, 1, NULL);
}

static const souk_form_member members[] = {
    {"name", read_name}, {"count", read_count}, {"weights", read_weights}, {"round", read_word},
    {"open", read_open}, {"inner", read_inner}, {"when", read_when}};

/* Returns what was said, "" where all was taken. */
static const char *read_form(souk_test *test, const char *json, struct basket *basket,
                             uint64_t *ret_seen)
{
    static souk_diag diag;
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    souk_arena arena = {.mem = test->mem};
    souk_form form = {.doc = &doc, .arena = &arena, .diag = &diag, .user = basket};
    diag = (souk_diag){0};
    *basket = (struct basket){.count = 0};
    SOUK_MUST(souk_json_read(&doc, souk_text_of(json), NULL, NULL));
    souk_err err = souk_form_object(&form, souk_json_root(&doc), members,
                                    sizeof members / sizeof *members, ret_seen);
    SOUK_CHECK((err != SOUK_OK) == (diag.words[0] != '\0'));
    basket->name = SOUK_TEXT(""); /* it goes with the arena */
    souk_arena_done(&arena);
    return diag.words;
}

SOUK_TEST("every member is read by its reader, and told which were there")
{
    struct basket basket;
    uint64_t seen;
    SOUK_CHECK(!*read_form(test,
                           "{\"weights\":[1,\"0.5\"],\"name\":\"tea\",\"round\":\"line\","
                           "\"open\":true,\"inner\":{\"count\":3},\"when\":\"late\"}",
                           &basket, &seen));
    SOUK_CHECK(seen == (1 | 4 | 8 | 16 | 32 | 64) && basket.count == 3 && basket.word == 1);
    SOUK_CHECK(basket.open && basket.late && basket.weight_count == 2 &&
               basket.weights[1].micro == 500000);
}

SOUK_TEST("whatever does not fit is refused with its path, and with the nearest name")
{
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"[]", "an object is expected, in braces"},
        {"{\"nme\":1}", "nme: there is no such member: do you mean name?"},
        {"{\"qqqqqqq\":1}", "qqqqqqq: there is no such member"},
        {"{\"name\":\"a\",\"name\":\"b\"}", "name: it is there twice: drop one"},
        {"{\"name\":7}", "name: a text is expected, in quotes"},
        {"{\"name\":\"\"}", "name: a text of 1 to 5 bytes is expected"},
        {"{\"name\":\"abcdef\"}", "name: a text of 1 to 5 bytes is expected"},
        {"{\"name\":\"a\\u0007\"}", "name: a control character is in it: take it out"},
        {"{\"count\":10}", "count: a whole number from 1 to 9 is expected"},
        {"{\"count\":1.5}", "count: a whole number from 1 to 9 is expected"},
        {"{\"weights\":{}}", "weights: a list is expected, in brackets"},
        {"{\"weights\":[1,2,1,1]}", "weights: at most 3 values are taken here"},
        {"{\"weights\":[1,3]}", "weights[1]: a number from 0.000001 to 2 is expected"},
        {"{\"weights\":[0.0000011]}",
         "weights[0]: it has more than six decimal places: write no more"},
        {"{\"round\":\"liner\"}", "round: one of these is expected: receipt, line"},
        {"{\"when\":\"noon\"}", "when: one of these is expected: early, late"},
        {"{\"open\":1}", "open: true or false is expected"},
        {"{\"inner\":{\"count\":\"x\"}}", "inner.count: a whole number from 1 to 9 is expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct basket basket;
        uint64_t seen;
        SOUK_CHECK_TEXT(souk_text_of(read_form(test, cases[i].json, &basket, &seen)),
                        cases[i].words);
    }
}
