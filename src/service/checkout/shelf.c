/* shelf.c - products, bar codes and prices by number: see shelf.h.
 *
 *     slots[number]     number: of the product, or of the bar code, in names.h
 *         product   one block { struct product, its texts }, and its prices
 *         bar code  { number of the product, pieces }
 *
 * Tables are read by the ids of their rows, behind a line that a few seconds of rows lie above: where several write, a
 * row with a lower id may be committed later.  To take a row again changes nothing. */
#include "service/checkout/shelf_inside.h"

#include "base/currency.h"
#include "base/gtin.h"
#include "base/json.h"
#include "core/product.h"
#include "os/region.h"
#include "os/thread.h"

enum {
    NOUN_BARCODE = 100,
    PAGE = 500,
    SETTLED_MS = 3000,
};

static const souk_migration steps[] = {
    {1,
     /* Rows are never changed: a later one of the same product, store and `from` stands for it. */
     "CREATE TABLE price ("
     "  id       INTEGER PRIMARY KEY,"
     "  merchant INTEGER NOT NULL CHECK (merchant > 0),"
     "  told     INTEGER NOT NULL," /* ms UTC: when somebody said so */
     "  product  TEXT NOT NULL CHECK (length(product) BETWEEN 1 AND 100),"
     "  store    TEXT NOT NULL CHECK (length(store) <= 64)," /* '': all */
     "  list     TEXT NOT NULL CHECK (length(list) <= 40),"  /* the list's name, for people */
     "  from_at  INTEGER NOT NULL,"                          /* ms UTC, [from, until) */
     "  until_at INTEGER NOT NULL,"                          /* 0: open */
     "  ends     INTEGER NOT NULL CHECK (ends IN (0, 1))," /* 1: the earlier row holds no longer */
     "  price    INTEGER NOT NULL CHECK (price >= 0),"     /* of one, x 1e-6 */
     "  currency TEXT NOT NULL CHECK (length(currency) = 3));"
     "CREATE INDEX price_product ON price (merchant, product);"
     "CREATE TABLE barcode ("
     "  id       INTEGER PRIMARY KEY,"
     "  merchant INTEGER NOT NULL CHECK (merchant > 0),"
     "  told     INTEGER NOT NULL,"
     "  code     TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 100)," /* GTIN-14, or a scale's item */
     "  product  TEXT NOT NULL CHECK (length(product) BETWEEN 1 AND 100),"
     "  pieces   INTEGER NOT NULL CHECK (pieces >= 0));" /* x 1e-6; 0: the code means nothing any more */
     "CREATE INDEX barcode_code ON barcode (merchant, code)"},
};

struct product {
    int64_t id; /* of its row; 0: only prices tell of it */
    souk_text code, title, brand, category, tax_class, unit;
    uint32_t tags[SOUK_SHELF_TAGS];
    size_t tag_count;
    bool no_offers;
    int64_t price_micro;
    char currency[4]; /* "": no price was told with it */
    shelf_prices prices;
};

struct barcode {
    int64_t id; /* of its row; 0: told by the product itself */
    uint32_t product;
    int64_t pieces_micro;
};

struct slot {
    struct product *product;
    struct barcode *barcode;
};

enum teller { TELLER_PRODUCTS, TELLER_PRICES, TELLER_BARCODES, TELLERS };

/* How far a table was read. */
struct line {
    int64_t after;   /* all below is settled */
    int64_t newest;  /* the highest id seen */
    int64_t waiting; /* the highest id seen when `since` began */
    uint64_t since;  /* ms of a monotonic clock; 0: never */
};

struct souk_shelf {
    souk_mem *mem;
    souk_ledger *ledger;
    souk_names *names;
    souk_rwlock lock;
    souk_region slots; /* struct slot[] by number */
    uint64_t product_count;
    struct line lines[TELLERS];
    souk_arena scratch; /* of the one that refreshes */
    souk_json_doc doc;
};

/* ---- slots ---------------------------------------------------------------------------------------------- */

static struct slot *slot_at(const souk_shelf *shelf, uint32_t number)
{
    size_t end = ((size_t)number + 1) * sizeof(struct slot);
    return end <= shelf->slots.bytes ? (struct slot *)shelf->slots.at + number : NULL;
}

static souk_err make_slot(souk_shelf *shelf, uint32_t merchant, unsigned noun, souk_text name,
                          struct slot **ret_slot, uint32_t *ret_number)
{
    SOUK_TRY(souk_names_number(shelf->names, merchant, noun, name, ret_number));
    size_t need = ((size_t)*ret_number + 1) * sizeof(struct slot);
    if (need > shelf->slots.bytes)
        SOUK_TRY(souk_region_grow(&shelf->slots, need));
    *ret_slot = slot_at(shelf, *ret_number);
    return SOUK_OK;
}

static void free_product(const souk_shelf *shelf, struct product *product)
{
    if (product)
        souk_mem_put(shelf->mem, product->prices.list);
    souk_mem_put(shelf->mem, product);
}

/* ---- products --------------------------------------------------------------------------------------------- */

/* The product as one block with its texts behind it. */
static struct product *pack(const souk_shelf *shelf, const struct product *from)
{
    size_t bytes = sizeof *from + from->code.bytes + from->title.bytes + from->brand.bytes +
                   from->category.bytes + from->tax_class.bytes + from->unit.bytes;
    struct product *made = souk_mem_get(shelf->mem, bytes);
    if (!made)
        return NULL;
    *made = *from;
    char *at = (char *)(made + 1);
    souk_text *texts[] = {&made->code,     &made->title,     &made->brand,
                          &made->category, &made->tax_class, &made->unit};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i]->bytes)
            memcpy(at, texts[i]->at, texts[i]->bytes);
        texts[i]->at = at;
        at += texts[i]->bytes;
    }
    return made;
}

static souk_err add_tag(souk_shelf *shelf, uint32_t merchant, const char *kind, souk_text value,
                        struct product *product)
{
    if (value.bytes == 0 || product->tag_count == SOUK_SHELF_TAGS)
        return SOUK_OK;
    souk_auto_value(souk_buf) name = {.mem = shelf->mem};
    souk_buf_append(&name, kind, strlen(kind));
    souk_buf_append(&name, value.at, value.bytes);
    SOUK_TRY(souk_buf_check(&name));
    return souk_names_number(shelf->names, merchant, SOUK_NOUN_TAG, souk_buf_view(&name),
                             &product->tags[product->tag_count++]);
}

/* "Drinks > Tea" is of category:Drinks and of category:Drinks > Tea. */
static souk_err add_categories(souk_shelf *shelf, uint32_t merchant, souk_text category,
                               struct product *product)
{
    for (size_t i = 0; i + 3 <= category.bytes; i++)
        if (!memcmp(category.at + i, " > ", 3))
            SOUK_TRY(add_tag(shelf, merchant, "category:", (souk_text){category.at, i}, product));
    return add_tag(shelf, merchant, "category:", category, product);
}

static void read_attribute(souk_shelf *shelf, souk_json_node root, const char *name,
                           souk_text *ret_text)
{
    souk_json_node node = souk_json_member(&shelf->doc, root, souk_text_of(name));
    if (souk_json_type(&shelf->doc, node) != SOUK_JSON_STRING ||
        souk_json_text(&shelf->doc, node, &shelf->scratch, ret_text))
        *ret_text = (souk_text){0};
}

static souk_err read_attributes(souk_shelf *shelf, souk_text attributes, struct product *product)
{
    if (attributes.bytes == 0)
        return SOUK_OK;
    souk_err err = souk_json_read(&shelf->doc, attributes, NULL, NULL);
    if (err)
        return err == SOUK_ENOMEM ? err : SOUK_OK; /* souk verify says so */
    souk_json_node root = souk_json_root(&shelf->doc);
    souk_json_node offers = souk_json_member(&shelf->doc, root, SOUK_TEXT("no_offers"));
    read_attribute(shelf, root, "tax_class", &product->tax_class);
    read_attribute(shelf, root, "unit", &product->unit);
    product->no_offers = souk_json_type(&shelf->doc, offers) == SOUK_JSON_TRUE;
    return shelf->scratch.failed ? SOUK_ENOMEM : SOUK_OK;
}

/* A product's own number leads to it, unless somebody said what that bar code is. */
static souk_err add_gtin(souk_shelf *shelf, uint32_t merchant, souk_text gtin, uint32_t product)
{
    souk_gtin read;
    struct slot *slot;
    uint32_t number;
    if (gtin.bytes == 0 || souk_gtin_read(gtin, &read, NULL))
        return SOUK_OK;
    SOUK_TRY(make_slot(shelf, merchant, NOUN_BARCODE, souk_text_of(read.digits), &slot, &number));
    if (slot->barcode && slot->barcode->id > 0)
        return SOUK_OK;
    if (!slot->barcode && !(slot->barcode = souk_mem_get(shelf->mem, sizeof *slot->barcode)))
        return SOUK_ENOMEM;
    *slot->barcode = (struct barcode){.product = product, .pieces_micro = 1000000};
    return SOUK_OK;
}

static souk_err put_product(souk_shelf *shelf, uint32_t merchant, const struct product *told,
                            souk_text gtin)
{
    struct slot *slot;
    uint32_t number;
    SOUK_TRY(make_slot(shelf, merchant, SOUK_NOUN_PRODUCT, told->code, &slot, &number));
    if (slot->product && slot->product->id >= told->id)
        return SOUK_OK;
    struct product *made = pack(shelf, told);
    if (!made)
        return SOUK_ENOMEM;
    if (slot->product) { /* its prices stay */
        made->prices = slot->product->prices;
        slot->product->prices = (shelf_prices){.list = NULL};
    }
    shelf->product_count += !slot->product || slot->product->id == 0;
    free_product(shelf, slot->product);
    slot->product = made;
    return add_gtin(shelf, merchant, gtin, number);
}

static souk_err take_product(void *context, int64_t id, uint32_t merchant, const souk_product *from)
{
    souk_shelf *shelf = context;
    struct product product = {
        .id = id, .code = from->code, .title = from->title, .price_micro = from->price.micro};
    memcpy(product.currency, from->currency, sizeof product.currency);
    souk_arena_clear(&shelf->scratch);
    SOUK_TRY(add_tag(shelf, merchant, "brand:", from->brand, &product));
    SOUK_TRY(add_categories(shelf, merchant, from->category, &product));
    SOUK_TRY(read_attributes(shelf, from->attributes, &product));
    souk_rwlock_write(&shelf->lock);
    souk_err err = put_product(shelf, merchant, &product, from->gtin);
    souk_rwlock_unlock(&shelf->lock);
    return err;
}

/* ---- prices, bar codes -------------------------------------------------------------------------------------- */

static souk_err put_price(souk_shelf *shelf, uint32_t merchant, souk_text code,
                          const shelf_price *told, souk_time at)
{
    struct slot *slot;
    uint32_t number;
    SOUK_TRY(make_slot(shelf, merchant, SOUK_NOUN_PRODUCT, code, &slot, &number));
    if (!slot->product) {
        struct product bare = {.code = code};
        if (!(slot->product = pack(shelf, &bare)))
            return SOUK_ENOMEM;
    }
    return shelf_prices_put(&slot->product->prices, shelf->mem, told, at);
}

static souk_err take_price(souk_shelf *shelf, souk_rows *rows)
{
    souk_text code = souk_rows_text(rows, 2), store = souk_rows_text(rows, 3);
    souk_text list = souk_rows_text(rows, 4), currency = souk_rows_text(rows, 9);
    uint32_t merchant = (uint32_t)souk_rows_int(rows, 1);
    shelf_price price = {.id = souk_rows_int(rows, 0),
                         .from = souk_rows_int(rows, 5),
                         .until = souk_rows_int(rows, 6),
                         .ends = souk_rows_int(rows, 7) != 0,
                         .micro = souk_rows_int(rows, 8)};
    if (list.bytes > SOUK_SHELF_LIST_BYTES || currency.bytes != 3)
        return SOUK_ECORRUPT;
    if (list.bytes)
        memcpy(price.list, list.at, list.bytes);
    memcpy(price.currency, currency.at, currency.bytes);
    if (store.bytes)
        SOUK_TRY(souk_names_number(shelf->names, merchant, SOUK_NOUN_STORE, store, &price.store));
    souk_rwlock_write(&shelf->lock);
    souk_err err = put_price(shelf, merchant, code, &price, souk_rows_int(rows, 10));
    souk_rwlock_unlock(&shelf->lock);
    return err;
}

static souk_err put_barcode(souk_shelf *shelf, uint32_t merchant, souk_text code,
                            const struct barcode *told)
{
    struct slot *slot;
    uint32_t number;
    SOUK_TRY(make_slot(shelf, merchant, NOUN_BARCODE, code, &slot, &number));
    if (!slot->barcode && !(slot->barcode = souk_mem_get(shelf->mem, sizeof *slot->barcode)))
        return SOUK_ENOMEM;
    if (slot->barcode->id < told->id)
        *slot->barcode = *told;
    return SOUK_OK;
}

static souk_err take_barcode(souk_shelf *shelf, souk_rows *rows)
{
    uint32_t merchant = (uint32_t)souk_rows_int(rows, 1);
    struct barcode barcode = {.id = souk_rows_int(rows, 0), .pieces_micro = souk_rows_int(rows, 4)};
    SOUK_TRY(souk_names_number(shelf->names, merchant, SOUK_NOUN_PRODUCT, souk_rows_text(rows, 3),
                               &barcode.product));
    souk_rwlock_write(&shelf->lock);
    souk_err err = put_barcode(shelf, merchant, souk_rows_text(rows, 2), &barcode);
    souk_rwlock_unlock(&shelf->lock);
    return err;
}

/* ---- reading the tables ---------------------------------------------------------------------------------------- */

struct page {
    souk_shelf *shelf;
    enum teller teller;
    int64_t after; /* then: the last id of the page */
    unsigned count;
};

/* A row that there is no room for (SOUK_NAMES_MOST) is left out: no row stops the shelf. */
static souk_err leave_out(souk_err err)
{
    return err == SOUK_ETOOBIG ? SOUK_OK : err;
}

static souk_err tell_product(void *context, int64_t id, uint32_t merchant,
                             const souk_product *product)
{
    struct page *page = context;
    page->after = id;
    page->count++;
    return leave_out(take_product(page->shelf, id, merchant, product));
}

static souk_err begin_page(souk_tx *tx, const struct page *page, souk_rows *rows)
{
    if (page->teller == TELLER_PRICES)
        return souk_rows_begin(
            tx,
            "SELECT id, merchant, product, store, list, from_at, until_at, ends, price, "
            "currency, told FROM price WHERE id > ?1 ORDER BY id LIMIT ?2",
            SOUK_VALUES(SOUK_INT(page->after), SOUK_INT(PAGE)), rows);
    return souk_rows_begin(tx,
                           "SELECT id, merchant, code, product, pieces FROM barcode WHERE id > ?1 "
                           "ORDER BY id LIMIT ?2",
                           SOUK_VALUES(SOUK_INT(page->after), SOUK_INT(PAGE)), rows);
}

static souk_err read_page(souk_tx *tx, void *context)
{
    struct page *page = context;
    page->count = 0;
    if (page->teller == TELLER_PRODUCTS)
        return souk_products_told(tx, page->after, PAGE, tell_product, page);
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(begin_page(tx, page, &rows));
    for (; souk_rows_next(&rows); page->count++) {
        page->after = souk_rows_int(&rows, 0);
        SOUK_TRY(leave_out(page->teller == TELLER_PRICES ? take_price(page->shelf, &rows)
                                                         : take_barcode(page->shelf, &rows)));
    }
    return souk_rows_check(&rows);
}

/* What was the newest three seconds ago has nothing uncommitted below it: a transaction lasts a second at most. */
static void settle(struct line *line, uint64_t now_ms)
{
    if (line->since && now_ms - line->since < SETTLED_MS)
        return;
    line->after = line->waiting;
    line->waiting = line->newest;
    line->since = now_ms;
}

souk_err souk_shelf_refresh(souk_shelf *shelf, uint64_t now_ms)
{
    for (enum teller teller = 0; teller < TELLERS; teller++) {
        struct line *line = &shelf->lines[teller];
        struct page page = {.shelf = shelf, .teller = teller, .after = line->after};
        do
            SOUK_TRY(souk_ledger_read(shelf->ledger, read_page, &page));
        while (page.count == PAGE);
        if (page.after > line->newest)
            line->newest = page.after;
        settle(line, now_ms);
    }
    return SOUK_OK;
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

souk_err souk_shelf_open(souk_mem *mem, souk_ledger *ledger, souk_names *names,
                         souk_shelf **ret_shelf, souk_diag *diag)
{
    SOUK_TRY(souk_products_migrate(ledger, diag));
    SOUK_TRY(souk_ledger_migrate(ledger, "shelf", steps, sizeof steps / sizeof *steps, diag));
    souk_auto(souk_shelf) shelf = souk_mem_get(mem, sizeof *shelf);
    if (!shelf)
        return SOUK_ENOMEM;
    shelf->mem = shelf->scratch.mem = shelf->doc.mem = mem;
    shelf->ledger = ledger;
    shelf->names = names;
    souk_rwlock_init(&shelf->lock);
    SOUK_TRY(souk_region_init(&shelf->slots, SOUK_NAMES_MOST * sizeof(struct slot)));
    SOUK_TRY(souk_shelf_refresh(shelf, 1));
    *ret_shelf = souk_take(&shelf);
    return SOUK_OK;
}

void souk_shelf_free(souk_shelf *shelf)
{
    if (!shelf)
        return;
    struct slot *slots = shelf->slots.at;
    for (size_t i = 0; i < shelf->slots.bytes / sizeof *slots; i++) {
        free_product(shelf, slots[i].product);
        souk_mem_put(shelf->mem, slots[i].barcode);
    }
    souk_region_done(&shelf->slots);
    souk_rwlock_done(&shelf->lock);
    souk_arena_done(&shelf->scratch);
    souk_json_doc_done(&shelf->doc);
    souk_mem_put(shelf->mem, shelf);
}

/* ---- finding ------------------------------------------------------------------------------------------------------ */

static souk_text keep(souk_arena *arena, souk_text text)
{
    return (souk_text){souk_arena_copy(arena, text.at, text.bytes), text.bytes};
}

static void tell(const struct product *product, uint32_t number, uint32_t store, souk_time at,
                 souk_arena *arena, souk_shelf_item *item)
{
    item->number = number;
    item->code = keep(arena, product->code);
    item->title = keep(arena, product->title);
    item->brand = keep(arena, product->brand);
    item->category = keep(arena, product->category);
    item->tax_class = keep(arena, product->tax_class);
    item->unit = keep(arena, product->unit);
    memcpy(item->tags, product->tags, sizeof item->tags);
    item->tag_count = product->tag_count;
    item->no_offers = product->no_offers;
    const shelf_price *price = shelf_prices_at(&product->prices, store, at);
    item->has_price = price || product->currency[0];
    item->price.micro = price ? price->micro : product->price_micro;
    memcpy(item->currency, price ? price->currency : product->currency, sizeof item->currency);
    item->price_list = price ? keep(arena, souk_text_of(price->list)) : SOUK_TEXT("");
}

/* A product's code first: a shop may number its goods as it likes. */
static uint32_t number_of(souk_shelf *shelf, uint32_t merchant, souk_text code, int64_t *ret_pieces)
{
    uint32_t number = souk_names_find(shelf->names, merchant, SOUK_NOUN_PRODUCT, code);
    const struct slot *slot = number ? slot_at(shelf, number) : NULL;
    *ret_pieces = 1000000;
    if (slot && slot->product)
        return number;
    number = souk_names_find(shelf->names, merchant, NOUN_BARCODE, code);
    slot = number ? slot_at(shelf, number) : NULL;
    if (!slot || !slot->barcode || slot->barcode->pieces_micro == 0)
        return 0;
    *ret_pieces = slot->barcode->pieces_micro;
    return slot->barcode->product;
}

souk_err souk_shelf_find(souk_shelf *shelf, uint32_t merchant, souk_text code, souk_text store,
                         souk_time at, souk_arena *arena, souk_shelf_item *ret_item)
{
    souk_shelf_item item = {.number = 0};
    uint32_t place = souk_names_find(shelf->names, merchant, SOUK_NOUN_STORE, store);
    souk_rwlock_read(&shelf->lock);
    uint32_t number = number_of(shelf, merchant, code, &item.pieces.micro);
    const struct slot *slot = number ? slot_at(shelf, number) : NULL;
    const struct product *product = slot ? slot->product : NULL;
    if (product)
        tell(product, number, place, at, arena, &item);
    souk_rwlock_unlock(&shelf->lock);
    if (!product)
        return SOUK_ENOENT;
    *ret_item = item;
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

bool souk_shelf_crowded(souk_shelf *shelf, uint32_t merchant, souk_text product, souk_time now)
{
    uint32_t number = souk_names_find(shelf->names, merchant, SOUK_NOUN_PRODUCT, product);
    souk_rwlock_read(&shelf->lock);
    const struct slot *slot = number ? slot_at(shelf, number) : NULL;
    bool crowded = slot && slot->product && shelf_prices_crowded(&slot->product->prices, now);
    souk_rwlock_unlock(&shelf->lock);
    return crowded;
}

uint64_t souk_shelf_count(souk_shelf *shelf)
{
    souk_rwlock_read(&shelf->lock);
    uint64_t count = shelf->product_count;
    souk_rwlock_unlock(&shelf->lock);
    return count;
}

/* ---- telling ----------------------------------------------------------------------------------------------------------- */

static souk_err check_code(souk_text code, const char *what, size_t most, souk_diag *diag)
{
    if (code.bytes == 0 || code.bytes > most || memchr(code.at, 0, code.bytes))
        return souk_diag_say(diag, SOUK_EINVAL, "%s: give 1 to %zu bytes without a NUL", what,
                             most);
    return SOUK_OK;
}

souk_err souk_price_put(souk_tx *tx, uint32_t merchant, souk_time now, const souk_price *price,
                        souk_diag *diag)
{
    SOUK_TRY(check_code(price->product, "product", SOUK_SHELF_CODE_BYTES, diag));
    if (price->store.bytes)
        SOUK_TRY(check_code(price->store, "store", SOUK_SHELF_STORE_BYTES, diag));
    if (price->list.bytes)
        SOUK_TRY(check_code(price->list, "list", SOUK_SHELF_LIST_BYTES, diag));
    if (price->until && price->until <= price->from)
        return souk_diag_say(diag, SOUK_EINVAL, "until: it lies before from");
    if (price->price.micro < 0)
        return souk_diag_say(diag, SOUK_EINVAL, "price: it is below zero");
    char currency[4];
    if (souk_currency_read(souk_text_of(price->currency), currency))
        return souk_diag_say(diag, SOUK_EINVAL, "currency: give the code of ISO 4217, as CNY");
    return souk_sql_run(
        tx,
        "INSERT INTO price (merchant, told, product, store, list, from_at, until_at, ends, price, "
        "currency) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_INT(now), SOUK_STR(price->product),
                    SOUK_STR(price->store), SOUK_STR(price->list), SOUK_INT(price->from),
                    SOUK_INT(price->until), SOUK_INT(price->ends), SOUK_INT(price->price.micro),
                    SOUK_STR(souk_text_of(currency))));
}

souk_err souk_barcode_put(souk_tx *tx, uint32_t merchant, souk_time now, souk_text code,
                          souk_text product, souk_decimal pieces, souk_diag *diag)
{
    souk_gtin gtin;
    SOUK_TRY(check_code(product, "product", SOUK_SHELF_CODE_BYTES, diag));
    SOUK_TRY(check_code(code, "code", SOUK_SHELF_CODE_BYTES, diag));
    if (pieces.micro < 0)
        return souk_diag_say(diag, SOUK_EINVAL, "pieces: it is below zero");
    if (!souk_gtin_read(code, &gtin, NULL))
        code = souk_text_of(gtin.digits);
    return souk_sql_run(
        tx,
        "INSERT INTO barcode (merchant, told, code, product, pieces) VALUES (?1, ?2, ?3, ?4, ?5)",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_INT(now), SOUK_STR(code), SOUK_STR(product),
                    SOUK_INT(pieces.micro)));
}
