/* family.c - two tables, every change under its predicate: see family.h. */
#include "service/loyalty/family.h"

static const souk_migration steps[] = {
    {1,
     "CREATE TABLE loyalty_family ("
     "  id       INTEGER PRIMARY KEY,"
     "  merchant INTEGER NOT NULL CHECK (merchant > 0),"
     "  name     TEXT NOT NULL CHECK (length(name) <= 100),"
     "  made     INTEGER NOT NULL,"                                   /* ms UTC */
     "  members  INTEGER NOT NULL CHECK (members BETWEEN 0 AND 16));" /* in or asked */
     /* Who was asked and what she said; a row stays when she leaves. */
     "CREATE TABLE loyalty_member ("
     "  family   INTEGER NOT NULL,"                    /* loyalty_family.id */
     "  member   INTEGER NOT NULL CHECK (member > 0)," /* an atom */
     "  merchant INTEGER NOT NULL CHECK (merchant > 0),"
     "  state    INTEGER NOT NULL CHECK (state IN (1, 2, 3))," /* souk_member_state */
     "  asked_by INTEGER NOT NULL,"                            /* an atom */
     "  asked_at INTEGER NOT NULL,"                            /* ms UTC */
     "  said_at  INTEGER NOT NULL,"                            /* yes, no or left; 0: not yet */
     "  most     INTEGER NOT NULL CHECK (most >= 0),"          /* points a month; 0: no limit */
     "  month    INTEGER NOT NULL,"                            /* since 1970-01: that of `burned` */
     "  burned   INTEGER NOT NULL CHECK (burned >= 0),"
     "  PRIMARY KEY (family, member));"
     "CREATE UNIQUE INDEX loyalty_member_one ON loyalty_member (merchant, member) WHERE state = 2"},
};

souk_err souk_family_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "loyalty_family", steps, sizeof steps / sizeof *steps, diag);
}

/* ---- who is in --------------------------------------------------------------------------------------------- */

static souk_err is_free(souk_tx *tx, uint32_t merchant, int64_t atom, souk_diag *diag)
{
    int64_t count;
    SOUK_TRY(souk_sql_one_int(
        tx, "SELECT count(*) FROM loyalty_member WHERE merchant = ?1 AND member = ?2 AND state = 2",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_INT(atom)), &count));
    return count == 0 ? SOUK_OK
                      : souk_diag_say(diag, SOUK_ECONFLICT,
                                      "this person is a member of a family: leave it first");
}

souk_err souk_family_found(souk_tx *tx, uint32_t merchant, int64_t atom, souk_text name,
                           souk_time at, int64_t *ret_family, souk_diag *diag)
{
    if (name.bytes > SOUK_FAMILY_NAME_BYTES)
        return souk_diag_say(diag, SOUK_EINVAL, "a family's name has at most %d bytes",
                             SOUK_FAMILY_NAME_BYTES);
    SOUK_TRY(is_free(tx, merchant, atom, diag)); /* for words: the index decides */
    SOUK_TRY(souk_sql_one_int(
        tx,
        "INSERT INTO loyalty_family (merchant, name, made, members) VALUES (?1, ?2, ?3, 1) "
        "RETURNING id",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(name), SOUK_INT(at)), ret_family));
    return souk_sql_run(
        tx,
        "INSERT INTO loyalty_member (family, member, merchant, state, asked_by, asked_at, said_at, "
        "most, month, burned) VALUES (?1, ?2, ?3, 2, ?2, ?4, ?4, 0, 0, 0)",
        SOUK_VALUES(SOUK_INT(*ret_family), SOUK_INT(atom), SOUK_INT(merchant), SOUK_INT(at)));
}

static souk_err read_state(souk_tx *tx, int64_t family, int64_t atom, uint32_t merchant,
                           int64_t *ret_state)
{
    *ret_state = 0;
    souk_err err = souk_sql_one_int(
        tx, "SELECT state FROM loyalty_member WHERE family = ?1 AND member = ?2 AND merchant = ?3",
        SOUK_VALUES(SOUK_INT(family), SOUK_INT(atom), SOUK_INT(merchant)), ret_state);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

/* The family's row is held from here on: its places are counted by one at a time. */
static souk_err take_place(souk_tx *tx, int64_t family, int by, souk_diag *diag)
{
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE loyalty_family SET members = members + ?2 "
                          "WHERE id = ?1 AND members + ?2 BETWEEN 0 AND 16",
                          SOUK_VALUES(SOUK_INT(family), SOUK_INT(by))));
    return souk_sql_changed(tx) == 1
               ? SOUK_OK
               : souk_diag_say(diag, SOUK_ECONFLICT,
                               "a family has at most %d members, those who were asked included",
                               SOUK_FAMILY_MEMBERS);
}

souk_err souk_family_invite(souk_tx *tx, const souk_family_member *by, int64_t atom, souk_time at,
                            souk_diag *diag)
{
    int64_t state;
    if (by->month_most < 0)
        return souk_diag_say(diag, SOUK_EINVAL, "a month's limit is 0 (none) or more points");
    SOUK_TRY(take_place(tx, by->family, 0, diag));
    SOUK_TRY(read_state(tx, by->family, by->atom, by->merchant, &state));
    if (state != SOUK_MEMBER_IN)
        return souk_diag_say(diag, SOUK_EDENIED, "only a member of this family asks others in");
    SOUK_TRY(read_state(tx, by->family, atom, by->merchant, &state));
    if (state == SOUK_MEMBER_IN)
        return souk_diag_say(diag, SOUK_ECONFLICT, "this person is a member already");
    if (state != SOUK_MEMBER_INVITED) /* who has a place already */
        SOUK_TRY(take_place(tx, by->family, 1, diag));
    return souk_sql_run(
        tx,
        "INSERT INTO loyalty_member (family, member, merchant, state, asked_by, asked_at, said_at, "
        "most, month, burned) VALUES (?1, ?2, ?3, 1, ?4, ?5, 0, ?6, 0, 0) "
        "ON CONFLICT (family, member) DO UPDATE SET state = 1, asked_by = ?4, asked_at = ?5, "
        "said_at = 0, most = ?6 WHERE loyalty_member.state <> 2",
        SOUK_VALUES(SOUK_INT(by->family), SOUK_INT(atom), SOUK_INT(by->merchant),
                    SOUK_INT(by->atom), SOUK_INT(at), SOUK_INT(by->month_most)));
}

souk_err souk_family_accept(souk_tx *tx, const souk_family_member *as, souk_time at,
                            souk_diag *diag)
{
    int64_t state;
    SOUK_TRY(read_state(tx, as->family, as->atom, as->merchant, &state));
    if (state == SOUK_MEMBER_IN)
        return SOUK_OK;
    SOUK_TRY(is_free(tx, as->merchant, as->atom, diag)); /* for words: the index decides */
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE loyalty_member SET state = 2, said_at = ?4 "
                          "WHERE family = ?1 AND member = ?2 AND merchant = ?3 AND state = 1",
                          SOUK_VALUES(SOUK_INT(as->family), SOUK_INT(as->atom),
                                      SOUK_INT(as->merchant), SOUK_INT(at))));
    return souk_sql_changed(tx) == 1
               ? SOUK_OK
               : souk_diag_say(diag, SOUK_ENOENT,
                               "nobody asked this person into that family: a member does");
}

souk_err souk_family_leave(souk_tx *tx, const souk_family_member *as, souk_time at, souk_diag *diag)
{
    SOUK_TRY(take_place(tx, as->family, -1, diag));
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE loyalty_member SET state = 3, said_at = ?4 "
                          "WHERE family = ?1 AND member = ?2 AND merchant = ?3 AND state <> 3",
                          SOUK_VALUES(SOUK_INT(as->family), SOUK_INT(as->atom),
                                      SOUK_INT(as->merchant), SOUK_INT(at))));
    return souk_sql_changed(tx) == 1
               ? SOUK_OK
               : souk_diag_say(diag, SOUK_ENOENT, "this person is not in that family");
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

static souk_err read_member(souk_tx *tx, uint32_t merchant, int64_t atom,
                            souk_family_member *ret_member)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT family, most FROM loyalty_member "
                             "WHERE merchant = ?1 AND member = ?2 AND state = 2",
                             SOUK_VALUES(SOUK_INT(merchant), SOUK_INT(atom)), &rows));
    if (souk_rows_next(&rows))
        *ret_member = (souk_family_member){.merchant = merchant,
                                           .family = souk_rows_int(&rows, 0),
                                           .atom = atom,
                                           .state = SOUK_MEMBER_IN,
                                           .month_most = souk_rows_int(&rows, 1)};
    return souk_rows_check(&rows);
}

souk_err souk_family_of(souk_tx *tx, uint32_t merchant, const uint32_t *atoms, size_t count,
                        souk_family_member *ret_member)
{
    *ret_member = (souk_family_member){.merchant = merchant};
    for (size_t i = 0; i < count && ret_member->family == 0; i++)
        SOUK_TRY(read_member(tx, merchant, atoms[i], ret_member));
    return SOUK_OK;
}

souk_err souk_family_list(souk_tx *tx, uint32_t merchant, int64_t family, souk_time at,
                          souk_err (*each)(void *context, const souk_family_member *member),
                          void *context)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT member, state, most, CASE WHEN month = ?3 THEN burned ELSE 0 END "
        "FROM loyalty_member WHERE family = ?1 AND merchant = ?2 AND state <> 3 ORDER BY member",
        SOUK_VALUES(SOUK_INT(family), SOUK_INT(merchant), SOUK_INT(souk_time_month(at))), &rows));
    while (souk_rows_next(&rows)) {
        souk_family_member member = {.merchant = merchant,
                                     .family = family,
                                     .atom = souk_rows_int(&rows, 0),
                                     .state = (souk_member_state)souk_rows_int(&rows, 1),
                                     .month_most = souk_rows_int(&rows, 2),
                                     .month_burned = souk_rows_int(&rows, 3)};
        SOUK_TRY(each(context, &member));
    }
    return souk_rows_check(&rows);
}

/* ---- burning ---------------------------------------------------------------------------------------------------- */

souk_err souk_family_draw(souk_tx *tx, int64_t family, int64_t atom, int64_t points, souk_time at,
                          souk_diag *diag)
{
    int64_t room;
    SOUK_TRY(
        souk_sql_run(tx,
                     "UPDATE loyalty_member SET month = ?4, "
                     "burned = ?3 + CASE WHEN month = ?4 THEN burned ELSE 0 END "
                     "WHERE family = ?1 AND member = ?2 AND state = 2 "
                     "AND (most = 0 OR ?3 + CASE WHEN month = ?4 THEN burned ELSE 0 END <= most)",
                     SOUK_VALUES(SOUK_INT(family), SOUK_INT(atom), SOUK_INT(points),
                                 SOUK_INT(souk_time_month(at)))));
    if (souk_sql_changed(tx) == 1)
        return SOUK_OK;
    SOUK_TRY(souk_family_room(tx, family, atom, at, &room));
    return souk_diag_say(diag, SOUK_ECONFLICT,
                         "this member may burn %lld more points of the family's pot this month, "
                         "and %lld are asked for",
                         (long long)room, (long long)points);
}

souk_err souk_family_room(souk_tx *tx, int64_t family, int64_t atom, souk_time at,
                          int64_t *ret_points)
{
    *ret_points = 0;
    souk_err err = souk_sql_one_int(
        tx,
        "SELECT CASE WHEN most = 0 THEN 1000000000000 WHEN month = ?3 AND burned >= most THEN 0 "
        "WHEN month = ?3 THEN most - burned ELSE most END FROM loyalty_member "
        "WHERE family = ?1 AND member = ?2 AND state = 2",
        SOUK_VALUES(SOUK_INT(family), SOUK_INT(atom), SOUK_INT(souk_time_month(at))), ret_points);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}
