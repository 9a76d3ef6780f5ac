/* exit_sweep.c - trit bench --exit-sweep.
 *
 * Speed is generation speed, one token at a time. Each round measures all depths, so other load on
 * the machine affects them alike. Results are the medians over the rounds of the speed and of the
 * speed-up within a round, which is compared with a prediction from the bytes read per token.
 * Quality is measured on a text, cut into windows as in trit perplexity; a depth agrees with the
 * whole model at positions at which both have the same most likely token. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "clock.h"
#include "commands.h"
#include "fields.h"
#include "input.h"
#include "interrupt.h"
#include "json_write.h"
#include "layers.h"
#include "open.h"
#include "percentile.h"
#include "plain_text.h"
#include "report.h"
#include "status.h"
#include "windows.h"
#include "trit_tools.h"

enum { MAX_REPEATS = 1000, DEFAULT_WINDOWS = 20, SAMPLE_PROMPT = 12, SAMPLE_TOKENS = 32 };

struct depth {
    int32_t n_layers;
    uint64_t bytes;                     /* read per token */
    double samples[MAX_REPEATS], speed; /* tokens/s of each round; their median */
    double speedup;                     /* relative to all layers */
    double nll;
    int64_t n_scored, n_same;
    struct bytes text; /* a continuation */
};

struct sweep {
    const struct args *args;
    struct opened o;
    struct depth *depths; /* [n] */
    int32_t n, n_gen;
    struct windows w; /* n 0: no text */
    int32_t *tops;    /* the whole model's most likely token at each scored position */
};

static const struct depth *whole_model(const struct sweep *s)
{
    return &s->depths[s->n - 1];
}

static int set_depth(const struct sweep *s, const struct depth *d)
{
    struct trit_error err;
    trit_session_rewind(s->o.session, 0);
    return trit_session_set_exit_layer(s->o.session, d->n_layers, &err) ? report(&err) : EXIT_DONE;
}

static int sweep_stopped(const struct trit_error *err)
{
    return interrupted() ? EXIT_INTERRUPTED : report(err);
}

/* ---- Speed ----------------------------------------------------------------------------------- */

static int measure_depth(const struct sweep *s, struct depth *d, int round)
{
    const int32_t n_vocab = trit_session_n_vocab(s->o.session);
    struct trit_error err;
    double start = 0;
    int code = set_depth(s, d);

    for (int32_t i = -1; i < s->n_gen && !code; i++) { /* -1: warm-up */
        const int32_t id = (int32_t)((int64_t)(i + 2) * 7919 % n_vocab);
        if (i == 0)
            start = now_ms();
        if (trit_session_eval(s->o.session, &id, 1, NULL, NULL, &err))
            code = sweep_stopped(&err);
    }
    d->samples[round] = s->n_gen / (now_ms() - start) * 1e3;
    return code;
}

/* Median of x[i] / by[i], or of x[i] if by is NULL. */
static double median(const double *x, const double *by, int n)
{
    double sorted[MAX_REPEATS];

    for (int i = 0; i < n; i++)
        sorted[i] = by ? x[i] / by[i] : x[i];
    sort_ascending(sorted, n);
    return percentile(sorted, n, 0.5);
}

static int measure_all(const struct sweep *s)
{
    const int rounds = s->args->bench.repeats;
    int code = EXIT_DONE;

    for (int r = 0; r < rounds && !code; r++)
        for (int32_t i = 0; i < s->n && !code; i++) {
            if (show_progress(s->args->quiet))
                show_status("speed: round %d of %d, %d layers", r + 1, rounds,
                            s->depths[i].n_layers);
            code = measure_depth(s, &s->depths[i], r);
        }
    clear_status();
    for (int32_t i = 0; i < s->n && !code; i++) {
        struct depth *d = &s->depths[i];
        d->speedup = median(d->samples, whole_model(s)->samples, rounds);
        d->speed = median(d->samples, NULL, rounds);
    }
    return code;
}

/* ---- Prediction ------------------------------------------------------------------------------ */

struct scorer {
    const struct sweep *s;
    struct depth *d;
    const int32_t *tokens; /* of the window */
};

static bool score_token(void *user, int32_t position, const float *logits)
{
    const struct scorer *sc = user;
    const struct windows *w = &sc->s->w;
    const int32_t n_vocab = trit_session_n_vocab(sc->s->o.session), next = position + 1;

    if (next < w->first_scored || next >= w->ctx)
        return true;
    const int32_t top = trit_argmax(logits, n_vocab);
    int32_t *tops = &sc->s->tops[sc->d->n_scored];
    if (sc->d == whole_model(sc->s))
        *tops = top;
    sc->d->n_same += top == *tops;
    sc->d->nll -= trit_logprob(logits, n_vocab, sc->tokens[next]);
    sc->d->n_scored++;
    return true;
}

static int score_depth(const struct sweep *s, struct depth *d, int32_t *tokens)
{
    struct scorer sc = {s, d, tokens};
    struct trit_error err;
    int code = EXIT_DONE;

    for (int32_t i = 0; i < s->w.n && !code; i++) {
        if (show_progress(s->args->quiet))
            show_status("text: %d layers, window %d of %d", d->n_layers, i + 1, s->w.n);
        if ((code = set_depth(s, d)))
            break;
        take_window(tokens, &s->w, i);
        if (trit_session_eval(s->o.session, tokens, s->w.ctx, score_token, &sc, &err))
            code = sweep_stopped(&err);
    }
    return code;
}

/* The whole model first: the others are compared with it. */
static int score_all(struct sweep *s)
{
    int32_t *tokens = malloc((size_t)s->w.ctx * sizeof *tokens);
    int code = EXIT_DONE;

    s->tops = malloc((size_t)s->w.n * (size_t)s->w.ctx * sizeof *s->tops);
    if (!tokens || !s->tops)
        code = out_of_memory();
    for (int32_t i = s->n; i-- > 0 && !code;)
        code = score_depth(s, &s->depths[i], tokens);
    clear_status();
    free(tokens);
    return code;
}

/* ---- Samples --------------------------------------------------------------------------------- */

static bool keep_text(void *user, const char *text, size_t len)
{
    return bytes_add(user, text, len) && !interrupted();
}

static int sample_depth(const struct sweep *s, struct depth *d)
{
    const int32_t n = s->w.n_ids < SAMPLE_PROMPT ? s->w.n_ids : SAMPLE_PROMPT;
    const struct trit_generate_options opt = {
        .max_tokens = SAMPLE_TOKENS, .on_text = keep_text, .user = &d->text};
    struct trit_generate_result result;
    struct trit_error err;
    int code = set_depth(s, d);

    if (!code && trit_generate(s->o.session, s->o.tokenizer, s->w.ids, n, &opt, &result, &err))
        code = report(&err);
    return !code && interrupted() ? EXIT_INTERRUPTED : code;
}

/* ---- Printing -------------------------------------------------------------------------------- */

enum { N_COLUMNS = 6 };

/* ppl and agreement are NaN without a text. */
static void fields_of(struct field f[N_COLUMNS], const struct sweep *s, const struct depth *d)
{
    const double predicted = (double)whole_model(s)->bytes / (double)d->bytes;
    const double n = (double)d->n_scored;
    const struct field all[N_COLUMNS] = {
        {"layers", NULL, d->n_layers, NULL},
        {"tokens_per_s", NULL, d->speed, NULL},
        {"speedup", NULL, d->speedup, NULL},
        {"of_predicted", NULL, d->speedup / predicted, NULL},
        {"ppl", NULL, n > 0 ? exp(d->nll / n) : NAN, NULL},
        {"agreement", NULL, n > 0 ? (double)d->n_same / n : NAN, NULL},
    };
    memcpy(f, all, sizeof all);
}

static void print_text_row(const struct field *f, bool md)
{
    printf(md ? "| %.0f | %.1f | %.2f | %.2f |" : "%6.0f  %10.1f  %8.2f  %12.2f", f[0].number,
           f[1].number, f[2].number, f[3].number);
    if (!isnan(f[4].number))
        printf(md ? " %.2f | %.1f %% |" : "  %10.2f  %9.1f %%", f[4].number, 100 * f[5].number);
    putchar('\n');
}

static void print_heading(const struct sweep *s, bool md)
{
    const bool text = s->w.n > 0;

    if (md)
        printf("| layers | t/s | speed-up | of predicted |%s\n| ---: | ---: | ---: | ---: |%s\n",
               text ? " perplexity | agreement |" : "", text ? " ---: | ---: |" : "");
    else
        printf("layers  %10s  %8s  %12s%s\n", "tokens/s", "speed-up", "of predicted",
               text ? "  perplexity  agreement" : "");
}

/* The members, without braces. */
static void print_json_row(const struct sweep *s, const struct depth *d, const struct field *f)
{
    json_fields(f, N_COLUMNS);
    printf(",\"bytes_per_token\":%llu", (unsigned long long)d->bytes);
    if (s->args->bench.samples) {
        fputs(",\"sample\":", stdout);
        json_string(stdout, bytes_text(&d->text), d->text.len);
    }
}

static int print_sweep(const struct sweep *s)
{
    const char *format = bench_format(s->args);
    const bool json = strcmp(format, "json") == 0, lines = strcmp(format, "jsonl") == 0;
    const bool csv = strcmp(format, "csv") == 0, md = strcmp(format, "md") == 0;
    struct field f[N_COLUMNS];

    for (int32_t i = 0; i < s->n; i++) {
        fields_of(f, s, &s->depths[i]);
        if (json || lines) {
            fputs(lines ? "{" : i ? ",\n{" : "[\n{", stdout);
            print_json_row(s, &s->depths[i], f);
            fputs(lines ? "}\n" : i + 1 < s->n ? "}" : "}\n]\n", stdout);
        } else if (csv) {
            if (!i)
                csv_names(f, N_COLUMNS);
            csv_values(f, N_COLUMNS);
        } else {
            if (!i)
                print_heading(s, md);
            print_text_row(f, md);
        }
    }
    for (int32_t i = 0; i < s->n && s->args->bench.samples && !json && !lines && !csv; i++) {
        printf(md ? "\n%d layers: " : "\n%d layers\n", s->depths[i].n_layers);
        safe_text(stdout, bytes_text(&s->depths[i].text), s->depths[i].text.len);
        putchar('\n');
    }
    return finish_stdout();
}

/* ---- The command ----------------------------------------------------------------------------- */

/* The text of -f, and its windows. */
static int read_windows(struct sweep *s)
{
    const struct args *args = s->args;
    const struct text_args from = {.file = args->text.file,
                                   .stdin_prompt = args->text.stdin_prompt};
    const struct window_args windows = {.chunks = args->windows.chunks ? args->windows.chunks
                                                                       : DEFAULT_WINDOWS};
    char *text = NULL;
    size_t len = 0;

    int code = read_prompt(&text, &len, &from);
    if (!code)
        code = plan_windows(&s->w, &s->o, text, len, args->compute.ctx, &windows);
    free(text);
    return code;
}

static int open_depths(struct sweep *s, int n_threads)
{
    struct trit_session_options opt;
    struct layer_list skip;
    struct trit_error err;

    session_options(&opt, &s->args->compute, s->o.model);
    int code = plan_layers(&opt, &skip, s->args, s->o.model);
    const int32_t sample = s->args->bench.samples ? SAMPLE_PROMPT + SAMPLE_TOKENS : 0;
    const int32_t least = s->n_gen + 1 > sample ? s->n_gen + 1 : sample;
    opt.n_threads = n_threads;
    opt.n_ctx = s->w.ctx > least ? s->w.ctx : least;
    if (!code && trit_session_open(&s->o.session, s->o.model, &opt, &err))
        code = report_session(&err, s->o.model);
    if (code)
        return code;
    watch_interrupts(s->o.session);
    s->n = trit_session_n_layers(s->o.session);
    s->depths = calloc((size_t)s->n, sizeof *s->depths);
    if (!s->depths)
        return out_of_memory();
    for (int32_t i = 0; i < s->n && !code; i++) {
        s->depths[i].n_layers = i + 1;
        code = set_depth(s, &s->depths[i]);
        s->depths[i].bytes = trit_session_token_bytes(s->o.session);
    }
    return code;
}

static int run_sweep(struct sweep *s, int n_threads)
{
    struct trit_model_info info;
    int code = EXIT_DONE;

    if (s->args->layers.exit_layer || s->args->layers.exit_threshold > 0)
        return usage_error(
            "--exit-sweep measures all exits; omit --exit-layer and --exit-threshold");
    if (s->args->bench.samples && !s->args->text.file)
        return usage_error("--samples requires a text; use -f FILE");
    if ((code = open_model(&s->o, &s->args->model)))
        return code;
    trit_model_get_info(s->o.model, &info);
    if (!s->args->bench.n_gens && s->n_gen >= info.max_ctx) /* the default */
        s->n_gen = info.max_ctx - 1;
    if (s->args->text.file && (code = read_windows(s)))
        return code;
    if ((code = open_depths(s, n_threads)) || (code = measure_all(s)))
        return code;
    if (s->w.n && (code = score_all(s)))
        return code;
    for (int32_t i = 0; i < s->n && s->args->bench.samples && !code; i++)
        code = sample_depth(s, &s->depths[i]);
    return code ? code : print_sweep(s);
}

int exit_sweep(const struct args *args, int n_gen, int n_threads)
{
    struct sweep s = {.args = args, .n_gen = n_gen};
    const int code = run_sweep(&s, n_threads);

    for (int32_t i = 0; i < s.n; i++)
        bytes_free(&s.depths[i].text);
    free(s.depths);
    free(s.tops);
    free(s.w.ids);
    close_all(&s.o);
    return code;
}
