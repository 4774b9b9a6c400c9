/* segment_inside.h - shared by the segment*.c files: what one request works with, and one event of it. */
#ifndef SOUK_SERVICE_COLLECT_SEGMENT_INSIDE_H
#define SOUK_SERVICE_COLLECT_SEGMENT_INSIDE_H

#include "base/json.h"
#include "core/pack.h"
#include "core/reject.h"
#include "os/thread.h"
#include "service/collect/segment.h"

enum { SEGMENT_PACKERS = 16 };

/* What one request works with until it is answered; rests in a pool, warm for the next one.  The packer is
 * needed only while the request is read: it takes milliseconds to make, so a few serve all. */
struct segment_bench {
    souk_collect *collect;
    struct segment_bench *next;
    souk_json_doc doc;
    souk_packer *packer;
    souk_buf inflated, packed;
    souk_batch batch;
    souk_event *events;
    size_t event_capacity;
    souk_reject *faults;
    size_t fault_capacity;
    souk_call *call;
    souk_time received, sent;
    bool has_sent;
};

struct souk_collect {
    souk_mem *mem;
    souk_spine *spine;
    souk_merchants *merchants;
    souk_mutex mutex;
    struct segment_bench *resting;
    size_t resting_count;
    souk_packer *packers[SEGMENT_PACKERS];
    size_t packer_count;
};

/* segment_event.c: an event as JSON becomes *event, its packed text appended to bench->packed; the texts lie in
 * the body or in the call's arena.  For now event->packed tells where it begins there: the buffer may move.
 * path_type: the call's type, empty where the event itself says it.
 * SOUK_EINVAL: its fault stands in `fault`, in words that tell what, where and what to do. */
SOUK_CHECKED souk_err segment_read_event(struct segment_bench *bench, souk_json_node node,
                                         souk_text path_type, souk_event *event, souk_diag *fault);
/* A member that is a time. */
bool segment_time_at(struct segment_bench *bench, souk_json_node object, const char *key,
                     souk_time *ret_time);

#endif
