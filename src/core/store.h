/* store.h - what is said of a store: a document (document.h) of kind "store", checked alike at every door.
 *
 *     {"name":"Shanghai, Nanjing Road","time_zone":"Asia/Shanghai","currency":"CNY","opens":"09:00","closes":"22:00",
 *      "address":{…},"zones":[{"zone":"entrance","name":"Entrance"}]}
 *
 *     SOUK_TRY(souk_store_check(&doc, true, &arena, diag));
 *     SOUK_TRY(souk_store_add(tx, mem, SOUK_OPERATOR, code, text, now, &changed));      in a writing closure
 *
 * Limits  a name of 1 to 200 bytes; other members are whatever whoever wrote them needs */
#ifndef SOUK_CORE_STORE_H
#define SOUK_CORE_STORE_H

#include "base/json.h"
#include "base/time.h"
#include "core/document.h"

#define SOUK_STORE_KIND SOUK_TEXT("store")
enum { SOUK_STORE_NAME_BYTES = 200 };

/* is_whole: it must have a name.  SOUK_EINVAL, with the member and what it should be. */
SOUK_CHECKED souk_err souk_store_check(const souk_json_doc *doc, bool is_whole, souk_arena *arena,
                                       souk_diag *diag);

/* Adds what an object, checked but perhaps not whole, tells of the store: members of the same name are replaced,
 * others stay; one without a name is called by its code.  Where nothing is new, nothing is written.
 * SOUK_ETOOBIG: together it is above SOUK_DOCUMENT_BYTES. */
SOUK_CHECKED souk_err souk_store_add(souk_tx *tx, souk_mem *mem, uint32_t merchant, souk_text code,
                                     souk_text text, souk_time now, bool *ret_changed);

#endif
