/* disk_test.c - one contract for every disk, run on the real and on the simulated one. */
#include "os/disk.h"

#include "os/thread.h"
#include "test/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void contract(souk_test *test, souk_disk *disk);

static void on_real(souk_test *test, contract *body)
{
    souk_auto(souk_disk) disk = NULL;
    souk_diag diag = {0};
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &disk, &diag));
    body(test, disk);
}

static void on_sim(souk_test *test, contract *body)
{
    souk_auto(souk_disk) disk = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &disk));
    body(test, disk);
}

#define CONTRACT(name, sentence)             \
    static contract name;                    \
    SOUK_TEST("a real disk: " sentence)      \
    {                                        \
        on_real(test, name);                 \
    }                                        \
    SOUK_TEST("a simulated disk: " sentence) \
    {                                        \
        on_sim(test, name);                  \
    }                                        \
    static void name(souk_test *test, souk_disk *disk)

static void check_holds(souk_test *test, souk_disk *disk, const char *name, const char *text)
{
    souk_auto_value(souk_buf) buf = {.mem = test->mem};
    SOUK_MUST(souk_disk_take(disk, name, &buf));
    SOUK_CHECK_TEXT(souk_buf_view(&buf), text);
}

CONTRACT(a_file_is_copied, "a range of a file is copied to the same place, and ends where it ends")
{
    static char bytes[700001], got[700001];
    souk_auto(souk_file) from = NULL;
    souk_auto(souk_file) to = NULL;
    size_t count;
    uint64_t size;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)test_random(test, 256);
    SOUK_MUST(souk_file_open(disk, "from", SOUK_FILE_CREATE, &from));
    SOUK_MUST(souk_file_open(disk, "to", SOUK_FILE_CREATE, &to));
    SOUK_MUST(souk_file_write(from, bytes, sizeof bytes, 0));
    SOUK_MUST(souk_file_copy(from, to, 0, 300000));
    SOUK_MUST(souk_file_size(to, &size));
    SOUK_CHECK(size == 300000);
    SOUK_MUST(souk_file_copy(from, to, 300000, 1 << 20));
    SOUK_MUST(souk_file_copy(from, to, sizeof bytes, 10)); /* nothing is there */
    SOUK_MUST(souk_file_size(to, &size));
    SOUK_CHECK(size == sizeof bytes);
    SOUK_MUST(souk_file_read(to, got, sizeof got, 0, &count));
    SOUK_CHECK(count == sizeof got && !memcmp(got, bytes, sizeof got));
}

SOUK_TEST("a scratch file of a real disk is a file without a name, and a simulated disk has none")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_disk) sim = NULL;
    souk_auto(souk_file) file = NULL;
    souk_diag diag = {0};
    char got[8];
    size_t count;
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &disk, &diag));
    SOUK_MUST(souk_file_scratch(disk, &file));
    SOUK_MUST(souk_file_write(file, "salty", 5, 3));
    SOUK_MUST(souk_file_sync(file));
    SOUK_MUST(souk_file_read(file, got, sizeof got, 0, &count));
    SOUK_CHECK(count == 8 && !memcmp(got, "\0\0\0salty", 8));
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &sim));
    SOUK_CHECK_ERR(souk_file_scratch(sim, &file), SOUK_EINVAL);
}

CONTRACT(what_is_written_is_read, "what is written is read, and a gap reads as zeros")
{
    souk_auto(souk_file) file = NULL;
    SOUK_MUST(souk_file_open(disk, "keys", SOUK_FILE_CREATE, &file));
    SOUK_MUST(souk_file_write(file, "salty", 5, 0));
    SOUK_MUST(souk_file_write(file, "sweet", 5, 1000));
    char got[2000];
    size_t bytes;
    uint64_t size;
    SOUK_MUST(souk_file_size(file, &size));
    SOUK_CHECK(size == 1005);
    SOUK_MUST(souk_file_read(file, got, sizeof got, 0, &bytes));
    SOUK_CHECK(bytes == 1005 && !memcmp(got, "salty\0\0", 7) && !memcmp(got + 999, "\0sweet", 6));
    SOUK_MUST(souk_file_read(file, got, 3, 1001, &bytes));
    SOUK_CHECK(bytes == 3 && !memcmp(got, "wee", 3));
    SOUK_MUST(souk_file_read(file, got, 1, 1005, &bytes));
    SOUK_CHECK(bytes == 0);
    SOUK_MUST(souk_file_read(file, got, 1, UINT64_MAX, &bytes));
    SOUK_CHECK(bytes == 0);
    SOUK_MUST(souk_file_sync(file));
}

CONTRACT(truncate_cuts_and_extends, "truncate cuts, and extends with zeros")
{
    souk_auto(souk_file) file = NULL;
    SOUK_MUST(souk_file_open(disk, "keys", SOUK_FILE_CREATE, &file));
    SOUK_MUST(souk_file_write(file, "abcdef", 6, 0));
    SOUK_MUST(souk_file_truncate(file, 2));
    SOUK_MUST(souk_file_truncate(file, 5));
    char got[8];
    size_t bytes;
    SOUK_MUST(souk_file_read(file, got, sizeof got, 0, &bytes));
    SOUK_CHECK(bytes == 5 && !memcmp(got, "ab\0\0\0", 5));
}

CONTRACT(flags_mean_what_they_say, "flags mean what they say")
{
    souk_auto(souk_file) file = NULL;
    SOUK_CHECK_ERR(souk_file_open(disk, "none", SOUK_FILE_READ, &file), SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_file_open(disk, "none", SOUK_FILE_WRITE, &file), SOUK_ENOENT);
    SOUK_CHECK(!file && !souk_disk_exists(disk, "none"));
    SOUK_MUST(souk_disk_put(disk, "some", "abc", 3));
    SOUK_MUST(souk_file_open(disk, "some", SOUK_FILE_READ, &file));
    SOUK_CHECK_ERR(souk_file_write(file, "x", 1, 0), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_file_truncate(file, 0), SOUK_EINVAL);
    souk_file_free(souk_take(&file));
    SOUK_MUST(souk_file_open(disk, "some", SOUK_FILE_WRITE, &file));
    SOUK_MUST(souk_file_write(file, "X", 1, 0));
    SOUK_CHECK_ERR(souk_file_write(file, "X", 1, UINT64_MAX - 1), SOUK_ETOOBIG);
    souk_file_free(souk_take(&file));
    SOUK_MUST(souk_file_open(disk, "some", SOUK_FILE_CREATE, &file));
    souk_file_free(souk_take(&file));
    check_holds(test, disk, "some", "Xbc");
    SOUK_MUST(souk_file_open(disk, "some", SOUK_FILE_TRUNCATE, &file));
    check_holds(test, disk, "some", "");
}

CONTRACT(bad_names_are_refused, "names that could lead outside are refused")
{
    char long_name[250];
    memset(long_name, 'n', sizeof long_name);
    long_name[201] = 0;
    const char *bad[] = {"",     "/",  "/etc/x", "..",  "../x", "a/../b",
                         "a//b", "a/", ".",      "./a", "lock", long_name};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_file *file = NULL;
        SOUK_CHECK_ERR(souk_file_open(disk, bad[i], SOUK_FILE_CREATE, &file), SOUK_EINVAL);
        SOUK_CHECK_ERR(souk_disk_put(disk, bad[i], "", 0), SOUK_EINVAL);
        SOUK_CHECK_ERR(souk_disk_make_folder(disk, bad[i]), SOUK_EINVAL);
        SOUK_CHECK_ERR(souk_disk_remove(disk, bad[i]), SOUK_EINVAL);
        SOUK_CHECK_ERR(souk_disk_rename(disk, "a", bad[i]), SOUK_EINVAL);
        SOUK_CHECK(!souk_disk_exists(disk, bad[i]));
    }
    long_name[200] = 0;
    SOUK_MUST(souk_disk_put(disk, long_name, "fits", 4));
    check_holds(test, disk, long_name, "fits");
    SOUK_MUST(souk_disk_put(disk, "..a", "fine", 4));
}

CONTRACT(folders_hold_files, "folders are made first, hold files and are no files")
{
    souk_file *file = NULL;
    SOUK_CHECK_ERR(souk_disk_put(disk, "runs/1", "x", 1), SOUK_ENOENT);
    SOUK_MUST(souk_disk_make_folder(disk, "runs"));
    SOUK_CHECK_ERR(souk_disk_make_folder(disk, "runs"), SOUK_EEXIST);
    SOUK_CHECK_ERR(souk_disk_make_folder(disk, "none/deep"), SOUK_ENOENT);
    SOUK_MUST(souk_disk_make_folder(disk, "runs/deep"));
    SOUK_MUST(souk_disk_put(disk, "runs/1", "one", 3));
    SOUK_MUST(souk_disk_put(disk, "runs/deep/2", "two", 3));
    check_holds(test, disk, "runs/deep/2", "two");
    SOUK_CHECK(souk_disk_exists(disk, "runs") && souk_disk_exists(disk, "runs/1"));
    SOUK_CHECK_ERR(souk_file_open(disk, "runs", SOUK_FILE_READ, &file), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_file_open(disk, "runs", SOUK_FILE_CREATE, &file), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_file_open(disk, "runs/1/x", SOUK_FILE_CREATE, &file), SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_disk_remove(disk, "runs"), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_disk_rename(disk, "runs", "walks"), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_disk_rename(disk, "runs/1", "runs/deep"), SOUK_EINVAL);
    SOUK_MUST(souk_disk_rename(disk, "runs/1", "one"));
    check_holds(test, disk, "one", "one");
    SOUK_MUST(souk_disk_sync_folder(disk));
}

CONTRACT(rename_replaces, "rename replaces, and what is open stays readable")
{
    SOUK_MUST(souk_disk_put(disk, "old", "old", 3));
    SOUK_MUST(souk_disk_put(disk, "new", "new", 3));
    souk_auto(souk_file) open = NULL;
    SOUK_MUST(souk_file_open(disk, "old", SOUK_FILE_READ, &open));
    SOUK_MUST(souk_disk_rename(disk, "new", "old"));
    SOUK_CHECK(!souk_disk_exists(disk, "new"));
    check_holds(test, disk, "old", "new");
    SOUK_MUST(souk_disk_rename(disk, "old", "old"));
    SOUK_MUST(souk_disk_remove(disk, "old"));
    SOUK_CHECK_ERR(souk_disk_remove(disk, "old"), SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_disk_rename(disk, "old", "x"), SOUK_ENOENT);
    char got[4];
    size_t bytes;
    SOUK_MUST(souk_file_read(open, got, sizeof got, 0, &bytes));
    SOUK_CHECK(bytes == 3 && !memcmp(got, "old", 3));
}

static souk_err note_name(void *context, const char *name, uint64_t bytes)
{
    souk_buf_print(context, "%s=%d ", name, (int)bytes);
    return strcmp(name, "stop") == 0 ? SOUK_ECONFLICT : SOUK_OK;
}

CONTRACT(list_walks_in_byte_order, "list walks in byte order and stops when told")
{
    SOUK_MUST(souk_disk_lock(disk));
    SOUK_MUST(souk_disk_lock(disk));
    SOUK_MUST(souk_disk_make_folder(disk, "runs"));
    SOUK_MUST(souk_disk_make_folder(disk, "runs/deep"));
    const char *names[] = {"runs/b", "runs.x", "B", "runs/deep/c", "a", "runs/a"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        SOUK_MUST(souk_disk_put(disk, names[i], "12345678", i));
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_disk_list(disk, "", note_name, &out));
    SOUK_CHECK_TEXT(souk_buf_view(&out), "B=2 a=4 runs.x=1 runs/a=5 runs/b=0 runs/deep/c=3 ");
    souk_buf_clear(&out);
    SOUK_MUST(souk_disk_list(disk, "runs", note_name, &out));
    SOUK_CHECK_TEXT(souk_buf_view(&out), "runs/a=5 runs/b=0 runs/deep/c=3 ");
    SOUK_CHECK_ERR(souk_disk_list(disk, "none", note_name, &out), SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_disk_list(disk, "a", note_name, &out), SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_disk_list(disk, "..", note_name, &out), SOUK_EINVAL);
    SOUK_MUST(souk_disk_put(disk, "stop", "", 0));
    SOUK_MUST(souk_disk_put(disk, "z", "", 0));
    souk_buf_clear(&out);
    SOUK_CHECK_ERR(souk_disk_list(disk, "", note_name, &out), SOUK_ECONFLICT);
    SOUK_CHECK(!memmem(out.at, out.bytes, "z=", 2));
}

static souk_err remove_name(void *disk, const char *name, uint64_t bytes)
{
    (void)bytes;
    return souk_disk_remove(disk, name);
}

CONTRACT(list_may_remove, "files may be removed while they are listed")
{
    for (int i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "run-%d", i);
        SOUK_MUST(souk_disk_put(disk, name, "x", 1));
    }
    SOUK_MUST(souk_disk_list(disk, "", remove_name, disk));
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_disk_list(disk, "", note_name, &out));
    SOUK_CHECK(out.bytes == 0);
}

CONTRACT(take_keeps_its_ceiling, "take keeps to the ceiling and empties the buffer first")
{
    SOUK_MUST(souk_disk_put(disk, "four", "1234", 4));
    SOUK_MUST(souk_disk_put(disk, "five", "12345", 5));
    souk_auto_value(souk_buf) buf = {.mem = test->mem, .limit_bytes = 4};
    souk_buf_byte(&buf, 'x');
    SOUK_MUST(souk_disk_take(disk, "four", &buf));
    SOUK_CHECK_TEXT(souk_buf_view(&buf), "1234");
    SOUK_CHECK_ERR(souk_disk_take(disk, "five", &buf), SOUK_ETOOBIG);
    SOUK_CHECK_ERR(souk_disk_take(disk, "none", &buf), SOUK_ENOENT);
}

CONTRACT(a_map_is_private, "a map shows the file and never changes it")
{
    souk_auto(souk_file) file = NULL;
    SOUK_MUST(souk_file_open(disk, "index", SOUK_FILE_CREATE, &file));
    SOUK_MUST(souk_file_write(file, "first", 5, 0));
    SOUK_MUST(souk_file_write(file, "second", 6, 4096));
    void *got;
    SOUK_CHECK_ERR(souk_file_map(file, 0, 0, NULL, &got), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_file_map(file, 512, 8, NULL, &got), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_file_map(file, 4096, 7, NULL, &got), SOUK_ECORRUPT);
    SOUK_CHECK_ERR(souk_file_map(file, 8192, 1, NULL, &got), SOUK_ECORRUPT);
    SOUK_MUST(souk_file_map(file, 4096, 6, NULL, &got));
    SOUK_CHECK(!memcmp(got, "second", 6));
    memcpy(got, "SECOND", 6);
    char read[6];
    size_t bytes;
    SOUK_MUST(souk_file_read(file, read, sizeof read, 4096, &bytes));
    SOUK_CHECK(!memcmp(read, "second", 6));
    souk_map_done(disk, got, 6);
    souk_map_done(disk, NULL, 0);
}

/* ---- the dumb model: a file is a name and an array ------------------------------------------- */

enum { MODEL_FILES = 6, MODEL_BYTES = 6000 };
typedef struct model_file {
    bool is_there;
    size_t bytes;
    unsigned char at[MODEL_BYTES];
} model_file;

static const char *const model_names[MODEL_FILES] = {"a", "b", "runs/a", "runs/b", "runs/c", "z"};

static void check_model(souk_test *test, souk_disk *disk, const model_file *files)
{
    souk_auto_value(souk_buf) buf = {.mem = test->mem};
    for (int i = 0; i < MODEL_FILES; i++) {
        SOUK_CHECK(souk_disk_exists(disk, model_names[i]) == files[i].is_there);
        if (!files[i].is_there)
            continue;
        SOUK_MUST(souk_disk_take(disk, model_names[i], &buf));
        SOUK_CHECK(buf.bytes == files[i].bytes);
        SOUK_CHECK(buf.bytes == 0 || !memcmp(buf.at, files[i].at, buf.bytes));
    }
}

static void model_write(souk_test *test, souk_disk *disk, const char *name, model_file *file)
{
    unsigned char some[1500];
    size_t offset = test_random(test, MODEL_BYTES - sizeof some);
    size_t bytes = 1 + test_random(test, sizeof some);
    memset(some, (int)test_random(test, 256), bytes);
    souk_auto(souk_file) open = NULL;
    SOUK_MUST(souk_file_open(disk, name, SOUK_FILE_CREATE, &open));
    SOUK_MUST(souk_file_write(open, some, bytes, offset));
    file->is_there = true;
    memcpy(file->at + offset, some, bytes);
    file->bytes = souk_max_size(file->bytes, offset + bytes);
}

static void model_truncate(souk_test *test, souk_disk *disk, const char *name, model_file *file)
{
    size_t bytes = test_random(test, MODEL_BYTES);
    souk_auto(souk_file) open = NULL;
    SOUK_MUST(souk_file_open(disk, name, SOUK_FILE_WRITE, &open));
    SOUK_MUST(souk_file_truncate(open, bytes));
    SOUK_MUST(souk_file_sync(open));
    file->bytes = bytes;
    memset(file->at + bytes, 0, MODEL_BYTES - bytes);
}

CONTRACT(the_dumb_model_agrees, "random operations agree with a dumb model")
{
    model_file *files = souk_mem_array(test->mem, MODEL_FILES, sizeof *files);
    SOUK_CHECK(files);
    SOUK_MUST(souk_disk_make_folder(disk, "runs"));
    for (int step = 0; step < 1500; step++) {
        size_t i = test_random(test, MODEL_FILES), j = test_random(test, MODEL_FILES);
        switch (test_random(test, 5)) {
        case 0:
        case 1:
            model_write(test, disk, model_names[i], &files[i]);
            break;
        case 2:
            if (files[i].is_there)
                model_truncate(test, disk, model_names[i], &files[i]);
            break;
        case 3:
            SOUK_CHECK_ERR(souk_disk_rename(disk, model_names[i], model_names[j]),
                           files[i].is_there ? SOUK_OK : SOUK_ENOENT);
            if (files[i].is_there && i != j) {
                files[j] = files[i];
                memset(&files[i], 0, sizeof files[i]);
            }
            break;
        default:
            SOUK_CHECK_ERR(souk_disk_remove(disk, model_names[i]),
                           files[i].is_there ? SOUK_OK : SOUK_ENOENT);
            memset(&files[i], 0, sizeof files[i]);
        }
        if (step % 10 == 0)
            check_model(test, disk, files);
    }
    check_model(test, disk, files);
    souk_mem_put(test->mem, files);
}

/* ---- no memory ------------------------------------------------------------------------------- */

static souk_err story(souk_mem *mem, const char *real_folder)
{
    souk_auto(souk_disk) disk = NULL;
    if (real_folder)
        SOUK_TRY(souk_disk_open_real(mem, real_folder, &disk, NULL));
    else
        SOUK_TRY(souk_disk_open_sim(mem, 1, &disk));
    souk_err err = souk_disk_make_folder(disk, "runs");
    if (err && err != SOUK_EEXIST)
        return err;
    SOUK_TRY(souk_disk_put(disk, "runs/1", "one", 3));
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, "two", SOUK_FILE_TRUNCATE, &file));
    SOUK_TRY(souk_file_write(file, "two", 3, 9000));
    SOUK_TRY(souk_file_truncate(file, 30000));
    SOUK_TRY(souk_disk_rename(disk, "two", "runs/2"));
    souk_auto_value(souk_buf) out = {.mem = mem};
    SOUK_TRY(souk_disk_list(disk, "", note_name, &out));
    SOUK_TRY(souk_buf_check(&out));
    if (!souk_text_equal(souk_buf_view(&out), SOUK_TEXT("runs/1=3 runs/2=30000 ")))
        return SOUK_ECORRUPT;
    SOUK_TRY(souk_disk_take(disk, "runs/1", &out));
    SOUK_TRY(souk_disk_remove(disk, "runs/2"));
    return souk_disk_remove(disk, "runs/1");
}

SOUK_TEST("a disk without memory says so and leaks nothing")
{
    for (int real = 0; real < 2; real++) {
        SOUK_FAULT_LOOP (test) {
            souk_err err = story(test->mem, real ? test_folder(test) : NULL);
            SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
            /* What an interrupted story left behind on the real disk. */
            if (real && err) {
                char path[600];
                snprintf(path, sizeof path, "%s/two", test_folder(test));
                unlink(path);
                snprintf(path, sizeof path, "%s/runs/2", test_folder(test));
                unlink(path);
            }
            test_fault_seen(test, err);
        }
    }
}

/* ---- what only the real disk has ------------------------------------------------------------- */

SOUK_TEST("a folder has one owner: in this process, in another, until it is freed")
{
    const char *folder = test_folder(test);
    souk_auto(souk_disk) mine = NULL;
    souk_auto(souk_disk) second = NULL;
    SOUK_MUST(souk_disk_open_real(test->mem, folder, &mine, NULL));
    SOUK_MUST(souk_disk_open_real(test->mem, folder, &second, NULL));
    SOUK_MUST(souk_disk_lock(mine));
    SOUK_CHECK_ERR(souk_disk_lock(second), SOUK_ELOCKED);

    pid_t child = fork();
    SOUK_CHECK(child >= 0);
    if (child == 0) {
        /* The kernel's lock, asked by hand: the child has inherited the process's own list. */
        char path[600];
        snprintf(path, sizeof path, "%s/lock", folder);
        int fd = open(path, O_RDWR);
        _exit(fd < 0 || !flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK);
    }
    int status;
    SOUK_CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status));

    souk_disk_free(souk_take(&mine));
    SOUK_MUST(souk_disk_lock(second));
    SOUK_CHECK(!strcmp(souk_disk_folder(second), folder));
}

SOUK_TEST("a folder is made with its name in the diag where it cannot be")
{
    char path[700];
    souk_auto(souk_disk) disk = NULL;
    souk_diag diag = {0};
    snprintf(path, sizeof path, "%s/none/data", test_folder(test));
    SOUK_CHECK_ERR(souk_disk_open_real(test->mem, path, &disk, &diag), SOUK_ENOENT);
    SOUK_CHECK(strstr(diag.words, path));
    snprintf(path, sizeof path, "%s/data", test_folder(test));
    SOUK_MUST(souk_disk_open_real(test->mem, path, &disk, NULL));
    SOUK_MUST(souk_disk_put(disk, "file", "x", 1));
    souk_disk_free(souk_take(&disk));

    snprintf(path, sizeof path, "%s/data/file", test_folder(test));
    diag = (souk_diag){0};
    SOUK_CHECK_ERR(souk_disk_open_real(test->mem, path, &disk, &diag), SOUK_ENOENT);
    SOUK_CHECK(strstr(diag.words, path));
}

SOUK_TEST("a real write that the system cuts short is an error, and what fits is there")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_file) file = NULL;
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &disk, NULL));
    SOUK_MUST(souk_file_open(disk, "big", SOUK_FILE_CREATE, &file));
    struct rlimit before, small;
    SOUK_CHECK(!getrlimit(RLIMIT_FSIZE, &before));
    small = (struct rlimit){10000, before.rlim_max};
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    char some[16384] = {1};
    souk_err err = souk_file_write(file, some, sizeof some, 0);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, old);
    SOUK_CHECK(err == SOUK_ETOOBIG);
    uint64_t size;
    SOUK_MUST(souk_file_size(file, &size));
    SOUK_CHECK(size == 10000);
}

SOUK_TEST("a pipe and a link to nowhere in the folder are no files and hang nobody")
{
    souk_auto(souk_disk) disk = NULL;
    souk_file *file = NULL;
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &disk, NULL));
    char path[600];
    snprintf(path, sizeof path, "%s/pipe", test_folder(test));
    SOUK_CHECK(mkfifo(path, 0600) == 0);
    snprintf(path, sizeof path, "%s/link", test_folder(test));
    SOUK_CHECK(symlink("none", path) == 0);
    SOUK_CHECK_ERR(souk_file_open(disk, "pipe", SOUK_FILE_READ, &file), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_file_open(disk, "link", SOUK_FILE_READ, &file), SOUK_ENOENT);
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_disk_list(disk, "", note_name, &out));
    SOUK_CHECK(out.bytes == 0);
}

/* ---- many threads ---------------------------------------------------------------------------- */

typedef struct writer_job {
    souk_disk *disk;
    char name[24], own[24];
    souk_err err;
} writer_job;

static souk_err write_and_read(writer_job *job)
{
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(job->disk, job->name, SOUK_FILE_TRUNCATE, &file));
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t got;
        size_t bytes;
        SOUK_TRY(souk_file_write(file, &i, sizeof i, i * 100));
        SOUK_TRY(souk_file_read(file, &got, sizeof got, i * 100, &bytes));
        if (bytes != sizeof got || got != i)
            return SOUK_ECORRUPT;
        if (i % 20 == 0)
            SOUK_TRY(souk_disk_put(job->disk, job->own, &i, sizeof i));
    }
    return souk_file_sync(file);
}

static void run_writer(void *context)
{
    writer_job *job = context;
    job->err = write_and_read(job);
}

CONTRACT(threads_share_a_disk, "threads with a file each share it")
{
    writer_job jobs[4];
    souk_thread threads[4] = {0};
    for (int i = 0; i < 4; i++) {
        jobs[i] = (writer_job){.disk = disk};
        snprintf(jobs[i].name, sizeof jobs[i].name, "file-%d", i);
        snprintf(jobs[i].own, sizeof jobs[i].own, "put-%d", i);
        SOUK_MUST(souk_thread_start(&threads[i], jobs[i].name, run_writer, &jobs[i]));
    }
    for (int i = 0; i < 4; i++)
        souk_thread_join(&threads[i]);
    for (int i = 0; i < 4; i++)
        SOUK_CHECK(jobs[i].err == SOUK_OK);
}

SOUK_TEST("the simulated disk tells what its plan struck first")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_file) file = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(souk_file_open(disk, "keys", SOUK_FILE_CREATE, &file));
    souk_sim_plan(disk, (souk_sim_faults){.fail_at = 2, .fail_for_ever = true});
    SOUK_MUST(souk_file_write(file, "x", 1, 0));
    SOUK_CHECK(souk_sim_struck_by_plan(disk).op == SOUK_SIM_NOTHING);
    SOUK_CHECK_ERR(souk_file_sync(file), SOUK_EIO);
    SOUK_CHECK_ERR(souk_disk_remove(disk, "keys"), SOUK_EIO);
    souk_sim_struck struck = souk_sim_struck_by_plan(disk);
    SOUK_CHECK(struck.op == SOUK_SIM_SYNC && !strcmp(struck.name, "keys"));
    souk_sim_plan(disk, (souk_sim_faults){.fail_at = 1});
    SOUK_CHECK_ERR(souk_disk_rename(disk, "keys", "locks"), SOUK_EIO);
    SOUK_CHECK(souk_sim_struck_by_plan(disk).op == SOUK_SIM_RENAME);
}
