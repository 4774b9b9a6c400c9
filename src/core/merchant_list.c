/* merchant_list.c - the lists of merchant.h: sources, keys and tokens, never a secret. */
#include "core/merchant_private.h"

struct listing {
    uint32_t merchant;
    bool keys;
    souk_err (*each_source)(void *context, const souk_source *source);
    souk_err (*each_secret)(void *context, const souk_secret *secret);
    void *context;
};

static souk_err list_sources(souk_tx *tx, void *context)
{
    const struct listing *listing = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(
        souk_rows_begin(tx,
                        "SELECT source, source_name.name, statement, "
                        "(SELECT count(*) FROM secret WHERE secret.source = source_name.source), "
                        "speaks FROM source_name JOIN source ON source.number = source_name.source "
                        "WHERE source_name.merchant = ?1 ORDER BY source_name.source",
                        SOUK_VALUES(SOUK_INT(listing->merchant)), &rows));
    while (souk_rows_next(&rows)) {
        souk_source source = {.number = (uint32_t)souk_rows_int(&rows, 0),
                              .name = souk_rows_text(&rows, 1),
                              .statement = souk_rows_text(&rows, 2),
                              .keys = (uint64_t)souk_rows_int(&rows, 3),
                              .speaks = (souk_speaks)souk_rows_int(&rows, 4)};
        SOUK_TRY(listing->each_source(listing->context, &source));
    }
    return souk_rows_check(&rows);
}

souk_err souk_merchants_sources(souk_merchants *merchants, uint32_t merchant,
                                souk_err (*each)(void *context, const souk_source *source),
                                void *context)
{
    struct listing listing = {.merchant = merchant, .each_source = each, .context = context};
    return souk_ledger_read(souk_spine_ledger(merchants->spine), list_sources, &listing);
}

struct naming {
    uint32_t source, merchant;
    char *name;
    size_t room;
};

static souk_err name_source(souk_tx *tx, void *context)
{
    struct naming *naming = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT merchant, name FROM source_name WHERE source = ?1",
                             SOUK_VALUES(SOUK_INT(naming->source)), &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    souk_text name = souk_rows_text(&rows, 1);
    size_t bytes = souk_min_size(name.bytes, naming->room - 1);
    naming->merchant = (uint32_t)souk_rows_int(&rows, 0);
    memcpy(naming->name, name.at, bytes);
    naming->name[bytes] = '\0';
    return SOUK_OK;
}

souk_err souk_merchants_source_of(souk_merchants *merchants, uint32_t source,
                                  uint32_t *ret_merchant, char *ret_name, size_t room)
{
    struct naming naming = {.source = source, .name = ret_name, .room = room};
    SOUK_TRY(souk_ledger_read(souk_spine_ledger(merchants->spine), name_source, &naming));
    *ret_merchant = naming.merchant;
    return SOUK_OK;
}

static souk_err list_secrets(souk_tx *tx, void *context)
{
    const struct listing *listing = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT substr(hash, 1, 6), secret.name, coalesce(source_name.name, ''), scopes, made "
        "FROM secret LEFT JOIN source_name ON source_name.source = secret.source "
        "WHERE secret.merchant = ?1 AND CASE secret.source WHEN 0 THEN 0 ELSE 1 END = ?2 "
        "ORDER BY made, secret.name",
        SOUK_VALUES(SOUK_INT(listing->merchant), SOUK_INT(listing->keys)), &rows));
    while (souk_rows_next(&rows)) {
        souk_text id = souk_rows_blob(&rows, 0);
        souk_secret secret = {.name = souk_rows_text(&rows, 1),
                              .source = souk_rows_text(&rows, 2),
                              .scopes = (unsigned)souk_rows_int(&rows, 3),
                              .made = souk_rows_int(&rows, 4)};
        if (2 * id.bytes != SOUK_SECRET_ID_BYTES - 1)
            return SOUK_ECORRUPT;
        souk_hex(id.at, id.bytes, secret.id);
        SOUK_TRY(listing->each_secret(listing->context, &secret));
    }
    return souk_rows_check(&rows);
}

souk_err souk_merchants_secrets(souk_merchants *merchants, uint32_t merchant, bool keys,
                                souk_err (*each)(void *context, const souk_secret *secret),
                                void *context)
{
    struct listing listing = {
        .merchant = merchant, .keys = keys, .each_secret = each, .context = context};
    return souk_ledger_read(souk_spine_ledger(merchants->spine), list_secrets, &listing);
}

static const char *const scope_words[] = {"write", "read", "manage", "admin", "till"};

unsigned souk_scope_of_word(souk_text word)
{
    for (unsigned i = 0; i < sizeof scope_words / sizeof *scope_words; i++)
        if (souk_text_equal(word, souk_text_of(scope_words[i])))
            return 1u << i;
    return 0;
}

const char *souk_scope_word(unsigned scope)
{
    for (unsigned i = 0; i < sizeof scope_words / sizeof *scope_words; i++)
        if (scope == 1u << i)
            return scope_words[i];
    return NULL;
}
