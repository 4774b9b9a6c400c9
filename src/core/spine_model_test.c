/* spine_model_test.c - a thousand random events, merges, un-merges, consents, withdrawals, erasures,
 * repeats, crashes and power cuts against the model of spine_model.h.
 *
 * Compared: every identifier's person, every atom's sums, every timeline with its texts, the totals,
 * every answer about consent; and that a merge never made an answer laxer.  After an erasure nothing
 * on the disk leads to her, nor does an older copy of the ledger with today's keys. */
#include "test/test.h"

#include "core/spine_model_traces.h"

enum { BATCH_MOST = 8, SOURCES_COUNT = 3, PRODUCTS = 12 };

static const struct {
    uint16_t bases;
    souk_age age;
} statements[SOURCES_COUNT + 1] = {
    [1] = {0, SOUK_AGE_UNKNOWN},
    [2] = {1 << SOUK_PURPOSE_SERVE | 1 << SOUK_PURPOSE_PROFILE, SOUK_AGE_UNKNOWN},
    [3] = {1 << SOUK_PURPOSE_PROFILE | 1 << SOUK_PURPOSE_ADVERTISE, SOUK_AGE_ADULT},
};

/* ---- life and death -------------------------------------------------------------------------------- */

static souk_err open_spine(struct world *world)
{
    souk_diag diag = {.words = ""};
    souk_err err =
        souk_spine_open(world->test->mem, world->disk, &world->options, &world->spine, &diag);
    if (err && !souk_sim_is_cut(world->disk))
        differ(world, "the folder does not open: %s, %s", souk_err_name(err), diag.words);
    return err;
}

/* What the keeper's thread does beside a server. */
static souk_err work_off(struct world *world)
{
    bool did = true;
    souk_err err = SOUK_OK;
    while (!err && did)
        err = souk_spine_work(world->spine, &did);
    return err;
}

/* After a cut, or a crash without one. */
static bool live_again(struct world *world)
{
    souk_spine_free(souk_take(&world->spine));
    if (souk_sim_is_cut(world->disk))
        souk_sim_power_on(world->disk);
    souk_sim_plan(world->disk, (souk_sim_faults){.cut_at = 0});
    world->crashes++;
    if (open_spine(world))
        return false;
    souk_err err = work_off(world);
    return !err || differ(world, "work after a crash: %s", souk_err_name(err));
}

static souk_err make_sources(souk_tx *tx, void *context)
{
    (void)context;
    for (uint32_t i = 1; i <= SOURCES_COUNT; i++) {
        uint32_t number;
        SOUK_TRY(souk_spine_new_source(tx, SOUK_OPERATOR, statements[i].bases, statements[i].age,
                                       SOUK_SPEAKS_ANYBODY, &number));
        souk_assert(number == i);
    }
    return SOUK_OK;
}

static void name_ids(struct model *model)
{
    static const struct {
        souk_id_kind kind;
        unsigned count;
        const char *format;
    } kinds[] = {
        {SOUK_ID_USER, 24, "quagga-user-%u"},      {SOUK_ID_CARD, 12, "quagga-card-%u"},
        {SOUK_ID_EMAIL, 12, "quagga%u@zoo.test"},  {SOUK_ID_DEVICE, 16, "quagga-device-%u"},
        {SOUK_ID_ANONYMOUS, 26, "quagga-anon-%u"},
    };
    size_t at = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (unsigned i = 0; i < kinds[k].count; i++, at++) {
            model->ids[at].kind = kinds[k].kind;
            snprintf(model->ids[at].value, sizeof model->ids[at].value, kinds[k].format, i);
        }
    souk_assert(at == MODEL_IDS);
}

static struct world *begin(souk_test *test, enum model_fault fault)
{
    struct world *world = souk_mem_get(souk_mem_heap(), sizeof *world);
    world->model = souk_mem_get(souk_mem_heap(), sizeof *world->model);
    SOUK_CHECK(world && world->model);
    world->test = test;
    world->model->fault = fault;
    world->model->atom_count = world->model->shopper_count = 1;
    world->model->next = 1;
    name_ids(world->model);
    souk_clock_fake_init(&world->clock, 1767268800000);
    world->options = (souk_spine_options){.clock = &world->clock.clock,
                                          .ledger = {.no_thread = true, .readers = 1},
                                          .vault = {.block_slots = 64, .cache_keys = 64},
                                          .runs_memory = 64};
    SOUK_MUST(souk_disk_open_sim(test->mem, pick(world, 0), &world->disk));
    SOUK_MUST(souk_spine_init(test->mem, world->disk, &world->options, NULL));
    SOUK_MUST(open_spine(world));
    SOUK_MUST(
        souk_ledger_write(souk_spine_ledger(world->spine), SOUK_LANE_JOB, make_sources, NULL));
    for (uint32_t i = 1; i <= SOURCES_COUNT; i++)
        souk_spine_know_source(world->spine, i, SOUK_OPERATOR, statements[i].bases,
                               statements[i].age, SOUK_SPEAKS_ANYBODY);
    return world;
}

static void end(struct world *world)
{
    souk_spine_free(souk_take(&world->spine));
    for (size_t i = 0; i < world->copy_count; i++)
        souk_disk_free(world->copies[i].disk);
    souk_disk_free(world->disk);
    souk_mem_put(souk_mem_heap(), world->model);
    souk_mem_put(souk_mem_heap(), world);
}

/* ---- events ---------------------------------------------------------------------------------------- */

struct draft { /* one event, for the product and for the model */
    struct model_event event;
    struct model_id *ids[SOUK_EVENT_IDS];
    size_t id_count;
    char message[24], text[48], products[MODEL_LINES][16], categories[MODEL_LINES][16];
    souk_line lines[MODEL_LINES];
};

static void draw_ids(struct world *world, struct draft *draft)
{
    struct model_id *ids = world->model->ids;
    size_t at = 0;
    while (at < MODEL_IDS) { /* strongest kind first, as they are listed */
        size_t end_of_kind = at;
        while (end_of_kind < MODEL_IDS && ids[end_of_kind].kind == ids[at].kind)
            end_of_kind++;
        if (pick(world, ids[at].kind <= SOUK_ID_OPEN ? 5 : 3) == 0)
            draft->ids[draft->id_count++] = &ids[at + pick(world, end_of_kind - at)];
        at = end_of_kind;
    }
}

static void draw_event(struct world *world, struct draft *draft, uint32_t number)
{
    struct model_event *event = &draft->event;
    *draft =
        (struct draft){.event = {.number = number,
                                 .at = world->clock.now_ms - (souk_time)pick(world, 90) * 86400000,
                                 .source = 1 + (uint32_t)pick(world, SOURCES_COUNT),
                                 .type = (unsigned)pick(world, TYPES),
                                 .line_count = (unsigned)pick(world, MODEL_LINES + 1)}};
    if (event->type >= 3 && event->type <= 4) {
        event->flags = event->type == 3 ? SOUK_EVENT_ORDER | SOUK_EVENT_SALE
                                        : SOUK_EVENT_CANCELLED | SOUK_EVENT_SALE;
        event->amount = (int64_t)pick(world, 2000000000) - 1000000000;
    }
    for (unsigned i = 0; i < event->line_count; i++) {
        event->product[i] = (unsigned)pick(world, PRODUCTS);
        event->quantity[i] = (int64_t)pick(world, 9) * 500000;
    }
    draw_ids(world, draft);
}

static void to_event(struct world *world, struct draft *draft, souk_event *event)
{
    const souk_hashes *hashes = souk_spine_hashes(world->spine);
    const struct model_event *from = &draft->event;
    snprintf(draft->message, sizeof draft->message, "m%u", from->number);
    draft->text[0] = '\0'; /* as it is: pack.h */
    int bytes = snprintf(draft->text + 1, sizeof draft->text - 1, "{\"quagga\":%u}", from->number);
    for (unsigned i = 0; i < from->line_count; i++) {
        snprintf(draft->products[i], sizeof draft->products[i], "p%u", from->product[i]);
        snprintf(draft->categories[i], sizeof draft->categories[i], "c%u",
                 from->product[i] % CATEGORIES);
        draft->lines[i] = (souk_line){.product = souk_text_of(draft->products[i]),
                                      .category = souk_text_of(draft->categories[i]),
                                      .quantity = {from->quantity[i]}};
    }
    *event = (souk_event){
        .at = from->at,
        .received = world->clock.now_ms,
        .type = souk_text_of(types[from->type]),
        .amount = {from->amount},
        .currency = "GBP",
        .flags = from->flags,
        .line_count = (uint16_t)from->line_count,
        .lines = draft->lines,
        .message = souk_hashes_message(hashes, from->source, souk_text_of(draft->message)),
        .packed = {draft->text, (size_t)bytes + 1}};
    for (size_t i = 0; i < draft->id_count; i++)
        souk_event_identify(event, hashes, draft->ids[i]->kind, souk_text_of(draft->ids[i]->value));
}

static void note(souk_batch *batch, souk_err err)
{
    *(souk_err *)batch->context = err;
}

static souk_err send(struct world *world, struct draft *drafts, size_t count, size_t *ret_repeats)
{
    souk_event events[BATCH_MOST];
    souk_err answer = SOUK_EBUSY;
    for (size_t i = 0; i < count; i++)
        to_event(world, &drafts[i], &events[i]);
    /* a batch has one source; the others' messages are theirs all the same */
    souk_batch batch = {.source = drafts[0].event.source,
                        .events = events,
                        .count = count,
                        .done = note,
                        .context = &answer};
    SOUK_TRY(souk_spine_submit(world->spine, &batch));
    *ret_repeats = batch.repeats;
    return answer;
}

static void model_take(struct world *world, struct draft *draft)
{
    struct model *model = world->model;
    struct model_event *event = &model->events[model->event_count++];
    *event = draft->event;
    event->position = model->next++;
    event->atom = model_resolve(model, draft->ids, draft->id_count);
    if (event->atom)
        model->atoms[event->atom].bases |=
            (uint16_t)(statements[event->source].bases |
                       (statements[event->source].age == SOUK_AGE_ADULT ? MODEL_STATES_ADULT : 0));
}

static bool do_events(struct world *world)
{
    struct draft drafts[BATCH_MOST];
    struct model *model = world->model;
    size_t count = 1 + pick(world, BATCH_MOST), repeats = 0;
    if (model->event_count + count > MODEL_EVENTS)
        return true;
    uint32_t source = 1 + (uint32_t)pick(world, SOURCES_COUNT);
    for (size_t i = 0; i < count; i++) {
        draw_event(world, &drafts[i], (uint32_t)(model->event_count + i));
        drafts[i].event.source = source;
    }
    souk_err err = send(world, drafts, count, &repeats);
    if (err) {
        if (!live_again(world))
            return false;
        if (souk_spine_end(world->spine) == model->next)
            err = send(world, drafts, count, &repeats);
        else /* it was durable, only the answer was lost */
            err = SOUK_OK;
    }
    if (err || repeats)
        return differ(world, "a batch: %s, %zu repeats", souk_err_name(err), repeats);
    for (size_t i = 0; i < count; i++)
        model_take(world, &drafts[i]);
    return true;
}

/* An event sent again is a repeat, whoever it belonged to, whatever it says now. */
static bool do_repeat(struct world *world)
{
    struct model *model = world->model;
    struct draft draft;
    size_t repeats = 0;
    if (model->event_count == 0)
        return true;
    const struct model_event *old = &model->events[pick(world, model->event_count)];
    draw_event(world, &draft, old->number);
    draft.event.source = old->source;
    souk_err err = send(world, &draft, 1, &repeats);
    if (err)
        return live_again(world);
    world->repeats++;
    return repeats == (model->fault != MODEL_REPEAT) ||
           differ(world, "message m%u counted again", old->number);
}

/* ---- decisions --------------------------------------------------------------------------------------- */

static uint32_t some_shopper(struct world *world)
{
    const struct model *model = world->model;
    for (unsigned i = 0; i < 40; i++) {
        uint32_t atom = model->ids[pick(world, MODEL_IDS)].atom;
        if (atom && model->atoms[atom].shopper)
            return model->atoms[atom].shopper;
    }
    return 0;
}

static uint32_t own_atom(const struct model *model, uint32_t shopper)
{
    for (uint32_t i = 1; i < model->atom_count; i++)
        if (model->atoms[i].shopper == shopper && !model->atoms[i].erased)
            return i;
    return 0;
}

static bool are_one(struct world *world, uint32_t a, uint32_t b)
{
    world->atom_count = model_person(world->model, own_atom(world->model, a), world->atoms);
    for (size_t i = 0; i < world->atom_count; i++)
        if (world->model->atoms[world->atoms[i]].shopper == b)
            return true;
    return false;
}

static bool do_merge(struct world *world)
{
    uint32_t a = some_shopper(world), b = some_shopper(world);
    if (!a || !b)
        return true;
    souk_err expected = are_one(world, a, b) ? SOUK_EEXIST : SOUK_OK;
    souk_err err = souk_spine_merge(world->spine, a, b, SOUK_TEXT("quagga"), SOUK_TEXT("quagga"));
    if (souk_sim_is_cut(world->disk)) {
        if (!live_again(world))
            return false;
        err = souk_spine_merge(world->spine, a, b, SOUK_TEXT("quagga"), SOUK_TEXT(""));
        err = err == SOUK_EEXIST ? expected : err;
    }
    if (err != expected)
        return differ(world, "merge of %u and %u: %s", a, b, souk_err_name(err));
    if (expected == SOUK_OK)
        model_merge(world->model, a, b);
    world->merges++;
    return true;
}

static bool do_unmerge(struct world *world)
{
    struct model *model = world->model;
    uint32_t shopper = some_shopper(world);
    if (model->decision_count && pick(world, 4)) { /* mostly one that was merged */
        const struct model_decision *decision =
            &model->decisions[pick(world, model->decision_count)];
        if (decision->stands)
            shopper = decision->a;
    }
    if (!shopper)
        return true;
    souk_err err = souk_spine_unmerge(world->spine, shopper, SOUK_TEXT("quagga"), SOUK_TEXT(""));
    bool cut = souk_sim_is_cut(world->disk);
    if (cut) {
        if (!live_again(world))
            return false;
        err = souk_spine_unmerge(world->spine, shopper, SOUK_TEXT("quagga"), SOUK_TEXT(""));
    }
    souk_err expected = model_unmerge(model, shopper) ? SOUK_OK : SOUK_ENOENT;
    world->unmerges++;
    return err == expected || (cut && err == SOUK_ENOENT) ||
           differ(world, "un-merge of %u: %s", shopper, souk_err_name(err));
}

/* Whom a random identifier leads to, in both worlds; false: nobody. */
static bool find_someone(struct world *world)
{
    const struct model_id *id = &world->model->ids[pick(world, MODEL_IDS)];
    world->atom_count = model_person(world->model, id->atom, world->atoms);
    return world->atom_count && souk_spine_find(world->spine, id->kind, souk_text_of(id->value),
                                                &world->person) == SOUK_OK;
}

static bool do_consent(struct world *world)
{
    if (!find_someone(world))
        return true;
    souk_consent_row row = {.atom = world->person.atoms[0],
                            .controller = SOUK_OPERATOR,
                            .purpose = (souk_purpose)pick(world, MODEL_PURPOSES),
                            .basis = pick(world, 3) ? SOUK_BASIS_CONSENT : SOUK_BASIS_WITHDRAWN,
                            .from = world->clock.now_ms,
                            .guardian = pick(world, 3) == 0,
                            .evidence = SOUK_TEXT("quagga form")};
    souk_age age = pick(world, 3) ? SOUK_AGE_UNKNOWN : (souk_age)pick(world, 3);
    if (row.basis == SOUK_BASIS_WITHDRAWN && row.purpose == SOUK_PURPOSE_SERVE)
        return true;
    souk_err err = souk_spine_consent_record(world->spine, &world->person, &row, age);
    if (err && live_again(world))
        err = souk_spine_consent_record(world->spine, &world->person, &row, age);
    if (err)
        return differ(world, "consent: %s", souk_err_name(err));
    model_consent(world->model, world->atoms, world->atom_count, row.purpose, row.basis,
                  row.guardian, age);
    world->withdrawals += row.basis == SOUK_BASIS_WITHDRAWN;
    return true;
}

/* ---- erasure ----------------------------------------------------------------------------------------- */

static bool do_erase(struct world *world)
{
    struct model *model = world->model;
    struct traces traces;
    uint64_t events = 0;
    if (!find_someone(world))
        return true;
    note_traces(world, &traces);
    souk_err err = souk_spine_erase(world->spine, &world->person, &events);
    if (err) {
        if (!live_again(world))
            return false;
        err = SOUK_OK; /* what was entered has been finished at the start */
        if (souk_spine_end(world->spine) == model->next)
            err = souk_spine_erase(world->spine, &world->person, &events);
    }
    if (err)
        return differ(world, "erasure: %s", souk_err_name(err));
    model_erase(model, world->atoms, world->atom_count);
    model->next++;
    world->erasures++;
    return judge_traces(world, &traces);
}

/* ---- an older ledger with today's keys ------------------------------------------------------------------ */

static bool do_copy(struct world *world)
{
    if (world->copy_count == COPIES)
        return true;
    struct copy *copy = &world->copies[world->copy_count];
    must(world, souk_disk_open_sim(world->test->mem, 7, &copy->disk));
    world->copy_count++;
    copy->end = souk_spine_end(world->spine);
    souk_err err =
        souk_ledger_backup(souk_spine_ledger(world->spine), copy->disk, "ledger", NULL, NULL);
    if (!err && world->model->fault == MODEL_KEYS)
        err = souk_vault_copy(world->spine->vault, copy->disk, "keys");
    if (err && souk_sim_is_cut(world->disk)) {
        souk_disk_free(copy->disk);
        world->copy_count--;
        return live_again(world);
    }
    return !err || differ(world, "backup: %s", souk_err_name(err));
}

/* ---- the story ------------------------------------------------------------------------------------------- */

static bool do_upkeep(struct world *world)
{
    bool did;
    souk_err err = SOUK_OK;
    uint64_t what = pick(world, 6);
    switch (what) {
    case 0:
        return live_again(world); /* the process is gone, the disk is not */
    case 1:
        err = souk_spine_close(world->spine);
        if (!err)
            return live_again(world);
        break;
    case 2:
        err = souk_spine_snapshot(world->spine);
        break;
    case 3:
        err = souk_spine_rebuild(world->spine, NULL, NULL);
        break;
    default:
        err = souk_spine_work(world->spine, &did);
    }
    if (err && souk_sim_is_cut(world->disk))
        return live_again(world);
    return !err || differ(world, "upkeep %u: %s", (unsigned)what, souk_err_name(err));
}

static bool one_step(struct world *world)
{
    souk_clock_fake_set_now(&world->clock, world->clock.now_ms + (int64_t)pick(world, 3600000));
    if (pick(world, 12) == 0)
        souk_sim_plan(world->disk, (souk_sim_faults){.cut_at = 1 + pick(world, 80)});
    uint64_t what = pick(world, 100);
    return what < 38   ? do_events(world)
           : what < 44 ? do_repeat(world)
           : what < 60 ? do_merge(world)
           : what < 70 ? do_unmerge(world)
           : what < 86 ? do_consent(world)
           : what < 91 ? do_erase(world)
           : what < 97 ? do_upkeep(world)
                       : do_copy(world);
}

static bool keep(struct world *world)
{
    souk_err err = work_off(world);
    if (err && souk_sim_is_cut(world->disk))
        return live_again(world);
    return !err || differ(world, "work: %s", souk_err_name(err));
}

/* Plays so many steps; whether the two never differed. */
static bool play(struct world *world, unsigned steps, unsigned judge_every)
{
    bool same = true;
    for (unsigned step = 1; step <= steps && same; step++) {
        same = one_step(world);
        if (same && souk_sim_is_cut(world->disk))
            same = live_again(world);
        same = same && keep(world);
        if (same && step % judge_every == 0) {
            souk_sim_plan(world->disk, (souk_sim_faults){.cut_at = 0});
            same = judge_all(world);
        }
    }
    souk_sim_plan(world->disk, (souk_sim_faults){.cut_at = 0});
    souk_diag diag = {.words = ""};
    if (same && souk_spine_verify(world->spine, NULL, NULL, &diag))
        same = differ(world, "verify: %s", diag.words);
    for (size_t i = 0; i < world->copy_count && same; i++)
        same = judge_copy(world, &world->copies[i]);
    return same && !world->wrong[0];
}

SOUK_TEST(
    "1,000 random events, merges, un-merges, withdrawals, erasures and crashes equal the model")
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    unsigned rounds = 1;
#else
    unsigned rounds = 2;
#endif
    const char *told = getenv("SOUK_MODEL_ROUNDS");
    rounds = told ? (unsigned)strtoul(told, NULL, 10) : rounds;
    for (unsigned round = 0; round < rounds; round++) {
        struct world *world = begin(test, MODEL_SOUND);
        bool same = play(world, 1000, 100);
        fprintf(
            stderr,
            "  model: %zu events, %u atoms, %llu merges, %llu un-merges, %llu withdrawals, %llu "
            "erasures, %llu repeats, %llu crashes\n",
            world->model->event_count, world->model->atom_count - 1,
            (unsigned long long)world->merges, (unsigned long long)world->unmerges,
            (unsigned long long)world->withdrawals, (unsigned long long)world->erasures,
            (unsigned long long)world->repeats, (unsigned long long)world->crashes);
        char wrong[sizeof world->wrong];
        memcpy(wrong, world->wrong, sizeof wrong);
        end(world);
        if (!same)
            test_fail(test, __FILE__, __LINE__, "round %u: %s", round, wrong);
    }
}

SOUK_TEST("the model notices every rule that is broken")
{
    static const char *const words[] = {
#define MODEL_FAULT_WORDS(name, words) words,
        MODEL_FAULT_TABLE(MODEL_FAULT_WORDS)
#undef MODEL_FAULT_WORDS
    };
    for (unsigned fault = MODEL_SOUND + 1; fault < MODEL_FAULTS; fault++) {
        bool noticed = false;
        for (unsigned round = 0; round < 20 && !noticed; round++) {
            struct world *world = begin(test, (enum model_fault)fault);
            noticed = !play(world, 200, 20);
            end(world);
        }
        if (!noticed)
            test_fail(test, __FILE__, __LINE__, "nobody noticed that %s", words[fault]);
    }
}
