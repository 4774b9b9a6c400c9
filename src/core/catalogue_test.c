/* catalogue_test.c - numbers for names: given once, undone by a rollback, the same when reopened. */
#include "core/catalogue.h"
#include "store/postgres_server.h"

#include "test/test.h"

#include <stdio.h>

/* ---- a catalogue in memory ------------------------------------------------------------------- */

struct desk {
    souk_mem *mem; /* of the catalogue alone: what fails in a fault loop */
    souk_disk *disk;
    souk_ledger *ledger;
    souk_catalogue *catalogue;
};

static const souk_ledger_options in_the_caller = {.no_thread = true, .readers = 1};

static souk_err desk_open(struct desk *desk, souk_mem *mem)
{
    souk_mem *heap = souk_mem_heap();
    *desk = (struct desk){.mem = mem};
    SOUK_TRY(souk_disk_open_sim(heap, 7, &desk->disk));
    SOUK_TRY(test_ledger_open(heap, desk->disk, "ledger", &in_the_caller, &desk->ledger, NULL));
    return souk_catalogue_open(mem, desk->ledger, &desk->catalogue, NULL);
}

static void desk_done(struct desk *desk)
{
    souk_catalogue_free(desk->catalogue);
    souk_ledger_free(desk->ledger);
    souk_disk_free(desk->disk);
}

static void must_open(souk_test *test, struct desk *desk)
{
    SOUK_MUST(desk_open(desk, test->mem));
}

/* A catalogue for the statement that follows. */
#define WITH_DESK(desk) \
    for (struct desk desk = {0}; !desk.mem && (must_open(test, &desk), true); desk_done(&desk))

static void desk_reopen(souk_test *test, struct desk *desk)
{
    souk_catalogue_free(souk_take(&desk->catalogue));
    SOUK_MUST(souk_ledger_close(desk->ledger));
    souk_ledger_free(souk_take(&desk->ledger));
    SOUK_MUST(test_ledger_open(souk_mem_heap(), desk->disk, "ledger", &in_the_caller, &desk->ledger,
                               NULL));
    SOUK_MUST(souk_catalogue_open(desk->mem, desk->ledger, &desk->catalogue, NULL));
}

/* One name as an event tells it. */
struct telling {
    souk_name_kind kind;
    uint32_t merchant;
    souk_text name, title, category; /* of products */
    uint32_t number, category_number;
};

/* A transaction as the writer runs it: what an earlier run of it did is rolled back first. */
struct turn {
    struct desk *desk;
    struct telling *tellings;
    size_t count;
    souk_err end; /* what the closure says after all names */
    int runs;
};

static souk_err tell(struct desk *desk, souk_tx *tx, struct telling *one)
{
    if (one->kind == SOUK_NAME_PRODUCT)
        return souk_catalogue_product(desk->catalogue, tx, one->merchant, one->name, one->title,
                                      one->category, &one->number, &one->category_number);
    return souk_catalogue_number(desk->catalogue, tx, one->kind, one->merchant, one->name,
                                 &one->number);
}

static souk_err apply_turn(souk_tx *tx, void *context)
{
    struct turn *turn = context;
    turn->runs++;
    souk_catalogue_rollback(turn->desk->catalogue);
    souk_catalogue_begin(turn->desk->catalogue);
    for (size_t i = 0; i < turn->count; i++)
        SOUK_TRY(tell(turn->desk, tx, &turn->tellings[i]));
    return turn->end;
}

static souk_err run_turn(struct turn *turn)
{
    souk_err err = souk_ledger_write(turn->desk->ledger, SOUK_LANE_INGEST, apply_turn, turn);
    if (err)
        souk_catalogue_rollback(turn->desk->catalogue);
    else
        souk_catalogue_commit(turn->desk->catalogue);
    return err;
}

static uint32_t number_of(souk_test *test, struct desk *desk, souk_name_kind kind,
                          uint32_t merchant, const char *name)
{
    struct telling one = {.kind = kind, .merchant = merchant, .name = souk_text_of(name)};
    struct turn turn = {.desk = desk, .tellings = &one, .count = 1};
    SOUK_MUST(run_turn(&turn));
    return one.number;
}

static struct telling sell(souk_test *test, struct desk *desk, const char *code, const char *title,
                           const char *category)
{
    struct telling one = {.kind = SOUK_NAME_PRODUCT,
                          .merchant = 1,
                          .name = souk_text_of(code),
                          .title = souk_text_of(title),
                          .category = souk_text_of(category)};
    struct turn turn = {.desk = desk, .tellings = &one, .count = 1};
    SOUK_MUST(run_turn(&turn));
    return one;
}

static bool is_name(struct desk *desk, souk_name_kind kind, uint32_t number, const char *expected)
{
    char name[32];
    souk_catalogue_name(desk->catalogue, kind, number, name, sizeof name);
    return !strcmp(name, expected);
}

struct question {
    uint32_t number;
    char title[32];
};

static souk_err read_title(souk_tx *tx, void *context)
{
    struct question *question = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT title FROM name WHERE kind = 2 AND number = ?1",
                             SOUK_VALUES(SOUK_INT(question->number)), &rows));
    bool found = souk_rows_next(&rows);
    souk_text title = found ? souk_rows_text(&rows, 0) : SOUK_TEXT("?");
    snprintf(question->title, sizeof question->title, "%.*s", SOUK_TEXT_PRINT(title));
    return souk_rows_check(&rows);
}

static bool has_title(souk_test *test, struct desk *desk, uint32_t number, const char *expected)
{
    struct question question = {.number = number};
    SOUK_MUST(souk_ledger_read(desk->ledger, read_title, &question));
    return !strcmp(question.title, expected);
}

/* ---- numbers --------------------------------------------------------------------------------- */

SOUK_TEST("names get 1, 2, 3 in order of appearance, each kind for itself, and keep them")
{
    WITH_DESK(desk)
    for (int reopened = 0; reopened < 2; reopened++) {
        for (souk_name_kind kind = SOUK_NAME_TYPE; kind < SOUK_NAME_KINDS; kind++) {
            SOUK_CHECK(number_of(test, &desk, kind, 0, "first") == 1);
            SOUK_CHECK(number_of(test, &desk, kind, 0, "second") == 2);
            SOUK_CHECK(number_of(test, &desk, kind, 0, "first") == 1);
            SOUK_CHECK(souk_catalogue_count(desk.catalogue, kind) == 2);
            SOUK_CHECK(is_name(&desk, kind, 2, "second") && is_name(&desk, kind, 1, "first"));
            SOUK_CHECK(souk_catalogue_find(desk.catalogue, kind, 0, SOUK_TEXT("second")) == 2);
        }
        desk_reopen(test, &desk);
    }
}

SOUK_TEST("0, a number never given and the empty name are nothing")
{
    WITH_DESK(desk)
    {
        SOUK_CHECK(number_of(test, &desk, SOUK_NAME_TYPE, 0, "") == 0);
        SOUK_CHECK(sell(test, &desk, "", "Shoe", "shoes").number == 0);
        for (souk_name_kind kind = SOUK_NAME_TYPE; kind < SOUK_NAME_KINDS; kind++) {
            SOUK_CHECK(souk_catalogue_count(desk.catalogue, kind) == 0);
            SOUK_CHECK(is_name(&desk, kind, 0, "") && is_name(&desk, kind, 1, ""));
            SOUK_CHECK(is_name(&desk, kind, UINT32_MAX, ""));
            SOUK_CHECK(souk_catalogue_find(desk.catalogue, kind, 0, SOUK_TEXT("")) == 0);
        }
    }
}

SOUK_TEST("codes compare byte for byte, and a name is cut to the room there is")
{
    static const souk_text names[] = {{"a", 1},    {"A", 1},        {"a ", 2},       {"a\0", 2},
                                      {"a\0b", 3}, {"\xc3\xa4", 2}, {"a\xcc\x88", 3}};
    enum { COUNT = sizeof names / sizeof *names };
    WITH_DESK(desk)
    for (int reopened = 0; reopened < 2; reopened++) {
        struct telling tellings[COUNT];
        for (size_t i = 0; i < COUNT; i++)
            tellings[i] = (struct telling){.kind = SOUK_NAME_STORE, .name = names[i]};
        if (test_on_postgres()) { /* its texts hold no NUL */
            tellings[3].name = SOUK_TEXT("b");
            tellings[4].name = SOUK_TEXT("c");
        }
        struct turn turn = {.desk = &desk, .tellings = tellings, .count = COUNT};
        SOUK_MUST(run_turn(&turn));
        for (size_t i = 0; i < COUNT; i++)
            SOUK_CHECK(tellings[i].number == i + 1);
        char room[3] = "##";
        souk_catalogue_name(desk.catalogue, SOUK_NAME_STORE, 7, room, 3);
        SOUK_CHECK(!memcmp(room, "a\xcc", 3));
        souk_catalogue_name(desk.catalogue, SOUK_NAME_STORE, 7, room, 1);
        SOUK_CHECK(room[0] == '\0');
        desk_reopen(test, &desk);
    }
}

SOUK_TEST("one merchant's product and store are not another's by the same code")
{
    WITH_DESK(desk)
    for (int reopened = 0; reopened < 2; reopened++) {
        SOUK_CHECK(number_of(test, &desk, SOUK_NAME_STORE, 1, "main") == 1);
        SOUK_CHECK(number_of(test, &desk, SOUK_NAME_STORE, 2, "main") == 2);
        SOUK_CHECK(number_of(test, &desk, SOUK_NAME_PRODUCT, 2, "main") == 1);
        SOUK_CHECK(sell(test, &desk, "main", "", "").number == 2);
        const souk_catalogue *catalogue = desk.catalogue;
        SOUK_CHECK(souk_catalogue_find(catalogue, SOUK_NAME_STORE, 1, SOUK_TEXT("main")) == 1);
        SOUK_CHECK(souk_catalogue_find(catalogue, SOUK_NAME_STORE, 2, SOUK_TEXT("main")) == 2);
        SOUK_CHECK(souk_catalogue_find(catalogue, SOUK_NAME_STORE, 3, SOUK_TEXT("main")) == 0);
        desk_reopen(test, &desk);
    }
}

SOUK_TEST("a kind that is full gives 0 to what is new, and its numbers to what is known")
{
    enum { MOST = 4096 };
    WITH_DESK(desk)
    {
        struct telling *tellings = souk_mem_array(test->mem, MOST + 2, sizeof *tellings);
        char(*names)[24] = souk_mem_array(test->mem, MOST + 2, sizeof *names);
        for (size_t i = 0; i < MOST + 2; i++) {
            snprintf(names[i], sizeof *names, "t%zu", i);
            tellings[i] = (struct telling){.kind = SOUK_NAME_TYPE, .name = souk_text_of(names[i])};
        }
        struct turn turn = {.desk = &desk, .tellings = tellings, .count = MOST + 2};
        SOUK_MUST(run_turn(&turn));
        for (size_t i = 0; i < MOST + 2; i++)
            SOUK_CHECK(tellings[i].number == (i < MOST ? i + 1 : 0));
        for (int reopened = 0; reopened < 2; reopened++) {
            SOUK_CHECK(number_of(test, &desk, SOUK_NAME_TYPE, 0, "new") == 0);
            SOUK_CHECK(number_of(test, &desk, SOUK_NAME_TYPE, 0, "t4095") == MOST);
            SOUK_CHECK(souk_catalogue_count(desk.catalogue, SOUK_NAME_TYPE) == MOST);
            SOUK_CHECK(number_of(test, &desk, SOUK_NAME_CATEGORY, 0, "new") == 1);
            desk_reopen(test, &desk);
        }
        souk_mem_put(test->mem, tellings);
        souk_mem_put(test->mem, names);
    }
}

/* ---- products -------------------------------------------------------------------------------- */

SOUK_TEST("a product keeps the first title and the first category that an event tells of it")
{
    WITH_DESK(desk)
    for (uint32_t reopened = 0; reopened < 2; reopened++) {
        struct telling bare = sell(test, &desk, "sku-1", "", "");
        SOUK_CHECK(bare.number == 1 && bare.category_number == reopened);
        SOUK_CHECK(sell(test, &desk, "sku-1", "Red shoe", "").category_number == reopened);
        SOUK_CHECK(sell(test, &desk, "sku-1", "", "shoes").category_number == 1);
        SOUK_CHECK(sell(test, &desk, "sku-1", "Blue hat", "hats").category_number == 1);
        SOUK_CHECK(has_title(test, &desk, 1, "Red shoe"));
        SOUK_CHECK(sell(test, &desk, "sku-2", "Blue hat", "hats").category_number == 2);
        SOUK_CHECK(has_title(test, &desk, 2, "Blue hat"));
        SOUK_CHECK(is_name(&desk, SOUK_NAME_CATEGORY, 2, "hats"));
        desk_reopen(test, &desk);
    }
}

/* ---- transactions ---------------------------------------------------------------------------- */

/* Looks as a reader does, from within the transaction. */
static souk_err look_inside(souk_tx *tx, void *context)
{
    struct turn *turn = context;
    SOUK_TRY(apply_turn(tx, turn));
    bool seen = souk_catalogue_find(turn->desk->catalogue, SOUK_NAME_TYPE, 0, SOUK_TEXT("new")) ||
                souk_catalogue_count(turn->desk->catalogue, SOUK_NAME_TYPE) != 0 ||
                !is_name(turn->desk, SOUK_NAME_TYPE, 1, "");
    return seen ? SOUK_ECORRUPT : SOUK_OK;
}

SOUK_TEST("readers see a name after the commit and not before, the writer at once")
{
    WITH_DESK(desk)
    {
        struct telling twice[] = {{.kind = SOUK_NAME_TYPE, .name = SOUK_TEXT("new")},
                                  {.kind = SOUK_NAME_TYPE, .name = SOUK_TEXT("new")}};
        struct turn turn = {.desk = &desk, .tellings = twice, .count = 2};
        SOUK_MUST(souk_ledger_write(desk.ledger, SOUK_LANE_INGEST, look_inside, &turn));
        SOUK_CHECK(twice[0].number == 1 && twice[1].number == 1);
        SOUK_CHECK(souk_catalogue_count(desk.catalogue, SOUK_NAME_TYPE) == 0);
        souk_catalogue_commit(desk.catalogue);
        SOUK_CHECK(souk_catalogue_count(desk.catalogue, SOUK_NAME_TYPE) == 1);
        SOUK_CHECK(is_name(&desk, SOUK_NAME_TYPE, 1, "new"));
    }
}

SOUK_TEST("a rollback takes back names, titles and categories, and their numbers are given again")
{
    WITH_DESK(desk)
    {
        sell(test, &desk, "sku-1", "", "");
        struct telling lost[] = {
            {SOUK_NAME_PRODUCT, 1, SOUK_TEXT("sku-1"), SOUK_TEXT("Lost"), SOUK_TEXT("lost"), 0, 0},
            {SOUK_NAME_PRODUCT, 1, SOUK_TEXT("sku-2"), SOUK_TEXT(""), SOUK_TEXT(""), 0, 0},
            {SOUK_NAME_PRODUCT, 1, SOUK_TEXT("sku-2"), SOUK_TEXT("Too"), SOUK_TEXT("lost"), 0, 0},
            {.kind = SOUK_NAME_TYPE, .name = SOUK_TEXT("lost")}};
        struct turn turn = {.desk = &desk, .tellings = lost, .count = 4, .end = SOUK_EFULL};
        SOUK_CHECK_ERR(run_turn(&turn), SOUK_EFULL);
        SOUK_CHECK(lost[0].category_number == 1 && lost[1].category_number == 0);
        SOUK_CHECK(lost[2].number == 2 && lost[2].category_number == 1);
        SOUK_CHECK(souk_catalogue_count(desk.catalogue, SOUK_NAME_PRODUCT) == 1);
        SOUK_CHECK(souk_catalogue_find(desk.catalogue, SOUK_NAME_CATEGORY, 0, SOUK_TEXT("lost")) ==
                   0);
        SOUK_CHECK(number_of(test, &desk, SOUK_NAME_TYPE, 0, "kept") == 1);
        SOUK_CHECK(sell(test, &desk, "sku-3", "", "kept").number == 2);
        struct telling mended = sell(test, &desk, "sku-1", "Shoe", "shoes");
        SOUK_CHECK(mended.category_number == 2 && has_title(test, &desk, 1, "Shoe"));
        struct telling title = {
            SOUK_NAME_PRODUCT, 1, SOUK_TEXT("sku-3"), SOUK_TEXT("Lost"), {0}, 0, 0};
        turn = (struct turn){.desk = &desk, .tellings = &title, .count = 1, .end = SOUK_EFULL};
        SOUK_CHECK_ERR(run_turn(&turn), SOUK_EFULL);
        sell(test, &desk, "sku-3", "Hat", "");
        SOUK_CHECK(has_title(test, &desk, 2, "Hat"));
        desk_reopen(test, &desk);
        SOUK_CHECK(sell(test, &desk, "sku-1", "Other", "other").category_number == 2);
    }
}

/* A neighbour in the group that fails makes the ledger run every closure of it again. */
struct turn_job {
    souk_job job;
    struct turn *turn;
};

static souk_err apply_job(souk_tx *tx, souk_job *job)
{
    return apply_turn(tx, SOUK_JOB_OWNER(job, struct turn_job, job)->turn);
}

static void after_job(souk_job *job, souk_err err)
{
    struct turn *turn = SOUK_JOB_OWNER(job, struct turn_job, job)->turn;
    souk_assert(err == SOUK_OK);
    souk_catalogue_commit(turn->desk->catalogue);
}

static souk_err fail_job(souk_tx *tx, souk_job *job)
{
    (void)tx;
    (void)job;
    return SOUK_ECONFLICT;
}

static void forget_job(souk_job *job, souk_err err)
{
    (void)job;
    (void)err;
}

SOUK_TEST("a transaction that runs twice gives each name one number")
{
    WITH_DESK(desk)
    {
        struct telling names[] = {
            {SOUK_NAME_PRODUCT, 1, SOUK_TEXT("sku-1"), SOUK_TEXT("Shoe"), SOUK_TEXT("shoes"), 0, 0},
            {.kind = SOUK_NAME_TYPE, .name = SOUK_TEXT("Order Completed")}};
        struct turn turn = {.desk = &desk, .tellings = names, .count = 2};
        struct turn_job job = {{.lane = SOUK_LANE_INGEST, .apply = apply_job, .after = after_job},
                               &turn};
        souk_job failing = {.lane = SOUK_LANE_INGEST, .apply = fail_job, .after = forget_job};
        souk_ledger_hold(desk.ledger);
        SOUK_MUST(souk_ledger_submit(desk.ledger, &job.job));
        SOUK_MUST(souk_ledger_submit(desk.ledger, &failing));
        souk_ledger_release(desk.ledger);
        SOUK_CHECK(turn.runs == 2);
        for (int reopened = 0; reopened < 2; reopened++) {
            SOUK_CHECK(is_name(&desk, SOUK_NAME_PRODUCT, 1, "sku-1"));
            SOUK_CHECK(is_name(&desk, SOUK_NAME_TYPE, 1, "Order Completed"));
            SOUK_CHECK(souk_catalogue_count(desk.catalogue, SOUK_NAME_CATEGORY) == 1);
            SOUK_CHECK(has_title(test, &desk, 1, "Shoe"));
            desk_reopen(test, &desk);
        }
    }
}

/* ---- a plain list beside it ------------------------------------------------------------------ */

enum { MODEL_CODES = 60, MODEL_MOST = 4 * 3 * MODEL_CODES, TURN_MOST = 12 };

/* What was told, in the order of appearance. */
struct model_name {
    souk_name_kind kind;
    uint32_t merchant;
    char name[8];
    uint32_t category;
};
struct model {
    struct model_name names[MODEL_MOST];
    size_t count;
};

static uint32_t model_number(struct model *model, souk_name_kind kind, uint32_t merchant,
                             souk_text name, struct model_name **ret_name)
{
    uint32_t number = 0;
    for (size_t i = 0; i < model->count; i++) {
        *ret_name = &model->names[i];
        number += (*ret_name)->kind == kind;
        if ((*ret_name)->kind == kind && (*ret_name)->merchant == merchant &&
            souk_text_equal(souk_text_of((*ret_name)->name), name))
            return number;
    }
    *ret_name = &model->names[model->count++];
    **ret_name = (struct model_name){.kind = kind, .merchant = merchant};
    memcpy((*ret_name)->name, name.at, name.bytes);
    return number + 1;
}

/* Whether the catalogue told the same numbers. */
static bool model_tell(struct model *model, const struct telling *one)
{
    struct model_name *name, *unused;
    uint32_t category = 0;
    if (one->kind == SOUK_NAME_PRODUCT && one->category.bytes)
        category = model_number(model, SOUK_NAME_CATEGORY, 0, one->category, &unused);
    uint32_t number = model_number(model, one->kind, one->merchant, one->name, &name);
    name->category = name->category ? name->category : category;
    return number == one->number && name->category == one->category_number;
}

static bool model_equal(struct model *model, struct desk *desk)
{
    uint32_t counts[SOUK_NAME_KINDS] = {0};
    for (size_t i = 0; i < model->count; i++) {
        const struct model_name *one = &model->names[i];
        uint32_t number = ++counts[one->kind];
        if (!is_name(desk, one->kind, number, one->name) ||
            souk_catalogue_find(desk->catalogue, one->kind, one->merchant,
                                souk_text_of(one->name)) != number)
            return false;
    }
    for (souk_name_kind kind = SOUK_NAME_TYPE; kind < SOUK_NAME_KINDS; kind++)
        if (souk_catalogue_count(desk->catalogue, kind) != counts[kind])
            return false;
    return true;
}

static struct telling random_telling(souk_test *test, char codes[][16])
{
    struct telling one = {.kind = (souk_name_kind)(1 + test_random(test, SOUK_NAME_KINDS - 1)),
                          .name = souk_text_of(codes[test_random(test, MODEL_CODES)])};
    if (one.kind == SOUK_NAME_PRODUCT || one.kind == SOUK_NAME_STORE)
        one.merchant = 1 + (uint32_t)test_random(test, 2);
    if (one.kind == SOUK_NAME_PRODUCT && test_random(test, 2))
        one.category = souk_text_of(codes[test_random(test, MODEL_CODES)]);
    if (one.kind == SOUK_NAME_PRODUCT && test_random(test, 2))
        one.title = SOUK_TEXT("a title");
    return one;
}

SOUK_TEST("names told at random, in transactions kept or not, are numbered as a plain list does")
{
    static struct model model, before;
    static char codes[MODEL_CODES][16];
    model.count = 0;
    for (int i = 0; i < MODEL_CODES; i++)
        snprintf(codes[i], sizeof *codes, "c%d", i);
    WITH_DESK(desk)
    {
        for (int round = 0; round < 250; round++) {
            struct telling tellings[TURN_MOST];
            struct turn turn = {
                .desk = &desk, .tellings = tellings, .count = 1 + test_random(test, TURN_MOST)};
            for (size_t i = 0; i < turn.count; i++)
                tellings[i] = random_telling(test, codes);
            turn.end = test_random(test, 3) ? SOUK_OK : SOUK_ECONFLICT;
            before = model;
            SOUK_CHECK_ERR(run_turn(&turn), turn.end);
            for (size_t i = 0; i < turn.count; i++)
                SOUK_CHECK(model_tell(&model, &tellings[i]));
            if (turn.end)
                model = before;
            if (test_random(test, 40) == 0)
                desk_reopen(test, &desk);
            SOUK_CHECK(model_equal(&model, &desk));
        }
        SOUK_CHECK(model.count > 200);
        model.names[model.count / 2].name[1] ^= 64; /* planted */
        SOUK_CHECK(!model_equal(&model, &desk));
    }
}

/* ---- failures -------------------------------------------------------------------------------- */

SOUK_TEST(
    "a transaction that ran out of memory leaves no name behind, and stands when it comes again")
{
    SOUK_FAULT_LOOP (test) {
        struct desk desk;
        souk_err err = desk_open(&desk, test->mem), first = err;
        for (int round = 0; round < 3 && !err; round++) {
            char names[140][16];
            struct telling tellings[141];
            for (int i = 0; i < 140; i++) { /* enough for the tables to grow */
                snprintf(names[i], sizeof *names, "c%d", i);
                tellings[i] = (struct telling){.kind = SOUK_NAME_STORE, .merchant = 1};
                tellings[i].name = souk_text_of(names[i]);
            }
            tellings[140] = (struct telling){.kind = SOUK_NAME_PRODUCT, .name = SOUK_TEXT("sku")};
            if (round == 1)
                tellings[140].category = tellings[140].title = SOUK_TEXT("shoes");
            struct turn turn = {.desk = &desk, .tellings = tellings, .count = 141};
            uint32_t stores = souk_catalogue_count(desk.catalogue, SOUK_NAME_STORE);
            err = run_turn(&turn);
            if (err == SOUK_ENOMEM) {
                first = err;
                SOUK_CHECK(souk_catalogue_count(desk.catalogue, SOUK_NAME_STORE) == stores);
                err = run_turn(&turn);
            }
            SOUK_MUST(err);
            for (uint32_t i = 0; i < 140; i++)
                SOUK_CHECK(tellings[i].number == i + 1);
            SOUK_CHECK(tellings[140].number == 1 && tellings[140].category_number == (round > 0));
        }
        SOUK_CHECK(first == SOUK_OK || first == SOUK_ENOMEM);
        test_fault_seen(test, first);
        desk_done(&desk);
    }
}

SOUK_TEST("a transaction that the disk fails leaves no name behind")
{
    if (test_on_postgres())
        return; /* the disk is the server's */
    WITH_DESK(desk)
    {
        SOUK_CHECK(number_of(test, &desk, SOUK_NAME_TYPE, 0, "kept") == 1);
        struct telling one = {.kind = SOUK_NAME_TYPE, .name = SOUK_TEXT("lost")};
        struct turn turn = {.desk = &desk, .tellings = &one, .count = 1};
        souk_sim_plan(desk.disk, (souk_sim_faults){.fail_at = 1, .fail_err = SOUK_EFULL});
        SOUK_CHECK_ERR(run_turn(&turn), SOUK_EFULL);
        souk_sim_plan(desk.disk, (souk_sim_faults){0});
        SOUK_CHECK(souk_catalogue_count(desk.catalogue, SOUK_NAME_TYPE) == 1);
        SOUK_CHECK(number_of(test, &desk, SOUK_NAME_TYPE, 0, "new") == 2);
        desk_reopen(test, &desk);
        SOUK_CHECK(is_name(&desk, SOUK_NAME_TYPE, 2, "new"));
        SOUK_CHECK(number_of(test, &desk, SOUK_NAME_TYPE, 0, "lost") == 3);
    }
}
