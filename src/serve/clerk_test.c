/* clerk_test.c - calls are handled in order, not too many wait, and none is lost when the clerk goes. */
#include "serve/clerk.h"

#include "os/thread.h"
#include "test/test.h"

enum { CALLS = 200, MOST = 8 };

/* What the handlers share: they stand at the gate until it is open, and note who came. */
static struct hall {
    souk_mutex mutex;
    souk_cond changed;
    bool open;
    size_t entered, count;
    const souk_call *came[CALLS];
} hall;

static void pass(souk_call *call)
{
    souk_auto_lock(&hall.mutex);
    hall.entered++;
    souk_cond_broadcast(&hall.changed);
    while (!hall.open)
        souk_cond_wait(&hall.changed, &hall.mutex);
    hall.came[hall.count++] = call;
}

static void open_hall(bool open)
{
    hall = (struct hall){.open = open};
    souk_mutex_init(&hall.mutex);
    souk_cond_init(&hall.changed);
}

static void close_hall(void)
{
    souk_cond_done(&hall.changed);
    souk_mutex_done(&hall.mutex);
}

static void await_entered(size_t count)
{
    souk_auto_lock(&hall.mutex);
    while (hall.entered < count)
        souk_cond_wait(&hall.changed, &hall.mutex);
}

static void open_gate(void)
{
    souk_auto_lock(&hall.mutex);
    hall.open = true;
    souk_cond_broadcast(&hall.changed);
}

SOUK_TEST("calls are handled in the order of their puts, all of them before the clerk is gone")
{
    static souk_call calls[CALLS];
    souk_clerk *clerk;
    open_hall(true);
    SOUK_MUST(souk_clerk_open(test->mem, "clerk", 1, 0, &clerk));
    for (size_t i = 0; i < CALLS; i++)
        SOUK_CHECK(souk_clerk_put(clerk, &calls[i], pass));
    souk_clerk_free(clerk);
    SOUK_CHECK(hall.count == CALLS);
    for (size_t i = 0; i < CALLS; i++)
        SOUK_CHECK(hall.came[i] == &calls[i]);
    close_hall();
}

SOUK_TEST("one call too many is refused, and there is room again when one has begun")
{
    static souk_call calls[MOST + 3];
    souk_clerk *clerk;
    open_hall(false);
    SOUK_MUST(souk_clerk_open(test->mem, "clerk", 1, MOST, &clerk));
    SOUK_CHECK(souk_clerk_put(clerk, &calls[0], pass));
    await_entered(1); /* in work, it does not wait any more */
    for (size_t i = 1; i <= MOST; i++)
        SOUK_CHECK(souk_clerk_put(clerk, &calls[i], pass));
    SOUK_CHECK(!souk_clerk_put(clerk, &calls[MOST + 1], pass));
    open_gate();
    await_entered(2);
    SOUK_CHECK(souk_clerk_put(clerk, &calls[MOST + 2], pass));
    souk_clerk_free(clerk);
    SOUK_CHECK(hall.count == MOST + 2 && hall.came[MOST + 1] == &calls[MOST + 2]);
    close_hall();
}

SOUK_TEST("a clerk of several threads handles as many calls at once, and each call once")
{
    static souk_call calls[CALLS];
    static unsigned seen[CALLS];
    souk_clerk *clerk;
    memset(seen, 0, sizeof seen);
    open_hall(false);
    SOUK_MUST(souk_clerk_open(test->mem, "clerk", 3, 0, &clerk));
    for (size_t i = 0; i < CALLS; i++)
        SOUK_CHECK(souk_clerk_put(clerk, &calls[i], pass));
    await_entered(3); /* and none has passed */
    open_gate();
    souk_clerk_free(clerk);
    SOUK_CHECK(hall.count == CALLS);
    for (size_t i = 0; i < CALLS; i++)
        seen[hall.came[i] - calls]++;
    for (size_t i = 0; i < CALLS; i++)
        SOUK_CHECK(seen[i] == 1);
    close_hall();
}
