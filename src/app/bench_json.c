/* bench_json.c - the JSON reader on batches of the collect bench, beside cJSON and simdjson's DOM.
 *
 * The peers run in a program of their own, build/json-peers (tools/json-peers builds it where it is missing):
 * nobody needs them to serve.  All take turns on the same documents, one pass each, and read the same fields
 * of every event; a round counts only where the fields of all three have the same lengths. */
#include "app/bench.h"
#include "base/json_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 9, READERS = 3, BATCH_EVENTS = 100, BATCHES = 200, PRETTY_EVENTS = 2000 };
enum reader { SOUK, CJSON, SIMDJSON };

struct form {
    const char *name;
    size_t documents, events; /* events in each document */
    bool pretty;
};

static const struct form forms[] = {
    {"batches of 100 events", BATCHES, BATCH_EVENTS, false},
    {"single events", BATCHES *BATCH_EVENTS, 1, false},
    {"pretty-printed batches of 2,000", BATCHES *BATCH_EVENTS / PRETTY_EVENTS, PRETTY_EVENTS, true},
};

struct trial {
    souk_buf text; /* every document, end to end */
    size_t *ends;  /* [form->documents] */
    const struct form *form;
    char path[600]; /* where the peers read them */
    size_t sum;     /* what our reader found */
    double seconds[READERS][ROUNDS];
    bool told[READERS];
};

/* ---- documents -------------------------------------------------------------------------------------- */

static void new_line(souk_buf *out, unsigned depth)
{
    souk_buf_byte(out, '\n');
    for (unsigned i = 0; i < depth; i++)
        souk_buf_append(out, "  ", 2);
}

/* As people's tools print it: a line for each value, two spaces for each level. */
static void indent(souk_text json, souk_buf *out)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < json.bytes; i++) {
        char c = json.at[i];
        quoted ^= c == '"'; /* the load has no escapes */
        if (!quoted && (c == '}' || c == ']'))
            new_line(out, --depth);
        souk_buf_byte(out, c);
        if (!quoted && (c == '{' || c == '['))
            new_line(out, ++depth);
        if (!quoted && c == ',')
            new_line(out, depth);
        if (!quoted && c == ':')
            souk_buf_byte(out, ' ');
    }
}

static void make_document(const struct form *form, size_t number, souk_buf *out)
{
    char event[1024];
    souk_buf_print(out, "{\"batch\":[");
    for (size_t i = 0; i < form->events; i++) {
        size_t bytes = bench_event(5, number * form->events + i, 1000000, event);
        if (i)
            souk_buf_byte(out, ',');
        souk_buf_append(out, event, bytes);
    }
    souk_buf_print(out, "]}");
}

static souk_err make_documents(struct trial *trial)
{
    souk_auto_value(souk_buf) plain = {.mem = trial->text.mem};
    FILE *file = fopen(trial->path, "wb");
    if (!file)
        return SOUK_EIO;
    for (size_t i = 0; i < trial->form->documents; i++) {
        size_t from = trial->text.bytes;
        souk_buf_clear(&plain);
        make_document(trial->form, i, trial->form->pretty ? &plain : &trial->text);
        if (trial->form->pretty)
            indent(souk_buf_view(&plain), &trial->text);
        trial->ends[i] = trial->text.bytes;
        if (souk_buf_check(&trial->text) || souk_buf_check(&plain))
            break;
        uint32_t bytes = (uint32_t)(trial->text.bytes - from);
        fwrite(&bytes, sizeof bytes, 1, file);
        fwrite(trial->text.at + from, 1, bytes, file);
    }
    bool written = !ferror(file);
    written &= fclose(file) == 0;
    SOUK_TRY(souk_buf_check(&plain));
    SOUK_TRY(souk_buf_check(&trial->text));
    return written ? SOUK_OK : SOUK_EIO;
}

/* ---- our turn --------------------------------------------------------------------------------------- */

static size_t length_at(const souk_json_doc *doc, souk_json_node event, souk_text key,
                        souk_arena *arena)
{
    souk_text text;
    return souk_json_text(doc, souk_json_member(doc, event, key), arena, &text) ? 0 : text.bytes;
}

static size_t read_all(const struct trial *trial, souk_json_doc *doc, souk_arena *arena)
{
    size_t sum = 0, from = 0;
    for (size_t i = 0; i < trial->form->documents; from = trial->ends[i++]) {
        souk_text text = {trial->text.at + from, trial->ends[i] - from};
        souk_arena_clear(arena);
        if (souk_json_read(doc, text, NULL, NULL))
            return 0;
        souk_json_node batch = souk_json_member(doc, souk_json_root(doc), SOUK_TEXT("batch"));
        for (souk_json_node event = souk_json_first(doc, batch); event != SOUK_JSON_NONE;
             event = souk_json_next(doc, event))
            sum += length_at(doc, event, SOUK_TEXT("messageId"), arena) +
                   length_at(doc, event, SOUK_TEXT("userId"), arena) +
                   length_at(doc, event, SOUK_TEXT("event"), arena);
    }
    return sum;
}

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double our_turn(struct trial *trial)
{
    souk_json_doc doc = {.mem = trial->text.mem};
    souk_arena arena = {.mem = trial->text.mem};
    size_t warm = read_all(trial, &doc, &arena);
    double began_s = cpu_s();
    trial->sum = read_all(trial, &doc, &arena);
    double took_s = cpu_s() - began_s;
    souk_json_doc_done(&doc);
    souk_arena_done(&arena);
    trial->told[SOUK] &= trial->sum == warm && warm > 0;
    return took_s;
}

/* ---- the peers' turn -------------------------------------------------------------------------------- */

struct peers {
    char program[600];         /* "" where they cannot be built */
    char against[READERS][80]; /* "cJSON 1.7.15" */
};

/* build/json-peers, brought up to date by the tool of the tree that this binary was built in. */
static void find_peers(struct peers *peers)
{
    char folder[400], command[1400];
    ssize_t bytes = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[bytes < 0 ? 0 : bytes] = '\0';
    char *slash = strrchr(folder, '/');
    if (!slash)
        return;
    *slash = '\0';
    snprintf(command, sizeof command,
             "test ! -x '%s/../tools/json-peers' || '%s/../tools/json-peers' build "
             "'%s/json-peers' >&2",
             folder, folder, folder);
    if (system(command))
        fprintf(stderr, "the peers cannot be built: g++, libcjson-dev and libsimdjson-dev\n");
    snprintf(peers->program, sizeof peers->program, "%s/json-peers", folder);
    if (access(peers->program, X_OK))
        peers->program[0] = '\0';
}

static double peer_turn(struct trial *trial, struct peers *peers, enum reader reader)
{
    static const char *const words[] = {"", "cjson", "simdjson"};
    static const char *const names[] = {"", "cJSON", "simdjson DOM"};
    char command[1400], version[40] = "";
    double seconds = 0;
    size_t sum = 0;
    snprintf(command, sizeof command, "'%s' '%s' %s", peers->program, trial->path, words[reader]);
    FILE *answer = peers->program[0] ? popen(command, "r") : NULL;
    bool told = answer && fscanf(answer, "%lf %zu %39s", &seconds, &sum, version) == 3;
    if (answer)
        told &= pclose(answer) == 0;
    trial->told[reader] &= told && sum == trial->sum;
    if (told)
        snprintf(peers->against[reader], sizeof *peers->against, "%s %s", names[reader], version);
    return seconds;
}

/* ---- claims ----------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static const char *claim_text(souk_arena *arena, const struct form *form, const char *what)
{
    char *text = souk_arena_get(arena, 120);
    snprintf(text, 120, "%s, %s", form->name, what);
    return text;
}

/* Medians of all rounds; the texts live as long as the process, as bench.h prints them later. */
static void tell(bench_run *bench, struct trial *trial, struct peers *peers)
{
    static souk_arena arena;
    static const char *const rates[] = {"Souk", "cJSON", "simdjson DOM"};
    const struct form *form = trial->form;
    double median[READERS];
    arena.mem = bench->mem;
    for (size_t i = 0; i < READERS; i++) {
        qsort(trial->seconds[i], ROUNDS, sizeof **trial->seconds, by_size);
        median[i] = trial->seconds[i][ROUNDS / 2];
        enum bench_sense sense = i == SOUK ? BENCH_AT_LEAST : BENCH_TOLD;
        char *against = souk_arena_copy(&arena, peers->against[i], sizeof *peers->against);
        const char *claim = claim_text(&arena, form, rates[i]);
        if (trial->told[i])
            bench_add(bench, claim, (double)trial->text.bytes / median[i] / 1e9, "GB/s", sense, 1.0,
                      against);
        else
            bench_missing(bench, claim, "GB/s", sense, 1.0, against);
        claim = claim_text(&arena, form, i == CJSON ? "times cJSON" : "times simdjson DOM");
        sense = i == CJSON ? BENCH_AT_LEAST : BENCH_TOLD;
        if (i == SOUK)
            continue;
        if (trial->told[i] && trial->told[SOUK])
            bench_add(bench, claim, median[i] / median[SOUK], "times", sense, 3.0, against);
        else
            bench_missing(bench, claim, "times", sense, 3.0, against);
    }
}

static souk_err measure(bench_run *bench, struct trial *trial, struct peers *peers)
{
    SOUK_TRY(make_documents(trial));
    for (size_t i = 0; i < READERS; i++)
        trial->told[i] = true;
    for (size_t round = 0; round < ROUNDS; round++) {
        trial->seconds[SOUK][round] = our_turn(trial);
        trial->seconds[CJSON][round] = peer_turn(trial, peers, CJSON);
        trial->seconds[SIMDJSON][round] = peer_turn(trial, peers, SIMDJSON);
    }
    tell(bench, trial, peers);
    return SOUK_OK;
}

static souk_err run_json(bench_run *bench, souk_diag *diag)
{
    struct peers peers = {.against = {"-", "cJSON", "simdjson DOM"}};
    snprintf(peers.against[SOUK], sizeof *peers.against, "kernel %s",
             souk_json_kernel_chosen()->name);
    find_peers(&peers);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct trial trial = {.text = {.mem = bench->mem}, .form = &forms[i]};
        snprintf(trial.path, sizeof trial.path, "%s/documents", bench->folder);
        trial.ends = souk_mem_array(bench->mem, forms[i].documents, sizeof *trial.ends);
        souk_err err = trial.ends ? measure(bench, &trial, &peers) : SOUK_ENOMEM;
        souk_mem_put(bench->mem, trial.ends);
        souk_buf_done(&trial.text);
        if (err)
            return souk_diag_say(diag, err, "the documents cannot be made in %s", bench->folder);
    }
    return SOUK_OK;
}

const bench_entry bench_json_entry = {"json", "events read from JSON, beside cJSON and simdjson",
                                      run_json};
