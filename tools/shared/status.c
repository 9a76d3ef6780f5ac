/* status.c - see status.h. */
#define _POSIX_C_SOURCE 200809L

#include "status.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "plain_text.h"
#include "terminal.h"

static bool status_shown; /* the last line on stderr is a temporary one */

void show_status(const char *fmt, ...)
{
    char text[512];
    size_t n = 0;
    va_list list;

    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    /* a line that wraps could not be cleared: use one character less than there are columns */
    const int columns = terminal_columns(STDERR_FILENO);
    for (int left = (columns > 1 ? columns : 80) - 1; text[n]; n++) {
        left -= ((unsigned char)text[n] & 0xc0) != 0x80;
        if (left < 0)
            break;
    }
    clear_status();
    plain_string(stderr, text, n);
    status_shown = true;
}

void clear_status(void)
{
    if (status_shown)
        fputs("\r\033[K", stderr);
    status_shown = false;
}

bool is_lively(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && !getenv("NO_COLOR") && (!term || strcmp(term, "dumb") != 0);
}

bool show_progress(bool quiet)
{
    return !quiet && is_lively(STDERR_FILENO);
}

static double prompt_begin, prompt_shown; /* ms; 0: not yet */

static void on_prompt(void *user, double part)
{
    const double now = now_ms();
    (void)user;

    if (part >= 1) {
        clear_status();
        prompt_begin = 0;
        return;
    }
    if (prompt_begin == 0)
        prompt_begin = now;
    if (now - prompt_begin < 100 || now - prompt_shown < 100)
        return;
    prompt_shown = now;
    show_status("prompt: %.0f %%", 100 * part);
}

void print_bar(double part, int width)
{
    const int eighths = (int)lrint(8 * width * fmin(fmax(part, 0), 1));

    for (int i = 0; i < width; i++) {
        const int here = eighths - 8 * i; /* U+2588 is a whole, U+258F an eighth */
        if (here > 0)
            printf("\xE2\x96%c", 0x90 - (here < 8 ? here : 8));
        else
            putchar(' ');
    }
    putchar(' ');
}

void watch_prompt(trit_session *session)
{
    prompt_begin = 0; /* an interrupted prompt leaves it set */
    trit_session_set_progress(session, on_prompt, NULL);
}
