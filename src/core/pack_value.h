/* pack_value.h - the values in an event that no dictionary shortens: random ids, times, hexadecimal.
 *
 *     uint64_t halves[2];
 *     if (souk_pack_uuid(at, SOUK_HEX_LOWER, halves))       36 characters are 128 bits
 *         souk_pack_uuid_print(halves, SOUK_HEX_LOWER, to);
 *
 * A reader says yes only where its printer gives back the very same characters.
 *
 * Units    times: milliseconds since 1970-01-01T00:00:00Z, in [0, 2^42), that is up to May 2109
 * Threads  no state */
#ifndef SOUK_CORE_PACK_VALUE_H
#define SOUK_CORE_PACK_VALUE_H

#include "base/text.h"

#define SOUK_PACK_UUID_BYTES  36
#define SOUK_PACK_STAMP_BYTES 24
#define SOUK_PACK_MICRO_BYTES 32
#define SOUK_PACK_MILLI_BYTES 13
#define SOUK_PACK_TIME_BITS   42

typedef enum souk_hex_case { SOUK_HEX_LOWER, SOUK_HEX_UPPER } souk_hex_case;

/* Eight hexadecimal digits of one case, exactly; false on anything else. */
bool souk_pack_hex8(uint64_t text, souk_hex_case hex_case, uint32_t *ret_number);
uint64_t souk_pack_hex8_print(uint32_t number, souk_hex_case hex_case);

/* at[36]: xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx. */
bool souk_pack_uuid(const char *at, souk_hex_case hex_case, uint64_t halves[2]);
void souk_pack_uuid_print(const uint64_t halves[2], souk_hex_case hex_case, char *to);

/* at[24]: 2026-01-02T03:04:05.678Z, a real date.  The last character is not looked at. */
bool souk_pack_stamp(const char *at, uint64_t *ret_ms);
void souk_pack_stamp_print(uint64_t ms, char *to);

/* at[9], what stands in place of the Z where there are microseconds: 901+00:00. */
bool souk_pack_micro(const char *at, unsigned *ret_us);
void souk_pack_micro_print(unsigned us, char *to);

/* at[13]: 1767323045678, no leading zero. */
bool souk_pack_milli(const char *at, uint64_t *ret_ms);
void souk_pack_milli_print(uint64_t ms, char *to);

#endif
