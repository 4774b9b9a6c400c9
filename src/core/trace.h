/* trace.h - does a text that came from outside name this person?
 *
 *     souk_auto_value(souk_buf) room = {.mem = mem};
 *     bool found;
 *     SOUK_TRY(souk_trace_find(&room, reject_text, hers, her_count, &found));
 *
 * For erasures: what names her must go, and what names somebody else must stay.  The text is JSON, or JSON that
 * was cut off, or anything; strings are read as they mean (escapes, and %XX of addresses, undone), and an
 * identifier counts in two ways:
 *
 *     as a member      It is the whole value, string or number, of a member that says whose the event is
 *                      (userId, anonymousId, CustomerID, email, traits.id …), compared as a door does it:
 *                      e-mail in any case, phone without its separators, the rest byte for byte.
 *     wherever it is   An e-mail, a phone of at least 7 digits, and what looks neither like a word nor like a
 *                      number (6 bytes with a digit and something else, or 16 bytes) also counts in any string
 *                      and in member names; whole: "u-17" stands in "for u-17." and not in "u-178" or "u-17-b".
 *
 * So "7" is found in "userId":7 and not in "quantity":7, and "anna" not in the name of a product; a mention of
 * such a short one in free text stays, since it tells nobody from another.
 *
 * Cost     one pass over the text for its strings, and over each string for each identifier
 * Threads  no state */
#ifndef SOUK_CORE_TRACE_H
#define SOUK_CORE_TRACE_H

#include "core/event.h"

/* ids: [count] normalised values with their kinds; an empty value is in no text.  `room` is scratch.
 * SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_trace_find(souk_buf *room, souk_text text, const souk_identifier *ids,
                                      size_t count, bool *ret_found);

#endif
