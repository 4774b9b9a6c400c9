/* tell.h - the words that forms share (foreign.h): an event opened and closed, its properties, its name.
 *
 *     souk_text parts[] = {reader, tag, when};
 *     tell_open(message, "Tag Read", tell_name(message, "impinj", parts, 3), at);
 *     tell_text(message, "epc", tag);                       nothing is written where the text is empty
 *     tell_close(message);
 *
 * Names    a messageId is "impinj/" and 32 hexadecimal digits, a hash of what tells the fact apart: it fits whatever
 *          a sender calls its things, and shows nothing of them
 * Errors   sticky, in message->out and message->arena */
#ifndef SOUK_SERVICE_COLLECT_TELL_H
#define SOUK_SERVICE_COLLECT_TELL_H

#include "base/json.h"
#include "service/collect/foreign.h"

/* An id of the parts, at most SOUK_HASH_PARTS; in the arena. */
souk_text tell_name(const souk_foreign *message, const char *form, const souk_text *parts,
                    size_t count);

/* {"type":"track","event":…,"messageId":…,"timestamp":…,"context":{"library":{"name":…}},"properties":{ and the store
 * of the message where it knows one; an empty name: none is written. */
void tell_open(const souk_foreign *message, const char *form, const char *event, souk_text name,
               souk_time at);
void tell_close(const souk_foreign *message);

/* One property.  A raw number is written as it stands, as text: "12.50". */
void tell_text(const souk_foreign *message, const char *key, souk_text text);
void tell_count(const souk_foreign *message, const char *key, uint64_t count);
void tell_time(const souk_foreign *message, const char *key, souk_time at);

/* ---- reading JSON messages ----------------------------------------------------------------------- */

/* A string, or a number, true or false as they stand; empty where missing, null or a container. */
souk_text tell_read(const souk_foreign *message, const souk_json_doc *doc, souk_json_node node);
souk_text tell_member(const souk_foreign *message, const souk_json_doc *doc, souk_json_node object,
                      const char *key);
/* Times as devices write them: ISO 8601, or seconds or milliseconds since 1970 with or without decimals
 * (above 10^11 they are milliseconds).  False: neither. */
bool tell_read_time(souk_text text, souk_time *ret_time);
/* The part of a list at fault, or the message itself: *fault is handed to whoever keeps it.  Without `refuse` the
 * whole message is refused. */
SOUK_CHECKED souk_err tell_refuse(const souk_foreign *message, souk_text part,
                                  const souk_diag *fault);

#endif
