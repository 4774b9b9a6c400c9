/* devices_fuzz.c - any payload under any topic as each form of devices: what is told is JSON of track events with a
 * name and a time, of nobody, the same when it is told again; parts that are refused are parts of the payload. */
#include "base/json.h"
#include "service/collect/foreign_devices.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const souk_foreign_form *form_of(unsigned number)
{
    const souk_foreign_form *const forms[] = {&souk_foreign_frigate, &souk_foreign_onvif,
                                              &souk_foreign_impinj, &souk_foreign_zebra,
                                              &souk_foreign_counts};
    return forms[number % 5];
}

struct telling {
    souk_arena arena;
    souk_buf told;
    souk_text body;
    size_t refused, left_out;
};

static souk_err refuse(const souk_foreign *message, souk_text part, const souk_diag *fault)
{
    struct telling *telling = message->context;
    souk_assert(fault->words[0] && part.at >= telling->body.at &&
                part.at + part.bytes <= telling->body.at + telling->body.bytes);
    telling->refused++;
    return SOUK_OK;
}

static souk_err tell(struct telling *my, const souk_foreign_form *form, souk_text topic,
                     souk_text body)
{
    souk_diag diag = {.words = ""};
    souk_json_writer out = {.out = &my->told};
    my->arena.mem = souk_mem_heap();
    souk_foreign message = {.mem = souk_mem_heap(),
                            .arena = &my->arena,
                            .body = my->body = body,
                            .topic = topic,
                            .store = SOUK_TEXT("s"),
                            .received = 1767268800000,
                            .out = &out,
                            .diag = &diag,
                            .refuse = refuse,
                            .context = my,
                            .left_out = &my->left_out};
    souk_json_write_array(&out);
    souk_err err = form->tell(&message);
    souk_assert(!err == !diag.words[0]);
    if (!err)
        souk_json_write_end(&out);
    return err;
}

static bool is_text(const souk_json_doc *doc, souk_json_node event, const char *key)
{
    return souk_json_type(doc, souk_json_member(doc, event, souk_text_of(key))) == SOUK_JSON_STRING;
}

static void check_told(const struct telling *my)
{
    souk_json_doc doc = {.mem = NULL};
    souk_json_limits limits = {.depth = 8};
    souk_assert(souk_json_read(&doc, souk_buf_view(&my->told), &limits, NULL) == SOUK_OK);
    for (souk_json_node event = souk_json_first(&doc, souk_json_root(&doc));
         event != SOUK_JSON_NONE; event = souk_json_next(&doc, event)) {
        souk_json_node context = souk_json_member(&doc, event, SOUK_TEXT("context"));
        souk_assert(is_text(&doc, event, "event") && is_text(&doc, event, "timestamp"));
        souk_assert(souk_json_count(&doc, event) <= 6);
        souk_assert(souk_json_member(&doc, event, SOUK_TEXT("userId")) == SOUK_JSON_NONE);
        souk_assert(souk_json_member(&doc, event, SOUK_TEXT("anonymousId")) == SOUK_JSON_NONE);
        souk_assert(souk_json_count(&doc, context) == 1); /* the library */
    }
    souk_json_doc_done(&doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    souk_text rest = {(const char *)data + 1, size - 1};
    souk_text topic = souk_text_cut(&rest, '\n');
    struct telling first = {.refused = 0}, second = {.refused = 0};
    souk_err err = tell(&first, form_of(data[0]), topic, rest);
    souk_assert(tell(&second, form_of(data[0]), topic, rest) == err);
    souk_assert(souk_text_equal(souk_buf_view(&first.told), souk_buf_view(&second.told)));
    souk_assert(first.refused == second.refused && first.left_out == second.left_out);
    if (!err)
        check_told(&first);
    if (first.left_out)
        souk_assert(first.told.bytes == 2);
    souk_buf_done(&first.told);
    souk_buf_done(&second.told);
    souk_arena_done(&first.arena);
    souk_arena_done(&second.arena);
    return 0;
}
