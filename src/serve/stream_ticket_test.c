/* stream_ticket_test.c - tickets: once, for a minute, and their owner's. */
#include "test/test.h"

#include "serve/stream_ticket.h"

static stream_tickets *make(souk_test *test)
{
    stream_tickets *tickets = souk_mem_get(test->mem, sizeof *tickets);
    SOUK_CHECK(tickets);
    stream_tickets_init(tickets);
    return tickets;
}

static void drop(souk_test *test, stream_tickets *tickets)
{
    stream_tickets_done(tickets);
    souk_mem_put(test->mem, tickets);
}

SOUK_TEST("a ticket opens one stream, its owner's")
{
    stream_tickets *tickets = make(test);
    stream_pass ann = {.caller = {.merchant = 7, .scopes = SOUK_SCOPE_READ}, .has_mark = true};
    stream_pass got = {.has_mark = false};
    char ticket[STREAM_TICKET_BYTES], other[STREAM_TICKET_BYTES];
    stream_tickets_make(tickets, &ann, 1000, ticket);
    stream_tickets_make(tickets, &ann, 1000, other);
    SOUK_CHECK(strcmp(ticket, other) && !strncmp(ticket, "souk_st_", 8) && strlen(ticket) == 40);
    SOUK_MUST(stream_tickets_take(tickets, souk_text_of(ticket), 2000, &got));
    SOUK_CHECK(got.caller.merchant == 7 && got.caller.scopes == SOUK_SCOPE_READ && got.has_mark);
    SOUK_CHECK_ERR(stream_tickets_take(tickets, souk_text_of(ticket), 2000, &got), SOUK_EUNAUTH);
    SOUK_MUST(stream_tickets_take(tickets, souk_text_of(other), 2000, &got));
    drop(test, tickets);
}

SOUK_TEST("a ticket ends after a minute, and a made-up one was none")
{
    stream_tickets *tickets = make(test);
    stream_pass pass = {.has_mark = false};
    char ticket[STREAM_TICKET_BYTES];
    stream_tickets_make(tickets, &pass, 1000, ticket);
    SOUK_CHECK_ERR(
        stream_tickets_take(tickets, souk_text_of(ticket), 1000 + STREAM_TICKET_MS, &pass),
        SOUK_EUNAUTH);
    SOUK_CHECK_ERR(stream_tickets_take(tickets, souk_text_of(ticket), 1001, &pass), SOUK_EUNAUTH);
    SOUK_CHECK_ERR(stream_tickets_take(tickets, SOUK_TEXT(""), 1001, &pass), SOUK_EUNAUTH);
    SOUK_CHECK_ERR(stream_tickets_take(
                       tickets, SOUK_TEXT("souk_st_00000000000000000000000000000000"), 1001, &pass),
                   SOUK_EUNAUTH);
    drop(test, tickets);
}

static stream_pass pass_of(unsigned token)
{
    return (stream_pass){.mark = {.low = token}, .has_mark = token > 0};
}

SOUK_TEST("a token's tickets take the place of its own oldest, and of nobody else's")
{
    stream_tickets *tickets = make(test);
    stream_pass ann = pass_of(1), bob = pass_of(2), desk = pass_of(0), got;
    char hers[STREAM_TICKET_BYTES], first[STREAM_TICKET_BYTES], second[STREAM_TICKET_BYTES],
        last[STREAM_TICKET_BYTES], local[STREAM_TICKET_BYTES];
    stream_tickets_make(tickets, &ann, 1, hers);
    stream_tickets_make(tickets, &desk, 1, local);
    stream_tickets_make(tickets, &bob, 2, first);
    stream_tickets_make(tickets, &bob, 3, second);
    for (int i = 0; i < 1100 - 2; i++)
        stream_tickets_make(tickets, &bob, 4, last);
    SOUK_CHECK_ERR(stream_tickets_take(tickets, souk_text_of(first), 5, &got), SOUK_EUNAUTH);
    SOUK_CHECK_ERR(stream_tickets_take(tickets, souk_text_of(second), 5, &got), SOUK_EUNAUTH);
    SOUK_MUST(stream_tickets_take(tickets, souk_text_of(last), 5, &got));
    SOUK_CHECK(got.mark.low == 2);
    SOUK_MUST(stream_tickets_take(tickets, souk_text_of(hers), 5, &got));
    SOUK_CHECK(got.mark.low == 1);
    SOUK_MUST(stream_tickets_take(tickets, souk_text_of(local), 5, &got));
    SOUK_CHECK(!got.has_mark);
    drop(test, tickets);
}

SOUK_TEST("there is room for so many tickets of all, and a new one takes the oldest's place")
{
    stream_tickets *tickets = make(test);
    stream_pass pass, got;
    char each[STREAM_TICKETS + 1][STREAM_TICKET_BYTES];
    for (unsigned i = 0; i <= STREAM_TICKETS; i++) {
        pass = pass_of(1 + i / STREAM_TICKETS_EACH);
        stream_tickets_make(tickets, &pass, 1 + i, each[i]);
    }
    SOUK_CHECK_ERR(stream_tickets_take(tickets, souk_text_of(each[0]), 2000, &got), SOUK_EUNAUTH);
    for (unsigned i = 1; i <= STREAM_TICKETS; i++) {
        SOUK_MUST(stream_tickets_take(tickets, souk_text_of(each[i]), 2000, &got));
        SOUK_CHECK(got.mark.low == 1 + i / STREAM_TICKETS_EACH);
    }
    /* what has ended makes room, whosever it was */
    pass = pass_of(1);
    for (unsigned i = 0; i < STREAM_TICKETS_EACH; i++)
        stream_tickets_make(tickets, &pass, 1, each[i]);
    stream_tickets_make(tickets, &pass, 2 + STREAM_TICKET_MS, each[0]);
    SOUK_MUST(stream_tickets_take(tickets, souk_text_of(each[0]), 3 + STREAM_TICKET_MS, &got));
    drop(test, tickets);
}
