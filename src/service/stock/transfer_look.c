/* transfer_look.c - transfers as they are told, what is coming, and whether it adds up: see stock.h. */
#include "service/stock/stock_inside.h"

struct head {
    int64_t state, expected, at, ended;
    char origin[SOUK_STOCK_LOCATION_BYTES], destination[SOUK_STOCK_LOCATION_BYTES];
    size_t origin_bytes, destination_bytes;
};

static souk_err copy(souk_text text, char *to, size_t *ret_bytes)
{
    if (text.bytes > SOUK_STOCK_LOCATION_BYTES)
        return SOUK_ECORRUPT;
    if (text.bytes)
        memcpy(to, text.at, text.bytes);
    *ret_bytes = text.bytes;
    return SOUK_OK;
}

static souk_err read_head(souk_tx *tx, uint32_t merchant, souk_text id, struct head *ret_head)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT state, expected, at, ended, origin, destination "
                             "FROM stock_transfer WHERE merchant = ?1 AND id = ?2",
                             SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(id)), &rows));
    if (!souk_rows_next(&rows))
        return souk_rows_check(&rows) ? souk_rows_check(&rows) : SOUK_ENOENT;
    *ret_head = (struct head){.state = souk_rows_int(&rows, 0),
                              .expected = souk_rows_int(&rows, 1),
                              .at = souk_rows_int(&rows, 2),
                              .ended = souk_rows_int(&rows, 3)};
    SOUK_TRY(copy(souk_rows_text(&rows, 4), ret_head->origin, &ret_head->origin_bytes));
    return copy(souk_rows_text(&rows, 5), ret_head->destination, &ret_head->destination_bytes);
}

static void write_line(souk_rows *rows, souk_json_writer *out)
{
    souk_text lot = souk_rows_text(rows, 1);
    int64_t sent = souk_rows_int(rows, 2), arrived = souk_rows_int(rows, 3),
            lost = souk_rows_int(rows, 4), more = souk_rows_int(rows, 5);
    souk_json_write_object(out);
    souk_json_put_text(out, "product", souk_rows_text(rows, 0));
    if (lot.bytes)
        souk_json_put_text(out, "lot", lot);
    stock_put_decimal(out, "sent", (souk_decimal){sent});
    stock_put_decimal(out, "arrived", (souk_decimal){arrived});
    stock_put_decimal(out, "coming", (souk_decimal){sent - arrived - lost});
    stock_put_decimal(out, "lost", (souk_decimal){lost});
    stock_put_decimal(out, "more", (souk_decimal){more});
    souk_json_write_end(out);
}

souk_err transfer_write(souk_tx *tx, uint32_t merchant, souk_text id, souk_json_writer *out)
{
    struct head head;
    SOUK_TRY(read_head(tx, merchant, id, &head));
    souk_json_write_object(out);
    souk_json_put_text(out, "id", id);
    souk_json_put_words(out, "state", head.state == 1 ? "on its way" : "done");
    if (head.origin_bytes)
        souk_json_put_text(out, "from", (souk_text){head.origin, head.origin_bytes});
    souk_json_put_text(out, "to", (souk_text){head.destination, head.destination_bytes});
    if (head.expected != SOUK_TIME_LAST)
        souk_json_put_time(out, "expected", head.expected);
    souk_json_put_time(out, "made", head.at);
    if (head.ended)
        souk_json_put_time(out, "ended", head.ended);
    souk_json_put_array(out, "lines");
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT product, lot, sent, arrived, lost, more FROM "
                             "stock_transfer_line WHERE merchant = ?1 AND transfer = ?2 "
                             "ORDER BY line",
                             SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(id)), &rows));
    while (souk_rows_next(&rows))
        write_line(&rows, out);
    SOUK_TRY(souk_rows_check(&rows));
    souk_json_write_end(out);
    souk_json_write_end(out);
    return SOUK_OK;
}

souk_err transfers_coming(souk_tx *tx, uint32_t merchant, souk_text product, souk_time by,
                          souk_err (*each)(void *context, souk_text location,
                                           souk_decimal quantity),
                          void *context)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(
        souk_rows_begin(tx,
                        "SELECT t.destination, CAST(sum(l.sent - l.arrived - l.lost) AS BIGINT) "
                        "FROM stock_transfer_line l JOIN stock_transfer t "
                        "ON t.merchant = l.merchant AND t.id = l.transfer "
                        "WHERE l.merchant = ?1 AND l.product = ?2 AND l.arrived + l.lost < l.sent "
                        "AND t.expected <= ?3 GROUP BY t.destination ORDER BY t.destination",
                        SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(product), SOUK_INT(by)), &rows));
    while (souk_rows_next(&rows))
        SOUK_TRY(each(context, souk_rows_text(&rows, 0), (souk_decimal){souk_rows_int(&rows, 1)}));
    return souk_rows_check(&rows);
}

/* What was sent (SOUK_MOVE_SENT, 7) and has not arrived (SOUK_MOVE_ARRIVED, 8) is on its way. */
souk_err transfers_verify(souk_tx *tx, souk_diag *diag)
{
    int64_t differs;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT t.id FROM stock_transfer t JOIN stock_transfer_line l "
        "ON l.merchant = t.merchant AND l.transfer = t.id GROUP BY t.merchant, t.id, t.state "
        "HAVING (t.state = 2) <> (sum(l.sent) = sum(l.arrived + l.lost)) LIMIT 1",
        SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows))
        return souk_diag_say(diag, SOUK_ECORRUPT,
                             "transfer %.*s is not done, or is, and its lines say otherwise",
                             SOUK_TEXT_PRINT(souk_rows_text(&rows, 0)));
    SOUK_TRY(souk_rows_check(&rows));
    SOUK_TRY(souk_sql_one_int(
        tx,
        "SELECT CASE WHEN (SELECT coalesce(sum(on_hand), 0) FROM stock_movement "
        "  WHERE kind IN (7, 8)) + (SELECT coalesce(sum(l.sent - l.arrived - l.lost), 0) "
        "  FROM stock_transfer_line l JOIN stock_transfer t ON t.merchant = l.merchant "
        "  AND t.id = l.transfer WHERE t.origin <> '') = 0 THEN 0 ELSE 1 END",
        SOUK_NO_VALUES, &differs));
    return differs ? souk_diag_say(diag, SOUK_ECORRUPT,
                                   "what was sent is not what arrived and what is on its way")
                   : SOUK_OK;
}
