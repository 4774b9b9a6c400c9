/* document.c - one table; a deleted document leaves its version behind. */
#include "core/document.h"

static const souk_migration document_steps[] = {
    {1, "CREATE TABLE document ("
        "  kind     TEXT NOT NULL,"                         /* 'store' */
        "  merchant INTEGER NOT NULL CHECK (merchant > 0)," /* whose it is */
        "  key      TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 200),"
        "  version  INTEGER NOT NULL CHECK (version > 0)," /* counts up, over deletions too */
        "  at       INTEGER NOT NULL,"                     /* ms UTC of this version */
        "  text     TEXT,"                                 /* JSON; NULL: deleted */
        "  PRIMARY KEY (kind, merchant, key)"
        ") WITHOUT ROWID"},
};

souk_err souk_documents_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "document", document_steps,
                               sizeof document_steps / sizeof *document_steps, diag);
}

struct change {
    const souk_document *document;
    bool deletes;
    uint64_t expected, version;
    int64_t now_ms;
};

/* The version that is there, 0: none; *ret_last: of a deleted one, too. */
static souk_err read_version(souk_tx *tx, const souk_document *document, uint64_t *ret_there,
                             uint64_t *ret_last)
{
    souk_auto_value(souk_rows) rows = {0};
    *ret_there = *ret_last = 0;
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT version, text IS NULL FROM document "
                             "WHERE kind = ?1 AND merchant = ?2 AND key = ?3",
                             SOUK_VALUES(SOUK_STR(document->kind), SOUK_INT(document->merchant),
                                         SOUK_STR(document->key)),
                             &rows));
    if (souk_rows_next(&rows)) {
        *ret_last = (uint64_t)souk_rows_int(&rows, 0);
        *ret_there = souk_rows_int(&rows, 1) ? 0 : *ret_last;
    }
    return souk_rows_check(&rows);
}

static souk_err write_change(souk_tx *tx, void *context)
{
    struct change *change = context;
    const souk_document *document = change->document;
    uint64_t there, last;
    SOUK_TRY(read_version(tx, document, &there, &last));
    if (change->expected != SOUK_DOCUMENT_ANY && change->expected != there)
        return SOUK_ECHANGED;
    if (change->deletes && there == 0)
        return SOUK_ENOENT;
    change->version = last + 1;
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO document (kind, merchant, key, version, at, text) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (kind, merchant, key) DO UPDATE "
        "SET version = ?4, at = ?5, text = ?6 WHERE document.version = ?7",
        SOUK_VALUES(SOUK_STR(document->kind), SOUK_INT(document->merchant), SOUK_STR(document->key),
                    SOUK_INT((int64_t)change->version), SOUK_INT(change->now_ms),
                    change->deletes ? SOUK_NULL : SOUK_STR(document->text),
                    SOUK_INT((int64_t)last))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ERETRY; /* somebody was quicker */
}

static souk_err check_document(const souk_document *document)
{
    if (document->key.bytes == 0 || document->key.bytes > SOUK_DOCUMENT_KEY_BYTES)
        return SOUK_EINVAL;
    return document->text.bytes > SOUK_DOCUMENT_BYTES ? SOUK_ETOOBIG : SOUK_OK;
}

souk_err souk_document_write(souk_tx *tx, souk_document *document, int64_t now_ms)
{
    struct change change = {.document = document, .expected = SOUK_DOCUMENT_ANY, .now_ms = now_ms};
    SOUK_TRY(check_document(document));
    SOUK_TRY(write_change(tx, &change));
    document->version = change.version;
    return SOUK_OK;
}

souk_err souk_documents_put(souk_ledger *ledger, const souk_document *document, uint64_t expected,
                            int64_t now_ms, uint64_t *ret_version)
{
    struct change change = {.document = document, .expected = expected, .now_ms = now_ms};
    SOUK_TRY(check_document(document));
    SOUK_TRY(souk_ledger_write(ledger, SOUK_LANE_INGEST, write_change, &change));
    *ret_version = change.version;
    return SOUK_OK;
}

souk_err souk_documents_delete(souk_ledger *ledger, souk_text kind, uint32_t merchant,
                               souk_text key, uint64_t expected, int64_t now_ms)
{
    souk_document document = {.kind = kind, .merchant = merchant, .key = key};
    struct change change = {
        .document = &document, .deletes = true, .expected = expected, .now_ms = now_ms};
    return souk_ledger_write(ledger, SOUK_LANE_INGEST, write_change, &change);
}

struct reading {
    souk_document document;
    souk_text after;
    size_t limit;
    souk_buf *text;
    souk_err (*each)(void *context, const souk_document *document);
    void *context;
};

static souk_err read_one(souk_tx *tx, void *context)
{
    struct reading *reading = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT version, text FROM document "
                             "WHERE kind = ?1 AND merchant = ?2 AND key = ?3 AND text IS NOT NULL",
                             SOUK_VALUES(SOUK_STR(reading->document.kind),
                                         SOUK_INT(reading->document.merchant),
                                         SOUK_STR(reading->document.key)),
                             &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    reading->document.version = (uint64_t)souk_rows_int(&rows, 0);
    souk_buf_text(reading->text, souk_rows_text(&rows, 1));
    return souk_buf_check(reading->text);
}

souk_err souk_document_read(souk_tx *tx, souk_document *document, souk_buf *ret_text)
{
    struct reading reading = {.document = *document, .text = ret_text};
    SOUK_TRY(read_one(tx, &reading));
    document->version = reading.document.version;
    return SOUK_OK;
}

souk_err souk_documents_get(souk_ledger *ledger, souk_text kind, uint32_t merchant, souk_text key,
                            uint64_t *ret_version, souk_buf *ret_text)
{
    struct reading reading = {.document = {.kind = kind, .merchant = merchant, .key = key},
                              .text = ret_text};
    SOUK_TRY(souk_ledger_read(ledger, read_one, &reading));
    *ret_version = reading.document.version;
    return SOUK_OK;
}

static souk_err read_list(souk_tx *tx, void *context)
{
    struct reading *reading = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT key, version, text FROM document WHERE kind = ?1 AND merchant = ?2 AND key > ?3 "
        "AND text IS NOT NULL ORDER BY key LIMIT ?4",
        SOUK_VALUES(SOUK_STR(reading->document.kind), SOUK_INT(reading->document.merchant),
                    SOUK_STR(reading->after), SOUK_INT((int64_t)reading->limit)),
        &rows));
    while (souk_rows_next(&rows)) {
        souk_document document = reading->document;
        document.key = souk_rows_text(&rows, 0);
        document.version = (uint64_t)souk_rows_int(&rows, 1);
        document.text = souk_rows_text(&rows, 2);
        SOUK_TRY(reading->each(reading->context, &document));
    }
    return souk_rows_check(&rows);
}

souk_err souk_documents_list(souk_ledger *ledger, souk_text kind, uint32_t merchant,
                             souk_text after, size_t limit,
                             souk_err (*each)(void *context, const souk_document *document),
                             void *context)
{
    struct reading reading = {.document = {.kind = kind, .merchant = merchant},
                              .after = after,
                              .limit = limit,
                              .each = each,
                              .context = context};
    return souk_ledger_read(ledger, read_list, &reading);
}
