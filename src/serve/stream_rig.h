/* stream_rig.h - for tests of the stream: a shop that is served on a real socket, who sends to it and who listens.
 *
 *     struct rig rig;
 *     rig_open(&rig, test);
 *     struct ear *ear = rig_listen(&rig, "?store=S1", NULL);
 *     rig_send(&rig, rig.desk.secrets.write_key, 7, "S1", "View");     message 7, of user u7
 *     rig_hear(&rig, ear);                                            ear->number is 7
 *     rig_close(&rig);
 *
 * Listeners speak HTTP/1.0, so what they read is the stream.  Stands after test/test.h in a test. */
#ifndef SOUK_SERVE_STREAM_RIG_H
#define SOUK_SERVE_STREAM_RIG_H

#include "base/json.h"
#include "base/sse.h"
#include "os/socket.h"
#include "serve/api.h"
#include "serve/shop.h"
#include "serve/stream.h"
#include "serve/test_desk.h"
#include "service/collect/segment.h"

#include <stdlib.h>

enum { RIG_WAIT_MS = 10000, RIG_EARS = 16 };

/* One listener, and the last message that it heard. */
struct ear {
    souk_client client;
    int status;
    souk_sse sse;
    souk_buf heads; /* what was read before the stream begins */
    char event[32], data[4000], id[24];
    size_t waiting; /* messages that came with the last bytes and were not looked at yet */
    struct heard {
        char event[32], data[4000], id[24];
    } * queue; /* [queue_room] */
    size_t queue_first, queue_room;
    uint64_t number; /* of the event's product, P7: 7 */
    bool is_event, ended;
};

struct rig {
    souk_test *test;
    struct desk desk;
    souk_api *api;
    souk_http *http;
    char address[SOUK_ADDRESS_ROOM];
    struct ear ears[RIG_EARS];
    souk_client door; /* for what is sent */
};

static inline void rig_open_with(struct rig *rig, souk_test *test, souk_mem *mem,
                                 const souk_clock *clock)
{
    static const souk_service *const services[] = {&souk_stream_service, &souk_collect_service,
                                                   &souk_shop_service};
    souk_fd fd = -1;
    memset(rig, 0, sizeof *rig);
    rig->test = test;
    rig->door = SOUK_CLIENT_NONE;
    for (size_t i = 0; i < RIG_EARS; i++)
        rig->ears[i].client = SOUK_CLIENT_NONE;
    desk_open_at(&rig->desk, test, clock);
    SOUK_MUST(souk_api_open(mem, rig->desk.spine, rig->desk.merchants, services, 3, &rig->api));
    souk_http_options options = {.handle = souk_api_handle,
                                 .body_limit = souk_api_body_limit,
                                 .context = rig->api,
                                 .loop_count = 2};
    SOUK_MUST(souk_http_new(souk_mem_heap(), &options, &rig->http));
    souk_api_set_http(rig->api, rig->http);
    SOUK_MUST(souk_socket_listen("127.0.0.1:0", NULL, &fd, rig->address, NULL));
    SOUK_MUST(souk_http_listen(rig->http, fd));
    SOUK_MUST(souk_http_start(rig->http));
}

static inline void rig_open(struct rig *rig, souk_test *test)
{
    rig_open_with(rig, test, souk_mem_heap(), NULL);
}

static inline void ear_done(struct ear *ear)
{
    souk_client_done(&ear->client);
    souk_sse_done(&ear->sse);
    souk_buf_done(&ear->heads);
    souk_mem_put(souk_mem_heap(), ear->queue);
    *ear = (struct ear){.client = SOUK_CLIENT_NONE};
}

static inline void rig_close(struct rig *rig)
{
    for (size_t i = 0; i < RIG_EARS; i++)
        ear_done(&rig->ears[i]);
    souk_client_done(&rig->door);
    souk_http_free(rig->http);
    souk_api_free(rig->api);
    desk_close(&rig->desk);
}

/* ---- sending --------------------------------------------------------------------------------- */

static inline void base64_of(const char *text, char *to)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t bytes = strlen(text);
    for (size_t i = 0; i < bytes; i += 3) {
        unsigned v = (unsigned)(unsigned char)text[i] << 16;
        v |= i + 1 < bytes ? (unsigned)(unsigned char)text[i + 1] << 8 : 0;
        v |= i + 2 < bytes ? (unsigned)(unsigned char)text[i + 2] : 0;
        *to++ = letters[v >> 18];
        *to++ = letters[v >> 12 & 63];
        *to++ = i + 1 < bytes ? letters[v >> 6 & 63] : '=';
        *to++ = i + 2 < bytes ? letters[v & 63] : '=';
    }
    *to = '\0';
}

/* Asks and reads the answer to its end; the status. */
static inline int rig_ask(struct rig *rig, const char *method, const char *path,
                          const char *authorization, const char *body, souk_buf *ret_answer)
{
    souk_test *test = rig->test;
    souk_auto_value(souk_client) client = SOUK_CLIENT_NONE;
    souk_auto_value(souk_buf) request = {.mem = souk_mem_heap()};
    souk_buf own = {.mem = souk_mem_heap()}, *answer = ret_answer ? ret_answer : &own;
    souk_buf_print(&request, "%s %s HTTP/1.0\r\nHost: a\r\n", method, path);
    if (authorization)
        souk_buf_print(&request, "Authorization: %s\r\n", authorization);
    souk_buf_print(&request, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    SOUK_MUST(souk_buf_check(&request));
    SOUK_MUST(souk_client_open(&client, rig->address, RIG_WAIT_MS, NULL));
    SOUK_MUST(souk_client_send(&client, souk_buf_view(&request)));
    SOUK_MUST(souk_client_receive_all(&client, answer));
    SOUK_CHECK(answer->bytes > 12);
    int status = atoi(souk_buf_ended(answer) + 9);
    souk_buf_done(&own);
    return status;
}

static inline int rig_manage(struct rig *rig, const char *method, const char *path,
                             const char *body, souk_buf *ret_answer)
{
    char bearer[128];
    snprintf(bearer, sizeof bearer, "Bearer %s", rig->desk.secrets.admin_token);
    return rig_ask(rig, method, path, bearer, body, ret_answer);
}

/* Numbers [first, first + count) in one batch: message mN of user uN (or `user`) with product PN. */
static inline void rig_send_batch(struct rig *rig, const char *key, uint64_t first, size_t count,
                                  const char *user, const char *store, const char *type)
{
    souk_test *test = rig->test;
    char pair[80], authorization[160] = "Basic ";
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    snprintf(pair, sizeof pair, "%s:", key);
    base64_of(pair, authorization + 6);
    souk_buf_print(&body, "{\"batch\":[");
    for (uint64_t i = first; i < first + count; i++) {
        char own[32];
        snprintf(own, sizeof own, "u%llu", (unsigned long long)i);
        souk_buf_print(&body,
                       "%s{\"type\":\"track\",\"event\":\"%s\",\"userId\":\"%s\",\"messageId\":"
                       "\"m%llu\",\"properties\":{\"product_id\":\"P%llu\",\"store_id\":\"%s\"}}",
                       i > first ? "," : "", type, user ? user : own, (unsigned long long)i,
                       (unsigned long long)i, store);
    }
    souk_buf_print(&body, "]}");
    SOUK_CHECK(rig_ask(rig, "POST", "/v1/batch", authorization, souk_buf_ended(&body), NULL) ==
               200);
}

static inline void rig_send(struct rig *rig, uint64_t number, const char *store, const char *type)
{
    rig_send_batch(rig, rig->desk.secrets.write_key, number, 1, NULL, store, type);
}

/* ---- listening --------------------------------------------------------------------------------- */

static inline souk_err ear_take(void *context, const souk_sse_message *message)
{
    struct ear *ear = context;
    SOUK_TRY(souk_mem_grow(souk_mem_heap(), &ear->queue, &ear->queue_room,
                           ear->queue_first + ear->waiting + 1, 1 << 20, sizeof *ear->queue));
    struct heard *heard = &ear->queue[ear->queue_first + ear->waiting++];
    snprintf(heard->event, sizeof heard->event, "%.*s", SOUK_TEXT_PRINT(message->event));
    snprintf(heard->data, sizeof heard->data, "%.*s", SOUK_TEXT_PRINT(message->data));
    snprintf(heard->id, sizeof heard->id, "%.*s", SOUK_TEXT_PRINT(message->id));
    return SOUK_OK;
}

/* Some more bytes, parsed.  False: the end. */
static inline bool ear_read(struct rig *rig, struct ear *ear)
{
    souk_test *test = rig->test;
    char some[16384];
    size_t got = 0;
    if (souk_client_receive(&ear->client, some, sizeof some, &got) || !got)
        return false;
    souk_text bytes = {some, got};
    if (!ear->status) {
        souk_buf_append(&ear->heads, some, got);
        const char *all = souk_buf_ended(&ear->heads), *end = strstr(all, "\r\n\r\n");
        if (!end)
            return true;
        ear->status = atoi(all + 9);
        bytes = souk_text_range(end + 4, all + ear->heads.bytes);
    }
    if (ear->status == 200)
        SOUK_MUST(souk_sse_read(&ear->sse, bytes));
    return true;
}

/* Its answer's head has come.  token NULL: the admin's; "": none. */
static inline struct ear *rig_try_listen(struct rig *rig, const char *query, const char *token,
                                         const char *last_id)
{
    souk_test *test = rig->test;
    struct ear *ear = rig->ears;
    souk_auto_value(souk_buf) request = {.mem = souk_mem_heap()};
    while (ear->client.fd >= 0)
        ear++;
    SOUK_CHECK(ear < rig->ears + RIG_EARS);
    ear->sse = (souk_sse){.mem = souk_mem_heap(), .take = ear_take, .context = ear};
    ear->heads.mem = souk_mem_heap();
    souk_buf_print(&request, "GET /v1/stream%s HTTP/1.0\r\nHost: a\r\n", query);
    if (!token || token[0])
        souk_buf_print(&request, "Authorization: Bearer %s\r\n",
                       token ? token : rig->desk.secrets.admin_token);
    if (last_id)
        souk_buf_print(&request, "Last-Event-ID: %s\r\n", last_id);
    souk_buf_text(&request, SOUK_TEXT("\r\n"));
    SOUK_MUST(souk_client_open(&ear->client, rig->address, RIG_WAIT_MS, NULL));
    SOUK_MUST(souk_client_send(&ear->client, souk_buf_view(&request)));
    while (!ear->status)
        SOUK_CHECK(ear_read(rig, ear));
    return ear;
}

static inline struct ear *rig_listen(struct rig *rig, const char *query, const char *token)
{
    souk_test *test = rig->test;
    struct ear *ear = rig_try_listen(rig, query, token, NULL);
    SOUK_CHECK(ear->status == 200);
    return ear;
}

/* The next message into the ear's fields.  False: the stream has ended. */
static inline bool rig_hear(struct rig *rig, struct ear *ear)
{
    while (!ear->waiting)
        if (!ear_read(rig, ear))
            return false;
    const struct heard *heard = &ear->queue[ear->queue_first];
    memcpy(ear->event, heard->event, sizeof ear->event);
    memcpy(ear->data, heard->data, sizeof ear->data);
    memcpy(ear->id, heard->id, sizeof ear->id);
    ear->queue_first++;
    if (!--ear->waiting)
        ear->queue_first = 0;
    const char *product = strstr(ear->data, "\"product\":\"P");
    ear->is_event = !strcmp(ear->event, "event");
    ear->number = product ? strtoull(product + 12, NULL, 10) : 0;
    return true;
}

/* The next message is this event. */
static inline void rig_hear_number(struct rig *rig, struct ear *ear, uint64_t number)
{
    souk_test *test = rig->test;
    SOUK_CHECK(rig_hear(rig, ear));
    if (!ear->is_event || ear->number != number)
        test_fail(test, __FILE__, __LINE__, "heard %s %s instead of P%llu", ear->event, ear->data,
                  (unsigned long long)number);
}

/* The next message is this one, with these words in it. */
static inline void rig_hear_words(struct rig *rig, struct ear *ear, const char *event,
                                  const char *words)
{
    souk_test *test = rig->test;
    SOUK_CHECK(rig_hear(rig, ear));
    if (strcmp(ear->event, event) != 0 || !strstr(ear->data, words))
        test_fail(test, __FILE__, __LINE__, "heard %s %s instead of %s %s", ear->event, ear->data,
                  event, words);
}

static inline void rig_hear_end(struct rig *rig, struct ear *ear, const char *why)
{
    souk_test *test = rig->test;
    rig_hear_words(rig, ear, "end", why);
    SOUK_CHECK(!rig_hear(rig, ear));
}

#endif
