/* disk_sim_test.c - what a power cut may take and what it may not, against a dumb model.
 *
 * The model remembers every state since the last sync.  After a cut each sector of a file must be
 * one of its states, each name must lead where it once led, and what was synced must be there.  The
 * same harness must complain when sync lies: else it proves nothing. */
#include "os/disk.h"

#include "test/test.h"

#include <stdio.h>

enum { SECTOR = 512, SECTORS = 8, IMAGE = SECTOR * SECTORS, STATES_MOST = 24 };

static souk_disk *open_sim(souk_test *test)
{
    souk_disk *disk = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &disk));
    return disk;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* The states of one file since its last sync; the first is the synced one. */
typedef struct history {
    size_t count;
    size_t bytes[STATES_MOST];
    unsigned char at[STATES_MOST][IMAGE]; /* zero behind bytes */
} history;

static void history_keep_last(history *h)
{
    size_t last = h->count - 1;
    h->bytes[0] = h->bytes[last];
    memmove(h->at[0], h->at[last], IMAGE);
    h->count = 1;
}

/* The next state, a copy of the last. */
static unsigned char *history_next(history *h, size_t **ret_bytes)
{
    souk_assert(h->count < STATES_MOST);
    memcpy(h->at[h->count], h->at[h->count - 1], IMAGE);
    h->bytes[h->count] = h->bytes[h->count - 1];
    *ret_bytes = &h->bytes[h->count];
    return h->at[h->count++];
}

/* Writes or truncates at random, the model beside the file; an error is a cut, and what it tore is
 * among the states already. */
static souk_err step(souk_test *test, souk_file *file, history *h)
{
    size_t *bytes;
    unsigned char *image = history_next(h, &bytes);
    if (test_random(test, 5) == 0) {
        size_t cut = test_random(test, IMAGE + 1);
        if (cut < *bytes)
            memset(image + cut, 0, *bytes - cut);
        *bytes = cut;
        return souk_file_truncate(file, cut);
    }
    unsigned char some[IMAGE];
    size_t offset = test_random(test, IMAGE), most = IMAGE - offset;
    size_t count = 1 + test_random(test, test_random(test, 2) ? most : souk_min_size(most, 100));
    memset(some, 1 + (int)test_random(test, 255), count);
    memcpy(image + offset, some, count);
    *bytes = souk_max_size(*bytes, offset + count);
    return souk_file_write(file, some, count, offset);
}

/* A sector is that of a state, or that of a state whose end a later truncate cut off. */
static bool sector_is_known(const history *h, size_t sector, const unsigned char *got)
{
    size_t from = sector * SECTOR;
    for (size_t i = 0; i < h->count; i++) {
        if (!memcmp(h->at[i] + from, got + from, SECTOR))
            return true;
        for (size_t k = i + 1; k < h->count; k++) {
            unsigned char want[SECTOR] = {0};
            if (h->bytes[k] > from)
                memcpy(want, h->at[i] + from, souk_min_size(h->bytes[k] - from, SECTOR));
            if (!memcmp(want, got + from, SECTOR))
                return true;
        }
    }
    return false;
}

static bool file_is_possible(const history *h, const unsigned char *got, size_t got_bytes)
{
    size_t low = h->bytes[0], high = h->bytes[0];
    for (size_t i = 1; i < h->count; i++) {
        low = souk_min_size(low, h->bytes[i]);
        high = souk_max_size(high, h->bytes[i]);
    }
    if (got_bytes < low || got_bytes > high)
        return false;
    for (size_t sector = 0; sector < SECTORS; sector++)
        if (!sector_is_known(h, sector, got))
            return false;
    return true;
}

/* One life: some steps and syncs, a cut somewhere.  Whether what is left was possible; the model
 * then goes on from what is left. */
static bool live_and_cut(souk_test *test, souk_disk *disk, history *h, bool lying)
{
    souk_sim_plan(disk,
                  (souk_sim_faults){.cut_at = 1 + test_random(test, 20), .lying_sync = lying});
    souk_file *file = NULL;
    SOUK_MUST(souk_file_open(disk, "file", SOUK_FILE_WRITE, &file));
    while (!souk_sim_is_cut(disk)) {
        souk_err err = SOUK_OK;
        if (h->count == STATES_MOST || test_random(test, 4) == 0) {
            err = souk_file_sync(file);
            if (!err)
                history_keep_last(h);
        } else {
            err = step(test, file, h);
        }
        SOUK_CHECK(err == (souk_sim_is_cut(disk) ? SOUK_EIO : SOUK_OK));
    }
    souk_file_free(file);
    souk_sim_power_on(disk);

    unsigned char got[IMAGE] = {0};
    size_t got_bytes;
    SOUK_MUST(souk_file_open(disk, "file", SOUK_FILE_READ, &file));
    SOUK_MUST(souk_file_read(file, got, sizeof got, 0, &got_bytes));
    souk_file_free(file);
    bool possible = file_is_possible(h, got, got_bytes);
    h->count = 1;
    h->bytes[0] = got_bytes;
    memcpy(h->at[0], got, IMAGE);
    return possible;
}

static history *history_new(souk_test *test, souk_disk *disk)
{
    SOUK_MUST(souk_disk_put(disk, "file", "", 0));
    history *h = souk_mem_get(test->mem, sizeof *h);
    SOUK_CHECK(h);
    h->count = 1;
    return h;
}

SOUK_TEST("ten thousand cuts never take a synced byte")
{
    souk_auto(souk_disk) disk = open_sim(test);
    history *h = history_new(test, disk);
    for (int life = 0; life < 10000; life++)
        SOUK_CHECK(live_and_cut(test, disk, h, false));
    souk_mem_put(test->mem, h);
}

SOUK_TEST("a sync that lies is noticed by the same cuts")
{
    souk_auto(souk_disk) disk = open_sim(test);
    history *h = history_new(test, disk);
    int noticed = 0;
    for (int life = 0; life < 1000; life++)
        noticed += !live_and_cut(test, disk, h, true);
    SOUK_CHECK(noticed > 100);
    souk_mem_put(test->mem, h);
}

/* Four synced sectors of 'o' are overwritten with 'm' and then 'n'; which letters a cut leaves. */
static void letters_after_cut(souk_test *test, souk_disk *disk, char got[4])
{
    char image[4 * SECTOR];
    memset(image, 'o', sizeof image);
    SOUK_MUST(souk_disk_put(disk, "file", image, sizeof image));
    souk_file *file = NULL;
    SOUK_MUST(souk_file_open(disk, "file", SOUK_FILE_WRITE, &file));
    memset(image, 'm', sizeof image);
    SOUK_MUST(souk_file_write(file, image, sizeof image, 0));
    memset(image, 'n', sizeof image);
    souk_sim_plan(disk, (souk_sim_faults){.cut_at = 1});
    SOUK_CHECK_ERR(souk_file_write(file, image, sizeof image, 0), SOUK_EIO);
    souk_file_free(file);
    souk_sim_power_on(disk);
    souk_auto_value(souk_buf) buf = {.mem = test->mem};
    SOUK_MUST(souk_disk_take(disk, "file", &buf));
    SOUK_CHECK(buf.bytes == sizeof image);
    for (int i = 0; i < 4; i++)
        got[i] = buf.at[i * SECTOR];
}

SOUK_TEST("every mixture of old, unsynced and torn sectors can be what a cut leaves")
{
    souk_auto(souk_disk) disk = open_sim(test);
    bool seen[81] = {false};
    int kinds = 0;
    for (int life = 0; life < 8000; life++) {
        char got[4];
        letters_after_cut(test, disk, got);
        int kind = 0;
        for (int i = 0; i < 4; i++)
            kind = kind * 3 + (got[i] == 'o' ? 0 : got[i] == 'm' ? 1 : 2);
        kinds += !seen[kind];
        seen[kind] = true;
    }
    SOUK_CHECK(seen[0] && seen[80] && seen[40]);
    SOUK_CHECK(kinds > 40);
}

SOUK_TEST("a file that only grew may be long and empty, or short, but its synced part stands")
{
    souk_auto(souk_disk) disk = open_sim(test);
    int zeros = 0, old = 0, whole = 0;
    for (int life = 0; life < 300; life++) {
        SOUK_MUST(souk_disk_put(disk, "log", "synced", 6));
        souk_file *file = NULL;
        SOUK_MUST(souk_file_open(disk, "log", SOUK_FILE_WRITE, &file));
        SOUK_MUST(souk_file_write(file, "fresh", 5, 600));
        souk_file_free(file);
        souk_sim_power_on(disk);
        souk_auto_value(souk_buf) buf = {.mem = test->mem};
        SOUK_MUST(souk_disk_take(disk, "log", &buf));
        SOUK_CHECK(!memcmp(buf.at, "synced", 6));
        old += buf.bytes == 6;
        zeros += buf.bytes == 605 && buf.at[600] == 0;
        whole += buf.bytes == 605 && buf.at[600] == 'f';
    }
    SOUK_CHECK(old > 20 && zeros > 20 && whole > 20 && old + zeros + whole == 300);
}

/* ---- names ----------------------------------------------------------------------------------- */

enum { NAMES = 7, NAME_STATES = 32 };
static const char *const name_of[NAMES] = {"a", "b", "c", "d/a", "d/b", "e/a", "e/b"};

/* Where each name led, state by state since the last sync of the folders; 0: nowhere. */
typedef struct name_history {
    size_t count;
    uint64_t id[NAME_STATES][NAMES];
} name_history;

static bool has_id(const uint64_t ids[NAMES], uint64_t id)
{
    for (int i = 0; i < NAMES; i++)
        if (ids[i] == id)
            return true;
    return false;
}

static souk_err make_file(souk_disk *disk, const char *name, uint64_t id)
{
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, name, SOUK_FILE_CREATE, &file));
    SOUK_TRY(souk_file_write(file, &id, sizeof id, 0));
    return souk_file_sync(file);
}

static souk_err name_step(souk_test *test, souk_disk *disk, name_history *h, uint64_t *next_id)
{
    if (h->count == NAME_STATES || test_random(test, 8) == 0) {
        SOUK_TRY(souk_disk_sync_folder(disk));
        memmove(h->id[0], h->id[h->count - 1], sizeof h->id[0]);
        h->count = 1;
        return SOUK_OK;
    }
    const uint64_t *now = h->id[h->count - 1];
    uint64_t *then = h->id[h->count];
    memcpy(then, now, sizeof h->id[0]);
    size_t i = test_random(test, NAMES), j = test_random(test, NAMES);
    h->count++;
    if (!now[i]) {
        then[i] = ++*next_id;
        return make_file(disk, name_of[i], then[i]);
    }
    then[i] = 0;
    if (test_random(test, 3) == 0)
        return souk_disk_remove(disk, name_of[i]);
    then[j] = now[i];
    return souk_disk_rename(disk, name_of[i], name_of[j]);
}

/* What the names lead to now; a file without its id was made and cut before its bytes. */
static void read_names(souk_test *test, souk_disk *disk, uint64_t ids[NAMES])
{
    for (int i = 0; i < NAMES; i++) {
        souk_file *file = NULL;
        size_t bytes = 0;
        ids[i] = 0;
        if (!souk_disk_exists(disk, name_of[i]))
            continue;
        SOUK_MUST(souk_file_open(disk, name_of[i], SOUK_FILE_READ, &file));
        SOUK_MUST(souk_file_read(file, &ids[i], sizeof ids[i], 0, &bytes));
        souk_file_free(file);
        if (ids[i] == 0)
            SOUK_MUST(souk_disk_remove(disk, name_of[i]));
    }
}

static bool names_are_possible(const name_history *h, const uint64_t got[NAMES])
{
    for (int i = 0; i < NAMES; i++) {
        bool known = false;
        for (size_t k = 0; k < h->count; k++)
            known = known || h->id[k][i] == got[i];
        /* A half-made file was removed by read_names: as if it had not been made. */
        if (!known && got[i])
            return false;
        for (int j = 0; got[i] && j < i; j++)
            if (got[i] == got[j])
                return false; /* half a rename */
    }
    /* What had a synced name and has had one ever since must still have one. */
    for (int i = 0; i < NAMES; i++) {
        uint64_t id = h->id[0][i];
        bool always = id != 0;
        for (size_t k = 1; always && k < h->count; k++)
            always = has_id(h->id[k], id);
        if (always && !has_id(got, id))
            return false;
    }
    return true;
}

static bool name_life(souk_test *test, souk_disk *disk, name_history *h, uint64_t *next_id,
                      bool lying)
{
    souk_sim_plan(disk,
                  (souk_sim_faults){.cut_at = 1 + test_random(test, 40), .lying_sync = lying});
    while (!souk_sim_is_cut(disk)) {
        souk_err err = name_step(test, disk, h, next_id);
        SOUK_CHECK(err == (souk_sim_is_cut(disk) ? SOUK_EIO : SOUK_OK));
    }
    souk_sim_power_on(disk);
    if (lying) { /* the folders may be gone too */
        (void)!souk_disk_make_folder(disk, "d");
        (void)!souk_disk_make_folder(disk, "e");
    }
    uint64_t got[NAMES];
    read_names(test, disk, got);
    bool possible = names_are_possible(h, got);
    memcpy(h->id[0], got, sizeof got);
    h->count = 1;
    SOUK_MUST(souk_disk_sync_folder(disk));
    return possible;
}

static int name_lives(souk_test *test, int lives, bool lying)
{
    souk_auto(souk_disk) disk = open_sim(test);
    SOUK_MUST(souk_disk_make_folder(disk, "d"));
    SOUK_MUST(souk_disk_make_folder(disk, "e"));
    SOUK_MUST(souk_disk_sync_folder(disk));
    name_history *h = souk_mem_get(test->mem, sizeof *h);
    SOUK_CHECK(h);
    h->count = 1;
    uint64_t next_id = 0;
    int impossible = 0;
    for (int life = 0; life < lives; life++)
        impossible += !name_life(test, disk, h, &next_id, lying);
    souk_mem_put(test->mem, h);
    return impossible;
}

SOUK_TEST("ten thousand cuts never take a synced name nor show half a rename")
{
    SOUK_CHECK(name_lives(test, 10000, false) == 0);
}

SOUK_TEST("a folder sync that lies is noticed by the same cuts")
{
    SOUK_CHECK(name_lives(test, 1000, true) > 100);
}

SOUK_TEST("two unsynced files can be left in either order, and an unsynced folder with neither")
{
    souk_auto(souk_disk) disk = open_sim(test);
    int left[4] = {0}, folder_gone = 0;
    for (int life = 0; life < 400; life++) {
        SOUK_MUST(make_file(disk, "first", 1));
        SOUK_MUST(make_file(disk, "second", 2));
        SOUK_MUST(souk_disk_make_folder(disk, "deep"));
        SOUK_MUST(make_file(disk, "deep/third", 3));
        souk_sim_power_on(disk);
        left[souk_disk_exists(disk, "first") + 2 * souk_disk_exists(disk, "second")]++;
        folder_gone += !souk_disk_exists(disk, "deep");
        SOUK_CHECK(souk_disk_exists(disk, "deep") || !souk_disk_exists(disk, "deep/third"));
        souk_disk_free(souk_take(&disk));
        disk = open_sim(test);
    }
    SOUK_CHECK(left[0] > 10 && left[1] > 10 && left[2] > 10 && left[3] > 10);
    SOUK_CHECK(folder_gone > 50 && folder_gone < 350);
}

SOUK_TEST("a file that moved up from an unsynced folder is synced where it is, and only there")
{
    for (int life = 0; life < 100; life++) {
        souk_auto(souk_disk) disk = open_sim(test);
        SOUK_MUST(souk_disk_make_folder(disk, "runs"));
        SOUK_MUST(souk_disk_make_folder(disk, "runs/deep"));
        SOUK_MUST(souk_disk_sync_folder(disk));
        SOUK_MUST(make_file(disk, "runs/deep/1", 1));
        SOUK_MUST(souk_disk_rename(disk, "runs/deep/1", "runs/1"));
        SOUK_MUST(souk_disk_sync_folder(disk));
        souk_sim_power_on(disk);
        SOUK_CHECK(souk_disk_exists(disk, "runs/1") && !souk_disk_exists(disk, "runs/deep/1"));
    }
}

SOUK_TEST("a finished put stands even where all its folders are new")
{
    for (int life = 0; life < 100; life++) {
        souk_auto(souk_disk) disk = open_sim(test);
        SOUK_MUST(souk_disk_make_folder(disk, "a"));
        SOUK_MUST(souk_disk_make_folder(disk, "a/b"));
        SOUK_MUST(souk_disk_make_folder(disk, "a/b/c"));
        SOUK_MUST(souk_disk_put(disk, "a/b/c/keys", "k", 1));
        souk_sim_power_on(disk);
        SOUK_CHECK(souk_disk_exists(disk, "a/b/c/keys"));
    }
}

SOUK_TEST("a put cut at any of its operations leaves old or new, a finished one the new")
{
    souk_auto(souk_disk) disk = open_sim(test);
    SOUK_MUST(souk_disk_make_folder(disk, "a"));
    SOUK_MUST(souk_disk_make_folder(disk, "a/b"));
    souk_auto_value(souk_buf) buf = {.mem = test->mem};
    for (int round = 0; round < 100; round++) {
        for (uint64_t cut_at = 1;; cut_at++) {
            SOUK_MUST(souk_disk_put(disk, "a/b/keys", "old", 3));
            souk_sim_plan(disk, (souk_sim_faults){.cut_at = cut_at});
            souk_err err = souk_disk_put(disk, "a/b/keys", "newer", 5);
            SOUK_CHECK((err == SOUK_OK) == !souk_sim_is_cut(disk));
            souk_sim_power_on(disk);
            SOUK_MUST(souk_disk_take(disk, "a/b/keys", &buf));
            bool is_new = souk_text_equal(souk_buf_view(&buf), SOUK_TEXT("newer"));
            SOUK_CHECK(is_new || (err && souk_text_equal(souk_buf_view(&buf), SOUK_TEXT("old"))));
            if (!err)
                break;
        }
    }
}

SOUK_TEST("a disk nobody syncs keeps its oldest names, and its list of changes ends")
{
    souk_auto(souk_disk) disk = open_sim(test);
    for (int i = 0; i < 5000; i++) {
        SOUK_MUST(make_file(disk, i == 0 ? "first" : "other", 1));
        if (i)
            SOUK_MUST(souk_disk_remove(disk, "other"));
    }
    souk_sim_power_on(disk);
    SOUK_CHECK(souk_disk_exists(disk, "first"));
}

/* ---- what else goes wrong -------------------------------------------------------------------- */

SOUK_TEST("after a failed sync a second one says yes and the bytes are lost")
{
    souk_auto(souk_disk) disk = open_sim(test);
    int lost = 0;
    for (int life = 0; life < 50; life++) {
        SOUK_MUST(souk_disk_put(disk, "file", "old", 3));
        souk_file *file = NULL;
        SOUK_MUST(souk_file_open(disk, "file", SOUK_FILE_WRITE, &file));
        SOUK_MUST(souk_file_write(file, "new", 3, 0));
        souk_sim_plan(disk, (souk_sim_faults){.fail_at = 1});
        SOUK_CHECK_ERR(souk_file_sync(file), SOUK_EIO);
        SOUK_MUST(souk_file_sync(file));
        souk_file_free(file);
        souk_auto_value(souk_buf) buf = {.mem = test->mem};
        SOUK_MUST(souk_disk_take(disk, "file", &buf));
        SOUK_CHECK_TEXT(souk_buf_view(&buf), "new");
        souk_sim_power_on(disk);
        SOUK_MUST(souk_disk_take(disk, "file", &buf));
        lost += souk_text_equal(souk_buf_view(&buf), SOUK_TEXT("old"));
    }
    SOUK_CHECK(lost > 5 && lost < 45);
}

SOUK_TEST("any operation can fail once or for ever, and reads only when they are asked to")
{
    souk_auto(souk_disk) disk = open_sim(test);
    souk_auto_value(souk_buf) buf = {.mem = test->mem};
    SOUK_MUST(souk_disk_put(disk, "keys", "old", 3));
    for (uint64_t fail_at = 1;; fail_at++) {
        souk_sim_plan(disk, (souk_sim_faults){.fail_at = fail_at, .fail_err = SOUK_EFULL});
        souk_err err = souk_disk_put(disk, "keys", "new", 3);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_EFULL);
        SOUK_CHECK(!souk_sim_is_cut(disk) && !souk_disk_exists(disk, "keys.new"));
        SOUK_MUST(souk_disk_take(disk, "keys", &buf));
        if (!err) {
            SOUK_CHECK(fail_at == 6 && souk_sim_operations(disk) == 5);
            break;
        }
    }
    souk_sim_plan(disk, (souk_sim_faults){.fail_at = 2, .fail_for_ever = true});
    SOUK_MUST(souk_disk_make_folder(disk, "a"));
    SOUK_CHECK_ERR(souk_disk_make_folder(disk, "b"), SOUK_EIO);
    SOUK_CHECK_ERR(souk_disk_remove(disk, "keys"), SOUK_EIO);
    SOUK_MUST(souk_disk_take(disk, "keys", &buf));
    souk_sim_plan(disk, (souk_sim_faults){.fail_at = 1, .fail_reads = true});
    SOUK_CHECK_ERR(souk_disk_take(disk, "keys", &buf), SOUK_EIO);
    SOUK_MUST(souk_disk_take(disk, "keys", &buf));
    SOUK_CHECK(souk_sim_operations(disk) == 2);
}

SOUK_TEST("whether there is room is found out by writing, and nothing of it stays")
{
    souk_auto(souk_disk) disk = open_sim(test);
    SOUK_MUST(souk_disk_put(disk, "other", "0123456789", 10));
    SOUK_MUST(souk_disk_try_room(disk, 200000));
    SOUK_CHECK(!souk_disk_exists(disk, "room"));
    souk_sim_plan(disk, (souk_sim_faults){.capacity_bytes = 100010});
    SOUK_MUST(souk_disk_try_room(disk, 100000));
    SOUK_CHECK_ERR(souk_disk_try_room(disk, 100001), SOUK_EFULL);
    SOUK_CHECK(!souk_disk_exists(disk, "room"));
    SOUK_MUST(souk_disk_put(disk, "third", "x", 1)); /* it holds no space either */
}

SOUK_TEST("a full disk takes what fits, says so, and works again when there is space")
{
    souk_auto(souk_disk) disk = open_sim(test);
    souk_auto(souk_file) file = NULL;
    SOUK_MUST(souk_disk_put(disk, "other", "0123456789", 10));
    SOUK_MUST(souk_file_open(disk, "file", SOUK_FILE_CREATE, &file));
    souk_sim_plan(disk, (souk_sim_faults){.capacity_bytes = 15});
    SOUK_CHECK_ERR(souk_file_write(file, "abcdefgh", 8, 0), SOUK_EFULL);
    uint64_t size;
    SOUK_MUST(souk_file_size(file, &size));
    SOUK_CHECK(size == 5);
    SOUK_MUST(souk_file_write(file, "ABCDE", 5, 0));
    SOUK_CHECK_ERR(souk_file_truncate(file, 6), SOUK_EFULL);
    SOUK_CHECK_ERR(souk_disk_put(disk, "third", "x", 1), SOUK_EFULL);
    SOUK_CHECK(!souk_disk_exists(disk, "third.new"));
    SOUK_MUST(souk_disk_remove(disk, "other"));
    SOUK_MUST(souk_file_write(file, "abcdefgh", 8, 0));
    SOUK_CHECK_ERR(souk_file_truncate(file, (uint64_t)1 << 40), SOUK_EFULL);
}

SOUK_TEST("after a cut nothing of the old life works until the power is back")
{
    souk_auto(souk_disk) disk = open_sim(test);
    souk_auto_value(souk_buf) buf = {.mem = test->mem};
    SOUK_MUST(souk_disk_put(disk, "keys", "k", 1));
    souk_file *file = NULL;
    SOUK_MUST(souk_file_open(disk, "keys", SOUK_FILE_WRITE, &file));
    souk_sim_plan(disk, (souk_sim_faults){.cut_at = 1});
    SOUK_CHECK_ERR(souk_file_sync(file), SOUK_EIO);
    SOUK_CHECK(souk_sim_is_cut(disk));
    size_t bytes;
    uint64_t size;
    char got;
    SOUK_CHECK_ERR(souk_file_read(file, &got, 1, 0, &bytes), SOUK_EIO);
    SOUK_CHECK_ERR(souk_file_write(file, "x", 1, 0), SOUK_EIO);
    SOUK_CHECK_ERR(souk_file_size(file, &size), SOUK_EIO);
    SOUK_CHECK_ERR(souk_disk_take(disk, "keys", &buf), SOUK_EIO);
    SOUK_CHECK_ERR(souk_disk_lock(disk), SOUK_EIO);
    SOUK_CHECK_ERR(souk_disk_sync_folder(disk), SOUK_EIO);
    SOUK_CHECK(!souk_disk_exists(disk, "keys"));
    souk_file_free(file);
    souk_sim_power_on(disk);
    SOUK_CHECK(!souk_sim_is_cut(disk));
    SOUK_MUST(souk_disk_take(disk, "keys", &buf));
    SOUK_CHECK_TEXT(souk_buf_view(&buf), "k");
}

static void scan_into(void *context, const char *name, const void *at, size_t bytes)
{
    souk_buf_print(context, "%s:%.*s ", name, (int)bytes, bytes ? (const char *)at : "");
}

SOUK_TEST("a scan reads every file as a thief would")
{
    souk_auto(souk_disk) disk = open_sim(test);
    SOUK_MUST(souk_disk_make_folder(disk, "a"));
    SOUK_MUST(souk_disk_put(disk, "keys", "secret", 6));
    SOUK_MUST(souk_disk_put(disk, "a/b", "", 0));
    souk_auto(souk_file) file = NULL;
    SOUK_MUST(souk_file_open(disk, "keys", SOUK_FILE_WRITE, &file));
    SOUK_MUST(souk_file_write(file, "XX", 2, 2));
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_sim_scan(disk, scan_into, &out);
    SOUK_CHECK_TEXT(souk_buf_view(&out), "a/b: keys:seXXet ");
}

SOUK_TEST("the same seed cuts the same way")
{
    uint64_t sums[2] = {0};
    for (int run = 0; run < 2; run++) {
        souk_auto(souk_disk) disk = NULL;
        SOUK_MUST(souk_disk_open_sim(test->mem, 7, &disk));
        for (int life = 0; life < 50; life++) {
            char got[4];
            letters_after_cut(test, disk, got);
            sums[run] = sums[run] * 31 + souk_get_u32(got);
        }
    }
    SOUK_CHECK(sums[0] == sums[1]);
}
