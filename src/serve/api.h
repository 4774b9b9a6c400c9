/* api.h - requests to routes: over HTTP, over the control socket, or within the process.
 *
 *     souk_auto(souk_api) api = NULL;
 *     SOUK_TRY(souk_api_open(mem, spine, merchants, services, count, &api));
 *     souk_http_options http = {.handle = souk_api_handle, .body_limit = souk_api_body_limit, .context = api};
 *
 *     SOUK_TRY(souk_api_call(api, "GET", "/v1/stats", SOUK_TEXT(""), &status, &answer));
 *
 * A request is matched with the tables of the services, its caller checked against the route's scopes, and
 * handed to the route's handler.  Nothing is open but /healthz, /readyz and what says so in its table.
 * /healthz says 200 while the process answers; /readyz while it takes events: 503, with the reason, from a
 * write that found the disk full until there is room again, after a failed disk, and while it drains.
 * A 401 says how to say who one is (WWW-Authenticate): Bearer, or Basic where a write key is asked for.
 * Routes that wait for commits run in one thread beside the loops, at most 64 waiting: above, 503.  Bodies
 * of more than 4 KiB are read in others: a loop does only what is short.
 *
 * The api runs the services' long work as jobs (jobs.h).
 *
 * Threads  souk_api_handle from the loops; souk_api_call from any. */
#ifndef SOUK_SERVE_API_H
#define SOUK_SERVE_API_H

#include "core/service.h"
#include "serve/http.h"

typedef struct souk_api souk_api;

SOUK_CHECKED souk_err souk_api_open(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                                    const souk_service *const *services, size_t count,
                                    souk_api **ret_api);
/* After the HTTP server is gone. */
void souk_api_free(souk_api *api);
SOUK_AUTO(souk_api)
/* Before the first call; without it the usual ones hold. */
void souk_api_set_limits(souk_api *api, const souk_call_limits *limits);
/* Before the first call: how many threads read bodies of more than 4 KiB, up to SOUK_CLERK_THREADS; 1 without.
 * On failure the api can only be freed.  SOUK_ENOMEM, SOUK_EBUSY. */
SOUK_CHECKED souk_err souk_api_set_readers(souk_api *api, unsigned threads);
/* Before the first call: requests a second that one token may send, told in RateLimit headers; above, 429.  0, and
 * without it: no limit.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_api_set_rate(souk_api *api, uint32_t requests_per_s);
/* For /metrics; may be NULL. */
void souk_api_set_http(souk_api *api, souk_http *http);
/* The state of one of its services; NULL: it has none. */
void *souk_api_state(const souk_api *api, const souk_service *service);
/* From now on /readyz says 503 and the running job is told to end: the server drains. */
void souk_api_draining(souk_api *api);

/* Silent: large bodies waited at the last probe, and none was begun since (clerk.h).  What waits for commits
 * may rightly take long, and is not asked. */
void souk_api_probe(souk_api *api);
bool souk_api_is_silent(souk_api *api);

/* The request behind a call over HTTP, for an answer that goes on (http.h): begin it, then free the call.  NULL: the
 * call comes from within the process. */
souk_http_exchange *souk_api_exchange(const souk_call *call);
/* What the HTTP server and the services count, as text for /metrics. */
void souk_api_counters(const souk_call *call, souk_buf *out);

void souk_api_handle(void *api, souk_http_exchange *x);
size_t souk_api_body_limit(void *api, const souk_http_request *head);

/* A call as the operator's own, within the process; path may carry a query.  The answer's body is
 * appended. */
SOUK_CHECKED souk_err souk_api_call(souk_api *api, const char *method, const char *path,
                                    souk_text body, int *ret_status, souk_buf *ret_answer);

#endif
