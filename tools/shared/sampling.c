/* sampling.c - see sampling.h. */
#define _POSIX_C_SOURCE 200809L

#include "sampling.h"

#include <errno.h>
#include <float.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hardware.h"
#include "input.h"
#include "open.h"
#include "report.h"
#include "trit_tools.h"

#define NEVER -1e30f

uint64_t random_seed(void)
{
    uint32_t seed = 0;
    const int fd = open("/dev/urandom", O_RDONLY);
    if (fd < 0 || read(fd, &seed, sizeof seed) != sizeof seed)
        seed = (uint32_t)time(NULL) ^ (uint32_t)getpid() << 16;
    if (fd >= 0)
        close(fd);
    return seed;
}

/* A number, or -inf or false for a token that must not be drawn; the sampler wants finite ones. */
static bool parse_bias_value(float *out, const char *text)
{
    char *end;

    if (strcmp(text, "-inf") == 0 || strcmp(text, "false") == 0) {
        *out = NEVER;
        return true;
    }
    *out = strtof(text, &end);
    return is_plain_number(text, "") && end != text && !*end;
}

/* "15=-1", or as in llama.cpp "15-1" and "15+1" */
static int parse_bias(struct trit_logit_bias *bias, const char *text)
{
    char *end = NULL;
    errno = 0;
    const long id = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : -1;
    if (id >= 0 && id <= INT32_MAX && !errno && *end && strchr("=+-", *end) &&
        parse_bias_value(&bias->value, end + (*end != '-'))) {
        bias->id = (int32_t)id;
        return EXIT_DONE;
    }
    return usage_error("--logit-bias needs ID=VALUE, not '%s'", text);
}

int open_sampler(trit_sampler **sampler, const struct sampling_args *args, uint64_t seed,
                 int32_t n_vocab)
{
    const int n_bias = args->logit_bias.n;
    struct trit_logit_bias *bias = malloc(((size_t)n_bias + 1) * sizeof *bias);
    const bool looks_back = args->repeat_last_n != 0; /* 0 has another meaning to the library */
    const struct trit_sampler_options opt = {
        .repeat_penalty = looks_back ? (float)args->repeat_penalty : 1,
        .presence_penalty = looks_back ? (float)args->presence_penalty : 0,
        .frequency_penalty = looks_back ? (float)args->frequency_penalty : 0,
        .repeat_last_n = args->repeat_last_n,
        .bias = bias,
        .n_bias = n_bias,
        .top_k = args->top_k,
        .top_p = args->top_p > 0 ? (float)args->top_p : FLT_MIN, /* 0: just the likeliest */
        .min_p = (float)args->min_p,
        .temp = (float)args->temp,
        .seed = seed,
    };
    struct trit_error err;
    int code = EXIT_DONE;

    if (!bias)
        return out_of_memory();
    for (int i = 0; i < n_bias && !code; i++)
        code = parse_bias(&bias[i], args->logit_bias.items[i]);
    if (!code && trit_sampler_open(sampler, n_vocab, &opt, &err))
        code = report(&err);
    free(bias);
    return code;
}

double per_second(int32_t n, double ms)
{
    return n > 0 && ms > 0 ? n * 1e3 / ms : 0;
}

double generate_tps(const struct trit_generate_result *r)
{
    return per_second(r->n_new - 1, r->generate_ms);
}

void print_stats(const struct opened *o, const struct trit_generate_result *r, int32_t n_restored,
                 uint64_t seed, bool verbose)
{
    if (n_restored)
        fprintf(stderr, "%d restored + ", n_restored);
    fprintf(stderr,
            "%d prompt + %d new tokens · %.1f t/s prompt · %.1f t/s · first token %.0f ms · "
            "%d threads %s · ",
            r->n_prompt, r->n_new, per_second(r->n_prompt, r->prompt_ms), generate_tps(r),
            r->first_token_ms, trit_session_n_threads(o->session), trit_session_isa(o->session));
    if (r->n_new && r->mean_layers < trit_session_n_layers(o->session))
        fprintf(stderr, "%.1f of %d layers per token · ", r->mean_layers,
                trit_session_n_layers(o->session));
    if (verbose)
        fprintf(stderr, "weights read by %s · ", walks_of(o->session).text);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
}
