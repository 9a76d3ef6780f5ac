/* test_chat_terminal.c - trit chat at a pseudo-terminal: tests send keys and check the output,
 * without escape sequences unless they are tested.
 *
 *   test_chat_terminal PROGRAM FOLDER      FOLDER: the models that make_fixtures writes */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"

enum { MAX_ARGS = 48, MAX_SHOWN = 1 << 20, PATIENCE_MS = 60000 };

static char *program;
static char models[PATH_MAX], folder[] = "/tmp/trit-chat-XXXXXX";

/* A model that counts a b c d for any input; each token depends only on the last ones. */
#define COUNTING                                                                                   \
    "--temp", "0", "--logit-bias", "97=4000", "--logit-bias", "98=3800", "--logit-bias",           \
        "99=3600", "--logit-bias", "100=3400", "--presence-penalty", "900", "--repeat-last-n", "3"

/* ---- A program in a pseudo-terminal ---------------------------------------------------------- */

struct tty {
    int fd, other; /* the program's end stays open, to read its modes */
    pid_t pid;
    struct termios before;
    char *raw, *text; /* the output, and the same without escape sequences */
    size_t n_raw, n_text;
    size_t at;     /* the part of text that was expected ends here */
    int state;     /* the state of strip() */
    bool is_ended; /* the process has ended, with this status */
    int status;
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void open_tty(struct tty *t, int columns)
{
    const struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};

    *t = (struct tty){.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    assert_true(t->fd >= 0 && grantpt(t->fd) == 0 && unlockpt(t->fd) == 0);
    t->other = open(ptsname(t->fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(t->other >= 0);
    assert_int_equal(ioctl(t->other, TIOCSWINSZ, &size), 0);
    assert_int_equal(tcgetattr(t->other, &t->before), 0);
    t->raw = malloc(MAX_SHOWN + 1);
    t->text = malloc(MAX_SHOWN + 1);
    assert_true(t->raw && t->text);
}

/* In the child: starts a session with this terminal; stdin is `in` unless that is -1. */
static void become(const struct tty *t, char *const *argv, const char *const *env, int in)
{
    setsid();
    ioctl(t->other, TIOCSCTTY, 0);
    for (int fd = 0; fd < 3; fd++)
        dup2(t->other, fd);
    if (in >= 0)
        dup2(in, STDIN_FILENO);
    unsetenv("NO_COLOR");
    unsetenv("TRIT_MODEL");
    setenv("TERM", "xterm", 1);
    setenv("XDG_STATE_HOME", folder, 1);
    setenv("HOME", folder, 1);
    for (; env && *env; env += 2)
        setenv(env[0], env[1], 1);
    execv(program, argv);
    _exit(127);
}

static void start_in(struct tty *t, int columns, const char *const *env, int stdin_fd,
                     const char *const *args)
{
    char *argv[MAX_ARGS] = {program};

    for (int n = 1; *args; args++) {
        assert_true(n + 1 < MAX_ARGS);
        argv[n++] = (char *)(uintptr_t)*args;
    }
    open_tty(t, columns);
    t->pid = fork();
    assert_true(t->pid >= 0);
    if (t->pid == 0)
        become(t, argv, env, stdin_fd);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define START(t, ...) start_in(t, 80, NULL, -1, ARGS(__VA_ARGS__))

/* States: text, after ESC, in CSI, in OSC. */
static void strip(struct tty *t, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char c = bytes[i];
        if (t->state == 0 && c == '\033')
            t->state = 1;
        else if (t->state == 0 && c != '\r' && c != '\a')
            t->text[t->n_text++] = c;
        else if (t->state == 1)
            t->state = c == '[' ? 2 : c == ']' ? 3 : 0;
        else if (t->state == 2 && c >= 0x40 && c <= 0x7e)
            t->state = 0;
        else if (t->state == 3 && c == '\a')
            t->state = 0;
    }
    t->text[t->n_text] = 0;
}

/* Reads output, waiting for at most ms. @return whether there was any */
static bool take(struct tty *t, int ms)
{
    struct pollfd fd = {.fd = t->fd, .events = POLLIN};

    if (poll(&fd, 1, ms) <= 0)
        return false;
    assert_true(t->n_raw < MAX_SHOWN - 4096);
    const ssize_t n = read(t->fd, t->raw + t->n_raw, 4096);
    if (n <= 0)
        return false;
    strip(t, t->raw + t->n_raw, (size_t)n);
    t->n_raw += (size_t)n;
    t->raw[t->n_raw] = 0;
    return true;
}

static bool has_ended(struct tty *t)
{
    if (!t->is_ended)
        t->is_ended = waitpid(t->pid, &t->status, WNOHANG) == t->pid;
    return t->is_ended;
}

/* Waits until `what` is shown, after the text of the previous expect(). */
static void expect(struct tty *t, const char *what)
{
    const double until = now_ms() + PATIENCE_MS;
    const char *found;

    while (!(found = strstr(t->text + t->at, what))) {
        if (!take(t, 50) && (now_ms() > until || has_ended(t)) && !take(t, 0)) {
            kill(t->pid, SIGKILL);
            const size_t n = t->n_text - t->at; /* keep the message short */
            fail_msg("'%s' was not shown; at the end of %zu bytes:\n%s", what, n,
                     t->text + t->n_text - (n < 800 ? n : 800));
        }
    }
    t->at = (size_t)(found - t->text) + strlen(what);
}

/* Sends keys while reading the output; otherwise a long paste would block for ever. */
static void keys_n(struct tty *t, const char *keys, size_t n)
{
    fcntl(t->fd, F_SETFL, O_NONBLOCK);
    for (size_t at = 0; at < n;) {
        const ssize_t done = write(t->fd, keys + at, n - at < 512 ? n - at : 512);
        at += done > 0 ? (size_t)done : 0;
        take(t, done > 0 ? 0 : 10);
    }
    fcntl(t->fd, F_SETFL, 0);
}

static void keys(struct tty *t, const char *keys)
{
    keys_n(t, keys, strlen(keys));
}

/* Waits for a prompt, then enters a line. */
static void enter(struct tty *t, const char *line)
{
    expect(t, "> ");
    keys(t, line);
    expect(t, line); /* echoed */
    keys(t, "\r");
}

/* Waits for the process to end by itself. @return its status, as of waitpid() */
static int wait_end(struct tty *t)
{
    const double until = now_ms() + PATIENCE_MS;

    while (!has_ended(t) && now_ms() < until)
        take(t, 10);
    if (!has_ended(t)) {
        kill(t->pid, SIGKILL);
        fail_msg("the program did not end:\n%s", t->text);
    }
    while (take(t, 0))
        ;
    return t->status;
}

static bool same_modes(const struct tty *t)
{
    struct termios now;
    assert_int_equal(tcgetattr(t->other, &now), 0);
    return now.c_iflag == t->before.c_iflag && now.c_oflag == t->before.c_oflag &&
           now.c_cflag == t->before.c_cflag && now.c_lflag == t->before.c_lflag &&
           memcmp(now.c_cc, t->before.c_cc, sizeof now.c_cc) == 0;
}

static void finish(struct tty *t)
{
    close(t->fd);
    close(t->other);
    free(t->raw);
    free(t->text);
}

static void expect_exit(struct tty *t, int code)
{
    const int status = wait_end(t);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
        fail_msg("ended with %x:\n%s", (unsigned)status, t->text);
    assert_true(same_modes(t));
}

static void leave(struct tty *t)
{
    enter(t, "/exit");
    expect_exit(t, 0);
    finish(t);
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* Paths of files in the test's folder and of models; valid for a few calls. */
static const char *in(const char *where, const char *name)
{
    static char paths[8][8192];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", where, name);
    return path;
}

static const char *file(const char *name)
{
    return in(folder, name);
}

static const char *model(const char *name)
{
    return in(models, name);
}

static void put(const char *path, const char *text, size_t n_times)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < n_times; i++)
        fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static char *get(const char *path)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s does not exist", path);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

/* Enters a command and a file name as one line. */
static void enter_with(struct tty *t, const char *command, const char *path)
{
    char line[9000];
    snprintf(line, sizeof line, "%s %s", command, path);
    enter(t, line);
}

/* ---- Talking --------------------------------------------------------------------------------- */

#define COUNTER "chat", "-m", model("chat.gguf"), COUNTING

static void test_greeting_and_answers(void **state)
{
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-n", "10");
    expect(&t, "chat.gguf · context 256 · bitnet · /help\n");
    enter(&t, "Hello");
    expect(&t, "\nabcdabcdab\n");
    enter(&t, "And on");
    expect(&t, "\nabcdabcdab\n");
    leave(&t);

    START(&t, "chat", "-m", model("good.gguf"), COUNTING, "-n", "4", "-v");
    expect(&t, "This model continues text: ");
    enter(&t, "Once");
    expect(&t, "\nabcd\n");
    expect(&t, " prompt + 4 new tokens ·");
    leave(&t);
}

/* A model that continues a text adds 120 tokens at a time, and Enter asks for more. */
static void test_texts_go_on_by_pieces(void **state)
{
    struct tty t;
    (void)state;

    START(&t, "chat", "-m", model("good.gguf"), COUNTING);
    expect(&t, "Press Enter for more (120 tokens at a time, see -n).\n");
    enter(&t, "");
    enter(&t, "/context");
    expect(&t, "\n0 of 256 tokens used, ");
    enter(&t, "Once");
    expect(&t, "abcdabcd\n");
    enter(&t, "/context");
    expect(&t, "\n124 of 256 tokens used, 132 left; 1 exchange\n");
    enter(&t, "");
    expect(&t, "abcdabcd\n");
    enter(&t, "/context");
    expect(&t, "\n244 of 256 tokens used, 12 left; 2 exchanges\n");
    enter(&t, "/undo");
    enter(&t, "/context");
    expect(&t, "\n124 of 256 tokens used, 132 left; 1 exchange\n");
    leave(&t);

    START(&t, COUNTER, "-n", "3"); /* Enter does nothing with a model that answers */
    enter(&t, "Hello");
    expect(&t, "\nabc\n");
    enter(&t, "");
    enter(&t, "/context");
    expect(&t, "; 1 exchange\n");
    leave(&t);
}

/* A text continues from its end, even if little of it is left in the context. */
static void test_texts_go_on_when_the_context_is_full(void **state)
{
    struct tty t;
    (void)state;

    START(&t, "chat", "-m", model("good.gguf"), COUNTING, "-n", "252");
    enter(&t, "Once"); /* fills it to the last token */
    expect(&t, "abcdabcd\n");
    enter(&t, "/set max-tokens 4");
    enter(&t, "");
    expect(&t, "trit: the context of 256 tokens is full; the oldest 64 were dropped\nabcd\n");
    enter(&t, "/context");
    expect(&t, "\n196 of 256 tokens used, 60 left; 2 exchanges\n");
    enter(&t, "/undo"); /* what is before it is encoded again, and again too long */
    enter(&t, "");
    expect(&t, "; the oldest 64 were dropped\nabcd\n");
    leave(&t);

    START(&t, "chat", "-m", model("good.gguf"), COUNTING, "-n", "300");
    enter(&t, "Once");
    expect(&t, "trit: the context of 256 tokens is full; the oldest 128 were dropped\n");
    enter(&t, "");
    expect(&t, "trit: the context of 256 tokens is full; the oldest 128 were dropped\n");
    enter(&t, "/set max-tokens 4");
    enter(&t, "/regen");
    expect(&t, "trit: the context of 256 tokens is full; the oldest 112 were dropped\nabcd\n");
    leave(&t);

    START(&t, "chat", "-m", model("good.gguf"), COUNTING, "-n", "301");
    enter(&t, "Once");
    expect(&t, "abcda\n");
    enter(&t, "");
    expect(&t, "trit: the context of 256 tokens is full; the oldest 128 were dropped\n");
    enter(&t, "/set max-tokens 4");
    enter(&t, "/undo");
    enter(&t, "/context"); /* what has been said is longer than the context: its end counts */
    expect(&t, "trit: the context of 256 tokens is full; the oldest 49 were dropped\n");
    expect(&t, "256 of 256 tokens used, 0 left; 1 exchange\n");
    enter(&t, "");
    expect(&t, "; the oldest 64 were dropped\nbcda\n");
    leave(&t);

    START(&t, "chat", "-m", model("good.gguf"), COUNTING, "-n", "100");
    enter(&t, "Once");
    expect(&t, "abcdabcd\n");
    enter(&t, "");
    expect(&t, "abcdabcd\n");
    enter(&t, "/set max-tokens 52");
    enter(&t, "");
    expect(&t, "abcdabcd\n");
    enter(&t, "");
    expect(&t, "; the oldest 1 exchange (104 tokens) was dropped\n");
    expect(&t, "abcdabcd\n");
    enter(&t, "/undo");
    enter(&t, "/undo");
    enter(&t, "/regen"); /* of what was before that message nothing is left */
    expect(&t, "\n(no message yet)\n");
    enter(&t, "");
    expect(&t, "abcdabcd\n");
    leave(&t);
}

static void test_a_text_ends(void **state)
{
    struct tty t;
    (void)state;

    START(&t, "chat", "-m", model("good.gguf"), "--temp", "0", "--logit-bias", "299=1000");
    enter(&t, "Once");
    expect(&t, "(empty answer)\n");
    enter(&t, "");
    expect(&t, "(the text has ended)\n");
    enter(&t, "/context");
    expect(&t, "; 1 exchange\n");
    leave(&t);

    START(&t, "chat", "-m", model("good.gguf"), COUNTING, "-n", "2");
    enter(&t, "Once");
    expect(&t, "\nab\n");
    enter(&t, "");
    expect(&t, "\ncd\n");
    keys(&t, "\"\"\"\r\r\r\"\"\"\r"); /* a blank line is a message */
    expect(&t, "\nab\n");
    enter_with(&t, "/export", file("text.md"));
    expect(&t, "(exported: 3 exchanges)\n");
    assert_string_equal(get(file("text.md")), "Onceabcd\nab\n");
    leave(&t);
}

static void test_help_lists_all(void **state)
{
    static const char *const names[] = {"help",  "exit",    "clear", "system",   "undo",
                                        "regen", "edit",    "read",  "save",     "load",
                                        "set",   "context", "stats", "template", "export"};
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-q");
    enter(&t, "/help");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char line[32];
        snprintf(line, sizeof line, "\n/%s ", names[i]);
        expect(&t, line);
    }
    enter(&t, "/nonsense 1");
    expect(&t, "trit: unknown command '/nonsense'; /help lists them\n");
    enter(&t, "/exit now");
    expect(&t, "trit: /exit takes no argument\n");
    leave(&t);
}

/* The commands before the first message. */
static void test_commands_at_first(void **state)
{
    struct tty t;
    (void)state;

    START(&t, COUNTER);
    enter(&t, "   "); /* is not a message */
    enter(&t, "/undo");
    expect(&t, "(nothing to undo)\n");
    enter(&t, "/regen");
    expect(&t, "(no message yet)\n");
    enter(&t, "/edit");
    expect(&t, "(no message yet)\n");
    enter(&t, "/stats");
    expect(&t, "(no answer yet)\n");
    enter(&t, "/save x");
    expect(&t, "trit: nothing to save yet\n");
    enter(&t, "/context");
    expect(&t, "0 of 256 tokens used, 256 left; 0 exchanges\n");
    enter(&t, "/system");
    expect(&t, "(no system message)\n");
    enter(&t, "/system Be brief.");
    expect(&t, "(system message set)\n");
    enter(&t, "/system");
    expect(&t, "\nBe brief.\n");
    enter(&t, "/read");
    expect(&t, "trit: /read needs FILE\n");
    enter(&t, "/read nowhere");
    expect(&t, "trit: nowhere: No such file or directory\n");
    enter(&t, "/load nowhere");
    expect(&t, "trit: nowhere: No such file or directory\n");
    enter_with(&t, "/load", model("good.gguf"));
    expect(&t, "trit: ");
    leave(&t);
}

static void test_commands_of_a_conversation(void **state)
{
    struct tty t;
    (void)state;

    put(file("notes"), "Some notes.", 1);
    START(&t, COUNTER, "-n", "6", "-s", "Be brief.");
    enter(&t, "Hello");
    expect(&t, "\nabcdab\n");
    enter(&t, "/stats");
    expect(&t, " prompt + 6 new tokens · ");
    enter(&t, "/context");
    expect(&t, "; 1 exchange\nwhen full, the oldest exchange (");
    enter(&t, "/regen");
    expect(&t, "\nabcdab\n");
    enter(&t, "/edit");
    expect(&t, "> Hello");
    keys(&t, "!\r");
    expect(&t, "\nabcdab\n");
    enter(&t, "/context");
    expect(&t, "; 1 exchange\n");
    enter_with(&t, "/read", file("notes"));
    expect(&t, "(11 bytes will be put before your next message)\n");
    enter(&t, "Sum up");
    expect(&t, "\nabcdab\n");
    enter_with(&t, "/export", file("talk.md"));
    expect(&t, "(exported: 2 exchanges)\n");
    assert_string_equal(get(file("talk.md")),
                        "**System:** Be brief.\n\n**You:** Hello!\n\n**Model:** abcdab\n\n"
                        "**You:** Some notes.\nSum up\n\n**Model:** abcdab\n\n");
    enter(&t, "/undo");
    expect(&t, "(removed the last message and its answer)\n");
    enter(&t, "/context");
    expect(&t, "; 1 exchange\n");
    enter(&t, "/clear");
    expect(&t, "(conversation cleared)\n");
    enter(&t, "/context");
    expect(&t, "0 of 256 tokens used");
    enter(&t, "/system");
    expect(&t, "\nBe brief.\n");
    enter(&t, "Hello");
    expect(&t, "\nabcdab\n");
    enter(&t, "/system Be long.");
    expect(&t, "(new conversation)\n");
    leave(&t);
}

/* Enter alone is no message, whatever was typed before. */
static void test_blank_lines(void **state)
{
    static const char *const blank[] = {"", "  ", "\"\"\"\"\"\""};
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-n", "4");
    enter(&t, " x");
    enter(&t, "y");
    for (size_t i = 0; i < sizeof blank / sizeof *blank; i++)
        enter(&t, blank[i]);
    enter(&t, "/context");
    expect(&t, "left; 2 exchanges\n");
    leave(&t);

    start_in(&t, 80, (const char *const[]){"TERM", "dumb", NULL}, -1, ARGS(COUNTER, "-n", "4"));
    expect(&t, "> ");
    keys(&t, " x\ry\r\r \r/context\r");
    expect(&t, "left; 2 exchanges\n");
    keys(&t, "/exit\r");
    expect_exit(&t, 0);
    finish(&t);
}

static void test_settings_and_template(void **state)
{
    struct tty t;
    (void)state;

    START(&t, COUNTER);
    enter(&t, "/set");
    expect(&t, "max-tokens         -1\n");
    expect(&t, "seed               random\n");
    expect(&t, "temp               0\n");
    enter(&t, "/set max-tokens 3");
    expect(&t, "max-tokens         3\n");
    enter(&t, "Hello");
    expect(&t, "\nabc\n");
    enter(&t, "/set seed 7");
    expect(&t, "seed               7\n");
    enter(&t, "/set temp hot");
    expect(&t, "trit: --temp needs a number, not 'hot'\n");
    enter(&t, "/set tmep 1");
    expect(&t, "trit: unknown setting 'tmep'; /set lists them\n");
    enter(&t, "/set threads 1");
    expect(&t, "trit: unknown setting 'threads'");
    enter(&t, "/template");
    expect(&t, "\nbitnet: ");
    enter(&t, "/template llama3");
    expect(&t, "(used from the next message on)\nllama3: chosen by name\n");
    enter(&t, "/template nope");
    expect(&t, "trit: unknown chat template 'nope'; choose from: bitnet");
    leave(&t);
}

/* A message that looks like a command is between """ when it is edited again. */
static void test_message_like_command(void **state)
{
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-n", "3");
    expect(&t, "> ");
    keys(&t, "\"\"\"/exit\"\"\"\r");
    expect(&t, "\nabc\n");
    enter(&t, "/edit");
    expect(&t, "/exit");
    keys(&t, "\r");
    expect(&t, "\nabc\n");
    leave(&t);
}

static void test_completion(void **state)
{
    struct tty t;
    (void)state;

    put(file("noted"), "It is there.", 1);
    START(&t, COUNTER);
    expect(&t, "> ");
    keys(&t, "/tem\t\r");
    expect(&t, "\nbitnet: ");
    expect(&t, "> ");
    keys(&t, "/set max-t\t\r");
    expect(&t, "max-tokens         -1\n");
    expect(&t, "> ");
    keys(&t, "/read ~/noted\t\r");
    expect(&t, "(12 bytes will be put before your next message)\n");
    leave(&t);
}

/* ---- Sessions -------------------------------------------------------------------------------- */

/* Answers that depend on the whole conversation. */
#define RAMBLER                                                                                    \
    "chat", "-m", model("chat.gguf"), "--temp", "0", "--presence-penalty", "900",                  \
        "--repeat-last-n", "7", "-n", "12", "-q"

/* The answer to `Two` in the file that /export wrote. */
static char *answer_to_two(struct tty *t, const char *name)
{
    enter(t, "/export");
    expect(t, "/export needs FILE.md\n");
    enter_with(t, "/export", file(name));
    expect(t, " exchange");
    char *found = strstr(get(file(name)), "**You:** Two\n\n**Model:** ");
    assert_non_null(found);
    char *copy = strdup(found);
    assert_non_null(copy);
    return copy;
}

static void test_save_and_load(void **state)
{
    struct tty t;
    (void)state;

    START(&t, RAMBLER);
    enter(&t, "One 世界");
    enter_with(&t, "/save", file("saved"));
    expect(&t, "(saved: ");
    assert_int_equal(mode_of(file("saved")), 0600);
    enter(&t, "Two");
    char *stayed = answer_to_two(&t, "stayed.md");
    leave(&t);

    START(&t, RAMBLER, "-s", "Be brief.");
    enter_with(&t, "/load", file("saved"));
    expect(&t, "(loaded: ");
    expect(&t, "One 世界"); /* whole, although its tokens are bytes */
    enter(&t, "Two");
    char *loaded = answer_to_two(&t, "loaded.md");
    assert_string_equal(loaded, stayed);
    assert_null(strstr(get(file("loaded.md")), "Be brief."));
    enter(&t, "/context");
    expect(&t, "1 exchange since loading\n");
    enter(&t, "/undo");
    expect(&t, "and its answer)\n");
    enter(&t, "/undo");
    expect(&t, "(nothing to undo)\n");
    leave(&t);
    free(loaded);
    free(stayed);
}

static void test_session_option(void **state)
{
    const char *const path = file("session");
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-n", "4", "--session", path);
    enter(&t, "Hello");
    expect(&t, "\nabcd\n");
    expect(&t, "> ");
    keys(&t, "\4");
    expect(&t, "(saved: ");
    expect_exit(&t, 0);
    finish(&t);
    assert_int_equal(mode_of(path), 0600);

    START(&t, COUNTER, "-n", "4", "--session", path);
    expect(&t, "(loaded: ");
    expect(&t, "abcd");
    enter(&t, "On");
    expect(&t, "\nabcd\n");
    leave(&t);

    START(&t, COUNTER, "-s", "Be brief.", "--session", path);
    expect(&t, "trit: --system starts a conversation, but ");
    expect_exit(&t, 2);
    finish(&t);

    START(&t, COUNTER, "--session",
          file("no/where")); /* reported before there is something to lose */
    expect(&t, "trit: cannot write to ");
    expect_exit(&t, 1);
    finish(&t);

    START(&t, COUNTER, "--session", "");
    expect(&t, "trit: --session needs FILE\n");
    expect_exit(&t, 2);
    finish(&t);
}

static void test_run_cnv(void **state)
{
    struct tty t;
    (void)state;

    START(&t, "run", "-m", model("chat.gguf"), "-cnv", "-p", "Be brief.");
    enter(&t, "/system");
    expect(&t, "\nBe brief.\n");
    leave(&t);

    START(&t, "run", "-m", model("chat.gguf"), "-cnv", "-f", file("brief"));
    expect(&t, "trit: --file cannot be used with -cnv, where -p is the system message\n");
    expect_exit(&t, 2);
    finish(&t);
}

/* ---- Interrupts ------------------------------------------------------------------------------ */

/* The answer has no end. */
static void test_interrupted_answer(void **state)
{
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-c", "100000", "-n", "90000");
    for (int i = 0; i < 3; i++) {
        enter(&t, "Go on");
        expect(&t, "\nabcdabcd");
        keys(&t, "\3");
        expect(&t, "\n(stopped)\n");
    }
    enter(&t, "/set max-tokens 3");
    enter(&t, "Now");
    expect(&t, "\nabc\n");
    enter(&t, "/context");
    expect(&t, "; 4 exchanges\n");
    leave(&t);
}

static void test_interrupted_prompt(void **state)
{
    struct tty t;
    (void)state;

    put(file("long"), "all work and no play ", 2000);
    START(&t, COUNTER, "-n", "5", "-c", "65536", "-b", "16", "-t", "1", "--isa", "scalar");
    enter(&t, "Hello");
    expect(&t, "\nabcda\n");
    enter_with(&t, "/read", file("long"));
    expect(&t, "(42000 bytes will be put before your next message)\n");
    enter(&t, "Sum up");
    expect(&t, "prompt: ");
    keys(&t, "\3");
    expect(&t, "(stopped; your message is back in the input line)\n");
    expect(&t, "> Sum up"); /* without the file, which still goes before it */
    keys(&t, "\r");
    expect(&t, "prompt: ");
    keys(&t, "\3");
    expect(&t, "(stopped; your message is back in the input line)\n");
    expect(&t, "> Sum up");
    keys(&t, "\3");
    enter(&t, "/clear");
    expect(&t, "(conversation cleared)\n");
    enter(&t, "Hello");
    expect(&t, "\nabcda\n");
    leave(&t);
}

static void test_ways_to_leave(void **state)
{
    struct tty t;
    (void)state;

    START(&t, COUNTER);
    expect(&t, "> ");
    keys(&t, "some words");
    expect(&t, "some words");
    keys(&t, "\3"); /* forgets the files, and does not count as the first of two */
    expect(&t, "> ");
    keys(&t, "\3");
    expect(&t, "(Ctrl-C again, Ctrl-D or /exit to leave)\n");
    expect(&t, "> ");
    keys(&t, "/context\r");
    expect(&t, "0 exchanges\n");
    expect(&t, "> ");
    keys(&t, "\3");
    expect(&t, "(Ctrl-C again, Ctrl-D or /exit to leave)\n");
    expect(&t, "> ");
    keys(&t, "\3");
    expect_exit(&t, 0);
    finish(&t);

    START(&t, COUNTER);
    expect(&t, "> ");
    keys(&t, "\4");
    expect_exit(&t, 0);
    finish(&t);
}

/* Ends by SIGTERM, and by signals of crashes. */
static void test_terminated(void **state)
{
    static const int signals[] = {SIGTERM, SIGQUIT, SIGXCPU, SIGSEGV, SIGABRT};
    struct tty t;
    (void)state;

    for (int i = 0; i < 10; i++) {
        const int number = signals[i / 2], busy = i % 2;
        START(&t, COUNTER, "-c", "100000");
        expect(&t, "> ");
        if (busy) {
            keys(&t, "Go\r");
            expect(&t, "\nabcdabcd");
        }
        assert_false(same_modes(&t));
        kill(t.pid, number);
        const int status = wait_end(&t);
        if (number != SIGSEGV && number != SIGABRT)
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == number);
        else /* a sanitizer reports a crash and exits */
            assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
        assert_true(same_modes(&t));
        finish(&t);
    }
}

/* When the terminal goes away the program ends, even if SIGHUP is ignored. */
static void test_hung_up(void **state)
{
    struct tty t;
    (void)state;

    for (int i = 0; i < 4; i++) {
        signal(SIGHUP, i & 2 ? SIG_IGN : SIG_DFL); /* inherited by the child */
        START(&t, COUNTER, "-c", "100000", "-n", "90000");
        expect(&t, "> ");
        if (i & 1) {
            keys(&t, "Go\r");
            expect(&t, "\nabcdabcd");
        }
        close(t.other);
        close(t.fd);
        const double until = now_ms() + PATIENCE_MS;
        while (!has_ended(&t) && now_ms() < until)
            poll(NULL, 0, 5);
        assert_true(has_ended(&t));
        assert_true(WIFEXITED(t.status) || WTERMSIG(t.status) == SIGHUP);
        free(t.raw);
        free(t.text);
    }
    signal(SIGHUP, SIG_DFL);
}

static void test_typed_ahead(void **state)
{
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-c", "10000", "-n", "3000");
    enter(&t, "Go");
    expect(&t, "\nabcdabcd");
    keys(&t, "/context\r/exit\r");
    expect(&t, "; 1 exchange\n");
    expect_exit(&t, 0);
    finish(&t);
}

/* ---- A full context -------------------------------------------------------------------------- */

static void test_overflow_is_announced(void **state)
{
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-n", "10", "-c", "100");
    for (int i = 0; i < 4; i++) {
        enter(&t, "Hello there");
        expect(&t, "\nabcdabcdab\n");
    }
    assert_non_null(strstr(t.text, "trit: the context of 100 tokens is full; the oldest "));
    enter(&t, "/undo");
    enter_with(&t, "/save",
               file("short")); /* there is something, though it must be encoded again */
    expect(&t, "(saved: ");
    enter(&t, "On");
    expect(&t, "\nabcdabcdab\n");
    leave(&t);

    START(&t, COUNTER, "-n", "120", "-c", "100"); /* in the middle of an answer */
    enter(&t, "Hello there");
    expect(&t, "\ntrit: the context of 100 tokens is full; the oldest ");
    expect(&t, " were dropped\n");
    enter(&t, "/context");
    expect(&t, "; 1 exchange\n");
    leave(&t);
}

static void test_full_and_stop(void **state)
{
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-n", "10", "-c", "100", "--on-full", "stop");
    for (int i = 0; i < 2; i++) {
        enter(&t, "Hello there");
        expect(&t, "\nabcdabcdab\n");
    }
    enter(&t, "Once more, if there is room");
    expect(&t, "trit: the context of 100 tokens is full; use /undo, /clear or a larger -c\n");
    expect(&t, "> Once more, if there is room");
    keys(&t, "\3");
    enter(&t, "/context");
    expect(&t, "; 2 exchanges\n");
    enter(&t, "/undo");
    enter(&t, "Once more");
    expect(&t, "\nabcdabcdab\n");
    leave(&t);

    START(&t, COUNTER, "-c", "60", "--on-full", "stop"); /* in the middle of an answer */
    enter(&t, "Hello there");
    expect(&t, "trit: the context of 60 tokens is full; /clear starts a new conversation\n");
    enter(&t, "/context");
    expect(&t, "60 of 60 tokens used, 0 left; 1 exchange\n");
    leave(&t);
}

/* ---- Terminals ------------------------------------------------------------------------------- */

/* Whether a sequence sets a style; one that resets all styles does not count. */
static bool has_style(const char *raw)
{
    for (const char *p = raw; (p = strstr(p, "\033["));) {
        p += 2;
        const size_t n = strspn(p, "0123456789;:");
        if (p[n] == 'm' && n && !(n == 1 && *p == '0'))
            return true;
    }
    return false;
}

static void test_colors(void **state)
{
    static const char *const no_color[] = {"NO_COLOR", "1", NULL};
    struct tty t;
    (void)state;

    for (int colored = 0; colored < 2; colored++) {
        start_in(&t, 80, colored ? NULL : no_color, -1, ARGS(COUNTER, "-n", "4", "-v"));
        enter(&t, "/help");
        enter(&t, "Hello");
        expect(&t, "\nabcd\n");
        enter(&t, "/exit");
        expect_exit(&t, 0);
        assert_int_equal(has_style(t.raw), colored);
        finish(&t);
    }
}

static void test_dumb(void **state)
{
    static const char *const dumb[] = {"TERM", "dumb", NULL};
    struct tty t;
    (void)state;

    start_in(&t, 80, dumb, -1, ARGS(COUNTER, "-n", "4", "-v"));
    enter(&t, "Hello");
    expect(&t, "\nabcd\n");
    enter(&t, "/context");
    expect(&t, "1 exchange\n");
    expect(&t, "> ");
    keys(&t, "\3");
    expect(&t, "(Ctrl-C again, Ctrl-D or /exit to leave)\n");
    enter(&t, "/exit");
    expect_exit(&t, 0);
    assert_null(strchr(t.raw, '\033'));
    finish(&t);
}

static void test_window_change(void **state)
{
    const struct winsize small = {.ws_row = 10, .ws_col = 20};
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-n", "50", "-c", "1000");
    expect(&t, "> ");
    keys(&t, "A message that is longer than");
    expect(&t, "than");
    assert_int_equal(ioctl(t.fd, TIOCSWINSZ, &small), 0); /* and a SIGWINCH */
    keys(&t, " the window\r");
    expect(&t, "\nabcdabcdabcdabcd");
    expect(&t, "> ");
    keys(&t, "/export ~/window.md\r"); /* which takes two lines */
    expect(&t, "(exported: 1 exchange)\n");
    assert_non_null(
        strstr(get(file("window.md")), "**You:** A message that is longer than the window\n"));
    leave(&t);
}

/* Answers are wrapped between words; one that fills its last line ends it only once. */
static void test_wrapping(void **state)
{
    struct tty t;
    (void)state;

    start_in(&t, 20, NULL, -1, ARGS(COUNTER, "-q", "-n", "20"));
    enter(&t, "Hello");
    expect(&t, "\nabcdabcdabcdabcdabcd\n> ");
    keys(&t, "/set max-tokens 24\r");
    enter(&t, "Hello");
    expect(&t, "\nabcdabcdabcdabcdabcdabcd\n> "); /* broken by the terminal */
    keys(&t, "/exit\r");
    expect_exit(&t, 0);
    finish(&t);
}

static void test_paste(void **state)
{
    static const char line[] = "/exit is but a word in a text that is pasted\n";
    enum { N = 230 };
    static char paste[N * (sizeof line - 1) + 32];
    size_t n = 0;
    struct tty t;
    (void)state;

    n += (size_t)sprintf(paste, "\033[200~Look:\n");
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(paste + n, "%s", line);
    n += (size_t)sprintf(paste + n, "\033[201~");
    START(&t, COUNTER, "-n", "4", "-c", "16384");
    expect(&t, "> ");
    keys_n(&t, paste, n);
    keys(&t, "\r");
    expect(&t, "abcd\n"); /* what was on the line before the prompt */
    enter_with(&t, "/export", file("paste.md"));
    expect(&t, "(exported: 1 exchange)\n");
    const char *text = get(file("paste.md"));
    assert_memory_equal(text, "**You:** Look:\n/exit", 20);
    assert_true(strlen(text) > 10000);
    leave(&t);
}

/* ---- History, and no terminal ---------------------------------------------------------------- */

static void test_history(void **state)
{
    const char *const where[] = {"XDG_STATE_HOME", file("state"), NULL};
    struct tty t;
    struct stat st;
    (void)state;

    for (int i = 0; i < 2; i++) {
        start_in(&t, 80, where, -1, ARGS(COUNTER, "-n", "4"));
        expect(&t, "> ");
        keys(&t, i == 0 ? "Hello" : "\033[A\033[A"); /* Up, twice */
        expect(&t, "Hello");
        keys(&t, "\r");
        expect(&t, "\nabcd\n");
        leave(&t);
    }
    const char *const path = file("state/trit/history");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_string_equal(get(path), "Hello\n/exit\nHello\n/exit\n");
}

/* Runs a command at a terminal. Its output holds `want`, and nothing that acts on the terminal. */
static void check_escaped(const char *want, const char *const *args)
{
    static const char *const acts[] = {"\033]", "\xC2\x9B", "\xE2\x80\xAE", "\xE2\x81\xA6"};
    struct tty t;

    start_in(&t, 80, (const char *const[]){"NO_COLOR", "1", NULL}, -1, args);
    expect(&t, want);
    wait_end(&t);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strstr(t.raw, acts[i]))
            fail_msg("%zu is in %s", i, t.raw);
    finish(&t);
}

/* ESC ] sets titles and the clipboard, U+009B is the one-byte form of ESC [, U+202E and U+2066
 * change the direction of text. */
#define EVIL                                                                                       \
    "a\033]0;x\a\xC2\x9B"                                                                          \
    "b\xE2\x80\xAE"                                                                                \
    "c\xE2\x81\xA6"                                                                                \
    "d"
#define HARMLESS "a\\x1b]0;x\\x07\\xc2\\x9bb\\xe2\\x80\\xaec\\xe2\\x81\\xa6d"

static void test_escapes(void **state)
{
    const char *const chat = model("chat.gguf");
    (void)state;

    check_escaped(HARMLESS, ARGS("run", "-m", chat, "-p", EVIL, "--echo", "-n", "0"));
    check_escaped("\\x1b\\x1b\n", ARGS("run", "-m", chat, "-p", "x", "-n", "2", "--temp", "0",
                                       "--logit-bias", "27=9999"));
    check_escaped("a\\x1b]\\xe2\\x80\\xae",
                  ARGS("detokenize", "-m", chat, "--ids", "97,27,93,226,128,174"));
    check_escaped(HARMLESS, ARGS("template", "-m", chat, "-p", EVIL));
    check_escaped("\\u009bb\\u202ec\\u2066d", ARGS("template", "-m", chat, "-p", EVIL, "--json"));
    check_escaped("trit: " HARMLESS ": No such file", ARGS("info", "-m", EVIL));
    check_escaped("trit: unknown command '" HARMLESS, ARGS(EVIL));
    check_escaped("trit: unknown option '--" HARMLESS, ARGS("run", "--" EVIL));
    check_escaped("not '" HARMLESS, ARGS("run", "-m", chat, "--kv", EVIL));
    put(file(EVIL), "", 1);
    check_escaped(HARMLESS " is empty", ARGS("info", "-m", file(EVIL)));
}

/* What the user types and what files are called, in chat. */
static void test_escapes_in_chat(void **state)
{
    struct tty t;
    (void)state;

    START(&t, COUNTER, "-n", "4", "-s", EVIL);
    enter(&t, "/system");
    expect(&t, HARMLESS);
    put(file(EVIL ".md"), "", 1);
    put(file(EVIL ".txt"), "", 1);
    expect(&t, "> ");
    keys(&t, "/read ");
    keys(&t, file("a\t\t")); /* completes the name, then lists both */
    expect(&t, "d.md");
    expect(&t, "d.txt");
    keys(&t, "\3/exit\r");
    expect_exit(&t, 0);
    assert_null(strstr(t.raw, "\033]"));
    assert_null(strstr(t.raw, "\xE2\x80\xAE"));
    finish(&t);
}

static void test_no_terminal(void **state)
{
    struct tty t;
    (void)state;

    put(file("input"), "Hello\n", 1);
    for (int i = 0; i < 2; i++) {
        const int fd = open(i ? file("input") : "/dev/null", O_RDONLY);
        assert_true(fd >= 0);
        start_in(&t, 80, NULL, fd, ARGS("chat", "-m", "nowhere"));
        expect_exit(&t, 2);
        assert_string_equal(t.text, "trit: standard input is not a terminal; use trit run --chat "
                                    "for a single answer\n");
        assert_int_equal(lseek(fd, 0, SEEK_CUR), 0); /* nothing was read */
        close(fd);
        finish(&t);
    }
}

static void remove_files(void)
{
    char command[sizeof folder + 16];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", folder);
}

/* ---- The suite ------------------------------------------------------------------------------- */

static bool take_arguments(int n, char **args)
{
    return n == 2 && (program = realpath(args[0], NULL)) && realpath(args[1], models);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    signal(SIGPIPE, SIG_IGN);
    return atexit(remove_files);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_greeting_and_answers),
    cmocka_unit_test(test_texts_go_on_by_pieces),
    cmocka_unit_test(test_a_text_ends),
    cmocka_unit_test(test_texts_go_on_when_the_context_is_full),
    cmocka_unit_test(test_help_lists_all),
    cmocka_unit_test(test_commands_at_first),
    cmocka_unit_test(test_commands_of_a_conversation),
    cmocka_unit_test(test_blank_lines),
    cmocka_unit_test(test_settings_and_template),
    cmocka_unit_test(test_message_like_command),
    cmocka_unit_test(test_completion),
    cmocka_unit_test(test_save_and_load),
    cmocka_unit_test(test_session_option),
    cmocka_unit_test(test_run_cnv),
    cmocka_unit_test(test_interrupted_answer),
    cmocka_unit_test(test_interrupted_prompt),
    cmocka_unit_test(test_ways_to_leave),
    cmocka_unit_test(test_terminated),
    cmocka_unit_test(test_hung_up),
    cmocka_unit_test(test_typed_ahead),
    cmocka_unit_test(test_overflow_is_announced),
    cmocka_unit_test(test_full_and_stop),
    cmocka_unit_test(test_colors),
    cmocka_unit_test(test_dumb),
    cmocka_unit_test(test_window_change),
    cmocka_unit_test(test_wrapping),
    cmocka_unit_test(test_paste),
    cmocka_unit_test(test_history),
    cmocka_unit_test(test_escapes),
    cmocka_unit_test(test_escapes_in_chat),
    cmocka_unit_test(test_no_terminal),
};

const struct suite suite = {SUITE_TESTS(tests), .setup = make_folder, .arguments = "PROGRAM FOLDER",
                            .take_arguments = take_arguments};
