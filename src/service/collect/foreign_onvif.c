/* foreign_onvif.c - counters of ONVIF cameras, as they publish them by MQTT.
 *
 *     cam-14/onvif-ej/RuleEngine/CountAggregation/Counter
 *     {"UtcTime":"2026-01-02T10:00:00Z","Source":{"VideoSource":"1","Rule":"entrance"},"Data":{"Count":217}}
 *
 * becomes "Door Counted" with total 217 of the sensor cam-14 and the rule "entrance"; OccupancyCounter becomes
 * "Zone Counted" with the occupancy.  A counter counts since its last reset, which nobody announces: who reads a
 * sensor's events in the order of their times takes differences with algo/meter.h.  Other topics of the camera are
 * passed over.
 *
 * Source   ONVIF Core Specification 22.06, "JSON event payload", topics; Analytics Service, CountAggregation */
#include "service/collect/foreign_devices.h"
#include "service/collect/tell.h"

static const char form[] = "onvif";

static souk_err blame(const souk_foreign *message, const char *words)
{
    return souk_diag_say(message->diag, SOUK_EINVAL, "%s", words);
}

/* Cuts the topic around "onvif-ej"; the sources that may stand behind "&" go. */
static bool cut_topic(souk_text topic, souk_text *ret_device, souk_text *ret_local)
{
    static const char mark[] = "/onvif-ej/";
    const char *at = topic.bytes ? memmem(topic.at, topic.bytes, mark, sizeof mark - 1) : NULL;
    if (!at || at == topic.at)
        return false;
    *ret_device = souk_text_range(topic.at, at);
    *ret_local = souk_text_range(at + sizeof mark - 1, topic.at + topic.bytes);
    *ret_local = souk_text_cut(ret_local, '&');
    while (ret_local->bytes && ret_local->at[ret_local->bytes - 1] == '/')
        ret_local->bytes--;
    return true;
}

/* Which of the two counters a local topic is; vendors put a name before ':' in front of its first level. */
static bool ends_with(souk_text topic, souk_text end)
{
    return topic.bytes >= end.bytes &&
           souk_text_equal((souk_text){topic.at + topic.bytes - end.bytes, end.bytes}, end) &&
           (topic.bytes == end.bytes || topic.at[topic.bytes - end.bytes - 1] == ':');
}

static souk_err tell_count_of(const souk_foreign *message, const souk_json_doc *doc,
                              souk_text device, bool is_occupancy)
{
    souk_json_node root = souk_json_root(doc),
                   source = souk_json_member(doc, root, SOUK_TEXT("Source")),
                   data = souk_json_member(doc, root, SOUK_TEXT("Data"));
    souk_text told = tell_member(message, doc, root, "UtcTime"),
              rule = tell_member(message, doc, source, "Rule"),
              video = tell_member(message, doc, source, "VideoSource"),
              total = tell_member(message, doc, data, "Count");
    const char *event = is_occupancy ? "Zone Counted" : "Door Counted";
    uint64_t count;
    souk_time at;
    if (!tell_read_time(told, &at))
        return blame(message, "UtcTime is no time: set the camera's clock and send its own event");
    if (souk_text_to_u64(total, &count) || count > INT64_MAX)
        return blame(message, "Data.Count is no whole number: send the camera's own event");
    souk_text parts[] = {souk_text_of(event), device, video, rule, told, total};
    tell_open(message, form, event, tell_name(message, form, parts, 6), at);
    tell_text(message, "sensor_id", device);
    tell_text(message, "rule", rule);
    tell_text(message, "video_source", video);
    if (is_occupancy)
        tell_text(message, "zone_id", rule);
    tell_count(message, is_occupancy ? "occupancy" : "total", count);
    tell_close(message);
    return SOUK_OK;
}

static souk_err tell_onvif(const souk_foreign *message)
{
    souk_text device, local;
    souk_auto_value(souk_json_doc) doc = {.mem = message->mem};
    souk_json_limits limits = {.bytes = 1 << 20, .values = 1 << 16, .depth = 16};
    if (!cut_topic(message->topic, &device, &local))
        return blame(message, "the topic has no level onvif-ej: let the camera publish events as "
                              "JSON, below a prefix of its own");
    bool is_counter = ends_with(local, SOUK_TEXT("RuleEngine/CountAggregation/Counter")),
         is_occupancy = ends_with(local, SOUK_TEXT("RuleEngine/CountAggregation/OccupancyCounter"));
    if (!is_counter && !is_occupancy)
        return SOUK_OK;
    SOUK_TRY(souk_json_read(&doc, message->body, &limits, message->diag));
    return tell_count_of(message, &doc, device, is_occupancy);
}

const souk_foreign_form souk_foreign_onvif = {.name = "onvif", .tell = tell_onvif};
