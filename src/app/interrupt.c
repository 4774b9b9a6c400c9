/* interrupt.c - Ctrl-C and SIGTERM while a command works: noted, and asked for by its progress. */
#include "app/app.h"

#include <signal.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

bool app_interrupted(void)
{
    return interrupted != 0;
}

void app_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}
