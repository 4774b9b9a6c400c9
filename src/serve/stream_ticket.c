/* stream_ticket.c - the table of stream_ticket.h. */
#include "serve/stream_ticket.h"

#include "base/random.h"

#include <stdio.h>

#define PREFIX "souk_st_"

static souk_hash128 hash_of(const stream_tickets *tickets, souk_text ticket)
{
    return souk_hash128_of(&tickets->key, &ticket, 1);
}

static bool same_owner(const stream_pass *a, const stream_pass *b)
{
    return a->has_mark == b->has_mark && (!a->has_mark || souk_hash128_equal(a->mark, b->mark));
}

/* Where a new ticket goes: its owner's oldest place where he has as many as he may, else the first that ends or has
 * ended. */
static struct stream_ticket *find_room(stream_tickets *tickets, const stream_pass *pass,
                                       int64_t now_ms)
{
    struct stream_ticket *first = tickets->tickets, *own = NULL;
    size_t own_count = 0;
    for (size_t i = 0; i < STREAM_TICKETS; i++) {
        struct stream_ticket *each = &tickets->tickets[i];
        if (each->until_ms < first->until_ms)
            first = each;
        if (each->until_ms <= now_ms || !same_owner(&each->pass, pass))
            continue;
        own_count++;
        if (!own || each->until_ms < own->until_ms)
            own = each;
    }
    return own_count >= STREAM_TICKETS_EACH ? own : first;
}

void stream_tickets_make(stream_tickets *tickets, const stream_pass *pass, int64_t now_ms,
                         char ret_ticket[STREAM_TICKET_BYTES])
{
    unsigned char random[16];
    char digits[33];
    souk_entropy(random, sizeof random);
    souk_hex(random, sizeof random, digits);
    digits[32] = '\0';
    snprintf(ret_ticket, STREAM_TICKET_BYTES, PREFIX "%s", digits);
    souk_auto_lock(&tickets->mutex);
    *find_room(tickets, pass, now_ms) =
        (struct stream_ticket){.hash = hash_of(tickets, souk_text_of(ret_ticket)),
                               .pass = *pass,
                               .until_ms = now_ms + STREAM_TICKET_MS};
}

souk_err stream_tickets_take(stream_tickets *tickets, souk_text ticket, int64_t now_ms,
                             stream_pass *ret_pass)
{
    souk_hash128 hash = hash_of(tickets, ticket);
    souk_auto_lock(&tickets->mutex);
    for (size_t i = 0; i < STREAM_TICKETS; i++) {
        struct stream_ticket *each = &tickets->tickets[i];
        if (!each->until_ms || !souk_hash128_equal(each->hash, hash))
            continue;
        bool in_time = now_ms < each->until_ms;
        *ret_pass = each->pass;
        *each = (struct stream_ticket){.until_ms = 0};
        return in_time ? SOUK_OK : SOUK_EUNAUTH;
    }
    return SOUK_EUNAUTH;
}

void stream_tickets_init(stream_tickets *tickets)
{
    souk_mutex_init(&tickets->mutex);
    souk_entropy(&tickets->key, sizeof tickets->key);
}

void stream_tickets_done(stream_tickets *tickets)
{
    souk_mutex_done(&tickets->mutex);
}
