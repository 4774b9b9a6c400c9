/* merchant_list_test.c - sources, keys and tokens as lists show them, and revoked by their id. */
#include "core/merchant.h"
#include "store/postgres_server.h"

#include "test/test.h"

#include <stdio.h>

struct office {
    souk_disk *disk;
    souk_spine *spine;
    souk_merchants *merchants;
    souk_secrets secrets;
};

static souk_spine_options office_options(void)
{
    return (souk_spine_options){.open_ledger = test_ledger_opener(),
                                .ledger = {.no_thread = true, .readers = 1},
                                .vault = {.block_slots = 64, .cache_keys = 16},
                                .runs_memory = 64};
}

static void office_open(souk_test *test, struct office *office)
{
    souk_mem *heap = souk_mem_heap();
    SOUK_MUST(souk_disk_open_sim(heap, 5, &office->disk));
    souk_spine_options options = office_options();
    SOUK_MUST(souk_spine_init(heap, office->disk, &options, NULL));
    SOUK_MUST(souk_spine_open(heap, office->disk, &options, &office->spine, NULL));
    SOUK_MUST(souk_merchants_open(test->mem, office->spine, &office->merchants, NULL));
    SOUK_MUST(souk_merchants_found(office->merchants, SOUK_TEXT("shop"), &office->secrets));
}

static void office_reopen(souk_test *test, struct office *office)
{
    souk_merchants_free(souk_take(&office->merchants));
    SOUK_MUST(souk_spine_close(office->spine));
    souk_spine_free(souk_take(&office->spine));
    souk_spine_options options = office_options();
    SOUK_MUST(souk_spine_open(souk_mem_heap(), office->disk, &options, &office->spine, NULL));
    SOUK_MUST(souk_merchants_open(test->mem, office->spine, &office->merchants, NULL));
}

static void office_close(struct office *office)
{
    souk_merchants_free(office->merchants);
    souk_spine_free(office->spine);
    souk_disk_free(office->disk);
}

/* What a list says, one line for each. */
struct page {
    char text[2000];
    size_t count;
};

static souk_err add_source(void *context, const souk_source *source)
{
    struct page *page = context;
    size_t at = strlen(page->text);
    snprintf(page->text + at, sizeof page->text - at, "%u %.*s (%.*s) %llu\n", source->number,
             SOUK_TEXT_PRINT(source->name), SOUK_TEXT_PRINT(source->statement),
             (unsigned long long)source->keys);
    page->count++;
    return SOUK_OK;
}

static souk_err add_secret(void *context, const souk_secret *secret)
{
    struct page *page = context;
    size_t at = strlen(page->text);
    snprintf(page->text + at, sizeof page->text - at, "%s %.*s of %.*s %u\n", secret->id,
             SOUK_TEXT_PRINT(secret->name), SOUK_TEXT_PRINT(secret->source), secret->scopes);
    page->count++;
    return secret->made > 0 ? SOUK_OK : SOUK_EINVAL;
}

static souk_err stop_at_once(void *context, const souk_secret *secret)
{
    (void)context;
    (void)secret;
    return SOUK_EINTERRUPT;
}

static struct page sources_of(souk_test *test, struct office *office, uint32_t merchant)
{
    struct page page = {.text = ""};
    SOUK_MUST(souk_merchants_sources(office->merchants, merchant, add_source, &page));
    return page;
}

static struct page secrets_of(souk_test *test, struct office *office, bool keys)
{
    struct page page = {.text = ""};
    SOUK_MUST(souk_merchants_secrets(office->merchants, SOUK_OPERATOR, keys, add_secret, &page));
    return page;
}

static souk_err knows(struct office *office, const char *secret)
{
    souk_caller caller;
    souk_text text = souk_text_of(secret);
    return text.bytes == SOUK_TOKEN_BYTES - 1
               ? souk_merchants_token(office->merchants, text, SOUK_SCOPE_READ, &caller)
               : souk_merchants_write_key(office->merchants, text, &caller);
}

static const char *id_of(struct office *office, const char *secret)
{
    static char id[SOUK_SECRET_ID_BYTES];
    souk_merchants_secret_id(office->merchants, souk_text_of(secret), id);
    return id;
}

SOUK_TEST("sources are listed with what they stated and how many keys of theirs work")
{
    struct office office;
    souk_statement adults = {.bases[SOUK_PURPOSE_PROFILE] = SOUK_BASIS_CONSENT,
                             .age = SOUK_AGE_ADULT};
    char key[SOUK_WRITE_KEY_BYTES];
    uint32_t till;
    office_open(test, &office);
    SOUK_MUST(souk_merchants_source(office.merchants, SOUK_OPERATOR, SOUK_TEXT("till"), &adults,
                                    &till, NULL));
    SOUK_CHECK_TEXT(souk_text_of(sources_of(test, &office, SOUK_OPERATOR).text),
                    "1 web (serve=contract age=unknown) 1\n"
                    "2 till (profile=consent age=adult) 0\n");
    SOUK_CHECK_ERR(souk_merchants_add_key(office.merchants, SOUK_OPERATOR, SOUK_TEXT("shop"), key),
                   SOUK_ENOENT);
    for (unsigned i = 0; i < 2; i++)
        SOUK_MUST(souk_merchants_add_key(office.merchants, SOUK_OPERATOR, SOUK_TEXT("till"), key));
    souk_caller caller;
    SOUK_MUST(souk_merchants_write_key(office.merchants, souk_text_of(key), &caller));
    SOUK_CHECK(caller.source == till && caller.scopes == SOUK_SCOPE_WRITE);
    SOUK_CHECK(strstr(sources_of(test, &office, SOUK_OPERATOR).text, "age=adult) 2\n"));
    SOUK_CHECK(sources_of(test, &office, 2).count == 0);
    office_close(&office);
}

SOUK_TEST("a list shows ids, names and scopes, never a secret, and ends where its reader says")
{
    struct office office;
    char token[SOUK_TOKEN_BYTES], expected[200];
    office_open(test, &office);
    SOUK_MUST(souk_merchants_add_token(office.merchants, SOUK_OPERATOR, SOUK_TEXT(""),
                                       SOUK_SCOPE_READ, token));
    struct page tokens = secrets_of(test, &office, false), keys = secrets_of(test, &office, true);
    SOUK_CHECK(tokens.count == 2 && keys.count == 1);
    /* Nobody named the second: its id does. */
    snprintf(expected, sizeof expected, "%s %s of  2\n", id_of(&office, token),
             id_of(&office, token));
    SOUK_CHECK(strstr(tokens.text, expected));
    SOUK_CHECK(strstr(tokens.text, " admin of  31\n") && strstr(keys.text, " web of web 1\n"));
    SOUK_CHECK(!strstr(tokens.text, token + 8) && !strstr(keys.text, office.secrets.write_key + 8));
    SOUK_CHECK_ERR(
        souk_merchants_secrets(office.merchants, SOUK_OPERATOR, true, stop_at_once, NULL),
        SOUK_EINTERRUPT);
    office_close(&office);
}

SOUK_TEST("an id revokes one secret of its kind and merchant, at once and for ever")
{
    struct office office;
    char first[SOUK_WRITE_KEY_BYTES], second[SOUK_WRITE_KEY_BYTES];
    office_open(test, &office);
    const char *admin = office.secrets.admin_token;
    SOUK_MUST(souk_merchants_add_key(office.merchants, SOUK_OPERATOR, SOUK_TEXT("web"), first));
    SOUK_MUST(souk_merchants_add_key(office.merchants, SOUK_OPERATOR, SOUK_TEXT("web"), second));
    static const char *const wrong[] = {"", "web", "00", "0123456789ab", "0123456789abc", "zz"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        SOUK_CHECK_ERR(
            souk_merchants_revoke_id(office.merchants, SOUK_OPERATOR, true, souk_text_of(wrong[i])),
            SOUK_ENOENT);
    souk_text id = souk_text_of(id_of(&office, first));
    SOUK_CHECK_ERR(souk_merchants_revoke_id(office.merchants, SOUK_OPERATOR, false, id),
                   SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_merchants_revoke_id(office.merchants, 2, true, id), SOUK_ENOENT);
    SOUK_MUST(knows(&office, first));
    SOUK_MUST(souk_merchants_revoke_id(office.merchants, SOUK_OPERATOR, true, id));
    SOUK_CHECK_ERR(souk_merchants_revoke_id(office.merchants, SOUK_OPERATOR, true, id),
                   SOUK_ENOENT);
    id = souk_text_of(id_of(&office, admin));
    SOUK_MUST(souk_merchants_revoke_id(office.merchants, SOUK_OPERATOR, false, id));
    for (int reopened = 0; reopened < 2; reopened++) {
        SOUK_CHECK_ERR(knows(&office, first), SOUK_EUNAUTH);
        SOUK_CHECK_ERR(knows(&office, admin), SOUK_EUNAUTH);
        SOUK_MUST(knows(&office, second));
        SOUK_MUST(knows(&office, office.secrets.write_key));
        SOUK_CHECK(secrets_of(test, &office, true).count == 2);
        SOUK_CHECK(secrets_of(test, &office, false).count == 0);
        office_reopen(test, &office);
    }
    office_close(&office);
}

static souk_err run_sql(souk_tx *tx, void *sql)
{
    return souk_sql_script(tx, sql);
}

SOUK_TEST("who could do all before there was an admin scope can do all afterwards")
{
    struct office office;
    static char older[] = "UPDATE secret SET scopes = 7 WHERE source = 0;"
                          "ALTER TABLE secret DROP COLUMN made;"
                          "DELETE FROM souk_migration WHERE module = 'merchant' AND number >= 3";
    souk_caller caller;
    office_open(test, &office);
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(office.spine), SOUK_LANE_JOB, run_sql, older));
    office_reopen(test, &office);
    SOUK_MUST(souk_merchants_token(office.merchants, souk_text_of(office.secrets.admin_token),
                                   SOUK_SCOPE_ADMIN, &caller));
    SOUK_CHECK(caller.scopes == SOUK_SCOPE_ALL);
    office_close(&office);
}

SOUK_TEST("each scope has a word, and each word its scope")
{
    for (unsigned scope = 1; scope <= SOUK_SCOPE_TILL; scope *= 2)
        SOUK_CHECK(souk_scope_of_word(souk_text_of(souk_scope_word(scope))) == scope);
    SOUK_CHECK(souk_scope_of_word(SOUK_TEXT("all")) == 0 && !souk_scope_word(SOUK_SCOPE_ALL));
}

SOUK_TEST("a token's mark works as long as the token does, tells no secret, and is no write key's")
{
    struct office office = {0};
    char token[SOUK_TOKEN_BYTES];
    office_open(test, &office);
    SOUK_MUST(souk_merchants_add_token(office.merchants, SOUK_OPERATOR, SOUK_TEXT("screen"),
                                       SOUK_SCOPE_READ, token));
    souk_hash128 mark = souk_merchants_mark(office.merchants, souk_text_of(token));
    SOUK_CHECK(souk_merchants_mark_works(office.merchants, mark, SOUK_SCOPE_READ));
    SOUK_CHECK(!souk_merchants_mark_works(office.merchants, mark, SOUK_SCOPE_ADMIN));
    souk_hash128 key =
        souk_merchants_mark(office.merchants, souk_text_of(office.secrets.write_key));
    SOUK_CHECK(!souk_merchants_mark_works(office.merchants, key, SOUK_SCOPE_WRITE));
    SOUK_MUST(souk_merchants_revoke(office.merchants, SOUK_OPERATOR, SOUK_TEXT("screen")));
    SOUK_CHECK(!souk_merchants_mark_works(office.merchants, mark, SOUK_SCOPE_READ));
    office_close(&office);
}

SOUK_TEST("a source's number leads to its merchant and its name")
{
    struct office office = {0};
    uint32_t merchant = 0;
    char name[16];
    office_open(test, &office);
    SOUK_MUST(souk_merchants_source_of(office.merchants, 1, &merchant, name, sizeof name));
    SOUK_CHECK(merchant == SOUK_OPERATOR && !strcmp(name, "web"));
    SOUK_MUST(souk_merchants_source_of(office.merchants, 1, &merchant, name, 3));
    SOUK_CHECK(!strcmp(name, "we"));
    SOUK_CHECK_ERR(souk_merchants_source_of(office.merchants, 77, &merchant, name, sizeof name),
                   SOUK_ENOENT);
    office_close(&office);
}
