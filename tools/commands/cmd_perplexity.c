/* cmd_perplexity.c - trit perplexity: how well a model predicts a text.
 *
 * The tokens of the text are cut into windows of --ctx positions without overlap; the incomplete
 * last one is dropped. Each window starts from an empty context (after the BOS, if the model has
 * one), and every token except the first is scored by its probability given those before it. The
 * logits can be saved in a file, and compared with those of a file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "divergence.h"
#include "fields.h"
#include "input.h"
#include "interrupt.h"
#include "logits_file.h"
#include "open.h"
#include "report.h"
#include "status.h"
#include "windows.h"

/* Sums over all scored tokens. */
struct score {
    double nll, nll_squared;
    int64_t tokens, bytes;
};

/* Files to write the logits to, and to compare them with. */
struct comparison {
    struct logits_writer *save; /* NULL: not saved */
    struct logits_reader *base; /* NULL: not compared */
    struct divergence divergence;
    bool read_failed, write_failed;
};

/* A window: ids [n], of which those from first_scored on are scored. */
struct window {
    const int32_t *ids;
    int32_t n, first_scored, n_vocab;
    const trit_tokenizer *tokenizer;
    struct score *score;
    struct comparison *comparison;
};

static bool compare(struct comparison *c, const float *logits, int32_t id)
{
    if (c->save && !logits_put(c->save, logits)) {
        c->write_failed = true;
        return false;
    }
    if (!c->base)
        return true;
    const float *base = logits_next(c->base);
    c->read_failed = !base;
    if (base)
        divergence_add(&c->divergence, base, logits, id);
    return base != NULL;
}

/* The logits at a position predict the next token. */
static bool score_next(void *user, int32_t position, const float *logits)
{
    const struct window *w = user;
    const int32_t next = position + 1;

    if (next >= w->first_scored && next < w->n) {
        const double nll = -trit_logprob(logits, w->n_vocab, w->ids[next]);
        w->score->nll += nll;
        w->score->nll_squared += nll * nll;
        w->score->tokens++;
        w->score->bytes += (int64_t)trit_tokenizer_piece(w->tokenizer, w->ids[next], false).len;
        return compare(w->comparison, logits, w->ids[next]);
    }
    return true;
}

static int scoring_stopped(const struct comparison *c, const struct trit_error *err)
{
    return interrupted()     ? EXIT_INTERRUPTED
           : c->read_failed  ? logits_read_error(c->base)
           : c->write_failed ? logits_write_error(c->save)
                             : report(err);
}

static int score_windows(struct score *score, struct comparison *comparison, const struct opened *o,
                         const struct args *args, const struct windows *w)
{
    int32_t *tokens = malloc((size_t)w->ctx * sizeof *tokens);
    struct window window = {.ids = tokens,
                            .n = w->ctx,
                            .first_scored = w->first_scored,
                            .n_vocab = trit_model_vocab_size(o->model),
                            .tokenizer = o->tokenizer,
                            .score = score,
                            .comparison = comparison};
    struct trit_error err;
    int code = EXIT_DONE;

    if (!tokens)
        return out_of_memory();
    for (int32_t i = 0; i < w->n && !code; i++) {
        take_window(tokens, w, i);
        trit_session_rewind(o->session, 0);
        const trit_status status =
            trit_session_eval(o->session, tokens, w->ctx, score_next, &window, &err);
        if (status)
            code = scoring_stopped(comparison, &err);
        if (!code && show_progress(args->quiet))
            show_status("%d of %d windows, perplexity %.4f", i + 1, w->n,
                        exp(score->nll / (double)score->tokens));
    }
    clear_status();
    free(tokens);
    return code;
}

/* Score, and save or compare the logits if the options say so. */
static int score_text(struct score *score, struct comparison *c, const struct opened *o,
                      const struct args *args, const struct windows *w)
{
    const struct logits_shape shape = {
        .n_vocab = trit_model_vocab_size(o->model),
        .ctx = w->ctx,
        .chunks = w->n,
        .second_half = args->windows.second_half,
        .n_rows = (int64_t)w->n * (w->ctx - w->first_scored),
        /* with the BOS: another one changes how the text is evaluated */
        .text = logits_hash(logits_hash(0, &w->bos, 1), w->ids, (size_t)w->n * (size_t)w->n_text),
    };
    struct logits_writer writer = {0};
    int code = EXIT_DONE;

    watch_interrupts(o->session);
    if (c->base)
        code = logits_match(c->base, &shape);
    if (!code && c->base && !divergence_init(&c->divergence, shape.n_rows, shape.n_vocab))
        code = out_of_memory();
    if (!code && args->perplexity.save_logits) {
        code = logits_create(&writer, args->perplexity.save_logits, &shape, args->quiet);
        c->save = &writer;
    }
    if (!code)
        code = score_windows(score, c, o, args, w);
    if (c->save)
        code = close_output(&writer.out, code);
    c->save = NULL;
    return code;
}

static void print_divergence(const struct divergence_summary *d, bool json)
{
    const struct number numbers[] = {
        {"kl_mean", d->kl_mean},       {"kl_stderr", d->kl_stderr},
        {"kl_median", d->kl_median},   {"kl_p99", d->kl_p99},
        {"kl_max", d->kl_max},         {"same_top", d->same_top},
        {"lnp_change", d->lnp_change}, {"lnp_change_stderr", d->lnp_change_stderr},
        {"ppl_base", d->ppl_base},     {"ppl_ratio", d->ppl_ratio},
    };

    if (!json) {
        printf("KL divergence %.4g ± %.2g · median %.4g · 99th percentile %.4g · largest %.4g\n",
               d->kl_mean, d->kl_stderr, d->kl_median, d->kl_p99, d->kl_max);
        printf("same most likely token %.2f %% · ln p of the right one %+.5f ± %.5f · "
               "perplexity %.5f times the base's %.4f\n",
               100 * d->same_top, d->lnp_change, d->lnp_change_stderr, d->ppl_ratio, d->ppl_base);
        return;
    }
    json_numbers(",", numbers, N_OF(numbers), true);
}

/* divergence: NULL for none */
static void print_score(const struct score *s, const struct windows *w,
                        const struct divergence_summary *divergence, bool json)
{
    const double n = (double)s->tokens, nll = s->nll / n, ppl = exp(nll);
    const double variance = n > 1 ? (s->nll_squared / n - nll * nll) * n / (n - 1) : 0;
    const double ppl_stderr = ppl * sqrt(fmax(variance, 0) / n);
    const double bits = s->bytes ? s->nll / log(2) / (double)s->bytes : NAN;
    const struct number numbers[] = {
        {"nll", nll}, {"ppl", ppl}, {"ppl_stderr", ppl_stderr}, {"bits_per_byte", bits}};

    if (!json) {
        printf("perplexity %.4f ± %.4f · nll %.5f · %.4f bits per byte · %lld tokens in %d windows "
               "of %d\n",
               ppl, ppl_stderr, nll, bits, (long long)s->tokens, w->n, w->ctx);
        if (divergence)
            print_divergence(divergence, false);
        return;
    }
    printf("{\"tokens\":%lld,\"bytes\":%lld", (long long)s->tokens, (long long)s->bytes);
    json_numbers(",", numbers, N_OF(numbers), true);
    printf(",\"ctx\":%d,\"chunks\":%d", w->ctx, w->n);
    if (divergence)
        print_divergence(divergence, true);
    fputs("}\n", stdout);
}

int perplexity_main(const struct args *args)
{
    struct opened o = {0};
    struct windows w = {0};
    struct score score = {0};
    struct logits_reader base = {0};
    struct comparison comparison = {.base = args->perplexity.kl ? &base : NULL};
    struct divergence_summary summary;
    struct args session_args = *args;
    char *text = NULL;
    size_t len = 0;

    int code = read_prompt(&text, &len, &args->text);
    if (!code && args->perplexity.kl)
        code = logits_open(&base, args->perplexity.kl);
    if (!code)
        code = open_model(&o, &args->model);
    if (!code)
        code = plan_windows(&w, &o, text, len, args->compute.ctx, &args->windows);
    session_args.compute.ctx = w.ctx;
    if (!code)
        code = open_session(&o, &session_args);
    if (!code)
        code = score_text(&score, &comparison, &o, args, &w);
    if (!code && args->perplexity.kl)
        divergence_summarise(&comparison.divergence, &summary);
    if (!code) {
        print_score(&score, &w, args->perplexity.kl ? &summary : NULL, args->json);
        code = finish_stdout();
    }
    divergence_free(&comparison.divergence);
    logits_close(&base);
    free(w.ids);
    free(text);
    close_all(&o);
    return code;
}
