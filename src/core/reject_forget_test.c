/* reject_forget_test.c - what an erasure takes, a plain list beside it all, and failures. */
#include "test/test.h"

#include "core/reject_desk.h"

/* ---- forgetting ------------------------------------------------------------------------------ */

struct forgetting {
    struct desk *desk;
    souk_identifier ids[3]; /* up to the first that is empty */
    souk_err end;
};

static souk_err forget(souk_tx *tx, void *context)
{
    const struct forgetting *forgetting = context;
    size_t count = 0;
    while (count < 3 && forgetting->ids[count].value.bytes)
        count++;
    SOUK_TRY(souk_rejects_forget(forgetting->desk->rejects, tx, forgetting->ids, count));
    return forgetting->end;
}

static souk_err run_forget(struct forgetting *forgetting)
{
    return souk_ledger_write(forgetting->desk->ledger, SOUK_LANE_JOB, forget, forgetting);
}

static void add_people(souk_test *test, struct desk *desk)
{
    add(test, desk, 1, "{\"email\":\"Anna@Example.com\"}");
    add(test, desk, 2, "{\"userId\":\"bert\"}");
    add(test, desk, 3, "anna@example.com, cut off he");
    add(test, desk, 4, "");
    add(test, desk, 5, "{\"phone\":\"+4420\",\"userId\":\"ann\\u002d17\"}");
    add(test, desk, 6, "{\"userId\":7,\"quantity\":17}");
    add(test, desk, 7, "{\"userId\":\"bert7\",\"quantity\":7}");
}

SOUK_TEST(
    "an erasure takes the rejects that name her, the sweep behind it their keys, nobody else's")
{
    WITH_DESK(desk)
    {
        add_people(test, &desk);
        static const uint64_t hers[] = {1, 3, 5, 6};
        struct stored copies[4], other = stored_of(test, &desk, 7);
        for (size_t i = 0; i < 4; i++)
            copies[i] = stored_of(test, &desk, hers[i]);
        struct forgetting erasure = {
            .desk = &desk,
            .ids = {{.value = SOUK_TEXT("anna@example.com"), .kind = SOUK_ID_EMAIL},
                    {.value = SOUK_TEXT("ann-17"), .kind = SOUK_ID_USER},
                    {.value = SOUK_TEXT("7"), .kind = SOUK_ID_USER}}};
        SOUK_MUST(run_forget(&erasure));
        SOUK_CHECK(is_list(test, &desk, 0, 10,
                           "2:2:{\"userId\":\"bert\"}\n4:4:\n"
                           "7:7:{\"userId\":\"bert7\",\"quantity\":7}\n"));
        SOUK_MUST(open_stored(&desk, &copies[0])); /* until the caller sweeps */
        SOUK_MUST(souk_rejects_sweep(desk.rejects));
        for (size_t i = 0; i < 4; i++)
            SOUK_CHECK_ERR(open_stored(&desk, &copies[i]), SOUK_EERASED);
        SOUK_MUST(open_stored(&desk, &other));
        SOUK_CHECK(souk_rejects_dropped(desk.rejects) == 0);
    }
}

SOUK_TEST("an erasure cut off behind its commit is finished by the next opening")
{
    WITH_DESK(desk)
    {
        add_people(test, &desk);
        struct stored copy = stored_of(test, &desk, 2), other = stored_of(test, &desk, 7);
        struct forgetting erasure = {.desk = &desk,
                                     .ids = {{.value = SOUK_TEXT("bert"), .kind = SOUK_ID_USER}}};
        SOUK_MUST(run_forget(&erasure));
        SOUK_MUST(open_stored(&desk, &copy));
        desk_reopen(test, &desk);
        SOUK_CHECK_ERR(open_stored(&desk, &copy), SOUK_EERASED);
        SOUK_MUST(open_stored(&desk, &other));
    }
}

SOUK_TEST("an erasure that finds nothing, has no identifiers, or is undone takes nothing")
{
    WITH_DESK(desk)
    {
        add_people(test, &desk);
        struct forgetting nobody = {.desk = &desk,
                                    .ids = {{.value = SOUK_TEXT("cleo"), .kind = SOUK_ID_USER},
                                            {.value = SOUK_TEXT("+44207"), .kind = SOUK_ID_PHONE}}};
        struct forgetting wordless = {.desk = &desk};
        struct forgetting undone = {.desk = &desk,
                                    .ids = {{.value = SOUK_TEXT("bert"), .kind = SOUK_ID_USER}},
                                    .end = SOUK_ECONFLICT};
        struct stored bert = stored_of(test, &desk, 2);
        SOUK_MUST(run_forget(&nobody));
        SOUK_MUST(run_forget(&wordless));
        SOUK_CHECK_ERR(run_forget(&undone), SOUK_ECONFLICT);
        SOUK_MUST(souk_rejects_sweep(desk.rejects));
        SOUK_CHECK(count_of(test, &desk) == 7);
        SOUK_MUST(open_stored(&desk, &bert));
    }
}

SOUK_TEST("an erasure passes over a reject whose key is gone already, and stops at a damaged one")
{
    WITH_DESK(desk)
    {
        add_people(test, &desk);
        struct stored first = stored_of(test, &desk, 1);
        struct forgetting hers = {
            .desk = &desk,
            .ids = {{.value = SOUK_TEXT("anna@example.com"), .kind = SOUK_ID_EMAIL}}};
        SOUK_MUST(souk_vault_destroy(desk.vault, &first.slot, 1));
        SOUK_MUST(run_forget(&hers));
        SOUK_CHECK(count_of(test, &desk) == 6);
        must_sql(test, &desk,
                 "UPDATE reject SET sealed = x'"
                 "0000000000000000000000000000000000000000"
                 "0000000000000000000000000000000000000000' WHERE id = 2");
        SOUK_CHECK_ERR(run_forget(&hers), SOUK_ECORRUPT);
        SOUK_CHECK(count_of(test, &desk) == 6);
    }
}

/* ---- a plain list beside it ------------------------------------------------------------------ */

enum { MODEL_MOST = 400 };
struct model {
    uint32_t texts[MODEL_MOST]; /* of reject number id - 1; 0: gone */
    uint64_t count;
};

struct comparing {
    const struct model *model;
    uint64_t at;
    bool same;
};

static souk_err compare(void *context, const souk_reject *reject)
{
    struct comparing *comparing = context;
    char text[16];
    while (comparing->at < comparing->model->count && !comparing->model->texts[comparing->at])
        comparing->at++;
    uint32_t number =
        comparing->at < comparing->model->count ? comparing->model->texts[comparing->at] : 0;
    snprintf(text, sizeof text, "text %u.", number);
    comparing->same &=
        reject->id == ++comparing->at && souk_text_equal(reject->text, souk_text_of(text));
    return SOUK_OK;
}

static bool model_equal(souk_test *test, const struct model *model, struct desk *desk)
{
    struct comparing comparing = {model, 0, true};
    uint64_t live = 0;
    SOUK_MUST(souk_rejects_each(desk->rejects, 0, MODEL_MOST, compare, &comparing));
    for (uint64_t i = 0; i < model->count; i++)
        live += model->texts[i] != 0;
    return comparing.same && count_of(test, desk) == live;
}

static void model_forget(souk_test *test, struct desk *desk, struct model *model, uint32_t number)
{
    char word[16];
    snprintf(word, sizeof word, "text %u.", number);
    struct forgetting forgetting = {.desk = desk,
                                    .ids = {{.value = souk_text_of(word), .kind = SOUK_ID_USER}}};
    SOUK_MUST(run_forget(&forgetting));
    if (test_random(test, 2))
        SOUK_MUST(souk_rejects_sweep(desk->rejects));
    for (uint64_t i = 0; i < model->count; i++)
        model->texts[i] = model->texts[i] == number ? 0 : model->texts[i];
}

SOUK_TEST("rejects added, removed and forgotten at random are those of a plain list")
{
    static struct model model;
    model.count = 0;
    WITH_DESK(desk)
    {
        for (int step = 0; step < 600; step++) {
            uint64_t what = test_random(test, 100), id = 1 + test_random(test, model.count + 1);
            uint32_t number = 1 + (uint32_t)test_random(test, 60);
            char text[16];
            snprintf(text, sizeof text, "text %u.", number);
            if (what < 55 && model.count < MODEL_MOST) {
                add(test, &desk, 1, text);
                model.texts[model.count++] = number;
            } else if (what < 85) {
                bool there = id <= model.count && model.texts[id - 1];
                SOUK_CHECK_ERR(souk_rejects_remove(desk.rejects, id),
                               there ? SOUK_OK : SOUK_ENOENT);
                if (there)
                    model.texts[id - 1] = 0;
            } else if (what < 90) {
                model_forget(test, &desk, &model, number);
            } else if (what < 92) {
                desk_reopen(test, &desk);
            }
            if (step % 10 == 0)
                SOUK_CHECK(model_equal(test, &model, &desk));
        }
        SOUK_CHECK(model_equal(test, &model, &desk));
        uint64_t planted = 0;
        while (!model.texts[planted])
            planted++;
        model.texts[planted]++;
        SOUK_CHECK(!model_equal(test, &model, &desk));
    }
}

/* ---- failures -------------------------------------------------------------------------------- */

static souk_err life_of_rejects(struct desk *desk)
{
    souk_auto_value(souk_buf) text = {.mem = desk->mem};
    struct listing list = {.fields_right = true};
    struct forgetting hers = {.desk = desk,
                              .ids = {{.value = SOUK_TEXT("anna1@b.cd"), .kind = SOUK_ID_EMAIL}}};
    souk_reject faults[] = {reject_of(1, "anna1@b.cd"), reject_of(2, "bert"), reject_of(3, "cleo")};
    uint64_t count;
    uint32_t source;
    SOUK_TRY(souk_rejects_open(desk->mem, desk->ledger, desk->vault, &desk->rejects, NULL));
    SOUK_TRY(souk_rejects_add(desk->rejects, faults, 3));
    SOUK_TRY(souk_rejects_each(desk->rejects, 0, 10, note, &list));
    SOUK_TRY(souk_rejects_read(desk->rejects, 2, &source, NULL, &text));
    SOUK_TRY(souk_rejects_remove(desk->rejects, 2));
    SOUK_TRY(run_forget(&hers));
    SOUK_TRY(souk_rejects_sweep(desk->rejects));
    SOUK_TRY(souk_rejects_count(desk->rejects, &count));
    return count == 1 && !strcmp(list.words, "1:1:anna1@b.cd\n2:2:bert\n3:3:cleo\n")
               ? SOUK_OK
               : SOUK_ECONFLICT;
}

SOUK_TEST("where memory runs out rejects are refused whole, and no step leaves half a one")
{
    SOUK_FAULT_LOOP (test) {
        struct desk desk;
        desk_begin(test, &desk);
        souk_err err = life_of_rejects(&desk);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        uint64_t fault = test->fail_at;
        bool hit = test->fault_hit;
        test->fail_at = 0;
        if (desk.rejects) { /* every row that there is can be read */
            struct listing list = list_of(test, &desk, 0, 10);
            uint64_t lines = 0;
            for (size_t i = 0; i < list.bytes; i++)
                lines += list.words[i] == '\n';
            SOUK_CHECK(count_of(test, &desk) == lines);
        }
        test->fail_at = fault;
        test->fault_hit = hit;
        test_fault_seen(test, err);
        desk_done(&desk);
    }
}

SOUK_TEST("a full disk refuses a reject and keeps those that there are")
{
    if (test_on_postgres())
        return; /* the disk is the server's */
    if (test_on_postgres())
        return; /* the disk is the server's */
    WITH_DESK(desk)
    {
        add(test, &desk, 1, "kept");
        souk_reject lost = reject_of(2, "lost");
        souk_sim_plan(desk.disk, (souk_sim_faults){.fail_at = 1, .fail_err = SOUK_EFULL});
        SOUK_CHECK_ERR(souk_rejects_add(desk.rejects, &lost, 1), SOUK_EFULL);
        SOUK_CHECK(is_list(test, &desk, 0, 10, "1:1:kept\n"));
        souk_sim_plan(desk.disk, (souk_sim_faults){0});
        add(test, &desk, 3, "again");
        SOUK_CHECK(count_of(test, &desk) == 2);
    }
}
