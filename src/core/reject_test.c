/* reject_test.c - events that could not be taken: kept, listed, sealed, replayed away. */
#include "test/test.h"

#include "core/reject_desk.h"

/* ---- keeping and listing --------------------------------------------------------------------- */

SOUK_TEST(
    "rejects are listed oldest first from after an id up to a limit, whole, also when reopened")
{
    WITH_DESK(desk)
    {
        SOUK_CHECK(is_list(test, &desk, 0, 10, "") && count_of(test, &desk) == 0);
        souk_reject two[] = {reject_of(3, "{\"a\":1}"), reject_of(1, "")};
        SOUK_MUST(souk_rejects_add(desk.rejects, two, 2));
        add(test, &desk, 2, "not JSON");
        SOUK_MUST(souk_rejects_add(desk.rejects, two, 0));
        for (int reopened = 0; reopened < 2; reopened++) {
            SOUK_CHECK(count_of(test, &desk) == 3);
            SOUK_CHECK(is_list(test, &desk, 0, 10, "1:3:{\"a\":1}\n2:1:\n3:2:not JSON\n"));
            SOUK_CHECK(is_list(test, &desk, 0, 2, "1:3:{\"a\":1}\n2:1:\n"));
            SOUK_CHECK(is_list(test, &desk, 2, 2, "3:2:not JSON\n"));
            SOUK_CHECK(is_list(test, &desk, 3, 2, "") && is_list(test, &desk, 0, 0, ""));
            desk_reopen(test, &desk);
        }
        struct listing list = {.end_after = 2};
        SOUK_CHECK_ERR(souk_rejects_each(desk.rejects, 0, 10, note, &list), SOUK_ESTOPPED);
        SOUK_CHECK(!strcmp(list.words, "1:3:{\"a\":1}\n2:1:\n"));
    }
}

SOUK_TEST("the sources of a page are told, each once")
{
    WITH_DESK(desk)
    {
        uint32_t sources[10];
        size_t count = 7;
        SOUK_MUST(souk_rejects_sources(desk.rejects, 0, 10, sources, &count));
        SOUK_CHECK(count == 0);
        for (uint32_t i = 0; i < 9; i++)
            add(test, &desk, 5 + i / 4, "text"); /* 5 5 5 5 6 6 6 6 7 */
        SOUK_MUST(souk_rejects_sources(desk.rejects, 0, 10, sources, &count));
        SOUK_CHECK(count == 3);
        SOUK_MUST(souk_rejects_sources(desk.rejects, 2, 4, sources, &count));
        SOUK_CHECK(count == 2 && sources[0] + sources[1] == 5 + 6);
        SOUK_MUST(souk_rejects_sources(desk.rejects, 8, 4, sources, &count));
        SOUK_CHECK(count == 1 && sources[0] == 7);
    }
}

SOUK_TEST("one is read with its source, behind what the buffer holds; what is not there is told")
{
    WITH_DESK(desk)
    {
        souk_auto_value(souk_buf) text = {.mem = test->mem};
        static const uint64_t none[] = {0, 1, 3, 4, INT64_MAX, (uint64_t)1 << 63, UINT64_MAX};
        uint32_t source = 77;
        for (int i = 0; i < 2; i++)
            add(test, &desk, 5, "first");
        SOUK_MUST(souk_rejects_remove(desk.rejects, 1));
        souk_buf_text(&text, SOUK_TEXT("before "));
        for (size_t i = 0; i < sizeof none / sizeof *none; i++)
            SOUK_CHECK_ERR(souk_rejects_read(desk.rejects, none[i], &source, NULL, &text),
                           SOUK_ENOENT);
        SOUK_CHECK(source == 77);
        SOUK_MUST(souk_rejects_read(desk.rejects, 2, &source, NULL, &text));
        SOUK_CHECK(source == 5);
        SOUK_CHECK_TEXT(souk_buf_view(&text), "before first");
    }
}

SOUK_TEST("a text is kept up to its ceiling, with every byte there is")
{
    WITH_DESK(desk)
    {
        enum { LONG = SOUK_REJECT_BYTES + 1000 };
        char *given = souk_mem_array(test->mem, LONG, 1);
        for (size_t i = 0; i < LONG; i++)
            given[i] = (char)(i * 7);
        souk_reject one = reject_of(1, "");
        static const size_t lengths[] = {256, SOUK_REJECT_BYTES - 1, SOUK_REJECT_BYTES,
                                         SOUK_REJECT_BYTES + 1, LONG};
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            souk_auto_value(souk_buf) text = {.mem = test->mem};
            uint32_t source;
            one.text = (souk_text){given, lengths[i]};
            SOUK_MUST(souk_rejects_add(desk.rejects, &one, 1));
            SOUK_MUST(souk_rejects_read(desk.rejects, i + 1, &source, NULL, &text));
            SOUK_CHECK(text.bytes == souk_min_size(lengths[i], SOUK_REJECT_BYTES));
            SOUK_CHECK(!memcmp(text.at, given, text.bytes));
        }
        souk_mem_put(test->mem, given);
    }
}

static void set_last_id(souk_test *test, struct desk *desk, unsigned id)
{
    char sql[120];
    snprintf(sql, sizeof sql,
             test_on_postgres() ? "SELECT setval(pg_get_serial_sequence('reject', 'id'), %u)"
                                : "UPDATE sqlite_sequence SET seq = %u WHERE name = 'reject'",
             id);
    must_sql(test, desk, sql);
}

SOUK_TEST("above the ceiling of rejects the oldest go first, and ids are never given twice")
{
    WITH_DESK(desk)
    {
        for (uint32_t i = 1; i <= 3; i++)
            add(test, &desk, i, "old");
        /* As if 99,998 others had come and gone. */
        set_last_id(test, &desk, 100000);
        add(test, &desk, 4, "new");
        SOUK_CHECK(is_list(test, &desk, 0, 10, "2:2:old\n3:3:old\n100001:4:new\n"));
        souk_reject two[] = {reject_of(5, "new"), reject_of(6, "new")};
        SOUK_MUST(souk_rejects_add(desk.rejects, two, 2));
        SOUK_CHECK(is_list(test, &desk, 0, 10, "100001:4:new\n100002:5:new\n100003:6:new\n"));
        SOUK_MUST(souk_rejects_remove(desk.rejects, 100003));
        desk_reopen(test, &desk);
        add(test, &desk, 7, "newer");
        SOUK_CHECK(is_list(test, &desk, 100002, 10, "100004:7:newer\n"));
    }
}

SOUK_TEST(
    "above the ceiling of bytes the oldest go first, those of an older ledger before all others")
{
    char text[1000], sql[200];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    WITH_DESK(desk)
    {
        add(test, &desk, 1, "a");
        must_sql(test, &desk, "UPDATE reject SET upto = 0"); /* as a ledger from before has it */
        add(test, &desk, 2, text);
        add(test, &desk, 3, "b");
        /* As though the third were so large that it and another two of one byte fill the room. */
        snprintf(sql, sizeof sql, "UPDATE reject SET upto = upto + %d WHERE id = 3",
                 SOUK_REJECTS_BYTES - 3 * (1 + SOUK_VAULT_TAG_BYTES));
        must_sql(test, &desk, sql);
        SOUK_CHECK(count_of(test, &desk) == 3);
        add(test, &desk, 4, "c"); /* the first goes, whose bytes nobody counted */
        SOUK_CHECK(count_of(test, &desk) == 3);
        add(test, &desk, 5, "d");
        SOUK_CHECK(is_list(test, &desk, 0, 10, "3:3:b\n4:4:c\n5:5:d\n"));
        SOUK_CHECK(souk_rejects_dropped(desk.rejects) == 0);
        SOUK_MUST(souk_rejects_sweep(desk.rejects));
        SOUK_CHECK(souk_rejects_dropped(desk.rejects) == 2);
        for (uint64_t id = 3; id <= 5; id++)
            SOUK_MUST(souk_rejects_remove(desk.rejects, id));
        add(test, &desk, 6, text); /* where there is none the sum begins anew */
        add(test, &desk, 7, "e");
        SOUK_CHECK(count_of(test, &desk) == 2);
    }
}

SOUK_TEST("what went at the ceiling is counted by the sweep, and no copy of it opens any more")
{
    WITH_DESK(desk)
    {
        struct stored copies[3];
        for (uint32_t i = 0; i < 3; i++) {
            add(test, &desk, i, "old");
            copies[i] = stored_of(test, &desk, i + 1);
        }
        set_last_id(test, &desk, 100001);
        add(test, &desk, 4, "new");
        SOUK_MUST(souk_rejects_sweep(desk.rejects));
        SOUK_CHECK(souk_rejects_dropped(desk.rejects) == 2);
        SOUK_CHECK_ERR(open_stored(&desk, &copies[0]), SOUK_EERASED);
        SOUK_CHECK_ERR(open_stored(&desk, &copies[1]), SOUK_EERASED);
        SOUK_MUST(open_stored(&desk, &copies[2]));
        add(test, &desk, 5, "new");
        desk_reopen(test, &desk); /* it sweeps */
        SOUK_CHECK_ERR(open_stored(&desk, &copies[2]), SOUK_EERASED);
        SOUK_CHECK(souk_rejects_dropped(desk.rejects) == 1 && count_of(test, &desk) == 2);
        SOUK_MUST(souk_rejects_sweep(desk.rejects));
        SOUK_CHECK(souk_rejects_dropped(desk.rejects) == 1);
    }
}

struct putting {
    struct desk *desk;
    souk_err end;
};

static souk_err put_then(souk_tx *tx, void *context)
{
    const struct putting *putting = context;
    souk_reject one = reject_of(9, "with its batch");
    SOUK_TRY(souk_rejects_put(putting->desk->rejects, tx, &one, 1));
    return putting->end;
}

SOUK_TEST("a reject put in a transaction stands and falls with it")
{
    WITH_DESK(desk)
    {
        struct putting putting = {&desk, SOUK_ECONFLICT};
        SOUK_CHECK_ERR(souk_ledger_write(desk.ledger, SOUK_LANE_INGEST, put_then, &putting),
                       SOUK_ECONFLICT);
        SOUK_CHECK(count_of(test, &desk) == 0);
        putting.end = SOUK_OK;
        SOUK_MUST(souk_ledger_write(desk.ledger, SOUK_LANE_INGEST, put_then, &putting));
        /* A number that was undone is not given again there. */
        SOUK_CHECK(is_list(test, &desk, 0, 10,
                           test_on_postgres() ? "2:9:with its batch\n" : "1:9:with its batch\n"));
    }
}

SOUK_TEST("a reject is durable when its adding is answered: a power cut right after keeps it")
{
    if (test_on_postgres())
        return; /* the disk is the server's */
    if (test_on_postgres())
        return; /* the disk is the server's */
    WITH_DESK(desk)
    {
        for (uint32_t round = 1; round <= 20; round++) {
            add(test, &desk, round, "durable");
            souk_sim_plan(desk.disk, (souk_sim_faults){.cut_at = 1});
            souk_reject lost = reject_of(99, "cut off");
            SOUK_CHECK(souk_rejects_add(desk.rejects, &lost, 1) != SOUK_OK);
            souk_rejects_free(souk_take(&desk.rejects));
            souk_ledger_free(souk_take(&desk.ledger));
            souk_vault_free(souk_take(&desk.vault));
            souk_sim_power_on(desk.disk);
            open_rooms(test, &desk);
            SOUK_MUST(souk_rejects_open(desk.mem, desk.ledger, desk.vault, &desk.rejects, NULL));
            SOUK_CHECK(count_of(test, &desk) == round);
        }
    }
}

/* ---- sealed ---------------------------------------------------------------------------------- */

struct search {
    souk_text wanted;
    size_t found;
};

static void search_file(void *context, const char *name, const void *at, size_t bytes)
{
    struct search *search = context;
    (void)name;
    search->found += bytes && memmem(at, bytes, search->wanted.at, search->wanted.bytes) != NULL;
}

static size_t on_disk(const struct desk *desk, const char *wanted)
{
    struct search search = {.wanted = souk_text_of(wanted)};
    souk_sim_scan(desk->disk, search_file, &search);
    return search.found;
}

SOUK_TEST("no file on the disk holds a reject's text, what is said of it stands in the clear")
{
    if (test_on_postgres())
        return; /* the disk is the server's */
    if (test_on_postgres())
        return; /* the disk is the server's */
    WITH_DESK(desk)
    {
        souk_reject marked = reject_of(1, "{\"email\":\"marker-of-anna@example.com\"}");
        marked.fault = SOUK_TEXT("marker of the fault");
        marked.where = SOUK_TEXT("marker of the place");
        SOUK_MUST(souk_rejects_add(desk.rejects, &marked, 1));
        for (int reopened = 0; reopened < 2; reopened++) {
            SOUK_CHECK(on_disk(&desk, "marker-of-anna") == 0);
            SOUK_CHECK(on_disk(&desk, "{\"email\"") == 0);
            SOUK_CHECK(on_disk(&desk, "marker of the fault") > 0);
            SOUK_CHECK(on_disk(&desk, "marker of the place") > 0);
            desk_reopen(test, &desk);
        }
        /* Planted: a text beside the seal would be seen. */
        must_sql(test, &desk, "UPDATE reject SET fault = 'marker-of-anna@example.com'");
        SOUK_CHECK(on_disk(&desk, "marker-of-anna") > 0);
    }
}

SOUK_TEST("each text has a key and a nonce of its own, which nothing else is given after a restart")
{
    WITH_DESK(desk)
    {
        enum { MANY = 40 };
        struct stored stored[MANY];
        for (uint32_t i = 0; i < MANY; i++)
            add(test, &desk, 1, "the same");
        for (uint32_t i = 0; i < MANY; i++) {
            stored[i] = stored_of(test, &desk, i + 1);
            for (uint32_t k = 0; k < i; k++)
                SOUK_CHECK(stored[i].slot != stored[k].slot &&
                           memcmp(stored[i].nonce, stored[k].nonce, 24) != 0 &&
                           memcmp(stored[i].sealed, stored[k].sealed, 8) != 0);
        }
        desk_reopen(test, &desk);
        for (uint32_t i = 0; i < 64 - MANY; i++) { /* all that is left of the block */
            uint32_t slot;
            SOUK_MUST(souk_vault_take(desk.vault, &slot));
            for (uint32_t k = 0; k < MANY; k++)
                SOUK_CHECK(slot != stored[k].slot);
        }
        SOUK_CHECK(souk_vault_stats_of(desk.vault).free_slots == 0);
    }
}

SOUK_TEST("a text that was damaged, or put in another's place, is told and not shown")
{
    WITH_DESK(desk)
    {
        souk_auto_value(souk_buf) text = {.mem = test->mem};
        uint32_t source;
        for (int i = 0; i < 3; i++)
            add(test, &desk, 1, "whole");
        must_sql(
            test, &desk,
            "UPDATE reject SET sealed = (SELECT sealed FROM reject WHERE id = 3) WHERE id = 1");
        must_sql(test, &desk, "UPDATE reject SET sealed = x'00' WHERE id = 2");
        for (uint64_t id = 1; id <= 2; id++)
            SOUK_CHECK_ERR(souk_rejects_read(desk.rejects, id, &source, NULL, &text),
                           SOUK_ECORRUPT);
        SOUK_CHECK(text.bytes == 0);
        SOUK_MUST(souk_rejects_read(desk.rejects, 3, &source, NULL, &text));
    }
}

/* ---- removing -------------------------------------------------------------------------------- */

SOUK_TEST("a removed reject is gone with its key: a copy of its sealed bytes opens no more")
{
    WITH_DESK(desk)
    {
        add(test, &desk, 1, "mended and replayed");
        add(test, &desk, 2, "stays");
        struct stored copy = stored_of(test, &desk, 1), other = stored_of(test, &desk, 2);
        SOUK_MUST(open_stored(&desk, &copy));
        SOUK_MUST(souk_rejects_remove(desk.rejects, 1));
        SOUK_CHECK_ERR(souk_rejects_remove(desk.rejects, 1), SOUK_ENOENT);
        SOUK_CHECK_ERR(souk_rejects_remove(desk.rejects, 3), SOUK_ENOENT);
        for (int reopened = 0; reopened < 2; reopened++) {
            SOUK_CHECK_ERR(open_stored(&desk, &copy), SOUK_EERASED);
            SOUK_MUST(open_stored(&desk, &other));
            SOUK_CHECK(is_list(test, &desk, 0, 10, "2:2:stays\n"));
            desk_reopen(test, &desk);
        }
    }
}

SOUK_TEST(
    "a removal cut off anywhere leaves the reject whole, or gone with its key at the next start")
{
    if (test_on_postgres())
        return; /* the disk is the server's */
    unsigned whole = 0, gone = 0;
    for (uint64_t cut = 1; cut <= 40; cut++)
        WITH_DESK(desk)
        {
            add(test, &desk, 1, "cut off");
            struct stored copy = stored_of(test, &desk, 1);
            souk_sim_plan(desk.disk, (souk_sim_faults){.cut_at = cut});
            souk_err err = souk_rejects_remove(desk.rejects, 1);
            souk_rejects_free(souk_take(&desk.rejects));
            souk_ledger_free(souk_take(&desk.ledger));
            souk_vault_free(souk_take(&desk.vault));
            souk_sim_power_on(desk.disk);
            open_rooms(test, &desk);
            SOUK_MUST(souk_rejects_open(desk.mem, desk.ledger, desk.vault, &desk.rejects, NULL));
            bool there = count_of(test, &desk) == 1;
            SOUK_CHECK(err || !there);
            SOUK_CHECK_ERR(open_stored(&desk, &copy), there ? SOUK_OK : SOUK_EERASED);
            whole += there;
            gone += !there && err;
        }
    SOUK_CHECK(whole && gone);
}

SOUK_TEST(
    "a key to destroy that an older key file lacks is let go: its slot may be another's one day")
{
    WITH_DESK(desk)
    {
        must_sql(test, &desk, "INSERT INTO reject_gone (slot, dropped) VALUES (1000000, 1)");
        desk_reopen(test, &desk);
        SOUK_CHECK(souk_rejects_dropped(desk.rejects) == 0);
        /* It is in the table no more, or this would conflict. */
        must_sql(test, &desk, "INSERT INTO reject_gone (slot, dropped) VALUES (1000000, 1)");
    }
}

SOUK_TEST("a reject whose key is destroyed is passed over")
{
    WITH_DESK(desk)
    {
        souk_auto_value(souk_buf) text = {.mem = test->mem};
        uint32_t source;
        for (uint32_t i = 1; i <= 3; i++)
            add(test, &desk, i, "text");
        struct stored second = stored_of(test, &desk, 2);
        SOUK_MUST(souk_vault_destroy(desk.vault, &second.slot, 1));
        SOUK_CHECK(is_list(test, &desk, 0, 10, "1:1:text\n3:3:text\n"));
        SOUK_CHECK_ERR(souk_rejects_read(desk.rejects, 2, &source, NULL, &text), SOUK_ENOENT);
        SOUK_MUST(souk_rejects_remove(desk.rejects, 2));
        SOUK_CHECK(count_of(test, &desk) == 2);
    }
}

/* ---- behind an id ------------------------------------------------------------------------------- */

struct behind {
    uint64_t after, count, newest;
};

static souk_err count_behind(souk_tx *tx, void *context)
{
    struct behind *behind = context;
    return souk_rejects_behind(tx, behind->after, &behind->count, &behind->newest);
}

SOUK_TEST("rejects behind an id are counted, and the newest of them named")
{
    WITH_DESK(desk)
    {
        struct behind behind = {.after = 0};
        SOUK_MUST(souk_ledger_read(desk.ledger, count_behind, &behind));
        SOUK_CHECK(behind.count == 0 && behind.newest == 0);
        for (int i = 0; i < 4; i++)
            add(test, &desk, 5, "one");
        SOUK_MUST(souk_rejects_remove(desk.rejects, 3));
        behind.after = 1;
        SOUK_MUST(souk_ledger_read(desk.ledger, count_behind, &behind));
        SOUK_CHECK(behind.count == 2 && behind.newest == 4);
        behind.after = 4;
        SOUK_MUST(souk_ledger_read(desk.ledger, count_behind, &behind));
        SOUK_CHECK(behind.count == 0 && behind.newest == 4);
    }
}
