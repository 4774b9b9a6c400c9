/* poslog_event.c - a till's transaction as events: its name, its time, its figures with their signs.
 *
 * The natural key of a transaction is its store, its workstation, its business day and its number there; it is the
 * receipt's id and the event's messageId, so that a file which is sent again adds nothing. */
#include "base/epc.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/time.h"
#include "service/collect/poslog_inside.h"

#include <stdio.h>

enum {
    PART_LINES = 200,   /* of an event, SOUK_EVENT_LINES */
    PART_BYTES = 24576, /* of its products: an event has at most 32 KiB */
    VOIDED_LINES = 20,
    KEY_BYTES = 96, /* a messageId has at most 100 bytes, and "/123" may follow */
};

/* What a figure's sign becomes. */
enum sign { AS_TOLD, NEGATIVE, POSITIVE };

struct telling {
    const struct poslog_sale *sale;
    const souk_poslog_options *options;
    souk_arena *arena;
    souk_diag *fault;
    souk_buf *out;
    souk_json_writer json;
    souk_text key, store;
    const char *event;
    char at[SOUK_TIME_BYTES];
    bool has_zone;
    souk_text local_time;
    size_t next_line, part, told;
    /* Told before what is in `out`: nothing is handed over until the whole transaction could be told. */
    struct told_event {
        souk_text text;
        struct told_event *next;
    } * first, *last;
};

/* ---- figures --------------------------------------------------------------------------------------- */

souk_err poslog_decimal(souk_arena *arena, souk_text *text, souk_decimal *ret_value)
{
    souk_text rest = souk_text_trim(*text);
    bool minus = rest.bytes && rest.at[0] == '-';
    if (minus || (rest.bytes && rest.at[0] == '+'))
        rest = (souk_text){rest.at + 1, rest.bytes - 1};
    while (rest.bytes > 1 && rest.at[0] == '0' && rest.at[1] != '.')
        rest = (souk_text){rest.at + 1, rest.bytes - 1};
    if (rest.bytes > 1 && rest.at[rest.bytes - 1] == '.')
        rest.bytes--;
    bool bare = rest.bytes > 1 && rest.at[0] == '.';
    char *to = souk_arena_get(arena, rest.bytes + 2);
    if (arena->failed)
        return SOUK_ENOMEM;
    size_t bytes = 0;
    if (minus)
        to[bytes++] = '-';
    if (bare)
        to[bytes++] = '0';
    memcpy(to + bytes, rest.at, rest.bytes);
    *text = (souk_text){to, bytes + rest.bytes};
    for (size_t i = 0; i < text->bytes; i++)
        if (text->at[i] == 'e' || text->at[i] == 'E')
            return SOUK_EINVAL;
    return souk_decimal_read(*text, ret_value, NULL) ? SOUK_EINVAL : SOUK_OK;
}

/* The digits as they were told, with the sign that they shall have; empty stays empty. */
static souk_err figure(struct telling *my, const char *name, souk_text number, souk_text *text,
                       enum sign sign)
{
    souk_decimal value;
    if (text->bytes == 0)
        return SOUK_OK;
    souk_text told = *text;
    souk_err err = poslog_decimal(my->arena, text, &value);
    if (err == SOUK_EINVAL)
        return souk_diag_say(my->fault, err, "%s%.*s%s%s '%.*s' is no number: send it as 12.34",
                             number.bytes ? "line " : "", SOUK_TEXT_PRINT(number),
                             number.bytes ? ": " : "", name, (int)souk_min_size(told.bytes, 40),
                             told.at);
    SOUK_TRY(err);
    bool minus = text->at[0] == '-';
    if (minus && (sign == POSITIVE || value.micro == 0)) {
        *text = (souk_text){text->at + 1, text->bytes - 1};
    } else if (!minus && sign == NEGATIVE && value.micro != 0) {
        char *to = souk_arena_get(my->arena, text->bytes + 1);
        if (my->arena->failed)
            return SOUK_ENOMEM;
        to[0] = '-';
        memcpy(to + 1, text->at, text->bytes);
        *text = (souk_text){to, text->bytes + 1};
    }
    return SOUK_OK;
}

/* ---- names and times --------------------------------------------------------------------------------- */

static souk_err missing(struct telling *my, const char *name)
{
    return souk_diag_say(my->fault, SOUK_EINVAL,
                         "the transaction has no %s: without it no receipt is told from another",
                         name);
}

/* "0042/3/2026-01-02/17"; one that is too long for a messageId is named by its hash. */
static souk_text natural_key(souk_arena *arena, souk_text store, souk_text workstation,
                             souk_text day, souk_text sequence)
{
    static const souk_hash_key open_key = {{0}};
    size_t most = store.bytes + workstation.bytes + day.bytes + sequence.bytes + 4;
    char *to = souk_arena_get(arena, souk_max_size(most, 40));
    if (arena->failed)
        return (souk_text){"", 0};
    int bytes =
        snprintf(to, most, "%.*s/%.*s/%.*s/%.*s", SOUK_TEXT_PRINT(store),
                 SOUK_TEXT_PRINT(workstation), SOUK_TEXT_PRINT(day), SOUK_TEXT_PRINT(sequence));
    if ((size_t)bytes <= KEY_BYTES)
        return (souk_text){to, (size_t)bytes};
    souk_text parts[] = {store, workstation, day, sequence};
    souk_hash128 hash = souk_hash128_of(&open_key, parts, 4);
    memcpy(to, "poslog/", 7);
    souk_hex(&hash, sizeof hash, to + 7);
    return (souk_text){to, 7 + 2 * sizeof hash};
}

static souk_text day_of(souk_text time)
{
    return (souk_text){time.at, souk_min_size(time.bytes, 10)};
}

static souk_text first(souk_text a, souk_text b)
{
    return a.bytes ? a : b;
}

static souk_err find_key(struct telling *my)
{
    const struct poslog_sale *sale = my->sale;
    souk_text time = first(first(sale->end, sale->begin), sale->receipt_time);
    souk_text day = first(sale->day, day_of(time));
    my->store = first(sale->store, sale->unit);
    if (my->store.bytes == 0)
        return missing(my, "RetailStoreID or BusinessUnit/UnitID");
    if (sale->sequence.bytes == 0)
        return missing(my, "SequenceNumber");
    if (day.bytes == 0)
        return missing(my, "BusinessDayDate");
    my->key = natural_key(my->arena, my->store, first(sale->workstation, sale->till), day_of(day),
                          sale->sequence);
    return SOUK_OK;
}

/* "…T10:00:00+01:00", or Z; a date has dashes before its T. */
static bool has_zone(souk_text time)
{
    const char *clock = time.bytes > 11 ? time.at + 11 : NULL;
    size_t bytes = clock ? time.bytes - 11 : 0;
    for (size_t i = 0; i < bytes; i++)
        if (strchr("Zz+-", clock[i]))
            return true;
    return false;
}

static souk_err find_time(struct telling *my)
{
    const struct poslog_sale *sale = my->sale;
    souk_time at;
    souk_text time =
        first(first(first(sale->end, sale->receipt_time), sale->begin), day_of(sale->day));
    if (souk_time_read(time, NULL, &at))
        return souk_diag_say(my->fault, SOUK_EINVAL,
                             "the time '%.*s' of the transaction is none: send it as "
                             "2026-01-02T10:00:00+01:00",
                             (int)souk_min_size(time.bytes, 40), time.at);
    souk_time_write(at, my->at);
    if (!has_zone(time))
        my->local_time = time;
    return SOUK_OK;
}

/* ---- writing -------------------------------------------------------------------------------------------- */

static void put(struct telling *my, const char *key, souk_text text)
{
    if (text.bytes == 0)
        return;
    souk_json_write_key(&my->json, souk_text_of(key));
    souk_json_write_text(&my->json, text);
}

static void put_external(struct telling *my, const char *type, souk_text id)
{
    if (id.bytes == 0)
        return;
    souk_json_write_object(&my->json);
    put(my, "type", souk_text_of(type));
    put(my, "id", id);
    souk_json_write_end(&my->json);
}

static void put_context(struct telling *my)
{
    const struct poslog_sale *sale = my->sale;
    souk_json_writer *json = &my->json;
    souk_json_put_object(json, "context");
    if (sale->card_count || sale->email.bytes || sale->phone.bytes) {
        souk_json_put_array(json, "externalIds");
        for (size_t i = 0; i < sale->card_count; i++)
            put_external(my, "card", sale->cards[i]);
        put_external(my, "phone", sale->phone);
        put_external(my, "email", sale->email);
        souk_json_write_end(json);
    }
    souk_json_put_object(json, "library");
    put(my, "name", SOUK_TEXT("poslog"));
    souk_json_write_end(json);
    souk_json_write_end(json);
}

/* One of 8, 12, 13 or 14 digits with the right last one. */
static bool is_gtin(souk_text code)
{
    return (code.bytes == 8 || (code.bytes >= 12 && code.bytes <= 14)) &&
           souk_gs1_check_digit((souk_text){code.at, code.bytes - 1}) == code.at[code.bytes - 1];
}

static void put_serial(struct telling *my, const struct poslog_line *line)
{
    souk_epc epc;
    char text[SOUK_EPC_BYTES];
    if (line->serial.bytes == 0)
        return;
    if (souk_epc_read(line->serial, &epc, NULL)) {
        put(my, souk_text_equal(line->serial_type, SOUK_TEXT("SGTIN")) ? "epc" : "serial",
            line->serial);
        return;
    }
    put(my, "epc", line->serial);
    put(my, "serial", (souk_text){text, souk_epc_write(&epc, SOUK_EPC_SERIAL, text)});
}

static souk_err put_line(struct telling *my, struct poslog_line line, enum sign sign)
{
    souk_text code = first(line.pos_id, line.item_id),
              price = first(line.price, line.regular_price);
    SOUK_TRY(figure(my, "Quantity", line.number, &line.quantity, sign));
    SOUK_TRY(figure(my, "ExtendedAmount", line.number, &line.amount, sign));
    SOUK_TRY(figure(my, "ActualSalesUnitPrice", line.number, &price, POSITIVE));
    SOUK_TRY(figure(my, "RegularSalesUnitPrice", line.number, &line.regular_price, POSITIVE));
    if (line.quantity.bytes == 0)
        line.quantity = sign == NEGATIVE ? SOUK_TEXT("-1") : SOUK_TEXT("1");
    souk_json_write_object(&my->json);
    put(my, "product_id", code);
    put(my, "sku", line.item_id);
    if (is_gtin(code))
        put(my, "gtin", code);
    put(my, "name", line.description);
    put(my, "category", line.category);
    put(my, "price", price);
    if (!souk_text_equal(price, line.regular_price))
        put(my, "regular_price", line.regular_price);
    put(my, "quantity", line.quantity);
    put(my, "unit", line.unit);
    put(my, "amount", line.amount);
    put_serial(my, &line);
    put(my, "entry_method", line.entry_method);
    souk_json_write_end(&my->json);
    return SOUK_OK;
}

/* Lines that went back are negative among others, and positive where the event takes them off.  What is voided later
 * is told as it was sold, so there it is the other way round. */
static enum sign sign_of(const struct telling *my, const struct poslog_line *line)
{
    bool is_returned = !strcmp(my->event, "Receipt Returned");
    bool is_voided = my->sale->is_post_void && strcmp(my->event, "Receipt Voided");
    if (is_voided)
        return line->is_return == is_returned ? NEGATIVE : POSITIVE;
    return is_returned ? POSITIVE : line->is_return ? NEGATIVE : AS_TOLD;
}

static souk_err put_products(struct telling *my)
{
    const struct poslog_sale *sale = my->sale;
    size_t before = my->out->bytes, count = 0;
    souk_json_put_array(&my->json, "products");
    for (; my->next_line < sale->line_count && count < PART_LINES &&
           my->out->bytes - before < PART_BYTES;
         my->next_line++) {
        const struct poslog_line *line = &sale->lines[my->next_line];
        if (line->is_voided)
            continue;
        SOUK_TRY(put_line(my, *line, sign_of(my, line)));
        count++;
    }
    souk_json_write_end(&my->json);
    return SOUK_OK;
}

static souk_err put_voided(struct telling *my)
{
    const struct poslog_sale *sale = my->sale;
    size_t count = 0;
    for (size_t i = 0; i < sale->line_count && count < VOIDED_LINES; i++) {
        if (!sale->lines[i].is_voided)
            continue;
        if (count++ == 0) {
            souk_json_put_array(&my->json, "voided_products");
        }
        SOUK_TRY(put_line(my, sale->lines[i], AS_TOLD));
    }
    if (count)
        souk_json_write_end(&my->json);
    return SOUK_OK;
}

static souk_err put_tenders(struct telling *my)
{
    const struct poslog_sale *sale = my->sale;
    bool is_returned = !strcmp(my->event, "Receipt Returned");
    if (sale->tender_count == 0)
        return SOUK_OK;
    souk_json_put_array(&my->json, "tenders");
    for (size_t i = 0; i < sale->tender_count; i++) {
        struct poslog_tender tender = sale->tenders[i];
        SOUK_TRY(figure(my, "Amount of a Tender", (souk_text){"", 0}, &tender.amount,
                        is_returned        ? POSITIVE
                        : tender.is_refund ? NEGATIVE
                                           : AS_TOLD));
        SOUK_TRY(
            figure(my, "Amount of a TenderChange", (souk_text){"", 0}, &tender.change, POSITIVE));
        souk_json_write_object(&my->json);
        put(my, "type", first(tender.type, tender.id));
        put(my, "card_type", tender.card_type);
        put(my, "amount", tender.amount);
        put(my, "change", tender.change);
        souk_json_write_end(&my->json);
    }
    souk_json_write_end(&my->json);
    return SOUK_OK;
}

/* The receipt that this one goes back to, where its link is whole. */
static souk_text linked_key(const struct telling *my)
{
    const struct poslog_link *link = &my->sale->link;
    if (link->sequence.bytes == 0)
        return (souk_text){"", 0};
    return natural_key(my->arena, first(first(link->store, link->unit), my->store),
                       link->workstation.bytes ? link->workstation
                                               : first(my->sale->workstation, my->sale->till),
                       link->day.bytes ? day_of(link->day) : day_of(my->sale->day), link->sequence);
}

static souk_err put_money(struct telling *my)
{
    const struct poslog_sale *sale = my->sale;
    bool is_returned = !strcmp(my->event, "Receipt Returned");
    enum sign sign = is_returned ? POSITIVE : AS_TOLD;
    char sum[SOUK_DECIMAL_BYTES];
    souk_text total = first(first(sale->grand, sale->net), sale->gross), tax = sale->tax;
    if (tax.bytes == 0 && sale->has_tax_sum)
        tax = (souk_text){sum, souk_decimal_write(sale->tax_sum, sum)};
    SOUK_TRY(figure(my, "Total", (souk_text){"", 0}, &total, sign));
    SOUK_TRY(figure(my, "tax", (souk_text){"", 0}, &tax, sign));
    put(my, "total", total);
    put(my, "tax", tax);
    put(my, "currency", sale->currency);
    return SOUK_OK;
}

static void put_head(struct telling *my)
{
    const struct poslog_sale *sale = my->sale;
    put(my, "receipt_id", my->key);
    put(my, "store_id", my->store);
    put(my, "till_id", first(sale->workstation, sale->till));
    put(my, "operator_id", sale->operator_id);
    put(my, "business_date", day_of(sale->day));
    put(my, "receipt_number", sale->receipt_number);
    put(my, "local_time", my->local_time);
    put(my, sale->is_post_void ? "voided_receipt_id" : "original_receipt_id", linked_key(my));
}

static void keep_told(struct telling *my)
{
    struct told_event *event = souk_arena_get(my->arena, sizeof *event);
    souk_text text = souk_buf_view(my->out);
    if (my->arena->failed)
        return;
    *event =
        (struct told_event){{souk_arena_copy(my->arena, text.at, text.bytes), text.bytes}, NULL};
    if (my->last)
        my->last->next = event;
    else
        my->first = event;
    my->last = event;
}

static souk_err hand_over(struct telling *my, souk_text text)
{
    return my->options->each(my->options->context, text, (souk_text){"", 0}, NULL);
}

static souk_err hand_all_over(struct telling *my)
{
    if (my->arena->failed)
        return SOUK_ENOMEM;
    for (const struct told_event *event = my->first; event; event = event->next)
        SOUK_TRY(hand_over(my, event->text));
    return my->told ? hand_over(my, souk_buf_view(my->out)) : SOUK_OK;
}

/* {"type":"track",…,"properties":{ with the key, and what tells this event from the receipt's others. */
static void open_event(struct telling *my, const char *name, const char *suffix)
{
    char id[KEY_BYTES + 16];
    int bytes = snprintf(id, sizeof id, "%.*s%s", SOUK_TEXT_PRINT(my->key), suffix);
    if (my->told)
        keep_told(my);
    souk_buf_clear(my->out);
    my->json = (souk_json_writer){.out = my->out};
    souk_json_write_object(&my->json);
    put(my, "type", SOUK_TEXT("track"));
    put(my, "event", souk_text_of(name));
    put(my, "messageId", (souk_text){id, (size_t)bytes});
    put(my, "timestamp", souk_text_of(my->at));
    put_context(my);
    souk_json_put_object(&my->json, "properties");
    put_head(my);
}

static souk_err close_event(struct telling *my)
{
    souk_json_write_end(&my->json);
    souk_json_write_end(&my->json);
    SOUK_TRY(souk_json_write_check(&my->json));
    if (my->arena->failed)
        return SOUK_ENOMEM;
    my->told++;
    return SOUK_OK;
}

/* ---- the events of one transaction ----------------------------------------------------------------------- */

static bool says(souk_text text, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= text.bytes; i++)
        if (souk_text_equal_nocase((souk_text){text.at + i, strlen(word)}, souk_text_of(word)))
            return true;
    return false;
}

struct lines {
    size_t sold, returned, voided;
};

static struct lines count_lines(const struct poslog_sale *sale)
{
    struct lines lines = {0};
    for (size_t i = 0; i < sale->line_count; i++) {
        const struct poslog_line *line = &sale->lines[i];
        lines.voided += line->is_voided;
        lines.sold += !line->is_voided && !line->is_return;
        lines.returned += !line->is_voided && line->is_return;
    }
    return lines;
}

/* NULL: nothing to tell. */
static const char *event_of(const struct poslog_sale *sale)
{
    struct lines lines = count_lines(sale);
    if (sale->is_training || says(sale->status, "suspend"))
        return NULL;
    if (sale->is_post_void || sale->is_cancelled || says(sale->status, "cancel") ||
        says(sale->status, "void"))
        return "Receipt Voided";
    if (!sale->is_retail || (lines.sold + lines.returned + lines.voided + sale->tender_count == 0))
        return NULL;
    if (lines.sold + lines.returned + sale->tender_count == 0)
        return "Receipt Voided"; /* line by line */
    return lines.returned && !lines.sold ? "Receipt Returned" : "Receipt Issued";
}

/* What found no room in the event before. */
static souk_err tell_rest(struct telling *my)
{
    char suffix[16];
    while (my->next_line < my->sale->line_count) {
        my->event = "Receipt Continued";
        snprintf(suffix, sizeof suffix, "/%zu", ++my->part);
        open_event(my, my->event, suffix);
        put(my, "currency", my->sale->currency);
        put(my, "total", SOUK_TEXT("0")); /* all of it stands in the first */
        SOUK_TRY(put_products(my));
        SOUK_TRY(close_event(my));
    }
    return SOUK_OK;
}

static souk_err tell_receipt(struct telling *my, const char *event, const char *suffix)
{
    my->event = event;
    my->next_line = 0;
    open_event(my, event, suffix);
    SOUK_TRY(put_money(my));
    SOUK_TRY(put_products(my));
    SOUK_TRY(put_voided(my));
    SOUK_TRY(put_tenders(my));
    return close_event(my);
}

static souk_err tell_all(struct telling *my)
{
    const struct poslog_sale *sale = my->sale;
    const char *event = event_of(sale);
    struct lines lines = count_lines(sale);
    if (!event)
        return SOUK_OK;
    SOUK_TRY(find_key(my));
    SOUK_TRY(find_time(my));
    my->part = 1;
    if (strcmp(event, "Receipt Voided")) {
        SOUK_TRY(tell_receipt(my, event, ""));
        return tell_rest(my);
    }
    SOUK_TRY(tell_receipt(my, event, ""));
    if (!sale->is_post_void || lines.sold + lines.returned == 0)
        return SOUK_OK;
    SOUK_TRY(tell_receipt(my, "Receipt Returned", "/void"));
    return tell_rest(my);
}

/* A status or a type that says "post void" is one, whatever the version calls its element. */
static bool is_post_void(const struct poslog_sale *sale)
{
    return sale->is_post_void || says(sale->type, "postvoid") || says(sale->status, "postvoid") ||
           says(sale->link.reason, "void");
}

souk_err poslog_tell(const struct poslog_sale *sale, souk_buf *out, souk_arena *arena,
                     const souk_poslog_options *options, size_t *ret_told, souk_diag *fault)
{
    struct poslog_sale told = *sale;
    told.is_post_void = is_post_void(sale);
    struct telling my = {
        .sale = &told, .options = options, .arena = arena, .fault = fault, .out = out};
    souk_err err = tell_all(&my);
    if (!err)
        err = hand_all_over(&my);
    *ret_told = my.told;
    return err;
}
