/* merchant.h - who may speak: merchant accounts, sources with write keys, tokens with scopes.
 *
 *     SOUK_TRY(souk_merchants_open(mem, spine, &merchants, diag));
 *     SOUK_TRY(souk_merchants_found(merchants, name, &secrets));           once, by `souk init`
 *     souk_caller caller;
 *     SOUK_TRY(souk_merchants_write_key(merchants, key, &caller));         SOUK_EUNAUTH
 *     SOUK_TRY(souk_merchants_token(merchants, token, SOUK_SCOPE_READ, &caller));
 *
 * Merchant 1 is the operator.  A source is one sender of events (a web shop, a till system, an import
 * job) and states, when it is made, on which bases its events may be used; it never changes what it stated: a
 * new statement is a new source, so that folds can be repeated exactly.  For whom its events may say yes
 * (souk_speaks) is the merchant's setting, and counts from the next event on.
 * Write keys are public (they stand in web pages): they only write.  Tokens are secret, shown once and
 * stored as a keyed hash; comparing them takes the same time whatever they are.  Each merchant names its own:
 * a name is free where another merchant has it, too; a token and a write key of one merchant never share one.
 *
 * Texts    write key "souk_wk_" and 32 hexadecimal digits; token "souk_at_" and 64.  The id of either is the
 *          first 12 digits of its keyed hash: it names the secret and tells nothing about it
 * Threads  any; looking up takes a read lock and one hash. */
#ifndef SOUK_CORE_MERCHANT_H
#define SOUK_CORE_MERCHANT_H

#include "core/spine.h"

typedef struct souk_merchants souk_merchants;

enum souk_scope {                        /* bits */
                  SOUK_SCOPE_WRITE = 1,  /* events */
                  SOUK_SCOPE_READ = 2,   /* shoppers, profiles, timelines, statistics */
                  SOUK_SCOPE_MANAGE = 4, /* merges, consent, erasure, rejects */
                  SOUK_SCOPE_ADMIN = 8,  /* sources, keys, tokens, jobs */
                  SOUK_SCOPE_TILL = 16,  /* baskets: prices, sales, returns, coupons */
                  SOUK_SCOPE_ALL = 31,
};

enum { SOUK_WRITE_KEY_BYTES = 41, SOUK_TOKEN_BYTES = 73, SOUK_SECRET_ID_BYTES = 13 }; /* with NUL */

typedef struct souk_caller {
    uint32_t merchant, source; /* source 0 for tokens */
    unsigned scopes;
} souk_caller;

/* What a source states about its events, kept as the importer's or the shop's own statement. */
typedef struct souk_statement {
    souk_basis bases[SOUK_PURPOSE_FIXED]; /* SOUK_BASIS_NONE: nothing stated */
    souk_age age;                         /* of all its shoppers */
    souk_speaks speaks;                   /* of a new source; no part of what it states */
} souk_statement;

typedef struct souk_secrets {
    char operator_id[33]; /* public id of the deployment */
    char admin_token[SOUK_TOKEN_BYTES];
    char write_key[SOUK_WRITE_KEY_BYTES];
} souk_secrets;

SOUK_CHECKED souk_err souk_merchants_open(souk_mem *mem, souk_spine *spine,
                                          souk_merchants **ret_merchants, souk_diag *diag);
void souk_merchants_free(souk_merchants *merchants);
SOUK_AUTO(souk_merchants)

/* The operator with a first admin token and a first source "web", whose write key states
 * serve=contract; all of it or nothing.  SOUK_EEXIST. */
SOUK_CHECKED souk_err souk_merchants_found(souk_merchants *merchants, souk_text name,
                                           souk_secrets *ret_secrets);
/* The deployment's public id.  SOUK_ENOENT before it was founded. */
SOUK_CHECKED souk_err souk_merchants_operator(souk_merchants *merchants, char ret_id[33]);

/* For who makes a source without one, behind its name. */
#define SOUK_NO_BASIS_WORDS                                                                     \
    "states no basis: its shoppers' data is stored, and may be used for nothing until each of " \
    "them says yes (`souk consent`).  A source states it once: make it with --basis, such as "  \
    "--basis serve=contract"

/* A source of this name, or the one there is with the same statement (an import run again);
 * SOUK_ECONFLICT: there is one by that name with another statement.  SOUK_EINVAL: the name has control characters.
 *  ret_write_key may be NULL. */
SOUK_CHECKED souk_err souk_merchants_source(souk_merchants *merchants, uint32_t merchant,
                                            souk_text name, const souk_statement *statement,
                                            uint32_t *ret_source,
                                            char ret_write_key[SOUK_WRITE_KEY_BYTES]);
/* For whom the merchant's source of that name speaks from now on.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_merchants_speaks(souk_merchants *merchants, uint32_t merchant,
                                            souk_text source, souk_speaks speaks);
/* Another key of a source that is there; all of them work until they are revoked.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_merchants_add_key(souk_merchants *merchants, uint32_t merchant,
                                             souk_text source,
                                             char ret_write_key[SOUK_WRITE_KEY_BYTES]);
/* An empty name: its id.  SOUK_EEXIST: a secret of this name works. */
SOUK_CHECKED souk_err souk_merchants_add_token(souk_merchants *merchants, uint32_t merchant,
                                               souk_text name, unsigned scopes,
                                               char ret_token[SOUK_TOKEN_BYTES]);
/* The merchant's token or write key of that name; works 0 seconds later.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_merchants_revoke(souk_merchants *merchants, uint32_t merchant,
                                            souk_text name);
/* The same by its id, where it is a write key (or a token). */
SOUK_CHECKED souk_err souk_merchants_revoke_id(souk_merchants *merchants, uint32_t merchant,
                                               bool is_key, souk_text id);

SOUK_CHECKED souk_err souk_merchants_write_key(souk_merchants *merchants, souk_text key,
                                               souk_caller *ret_caller);
/* SOUK_EUNAUTH: no such token.  SOUK_EDENIED: it lacks a scope.  Where a secret is refused,
 * *ret_caller keeps its old value. */
SOUK_CHECKED souk_err souk_merchants_token(souk_merchants *merchants, souk_text token,
                                           unsigned scopes, souk_caller *ret_caller);

/* What stands for a token that was shown once, without its secret: who holds a stream open asks again. */
souk_hash128 souk_merchants_mark(const souk_merchants *merchants, souk_text token);
/* Whether the token still works and has the scopes. */
bool souk_merchants_mark_works(souk_merchants *merchants, souk_hash128 mark, unsigned scopes);

/* ---- lists -------------------------------------------------------------------------------------- */

void souk_merchants_secret_id(const souk_merchants *merchants, souk_text secret,
                              char ret_id[SOUK_SECRET_ID_BYTES]);

typedef struct souk_source { /* what lists tell of one; texts live until `each` returns */
    uint32_t number;
    souk_text name, statement; /* "serve=contract age=unknown" */
    uint64_t keys;             /* that work */
    souk_speaks speaks;
} souk_source;
typedef struct souk_secret {
    char id[SOUK_SECRET_ID_BYTES];
    souk_text name, source; /* source: name of a write key's source */
    unsigned scopes;
    souk_time made; /* 0: not known */
} souk_secret;
/* Calls each with the merchant's sources by number; its keys, or its tokens, by time.  In a read of the
 * ledger: keep `each` short.  An error of `each` ends the list with it. */
SOUK_CHECKED souk_err souk_merchants_sources(souk_merchants *merchants, uint32_t merchant,
                                             souk_err (*each)(void *context,
                                                              const souk_source *source),
                                             void *context);
/* Whose source it is and its name, cut to fit, with a NUL.  SOUK_ENOENT: none has this number. */
SOUK_CHECKED souk_err souk_merchants_source_of(souk_merchants *merchants, uint32_t source,
                                               uint32_t *ret_merchant, char *ret_name, size_t room);
SOUK_CHECKED souk_err
souk_merchants_secrets(souk_merchants *merchants, uint32_t merchant, bool keys,
                       souk_err (*each)(void *context, const souk_secret *secret), void *context);

/* SOUK_SCOPE_READ of "read": a word for each bit of a token.  0, and NULL, where there is none. */
unsigned souk_scope_of_word(souk_text word);
const char *souk_scope_word(unsigned scope);

/* "profile=consent", "serve=contract": one `--basis`.  SOUK_EINVAL with words. */
SOUK_CHECKED souk_err souk_statement_read(souk_statement *statement, souk_text purpose_basis,
                                          souk_diag *diag);

#endif
