/* import_consents.c - a table of consents: a row is what somebody said to one purpose, and when.
 *
 * Required: one of user, card, phone, email, open; the purpose; given (yes or no) or basis; the time.  Of several
 * identifiers in a row the first of these counts.  Of rows about one person and purpose the newest holds, whatever
 * the order of the file; what stands already is passed over (core/spine.h, souk_spine_consents_record).  Ages: a number
 * of years or a word; unknown where it is neither, which is the strictest.  A minor's yes holds only with `guardian`. */
#include "service/collect/import_record.h"
#include "service/collect/import_table.h"

enum { ADULT_YEARS = 18, PARTY_MOST = 63 };

struct state {
    import_table table;
};

static const struct {
    int meaning;
    souk_id_kind kind;
} ids[] = {{IMPORT_C_USER, SOUK_ID_USER},
           {IMPORT_C_CARD, SOUK_ID_CARD},
           {IMPORT_C_PHONE, SOUK_ID_PHONE},
           {IMPORT_C_EMAIL, SOUK_ID_EMAIL},
           {IMPORT_C_OPEN, SOUK_ID_OPEN}};
enum { IDS = sizeof ids / sizeof *ids };

static souk_err ready(import_table *table, souk_diag *diag)
{
    static const int says[] = {IMPORT_C_GIVEN, IMPORT_C_BASIS};
    int meanings[IDS];
    for (size_t i = 0; i < IDS; i++)
        meanings[i] = ids[i].meaning;
    SOUK_TRY(import_guess_need_one(table->guess, meanings, IDS, diag));
    SOUK_TRY(import_guess_need(table->guess, IMPORT_C_PURPOSE, diag));
    SOUK_TRY(import_guess_need(table->guess, IMPORT_C_AT, diag));
    return import_guess_need_one(table->guess, says, 2, diag);
}

static souk_err read_who(import_table *table, souk_consent_told *told, souk_diag *fault)
{
    char room[SOUK_ID_BYTES];
    for (size_t i = 0; i < IDS; i++) {
        souk_text cell = import_table_cell(table, ids[i].meaning), normal;
        if (cell.bytes == 0)
            continue;
        if (souk_id_normalise(ids[i].kind, cell, room, &normal))
            return import_table_blame(table, ids[i].meaning, "is no identifier", fault);
        told->kind = ids[i].kind;
        told->value = import_keep(table->sink, normal);
        return SOUK_OK;
    }
    return souk_diag_say(fault, SOUK_EINVAL, "the row names nobody: no user, card, phone or email");
}

static souk_err read_purpose(import_table *table, souk_consent_told *told, souk_diag *fault)
{
    souk_text word = import_table_cell(table, IMPORT_C_PURPOSE), share = SOUK_TEXT("share:");
    souk_purpose purpose = SOUK_PURPOSE_FIXED;
    bool is_party = souk_text_starts(word, share) && word.bytes > share.bytes &&
                    word.bytes <= share.bytes + PARTY_MOST;
    if (!is_party && !souk_purpose_of_word(word, &purpose))
        return import_table_blame(table, IMPORT_C_PURPOSE,
                                  "is no purpose: write serve, profile, personalise, recognise, "
                                  "face_pay, mood, advertise, research or share:PARTY",
                                  fault);
    told->purpose = import_keep(table->sink, word);
    if (purpose == SOUK_PURPOSE_SERVE && told->row.basis == SOUK_BASIS_WITHDRAWN)
        return import_table_blame(table, IMPORT_C_PURPOSE,
                                  "is serve, which cannot be withdrawn: erase the shopper instead",
                                  fault);
    return SOUK_OK;
}

static souk_err read_basis(import_table *table, souk_consent_told *told, souk_diag *fault)
{
    souk_text given = import_table_cell(table, IMPORT_C_GIVEN),
              basis = import_table_cell(table, IMPORT_C_BASIS);
    int yes = given.bytes ? import_read_yes(given) : -1;
    if (given.bytes && yes < 0)
        return import_table_blame(table, IMPORT_C_GIVEN, "is neither yes nor no", fault);
    told->row.basis = souk_basis_of_word(basis);
    if (basis.bytes && told->row.basis == SOUK_BASIS_NONE)
        return import_table_blame(table, IMPORT_C_BASIS,
                                  "is no basis: write consent, contract, legal or withdrawn",
                                  fault);
    if (!given.bytes && !basis.bytes)
        return souk_diag_say(fault, SOUK_EINVAL, "the row says neither yes nor no");
    if (yes == 1 && told->row.basis == SOUK_BASIS_WITHDRAWN)
        return import_table_blame(table, IMPORT_C_BASIS, "says withdrawn where the row says yes",
                                  fault);
    if (yes == 0)
        told->row.basis = SOUK_BASIS_WITHDRAWN;
    if (told->row.basis == SOUK_BASIS_NONE)
        told->row.basis = SOUK_BASIS_CONSENT;
    return SOUK_OK;
}

static souk_age read_age(souk_text cell)
{
    static const char *const adults[] = {"adult",  "erwachsen", "vollj\xC3\xA4hrig",
                                         "majeur", "成年",      "成人"};
    static const char *const minors[] = {"minor",  "child",  "minderj\xC3\xA4hrig",
                                         "mineur", "未成年", "未成年人"};
    uint64_t years;
    if (souk_text_to_u64(cell, &years) == SOUK_OK)
        return years >= ADULT_YEARS && years < 130 ? SOUK_AGE_ADULT
               : years < ADULT_YEARS               ? SOUK_AGE_MINOR
                                                   : SOUK_AGE_UNKNOWN;
    for (size_t i = 0; i < 6; i++) {
        if (souk_text_equal_nocase(cell, souk_text_of(adults[i])))
            return SOUK_AGE_ADULT;
        if (souk_text_equal_nocase(cell, souk_text_of(minors[i])))
            return SOUK_AGE_MINOR;
    }
    return SOUK_AGE_UNKNOWN;
}

static souk_err read_times(import_table *table, souk_consent_told *told, souk_diag *fault)
{
    souk_text until = import_table_cell(table, IMPORT_C_UNTIL);
    SOUK_TRY(import_table_time(table, IMPORT_C_AT, -1, &told->row.from, fault));
    if (until.bytes == 0)
        return SOUK_OK;
    if (!import_read_time(until, &table->guess->habits, &told->row.until))
        return import_table_blame(table, IMPORT_C_UNTIL, "is no time that can be read", fault);
    if (told->row.until <= told->row.from)
        return import_table_blame(table, IMPORT_C_UNTIL, "is not after the time it was given",
                                  fault);
    return SOUK_OK;
}

static souk_err read_row(import_table *table, souk_diag *fault)
{
    souk_import_sink *sink = table->sink;
    souk_import_entry entry = {.kind = SOUK_IMPORT_CONSENT};
    souk_consent_told *told = &entry.consent;
    souk_text evidence = import_table_cell(table, IMPORT_C_EVIDENCE);
    SOUK_TRY(read_who(table, told, fault));
    SOUK_TRY(read_basis(table, told, fault));
    SOUK_TRY(read_purpose(table, told, fault));
    SOUK_TRY(read_times(table, told, fault));
    if (evidence.bytes > 1000)
        return import_table_blame(table, IMPORT_C_EVIDENCE, "has more than 1000 bytes", fault);
    told->row.controller = SOUK_OPERATOR;
    told->row.evidence =
        import_keep(sink, evidence.bytes ? evidence : SOUK_TEXT("imported list of consents"));
    told->row.guardian = import_read_yes(import_table_cell(table, IMPORT_C_GUARDIAN)) == 1;
    told->age = read_age(import_table_cell(table, IMPORT_C_AGE));
    return sink->room->failed ? SOUK_ENOMEM : souk_import_put_entry(sink, sink->rows, &entry);
}

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    return import_table_begin(&state->table, sink, &import_consents_kind, ready, read_row);
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    return import_table_feed(&state->table, piece, last, diag);
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_table_done(&state->table);
}

const souk_import_format souk_import_consents = {
    .name = "consents",
    .summary = "CSV of any heading: a row is a yes or a no to a purpose",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
    .tell = import_table_tell,
    .is_mapped = true,
    .has_entries = true,
};
