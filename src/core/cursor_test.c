/* cursor_test.c - each event once, in order, whatever fails and whenever the process ends. */
#include "test/test.h"

#include "core/cursor.h"
#include "core/log.h"
#include "core/quarantine.h"
#include "store/postgres_server.h"

enum { EVENTS = 400, BLOCK_MOST = 37 };

/* A reader that writes down the positions it took, and how it fails. */
struct reader {
    souk_test *test;
    souk_disk *disk;
    souk_ledger *ledger;
    souk_cursor *cursor;
    souk_clock_fake clock;
    bool unfit[EVENTS + 1]; /* by position: these never fit */
    unsigned weather;       /* one take in so many meets it; 0: none */
    uint64_t takes;
};

static souk_err take(void *context, souk_tx *tx, const souk_fact *fact, const souk_fact_line *lines)
{
    struct reader *reader = context;
    (void)lines;
    reader->takes++;
    if (reader->weather && test_random(reader->test, reader->weather) == 0)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_sql_run(tx, "INSERT INTO taken (position, at) VALUES (?1, ?2)",
                          SOUK_VALUES(SOUK_INT(fact->position), SOUK_INT(fact->at))));
    return reader->unfit[fact->position] ? SOUK_EOVERFLOW : SOUK_OK;
}

static souk_err append_block(souk_tx *tx, void *context)
{
    struct reader *reader = context;
    souk_mem *mem = reader->test->mem;
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto_value(souk_buf) bytes = {.mem = mem};
    unsigned char prefix[SOUK_BLOCK_PREFIX] = {1};
    uint64_t first;
    SOUK_TRY(souk_log_end(tx, &first));
    size_t count = souk_min_size(1 + test_random(reader->test, BLOCK_MOST), EVENTS + 1 - first);
    SOUK_TRY(souk_block_maker_new(mem, &maker));
    souk_block_begin(maker, first, prefix);
    for (size_t i = 0; i < count; i++) {
        souk_fact fact = {
            .position = first + i, .at = (souk_time)(1000 * (first + i)), .source = 1};
        souk_block_add(maker, &fact, NULL, (souk_hash128){first + i, 0}, NULL);
    }
    SOUK_TRY(souk_block_finish(maker, &bytes));
    return souk_log_append(tx, first, count, souk_buf_view(&bytes));
}

static souk_err make_table(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_script(tx, "CREATE TABLE IF NOT EXISTS taken ("
                               "position INTEGER PRIMARY KEY, at INTEGER NOT NULL)");
}

static souk_err log_end(souk_tx *tx, void *context)
{
    return souk_log_end(tx, context);
}

static souk_err open_reader(struct reader *reader)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    souk_cursor_options cursor = {.name = "test", .take = take, .context = reader};
    SOUK_TRY(test_ledger_open(reader->test->mem, reader->disk, "ledger", &options, &reader->ledger,
                              NULL));
    SOUK_TRY(souk_log_migrate(reader->ledger, NULL));
    SOUK_TRY(souk_ledger_write(reader->ledger, SOUK_LANE_JOB, make_table, NULL));
    return souk_cursor_open(reader->test->mem, reader->ledger, &reader->clock.clock, &cursor,
                            &reader->cursor, NULL);
}

static void close_reader(struct reader *reader)
{
    souk_cursor_free(souk_take(&reader->cursor));
    souk_ledger_free(souk_take(&reader->ledger));
}

static void begin(struct reader *reader, souk_test *test)
{
    *reader = (struct reader){.test = test};
    souk_clock_fake_init(&reader->clock, 1767268800000);
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &reader->disk));
    SOUK_MUST(open_reader(reader));
    uint64_t end = 0;
    while (end <= EVENTS) {
        SOUK_MUST(souk_ledger_write(reader->ledger, SOUK_LANE_JOB, append_block, reader));
        SOUK_MUST(souk_ledger_read(reader->ledger, log_end, &end));
    }
}

static void end(struct reader *reader)
{
    close_reader(reader);
    souk_disk_free(reader->disk);
}

struct sum {
    int64_t taken, wrong;
    uint64_t quarantined;
};

static souk_err count_taken(souk_tx *tx, void *context)
{
    struct sum *sum = context;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM taken", SOUK_NO_VALUES, &sum->taken));
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM taken WHERE at <> 1000 * position",
                              SOUK_NO_VALUES, &sum->wrong));
    return souk_quarantine_count(tx, &sum->quarantined);
}

static struct sum sum_of(struct reader *reader)
{
    souk_test *test = reader->test;
    struct sum sum;
    SOUK_MUST(souk_ledger_read(reader->ledger, count_taken, &sum));
    return sum;
}

/* To the end of the log, through every weather. */
static void read_all(struct reader *reader)
{
    souk_test *test = reader->test;
    bool did = true;
    while (did) {
        souk_err err = souk_cursor_step(reader->cursor, 1 + test_random(test, 60), &did);
        if (err)
            SOUK_CHECK(err == SOUK_ENOMEM && reader->weather);
        did |= err != SOUK_OK;
    }
}

SOUK_TEST("a cursor takes each event of the log once, and goes on where it stood")
{
    struct reader reader;
    bool did;
    begin(&reader, test);
    SOUK_MUST(souk_cursor_step(reader.cursor, 10, &did));
    uint64_t stood = souk_cursor_position(reader.cursor);
    SOUK_CHECK(did && stood > 1 && stood <= 11);
    close_reader(&reader);
    SOUK_MUST(open_reader(&reader));
    SOUK_CHECK(souk_cursor_position(reader.cursor) == stood);
    read_all(&reader);
    struct sum sum = sum_of(&reader);
    SOUK_CHECK(sum.taken == EVENTS && sum.wrong == 0 && sum.quarantined == 0);
    SOUK_CHECK(reader.takes == EVENTS && souk_cursor_position(reader.cursor) == EVENTS + 1);
    end(&reader);
}

static souk_err tell_one(void *context, const souk_quarantined *row)
{
    souk_test *test = context;
    SOUK_CHECK_TEXT(row->reader, "test");
    SOUK_CHECK(row->position == 7 && row->why == SOUK_EOVERFLOW && row->at == 1767268800000);
    return SOUK_OK;
}

static souk_err list(souk_tx *tx, void *context)
{
    return souk_quarantine_list(tx, SOUK_TEXT(""), 0, 10, tell_one, context);
}

SOUK_TEST("an event that does not fit is tried twice, quarantined with its reason, and taken once "
          "it fits")
{
    struct reader reader;
    begin(&reader, test);
    reader.unfit[7] = true;
    read_all(&reader);
    struct sum sum = sum_of(&reader);
    SOUK_CHECK(sum.taken == EVENTS - 1 && sum.quarantined == 1);
    SOUK_MUST(souk_ledger_read(reader.ledger, list, test));
    SOUK_CHECK_ERR(souk_cursor_retry(reader.cursor, 7), SOUK_EOVERFLOW);
    SOUK_CHECK_ERR(souk_cursor_retry(reader.cursor, 8), SOUK_ENOENT);
    SOUK_CHECK(sum_of(&reader).quarantined == 1);
    reader.unfit[7] = false;
    SOUK_MUST(souk_cursor_retry(reader.cursor, 7));
    sum = sum_of(&reader);
    SOUK_CHECK(sum.taken == EVENTS && sum.quarantined == 0);
    SOUK_CHECK_ERR(souk_cursor_retry(reader.cursor, 7), SOUK_ENOENT);
    end(&reader);
}

SOUK_TEST("a cursor's output is whole through unfit events, weather and power cuts")
{
    for (unsigned round = 0; round < 6; round++) {
        struct reader reader;
        int64_t unfit = 0;
        begin(&reader, test);
        for (size_t i = 1; i <= EVENTS; i++)
            unfit += reader.unfit[i] = test_random(test, 20) == 0;
        reader.weather = 50;
        for (unsigned life = 0; life < 12; life++) {
            bool did = true;
            souk_err err = SOUK_OK;
            souk_sim_plan(reader.disk, (souk_sim_faults){.cut_at = 1 + test_random(test, 60)});
            while (did && (!err || err == SOUK_ENOMEM))
                err = souk_cursor_step(reader.cursor, 1 + test_random(test, 60), &did);
            close_reader(&reader);
            souk_sim_power_on(reader.disk);
            souk_sim_plan(reader.disk, (souk_sim_faults){0});
            SOUK_MUST(open_reader(&reader));
        }
        read_all(&reader);
        struct sum sum = sum_of(&reader);
        SOUK_CHECK(sum.taken == EVENTS - unfit && sum.quarantined == (uint64_t)unfit);
        SOUK_CHECK(sum.wrong == 0);
        end(&reader);
    }
}

static souk_err step_back(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_run(tx, "UPDATE cursor SET position = position - 1", SOUK_NO_VALUES);
}

SOUK_TEST("a cursor's row that was moved by another is noticed")
{
    struct reader reader;
    bool did;
    begin(&reader, test);
    SOUK_MUST(souk_cursor_step(reader.cursor, 10, &did));
    SOUK_MUST(souk_ledger_write(reader.ledger, SOUK_LANE_JOB, step_back, NULL));
    SOUK_CHECK_ERR(souk_cursor_step(reader.cursor, 10, &did), SOUK_ECONFLICT);
    end(&reader);
}

SOUK_TEST("a cursor that skips takes nothing before, and never goes back")
{
    struct reader reader;
    begin(&reader, test);
    SOUK_MUST(souk_cursor_skip(reader.cursor, 301));
    SOUK_MUST(souk_cursor_skip(reader.cursor, 5));
    close_reader(&reader);
    SOUK_MUST(open_reader(&reader));
    SOUK_CHECK(souk_cursor_position(reader.cursor) == 301);
    read_all(&reader);
    struct sum sum = sum_of(&reader);
    SOUK_CHECK(sum.taken == EVENTS - 300 && sum.wrong == 0);
    end(&reader);
}
