/* checkout_inside.h - the state of the checkout, and its routes; private to service/checkout/. */
#ifndef SOUK_SERVICE_CHECKOUT_CHECKOUT_INSIDE_H
#define SOUK_SERVICE_CHECKOUT_CHECKOUT_INSIDE_H

#include "core/charge.h"
#include "os/thread.h"
#include "service/checkout/checkout.h"
#include "service/checkout/receipt.h"

enum { CHECKOUT_DESKS = 16 };

struct souk_checkout {
    souk_mem *mem;
    souk_spine *spine;
    souk_ledger *ledger;
    souk_basket_rooms rooms;
    souk_till_ports ports;

    souk_merchants *merchants;
    struct checkout_teller *teller; /* told.c */

    souk_mutex refreshing; /* who takes up what was changed */
    souk_mutex lock;       /* over all that follows */
    souk_basket_desk *desks[CHECKOUT_DESKS];
    size_t desk_count;
    souk_thread keeper;
    souk_cond wake;
    bool stopping;
};

/* A desk of this thread's until it is put back. */
SOUK_CHECKED souk_err checkout_take_desk(souk_checkout *checkout, souk_basket_desk **ret_desk);
void checkout_put_desk(souk_checkout *checkout, souk_basket_desk *desk);
/* Something was told here: it holds now, not half a second later. */
SOUK_CHECKED souk_err checkout_refresh(souk_checkout *checkout);

/* {"kind":"card","value":"…"} of a form, found; *ret_atom is whose account of this kind and currency it is, 0 where none
 * of the person's histories has one.  SOUK_ENOENT, with words: nobody has it. */
typedef struct checkout_customer {
    souk_text kind, value;
} checkout_customer;
SOUK_CHECKED souk_err checkout_read_customer(souk_form *form, souk_json_node value,
                                             checkout_customer *ret_customer);
SOUK_CHECKED souk_err checkout_find_customer(souk_call *call, const checkout_customer *customer,
                                             souk_person **ret_person);
SOUK_CHECKED souk_err checkout_find_account(souk_call *call, const souk_person *person,
                                            unsigned kind, const char currency[4],
                                            souk_book *ret_book);
/* "balance" or "tab", as SOUK_BOOK_BALANCE or SOUK_BOOK_TAB; and its word. */
SOUK_CHECKED souk_err checkout_read_account(souk_form *form, souk_json_node value,
                                            unsigned *ret_kind);
const char *checkout_account_word(unsigned kind);
SOUK_CHECKED souk_err checkout_read_currency(souk_form *form, souk_json_node value,
                                             char ret_currency[4]);
/* Of a path /v1/accounts/{kind}/{value} with its query's account and currency. */
SOUK_CHECKED souk_err checkout_account_of_path(souk_call *call, souk_book *ret_book);
/* Which account of a tender or store: a number for its name. */
uint64_t checkout_owner(const souk_call *call, souk_text store, souk_text name);
/* A request's body as JSON in the call's arena's memory; the doc is freed by the caller. */
SOUK_CHECKED souk_err checkout_read_body(souk_call *call, souk_json_doc *doc);

/* ---- telling the log (told.c) ---------------------------------------------------------------------------- */

/* The customer, sealed for receipt_untold; in the call's arena. */
SOUK_CHECKED souk_err checkout_seal_who(souk_call *call, const checkout_customer *customer,
                                        souk_hash128 id, souk_text *ret_sealed);
SOUK_CHECKED souk_err checkout_teller_new(souk_checkout *checkout,
                                          struct checkout_teller **ret_teller);
void checkout_teller_free(struct checkout_teller *teller);
/* Some receipts become events; *ret_more: there may be others. */
SOUK_CHECKED souk_err checkout_tell(struct checkout_teller *teller, bool *ret_more);

/* ---- tenders and money (tender.c) --------------------------------------------------------------------- */

enum { CHECKOUT_TENDERS = 8 };
typedef enum checkout_tender_kind {
    CHECKOUT_CASH,
    CHECKOUT_CARD,
    CHECKOUT_OTHER,
    CHECKOUT_BALANCE,
    CHECKOUT_TAB,
    CHECKOUT_POINTS
} checkout_tender_kind;
typedef struct checkout_tender {
    checkout_tender_kind kind;
    souk_decimal amount; /* of POINTS: none is read */
    int64_t points;      /* of POINTS */
    int64_t minor;       /* told by checkout_tenders_total */
    souk_text reference, provider, last4;
    bool confirmed;
} checkout_tender;
typedef struct checkout_tenders {
    checkout_tender list[CHECKOUT_TENDERS];
    size_t count;
} checkout_tenders;
SOUK_CHECKED souk_err checkout_read_tenders(souk_form *form, souk_json_node value,
                                            checkout_tenders *tenders);
SOUK_CHECKED souk_err checkout_tenders_total(souk_call *call, checkout_tenders *tenders,
                                             const char currency[4], int64_t *ret_minor,
                                             int64_t *ret_cash_minor);
void checkout_write_tenders(souk_json_writer *json, const checkout_tenders *tenders,
                            unsigned exponent);
/* Exactly, or refused with the name of what it is. */
SOUK_CHECKED souk_err checkout_minor(souk_call *call, souk_decimal amount, const char currency[4],
                                     const char *what, int64_t *ret_minor);

/* What the charges of one receipt have in common. */
typedef struct checkout_deal {
    souk_call *call;
    souk_text store;
    const char *currency;
    souk_hash128 id;
    int32_t day;
    bool back; /* money goes the other way */
} checkout_deal;
/* Whose account pays, or gets it back; person NULL: nobody was named. */
SOUK_CHECKED souk_err checkout_tender_book(const checkout_deal *deal, const checkout_tender *tender,
                                           const souk_person *person, souk_book *ret_book);
souk_book checkout_sales_book(const checkout_deal *deal);
souk_book checkout_tax_book(const checkout_deal *deal, souk_text rate);
/* One effect: from `from` to `to`, NULL being the store's sales; part tells the receipt's transfers apart.  An amount of 0
 * is none. */
SOUK_CHECKED souk_err checkout_charge(const checkout_deal *deal, souk_plan *plan, unsigned part,
                                      int64_t minor, const souk_book *from, const souk_book *to,
                                      bool confirmed);

/* The effect of a receipt that has all but its body and whose it is: `write` writes the body of `of`.  The receipt is
 * borrowed until the plan has run.  SOUK_ETOOBIG, with words: the body is above SOUK_RECEIPT_BODY_MOST. */
SOUK_CHECKED souk_err checkout_plan_receipt(souk_call *call, souk_plan *plan, souk_receipt *receipt,
                                            const checkout_customer *customer,
                                            void (*write)(souk_json_writer *json, const void *of),
                                            const void *of);
/* A receipt as it is answered: its name, hash and body. */
void checkout_write_receipt(souk_json_writer *json, const souk_receipt *receipt);
void checkout_put_hash(souk_json_writer *json, const char *key,
                       const unsigned char hash[SOUK_SHA256_BYTES]);

/* The routes, by file. */
void checkout_price(souk_call *call);   /* till.c */
void checkout_commit(souk_call *call);  /* till.c */
void checkout_receipt(souk_call *call); /* till.c */
void checkout_return(souk_call *call);  /* returns.c */
void checkout_void(souk_call *call);
void checkout_get_setting(souk_call *call);
void checkout_put_setting(souk_call *call);
void checkout_delete_setting(souk_call *call); /* settings.c */
void checkout_list_settings(souk_call *call);
void checkout_put_prices(souk_call *call);
void checkout_open_account(souk_call *call); /* account.c */
void checkout_top_up(souk_call *call);
void checkout_account(souk_call *call);
void checkout_pay(souk_call *call); /* payment.c */
void checkout_capture(souk_call *call);
void checkout_void_payment(souk_call *call);
void checkout_refund(souk_call *call);
void checkout_payment(souk_call *call);
void checkout_entries(souk_call *call); /* statement.c */
void checkout_park(souk_call *call);    /* parking.c */
void checkout_parked_list(souk_call *call);
void checkout_parked(souk_call *call);
void checkout_change_parked(souk_call *call);
void checkout_delete_parked(souk_call *call);

#endif
