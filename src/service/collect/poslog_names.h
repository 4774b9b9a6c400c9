/* poslog_names.h - which elements of a POSLog mean something, by their parents: one table.
 *
 *     const struct poslog_row *row = poslog_row_find(parent, "RetailStoreID", true);
 *     row->node                                           LEAF: its text is a field of a sale, at row->offset
 *
 * What has no row is passed over with all that is in it. */
#ifndef SOUK_SERVICE_COLLECT_POSLOG_NAMES_H
#define SOUK_SERVICE_COLLECT_POSLOG_NAMES_H

#include "service/collect/poslog_inside.h"

enum node {
    DOCUMENT, /* above the root */
    POSLOG,
    TRANSACTION,
    UNIT,
    RETAIL,
    LINE_ITEM,
    ITEM,
    POS_IDENTITY,
    TENDER,
    TENDER_CHANGE,
    CREDIT,
    TAX,
    CUSTOMER,
    LINK,
    LINK_UNIT,
    POST_VOID,
    LEAF, /* from here on its text is told */
    CARD,
    EMAIL,
    PHONE,
    TOTAL,
};

/* Whose field a leaf is. */
enum owner { NOBODY, SALE, LINE, PAID };

struct poslog_row {
    enum node parent;
    const char *name;
    enum node node;
    enum owner owner;
    size_t offset;
};

/* parent: NULL above the root.  is_home: in the document's own name space, in one of IXRetail's, or in none; of
 * vendors' elements only those of loyalty have rows.  NULL: nothing. */
const struct poslog_row *poslog_row_find(const struct poslog_row *parent, const char *name,
                                         bool is_home);

#endif
