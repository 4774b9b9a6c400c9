/* stream.h - what happens in the shop, as it happens: events over HTTP as server-sent events.
 *
 *     GET  /v1/stream?type=Order%20Completed&store=SH-014         text/event-stream (HTML standard 9.2)
 *     POST /v1/stream/tickets                                     {"ticket":"souk_st_…","expires_in":60}
 *
 *     id: 4711
 *     event: event
 *     data: {"position":4711,"at":…,"type":"Order Completed","store":"SH-014",…}
 *
 *     type, source, store, product   only such events; type may stand there again and again: one of them
 *     shopper=KIND:VALUE             one shopper's events with their texts, under a grant (purpose=serve)
 *     from=POSITION                  begins there; Last-Event-ID goes on behind it, and wins
 *     rate=N                         at most so many events a second; 1,000
 *     ticket=…                       instead of a token
 *
 * Once     A listener gets each event that fits once, in the order of positions, and only what is durable: its last
 *          id is where it goes on after any break, also after kill -9.
 * Told     event: gap      {"from":…,"through":…}            positions that are not told: too far back
 *          event: skipped  {"count":…,"from":…,"through":…,"why":"rate"|"slow"}
 *          event: end      {"why":…}                         the token, the grant, the shopper or the server is gone
 *          A quiet stream says where it is every 15 s, so that a reconnect begins there.
 * Privacy  Without shopper= a message has what lies clear in a block: nobody's name, number or text.  A guest
 *          merchant sees its own sources' events.  A shopper's stream ends when the grant or she does.
 *
 *          log ──► one thread reads each block once ──► filters in drawers (stream_filter.h)
 *                                                        │ one message for all that want it
 *                  channel: listeners with one filter ◄──┘ one chunk for all of them (http.h)
 *
 * The thread follows the commits from behind and never touches the writer: it looks at the end of the log every 20
 * to 200 ms, less often the more it had to send.  A listener that comes back is a channel of its own, fed with old blocks as
 * fast as it takes them, until it has caught up with the others.
 *
 * Limits   1,000 listeners, 64 of them on shoppers, above 503; 256 KiB wait for a slow one; 100,000 positions back
 * Cost     without listeners none; with them docs/benchmarks.md */
#ifndef SOUK_SERVE_STREAM_H
#define SOUK_SERVE_STREAM_H

#include "core/service.h"

extern const souk_service souk_stream_service;

#endif
