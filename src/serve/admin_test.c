/* admin_test.c - sources, keys and tokens made, listed and revoked; what is refused, and that secrets show once. */
#include "serve/admin.h"

#include "test/test.h"

#include "serve/test_desk.h"

static int ask(struct desk *desk, const char *method, const char *path, const char *body)
{
    return desk_ask(desk, &souk_admin_service, method, path, body);
}

/* The text of a member of the last answer. */
static const char *told(struct desk *desk, const char *key, char room[100])
{
    souk_test *test = desk->test;
    char wanted[40];
    snprintf(wanted, sizeof wanted, "\"%s\":\"", key);
    const char *at = strstr(desk->answer, wanted);
    SOUK_CHECK(at);
    at += strlen(wanted);
    size_t bytes = strcspn(at, "\"");
    SOUK_CHECK(bytes < 100);
    memcpy(room, at, bytes);
    room[bytes] = '\0';
    return room;
}

static souk_err writes(struct desk *desk, const char *key)
{
    souk_caller caller;
    return souk_merchants_write_key(desk->merchants, souk_text_of(key), &caller);
}

static souk_err reads(struct desk *desk, const char *token, unsigned scopes)
{
    souk_caller caller;
    return souk_merchants_token(desk->merchants, souk_text_of(token), scopes, &caller);
}

SOUK_TEST("a source is made once, with what it states, and its key shown once")
{
    static struct desk desk;
    char key[100];
    desk_open(&desk, test);
    SOUK_CHECK(ask(&desk, "POST", "/v1/sources",
                   "{\"name\":\"till\",\"bases\":[\"profile=consent\"],\"age\":\"adult\"}") == 201);
    SOUK_MUST(writes(&desk, told(&desk, "write_key", key)));
    SOUK_CHECK(ask(&desk, "POST", "/v1/sources", "{\"name\":\"till\"}") == 409);
    SOUK_CHECK(strstr(desk.answer, "till"));
    SOUK_CHECK(ask(&desk, "POST", "/v1/sources",
                   "{\"name\":\"till\",\"bases\":[\"profile=consent\"],\"age\":\"adult\"}") == 409);
    SOUK_CHECK(ask(&desk, "GET", "/v1/sources", "") == 200);
    SOUK_CHECK(strstr(desk.answer, "{\"source\":\"till\",\"states\":\"profile=consent age=adult\","
                                   "\"speaks_for\":\"visitor\",\"keys\":1}"));
    SOUK_CHECK(ask(&desk, "PUT", "/v1/sources/till", "{\"speaks_for\":\"anybody\"}") == 200);
    SOUK_CHECK(ask(&desk, "PUT", "/v1/sources/t%69ll", "{\"speaks_for\":\"me\"}") == 400);
    SOUK_CHECK(ask(&desk, "PUT", "/v1/sources/till", "{}") == 400);
    SOUK_CHECK(ask(&desk, "PUT", "/v1/sources/none", "{\"speaks_for\":\"nobody\"}") == 404);
    SOUK_CHECK(ask(&desk, "POST", "/v1/sources", "{\"name\":\"page\",\"speaks_for\":\"nobody\"}") ==
               201);
    SOUK_CHECK(ask(&desk, "GET", "/v1/sources", "") == 200);
    SOUK_CHECK(strstr(desk.answer, "age=adult\",\"speaks_for\":\"anybody\",\"keys\":1}"));
    SOUK_CHECK(strstr(desk.answer, "age=unknown\",\"speaks_for\":\"nobody\",\"keys\":1}"));
    SOUK_CHECK(ask(&desk, "GET", "/v1/keys", "") == 200 && strstr(desk.answer, "\"till\""));
    SOUK_CHECK(!strstr(desk.answer, "souk_wk_"));
    static const char *const wrong[] = {"{\"name\":\"x\",\"bases\":[\"fun=consent\"]}",
                                        "{\"name\":\"x\",\"bases\":[7]}",
                                        "{\"name\":\"x\",\"bases\":\"profile=consent\"}",
                                        "{\"name\":\"x\",\"age\":\"old\"}",
                                        "{\"name\":\"x\",\"speaks_for\":\"\"}",
                                        "{\"name\":\"x\",\"speaks_for\":true}",
                                        "{\"name\":\"\"}",
                                        "{\"name\":\"a\\nb\"}",
                                        "{\"name\":\"a\\u0085b\"}",
                                        "{\"name\":\"a\\u202eb\"}",
                                        "{}",
                                        "x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        SOUK_CHECK(ask(&desk, "POST", "/v1/sources", wrong[i]) == 400);
    desk_close(&desk);
}

SOUK_TEST("a key is added, listed by its id, and refused from the moment it is revoked")
{
    static struct desk desk;
    char key[100], id[100], path[120];
    desk_open(&desk, test);
    SOUK_CHECK(ask(&desk, "POST", "/v1/keys", "{\"source\":\"none\"}") == 404);
    SOUK_CHECK(ask(&desk, "POST", "/v1/keys", "{\"source\":\"web\"}") == 201);
    SOUK_MUST(writes(&desk, told(&desk, "write_key", key)));
    told(&desk, "id", id);
    SOUK_CHECK(ask(&desk, "GET", "/v1/keys", "") == 200 && strstr(desk.answer, id));
    snprintf(path, sizeof path, "/v1/tokens/%s", id);
    SOUK_CHECK(ask(&desk, "DELETE", path, "") == 404); /* it is no token */
    snprintf(path, sizeof path, "/v1/keys/%s", id);
    desk.caller.merchant = 2;
    SOUK_CHECK(ask(&desk, "DELETE", path, "") == 404); /* nor hers */
    desk.caller.merchant = SOUK_OPERATOR;
    SOUK_MUST(writes(&desk, key));
    SOUK_CHECK(ask(&desk, "DELETE", path, "") == 200);
    SOUK_CHECK_ERR(writes(&desk, key), SOUK_EUNAUTH);
    SOUK_MUST(writes(&desk, desk.secrets.write_key));
    SOUK_CHECK(ask(&desk, "DELETE", path, "") == 404);
    SOUK_CHECK(ask(&desk, "GET", "/v1/keys", "") == 200 && !strstr(desk.answer, id));
    desk_close(&desk);
}

SOUK_TEST("a token has the scopes asked for and no others, and nobody gives what he has not")
{
    static struct desk desk;
    char token[100];
    desk_open(&desk, test);
    SOUK_CHECK(ask(&desk, "POST", "/v1/tokens", "{\"scopes\":[\"read\"],\"name\":\"wall\"}") ==
               201);
    SOUK_MUST(reads(&desk, told(&desk, "token", token), SOUK_SCOPE_READ));
    SOUK_CHECK_ERR(reads(&desk, token, SOUK_SCOPE_MANAGE), SOUK_EDENIED);
    SOUK_CHECK_ERR(reads(&desk, token, SOUK_SCOPE_ADMIN), SOUK_EDENIED);
    SOUK_CHECK(ask(&desk, "POST", "/v1/tokens", "{\"scopes\":[\"read\"],\"name\":\"wall\"}") ==
               409);
    SOUK_CHECK(ask(&desk, "GET", "/v1/tokens", "") == 200);
    SOUK_CHECK(strstr(desk.answer, "\"name\":\"wall\",\"scopes\":[\"read\"]"));
    SOUK_CHECK(!strstr(desk.answer, "souk_at_"));
    SOUK_CHECK(
        strstr(desk.answer, "\"name\":\"admin\",\"scopes\":[\"read\",\"manage\",\"admin\"]"));
    static const char *const wrong[] = {"{}",
                                        "{\"scopes\":[]}",
                                        "{\"scopes\":[\"write\"]}",
                                        "{\"scopes\":[\"read\",\"all\"]}",
                                        "{\"scopes\":\"read\"}",
                                        "{\"scopes\":[\"read\"],\"name\":\"\\u0007\"}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        SOUK_CHECK(ask(&desk, "POST", "/v1/tokens", wrong[i]) == 400);
    desk.caller.scopes = SOUK_SCOPE_ADMIN | SOUK_SCOPE_READ;
    SOUK_CHECK(ask(&desk, "POST", "/v1/tokens", "{\"scopes\":[\"read\",\"manage\"]}") == 403);
    SOUK_CHECK(ask(&desk, "POST", "/v1/tokens", "{\"scopes\":[\"read\",\"admin\"]}") == 201);
    desk_close(&desk);
}

SOUK_TEST("nothing of administration is open without the scope admin")
{
    (void)test;
    for (size_t i = 0; i < souk_admin_service.route_count; i++)
        SOUK_CHECK(souk_admin_service.routes[i].scopes == SOUK_SCOPE_ADMIN);
}
