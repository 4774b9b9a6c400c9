/* guess.c - a leaky bucket for each caller: see guess.h. */
#include "service/loyalty/guess.h"

#include "os/thread.h"

#define PACE_MS (SOUK_GUESS_PACE_S * INT64_C(1000))

struct souk_guess {
    souk_mem *mem;
    souk_mutex mutex;
    struct place {
        uint64_t caller;
        int64_t empty_at; /* when all its misses are forgotten; a miss adds PACE_MS */
    } places[SOUK_GUESS_CALLERS];
};

souk_err souk_guess_new(souk_mem *mem, souk_guess **ret_guess)
{
    souk_guess *guess = souk_mem_get(mem, sizeof *guess);
    if (!guess)
        return SOUK_ENOMEM;
    guess->mem = mem;
    souk_mutex_init(&guess->mutex);
    *ret_guess = guess;
    return SOUK_OK;
}

void souk_guess_free(souk_guess *guess)
{
    if (!guess)
        return;
    souk_mutex_done(&guess->mutex);
    souk_mem_put(guess->mem, guess);
}

/* A clock that was put back forgets nothing and keeps nobody waiting for longer than a full bucket. */
static struct place *place_of(souk_guess *guess, uint64_t caller, int64_t now_ms)
{
    struct place *place = &guess->places[caller % SOUK_GUESS_CALLERS];
    int64_t most = now_ms + SOUK_GUESS_MISSES * PACE_MS;
    if (place->caller != caller && place->empty_at <= now_ms)
        *place = (struct place){caller, now_ms};
    if (place->empty_at < now_ms)
        place->empty_at = now_ms;
    if (place->empty_at > most)
        place->empty_at = most;
    return place;
}

bool souk_guess_may(souk_guess *guess, uint64_t caller, int64_t now_ms, uint32_t *ret_wait_s)
{
    souk_auto_lock(&guess->mutex);
    const struct place *place = place_of(guess, caller, now_ms);
    int64_t over = place->empty_at - now_ms - (SOUK_GUESS_MISSES - 1) * PACE_MS;
    *ret_wait_s = over > 0 ? (uint32_t)((over + 999) / 1000) : 0;
    return over <= 0;
}

void souk_guess_missed(souk_guess *guess, uint64_t caller, int64_t now_ms)
{
    souk_auto_lock(&guess->mutex);
    place_of(guess, caller, now_ms)->empty_at += PACE_MS;
}
