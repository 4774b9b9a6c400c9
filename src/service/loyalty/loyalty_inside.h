/* loyalty_inside.h - what the files of loyalty.h share: the service's state, bodies, persons, answers. */
#ifndef SOUK_SERVICE_LOYALTY_LOYALTY_INSIDE_H
#define SOUK_SERVICE_LOYALTY_LOYALTY_INSIDE_H

#include "base/form.h"
#include "os/thread.h"
#include "service/loyalty/guess.h"
#include "service/loyalty/loyalty.h"

struct souk_loyalty {
    souk_mem *mem;
    souk_spine *spine;
    souk_ledger *ledger;
    souk_hash_key key; /* of codes */
    souk_guess *guess;
    souk_effect_owners owners;
    souk_mutex mutex;
    souk_cond wake;
    bool stopping;
    souk_thread thread;
    uint64_t looked, missed; /* codes; atomic */
};

/* What a body told; each route takes some of its members. */
typedef struct loyalty_body {
    souk_call *call;
    souk_loyalty *loyalty;
    struct loyalty_customer {
        souk_text kind, value;
    } customer, by_customer;
    souk_person *person, *by_person; /* NULL: not told */
    bool has_customer, has_by;
    int64_t points, count, month_most, batch, redemption;
    souk_text reason, by, name, code, store, currency, receipt;
    souk_time until, expires;
    int64_t day;
    bool has_day, is_void;
    souk_earn_line *lines; /* [line_count] */
    size_t line_count;
    uint64_t seen;  /* a bit for each member of the route's list */
    int64_t family; /* of the path */
    /* of the answer */
    int64_t number;
    souk_loyalty_standing *standing;
    souk_coupon_found *found;
    souk_points_act act;
    souk_coupon_act coupon;
} loyalty_body;

/* Reads the call's body by members that are named here; in the call's arena. */
SOUK_CHECKED souk_err loyalty_read_body(souk_call *call, const char *const *names, size_t count,
                                        size_t needed, loyalty_body **ret_body);
#define LOYALTY_NAMES(list) list, sizeof list / sizeof *list

SOUK_CHECKED souk_err loyalty_path_person(souk_call *call, souk_person **ret_person);
/* Who asks where, now; the day of a store is UTC's where the body tells none. */
souk_loyalty_hand loyalty_hand_of(const loyalty_body *body);
/* SOUK_ENOMEM where the call's arena has failed, whatever that led to: texts in it are scratch. */
SOUK_CHECKED souk_err loyalty_whole(souk_call *call, souk_err err);
void loyalty_answer(souk_call *call, souk_err err, int status);
void loyalty_put_i64(souk_json_writer *out, const char *key, int64_t number);

/* The routes. */
void loyalty_get_account(souk_call *call);
void loyalty_get_entries(souk_call *call);
void loyalty_post_adjust(souk_call *call);
void loyalty_post_preview(souk_call *call);
void loyalty_get_totals(souk_call *call);
void loyalty_post_family(souk_call *call);
void loyalty_post_invite(souk_call *call);
void loyalty_post_accept(souk_call *call);
void loyalty_post_leave(souk_call *call);
void loyalty_get_family(souk_call *call);
void loyalty_get_programme(souk_call *call);
void loyalty_put_programme(souk_call *call);
void loyalty_delete_programme(souk_call *call);
void loyalty_get_classes(souk_call *call);
void loyalty_get_class(souk_call *call);
void loyalty_put_class(souk_call *call);
void loyalty_delete_class(souk_call *call);
void loyalty_post_codes(souk_call *call);
void loyalty_post_revoke(souk_call *call);
void loyalty_post_look(souk_call *call);
void loyalty_post_redeem(souk_call *call);
void loyalty_post_restore(souk_call *call);
souk_err loyalty_issue_file(souk_work *work);

SOUK_CHECKED souk_err loyalty_read_class(souk_call *call, souk_text name, souk_arena *arena,
                                         souk_coupon_class *ret_class, souk_diag *diag);

#endif
