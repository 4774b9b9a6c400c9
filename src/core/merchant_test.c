/* merchant_test.c - who may speak: secrets that are right, wrong, revoked, another merchant's. */
#include "test/test.h"

#include "core/merchant_desk.h"

#include <stdio.h>

/* ---- founding -------------------------------------------------------------------------------- */

SOUK_TEST("founding makes the operator, an admin token and the write key of a source called web")
{
    struct desk desk;
    char id[33];
    souk_caller caller;
    desk_begin(test, &desk, false);
    SOUK_CHECK_ERR(souk_merchants_operator(desk.merchants, id), SOUK_ENOENT);
    SOUK_MUST(souk_merchants_found(desk.merchants, SOUK_TEXT("Salty & Sons"), &desk.secrets));
    SOUK_CHECK(is_secret(desk.secrets.operator_id, "", 32));
    SOUK_CHECK(is_secret(desk.secrets.admin_token, "souk_at_", 64));
    SOUK_CHECK(is_secret(desk.secrets.write_key, "souk_wk_", 32));
    SOUK_MUST(souk_merchants_operator(desk.merchants, id));
    SOUK_CHECK(!strcmp(id, desk.secrets.operator_id));
    SOUK_MUST(souk_merchants_token(desk.merchants, souk_text_of(desk.secrets.admin_token),
                                   SOUK_SCOPE_ALL, &caller));
    SOUK_CHECK(caller.merchant == SOUK_OPERATOR && caller.source == 0);
    SOUK_CHECK(caller.scopes == SOUK_SCOPE_ALL);
    SOUK_MUST(
        souk_merchants_write_key(desk.merchants, souk_text_of(desk.secrets.write_key), &caller));
    SOUK_CHECK(caller.merchant == SOUK_OPERATOR && caller.source == 1);
    SOUK_CHECK(caller.scopes == SOUK_SCOPE_WRITE);
    SOUK_CHECK(souk_consent_bases_of(souk_spine_consent(desk.spine), 1) == 1 << SOUK_PURPOSE_SERVE);
    desk_end(&desk);
}

SOUK_TEST(
    "a shop is founded once, and what the first founding gave stays valid, also when reopened")
{
    WITH_DESK(desk)
    {
        souk_secrets second;
        SOUK_CHECK_ERR(souk_merchants_found(desk.merchants, SOUK_TEXT("Others"), &second),
                       SOUK_EEXIST);
        for (int reopened = 0; reopened < 2; reopened++) {
            char id[33];
            SOUK_MUST(souk_merchants_operator(desk.merchants, id));
            SOUK_CHECK(!strcmp(id, desk.secrets.operator_id));
            SOUK_MUST(ask(&desk, desk.secrets.admin_token, SOUK_SCOPE_ALL));
            SOUK_MUST(send_with(&desk, desk.secrets.write_key));
            desk_reopen(test, &desk);
        }
    }
}

/* ---- wrong secrets --------------------------------------------------------------------------- */

/* A secret with any one letter changed, missing or added; the number of those that are let in. */
static size_t let_in(struct desk *desk, const char *secret,
                     souk_err (*try)(struct desk *desk, const char *secret))
{
    char changed[SOUK_TOKEN_BYTES + 1];
    size_t bytes = strlen(secret), count = 0;
    for (size_t i = 0; i < bytes; i++) {
        strcpy(changed, secret);
        changed[i] = changed[i] == '7' ? '8' : '7';
        count += try(desk, changed) != SOUK_EUNAUTH;
        strcpy(changed, secret);
        changed[i] = (char)(changed[i] ^ 0x20); /* A for a */
        count += try(desk, changed) != SOUK_EUNAUTH;
        strcpy(changed, secret);
        changed[i] = '\0';
        count += try(desk, changed) != SOUK_EUNAUTH;
        count += try(desk, secret + i + 1) != SOUK_EUNAUTH;
    }
    snprintf(changed, sizeof changed, "%s ", secret);
    return count + (try(desk, changed) != SOUK_EUNAUTH);
}

static souk_err try_token(struct desk *desk, const char *token)
{
    return ask(desk, token, 0);
}

SOUK_TEST("a token or write key with a letter changed, missing or added is not known")
{
    WITH_DESK(desk)
    {
        SOUK_CHECK(let_in(&desk, desk.secrets.admin_token, try_token) == 0);
        SOUK_CHECK(let_in(&desk, desk.secrets.write_key, send_with) == 0);
        SOUK_MUST(try_token(&desk, desk.secrets.admin_token));
    }
}

SOUK_TEST("a write key is no token and a token no write key, and neither tells who it was")
{
    WITH_DESK(desk)
    {
        souk_caller caller = {.merchant = 77};
        SOUK_CHECK_ERR(souk_merchants_token(desk.merchants, souk_text_of(desk.secrets.write_key),
                                            SOUK_SCOPE_WRITE, &caller),
                       SOUK_EUNAUTH);
        SOUK_CHECK_ERR(souk_merchants_write_key(desk.merchants,
                                                souk_text_of(desk.secrets.admin_token), &caller),
                       SOUK_EUNAUTH);
        SOUK_CHECK_ERR(souk_merchants_write_key(desk.merchants, SOUK_TEXT(""), &caller),
                       SOUK_EUNAUTH);
        SOUK_CHECK(caller.merchant == 77 && caller.scopes == 0);
    }
}

SOUK_TEST("before anything was made no secret is known")
{
    struct desk desk;
    desk_begin(test, &desk, false);
    SOUK_CHECK_ERR(ask(&desk, "", 0), SOUK_EUNAUTH);
    SOUK_CHECK_ERR(send_with(&desk, "souk_wk_00000000000000000000000000000000"), SOUK_EUNAUTH);
    desk_end(&desk);
}

/* ---- scopes ---------------------------------------------------------------------------------- */

SOUK_TEST("a token does what its scopes say, every combination of them, and nothing else")
{
    WITH_DESK(desk)
    for (unsigned given = 0; given <= SOUK_SCOPE_ALL; given++) {
        char name[16], token[SOUK_TOKEN_BYTES];
        snprintf(name, sizeof name, "till-%u", given);
        souk_err err = souk_merchants_add_token(desk.merchants, SOUK_OPERATOR, souk_text_of(name),
                                                given, token);
        SOUK_CHECK(err == (given ? SOUK_OK : SOUK_ECONFLICT));
        if (err)
            continue;
        SOUK_CHECK(is_secret(token, "souk_at_", 64));
        for (unsigned asked = 0; asked <= SOUK_SCOPE_ALL; asked++)
            SOUK_CHECK_ERR(ask(&desk, token, asked), asked & ~given ? SOUK_EDENIED : SOUK_OK);
    }
}

/* ---- merchants apart ------------------------------------------------------------------------- */

SOUK_TEST(
    "each secret tells its own merchant and source, and a merchant that is not there gets none")
{
    WITH_DESK(desk)
    {
        char token[SOUK_TOKEN_BYTES], key[SOUK_WRITE_KEY_BYTES];
        souk_statement statement = {.age = SOUK_AGE_ADULT};
        uint32_t source;
        souk_caller caller;
        SOUK_CHECK_ERR(
            souk_merchants_add_token(desk.merchants, 2, SOUK_TEXT("sweet"), SOUK_SCOPE_READ, token),
            SOUK_ECONFLICT);
        SOUK_CHECK_ERR(souk_merchants_source(desk.merchants, 2, SOUK_TEXT("sweet web"), &statement,
                                             &source, key),
                       SOUK_ECONFLICT);
        add_merchant_2(test, &desk);
        SOUK_MUST(souk_merchants_add_token(desk.merchants, 2, SOUK_TEXT("sweet"), SOUK_SCOPE_READ,
                                           token));
        SOUK_MUST(souk_merchants_source(desk.merchants, 2, SOUK_TEXT("sweet web"), &statement,
                                        &source, key));
        SOUK_CHECK(source == 2 && is_secret(key, "souk_wk_", 32));
        SOUK_MUST(
            souk_merchants_token(desk.merchants, souk_text_of(token), SOUK_SCOPE_READ, &caller));
        SOUK_CHECK(caller.merchant == 2 && caller.source == 0);
        SOUK_CHECK(caller.scopes == SOUK_SCOPE_READ);
        SOUK_MUST(souk_merchants_write_key(desk.merchants, souk_text_of(key), &caller));
        SOUK_CHECK(caller.merchant == 2 && caller.source == 2);
        SOUK_CHECK_ERR(ask(&desk, token, SOUK_SCOPE_MANAGE), SOUK_EDENIED);
        SOUK_MUST(souk_merchants_token(desk.merchants, souk_text_of(desk.secrets.admin_token),
                                       SOUK_SCOPE_ALL, &caller));
        SOUK_CHECK(caller.merchant == SOUK_OPERATOR);
    }
}

/* ---- sources --------------------------------------------------------------------------------- */

SOUK_TEST("a source keeps what it stated: the same again is the same source, another is a conflict")
{
    WITH_DESK(desk)
    {
        souk_statement stated = {.bases = {[SOUK_PURPOSE_PROFILE] = SOUK_BASIS_CONSENT}};
        souk_statement older = stated, more = stated, other = stated;
        older.age = SOUK_AGE_ADULT;
        more.bases[SOUK_PURPOSE_RESEARCH] = SOUK_BASIS_LEGAL;
        other.bases[SOUK_PURPOSE_PROFILE] = SOUK_BASIS_CONTRACT;
        uint32_t first, again = 0, none = 77;
        char key[SOUK_WRITE_KEY_BYTES] = "as it was";
        souk_text name = SOUK_TEXT("tills");
        SOUK_MUST(souk_merchants_source(desk.merchants, 1, name, &stated, &first, NULL));
        SOUK_MUST(souk_merchants_source(desk.merchants, 1, name, &stated, &again, key));
        SOUK_CHECK(first == 2 && again == first && key[0] == '\0');
        const souk_statement *const refused[] = {&older, &more, &other};
        for (size_t i = 0; i < 3; i++)
            SOUK_CHECK_ERR(souk_merchants_source(desk.merchants, 1, name, refused[i], &none, NULL),
                           SOUK_ECONFLICT);
        SOUK_CHECK(none == 77);
        for (int reopened = 0; reopened < 2; reopened++) {
            SOUK_CHECK(souk_consent_bases_of(souk_spine_consent(desk.spine), first) ==
                       1 << SOUK_PURPOSE_PROFILE);
            desk_reopen(test, &desk);
        }
    }
}

SOUK_TEST("a statement is read from purpose=basis, and refused with words that name the fault")
{
    souk_statement statement = {.bases = {0}};
    SOUK_MUST(souk_statement_read(&statement, SOUK_TEXT("profile=consent"), NULL));
    SOUK_MUST(souk_statement_read(&statement, SOUK_TEXT("serve=contract"), NULL));
    SOUK_MUST(souk_statement_read(&statement, SOUK_TEXT("serve=legal"), NULL));
    souk_statement expected = {
        .bases = {
            [SOUK_PURPOSE_PROFILE] = SOUK_BASIS_CONSENT, [SOUK_PURPOSE_SERVE] = SOUK_BASIS_LEGAL}};
    static const char *const wrong[][2] = {{"profle=consent", "'profle'"},
                                           {"profile=yes", "'yes'"},
                                           {"profile", "''"},
                                           {"", "''"},
                                           {"=consent", "''"},
                                           {"profile=none", "'none'"},
                                           {"profile=withdrawn", "'withdrawn'"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(souk_statement_read(&statement, souk_text_of(wrong[i][0]), &diag),
                       SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, wrong[i][1]));
    }
    SOUK_CHECK(!memcmp(&statement, &expected, sizeof statement));
}

/* ---- revoking -------------------------------------------------------------------------------- */

SOUK_TEST("what is revoked is refused at once and for ever, others stay, its name is free again")
{
    WITH_DESK(desk)
    {
        char old[SOUK_TOKEN_BYTES], other[SOUK_TOKEN_BYTES], fresh[SOUK_TOKEN_BYTES];
        souk_text name = SOUK_TEXT("partner");
        SOUK_MUST(souk_merchants_add_token(desk.merchants, 1, name, SOUK_SCOPE_READ, old));
        SOUK_CHECK_ERR(souk_merchants_add_token(desk.merchants, 1, name, SOUK_SCOPE_READ, fresh),
                       SOUK_EEXIST);
        SOUK_MUST(souk_merchants_add_token(desk.merchants, 1, SOUK_TEXT("other"), 1, other));
        SOUK_MUST(souk_merchants_revoke(desk.merchants, SOUK_OPERATOR, name));
        SOUK_CHECK_ERR(ask(&desk, old, SOUK_SCOPE_READ), SOUK_EUNAUTH);
        SOUK_CHECK_ERR(souk_merchants_revoke(desk.merchants, SOUK_OPERATOR, name), SOUK_ENOENT);
        SOUK_MUST(souk_merchants_add_token(desk.merchants, 1, name, SOUK_SCOPE_READ, fresh));
        SOUK_MUST(souk_merchants_revoke(desk.merchants, SOUK_OPERATOR,
                                        SOUK_TEXT("web"))); /* a write key */
        for (int reopened = 0; reopened < 2; reopened++) {
            SOUK_CHECK_ERR(ask(&desk, old, SOUK_SCOPE_READ), SOUK_EUNAUTH);
            SOUK_CHECK_ERR(send_with(&desk, desk.secrets.write_key), SOUK_EUNAUTH);
            SOUK_MUST(ask(&desk, fresh, SOUK_SCOPE_READ));
            SOUK_MUST(ask(&desk, other, 1));
            SOUK_MUST(ask(&desk, desk.secrets.admin_token, SOUK_SCOPE_ALL));
            desk_reopen(test, &desk);
        }
    }
}

SOUK_TEST("two merchants name their sources and tokens alike, and each revokes its own")
{
    WITH_DESK(desk)
    {
        souk_statement web = {.bases[SOUK_PURPOSE_SERVE] = SOUK_BASIS_CONTRACT};
        char hers[SOUK_TOKEN_BYTES], his[SOUK_TOKEN_BYTES], key[SOUK_WRITE_KEY_BYTES];
        souk_text name = SOUK_TEXT("partner");
        uint32_t source;
        add_merchant_2(test, &desk);
        SOUK_MUST(souk_merchants_source(desk.merchants, 2, SOUK_TEXT("web"), &web, &source, key));
        SOUK_MUST(souk_merchants_add_token(desk.merchants, 1, name, SOUK_SCOPE_READ, his));
        SOUK_MUST(souk_merchants_add_token(desk.merchants, 2, name, SOUK_SCOPE_READ, hers));
        SOUK_CHECK_ERR(souk_merchants_revoke(desk.merchants, 3, name), SOUK_ENOENT);
        SOUK_MUST(souk_merchants_revoke(desk.merchants, 2, name));
        for (int reopened = 0; reopened < 2; reopened++) {
            SOUK_MUST(ask(&desk, his, SOUK_SCOPE_READ));
            SOUK_CHECK_ERR(ask(&desk, hers, SOUK_SCOPE_READ), SOUK_EUNAUTH);
            SOUK_MUST(send_with(&desk, key));
            SOUK_MUST(send_with(&desk, desk.secrets.write_key));
            desk_reopen(test, &desk);
        }
    }
}

/* ---- what a thief reads ---------------------------------------------------------------------- */

struct search {
    souk_text wanted;
    size_t found;
};

static void search_file(void *context, const char *name, const void *at, size_t bytes)
{
    struct search *search = context;
    (void)name;
    search->found += bytes && memmem(at, bytes, search->wanted.at, search->wanted.bytes) != NULL;
}

static size_t on_disk(const struct desk *desk, souk_text wanted)
{
    struct search search = {.wanted = wanted};
    souk_sim_scan(desk->disk, search_file, &search);
    return search.found;
}

SOUK_TEST("neither a token nor a write key is on the disk, as text or as bytes, its name is")
{
    if (test_on_postgres())
        return; /* the disk is the server's */
    if (test_on_postgres())
        return; /* the disk is the server's */
    WITH_DESK(desk)
    {
        const char *const secrets[] = {desk.secrets.admin_token + 8, desk.secrets.write_key + 8};
        char token[SOUK_TOKEN_BYTES];
        SOUK_MUST(souk_merchants_add_token(desk.merchants, 1, SOUK_TEXT("a partner's"), 2, token));
        for (int reopened = 0; reopened < 2; reopened++) {
            for (size_t i = 0; i < 2; i++) {
                unsigned char raw[32];
                souk_text hex = souk_text_of(secrets[i]);
                SOUK_CHECK(souk_unhex(hex, raw, hex.bytes / 2));
                SOUK_CHECK(on_disk(&desk, (souk_text){hex.at, 16}) == 0);
                SOUK_CHECK(on_disk(&desk, (souk_text){(const char *)raw, 8}) == 0);
            }
            SOUK_CHECK(on_disk(&desk, (souk_text){token + 8, 16}) == 0);
            SOUK_CHECK(on_disk(&desk, SOUK_TEXT("a partner's")) > 0);
            desk_reopen(test, &desk);
        }
    }
}

/* ---- a plain list beside it ------------------------------------------------------------------ */

enum { MODEL_TOKENS = 400 };
struct model_token {
    char name[16], token[SOUK_TOKEN_BYTES];
    unsigned scopes;
    bool revoked;
};

/* The number of tokens that are answered otherwise than the list says. */
static size_t differences(struct desk *desk, const struct model_token *tokens, size_t count)
{
    size_t differ = 0;
    for (size_t i = 0; i < count; i++)
        for (unsigned asked = 1; asked <= SOUK_SCOPE_MANAGE; asked *= 2) {
            souk_err expected = tokens[i].revoked          ? SOUK_EUNAUTH
                                : asked & tokens[i].scopes ? SOUK_OK
                                                           : SOUK_EDENIED;
            differ += ask(desk, tokens[i].token, asked) != expected;
        }
    return differ;
}

SOUK_TEST("hundreds of tokens, made and revoked at random, are known as a plain list knows them")
{
    static struct model_token tokens[MODEL_TOKENS];
    size_t count = 0;
    WITH_DESK(desk)
    {
        for (int step = 0; step < 600; step++) {
            struct model_token *any = count ? &tokens[test_random(test, count)] : NULL;
            if (count < MODEL_TOKENS && test_random(test, 100) < 60) {
                struct model_token *made = &tokens[count];
                *made = (struct model_token){.scopes = 1 + (unsigned)test_random(test, 7)};
                snprintf(made->name, sizeof made->name, "token %zu", count++);
                SOUK_MUST(souk_merchants_add_token(desk.merchants, 1, souk_text_of(made->name),
                                                   made->scopes, made->token));
            } else if (any) {
                SOUK_CHECK_ERR(
                    souk_merchants_revoke(desk.merchants, SOUK_OPERATOR, souk_text_of(any->name)),
                    any->revoked ? SOUK_ENOENT : SOUK_OK);
                any->revoked = true;
            }
            if (step % 200 == 150)
                desk_reopen(test, &desk);
            if (step % 50 == 0)
                SOUK_CHECK(differences(&desk, tokens, count) == 0);
        }
        SOUK_CHECK(count > 250 && differences(&desk, tokens, count) == 0);
        tokens[0].revoked = !tokens[0].revoked;
        SOUK_CHECK(differences(&desk, tokens, count) > 0);
        SOUK_MUST(ask(&desk, desk.secrets.admin_token, SOUK_SCOPE_ALL));
    }
}
