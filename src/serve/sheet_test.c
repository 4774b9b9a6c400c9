/* sheet_test.c - lists as rows: what each cell is, that nothing is run, and that a failure stays one. */
#include "test/test.h"

#include "base/csv.h"
#include "serve/api.h"
#include "serve/products.h"
#include "serve/sheet.h"
#include "serve/shop.h"
#include "serve/stores.h"
#include "serve/test_desk.h"

/* The answer of the list at hand. */
static const char *told;

static void list_things(souk_call *call)
{
    souk_call_answer_text(call, 200, "application/json", souk_text_of(told));
}

static void fail(souk_call *call)
{
    souk_call_fail(call, SOUK_EDENIED);
}

static const souk_shape_name shapes[] = {
    {"Thing", "{name: text 'its name', count?: integer, there?: boolean, parts?: [text], *: any}"},
};
static const souk_route routes[] = {
    {"GET", "/things", 0, list_things, .sheet = "things",
     .gives = "{things: [Thing], next?: text}"},
    {"GET", "/closed", 0, list_things, .sheet = "things",
     .gives = "{things: [{name: text, count?: integer}]}"},
    {"GET", "/failing", 0, fail, .sheet = "things", .gives = "{things: [Thing]}"},
    {"GET", "/plain", 0, list_things, .gives = "{things: [Thing]}"},
};
static const souk_service service = {
    .name = "things", .shapes = shapes, .shape_count = 1, .routes = routes, .route_count = 4};
static const souk_service *const services[] = {&service};

static int ask(souk_test *test, souk_api *api, const char *path, souk_buf *answer)
{
    int status;
    souk_buf_clear(answer);
    SOUK_MUST(souk_api_call(api, "GET", path, SOUK_TEXT(""), &status, answer));
    return status;
}

SOUK_TEST("a list is rows in the order of its shape, and nothing in them is run")
{
    static const struct {
        const char *path, *told;
        int status;
        const char *answer;
    } cases[] = {
        {"/things?format=csv",
         "{\"things\":[{\"count\":-5,\"name\":\"a, "
         "\\\"b\\\"\",\"there\":true,\"x\":\"=1\",\"y\":[1]},"
         "{\"name\":\"=1+1\",\"count\":null,\"parts\":[\"=2\",\"b\"]},{\"name\":\"-0.5\",\"count\":"
         "-1e5},"
         "{\"name\":\"\\ttab\",\"nam\\u0065\":\"@x\"}],\"next\":\"q\"}",
         200,
         "\xEF\xBB\xBFname,count,there,parts,more\r\n"
         "\"a, \"\"b\"\"\",-5,true,,\"{\"\"x\"\":\"\"=1\"\",\"\"y\"\":[1]}\"\r\n"
         "'=1+1,,,\"[\"\"=2\"\",\"\"b\"\"]\",\r\n-0.5,-1e5,,,\r\n\"'\ttab\",,,,\r\n"},
        {"/closed?limit=3&format=csv", "{\"things\":[{\"name\":\"\\u003d1\",\"other\":2}]}", 200,
         "\xEF\xBB\xBFname,count\r\n'=1,\r\n"},
        {"/things?format=csv", "{\"things\":[]}", 200,
         "\xEF\xBB\xBFname,count,there,parts,more\r\n"},
        {"/things?format=json", "{\"things\":[]}", 200, "{\"things\":[]}"},
        {"/things", "{\"things\":[]}", 200, "{\"things\":[]}"},
        {"/plain?format=csv", "{\"things\":[]}", 200, "{\"things\":[]}"},
        {"/things?format=xls", "{\"things\":[]}", 400, "the format is json or csv"},
        {"/failing?format=csv", "", 403, "EDENIED"},
    };
    static struct desk desk;
    souk_api *api;
    souk_auto_value(souk_buf) answer = {.mem = test->mem};
    desk_open(&desk, test);
    SOUK_MUST(souk_api_open(souk_mem_heap(), desk.spine, desk.merchants, services, 1, &api));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        told = cases[i].told;
        SOUK_CHECK(ask(test, api, cases[i].path, &answer) == cases[i].status);
        if (cases[i].status == 200)
            SOUK_CHECK_TEXT(souk_buf_view(&answer), cases[i].answer);
        else
            SOUK_CHECK(memmem(answer.at, answer.bytes, cases[i].answer, strlen(cases[i].answer)));
    }
    souk_api_free(api);
    desk_close(&desk);
}

static souk_err count_column(void *context, const souk_shape_member *column)
{
    size_t *count = context;
    ++*count;
    return column->name.bytes ? SOUK_OK : SOUK_ESYNTAX;
}

SOUK_TEST("each route with a sheet has columns in its table, and one that names no list is noticed")
{
    static const souk_service *const all[] = {&souk_products_service, &souk_stores_service,
                                              &souk_shop_service};
    static const souk_route wrong = {.sheet = "none", .gives = "{things: [text]}"};
    size_t sheets = 0, columns = 0;
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < all[i]->route_count; k++) {
            if (!all[i]->routes[k].sheet)
                continue;
            sheets++;
            SOUK_MUST(souk_sheet_columns(&all[i]->routes[k], all, 3, count_column, &columns));
        }
    SOUK_CHECK(sheets == 3 && columns > 20);
    SOUK_CHECK_ERR(souk_sheet_columns(&wrong, all, 3, count_column, &columns), SOUK_ESYNTAX);
}

/* Reads rows back and takes the guard off: the names that were told. */
SOUK_TEST("whatever names are listed, their rows give them back")
{
    static struct desk desk;
    souk_api *api;
    desk_open(&desk, test);
    SOUK_MUST(souk_api_open(souk_mem_heap(), desk.spine, desk.merchants, services, 1, &api));
    for (unsigned round = 0; round < 300; round++) {
        souk_auto_value(souk_buf) json = {.mem = test->mem}, answer = {.mem = test->mem};
        souk_auto(souk_csv) csv = NULL;
        souk_csv_row row;
        char names[8][6];
        size_t bytes[8];
        souk_json_writer out = {.out = &json};
        souk_json_write_object(&out);
        souk_json_put_array(&out, "things");
        for (size_t i = 0; i < 8; i++) {
            bytes[i] = test_random(test, 6);
            for (size_t k = 0; k < bytes[i]; k++)
                names[i][k] = "=+-@'\",;\r\n\t5a"[test_random(test, 13)];
            souk_json_write_object(&out);
            souk_json_put_text(&out, "name", (souk_text){names[i], bytes[i]});
            souk_json_write_end(&out);
        }
        souk_json_write_end(&out);
        souk_json_write_end(&out);
        souk_buf_byte(&json, '\0');
        SOUK_MUST(souk_buf_check(&json));
        told = json.at;
        SOUK_CHECK(ask(test, api, "/closed?format=csv", &answer) == 200);
        SOUK_MUST(souk_csv_new(test->mem, &(souk_csv_options){0}, &csv));
        souk_csv_feed(csv, souk_buf_view(&answer), true);
        SOUK_CHECK(souk_csv_next(csv, &row));
        for (size_t i = 0; i < 8; i++) {
            SOUK_CHECK(souk_csv_next(csv, &row) && row.field_count == 2);
            SOUK_CHECK(
                souk_text_equal(souk_csv_unguard(row.fields[0]), (souk_text){names[i], bytes[i]}));
        }
        SOUK_CHECK(!souk_csv_next(csv, &row));
    }
    souk_api_free(api);
    desk_close(&desk);
}
