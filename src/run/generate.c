/* generate.c - the loop: evaluate the prompt, choose a token, show it, evaluate it, again. */
#include "platform.h"
#include "utf8.h"

int32_t trit_argmax(const float *logits, int32_t n)
{
    int32_t best = 0;
    for (int32_t i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

struct output {
    const struct trit_generate_options *opt;
    struct trit_utf8 utf8;
};

static bool show(struct output *o, struct trit_string piece)
{
    return !o->opt->on_text ||
           trit_utf8_push(&o->utf8, piece.bytes, piece.len, o->opt->on_text, o->opt->user);
}

static void finish(struct output *o)
{
    if (o->opt->on_text)
        trit_utf8_finish(&o->utf8, o->opt->on_text, o->opt->user);
}

trit_status trit_generate(trit_session *session, const trit_tokenizer *tokenizer,
                          const int32_t *tokens, int32_t n, const struct trit_generate_options *opt,
                          struct trit_generate_result *out, struct trit_error *err)
{
    const int32_t n_vocab = trit_session_n_vocab(session);
    const double start = trit_now_ms();
    struct output output = {.opt = opt};
    trit_status status = trit_session_sync(session, tokens, n, err);

    *out = (struct trit_generate_result){.n_prompt = n, .finish = TRIT_FINISH_LENGTH};
    out->prompt_ms = out->first_token_ms = trit_now_ms() - start;
    while (!status && (opt->max_tokens < 0 || out->n_new < opt->max_tokens)) {
        const int32_t id = trit_argmax(trit_session_logits(session), n_vocab);
        if (out->n_new == 0)
            out->first_token_ms = trit_now_ms() - start;
        if (!opt->ignore_eos && trit_tokenizer_is_end(tokenizer, id)) {
            out->finish = TRIT_FINISH_EOS;
            break;
        }
        out->n_new++;
        if (!show(&output, trit_tokenizer_piece(tokenizer, id, false))) {
            out->finish = TRIT_FINISH_STOPPED;
            break;
        }
        if (out->n_new == opt->max_tokens)
            break;
        if (trit_session_n_tokens(session) == trit_session_n_ctx(session)) {
            out->finish = TRIT_FINISH_CONTEXT;
            break;
        }
        status = trit_session_eval(session, &id, 1, NULL, NULL, err);
    }
    if (out->finish != TRIT_FINISH_STOPPED)
        finish(&output);
    out->generate_ms = trit_now_ms() - start - out->first_token_ms;
    return status;
}
