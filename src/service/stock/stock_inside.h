/* stock_inside.h - what the files of stock share; private to service/stock. */
#ifndef SOUK_SERVICE_STOCK_STOCK_INSIDE_H
#define SOUK_SERVICE_STOCK_STOCK_INSIDE_H

#include "os/clock.h"
#include "os/thread.h"
#include "service/stock/stock.h"

struct souk_stock {
    souk_mem *mem;
    souk_ledger *ledger;
    const souk_clock *clock;
    souk_hash_key key;
    souk_levels *levels;
    souk_effect_owners owners; /* itself alone, for its own routes */
    souk_mutex upkeep;         /* of who keeps or verifies: one at a time */
    uint64_t expired;          /* reservations, since open; atomic */
    /* the keeper's thread */
    souk_thread thread;
    souk_mutex mutex;
    souk_cond wake;
    bool stopping;
};

/* ---- movements of one transaction ------------------------------------------------------------------- */

typedef struct stock_move {
    souk_text key;
    uint32_t number;
    souk_movement movement;
    souk_stock_deed *deed; /* NULL: of a reservation or transfer */
    souk_decimal asked;
} stock_move;

/* What a plan moves, gathered before any of it moves, since levels are locked in the order of their keys. */
typedef struct stock_moves {
    souk_stock *stock;
    souk_tx *tx;
    souk_diag *diag;
    uint32_t merchant;
    souk_time at;
    souk_arena arena; /* of this run of the closure */
    stock_move *list;
    size_t count, capacity;
} stock_moves;

/* Copies its texts.  A failure stays with the arena. */
void stock_moves_add(stock_moves *moves, const souk_movement *movement, souk_stock_deed *deed);
/* In the order of keys, then of addition. */
SOUK_CHECKED souk_err stock_moves_run(stock_moves *moves);

/* A movement for a line of a reservation or transfer, with `on_hand` and `reserved` times its quantity. */
void stock_moves_line(stock_moves *moves, const souk_stock_line *line, souk_move_kind kind,
                      int on_hand, int reserved, souk_hash128 reference);

/* SOUK_EINVAL with words. */
SOUK_CHECKED souk_err stock_check_id(souk_text id, const char *noun, souk_diag *diag);
SOUK_CHECKED souk_err stock_check_line(const souk_stock_line *line, bool has_location,
                                       souk_diag *diag);
/* By which movements refer to it. */
souk_hash128 stock_reference(const souk_stock *stock, const char *noun, uint32_t merchant,
                             souk_text id);

/* ---- reservations: reservation.c --------------------------------------------------------------------- */

SOUK_CHECKED souk_err reservations_migrate(souk_ledger *ledger, souk_diag *diag);
SOUK_CHECKED souk_err reservation_apply(stock_moves *moves, souk_text id,
                                        const souk_stock_reservation *what);
/* In a transaction; {"id":…,"state":"held",…}.  SOUK_ENOENT. */
SOUK_CHECKED souk_err reservation_write(souk_tx *tx, uint32_t merchant, souk_text id,
                                        souk_json_writer *out);
/* What reservations hold is what their levels say is reserved. */
SOUK_CHECKED souk_err reservations_verify(souk_tx *tx, souk_diag *diag);

/* ---- transfers: transfer.c ---------------------------------------------------------------------------- */

SOUK_CHECKED souk_err transfers_migrate(souk_ledger *ledger, souk_diag *diag);
SOUK_CHECKED souk_err transfer_apply(stock_moves *moves, souk_text id,
                                     const souk_stock_transfer *what);
SOUK_CHECKED souk_err transfer_write(souk_tx *tx, uint32_t merchant, souk_text id,
                                     souk_json_writer *out);
SOUK_CHECKED souk_err transfers_verify(souk_tx *tx, souk_diag *diag);
/* What of a product is on its way to each location and expected by then, in the order of locations. */
SOUK_CHECKED souk_err transfers_coming(
    souk_tx *tx, uint32_t merchant, souk_text product, souk_time by,
    souk_err (*each)(void *context, souk_text location, souk_decimal quantity), void *context);

/* ---- routes ------------------------------------------------------------------------------------------------ */

/* stock_ask.c: POST and DELETE.  stock_look.c: GET. */
void stock_post_movements(souk_call *call);
void stock_post_counts(souk_call *call);
void stock_post_reservation(souk_call *call);
void stock_delete_reservation(souk_call *call);
void stock_post_fulfil(souk_call *call);
void stock_post_transfer(souk_call *call);
void stock_post_arrive(souk_call *call);
void stock_get_levels(souk_call *call);
void stock_get_level(souk_call *call);
void stock_get_promise(souk_call *call);
void stock_get_reservation(souk_call *call);
void stock_get_transfer(souk_call *call);
void stock_put_decimal(souk_json_writer *out, const char *key, souk_decimal decimal);
/* Members on_hand, reserved and free. */
void stock_put_level(souk_json_writer *out, const souk_stock_level *level);

#endif
