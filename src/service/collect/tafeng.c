/* tafeng.c - Ta-Feng's baskets, as the papers on the next basket pass them on: a row is a product of a basket.
 *
 *     user_id,basket_no,product_id
 *     1,1,0
 *
 * A basket (user, number) is an event "Order Completed" of the user, its products a line each, without prices.
 * The file has no dates and its ids are renumbered; so that the baskets of a shopper stay in order, the n-th is dated
 * n - 1 days after 2000-11-01, the month in which Ta-Feng's own data begins: the dates are made up, and so is every
 * distance between them. */
#include "service/collect/import_basket.h"
#include "service/collect/import_rows.h"

#include <stdio.h>

static const char *const columns[] = {"user_id", "basket_no", "product_id", NULL};
enum { USER, BASKET, PRODUCT };
enum { FIRST_DAY = 11262, BASKETS_MOST = 1000000 }; /* 2000-11-01 */

struct state {
    import_rows rows;
    import_basket basket;
};

/* "1/1": user and number. */
static souk_err read_key(const souk_text *fields, char key[IMPORT_ORDER_BYTES],
                         uint64_t *ret_number, souk_text *ret_key, souk_diag *diag)
{
    if (fields[USER].bytes == 0 || fields[USER].bytes > 50)
        return souk_diag_say(diag, SOUK_EINVAL, "user_id is empty or above 50 bytes");
    if (souk_text_to_u64(fields[BASKET], ret_number) || *ret_number == 0 ||
        *ret_number > BASKETS_MOST)
        return souk_diag_say(diag, SOUK_EINVAL, "basket_no is no number from 1 to %d",
                             BASKETS_MOST);
    int bytes = snprintf(key, IMPORT_ORDER_BYTES, "%.*s/%llu", SOUK_TEXT_PRINT(fields[USER]),
                         (unsigned long long)*ret_number);
    *ret_key = (souk_text){key, (size_t)bytes};
    return SOUK_OK;
}

static souk_err refuse(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    struct state *state = (struct state *)(void *)rows;
    char room[IMPORT_ORDER_BYTES];
    uint64_t number;
    souk_text key = SOUK_TEXT("");
    if (fields && read_key(fields, room, &number, &key, NULL))
        key = SOUK_TEXT("");
    return import_basket_refuse(&state->basket, key, "basket", fault);
}

static souk_err read_row(import_rows *rows, const souk_text *fields, souk_diag *diag)
{
    struct state *state = (struct state *)(void *)rows;
    char room[IMPORT_ORDER_BYTES];
    uint64_t number;
    souk_text key;
    SOUK_TRY(read_key(fields, room, &number, &key, diag));
    if (fields[PRODUCT].bytes == 0 || fields[PRODUCT].bytes > SOUK_EVENT_NAME_BYTES)
        return souk_diag_say(diag, SOUK_EINVAL, "product_id is empty or above %d bytes",
                             SOUK_EVENT_NAME_BYTES);
    import_order order = {.key = key,
                          .id = key,
                          .at = (FIRST_DAY + (souk_time)number - 1) * SOUK_DAY_MS,
                          .type = SOUK_TEXT("Order Completed"),
                          .flags = SOUK_EVENT_ORDER | SOUK_EVENT_SALE,
                          .ids = {{SOUK_ID_USER, fields[USER], "user_id"}},
                          .id_count = 1};
    import_line line = {.line = {.product = fields[PRODUCT], .quantity = {1000000}}};
    return import_basket_row(&state->basket, &order, &line, diag);
}

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    SOUK_TRY(import_basket_begin(&state->basket, sink));
    SOUK_TRY(import_rows_begin(&state->rows, sink, "tafeng", columns, read_row));
    state->rows.refuse = refuse;
    return SOUK_OK;
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    SOUK_TRY(import_rows_feed(&state->rows, piece, last, diag));
    return last ? import_basket_end(&state->basket) : SOUK_OK;
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_basket_done(&state->basket);
    import_rows_done(&state->rows);
}

const souk_import_format souk_import_tafeng = {
    .name = "tafeng",
    .summary = "Ta-Feng: a row is a product of a basket; its dates are made up",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
};
