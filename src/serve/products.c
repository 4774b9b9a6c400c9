/* products.c - the routes of products.h. */
#include "serve/products.h"

#include "core/product.h"
#include "serve/codes.h"

enum { VERSIONS_MOST = 1000 };

/* A product and since when it is so. */
struct told {
    souk_product product;
    souk_time since;
};

static void answer(souk_call *call, souk_err err)
{
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

static void write_text(souk_json_writer *out, const char *key, souk_text text)
{
    if (text.bytes == 0)
        return;
    souk_json_write_key(out, souk_text_of(key));
    souk_json_write_text(out, text);
}

static void write_price(souk_json_writer *out, const souk_product *product)
{
    char text[SOUK_DECIMAL_BYTES];
    if (!product->currency[0])
        return;
    write_text(out, "price", (souk_text){text, souk_decimal_write(product->price, text)});
    write_text(out, "currency", souk_text_of(product->currency));
}

static void write_product(souk_json_writer *out, souk_text code, const struct told *told)
{
    char at[SOUK_TIME_BYTES];
    souk_json_write_object(out);
    souk_json_put_text(out, "product", code);
    souk_json_put_bool(out, "described", told != NULL);
    if (told) {
        const souk_product *product = &told->product;
        write_text(out, "title", product->title);
        write_text(out, "brand", product->brand);
        write_text(out, "category", product->category);
        write_text(out, "gtin", product->gtin);
        write_price(out, product);
        write_text(out, "availability", product->availability);
        write_text(out, "url", product->url);
        write_text(out, "image", product->image);
        if (product->attributes.bytes) {
            souk_json_write_key(out, SOUK_TEXT("attributes"));
            souk_json_write_raw(out, product->attributes);
        }
        write_text(out, "since", (souk_text){at, souk_time_write(told->since, at)});
    }
    souk_json_write_end(out);
}

/* ---- one ------------------------------------------------------------------------------------------------ */

static souk_err read_code(souk_call *call, souk_text *ret_code)
{
    SOUK_TRY(souk_call_part(call, 0, ret_code));
    if (ret_code->bytes > SOUK_PRODUCT_CODE_BYTES)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "a product's code has at most %d bytes",
                             SOUK_PRODUCT_CODE_BYTES);
    return SOUK_OK;
}

static souk_err show_product(souk_call *call)
{
    struct told told;
    souk_text code;
    SOUK_TRY(read_code(call, &code));
    souk_err err = souk_product_read(souk_spine_ledger(call->spine), call->caller.merchant, code,
                                     &call->arena, &told.product, &told.since);
    bool is_seen = souk_catalogue_find(souk_spine_catalogue(call->spine), SOUK_NAME_PRODUCT,
                                       call->caller.merchant, code) != 0;
    if (err == SOUK_ENOENT && !is_seen)
        return souk_diag_say(&call->diag, err,
                             "there is no product '%.*s': GET /v1/products lists them",
                             SOUK_TEXT_PRINT(code));
    if (err && err != SOUK_ENOENT)
        return err;
    write_product(souk_call_json(call), code, err ? NULL : &told);
    return SOUK_OK;
}

static void get_product(souk_call *call)
{
    answer(call, show_product(call));
}

/* ---- versions ------------------------------------------------------------------------------------------- */

struct versions {
    souk_json_writer *out;
    size_t count;
};

static souk_err write_version(void *context, const souk_product *product, souk_time since)
{
    struct versions *versions = context;
    struct told told = {*product, since};
    if (versions->count++ < VERSIONS_MOST)
        write_product(versions->out, product->code, &told);
    return SOUK_OK;
}

static souk_err show_versions(souk_call *call)
{
    souk_text code;
    SOUK_TRY(read_code(call, &code));
    struct versions versions = {.out = souk_call_json(call)};
    souk_json_write_object(versions.out);
    souk_json_put_array(versions.out, "versions");
    SOUK_TRY(souk_product_versions(souk_spine_ledger(call->spine), call->caller.merchant, code,
                                   write_version, &versions));
    souk_json_write_end(versions.out);
    souk_json_put_u64(versions.out, "count", versions.count);
    souk_json_write_end(versions.out);
    return SOUK_OK;
}

static void get_versions(souk_call *call)
{
    answer(call, show_versions(call));
}

/* ---- all ------------------------------------------------------------------------------------------------ */

struct page {
    souk_call *call;
    souk_code_row *rows;
    size_t count;
};

static souk_text keep(souk_call *call, souk_text text)
{
    return (souk_text){souk_arena_copy(&call->arena, text.at, text.bytes), text.bytes};
}

static souk_err take_product(void *context, const souk_product *product, souk_time since)
{
    struct page *page = context;
    souk_call *call = page->call;
    struct told *told = souk_arena_get(&call->arena, sizeof *told);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    *told = (struct told){*product, since};
    souk_text *texts[] = {
        &told->product.code,     &told->product.title,        &told->product.brand,
        &told->product.category, &told->product.gtin,         &told->product.url,
        &told->product.image,    &told->product.availability, &told->product.attributes};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = keep(call, *texts[i]);
    page->rows[page->count++] = (souk_code_row){told->product.code, told};
    return call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err fetch_products(souk_call *call, souk_text after, size_t most, souk_code_row *rows,
                               size_t *ret_count)
{
    struct page page = {.call = call, .rows = rows};
    SOUK_TRY(souk_products_each(souk_spine_ledger(call->spine), call->caller.merchant, after,
                                (unsigned)most, take_product, &page));
    *ret_count = page.count;
    return SOUK_OK;
}

static souk_err write_row(souk_call *call, const souk_code_row *row, souk_json_writer *out)
{
    (void)call;
    write_product(out, row->code, row->described);
    return SOUK_OK;
}

static void get_products(souk_call *call)
{
    static const souk_code_list list = {"products", SOUK_NAME_PRODUCT, fetch_products, write_row};
    answer(call, souk_code_page(call, &list));
}

/* ---- the table ------------------------------------------------------------------------------------------- */

static const souk_shape_name shapes[] = {
    {"Product", "{product: text 'its code in events', described: boolean, title?: text, brand?: "
                "text, category?: text, gtin?: text, "
                "price?: decimal 'of one', currency?: text, availability?: text, url?: text, "
                "image?: text, attributes?: any 'what "
                "else was told', since?: time 'it is described so'}"},
};

static const souk_route routes[] = {
    {"GET", "/v1/products", SOUK_SCOPE_READ, get_products,
     .summary = "Products, in the order of their codes", .query = SOUK_CODE_QUERY,
     .sheet = "products", .gives = "{products: [Product], next_cursor?: text 'there are more'}"},
    {"GET", "/v1/products/{product}", SOUK_SCOPE_READ, get_product,
     .summary = "One product, as it is now", .gives = "Product"},
    {"GET", "/v1/products/{product}/versions", SOUK_SCOPE_READ, get_versions,
     .summary = "What was said of a product, oldest first",
     .gives = "{versions: [Product] 'the first thousand', count: integer}"},
};

const souk_service souk_products_service = {
    .name = "products",
    .words = "Products: described by their merchant, or named by events",
    .shapes = shapes,
    .shape_count = sizeof shapes / sizeof *shapes,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
};
