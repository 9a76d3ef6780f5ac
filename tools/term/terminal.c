/* terminal.c - see terminal.h. */
#define _DEFAULT_SOURCE /* SIGWINCH, struct winsize */
#define _DARWIN_C_SOURCE

#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Signal handlers need it, so there is only one. */
static struct terminal {
    int in, out;
    bool can_edit;
    bool catches_interrupts;
    struct sigaction interrupt_before; /* the action of SIGINT before that */
    int wake[2];                       /* a byte in this pipe ends a wait; -1: not open */
    struct termios before, edit, quiet;
    const struct termios *volatile mode; /* &edit or &quiet; NULL: before */
    volatile sig_atomic_t interrupted, redraw;
} state = {.wake = {-1, -1}};

/* ---- Modes ----------------------------------------------------------------------------------- */

static const char *const paste_on = "\033[?2004h";
/* also undoes what an incomplete drawing may have left */
static const char *const paste_off = "\033[?2004l\033[?7h\033[0m";

static void send_sequence(const char *text)
{
    (void)!write(state.out, text, strlen(text));
}

static bool set_mode(const struct termios *mode)
{
    int rc;

    while ((rc = tcsetattr(state.in, TCSADRAIN, mode ? mode : &state.before)) != 0 &&
           errno == EINTR)
        ;
    return rc == 0;
}

static bool change_mode(const struct termios *mode)
{
    const struct termios *old = state.mode;

    if (mode == old)
        return true;
    if (old == &state.edit)
        send_sequence(paste_off);
    state.mode = mode; /* first, so that a signal in between restores it */
    if (!set_mode(mode)) {
        state.mode = old;
        return false;
    }
    if (mode == &state.edit)
        send_sequence(paste_on);
    return true;
}

void terminal_restore(void)
{
    const int error = errno;

    change_mode(NULL);
    errno = error;
}

static void make_modes(void)
{
    state.quiet = state.before;
    state.quiet.c_iflag &= (tcflag_t) ~(ICRNL | INLCR | IGNCR | IXON);
    state.quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | IEXTEN);
    state.quiet.c_cc[VMIN] = 1;
    state.quiet.c_cc[VTIME] = 0;
    state.edit = state.quiet;
    state.edit.c_iflag &= (tcflag_t) ~(BRKINT | INPCK | ISTRIP);
    state.edit.c_lflag &= (tcflag_t)~ISIG;
    state.edit.c_cflag |= CS8;
}

/* ---- Signals --------------------------------------------------------------------------------- */

/* Signals that end or stop the program, and those that change the terminal. */
static const int signals[] = {SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2, SIGABRT,
                              SIGSEGV, SIGBUS, SIGFPE,  SIGILL,  SIGTSTP, SIGCONT, SIGWINCH};
enum { N_SIGNALS = sizeof signals / sizeof *signals };
static struct sigaction actions_before[N_SIGNALS];

static struct sigaction *action_before(int sig)
{
    int i = 0;
    while (signals[i] != sig)
        i++;
    return &actions_before[i];
}

static void wake_reader(void)
{
    (void)!write(state.wake[1], "", 1);
}

static void on_interrupt(int sig)
{
    const int error = errno;

    (void)sig;
    state.interrupted = 1;
    wake_reader();
    errno = error;
}

/* Restore the terminal, then let the action that was set before run. */
static void on_end(int sig)
{
    terminal_restore();
    sigaction(sig, action_before(sig), NULL);
    raise(sig); /* is delivered when this handler returns */
}

static void catch_signal(int sig);

static void on_stop(int sig)
{
    const int error = errno;
    const struct termios *mode = state.mode;
    sigset_t set;

    terminal_restore();
    sigaction(sig, action_before(sig), NULL);
    sigemptyset(&set);
    sigaddset(&set, sig);
    raise(sig);
    sigprocmask(SIG_UNBLOCK, &set, NULL); /* stops here */
    sigprocmask(SIG_BLOCK, &set, NULL);
    catch_signal(sig);
    change_mode(mode);
    state.redraw = 1;
    wake_reader();
    errno = error;
}

/* A shell changes the modes while the program is stopped, also after SIGSTOP. */
static void on_change(int sig)
{
    const int error = errno;
    const struct termios *mode = state.mode;

    if (sig == SIGCONT && mode) {
        set_mode(mode);
        if (mode == &state.edit)
            send_sequence(paste_on);
        state.redraw = 1;
    }
    wake_reader();
    errno = error;
}

static void catch_signal(int sig)
{
    struct sigaction action = {.sa_handler = on_end, .sa_flags = SA_RESTART};

    if (sig == SIGTSTP)
        action.sa_handler = on_stop;
    else if (sig == SIGCONT || sig == SIGWINCH)
        action.sa_handler = on_change;
    sigaction(sig, &action, NULL);
}

static void catch_all(void)
{
    for (int i = 0; i < N_SIGNALS; i++) {
        struct sigaction *before = &actions_before[i];
        if (sigaction(signals[i], NULL, before) == 0 && before->sa_handler != SIG_IGN)
            catch_signal(signals[i]);
    }
}

static void release_all(void)
{
    for (int i = 0; i < N_SIGNALS; i++)
        if (actions_before[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &actions_before[i], NULL);
}

static void catch_interrupts(void)
{
    const struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};

    if (state.catches_interrupts || sigaction(SIGINT, NULL, &state.interrupt_before) != 0 ||
        state.interrupt_before.sa_handler == SIG_IGN)
        return;
    state.interrupted = 0;
    state.catches_interrupts = sigaction(SIGINT, &action, NULL) == 0;
}

static void release_interrupts(void)
{
    if (state.catches_interrupts)
        sigaction(SIGINT, &state.interrupt_before, NULL);
    state.catches_interrupts = false;
}

/* ---- Open, close ----------------------------------------------------------------------------- */

static bool open_pipe(void)
{
    if (pipe(state.wake) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        fcntl(state.wake[i], F_SETFL, O_NONBLOCK);
        fcntl(state.wake[i], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

struct terminal *terminal_open(int in, int out)
{
    static bool at_exit;
    const char *term = getenv("TERM");

    if (state.wake[0] >= 0 || !open_pipe())
        return NULL;
    state.in = in;
    state.out = out;
    state.can_edit = term && *term && strcmp(term, "dumb") != 0 && isatty(in) && isatty(out) &&
                     tcgetattr(in, &state.before) == 0;
    if (state.can_edit) {
        make_modes();
        catch_all();
        at_exit = at_exit || atexit(terminal_restore) == 0;
    }
    return &state;
}

void terminal_close(struct terminal *t)
{
    if (!t)
        return;
    terminal_leave(t);
    if (t->can_edit)
        release_all();
    close(state.wake[0]);
    close(state.wake[1]);
    state.wake[0] = state.wake[1] = -1;
}

bool terminal_can_edit(const struct terminal *t)
{
    return t->can_edit;
}

bool terminal_edit(struct terminal *t)
{
    catch_interrupts();
    state.redraw = 0;
    return !t->can_edit || change_mode(&state.edit);
}

void terminal_quiet(struct terminal *t)
{
    if (t->can_edit)
        change_mode(&state.quiet);
    release_interrupts();
}

void terminal_leave(struct terminal *t)
{
    (void)t;
    terminal_restore();
    release_interrupts();
}

/* ---- Callbacks ------------------------------------------------------------------------------- */

/* @return what signals have reported since the last call */
static int take_signals(void)
{
    char bytes[64];

    while (read(state.wake[0], bytes, sizeof bytes) > 0)
        ;
    if (state.interrupted) {
        state.interrupted = 0;
        return EDITOR_READ_INTERRUPT;
    }
    if (state.redraw) {
        state.redraw = 0;
        return EDITOR_READ_REDRAW;
    }
    return EDITOR_READ_NOTHING;
}

static int read_terminal(void *user, void *bytes, int n, int timeout_ms)
{
    struct terminal *t = user;
    struct pollfd fds[] = {{.fd = t->in, .events = POLLIN},
                           {.fd = state.wake[0], .events = POLLIN}};
    int ready;

    while ((ready = poll(fds, 2, timeout_ms)) < 0 && errno == EINTR)
        ;
    if (ready <= 0)
        return ready < 0 ? EDITOR_READ_FAILED : EDITOR_READ_NOTHING;
    if (fds[1].revents)
        return take_signals();
    const ssize_t done = read(t->in, bytes, (size_t)n);
    if (done < 0 && (errno == EINTR || errno == EAGAIN))
        return EDITOR_READ_NOTHING;
    if (done < 0 && errno != EIO) /* EIO: the terminal is gone */
        return EDITOR_READ_FAILED;
    return done > 0 ? (int)done : EDITOR_READ_END;
}

static bool write_terminal(void *user, const void *bytes, size_t n)
{
    const struct terminal *t = user;
    const char *p = bytes;

    while (n > 0) {
        const ssize_t done = write(t->out, p, n);
        if (done < 0 && errno == EAGAIN) {
            struct pollfd fd = {.fd = t->out, .events = POLLOUT};
            poll(&fd, 1, -1);
        } else if (done < 0 && errno != EINTR) {
            return false;
        }
        p += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

int terminal_columns(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void terminal_size(void *user, int *columns, int *rows)
{
    const struct terminal *t = user;
    struct winsize size;

    if (ioctl(t->out, TIOCGWINSZ, &size) == 0) {
        *columns = size.ws_col;
        *rows = size.ws_row;
    }
}

/* Stop the whole job, as the key does when it is a signal. */
static void suspend_program(void *user)
{
    (void)user;
    kill(0, SIGTSTP);
    state.redraw = 0; /* the editor draws in any case */
}

void terminal_io(struct terminal *t, struct editor_io *io)
{
    *io = (struct editor_io){t, read_terminal, write_terminal, terminal_size, suspend_program};
}
