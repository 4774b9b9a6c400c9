/* http_pool.c - what a loop keeps for its next connections: blocks and tasks.
 *
 * Last in, first out: busy connections share a warm block, idle ones hold none. */
#include "serve/http_guts.h"

static char *block_get(http_loop *loop)
{
    char *block = loop->block_pool;
    if (!block)
        return souk_mem_resize(loop->http->mem, NULL, HTTP_BLOCK_BYTES);
    memcpy(&loop->block_pool, block, sizeof loop->block_pool);
    loop->block_pooled--;
    return block;
}

void http_bytes_release(http_loop *loop, http_bytes *bytes)
{
    if (bytes->at && bytes->capacity == HTTP_BLOCK_BYTES && loop->block_pooled < HTTP_POOL_BLOCKS) {
        memcpy(bytes->at, &loop->block_pool, sizeof loop->block_pool);
        loop->block_pool = bytes->at;
        loop->block_pooled++;
    } else {
        souk_mem_put(loop->http->mem, bytes->at);
    }
    *bytes = (http_bytes){0};
}

bool http_bytes_resize(http_loop *loop, http_bytes *bytes, size_t capacity)
{
    http_bytes grown = {.capacity = capacity, .to = bytes->to - bytes->from};
    if (capacity == HTTP_BLOCK_BYTES)
        grown.at = block_get(loop);
    else
        grown.at = souk_mem_resize(loop->http->mem, NULL, capacity);
    if (!grown.at)
        return false;
    if (grown.to)
        memcpy(grown.at, bytes->at + bytes->from, grown.to);
    http_bytes_release(loop, bytes);
    *bytes = grown;
    return true;
}

http_task *http_task_get(http_loop *loop)
{
    http_task *task = loop->task_pool;
    if (!task)
        return souk_mem_get(loop->http->mem, sizeof *task);
    loop->task_pool = task->next;
    loop->task_pooled--;
    return task;
}

void http_task_release(http_loop *loop, http_task *task)
{
    if (!task)
        return;
    if (loop->task_pooled == HTTP_POOL_TASKS) {
        souk_mem_put(loop->http->mem, task);
        return;
    }
    task->next = loop->task_pool;
    loop->task_pool = task;
    loop->task_pooled++;
}
