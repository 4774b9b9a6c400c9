/* foreign_frigate.c - what Frigate's cameras see: objects that enter and leave zones, and how many there are.
 *
 *     frigate/events   {"type":"update","before":{…,"current_zones":["door"]},
 *                       "after":{"id":"…","camera":"entrance","label":"person","frame_time":1767268800.5,
 *                                "current_zones":["aisle"],"entered_zones":["door","aisle"],…}}
 *
 * becomes "Zone Entered" of the aisle and "Zone Left" of the door; an object's end is "Zone Dwelled" of each zone
 * that it entered, with the seconds from its start to its end.
 *
 * What is not taken over, and why: a camera's people are nobody's.  The track's id, its box, its snapshot and
 * sub_label (where Frigate puts the name of a face or the letters of a plate) stay outside; whole messages of faces
 * and plates (tracked_object_update) are counted as left out and are never stored, not even as rejects.
 * The track's id tells repeats apart only as a part of the hashed messageId. */
#include "service/collect/foreign_devices.h"
#include "service/collect/tell.h"

enum { ZONES_MOST = 64, LEVELS_MOST = 16 };

static const char form[] = "frigate";

static souk_err blame(const souk_foreign *message, const char *words)
{
    return souk_diag_say(message->diag, SOUK_EINVAL, "%s", words);
}

/* ---- objects and zones ------------------------------------------------------------------------------- */

/* One "before" or "after". */
struct sight {
    souk_text id, camera, label;
    souk_json_node zones, entered;
};

struct reading {
    const souk_foreign *message;
    const souk_json_doc *doc;
    struct sight before, after;
    souk_time at;
};

static struct sight sight_of(const struct reading *r, souk_json_node node)
{
    return (struct sight){
        .id = tell_member(r->message, r->doc, node, "id"),
        .camera = tell_member(r->message, r->doc, node, "camera"),
        .label = tell_member(r->message, r->doc, node, "label"),
        .zones = souk_json_member(r->doc, node, SOUK_TEXT("current_zones")),
        .entered = souk_json_member(r->doc, node, SOUK_TEXT("entered_zones")),
    };
}

static bool has_zone(const struct reading *r, souk_json_node zones, souk_text zone)
{
    size_t seen = 0;
    for (souk_json_node node = souk_json_first(r->doc, zones);
         node != SOUK_JSON_NONE && seen < ZONES_MOST; node = souk_json_next(r->doc, node), seen++)
        if (souk_text_equal(tell_read(r->message, r->doc, node), zone))
            return true;
    return false;
}

static void tell_zone(const struct reading *r, const char *event, souk_text zone,
                      const char *dwell_s)
{
    char at[SOUK_TIME_BYTES];
    const struct sight *sight = &r->after;
    souk_text parts[] = {
        souk_text_of(event), sight->camera, sight->id, zone, {at, souk_time_write(r->at, at)}};
    if (dwell_s) /* an object ends once */
        parts[4].bytes = 0;
    tell_open(r->message, form, event, tell_name(r->message, form, parts, 5), r->at);
    tell_text(r->message, "zone_id", zone);
    tell_text(r->message, "device_id", sight->camera);
    tell_text(r->message, "label", sight->label);
    if (dwell_s)
        tell_text(r->message, "dwell_s", souk_text_of(dwell_s));
    tell_close(r->message);
}

/* Each zone of one list that the other does not have. */
static void tell_change(const struct reading *r, const char *event, souk_json_node zones,
                        souk_json_node others)
{
    size_t seen = 0;
    for (souk_json_node node = souk_json_first(r->doc, zones);
         node != SOUK_JSON_NONE && seen < ZONES_MOST; node = souk_json_next(r->doc, node), seen++) {
        souk_text zone = tell_read(r->message, r->doc, node);
        if (zone.bytes && !has_zone(r, others, zone))
            tell_zone(r, event, zone, NULL);
    }
}

static souk_err tell_end(const struct reading *r, souk_json_node after)
{
    souk_decimal start, end, dwell;
    char text[SOUK_DECIMAL_BYTES];
    souk_text from = tell_member(r->message, r->doc, after, "start_time"),
              to = tell_member(r->message, r->doc, after, "end_time");
    if (souk_decimal_read(from, &start, NULL) || souk_decimal_read(to, &end, NULL) ||
        souk_decimal_sub(end, start, &dwell) || dwell.micro < 0)
        return blame(r->message, "after.start_time and after.end_time are no seconds in order: "
                                 "send Frigate's own message");
    souk_decimal_write(dwell, text);
    tell_change(r, "Zone Left", r->after.zones, SOUK_JSON_NONE);
    size_t seen = 0;
    for (souk_json_node node = souk_json_first(r->doc, r->after.entered);
         node != SOUK_JSON_NONE && seen < ZONES_MOST; node = souk_json_next(r->doc, node), seen++) {
        souk_text zone = tell_read(r->message, r->doc, node);
        if (zone.bytes)
            tell_zone(r, "Zone Dwelled", zone, text);
    }
    return SOUK_OK;
}

/* "new" tells zones that its "before" may have already; then nothing came before it. */
static souk_err tell_object(struct reading *r, souk_json_node root)
{
    souk_text type = tell_member(r->message, r->doc, root, "type");
    souk_json_node before = souk_json_member(r->doc, root, SOUK_TEXT("before")),
                   after = souk_json_member(r->doc, root, SOUK_TEXT("after"));
    bool is_new = souk_text_equal(type, SOUK_TEXT("new")),
         is_end = souk_text_equal(type, SOUK_TEXT("end"));
    if (!is_new && !is_end && !souk_text_equal(type, SOUK_TEXT("update")))
        return blame(r->message, "type is none of new, update and end: send what Frigate publishes "
                                 "as frigate/events");
    r->before = sight_of(r, before);
    r->after = sight_of(r, after);
    if (r->after.id.bytes == 0 || r->after.camera.bytes == 0 || r->after.label.bytes == 0)
        return blame(r->message, "after has no id, camera or label: send what Frigate publishes as "
                                 "frigate/events");
    if (souk_text_equal(tell_member(r->message, r->doc, after, "false_positive"),
                        SOUK_TEXT("true")))
        return SOUK_OK;
    if (!tell_read_time(tell_member(r->message, r->doc, after, is_end ? "end_time" : "frame_time"),
                        &r->at))
        return blame(r->message,
                     "after.frame_time (after.end_time of an end) is no time in seconds: send "
                     "Frigate's own message");
    tell_change(r, "Zone Entered", r->after.zones, is_new ? SOUK_JSON_NONE : r->before.zones);
    if (!is_new)
        tell_change(r, "Zone Left", r->before.zones, r->after.zones);
    return is_end ? tell_end(r, after) : SOUK_OK;
}

static souk_err tell_events(const souk_foreign *message)
{
    souk_auto_value(souk_json_doc) doc = {.mem = message->mem};
    struct reading r = {.message = message, .doc = &doc};
    souk_json_limits limits = {.bytes = 1 << 20, .values = 1 << 16, .depth = 16};
    souk_err err = souk_json_read(&doc, message->body, &limits, message->diag);
    return err ? err : tell_object(&r, souk_json_root(&doc));
}

/* ---- counts ------------------------------------------------------------------------------------------- */

/* frigate/<zone>/<object> with a bare number.  Frigate says no time and no name with it, so each is new. */
static souk_err tell_zone_count(const souk_foreign *message, souk_text zone, souk_text label)
{
    uint64_t count = 0;
    souk_text name = {"", 0};
    SOUK_TRY(souk_text_to_u64(souk_text_trim(message->body), &count)); /* is_count: it fits */
    if (message->message_id.bytes)
        name = tell_name(message, form, (souk_text[]){message->topic, message->message_id}, 2);
    tell_open(message, form, "Zone Counted", name, message->received);
    tell_text(message, "zone_id", zone);
    tell_text(message, "label", label);
    tell_count(message, "occupancy", count);
    tell_close(message);
    return SOUK_OK;
}

static bool is_count(souk_text body)
{
    body = souk_text_trim(body);
    for (size_t i = 0; i < body.bytes; i++)
        if (body.at[i] < '0' || body.at[i] > '9')
            return false;
    return body.bytes > 0 && body.bytes < 8;
}

/* ---- topics ----------------------------------------------------------------------------------------------- */

static bool is_one_of(souk_text word, const char *const *words)
{
    while (*words && !souk_text_equal(word, souk_text_of(*words)))
        words++;
    return *words != NULL;
}

/* The prefix before may have levels of its own ("stores/14/frigate"), so the last ones decide. */
static souk_err tell_frigate(const souk_foreign *message)
{
    /* numbers, too, but no counts of objects */
    static const char *const others[] = {"active", "state", "set", "snapshot", "rms", "dBFS", NULL};
    souk_text rest = message->topic, levels[LEVELS_MOST];
    size_t count = 0;
    while (rest.bytes && count < LEVELS_MOST) {
        levels[count++] = souk_text_cut(&rest, '/');
        if (souk_text_equal(levels[count - 1], SOUK_TEXT("tracked_object_update"))) {
            ++*message->left_out;
            return SOUK_OK;
        }
    }
    souk_text last = count ? levels[count - 1] : SOUK_TEXT("");
    if (souk_text_equal(last, SOUK_TEXT("events")))
        return tell_events(message);
    if (count >= 3 && is_count(message->body) && !is_one_of(last, others))
        return tell_zone_count(message, levels[count - 2], last);
    return SOUK_OK; /* reviews, snapshots, switches, motion: not for us */
}

const souk_foreign_form souk_foreign_frigate = {
    .name = "frigate", .tell = tell_frigate, .is_private = true};
