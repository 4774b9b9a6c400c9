/* region_test.c - an array that never moves, on memory and over a file. */
#include "os/region.h"

#include "test/test.h"

static void region_done_at(souk_region *region)
{
    souk_region_done(region);
}
#define auto_region __attribute__((cleanup(region_done_at))) souk_region

static bool is_zero(const unsigned char *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (at[i])
            return false;
    return true;
}

SOUK_TEST("a region grows with zeros and never moves, against an array that does")
{
    auto_region region = {0};
    const size_t most = (size_t)6 << 20;
    SOUK_MUST(souk_region_init(&region, most));
    unsigned char *model = souk_mem_get(test->mem, most), *first = region.at;
    SOUK_CHECK(model);
    for (int step = 0; step < 300; step++) {
        size_t more = test_random(test, 2) ? test_random(test, 40000) : test_random(test, 10);
        if (region.bytes + more > most)
            break;
        size_t old = region.bytes;
        SOUK_MUST(souk_region_grow(&region, old + more));
        SOUK_CHECK(region.at == first && region.bytes == old + more);
        SOUK_CHECK(is_zero(first + old, more));
        memset(first + old, step, more);
        memset(model + old, step, more);
    }
    SOUK_CHECK(!memcmp(first, model, region.bytes));
    SOUK_MUST(souk_region_grow(&region, most));
    SOUK_CHECK_ERR(souk_region_grow(&region, most + 1), SOUK_ETOOBIG);
    SOUK_CHECK(region.bytes == most && region.at == first);
    souk_mem_put(test->mem, model);
}

SOUK_TEST("clear empties a region, which grows again with zeros at the same place")
{
    auto_region region = {0};
    SOUK_MUST(souk_region_init(&region, 100000));
    void *at = region.at;
    SOUK_MUST(souk_region_clear(&region));
    SOUK_MUST(souk_region_grow(&region, 100000));
    memset(region.at, 7, 100000);
    SOUK_MUST(souk_region_clear(&region));
    SOUK_CHECK(region.bytes == 0 && region.committed_bytes == 0 && region.at == at);
    SOUK_MUST(souk_region_grow(&region, 100000));
    SOUK_CHECK(is_zero(region.at, 100000));
}

SOUK_TEST("a region reserves more than the machine has, and refuses what no machine has")
{
    auto_region region = {0};
    SOUK_MUST(souk_region_init(&region, (size_t)1 << 38));
    SOUK_MUST(souk_region_grow(&region, 10));
    SOUK_CHECK(region.committed_bytes < (size_t)16 << 20);
    souk_region other = {0};
    SOUK_CHECK_ERR(souk_region_init(&other, SIZE_MAX), SOUK_ENOMEM);
    SOUK_CHECK_ERR(souk_region_init(&other, (size_t)1 << 60), SOUK_ENOMEM);
    SOUK_CHECK_ERR(souk_region_init(&other, 0), SOUK_EINVAL);
    souk_region_done(&other);
    souk_region_done(&other);
}

/* A snapshot in the middle of a file that goes on behind it. */
enum { SNAPSHOT_AT = 8192, SNAPSHOT_BYTES = 10000 };

static void write_snapshot(souk_test *test, souk_disk *disk)
{
    auto_region region = {0};
    SOUK_MUST(souk_region_init(&region, 1 << 20));
    SOUK_MUST(souk_region_grow(&region, SNAPSHOT_BYTES));
    for (int i = 0; i < SNAPSHOT_BYTES; i++)
        ((unsigned char *)region.at)[i] = (unsigned char)(i % 251 + 1);
    souk_auto(souk_file) file = NULL;
    SOUK_MUST(souk_file_open(disk, "snapshot", SOUK_FILE_TRUNCATE, &file));
    char behind[30000];
    memset(behind, 'b', sizeof behind);
    SOUK_MUST(souk_file_write(file, behind, sizeof behind, SNAPSHOT_AT));
    SOUK_CHECK_ERR(souk_region_write(&region, file, 100), SOUK_EINVAL);
    SOUK_MUST(souk_region_write(&region, file, SNAPSHOT_AT));
    SOUK_MUST(souk_file_sync(file));
}

static bool snapshot_stands(const unsigned char *at)
{
    for (int i = 0; i < SNAPSHOT_BYTES; i++)
        if (at[i] != i % 251 + 1)
            return false;
    return true;
}

static void map_and_change(souk_test *test, souk_disk *disk)
{
    write_snapshot(test, disk);
    auto_region region = {0};
    SOUK_MUST(souk_region_init(&region, 1 << 20));
    void *at = region.at;
    souk_file *file = NULL;
    SOUK_MUST(souk_file_open(disk, "snapshot", SOUK_FILE_READ, &file));
    SOUK_CHECK_ERR(souk_region_map(&region, file, 100, 10), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_region_map(&region, file, 0, (1 << 20) + 1), SOUK_ETOOBIG);
    SOUK_CHECK_ERR(souk_region_map(&region, file, 4096, 100000), SOUK_ECORRUPT);
    SOUK_MUST(souk_region_map(&region, file, 0, 0));
    SOUK_CHECK(region.bytes == 0);
    SOUK_MUST(souk_region_map(&region, file, SNAPSHOT_AT, SNAPSHOT_BYTES));
    souk_file_free(file);
    unsigned char *bytes = region.at;
    SOUK_CHECK(region.at == at && region.bytes == SNAPSHOT_BYTES && snapshot_stands(bytes));

    SOUK_MUST(souk_region_grow(&region, 600000));
    SOUK_CHECK(snapshot_stands(bytes) && is_zero(bytes + SNAPSHOT_BYTES, 600000 - SNAPSHOT_BYTES));
    memset(bytes, 'x', 600000);

    souk_auto_value(souk_buf) whole = {.mem = test->mem};
    SOUK_MUST(souk_disk_take(disk, "snapshot", &whole));
    SOUK_CHECK(whole.bytes == SNAPSHOT_AT + 30000);
    SOUK_CHECK(snapshot_stands((unsigned char *)whole.at + SNAPSHOT_AT));
    SOUK_CHECK(whole.at[SNAPSHOT_AT + SNAPSHOT_BYTES] == 'b');

    SOUK_MUST(souk_region_clear(&region));
    SOUK_MUST(souk_region_grow(&region, 600000));
    SOUK_CHECK(region.at == at && is_zero(region.at, 600000));
    /* A region that was used before takes a file too. */
    SOUK_MUST(souk_region_clear(&region));
    SOUK_MUST(souk_region_grow(&region, 0));
    SOUK_MUST(souk_file_open(disk, "snapshot", SOUK_FILE_READ, &file));
    SOUK_MUST(souk_region_map(&region, file, SNAPSHOT_AT, SNAPSHOT_BYTES));
    souk_file_free(file);
    SOUK_CHECK(snapshot_stands(region.at));
}

SOUK_TEST("a snapshot is mapped back, grows with zeros, and writing to it leaves the file alone")
{
    souk_auto(souk_disk) real = NULL;
    souk_auto(souk_disk) sim = NULL;
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &real, NULL));
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &sim));
    map_and_change(test, real);
    map_and_change(test, sim);
}

SOUK_TEST("a map whose reading fails leaves an empty region that still works")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_file) file = NULL;
    auto_region region = {0};
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    write_snapshot(test, disk);
    SOUK_MUST(souk_region_init(&region, 1 << 20));
    SOUK_MUST(souk_file_open(disk, "snapshot", SOUK_FILE_READ, &file));
    souk_sim_plan(disk, (souk_sim_faults){.fail_at = 1, .fail_reads = true});
    SOUK_CHECK_ERR(souk_region_map(&region, file, SNAPSHOT_AT, SNAPSHOT_BYTES), SOUK_EIO);
    SOUK_CHECK(region.bytes == 0);
    SOUK_MUST(souk_region_grow(&region, 50000));
    SOUK_CHECK(is_zero(region.at, 50000));
}
