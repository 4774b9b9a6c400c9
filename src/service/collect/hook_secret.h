/* hook_secret.h - the secrets under which web shops sign their hooks, and whose events they bring.
 *
 *     SOUK_TRY(souk_hook_secrets_open(mem, spine, &secrets));
 *     SOUK_TRY(souk_hook_secrets_add(secrets, &(souk_hook_secret){.merchant = 1, .source = 3,
 *                                    .form = SOUK_TEXT("shopify"), .name = SOUK_TEXT("webshop")}, secret, diag));
 *     SOUK_TRY(souk_hook_secrets_check(secrets, form, name, body, mac, &caller));      SOUK_EUNAUTH
 *
 * A hook is a form and the name of a source: POST /v1/hooks/shopify/webshop.  It has as many secrets as were added, all of
 * which work until they are removed, so that one can be exchanged without a gap.  Merchants may have sources of the same
 * name: which one speaks is what its secret says.
 *
 * Kept     in the ledger, sealed under the vault's key for secrets of connectors; in memory in the clear, zeroed when removed
 * Ceiling  SOUK_HOOK_SECRETS in all, SOUK_HOOK_SECRETS_EACH of one hook and merchant: an unsigned body is tried with each
 * Threads  any; checking takes a read lock and an HMAC for each secret of the hook */
#ifndef SOUK_SERVICE_COLLECT_HOOK_SECRET_H
#define SOUK_SERVICE_COLLECT_HOOK_SECRET_H

#include "base/hmac.h"
#include "core/merchant.h"

typedef struct souk_hook_secrets souk_hook_secrets;

enum {
    SOUK_HOOK_SECRETS = 1000,
    SOUK_HOOK_SECRETS_EACH = 8,
    SOUK_HOOK_SECRET_LEAST = 4, /* bytes; what a shop's owner types in is hers to choose */
    SOUK_HOOK_SECRET_MOST = 512,
    SOUK_HOOK_NAME_BYTES = 100,
};

/* What lists tell of one; never the secret. */
typedef struct souk_hook_secret {
    uint64_t id;
    uint32_t merchant, source;
    souk_text form, name;
    souk_time made;
} souk_hook_secret;

SOUK_CHECKED souk_err souk_hook_secrets_open(souk_mem *mem, souk_spine *spine,
                                             souk_hook_secrets **ret_secrets);
void souk_hook_secrets_free(souk_hook_secrets *secrets);
SOUK_AUTO(souk_hook_secrets)

/* Whether these may be a hook's name and secret at all.  SOUK_EINVAL with words. */
SOUK_CHECKED souk_err souk_hook_secrets_judge(const souk_hook_secret *hook, souk_text secret,
                                              souk_diag *diag);
/* Gives the hook its id and time.  SOUK_EINVAL: the secret is too short or too long.  SOUK_EEXIST: the hook has it already.  SOUK_ETOOBIG: too many. */
SOUK_CHECKED souk_err souk_hook_secrets_add(souk_hook_secrets *secrets, souk_hook_secret *hook,
                                            souk_text secret, souk_diag *diag);
/* The merchant's; works 0 seconds later.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_hook_secrets_remove(souk_hook_secrets *secrets, uint32_t merchant,
                                               uint64_t id);
/* Calls each with the merchant's, oldest first, under a lock: keep `each` short. */
SOUK_CHECKED souk_err souk_hook_secrets_each(souk_hook_secrets *secrets, uint32_t merchant,
                                             souk_err (*each)(void *context,
                                                              const souk_hook_secret *hook),
                                             void *context);

/* Who signed the body.  SOUK_EUNAUTH: no secret of the hook did. */
SOUK_CHECKED souk_err souk_hook_secrets_check(souk_hook_secrets *secrets, souk_text form,
                                              souk_text name, souk_text body,
                                              const uint8_t mac[SOUK_HMAC_BYTES],
                                              souk_caller *ret_caller);

#endif
