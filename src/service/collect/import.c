/* import.c - files into batches, batches into the log (import.h).
 *
 * Three batches are under way: one being filled here, the others waiting for or in the writer's
 * transaction.  What is told as progress is durable: the rows of batches that were answered. */
#include "service/collect/import.h"

#include "base/json_write.h"
#include "core/pack.h"
#include "core/reject.h"
#include "core/task.h"
#include "os/thread.h"
#include "service/collect/inflate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH_EVENTS = 2000, BATCHES = 3, CUSTOMER_TABLE = 1 << 16, FAULTS_KEPT = 1000 };
enum { PIECE_BYTES = 1 << 18 };
static const size_t INFLATED_MOST = (size_t)4 << 30;

static const souk_import_format *const formats[] = {&souk_import_online_retail};

/* The file's bytes, read piece by piece or inflated.  Not mapped: a file that is cut while it is read, or lies on
 * a disk that fails, would stop the process (SIGBUS) and with it the server. */
struct file {
    const char *path;
    int fd;        /* -1: its text lies inflated in memory */
    size_t bytes;  /* of the text; of a plain file as it was when it was opened */
    size_t at;     /* read so far */
    souk_buf room; /* the inflated text, or the present piece */
    souk_text piece;
    souk_hash128 read;    /* of all pieces so far */
    souk_hash128 content; /* of all pieces: what a resumed import recognises */
};

struct slot {
    souk_batch batch;
    struct run *run;
    souk_event *events; /* [BATCH_EVENTS] */
    souk_arena arena;
    bool busy;
    uint64_t rows_through; /* rows of the file up to the end of this batch */
};

struct run {
    souk_mem *mem;
    souk_import *import;
    const souk_import_format *format;
    souk_text *heading;
    void *state;
    souk_packer *packer;
    souk_buf body, packed;
    struct slot slots[BATCHES];
    size_t filling;
    souk_mutex mutex;
    souk_cond answered;
    souk_err err; /* of any batch */
    uint64_t durable_rows;
    souk_task task;
    uint64_t *customers; /* open addressing over 64 bits of identifiers */
    size_t customer_capacity;
};

/* ---- the file ---------------------------------------------------------------------------------------- */

static void file_done(struct file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    souk_buf_done(&file->room);
}

/* What is no regular file is not read: a pipe would wait for its writer for ever, a device has no end. */
static souk_err open_file(struct file *file, souk_diag *diag)
{
    struct stat status;
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file->fd < 0 || fstat(file->fd, &status) || !S_ISREG(status.st_mode))
        return souk_diag_say(diag, SOUK_ENOENT, "%s cannot be read: give the path of a CSV file",
                             file->path);
    file->bytes = (size_t)status.st_size;
    return SOUK_OK;
}

static souk_err say_changed(const struct file *file, souk_diag *diag)
{
    return souk_diag_say(diag, SOUK_ECONFLICT,
                         "%s changed while it was read: what was read so far is kept, import it "
                         "again when nobody writes to it",
                         file->path);
}

/* Appends the next bytes, at most so many, to the room. */
static souk_err read_bytes(struct file *file, size_t most, souk_diag *diag)
{
    size_t bytes = souk_min_size(most, file->bytes - file->at);
    char *to = souk_buf_room(&file->room, souk_max_size(bytes, 1));
    if (!to)
        return souk_buf_check(&file->room);
    while (bytes) {
        ssize_t got = pread(file->fd, to, bytes, (off_t)file->at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return souk_diag_say(diag, SOUK_EIO, "%s cannot be read: %s", file->path,
                                 strerror(errno));
        if (got == 0)
            return say_changed(file, diag);
        souk_buf_added(&file->room, (size_t)got);
        file->at += (size_t)got;
        to += got;
        bytes -= (size_t)got;
    }
    return SOUK_OK;
}

static void hash_piece(struct file *file)
{
    static const souk_hash_key plain_key = {{'f', 'i', 'l', 'e'}};
    souk_text parts[] = {{(const char *)&file->read, sizeof file->read}, file->piece};
    file->read = souk_hash128_of(&plain_key, parts, 2);
}

/* The next piece; empty at the end, where the whole must be what it was at first. */
static souk_err next_piece(struct file *file, souk_diag *diag)
{
    if (file->fd < 0) {
        file->piece = souk_buf_view(&file->room);
        file->piece.at += file->at;
        file->piece.bytes = souk_min_size(PIECE_BYTES, file->bytes - file->at);
        file->at += file->piece.bytes;
    } else {
        souk_buf_clear(&file->room);
        SOUK_TRY(read_bytes(file, PIECE_BYTES, diag));
        file->piece = souk_buf_view(&file->room);
    }
    hash_piece(file);
    return SOUK_OK;
}

static void read_from_start(struct file *file)
{
    file->at = 0;
    file->read = (souk_hash128){0};
}

static souk_err inflate_file(struct file *file, souk_diag *diag)
{
    souk_buf inflated = {.mem = file->room.mem, .limit_bytes = INFLATED_MOST};
    read_from_start(file);
    souk_buf_clear(&file->room);
    file->room.limit_bytes = INFLATED_MOST;
    SOUK_TRY(read_bytes(file, file->bytes, diag));
    souk_err err = souk_inflate(souk_buf_view(&file->room), INFLATED_MOST, &inflated);
    souk_buf_done(&file->room);
    file->room = inflated;
    close(file->fd);
    file->fd = -1;
    file->bytes = inflated.bytes;
    if (err == SOUK_ETOOBIG || err == SOUK_ESYNTAX)
        return souk_diag_say(diag, err, "%s: the gzip file is %s", file->path,
                             err == SOUK_ETOOBIG ? "above 4 GiB inflated: split it"
                                                 : "damaged or cut off");
    return err;
}

static souk_err read_file(struct file *file, souk_diag *diag)
{
    SOUK_TRY(open_file(file, diag));
    SOUK_TRY(next_piece(file, diag));
    if (souk_is_gzip(file->piece))
        SOUK_TRY(inflate_file(file, diag));
    read_from_start(file);
    do
        SOUK_TRY(next_piece(file, diag));
    while (file->piece.bytes);
    file->content = file->read;
    read_from_start(file);
    return SOUK_OK;
}

/* ---- batches ----------------------------------------------------------------------------------------- */

static void batch_done(souk_batch *batch, souk_err err)
{
    struct slot *slot = batch->context;
    struct run *run = slot->run;
    souk_auto_lock(&run->mutex);
    if (err && !run->err)
        run->err = err;
    if (!err) {
        run->import->events += batch->accepted;
        run->import->repeats += batch->repeats;
        if (!run->err && slot->rows_through > run->durable_rows) /* answers come in order */
            run->durable_rows = slot->rows_through;
    }
    slot->busy = false;
    souk_cond_signal(&run->answered);
}

static souk_err wait_for(struct run *run, struct slot *slot)
{
    souk_auto_lock(&run->mutex);
    while (slot->busy)
        souk_cond_wait(&run->answered, &run->mutex);
    return run->err;
}

/* A full queue is answered by waiting: nobody hurries an import. */
static souk_err submit(struct run *run, struct slot *slot)
{
    slot->batch.events = slot->events;
    slot->batch.source = run->import->source;
    slot->batch.done = batch_done;
    slot->batch.context = slot;
    slot->busy = true;
    souk_err err;
    while ((err = souk_spine_submit(run->import->spine, &slot->batch)) == SOUK_EBUSY)
        usleep(1000);
    if (err)
        slot->busy = false;
    return err;
}

static souk_err send_batch(struct run *run, uint64_t rows)
{
    struct slot *slot = &run->slots[run->filling];
    slot->rows_through = rows;
    if (slot->batch.count)
        SOUK_TRY(submit(run, slot));
    run->filling = (run->filling + 1) % BATCHES;
    slot = &run->slots[run->filling];
    SOUK_TRY(wait_for(run, slot));
    slot->batch.count = 0;
    souk_arena_clear(&slot->arena);
    return SOUK_OK;
}

static souk_err finish_batches(struct run *run)
{
    souk_err first = SOUK_OK;
    for (size_t i = 0; i < BATCHES; i++) {
        souk_err err = wait_for(run, &run->slots[i]);
        first = first ? first : err;
    }
    return first;
}

/* ---- rows -------------------------------------------------------------------------------------------- */

static souk_err note_customer(struct run *run, const souk_event *event)
{
    if (event->id_count == 0)
        return SOUK_OK;
    uint64_t key = event->ids[0].hash.low | 1;
    if ((run->import->shoppers + 1) * 2 > run->customer_capacity) {
        size_t capacity = souk_max_size(CUSTOMER_TABLE, run->customer_capacity * 2);
        uint64_t *grown = souk_mem_array(run->mem, capacity, sizeof *grown);
        if (!grown)
            return SOUK_ENOMEM;
        for (size_t i = 0; i < run->customer_capacity; i++) {
            size_t at = run->customers[i] & (capacity - 1);
            while (run->customers[i] && grown[at])
                at = (at + 1) & (capacity - 1);
            if (run->customers[i])
                grown[at] = run->customers[i];
        }
        souk_mem_put(run->mem, run->customers);
        run->customers = grown;
        run->customer_capacity = capacity;
    }
    size_t mask = run->customer_capacity - 1, at = key & mask;
    while (run->customers[at] && run->customers[at] != key)
        at = (at + 1) & mask;
    run->import->shoppers += run->customers[at] == 0;
    run->customers[at] = key;
    return SOUK_OK;
}

/* The row as JSON under the heading's names, every field as the text it is. */
static souk_err write_body(struct run *run, const souk_csv_row *row)
{
    souk_json_writer writer;
    souk_buf_clear(&run->body);
    writer = (souk_json_writer){.out = &run->body};
    souk_json_write_object(&writer);
    for (size_t i = 0; i < row->field_count && run->format->columns[i]; i++) {
        if (row->fields[i].bytes == 0)
            continue;
        souk_json_write_key(&writer, souk_text_of(run->format->columns[i]));
        souk_json_write_text(&writer, row->fields[i]);
    }
    souk_json_write_end(&writer);
    return souk_json_write_check(&writer);
}

/* A reject and the note that its row has one are durable together, so that no other run adds it again. */
struct noting {
    struct run *run;
    souk_reject reject;
};

static souk_err note_reject(souk_tx *tx, void *context)
{
    const struct noting *noting = context;
    const struct run *run = noting->run;
    bool first;
    SOUK_TRY(souk_task_note(tx, &run->task, run->import->rows, &first));
    return first ? souk_rejects_put(souk_spine_rejects(run->import->spine), tx, &noting->reject, 1)
                 : SOUK_OK;
}

static souk_err reject_row(struct run *run, const souk_csv_row *row, const souk_diag *diag)
{
    char where[32];
    snprintf(where, sizeof where, "line %llu", (unsigned long long)row->line);
    run->import->rejected++;
    if (run->import->rejected > FAULTS_KEPT)
        return SOUK_OK;
    struct noting noting = {
        run,
        {.source = run->import->source,
         .at = souk_clock_now_ms(souk_spine_clock(run->import->spine)),
         .fault = souk_text_of(diag->words),
         .where = souk_text_of(where),
         .text = souk_buf_view(&run->body)},
    };
    return souk_ledger_write(souk_spine_ledger(run->import->spine), SOUK_LANE_INGEST, note_reject,
                             &noting);
}

static souk_err copy_fields(souk_arena *arena, const souk_csv_row *row, souk_csv_row *ret_row)
{
    souk_text *fields = souk_arena_get(arena, row->field_count * sizeof *fields);
    size_t bytes = 0;
    for (size_t i = 0; i < row->field_count; i++)
        bytes += row->fields[i].bytes;
    char *room = souk_arena_get(arena, bytes);
    if (arena->failed)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < row->field_count; i++) {
        if (row->fields[i].bytes)
            memcpy(room, row->fields[i].at, row->fields[i].bytes);
        fields[i] = (souk_text){room, row->fields[i].bytes};
        room += row->fields[i].bytes;
    }
    *ret_row = *row;
    ret_row->fields = fields;
    return SOUK_OK;
}

static souk_err take_row(struct run *run, const souk_csv_row *row)
{
    struct slot *slot = &run->slots[run->filling];
    souk_event *event = &slot->events[slot->batch.count];
    souk_diag fault = {.words = ""};
    souk_csv_row kept;
    SOUK_TRY(copy_fields(&slot->arena, row, &kept));
    *event = (souk_event){.received = souk_clock_now_ms(souk_spine_clock(run->import->spine))};
    SOUK_TRY(write_body(run, &kept));
    souk_err err = run->format->row(run->state, run->mem, souk_spine_hashes(run->import->spine),
                                    run->import->source, &kept, &slot->arena, event, &fault);
    if (err == SOUK_EINVAL)
        return reject_row(run, &kept, &fault);
    SOUK_TRY(err);
    SOUK_TRY(note_customer(run, event));
    if (run->import->rows <= run->task.done) { /* durable since an earlier run */
        run->import->resumed++;
        run->import->repeats++;
        if (slot->batch.count == 0)
            souk_arena_clear(&slot->arena);
        return SOUK_OK;
    }
    souk_buf_clear(&run->packed);
    SOUK_TRY(souk_pack(run->packer, souk_buf_view(&run->body), &run->packed));
    event->packed.at = souk_arena_copy(&slot->arena, run->packed.at, run->packed.bytes);
    event->packed.bytes = run->packed.bytes;
    slot->batch.count++;
    return slot->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

/* What is durable, for the run that goes on from there. */
static souk_err tell_task(struct run *run)
{
    const souk_import *import = run->import;
    uint64_t durable;
    {
        souk_auto_lock(&run->mutex);
        durable = run->durable_rows;
    }
    if (durable <= run->task.done)
        return SOUK_OK;
    return souk_task_progress(souk_spine_ledger(import->spine), &run->task, durable, 0,
                              souk_clock_now_ms(souk_spine_clock(import->spine)));
}

static souk_err tell_progress(struct run *run, const struct file *file)
{
    const souk_import *import = run->import;
    SOUK_TRY(tell_task(run));
    if (import->progress)
        return import->progress(import->context, file->at - file->piece.bytes, file->bytes);
    return SOUK_OK;
}

static souk_err check_heading(const souk_import_format *format, const souk_csv_row *row,
                              souk_diag *diag)
{
    for (size_t i = 0; format->columns[i]; i++)
        if (i >= row->field_count ||
            !souk_text_equal(souk_text_trim(row->fields[i]), souk_text_of(format->columns[i])))
            return souk_diag_say(
                diag, SOUK_EINVAL,
                "line 1: column %zu should be '%s': this is not a file of format %s", i + 1,
                format->columns[i], format->name);
    return SOUK_OK;
}

static souk_err read_piece(struct run *run, const struct file *file, souk_csv *csv,
                           bool *is_heading, souk_diag *diag)
{
    souk_csv_row row;
    souk_csv_feed(csv, file->piece, file->piece.bytes == 0);
    while (souk_csv_next(csv, &row)) {
        if (*is_heading) {
            SOUK_TRY(check_heading(run->format, &row, diag));
            *is_heading = false;
            continue;
        }
        run->import->rows++;
        SOUK_TRY(take_row(run, &row));
        if (run->slots[run->filling].batch.count < BATCH_EVENTS)
            continue;
        SOUK_TRY(send_batch(run, run->import->rows));
        SOUK_TRY(tell_progress(run, file));
    }
    return souk_csv_check(csv, diag);
}

static souk_err read_rows(struct run *run, struct file *file, souk_diag *diag)
{
    souk_auto(souk_csv) csv = NULL;
    bool is_heading = true;
    SOUK_TRY(souk_csv_new(run->mem, &(souk_csv_options){.max_row_bytes = 65536}, &csv));
    do {
        SOUK_TRY(next_piece(file, diag));
        SOUK_TRY(read_piece(run, file, csv, &is_heading, diag));
    } while (file->piece.bytes);
    if (is_heading)
        return souk_diag_say(diag, SOUK_EINVAL, "the file is empty");
    if (!souk_hash128_equal(file->read, file->content))
        return say_changed(file, diag);
    return send_batch(run, run->import->rows);
}

/* ---- the whole --------------------------------------------------------------------------------------- */

static souk_err run_import(struct run *run, struct file *file, souk_diag *diag)
{
    souk_import *import = run->import;
    souk_ledger *ledger = souk_spine_ledger(import->spine);
    const souk_clock *clock = souk_spine_clock(import->spine);
    char kind[64], content[2 * sizeof file->content + 1];
    souk_hex(&file->content, sizeof file->content, content);
    snprintf(kind, sizeof kind, "import %s %u", run->format->name, import->source);
    SOUK_TRY(souk_task_migrate(ledger, diag));
    SOUK_TRY(souk_task_begin(ledger, souk_text_of(kind), (souk_text){content, sizeof content - 1},
                             souk_clock_now_ms(clock), &run->task));
    souk_err err = read_rows(run, file, diag);
    souk_err finished = finish_batches(run);
    err = err ? err : finished;
    if (err) { /* the first error is the one to tell */
        /* Of a file that changed nobody knows which rows are durable: the next run looks at each. */
        finished = err == SOUK_ECONFLICT
                       ? souk_task_end(ledger, &run->task, souk_clock_now_ms(clock))
                       : tell_task(run);
        (void)finished;
        return err;
    }
    if (import->progress) { /* it is done, whatever the answer */
        err = import->progress(import->context, file->bytes, file->bytes);
        (void)err;
    }
    return souk_task_end(ledger, &run->task, souk_clock_now_ms(clock));
}

static souk_err make_run(struct run *run)
{
    souk_mutex_init(&run->mutex);
    souk_cond_init(&run->answered);
    run->body.mem = run->packed.mem = run->mem;
    run->state = souk_mem_get(run->mem, run->format->state_bytes);
    if (!run->state)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < BATCHES; i++) {
        struct slot *slot = &run->slots[i];
        slot->run = run;
        slot->arena.mem = run->mem;
        slot->events = souk_mem_array(run->mem, BATCH_EVENTS, sizeof *slot->events);
        if (!slot->events)
            return SOUK_ENOMEM;
    }
    return souk_packer_new(run->mem, &run->packer);
}

static void free_run(struct run *run)
{
    for (size_t i = 0; i < BATCHES; i++) {
        souk_arena_done(&run->slots[i].arena);
        souk_mem_put(run->mem, run->slots[i].events);
    }
    if (run->state)
        run->format->done(run->state, run->mem);
    souk_mem_put(run->mem, run->state);
    souk_mem_put(run->mem, run->customers);
    souk_packer_free(run->packer);
    souk_buf_done(&run->body);
    souk_buf_done(&run->packed);
    souk_cond_done(&run->answered);
    souk_mutex_done(&run->mutex);
    souk_mem_put(run->mem, run);
}

static const souk_import_format *find_format(souk_text name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (souk_text_equal(name, souk_text_of(formats[i]->name)))
            return formats[i];
    return NULL;
}

bool souk_import_known(souk_text format)
{
    return find_format(format) != NULL;
}

souk_err souk_import_file(souk_mem *mem, souk_import *import, souk_text format, const char *path,
                          souk_diag *diag)
{
    struct file file = {.path = path, .fd = -1, .room.mem = mem};
    struct run *run = souk_mem_get(mem, sizeof *run);
    if (!run)
        return SOUK_ENOMEM;
    run->mem = mem;
    run->import = import;
    run->format = find_format(format);
    if (!run->format) {
        souk_mem_put(mem, run);
        return souk_diag_say(diag, SOUK_EINVAL, "'%.*s' is no format; there is: online-retail",
                             SOUK_TEXT_PRINT(format));
    }
    souk_err err = make_run(run);
    if (!err)
        err = read_file(&file, diag);
    if (!err)
        err = run_import(run, &file, diag);
    free_run(run);
    file_done(&file);
    return err;
}
