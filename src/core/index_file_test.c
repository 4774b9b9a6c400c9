/* index_file_test.c - snapshots: equal after a load, without the erased, and harmless when damaged. */
#include "test/test.h"

#include "core/index_model.h"

enum { ATOMS = 24, SHOPPERS = 9 };

/* A small index with each kind of entry: shoppers, claimed atoms, visitors, sums, freed sums. */
static souk_err fill(souk_index *index, struct index_model *model)
{
    model_begin(model);
    for (uint32_t atom = 1; atom < ATOMS; atom++) {
        souk_link link = {.hash = model_hash(atom),
                          .atom = atom,
                          .slot = atom,
                          .kind = SOUK_LINK_IDENTIFIER,
                          .id_kind = SOUK_ID_USER + atom % 5};
        SOUK_TRY(souk_index_link(index, &link));
        model_link(model, &link, atom);
        link.shopper = atom < SHOPPERS ? atom : 1 + atom % (SHOPPERS - 1);
        link.kind = atom < SHOPPERS ? SOUK_LINK_SHOPPER : SOUK_LINK_CLAIM;
        link.hash = model_hash(100 + atom);
        link.position = atom;
        if (atom > ATOMS - 5)
            continue;
        SOUK_TRY(souk_index_link(index, &link));
        model_link(model, &link, 100 + atom);
    }
    souk_index_commit(index);
    model_commit(model);
    for (uint32_t i = 0; i < 120; i++) {
        souk_fact_line line = {.category = i / 11 % 7, .quantity_micro = i};
        souk_fact fact = {.position = i,
                          .atom = i % ATOMS,
                          .source = 1 + i % 3,
                          .type = i % 5,
                          .currency = 1 + i % MODEL_CURRENCIES,
                          .line_count = i % 2,
                          .amount_micro = i,
                          .flags = (uint8_t)(i % 8)};
        SOUK_TRY(souk_index_fold(index, &fact, &line));
        model_fold(model, &fact, &line, 0);
    }
    return SOUK_OK;
}

static void erase(souk_index *index, struct index_model *model, uint32_t atom)
{
    for (uint32_t id = 0; id < MODEL_IDS; id++)
        if (model->ids[id] == atom) {
            souk_index_unlink(index, model_hash(id));
            model->ids[id] = 0;
        }
    souk_index_erase_atom(index, atom);
    model_erase(model, atom);
}

SOUK_TEST(
    "a snapshot comes back as it was, with all but merges, and can be changed and saved again")
{
    static struct index_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_index) index = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_CHECK_ERR(souk_index_load(index, disk, "index"), SOUK_ENOENT);
    SOUK_MUST(souk_index_save(index, disk, "index")); /* empty */
    SOUK_MUST(souk_index_load(index, disk, "index"));
    SOUK_MUST(fill(index, &model));
    for (uint32_t round = 0; round < 6; round++) {
        souk_auto(souk_index) copy = NULL;
        erase(index, &model, 1 + round * 3);
        SOUK_MUST(souk_index_join(index, 2, 3));
        SOUK_MUST(souk_index_save(index, disk, "index"));
        souk_index_clear_groups(index);
        souk_sim_power_on(disk); /* what was saved survives */
        SOUK_MUST(model_index(test->mem, &copy));
        SOUK_MUST(souk_index_load(copy, disk, "index"));
        SOUK_CHECK(model_same(copy, &model));
        for (uint32_t i = 0; i < 200; i++) {
            souk_fact fact = {.position = model.through,
                              .atom = (uint32_t)test_random(test, ATOMS),
                              .source = 1 + (uint32_t)test_random(test, 3),
                              .type = (uint32_t)test_random(test, 9),
                              .currency = 1};
            SOUK_MUST(souk_index_fold(copy, &fact, NULL));
            model_fold(&model, &fact, NULL, 0);
        }
        SOUK_CHECK(model_same(copy, &model));
        SOUK_MUST(souk_index_clear(index));
        SOUK_MUST(souk_index_load(index, disk, "index"));
        SOUK_CHECK(!model_same(index, &model)); /* the file did not change with its copy */
        SOUK_MUST(souk_index_save(copy, disk, "other"));
        SOUK_MUST(souk_index_clear(index));
        SOUK_MUST(souk_index_load(index, disk, "other"));
        SOUK_CHECK(model_same(index, &model));
    }
}

/* Whether the index tells the slot of each of its atoms and no other. */
static bool slots_are_right(souk_mem *mem, const souk_index *index)
{
    uint64_t *taken, missing = 0, count = 0;
    size_t words;
    if (souk_index_slots(index, &taken, &words))
        return false;
    for (uint32_t atom = 1; atom < souk_index_next_atom(index); atom++) {
        uint32_t slot = souk_index_atom_now(index, atom)->slot;
        missing += slot / 64 >= words || !(taken[slot / 64] >> (slot % 64) & 1);
    }
    for (size_t i = 0; i < words; i++)
        count += (uint64_t)__builtin_popcountll(taken[i]);
    souk_mem_put(mem, taken);
    return missing == 0 && count == souk_index_next_atom(index) - 1;
}

static souk_err add_atoms(souk_test *test, souk_index *index, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t atom = souk_index_next_atom(index);
        souk_link link = {.hash = model_hash(1000 + atom),
                          .atom = atom,
                          .slot = 256 + atom * 5 + (uint32_t)test_random(test, 5),
                          .kind = SOUK_LINK_IDENTIFIER,
                          .id_kind = SOUK_ID_USER};
        SOUK_TRY(souk_index_link(index, &link));
    }
    return SOUK_OK;
}

SOUK_TEST("an image is saved piece by piece, and the index may go on meanwhile")
{
    static struct index_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_index) index = NULL;
    souk_auto(souk_index) copy = NULL;
    souk_auto(souk_file) image = NULL;
    uint64_t done = 0, bytes;
    bool saved = false;
    unsigned pieces = 0;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(fill(index, &model));
    SOUK_MUST(souk_file_open(disk, "image", SOUK_FILE_CREATE, &image));
    SOUK_MUST(souk_index_write(index, image));
    SOUK_MUST(souk_file_size(image, &bytes));
    souk_index_erase_atom(index, 1);                     /* not in the image any more */
    SOUK_MUST(souk_file_truncate(image, (5 << 20) + 1)); /* as if it were large */
    while (!saved) {
        SOUK_CHECK_ERR(souk_index_load(index, disk, "index"), SOUK_ENOENT);
        SOUK_MUST(souk_index_save_piece(image, disk, "index", &done, &saved));
        pieces++;
    }
    SOUK_CHECK(pieces == 6);
    souk_file_free(souk_take(&image));
    souk_sim_power_on(disk);
    SOUK_MUST(model_index(test->mem, &copy));
    SOUK_MUST(souk_index_load(copy, disk, "index"));
    SOUK_CHECK(model_same(copy, &model));
}

/* From the start, until it is in place or a piece fails. */
static souk_err save_pieces(souk_file *image, souk_disk *disk)
{
    uint64_t done = 0;
    bool saved = false;
    while (!saved)
        SOUK_TRY(souk_index_save_piece(image, disk, "index", &done, &saved));
    return SOUK_OK;
}

SOUK_TEST("a disk too full for a piece gets its room back, and the snapshot before stays")
{
    static struct index_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_disk) memory = NULL;
    souk_auto(souk_index) index = NULL;
    souk_auto(souk_index) copy = NULL;
    souk_auto(souk_file) image = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(souk_disk_open_sim(test->mem, 2, &memory));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(fill(index, &model));
    SOUK_MUST(souk_index_save(index, disk, "index"));
    SOUK_MUST(souk_file_open(memory, "image", SOUK_FILE_CREATE, &image));
    SOUK_MUST(souk_index_write(index, image));
    SOUK_MUST(souk_file_truncate(image, 5 << 20));
    souk_sim_plan(disk, (souk_sim_faults){.capacity_bytes = 3 << 20});
    SOUK_CHECK_ERR(save_pieces(image, disk), SOUK_EFULL);
    SOUK_CHECK(!souk_disk_exists(disk, "index.part"));
    SOUK_MUST(souk_index_save(index, disk, "index")); /* a small one has room */
    souk_sim_plan(disk, (souk_sim_faults){.capacity_bytes = 1 << 10});
    SOUK_CHECK_ERR(souk_index_save(index, disk, "index"), SOUK_EFULL);
    SOUK_CHECK(!souk_disk_exists(disk, "index.part"));
    SOUK_MUST(model_index(test->mem, &copy));
    SOUK_MUST(souk_index_load(copy, disk, "index"));
    SOUK_CHECK(model_same(copy, &model));
    souk_sim_plan(disk, (souk_sim_faults){0});
    SOUK_MUST(save_pieces(image, disk));
    SOUK_MUST(souk_index_clear(copy));
    SOUK_MUST(souk_index_load(copy, disk, "index"));
    SOUK_CHECK(model_same(copy, &model));
}

SOUK_TEST("the slots of all atoms are told: from the snapshot, from the links behind it, from both")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_index) index = NULL;
    uint64_t *taken;
    size_t words;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_CHECK(slots_are_right(test->mem, index)); /* none */
    for (uint32_t round = 0; round < 20; round++) {
        SOUK_MUST(add_atoms(test, index, (uint32_t)test_random(test, 200)));
        SOUK_CHECK(slots_are_right(test->mem, index));
        SOUK_MUST(souk_index_save(index, disk, "index"));
        if (round % 3 == 0)
            continue;
        SOUK_MUST(souk_index_clear(index));
        SOUK_CHECK(slots_are_right(test->mem, index));
        SOUK_MUST(souk_index_load(index, disk, "index"));
        SOUK_CHECK(slots_are_right(test->mem, index));
    }
    ((souk_atom *)(uintptr_t)souk_index_atom_now(index, 7))->slot = 100000; /* planted */
    SOUK_CHECK(!slots_are_right(test->mem, index));
    SOUK_MUST(souk_index_clear(index));
    SOUK_MUST(add_atoms(test, index, 9));
    ((souk_atom *)(uintptr_t)souk_index_atom_now(index, 7))->slot = UINT32_MAX; /* damage */
    SOUK_MUST(souk_index_slots(index, &taken, &words));
    SOUK_CHECK(words < 1000);
    souk_mem_put(test->mem, taken);
}

/* ---- erasure in the file ----------------------------------------------------------------------------- */

struct thief {
    souk_hash128 hash;
    unsigned found;
};

static void look_for_hash(void *context, const char *name, const void *at, size_t bytes)
{
    struct thief *thief = context;
    (void)name;
    for (const char *from = at, *end = from + bytes;
         (from = memmem(from, (size_t)(end - from), &thief->hash, 8)); from++)
        thief->found++;
}

static unsigned on_disk(souk_disk *disk, uint32_t id)
{
    struct thief thief = {.hash = model_hash(id)};
    souk_sim_scan(disk, look_for_hash, &thief);
    return thief.found;
}

static souk_err erase_ids(souk_disk *disk, uint32_t first, uint32_t second)
{
    souk_hash128 hashes[] = {model_hash(first), model_hash(second)};
    return souk_index_erase_in_file(disk, "index", hashes, (uint32_t[2]){0}, 2);
}

SOUK_TEST("erased identifiers are in no byte of the disk, after a power cut too; the others stay")
{
    static struct index_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_index) index = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &disk));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(erase_ids(disk, 3, 103)); /* no snapshot is fine */
    SOUK_MUST(fill(index, &model));
    SOUK_MUST(souk_index_save(index, disk, "index"));
    SOUK_CHECK(on_disk(disk, 3) == 1 && on_disk(disk, 103) == 1 && on_disk(disk, 4) == 1);
    SOUK_MUST(erase_ids(disk, 3, 103));
    souk_sim_power_on(disk);
    SOUK_CHECK(on_disk(disk, 3) == 0 && on_disk(disk, 103) == 0 && on_disk(disk, 4) == 1);
    SOUK_MUST(erase_ids(disk, 3, 299)); /* again, and one that was never there */
    SOUK_MUST(souk_index_clear(index));
    SOUK_MUST(souk_index_load(index, disk, "index"));
    model.ids[3] = model.ids[103] = 0;
    SOUK_CHECK(model_same(index, &model));
}

SOUK_TEST("a snapshot that was cut off half-written keeps no erased identifier either")
{
    static struct index_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_index) index = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(fill(index, &model));
    SOUK_MUST(souk_index_save(index, disk, "index"));
    bool seen = false;
    for (uint64_t operation = 1, ended = false; !ended; operation++) {
        souk_sim_plan(disk, (souk_sim_faults){.fail_at = operation, .fail_for_ever = true});
        ended = souk_index_save(index, disk, "index") == SOUK_OK;
        souk_sim_plan(disk, (souk_sim_faults){.fail_at = 0});
        seen |= on_disk(disk, 3) > 1;
        SOUK_MUST(erase_ids(disk, 3, 103));
        souk_sim_power_on(disk);
        SOUK_CHECK(on_disk(disk, 3) == 0 && on_disk(disk, 103) == 0);
        SOUK_MUST(souk_index_save(index, disk, "index"));
    }
    SOUK_CHECK(seen);
}

SOUK_TEST("a power cut between two pieces leaves the snapshot before, and an erasure nothing of "
          "the pieces")
{
    static struct index_model model;
    souk_auto(souk_disk) memory = NULL;
    souk_auto(souk_index) index = NULL;
    souk_auto(souk_file) image = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &memory));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(fill(index, &model));
    SOUK_MUST(souk_file_open(memory, "image", SOUK_FILE_CREATE, &image));
    SOUK_MUST(souk_index_write(index, image));
    SOUK_MUST(souk_file_truncate(image, 4 << 20));
    for (unsigned pieces = 1; pieces <= 4; pieces++) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto(souk_index) empty = NULL;
        uint64_t done = 0;
        bool saved = false;
        SOUK_MUST(souk_disk_open_sim(test->mem, pieces, &disk));
        SOUK_MUST(model_index(test->mem, &empty));
        SOUK_MUST(souk_index_save(empty, disk, "index"));
        for (unsigned i = 0; i < pieces; i++)
            SOUK_MUST(souk_index_save_piece(image, disk, "index", &done, &saved));
        SOUK_CHECK(saved == (pieces == 4) && on_disk(disk, 3) == 1);
        souk_sim_power_on(disk);
        SOUK_MUST(souk_index_load(empty, disk, "index"));
        SOUK_CHECK(souk_index_next_atom(empty) == (saved ? ATOMS : 1));
        SOUK_MUST(erase_ids(disk, 3, 103));
        souk_sim_power_on(disk);
        SOUK_CHECK(on_disk(disk, 3) == 0 && on_disk(disk, 103) == 0);
    }
}

SOUK_TEST(
    "an identifier that leads where it led stays in the file, one that moved or went does not")
{
    static struct index_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_index) index = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(fill(index, &model));
    SOUK_MUST(souk_index_save(index, disk, "index"));
    souk_hash128 hashes[] = {model_hash(3), model_hash(4), model_hash(6)};
    SOUK_MUST(souk_index_erase_in_file(disk, "index", hashes, (uint32_t[]){3, 7, 0}, 3));
    SOUK_MUST(souk_index_clear(index));
    SOUK_MUST(souk_index_load(index, disk, "index"));
    model.ids[4] = model.ids[6] = 0;
    SOUK_CHECK(model_same(index, &model));
}

SOUK_TEST("an erasure that ended between its write and its sync is synced when it is done again")
{
    static struct index_model model;
    for (int round = 0; round < 20; round++) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto(souk_index) index = NULL;
        SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &disk));
        SOUK_MUST(model_index(test->mem, &index));
        SOUK_MUST(fill(index, &model));
        SOUK_MUST(souk_index_save(index, disk, "index"));
        souk_sim_plan(disk, (souk_sim_faults){.lying_sync = true}); /* as if killed before it */
        SOUK_MUST(erase_ids(disk, 3, 103));
        souk_sim_plan(disk, (souk_sim_faults){.lying_sync = false});
        SOUK_MUST(erase_ids(disk, 3, 103));
        souk_sim_power_on(disk);
        SOUK_CHECK(on_disk(disk, 3) == 0 && on_disk(disk, 103) == 0);
    }
}

/* ---- damage ------------------------------------------------------------------------------------------ */

static souk_err change_byte(souk_disk *disk, uint64_t at, unsigned char flip)
{
    souk_auto(souk_file) file = NULL;
    unsigned char byte;
    size_t got;
    SOUK_TRY(souk_file_open(disk, "index", SOUK_FILE_WRITE, &file));
    SOUK_TRY(souk_file_read(file, &byte, 1, at, &got));
    byte ^= flip;
    return souk_file_write(file, &byte, 1, at);
}

static souk_err read_whole(souk_mem *mem, souk_disk *disk, souk_buf *bytes)
{
    *bytes = (souk_buf){.mem = mem};
    return souk_disk_take(disk, "index", bytes);
}

/* What readers and the writer do; answers may be wrong, every one must come. */
static void use(souk_index *index)
{
    static souk_person person;
    static souk_count counts[64];
    uint64_t answers = 0;
    for (uint32_t atom = 0; atom <= ATOMS; atom++) {
        souk_fact_line line = {.category = atom};
        souk_fact fact = {.position = atom,
                          .atom = atom,
                          .source = 1,
                          .type = 100,
                          .line_count = atom % 2,
                          .flags = SOUK_EVENT_ORDER};
        answers += souk_index_counts(index, atom, counts, 64);
        answers += souk_index_person_of_atom(index, atom, &person) == SOUK_OK;
        answers += souk_index_fold(index, &fact, &line) == SOUK_OK;
        uint32_t found = souk_index_find_now(index, model_hash(atom));
        souk_assert(!found || souk_index_atom_now(index, found));
    }
    souk_index_begin(index);
    for (uint32_t atom = 1; atom < ATOMS; atom++)
        for (unsigned kind = SOUK_LINK_IDENTIFIER; kind <= SOUK_LINK_CLAIM; kind++) {
            const souk_atom *there = souk_index_atom_now(index, atom);
            souk_link link = {.hash = model_hash(atom + (kind & 1)),
                              .atom = atom,
                              .slot = there ? there->slot : 0,
                              .shopper = kind == SOUK_LINK_CLAIM ? 1 + atom % SHOPPERS
                                                                 : souk_index_next_shopper(index),
                              .kind = (souk_link_kind)kind,
                              .id_kind = SOUK_ID_USER};
            answers += souk_index_link(index, &link) == SOUK_OK;
        }
    if (answers % 2)
        souk_index_commit(index);
    else
        souk_index_rollback(index);
    for (uint32_t atom = 1; atom < souk_index_next_atom(index); atom++) {
        souk_index_erase_atom(index, atom);
        answers += souk_index_person_of_atom(index, atom, &person) == SOUK_OK;
    }
}

SOUK_TEST("a damaged byte anywhere in a snapshot is refused or harmless")
{
    static struct index_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_index) index = NULL;
    souk_auto_value(souk_buf) bytes = {0};
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(fill(index, &model));
    erase(index, &model, 5);
    erase(index, &model, 20);
    SOUK_MUST(souk_index_save(index, disk, "index"));
    SOUK_MUST(read_whole(test->mem, disk, &bytes));
    unsigned refused = 0, loaded = 0;
    for (uint64_t at = 0; at < bytes.bytes; at++) {
        /* Zeros stand between the arrays and behind them: of those some. */
        if (!bytes.at[at] && test_random(test, 8))
            continue;
        unsigned char flip = (unsigned char)(1 + test_random(test, 255));
        SOUK_MUST(change_byte(disk, at, flip));
        SOUK_MUST(souk_index_clear(index));
        souk_err err = souk_index_load(index, disk, "index");
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ECORRUPT || err == SOUK_EVERSION);
        refused += err != SOUK_OK;
        loaded += err == SOUK_OK;
        use(index);
        SOUK_MUST(change_byte(disk, at, flip));
    }
    SOUK_CHECK(refused > 100 && loaded > 100);
    SOUK_MUST(souk_index_clear(index));
    SOUK_MUST(souk_index_load(index, disk, "index"));
    SOUK_CHECK(model_same(index, &model));
}

SOUK_TEST("a snapshot that ends early is refused, and the index is empty after that")
{
    static struct index_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_index) index = NULL;
    souk_auto_value(souk_buf) bytes = {0};
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(fill(index, &model));
    SOUK_MUST(souk_index_save(index, disk, "index"));
    SOUK_MUST(read_whole(test->mem, disk, &bytes));
    model_begin(&model);
    for (size_t end = 0; end < bytes.bytes; end += 1 + end / 5) {
        SOUK_MUST(souk_disk_put(disk, "index", bytes.at, end));
        SOUK_MUST(souk_index_clear(index));
        SOUK_CHECK_ERR(souk_index_load(index, disk, "index"), SOUK_ECORRUPT);
        SOUK_CHECK(model_same(index, &model));
        SOUK_MUST(souk_index_save(index, disk, "other")); /* usable */
    }
}

SOUK_TEST("an erasure removes a snapshot that is damaged: nobody will load it")
{
    static struct index_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_index) index = NULL;
    souk_auto_value(souk_buf) bytes = {0};
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(fill(index, &model));
    SOUK_MUST(souk_index_save(index, disk, "index"));
    SOUK_MUST(read_whole(test->mem, disk, &bytes));
    unsigned removed = 0;
    for (size_t at = 0; at < bytes.bytes; at += 1 + test_random(test, bytes.at[at] ? 20 : 200)) {
        SOUK_MUST(souk_disk_put(disk, "index", bytes.at, bytes.bytes));
        SOUK_MUST(change_byte(disk, at, (unsigned char)(1 + test_random(test, 255))));
        SOUK_MUST(erase_ids(disk, 3, 103));
        removed += !souk_disk_exists(disk, "index");
        SOUK_MUST(souk_index_clear(index));
        souk_err err = souk_index_load(index, disk, "index");
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOENT);
    }
    SOUK_CHECK(removed > 10);
    SOUK_MUST(souk_disk_put(disk, "index", bytes.at, bytes.bytes));
    SOUK_MUST(change_byte(disk, 0, 1));
    SOUK_MUST(souk_index_save(index, disk, "other"));
    SOUK_MUST(souk_disk_sync_folder(disk));
    SOUK_MUST(erase_ids(disk, 3, 103));
    souk_sim_power_on(disk);
    SOUK_CHECK(!souk_disk_exists(disk, "index")); /* durably */
}
