/* cmd_dummy.c - trit dummy: write a model with random weights and the sizes of a published one. */
#include <stdio.h>

#include "commands.h"
#include "report.h"
#include "sink.h"
#include "status.h"
#include "trit_tools.h"

static void print_shapes(void)
{
    struct trit_dummy_shape shape;

    fputs("trit: --shape must be one of:\n", stderr);
    for (int i = 0; trit_dummy_shape_at(i, &shape); i++)
        fprintf(stderr, "  %-12s %5.0f M ternary weights: %s\n", shape.name,
                (double)shape.n_ternary * 1e-6, shape.model);
}

int dummy_main(const struct args *args)
{
    const struct trit_dummy_options opt = {.shape = args->convert.shape,
                                           .type = args->convert.type,
                                           .embd = args->convert.embd,
                                           .seed = args->seed};
    trit_status status = TRIT_OK;
    struct sink sink;
    struct trit_error err;

    if (!args->convert.shape) {
        print_shapes();
        return EXIT_USAGE;
    }
    if (!args->out || !*args->out)
        return usage_error("no output given; use -o FILE");
    const int code = open_sink(&sink, args->out, show_progress(args->quiet));
    if (!code)
        status = trit_dummy_write(&opt, sink_put, &sink, &sink.total, &err);
    return close_sink(&sink, code, status, &err);
}
