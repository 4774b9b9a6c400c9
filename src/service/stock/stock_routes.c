/* stock_routes.c - the service that stock is: its table of routes, and what it counts: see stock.h. */
#include "service/stock/stock_inside.h"

/* ---- counters ------------------------------------------------------------------------------------------------ */

struct sums {
    int64_t held, coming, movements;
};

static souk_err sum_up(souk_tx *tx, void *context)
{
    struct sums *sums = context;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM stock_reservation WHERE state = 1",
                              SOUK_NO_VALUES, &sums->held));
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM stock_transfer WHERE state = 1",
                              SOUK_NO_VALUES, &sums->coming));
    return souk_sql_one_int(tx, "SELECT coalesce(max(id), 0) FROM stock_movement", SOUK_NO_VALUES,
                            &sums->movements);
}

static void put_counter(souk_buf *out, const char *name, const char *type, const char *help,
                        uint64_t value)
{
    souk_buf_print(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                   (unsigned long long)value);
}

static void count(void *state, souk_buf *out)
{
    souk_stock *stock = state;
    struct sums sums;
    souk_levels_counters levels;
    souk_levels_count(stock->levels, &levels);
    put_counter(out, "souk_stock_levels", "gauge", "Levels of stock in memory.", levels.levels);
    put_counter(out, "souk_stock_memory_bytes", "gauge", "Memory of those levels.",
                levels.memory_bytes);
    put_counter(out, "souk_stock_levels_unkept", "gauge",
                "Levels that have moved since their row was written.", levels.unkept);
    put_counter(out, "souk_stock_expired_total", "counter",
                "Reservations that were over before somebody came.",
                __atomic_load_n(&stock->expired, __ATOMIC_RELAXED));
    if (souk_ledger_read(stock->ledger, sum_up, &sums))
        return;
    put_counter(out, "souk_stock_movements_total", "counter", "Movements of stock.",
                (uint64_t)sums.movements);
    put_counter(out, "souk_stock_reservations_held", "gauge", "Reservations that are held.",
                (uint64_t)sums.held);
    put_counter(out, "souk_stock_transfers_open", "gauge", "Transfers that are on their way.",
                (uint64_t)sums.coming);
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static souk_err open_stock(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                           void **ret_state)
{
    souk_stock *stock;
    (void)merchants;
    SOUK_TRY(souk_stock_open(mem, souk_spine_ledger(spine), souk_spine_clock(spine),
                             &souk_spine_hashes(spine)->messages, NULL, &stock, NULL));
    souk_err err = souk_spine_is_threaded(spine) ? souk_stock_start(stock) : SOUK_OK;
    if (err)
        souk_stock_free(stock);
    else
        *ret_state = stock;
    return err;
}

static void close_stock(void *state)
{
    souk_stock_free(state);
}

static void own(void *state, souk_effect_owners *owners)
{
    owners->of[SOUK_EFFECT_STOCK] = souk_stock_owner(state);
}

static souk_err verify(void *state, souk_diag *diag)
{
    return souk_stock_verify(state, diag);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

#define LEVEL "on_hand: decimal, reserved: decimal 'of on_hand', free: decimal"
#define LINE                                                                                 \
    "{location: text 'without /', product: text, quantity: decimal, lot?: text? 'GS1 (10)'," \
    " expires?: text? 'of the lot, as 2026-12-31: GS1 (17)'}"

static const souk_shape_name shapes[] = {
    {"StockLine", LINE},
    {"StockLevel", "{location: text, product: text, " LEVEL "}"},
    {"StockMoved",
     "{reference: id 'of the movements', moved: [{location: text, product: text, kept: boolean "
     "'false: it is not kept in stock there, nothing moved', difference?: decimal 'that a count "
     "found', on_hand?: decimal, reserved?: decimal, free?: decimal}]}"},
    {"Reservation",
     "{id: text, state: held|fulfilled|released|expired, until: time, made: time, ended?: time, "
     "lines: [{location: text, product: text, quantity: decimal}]}"},
    {"Transfer",
     "{id: text, state: text 'on its way, or done', from?: text 'missing: a supplier', to: text, "
     "expected?: time, made: time, ended?: time, lines: [{product: text, lot?: text, sent: "
     "decimal, "
     "arrived: decimal, coming: decimal, lost: decimal, more: decimal 'than was sent'}]}"},
};

static const souk_route routes[] = {
    {"GET", "/v1/stock", SOUK_SCOPE_READ, stock_get_levels,
     .summary = "Levels of a location, or of a product",
     .words = "Either location or product is told.",
     .query =
         "location?: text, product?: text, limit?: integer(1..1000) 'of a page; 100', cursor?: "
         "text 'next_cursor of the last page'",
     .gives = "{levels: [StockLevel], next_cursor?: text 'there are more'}"},
    {"GET", "/v1/stock/promise", SOUK_SCOPE_READ, stock_get_promise,
     .summary = "What can be promised of a product, now or by a day",
     .words =
         "What is free at each location, and with `by` what is on its way there and expected by "
         "then. A location below zero takes nothing from others.",
     .query = "product: text, location?: text, by?: text 'as 2026-12-31, to its end', limit?: "
              "integer(1..1000) 'locations; 100'",
     .gives =
         "{product: text, by?: time, promise: decimal 'over all locations', locations: integer, "
         "at: [{location: text, " LEVEL ", coming: decimal, promise: decimal}]}"},
    {"POST", "/v1/stock/movements", SOUK_SCOPE_MANAGE, stock_post_movements, .slow = true,
     .summary = "Goods came or went", .needs_key = true,
     .words = "All lines or none. Sold and written_off are refused where less is free; with till "
              "what was sold was in somebody's hand, whatever the level says.",
     .takes =
         "{kind: received|sold|returned|written_off|voided, till?: boolean, reference?: id 'of "
         "the receipt', lines: [StockLine]}",
     .gives = "StockMoved", .gives_status = 201},
    {"POST", "/v1/stock/counts", SOUK_SCOPE_MANAGE, stock_post_counts, .slow = true,
     .summary = "Goods were counted", .needs_key = true,
     .words = "The difference is a movement. With `at` it was counted then: what moved since still "
              "counts.",
     .takes = "{at?: text? 'when it was counted; now', reference?: id, lines: [StockLine]}",
     .gives = "StockMoved", .gives_status = 201},
    {"POST", "/v1/stock/reservations", SOUK_SCOPE_MANAGE, stock_post_reservation, .slow = true,
     .summary = "Keep something back for a while", .needs_key = true,
     .takes =
         "{id?: text 'of 1 to 64 visible characters; the Idempotency-Key', until: time, lines: "
         "[{location: text, product: text, quantity: decimal}]}",
     .gives = "Reservation", .gives_status = 201},
    {"GET", "/v1/stock/reservations/{id}", SOUK_SCOPE_READ, stock_get_reservation,
     .summary = "A reservation", .gives = "Reservation"},
    {"DELETE", "/v1/stock/reservations/{id}", SOUK_SCOPE_MANAGE, stock_delete_reservation,
     .slow = true, .summary = "What it held is free again", .gives = "Reservation"},
    {"POST", "/v1/stock/reservations/{id}/fulfil", SOUK_SCOPE_MANAGE, stock_post_fulfil,
     .slow = true, .summary = "What it held was handed over",
     .words = "409 where its time is over or it has ended.", .gives = "Reservation"},
    {"POST", "/v1/stock/transfers", SOUK_SCOPE_MANAGE, stock_post_transfer, .slow = true,
     .summary = "Goods are on their way from one location to another", .needs_key = true,
     .words = "Without `from` a supplier sends them.",
     .takes = "{id?: text, from?: text?, to: text, expected?: text? 'a time, or a day', lines: "
              "[{product: text, quantity: decimal, lot?: text?, expires?: text?}]}",
     .gives = "Transfer", .gives_status = 201},
    {"GET", "/v1/stock/transfers/{id}", SOUK_SCOPE_READ, stock_get_transfer,
     .summary = "A transfer, and what of it is still to come", .gives = "Transfer"},
    {"POST", "/v1/stock/transfers/{id}/arrive", SOUK_SCOPE_MANAGE, stock_post_arrive, .slow = true,
     .summary = "Some of it has arrived", .needs_key = true,
     .words = "What is above what was sent, or missing when nothing more comes (last), is refused "
              "with words, so that somebody looks; with difference: book it is counted in, or "
              "written off.",
     .takes = "{lines?: [{product: text, quantity: decimal, lot?: text?, expires?: text?}], last?: "
              "boolean, difference?: ask|book}",
     .gives = "Transfer"},
    {"GET", "/v1/stock/{location}/{product}", SOUK_SCOPE_READ, stock_get_level,
     .summary = "A level, its lots and its movements, newest first",
     .query = "limit?: integer(1..1000) 'movements; 50', before?: integer 'next_before of the last "
              "page'",
     .gives =
         "{location: text, product: text, " LEVEL ", lots: [{lot: text, expires?: text, "
         "on_hand: decimal}], movements: [{id: integer, at: time, kind: text, on_hand: decimal "
         "'added', reserved: decimal 'added', lot?: text, reference: id}], next_before?: "
         "integer 'there are more'}"},
};

const souk_service souk_stock_service = {
    .name = "stock",
    .words = "Stock: what is where, what is kept back, and what is on its way",
    .shapes = shapes,
    .shape_count = sizeof shapes / sizeof *shapes,
    .open = open_stock,
    .close = close_stock,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
    .count = count,
    .verify = verify,
    .own = own,
};
