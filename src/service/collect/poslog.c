/* poslog.c - a POSLog document by expat: which elements mean what, and the transaction that is being read.
 *
 * A chain's night brings files of gigabytes, so nothing is kept but the transaction in hand.  What an element means is
 * a row of one table, by its parent: what has no row is passed over with all that is in it.
 *
 * Where a transaction is at fault its own text goes to the rejects.  Expat tells offsets in the document, so the bytes
 * from the last event on (a tag may be cut by the end of a piece) are kept in a window with the piece behind them. */
#include "service/collect/poslog_names.h"

#include <expat.h>
#include <stddef.h>

enum {
    LEVELS = 64,
    FIELD_BYTES = 1024,
    STEP_BYTES = 16384,  /* fed to expat at once */
    TAG_BYTES = 1 << 20, /* of one tag, comment or other piece of mark-up */
    EVENT_MOST = 1 << 20,
    RAW_BYTES = 65536,      /* kept of a transaction: what a reject holds */
    ARENA_BYTES = 64 << 20, /* of one transaction */
    ATTRIBUTES = 100,
};

/* ---- the reader ------------------------------------------------------------------------------------- */

struct souk_poslog {
    souk_mem *mem;
    souk_poslog_options options;
    souk_poslog_counts counts;
    XML_Parser parser;
    souk_err err; /* why it stopped */
    souk_diag diag;
    char home[256]; /* the root's name space */
    /* where it is */
    const struct poslog_row *path[LEVELS]; /* [depth]; NULL: passed over */
    unsigned depth, passed;                /* passed: levels within what is passed over */
    souk_text text_attributes[2]; /* of the leaf being read: Quantity's unit, SerialNumber's type */
    souk_buf text;
    bool text_is_long;
    /* the transaction */
    bool in_transaction;
    struct poslog_sale sale;
    struct poslog_line line;
    struct poslog_tender tender;
    bool has_item, has_tender;
    size_t line_capacity;
    souk_arena arena;
    souk_diag fault; /* the first */
    /* its bytes */
    souk_buf window, raw, told;
    int64_t window_from, event_end, raw_from, raw_next; /* offsets in the document */
};

/* Expat's allocator has no argument of its own; and where it got nothing, expat may say that something else is wrong. */
static _Thread_local souk_mem *expat_mem;
static _Thread_local bool expat_starved;

static void *resize(void *old, size_t bytes)
{
    void *now = expat_mem->resize(expat_mem, old, bytes);
    expat_starved |= !now;
    return now;
}

static void *give(size_t bytes)
{
    return resize(NULL, bytes);
}

static void put_back(void *old)
{
    if (old)
        expat_mem->resize(expat_mem, old, 0);
}

static void stop(souk_poslog *poslog, souk_err err)
{
    if (!poslog->err)
        poslog->err = err;
    XML_StopParser(poslog->parser, XML_FALSE);
}

/* Ends the reading, with words and the place in the document. */
#define refuse(poslog, err, ...) \
    (souk_diag_say(&(poslog)->diag, err, __VA_ARGS__), refuse_here(poslog, err))
static void refuse_here(souk_poslog *poslog, souk_err err)
{
    poslog->diag.line = XML_GetCurrentLineNumber(poslog->parser);
    poslog->diag.column = XML_GetCurrentColumnNumber(poslog->parser) + 1;
    stop(poslog, err);
}

/* Refuses the transaction only. */
#define blame(poslog, ...) ((void)souk_diag_say(&(poslog)->fault, SOUK_EINVAL, __VA_ARGS__))

/* ---- the bytes of a transaction ----------------------------------------------------------------------- */

static void saw_event(souk_poslog *poslog)
{
    XML_Index at = XML_GetCurrentByteIndex(poslog->parser);
    if (at >= 0)
        poslog->event_end = at + XML_GetCurrentByteCount(poslog->parser);
}

/* Those from raw_next up to `end` that are in the window. */
static void keep_raw(souk_poslog *poslog, int64_t end)
{
    int64_t from = poslog->raw_next;
    if (!poslog->in_transaction || end <= from)
        return;
    poslog->raw_next = end;
    size_t room = RAW_BYTES - souk_min_size(poslog->raw.bytes, RAW_BYTES);
    if (from < poslog->window_from || end > poslog->window_from + (int64_t)poslog->window.bytes)
        return; /* expat counts otherwise than we: no text is better than another's */
    souk_buf_append(&poslog->raw, poslog->window.at + (from - poslog->window_from),
                    souk_min_size((size_t)(end - from), room));
}

/* Expat may tell of the end a piece later: what was kept behind it goes. */
static void cut_raw(souk_poslog *poslog)
{
    int64_t bytes = poslog->event_end - poslog->raw_from;
    if (bytes >= 0 && bytes < (int64_t)poslog->raw.bytes)
        poslog->raw.bytes = (size_t)bytes;
}

/* What stands before the last event is done with. */
static void move_window(souk_poslog *poslog)
{
    keep_raw(poslog, poslog->window_from + (int64_t)poslog->window.bytes);
    int64_t done = poslog->event_end - poslog->window_from;
    if (done <= 0 || done > (int64_t)poslog->window.bytes)
        return;
    poslog->window.bytes -= (size_t)done;
    memmove(poslog->window.at, poslog->window.at + done, poslog->window.bytes);
    poslog->window_from = poslog->event_end;
}

/* ---- transactions --------------------------------------------------------------------------------------- */

static void begin_transaction(souk_poslog *poslog)
{
    poslog->in_transaction = true;
    poslog->sale = (struct poslog_sale){.line_count = 0};
    poslog->line_capacity = 0;
    poslog->fault = (souk_diag){.words = ""};
    poslog->counts.transactions++;
    souk_buf_clear(&poslog->raw);
    poslog->raw_from = poslog->raw_next = XML_GetCurrentByteIndex(poslog->parser);
}

static void end_transaction(souk_poslog *poslog)
{
    size_t told = 0;
    souk_err err = poslog->fault.words[0] ? SOUK_EINVAL : SOUK_OK;
    keep_raw(poslog, poslog->event_end);
    cut_raw(poslog);
    poslog->in_transaction = false;
    if (!err && !poslog->arena.failed)
        err = poslog_tell(&poslog->sale, &poslog->told, &poslog->arena, &poslog->options, &told,
                          &poslog->fault);
    if (poslog->arena.failed || poslog->raw.failed)
        err = SOUK_ENOMEM;
    if (err == SOUK_EINVAL && poslog->fault.words[0]) {
        poslog->counts.refused++;
        err = poslog->options.each(poslog->options.context, (souk_text){"", 0},
                                   souk_buf_view(&poslog->raw), &poslog->fault);
    } else if (!err) {
        poslog->counts.events += told;
        poslog->counts.training += poslog->sale.is_training;
        poslog->counts.other += !told && !poslog->sale.is_training;
    }
    if (err)
        stop(poslog, err);
    souk_arena_clear(&poslog->arena);
}

/* The array grows in the arena, by doubling: what it leaves behind is as much again. */
static void end_line(souk_poslog *poslog)
{
    struct poslog_sale *sale = &poslog->sale;
    if (poslog->has_tender && !poslog->line.is_voided) {
        if (sale->tender_count == POSLOG_TENDERS)
            blame(poslog, "the transaction has more than %d tenders: send them as two",
                  POSLOG_TENDERS);
        else
            sale->tenders[sale->tender_count++] = poslog->tender;
    }
    if (!poslog->has_item)
        return;
    if (sale->line_count == POSLOG_LINES) {
        blame(poslog, "the transaction has more than %d lines: send them as two", POSLOG_LINES);
        return;
    }
    if (sale->line_count == poslog->line_capacity) {
        size_t capacity = poslog->line_capacity ? 2 * poslog->line_capacity : 16;
        struct poslog_line *lines = souk_arena_get(&poslog->arena, capacity * sizeof *lines);
        if (poslog->arena.failed)
            return;
        if (sale->line_count)
            memcpy(lines, sale->lines, sale->line_count * sizeof *lines);
        sale->lines = lines;
        poslog->line_capacity = capacity;
    }
    sale->lines[sale->line_count++] = poslog->line;
}

/* ---- attributes ------------------------------------------------------------------------------------------- */

static bool is_true(const char *value)
{
    return !strcmp(value, "true") || !strcmp(value, "1");
}

static souk_text keep(souk_poslog *poslog, souk_text text)
{
    text = souk_text_trim(text);
    if (text.bytes > FIELD_BYTES) {
        blame(poslog, "a field of the transaction has more than %d bytes: shorten it", FIELD_BYTES);
        return (souk_text){"", 0};
    }
    return (souk_text){souk_arena_copy(&poslog->arena, text.at, text.bytes), text.bytes};
}

/* "2.2" writes Flag="true"; words of two versions stand beside each other. */
static void take_attribute(souk_poslog *poslog, const struct poslog_row *row, const char *name,
                           const char *value)
{
    const struct {
        enum node node;
        const char *name;
        bool *flag;
        souk_text *text;
    } places[] = {
        {TRANSACTION, "TrainingModeFlag", &poslog->sale.is_training, NULL},
        {TRANSACTION, "CancelFlag", &poslog->sale.is_cancelled, NULL},
        {RETAIL, "CancelFlag", &poslog->sale.is_cancelled, NULL},
        {TRANSACTION, "TypeCode", NULL, &poslog->sale.type},
        {RETAIL, "TypeCode", NULL, &poslog->sale.type},
        {RETAIL, "TransactionType", NULL, &poslog->sale.type},
        {RETAIL, "TransactionStatus", NULL, &poslog->sale.status},
        {LINE_ITEM, "VoidFlag", &poslog->line.is_voided, NULL},
        {LINE_ITEM, "CancelFlag", &poslog->line.is_voided, NULL},
        {LINE_ITEM, "EntryMethod", NULL, &poslog->line.entry_method},
        {TENDER, "TenderType", NULL, &poslog->tender.type},
        {CREDIT, "CardType", NULL, &poslog->tender.card_type},
        {row->parent == ITEM ? DOCUMENT : LINK, "ReasonCode", NULL, &poslog->sale.link.reason},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i].node == row->node && !strcmp(places[i].name, name)) {
            if (places[i].flag)
                *places[i].flag = *places[i].flag || is_true(value);
            else
                *places[i].text = keep(poslog, souk_text_of(value));
        }
    if (row->node == TENDER && !strcmp(name, "TypeCode"))
        poslog->tender.is_refund = !strcmp(value, "Refund");
    if (row->owner == LINE && row->offset == offsetof(struct poslog_line, quantity)) {
        if (!strcmp(name, "UnitOfMeasureCode"))
            poslog->line.unit = keep(poslog, souk_text_of(value));
        if (!strcmp(name, "Units")) /* stands for an empty element */
            poslog->text_attributes[0] = keep(poslog, souk_text_of(value));
    }
    if (row->owner == LINE && row->offset == offsetof(struct poslog_line, serial) &&
        !strcmp(name, "Type"))
        poslog->line.serial_type = keep(poslog, souk_text_of(value));
    if (row->node == TOTAL && !strcmp(name, "TotalType"))
        poslog->text_attributes[1] = keep(poslog, souk_text_of(value));
}

static void take_attributes(souk_poslog *poslog, const struct poslog_row *row,
                            const XML_Char **attributes)
{
    poslog->text_attributes[0] = poslog->text_attributes[1] = (souk_text){"", 0};
    for (size_t i = 0; attributes[i]; i += 2) {
        if (i / 2 == ATTRIBUTES) {
            refuse(poslog, SOUK_ETOOBIG, "an element has more than %d attributes: send a POSLog",
                   ATTRIBUTES);
            return;
        }
        if (!strchr(attributes[i], '\n')) /* a vendor's has a name space */
            take_attribute(poslog, row, attributes[i], attributes[i + 1]);
    }
}

/* ---- elements --------------------------------------------------------------------------------------------- */

/* The local name; *ret_is_home: in the document's own name space, in one of IXRetail's, or in none. */
static const char *local_name(souk_poslog *poslog, const XML_Char *name, bool *ret_is_home)
{
    const char *end = strchr(name, '\n');
    if (!end) {
        *ret_is_home = true;
        return name;
    }
    size_t bytes = (size_t)(end - name);
    if (poslog->depth == 0 && bytes < sizeof poslog->home)
        memcpy(poslog->home, name, bytes);
    *ret_is_home = (bytes == strlen(poslog->home) && !memcmp(name, poslog->home, bytes)) ||
                   memmem(name, bytes, "/IXRetail/", 10);
    return end + 1;
}

static void enter(souk_poslog *poslog, const struct poslog_row *row, const char *name)
{
    if (row->node == TRANSACTION)
        begin_transaction(poslog);
    if (row->node == RETAIL)
        poslog->sale.is_retail = true;
    if (row->node == POST_VOID)
        poslog->sale.is_post_void = true;
    if (row->node == LINE_ITEM) {
        poslog->line = (struct poslog_line){.is_return = false};
        poslog->has_item = poslog->has_tender = false;
    }
    if (row->node == ITEM) {
        poslog->has_item = true;
        poslog->line.is_return = !strcmp(name, "Return");
    }
    if (row->node == TENDER) {
        poslog->has_tender = true;
        poslog->tender = (struct poslog_tender){.is_refund = false};
    }
}

static void start_element(void *context, const XML_Char *full, const XML_Char **attributes)
{
    souk_poslog *poslog = context;
    bool is_home;
    if (poslog->err) /* expat may end what it has begun */
        return;
    saw_event(poslog);
    if (poslog->passed) {
        poslog->passed++;
        if (poslog->depth + poslog->passed > LEVELS)
            refuse(poslog, SOUK_ETOOBIG, "elements stand %d deep: send a POSLog", LEVELS);
        return;
    }
    const char *name = local_name(poslog, full, &is_home);
    const struct poslog_row *parent = poslog->depth ? poslog->path[poslog->depth - 1] : NULL;
    const struct poslog_row *row = poslog_row_find(parent, name, is_home);
    if (row && row->node == LINK && poslog->sale.link.sequence.bytes)
        row = NULL; /* the first counts, whole */
    if (!row && poslog->depth == 0) {
        refuse(poslog, SOUK_EINVAL, "the document begins with <%.60s>, and a POSLog with <POSLog>",
               name);
        return;
    }
    if (!row) {
        poslog->passed = 1;
        return;
    }
    if (poslog->depth == LEVELS) {
        refuse(poslog, SOUK_ETOOBIG, "elements stand %d deep: send a POSLog", LEVELS);
        return;
    }
    poslog->path[poslog->depth++] = row;
    enter(poslog, row, name);
    souk_buf_clear(&poslog->text);
    poslog->text_is_long = false;
    take_attributes(poslog, row, attributes);
}

static void take_total(struct poslog_sale *sale, souk_text type, souk_text text)
{
    const struct {
        const char *type;
        souk_text *total;
    } totals[] = {{"TransactionGrandAmount", &sale->grand},
                  {"TransactionNetAmount", &sale->net},
                  {"TransactionGrossAmount", &sale->gross},
                  {"TransactionTaxAmount", &sale->tax}};
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        if (souk_text_equal(type, souk_text_of(totals[i].type)) && totals[i].total->bytes == 0)
            *totals[i].total = text;
}

/* Nobody's card is all zeros. */
static void take_card(struct poslog_sale *sale, souk_text text)
{
    bool is_blank = true, is_known = false;
    for (size_t i = 0; i < text.bytes; i++)
        is_blank &= text.at[i] == '0';
    for (size_t i = 0; i < sale->card_count; i++)
        is_known |= souk_text_equal(sale->cards[i], text);
    if (!is_blank && !is_known && sale->card_count < POSLOG_CARDS)
        sale->cards[sale->card_count++] = text;
}

static void take_tax(souk_poslog *poslog, souk_text text)
{
    struct poslog_sale *sale = &poslog->sale;
    souk_decimal amount;
    if (poslog_decimal(&poslog->arena, &text, &amount) ||
        souk_decimal_add(sale->tax_sum, amount, &sale->tax_sum))
        blame(poslog, "the Amount of a Tax is no number: send it as 12.34");
    sale->has_tax_sum = true;
}

/* The first that is told counts. */
static void take_text(souk_poslog *poslog, const struct poslog_row *row, souk_text text)
{
    struct poslog_sale *sale = &poslog->sale;
    char *base = row->owner == SALE   ? (char *)sale
                 : row->owner == LINE ? (char *)&poslog->line
                 : row->owner == PAID ? (char *)&poslog->tender
                                      : NULL;
    souk_text *place = base ? (souk_text *)(void *)(base + row->offset) : NULL;
    if (row->node == CARD)
        take_card(sale, text);
    if (row->parent == TAX && !poslog->line.is_voided)
        take_tax(poslog, text);
    if (row->node == EMAIL)
        place = &sale->email;
    if (row->node == PHONE)
        place = &sale->phone;
    if (row->node == TOTAL)
        take_total(sale, poslog->text_attributes[1], text);
    if (place && place->bytes == 0)
        *place = text;
}

static void end_text(souk_poslog *poslog, const struct poslog_row *row)
{
    if (poslog->text_is_long)
        blame(poslog, "%s has more than %d bytes: shorten it", row->name, FIELD_BYTES);
    souk_text text = souk_text_trim(souk_buf_view(&poslog->text));
    if (text.bytes == 0)
        text = poslog->text_attributes[0];
    if (text.bytes)
        take_text(poslog, row, keep(poslog, text));
    souk_buf_clear(&poslog->text);
}

static void end_element(void *context, const XML_Char *name)
{
    souk_poslog *poslog = context;
    (void)name;
    if (poslog->err)
        return;
    saw_event(poslog);
    if (poslog->passed) {
        poslog->passed--;
        return;
    }
    const struct poslog_row *row = poslog->path[--poslog->depth];
    if (poslog->text.failed)
        stop(poslog, SOUK_ENOMEM);
    else if (row->node >= LEAF)
        end_text(poslog, row);
    if (row->node == LINE_ITEM)
        end_line(poslog);
    if (row->node == TRANSACTION && !poslog->err)
        end_transaction(poslog);
}

static void take_characters(void *context, const XML_Char *text, int bytes)
{
    souk_poslog *poslog = context;
    saw_event(poslog);
    if (poslog->passed || poslog->depth == 0 || poslog->path[poslog->depth - 1]->node < LEAF)
        return;
    size_t room = 2 * FIELD_BYTES - souk_min_size(poslog->text.bytes, 2 * FIELD_BYTES);
    poslog->text_is_long |= (size_t)bytes > room; /* white space around it goes */
    souk_buf_append(&poslog->text, text, souk_min_size((size_t)bytes, room));
}

static void take_other(void *context, const XML_Char *text, int bytes)
{
    (void)text;
    (void)bytes;
    saw_event(context);
}

static void refuse_doctype(void *context, const XML_Char *name, const XML_Char *system_id,
                           const XML_Char *public_id, int has_internal)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal;
    souk_poslog *poslog = context;
    refuse(poslog, SOUK_EINVAL,
           "the document has a DTD, which is not read: send it without "
           "<!DOCTYPE>");
}

static int refuse_encoding(void *context, const XML_Char *name, XML_Encoding *info)
{
    (void)info;
    souk_poslog *poslog = context;
    refuse(poslog, SOUK_EINVAL, "the encoding %.40s is not read: send UTF-8", name);
    return XML_STATUS_ERROR;
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

souk_err souk_poslog_new(souk_mem *mem, const souk_poslog_options *options,
                         souk_poslog **ret_poslog)
{
    static const XML_Memory_Handling_Suite suite = {give, resize, put_back};
    souk_poslog *poslog = souk_mem_get(mem, sizeof *poslog);
    if (!poslog)
        return SOUK_ENOMEM;
    poslog->mem = mem;
    poslog->options = *options;
    poslog->text.mem = poslog->window.mem = poslog->raw.mem = poslog->told.mem = mem;
    poslog->arena.mem = mem;
    poslog->told.limit_bytes = EVENT_MOST;
    poslog->arena.limit_bytes = ARENA_BYTES;
    expat_mem = mem;
    poslog->parser = XML_ParserCreate_MM(NULL, &suite, "\n");
    if (!poslog->parser) {
        souk_poslog_free(poslog);
        return SOUK_ENOMEM;
    }
    XML_SetUserData(poslog->parser, poslog);
    XML_SetElementHandler(poslog->parser, start_element, end_element);
    XML_SetCharacterDataHandler(poslog->parser, take_characters);
    XML_SetDefaultHandler(poslog->parser, take_other);
    XML_SetStartDoctypeDeclHandler(poslog->parser, refuse_doctype);
    XML_SetUnknownEncodingHandler(poslog->parser, refuse_encoding, poslog);
    *ret_poslog = poslog;
    return SOUK_OK;
}

void souk_poslog_free(souk_poslog *poslog)
{
    if (!poslog)
        return;
    expat_mem = poslog->mem;
    if (poslog->parser)
        XML_ParserFree(poslog->parser);
    souk_buf_done(&poslog->text);
    souk_buf_done(&poslog->window);
    souk_buf_done(&poslog->raw);
    souk_buf_done(&poslog->told);
    souk_arena_done(&poslog->arena);
    souk_mem_put(poslog->mem, poslog);
}

souk_poslog_counts souk_poslog_count(const souk_poslog *poslog)
{
    return poslog->counts;
}

static souk_err fail(souk_poslog *poslog)
{
    enum XML_Error error = XML_GetErrorCode(poslog->parser);
    if (error == XML_ERROR_NO_MEMORY || expat_starved)
        poslog->err = SOUK_ENOMEM;
    if (!poslog->err)
        refuse(poslog, SOUK_ESYNTAX, "the document is no XML: %s", XML_ErrorString(error));
    return poslog->err;
}

static souk_err feed_step(souk_poslog *poslog, souk_text step, bool is_last)
{
    souk_buf_text(&poslog->window, step);
    SOUK_TRY(souk_buf_check(&poslog->window));
    if (XML_Parse(poslog->parser, step.at, (int)step.bytes, is_last) != XML_STATUS_OK)
        return fail(poslog);
    if (poslog->err)
        return poslog->err;
    move_window(poslog);
    if (poslog->window.bytes > TAG_BYTES) {
        refuse(poslog, SOUK_ETOOBIG, "a tag or a comment has more than %d bytes: send a POSLog",
               TAG_BYTES);
        return poslog->err;
    }
    return souk_buf_check(&poslog->raw);
}

souk_err souk_poslog_feed(souk_poslog *poslog, souk_text piece, bool is_last, souk_diag *diag)
{
    expat_mem = poslog->mem;
    expat_starved = false;
    bool more = true;
    while (more && !poslog->err) {
        souk_text step = {piece.bytes ? piece.at : "", souk_min_size(piece.bytes, STEP_BYTES)};
        piece = (souk_text){step.at + step.bytes, piece.bytes - step.bytes};
        more = piece.bytes > 0;
        poslog->err = feed_step(poslog, step, is_last && !more);
    }
    if (poslog->err && diag)
        *diag = poslog->diag;
    return poslog->err;
}
