/* import_told.c - the one reader of events (segment_event.c) on what a file holds, without a request around it. */
#include "service/collect/import_told.h"

#include "service/collect/intake_inside.h"

#include <stdio.h>

souk_err import_told_begin(import_told *told, souk_import_sink *sink)
{
    souk_intake *reading = souk_mem_get(sink->mem, sizeof *reading);
    if (!reading)
        return SOUK_ENOMEM;
    reading->doc.mem = sink->mem;
    reading->hashes = sink->hashes;
    reading->received = sink->received;
    reading->batch.source = sink->source;
    reading->nobodys = true;
    *told = (import_told){sink, reading};
    return SOUK_OK;
}

void import_told_done(import_told *told)
{
    if (!told->reading)
        return;
    souk_json_doc_done(&told->reading->doc);
    souk_mem_put(told->sink->mem, souk_take(&told->reading));
}

/* "row 17 0123…": of the source, by what it says and where. */
static souk_text name_of(const import_told *told, souk_text text, char room[80])
{
    souk_hash128 hash = souk_hashes_message(told->sink->hashes, told->sink->source, text);
    int bytes = snprintf(room, 80, "row %llu %016llx%016llx", (unsigned long long)told->sink->rows,
                         (unsigned long long)hash.high, (unsigned long long)hash.low);
    return (souk_text){room, (size_t)bytes};
}

/* As segment_event.c reads it: a text with anything in it, or a number. */
static bool has_message_id(const souk_json_doc *doc)
{
    souk_json_node id = souk_json_member(doc, souk_json_root(doc), SOUK_TEXT("messageId"));
    souk_json_kind kind = souk_json_type(doc, id);
    return kind == SOUK_JSON_NUMBER ||
           (kind == SOUK_JSON_STRING && souk_json_raw(doc, id).bytes > sizeof "\"\"" - 1);
}

static souk_err read_event(import_told *told, souk_text text, souk_event *event, souk_diag *fault)
{
    souk_intake *reading = told->reading;
    char name[80];
    souk_err err = souk_json_read(&reading->doc, text, NULL, fault);
    if (err == SOUK_ESYNTAX || err == SOUK_ETOOBIG)
        return SOUK_EINVAL;
    SOUK_TRY(err);
    reading->unnamed = has_message_id(&reading->doc) ? SOUK_TEXT("") : name_of(told, text, name);
    return segment_read_event(reading, souk_json_root(&reading->doc), SOUK_TEXT(""), event, fault);
}

souk_err import_told_put(import_told *told, souk_text text, uint64_t line)
{
    souk_import_sink *sink = told->sink;
    souk_diag fault = {.words = ""};
    souk_event event;
    souk_text kept = {souk_arena_copy(sink->room, text.at, text.bytes), text.bytes};
    if (sink->room->failed)
        return SOUK_ENOMEM;
    told->reading->arena = sink->room;
    souk_err err = read_event(told, kept, &event, &fault);
    if (err == SOUK_EINVAL)
        return souk_import_put_fault(sink, line, &fault, text);
    SOUK_TRY(err);
    return souk_import_put_event(sink, sink->rows, &event, kept);
}
