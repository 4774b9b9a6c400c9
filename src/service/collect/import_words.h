/* import_words.h - what a column can mean, in each kind of table, and the headings that say so.
 *
 *     const import_meaning *meaning = &import_orders_meanings.meanings[IMPORT_ORDER];
 *     meaning->name                                        "order": what --map calls it
 *     unsigned score = import_word_score(meaning, SOUK_TEXT("Bestell-Nr."));        95: a word of the list
 *
 * Words are compared folded: letters in lower case, spaces and marks left out, what stands in brackets too.  A score
 * is 95 where the heading is one of the words, 80 where it is a word that says it only if no better column does (in
 * the lists behind '~'), 70 where it holds a word, 0 else. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_WORDS_H
#define SOUK_SERVICE_COLLECT_IMPORT_WORDS_H

#include "base/text.h"

typedef enum import_type { /* what a cell must be */
                           IMPORT_TEXT,
                           IMPORT_TIME,
                           IMPORT_TIME_OF_DAY,
                           IMPORT_NUMBER,
                           IMPORT_MONEY,
                           IMPORT_CURRENCY,
                           IMPORT_EMAIL,
                           IMPORT_PHONE,
                           IMPORT_YES,
                           IMPORT_URL,
} import_type;

typedef struct import_meaning {
    const char *name;
    import_type type;
    const char *words; /* parted by '|' */
} import_meaning;

enum { IMPORT_MEANINGS_MOST = 32 };

typedef struct import_kind {
    const char *name;
    const import_meaning *meanings;
    size_t count;
} import_kind;

enum import_orders_meaning {
    IMPORT_ORDER,
    IMPORT_AT,
    IMPORT_TIME_COLUMN,
    IMPORT_PRODUCT_CODE,
    IMPORT_NAME,
    IMPORT_CATEGORY,
    IMPORT_QUANTITY,
    IMPORT_PRICE,
    IMPORT_AMOUNT,
    IMPORT_TOTAL,
    IMPORT_CURRENCY_COLUMN,
    IMPORT_STORE,
    IMPORT_STATUS,
    IMPORT_USER,
    IMPORT_CARD,
    IMPORT_PHONE_COLUMN,
    IMPORT_EMAIL_COLUMN,
    IMPORT_OPEN,
    IMPORT_ORDERS_COUNT
};
enum import_products_meaning {
    IMPORT_P_CODE,
    IMPORT_P_TITLE,
    IMPORT_P_BRAND,
    IMPORT_P_CATEGORY,
    IMPORT_P_GTIN,
    IMPORT_P_PRICE,
    IMPORT_P_CURRENCY,
    IMPORT_P_URL,
    IMPORT_P_IMAGE,
    IMPORT_P_AVAILABILITY,
    IMPORT_P_ATTRIBUTES, /* this and the next: columns of our own export (GET /v1/products?format=csv) */
    IMPORT_P_DESCRIBED,
    IMPORT_P_SINCE,
    IMPORT_PRODUCTS_COUNT
};
enum import_stores_meaning {
    IMPORT_ST_CODE,
    IMPORT_ST_NAME,
    IMPORT_ST_ZONE,
    IMPORT_ST_CURRENCY,
    IMPORT_ST_OPENS,
    IMPORT_ST_CLOSES,
    IMPORT_ST_STREET,
    IMPORT_ST_POSTCODE,
    IMPORT_ST_CITY,
    IMPORT_ST_COUNTRY,
    IMPORT_ST_LAT,
    IMPORT_ST_LON,
    IMPORT_STORES_COUNT
};
enum import_shoppers_meaning {
    IMPORT_S_USER,
    IMPORT_S_CARD,
    IMPORT_S_PHONE,
    IMPORT_S_EMAIL,
    IMPORT_S_OPEN,
    IMPORT_S_AT,
    IMPORT_S_NAME,
    IMPORT_S_FIRST_NAME,
    IMPORT_S_LAST_NAME,
    IMPORT_S_BIRTHDAY,
    IMPORT_S_GENDER,
    IMPORT_S_STREET,
    IMPORT_S_POSTCODE,
    IMPORT_S_CITY,
    IMPORT_S_COUNTRY,
    IMPORT_SHOPPERS_COUNT
};
enum import_consents_meaning {
    IMPORT_C_USER,
    IMPORT_C_CARD,
    IMPORT_C_PHONE,
    IMPORT_C_EMAIL,
    IMPORT_C_OPEN,
    IMPORT_C_PURPOSE,
    IMPORT_C_GIVEN,
    IMPORT_C_BASIS,
    IMPORT_C_AT,
    IMPORT_C_UNTIL,
    IMPORT_C_EVIDENCE,
    IMPORT_C_AGE,
    IMPORT_C_GUARDIAN,
    IMPORT_CONSENTS_COUNT
};

extern const import_kind import_orders_kind, import_products_kind, import_stores_kind,
    import_shoppers_kind, import_consents_kind;

unsigned import_word_score(const import_meaning *meaning, souk_text heading);
/* The number of the meaning of this name; -1: there is none. */
int import_meaning_of(const import_kind *kind, souk_text name);
/* "order, at, time, …". */
void import_list_meanings(const import_kind *kind, char *out, size_t bytes);

#endif
