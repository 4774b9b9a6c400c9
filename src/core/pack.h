/* pack.h - one event's JSON text in about a fifth of its bytes, and back to the byte.
 *
 *     souk_auto(souk_packer) packer = NULL;
 *     SOUK_TRY(souk_packer_new(mem, &packer));
 *     SOUK_TRY(souk_pack(packer, json, &packed));             appends
 *     SOUK_TRY(souk_unpack(packer, souk_buf_view(&packed), 32768, &text));
 *
 * Each event is sealed under its shopper's key, so no event can borrow from its neighbours, and what
 * is sealed does not compress.  The packer therefore knows the vocabulary of events beforehand
 * (pack_words.h) and writes, per event, only what is particular to it: random ids as 122 bits, times as
 * differences, known keys and words as a few bits, other letters by how often they come.
 *
 * Any bytes go through, JSON or not; what does not become smaller is kept as it is, one byte longer.
 *
 * Bytes    2 bits version | 3 bits unused at the end | symbols ... | 0 to 7 zero bits
 *          version 0: the rest of the first byte is zero and the text itself follows
 *          version 1: codes and words of pack_words.c
 *          versions 2 and 3 are free: SOUK_EVERSION
 * Cost     one pass each way, no allocation once the buffers have grown; docs/benchmarks.md
 * Threads  a packer serves one thread at a time; it holds about 16 KiB, and all of a process share
 *          0.9 MiB.  Its buffers keep texts it has seen until they are overwritten;
 *          souk_packer_free wipes them. */
#ifndef SOUK_CORE_PACK_H
#define SOUK_CORE_PACK_H

#include "base/text.h"

/* The longest text. */
#define SOUK_PACK_MOST_BYTES ((size_t)1 << 20)

typedef struct souk_packer souk_packer;

/* The caller owns *ret_packer; on failure it keeps its old value.  The first of a process
 * takes some milliseconds.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_packer_new(souk_mem *mem, souk_packer **ret_packer);
void souk_packer_free(souk_packer *packer);
SOUK_AUTO(souk_packer)

/* Appends the packed form of json to out, at most json.bytes + 1 bytes.
 * The same text gives the same bytes, whatever was packed before.
 * SOUK_ETOOBIG: above SOUK_PACK_MOST_BYTES, or out's ceiling.  SOUK_ENOMEM.
 * On failure out keeps its bytes. */
SOUK_CHECKED souk_err souk_pack(souk_packer *packer, souk_text json, souk_buf *out);

/* Appends exactly the text that was packed.  Safe on any bytes.
 * SOUK_ECORRUPT: it cannot be read; damage that still reads is for the seal around it to find.
 * SOUK_EVERSION: a version that this program does not know.
 * SOUK_ETOOBIG: the text has more than most_bytes, or out's ceiling.  SOUK_ENOMEM.
 * On failure out keeps its bytes. */
SOUK_CHECKED souk_err souk_unpack(souk_packer *packer, souk_text packed, size_t most_bytes,
                                  souk_buf *out);

#endif
