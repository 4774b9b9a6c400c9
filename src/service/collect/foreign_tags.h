/* foreign_tags.h - one reading of an RFID tag, however its reader words it.
 *
 *     struct tag_read read = {.hex = hex, .reader = host, .antenna = port, .rssi = SOUK_TEXT("-56.5"), .at = at};
 *     SOUK_TRY(tag_tell(message, "impinj", &read, &fault));
 *
 * "Tag Read" has the tag's bits as `epc`, always; of an EPC (base/epc.h) also epc_uri, gtin (and product_id, as
 * tills scan it: 13 digits where the first of 14 is 0), sscc or gln, and serial. */
#ifndef SOUK_SERVICE_COLLECT_FOREIGN_TAGS_H
#define SOUK_SERVICE_COLLECT_FOREIGN_TAGS_H

#include "service/collect/foreign.h"

enum { TAG_BYTES_MOST = 62 }; /* of an EPC: 496 bits, EPC Gen2 6.3.2.1.2 */

struct tag_read {
    souk_text hex; /* of the EPC bank, as it came, in any case */
    souk_text reader, antenna, antenna_name, rssi, tid, seen_count;
    souk_text
        when; /* as the reader wrote it, or what else tells this reading apart; empty: nothing does */
    souk_time at;
};

/* SOUK_EINVAL: the hex is none; *fault says so. */
SOUK_CHECKED souk_err tag_tell(const souk_foreign *message, const char *form,
                               const struct tag_read *read, souk_diag *fault);

#endif
