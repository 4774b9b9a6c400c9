/* merchant_xml.h - the items of a product feed in XML (RSS 2.0, Atom), each as a list of named texts.
 *
 *     souk_auto(merchant_xml) xml = NULL;
 *     SOUK_TRY(merchant_xml_new(mem, take_item, context, &xml));
 *     while (!last)
 *         SOUK_TRY(merchant_xml_feed(xml, piece, last, diag));
 *
 * Items    <item> of RSS and <entry> of Atom.  Their children of Google's namespace (g:) by their local names; title,
 *          description, link, id, summary and content of RSS and Atom where g: does not say the same.  What is nested
 *          is named by its path: g:shipping/g:country is "shipping.country"
 * Bounds   an item: MERCHANT_FIELDS fields, MERCHANT_ITEM_BYTES of text, else its fields_cut is true; nesting 32
 * Strict   a document type is refused, so there are no entities but those of XML itself
 * Errors   SOUK_ESYNTAX with line and column; SOUK_EINVAL: no feed.  An error of take_item ends the reading with it
 * Source   RSS 2.0.11; RFC 4287; Google's product data specification for the names; expat reads */
#ifndef SOUK_SERVICE_COLLECT_MERCHANT_XML_H
#define SOUK_SERVICE_COLLECT_MERCHANT_XML_H

#include "base/text.h"

enum { MERCHANT_FIELDS = 500, MERCHANT_ITEM_BYTES = 1 << 18, MERCHANT_NAME_BYTES = 100 };

typedef struct merchant_field {
    souk_text name, value; /* value: trimmed */
} merchant_field;

typedef struct merchant_item {
    const merchant_field *fields; /* [count], in the order of the feed */
    size_t count;
    uint64_t line;   /* where it begins */
    bool fields_cut; /* it had more than the bounds */
} merchant_item;

typedef souk_err merchant_take(void *context, const merchant_item *item, souk_diag *diag);

typedef struct merchant_xml merchant_xml;
SOUK_CHECKED souk_err merchant_xml_new(souk_mem *mem, merchant_take *take, void *context,
                                       merchant_xml **ret_xml);
void merchant_xml_free(merchant_xml *xml);
SOUK_AUTO(merchant_xml)
SOUK_CHECKED souk_err merchant_xml_feed(merchant_xml *xml, souk_text piece, bool last,
                                        souk_diag *diag);

#endif
