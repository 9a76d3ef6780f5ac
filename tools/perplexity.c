/* perplexity.c - trit perplexity: how well a model predicts a text.
 *
 * The text's tokens are cut into windows of --ctx positions, without overlap, the last incomplete
 * one dropped. Each window starts from nothing (after BOS where the model has one); every token of
 * it but the first is scored by its probability given those before it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "json.h"

enum { DEFAULT_WINDOW = 512 };

/* Sums over all scored tokens. */
struct score {
    double nll, nll_squared;
    int64_t tokens, bytes;
};

/* One window: ids[0..n), of which those from first_scored on count. */
struct window {
    const int32_t *ids;
    int32_t n, first_scored, n_vocab;
    const trit_tokenizer *tokenizer;
    struct score *score;
};

/* The logits after position i predict token i+1. */
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
    }
    return true;
}

struct windows {
    int32_t ctx, n_text, n; /* positions, text tokens and number of windows */
    int32_t bos;            /* -1: none */
    int32_t first_scored;   /* position in the window */
};

static int plan(struct windows *w, const struct opened *o, const struct args *args, int32_t n_ids)
{
    struct trit_model_info m;
    trit_model_info(o->model, &m);

    w->ctx = args->ctx ? args->ctx : m.n_ctx < DEFAULT_WINDOW ? m.n_ctx : DEFAULT_WINDOW;
    w->bos = trit_tokenizer_bos(o->tokenizer);
    w->n_text = w->ctx - (w->bos >= 0);
    w->first_scored = args->second_half ? w->ctx / 2 + 1 : 1 + (w->bos >= 0);
    if (w->first_scored >= w->ctx)
        return usage_error("a window of %d positions scores nothing; --ctx must be larger", w->ctx);
    w->n = n_ids / w->n_text;
    if (args->chunks && w->n > args->chunks)
        w->n = args->chunks;
    if (w->n == 0)
        return usage_error("the text has %d tokens; a window takes %d (see --ctx)", n_ids,
                           w->n_text);
    return EXIT_DONE;
}

static int score_windows(struct score *score, const struct opened *o, const struct args *args,
                         const struct windows *w, const int32_t *ids)
{
    const int32_t with_bos = w->bos >= 0;
    int32_t *tokens = malloc((size_t)w->ctx * sizeof *tokens);
    struct window window = {.ids = tokens,
                            .n = w->ctx,
                            .first_scored = w->first_scored,
                            .n_vocab = trit_model_vocab_size(o->model),
                            .tokenizer = o->tokenizer,
                            .score = score};
    struct trit_error err;
    int code = EXIT_DONE;

    if (!tokens)
        return out_of_memory();
    watch_interrupts(o->session);
    for (int32_t i = 0; i < w->n && !code; i++) {
        tokens[0] = w->bos;
        memcpy(tokens + with_bos, ids + (size_t)i * (size_t)w->n_text,
               (size_t)w->n_text * sizeof *tokens);
        trit_session_rewind(o->session, 0);
        const trit_status status =
            trit_session_eval(o->session, tokens, w->ctx, score_next, &window, &err);
        if (status && show_progress(args))
            fputs("\r\033[K", stderr);
        if (status)
            code = interrupted() ? EXIT_INTERRUPTED : report(&err);
        if (!code && show_progress(args))
            fprintf(stderr, "\r%d of %d windows, perplexity %.4f ", i + 1, w->n,
                    exp(score->nll / (double)score->tokens));
    }
    if (!code && show_progress(args))
        fputs("\r\033[K", stderr);
    free(tokens);
    return code;
}

static void print_score(const struct score *s, const struct windows *w, bool json)
{
    const double n = (double)s->tokens, nll = s->nll / n, ppl = exp(nll);
    const double variance = n > 1 ? (s->nll_squared / n - nll * nll) * n / (n - 1) : 0;
    const double ppl_stderr = ppl * sqrt(fmax(variance, 0) / n);
    const double bits = s->bytes ? s->nll / log(2) / (double)s->bytes : NAN;
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"nll", nll}, {"ppl", ppl}, {"ppl_stderr", ppl_stderr}, {"bits_per_byte", bits}};

    if (!json) {
        printf("perplexity %.4f ± %.4f · nll %.5f · %.4f bits per byte · %lld tokens in %d windows "
               "of %d\n",
               ppl, ppl_stderr, nll, bits, (long long)s->tokens, w->n, w->ctx);
        return;
    }
    printf("{\"tokens\":%lld,\"bytes\":%lld", (long long)s->tokens, (long long)s->bytes);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        printf(",\"%s\":", numbers[i].name);
        json_exact(stdout, numbers[i].value);
    }
    printf(",\"ctx\":%d,\"chunks\":%d}\n", w->ctx, w->n);
}

int perplexity_main(const struct args *args)
{
    struct opened o = {0};
    struct windows w = {0};
    struct score score = {0};
    struct args session_args = *args;
    char *text = NULL;
    size_t len = 0;
    int32_t *ids = NULL, n = 0;

    int code = read_prompt(&text, &len, args);
    if (!code)
        code = open_model(&o, args);
    if (!code)
        code = encode_text(&o, text, len, 0, &ids, &n);
    if (!code)
        code = plan(&w, &o, args, n);
    session_args.ctx = w.ctx;
    if (!code)
        code = open_session(&o, &session_args);
    if (!code)
        code = score_windows(&score, &o, args, &w, ids);
    if (!code) {
        print_score(&score, &w, args->json);
        code = finish_stdout();
    }
    free(ids);
    free(text);
    close_all(&o);
    return code;
}
