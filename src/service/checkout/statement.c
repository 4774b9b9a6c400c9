/* statement.c - what moved a shopper's account, newest first; a page is read in one snapshot. */
#include "service/checkout/checkout_inside.h"

#include "service/checkout/payment_book.h"

#include "base/currency.h"

#include <stdio.h>

enum { PAGE = 50, PAGE_MOST = 200 };

struct row {
    souk_book_entry entry;
    souk_text payment;
};

struct statement {
    souk_call *call;
    souk_book book;
    int64_t account, before;
    struct row *rows; /* [most + 1]: one more tells whether there is a next page */
    size_t most, count;
};

static souk_err add_row(void *context, const souk_book_entry *entry)
{
    struct statement *statement = context;
    statement->rows[statement->count++].entry = *entry;
    return SOUK_OK;
}

static souk_err read_in(souk_tx *tx, void *context)
{
    struct statement *statement = context;
    statement->count = 0;
    SOUK_TRY(souk_books_find(tx, &statement->book, &statement->account));
    SOUK_TRY(souk_books_list(tx, statement->account, statement->before, statement->most + 1,
                             add_row, statement));
    for (size_t i = 0; i < statement->count && i < statement->most; i++)
        SOUK_TRY(souk_payment_name_of(tx, &statement->rows[i].entry, &statement->call->arena,
                                      &statement->rows[i].payment));
    return SOUK_OK;
}

static const char *word_of(enum souk_transfer_kind kind)
{
    static const char *const words[] = {
        [SOUK_TRANSFER_POST] = "posted",      [SOUK_TRANSFER_HOLD] = "held",
        [SOUK_TRANSFER_CAPTURE] = "captured", [SOUK_TRANSFER_VOID] = "voided",
        [SOUK_TRANSFER_EXPIRE] = "expired",   [SOUK_TRANSFER_REFUND] = "refunded"};
    return words[kind];
}

static void write_row(souk_json_writer *json, const struct statement *statement,
                      const struct row *row)
{
    const souk_book_entry *entry = &row->entry;
    bool frees = entry->kind == SOUK_TRANSFER_VOID || entry->kind == SOUK_TRANSFER_EXPIRE;
    bool leaves = (entry->debit == statement->account) != frees;
    souk_json_write_object(json);
    souk_json_put_u64(json, "number", (uint64_t)entry->number);
    souk_json_put_time(json, "at", entry->at);
    souk_json_put_words(json, "kind", word_of(entry->kind));
    souk_money_put(json, "amount", leaves ? -entry->amount_minor : entry->amount_minor,
                   souk_currency_exponent(statement->book.currency));
    souk_json_put_bool(json, "moved", !frees && entry->kind != SOUK_TRANSFER_HOLD);
    if (entry->kind == SOUK_TRANSFER_HOLD)
        souk_json_put_time(json, "expires", entry->due);
    if (row->payment.bytes)
        souk_json_put_text(json, "payment", row->payment);
    souk_json_write_end(json);
}

static void write_statement(const struct statement *statement)
{
    souk_call *call = statement->call;
    souk_json_writer *json = souk_call_json(call);
    bool more = statement->count > statement->most;
    souk_json_write_object(json);
    souk_json_put_words(json, "account", checkout_account_word(statement->book.kind));
    souk_json_put_words(json, "currency", statement->book.currency);
    souk_json_put_array(json, "entries");
    for (size_t i = 0; i < statement->count - more; i++)
        write_row(json, statement, &statement->rows[i]);
    souk_json_write_end(json);
    if (more) {
        char cursor[24];
        int64_t last = statement->rows[statement->most - 1].entry.number;
        snprintf(cursor, sizeof cursor, "%lld", (long long)last);
        souk_json_put_words(json, "next_cursor", cursor);
        souk_call_link_next_u64(call, "cursor", (uint64_t)last);
    }
    souk_json_write_end(json);
}

static souk_err read_statement(struct statement *statement)
{
    souk_call *call = statement->call;
    souk_text cursor;
    uint64_t before = 0;
    SOUK_TRY(souk_call_limit(call, PAGE, PAGE_MOST, &statement->most));
    if (souk_call_query(call, SOUK_TEXT("cursor"), &cursor) &&
        (souk_text_to_u64(cursor, &before) || before == 0 || before > INT64_MAX))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "query field 'cursor': send the next_cursor of the page before");
    statement->before = (int64_t)before;
    SOUK_TRY(checkout_account_of_path(call, &statement->book));
    statement->rows = souk_arena_get(&call->arena, (statement->most + 1) * sizeof *statement->rows);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    return souk_ledger_read(souk_spine_ledger(call->spine), read_in, statement);
}

void checkout_entries(souk_call *call)
{
    struct statement statement = {.call = call};
    souk_err err = read_statement(&statement);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    write_statement(&statement);
    souk_call_answer(call, 200);
}
