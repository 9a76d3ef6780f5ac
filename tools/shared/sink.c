/* sink.c - see sink.h. */
#include "sink.h"

#include <errno.h>
#include <stdio.h>

#include "clock.h"
#include "interrupt.h"
#include "report.h"
#include "status.h"

int open_sink(struct sink *s, const char *path, bool progress)
{
    *s = (struct sink){.progress = progress};
    watch_interrupts(NULL);
    return open_output(&s->out, path);
}

bool sink_put(void *user, const void *bytes, size_t n)
{
    struct sink *s = user;

    errno = 0;
    s->failed = fwrite(bytes, 1, n, s->out.f) != n;
    s->error = errno;
    s->done += n;
    if (s->progress && now_ms() >= s->next_ms) {
        show_status("%3.0f %% of %.0f MB%s%s", 100 * (double)s->done / (double)s->total,
                    (double)s->total * 1e-6, s->what ? ": " : "", s->what ? s->what : "");
        s->next_ms = now_ms() + 200;
    }
    return !s->failed && !interrupted();
}

int close_sink(struct sink *s, int code, trit_status status, const struct trit_error *err)
{
    clear_status();
    errno = s->error;
    if (!code && s->failed)
        code = write_error(s->out.path);
    else if (!code && status == TRIT_E_CANCELLED)
        code = EXIT_INTERRUPTED;
    else if (!code && status)
        code = report(err);
    return close_output(&s->out, code);
}
