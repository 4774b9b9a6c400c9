/* import_basket.c - see import_basket.h. */
#include "service/collect/import_basket.h"

enum { HELD_MOST = SOUK_IMPORT_ROW_EVENTS - 1 };

souk_err import_basket_begin(import_basket *basket, souk_import_sink *sink)
{
    basket->sink = sink;
    basket->orders.mem = basket->own.mem = sink->mem;
    basket->head.mem = basket->row_head.mem = basket->body.mem = basket->row_body.mem = sink->mem;
    basket->lines = souk_mem_array(sink->mem, SOUK_EVENT_LINES, sizeof *basket->lines);
    return basket->lines ? SOUK_OK : SOUK_ENOMEM;
}

void import_basket_done(import_basket *basket)
{
    import_ordinals_done(&basket->orders);
    souk_arena_done(&basket->own);
    souk_buf_done(&basket->head);
    souk_buf_done(&basket->row_head);
    souk_buf_done(&basket->body);
    souk_buf_done(&basket->row_body);
    if (basket->sink) {
        souk_mem_put(basket->sink->mem, basket->lines);
        souk_mem_put(basket->sink->mem, basket->held);
    }
}

/* ---- a row ------------------------------------------------------------------------------------------------ */

static void put_head(souk_buf *head, souk_text text)
{
    char bytes[4];
    souk_put_u32(bytes, (uint32_t)text.bytes);
    souk_buf_append(head, bytes, sizeof bytes);
    souk_buf_text(head, text);
}

static souk_err write_head(import_basket *basket, const import_order *order)
{
    souk_buf *head = &basket->row_head;
    souk_buf_clear(head);
    souk_buf_append(head, &order->at, sizeof order->at);
    souk_buf_append(head, order->currency, sizeof order->currency);
    souk_buf_byte(head, (char)order->flags);
    souk_buf_append(head, &order->total, sizeof order->total);
    put_head(head, order->key);
    put_head(head, order->type);
    put_head(head, order->store);
    for (size_t i = 0; i < order->id_count; i++)
        put_head(head, order->ids[i].value);
    return souk_buf_check(head);
}

static void write_field(souk_json_writer *json, const char *name, souk_text value)
{
    if (value.bytes == 0)
        return;
    souk_json_write_key(json, souk_text_of(name));
    souk_json_write_text(json, value);
}

static souk_err write_line(import_basket *basket, const import_line *line)
{
    souk_json_writer json = {.out = &basket->row_body};
    souk_buf_clear(&basket->row_body);
    souk_json_write_object(&json);
    write_field(&json, "product_id", line->line.product);
    if (!souk_text_equal(line->line.name, line->line.product))
        write_field(&json, "name", line->line.name);
    write_field(&json, "category", line->line.category);
    write_field(&json, "quantity", line->quantity);
    write_field(&json, "price", line->price);
    if (line->more)
        line->more(line->context, &json);
    souk_json_write_end(&json);
    return souk_json_write_check(&json);
}

/* Identifiers in the basket's own arena, for as long as the order is in hand. */
static souk_err identify(import_basket *basket, const import_order *order, souk_event *event,
                         souk_diag *fault)
{
    souk_import_sink *sink = basket->sink;
    souk_arena *room = sink->room;
    souk_err err = SOUK_OK;
    sink->room = &basket->own;
    for (size_t i = 0; i < order->id_count && !err; i++)
        err = import_identify(sink, event, order->ids[i].kind, order->ids[i].value,
                              order->ids[i].name, fault);
    sink->room = room;
    return err;
}

static souk_err open_event(import_basket *basket, const import_order *order, uint32_t ordinal,
                           souk_diag *fault)
{
    souk_event event = {.at = order->at,
                        .received = basket->sink->received,
                        .type = order->type,
                        .flags = order->flags};
    souk_json_writer *json = &basket->json;
    SOUK_TRY(identify(basket, order, &event, fault));
    event.store.at = souk_arena_copy(&basket->own, order->store.at, order->store.bytes);
    event.store.bytes = order->store.bytes;
    memcpy(event.currency, order->currency, sizeof event.currency);
    event.message = import_identity(basket->sink, order->key, ordinal);
    if (ordinal > 1)
        event.flags &= (uint8_t) ~(SOUK_EVENT_ORDER | SOUK_EVENT_CANCELLED);
    if (order->has_total && ordinal == 1)
        event.amount = order->total;
    souk_buf_clear(&basket->body);
    *json = (souk_json_writer){.out = &basket->body};
    souk_json_write_object(json);
    write_field(json, "type", SOUK_TEXT("track"));
    write_field(json, "event", order->type);
    import_write_who(json, &event);
    souk_json_put_object(json, "properties");
    write_field(json, order->id_name ? order->id_name : "order_id", order->id);
    write_field(json, "store_id", order->store);
    write_field(json, "currency", souk_text_of(order->currency));
    if (order->more)
        order->more(order->context, json);
    souk_json_put_array(json, "products");
    basket->event = event;
    SOUK_TRY(souk_buf_check(&basket->body));
    SOUK_TRY(souk_buf_check(&basket->head));
    if (basket->body.bytes > SOUK_IMPORT_BODY_BYTES)
        return souk_diag_say(fault, SOUK_EINVAL, "the row has more than %d bytes: shorten it",
                             SOUK_IMPORT_BODY_BYTES);
    basket->is_open = !basket->own.failed;
    return basket->own.failed ? SOUK_ENOMEM : SOUK_OK;
}

static void keep_line(import_basket *basket, const souk_line *line)
{
    souk_line *kept = &basket->lines[basket->event.line_count++];
    *kept = *line;
    souk_text *texts[] = {&kept->product, &kept->category, &kept->name};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i]->bytes)
            texts[i]->at = souk_arena_copy(&basket->own, texts[i]->at, texts[i]->bytes);
}

static bool has_room(const import_basket *basket)
{
    size_t bytes = basket->body.bytes + basket->row_body.bytes + 16;
    return basket->event.line_count < SOUK_EVENT_LINES && bytes <= SOUK_IMPORT_BODY_BYTES;
}

static souk_err add_line(import_basket *basket, const import_order *order, const import_line *line,
                         souk_diag *fault)
{
    if (!order->has_total &&
        souk_decimal_add(basket->event.amount, line->line.amount, &basket->event.amount))
        return souk_diag_say(fault, SOUK_EINVAL, "the sum of the order does not fit: check it");
    souk_json_write_raw(&basket->json, souk_buf_view(&basket->row_body));
    keep_line(basket, &line->line);
    SOUK_TRY(souk_buf_check(&basket->body));
    return basket->own.failed ? SOUK_ENOMEM : SOUK_OK;
}

/* ---- the event ---------------------------------------------------------------------------------------------- */

/* Everything it points to, from the basket's arena to the sink's. */
static souk_err move_to_room(import_basket *basket, souk_event *event)
{
    souk_import_sink *sink = basket->sink;
    for (size_t i = 0; i < event->id_count; i++)
        event->ids[i].value = import_keep(sink, event->ids[i].value);
    event->store = import_keep(sink, event->store);
    souk_line *lines = souk_arena_copy(sink->room, event->lines, event->line_count * sizeof *lines);
    if (sink->room->failed)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < event->line_count; i++) {
        souk_text *texts[] = {&lines[i].product, &lines[i].category, &lines[i].name};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            if (texts[k]->bytes)
                *texts[k] = import_keep(sink, *texts[k]);
    }
    event->lines = lines;
    return sink->room->failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err put_event(import_basket *basket, souk_event event, souk_text body, uint64_t through)
{
    SOUK_TRY(move_to_room(basket, &event));
    return souk_import_put_event(basket->sink, through, &event, body);
}

static souk_err close_event(import_basket *basket)
{
    basket->is_open = false;
    basket->event.lines = basket->lines;
    while (basket->json.depth)
        souk_json_write_end(&basket->json);
    return souk_json_write_check(&basket->json);
}

/* What is held and what is open, all of it stored together. */
static souk_err put_all(import_basket *basket)
{
    bool row_open = basket->sink->row_open;
    if (basket->is_open)
        SOUK_TRY(close_event(basket));
    else if (basket->held_count == 0)
        return SOUK_OK;
    basket->sink->row_open = true;
    for (size_t i = 0; i < basket->held_count; i++)
        SOUK_TRY(put_event(basket, basket->held[i].event, basket->held[i].body,
                           basket->held[i].through));
    basket->sink->row_open = row_open;
    basket->held_count = basket->waiting = 0;
    return put_event(basket, basket->event, souk_buf_view(&basket->body), basket->through);
}

/* The open event ends before its order does. */
static souk_err hold_event(import_basket *basket)
{
    souk_arena *own = &basket->own;
    if (basket->held_count == HELD_MOST) {
        SOUK_TRY(put_all(basket));
        souk_arena_clear(own);
        return SOUK_OK;
    }
    if (!basket->held &&
        !(basket->held = souk_mem_array(basket->sink->mem, HELD_MOST, sizeof *basket->held)))
        return SOUK_ENOMEM;
    SOUK_TRY(close_event(basket));
    struct import_held *held = &basket->held[basket->held_count++];
    held->event = basket->event;
    held->event.lines =
        souk_arena_copy(own, basket->lines, basket->event.line_count * sizeof *basket->lines);
    held->body =
        (souk_text){souk_arena_copy(own, basket->body.at, basket->body.bytes), basket->body.bytes};
    held->through = basket->through;
    return own->failed ? SOUK_ENOMEM : SOUK_OK;
}

/* ---- rows of an order -------------------------------------------------------------------------------------- */

static void drop_stretch(import_basket *basket)
{
    basket->sink->stayed_out += basket->waiting;
    basket->waiting = 0;
    basket->held_count = 0;
    basket->is_open = false;
    basket->is_bad = true;
}

static souk_err end_stretch(import_basket *basket)
{
    SOUK_TRY(put_all(basket));
    souk_arena_clear(&basket->own);
    if (basket->is_stretch && !basket->is_whole)
        import_ordinal_add(&basket->orders, basket->hash, basket->rows - 1);
    basket->is_stretch = false;
    return SOUK_OK;
}

/* The row in hand is of this order. */
static souk_err enter_row(import_basket *basket, souk_text key, bool is_whole)
{
    basket->entered = basket->sink->rows;
    if (basket->is_stretch && souk_text_equal(key, (souk_text){basket->key, basket->key_bytes})) {
        basket->orders.next_is_lost = false; /* it stood within this order */
        basket->rows++;
        return SOUK_OK;
    }
    uint64_t hash = import_order_hash(basket->sink, key);
    souk_assert(key.bytes && key.bytes <= sizeof basket->key);
    SOUK_TRY(end_stretch(basket));
    basket->first = 1;
    if (!is_whole)
        SOUK_TRY(import_ordinal_next(&basket->orders, hash, &basket->first));
    memcpy(basket->key, key.at, key.bytes);
    basket->key_bytes = key.bytes;
    basket->hash = hash;
    basket->is_stretch = true;
    basket->is_whole = is_whole;
    basket->rows = 1;
    basket->is_bad = basket->first == 0;
    return SOUK_OK;
}

souk_err import_basket_refuse(import_basket *basket, souk_text key, const char *noun,
                              souk_diag *fault)
{
    bool is_known = key.bytes && key.bytes <= IMPORT_ORDER_BYTES;
    if (!is_known) {
        import_add_words(fault, "; so the %ss before and behind it stay out until it is mended",
                         noun);
        import_ordinals_lose(&basket->orders);
        if (basket->is_stretch)
            drop_stretch(basket);
        return SOUK_OK;
    }
    import_add_words(fault, "; so its %s stays out whole until it is mended", noun);
    if (basket->entered != basket->sink->rows)
        SOUK_TRY(enter_row(basket, key, false));
    import_ordinal_lose(&basket->orders, basket->hash);
    drop_stretch(basket);
    return SOUK_OK;
}

souk_err import_basket_row(import_basket *basket, const import_order *order,
                           const import_line *line, souk_diag *fault)
{
    SOUK_TRY(enter_row(basket, order->key, order->is_whole));
    if (basket->is_bad) {
        basket->sink->stayed_out++;
        return SOUK_OK;
    }
    SOUK_TRY(write_head(basket, order));
    souk_buf_clear(&basket->row_body);
    if (line)
        SOUK_TRY(write_line(basket, line));
    if (basket->row_body.bytes > SOUK_IMPORT_BODY_BYTES)
        return souk_diag_say(fault, SOUK_EINVAL, "the row has more than %d bytes: shorten it",
                             SOUK_IMPORT_BODY_BYTES);
    bool same = line && basket->is_open && has_room(basket) &&
                souk_text_equal(souk_buf_view(&basket->head), souk_buf_view(&basket->row_head));
    if (!same) {
        if (basket->is_open)
            SOUK_TRY(hold_event(basket));
        souk_buf_clear(&basket->head);
        souk_buf_text(&basket->head, souk_buf_view(&basket->row_head));
        SOUK_TRY(open_event(basket, order, basket->first + basket->rows - 1, fault));
    }
    if (line)
        SOUK_TRY(add_line(basket, order, line, fault));
    basket->waiting++;
    basket->through = basket->sink->rows;
    return SOUK_OK;
}

souk_err import_basket_end(import_basket *basket)
{
    return end_stretch(basket);
}
