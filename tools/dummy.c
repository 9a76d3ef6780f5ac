/* dummy.c - trit dummy: a model file of random weights in the shape of a published one. */
#include <errno.h>
#include <string.h>

#include "common.h"
#include "output.h"

struct sink {
    FILE *f;
    uint64_t done, total;
    double next_ms; /* when to show progress again */
    bool progress, write_failed;
    int error; /* errno of the write that failed */
};

static bool put(void *user, const void *bytes, size_t n)
{
    struct sink *s = user;

    errno = 0;
    s->write_failed = fwrite(bytes, 1, n, s->f) != n;
    s->error = errno;
    s->done += n;
    if (s->progress && now_ms() >= s->next_ms) {
        show_status("%3.0f %% of %.0f MB", 100 * (double)s->done / (double)s->total,
                    (double)s->total * 1e-6);
        s->next_ms = now_ms() + 200;
    }
    return !s->write_failed && !interrupted();
}

static void print_shapes(void)
{
    struct trit_dummy_shape shape;

    fputs("trit: --shape is one of\n", stderr);
    for (int i = 0; trit_dummy_shape_at(i, &shape); i++)
        fprintf(stderr, "  %-12s %5.0f M ternary weights: %s\n", shape.name,
                (double)shape.n_ternary * 1e-6, shape.model);
}

int dummy_main(const struct args *args)
{
    const struct trit_dummy_options opt = {args->shape, args->type, args->embd, args->seed};
    struct sink sink = {.progress = show_progress(args)};
    struct output out;
    struct trit_error err;

    if (!args->shape) {
        print_shapes();
        return EXIT_USAGE;
    }
    if (!args->out || !*args->out)
        return usage_error("no output given; use -o FILE");
    watch_interrupts(NULL);
    int code = open_output(&out, args->out);
    sink.f = out.f;
    if (!code) {
        const trit_status status = trit_dummy_write(&opt, put, &sink, &sink.total, &err);
        clear_status();
        errno = sink.error;
        if (sink.write_failed)
            code = write_error(args->out);
        else if (status == TRIT_E_CANCELLED)
            code = EXIT_INTERRUPTED;
        else if (status)
            code = report(&err);
    }
    return close_output(&out, code);
}
