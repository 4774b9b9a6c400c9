/* vault_bench.c - nanoseconds of sealing and opening, on a hit and on a miss of the key cache, of
 * taking, making and destroying; and what other constructions would cost beside them.
 *
 *     vault_bench [FOLDER]        on the real disk in FOLDER, else on the simulated one */
#include "store/vault.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BYTES = 150, SLOTS = 120000, HOT = 4096, ROUNDS = 200000, DESTROYED = 200 };

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void must(souk_err err, const char *what)
{
    if (!err)
        return;
    fprintf(stderr, "%s: %s\n", what, souk_err_words(err));
    exit(1);
}

static void tell(const char *what, double from, double count)
{
    printf("%-52s %9.0f ns\n", what, (now_ns() - from) / count);
}

/* The best of five, for the machine has other things to do as well. */
static void tell_best(const char *what, void (*run)(uint32_t among), uint32_t among)
{
    double best = 1e18;
    for (int turn = 0; turn < 5; turn++) {
        double from = now_ns();
        run(among);
        double took = now_ns() - from;
        best = took < best ? took : best;
    }
    printf("%-52s %9.0f ns\n", what, best / ROUNDS);
}

static uint32_t slots[SLOTS];
static uint8_t sealed[SLOTS][BYTES + 16];
static souk_vault *vault;

static void nonce_of(uint32_t i, uint8_t nonce[24])
{
    memset(nonce, 3, 24);
    memcpy(nonce + 16, &i, sizeof i);
}

/* The i-th text under the i-th slot; strides over all of them miss the cache, over HOT hit it. */
static void seal_some(uint32_t among)
{
    uint8_t plain[BYTES] = {7}, nonce[24];
    for (uint32_t n = 0; n < ROUNDS; n++) {
        uint32_t i = n % among;
        souk_seal_place place = {1, i, i, 2};
        nonce_of(i, nonce);
        must(souk_vault_seal(vault, slots[i], &place, nonce, plain, BYTES, sealed[i]), "seal");
    }
}

static void unseal_some(uint32_t among)
{
    uint8_t plain[BYTES], nonce[24];
    for (uint32_t n = 0; n < ROUNDS; n++) {
        uint32_t i = n % among;
        souk_seal_place place = {1, i, i, 2};
        nonce_of(i, nonce);
        must(souk_vault_unseal(vault, slots[i], &place, nonce, sealed[i], BYTES + 16, plain),
             "unseal");
    }
}

static void bench_vault(void)
{
    double from = now_ns();
    must(souk_vault_prepare(vault), "prepare");
    double made = souk_vault_stats_of(vault).block_slots;
    tell("make one slot of a block of 65,536, syncs included", from, made);
    must(souk_vault_take(vault, &slots[0]), "take");
    from = now_ns();
    for (uint32_t i = 1; i < 60000; i++)
        must(souk_vault_take(vault, &slots[i]), "take");
    tell("take", from, 59999);
    for (uint32_t i = 60000; i < SLOTS; i++)
        must(souk_vault_take(vault, &slots[i]), "take");

    seal_some(HOT);
    tell_best("seal 150 bytes, key cached", seal_some, HOT);
    tell_best("unseal 150 bytes, key cached", unseal_some, HOT);
    seal_some(SLOTS);
    souk_vault_stats before = souk_vault_stats_of(vault);
    tell_best("seal 150 bytes over 120,000 slots in turn", seal_some, SLOTS);
    tell_best("unseal 150 bytes over 120,000 slots in turn", unseal_some, SLOTS);
    souk_vault_stats after = souk_vault_stats_of(vault);
    printf("%-52s %9.1f %%\n", "  ... of which found in the cache",
           100.0 * (double)(after.hits - before.hits) / (10.0 * ROUNDS));
    printf("%-52s %9s\n", "cache locked in memory", after.memory_locked ? "yes" : "no");

    from = now_ns();
    for (uint32_t i = 0; i < DESTROYED; i++)
        must(souk_vault_destroy(vault, &slots[i], 1), "destroy");
    tell("destroy one, sync included", from, DESTROYED);
    from = now_ns();
    must(souk_vault_destroy(vault, slots, 10000), "destroy");
    tell("destroy one of 10,000 together", from, 10000);
    souk_vault_found found;
    from = now_ns();
    must(souk_vault_check(vault, 0, &found, NULL), "check");
    tell("check one slot", from, found.checked);
}

/* ---- beside it ------------------------------------------------------------------------- */

/* The bytes of XChaCha20-Poly1305-IETF put together from its parts, with one key stream for the
 * Poly1305 key and the text instead of two; subkey: HChaCha20 of key and nonce[0, 16). */
static void parts_seal(const uint8_t subkey[32], const uint8_t nonce[24], const uint8_t data[17],
                       const uint8_t *plain, uint8_t *to)
{
    uint8_t stream[64 + BYTES], short_nonce[12] = {0};
    uint8_t said[32 + 160 + 16] = {0};
    memcpy(short_nonce + 4, nonce + 16, 8);
    crypto_stream_chacha20_ietf(stream, sizeof stream, short_nonce, subkey);
    for (size_t i = 0; i < BYTES; i++)
        to[i] = plain[i] ^ stream[64 + i];
    memcpy(said, data, 17);
    memcpy(said + 32, to, BYTES);
    souk_put_u64(said + 192, 17);
    souk_put_u64(said + 200, BYTES);
    crypto_onetimeauth_poly1305(to + BYTES, said, sizeof said, stream);
}

static uint8_t key[32] = {1}, subkey[32], data[17] = {3}, plain_text[BYTES] = {4};
static uint8_t result[BYTES + 16];
static crypto_aead_aes256gcm_state aes;

static void run_whole(uint32_t from)
{
    uint8_t nonce[24];
    for (uint32_t n = from; n < from + ROUNDS; n++) {
        nonce_of(n, nonce);
        crypto_aead_xchacha20poly1305_ietf_encrypt(result, NULL, plain_text, BYTES, data,
                                                   sizeof data, NULL, nonce, key);
    }
}

static void run_subkey(uint32_t from)
{
    uint8_t nonce[24];
    for (uint32_t n = from; n < from + ROUNDS; n++) {
        nonce_of(n, nonce);
        nonce[0] = subkey[0]; /* each waits for the one before */
        crypto_core_hchacha20(subkey, nonce, key, NULL);
    }
}

static void run_parts(uint32_t from)
{
    uint8_t nonce[24];
    for (uint32_t n = from; n < from + ROUNDS; n++) {
        nonce_of(n, nonce);
        crypto_core_hchacha20(subkey, nonce, key, NULL);
        parts_seal(subkey, nonce, data, plain_text, result);
    }
}

static void run_parts_kept(uint32_t from)
{
    uint8_t nonce[24];
    for (uint32_t n = from; n < from + ROUNDS; n++) {
        nonce_of(n, nonce);
        parts_seal(subkey, nonce, data, plain_text, result);
    }
}

/* libsodium's own with a kept subkey: the same bytes too, for the short nonce is 0000 | rest. */
static void run_short(uint32_t from)
{
    uint8_t nonce[24] = {0};
    for (uint32_t n = from; n < from + ROUNDS; n++) {
        memcpy(nonce + 4, &n, sizeof n);
        crypto_aead_chacha20poly1305_ietf_encrypt(result, NULL, plain_text, BYTES, data,
                                                  sizeof data, NULL, nonce, subkey);
    }
}

static void run_aes(uint32_t from)
{
    uint8_t nonce[24];
    for (uint32_t n = from; n < from + ROUNDS; n++) {
        nonce_of(n, nonce);
        crypto_aead_aes256gcm_encrypt(result, NULL, plain_text, BYTES, data, sizeof data, NULL,
                                      nonce + 12, key);
    }
}

static void run_aes_kept(uint32_t from)
{
    uint8_t nonce[24];
    for (uint32_t n = from; n < from + ROUNDS; n++) {
        nonce_of(n, nonce);
        crypto_aead_aes256gcm_encrypt_afternm(result, NULL, plain_text, BYTES, data, sizeof data,
                                              NULL, nonce + 12, &aes);
    }
}

static void bench_parts(void)
{
    uint8_t nonce[24] = {2}, same[BYTES + 16];
    crypto_core_hchacha20(subkey, nonce, key, NULL);
    parts_seal(subkey, nonce, data, plain_text, result);
    crypto_aead_xchacha20poly1305_ietf_encrypt(same, NULL, plain_text, BYTES, data, sizeof data,
                                               NULL, nonce, key);
    printf("\nfrom parts, the same bytes come out: %s\n",
           memcmp(result, same, sizeof same) ? "no" : "yes");
    tell_best("XChaCha20-Poly1305-IETF alone", run_whole, 0);
    tell_best("... with a kept subkey", run_short, 0);
    tell_best("HChaCha20 alone", run_subkey, 0);
    tell_best("XChaCha20-Poly1305-IETF from parts", run_parts, 0);
    tell_best("... with a kept subkey", run_parts_kept, 0);
    if (!crypto_aead_aes256gcm_is_available())
        return;
    crypto_aead_aes256gcm_beforenm(&aes, key);
    tell_best("AES-256-GCM alone, key set up each time", run_aes, 0);
    tell_best("AES-256-GCM alone, key set up once", run_aes_kept, 0);
}

int main(int argument_count, char **arguments)
{
    souk_mem *mem = souk_mem_heap();
    souk_disk *disk;
    souk_diag diag = {0};
    if (argument_count > 1)
        must(souk_disk_open_real(mem, arguments[1], &disk, &diag), "open the folder");
    else
        must(souk_disk_open_sim(mem, 1, &disk), "open a simulated disk");
    souk_err err = souk_vault_init(mem, disk, NULL, &diag);
    if (err != SOUK_EEXIST)
        must(err, "init");
    must(souk_vault_open(mem, disk, NULL, &vault, &diag), "open");
    bench_vault();
    bench_parts();
    souk_vault_free(vault);
    souk_disk_free(disk);
    return 0;
}
