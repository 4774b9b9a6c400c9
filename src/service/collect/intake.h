/* intake.h - what one request, one message or one piece of a file brings, on its way into the log.
 *
 *     souk_auto(souk_intake) intake = NULL;
 *     SOUK_TRY(souk_intake_open(collect, &arena, diag, &intake));
 *     souk_intake_source(intake, source);
 *     SOUK_TRY(souk_intake_foreign(intake, &souk_foreign_shopify, body, SOUK_TEXT("orders/create"), id));
 *     SOUK_TRY(souk_intake_write(intake));                waits until all of it is durable
 *
 * Events    are read one by one; one that is at fault goes to the rejects with its place and its reason, and never
 *           refuses its neighbours.  Both are durable when the write is done
 * Texts     of what was read lie in the arena, or in the body: both must live until the write is done
 * Rejects   a message that no event could be made of is kept as it came, its place "form:shopify orders/create", or
 *           "form:impinj@SH-14 …" where its store is known: a replay tells it again.  An event that its form made badly is kept as the form told it
 * Threads   an intake belongs to one; the write may end in the writer's */
#ifndef SOUK_SERVICE_COLLECT_INTAKE_H
#define SOUK_SERVICE_COLLECT_INTAKE_H

#include "core/spine.h"
#include "service/collect/foreign.h"

typedef struct souk_collect souk_collect;
typedef struct souk_intake souk_intake;

/* An intake at rest, from the pool or new.  The arena outlives it. */
SOUK_CHECKED souk_err souk_intake_open(souk_collect *collect, souk_arena *arena, souk_diag *diag,
                                       souk_intake **ret_intake);
/* Back to the pool: what it read is forgotten. */
void souk_intake_free(souk_intake *intake);
SOUK_AUTO(souk_intake)

/* Whose events follow; before the first. */
void souk_intake_source(souk_intake *intake, uint32_t source);
/* Where the messages that follow are from, for forms whose messages do not say; empty from the start.  It lives
 * until the write is done. */
void souk_intake_store(souk_intake *intake, souk_text store);

/* Reads one message; its events are added.  message_id: how the transport names this delivery, may be empty.
 * What cannot be told is added to the rejects: SOUK_OK.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_intake_foreign(souk_intake *intake, const souk_foreign_form *form,
                                          souk_text body, souk_text topic, souk_text message_id);
/* It holds at most so many rejects; what is refused beyond them is dropped, and counted since it was opened.  Against
 * senders that nobody asks to stop; without it all are kept. */
void souk_intake_faults_most(souk_intake *intake, size_t most);
size_t souk_intake_faults_dropped(const souk_intake *intake);
/* How many events, and how many rejects, it holds; how much was left out since it was opened (foreign.h). */
size_t souk_intake_events(const souk_intake *intake);
size_t souk_intake_faults(const souk_intake *intake);
size_t souk_intake_left_out(const souk_intake *intake);
/* For /metrics: appends what the state of souk_collect_open counts. */
void souk_collect_count(void *state, souk_buf *out);
/* In the done of a submission that went well: how many of its events were stored before. */
size_t souk_intake_repeats(const souk_intake *intake);

/* Stores all of it and waits; repeats are dropped silently.  The intake holds nothing afterwards. */
SOUK_CHECKED souk_err souk_intake_write(souk_intake *intake);
/* The same without waiting: done(context, err) is called once, in the writer's thread, unless this fails. */
SOUK_CHECKED souk_err souk_intake_submit(souk_intake *intake,
                                         void (*done)(void *context, souk_err err), void *context);

/* The body as it is, or inflated into the intake; at most so many bytes. */
SOUK_CHECKED souk_err souk_intake_inflate(souk_intake *intake, souk_text body, size_t most,
                                          souk_text *ret_body);

/* NULL where no form has the name. */
const souk_foreign_form *souk_foreign_find(souk_text name);

#endif
