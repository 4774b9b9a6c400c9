/* import_basket.h - rows that are lines of an order, gathered into events.
 *
 *     import_order order = {.key = key, .id = number, .at = at, .type = SOUK_TEXT("Order Completed"),
 *                           .flags = SOUK_EVENT_ORDER | SOUK_EVENT_SALE, .currency = "EUR",
 *                           .ids = {{SOUK_ID_CARD, card}}, .id_count = 1};
 *     import_line line = {.line = {.product = sku, .quantity = …, .amount = …}, .price = price};
 *     SOUK_TRY(import_basket_row(&basket, &order, &line, fault));            each row, after sink->rows++
 *     SOUK_TRY(import_basket_end(&basket));                                  behind the last
 *
 * Rows of one order that stand together and agree about who, when, where and what kind become one event with a
 * line each, up to SOUK_EVENT_LINES lines or SOUK_IMPORT_BODY_BYTES of text; then another event of the same order
 * begins.  An order whose rows lie apart becomes an event for each stretch of them.
 * Identity (source, key, ordinal within the order of the event's first row): the same file again adds nothing, and
 *          an order is counted once (flag SOUK_EVENT_ORDER on its first row's event alone).  Files that overlap by
 *          whole orders add what is new.  An order that comes again longer is the order that was imported first: it
 *          is never counted twice, and what it gained is not taken
 * Whole    An order with a row that cannot be taken (import_basket_refuse) stays out: an event of its other rows would
 *          have the identity of the whole order, and the mended row would be dropped as known.  So the events of a
 *          stretch are held until its end (HELD_MOST of them, 12,800 lines, then they go).  Only stretches that lie
 *          before the bad row, apart from it, are in already; they stay what they are once the row is mended
 * Text     {"type":"track","event":…,"userId":…,"properties":{"order_id":…,"store_id":…,"products":[{…},…]}} */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_BASKET_H
#define SOUK_SERVICE_COLLECT_IMPORT_BASKET_H

#include "service/collect/import_record.h"

/* Writes further members of an open object. */
typedef void import_write_more(const void *context, souk_json_writer *json);

typedef struct import_order {
    souk_text key;       /* tells it apart within the source; at most IMPORT_ORDER_BYTES */
    souk_text id;        /* as people know it; empty: it has none */
    const char *id_name; /* of the property; NULL: order_id */
    souk_time at;
    souk_text type, store; /* type: of the event, static */
    char currency[4];
    uint8_t flags;
    bool is_whole;  /* its rows stand nowhere else: nobody has to remember it */
    bool has_total; /* the order's amount is told, and not the sum of its lines */
    souk_decimal total;
    struct {
        souk_id_kind kind;
        souk_text value; /* as it came */
        const char *name;
    } ids[SOUK_EVENT_IDS];
    size_t id_count;
    import_write_more *more; /* may be NULL; of the order's first row */
    const void *context;
} import_order;

typedef struct import_line {
    souk_line line;            /* name and category may be empty */
    souk_text quantity, price; /* as told; empty: left out */
    import_write_more *more;   /* may be NULL */
    const void *context;
} import_line;

typedef struct import_basket {
    souk_import_sink *sink;
    import_ordinals orders;
    bool is_open;
    /* The stretch of rows of one order in hand, those that cannot be taken among them. */
    bool is_stretch, is_whole;
    char key[IMPORT_ORDER_BYTES]; /* of the order */
    size_t key_bytes;
    uint64_t hash;    /* of the key */
    uint32_t first;   /* ordinal of its first row */
    uint32_t rows;    /* so far */
    uint32_t waiting; /* of them in events that are not put */
    bool is_bad;      /* it stays out */
    uint64_t entered; /* the row of the file that was counted last */
    uint64_t through; /* the last row that is in it */
    struct import_held {
        souk_event event; /* it, its lines and texts in `own` */
        souk_text body;
        uint64_t through;
    } * held; /* [HELD_MOST], made with the first: ended events of the stretch in hand */
    size_t held_count;
    souk_buf head;     /* what its rows agree about */
    souk_buf row_head; /* the same of the row in hand */
    souk_event event;  /* texts in `own` */
    souk_line *lines;  /* [SOUK_EVENT_LINES] */
    souk_arena own;
    souk_buf body, row_body;
    souk_json_writer json;
} import_basket;

SOUK_CHECKED souk_err import_basket_begin(import_basket *basket, souk_import_sink *sink);
void import_basket_done(import_basket *basket);

/* line NULL: the row tells of the order alone.  SOUK_EINVAL with words: the row cannot be taken, and is to be
 * refused. */
SOUK_CHECKED souk_err import_basket_row(import_basket *basket, const import_order *order,
                                        const import_line *line, souk_diag *fault);
SOUK_CHECKED souk_err import_basket_end(import_basket *basket);
/* The row in hand cannot be taken, so its order stays out, from here on: those behind it keep their identity when it is
 * mended.  key empty, or too long: nobody knows its order, and those before and behind it stay out.  What that means is
 * added to the words of the fault, without the key: words are not sealed.  noun: "order". */
SOUK_CHECKED souk_err import_basket_refuse(import_basket *basket, souk_text key, const char *noun,
                                           souk_diag *fault);

#endif
