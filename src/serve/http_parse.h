/* http_parse.h - HTTP/1.1 requests out of bytes: strict, in place, no I/O, no allocation.
 *
 *     souk_http_request request;
 *     souk_http_parser parser;
 *     souk_http_parse_init(&parser, &request, body_limit_bytes);
 *     for (;;) {
 *         bytes += read more to at + bytes;                    at may move between calls
 *         switch (souk_http_parse(&parser, at, &bytes)) {
 *         case SOUK_HTTP_MORE:    continue;
 *         case SOUK_HTTP_HEAD:    parser.body_limit_bytes = …; parse again before reading
 *         case SOUK_HTTP_DONE:    use request; the next one begins at at + parser.request_bytes
 *         case SOUK_HTTP_REFUSED: answer parser.refusal and close
 *         }
 *     }
 *
 * What passes is what every reader of the message would read alike: lines end in CR LF and nothing
 * else, names are tokens with the colon right behind, one Host, one Content-Length or else
 * "Transfer-Encoding: chunked", no folded lines, no control characters.  All other input is refused
 * with a reason, because two readers that disagree about where a request ends let one client speak
 * for another.  The answer does not depend on how the bytes were cut into reads.
 *
 * Shape    request slices point into the caller's bytes; a chunked body is joined in place
 * Cost     one look at every byte of the head; a sized body is not looked at
 * Source   RFC 9112 (framing), RFC 9110 5.5, 5.6.2, 7.2, 10.1.1, RFC 3986 (targets)
 * Threads  a parser belongs to one */
#ifndef SOUK_SERVE_HTTP_PARSE_H
#define SOUK_SERVE_HTTP_PARSE_H

#include "base/text.h"

enum {
    SOUK_HTTP_HEADERS_MAX = 64,
    SOUK_HTTP_HEAD_BYTES_MAX = 8192,   /* all header lines together */
    SOUK_HTTP_TARGET_BYTES_MAX = 8000, /* the target of the request line; RFC 9112 3 */
    SOUK_HTTP_METHOD_BYTES_MAX = 32,
    SOUK_HTTP_CHUNK_EXTENSION_BYTES_MAX = 128, /* of all chunks of a request together */
};

typedef struct souk_http_header {
    souk_text name, value; /* the value without white space around it; may be empty */
} souk_http_header;

typedef struct souk_http_request {
    souk_text method;      /* as sent: methods are case-sensitive */
    souk_text target;      /* as sent */
    souk_text path, query; /* still percent-encoded; the path starts with '/', the query is what
                               stands behind the first '?', at NULL where there is none */
    souk_text host;        /* of an absolute target, else of the Host header; may be empty */
    souk_text body;
    unsigned minor_version; /* 0 or 1 */
    bool keep_alive;        /* the client is ready to send another one */
    bool expects_continue;  /* it waits for "100 Continue" before the body */
    unsigned header_count;
    souk_http_header headers[SOUK_HTTP_HEADERS_MAX];
} souk_http_request;

/* Why a request is refused.   name, status, what is wrong, what to do about it */
#define SOUK_HTTP_REFUSAL_TABLE(X)                                                                \
    X(NONE, 200, "nothing is wrong", "nothing")                                                   \
    X(LINE_END, 400, "a line does not end in CR LF", "end every line with CR LF")                 \
    X(REQUEST_LINE, 400, "the request line is not 'METHOD TARGET HTTP/1.1'",                      \
      "send three words with one space between them and nothing before them")                     \
    X(METHOD, 400, "the method is not a token of at most 32 characters",                          \
      "send a method such as GET")                                                                \
    X(TARGET, 400, "the target is not '/path?query' or 'http://host/path?query'",                 \
      "percent-encode everything RFC 3986 does not allow in it")                                  \
    X(TARGET_LONG, 414, "the target is longer than 8000 bytes", "send long input in a body")      \
    X(VERSION, 505, "the version is neither HTTP/1.1 nor HTTP/1.0", "use HTTP/1.1")               \
    X(HEADER_NAME, 400, "a header name is not a token followed at once by a colon",               \
      "send 'Name: value' with no space before the colon")                                        \
    X(HEADER_FOLD, 400, "a header line begins with white space", "send each header on one line")  \
    X(HEADER_VALUE, 400, "a header value has a control character", "remove it or encode it")      \
    X(HEADERS_LONG, 431, "the headers are longer than 8192 bytes",                                \
      "send fewer or shorter cookies and headers")                                                \
    X(HEADERS_MANY, 431, "there are more than 64 headers", "send fewer headers")                  \
    X(HOST_MISSING, 400, "the Host header is missing", "send exactly one Host header")            \
    X(HOST_TWICE, 400, "there are two Host headers", "send exactly one Host header")              \
    X(HOST, 400, "the Host header is not a host with an optional port", "send 'Host: name:port'") \
    X(LENGTH, 400, "Content-Length is not a decimal number", "send one plain number")             \
    X(LENGTH_TWICE, 400, "there are two Content-Length headers", "send exactly one")              \
    X(LENGTH_AND_CODING, 400, "both Content-Length and Transfer-Encoding are there",              \
      "send one of them")                                                                         \
    X(CODING, 501, "the transfer coding is not 'chunked'",                                        \
      "send 'chunked' alone, or a Content-Length")                                                \
    X(CODING_TWICE, 400, "there are two Transfer-Encoding headers", "send exactly one")           \
    X(CODING_OLD, 400, "HTTP/1.0 has no Transfer-Encoding",                                       \
      "send a Content-Length, or use HTTP/1.1")                                                   \
    X(LOOKALIKE, 400, "a header looks like one that frames the message",                          \
      "spell Content-Length and Transfer-Encoding with '-'")                                      \
    X(EXPECT, 417, "the expectation is not '100-continue'", "leave the Expect header out")        \
    X(BODY_LONG, 413, "the body is longer than the limit", "send it in smaller parts")            \
    X(CHUNK, 400, "a chunk is not a size in hexadecimal digits, CR LF, that many bytes, CR LF",   \
      "check the chunked coding, or send a Content-Length")                                       \
    X(CHUNK_EXTENSION, 400, "the chunk extensions are malformed or longer than 128 bytes",        \
      "leave them out")                                                                           \
    X(TRAILER, 400, "a trailer belongs into the headers", "send framing headers before the body") \
    X(SLOW_HEAD, 408, "the request's head did not arrive in time", "send it at once")             \
    X(SLOW_BODY, 408, "the request's body did not arrive in time", "send smaller requests")       \
    X(NO_MEMORY, 503, "there is no memory left for this request", "try again later")              \
    X(CROWDED, 503, "too many connections are open", "try again later, and reuse connections")

typedef enum souk_http_refusal {
#define SOUK_HTTP_REFUSAL_ENUM(name, status, what, remedy) SOUK_HTTP_REFUSAL_##name,
    SOUK_HTTP_REFUSAL_TABLE(SOUK_HTTP_REFUSAL_ENUM)
#undef SOUK_HTTP_REFUSAL_ENUM
        SOUK_HTTP_REFUSAL_COUNT
} souk_http_refusal;

/* "HEADER_FOLD"; 400; the words.  Never NULL. */
const char *souk_http_refusal_name(souk_http_refusal refusal);
int souk_http_refusal_status(souk_http_refusal refusal);
const char *souk_http_refusal_what(souk_http_refusal refusal);
const char *souk_http_refusal_remedy(souk_http_refusal refusal);

typedef enum souk_http_progress {
    SOUK_HTTP_MORE,    /* the bytes are good as far as they go */
    SOUK_HTTP_HEAD,    /* told once, and only where a body follows: all but request.body is known */
    SOUK_HTTP_DONE,    /* the request is complete */
    SOUK_HTTP_REFUSED, /* and stays so */
} souk_http_progress;

typedef struct souk_http_parser {
    souk_http_request *request;
    uint64_t body_limit_bytes; /* may be changed when SOUK_HTTP_HEAD is told */
    size_t request_bytes;      /* DONE: where the next request begins */
    size_t wanted_bytes;       /* MORE, in a sized body: the bytes of the whole request; else 0 */
    souk_http_refusal refusal; /* REFUSED: why, and in which line of the head (the request line is
                                  1; 0: in the body) */
    unsigned line;
    bool head_done; /* the head is complete */
    /* private */
    unsigned char phase;
    bool is_chunked, has_length, has_host, has_close, has_keep_alive;
    uintptr_t base;          /* where the bytes lay that the slices of request point into */
    size_t line_at, scanned; /* the line in work, and up to where it has no line feed */
    size_t headers_at;
    size_t body_at, body_bytes, extension_bytes, trailer_bytes;
    uint64_t length, chunk_left;
} souk_http_parser;

/* Ready for the first byte of a request; the request is filled by the calls of souk_http_parse. */
void souk_http_parse_init(souk_http_parser *parser, souk_http_request *request,
                          uint64_t body_limit_bytes);

/* Looks at [at, at + *bytes), which starts with the request's first byte and grows at its end from
 * call to call (it may lie elsewhere each time; the slices follow).  Joining chunks shortens what
 * is there: *bytes falls by what was cut out.
 * After MORE no earlier byte may be changed or dropped by the caller. */
souk_http_progress souk_http_parse(souk_http_parser *parser, char *at, size_t *bytes);

#endif
