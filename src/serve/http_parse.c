/* http_parse.c - the reader of http_parse.h: one line at a time, each judged when its end is there.
 *
 * The bytes of a chunked request while it is read; what is left of | stays where it is:
 *
 *     request line, headers, empty line | joined body | rest of the raw chunks
 *     0                     headers_at    body_at       line_at        *bytes
 *
 * Chunk data moves down over the framing before it, and before the parser asks for more the rest
 * moves down too.  So a body in chunks of one byte needs no more room than the same body in one.
 *
 * A line is searched only within what its limit leaves.  Therefore a reader that saw all bytes at
 * once and one that saw them singly come to the same verdict at the same byte. */
#include "serve/http_parse.h"

#include "serve/http_bytes.h"

enum phase {
    PHASE_REQUEST_LINE,
    PHASE_HEADERS,
    PHASE_BODY, /* the head has been told, the limit is to be checked */
    PHASE_SIZED,
    PHASE_CHUNK_SIZE,
    PHASE_CHUNK_DATA,
    PHASE_CHUNK_END,
    PHASE_TRAILERS,
    PHASE_DONE,
    PHASE_REFUSED,
};

enum {
    CHUNK_DIGITS_MAX = 16,
    REQUEST_LINE_MAX = SOUK_HTTP_METHOD_BYTES_MAX + 1 + SOUK_HTTP_TARGET_BYTES_MAX + 11,
    CHUNK_LINE_MAX = CHUNK_DIGITS_MAX + SOUK_HTTP_CHUNK_EXTENSION_BYTES_MAX + 2,
};

static const struct {
    const char *name, *what, *remedy;
    int status;
} refusals[] = {
#define REFUSAL_ROW(name, status, what, remedy) {#name, what, remedy, status},
    SOUK_HTTP_REFUSAL_TABLE(REFUSAL_ROW)
#undef REFUSAL_ROW
};

const char *souk_http_refusal_name(souk_http_refusal refusal)
{
    souk_assert(refusal < SOUK_HTTP_REFUSAL_COUNT);
    return refusals[refusal].name;
}

int souk_http_refusal_status(souk_http_refusal refusal)
{
    souk_assert(refusal < SOUK_HTTP_REFUSAL_COUNT);
    return refusals[refusal].status;
}

const char *souk_http_refusal_what(souk_http_refusal refusal)
{
    souk_assert(refusal < SOUK_HTTP_REFUSAL_COUNT);
    return refusals[refusal].what;
}

const char *souk_http_refusal_remedy(souk_http_refusal refusal)
{
    souk_assert(refusal < SOUK_HTTP_REFUSAL_COUNT);
    return refusals[refusal].remedy;
}

void souk_http_parse_init(souk_http_parser *parser, souk_http_request *request,
                          uint64_t body_limit_bytes)
{
    *parser = (souk_http_parser){.request = request, .body_limit_bytes = body_limit_bytes};
    /* All but the headers, which only count once they are counted. */
    memset(request, 0, offsetof(souk_http_request, headers));
}

/* The caller's bytes lie elsewhere now. */
static void rebase(souk_http_parser *parser, char *at)
{
    souk_http_request *request = parser->request;
    uintptr_t before = parser->base;
    souk_text *slices[] = {&request->method, &request->target, &request->path,
                           &request->query,  &request->host,   &request->body};
    parser->base = (uintptr_t)at;
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        if (slices[i]->at)
            slices[i]->at = at + ((uintptr_t)slices[i]->at - before);
    for (unsigned i = 0; i < request->header_count; i++) {
        souk_http_header *header = &request->headers[i];
        header->name.at = at + ((uintptr_t)header->name.at - before);
        header->value.at = at + ((uintptr_t)header->value.at - before);
    }
}

enum line { LINE_MORE, LINE_LONG, LINE_BAD_END, LINE_HERE };

/* The line at line_at of at most `most` bytes with its CR LF, which the text leaves out; line_at and
 * scanned move behind it. */
static enum line line_take(souk_http_parser *parser, const char *at, size_t bytes, size_t most,
                           souk_text *ret_line)
{
    size_t end = parser->line_at + souk_min_size(bytes - parser->line_at, most);
    const char *feed = NULL;
    if (parser->scanned < end)
        feed = memchr(at + parser->scanned, '\n', end - parser->scanned);
    if (!feed) {
        parser->scanned = end;
        return end - parser->line_at >= most ? LINE_LONG : LINE_MORE;
    }
    *ret_line = souk_text_range(at + parser->line_at, feed);
    if (ret_line->bytes == 0 || feed[-1] != '\r')
        return LINE_BAD_END;
    ret_line->bytes--;
    parser->line_at = parser->scanned = (size_t)(feed + 1 - at);
    return LINE_HERE;
}

/* RFC 9112 3.2.1 and 3.2.2. */
static bool target_parse(souk_http_request *request)
{
    souk_text rest = request->target;
    size_t scheme_bytes = 0;
    if (rest.bytes > 7 && souk_text_equal_nocase((souk_text){rest.at, 7}, SOUK_TEXT("http://")))
        scheme_bytes = 7;
    if (rest.bytes > 8 && souk_text_equal_nocase((souk_text){rest.at, 8}, SOUK_TEXT("https://")))
        scheme_bytes = 8;
    const char *end = rest.at + rest.bytes;
    if (scheme_bytes) {
        const char *authority = rest.at + scheme_bytes, *stop = authority;
        while (stop < end && *stop != '/' && *stop != '?')
            stop++;
        request->host = souk_text_range(authority, stop);
        if (!http_host_is_good(request->host))
            return false;
        rest = souk_text_range(stop, end);
    } else if (rest.bytes == 0 || rest.at[0] != '/') {
        return false;
    }

    const char *mark = rest.bytes ? memchr(rest.at, '?', rest.bytes) : NULL;
    request->path = souk_text_range(rest.at, mark ? mark : end);
    if (mark)
        request->query = souk_text_range(mark + 1, end);
    if (request->path.bytes == 0) /* "http://host?a": the path is "/", as in the scheme's "//" */
        request->path = (souk_text){request->target.at + scheme_bytes - 1, 1};
    return http_all_are(request->path, HTTP_IN_PATH) && http_escapes_are_good(request->path) &&
           (request->query.bytes == 0 ||
            (http_all_are(request->query, HTTP_IN_QUERY) && http_escapes_are_good(request->query)));
}

static souk_http_refusal request_line(souk_http_parser *parser, souk_text line)
{
    souk_http_request *request = parser->request;
    const char *end = line.at + line.bytes;
    const char *first = line.bytes ? memchr(line.at, ' ', line.bytes) : NULL;
    const char *last = line.bytes ? memrchr(line.at, ' ', line.bytes) : NULL;
    if (!first || first == last)
        return SOUK_HTTP_REFUSAL_REQUEST_LINE;
    request->method = souk_text_range(line.at, first);
    request->target = souk_text_range(first + 1, last);
    if (request->method.bytes > SOUK_HTTP_METHOD_BYTES_MAX ||
        !http_all_are(request->method, HTTP_IN_TOKEN))
        return SOUK_HTTP_REFUSAL_METHOD;

    souk_text version = souk_text_range(last + 1, end);
    if (version.bytes != 8 || !souk_text_starts(version, SOUK_TEXT("HTTP/")) ||
        version.at[5] < '0' || version.at[5] > '9' || version.at[6] != '.' || version.at[7] < '0' ||
        version.at[7] > '9')
        return SOUK_HTTP_REFUSAL_REQUEST_LINE;
    if (version.at[5] != '1' || version.at[7] > '1')
        return SOUK_HTTP_REFUSAL_VERSION;
    request->minor_version = version.at[7] == '1';

    if (request->target.bytes > SOUK_HTTP_TARGET_BYTES_MAX)
        return SOUK_HTTP_REFUSAL_TARGET_LONG;
    return target_parse(request) ? SOUK_HTTP_REFUSAL_NONE : SOUK_HTTP_REFUSAL_TARGET;
}

/* RFC 9112 5: name, colon at once, value.  Nothing else may stand in a field line. */
static souk_http_refusal field_line(souk_text line, souk_http_header *ret_header)
{
    if (line.at[0] == ' ' || line.at[0] == '\t')
        return SOUK_HTTP_REFUSAL_HEADER_FOLD;
    size_t name_bytes = 0;
    while (name_bytes < line.bytes && http_is(line.at[name_bytes], HTTP_IN_TOKEN))
        name_bytes++;
    if (name_bytes == 0 || name_bytes == line.bytes || line.at[name_bytes] != ':')
        return SOUK_HTTP_REFUSAL_HEADER_NAME;
    const char *from = line.at + name_bytes + 1, *to = line.at + line.bytes;
    if (!http_value_is_clean(souk_text_range(from, to)))
        return SOUK_HTTP_REFUSAL_HEADER_VALUE;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    ret_header->name = (souk_text){line.at, name_bytes};
    ret_header->value = souk_text_range(from, to);
    return SOUK_HTTP_REFUSAL_NONE;
}

/* CGI and its heirs write '_' where the name has '-': to them these two frame the message. */
static bool is_lookalike(souk_text name)
{
    char with_dash[17];
    if ((name.bytes != 14 && name.bytes != 17) || !memchr(name.at, '_', name.bytes))
        return false;
    for (size_t i = 0; i < name.bytes; i++)
        with_dash[i] = name.at[i] == '_' ? '-' : name.at[i];
    souk_text dashed = {with_dash, name.bytes};
    return souk_text_equal_nocase(dashed, SOUK_TEXT("Content-Length")) ||
           souk_text_equal_nocase(dashed, SOUK_TEXT("Transfer-Encoding"));
}

static void connection_options(souk_http_parser *parser, souk_text list)
{
    while (list.bytes) {
        souk_text option = souk_text_trim(souk_text_cut(&list, ','));
        parser->has_close |= souk_text_equal_nocase(option, SOUK_TEXT("close"));
        parser->has_keep_alive |= souk_text_equal_nocase(option, SOUK_TEXT("keep-alive"));
    }
}

static souk_http_refusal length_header(souk_http_parser *parser, souk_text value)
{
    if (parser->has_length)
        return SOUK_HTTP_REFUSAL_LENGTH_TWICE;
    parser->has_length = true;
    souk_err err = souk_text_to_u64(value, &parser->length);
    if (err == SOUK_EOVERFLOW)
        return SOUK_HTTP_REFUSAL_BODY_LONG;
    return err ? SOUK_HTTP_REFUSAL_LENGTH : SOUK_HTTP_REFUSAL_NONE;
}

/* The few headers that decide how to go on.  The lengths of their names differ. */
static souk_http_refusal framing_header(souk_http_parser *parser, const souk_http_header *header)
{
    souk_http_request *request = parser->request;
    souk_text name = header->name;
    if (name.bytes == 4 && souk_text_equal_nocase(name, SOUK_TEXT("Host"))) {
        if (parser->has_host)
            return SOUK_HTTP_REFUSAL_HOST_TWICE;
        parser->has_host = true;
        if (header->value.bytes && !http_host_is_good(header->value))
            return SOUK_HTTP_REFUSAL_HOST;
        if (!request->host.at)
            request->host = header->value;
    } else if (name.bytes == 6 && souk_text_equal_nocase(name, SOUK_TEXT("Expect"))) {
        if (!souk_text_equal_nocase(header->value, SOUK_TEXT("100-continue")))
            return SOUK_HTTP_REFUSAL_EXPECT;
        request->expects_continue = request->minor_version == 1; /* RFC 9110 10.1.1 */
    } else if (name.bytes == 10 && souk_text_equal_nocase(name, SOUK_TEXT("Connection"))) {
        connection_options(parser, header->value);
    } else if (name.bytes == 14 && souk_text_equal_nocase(name, SOUK_TEXT("Content-Length"))) {
        return length_header(parser, header->value);
    } else if (name.bytes == 17 && souk_text_equal_nocase(name, SOUK_TEXT("Transfer-Encoding"))) {
        if (parser->is_chunked)
            return SOUK_HTTP_REFUSAL_CODING_TWICE;
        parser->is_chunked = true;
        if (!souk_text_equal_nocase(header->value, SOUK_TEXT("chunked")))
            return SOUK_HTTP_REFUSAL_CODING;
    } else if (is_lookalike(name)) {
        return SOUK_HTTP_REFUSAL_LOOKALIKE;
    }
    return SOUK_HTTP_REFUSAL_NONE;
}

static souk_http_refusal header_line(souk_http_parser *parser, souk_text line)
{
    souk_http_request *request = parser->request;
    souk_http_header header;
    souk_http_refusal refusal = field_line(line, &header);
    if (refusal)
        return refusal;
    if (request->header_count == SOUK_HTTP_HEADERS_MAX)
        return SOUK_HTTP_REFUSAL_HEADERS_MANY;
    request->headers[request->header_count++] = header;
    return framing_header(parser, &header);
}

/* What only the whole head shows. */
static souk_http_refusal head_finish(souk_http_parser *parser)
{
    souk_http_request *request = parser->request;
    bool is_old = request->minor_version == 0;
    if (!parser->has_host && !is_old)
        return SOUK_HTTP_REFUSAL_HOST_MISSING;
    if (parser->is_chunked && parser->has_length)
        return SOUK_HTTP_REFUSAL_LENGTH_AND_CODING;
    if (parser->is_chunked && is_old)
        return SOUK_HTTP_REFUSAL_CODING_OLD;
    request->keep_alive = !parser->has_close && (!is_old || parser->has_keep_alive);
    parser->head_done = true;
    parser->body_at = parser->line_at;
    return SOUK_HTTP_REFUSAL_NONE;
}

/* ";name", ";name=token" or ";name=\"quoted\"", again and again: RFC 9112 7.1.1 without its optional
 * white space, which nobody sends and readers differ about. */
static bool extensions_are_good(souk_text text)
{
    const char *at = text.at, *end = text.at + text.bytes;
    while (at < end) {
        if (*at++ != ';' || at == end || !http_is(*at, HTTP_IN_TOKEN))
            return false;
        while (at < end && http_is(*at, HTTP_IN_TOKEN))
            at++;
        if (at == end || *at != '=')
            continue;
        at++;
        const char *value = at;
        if (at < end && *at == '"') {
            for (at++; at < end && *at != '"'; at++)
                if (*at == '\\')
                    at++;
            if (at >= end)
                return false;
            at++;
        } else {
            while (at < end && http_is(*at, HTTP_IN_TOKEN))
                at++;
        }
        if (at == value)
            return false;
    }
    return http_value_is_clean(text);
}

static souk_http_refusal chunk_line(souk_http_parser *parser, souk_text line)
{
    size_t digits = 0;
    uint64_t size = 0;
    while (digits < line.bytes && http_is(line.at[digits], HTTP_IN_HEX)) {
        if (digits == CHUNK_DIGITS_MAX)
            return SOUK_HTTP_REFUSAL_CHUNK;
        size = size << 4 | http_hex_value(line.at[digits++]);
    }
    souk_text extensions = {line.at + digits, line.bytes - digits};
    if (digits == 0 || (extensions.bytes && extensions.at[0] != ';'))
        return SOUK_HTTP_REFUSAL_CHUNK;
    parser->extension_bytes += extensions.bytes;
    if (parser->extension_bytes > SOUK_HTTP_CHUNK_EXTENSION_BYTES_MAX ||
        !extensions_are_good(extensions))
        return SOUK_HTTP_REFUSAL_CHUNK_EXTENSION;
    if (size > parser->body_limit_bytes || parser->body_bytes > parser->body_limit_bytes - size)
        return SOUK_HTTP_REFUSAL_BODY_LONG;
    parser->chunk_left = size;
    return SOUK_HTTP_REFUSAL_NONE;
}

/* Trailers are judged like headers and dropped; one that would have framed or routed the message
 * is an attempt at something (RFC 9110 6.5.1). */
static souk_http_refusal trailer_line(souk_http_parser *parser, souk_text line)
{
    souk_http_header header;
    souk_http_refusal refusal = field_line(line, &header);
    if (refusal)
        return refusal;
    if (souk_text_equal_nocase(header.name, SOUK_TEXT("Host")) ||
        souk_text_equal_nocase(header.name, SOUK_TEXT("Content-Length")) ||
        souk_text_equal_nocase(header.name, SOUK_TEXT("Transfer-Encoding")) ||
        is_lookalike(header.name))
        return SOUK_HTTP_REFUSAL_TRAILER;
    parser->trailer_bytes += line.bytes + 2;
    return SOUK_HTTP_REFUSAL_NONE;
}

static souk_http_progress refuse(souk_http_parser *parser, souk_http_refusal refusal)
{
    parser->refusal = refusal;
    parser->phase = PHASE_REFUSED;
    if (parser->head_done)
        parser->line = 0;
    return SOUK_HTTP_REFUSED;
}

/* Moves what lies behind the joined body down to it. */
static void close_gap(souk_http_parser *parser, char *at, size_t *bytes)
{
    size_t end = parser->body_at + parser->body_bytes, gap = parser->line_at - end;
    if (gap == 0)
        return;
    memmove(at + end, at + parser->line_at, *bytes - parser->line_at);
    *bytes -= gap;
    parser->line_at -= gap;
    parser->scanned -= gap;
}

static void chunk_join(souk_http_parser *parser, char *at, size_t bytes)
{
    char *end = at + parser->body_at + parser->body_bytes;
    uint64_t here = bytes - parser->line_at;
    size_t take = (size_t)(parser->chunk_left < here ? parser->chunk_left : here);
    if (take && end != at + parser->line_at)
        memmove(end, at + parser->line_at, take);
    parser->body_bytes += take;
    parser->chunk_left -= take;
    parser->line_at += take;
    parser->scanned = parser->line_at;
}

static souk_http_progress done(souk_http_parser *parser, char *at, size_t *bytes)
{
    if (parser->is_chunked)
        close_gap(parser, at, bytes);
    parser->request->body = (souk_text){at + parser->body_at, parser->body_bytes};
    parser->request_bytes = parser->body_at + parser->body_bytes;
    parser->phase = PHASE_DONE;
    return SOUK_HTTP_DONE;
}

/* One step of the head.  MORE: none could be done.  HEAD: the step is done. */
static souk_http_progress head_step(souk_http_parser *parser, const char *at, size_t bytes)
{
    bool is_first = parser->phase == PHASE_REQUEST_LINE;
    if (is_first && bytes &&
        !http_is(at[0], HTTP_IN_TOKEN)) { /* blank lines, TLS: do not wait for an end */
        parser->line = 1;
        return refuse(parser, SOUK_HTTP_REFUSAL_METHOD);
    }
    size_t most = REQUEST_LINE_MAX;
    if (!is_first)
        most = SOUK_HTTP_HEAD_BYTES_MAX - (parser->line_at - parser->headers_at);
    souk_text line;
    enum line found = line_take(parser, at, bytes, most, &line);
    if (found == LINE_MORE)
        return SOUK_HTTP_MORE;
    parser->line++;
    if (found == LINE_BAD_END)
        return refuse(parser, SOUK_HTTP_REFUSAL_LINE_END);
    if (found == LINE_LONG && !is_first)
        return refuse(parser, SOUK_HTTP_REFUSAL_HEADERS_LONG);
    if (found == LINE_LONG)
        return refuse(parser, memchr(at, ' ', SOUK_HTTP_METHOD_BYTES_MAX + 1)
                                  ? SOUK_HTTP_REFUSAL_TARGET_LONG
                                  : SOUK_HTTP_REFUSAL_METHOD);
    souk_http_refusal refusal;
    if (is_first) {
        refusal = request_line(parser, line);
        parser->phase = PHASE_HEADERS;
        parser->headers_at = parser->line_at;
    } else if (line.bytes) {
        refusal = header_line(parser, line);
    } else {
        refusal = head_finish(parser);
        parser->phase = PHASE_BODY;
    }
    return refusal ? refuse(parser, refusal) : SOUK_HTTP_HEAD;
}

static souk_http_progress chunk_step(souk_http_parser *parser, char *at, size_t bytes)
{
    souk_text line;
    size_t most = CHUNK_LINE_MAX;
    if (parser->phase == PHASE_CHUNK_END)
        most = 2;
    else if (parser->phase == PHASE_TRAILERS)
        most = SOUK_HTTP_HEAD_BYTES_MAX - parser->trailer_bytes;
    enum line found = line_take(parser, at, bytes, most, &line);
    if (found == LINE_MORE)
        return SOUK_HTTP_MORE;
    if (found == LINE_LONG && parser->phase == PHASE_TRAILERS)
        return refuse(parser, SOUK_HTTP_REFUSAL_HEADERS_LONG);
    if (found == LINE_LONG && parser->phase == PHASE_CHUNK_SIZE &&
        memchr(at + parser->line_at, ';', CHUNK_DIGITS_MAX + 1))
        return refuse(parser, SOUK_HTTP_REFUSAL_CHUNK_EXTENSION);
    if (found == LINE_LONG)
        return refuse(parser, SOUK_HTTP_REFUSAL_CHUNK);
    if (found == LINE_BAD_END)
        return refuse(parser, SOUK_HTTP_REFUSAL_LINE_END);

    souk_http_refusal refusal = SOUK_HTTP_REFUSAL_NONE;
    if (parser->phase == PHASE_CHUNK_SIZE) {
        refusal = chunk_line(parser, line);
        parser->phase = parser->chunk_left ? PHASE_CHUNK_DATA : PHASE_TRAILERS;
    } else if (parser->phase == PHASE_CHUNK_END) {
        parser->phase = PHASE_CHUNK_SIZE;
    } else if (line.bytes) {
        refusal = trailer_line(parser, line);
    } else {
        parser->phase = PHASE_DONE;
    }
    return refusal ? refuse(parser, refusal) : SOUK_HTTP_HEAD;
}

static souk_http_progress chunked(souk_http_parser *parser, char *at, size_t *bytes)
{
    for (;;) {
        if (parser->phase == PHASE_CHUNK_DATA) {
            chunk_join(parser, at, *bytes);
            if (parser->chunk_left) {
                close_gap(parser, at, bytes);
                return SOUK_HTTP_MORE;
            }
            parser->phase = PHASE_CHUNK_END;
        }
        souk_http_progress step = chunk_step(parser, at, *bytes);
        if (step == SOUK_HTTP_MORE)
            close_gap(parser, at, bytes);
        if (step != SOUK_HTTP_HEAD)
            return step;
        if (parser->phase == PHASE_DONE)
            return done(parser, at, bytes);
    }
}

souk_http_progress souk_http_parse(souk_http_parser *parser, char *at, size_t *bytes)
{
    if (parser->base != (uintptr_t)at)
        rebase(parser, at);
    while (parser->phase <= PHASE_HEADERS) {
        souk_http_progress step = head_step(parser, at, *bytes);
        if (step != SOUK_HTTP_HEAD)
            return step;
        if (parser->phase != PHASE_BODY)
            continue;
        if (parser->is_chunked || parser->length)
            return SOUK_HTTP_HEAD;
    }

    if (parser->phase == PHASE_BODY) {
        if (!parser->is_chunked && parser->length > parser->body_limit_bytes)
            return refuse(parser, SOUK_HTTP_REFUSAL_BODY_LONG);
        parser->phase = parser->is_chunked ? PHASE_CHUNK_SIZE : PHASE_SIZED;
    }
    if (parser->phase == PHASE_SIZED) {
        if (*bytes - parser->body_at < parser->length) {
            parser->wanted_bytes = parser->body_at + (size_t)parser->length;
            return SOUK_HTTP_MORE;
        }
        parser->body_bytes = (size_t)parser->length;
        return done(parser, at, bytes);
    }
    if (parser->phase == PHASE_REFUSED)
        return SOUK_HTTP_REFUSED;
    souk_assert(parser->phase != PHASE_DONE); /* a new request needs souk_http_parse_init */
    return chunked(parser, at, bytes);
}
