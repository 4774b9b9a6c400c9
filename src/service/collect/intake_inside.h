/* intake_inside.h - shared by what reads events into an intake: intake.c, segment.c, segment_event.c, replay.c. */
#ifndef SOUK_SERVICE_COLLECT_INTAKE_INSIDE_H
#define SOUK_SERVICE_COLLECT_INTAKE_INSIDE_H

#include "base/json.h"
#include "core/merchant.h"
#include "core/pack.h"
#include "core/reject.h"
#include "os/thread.h"
#include "service/collect/intake.h"

enum { INTAKE_PACKERS = 16 };

/* Rests in a pool, warm for the next one.  The packer is needed only while events are read: it takes
 * milliseconds to make, so a few serve all. */
struct souk_intake {
    souk_collect *collect;
    const souk_hashes *hashes;
    souk_arena *arena;
    souk_diag *diag;
    souk_json_doc doc;
    souk_packer *packer; /* between the first event and the write */
    souk_buf inflated, told, packed;
    souk_batch batch;
    souk_event *events;
    size_t event_capacity;
    souk_reject *faults;
    size_t fault_capacity;
    souk_time received, sent;
    bool has_sent;
    uint16_t refused; /* purposes that the whole request refuses (consent.h): Sec-GPC */
    souk_text store;  /* of foreign messages */
    size_t left_out, faults_most, faults_dropped;
    souk_text unnamed; /* what names events that have no messageId; empty: chance, each is new */
    bool nobodys; /* an event may name nobody: what a device counts, a receipt without a card */
    void (*done)(void *context, souk_err err);
    void *context;
    struct souk_intake *next;
};

struct souk_collect {
    souk_mem *mem;
    souk_spine *spine;
    souk_merchants *merchants;
    souk_mutex mutex;
    souk_intake *resting;
    size_t resting_count;
    souk_packer *packers[INTAKE_PACKERS];
    size_t packer_count;
    uint64_t untimed; /* events whose timestamp was no time */
};

/* Reads the doc's node as an event, or adds a fault with the node's text, at `place` and, unless it is
 * INTAKE_ALONE, the number there: "batch[3]".  path_type: the call's type, empty where the event says it. */
enum { INTAKE_ALONE = -1 };
SOUK_CHECKED souk_err intake_add(souk_intake *intake, souk_json_node node, souk_text path_type,
                                 souk_text place, ptrdiff_t number);
/* The text of one message becomes JSON objects, an array of them in *ret_told, which lives in the arena.  Parts that
 * the form refuses are added to the faults, at `where`.
 * SOUK_EINVAL, SOUK_ETOOBIG, SOUK_ESYNTAX: *fault says why. */
SOUK_CHECKED souk_err intake_tell(souk_intake *intake, const souk_foreign_form *form,
                                  souk_text body, souk_text topic, souk_text message_id,
                                  souk_text where, souk_diag *fault, souk_text *ret_told);

/* segment_event.c: an event as JSON becomes *event, but for its packed text; the texts lie in the body or in the
 * arena.  Of the intake it reads hashes, arena, doc, the batch's source and what stands between received and
 * nobodys: an intake of these alone will do.
 * SOUK_EINVAL: its fault stands in `fault`, in words that tell what, where and what to do. */
SOUK_CHECKED souk_err segment_read_event(souk_intake *intake, souk_json_node node,
                                         souk_text path_type, souk_event *event, souk_diag *fault);
/* A member that is a time. */
bool segment_time_at(souk_intake *intake, souk_json_node object, const char *key,
                     souk_time *ret_time);

#endif
