/* service.h - what a service exports, and one call to it: found by its noun, known to nobody else.
 *
 *     static void get_stats(souk_call *call)
 *     {
 *         souk_json_writer *out = souk_call_json(call);
 *         souk_json_write_object(out);
 *         souk_json_write_key(out, SOUK_TEXT("events"));
 *         souk_json_write_u64(out, souk_spine_end(call->spine) - 1);
 *         souk_json_write_end(out);
 *         souk_call_answer(call, 200);
 *     }
 *     static const souk_route routes[] = {
 *         {"GET", "/v1/stats", SOUK_SCOPE_READ, get_stats, .summary = "Totals over every event"},
 *     };
 *     const souk_service souk_stats_service = {.name = "stats", .routes = routes, .route_count = 1};
 *
 * A call comes over HTTP, over the control socket, or from a command that owns the data folder: the
 * handler cannot tell.  It answers exactly once, now or later, from any thread.
 *
 * Access   scopes 0: open to all.  SOUK_SCOPE_WRITE: a write key (the handler finds it where its protocol
 *          hides it, and refuses without).  Anything else: a token with these scopes, checked before the handler. */
#ifndef SOUK_CORE_SERVICE_H
#define SOUK_CORE_SERVICE_H

#include "base/json_write.h"
#include "core/merchant.h"
#include "core/plan.h"
#include "core/reject.h"
#include "core/spine.h"

enum { SOUK_CALL_PARTS = 4, SOUK_CALL_HEADERS = 12 };

/* What one request may bring, of any protocol. */
typedef struct souk_call_limits {
    size_t body_bytes;   /* inflated, too; 4 MiB, at most SOUK_CALL_BODY_MOST */
    size_t batch_events; /* 10,000 */
} souk_call_limits;
enum { SOUK_CALL_BODY_MOST = 16 << 20 };

typedef struct souk_call_header_field {
    souk_text name, value;
} souk_call_header_field;

typedef struct souk_call souk_call;
struct souk_call {
    souk_spine *spine;
    souk_merchants *merchants;
    souk_text method, path, query, body; /* the body as it came, not inflated */
    souk_text parts[SOUK_CALL_PARTS];    /* what stands for {…} in the route's path */
    souk_call_limits limits;
    souk_caller caller;               /* of a token; a write key's after souk_call_write_key */
    bool local;                       /* over the control socket, or in process */
    souk_arena arena;                 /* of the call */
    souk_diag diag;                   /* words for the next souk_call_fail */
    void *state;                      /* the service's, from its open */
    const souk_effect_owners *owners; /* of every service: for souk_call_run */
    void *user;                       /* the handler's */
    /* private: its place in a queue, and how the answer leaves */
    souk_call *next;
    void (*handle)(souk_call *call);
    souk_text (*header)(souk_call *call, souk_text name);
    void (*send)(souk_call *call, int status, const char *type, souk_text body, unsigned retry_s);
    void *from, *api;
    const char *challenge; /* of a 401: how to say who one is (RFC 9110 11.6.1) */
    souk_call_header_field headers[SOUK_CALL_HEADERS]; /* of the answer */
    size_t header_count;
    unsigned retry_s; /* of a failure that time mends; 0: as usual */
    void *keyed;      /* of an Idempotency-Key */
    void *sheet;      /* of an answer as rows */
    souk_once *once;  /* the same for its plan; NULL: none came */
    bool planned;     /* a plan answers it, and keeps the answer */
    const struct souk_route *route;
    void *server;
    souk_buf out;
    souk_json_writer json;
};

/* The value of a header (any case), empty where there is none. */
souk_text souk_call_header(souk_call *call, souk_text name);
/* A field of the query, percent-decoded into the arena; false where there is none, or it is badly escaped. */
bool souk_call_query(souk_call *call, souk_text name, souk_text *ret_value);
/* The person whom an identifier of this kind leads to ("card", "phone", …, "public"), in the arena.  SOUK_EINVAL,
 * SOUK_EDENIED, SOUK_ENOENT, SOUK_ETOOBIG with words. */
SOUK_CHECKED souk_err souk_call_person(souk_call *call, souk_text kind_word, souk_text value,
                                       souk_person **ret_person);
/* What stands for the {…} of that index in the path, percent-decoded into the arena.  SOUK_EINVAL with words. */
SOUK_CHECKED souk_err souk_call_part(souk_call *call, unsigned index, souk_text *ret_value);
/* The query's "limit": `usual` where it is not told.  SOUK_EINVAL with words: no number from 1 to `most`. */
SOUK_CHECKED souk_err souk_call_limit(souk_call *call, size_t usual, size_t most,
                                      size_t *ret_limit);
/* There is a page behind this one: a Link header (RFC 8288) to this address with that field of the query. */
void souk_call_link_next(souk_call *call, const char *field, souk_text value);
void souk_call_link_next_u64(souk_call *call, const char *field, uint64_t value);

/* The version of what is answered, as its ETag (RFC 9110 8.8.3).  True: If-None-Match names it; answer with
 * souk_call_answer_same. */
bool souk_call_version(souk_call *call, uint64_t version);
void souk_call_answer_same(souk_call *call);
/* The version that a change is of: that of If-Match; 0 for If-None-Match: *; `otherwise` where neither is told.
 * SOUK_EBLIND with words: neither, and `otherwise` is SOUK_VERSION_TOLD.  SOUK_ECHANGED: an ETag never given. */
#define SOUK_VERSION_TOLD (UINT64_MAX - 1)
SOUK_CHECKED souk_err souk_call_expected(souk_call *call, uint64_t otherwise,
                                         uint64_t *ret_version);

/* A header of the answer, sent with whatever answer follows; both live until then (a literal, or the arena). */
void souk_call_add_header(souk_call *call, const char *name, souk_text value);
/* A writer of the answer's body. */
souk_json_writer *souk_call_json(souk_call *call);
/* Sends what the writer holds.  The call is gone afterwards. */
void souk_call_answer(souk_call *call, int status);
void souk_call_answer_text(souk_call *call, int status, const char *type, souk_text body);
/* Sends an RFC 9457 problem: the error's status, the diag's words.  503 carries Retry-After. */
void souk_call_fail(souk_call *call, souk_err err);

/* A plan of the call's merchant, at this moment, under the call's Idempotency-Key; the key, what is done and the answer
 * are one transaction.  In the arena: NULL where that has failed.  Then souk_plan_add, and souk_call_run. */
souk_plan *souk_call_plan(souk_call *call);
/* Runs it beside the thread of the caller.  When it is durable the call is answered with what `tell` wrote in the
 * transaction, or with what the key's first request was answered; or it is told why not.  Either way the call is gone,
 * perhaps before this returns. */
void souk_call_run(souk_call *call, const souk_effect_owners *owners, souk_plan *plan, int status,
                   souk_err (*tell)(souk_plan *plan, souk_tx *tx, souk_json_writer *out));

/* Makes and frees calls, with the usual limits; for serve/ and app/. */
SOUK_CHECKED souk_err souk_call_new(souk_mem *mem, souk_call **ret_call);
void souk_call_free(souk_call *call);

typedef struct souk_route {
    const char *method, *path; /* "/v1/shoppers/{id}": a part ends at '/' */
    unsigned scopes;
    void (*handle)(souk_call *call);
    const char *summary; /* one line, for the API reference */
    size_t body_limit;   /* 0: 64 KiB; the limit of the server holds as well */
    bool local;          /* only over the control socket and in process */
    bool operators;      /* of the whole deployment: a guest merchant is refused */
    bool slow;           /* it waits for commits: runs beside the loop that reads requests */
    bool
        hangs_up; /* a failure of ours (5xx) closes the connection: its clients take any answer for good */
    bool versioned; /* its If-Match names a version, see souk_call_expected */
    bool needs_key; /* an Idempotency-Key must come with it */
    bool plans;     /* a plan does its deed, and finds a repeat: nobody looks for one before it */
    /* The member of `gives` that is shown once: what is kept for a repeat has it not (serve/idempotency.h). */
    const char *secret;
    bool any_origin; /* web pages of other origins may call it (CORS): a door of events */
    /* For the API reference, in the notation of serve/shape.h; NULL: nothing. */
    const char *query;         /* members: "limit?: integer(1..1000) 'how many'" */
    const char *takes, *gives; /* JSON of the body, and of the answer */
    const char *takes_maybe;   /* of a body that may be left out */
    const char *takes_type;    /* of a body that is no JSON: "application/xml" */
    int gives_status;          /* 0: 200 */
    const char *sheet;      /* the member of `gives` whose list may be had as CSV (serve/sheet.h) */
    const char *gives_type; /* of an answer that is no JSON: "text/event-stream" */
    const char *words;      /* what the summary does not say */
    bool unlisted;          /* another name of a route that is listed */
    bool by_ticket;         /* a query with "ticket" may stand for the token: its handler looks */
    /* Where a door of events has its key, if not in Authorization: "header x-wc-webhook-signature", "query project, query
     * token", "path". */
    const char *key_in;
} souk_route;

/* One run of long work, a job of serve/jobs.h, in a thread of its own beside everything else. */
typedef struct souk_work souk_work;
struct souk_work {
    souk_spine *spine;
    souk_merchants *merchants;
    void *state;                    /* the service's, from its open */
    const souk_json_doc *arguments; /* a JSON object: what is asked for */
    souk_arena *arena;
    souk_json_writer *result; /* takes one value, where all went well */
    /* Tell how far it is, now and then; an error ends the work after what is done, and is its error. */
    souk_ledger_progress *progress;
    void *context; /* of progress */
    souk_diag *diag;
    /* Every service's `verify`; NULL: the work runs outside a server's jobs. */
    souk_err (*verify_services)(const souk_work *work);
};

typedef struct souk_work_kind {
    const char *name, *unit; /* "import"; what is counted, "bytes" */
    souk_err (*run)(souk_work *work);
} souk_work_kind;

typedef struct souk_shape_name { /* a shape that several routes use */
    const char *name, *shape;    /* "Event", "{position: integer, …}" */
} souk_shape_name;

typedef struct souk_service {
    const char *name;
    const char *title, *words; /* of its chapter of the API reference */
    const souk_shape_name *shapes;
    size_t shape_count;
    /* Makes and frees the service's state; NULL: it has none. */
    souk_err (*open)(souk_mem *mem, souk_spine *spine, souk_merchants *merchants, void **ret_state);
    void (*close)(void *state);
    const souk_route *routes;
    size_t route_count;
    const souk_work_kind *works; /* the long work it offers */
    size_t work_count;
    void (*count)(void *state, souk_buf *out); /* appends its counters to /metrics; NULL: none */
    /* Names the owners of the effects that are its own, for the plans of every service.  NULL: it has none. */
    void (*own)(void *state, souk_effect_owners *owners);
    /* A part of `souk verify`: compares what it holds.  SOUK_ECORRUPT with words.  NULL: nothing. */
    souk_err (*verify)(void *state, souk_diag *diag);
} souk_service;

/* The text of an object's member; empty where there is none or it is no text. */
souk_text souk_field(const souk_json_doc *doc, souk_json_node object, const char *key,
                     souk_arena *arena);
/* The members "bases" (["profile=consent", …]) and "age" ("adult") of an object as a statement.
 * SOUK_EINVAL with words. */
SOUK_CHECKED souk_err souk_field_statement(const souk_json_doc *doc, souk_json_node object,
                                           souk_arena *arena, souk_statement *ret_statement,
                                           souk_diag *diag);

/* Whether an Idempotency-Key is heard (serve/idempotency.h): what changes something by POST; doors of events have
 * message ids. */
bool souk_route_is_keyed(const souk_route *route);
/* Fits the path and fills parts; false where it does not fit. */
bool souk_route_fits(const souk_route *route, souk_text path, souk_text parts[SOUK_CALL_PARTS]);

#endif
