/* csv_test.c - csv.h against a parser that goes byte by byte over the whole text. */
#include "base/csv.h"
#include "test/test.h"

#include <stdio.h>

/* What a reading gives, printed: "[a|b]\n[c]\n" and the error's name at the end. */
static void print_row(souk_buf *out, const souk_csv_row *row)
{
    souk_buf_print(out, "%d.%d[", (int)row->number, (int)row->line);
    for (size_t i = 0; i < row->field_count; i++) {
        if (i)
            souk_buf_byte(out, '|');
        souk_buf_text(out, row->fields[i]);
    }
    souk_buf_append(out, "]\n", 2);
}

/* Reads text in chunks of chunk_bytes; 0: of random lengths.  Each chunk lives in memory of its
 * own, so that a slice kept too long is noticed. */
static souk_err read_all(souk_test *test, souk_text text, const souk_csv_options *options,
                         size_t chunk_bytes, souk_buf *out, souk_diag *diag)
{
    souk_auto(souk_csv) csv = NULL;
    SOUK_TRY(souk_csv_new(test->mem, options, &csv));
    bool last = false;
    while (!last) {
        size_t bytes = chunk_bytes ? chunk_bytes : test_random(test, 9);
        if (chunk_bytes == 0 && test_random(test, 20) == 0)
            bytes = test_random(test, 200);
        bytes = souk_min_size(bytes, text.bytes);
        last = bytes == text.bytes && (chunk_bytes || test_random(test, 2));
        char *chunk = souk_mem_get(souk_mem_heap(), bytes);
        if (bytes)
            memcpy(chunk, text.at, bytes);
        souk_csv_feed(csv, (souk_text){chunk, bytes}, last);
        souk_csv_row row;
        while (souk_csv_next(csv, &row))
            print_row(out, &row);
        souk_mem_put(souk_mem_heap(), chunk);
        if (text.bytes) {
            text.at += bytes;
            text.bytes -= bytes;
        }
        SOUK_TRY(souk_csv_check(csv, diag));
    }
    return souk_buf_check(out);
}

/* The model.  keep_cr plants the error of leaving the CR of a CRLF in the last field. */
static souk_err model_all(souk_text text, char delimiter, bool keep_cr, souk_buf *out)
{
    size_t at = 0;
    int number = 0, line = 1;
    if (souk_text_starts(text, SOUK_TEXT("\xEF\xBB\xBF")))
        at = 3;
    while (at < text.bytes) {
        souk_buf row = {0};
        int row_line = line;
        size_t row_start = at;
        souk_err err = SOUK_OK;
        for (bool row_done = false; !row_done && !err;) {
            bool quoted = at < text.bytes && text.at[at] == '"', closed = false;
            at += quoted;
            for (;; at++) {
                bool in = at < text.bytes;
                char c = in ? text.at[at] : '\n';
                bool crlf = c == '\r' && at + 1 < text.bytes && text.at[at + 1] == '\n';
                if (quoted && !closed) {
                    if (!in) {
                        err = SOUK_ESYNTAX;
                        break;
                    }
                    if (c == '"' && at + 1 < text.bytes && text.at[at + 1] == '"')
                        at++;
                    else if (c == '"') {
                        closed = true;
                        continue;
                    }
                    line += c == '\n';
                    souk_buf_byte(&row, c);
                } else if (c == delimiter) {
                    souk_buf_byte(&row, '|');
                    at++;
                    break;
                } else if (c == '\n' || crlf) {
                    if (crlf && keep_cr)
                        souk_buf_byte(&row, '\r');
                    at += crlf ? 2 : 1;
                    row_done = true;
                    break;
                } else if (c == '"' || closed) {
                    err = SOUK_ESYNTAX;
                    break;
                } else {
                    souk_buf_byte(&row, c);
                }
            }
        }
        bool blank = row.bytes == 0 && at - row_start <= 2 && !memchr(text.at + row_start, '"', 1);
        if (!err && !blank) {
            souk_buf_print(out, "%d.%d[", ++number, row_line);
            souk_buf_text(out, souk_buf_view(&row));
            souk_buf_append(out, "]\n", 2);
        }
        souk_buf_done(&row);
        if (err)
            return err;
        line++;
    }
    return SOUK_OK;
}

static souk_text random_csv(souk_test *test, char *room, size_t limit)
{
    size_t bytes = 0;
    static const char alphabet[] = "ab,,\n\r\"\"; ";
    static const char *const pieces[] = {"\r\n",
                                         "\"x,y\"",
                                         "\"a\"\"b\"",
                                         "\"\n\"",
                                         ",",
                                         "plain",
                                         "\xEF\xBB\xBF",
                                         "\"\"",
                                         "\n",
                                         "a,b,c\n",
                                         "\"long text with a\r\nline, inside\"",
                                         "\"\"\"\""};
    uint64_t noise = test_random(test, 3) ? 60 : 4;
    if (test_random(test, 10) == 0)
        bytes = (size_t)snprintf(room, limit, "\xEF\xBB\xBF");
    for (uint64_t n = test_random(test, 60); n && bytes + 80 < limit; n--) {
        if (test_random(test, noise) == 0)
            room[bytes++] = alphabet[test_random(test, sizeof alphabet - 1)];
        const char *piece = pieces[test_random(test, sizeof pieces / sizeof *pieces)];
        bytes += (size_t)snprintf(room + bytes, limit - bytes, "%s", piece);
        if (test_random(test, 4))
            room[bytes++] = test_random(test, 3) ? ',' : '\n';
    }
    return (souk_text){room, bytes};
}

/* How many of the random texts the reader and the model see differently. */
static int disagreements(souk_test *test, bool keep_cr, int *ret_good)
{
    int found = 0;
    for (int round = 0; round < 4000; round++) {
        char room[2000];
        souk_text text = random_csv(test, room, sizeof room);
        static const size_t chunk_bytes[] = {0, 1, 2, 3, 7, 63, 64, 65, 5000};
        souk_csv_options options = {.delimiter = test_random(test, 4) ? '\0' : ';'};
        souk_buf expected = {0}, got = {0};
        souk_err model = model_all(text, options.delimiter ? ';' : ',', keep_cr, &expected);
        souk_err err = read_all(test, text, &options,
                                chunk_bytes[(size_t)round % (sizeof chunk_bytes / sizeof(size_t))],
                                &got, NULL);
        found += err != model || !souk_text_equal(souk_buf_view(&got), souk_buf_view(&expected));
        *ret_good += !err;
        souk_buf_done(&expected);
        souk_buf_done(&got);
    }
    return found;
}

SOUK_TEST("random texts in random chunks read as byte by byte, and a kept CR would be noticed")
{
    int good = 0;
    SOUK_CHECK(disagreements(test, false, &good) == 0);
    SOUK_CHECK(good > 400 && good < 3600);
    SOUK_CHECK(disagreements(test, true, &good) > 0);
}

static void check_reads(souk_test *test, const char *text, const char *expected)
{
    for (size_t chunk = 1; chunk < 40; chunk++) {
        souk_auto_value(souk_buf) got = {.mem = test->mem};
        SOUK_MUST(read_all(test, souk_text_of(text), &(souk_csv_options){0}, chunk, &got, NULL));
        if (!souk_text_equal(souk_buf_view(&got), souk_text_of(expected)))
            test_fail(test, __FILE__, __LINE__, "'%s' in chunks of %zu gives '%.*s'", text, chunk,
                      SOUK_TEXT_PRINT(souk_buf_view(&got)));
    }
}

SOUK_TEST("the examples of RFC 4180 and the habits of spreadsheets are read")
{
    check_reads(test, "aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", "1.1[aaa|bbb|ccc]\n2.2[zzz|yyy|xxx]\n");
    check_reads(test, "aaa,bbb,ccc\r\nzzz,yyy,xxx", "1.1[aaa|bbb|ccc]\n2.2[zzz|yyy|xxx]\n");
    check_reads(test, "\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz", "1.1[aaa|b\r\nbb|ccc]\n2.3[zzz]\n");
    check_reads(test, "\"aaa\",\"b\"\"bb\",\"\"\"\"\n", "1.1[aaa|b\"bb|\"]\n");
    check_reads(test, "\xEF\xBB\xBF\"a\",b\n", "1.1[a|b]\n");
    check_reads(test, "\xEF\xBB", "1.1[\xEF\xBB]\n");
    check_reads(test, "a\n\n\r\nb\n", "1.1[a]\n2.4[b]\n");
    check_reads(test, "\"\"\n,\n", "1.1[]\n2.2[|]\n");
    check_reads(test, "a,\r", "1.1[a|\r]\n");
    check_reads(test, "a\rb,c\r\r\n", "1.1[a\rb|c\r]\n");
    check_reads(test, "a,b,", "1.1[a|b|]\n");
    check_reads(test, "", "");
    check_reads(test, "\r\n", "");
}

SOUK_TEST("a mistake is shown at its line and column")
{
    static const struct {
        const char *text;
        uint64_t line, column;
        const char *words;
    } rows[] = {
        {"a,b\nc,d\"e\nf\n", 2, 4, "row 2, field 2: a quote stands inside"},
        {"a,b\n\"c\" ,d\n", 2, 4, "row 2, field 1: text follows the closing quote"},
        {"a,b\n\"x\ny\",z\n\"c\n\nd", 6, 2, "row 3, field 1: its quote is never closed"},
        {"\"a\"\"b\"c\"", 1, 7, "row 1, field 1: text follows the closing quote"},
        {"\"\n\n\"x", 3, 2, "row 1, field 1: text follows the closing quote"},
        {"\"", 1, 2, "row 1, field 1: its quote is never closed"},
        {"\"a\"\r", 1, 4, "row 1, field 1: text follows the closing quote"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t chunk = 1; chunk < 20; chunk++) {
            souk_buf got = {0};
            souk_diag diag = {0};
            souk_err err = read_all(test, souk_text_of(rows[i].text), &(souk_csv_options){0}, chunk,
                                    &got, &diag);
            souk_buf_done(&got);
            SOUK_CHECK(err == SOUK_ESYNTAX);
            SOUK_CHECK(diag.line == rows[i].line && diag.column == rows[i].column);
            SOUK_CHECK(souk_text_starts(souk_text_of(diag.words), souk_text_of(rows[i].words)));
        }
}

static souk_err read_limited(souk_test *test, const char *text, size_t chunk, souk_diag *diag)
{
    souk_csv_options options = {.max_fields = 3, .max_row_bytes = 10};
    souk_buf got = {0};
    souk_err err = read_all(test, souk_text_of(text), &options, chunk, &got, diag);
    souk_buf_done(&got);
    return err;
}

SOUK_TEST("rows end at their ceilings, in every kind of chunk")
{
    for (size_t chunk = 1; chunk < 40; chunk++) {
        souk_diag diag = {0};
        SOUK_MUST(read_limited(test, "0123456789\r\n1,2,3\n\"23456\"\"\"\n", chunk, NULL));
        SOUK_MUST(read_limited(test, "0123456789", chunk, NULL));
        SOUK_CHECK_ERR(read_limited(test, "a\n1,2,3,4\n", chunk, &diag), SOUK_ETOOBIG);
        SOUK_CHECK(diag.line == 2 && strstr(diag.words, "row 2: "));
        SOUK_CHECK_ERR(read_limited(test, "0123456789a\n", chunk, NULL), SOUK_ETOOBIG);
        SOUK_CHECK_ERR(read_limited(test, "0123456789a", chunk, NULL), SOUK_ETOOBIG);
        SOUK_CHECK_ERR(read_limited(test, "\"1234\n6789a\"\n", chunk, NULL), SOUK_ETOOBIG);
        SOUK_CHECK_ERR(read_limited(test, "\"1234\n6789abcdefgh", chunk, NULL),
                       chunk < 18 ? SOUK_ETOOBIG : SOUK_ESYNTAX);
        SOUK_CHECK_ERR(read_limited(test, "a\"3\n6789abcdefgh", chunk, &diag), SOUK_ESYNTAX);
    }
    souk_csv *csv = NULL;
    for (int i = 0; i < 3; i++)
        SOUK_CHECK_ERR(souk_csv_new(test->mem, &(souk_csv_options){.delimiter = "\"\r\n"[i]}, &csv),
                       SOUK_EINVAL);
}

SOUK_TEST("fields without doubled quotes are slices of the chunk")
{
    souk_auto(souk_csv) csv = NULL;
    SOUK_MUST(souk_csv_new(test->mem, &(souk_csv_options){0}, &csv));
    static const char chunk[] = "plain,\"quo,ted\",\"dou\"\"bled\"\n";
    souk_csv_feed(csv, (souk_text){chunk, sizeof chunk - 1}, true);
    souk_csv_row row;
    SOUK_CHECK(souk_csv_next(csv, &row) && row.field_count == 3);
    SOUK_CHECK(row.fields[0].at == chunk && row.fields[1].at == chunk + 7);
    SOUK_CHECK(row.fields[2].at < chunk || row.fields[2].at > chunk + sizeof chunk);
    SOUK_CHECK_TEXT(row.fields[2], "dou\"bled");
    SOUK_CHECK(!souk_csv_next(csv, &row));
    SOUK_MUST(souk_csv_check(csv, NULL));
}

SOUK_TEST("many plain rows allocate no more than a few")
{
    souk_auto(souk_csv) csv = NULL;
    SOUK_MUST(souk_csv_new(test->mem, &(souk_csv_options){0}, &csv));
    souk_auto_value(souk_buf) text = {0};
    for (int i = 0; i < 1000; i++)
        souk_buf_print(&text, "%d,shelf,%d.50,GBP\n", i, i);
    uint64_t before = test->fault_calls, rows = 0;
    souk_csv_feed(csv, souk_buf_view(&text), true);
    souk_csv_row row;
    while (souk_csv_next(csv, &row))
        rows += row.field_count == 4;
    SOUK_CHECK(rows == 1000 && test->fault_calls - before == 1);
}

SOUK_TEST("a reader survives the lack of memory")
{
    static const char text[] = "a,b,c,d,e,f,g,h,i,j,k\r\n\"x\"\"y\",\"long long field\"\"\"\nlast";
    SOUK_FAULT_LOOP (test) {
        souk_auto_value(souk_buf) got = {0};
        souk_err err = read_all(test, souk_text_of(text), &(souk_csv_options){0}, 5, &got, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        SOUK_CHECK(err || souk_text_starts(souk_buf_view(&got), SOUK_TEXT("1.1[a|b|c|d|e|f|g")));
        test_fault_seen(test, err);
    }
}

static void check_writes(souk_test *test, bool guard, const char *field, const char *expected)
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_csv_writer writer = {.out = &out, .guard = guard};
    souk_csv_put(&writer, souk_text_of(field));
    souk_csv_put(&writer, SOUK_TEXT("."));
    souk_csv_end_row(&writer);
    SOUK_MUST(souk_buf_check(&out));
    char whole[200];
    snprintf(whole, sizeof whole, "%s,.\r\n", expected);
    SOUK_CHECK_TEXT(souk_buf_view(&out), whole);
}

SOUK_TEST("what a spreadsheet would run is written as text, and numbers stay numbers")
{
    static const struct {
        const char *field, *plain, *guarded;
    } rows[] = {
        {"plain", "plain", "plain"},
        {"=1+1", "=1+1", "'=1+1"},
        {"@SUM(1)", "@SUM(1)", "'@SUM(1)"},
        {"-0.5", "-0.5", "-0.5"},
        {"+44123", "+44123", "+44123"},
        {"+44 123", "+44 123", "'+44 123"},
        {"-1+2", "-1+2", "'-1+2"},
        {"-", "-", "'-"},
        {"-1.", "-1.", "'-1."},
        {"'=1", "'=1", "''=1"},
        {"'tis", "'tis", "'tis"},
        {"'5", "'5", "'5"},
        {"\tx", "\tx", "\"'\tx\""},
        {"\rx", "\"\rx\"", "\"'\rx\""},
        {"=\"a\"", "\"=\"\"a\"\"\"", "\"'=\"\"a\"\"\""},
        {"a;=1", "a;=1", "\"a;=1\""},
        {"\xEF\xBC\x9D"
         "1",
         "\xEF\xBC\x9D"
         "1",
         "'\xEF\xBC\x9D"
         "1"},
        {"a,b", "\"a,b\"", "\"a,b\""},
        {"\"", "\"\"\"\"", "\"\"\"\""},
        {"\xEF\xBB\xBFx", "\"\xEF\xBB\xBFx\"", "\"\xEF\xBB\xBFx\""},
        {"", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_writes(test, false, rows[i].field, rows[i].plain);
        check_writes(test, true, rows[i].field, rows[i].guarded);
    }
}

SOUK_TEST("what was written is read as it was")
{
    for (int round = 0; round < 2000; round++) {
        souk_auto_value(souk_buf) text = {.mem = test->mem}, expected = {.mem = test->mem};
        souk_auto_value(souk_buf) got = {.mem = test->mem};
        char delimiter = test_random(test, 2) ? '\t' : '\0';
        souk_csv_writer writer = {.out = &text, .delimiter = delimiter};
        int line = 1;
        for (int number = 1; number < 6; number++) {
            souk_buf_print(&expected, "%d.%d[", number, line);
            size_t count = 1 + test_random(test, 4);
            for (size_t i = 0; i < count; i++) {
                char field[8];
                size_t bytes = test_random(test, sizeof field);
                for (size_t j = 0; j < bytes; j++) {
                    field[j] = "ab,\t\n\r\"\xEF\xBB\xBF"[test_random(test, 10)];
                    line += field[j] == '\n';
                }
                souk_csv_put(&writer, (souk_text){field, bytes});
                if (i)
                    souk_buf_byte(&expected, '|');
                souk_buf_append(&expected, field, bytes);
            }
            souk_csv_end_row(&writer);
            souk_csv_end_row(&writer);
            souk_buf_append(&expected, "]\n", 2);
            line++;
        }
        SOUK_MUST(read_all(test, souk_buf_view(&text), &(souk_csv_options){.delimiter = delimiter},
                           0, &got, NULL));
        SOUK_CHECK(souk_text_equal(souk_buf_view(&got), souk_buf_view(&expected)));
    }
}

/* By hand: a cell that a sheet runs begins with one of these, and is no number. */
static bool runs(souk_text cell)
{
    bool number = false;
    if (cell.bytes == 0 || !memchr("=+-@\t\r\n", cell.at[0], 7))
        return false;
    for (size_t i = 1; i < cell.bytes; i++)
        if (!(cell.at[i] >= '0' && cell.at[i] <= '9'))
            return true;
        else
            number = true;
    return !number || (cell.at[0] != '-' && cell.at[0] != '+');
}

/* Writes the field guarded and reads the cell that a sheet is shown. */
static souk_text cell_of(souk_test *test, bool guard, souk_text field, souk_buf *text,
                         souk_csv *csv)
{
    souk_csv_writer writer = {.out = text, .guard = guard};
    souk_csv_row row;
    souk_csv_put(&writer, field);
    souk_csv_end_row(&writer);
    SOUK_MUST(souk_buf_check(text));
    souk_csv_feed(csv, souk_buf_view(text), true);
    SOUK_CHECK(souk_csv_next(csv, &row) && row.field_count == 1);
    return row.fields[0];
}

SOUK_TEST("no text is run by a sheet, each is told from all others, and the guard comes off again")
{
    unsigned run = 0, guarded = 0, marked = 0;
    for (int round = 0; round < 20000; round++) {
        for (int guard = 0; guard < 2; guard++) {
            souk_auto_value(souk_buf) text = {.mem = test->mem};
            souk_auto(souk_csv) csv = NULL;
            char field[6];
            size_t bytes = test_random(test, sizeof field);
            for (size_t i = 0; i < bytes; i++)
                field[i] = "=+-@\t\r\n'15a\","[test_random(test, 14)];
            SOUK_MUST(souk_csv_new(test->mem, &(souk_csv_options){0}, &csv));
            souk_text told = {field, bytes}, cell = cell_of(test, guard, told, &text, csv);
            run += !guard && runs(cell); /* which the check notices */
            SOUK_CHECK(!guard || !runs(cell));
            SOUK_CHECK(souk_text_equal(guard ? souk_csv_unguard(cell) : cell, told));
            guarded += guard && cell.bytes > bytes;
            marked += guard && cell.bytes > bytes && bytes && field[0] == '\'';
        }
    }
    SOUK_CHECK(run > 1000 && guarded > 1000 && marked > 100);
}

SOUK_TEST("quotes may be others, or none at all, in chunks of any size")
{
    static const struct {
        souk_csv_options options;
        const char *text, *rows;
    } cases[] = {
        {{.quote = '\''}, "'a,b',\"c\"\n'd''e',f\n", "1.1[a,b|\"c\"]\n2.2[d'e|f]\n"},
        {{.quote = '\'', .delimiter = ';'}, "'x\ny';z", "1.1[x\ny|z]\n"},
        {{.no_quotes = true, .delimiter = '\t'},
         "5\" pipe\t\"open\nb\t\"\"\n",
         "1.1[5\" pipe|\"open]\n2.2[b|\"\"]\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t chunk = 0; chunk < 8; chunk++) {
            souk_auto_value(souk_buf) out = {.mem = test->mem};
            SOUK_MUST(
                read_all(test, souk_text_of(cases[i].text), &cases[i].options, chunk, &out, NULL));
            SOUK_CHECK_TEXT(souk_buf_view(&out), cases[i].rows);
        }
    souk_csv *csv = NULL;
    SOUK_CHECK_ERR(souk_csv_new(test->mem, &(souk_csv_options){.quote = ','}, &csv), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_csv_new(test->mem, &(souk_csv_options){.quote = '\n'}, &csv), SOUK_EINVAL);
}
