/* document_test.c - versions count up and are never given twice; a list goes on where it ended. */
#include "test/test.h"

#include "core/document.h"
#include "os/disk_sim.h"
#include "os/thread.h"
#include "store/ledger_shop.h"

enum { KEYS = 6, STEPS = 400 };

/* What should be there: version 0: nothing. */
struct model {
    uint64_t version[KEYS], last[KEYS];
    unsigned value[KEYS];
};

static souk_text key_of(unsigned key, char room[8])
{
    return (souk_text){room, (size_t)snprintf(room, 8, "key-%u", key)};
}

static souk_err open(souk_test *test, souk_disk **ret_disk, souk_ledger **ret_ledger)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    SOUK_TRY(souk_disk_open_sim(souk_mem_heap(), test_random(test, 0), ret_disk));
    SOUK_TRY(test_ledger_open(test->mem, *ret_disk, "ledger", &options, ret_ledger, NULL));
    return souk_documents_migrate(*ret_ledger, NULL);
}

static void check_key(souk_test *test, souk_ledger *ledger, const struct model *model, unsigned key)
{
    char room[8], value[16];
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    uint64_t version = 0;
    souk_err err =
        souk_documents_get(ledger, SOUK_TEXT("store"), 1, key_of(key, room), &version, &text);
    SOUK_CHECK(err == (model->version[key] ? SOUK_OK : SOUK_ENOENT));
    if (err)
        return;
    snprintf(value, sizeof value, "{\"v\":%u}", model->value[key]);
    SOUK_CHECK(version == model->version[key]);
    SOUK_CHECK_TEXT(souk_buf_view(&text), value);
}

SOUK_TEST("whatever is put and deleted, a version is given once and guards what it is of")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_ledger) ledger = NULL;
    struct model model = {{0}, {0}, {0}};
    SOUK_MUST(open(test, &disk, &ledger));
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned key = (unsigned)test_random(test, KEYS), value = step;
        char room[8], text[16];
        uint64_t there = model.version[key], version = 0, expected = there;
        bool deletes = test_random(test, 3) == 0, wrong = test_random(test, 4) == 0;
        if (wrong)
            expected = test_random(test, 2) ? model.last[key] + 1 : there ? 0 : model.last[key] + 5;
        else if (test_random(test, 4) == 0)
            expected = SOUK_DOCUMENT_ANY;
        snprintf(text, sizeof text, "{\"v\":%u}", value);
        souk_document document = {.kind = SOUK_TEXT("store"),
                                  .merchant = 1,
                                  .key = key_of(key, room),
                                  .text = souk_text_of(text)};
        souk_err err =
            deletes ? souk_documents_delete(ledger, document.kind, 1, document.key, expected, step)
                    : souk_documents_put(ledger, &document, expected, step, &version);
        if (wrong) {
            SOUK_CHECK(err == SOUK_ECHANGED);
        } else if (deletes && !there) {
            SOUK_CHECK(err == SOUK_ENOENT);
        } else {
            SOUK_MUST(err);
            model.last[key]++;
            model.version[key] = deletes ? 0 : model.last[key];
            model.value[key] = value;
            SOUK_CHECK(deletes || version == model.last[key]);
        }
        check_key(test, ledger, &model, key);
    }
}

struct listed {
    souk_test *test;
    unsigned count;
    char last[8];
};

static souk_err take(void *context, const souk_document *document)
{
    struct listed *listed = context;
    snprintf(listed->last, sizeof listed->last, "%.*s", SOUK_TEXT_PRINT(document->key));
    return ++listed->count > 100 ? SOUK_ETOOBIG : SOUK_OK;
}

SOUK_TEST("a list has one merchant's documents of one kind, page after page")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_ledger) ledger = NULL;
    uint64_t version;
    char room[8];
    SOUK_MUST(open(test, &disk, &ledger));
    for (unsigned i = 0; i < 6; i++) {
        souk_document document = {.kind = i == 5 ? SOUK_TEXT("zone") : SOUK_TEXT("store"),
                                  .merchant = i == 4 ? 2 : 1,
                                  .key = key_of(i, room),
                                  .text = SOUK_TEXT("{}")};
        SOUK_MUST(souk_documents_put(ledger, &document, 0, 0, &version));
    }
    SOUK_MUST(souk_documents_delete(ledger, SOUK_TEXT("store"), 1, SOUK_TEXT("key-1"), 1, 0));
    struct listed listed = {.test = test};
    SOUK_MUST(souk_documents_list(ledger, SOUK_TEXT("store"), 1, SOUK_TEXT(""), 2, take, &listed));
    SOUK_CHECK(listed.count == 2 && !strcmp(listed.last, "key-2"));
    SOUK_MUST(
        souk_documents_list(ledger, SOUK_TEXT("store"), 1, SOUK_TEXT("key-2"), 2, take, &listed));
    SOUK_CHECK(listed.count == 3 && !strcmp(listed.last, "key-3"));
    souk_document large = {.kind = SOUK_TEXT("store"), .merchant = 1, .key = SOUK_TEXT("")};
    SOUK_CHECK_ERR(souk_documents_put(ledger, &large, 0, 0, &version), SOUK_EINVAL);
}

/* ---- many at once ---------------------------------------------------------------------------------------- */

enum { HANDS = 4, TURNS = 200 };

struct hand {
    souk_thread thread;
    souk_ledger *ledger;
    souk_buf text;
    unsigned done, wrong;
};

/* Reads, and puts in place of what was read. */
static void put_by_hand(void *context)
{
    struct hand *hand = context;
    souk_document document = {
        .kind = SOUK_TEXT("store"), .merchant = 1, .key = SOUK_TEXT("k"), .text = SOUK_TEXT("{}")};
    for (unsigned i = 0; i < TURNS; i++) {
        uint64_t there = 0, version;
        souk_buf_clear(&hand->text);
        souk_err err =
            souk_documents_get(hand->ledger, document.kind, 1, document.key, &there, &hand->text);
        if (err && err != SOUK_ENOENT) {
            hand->wrong++;
            continue;
        }
        err = souk_documents_put(hand->ledger, &document, there, 1000, &version);
        hand->done += !err;
        hand->wrong += (err && err != SOUK_ECHANGED) || (!err && version != there + 1);
    }
}

SOUK_TEST("of those who put in place of the same version one does, and the others hear of it")
{
    EACH_SHOP(shop, .readers = 2)
    {
        if (shop.how->no_thread)
            continue;
        struct hand hands[HANDS];
        souk_ledger *other = NULL; /* another server's on the same database */
        if (shop.how->postgres)
            SOUK_MUST(shop.how->open(test->mem, shop.disk, "ledger",
                                     &(souk_ledger_options){.readers = 2}, &other, NULL));
        SOUK_MUST(souk_documents_migrate(shop.ledger, NULL));
        for (unsigned i = 0; i < HANDS; i++) {
            hands[i] = (struct hand){.ledger = other && i % 2 ? other : shop.ledger,
                                     .text = {.mem = souk_mem_heap()}};
            SOUK_MUST(souk_thread_start(&hands[i].thread, "hand", put_by_hand, &hands[i]));
        }
        unsigned done = 0;
        for (unsigned i = 0; i < HANDS; i++) {
            souk_thread_join(&hands[i].thread);
            souk_buf_done(&hands[i].text);
            SOUK_CHECK(hands[i].wrong == 0);
            done += hands[i].done;
        }
        if (other)
            SOUK_MUST(souk_ledger_close(other));
        souk_ledger_free(other);
        uint64_t version = 0;
        souk_auto_value(souk_buf) text = {.mem = test->mem};
        SOUK_MUST(souk_documents_get(shop.ledger, SOUK_TEXT("store"), 1, SOUK_TEXT("k"), &version,
                                     &text));
        SOUK_CHECK(done == version); /* a version is given once */
    }
}
