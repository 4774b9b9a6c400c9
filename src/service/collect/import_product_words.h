/* import_product_words.h - what tables and feeds write of a product, as core/product.h keeps it. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_PRODUCT_WORDS_H
#define SOUK_SERVICE_COLLECT_IMPORT_PRODUCT_WORDS_H

#include "service/collect/import_format.h"

/* "In stock", "有货", "lieferbar": in_stock; what is none of the words stays as it is. */
souk_text import_availability(souk_text told);

/* Digits without their spaces and dashes, in the sink's room.  SOUK_EINVAL: "4.00638E+12", cut by a spreadsheet. */
SOUK_CHECKED souk_err import_read_gtin(souk_import_sink *sink, souk_text told, souk_text *ret_gtin,
                                       souk_diag *fault);

#endif
