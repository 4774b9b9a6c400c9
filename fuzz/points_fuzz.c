/* points_fuzz.c - any requests to the routes of loyalty, one behind the other: each is answered once, a refusal says what is
 * wrong, none is a fault of ours, and in the end points and coupons add up.
 *
 * Input: requests parted by a NUL: "POST /v1/loyalty/adjust?query", a line end, the body; "TIME" lets ten days pass, and
 * what expired is booked.  The spine is stood in for here by a ledger on a disk in memory and nine shoppers, user 1 to 9. */
#include "core/document.h"
#include "service/loyalty/loyalty_inside.h"

#include "routes_check.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* ---- in place of the spine, besides ---------------------------------------------------------------------- */

/* User 3 has two histories, 3 and 30. */
souk_err souk_spine_find(souk_spine *spine, souk_id_kind kind, souk_text value,
                         souk_person *ret_person)
{
    (void)spine;
    if (kind != SOUK_ID_USER || value.bytes != 1 || value.at[0] < '1' || value.at[0] > '9')
        return SOUK_ENOENT;
    uint32_t atom = (uint32_t)(value.at[0] - '0');
    *ret_person =
        (souk_person){.shopper = atom, .atom_count = atom == 3 ? 2 : 1, .atoms = {atom, 10 * atom}};
    return SOUK_OK;
}

souk_err souk_spine_public_id(souk_spine *spine, uint32_t shopper, char ret_id[33])
{
    (void)spine;
    snprintf(ret_id, 33, "%032x", shopper);
    return SOUK_OK;
}

souk_index *souk_spine_index(souk_spine *spine)
{
    (void)spine;
    return NULL;
}

void souk_index_read(souk_index *index)
{
    (void)index;
}

void souk_index_read_done(souk_index *index)
{
    (void)index;
}

souk_err souk_index_person_of_atom(const souk_index *index, uint32_t atom, souk_person *ret_person)
{
    (void)index;
    *ret_person = (souk_person){.shopper = atom, .atom_count = 1, .atoms = {atom}};
    return SOUK_OK;
}

/* ---- requests ------------------------------------------------------------------------------------------------ */

static void ask_all(souk_loyalty *loyalty, souk_text requests)
{
    for (unsigned i = 0; i < 40 && requests.at; i++) {
        souk_text request = souk_text_cut(&requests, '\0');
        bool more = true;
        if (!souk_text_equal(request, SOUK_TEXT("TIME"))) {
            ask(&souk_loyalty_service, loyalty, &loyalty->owners, request);
            continue;
        }
        souk_clock_fake_advance(&now, 10 * SOUK_DAY_MS);
        while (more)
            souk_assert(souk_points_expire(ledger, souk_clock_now_ms(&now.clock), 3, &more) ==
                        SOUK_OK);
    }
}

static void migrate(void)
{
    souk_assert(souk_documents_migrate(ledger, NULL) == SOUK_OK);
    souk_assert(souk_points_migrate(ledger, NULL) == SOUK_OK);
    souk_assert(souk_tiers_migrate(ledger, NULL) == SOUK_OK);
    souk_assert(souk_family_migrate(ledger, NULL) == SOUK_OK);
    souk_assert(souk_coupons_migrate(ledger, NULL) == SOUK_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    const souk_ledger_options options = {.no_thread = true, .readers = 1};
    souk_mem *mem = souk_mem_heap();
    souk_disk *disk = NULL;
    souk_diag diag = {0};
    souk_loyalty loyalty = {.mem = mem};
    souk_clock_fake_init(&now, 1767268800000);
    souk_assert(souk_disk_open_sim(mem, 1, &disk) == SOUK_OK);
    souk_assert(souk_ledger_open_sqlite(mem, disk, "ledger", &options, &ledger, NULL) == SOUK_OK);
    migrate();
    loyalty.ledger = ledger;
    souk_assert(souk_guess_new(mem, &loyalty.guess) == SOUK_OK);
    souk_loyalty_service.own(&loyalty, &loyalty.owners);
    ask_all(&loyalty, (souk_text){(const char *)bytes, count});
    if (souk_loyalty_service.verify(&loyalty, &diag)) {
        fprintf(stderr, "%s\n", diag.words);
        souk_assert(!"it adds up");
    }
    souk_guess_free(loyalty.guess);
    souk_ledger_free(ledger);
    souk_disk_free(disk);
    return 0;
}
