/* levels.h - how much of a product is at a location and how much of that is kept back: sums of movements.
 *
 *     souk_auto(souk_levels) levels = NULL;
 *     SOUK_TRY(souk_levels_open(mem, ledger, hashes, &levels, diag));
 *
 *     souk_movement sale = {.place = {merchant, SOUK_TEXT("SH-014"), SOUK_TEXT("6901234567892")},
 *                           .kind = SOUK_MOVE_SALE, .on_hand = {-2000000}, .at = now, .reference = receipt};
 *     SOUK_TRY(souk_levels_move(levels, tx, &sale, &after));        in a transaction: refused below zero
 *
 *     SOUK_TRY(souk_levels_read(levels, &place, &level));           what is committed
 *
 * Level    on_hand: what lies there; reserved: of that, what is promised to somebody; free: on_hand - reserved.
 *          A movement that lowers `free` is refused where less is left, unless it is `beyond`: a till has the goods in
 *          its hand, so what it sells was there, whatever the count said; the level below zero asks for a count
 * Truth    the movements.  A level is their sum, and souk_levels_verify compares
 * Lots     where movements name lots, what is left of each is known besides, up to the level; the rest has no lot told.
 *          Who takes without naming one takes from the lot that expires first, and each lot has a movement of its own
 * Memory   where the ledger has one writer (SQLite) the levels are kept in memory and a movement costs its own row
 *          alone; rows of levels are written later, by souk_levels_keep, and a restart adds up what moved since:
 *
 *              movement 1 … 900 | 901 … 1000        mark = 900: the rows of levels hold all up to here, and some
 *                               ^ mark              more; each row says up to which movement (`through`)
 *
 *          Where it has several (PostgreSQL) the row of a level is changed by each movement, under its predicate
 * Cost     move: one look-up and one insertion; with rows one update besides; with lots two statements a lot, and
 *          nothing where there are none.  100 bytes of memory for each level
 * Threads  move in closures; keep and verify from one thread; read from any */
#ifndef SOUK_SERVICE_STOCK_LEVELS_H
#define SOUK_SERVICE_STOCK_LEVELS_H

#include "base/decimal.h"
#include "base/hash.h"
#include "base/time.h"
#include "store/ledger.h"

enum {
    SOUK_STOCK_LOCATION_BYTES = 64,
    SOUK_STOCK_PRODUCT_BYTES = 100,
    SOUK_STOCK_LOT_BYTES = 20, /* GS1 AI (10) */
};
/* Of one movement, each way: a billion pieces. */
#define SOUK_STOCK_MOST_MICRO INT64_C(1000000000000000)

typedef struct souk_stock_place {
    uint32_t merchant;
    souk_text location, product; /* codes */
} souk_stock_place;

typedef struct souk_stock_level {
    int64_t id;
    souk_decimal on_hand, reserved;
    bool has_lots; /* some movement named a lot */
} souk_stock_level;

/*    name         word            stored for ever */
#define SOUK_MOVES(X)                                                         \
    X(RECEIVED, 1, "received") /* from a supplier */                          \
    X(SALE, 2, "sold")                                                        \
    X(RETURN, 3, "returned")          /* by a shopper, fit to be sold */      \
    X(RESERVE, 4, "reserved")         /* kept back */                         \
    X(RELEASE, 5, "released")         /* no longer kept back */               \
    X(FULFIL, 6, "fulfilled")         /* what was kept back leaves */         \
    X(SENT, 7, "sent")                /* to another location */               \
    X(ARRIVED, 8, "arrived")          /* from another location */             \
    X(COUNTED, 9, "counted")          /* the difference that a count found */ \
    X(WRITTEN_OFF, 10, "written_off") /* broken, expired, stolen */           \
    X(VOIDED, 11, "voided")           /* a sale that was none after all */
typedef enum souk_move_kind {
#define SOUK_MOVE_ENUM(name, number, word) SOUK_MOVE_##name = number,
    SOUK_MOVES(SOUK_MOVE_ENUM)
#undef SOUK_MOVE_ENUM
} souk_move_kind;
/* "sold"; NULL: no such kind. */
const char *souk_move_word(int64_t kind);

typedef struct souk_movement {
    souk_stock_place place;
    souk_move_kind kind;
    souk_decimal on_hand, reserved; /* what is added, signed */
    souk_text lot;                  /* "": not known */
    souk_time expires;              /* of that lot; 0: not known */
    souk_time at;
    souk_hash128 reference; /* of the receipt, reservation, transfer or count */
    bool opens;             /* a level that is not there yet begins at zero */
    bool beyond;            /* see above */
} souk_movement;

typedef struct souk_levels souk_levels;

/* Makes the tables.  hashes_key: the deployment's, for places in memory. */
SOUK_CHECKED souk_err souk_levels_open(souk_mem *mem, souk_ledger *ledger,
                                       const souk_hash_key *hashes_key, souk_levels **ret_levels,
                                       souk_diag *diag);
/* After its last movement, before the ledger is freed. */
void souk_levels_free(souk_levels *levels);
SOUK_AUTO(souk_levels)

/* In a transaction; *ret_after as it is within it.
 * SOUK_ENOENT: no level is kept there, and the movement opens none.  SOUK_ECONFLICT: less is free than is asked for;
 * *ret_after tells what there is, of the lot: souk_levels_lot.  SOUK_EEXIST: the lot expires on another day.  SOUK_EINVAL: a code that is empty or too long, or more than SOUK_STOCK_MOST_MICRO.
 * SOUK_EOVERFLOW. */
SOUK_CHECKED souk_err souk_levels_move(souk_levels *levels, souk_tx *tx,
                                       const souk_movement *movement, souk_stock_level *ret_after);
/* What was counted (count->on_hand), of a level or of the lot named, as of counted_at: what moved since then still
 * counts.  The movement that is made of it is the difference, *ret_difference.  Errors as above, but for SOUK_ECONFLICT.
 * SOUK_ETOOBIG: too many moved since. */
SOUK_CHECKED souk_err souk_levels_counted(souk_levels *levels, souk_tx *tx,
                                          const souk_movement *count, souk_time counted_at,
                                          souk_decimal *ret_difference,
                                          souk_stock_level *ret_after);
/* In a transaction: what is left of the lot; 0 where nobody has heard of it. */
SOUK_CHECKED souk_err souk_levels_lot(souk_tx *tx, int64_t level, souk_text lot,
                                      souk_decimal *ret_on_hand);
/* As it is committed.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_levels_read(souk_levels *levels, const souk_stock_place *place,
                                       souk_stock_level *ret_level);

typedef souk_err souk_level_each(void *context, const souk_stock_place *place,
                                 const souk_stock_level *level);
/* Of one product at every location (product told), or of one location (location told), in byte order behind `after`, at
 * most `most`; texts live during the call. */
SOUK_CHECKED souk_err souk_levels_list(souk_levels *levels, const souk_stock_place *filter,
                                       souk_text after, unsigned most, souk_level_each *each,
                                       void *context);

typedef struct souk_moved {
    int64_t id;
    souk_time at;
    int64_t kind;
    souk_text lot;
    souk_decimal on_hand, reserved;
    souk_hash128 reference;
} souk_moved;
/* The movements of a level, newest first, below before_id (INT64_MAX: all), at most `most`.  SOUK_EINVAL: before_id is
 * none of them.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_levels_moved(souk_levels *levels, const souk_stock_place *place,
                                        int64_t before_id, unsigned most,
                                        souk_err (*each)(void *context, const souk_moved *moved),
                                        void *context);

/* The lots of a level of which something is left, in the order in which they expire (expires 0: not known). */
SOUK_CHECKED souk_err souk_levels_lots(souk_levels *levels, int64_t level, unsigned most,
                                       souk_err (*each)(void *context, souk_text lot,
                                                        souk_time expires, souk_decimal on_hand),
                                       void *context);

/* Writes rows of levels that have moved, at most `most`; *ret_more: there are others.  A job's. */
SOUK_CHECKED souk_err souk_levels_keep(souk_levels *levels, unsigned most, bool *ret_more);
/* Adds up every movement.  SOUK_ECORRUPT with the first level or lot that is not their sum, or the first level that is
 * below its lots. */
SOUK_CHECKED souk_err souk_levels_verify(souk_levels *levels, souk_diag *diag);

typedef struct souk_levels_counters {
    uint64_t levels, unkept; /* unkept: rows that keep has still to write; both 0 without memory */
    uint64_t memory_bytes;
} souk_levels_counters;
void souk_levels_count(souk_levels *levels, souk_levels_counters *ret_counters);

#endif
