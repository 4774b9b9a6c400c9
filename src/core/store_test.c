/* store_test.c - what may be said of a store, and how one telling is added to another: random ones beside a model. */
#include "test/test.h"

#include "core/store.h"
#include "os/disk_sim.h"
#include "store/ledger_shop.h"

#include <stdio.h>

static souk_err check(souk_test *test, const char *text, bool is_whole, souk_diag *diag)
{
    souk_json_doc doc = {.mem = test->mem};
    souk_arena arena = {.mem = test->mem};
    SOUK_MUST(souk_json_read(&doc, souk_text_of(text), NULL, NULL));
    souk_err err = souk_store_check(&doc, is_whole, &arena, diag);
    souk_json_doc_done(&doc);
    souk_arena_done(&arena);
    return err;
}

SOUK_TEST("a store is checked by its members, and may lack a name where it is not whole")
{
    static const struct {
        const char *text, *words; /* NULL: taken */
    } stores[] = {
        {"{\"name\":\"Old Town\",\"opens\":\"09:30\",\"closes\":null,\"time_zone\":\"Europe/"
         "Berlin\",\"currency\":\"EUR\",\"shelves\":[1]}",
         NULL},
        {"[]", "a store is an object"},
        {"{\"name\":7}", "name is no text: send it in quotes"},
        {"{\"name\":\"a\",\"time_zone\":\"Mars/../x\"}", "time_zone is no zone: send one as"},
        {"{\"name\":\"a\",\"currency\":\"euro\"}", "currency is no code of ISO 4217"},
        {"{\"name\":\"a\",\"opens\":\"9:30\"}", "opens is no time of day: send it as 09:30"},
        {"{\"name\":\"a\",\"closes\":\"24:00\"}", "closes is no time of day"},
    };
    souk_diag diag = {.words = ""};
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        diag.words[0] = '\0';
        souk_err err = check(test, stores[i].text, i % 2, &diag);
        SOUK_CHECK(err == (stores[i].words ? SOUK_EINVAL : SOUK_OK));
        SOUK_CHECK(!stores[i].words || strstr(diag.words, stores[i].words));
    }
    diag.words[0] = '\0';
    SOUK_CHECK_ERR(check(test, "{\"opens\":\"09:30\"}", true, &diag), SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "name is missing or above 200 bytes: name the store"));
    SOUK_MUST(check(test, "{\"opens\":\"09:30\"}", false, NULL));
}

/* ---- adding -------------------------------------------------------------------------------------------------- */

struct desk {
    souk_disk *disk;
    souk_ledger *ledger;
};

static void desk_open(souk_test *test, struct desk *desk)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 1, &desk->disk));
    SOUK_MUST(souk_ledger_open_sqlite(souk_mem_heap(), desk->disk, "ledger", &options,
                                      &desk->ledger, NULL));
    SOUK_MUST(souk_documents_migrate(desk->ledger, NULL));
}

static void desk_close(struct desk *desk)
{
    souk_ledger_free(desk->ledger);
    souk_disk_free(desk->disk);
}

struct telling {
    souk_mem *mem;
    souk_text text;
    bool changed;
};

static souk_err tell(souk_tx *tx, void *context)
{
    struct telling *telling = context;
    return souk_store_add(tx, telling->mem, 1, SOUK_TEXT("A"), telling->text, 1, &telling->changed);
}

static uint64_t version_of(souk_test *test, struct desk *desk, souk_buf *text)
{
    uint64_t version;
    souk_buf_clear(text);
    SOUK_MUST(souk_documents_get(desk->ledger, SOUK_STORE_KIND, 1, SOUK_TEXT("A"), &version, text));
    return version;
}

enum { MEMBERS = 4 }; /* name, and three more; a value of 0: there is none */

static void write_members(const unsigned values[MEMBERS], souk_buf *text)
{
    static const char *const names[MEMBERS] = {"name", "opens", "a\\u0062", "attributes"};
    souk_buf_clear(text);
    souk_buf_byte(text, '{');
    for (size_t i = 0, count = 0; i < MEMBERS; i++)
        if (values[i])
            souk_buf_print(text, "%s\"%s\":\"%u\"", count++ ? "," : "", names[i], values[i]);
    souk_buf_byte(text, '}');
}

/* Whether the document has the values that the model holds, and no others. */
static bool holds(souk_test *test, souk_text text, const unsigned values[MEMBERS])
{
    static const char *const names[MEMBERS] = {"name", "opens", "ab", "attributes"};
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    size_t count = 0;
    bool same = true;
    SOUK_MUST(souk_json_read(&doc, text, NULL, NULL));
    for (size_t i = 0; i < MEMBERS; i++) {
        char raw[20];
        souk_json_node node = souk_json_member(&doc, souk_json_root(&doc), souk_text_of(names[i]));
        snprintf(raw, sizeof raw, "\"%u\"", values[i]);
        if (i == 0 && values[i] == 0)
            snprintf(raw, sizeof raw, "\"A\""); /* the code */
        bool there = values[i] || i == 0;
        count += there;
        same &= there == (node != SOUK_JSON_NONE);
        same &= !there || souk_text_equal(souk_json_raw(&doc, node), souk_text_of(raw));
    }
    return same && souk_json_count(&doc, souk_json_root(&doc)) == count;
}

SOUK_TEST(
    "random tellings of a store add up as in a model, and a version is made where one changes")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem}, kept = {.mem = test->mem};
    unsigned model[MEMBERS] = {0};
    struct desk desk;
    uint64_t versions = 0;
    desk_open(test, &desk);
    for (unsigned round = 0; round < 200; round++) {
        unsigned told[MEMBERS];
        bool changes = round == 0;
        for (size_t i = 0; i < MEMBERS; i++) {
            told[i] = (unsigned)test_random(test, 4);
            changes |= told[i] && told[i] != model[i];
            model[i] = told[i] ? told[i] : model[i];
        }
        write_members(told, &text);
        struct telling telling = {.mem = test->mem, .text = souk_buf_view(&text)};
        SOUK_MUST(souk_ledger_write(desk.ledger, SOUK_LANE_JOB, tell, &telling));
        SOUK_CHECK(telling.changed == changes);
        versions += changes;
        SOUK_CHECK(version_of(test, &desk, &kept) == versions);
        SOUK_CHECK(holds(test, souk_buf_view(&kept), model));
        unsigned wrong[MEMBERS];
        memcpy(wrong, model, sizeof wrong);
        wrong[1 + test_random(test, MEMBERS - 1)] += 7;
        SOUK_CHECK(!holds(test, souk_buf_view(&kept), wrong));
    }
    desk_close(&desk);
}

SOUK_TEST("what is too much together is refused, and what is known stays")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem}, kept = {.mem = test->mem};
    struct desk desk;
    struct telling telling = {.mem = test->mem};
    desk_open(test, &desk);
    for (unsigned i = 0; i < 3; i++) {
        souk_buf_clear(&text);
        souk_buf_print(&text, "{\"m%u\":\"", i);
        for (unsigned k = 0; k < 30000; k++)
            souk_buf_byte(&text, 'x');
        souk_buf_print(&text, "\"}");
        telling.text = souk_buf_view(&text);
        SOUK_CHECK_ERR(souk_ledger_write(desk.ledger, SOUK_LANE_JOB, tell, &telling),
                       i == 2 ? SOUK_ETOOBIG : SOUK_OK);
    }
    SOUK_CHECK(version_of(test, &desk, &kept) == 2 && kept.bytes < SOUK_DOCUMENT_BYTES);
    desk_close(&desk);
}

SOUK_TEST("a telling that runs out of memory changes nothing")
{
    souk_auto_value(souk_buf) kept = {.mem = souk_mem_heap()};
    struct desk desk;
    desk_open(test, &desk);
    SOUK_FAULT_LOOP (test) {
        struct telling telling = {.mem = test->mem, .text = SOUK_TEXT("{\"name\":\"b\"}")};
        souk_err err = souk_ledger_write(desk.ledger, SOUK_LANE_JOB, tell, &telling);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
    SOUK_CHECK(version_of(test, &desk, &kept) == 1);
    desk_close(&desk);
}
