/* resume.c - see resume.h. */
#define _POSIX_C_SOURCE 200809L

#include "resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "interrupt.h"
#include "plain_text.h"
#include "report.h"

int load_session(trit_session *session, const char *path, bool quiet)
{
    struct trit_session_loaded loaded;
    struct trit_error err;

    const trit_status status = trit_session_load(session, path, &loaded, &err);
    if (status == TRIT_E_CANCELLED)
        return EXIT_INTERRUPTED;
    if (status)
        return report_hint(&err, status == TRIT_E_ARGUMENT ? "see -c" : NULL);
    if (loaded.reread && !quiet)
        safe_printf(stderr, "trit: %s: %s; its %d tokens were evaluated again\n", path, loaded.why,
                    loaded.n_tokens);
    return EXIT_DONE;
}

int open_session_file(struct session_file *f, const struct opened *o, const char *path, bool quiet)
{
    struct stat st;

    *f = (struct session_file){.path = path, .quiet = quiet};
    if (!f->path)
        return EXIT_DONE;
    watch_interrupts(o->session);
    if (stat(path, &st) == 0 || errno != ENOENT) {
        const int code = load_session(o->session, path, quiet);
        if (code)
            return code;
        f->n_restored = trit_session_n_tokens(o->session);
    }
    f->open = true;
    return open_private_output(&f->out, f->path);
}

int make_room_for_prompt(struct session_file *f, const struct opened *o, int32_t n)
{
    trit_session *s = o->session;
    const int32_t n_ctx = trit_session_n_ctx(s);
    const int32_t n_keep = trit_session_tokens(s)[0] == trit_tokenizer_bos(o->tokenizer);
    struct trit_error err;
    int32_t n_left_out = 1;

    while (n < n_ctx && trit_session_n_tokens(s) > n_ctx - n && n_left_out) {
        const trit_status status = trit_session_shift(s, n_keep, &n_left_out, &err);
        if (status)
            return status == TRIT_E_CANCELLED ? EXIT_INTERRUPTED : report(&err);
        if (n_left_out && !f->quiet)
            safe_printf(
                stderr,
                "trit: the prompt does not fit the context of %d tokens; %d tokens of %s were "
                "dropped\n",
                n_ctx, n_left_out, f->path);
    }
    f->n_restored = trit_session_n_tokens(s);
    return EXIT_DONE;
}

int prepend_restored(const struct session_file *f, const struct opened *o, int32_t **ids,
                     int32_t *n)
{
    const size_t n_new = (size_t)*n, n_old = (size_t)f->n_restored;
    int32_t *all = realloc(*ids, (n_old + n_new + 1) * sizeof *all);

    if (!all)
        return out_of_memory();
    memmove(all + n_old, all, n_new * sizeof *all);
    memcpy(all, trit_session_tokens(o->session), n_old * sizeof *all);
    *ids = all;
    *n += f->n_restored;
    return EXIT_DONE;
}

/* Evaluate the last token, which is part of the conversation even after an interrupt. */
static trit_status evaluate_last(const struct opened *o, const struct trit_generate_options *opt,
                                 int32_t id, struct trit_error *err)
{
    trit_session *s = o->session;
    int32_t n_left_out = 0;
    trit_status status = TRIT_OK;

    if (trit_session_n_tokens(s) == trit_session_n_ctx(s) && opt->on_full == TRIT_ON_FULL_SHIFT)
        status = trit_session_shift(s, opt->n_keep, &n_left_out, err);
    if (n_left_out && !status)
        opt->on_shift(opt->user, n_left_out);
    if (status || trit_session_n_tokens(s) == trit_session_n_ctx(s))
        return status;
    return trit_session_eval(s, &id, 1, NULL, NULL, err);
}

static bool write_bytes(void *user, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, user) == n;
}

int save_session(trit_session *session, const struct output *out)
{
    struct trit_error err;

    errno = 0;
    const trit_status status = trit_session_save(session, write_bytes, out->f, &err);
    if (status == TRIT_E_CANCELLED)
        return ferror(out->f) ? write_error(out->path) : EXIT_INTERRUPTED;
    return status ? report(&err) : EXIT_DONE;
}

int write_session_file(struct session_file *f, const struct opened *o,
                       const struct trit_generate_options *opt,
                       const struct trit_generate_result *r)
{
    const int32_t n = r->n_prompt + r->n_new - r->n_left_out - (r->pending >= 0);
    struct trit_error err;
    trit_status status = TRIT_OK;

    if (!f->path)
        return EXIT_DONE;
    if (trit_session_n_tokens(o->session) != n) { /* interrupted in the prompt or in a shift */
        if (!f->quiet)
            safe_printf(stderr, "trit: interrupted during evaluation; %s is unchanged\n", f->path);
        return EXIT_DONE;
    }
    trit_session_set_cancel(o->session, NULL, NULL);
    if (r->pending >= 0)
        status = evaluate_last(o, opt, r->pending, &err);
    if (status)
        return report(&err);
    const int code = save_session(o->session, &f->out);
    f->written = !code;
    return code;
}

int close_session_file(struct session_file *f, int code)
{
    const bool keep = f->written && (code == EXIT_DONE || code == EXIT_INTERRUPTED);

    if (!f->open)
        return code;
    const int closed = close_output(&f->out, keep ? EXIT_DONE : EXIT_RUNTIME);
    return keep && closed ? closed : code;
}
