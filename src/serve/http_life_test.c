/* http_life_test.c - how the server's connections live and end: deadlines to the millisecond under
 * a clock that a test moves, slow readers, limits, drain, and allocations that fail. */
#include "test/test.h"

#include "serve/http_rig.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: a\r\n\r\n"
#define ASK  "GET /echo HTTP/1.1\r\n" HOST
#define HEAR "GET /echo []"

/* ---- turns --------------------------------------------------------------------------------- */

enum { CROWD = 1500 }; /* requests that take a connection several turns of its loop */

static void crowd_say(http_rig *rig, souk_client *client, const char *before)
{
    souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
    souk_buf_print(&words, "%s", before);
    for (int i = 0; i < CROWD; i++)
        souk_buf_print(&words, "%s", ASK);
    rig_say_there(rig, client, souk_buf_view(&words));
}

SOUK_TEST("pipelined requests behind a slow body are answered, in however many turns")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    souk_auto_value(souk_client) staller = rig_connect(rig);
    souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
    souk_buf_print(&words, "POST /echo HTTP/1.1\r\nContent-Length: 40000\r\n" HOST "%030000d", 0);
    rig_say_read(rig, &client, souk_buf_ended(&words));
    rig_later(rig, 4000);
    rig_say(rig, &staller, "GET /stall HTTP/1.1\r\n" HOST);
    rig_await_stalled(rig);
    souk_buf_clear(&words);
    souk_buf_print(&words, "%010000d", 0);
    crowd_say(rig, &client, souk_buf_ended(&words));
    souk_clock_fake_advance(&rig->clock, 1000);
    rig_resume(rig);
    souk_auto_value(rig_answer) answer = {0};
    rig_hear(rig, &client, &answer);
    SOUK_CHECK(answer.status == 200 && answer.body.bytes == 40000 + 13);
    for (int i = 0; i < CROWD; i++)
        rig_hear_ok(rig, &client, HEAR);
    rig_close(rig);
}

SOUK_TEST("a connection that is busy for longer than it may be idle is not closed as idle")
{
    http_rig *rig = rig_open(test, (souk_http_options){.idle_ms = 30000, .header_ms = 5000});
    souk_auto_value(souk_client) client = rig_connect(rig);
    souk_auto_value(souk_client) fresh = rig_connect(rig); /* has asked nothing before */
    souk_auto_value(souk_client) staller = rig_connect(rig);
    rig_say(rig, &client, ASK);
    rig_hear_ok(rig, &client, HEAR);
    rig_say(rig, &staller, "GET /stall HTTP/1.1\r\nConnection: close\r\n" HOST);
    rig_await_stalled(rig);
    crowd_say(rig, &client, "");
    crowd_say(rig, &fresh, "");
    souk_clock_fake_advance(&rig->clock, 31000);
    rig_resume(rig);
    for (int i = 0; i < CROWD; i++) {
        rig_hear_ok(rig, &client, HEAR);
        rig_hear_ok(rig, &fresh, HEAR);
    }
    SOUK_CHECK(rig_counts(rig).idle_closed == 0);
    rig_close(rig);
}
