/* interrupt.c - see interrupt.h. */
#define _POSIX_C_SOURCE 200809L

#include "interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "output.h"
#include "report.h"
#include "terminal.h"

static volatile sig_atomic_t n_interrupts;

static void on_ctrl_c(int sig)
{
    (void)sig;
    if (n_interrupts) {
        discard_output();
        terminal_restore();
        _exit(EXIT_INTERRUPTED);
    }
    n_interrupts = 1;
}

static bool should_cancel(void *user)
{
    (void)user;
    return interrupted();
}

bool interrupted(void)
{
    return n_interrupts != 0;
}

void forget_interrupts(void)
{
    n_interrupts = 0;
}

void watch_interrupts(trit_session *session)
{
    /* SA_RESTART: an interrupted write must not fail */
    const struct sigaction action = {.sa_handler = on_ctrl_c, .sa_flags = SA_RESTART};
    struct sigaction before;

    if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
    if (session)
        trit_session_set_cancel(session, should_cancel, NULL);
}
