/* pricing_inside.h - the desk on which a basket is priced; for pricing*.c only.
 *
 *     pricing.c         checks, alternatives (exclusive offers), the answer
 *     pricing_items.c   lines -> items, each with one run
 *     pricing_find.c    the book -> candidates: offers that are in force here and whose scope is in the basket; hints
 *     pricing_weigh.c   what one offer would take now: a claim and its parts; changes nothing
 *     pricing_hold.c    claims hold: runs are cut, histories grow; groups; the two stages
 *     pricing_tell.c    runs -> adjustments of each line
 *
 * A run keeps its history as a chain of entries, newest first.  Its units bear equal parts at every moment, dearest
 * first: of `left` over `count` units the first left % count cost one minor unit more.  What the first k units bear
 * of each entry follows from that, so cutting a run and sharing it among lines are exact. */
#ifndef SOUK_ALGO_PRICING_INSIDE_H
#define SOUK_ALGO_PRICING_INSIDE_H

#include "algo/offer_inside.h"
#include "algo/pricing.h"
#include "algo/ratio.h"
#include "algo/share.h"

#define NONE UINT32_MAX

enum { ITEM_BITS = 64 };

typedef struct item {
    const uint32_t *tags;
    uint64_t bits; /* of product and tags, as in scope_mark */
    int64_t base;
    int64_t after;          /* left after line offers */
    int64_t quantity_micro; /* over all its lines */
    uint32_t product, tag_count;
    uint32_t units;                  /* pieces; of a weighed line 1 */
    uint32_t first_run;              /* the newest of its first units */
    uint32_t first_line, line_count; /* in desk->order */
    bool weighed;
} item;

typedef struct run {
    int64_t left;
    uint32_t count, item;
    uint32_t next;    /* the run of the units behind, or NONE */
    uint32_t history; /* newest entry, or NONE */
    uint32_t contest; /* number of the contest in which one of the group got it; 0: none */
    uint32_t winner;  /* offer that takes most of it, where offers are judged on each run */
    bool in_set;
} run;

typedef struct entry {
    int64_t amount; /* taken off, above 0 */
    uint32_t held;  /* index of the offer in desk->held */
    uint32_t older; /* or NONE */
} entry;

/* The first, or the last, `count` units of a run and what a claim takes off them. */
typedef struct part {
    int64_t off;
    uint32_t run, count;
    bool last;
} part;

/* A run that may give units to sets. */
typedef struct pick {
    uint32_t run, count; /* its units */
    uint32_t taken;      /* by sets so far, from the front */
    uint32_t need;       /* by the set that is being filled */
    unsigned scopes;     /* a bit for each scope of the offer that it is in */
} pick;

typedef struct claim {
    uint32_t offer, times, coupons;
    int64_t amount; /* 0: it does not hold */
} claim;

struct souk_pricing {
    souk_mem *mem;
    souk_pricing_limits limits;
    const souk_book *book;
    const souk_basket *basket;

    item *items;     /* [lines] first the open ones, in canonical order, then those of no_offers */
    uint32_t *order; /* [lines] lines by item */
    uint32_t *order_room;
    size_t item_count, open_count;
    int64_t closed_minor; /* of lines that take no offers */

    run *runs;      /* [adjustments + lines] */
    entry *entries; /* [adjustments] */
    size_t run_count, run_room, entry_count;
    uint32_t contest;
    bool full; /* sticky: a limit was met */

    part *parts; /* [run_room], with these: */
    pick *picks, *picks_room;
    int64_t *weights;
    souk_share_seat *seats;
    size_t part_count, pick_count;

    uint64_t *
        first; /* [offers] a bit for each open item in the offer's first scope, up to ITEM_BITS items */
    uint64_t *found, *done; /* a bit for each offer of the book */
    uint32_t *candidates;   /* [offers] in the order of the book */
    uint32_t *members;      /* [offers] of the group whose turn it is */
    uint32_t *coupon_at;    /* [offers] where its class stands in basket->coupons */
    uint32_t *coupons_left; /* [lines] */
    size_t candidate_count;

    souk_offer_held *held; /* [offers] */
    souk_offer_kind *held_kinds;
    int64_t *sums, *quantities; /* [offers] of one line, while it is told */
    souk_priced_line *lines;
    souk_adjustment *adjustments; /* [adjustments] */
    souk_priced priced;
};

/* What the first k units of a run that has `left` cost. */
static inline int64_t first_units(int64_t left, uint32_t count, uint32_t k)
{
    if (k == count)
        return left;
    int64_t each = left / count, more = left % count;
    return each * k + (k < more ? k : more);
}

static inline int64_t part_cost(const run *of, uint32_t count, bool last)
{
    return last ? of->left - first_units(of->left, of->count, of->count - count)
                : first_units(of->left, of->count, count);
}

static inline const souk_offer *offer_at(const souk_pricing *desk, uint32_t offer)
{
    return &desk->book->offers[offer];
}

static inline bool is_line_kind(souk_offer_kind kind)
{
    return kind < SOUK_OFFER_BASKET_AMOUNT;
}
static inline bool is_unit_kind(souk_offer_kind kind)
{
    return kind < SOUK_OFFER_N_FOR_M;
}
static inline bool is_set_kind(souk_offer_kind kind)
{
    return kind >= SOUK_OFFER_N_FOR_M && kind <= SOUK_OFFER_BUNDLE_PERCENT;
}

SOUK_CHECKED souk_err pricing_items(souk_pricing *desk, souk_diag *diag);
/* Each open item is one run again. */
void pricing_start(souk_pricing *desk);

/* By name: any scope, any item. */
bool pricing_matches(const souk_pricing *desk, uint32_t offer, size_t scope, const item *at);

/* The next item from `from` on in the first scope of a candidate, or open_count. */
static inline size_t next_item(const souk_pricing *desk, uint32_t offer, size_t from)
{
    if (desk->open_count <= ITEM_BITS) {
        uint64_t bits = from < desk->open_count ? desk->first[offer] >> from : 0;
        return bits ? from + (size_t)__builtin_ctzll(bits) : desk->open_count;
    }
    while (from < desk->open_count && !pricing_matches(desk, offer, 0, &desk->items[from]))
        from++;
    return from;
}
void pricing_find(souk_pricing *desk);
/* Those of basket offers, once line offers are through. */
void pricing_hint_basket(souk_pricing *desk);

/* What the offer would take off now, of runs that are free in this contest; of those only where it is the winner if
 * `won`.  The parts lie in the desk. */
claim pricing_weigh(souk_pricing *desk, uint32_t offer, bool won);
/* What a UNIT_ kind takes off the first `count` units of a run. */
int64_t pricing_weigh_units(const souk_pricing *desk, const souk_offer *offer, const run *of,
                            uint32_t count);
bool pricing_has_coupon(const souk_pricing *desk, uint32_t offer);

/* Prices the basket with the ordinary offers, or with `only` alone; what is left of open items. */
int64_t pricing_hold(souk_pricing *desk, uint32_t only);

SOUK_CHECKED souk_err pricing_tell(souk_pricing *desk, souk_diag *diag);

#endif
