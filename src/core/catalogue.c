/* catalogue.c - the names of catalogue.h: two tables, and a hash table over them in memory.
 *
 * Each kind is an array of entries by number and an open-addressing table of numbers by hash.  The
 * writer changes them under the lock, so that a reader never meets half an entry. */
#include "core/catalogue.h"

#include "base/hash.h"
#include "base/random.h"
#include "os/thread.h"

static const souk_migration catalogue_steps[] = {
    {1, "CREATE TABLE name ("
        "  kind     INTEGER NOT NULL,"                    /* souk_name_kind */
        "  number   INTEGER NOT NULL CHECK (number > 0)," /* what blocks store */
        "  merchant INTEGER NOT NULL,"                    /* whose code it is; 0: everybody's */
        "  name     TEXT NOT NULL CHECK (name <> ''),"    /* byte for byte as it came */
        "  title    TEXT NOT NULL DEFAULT '',"            /* of a product, for people */
        "  category INTEGER NOT NULL DEFAULT 0," /* of a product: number of kind 3; 0 unknown */
        "  PRIMARY KEY (kind, number),"
        "  UNIQUE (kind, merchant, name)"
        ") WITHOUT ROWID"},
};

/* How many names of a kind there may be; a category must fit 16 bits of a counter's key. */
static const uint32_t most_names[SOUK_NAME_KINDS] = {0, 4096, 20000000, 65535, 1000000};

/* One cache line; a name that does not fit lies apart. */
enum { NEAR_NAME = 40 };
struct entry {
    uint64_t hash;
    uint32_t merchant, category;
    uint16_t bytes;
    bool titled;
    union {
        char near[NEAR_NAME];
        char *far;
    } name;
};
_Static_assert(sizeof(struct entry) == 64, "an entry is one cache line");

/* A place of the hash table: half of the hash tells most others apart without a look at their entries. */
struct place {
    uint32_t number, tag; /* number 0: free */
};

struct kind {
    struct entry *entries;  /* [capacity], entry 0 unused */
    size_t count, capacity; /* count includes entry 0 */
    size_t committed;
    struct place *table; /* [table_capacity] */
    size_t table_capacity;
};

struct souk_catalogue {
    souk_mem *mem;
    souk_ledger *ledger;
    souk_hash_key key; /* of this process: nobody outside can aim collisions */
    souk_rwlock lock;
    struct kind kinds[SOUK_NAME_KINDS];
    struct told { /* products whose title or category this transaction filled in */
        uint32_t number, category;
        bool titled;
    } * told;
    size_t told_count, told_capacity;
};

static uint64_t hash_name(const souk_catalogue *catalogue, uint32_t merchant, souk_text name)
{
    return souk_hash64(&catalogue->key, name.at, name.bytes) + souk_mix64(merchant);
}

static souk_text name_of(const struct entry *entry)
{
    return (souk_text){entry->bytes > NEAR_NAME ? entry->name.far : entry->name.near, entry->bytes};
}

static void drop_name(souk_catalogue *catalogue, struct entry *entry)
{
    if (entry->bytes > NEAR_NAME)
        souk_mem_put(catalogue->mem, entry->name.far);
}

static uint32_t find_number(const struct kind *kind, uint32_t merchant, souk_text name,
                            uint64_t hash)
{
    if (kind->table_capacity == 0)
        return 0;
    size_t mask = kind->table_capacity - 1;
    for (size_t at = hash & mask; kind->table[at].number; at = (at + 1) & mask) {
        if (kind->table[at].tag != (uint32_t)(hash >> 32))
            continue;
        const struct entry *entry = &kind->entries[kind->table[at].number];
        if (entry->hash == hash && entry->merchant == merchant &&
            souk_text_equal(name_of(entry), name))
            return kind->table[at].number;
    }
    return 0;
}

static void place_number(struct kind *kind, uint32_t number)
{
    size_t mask = kind->table_capacity - 1;
    uint64_t hash = kind->entries[number].hash;
    size_t at = hash & mask;
    while (kind->table[at].number)
        at = (at + 1) & mask;
    kind->table[at] = (struct place){number, (uint32_t)(hash >> 32)};
}

static souk_err fill_table(souk_catalogue *catalogue, struct kind *kind, size_t capacity)
{
    struct place *table = souk_mem_array(catalogue->mem, capacity, sizeof *table);
    if (!table)
        return SOUK_ENOMEM;
    souk_mem_put(catalogue->mem, kind->table);
    kind->table = table;
    kind->table_capacity = capacity;
    for (size_t number = 1; number < kind->count; number++)
        place_number(kind, (uint32_t)number);
    return SOUK_OK;
}

static souk_err kind_room(souk_catalogue *catalogue, struct kind *kind)
{
    SOUK_TRY(souk_mem_grow(catalogue->mem, &kind->entries, &kind->capacity, kind->count + 1,
                           (size_t)1 << 25, sizeof *kind->entries));
    if ((kind->count + 1) * 2 <= kind->table_capacity)
        return SOUK_OK;
    return fill_table(catalogue, kind, souk_max_size(256, kind->table_capacity * 2));
}

static souk_err add_entry(souk_catalogue *catalogue, struct kind *kind, uint32_t merchant,
                          souk_text name, uint32_t category, bool titled)
{
    if (name.bytes > UINT16_MAX)
        return SOUK_ETOOBIG;
    SOUK_TRY(kind_room(catalogue, kind));
    struct entry entry = {.hash = hash_name(catalogue, merchant, name),
                          .bytes = (uint16_t)name.bytes,
                          .merchant = merchant,
                          .category = category,
                          .titled = titled};
    char *copy = entry.name.near;
    if (name.bytes > NEAR_NAME &&
        !(entry.name.far = copy = souk_mem_get(catalogue->mem, name.bytes)))
        return SOUK_ENOMEM;
    memcpy(copy, name.at, name.bytes);
    kind->entries[kind->count] = entry;
    place_number(kind, (uint32_t)kind->count++);
    return SOUK_OK;
}

/* ---- life ---------------------------------------------------------------------------------------- */

static souk_err read_names(souk_tx *tx, void *context)
{
    souk_catalogue *catalogue = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT kind, number, merchant, name, category, title <> '' FROM name "
                             "ORDER BY kind, number",
                             SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        int64_t kind_number = souk_rows_int(&rows, 0);
        if (kind_number < 1 || kind_number >= SOUK_NAME_KINDS)
            return SOUK_ECORRUPT;
        struct kind *kind = &catalogue->kinds[kind_number];
        if (souk_rows_int(&rows, 1) != (int64_t)kind->count)
            return SOUK_ECORRUPT;
        SOUK_TRY(add_entry(catalogue, kind, (uint32_t)souk_rows_int(&rows, 2),
                           souk_rows_text(&rows, 3), (uint32_t)souk_rows_int(&rows, 4),
                           souk_rows_int(&rows, 5) != 0));
        kind->committed = kind->count;
    }
    return souk_rows_check(&rows);
}

souk_err souk_catalogue_open(souk_mem *mem, souk_ledger *ledger, souk_catalogue **ret_catalogue,
                             souk_diag *diag)
{
    SOUK_TRY(souk_ledger_migrate(ledger, "catalogue", catalogue_steps,
                                 sizeof catalogue_steps / sizeof *catalogue_steps, diag));
    souk_auto(souk_catalogue) catalogue = souk_mem_get(mem, sizeof *catalogue);
    if (!catalogue)
        return SOUK_ENOMEM;
    catalogue->mem = mem;
    catalogue->ledger = ledger;
    souk_rwlock_init(&catalogue->lock);
    souk_entropy(&catalogue->key, sizeof catalogue->key);
    for (size_t i = 0; i < SOUK_NAME_KINDS; i++)
        catalogue->kinds[i].count = catalogue->kinds[i].committed = 1;
    SOUK_TRY(souk_ledger_read(ledger, read_names, catalogue));
    *ret_catalogue = souk_take(&catalogue);
    return SOUK_OK;
}

void souk_catalogue_free(souk_catalogue *catalogue)
{
    if (!catalogue)
        return;
    for (size_t i = 0; i < SOUK_NAME_KINDS; i++) {
        struct kind *kind = &catalogue->kinds[i];
        for (size_t number = 1; kind->entries && number < kind->count; number++)
            drop_name(catalogue, &kind->entries[number]);
        souk_mem_put(catalogue->mem, kind->entries);
        souk_mem_put(catalogue->mem, kind->table);
    }
    souk_mem_put(catalogue->mem, catalogue->told);
    souk_rwlock_done(&catalogue->lock);
    souk_mem_put(catalogue->mem, catalogue);
}

/* ---- the writer's side --------------------------------------------------------------------------- */

void souk_catalogue_begin(souk_catalogue *catalogue)
{
    for (size_t i = 0; i < SOUK_NAME_KINDS; i++)
        souk_assert(catalogue->kinds[i].count == catalogue->kinds[i].committed);
}

void souk_catalogue_commit(souk_catalogue *catalogue)
{
    catalogue->told_count = 0;
    for (size_t i = 1; i < SOUK_NAME_KINDS; i++) {
        struct kind *kind = &catalogue->kinds[i];
        if (kind->committed == kind->count)
            continue;
        souk_auto_write(&catalogue->lock);
        kind->committed = kind->count;
    }
}

void souk_catalogue_rollback(souk_catalogue *catalogue)
{
    souk_auto_write(&catalogue->lock);
    while (catalogue->told_count) {
        const struct told *told = &catalogue->told[--catalogue->told_count];
        struct entry *entry = &catalogue->kinds[SOUK_NAME_PRODUCT].entries[told->number];
        entry->titled = told->titled;
        entry->category = told->category;
    }
    for (size_t i = 1; i < SOUK_NAME_KINDS; i++) {
        struct kind *kind = &catalogue->kinds[i];
        if (kind->committed == kind->count)
            continue;
        while (kind->count > kind->committed)
            drop_name(catalogue, &kind->entries[--kind->count]);
        memset(kind->table, 0, kind->table_capacity * sizeof *kind->table);
        for (size_t number = 1; number < kind->count; number++)
            place_number(kind, (uint32_t)number);
    }
}

static souk_err new_name(souk_catalogue *catalogue, souk_tx *tx, souk_name_kind which,
                         uint32_t merchant, souk_text name, souk_text title, uint32_t category,
                         uint32_t *ret_number)
{
    struct kind *kind = &catalogue->kinds[which];
    *ret_number = 0;
    if (kind->count > most_names[which])
        return SOUK_OK;
    SOUK_TRY(souk_sql_run(tx,
                          "INSERT INTO name (kind, number, merchant, name, title, category) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                          SOUK_VALUES(SOUK_INT(which), SOUK_INT(kind->count), SOUK_INT(merchant),
                                      SOUK_STR(name), SOUK_STR(title), SOUK_INT(category))));
    souk_auto_write(&catalogue->lock);
    SOUK_TRY(add_entry(catalogue, kind, merchant, name, category, title.bytes != 0));
    *ret_number = (uint32_t)kind->count - 1;
    return SOUK_OK;
}

souk_err souk_catalogue_number(souk_catalogue *catalogue, souk_tx *tx, souk_name_kind kind,
                               uint32_t merchant, souk_text name, uint32_t *ret_number)
{
    *ret_number = 0;
    if (name.bytes == 0)
        return SOUK_OK;
    *ret_number =
        find_number(&catalogue->kinds[kind], merchant, name, hash_name(catalogue, merchant, name));
    if (*ret_number)
        return SOUK_OK;
    return new_name(catalogue, tx, kind, merchant, name, SOUK_TEXT(""), 0, ret_number);
}

/* Fills in what the first event about the product did not tell. */
static souk_err tell_product(souk_catalogue *catalogue, souk_tx *tx, uint32_t number,
                             souk_text title, uint32_t category)
{
    struct entry *entry = &catalogue->kinds[SOUK_NAME_PRODUCT].entries[number];
    if ((entry->titled || !title.bytes) && (entry->category || !category))
        return SOUK_OK;
    SOUK_TRY(souk_mem_grow(catalogue->mem, &catalogue->told, &catalogue->told_capacity,
                           catalogue->told_count + 1, (size_t)1 << 24, sizeof *catalogue->told));
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE name SET title = CASE title WHEN '' THEN ?3 ELSE title END, "
                          "category = CASE category WHEN 0 THEN ?4 ELSE category END "
                          "WHERE kind = ?1 AND number = ?2",
                          SOUK_VALUES(SOUK_INT(SOUK_NAME_PRODUCT), SOUK_INT(number),
                                      SOUK_STR(title), SOUK_INT(category))));
    if (souk_sql_changed(tx) != 1)
        return SOUK_ECORRUPT;
    catalogue->told[catalogue->told_count++] =
        (struct told){number, entry->category, entry->titled};
    entry->titled |= title.bytes != 0;
    entry->category = entry->category ? entry->category : category;
    return SOUK_OK;
}

souk_err souk_catalogue_product(souk_catalogue *catalogue, souk_tx *tx, uint32_t merchant,
                                souk_text code, souk_text title, souk_text category,
                                uint32_t *ret_number, uint32_t *ret_category)
{
    struct kind *products = &catalogue->kinds[SOUK_NAME_PRODUCT];
    uint32_t told;
    *ret_number = *ret_category = 0;
    if (code.bytes == 0)
        return SOUK_OK;
    SOUK_TRY(souk_catalogue_number(catalogue, tx, SOUK_NAME_CATEGORY, 0, category, &told));
    uint32_t number = find_number(products, merchant, code, hash_name(catalogue, merchant, code));
    if (number == 0)
        SOUK_TRY(new_name(catalogue, tx, SOUK_NAME_PRODUCT, merchant, code, title, told, &number));
    else
        SOUK_TRY(tell_product(catalogue, tx, number, title, told));
    *ret_number = number;
    *ret_category = number ? products->entries[number].category : told;
    return SOUK_OK;
}

/* ---- readers --------------------------------------------------------------------------------------- */

void souk_catalogue_name(const souk_catalogue *catalogue, souk_name_kind which, uint32_t number,
                         char *ret_name, size_t room)
{
    const struct kind *kind = &catalogue->kinds[which];
    souk_rwlock *lock = (souk_rwlock *)(uintptr_t)&catalogue->lock;
    souk_auto_read(lock);
    ret_name[0] = '\0';
    if (number == 0 || number >= kind->committed)
        return;
    souk_text name = name_of(&kind->entries[number]);
    size_t bytes = souk_min_size(name.bytes, room - 1);
    memcpy(ret_name, name.at, bytes);
    ret_name[bytes] = '\0';
}

uint32_t souk_catalogue_find(const souk_catalogue *catalogue, souk_name_kind which,
                             uint32_t merchant, souk_text name)
{
    const struct kind *kind = &catalogue->kinds[which];
    souk_rwlock *lock = (souk_rwlock *)(uintptr_t)&catalogue->lock;
    souk_auto_read(lock);
    uint32_t number = find_number(kind, merchant, name, hash_name(catalogue, merchant, name));
    return number < kind->committed ? number : 0;
}

uint32_t souk_catalogue_count(const souk_catalogue *catalogue, souk_name_kind kind)
{
    souk_rwlock *lock = (souk_rwlock *)(uintptr_t)&catalogue->lock;
    souk_auto_read(lock);
    return (uint32_t)catalogue->kinds[kind].committed - 1;
}

/* ---- lists -------------------------------------------------------------------------------------------- */

struct listing {
    souk_name_kind kind;
    uint32_t merchant;
    souk_text after;
    size_t limit;
    souk_err (*each)(void *context, souk_text name);
    void *context;
};

static souk_err read_list(souk_tx *tx, void *context)
{
    const struct listing *listing = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(
        souk_rows_begin(tx,
                        "SELECT name FROM name WHERE kind = ?1 AND merchant = ?2 AND name > ?3 "
                        "ORDER BY name LIMIT ?4",
                        SOUK_VALUES(SOUK_INT(listing->kind), SOUK_INT(listing->merchant),
                                    SOUK_STR(listing->after), SOUK_INT((int64_t)listing->limit)),
                        &rows));
    while (souk_rows_next(&rows))
        SOUK_TRY(listing->each(listing->context, souk_rows_text(&rows, 0)));
    return souk_rows_check(&rows);
}

souk_err souk_catalogue_list(souk_catalogue *catalogue, souk_name_kind kind, uint32_t merchant,
                             souk_text after, size_t limit,
                             souk_err (*each)(void *context, souk_text name), void *context)
{
    struct listing listing = {kind, merchant, after, limit, each, context};
    return souk_ledger_read(catalogue->ledger, read_list, &listing);
}
