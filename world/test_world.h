/* test_world.h - for the tests: a world told day by day, each line read by the strict reader.
 *
 *     #include "test/test.h" before
 *     struct rig rig;
 *     rig_open(&rig, test, 500, 30, 1);
 *     for (uint32_t day = 0; day < 30; day++) {
 *         rig_day(&rig, day);
 *         while (rig_next(&rig))
 *             ... rig.event, rig_text(&rig, rig.event, "type")
 *     }
 *     rig_close(&rig); */
#ifndef SOUK_WORLD_TEST_WORLD_H
#define SOUK_WORLD_TEST_WORLD_H

#include "base/json.h"
#include "world/inside.h"

struct rig {
    souk_test *test;
    souk_world *world;
    souk_world_day *day;
    uint32_t number; /* of the day told last */
    souk_buf lines;
    souk_text rest, line;
    souk_json_doc doc;
    souk_arena arena;
    souk_json_node event, context, properties;
};

static inline void rig_open(struct rig *rig, souk_test *test, uint32_t shoppers, uint32_t days,
                            uint64_t seed)
{
    souk_world_options options = {.shoppers = shoppers, .stores = 4, .days = days, .seed = seed};
    *rig = (struct rig){.test = test,
                        .lines = {.mem = test->mem, .limit_bytes = (size_t)256 << 20},
                        .doc = {.mem = test->mem},
                        .arena = {.mem = test->mem}};
    SOUK_MUST(souk_world_new(test->mem, &options, &rig->world, NULL));
    SOUK_MUST(souk_world_day_new(test->mem, &rig->day));
}

static inline void rig_close(struct rig *rig)
{
    souk_world_free(rig->world);
    souk_world_day_free(rig->day);
    souk_buf_done(&rig->lines);
    souk_json_doc_done(&rig->doc);
    souk_arena_done(&rig->arena);
}

/* Tells one day, in place of the one before. */
static inline void rig_day(struct rig *rig, uint32_t number)
{
    souk_test *test = rig->test;
    rig->number = number;
    souk_buf_clear(&rig->lines);
    SOUK_MUST(souk_world_live(rig->world, number, 0, rig->world->options.shoppers, rig->day));
    uint64_t told = souk_world_tell(rig->world, &rig->day, 1, 0, SOUK_DAY_MS, &rig->lines);
    SOUK_MUST(souk_buf_check(&rig->lines));
    SOUK_CHECK(told == souk_world_day_events(rig->day));
    rig->rest = souk_buf_view(&rig->lines);
}

static inline void rig_read(struct rig *rig, souk_text line)
{
    souk_test *test = rig->test;
    souk_diag diag = {.words = ""};
    rig->line = line;
    souk_arena_clear(&rig->arena);
    if (souk_json_read(&rig->doc, line, NULL, &diag))
        test_fail(test, __FILE__, __LINE__, "%s in %.*s", diag.words, SOUK_TEXT_PRINT(line));
    rig->event = souk_json_root(&rig->doc);
    rig->context = souk_json_member(&rig->doc, rig->event, SOUK_TEXT("context"));
    rig->properties = souk_json_member(&rig->doc, rig->event, SOUK_TEXT("properties"));
}

static inline bool rig_next(struct rig *rig)
{
    if (rig->rest.bytes == 0)
        return false;
    rig_read(rig, souk_text_cut(&rig->rest, '\n'));
    return true;
}

static inline souk_json_node rig_at(struct rig *rig, souk_json_node object, const char *key)
{
    return souk_json_member(&rig->doc, object, souk_text_of(key));
}

/* Empty where it is missing. */
static inline souk_text rig_text(struct rig *rig, souk_json_node object, const char *key)
{
    souk_text text = {"", 0};
    souk_json_node node = rig_at(rig, object, key);
    return souk_json_text(&rig->doc, node, &rig->arena, &text) ? (souk_text){"", 0} : text;
}

static inline bool rig_is(struct rig *rig, const char *event)
{
    return souk_text_equal(rig_text(rig, rig->event, "event"), souk_text_of(event));
}

/* A number of a property, in minor units or times a hundred. */
static inline int64_t rig_hundredths(struct rig *rig, souk_json_node object, const char *key)
{
    souk_test *test = rig->test;
    souk_decimal decimal = {0};
    SOUK_MUST(souk_json_decimal(&rig->doc, rig_at(rig, object, key), &decimal, NULL));
    return decimal.micro / 10000;
}

#endif
