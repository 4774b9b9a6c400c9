/* idmap_test.c - the map against a plain array, its snapshots against power cuts, and no byte of a
 * removed key left anywhere. */
#include "base/hash.h"
#include "core/idmap.h"
#include "core/idmap_inside.h"
#include "test/test.h"

/* The dumb model: key number i has values[i], or SOUK_IDMAP_NONE. */
enum { KEYS = 3000 };
typedef struct id_model {
    uint32_t values[KEYS];
    uint64_t count;
} id_model;

static souk_idmap_key key_of(uint64_t number)
{
    uint64_t hash[2] = {souk_mix64(number * 2 + 1), souk_mix64(number ^ 0xabcdef)};
    return souk_idmap_key_of(hash);
}

static void model_clear(id_model *model)
{
    memset(model->values, 0xff, sizeof model->values);
    model->count = 0;
}

static void model_set(id_model *model, size_t at, uint32_t value)
{
    model->count -= model->values[at] != SOUK_IDMAP_NONE;
    model->count += value != SOUK_IDMAP_NONE;
    model->values[at] = value;
}

/* One random operation on both; false where they answer differently. */
static bool step(souk_test *test, souk_idmap *map, id_model *model, unsigned put_percent)
{
    size_t at = test_random(test, KEYS);
    souk_idmap_key key = key_of(at);
    bool there = model->values[at] != SOUK_IDMAP_NONE;
    uint32_t value = (uint32_t)test_random(test, UINT32_MAX);
    if (test_random(test, 100) < put_percent) {
        souk_err err = souk_idmap_put(map, &key, value);
        if (err != (there ? SOUK_EEXIST : SOUK_OK))
            return false;
        if (!there)
            model_set(model, at, value);
    } else if (test_random(test, 4) == 0) {
        souk_err err = souk_idmap_replace(map, &key, value);
        if (err != (there ? SOUK_OK : SOUK_ENOENT))
            return false;
        if (there)
            model_set(model, at, value);
    } else {
        if (souk_idmap_remove(map, &key) != there)
            return false;
        if (there)
            model_set(model, at, SOUK_IDMAP_NONE);
    }
    return true;
}

static bool equal(const souk_idmap *map, const id_model *model)
{
    static souk_idmap_key keys[KEYS];
    static uint32_t found[KEYS];
    for (size_t i = 0; i < KEYS; i++)
        keys[i] = key_of(i);
    souk_idmap_find_batch(map, keys, KEYS, found);
    for (size_t i = 0; i < KEYS; i++)
        if (found[i] != model->values[i] || souk_idmap_find(map, &keys[i]) != found[i])
            return false;
    return souk_idmap_count(map) == model->count && souk_idmap_verify(map) == SOUK_OK;
}

static void fill(souk_test *test, souk_idmap *map, id_model *model, int steps)
{
    model_clear(model);
    for (int i = 0; i < steps; i++)
        SOUK_CHECK(step(test, map, model, 70));
}

SOUK_TEST("the map answers as a plain array does while it grows and shrinks")
{
    static id_model model;
    souk_auto(souk_idmap) map = NULL;
    SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
    model_clear(&model);
    SOUK_CHECK(equal(map, &model));
    for (int round = 0; round < 30; round++) {
        unsigned put_percent = (unsigned)test_random(test, 101);
        for (int i = 0; i < 800; i++)
            SOUK_CHECK(step(test, map, &model, put_percent));
        SOUK_CHECK(equal(map, &model));
    }
}

SOUK_TEST("a value changed behind the map's back is noticed by the comparison with the array")
{
    static id_model model;
    souk_auto(souk_idmap) map = NULL;
    SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
    fill(test, map, &model, 2000);
    size_t at = 0;
    while (model.values[at] == SOUK_IDMAP_NONE)
        at++;
    souk_idmap_key key = key_of(at);
    SOUK_MUST(souk_idmap_replace(map, &key, model.values[at] ^ 1));
    SOUK_CHECK(!equal(map, &model));
}

SOUK_TEST("keys that share their address fill one chain, are refused at its end, and can go again")
{
    souk_auto(souk_idmap) map = NULL;
    SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
    enum { MOST = SOUK_IDMAP_CHAIN * SLOTS };
    souk_idmap_key keys[MOST + 1];
    for (uint32_t i = 0; i <= MOST; i++) {
        keys[i] = (souk_idmap_key){{7, 7, 7, 7, 7, 7, 7, 7, 0, 0}};
        souk_put_u16(keys[i].bytes + 8, (uint16_t)i);
        SOUK_CHECK_ERR(souk_idmap_put(map, &keys[i], i), i < MOST ? SOUK_OK : SOUK_ETOOBIG);
    }
    SOUK_MUST(souk_idmap_verify(map));
    SOUK_CHECK(souk_idmap_find(map, &keys[MOST - 1]) == MOST - 1);
    uint64_t bytes = souk_idmap_bytes(map);
    for (uint32_t i = MOST; i-- > 0;)
        SOUK_CHECK(souk_idmap_remove(map, &keys[i]));
    SOUK_MUST(souk_idmap_verify(map));
    for (uint32_t i = 0; i < MOST; i++)
        SOUK_MUST(souk_idmap_put(map, &keys[i], i));
    /* Emptied overflow buckets were used again; at most splits have added some. */
    SOUK_CHECK(souk_idmap_bytes(map) <= bytes + MOST / LOAD * 64);
}

SOUK_TEST("a map takes most_count entries and not one more")
{
    souk_auto(souk_idmap) map = NULL;
    SOUK_CHECK_ERR(souk_idmap_new(test->mem, 0, &map), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_idmap_new(test->mem, UINT32_MAX, &map), SOUK_EINVAL);
    SOUK_MUST(souk_idmap_new(test->mem, 500, &map));
    for (uint32_t i = 0; i <= 500; i++) {
        souk_idmap_key key = key_of(i);
        SOUK_CHECK_ERR(souk_idmap_put(map, &key, i), i < 500 ? SOUK_OK : SOUK_ETOOBIG);
    }
    SOUK_CHECK(souk_idmap_count(map) == 500);
}

SOUK_TEST("100,000 random keys cost less than 24 bytes each")
{
    souk_auto(souk_idmap) map = NULL;
    SOUK_MUST(souk_idmap_new(test->mem, 200000, &map));
    for (uint32_t i = 0; i < 100000; i++) {
        souk_idmap_key key = key_of(i);
        SOUK_MUST(souk_idmap_put(map, &key, i));
        if (i > 5000 && i % 1000 == 0)
            SOUK_CHECK(souk_idmap_bytes(map) < 24 * (uint64_t)i);
    }
    SOUK_MUST(souk_idmap_verify(map));
}

/* ---- snapshots -------------------------------------------------------------------------- */

static souk_err save(souk_disk *disk, const souk_idmap *map, uint64_t offset)
{
    souk_auto(souk_file) file = NULL;
    uint64_t bytes;
    SOUK_TRY(souk_file_open(disk, "map", SOUK_FILE_TRUNCATE, &file));
    SOUK_TRY(souk_idmap_write(map, file, offset, &bytes));
    SOUK_TRY(souk_file_sync(file));
    return souk_disk_sync_folder(disk);
}

static souk_err load(souk_disk *disk, souk_idmap *map, uint64_t offset)
{
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, "map", SOUK_FILE_READ, &file));
    return souk_idmap_map(map, file, offset);
}

SOUK_TEST("a snapshot comes back as it was, can be changed, and is not changed by that")
{
    static id_model model, before;
    souk_auto(souk_disk) disk = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    for (int round = 0; round < 6; round++) {
        souk_auto(souk_idmap) map = NULL;
        souk_auto(souk_idmap) other = NULL;
        souk_auto(souk_idmap) third = NULL;
        SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
        uint64_t offset = test_random(test, 3) * 4096;
        fill(test, map, &model, round * 500);
        SOUK_MUST(save(disk, map, offset));

        SOUK_MUST(souk_idmap_new(test->mem, 10000, &other));
        SOUK_MUST(load(disk, other, offset));
        SOUK_CHECK(equal(other, &model));
        before = model;
        for (int i = 0; i < 3000; i++)
            SOUK_CHECK(step(test, other, &model, 60));
        SOUK_CHECK(equal(other, &model));

        SOUK_MUST(souk_idmap_new(test->mem, 10000, &third));
        SOUK_MUST(load(disk, third, offset));
        SOUK_CHECK(equal(third, &before));
    }
}

typedef struct id_needle {
    souk_idmap_key key;
    size_t seen;
} id_needle;

static void look_for(void *context, const char *name, const void *at, size_t bytes)
{
    id_needle *needle = context;
    (void)name;
    for (const char *p = at, *end = p + bytes; (size_t)(end - p) >= SOUK_IDMAP_KEY; p++)
        needle->seen += !memcmp(p, needle->key.bytes, SOUK_IDMAP_KEY);
}

static size_t seen_on(souk_disk *disk, size_t number)
{
    id_needle needle = {.key = key_of(number)};
    souk_sim_scan(disk, look_for, &needle);
    return needle.seen;
}

SOUK_TEST("a removed key is in no byte of a later snapshot")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_idmap) map = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 2, &disk));
    SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
    static bool gone[600];
    memset(gone, 0, sizeof gone);
    for (size_t i = 0; i < 600; i++) {
        souk_idmap_key key = key_of(i), old = key_of(i / 2);
        SOUK_MUST(souk_idmap_put(map, &key, (uint32_t)i));
        if (i % 3 == 0) /* splits come in between */
            gone[i / 2] |= souk_idmap_remove(map, &old);
    }
    SOUK_MUST(save(disk, map, 0));
    for (size_t i = 0; i < 600; i += 7)
        SOUK_CHECK(seen_on(disk, i) == (gone[i] ? 0 : 1));
}

SOUK_TEST("a key removed inside the file is in none of its bytes, and the rest stands")
{
    static id_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_idmap) map = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 3, &disk));
    SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
    fill(test, map, &model, 3000);
    SOUK_MUST(save(disk, map, 4096));
    for (size_t at = 0; at < KEYS; at += 29) {
        souk_idmap_key key = key_of(at);
        SOUK_MUST(souk_idmap_remove_in_file(disk, "map", 4096, &key));
        SOUK_CHECK(seen_on(disk, at) == 0);
        model_set(&model, at, SOUK_IDMAP_NONE);
    }
    souk_auto(souk_idmap) other = NULL;
    SOUK_MUST(souk_idmap_new(test->mem, 10000, &other));
    SOUK_MUST(load(disk, other, 4096));
    SOUK_CHECK(equal(other, &model));
    souk_idmap_key key = key_of(1);
    SOUK_CHECK_ERR(souk_idmap_remove_in_file(disk, "mop", 0, &key), SOUK_ENOENT);
}

SOUK_TEST("a map over a real file stays whole while entries go there and in the file")
{
    static id_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_idmap) map = NULL;
    souk_auto(souk_idmap) other = NULL;
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &disk, NULL));
    SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
    SOUK_MUST(souk_idmap_new(test->mem, 10000, &other));
    fill(test, map, &model, 4000);
    SOUK_MUST(save(disk, map, 0));
    SOUK_MUST(load(disk, other, 0));
    for (size_t at = 0; at < KEYS; at += 7) {
        souk_idmap_key key = key_of(at);
        SOUK_CHECK(souk_idmap_remove(other, &key) == (model.values[at] != SOUK_IDMAP_NONE));
        SOUK_MUST(souk_idmap_remove_in_file(disk, "map", 0, &key));
        model_set(&model, at, SOUK_IDMAP_NONE);
    }
    SOUK_CHECK(equal(other, &model));
    for (int i = 0; i < 3000; i++)
        SOUK_CHECK(step(test, other, &model, 80));
    SOUK_CHECK(equal(other, &model));
}

SOUK_TEST("a power cut during a removal in the file leaves the entry whole or gone, never another")
{
    static id_model model, after;
    for (uint64_t cut = 1;; cut++) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto(souk_idmap) map = NULL;
        souk_auto(souk_idmap) other = NULL;
        SOUK_MUST(souk_disk_open_sim(test->mem, cut, &disk));
        SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
        fill(test, map, &model, 400);
        SOUK_MUST(save(disk, map, 0));
        size_t at = 0;
        while (model.values[at] == SOUK_IDMAP_NONE)
            at++;
        souk_idmap_key key = key_of(at);
        souk_sim_plan(disk, (souk_sim_faults){.cut_at = cut});
        souk_err err = souk_idmap_remove_in_file(disk, "map", 0, &key);
        bool was_cut = souk_sim_is_cut(disk);
        SOUK_CHECK(was_cut == (err != SOUK_OK));
        souk_sim_power_on(disk);

        after = model;
        model_set(&after, at, SOUK_IDMAP_NONE);
        SOUK_MUST(souk_idmap_new(test->mem, 10000, &other));
        SOUK_MUST(load(disk, other, 0));
        bool gone = equal(other, &after);
        SOUK_CHECK(gone || (was_cut && equal(other, &model)));
        /* Done again, as start-up does. */
        SOUK_MUST(souk_idmap_remove_in_file(disk, "map", 0, &key));
        SOUK_CHECK(seen_on(disk, at) == 0);
        if (!was_cut)
            break;
    }
}

/* ---- failures --------------------------------------------------------------------------- */

SOUK_TEST("without memory a map is not made, and nothing is lost")
{
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_idmap) map = NULL;
        souk_idmap_key key = key_of(1);
        souk_err err = souk_idmap_new(test->mem, 1000, &map);
        if (!err)
            err = souk_idmap_put(map, &key, 5);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        SOUK_CHECK(err || souk_idmap_find(map, &key) == 5);
        test_fault_seen(test, err);
    }
}

SOUK_TEST("every failing write of a snapshot or removal is reported, and every failing read")
{
    static id_model model;
    for (int reads = 0; reads < 2; reads++) {
        for (uint64_t fail = 1;; fail++) {
            souk_auto(souk_disk) disk = NULL;
            souk_auto(souk_idmap) map = NULL;
            souk_auto(souk_idmap) other = NULL;
            SOUK_MUST(souk_disk_open_sim(test->mem, fail, &disk));
            SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
            SOUK_MUST(souk_idmap_new(test->mem, 10000, &other));
            fill(test, map, &model, 300);
            souk_idmap_key key = key_of(1);
            souk_sim_plan(disk, (souk_sim_faults){.fail_at = fail, .fail_reads = reads});
            souk_err err = save(disk, map, 0);
            if (!err)
                err = souk_idmap_remove_in_file(disk, "map", 0, &key);
            if (!err)
                err = load(disk, other, 0);
            bool met = souk_sim_operations(disk) >= fail;
            SOUK_CHECK(met ? err == SOUK_EIO : err == SOUK_OK);
            SOUK_CHECK(!met || souk_idmap_count(other) == 0);
            if (!met)
                break;
        }
    }
}

/* Found by the fuzzer: the first put made 64 buckets and then addressed two million. */
SOUK_TEST("an empty snapshot whose header tells of many buckets is refused")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_file) file = NULL;
    souk_auto(souk_idmap) map = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 5, &disk));
    unsigned char header[SOUK_IDMAP_PAGE] = {0};
    souk_idmap_header_make(&(souk_idmap_shape){.level = 21}, header);
    SOUK_MUST(souk_file_open(disk, "map", SOUK_FILE_CREATE, &file));
    SOUK_MUST(souk_file_write(file, header, sizeof header, 0));
    SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
    SOUK_CHECK_ERR(souk_idmap_map(map, file, 0), SOUK_ECORRUPT);
}

SOUK_TEST("a damaged header is refused; damaged buckets are found by verify and crash nothing")
{
    static id_model model;
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_idmap) map = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 4, &disk));
    SOUK_MUST(souk_idmap_new(test->mem, 10000, &map));
    fill(test, map, &model, 3000);
    int found = 0;
    for (int round = 0; round < 200; round++) {
        SOUK_MUST(save(disk, map, 0));
        souk_auto(souk_file) file = NULL;
        SOUK_MUST(souk_file_open(disk, "map", SOUK_FILE_WRITE, &file));
        bool header = round % 4 == 0;
        uint64_t at = header ? test_random(test, SOUK_IDMAP_HEADER)
                             : 4096 + test_random(test, souk_idmap_count(map) / LOAD * 64);
        unsigned char noise[64];
        size_t bytes = header ? 1 : 64, got;
        SOUK_MUST(souk_file_read(file, noise, bytes, at, &got));
        for (size_t i = 0; i < got; i++)
            noise[i] ^= (unsigned char)(1 + test_random(test, 255));
        SOUK_MUST(souk_file_write(file, noise, got, at));
        souk_auto(souk_idmap) other = NULL;
        SOUK_MUST(souk_idmap_new(test->mem, 10000, &other));
        souk_err err = souk_idmap_map(other, file, 0);
        if (header) {
            SOUK_CHECK(err == SOUK_ECORRUPT);
            SOUK_CHECK(souk_idmap_count(other) == 0);
            continue;
        }
        SOUK_MUST(err);
        found += souk_idmap_verify(other) == SOUK_ECORRUPT;
        static id_model any;
        model_clear(&any);
        for (int i = 0; i < 500; i++)
            (void)step(test, other, &any, 50);
    }
    SOUK_CHECK(found == 150);
}
