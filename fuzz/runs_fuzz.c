/* runs_fuzz.c - a manifest or a run of any bytes is refused or read, and no call reads outside it.
 *
 *     first byte even: what follows is a manifest; odd: a run, whose first 84 bytes are its
 *     head and the rest what stands from byte 4096 on
 *
 * Checksums are made right first, or nothing behind them would ever be reached. */
#include "base/hash.h"
#include "core/runs_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { MOST = 1 << 16 };

static void set_crc(unsigned char *file, size_t bytes, size_t to, size_t from, size_t count)
{
    if (from <= bytes && count <= bytes - from)
        souk_put_u32(file + to, souk_crc32c(0, file + from, count));
}

/* The CRC of every block the index points at, as long as it lies inside. */
static void mend_blocks(unsigned char *file, size_t bytes, souk_run_layout layout, uint64_t pairs)
{
    for (uint64_t i = 0; i < (pairs + SOUK_RUN_BLOCK - 1) / SOUK_RUN_BLOCK && i < MOST; i++) {
        size_t entry = layout.offsets_at + i * 4;
        if (entry + 4 > bytes)
            return;
        size_t at = layout.blocks_at + (size_t)souk_get_u32(file + entry) * 8;
        if (at + SOUK_RUN_BLOCK_HEAD > bytes)
            continue;
        size_t count = pairs - i * SOUK_RUN_BLOCK < SOUK_RUN_BLOCK ? pairs - i * SOUK_RUN_BLOCK
                                                                   : SOUK_RUN_BLOCK;
        size_t block =
            SOUK_RUN_BLOCK_HEAD + (count * file[at + 4] + 7) / 8 + (count * file[at + 5] + 7) / 8;
        block = (block + 7) & ~(size_t)7;
        set_crc(file, bytes, at, at + 4, block - 4);
    }
}

static size_t make_run(const uint8_t *data, size_t bytes, unsigned char *file)
{
    size_t head = souk_min_size(bytes, SOUK_RUN_HEAD_BYTES);
    memcpy(file, data, head);
    memcpy(file, "SoukRun1", 8);
    memcpy(file + 4096, data + head, bytes - head);
    size_t total = 4096 + bytes - head;
    uint64_t pairs = souk_get_u64(file + 16), room = souk_get_u64(file + 24);
    if (room <= MOST && pairs <= room) {
        souk_run_layout layout = souk_run_layout_of(room, souk_get_u32(file + 12) & 1);
        uint64_t blocks = (pairs + SOUK_RUN_BLOCK - 1) / SOUK_RUN_BLOCK;
        if (total > layout.blocks_at)
            souk_put_u64(file + 32, total - layout.blocks_at);
        mend_blocks(file, total, layout, pairs);
        set_crc(file, total, 64, layout.filter_at, layout.filter_bytes);
        set_crc(file, total, 68, layout.keys_at, blocks * 8);
        set_crc(file, total, 72, layout.values_at, blocks * 8);
        set_crc(file, total, 76, layout.offsets_at, blocks * 4);
    }
    set_crc(file, total, 80, 0, 80);
    return total;
}

static souk_err put_bytes(souk_disk *disk, const char *name, const void *from, size_t bytes)
{
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, name, SOUK_FILE_TRUNCATE, &file));
    return souk_file_write(file, from, bytes, 0);
}

static souk_err ignore(void *context, uint64_t value)
{
    size_t *calls = context;
    (void)value;
    return ++*calls < 1000 ? SOUK_OK : SOUK_ETOOBIG;
}

static souk_err ask(souk_runs *runs, const uint8_t *data, size_t bytes)
{
    souk_runs_view view;
    uint64_t values[64], keys[64] = {0};
    size_t count, calls = 0;
    memcpy(keys, data, souk_min_size(bytes, sizeof keys / 2));
    for (size_t i = 0; i < 16; i++)
        keys[32 + i] = i;
    souk_runs_view_init(runs, &view);
    (void)!souk_runs_view_find_batch(&view, keys, 64, values);
    for (size_t i = 0; i < 64; i++) {
        (void)!souk_runs_last(&view, keys[i], keys[63 - i], 64, values, &count);
        (void)!souk_runs_find_all(&view, keys[i], ignore, &calls);
    }
    souk_err err = souk_runs_verify(&view);
    souk_runs_view_done(&view);
    return err;
}

static souk_err one(const uint8_t *data, size_t bytes)
{
    static unsigned char file[MOST + 8192];
    memset(file, 0, sizeof file);
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    souk_mem *mem = souk_mem_heap();
    souk_runs_options options = {.memory_count = 16, .fan = 2};
    SOUK_TRY(souk_disk_open_sim(mem, 1, &disk));
    SOUK_TRY(souk_disk_make_folder(disk, "runs"));
    if (data[0] % 2 == 0) {
        memcpy(file, data + 1, bytes - 1);
        if (bytes > 5)
            set_crc(file, bytes, bytes - 5, 0, bytes - 5);
        SOUK_TRY(put_bytes(disk, "runs/x-manifest", file, bytes - 1));
        return souk_runs_open(mem, disk, "x", &options, &runs);
    }
    size_t total = make_run(data + 1, bytes - 1, file);
    uint64_t pairs = souk_get_u64(file + 16);
    static souk_runs_manifest manifest;
    manifest = (souk_runs_manifest){
        .next_number = 2, .count = 2, .entries = {{0, pairs, 0}, {1, pairs, 0}}};
    SOUK_TRY(put_bytes(disk, "runs/x-0", file, total));
    SOUK_TRY(put_bytes(disk, "runs/x-1", file, total));
    SOUK_TRY(souk_runs_manifest_put(mem, disk, "x", &manifest));
    SOUK_TRY(souk_runs_open(mem, disk, "x", &options, &runs));
    souk_err err = ask(runs, data + 1, bytes - 1);
    for (bool did = true; did;) /* merges the two */
        SOUK_TRY(souk_runs_work(runs, &did));
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes > 1 && bytes < MOST)
        (void)!one(data, bytes);
    return 0;
}
