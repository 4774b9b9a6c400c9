/* spine_model_traces.h - what an erasure must not leave: on the disk, and in an older ledger with today's keys.
 * For spine_model_test.c alone, where it stands after test/test.h. */
#ifndef SOUK_CORE_SPINE_MODEL_TRACES_H
#define SOUK_CORE_SPINE_MODEL_TRACES_H

#include "core/spine_model_judge.h"

/* What led to her: the blind indexes of her identifiers. */
struct traces {
    souk_hash128 hashes[MODEL_IDS];
    size_t count;
};

static inline void note_traces(struct world *world, struct traces *traces)
{
    const souk_hashes *hashes = souk_spine_hashes(world->spine);
    traces->count = 0;
    for (size_t i = 0; i < MODEL_IDS; i++) {
        const struct model_id *id = &world->model->ids[i];
        if (id->atom && in_person(world, id->atom))
            traces->hashes[traces->count++] =
                souk_hashes_identifier(hashes, id->kind, souk_text_of(id->value));
    }
}

/* Neither the ledger and its log nor the snapshot may lead from them anywhere. */
static inline bool judge_traces(struct world *world, const struct traces *traces)
{
    souk_auto(souk_index) old = NULL;
    souk_index_options options = {souk_consent_bases_of, souk_spine_consent(world->spine)};
    struct scan scan;
    must(world, souk_index_new(world->test->mem, &options, &old));
    souk_err loaded = souk_index_load(old, world->disk, "index");
    for (size_t i = 0; i < traces->count; i++) {
        if (stands_on(world->disk, &traces->hashes[i], sizeof traces->hashes[i], &scan))
            return differ(world, "an erased identifier's index stands in '%s'", scan.found_in);
        if (!loaded && souk_index_find(old, traces->hashes[i]))
            return differ(world, "the snapshot still knows an erased identifier");
    }
    return true;
}

static inline souk_err judge_old_link(void *context, const souk_link *link, souk_text value)
{
    struct world *world = context;
    (void)value;
    if (world->model->atoms[link->atom].erased)
        differ(world, "an old edge of erased atom %u opens", link->atom);
    return SOUK_OK;
}

static inline souk_err judge_old_block(void *context, const souk_block *block)
{
    struct world *world = context;
    for (size_t i = 0; i < block->edge_count; i++) {
        souk_err err = spine_edge_links(world->spine, block, i, judge_old_link, world);
        if (err != SOUK_EERASED)
            SOUK_TRY(err);
    }
    for (size_t i = 0; i < block->count; i++) {
        const souk_fact *fact = &block->facts[i];
        unsigned char nonce[SOUK_NONCE], plain[256];
        souk_seal_place place = {.merchant = SOUK_OPERATOR,
                                 .atom = fact->atom,
                                 .position = fact->position,
                                 .class = SPINE_CLASS_EVENT};
        if (!fact->atom || !world->model->atoms[fact->atom].erased || !fact->sealed_bytes)
            continue;
        souk_nonce_event(nonce, block->prefix, fact->position);
        for (uint32_t slot = SOUK_VAULT_FIRST; slot < SOUK_VAULT_FIRST + 4096; slot++) {
            souk_err err =
                souk_vault_unseal(world->spine->vault, slot, &place, nonce,
                                  block->sealed + fact->sealed_at, fact->sealed_bytes, plain);
            if (err == SOUK_OK)
                differ(world, "an old text of erased atom %u opens", fact->atom);
            if (err == SOUK_ENOENT)
                break;
        }
    }
    return SOUK_OK;
}

/* The thief has an old ledger, all of today's keys, and knows her e-mail address. */
static inline bool judge_copy(struct world *world, struct copy *copy)
{
    souk_auto_value(souk_buf) root = {.mem = world->test->mem};
    souk_spine *today = world->spine;
    must(world, souk_disk_take(world->disk, "root.key", &root));
    must(world, souk_disk_put(copy->disk, "root.key", root.at, root.bytes));
    if (world->model->fault != MODEL_KEYS)
        must(world, souk_vault_copy(today->vault, copy->disk, "keys"));
    souk_diag diag = {.words = ""};
    world->spine = NULL;
    souk_err err =
        souk_spine_open(world->test->mem, copy->disk, &world->options, &world->spine, &diag);
    for (size_t i = 0; i < MODEL_IDS && !err; i++) {
        const struct model_id *id = &world->model->ids[i];
        if (souk_spine_find(world->spine, id->kind, souk_text_of(id->value), &world->person))
            continue;
        for (uint32_t k = 0; k < world->person.atom_count; k++)
            if (world->model->atoms[world->person.atoms[k]].erased)
                differ(world, "%s leads to erased atom %u in an old ledger", id->value,
                       world->person.atoms[k]);
    }
    if (!err)
        err = souk_log_walk(world->test->mem, souk_spine_ledger(world->spine), 1, judge_old_block,
                            world);
    if (err)
        differ(world, "an old ledger with today's keys: %s, %s", souk_err_name(err), diag.words);
    souk_spine_free(world->spine);
    world->spine = today;
    return !world->wrong[0];
}

#endif
