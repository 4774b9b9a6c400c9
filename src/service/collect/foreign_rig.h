/* foreign_rig.h - one message told by a form, and what was told found by its path; for the tests of forms.
 *
 *     struct rig rig;
 *     rig_open(&rig, test);
 *     rig_tell(&rig, &souk_foreign_shopify, "orders/paid", body);
 *     SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.products.1.price"), "4.25");
 *     rig_close(&rig);
 *
 * Stands after test/test.h in a test. */
#ifndef SOUK_SERVICE_COLLECT_FOREIGN_RIG_H
#define SOUK_SERVICE_COLLECT_FOREIGN_RIG_H

#include "base/json.h"
#include "service/collect/foreign.h"

#define RIG_NOW ((souk_time)1767268800000) /* 2026-01-01T12:00:00Z */

struct rig {
    souk_test *test;
    souk_arena arena;
    souk_buf out;
    souk_json_doc doc;
    souk_diag diag;
    souk_text message_id; /* of the next message */
    size_t count;         /* events told */
};

static inline void rig_open(struct rig *rig, souk_test *test)
{
    *rig = (struct rig){.test = test,
                        .arena = {.mem = souk_mem_heap()},
                        .out = {.mem = souk_mem_heap()},
                        .doc = {.mem = souk_mem_heap()}};
}

static inline void rig_close(struct rig *rig)
{
    souk_json_doc_done(&rig->doc);
    souk_buf_done(&rig->out);
    souk_arena_done(&rig->arena);
}

/* The form's own memory is the test's, so that its faults are planted there. */
static inline souk_err rig_try(struct rig *rig, const souk_foreign_form *form, const char *topic,
                               souk_text body)
{
    souk_test *test = rig->test;
    souk_buf_clear(&rig->out);
    souk_arena_clear(&rig->arena);
    rig->diag = (souk_diag){.words = ""};
    souk_json_writer out = {.out = &rig->out};
    souk_foreign message = {.mem = test->mem,
                            .arena = &rig->arena,
                            .body = body,
                            .topic = souk_text_of(topic),
                            .message_id = rig->message_id,
                            .received = RIG_NOW,
                            .out = &out,
                            .diag = &rig->diag};
    souk_json_write_array(&out);
    SOUK_TRY(form->tell(&message));
    souk_json_write_end(&out);
    SOUK_TRY(souk_json_write_check(&out));
    SOUK_TRY(souk_json_read(&rig->doc, souk_buf_view(&rig->out), NULL, &rig->diag));
    rig->count = souk_json_count(&rig->doc, souk_json_root(&rig->doc));
    return SOUK_OK;
}

static inline void rig_tell(struct rig *rig, const souk_foreign_form *form, const char *topic,
                            const char *body)
{
    souk_test *test = rig->test;
    souk_err err = rig_try(rig, form, topic, souk_text_of(body));
    if (err)
        test_fail(test, __FILE__, __LINE__, "%s %s: %s", form->name, topic,
                  souk_diag_words(&rig->diag, err));
}

/* That it is refused, in words of "what: what to do" that have `words` in them. */
static inline void rig_refused(struct rig *rig, const souk_foreign_form *form, const char *topic,
                               const char *body, const char *words)
{
    souk_test *test = rig->test;
    SOUK_CHECK_ERR(rig_try(rig, form, topic, souk_text_of(body)), SOUK_EINVAL);
    if (!strstr(rig->diag.words, words) || !strstr(rig->diag.words, ": "))
        test_fail(test, __FILE__, __LINE__, "'%s' does not say '%s'", rig->diag.words, words);
}

/* "0.context.externalIds.1.id": members by name, items by number. */
static inline souk_json_node rig_node(struct rig *rig, const char *path)
{
    souk_json_node node = souk_json_root(&rig->doc);
    souk_text rest = souk_text_of(path);
    while (rest.bytes && node != SOUK_JSON_NONE) {
        souk_text part = souk_text_cut(&rest, '.');
        uint64_t number = 0;
        if (souk_json_type(&rig->doc, node) != SOUK_JSON_ARRAY) {
            node = souk_json_member(&rig->doc, node, part);
            continue;
        }
        souk_err err = souk_text_to_u64(part, &number);
        node = err ? SOUK_JSON_NONE : souk_json_first(&rig->doc, node);
        for (; number && node != SOUK_JSON_NONE; number--)
            node = souk_json_next(&rig->doc, node);
    }
    return node;
}

/* A string's text, anything else as it stands, "" where there is nothing. */
static inline souk_text rig_at(struct rig *rig, const char *path)
{
    souk_text text;
    souk_json_node node = rig_node(rig, path);
    if (souk_json_text(&rig->doc, node, &rig->arena, &text) == SOUK_OK)
        return text;
    text = souk_json_raw(&rig->doc, node);
    return text.at ? text : SOUK_TEXT("");
}

#endif
