/* foreign_check.h - what holds of everything that a form tells, for its fuzzer: foreign.h as assertions.
 *
 *     check_told(&souk_foreign_shopify, topic, body);       twice the same, JSON within bounds, words where it is refused
 */
#ifndef SOUK_FUZZ_FOREIGN_CHECK_H
#define SOUK_FUZZ_FOREIGN_CHECK_H

#include "base/json.h"
#include "core/event.h"
#include "service/collect/foreign.h"

#include <string.h>

enum { CHECK_EVENT_BYTES = 32768 };

static inline souk_text check_text(const souk_json_doc *doc, souk_json_node object, const char *key,
                                   souk_arena *arena)
{
    souk_text text = {"", 0};
    if (souk_json_text(doc, souk_json_member(doc, object, souk_text_of(key)), arena, &text))
        return (souk_text){"", 0};
    return text;
}

static inline void check_id(souk_id_kind kind, souk_text value)
{
    char room[SOUK_ID_BYTES];
    souk_text normal;
    souk_assert(value.bytes == 0 || !souk_id_normalise(kind, value, room, &normal));
}

/* No key twice: other readers would take the last.  Only where we wrote the keys ourselves. */
static inline void check_keys(const souk_json_doc *doc, souk_json_node object)
{
    for (souk_json_node a = souk_json_first(doc, object); a != SOUK_JSON_NONE;
         a = souk_json_next(doc, a))
        souk_assert(souk_json_member(doc, object, souk_json_key(doc, a)) == a);
}

static inline void check_event(const souk_json_doc *doc, souk_json_node event, souk_arena *arena)
{
    souk_time at;
    souk_json_node context = souk_json_member(doc, event, SOUK_TEXT("context"));
    souk_json_node ids = souk_json_member(doc, context, SOUK_TEXT("externalIds"));
    souk_text time = check_text(doc, event, "timestamp", arena);
    check_keys(doc, event);
    check_keys(doc, context);
    souk_assert(check_text(doc, event, "messageId", arena).bytes <= 100);
    souk_assert(time.bytes == 0 || !souk_time_read(time, NULL, &at));
    check_id(SOUK_ID_USER, check_text(doc, event, "userId", arena));
    check_id(SOUK_ID_ANONYMOUS, check_text(doc, event, "anonymousId", arena));
    for (souk_json_node id = souk_json_first(doc, ids); id != SOUK_JSON_NONE;
         id = souk_json_next(doc, id)) {
        souk_id_kind kind = souk_id_of_word(check_text(doc, id, "type", arena));
        souk_text value = check_text(doc, id, "id", arena);
        souk_assert(kind != SOUK_ID_NONE && value.bytes);
        check_id(kind, value);
    }
}

static inline souk_err check_tell(const souk_foreign_form *form, souk_text topic, souk_text body,
                                  souk_arena *arena, souk_buf *told, souk_diag *diag)
{
    souk_json_writer out = {.out = told};
    souk_foreign message = {.mem = souk_mem_heap(),
                            .arena = arena,
                            .body = body,
                            .topic = topic,
                            .message_id = SOUK_TEXT("delivery"),
                            .received = 1767268800000,
                            .out = &out,
                            .diag = diag};
    souk_json_write_array(&out);
    SOUK_TRY(form->tell(&message));
    souk_json_write_end(&out);
    return souk_json_write_check(&out);
}

static inline void check_told(const souk_foreign_form *form, souk_text topic, souk_text body)
{
    souk_arena arena = {.mem = souk_mem_heap()}, other = {.mem = souk_mem_heap()};
    souk_buf told = {0}, again = {0};
    souk_diag diag = {.words = ""};
    souk_json_doc doc = {.mem = souk_mem_heap()};
    souk_err err = check_tell(form, topic, body, &arena, &told, &diag);
    souk_assert(check_tell(form, topic, body, &other, &again, NULL) == err);
    if (err) {
        souk_assert(err == SOUK_EINVAL || err == SOUK_ETOOBIG);
        const char *colon = strstr(diag.words, ": ");
        souk_assert(colon && colon > diag.words && colon[2]);
    } else {
        souk_assert(souk_text_equal(souk_buf_view(&told), souk_buf_view(&again)));
        souk_json_limits limits = {.values = 1 << 22, .depth = 64};
        souk_assert(souk_json_read(&doc, souk_buf_view(&told), &limits, NULL) == SOUK_OK);
        souk_json_node root = souk_json_root(&doc);
        for (souk_json_node event = souk_json_first(&doc, root); event != SOUK_JSON_NONE;
             event = souk_json_next(&doc, event))
            if (souk_json_type(&doc, event) == SOUK_JSON_OBJECT)
                check_event(&doc, event, &arena);
    }
    souk_json_doc_done(&doc);
    souk_buf_done(&told);
    souk_buf_done(&again);
    souk_arena_done(&arena);
    souk_arena_done(&other);
}

#endif
