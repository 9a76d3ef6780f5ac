/* generate.c - the loop: evaluate the prompt, then choose a token, emit it, evaluate it, repeat.
 *
 * Text passes two filters on its way out: bytes become whole characters (utf8.h), and characters
 * are held back while they may be the beginning of a stop string. */
#include "trit_tools.h"

#include <string.h>

#include "platform.h"
#include "unicode.h"
#include "utf8.h"

/* Most bytes of whole characters at a time. */
enum { MAX_PIECE = TRIT_UTF8_GATHER };

struct output {
    const struct trit_generate_options *opt;
    struct trit_utf8 utf8;
    char held[TRIT_MAX_STOP + MAX_PIECE];
    size_t n_held;
    trit_finish finish; /* STOP or INTERRUPT, once ended */
    bool ended;
};

static bool emit(struct output *o, size_t n)
{
    if (n && o->opt->on_text && !o->opt->on_text(o->opt->user, o->held, n)) {
        o->finish = TRIT_FINISH_INTERRUPT;
        o->ended = true;
    }
    o->n_held -= n;
    memmove(o->held, o->held + n, o->n_held);
    return !o->ended;
}

/* The first offset in held at which a stop string begins: all of it (*whole) or, unless no more
 * text follows (last), as much as held has. n_held if there is none. */
static size_t find_stop(const struct output *o, bool last, bool *whole)
{
    *whole = false;
    for (size_t at = 0; at < o->n_held; at++) {
        bool part = false;
        for (int32_t i = 0; i < o->opt->n_stop; i++) {
            const char *stop = o->opt->stop[i];
            const size_t len = strlen(stop), left = o->n_held - at;
            if (len == 0 || memcmp(o->held + at, stop, len < left ? len : left) != 0)
                continue;
            if (len <= left) {
                *whole = true;
                return at;
            }
            part = !last;
        }
        if (part)
            return at;
    }
    return o->n_held;
}

/* Takes whole characters, at most MAX_PIECE bytes at a time. */
static bool hold_back(void *user, const char *text, size_t len)
{
    struct output *o = user;
    bool whole;

    memcpy(o->held + o->n_held, text, len);
    o->n_held += len;
    const size_t at = find_stop(o, false, &whole);
    if (!emit(o, at))
        return false;
    if (whole) {
        o->finish = TRIT_FINISH_STOP;
        o->ended = true;
    }
    return !o->ended;
}

/* The end: emit what was held back, unless a stop string or the callback ended the text. */
static void finish(struct output *o)
{
    bool whole;
    if (o->ended || !trit_utf8_finish(&o->utf8, hold_back, o))
        return;
    const size_t at = find_stop(o, true, &whole);
    if (emit(o, at) && whole) {
        o->ended = true;
        o->finish = TRIT_FINISH_STOP;
    }
}

/* Stop strings must be UTF-8: others could match only inside a character. */
static trit_status check_stops(const struct trit_generate_options *opt, struct trit_error *err)
{
    for (int32_t i = 0; i < opt->n_stop; i++) {
        const char *stop = opt->stop[i];
        const size_t len = strlen(stop);
        size_t n;
        if (len > TRIT_MAX_STOP)
            return trit_fail(err, TRIT_E_ARGUMENT, "a stop text is longer than %d bytes",
                             TRIT_MAX_STOP);
        for (size_t at = 0; at < len; at += n)
            if (trit_utf8_decode(stop + at, len - at, &n) == TRIT_NO_CHARACTER)
                return trit_fail(err, TRIT_E_ARGUMENT, "a stop text is not UTF-8");
    }
    return TRIT_OK;
}

/* Make room for one more token if the options allow it. *full: there is no room. */
static trit_status make_room(trit_session *session, const struct trit_generate_options *opt,
                             struct trit_generate_result *out, bool *full, struct trit_error *err)
{
    int32_t n_left_out = 0;
    trit_status status = TRIT_OK;

    *full = trit_session_n_tokens(session) == trit_session_n_ctx(session);
    if (!*full || opt->on_full != TRIT_ON_FULL_SHIFT)
        return TRIT_OK;
    status = trit_session_shift(session, opt->n_keep, &n_left_out, err);
    *full = n_left_out == 0;
    if (status || *full)
        return status;
    out->n_left_out += n_left_out;
    if (opt->on_shift)
        opt->on_shift(opt->user, n_left_out);
    return TRIT_OK;
}

/* Choose, emit and evaluate tokens until an end; sets out->finish. */
static trit_status loop(trit_session *session, const trit_tokenizer *tokenizer, struct output *o,
                        struct trit_generate_result *out, double start, struct trit_error *err)
{
    const struct trit_generate_options *opt = o->opt;
    const int32_t n_vocab = trit_session_n_vocab(session);
    bool full;

    while (opt->max_tokens < 0 || out->n_new < opt->max_tokens) {
        const float *logits = trit_session_logits(session);
        const int32_t id =
            opt->sampler ? trit_sampler_next(opt->sampler, logits, trit_session_tokens(session),
                                             trit_session_n_tokens(session))
                         : trit_argmax(logits, n_vocab);
        if (out->n_new == 0)
            out->first_token_ms = trit_now_ms() - start;
        if (!opt->ignore_eos && trit_tokenizer_is_end(tokenizer, id)) {
            out->finish = TRIT_FINISH_EOS;
            return TRIT_OK;
        }
        out->n_new++;
        out->mean_layers +=
            (trit_session_exit_layer(session) - out->mean_layers) / (double)out->n_new;
        out->pending = id;
        const struct trit_string piece = trit_tokenizer_piece(tokenizer, id, false);
        if (opt->on_token && !opt->on_token(opt->user, id, piece, logits)) {
            out->finish = TRIT_FINISH_INTERRUPT;
            return TRIT_OK;
        }
        if (!trit_utf8_push(&o->utf8, piece.bytes, piece.len, hold_back, o))
            return TRIT_OK; /* o->finish is set */
        if (out->n_new == opt->max_tokens)
            break;
        trit_status status = make_room(session, opt, out, &full, err);
        if (status)
            return status;
        if (full) {
            out->finish = TRIT_FINISH_CONTEXT;
            return TRIT_OK;
        }
        if ((status = trit_session_eval(session, &id, 1, NULL, NULL, err)))
            return status;
        out->pending = -1;
    }
    out->finish = TRIT_FINISH_LENGTH;
    return TRIT_OK;
}

trit_status trit_generate(trit_session *session, const trit_tokenizer *tokenizer,
                          const int32_t *tokens, int32_t n, const struct trit_generate_options *opt,
                          struct trit_generate_result *out, struct trit_error *err)
{
    const double start = trit_now_ms();
    struct output output = {.opt = opt};
    trit_status status = check_stops(opt, err);

    *out =
        (struct trit_generate_result){.n_prompt = n, .finish = TRIT_FINISH_LENGTH, .pending = -1};
    if (!status)
        status = trit_session_sync(session, tokens, n, err);
    out->prompt_ms = out->first_token_ms = trit_now_ms() - start;
    if (!status)
        status = loop(session, tokenizer, &output, out, start, err);
    finish(&output);
    if (output.ended)
        out->finish = output.finish;
    if (status == TRIT_E_CANCELLED) {
        out->finish = TRIT_FINISH_INTERRUPT;
        status = TRIT_OK;
    }
    out->generate_ms = trit_now_ms() - start - out->first_token_ms;
    return status;
}
