/* event.h - what a door hands to the writer: one immutable fact, as views into the door's bytes.
 *
 *     souk_event event = {.received = now, .at = at, .type = SOUK_TEXT("Order Completed")};
 *     souk_event_identify(&event, &hashes, SOUK_ID_USER, SOUK_TEXT("u-17"));
 *     event.message = souk_hashes_message(&hashes, source, SOUK_TEXT("node-next-1"));
 *     batch.events[batch.count++] = event;
 *
 * An event carries at most SOUK_EVENT_IDS identifiers and SOUK_EVENT_LINES basket lines.  All texts
 * are slices that live until the batch is done (spine.h).
 *
 * The strength of identifiers is their order below: an event belongs to the atom of its strongest
 * one (people.h).  Kinds up to SOUK_ID_OPEN are durable: they make a shopper of a visitor. */
#ifndef SOUK_CORE_EVENT_H
#define SOUK_CORE_EVENT_H

#include "base/decimal.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"

/*     name       word in JSON and commands */
#define SOUK_ID_TABLE(X)      \
    X(USER, "user")           \
    X(CARD, "card")           \
    X(PHONE, "phone")         \
    X(EMAIL, "email")         \
    X(OPEN, "open")           \
    X(DEVICE, "device")       \
    X(ANONYMOUS, "anonymous") \
    X(PUBLIC, "public")

typedef enum souk_id_kind {
    SOUK_ID_NONE = 0,
#define SOUK_ID_ENUM(name, word) SOUK_ID_##name,
    SOUK_ID_TABLE(SOUK_ID_ENUM)
#undef SOUK_ID_ENUM
        SOUK_ID_KINDS
} souk_id_kind;

const char *souk_id_word(souk_id_kind kind);
/* SOUK_ID_NONE where the word is unknown. */
souk_id_kind souk_id_of_word(souk_text word);
static inline bool souk_id_is_durable(souk_id_kind kind)
{
    return kind >= SOUK_ID_USER && kind <= SOUK_ID_OPEN;
}

enum {
    SOUK_EVENT_IDS = SOUK_ID_KINDS - 1, /* one of each kind */
    SOUK_EVENT_LINES = 200,
    SOUK_EVENT_NAME_BYTES = 100, /* types, stores, categories, product codes */
    SOUK_ID_BYTES = 256,         /* an identifier's text */
};

/* The keys under which identifiers and message ids are hashed; from the vault's named slots. */
typedef struct souk_hashes {
    souk_hash_key identifiers, messages;
} souk_hashes;

typedef struct souk_identifier {
    souk_text value; /* normalised: e-mail lower case and trimmed, phone digits with '+' */
    souk_hash128 hash;
    souk_id_kind kind;
} souk_identifier;

/* One product of a basket.  amount is the line's total, not the unit price. */
typedef struct souk_line {
    souk_text product, category, name; /* code; may be empty */
    souk_decimal quantity, amount;
} souk_line;

/* What an event does to the counters of a profile. */
enum souk_event_flags {
    SOUK_EVENT_ORDER = 1,     /* the first event of an order: counts one order */
    SOUK_EVENT_CANCELLED = 2, /* counts one cancelled order */
    SOUK_EVENT_SALE = 4,      /* its amount is revenue and its lines are units sold or returned */
    SOUK_EVENT_ROUNDED = 8,   /* a money field had more than six decimals, rounded half-even */
};

typedef struct souk_event {
    souk_hash128 message; /* the event's identity: keyed hash of (source, message id) */
    souk_time at, received;
    souk_text type, store;
    souk_decimal amount;
    char currency[4]; /* as souk_currency_read gives it (base/currency.h), or "" */
    uint8_t flags;
    uint8_t id_count;
    uint16_t line_count;
    /* What the person says with it about her data (consent.h): bits of fixed purposes, SOUK_PURPOSE_SERVE's is
     * ignored; a souk_age. */
    uint16_t granted, refused;
    uint8_t age;
    souk_identifier ids[SOUK_EVENT_IDS]; /* strongest first */
    const souk_line *lines;
    souk_text packed; /* the source's own text, packed (pack.h) */
} souk_event;

/* The identity of an event, and the blind index of an identifier. */
souk_hash128 souk_hashes_message(const souk_hashes *hashes, uint32_t source, souk_text message_id);
souk_hash128 souk_hashes_identifier(const souk_hashes *hashes, souk_id_kind kind, souk_text value);

/* The value as identifiers are compared: trimmed; e-mail with ASCII letters in lower case; phone
 * without spaces, dots, dashes, slashes and round brackets, "00" before more read as "+".  Writes at
 * most SOUK_ID_BYTES to `room` where it must differ.
 * SOUK_EINVAL: empty, too long, not UTF-8, or has control characters (C0, DEL, C1). */
SOUK_CHECKED souk_err souk_id_normalise(souk_id_kind kind, souk_text value,
                                        char room[SOUK_ID_BYTES], souk_text *ret_value);

/* Adds an identifier in its place by strength; the value must be normalised and outlive the event.
 * A second one of the same kind is ignored: the first that the source names counts. */
void souk_event_identify(souk_event *event, const souk_hashes *hashes, souk_id_kind kind,
                         souk_text value);

#endif
