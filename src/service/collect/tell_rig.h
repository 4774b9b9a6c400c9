/* tell_rig.h - a form told in memory, for tests: what it makes of one message, as text.
 *
 *     struct rig rig;
 *     rig_open(&rig, test);
 *     SOUK_MUST(rig_tell(&rig, &souk_foreign_impinj, "reads", "{…}"));
 *     SOUK_CHECK(rig.events == 1 && rig_has(&rig, "\"gtin\":\"80614141123458\""));
 *     rig_close(&rig);
 *
 * Stands after test/test.h in a test. */
#ifndef SOUK_SERVICE_COLLECT_TELL_RIG_H
#define SOUK_SERVICE_COLLECT_TELL_RIG_H

#include "base/json.h"
#include "service/collect/foreign.h"

enum { RIG_REFUSED = 20 };

struct rig {
    souk_test *test;
    souk_arena arena;
    souk_buf told;
    souk_diag diag; /* of the newest message */
    souk_text store, message_id;
    size_t events, refused, left_out;
    souk_text parts[RIG_REFUSED];
    souk_diag faults[RIG_REFUSED];
};

#define RIG_NOW ((souk_time)1767268800000) /* 2026-01-01T12:00:00Z */

static inline void rig_open(struct rig *rig, souk_test *test)
{
    *rig = (struct rig){.test = test};
    rig->arena.mem = rig->told.mem = test->mem;
}

static inline void rig_close(struct rig *rig)
{
    souk_arena_done(&rig->arena);
    souk_buf_done(&rig->told);
}

static inline souk_err rig_refuse(const souk_foreign *message, souk_text part,
                                  const souk_diag *fault)
{
    struct rig *rig = message->context;
    souk_test *test = rig->test;
    SOUK_CHECK(rig->refused < RIG_REFUSED && fault->words[0]);
    rig->parts[rig->refused] =
        (souk_text){souk_arena_copy(&rig->arena, part.at, part.bytes), part.bytes};
    rig->faults[rig->refused++] = *fault;
    return rig->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

/* Tells it; what was told is read back as JSON, so that a form which writes anything else fails. */
static inline souk_err rig_tell_text(struct rig *rig, const souk_foreign_form *form,
                                     const char *topic, souk_text body)
{
    souk_test *test = rig->test;
    souk_buf_clear(&rig->told);
    souk_arena_clear(&rig->arena);
    rig->diag = (souk_diag){.words = ""};
    rig->events = rig->refused = rig->left_out = 0;
    souk_json_writer out = {.out = &rig->told};
    souk_foreign message = {.mem = test->mem,
                            .arena = &rig->arena,
                            .body = body,
                            .topic = souk_text_of(topic),
                            .message_id = rig->message_id,
                            .store = rig->store,
                            .received = RIG_NOW,
                            .out = &out,
                            .diag = &rig->diag,
                            .refuse = rig_refuse,
                            .context = rig,
                            .left_out = &rig->left_out};
    souk_json_write_array(&out);
    SOUK_TRY(form->tell(&message));
    souk_json_write_end(&out);
    SOUK_TRY(souk_json_write_check(&out));
    if (rig->arena.failed)
        return SOUK_ENOMEM;
    souk_auto_value(souk_json_doc) doc = {.mem = souk_mem_heap()};
    SOUK_MUST(souk_json_read(&doc, souk_buf_view(&rig->told), NULL, NULL));
    rig->events = souk_json_count(&doc, souk_json_root(&doc));
    return SOUK_OK;
}

static inline souk_err rig_tell(struct rig *rig, const souk_foreign_form *form, const char *topic,
                                const char *body)
{
    return rig_tell_text(rig, form, topic, souk_text_of(body));
}

static inline bool rig_has(const struct rig *rig, const char *part)
{
    return rig->told.bytes && memmem(rig->told.at, rig->told.bytes, part, strlen(part));
}

/* How often it stands there. */
static inline size_t rig_count(const struct rig *rig, const char *part)
{
    size_t count = 0;
    const char *at = rig->told.at, *end = at + rig->told.bytes;
    while (at && (at = memmem(at, (size_t)(end - at), part, strlen(part))) != NULL) {
        count++;
        at += strlen(part);
    }
    return count;
}

/* The messageId of the first event, as text in the rig's arena. */
static inline souk_text rig_name(struct rig *rig)
{
    static const char key[] = "\"messageId\":\"";
    const char *at = memmem(rig->told.at, rig->told.bytes, key, sizeof key - 1);
    if (!at)
        return SOUK_TEXT("");
    souk_text rest = souk_text_range(at + sizeof key - 1, rig->told.at + rig->told.bytes);
    souk_text name = souk_text_cut(&rest, '"');
    return (souk_text){souk_text_in(&rig->arena, name), name.bytes};
}

/* The form refuses the whole message with words that have this in them, and tells nothing. */
static inline void rig_refuses(struct rig *rig, const souk_foreign_form *form, const char *topic,
                               const char *body, const char *words)
{
    souk_test *test = rig->test;
    souk_err err = rig_tell(rig, form, topic, body);
    SOUK_CHECK(err == SOUK_EINVAL || err == SOUK_ESYNTAX || err == SOUK_ETOOBIG);
    if (!strstr(rig->diag.words, words))
        test_fail(test, __FILE__, __LINE__, "'%s' has no '%s'", rig->diag.words, words);
}

/* The story of one message under every failing allocation. */
static inline void rig_faults(souk_test *test, const souk_foreign_form *form, const char *topic,
                              const char *body)
{
    SOUK_FAULT_LOOP (test) {
        struct rig rig;
        rig_open(&rig, test);
        souk_err err = rig_tell(&rig, form, topic, body);
        if (err != SOUK_OK && err != SOUK_ENOMEM && !rig.arena.failed)
            test_fail(test, __FILE__, __LINE__, "%s: %s", souk_err_name(err), rig.diag.words);
        rig_close(&rig);
        test_fault_seen(test, err);
    }
}

#endif
