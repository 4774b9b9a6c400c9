/* foreign_zebra.c - what Zebra's readers say: fixed ones (IoT Connector) and handheld ones.
 *
 *     {"type":"SimpleTagEvent","timestamp":"2026-01-02T10:00:00.123+0000",
 *      "data":{"format":"epc","idHex":"3074257bf7194e4000001a85","peakRssi":-56,"antenna":2,"eventNum":17,
 *              "hostName":"FX9600EF"}}
 *     {"type":"dataEVT","timestamp":…,"data":{"tagData":[{"idHex":…,"peakRssi":…},…],"barcodeData":[…]}}
 *
 * becomes "Tag Read", one for each tag; a message may be an array, its fields may stand without `data`.  A reader that
 * does not name itself is named by its topic; a handheld one by the last level of it, its serial number.  Bar codes
 * and the reader's other messages are passed over. */
#include "service/collect/foreign_devices.h"
#include "service/collect/foreign_tags.h"
#include "service/collect/tell.h"

static const char form[] = "zebra";

struct reading {
    const souk_foreign *message;
    const souk_json_doc *doc;
    souk_diag *fault;
    souk_text when, reader;
};

/* The first of these members that is there. */
static souk_text first_of(const struct reading *r, souk_json_node node, const char *const *keys)
{
    souk_text text = {"", 0};
    while (*keys && text.bytes == 0)
        text = tell_member(r->message, r->doc, node, *keys++);
    return text;
}

static souk_text id_of(const struct reading *r, souk_json_node tag)
{
    static const char *const keys[] = {"idHex", "epc", "epcId", "tagId", "tagID", NULL};
    if (souk_json_type(r->doc, tag) == SOUK_JSON_STRING)
        return tell_read(r->message, r->doc, tag);
    return first_of(r, tag, keys);
}

/* The time of the message or of the tag itself, and what tells two readings of one moment apart. */
static souk_err tell_tag(const struct reading *r, souk_json_node tag)
{
    static const char *const rssi[] = {"peakRssi", "rssi", "RSSI", NULL};
    static const char *const antenna[] = {"antenna", "antennaId", NULL};
    static const char *const seen[] = {"seenCount", "tagSeenCount", NULL};
    static const char *const times[] = {"timestamp", "timeStamp", "firstSeenTimestamp", NULL};
    souk_text own = first_of(r, tag, times), told = own.bytes ? own : r->when;
    souk_text number = tell_member(r->message, r->doc, tag, "eventNum");
    struct tag_read read = {.hex = id_of(r, tag),
                            .reader = r->reader,
                            .antenna = first_of(r, tag, antenna),
                            .rssi = first_of(r, tag, rssi),
                            .seen_count = first_of(r, tag, seen),
                            .tid = tell_member(r->message, r->doc, tag, "TID"),
                            .at = r->message->received};
    if (told.bytes && !tell_read_time(told, &read.at))
        return souk_diag_say(r->fault, SOUK_EINVAL,
                             "timestamp is no time: send ISO 8601, or milliseconds since 1970");
    char *when = souk_arena_get(r->message->arena, told.bytes + number.bytes + 1);
    if (r->message->arena->failed)
        return SOUK_ENOMEM;
    memcpy(when, told.at, told.bytes);
    when[told.bytes] = ' ';
    memcpy(when + told.bytes + 1, number.at, number.bytes);
    read.when = (souk_text){when, told.bytes || number.bytes ? told.bytes + number.bytes + 1 : 0};
    return tag_tell(r->message, form, &read, r->fault);
}

static souk_text reader_of(const souk_foreign *message, const souk_json_doc *doc,
                           souk_json_node node, souk_json_node data)
{
    souk_text name = tell_member(message, doc, data, "hostName"), topic = message->topic;
    if (name.bytes == 0)
        name = tell_member(message, doc, node, "hostName");
    if (name.bytes)
        return name;
    static const char handheld[] = "/data1event/";
    const char *at =
        topic.bytes ? memmem(topic.at, topic.bytes, handheld, sizeof handheld - 1) : NULL;
    return at ? souk_text_range(at + sizeof handheld - 1, topic.at + topic.bytes) : topic;
}

static souk_err tell_event(struct reading *r, souk_json_node node)
{
    const souk_json_doc *doc = r->doc;
    souk_json_node inner = souk_json_member(doc, node, SOUK_TEXT("dataEVT"));
    if (inner != SOUK_JSON_NONE)
        node = inner;
    souk_json_node data = souk_json_member(doc, node, SOUK_TEXT("data"));
    if (souk_json_type(doc, data) != SOUK_JSON_OBJECT)
        data = node;
    souk_json_node tags = souk_json_member(doc, data, SOUK_TEXT("tagData"));
    r->when = tell_member(r->message, doc, node, "timestamp");
    r->reader = reader_of(r->message, doc, node, data);
    if (souk_json_type(doc, tags) != SOUK_JSON_ARRAY) {
        if (id_of(r, data).bytes)
            return tell_tag(r, data);
        if (tell_member(r->message, doc, node, "type").bytes ||
            tell_member(r->message, doc, node, "eventType").bytes)
            return SOUK_OK;
        return souk_diag_say(r->fault, SOUK_EINVAL,
                             "there is neither idHex nor tagData: send what the reader says");
    }
    for (souk_json_node tag = souk_json_first(doc, tags); tag != SOUK_JSON_NONE;
         tag = souk_json_next(doc, tag))
        SOUK_TRY(tell_tag(r, tag));
    return SOUK_OK;
}

/* What was told of an event before its fault stays told: a replay's repeats are one. */
static souk_err tell_zebra(const souk_foreign *message)
{
    souk_auto_value(souk_json_doc) doc = {.mem = message->mem};
    souk_json_limits limits = {.bytes = 16 << 20, .values = 1 << 20, .depth = 16};
    SOUK_TRY(souk_json_read(&doc, message->body, &limits, message->diag));
    souk_json_node root = souk_json_root(&doc);
    struct reading r = {.message = message, .doc = &doc, .fault = message->diag};
    if (souk_json_type(&doc, root) != SOUK_JSON_ARRAY)
        return tell_event(&r, root);
    for (souk_json_node node = souk_json_first(&doc, root); node != SOUK_JSON_NONE;
         node = souk_json_next(&doc, node)) {
        souk_diag fault = {.words = ""};
        r.fault = &fault;
        souk_err err = tell_event(&r, node);
        if (err == SOUK_EINVAL)
            err = tell_refuse(message, souk_json_raw(&doc, node), &fault);
        SOUK_TRY(err);
    }
    return SOUK_OK;
}

const souk_foreign_form souk_foreign_zebra = {.name = "zebra", .tell = tell_zebra};
