/* foreign.h - what other senders say, told in the form of the Segment protocol.
 *
 *     souk_foreign message = {.mem = mem, .arena = &call->arena, .body = body, .received = now,
 *                             .topic = SOUK_TEXT("orders/create"), .out = &json, .diag = &call->diag};
 *     souk_json_write_array(&json);
 *     SOUK_TRY(souk_foreign_shopify.tell(&message));      appends objects, one an event
 *     souk_json_write_end(&json);
 *
 * A form reads one message within bounds and appends to the open array what the one reader of events
 * (segment_event.c) takes:
 *
 *     {"type":"track","event":"Receipt Issued","messageId":"0042/3/2026-01-02/17","timestamp":"2026-01-02T10:00:00Z",
 *      "context":{"externalIds":[{"type":"card","id":"9001"}],"library":{"name":"poslog"}},
 *      "properties":{"receipt_id":"…","store_id":"0042","total":"12.50","currency":"EUR","products":[…]}}
 *
 * Who      userId, anonymousId; other identifiers as context.externalIds, type user, card, phone, email, open or
 *          device.  An event of nobody, such as a count at a door, has none of them.
 * What     names and properties of docs/events.md; what else the sender said stays, under the sender's own names,
 *          within properties.  Money and quantities as text ("12.50"), never by way of a double
 * Once     messageId is made of what tells the fact apart at the sender, so that a repeat is one: never of the
 *          time it came, nor at random, unless the sender gives nothing at all
 * Parts    of a message of many parts one may be at fault: `refuse` keeps that part as a reject of its own, which
 *          the form can be told again alone, and the others are told
 * Left out what may not be kept, such as a face, is counted and goes nowhere
 * Errors   SOUK_EINVAL with words (what, where, what to do): it cannot be told, it becomes a reject as it came;
 *          what was appended before is dropped.  SOUK_ETOOBIG.  SOUK_ENOMEM.
 * Threads  a form holds no state: any */
#ifndef SOUK_SERVICE_COLLECT_FOREIGN_H
#define SOUK_SERVICE_COLLECT_FOREIGN_H

#include "base/json_write.h"
#include "base/mem.h"
#include "base/time.h"

typedef struct souk_foreign souk_foreign;
struct souk_foreign {
    souk_mem *mem;        /* for readers that need one */
    souk_arena *arena;    /* of the message: outlives the telling */
    souk_text body;       /* as it came, but inflated */
    souk_text topic;      /* what the transport says beside it: of a hook, of MQTT; may be empty */
    souk_text message_id; /* how the transport names this delivery; may be empty */
    souk_text
        store; /* where the sender stands, where it is known and the message does not say; may be empty */
    souk_time received;
    souk_json_writer *out; /* within an array */
    souk_diag *diag;
    souk_err (*refuse)(const souk_foreign *message, souk_text part, const souk_diag *fault);
    void *context;    /* of refuse */
    size_t *left_out; /* counts */
};

typedef struct souk_foreign_form {
    const char *name; /* "shopify": stands in rejects, so that a replay finds it */
    souk_err (*tell)(const souk_foreign *message);
    bool is_private; /* its rejects keep no text: who knows what a camera sent */
} souk_foreign_form;

/* Of web pages and mini programs (神策); of web shops, see docs/hooks.md. */
extern const souk_foreign_form souk_foreign_sensors, souk_foreign_shopify, souk_foreign_woo;

#endif
