/* tail.c - `souk tail`: what happens in the shop, a line for each event, until Ctrl-C or the server's end.
 *
 *     $ souk tail --store SH-014 --type "Order Completed"
 *     07:55:03.678  Order Completed          till     SH-014   12.5 EUR  P1 x 2
 *
 * It asks the running server over its control socket, by HTTP/1.0: the answer is the stream and nothing around it. */
#include "app/app.h"
#include "base/sse.h"
#include "base/utf8.h"
#include "os/socket.h"

#include <poll.h>
#include <unistd.h>

enum { ASK_MS = 10000, LINE_PRODUCTS = 4 };

struct tail {
    const app_options *options;
    souk_json_doc doc;
    souk_arena arena;
    souk_buf line;
    bool ended; /* the server said so */
    char why[200];
};

/* ---- one line ------------------------------------------------------------------------------- */

/* Names come from whoever sends events: what would move the cursor is a question mark. */
static void put_plain(souk_buf *line, souk_text text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        size_t control = souk_utf8_control(text, i);
        souk_buf_byte(line, control ? '?' : text.at[i]);
        i += control ? control - 1 : 0;
    }
}

static souk_text text_of(struct tail *tail, souk_json_node node, const char *key)
{
    return souk_field(&tail->doc, node, key, &tail->arena);
}

/* Padded to so many columns, counted as characters. */
static void put_column(struct tail *tail, souk_text text, size_t columns)
{
    size_t width = 0;
    put_plain(&tail->line, text);
    for (size_t i = 0; i < text.bytes; i++)
        width += ((unsigned char)text.at[i] & 0xC0) != 0x80;
    for (; width < columns; width++)
        souk_buf_byte(&tail->line, ' ');
    souk_buf_text(&tail->line, SOUK_TEXT("  "));
}

static void put_products(struct tail *tail, souk_json_node root)
{
    const souk_json_doc *doc = &tail->doc;
    souk_json_node list = souk_json_member(doc, root, SOUK_TEXT("products"));
    size_t count = 0;
    for (souk_json_node item = souk_json_first(doc, list); item != SOUK_JSON_NONE;
         item = souk_json_next(doc, item), count++) {
        souk_text quantity = text_of(tail, item, "quantity");
        if (count >= LINE_PRODUCTS)
            continue;
        souk_buf_text(&tail->line, count ? SOUK_TEXT(", ") : SOUK_TEXT(""));
        put_plain(&tail->line, text_of(tail, item, "product"));
        if (!souk_text_equal(quantity, SOUK_TEXT("0")) &&
            !souk_text_equal(quantity, SOUK_TEXT("1")))
            souk_buf_print(&tail->line, " x %.*s", SOUK_TEXT_PRINT(quantity));
    }
    if (count > LINE_PRODUCTS)
        souk_buf_print(&tail->line, " and %zu more", count - LINE_PRODUCTS);
}

static void put_event(struct tail *tail, souk_json_node root)
{
    souk_text at = text_of(tail, root, "at"), amount = text_of(tail, root, "amount");
    souk_text currency = text_of(tail, root, "currency");
    if (at.bytes == SOUK_TIME_BYTES - 1)
        at = (souk_text){at.at + 11, 12}; /* the time of the day */
    put_column(tail, at, 12);
    put_column(tail, text_of(tail, root, "type"), 24);
    put_column(tail, text_of(tail, root, "source"), 8);
    put_column(tail, text_of(tail, root, "store"), 8);
    souk_buf_print(&tail->line, "%.*s%s", SOUK_TEXT_PRINT(amount), amount.bytes ? " " : "");
    put_plain(&tail->line, currency);
    souk_buf_text(&tail->line, amount.bytes ? SOUK_TEXT("  ") : SOUK_TEXT(""));
    put_products(tail, root);
}

static souk_err print_event(struct tail *tail, souk_text data)
{
    souk_diag ignored;
    souk_arena_clear(&tail->arena);
    SOUK_TRY(souk_json_read(&tail->doc, data, NULL, &ignored));
    put_event(tail, souk_json_root(&tail->doc));
    souk_text line = souk_buf_view(&tail->line);
    while (line.bytes && line.at[line.bytes - 1] == ' ')
        line.bytes--;
    SOUK_TRY(souk_buf_check(&tail->line));
    printf("%.*s\n", SOUK_TEXT_PRINT(line));
    return SOUK_OK;
}

/* What is no event goes to stderr, as words. */
static souk_err say_other(struct tail *tail, const souk_sse_message *message)
{
    souk_diag ignored;
    souk_arena_clear(&tail->arena);
    SOUK_TRY(souk_json_read(&tail->doc, message->data, NULL, &ignored));
    souk_json_node root = souk_json_root(&tail->doc);
    int64_t count = 0;
    souk_text why = text_of(tail, root, "why");
    if (souk_text_equal(message->event, SOUK_TEXT("skipped")) &&
        !souk_json_i64(&tail->doc, souk_json_member(&tail->doc, root, SOUK_TEXT("count")), &count))
        fprintf(stderr, "souk tail: %lld events were passed over: too many a second (%.*s)\n",
                (long long)count, SOUK_TEXT_PRINT(why));
    if (souk_text_equal(message->event, SOUK_TEXT("gap")))
        fprintf(stderr, "souk tail: too far back: %.*s is not told\n",
                SOUK_TEXT_PRINT(message->data));
    tail->ended |= souk_text_equal(message->event, SOUK_TEXT("end"));
    if (tail->ended)
        snprintf(tail->why, sizeof tail->why, "%.*s", SOUK_TEXT_PRINT(why));
    return SOUK_OK;
}

static souk_err take(void *context, const souk_sse_message *message)
{
    struct tail *tail = context;
    bool is_event = souk_text_equal(message->event, SOUK_TEXT("event"));
    souk_buf_clear(&tail->line);
    if (!is_event)
        SOUK_TRY(say_other(tail, message));
    if (tail->options->json && is_event)
        printf("%.*s\n", SOUK_TEXT_PRINT(message->data));
    else if (tail->options->json)
        printf("{\"%.*s\":%.*s}\n", SOUK_TEXT_PRINT(message->event),
               SOUK_TEXT_PRINT(message->data));
    else if (is_event)
        SOUK_TRY(print_event(tail, message->data));
    return SOUK_OK;
}

/* ---- the stream ------------------------------------------------------------------------------ */

static void put_parameter(souk_buf *request, size_t *count, const char *name, const char *value)
{
    if (!value)
        return;
    souk_buf_print(request, "%c%s=", (*count)++ ? '&' : '?', name);
    app_put_escaped(request, value);
}

static souk_err ask(const app_options *options, souk_fd fd)
{
    souk_auto_value(souk_buf) request = {.mem = souk_mem_heap()};
    size_t count = 0;
    souk_buf_text(&request, SOUK_TEXT("GET /v1/stream"));
    for (size_t i = 0; i < options->type_count; i++)
        put_parameter(&request, &count, "type", options->types[i]);
    put_parameter(&request, &count, "source", options->source);
    put_parameter(&request, &count, "store", options->store);
    put_parameter(&request, &count, "product", options->product);
    put_parameter(&request, &count, "shopper", options->shopper);
    put_parameter(&request, &count, "from", options->from);
    put_parameter(&request, &count, "rate", options->rate);
    souk_buf_text(&request, SOUK_TEXT(" HTTP/1.0\r\nHost: souk\r\n\r\n"));
    SOUK_TRY(souk_buf_check(&request));
    ssize_t sent = write(fd, request.at, request.bytes); /* fits the socket's buffer */
    return sent == (ssize_t)request.bytes ? SOUK_OK : SOUK_EIO;
}

/* Some bytes; none at the end, or where Ctrl-C came. */
static souk_err receive(souk_fd fd, char *room, size_t bytes, size_t *ret_got)
{
    *ret_got = 0;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        (void)poll(&ready, 1, 500);
        if (app_interrupted())
            return SOUK_OK;
        ssize_t got = ready.revents ? read(fd, room, bytes) : -1;
        if (got >= 0) {
            *ret_got = (size_t)got;
            return SOUK_OK;
        }
        if (ready.revents & (POLLERR | POLLNVAL))
            return SOUK_ESTOPPED;
    }
}

/* An answer other than 200 has its words in a problem. */
static souk_err refused(struct tail *tail, souk_text body, souk_diag *diag)
{
    souk_diag ignored;
    souk_text detail = SOUK_TEXT(""), code = SOUK_TEXT("");
    souk_err err = SOUK_EINVAL;
    if (!souk_json_read(&tail->doc, body, NULL, &ignored)) {
        detail = text_of(tail, souk_json_root(&tail->doc), "detail");
        code = text_of(tail, souk_json_root(&tail->doc), "code");
    }
    for (int i = 1; i < SOUK_ERR_COUNT; i++)
        if (souk_text_equal(code, souk_text_of(souk_err_name((souk_err)i))))
            err = (souk_err)i;
    return souk_diag_say(diag, err, "%.*s",
                         SOUK_TEXT_PRINT(detail.bytes ? detail : SOUK_TEXT("the server refused")));
}

/* The head, and behind it what came with it of the stream. */
static souk_err read_head(souk_fd fd, souk_buf *answer, size_t *ret_head)
{
    for (size_t got = 1; got;) {
        char *room = souk_buf_room(answer, 4096);
        SOUK_TRY(souk_buf_check(answer));
        SOUK_TRY(receive(fd, room, 4096, &got));
        souk_buf_added(answer, got);
        const char *end = memmem(answer->at, answer->bytes, "\r\n\r\n", 4);
        *ret_head = end ? (size_t)(end + 4 - answer->at) : 0;
        if (end)
            return SOUK_OK;
    }
    return app_interrupted() ? SOUK_OK : SOUK_ESTOPPED;
}

static souk_err follow(struct tail *tail, souk_fd fd, souk_text first, souk_diag *diag)
{
    souk_sse sse = {.mem = souk_mem_heap(), .take = take, .context = tail};
    static char room[65536];
    size_t got = 1;
    souk_err err = souk_sse_read(&sse, first);
    while (!err && got) {
        fflush(stdout);
        err = receive(fd, room, sizeof room, &got);
        if (!err)
            err = souk_sse_read(&sse, (souk_text){room, got});
    }
    souk_sse_done(&sse);
    if (err || app_interrupted())
        return err;
    if (tail->ended)
        fprintf(stderr, "souk tail: %s\n", tail->why);
    return tail->ended ? SOUK_OK : souk_diag_say(diag, SOUK_ESTOPPED, "the server is gone");
}

static souk_err tail_on(struct tail *tail, souk_fd fd, souk_diag *diag)
{
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap(), .limit_bytes = 1 << 20};
    size_t head = 0;
    SOUK_TRY(ask(tail->options, fd));
    SOUK_TRY(read_head(fd, &answer, &head));
    if (head == 0)
        return SOUK_OK;
    souk_text all = souk_buf_view(&answer);
    souk_text first = souk_text_range(all.at + head, all.at + all.bytes);
    if (!souk_text_starts(all, SOUK_TEXT("HTTP/1.1 200")))
        return refused(tail, first, diag);
    return follow(tail, fd, first, diag);
}

souk_err app_tail(const app_options *options, souk_diag *diag)
{
    char control[600];
    souk_auto_value(souk_fd) fd = -1;
    struct tail tail = {.options = options,
                        .doc = {.mem = souk_mem_heap()},
                        .arena = {.mem = souk_mem_heap()},
                        .line = {.mem = souk_mem_heap()}};
    snprintf(control, sizeof control, "%s/control", options->data);
    app_catch_signals();
    if (souk_socket_connect(control, ASK_MS, &fd, NULL))
        return souk_diag_say(diag, SOUK_ENOENT,
                             "no server runs on %s: start one with `souk serve`, then call this "
                             "again",
                             options->data);
    souk_err err = tail_on(&tail, fd, diag);
    souk_json_doc_done(&tail.doc);
    souk_arena_done(&tail.arena);
    souk_buf_done(&tail.line);
    return err;
}
