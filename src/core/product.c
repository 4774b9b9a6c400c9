/* product.c - the table of product.h: a row is one version of one product. */
#include "core/product.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"

static const souk_migration product_steps[] = {
    {1, "CREATE TABLE product ("
        "  id           INTEGER PRIMARY KEY,"
        "  merchant     INTEGER NOT NULL CHECK (merchant > 0)," /* whose code it is */
        "  code         TEXT NOT NULL CHECK (code <> ''),"      /* byte for byte as it came */
        "  since        INTEGER NOT NULL," /* ms UTC; the newest version holds */
        "  title        TEXT NOT NULL,"
        "  brand        TEXT NOT NULL,"
        "  category     TEXT NOT NULL," /* levels parted by ' > ' */
        "  gtin         TEXT NOT NULL,"
        "  url          TEXT NOT NULL,"
        "  image        TEXT NOT NULL,"
        "  availability TEXT NOT NULL,"
        "  attributes   TEXT NOT NULL," /* a JSON object, or nothing */
        "  price        INTEGER,"       /* 1e-6 of the currency; NULL: not told */
        "  currency     TEXT NOT NULL CHECK ((currency = '') = (price IS NULL)),"
        "  sum          INTEGER NOT NULL," /* 64 bits over code and all that was told */
        "  UNIQUE (merchant, code, since)"
        ")"},
};

souk_err souk_products_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "product", product_steps,
                               sizeof product_steps / sizeof *product_steps, diag);
}

/* ---- one product ------------------------------------------------------------------------------------- */

static int64_t sum_of(const souk_product *product)
{
    static const souk_hash_key plain_key = {{'p', 'r', 'o', 'd', 'u', 'c', 't'}};
    char price[8];
    souk_put_u64(price, (uint64_t)product->price.micro);
    bool has_price = product->currency[0] != '\0';
    souk_text names[] = {product->code,     product->title, product->brand,
                         product->category, product->gtin,  product->availability};
    souk_hash128 named = souk_hash128_of(&plain_key, names, sizeof names / sizeof *names);
    souk_text all[] = {{(const char *)&named, sizeof named},
                       product->url,
                       product->image,
                       product->attributes,
                       {price, has_price ? sizeof price : 0},
                       souk_text_of(product->currency)};
    return (int64_t)souk_hash128_of(&plain_key, all, sizeof all / sizeof *all).low;
}

souk_err souk_product_check(const souk_product *product, souk_diag *diag)
{
    const struct {
        const char *name;
        souk_text text;
        size_t most;
    } texts[] = {{"code", product->code, SOUK_PRODUCT_CODE_BYTES},
                 {"title", product->title, SOUK_PRODUCT_TEXT_BYTES},
                 {"brand", product->brand, SOUK_PRODUCT_TEXT_BYTES},
                 {"category", product->category, SOUK_PRODUCT_TEXT_BYTES},
                 {"gtin", product->gtin, SOUK_PRODUCT_TEXT_BYTES},
                 {"url", product->url, SOUK_PRODUCT_URL_BYTES},
                 {"image", product->image, SOUK_PRODUCT_URL_BYTES},
                 {"availability", product->availability, SOUK_PRODUCT_TEXT_BYTES},
                 {"attributes", product->attributes, SOUK_PRODUCT_ATTRIBUTES_BYTES}};
    if (product->code.bytes == 0)
        return souk_diag_say(diag, SOUK_EINVAL, "the product has no code: give it one");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].text.bytes > texts[i].most)
            return souk_diag_say(diag, SOUK_EINVAL, "%s has more than %zu bytes: shorten it",
                                 texts[i].name, texts[i].most);
        if (!souk_utf8_valid(texts[i].text) ||
            (texts[i].text.bytes && memchr(texts[i].text.at, 0, texts[i].text.bytes)))
            return souk_diag_say(diag, SOUK_EINVAL, "%s is not UTF-8, or has a NUL: mend it",
                                 texts[i].name);
    }
    return SOUK_OK;
}

/* Since when the newest version holds; SOUK_ENOENT: there is none. */
static souk_err newest(souk_tx *tx, uint32_t merchant, souk_text code, souk_time *ret_since,
                       int64_t *ret_sum)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT since, sum FROM product WHERE merchant = ?1 AND code = ?2 "
                             "ORDER BY since DESC LIMIT 1",
                             SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(code)), &rows));
    if (!souk_rows_next(&rows)) {
        souk_err err = souk_rows_check(&rows);
        return err ? err : SOUK_ENOENT;
    }
    *ret_since = souk_rows_int(&rows, 0);
    *ret_sum = souk_rows_int(&rows, 1);
    return SOUK_OK;
}

souk_err souk_product_put(souk_tx *tx, uint32_t merchant, souk_time at, const souk_product *product,
                          bool *ret_changed)
{
    souk_time since = at, before = 0;
    int64_t sum = sum_of(product), sum_before = 0;
    *ret_changed = false;
    SOUK_TRY(souk_product_check(product, NULL));
    souk_err err = newest(tx, merchant, product->code, &before, &sum_before);
    if (err && err != SOUK_ENOENT)
        return err;
    if (!err && sum_before == sum)
        return SOUK_OK;
    if (!err && before >= since)
        since = before + 1; /* the clock stood still, or went back: what is told last holds */
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO product (merchant, code, since, title, brand, category, gtin, url, image, "
        "availability, attributes, price, currency, sum) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(product->code), SOUK_INT(since),
                    SOUK_STR(product->title), SOUK_STR(product->brand), SOUK_STR(product->category),
                    SOUK_STR(product->gtin), SOUK_STR(product->url), SOUK_STR(product->image),
                    SOUK_STR(product->availability), SOUK_STR(product->attributes),
                    product->currency[0] ? SOUK_INT(product->price.micro) : SOUK_NULL,
                    SOUK_STR(souk_text_of(product->currency)), SOUK_INT(sum))));
    *ret_changed = true;
    return SOUK_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

#define PRODUCT_COLUMNS                                                                        \
    "code, since, title, brand, category, gtin, url, image, availability, attributes, price, " \
    "currency"

/* The columns above; texts live until the next row. */
static void take_row(souk_rows *rows, souk_product *product, souk_time *ret_since)
{
    *product = (souk_product){.code = souk_rows_text(rows, 0),
                              .title = souk_rows_text(rows, 2),
                              .brand = souk_rows_text(rows, 3),
                              .category = souk_rows_text(rows, 4),
                              .gtin = souk_rows_text(rows, 5),
                              .url = souk_rows_text(rows, 6),
                              .image = souk_rows_text(rows, 7),
                              .availability = souk_rows_text(rows, 8),
                              .attributes = souk_rows_text(rows, 9),
                              .price = {souk_rows_int(rows, 10)}};
    souk_text currency = souk_rows_text(rows, 11);
    if (currency.bytes == 3)
        memcpy(product->currency, currency.at, 3);
    *ret_since = souk_rows_int(rows, 1);
}

struct looking {
    uint32_t merchant;
    souk_text code;
    unsigned most;
    souk_product_each *each;
    void *context;
};

static souk_err tell_rows(souk_rows *rows, const struct looking *looking)
{
    while (souk_rows_next(rows)) {
        souk_product product;
        souk_time since;
        take_row(rows, &product, &since);
        SOUK_TRY(looking->each(looking->context, &product, since));
    }
    return souk_rows_check(rows);
}

static souk_err each_product(souk_tx *tx, void *context)
{
    const struct looking *looking = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT " PRODUCT_COLUMNS " FROM product AS p WHERE merchant = ?1 AND code > ?2 AND since "
        "= (SELECT max(since) FROM product WHERE merchant = ?1 AND code = p.code) "
        "ORDER BY code LIMIT ?3",
        SOUK_VALUES(SOUK_INT(looking->merchant), SOUK_STR(looking->code), SOUK_INT(looking->most)),
        &rows));
    return tell_rows(&rows, looking);
}

souk_err souk_products_each(souk_ledger *ledger, uint32_t merchant, souk_text after_code,
                            unsigned most, souk_product_each *each, void *context)
{
    struct looking looking = {merchant, after_code, most, each, context};
    return souk_ledger_read(ledger, each_product, &looking);
}

static souk_err each_version(souk_tx *tx, void *context)
{
    const struct looking *looking = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT " PRODUCT_COLUMNS " FROM product WHERE merchant = ?1 AND "
                             "code = ?2 ORDER BY since",
                             SOUK_VALUES(SOUK_INT(looking->merchant), SOUK_STR(looking->code)),
                             &rows));
    return tell_rows(&rows, looking);
}

souk_err souk_product_versions(souk_ledger *ledger, uint32_t merchant, souk_text code,
                               souk_product_each *each, void *context)
{
    struct looking looking = {merchant, code, 0, each, context};
    return souk_ledger_read(ledger, each_version, &looking);
}

souk_err souk_products_told(souk_tx *tx, int64_t after_id, unsigned most,
                            souk_err (*each)(void *context, int64_t id, uint32_t merchant,
                                             const souk_product *product),
                            void *context)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT " PRODUCT_COLUMNS
                             ", id, merchant FROM product WHERE id > ?1 ORDER BY id LIMIT ?2",
                             SOUK_VALUES(SOUK_INT(after_id), SOUK_INT(most)), &rows));
    while (souk_rows_next(&rows)) {
        souk_product product;
        souk_time since;
        take_row(&rows, &product, &since);
        SOUK_TRY(
            each(context, souk_rows_int(&rows, 12), (uint32_t)souk_rows_int(&rows, 13), &product));
    }
    return souk_rows_check(&rows);
}

struct keeping {
    souk_arena *arena;
    souk_product *product;
    souk_time since;
    bool found;
};

static souk_err keep_newest(void *context, const souk_product *product, souk_time since)
{
    struct keeping *keeping = context;
    *keeping->product = *product;
    souk_text *texts[] = {&keeping->product->code,      &keeping->product->title,
                          &keeping->product->brand,     &keeping->product->category,
                          &keeping->product->gtin,      &keeping->product->url,
                          &keeping->product->image,     &keeping->product->availability,
                          &keeping->product->attributes};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        texts[i]->at = souk_arena_copy(keeping->arena, texts[i]->at, texts[i]->bytes);
    keeping->since = since;
    keeping->found = true;
    return keeping->arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err read_newest(souk_tx *tx, void *context)
{
    const struct looking *looking = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT " PRODUCT_COLUMNS " FROM product WHERE merchant = ?1 AND "
                             "code = ?2 ORDER BY since DESC LIMIT 1",
                             SOUK_VALUES(SOUK_INT(looking->merchant), SOUK_STR(looking->code)),
                             &rows));
    return tell_rows(&rows, looking);
}

souk_err souk_product_read(souk_ledger *ledger, uint32_t merchant, souk_text code,
                           souk_arena *arena, souk_product *ret_product, souk_time *ret_since)
{
    souk_product found;
    struct keeping keeping = {.arena = arena, .product = &found};
    struct looking looking = {merchant, code, 0, keep_newest, &keeping};
    SOUK_TRY(souk_ledger_read(ledger, read_newest, &looking));
    if (!keeping.found)
        return SOUK_ENOENT;
    *ret_product = found;
    if (ret_since)
        *ret_since = keeping.since;
    return SOUK_OK;
}

struct counting {
    uint32_t merchant;
    int64_t count;
};

static souk_err count_products(souk_tx *tx, void *context)
{
    struct counting *counting = context;
    return souk_sql_one_int(tx, "SELECT count(DISTINCT code) FROM product WHERE merchant = ?1",
                            SOUK_VALUES(SOUK_INT(counting->merchant)), &counting->count);
}

souk_err souk_products_count(souk_ledger *ledger, uint32_t merchant, uint64_t *ret_count)
{
    struct counting counting = {.merchant = merchant};
    SOUK_TRY(souk_ledger_read(ledger, count_products, &counting));
    *ret_count = (uint64_t)counting.count;
    return SOUK_OK;
}

/* ---- verify ------------------------------------------------------------------------------------------- */

enum { VERIFY_PAGE = 500 }; /* rows of one read: it stays short */

struct verifying {
    int64_t after; /* id of the last row looked at */
    bool more;
    souk_json_doc doc;
    souk_diag *diag;
};

static souk_err verify_row(struct verifying *v, const souk_product *product, int64_t sum)
{
    souk_diag words = {.words = ""};
    const char *fault = NULL;
    souk_err err = souk_product_check(product, &words);
    if (err)
        fault = words.words;
    else if (sum != sum_of(product))
        fault = "it is not what was stored";
    else if (product->attributes.bytes) {
        err = souk_json_read(&v->doc, product->attributes, NULL, NULL);
        if (err == SOUK_ENOMEM)
            return err;
        if (err || souk_json_type(&v->doc, souk_json_root(&v->doc)) != SOUK_JSON_OBJECT)
            fault = "its attributes are no JSON object";
    }
    return fault ? souk_diag_say(v->diag, SOUK_ECORRUPT,
                                 "product '%.*s' (row %lld): %s: restore the ledger from a backup",
                                 SOUK_TEXT_PRINT(product->code), (long long)v->after, fault)
                 : SOUK_OK;
}

static souk_err verify_page(souk_tx *tx, void *context)
{
    struct verifying *v = context;
    souk_auto_value(souk_rows) rows = {0};
    unsigned count = 0;
    SOUK_TRY(souk_rows_begin(
        tx, "SELECT " PRODUCT_COLUMNS ", id, sum FROM product WHERE id > ?1 ORDER BY id LIMIT ?2",
        SOUK_VALUES(SOUK_INT(v->after), SOUK_INT(VERIFY_PAGE)), &rows));
    for (; souk_rows_next(&rows); count++) {
        souk_product product;
        souk_time since;
        take_row(&rows, &product, &since);
        v->after = souk_rows_int(&rows, 12);
        SOUK_TRY(verify_row(v, &product, souk_rows_int(&rows, 13)));
    }
    v->more = count == VERIFY_PAGE;
    return souk_rows_check(&rows);
}

souk_err souk_products_verify(souk_mem *mem, souk_ledger *ledger, souk_diag *diag)
{
    struct verifying v = {.more = true, .doc = {.mem = mem}, .diag = diag};
    souk_err err = SOUK_OK;
    while (v.more && !err)
        err = souk_ledger_read(ledger, verify_page, &v);
    souk_json_doc_done(&v.doc);
    return err;
}
