/* poslog_inside.h - one transaction of a till, between poslog.c that reads it and poslog_event.c that tells it. */
#ifndef SOUK_SERVICE_COLLECT_POSLOG_INSIDE_H
#define SOUK_SERVICE_COLLECT_POSLOG_INSIDE_H

#include "base/decimal.h"
#include "service/collect/poslog.h"

enum { POSLOG_LINES = 5000, POSLOG_TENDERS = 50, POSLOG_CARDS = 4 };

/* Texts as they stand in the document, trimmed; empty where they do not. */
struct poslog_line {
    souk_text number, item_id, pos_id, category, description, entry_method;
    souk_text regular_price, price, amount, quantity, unit, serial, serial_type;
    bool is_return, is_voided;
};

struct poslog_tender {
    souk_text type, id, amount, change, card_type;
    bool is_refund;
};

/* Another transaction that this one speaks of. */
struct poslog_link {
    souk_text store, unit, workstation, sequence, day, reason;
};

struct poslog_sale {
    souk_text store, unit, workstation, till, sequence, day, begin, end, operator_id, currency;
    souk_text receipt_number, receipt_time, status, type;
    souk_text grand, net, gross, tax; /* totals, by their types */
    souk_text cards[POSLOG_CARDS], email, phone;
    struct poslog_link link;
    struct poslog_line *lines; /* [line_count] */
    size_t line_count, card_count, tender_count;
    souk_decimal tax_sum; /* of lines */
    bool has_tax_sum;
    struct poslog_tender tenders[POSLOG_TENDERS];
    bool is_retail, is_training, is_cancelled, is_post_void;
};

/* poslog_event.c: a decimal of XML Schema ("+1.50", ".5", "01"), which becomes one of JSON with the same digits, in the
 * arena.  SOUK_EINVAL: it is none, or does not fit. */
SOUK_CHECKED souk_err poslog_decimal(souk_arena *arena, souk_text *text, souk_decimal *ret_value);

/* Its events, handed to each(context, event, …), all of them or none.  *ret_told: how many.
 * SOUK_EINVAL: *fault says what is wrong.  SOUK_ENOMEM.  Errors of each. */
SOUK_CHECKED souk_err poslog_tell(const struct poslog_sale *sale, souk_buf *out, souk_arena *arena,
                                  const souk_poslog_options *options, size_t *ret_told,
                                  souk_diag *fault);

#endif
