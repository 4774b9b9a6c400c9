/* family.h - several people with one pot of points, each of whom said yes.
 *
 *     SOUK_TRY(souk_family_found(tx, merchant, anns_atom, SOUK_TEXT("Miller"), now, &family));
 *     SOUK_TRY(souk_family_invite(tx, &by_ann, bobs_atom, now, diag));     Ann asks, with a limit for him
 *     SOUK_TRY(souk_family_accept(tx, &as_bob, now, diag));                       Bob agrees: now he is a member
 *     SOUK_TRY(souk_family_leave(tx, &as_bob, now, diag));
 *
 * Pot      the account SOUK_PURSE_FAMILY of points.h.  What a member earns from the yes on goes there; what was earned before
 *          stays that member's own.  Leaving takes nothing out, and a pot without members waits: it can only expire
 * Limit    what a member may burn of the pot in a calendar month of UTC; 0: whatever is there.  The founder has none.
 *          What a return gives back to the pot does not give the month's room back
 * One      a person is a member of one family of a merchant at a time
 * Erasure  members are atoms, numbers that lead to nobody once the person is erased
 * Threads  as the souk_tx */
#ifndef SOUK_SERVICE_LOYALTY_FAMILY_H
#define SOUK_SERVICE_LOYALTY_FAMILY_H

#include "base/time.h"
#include "store/ledger.h"

enum { SOUK_FAMILY_MEMBERS = 16, SOUK_FAMILY_NAME_BYTES = 100 };

typedef enum souk_member_state {
    SOUK_MEMBER_INVITED = 1,
    SOUK_MEMBER_IN = 2,
    SOUK_MEMBER_OUT = 3,
} souk_member_state;

typedef struct souk_family_member {
    uint32_t merchant;
    int64_t family, atom;
    souk_member_state state;
    int64_t month_most, month_burned; /* of the month of `at` */
} souk_family_member;

SOUK_CHECKED souk_err souk_family_migrate(souk_ledger *ledger, souk_diag *diag);

/* SOUK_ECONFLICT: she is a member of another. */
SOUK_CHECKED souk_err souk_family_found(souk_tx *tx, uint32_t merchant, int64_t atom,
                                        souk_text name, souk_time at, int64_t *ret_family,
                                        souk_diag *diag);
/* by: who asks; its month_most is the limit of who is asked.  Asked again, the limit is that of the last time.
 * SOUK_EDENIED: not by a member.  SOUK_ECONFLICT: she is one already, or SOUK_FAMILY_MEMBERS are in or asked. */
SOUK_CHECKED souk_err souk_family_invite(souk_tx *tx, const souk_family_member *by, int64_t atom,
                                         souk_time at, souk_diag *diag);
/* SOUK_ENOENT: nobody asked her.  SOUK_ECONFLICT: she is a member of another. */
SOUK_CHECKED souk_err souk_family_accept(souk_tx *tx, const souk_family_member *as, souk_time at,
                                         souk_diag *diag);
/* Also declines.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_family_leave(souk_tx *tx, const souk_family_member *as, souk_time at,
                                        souk_diag *diag);

/* The membership of a person: the first of her atoms that is in.  family 0: of none. */
SOUK_CHECKED souk_err souk_family_of(souk_tx *tx, uint32_t merchant, const uint32_t *atoms,
                                     size_t count, souk_family_member *ret_member);
/* Everybody in or asked, by atom. */
SOUK_CHECKED souk_err souk_family_list(souk_tx *tx, uint32_t merchant, int64_t family, souk_time at,
                                       souk_err (*each)(void *context,
                                                        const souk_family_member *member),
                                       void *context);

/* Counts what a member burns.  SOUK_ECONFLICT: above her limit, or she is no member. */
SOUK_CHECKED souk_err souk_family_draw(souk_tx *tx, int64_t family, int64_t atom, int64_t points,
                                       souk_time at, souk_diag *diag);
/* How much she may still burn this month: 0 where she is no member. */
SOUK_CHECKED souk_err souk_family_room(souk_tx *tx, int64_t family, int64_t atom, souk_time at,
                                       int64_t *ret_points);

#endif
