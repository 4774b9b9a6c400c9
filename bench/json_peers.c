/* json_peers.c - cJSON and simdjson on the documents of `souk bench json`, one turn a run.
 *
 *     json-peers FILE cjson|simdjson        prints "SECONDS SUM VERSION"
 *
 * FILE      { bytes u32, document } end to end, as src/app/bench_json.c writes it
 * SECONDS   of this thread's CPU for one pass over all documents, after one that warms up
 * SUM       of the lengths of messageId, userId and event of all events, so that nobody skips a thing
 *
 * tools/json-peers builds it. */
#include "json_simdjson.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DOCUMENTS_MOST = 1 << 16, PADDING = 64 };

static char *documents[DOCUMENTS_MOST];
static size_t bytes[DOCUMENTS_MOST], count;

static int load(const char *path)
{
    uint32_t size;
    FILE *file = fopen(path, "rb");
    while (file && count < DOCUMENTS_MOST && fread(&size, sizeof size, 1, file) == 1) {
        char *text = calloc(1, (size_t)size + PADDING); /* only simdjson wants bytes behind */
        if (!text || fread(text, 1, size, file) != size)
            return 0;
        documents[count] = text;
        bytes[count++] = size;
    }
    if (file)
        fclose(file);
    return count > 0;
}

static size_t length_at(const cJSON *event, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, key));
    return text ? strlen(text) : 0;
}

static size_t read_cjson(void)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        const cJSON *event;
        cJSON *root = cJSON_ParseWithLength(documents[i], bytes[i]);
        cJSON_ArrayForEach(event, cJSON_GetObjectItemCaseSensitive(root, "batch")) sum +=
            length_at(event, "messageId") + length_at(event, "userId") + length_at(event, "event");
        cJSON_Delete(root);
    }
    return sum;
}

static size_t read_simdjson(void)
{
    return bench_json_simdjson_batches((const char *const *)documents, bytes, count);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 3 || !load(arguments[1]))
        return 2;
    int is_cjson = !strcmp(arguments[2], "cjson");
    size_t (*read)(void) = is_cjson ? read_cjson : read_simdjson;
    size_t warm = read();
    double begin = cpu_seconds();
    size_t sum = read();
    double seconds = cpu_seconds() - begin;
    printf("%.9f %zu %s\n", seconds, sum,
           is_cjson ? cJSON_Version() : bench_json_simdjson_version());
    return sum != warm;
}
