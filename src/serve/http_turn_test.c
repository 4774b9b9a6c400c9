/* http_turn_test.c - who goes first when many have something to say: light requests before heavy ones. */
#include "test/test.h"

#include "serve/http_rig.h"

#define HOST "Host: a\r\n\r\n"

enum { HEAVY = 6, BODY = 6000 };

static void say_heavy(http_rig *rig, souk_client *client, const char *target)
{
    static char body[BODY];
    souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
    memset(body, 'b', sizeof body);
    souk_buf_print(&words, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", target,
                   BODY);
    souk_buf_append(&words, body, sizeof body);
    rig_say_there(rig, client, souk_buf_view(&words));
}

static bool holds(http_rig *rig, unsigned index, souk_text target)
{
    souk_auto_lock(&rig->mutex);
    return souk_text_equal(rig->held[index]->request.target, target);
}

/* While the loop stands still all of them speak, the light one last; where it is then among those handled. */
static unsigned place_of_light(souk_test *test, bool have_been_heavy)
{
    http_rig *rig = rig_open(test, (souk_http_options){.loop_count = 1});
    souk_client heavy[HEAVY], light = rig_connect(rig), staller = rig_connect(rig);
    rig_answer answer = {0};
    for (unsigned i = 0; i < HEAVY; i++) {
        heavy[i] = rig_connect(rig);
        if (!have_been_heavy)
            continue;
        say_heavy(rig, &heavy[i], "/echo");
        rig_hear(rig, &heavy[i], &answer);
        rig_answer_done(&answer);
        answer = (rig_answer){0};
    }
    rig_say(rig, &staller, "GET /stall HTTP/1.1\r\n" HOST);
    rig_await_stalled(rig);
    for (unsigned i = 0; i < HEAVY; i++)
        say_heavy(rig, &heavy[i], "/hold/heavy");
    rig_say(rig, &light, "GET /hold/light HTTP/1.1\r\n" HOST);
    rig_resume(rig);
    rig_await_held(rig, HEAVY + 1);
    unsigned place = 0;
    while (place < HEAVY && !holds(rig, place, SOUK_TEXT("/hold/light")))
        place++;
    for (unsigned i = 0; i <= HEAVY; i++)
        rig_release(rig, 0);
    rig_hear_ok(rig, &light, "GET /hold/light []");
    for (unsigned i = 0; i < HEAVY; i++) {
        rig_hear(rig, &heavy[i], &answer);
        SOUK_CHECK(answer.status == 200);
        rig_answer_done(&answer);
        answer = (rig_answer){0};
        souk_client_done(&heavy[i]);
    }
    rig_hear_ok(rig, &staller, "GET /stall []");
    souk_client_done(&light);
    souk_client_done(&staller);
    rig_close(rig);
    return place;
}

SOUK_TEST("a light request goes before all heavy ones that came first")
{
    SOUK_CHECK(place_of_light(test, true) == 0);
}

SOUK_TEST("connections that were never heavy go as they came, so the order would be noticed")
{
    SOUK_CHECK(place_of_light(test, false) == HEAVY);
}
