/* layers.c - see layers.h. */
#include "layers.h"

#include <stdio.h>
#include <stdlib.h>

#include "report.h"
#include "trit_tools.h"

/* Parse "3,7-9": numbers of at least `least`, and ranges; NULL: none. @return exit code */
static int parse_layers(struct layer_list *out, const char *option, const char *text, long least)
{
    const char *p = text;

    for (out->n = 0; text; p++) {
        char *end;
        const bool plain = *p >= '0' && *p <= '9';
        long first = plain ? strtol(p, &end, 10) : -1, last = first;
        if (plain && *end == '-' && end[1] >= '0' && end[1] <= '9')
            last = strtol(end + 1, &end, 10);
        if (!plain || (*end && *end != ',') || first < least || last < first || last > MAX_LAYERS)
            return usage_error("%s needs layer numbers such as 3,7-9, not '%.20s'", option, p);
        for (; first <= last; first++) {
            if (out->n == MAX_LAYERS)
                return usage_error("%s names more than %d layers", option, MAX_LAYERS);
            out->items[out->n++] = (int32_t)first;
        }
        p = end;
        if (!*p)
            break;
    }
    return EXIT_DONE;
}

static void print_skipped(const struct layer_list *skip)
{
    fprintf(stderr, "trit: skipped layers:%s", skip->n ? "" : " none");
    for (int32_t i = 0; i < skip->n; i++)
        fprintf(stderr, " %d", skip->items[i]);
    fputc('\n', stderr);
}

int plan_layers(struct trit_session_options *opt, struct layer_list *skip, const struct args *args,
                const trit_model *model)
{
    struct trit_model_info info;

    if (args->layers.skip_layers && args->layers.layer_drop > 0)
        return usage_error("give --skip-layers or --layer-drop, not both");
    const int code = parse_layers(skip, "--skip-layers", args->layers.skip_layers, 0);
    if (code)
        return code;
    if (args->layers.layer_drop > 0) {
        trit_model_get_info(model, &info);
        skip->n = trit_layer_drop(skip->items, info.n_layer, args->layers.layer_drop, args->seed);
        if (!args->quiet)
            print_skipped(skip);
    }
    opt->early_exit =
        args->layers.exit_layer > 0 || args->layers.exit_threshold > 0 || args->layers.exit_sweep;
    opt->skip_layers = skip->items;
    opt->n_skip = skip->n;
    return EXIT_DONE;
}

int set_exits(trit_session *session, const struct layer_args *args)
{
    struct layer_list check;
    struct trit_error err;

    if (args->exit_threshold <= 0 && (args->exit_check || args->exit_min_layer))
        return usage_error("%s requires --exit-threshold",
                           args->exit_check ? "--exit-check" : "--exit-min-layer");
    if (args->exit_check && args->exit_min_layer)
        return usage_error("give --exit-check or --exit-min-layer, not both");
    const int code = parse_layers(&check, "--exit-check", args->exit_check, 1);
    if (code)
        return code;
    for (int32_t i = args->exit_min_layer; i > 0 && i <= trit_session_n_layers(session); i++)
        check.items[check.n++] = i;
    if (args->exit_layer > 0 && trit_session_set_exit_layer(session, args->exit_layer, &err))
        return report(&err);
    if (args->exit_threshold > 0 &&
        trit_session_set_exit_threshold(session, (float)args->exit_threshold,
                                        check.n ? check.items : NULL, check.n, &err))
        return report(&err);
    return EXIT_DONE;
}
