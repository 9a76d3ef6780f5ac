/* cmd_perplexity.c - trit perplexity: how well a model predicts a text.
 *
 * The tokens of the text are cut into windows of --ctx positions without overlap; the incomplete
 * last one is dropped. Each window starts from an empty context (after the BOS, if the model has
 * one), and every token except the first is scored by its probability given those before it. The
 * logits can be saved to a file, or compared with saved ones. */
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

struct scoring {
    const struct args *args;
    struct opened o;
    struct windows w;
    int32_t *tokens;         /* of the current window */
    double nll, nll_squared; /* sums over all scored tokens */
    int64_t n_tokens, n_bytes;
    struct logits_writer save; /* of --save-logits */
    struct logits_reader base; /* of --kl */
    struct divergence divergence;
    bool read_failed, write_failed;
};

/* Save and compare the logits if the options say so. */
static bool use_logits(struct scoring *s, const float *logits, int32_t id)
{
    if (s->args->perplexity.save_logits && !logits_put(&s->save, logits)) {
        s->write_failed = true;
        return false;
    }
    if (!s->args->perplexity.kl)
        return true;
    const float *base = logits_next(&s->base);
    s->read_failed = !base;
    if (base)
        divergence_add(&s->divergence, base, logits, id);
    return base != NULL;
}

/* The logits at a position predict the next token. */
static bool score_next(void *user, int32_t position, const float *logits)
{
    struct scoring *s = user;
    const int32_t next = position + 1;

    if (next < s->w.first_scored || next >= s->w.ctx)
        return true;
    const int32_t id = s->tokens[next];
    const double nll = -trit_logprob(logits, trit_model_vocab_size(s->o.model), id);
    s->nll += nll;
    s->nll_squared += nll * nll;
    s->n_tokens++;
    s->n_bytes += (int64_t)trit_tokenizer_piece(s->o.tokenizer, id, false).len;
    return use_logits(s, logits, id);
}

static int score_windows(struct scoring *s)
{
    struct trit_error err;
    int code = EXIT_DONE;

    s->tokens = malloc((size_t)s->w.ctx * sizeof *s->tokens);
    if (!s->tokens)
        return out_of_memory();
    for (int32_t i = 0; i < s->w.n && !code; i++) {
        take_window(s->tokens, &s->w, i);
        trit_session_rewind(s->o.session, 0);
        if (trit_session_eval(s->o.session, s->tokens, s->w.ctx, score_next, s, &err))
            code = interrupted()     ? EXIT_INTERRUPTED
                   : s->read_failed  ? logits_read_error(&s->base)
                   : s->write_failed ? logits_write_error(&s->save)
                                     : report(&err);
        else if (show_progress(s->args->quiet))
            show_status("%d of %d windows, perplexity %.4f", i + 1, s->w.n,
                        exp(s->nll / (double)s->n_tokens));
    }
    clear_status();
    return code;
}

static int score_text(struct scoring *s)
{
    const char *path = s->args->perplexity.save_logits;
    const struct windows *w = &s->w;
    const struct logits_shape shape = {
        .n_vocab = trit_model_vocab_size(s->o.model),
        .ctx = w->ctx,
        .chunks = w->n,
        .second_half = s->args->windows.second_half,
        .n_rows = (int64_t)w->n * (w->ctx - w->first_scored),
        /* includes the BOS, because it affects the logits */
        .text = logits_hash(logits_hash(0, &w->bos, 1), w->ids, (size_t)w->n * (size_t)w->n_text),
    };
    int code = EXIT_DONE;

    watch_interrupts(s->o.session);
    if (s->args->perplexity.kl)
        code = logits_match(&s->base, &shape);
    if (!code && s->args->perplexity.kl &&
        !divergence_init(&s->divergence, shape.n_rows, shape.n_vocab))
        code = out_of_memory();
    if (code || !path)
        return code ? code : score_windows(s);
    code = logits_create(&s->save, path, &shape, s->args->quiet);
    return close_output(&s->save.out, code ? code : score_windows(s));
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
        printf("same most likely token %.2f %% · ln p of the next token %+.5f ± %.5f · "
               "perplexity %.5f times the base's %.4f\n",
               100 * d->same_top, d->lnp_change, d->lnp_change_stderr, d->ppl_ratio, d->ppl_base);
        return;
    }
    json_numbers(",", numbers, N_OF(numbers), true);
}

static void print_score(struct scoring *s)
{
    const double n = (double)s->n_tokens, nll = s->nll / n, ppl = exp(nll);
    const double variance = n > 1 ? (s->nll_squared / n - nll * nll) * n / (n - 1) : 0;
    const double ppl_stderr = ppl * sqrt(fmax(variance, 0) / n);
    const double bits = s->n_bytes ? s->nll / log(2) / (double)s->n_bytes : NAN;
    const struct number numbers[] = {
        {"nll", nll}, {"ppl", ppl}, {"ppl_stderr", ppl_stderr}, {"bits_per_byte", bits}};
    const bool json = s->args->json;
    struct divergence_summary summary;

    if (json) {
        printf("{\"tokens\":%lld,\"bytes\":%lld", (long long)s->n_tokens, (long long)s->n_bytes);
        json_numbers(",", numbers, N_OF(numbers), true);
        printf(",\"ctx\":%d,\"chunks\":%d", s->w.ctx, s->w.n);
    } else
        printf("perplexity %.4f ± %.4f · nll %.5f · %.4f bits per byte · %lld tokens in %d windows "
               "of %d\n",
               ppl, ppl_stderr, nll, bits, (long long)s->n_tokens, s->w.n, s->w.ctx);
    if (s->args->perplexity.kl) {
        divergence_summarize(&s->divergence, &summary);
        print_divergence(&summary, json);
    }
    fputs(json ? "}\n" : "", stdout);
}

int perplexity_main(const struct args *args)
{
    struct scoring s = {.args = args};
    struct args session_args = *args;
    char *text = NULL;
    size_t len = 0;

    int code = read_prompt(&text, &len, &args->text);
    if (!code && args->perplexity.kl)
        code = logits_open(&s.base, args->perplexity.kl);
    if (!code)
        code = open_model(&s.o, &args->model);
    if (!code)
        code = plan_windows(&s.w, &s.o, text, len, args->compute.ctx, &args->windows);
    session_args.compute.ctx = s.w.ctx;
    if (!code)
        code = open_session(&s.o, &session_args);
    if (!code)
        code = score_text(&s);
    if (!code) {
        print_score(&s);
        code = finish_stdout();
    }
    divergence_free(&s.divergence);
    logits_close(&s.base);
    free(s.tokens);
    trit_free(s.w.ids);
    free(text);
    close_all(&s.o);
    return code;
}
