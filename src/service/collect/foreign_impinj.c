/* foreign_impinj.c - what Impinj readers say (IoT Device Interface): one event, an array of them (webhook), or
 * one a line (the HTTP stream, with empty lines to keep it alive).
 *
 *     {"timestamp":"2026-01-02T10:00:00.123456789Z","hostname":"impinj-14-2b-3c","eventType":"tagInventory",
 *      "tagInventoryEvent":{"epc":"MHQle_cZTkAAABqF","antennaPort":1,"peakRssiCdbm":-5650}}
 *
 * becomes "Tag Read" with rssi "-56.5" in dBm.  The EPC comes in base64, of either alphabet, unless epcHex is
 * switched on at the reader; where both are there, epcHex counts.  Other events of a reader are passed over. */
#include "base/base64.h"
#include "service/collect/foreign_devices.h"
#include "service/collect/foreign_tags.h"
#include "service/collect/tell.h"

static const char form[] = "impinj";

static const souk_json_limits limits = {.bytes = 16 << 20, .values = 1 << 20, .depth = 8};

/* Hexadecimal text of the bytes that stand in base64; empty where it is none. */
static souk_text hex_of_base64(const souk_foreign *message, souk_text letters)
{
    char bytes[SOUK_BASE64_ROOM(TAG_BYTES_MOST * 2)];
    size_t count = 0;
    bool is_url = letters.bytes && (memchr(letters.at, '-', letters.bytes) ||
                                    memchr(letters.at, '_', letters.bytes));
    unsigned alphabet = is_url ? SOUK_BASE64_URL : SOUK_BASE64_STANDARD;
    if (letters.bytes > TAG_BYTES_MOST * 2 ||
        souk_base64_decode(letters, alphabet | SOUK_BASE64_EITHER, bytes, &count, NULL))
        return (souk_text){"", 0};
    char *hex = souk_arena_get(message->arena, 2 * count + 1);
    souk_hex(bytes, count, hex);
    return (souk_text){hex, 2 * count};
}

static souk_text hex_of(const souk_foreign *message, const souk_json_doc *doc, souk_json_node event,
                        const char *plain, const char *coded)
{
    souk_text hex = tell_member(message, doc, event, plain);
    return hex.bytes ? hex : hex_of_base64(message, tell_member(message, doc, event, coded));
}

/* Hundredths of dBm as dBm. */
static souk_text rssi_of(const souk_foreign *message, const souk_json_doc *doc,
                         souk_json_node event)
{
    int64_t hundredths;
    souk_json_node node = souk_json_member(doc, event, SOUK_TEXT("peakRssiCdbm"));
    if (souk_json_i64(doc, node, &hundredths) || hundredths < -100000 || hundredths > 100000)
        return (souk_text){"", 0};
    char *text = souk_arena_get(message->arena, SOUK_DECIMAL_BYTES);
    return (souk_text){text, souk_decimal_write((souk_decimal){hundredths * 10000}, text)};
}

static souk_err tell_event(const souk_foreign *message, const souk_json_doc *doc,
                           souk_json_node node, souk_diag *fault)
{
    souk_json_node event = souk_json_member(doc, node, SOUK_TEXT("tagInventoryEvent"));
    souk_text type = tell_member(message, doc, node, "eventType");
    if (souk_json_type(doc, node) != SOUK_JSON_OBJECT)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "an event is no object: send what the reader says");
    if (event == SOUK_JSON_NONE && type.bytes && !souk_text_equal(type, SOUK_TEXT("tagInventory")))
        return SOUK_OK;
    struct tag_read read = {
        .hex = hex_of(message, doc, event, "epcHex", "epc"),
        .tid = hex_of(message, doc, event, "tidHex", "tid"),
        .reader = tell_member(message, doc, node, "hostname"),
        .antenna = tell_member(message, doc, event, "antennaPort"),
        .antenna_name = tell_member(message, doc, event, "antennaName"),
        .rssi = rssi_of(message, doc, event),
        .when = tell_member(message, doc, node, "timestamp"),
    };
    if (!tell_read_time(read.when, &read.at))
        return souk_diag_say(fault, SOUK_EINVAL,
                             "timestamp is no time: send it as 2026-01-02T10:00:00.123Z");
    return tag_tell(message, form, &read, fault);
}

static souk_err tell_list(const souk_foreign *message, const souk_json_doc *doc)
{
    souk_json_node root = souk_json_root(doc);
    if (souk_json_type(doc, root) != SOUK_JSON_ARRAY)
        return tell_event(message, doc, root, message->diag);
    for (souk_json_node node = souk_json_first(doc, root); node != SOUK_JSON_NONE;
         node = souk_json_next(doc, node)) {
        souk_diag fault = {.words = ""};
        if (tell_event(message, doc, node, &fault) == SOUK_EINVAL)
            SOUK_TRY(tell_refuse(message, souk_json_raw(doc, node), &fault));
    }
    return SOUK_OK;
}

/* The next line that has anything; false at the end. */
static bool next_line(souk_text *rest, souk_text *ret_line)
{
    while (rest->bytes) {
        *ret_line = souk_text_trim(souk_text_cut(rest, '\n'));
        if (ret_line->bytes)
            return true;
    }
    return false;
}

static souk_err tell_lines(const souk_foreign *message, souk_json_doc *doc)
{
    souk_text rest = message->body, line;
    while (next_line(&rest, &line)) {
        souk_diag fault = {.words = ""};
        souk_err err = souk_json_read(doc, line, &limits, &fault);
        if (!err)
            err = tell_event(message, doc, souk_json_root(doc), &fault);
        if (err == SOUK_ENOMEM)
            return err;
        if (err)
            SOUK_TRY(tell_refuse(message, line, &fault));
    }
    return SOUK_OK;
}

static souk_err tell_impinj(const souk_foreign *message)
{
    souk_auto_value(souk_json_doc) doc = {.mem = message->mem};
    souk_text rest = message->body, line;
    souk_err err = souk_json_read(&doc, message->body, &limits, message->diag);
    if (err == SOUK_OK)
        return tell_list(message, &doc);
    /* lines, where the first of them is a value alone; else it was meant as one */
    if (err == SOUK_ESYNTAX && next_line(&rest, &line) && rest.bytes &&
        souk_json_read(&doc, line, &limits, NULL) == SOUK_OK) {
        *message->diag = (souk_diag){.words = ""};
        return tell_lines(message, &doc);
    }
    return err;
}

const souk_foreign_form souk_foreign_impinj = {.name = "impinj", .tell = tell_impinj};
