/* clerk.c - the queue and the thread of clerk.h. */
#include "serve/clerk.h"

#include "os/thread.h"

struct souk_clerk {
    souk_mem *mem;
    souk_thread threads[SOUK_CLERK_THREADS];
    unsigned thread_count;
    souk_mutex mutex;
    souk_cond wake;
    souk_call *first, *last;
    size_t count, most;
    bool stopping;
    bool probed; /* calls waited then, and none was begun since */
};

static souk_call *next_call(souk_clerk *clerk)
{
    souk_auto_lock(&clerk->mutex);
    while (!clerk->first && !clerk->stopping)
        souk_cond_wait(&clerk->wake, &clerk->mutex);
    souk_call *call = clerk->first;
    if (call) {
        clerk->first = call->next;
        clerk->count--;
        clerk->probed = false;
    }
    return call;
}

static void run_clerk(void *context)
{
    souk_call *call;
    while ((call = next_call(context)) != NULL)
        call->handle(call); /* the call is gone then */
}

bool souk_clerk_put(souk_clerk *clerk, souk_call *call, void (*handle)(souk_call *call))
{
    souk_auto_lock(&clerk->mutex);
    if (clerk->most && clerk->count == clerk->most)
        return false;
    call->handle = handle;
    call->next = NULL;
    *(clerk->first ? &clerk->last->next : &clerk->first) = call;
    clerk->last = call;
    clerk->count++;
    souk_cond_signal(&clerk->wake);
    return true;
}

void souk_clerk_probe(souk_clerk *clerk)
{
    souk_auto_lock(&clerk->mutex);
    clerk->probed = clerk->count > 0;
}

bool souk_clerk_is_silent(souk_clerk *clerk)
{
    souk_auto_lock(&clerk->mutex);
    return clerk->probed;
}

souk_err souk_clerk_open(souk_mem *mem, const char *name, unsigned threads, size_t most,
                         souk_clerk **ret_clerk)
{
    souk_assert(threads >= 1 && threads <= SOUK_CLERK_THREADS);
    souk_clerk *clerk = souk_mem_get(mem, sizeof *clerk);
    if (!clerk)
        return SOUK_ENOMEM;
    *clerk = (souk_clerk){.mem = mem, .most = most};
    souk_mutex_init(&clerk->mutex);
    souk_cond_init(&clerk->wake);
    souk_err err = SOUK_OK;
    while (!err && clerk->thread_count < threads) {
        err = souk_thread_start(&clerk->threads[clerk->thread_count], name, run_clerk, clerk);
        clerk->thread_count += !err;
    }
    if (err)
        souk_clerk_free(clerk);
    else
        *ret_clerk = clerk;
    return err;
}

void souk_clerk_free(souk_clerk *clerk)
{
    if (!clerk)
        return;
    {
        souk_auto_lock(&clerk->mutex);
        clerk->stopping = true;
        souk_cond_broadcast(&clerk->wake);
    }
    while (clerk->thread_count)
        souk_thread_join(&clerk->threads[--clerk->thread_count]);
    souk_cond_done(&clerk->wake);
    souk_mutex_done(&clerk->mutex);
    souk_mem_put(clerk->mem, clerk);
}
