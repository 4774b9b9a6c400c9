/* foreign_counts.c - plain counts, as any counter can be made to send them.
 *
 *     {"sensor":"d-1","start":"2026-01-02T10:00:00Z","end":"2026-01-02T10:15:00Z","in":12,"out":9,"store":"SH-14"}
 *
 * becomes "Door Counted"; with a "zone", "Zone Counted".  One object, or an array of them, each of which stands or
 * falls alone.  The sensor, its zone and the window name the count: the same window sent again is a repeat. */
#include "service/collect/foreign_devices.h"
#include "service/collect/tell.h"

enum { COUNT_MOST = 100000000 };

static const char form[] = "counts";

/* What can be counted. */
static const char *const figures[] = {"in", "out", "occupancy", "total"};
enum { FIGURES = sizeof figures / sizeof *figures };

struct count {
    souk_text sensor, zone, store;
    souk_time start, end;
    bool has_start;
    uint64_t values[FIGURES];
    bool has[FIGURES];
};

static souk_err read_figures(const souk_foreign *message, const souk_json_doc *doc,
                             souk_json_node node, struct count *count, souk_diag *fault)
{
    bool any = false;
    for (int i = 0; i < FIGURES; i++) {
        souk_json_node value = souk_json_member(doc, node, souk_text_of(figures[i]));
        souk_json_kind kind = souk_json_type(doc, value);
        if (kind == SOUK_JSON_MISSING || kind == SOUK_JSON_NULL)
            continue;
        if (souk_text_to_u64(tell_read(message, doc, value), &count->values[i]) ||
            count->values[i] > COUNT_MOST)
            return souk_diag_say(fault, SOUK_EINVAL,
                                 "%s is no whole number from 0 to %d: send how many were counted",
                                 figures[i], COUNT_MOST);
        any = count->has[i] = true;
    }
    if (!any)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "there is none of in, out, occupancy and total: send one");
    return SOUK_OK;
}

static souk_err read_count(const souk_foreign *message, const souk_json_doc *doc,
                           souk_json_node node, struct count *count, souk_diag *fault)
{
    if (souk_json_type(doc, node) != SOUK_JSON_OBJECT)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "a count is no object: send {\"sensor\":…,\"end\":…,\"in\":…}");
    *count = (struct count){.sensor = tell_member(message, doc, node, "sensor"),
                            .zone = tell_member(message, doc, node, "zone"),
                            .store = tell_member(message, doc, node, "store")};
    souk_text start = tell_member(message, doc, node, "start"),
              end = tell_member(message, doc, node, "end");
    if (count->sensor.bytes == 0)
        return souk_diag_say(fault, SOUK_EINVAL, "sensor is missing: name what has counted");
    if (!tell_read_time(end, &count->end))
        return souk_diag_say(fault, SOUK_EINVAL, "end is no time: send it as 2026-01-02T10:15:00Z");
    count->has_start = start.bytes > 0;
    if (count->has_start && (!tell_read_time(start, &count->start) || count->start > count->end))
        return souk_diag_say(fault, SOUK_EINVAL,
                             "start is no time, or behind end: send it as 2026-01-02T10:00:00Z");
    return read_figures(message, doc, node, count, fault);
}

static void tell_one(const souk_foreign *message, const struct count *count)
{
    const char *event = count->zone.bytes ? "Zone Counted" : "Door Counted";
    char start[SOUK_TIME_BYTES], end[SOUK_TIME_BYTES];
    souk_foreign here = *message;
    if (count->store.bytes)
        here.store = count->store;
    souk_text parts[] = {here.store,
                         count->sensor,
                         count->zone,
                         {start, count->has_start ? souk_time_write(count->start, start) : 0},
                         {end, souk_time_write(count->end, end)}};
    tell_open(&here, form, event, tell_name(&here, form, parts, 5), count->end);
    tell_text(&here, "sensor_id", count->sensor);
    tell_text(&here, "zone_id", count->zone);
    if (count->has_start)
        tell_time(&here, "start", count->start);
    tell_time(&here, "end", count->end);
    for (int i = 0; i < FIGURES; i++)
        if (count->has[i])
            tell_count(&here, figures[i], count->values[i]);
    tell_close(&here);
}

static souk_err tell_counts(const souk_foreign *message)
{
    souk_auto_value(souk_json_doc) doc = {.mem = message->mem};
    souk_json_limits limits = {.bytes = 16 << 20, .values = 1 << 20, .depth = 8};
    SOUK_TRY(souk_json_read(&doc, message->body, &limits, message->diag));
    souk_json_node root = souk_json_root(&doc);
    struct count count;
    if (souk_json_type(&doc, root) != SOUK_JSON_ARRAY) {
        SOUK_TRY(read_count(message, &doc, root, &count, message->diag));
        tell_one(message, &count);
        return SOUK_OK;
    }
    for (souk_json_node node = souk_json_first(&doc, root); node != SOUK_JSON_NONE;
         node = souk_json_next(&doc, node)) {
        souk_diag fault = {.words = ""};
        if (read_count(message, &doc, node, &count, &fault) == SOUK_OK)
            tell_one(message, &count);
        else
            SOUK_TRY(tell_refuse(message, souk_json_raw(&doc, node), &fault));
    }
    return SOUK_OK;
}

const souk_foreign_form souk_foreign_counts = {.name = "counts", .tell = tell_counts};
