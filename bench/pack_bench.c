/* pack_bench.c - bytes and events per second of core/pack, beside zstd.
 *
 *     pack_bench [events] [--print]        20000 events by default, the same at every run
 *
 * zstd runs per event as the packer does, in the frame format without magic, size and checksum.  Its
 * dictionary of 32 KiB is trained on other events of the same generator, which is more than an
 * installation could have: shoppers' events may not be learned from. */
#define ZSTD_STATIC_LINKING_ONLY
#include "core/pack.h"
#include "pack_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zdict.h>
#include <zstd.h>

#define ROUNDS     7 /* the best of them counts */
#define EVENT_MOST 65536

typedef struct corpus {
    souk_buf text;
    size_t *ends;
    size_t count;
} corpus;

typedef struct sums {
    size_t json, packed, count;
} sums;

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static _Noreturn void stop(const char *what)
{
    fprintf(stderr, "pack_bench: %s\n", what);
    exit(1);
}

static void must(souk_err err, const char *what)
{
    if (err)
        stop(what);
}

static void corpus_fill(corpus *all, size_t count, uint64_t seed)
{
    *all = (corpus){.text = {.limit_bytes = (size_t)1 << 30}, .count = count};
    all->ends = malloc(count * sizeof *all->ends);
    if (!all->ends)
        stop("no memory");
    for (size_t i = 0; i < count; i++) {
        pack_event_print(&seed, (pack_event_kind)(i % PACK_EVENT_KINDS), &all->text);
        all->ends[i] = all->text.bytes;
    }
    must(souk_buf_check(&all->text), "corpus");
}

static souk_text corpus_at(const corpus *all, size_t i)
{
    size_t from = i ? all->ends[i - 1] : 0;
    return (souk_text){all->text.at + from, all->ends[i] - from};
}

static void corpus_done(corpus *all)
{
    souk_buf_done(&all->text);
    free(all->ends);
}

static void line(const char *name, sums total, double pack_s, double unpack_s)
{
    printf("%-22s %6.1f bytes %7.2f %%  pack %9.0f/s  unpack %9.0f/s\n", name,
           (double)total.packed / (double)total.count,
           100.0 * (double)total.packed / (double)total.json, (double)total.count / pack_s,
           (double)total.count / unpack_s);
}

static void bench_pack(souk_packer *packer, const corpus *all)
{
    sums kinds[PACK_EVENT_KINDS] = {0}, total = {0};
    double best = 1e9, best_back = 1e9;
    souk_buf packed = {.limit_bytes = (size_t)1 << 30}, back = {.limit_bytes = (size_t)1 << 30};
    size_t *ends = malloc(all->count * sizeof *ends);
    if (!ends)
        stop("no memory");
    for (int round = 0; round < ROUNDS; round++) {
        souk_buf_clear(&packed);
        double start = cpu_seconds();
        for (size_t i = 0; i < all->count; i++) {
            must(souk_pack(packer, corpus_at(all, i), &packed), "pack");
            ends[i] = packed.bytes;
        }
        double half = cpu_seconds();
        best = half - start < best ? half - start : best;
        souk_buf_clear(&back);
        half = cpu_seconds();
        for (size_t i = 0; i < all->count; i++) {
            size_t from = i ? ends[i - 1] : 0;
            must(souk_unpack(packer, (souk_text){packed.at + from, ends[i] - from}, EVENT_MOST,
                             &back),
                 "unpack");
        }
        double end = cpu_seconds();
        best_back = end - half < best_back ? end - half : best_back;
        if (!souk_text_equal(souk_buf_view(&back), souk_buf_view(&all->text)))
            stop("the texts came back changed");
    }
    for (size_t i = 0; i < all->count; i++) {
        sums *kind = &kinds[i % PACK_EVENT_KINDS];
        size_t bytes = ends[i] - (i ? ends[i - 1] : 0);
        *kind = (sums){kind->json + corpus_at(all, i).bytes, kind->packed + bytes, kind->count + 1};
        total = (sums){total.json + corpus_at(all, i).bytes, total.packed + bytes, total.count + 1};
    }
    for (int k = 0; k < PACK_EVENT_KINDS; k++)
        printf("  %-18s %6.1f of %6.1f bytes %6.2f %%\n", pack_event_name((pack_event_kind)k),
               (double)kinds[k].packed / (double)kinds[k].count,
               (double)kinds[k].json / (double)kinds[k].count,
               100.0 * (double)kinds[k].packed / (double)kinds[k].json);
    printf("mean event %.1f bytes\n", (double)total.json / (double)total.count);
    line("pack", total, best, best_back);
    souk_buf_done(&packed);
    souk_buf_done(&back);
    free(ends);
}

static ZSTD_CCtx *zstd_writer(int level)
{
    ZSTD_CCtx *writer = ZSTD_createCCtx();
    if (!writer || ZSTD_isError(ZSTD_CCtx_setParameter(writer, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(writer, ZSTD_c_format, ZSTD_f_zstd1_magicless)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(writer, ZSTD_c_contentSizeFlag, 0)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(writer, ZSTD_c_checksumFlag, 0)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(writer, ZSTD_c_dictIDFlag, 0)))
        stop("zstd refuses a parameter");
    return writer;
}

static void bench_zstd(const corpus *all, int level, const void *words, size_t word_bytes)
{
    ZSTD_CCtx *writer = zstd_writer(level);
    ZSTD_DCtx *reader = ZSTD_createDCtx();
    ZSTD_CDict *to_dict = words ? ZSTD_createCDict(words, word_bytes, level) : NULL;
    ZSTD_DDict *from_dict = words ? ZSTD_createDDict(words, word_bytes) : NULL;
    if (!reader ||
        ZSTD_isError(ZSTD_DCtx_setParameter(reader, ZSTD_d_format, ZSTD_f_zstd1_magicless)) ||
        ZSTD_isError(ZSTD_CCtx_refCDict(writer, to_dict)) ||
        ZSTD_isError(ZSTD_DCtx_refDDict(reader, from_dict)))
        stop("zstd refuses the dictionary");
    double best = 1e9, best_back = 1e9;
    sums total = {0};
    char packed[2 * EVENT_MOST], back[EVENT_MOST];
    for (int round = 0; round < 3; round++) {
        double in = 0, out = 0;
        total = (sums){0};
        for (size_t i = 0; i < all->count; i++) {
            souk_text text = corpus_at(all, i);
            double start = cpu_seconds();
            size_t bytes = ZSTD_compress2(writer, packed, sizeof packed, text.at, text.bytes);
            double half = cpu_seconds();
            size_t again = ZSTD_decompressDCtx(reader, back, sizeof back, packed, bytes);
            out += cpu_seconds() - half;
            in += half - start;
            if (again != text.bytes)
                stop("zstd");
            total = (sums){total.json + text.bytes, total.packed + bytes, total.count + 1};
        }
        best = in < best ? in : best;
        best_back = out < best_back ? out : best_back;
    }
    char name[40];
    snprintf(name, sizeof name, "zstd -%d%s", level, words ? ", dictionary" : "");
    line(name, total, best, best_back);
    ZSTD_freeCCtx(writer);
    ZSTD_freeDCtx(reader);
    ZSTD_freeCDict(to_dict);
    ZSTD_freeDDict(from_dict);
}

int main(int count, char **words)
{
    size_t events = count > 1 ? (size_t)strtoul(words[1], NULL, 10) : 20000;
    corpus all, other;
    corpus_fill(&all, events ? events : 20000, 1);
    if (count > 2 && !strcmp(words[2], "--print")) {
        for (size_t i = 0; i < all.count; i++)
            printf("%.*s\n", SOUK_TEXT_PRINT(corpus_at(&all, i)));
        corpus_done(&all);
        return 0;
    }
    souk_auto(souk_packer) packer = NULL;
    must(souk_packer_new(souk_mem_heap(), &packer), "packer");
    bench_pack(packer, &all);

    corpus_fill(&other, 8000, 2);
    size_t *sizes = malloc(other.count * sizeof *sizes);
    static char dictionary[32768];
    if (!sizes)
        stop("no memory");
    for (size_t i = 0; i < other.count; i++)
        sizes[i] = corpus_at(&other, i).bytes;
    size_t bytes = ZDICT_trainFromBuffer(dictionary, sizeof dictionary, other.text.at, sizes,
                                         (unsigned)other.count);
    if (ZDICT_isError(bytes))
        stop("zstd trains no dictionary");
    for (int level = 1; level <= 3; level += 2) {
        bench_zstd(&all, level, NULL, 0);
        bench_zstd(&all, level, dictionary, bytes);
    }
    free(sizes);
    corpus_done(&other);
    corpus_done(&all);
    return 0;
}
