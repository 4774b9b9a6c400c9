/* http_answer.c - the bytes of an answer: status line, headers, body; and the words of problems.
 *
 *     HTTP/1.1 200 OK
 *     Date: Tue, 24 Nov 2026 04:09:00 GMT
 *     Content-Type: application/json           the handler's headers
 *     Content-Length: 2
 *     Connection: close                        where it ends, or HTTP/1.0 asked to go on
 *
 *     {}
 */
#include "base/utf8.h"
#include "serve/http_guts.h"

#include <stdio.h>

const char *souk_http_status_words(int status)
{
    static const struct {
        int status;
        const char *words;
    } table[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].status == status)
            return table[i].words;
    return "Unknown";
}

static void put_two(char *to, unsigned number)
{
    to[0] = (char)('0' + number / 10 % 10);
    to[1] = (char)('0' + number % 10);
}

/* RFC 9110 5.6.7.  Days to date: Neri and Schneider 2023, section 6, without its multiplications. */
void http_date_write(int64_t unix_s, char to[32])
{
    static const char week[] = "ThuFriSatSunMonTueWed",
                      year_of[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint64_t s = unix_s > 0 ? (uint64_t)unix_s : 0, days = s / 86400, second = s % 86400;
    uint64_t from_march_0 = days + 719468, era = from_march_0 / 146097;
    uint64_t day_of_era = from_march_0 % 146097;
    uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t from_march = (5 * day + 2) / 153;
    uint64_t month = from_march < 10 ? from_march + 2 : from_march - 10; /* January is 0 */
    uint64_t year = era * 400 + year_of_era + (month < 2);
    memcpy(to, "Thu, 00 Jan 0000 00:00:00 GMT", 30);
    memcpy(to, week + days % 7 * 3, 3);
    put_two(to + 5, (unsigned)(day - (153 * from_march + 2) / 5 + 1));
    memcpy(to + 8, year_of + month * 3, 3);
    put_two(to + 12, (unsigned)(year / 100));
    put_two(to + 14, (unsigned)(year % 100));
    put_two(to + 17, (unsigned)(second / 3600));
    put_two(to + 20, (unsigned)(second / 60 % 60));
    put_two(to + 23, (unsigned)(second % 60));
}

bool http_answer_is_clean(const http_answer *answer)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        souk_text value = answer->headers[i].value;
        for (size_t j = 0; j < value.bytes; j++) {
            unsigned char c = (unsigned char)value.at[j];
            if ((c < 32 && c != '\t') || c == 127)
                return false;
        }
    }
    return true;
}

size_t http_answer_room(const http_answer *answer)
{
    size_t room = 256 + (answer->is_head ? 0 : answer->body.bytes);
    for (size_t i = 0; i < answer->header_count; i++)
        room += answer->headers[i].name.bytes + answer->headers[i].value.bytes + 4;
    return room;
}

static char *put(char *to, souk_text text)
{
    if (text.bytes)
        memcpy(to, text.at, text.bytes);
    return to + text.bytes;
}

static char *put_number(char *to, size_t number)
{
    char digits[20], *from = digits + sizeof digits;
    do
        *--from = (char)('0' + number % 10);
    while (number /= 10);
    return put(to, souk_text_range(from, digits + sizeof digits));
}

size_t http_answer_write(const http_answer *answer, char *to)
{
    /* RFC 9110 8.6: no length where there can be no content. */
    bool has_body = answer->status != 204 && answer->status != 304;
    char *at = put(to, SOUK_TEXT("HTTP/1.1 "));
    if (answer->status == 200) {
        at = put(at, SOUK_TEXT("200 OK"));
    } else {
        at = put_number(at, (size_t)answer->status);
        *at++ = ' ';
        at = put(at, souk_text_of(souk_http_status_words(answer->status)));
    }
    at = put(at, SOUK_TEXT("\r\nDate: "));
    at = put(at, (souk_text){answer->date, 29});
    for (size_t i = 0; i < answer->header_count; i++) {
        at = put(at, SOUK_TEXT("\r\n"));
        at = put(at, answer->headers[i].name);
        at = put(at, SOUK_TEXT(": "));
        at = put(at, answer->headers[i].value);
    }
    if (answer->endless && answer->minor_version > 0) {
        at = put(at, SOUK_TEXT("\r\nTransfer-Encoding: chunked"));
    } else if (has_body && !answer->endless) {
        at = put(at, SOUK_TEXT("\r\nContent-Length: "));
        at = put_number(at, answer->body.bytes);
    }
    if (answer->close)
        at = put(at, SOUK_TEXT("\r\nConnection: close"));
    else if (answer->minor_version == 0)
        at = put(at, SOUK_TEXT("\r\nConnection: keep-alive"));
    at = put(at, SOUK_TEXT("\r\n\r\n"));
    if (has_body && !answer->is_head)
        at = put(at, answer->body); /* of a stream: none */
    return (size_t)(at - to);
}

static void put_quoted(souk_buf *buf, souk_text text)
{
    souk_buf_byte(buf, '"');
    for (size_t i = 0; i < text.bytes; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < 32)
            souk_buf_print(buf, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            souk_buf_append(buf, (char[]){'\\', (char)c}, 2);
        else
            souk_buf_byte(buf, (char)c);
    }
    souk_buf_byte(buf, '"');
}

void souk_http_answer_problem(souk_http_exchange *x, int status, souk_text detail)
{
    static const souk_http_header type = {{"Content-Type", 12}, {"application/problem+json", 24}};
    souk_auto_value(souk_buf)
        body = {.mem = ((http_task *)x)->loop->http->mem, .limit_bytes = 65536};
    souk_buf_print(&body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":",
                   souk_http_status_words(status), status);
    put_quoted(&body, souk_utf8_valid(detail) ? detail : SOUK_TEXT("the detail is not UTF-8"));
    souk_buf_byte(&body, '}');
    if (souk_buf_check(&body)) /* the status still says the most important */
        souk_http_answer(x, status, NULL, 0, SOUK_TEXT(""));
    else
        souk_http_answer(x, status, &type, 1, souk_buf_view(&body));
}

static souk_text refusal_body(souk_http_refusal refusal, unsigned line, char *to, size_t room)
{
    int status = souk_http_refusal_status(refusal);
    char where[40] = "";
    if (line)
        snprintf(where, sizeof where, "line %u of the request: ", line);
    /* The words of the table have nothing that JSON would escape. */
    int bytes =
        snprintf(to, room,
                 "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
                 "\"detail\":\"%s%s; %s\",\"reason\":\"%s\"}",
                 souk_http_status_words(status), status, where, souk_http_refusal_what(refusal),
                 souk_http_refusal_remedy(refusal), souk_http_refusal_name(refusal));
    souk_assert(bytes > 0 && (size_t)bytes < room);
    return (souk_text){to, (size_t)bytes};
}

size_t http_refusal_write(souk_http_refusal refusal, unsigned line, const char *date, bool is_head,
                          char *to)
{
    souk_http_header headers[] = {
        {SOUK_TEXT("Content-Type"), SOUK_TEXT("application/problem+json")},
        /* a page that may not read the status would send the same again (Fetch standard 3.2) */
        {SOUK_TEXT("Access-Control-Allow-Origin"), SOUK_TEXT("*")},
        {SOUK_TEXT("Retry-After"), SOUK_TEXT("1")}};
    char words[512];
    int status = souk_http_refusal_status(refusal);
    http_answer answer = {
        .status = status,
        .headers = headers,
        .header_count = status == 503 ? 3 : 2,
        .body = refusal_body(refusal, line, words, sizeof words),
        .date = date,
        .minor_version = 1,
        .is_head = is_head,
        .close = true,
    };
    souk_assert(http_answer_room(&answer) <= HTTP_REFUSAL_BYTES);
    return http_answer_write(&answer, to);
}

souk_text http_answer_of_last_resort(void)
{
    return SOUK_TEXT("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
                     "Connection: close\r\n\r\n");
}

/* ---- answering ----------------------------------------------------------------------------- */

static void answer_inline(http_task *task, http_answer *answer)
{
    http_loop *loop = task->loop;
    http_conn *conn = task->conn;
    loop->answered = true;
    HTTP_COUNT(loop, answers[answer->status / 100], 1);
    answer->date = loop->date;
    char *to = http_conn_out_room(conn, http_answer_room(answer));
    if (!to)
        return; /* the connection has seen to it */
    conn->out.to += http_answer_write(answer, to);
    conn->closing |= answer->close;
}

static void answer_late(http_task *task, http_answer *answer)
{
    souk_http *http = task->loop->http;
    char date[32];
    http_date_write(souk_clock_now_ms(http->options.clock) / 1000, date);
    answer->date = date;
    task->late_status = answer->status;
    task->late_close = answer->close;
    task->late = (http_bytes){.capacity = http_answer_room(answer)};
    task->late.at = souk_mem_resize(http->mem, NULL, task->late.capacity);
    if (task->late.at)
        task->late.to = http_answer_write(answer, task->late.at);
    http_loop_push(task->loop, task);
}

/* An answer of no bytes, behind which the connection is closed; counted as 503. */
void souk_http_drop(souk_http_exchange *x)
{
    http_task *task = (http_task *)x;
    if (http_loop_is_handling(task->loop, task)) {
        task->loop->answered = true;
        task->conn->closing = true;
        HTTP_COUNT(task->loop, answers[5], 1);
        return;
    }
    task->late_status = 503;
    task->late_close = true;
    task->late = (http_bytes){.capacity = 1};
    task->late.at = souk_mem_resize(task->loop->http->mem, NULL, task->late.capacity);
    http_loop_push(task->loop, task);
}

void souk_http_answer(souk_http_exchange *x, int status, const souk_http_header *headers,
                      size_t header_count, souk_text body)
{
    static const souk_http_header type = {{"Content-Type", 12}, {"application/problem+json", 24}};
    souk_assert(status >= 200 && status <= 599);
    http_task *task = (http_task *)x;
    http_answer answer = {
        .status = status,
        .headers = headers,
        .header_count = header_count,
        .body = body,
        .minor_version = x->request.minor_version,
        .is_head = souk_text_equal(x->request.method, SOUK_TEXT("HEAD")),
        .close = !x->request.keep_alive ||
                 atomic_load_explicit(&task->loop->http->phase, memory_order_relaxed),
    };
    if (!http_answer_is_clean(&answer)) {
        answer.status = 500;
        answer.headers = &type;
        answer.header_count = 1;
        answer.body = SOUK_TEXT("{\"type\":\"about:blank\",\"title\":\"Internal Server Error\","
                                "\"status\":500,\"detail\":\"an answer header was not clean\"}");
    }
    if (http_loop_is_handling(task->loop, task))
        answer_inline(task, &answer);
    else
        answer_late(task, &answer);
}
