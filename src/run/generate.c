/* generate.c - evaluate the prompt, then choose a token, emit it, evaluate it, and so on.
 *
 * Text passes two filters on its way out: bytes become whole characters (utf8.h), and characters
 * are held back while they may be the beginning of a stop string. */
#include <stdlib.h>
#include <string.h>

#include "read_options.h"
#include "platform.h"
#include "session_state.h"
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

/* ---- The generator --------------------------------------------------------------------------- */

struct trit_generator {
    trit_session *session;
    const trit_tokenizer *tokenizer;
    struct trit_generate_options opt;
    struct output output;
    struct trit_generate_result result;
    const int32_t *prompt; /* [result.n_prompt] */
    int32_t n_target;      /* tokens of the timeline once nothing is pending */
    bool over;
    double start_ms;
};

static void end(struct trit_generator *g, trit_finish reason)
{
    g->over = true;
    g->result.finish = reason;
    finish(&g->output);
    if (g->output.ended)
        g->result.finish = g->output.finish;
    g->result.generate_ms = trit_now_ms() - g->start_ms - g->result.first_token_ms;
}

/* *g outlives the call. */
static trit_status begin(struct trit_generator *g, const struct trit_generate_options *options,
                         struct trit_error *err)
{
    const int32_t n = g->result.n_prompt;
    trit_status status = trit_read_options(&g->opt, sizeof g->opt, options, err);

    g->start_ms = trit_now_ms();
    g->output.opt = &g->opt;
    g->n_target = n;
    g->result.pending = -1;
    g->result.finish = TRIT_FINISH_LENGTH; /* until it ends */
    if (!status)
        status = check_stops(&g->opt, err);
    if (!status)
        status = trit_session_reuse(g->session, g->prompt, n, err);
    return status;
}

/* Whether the pending token does not fit. A prompt always does. */
static bool is_full(const struct trit_generator *g)
{
    return g->n_target > trit_session_n_ctx(g->session);
}

/* Make room for the pending token if the options allow it; otherwise, the generation ends. */
static trit_status make_room(struct trit_generator *g, struct trit_error *err)
{
    int32_t n_left_out = 0;

    if (g->opt.on_full == TRIT_ON_FULL_SHIFT) {
        const trit_status status = trit_session_shift(g->session, g->opt.n_keep, &n_left_out, err);
        g->n_target = trit_session_n_tokens(g->session) + 1;
        if (status)
            return status;
    }
    if (n_left_out == 0) {
        end(g, TRIT_FINISH_CONTEXT);
        return TRIT_OK;
    }
    g->result.n_left_out += n_left_out;
    if (g->opt.on_shift)
        g->opt.on_shift(g->opt.user, n_left_out);
    return TRIT_OK;
}

/* What is to be evaluated next: a part of the prompt, or the token chosen last.
 * @return whether there is anything */
static bool pending(const struct trit_generator *g, int32_t max_tokens, struct trit_step *step)
{
    const int32_t n_tokens = trit_session_n_tokens(g->session), left = g->n_target - n_tokens;
    const bool all = left <= max_tokens;

    *step = (struct trit_step){
        .session = g->session,
        .tokens = g->result.pending < 0 ? g->prompt + n_tokens : &g->result.pending,
        .n = all ? left : max_tokens,
        .want = all ? TRIT_WANT_LAST : TRIT_WANT_NONE,
    };
    return !g->over && left > 0;
}

static trit_status evaluate(struct trit_generator *g, struct trit_error *err)
{
    struct trit_step step;
    trit_status status = TRIT_OK;

    if (is_full(g))
        status = make_room(g, err);
    if (!status && pending(g, INT32_MAX, &step))
        status = trit_engine_eval(trit_session_engine(g->session), &step, 1, err);
    if (!status && !g->over)
        g->result.pending = -1;
    if (g->result.n_new == 0)
        g->result.prompt_ms = g->result.first_token_ms = trit_now_ms() - g->start_ms;
    return status;
}

static int32_t choose(const struct trit_generator *g, const float *logits)
{
    const trit_session *s = g->session;

    return g->opt.sampler ? trit_sampler_next(g->opt.sampler, logits, trit_session_tokens(s),
                                              trit_session_n_tokens(s))
                          : trit_argmax(logits, trit_session_n_vocab(s));
}

/* Choose a token from the session's logits, and emit it. */
static void advance(struct trit_generator *g)
{
    struct trit_generate_result *r = &g->result;
    const struct trit_generate_options *opt = &g->opt;
    const float *logits = trit_session_logits(g->session);

    if (opt->max_tokens >= 0 && r->n_new >= opt->max_tokens) {
        end(g, TRIT_FINISH_LENGTH);
        return;
    }
    const int32_t id = choose(g, logits);
    if (r->n_new == 0)
        r->first_token_ms = trit_now_ms() - g->start_ms;
    if (!opt->ignore_eos && trit_tokenizer_is_end(g->tokenizer, id)) {
        end(g, TRIT_FINISH_EOS);
        return;
    }
    r->n_new++;
    r->mean_layers += (trit_session_exit_layer(g->session) - r->mean_layers) / (double)r->n_new;
    r->pending = id;
    g->n_target = trit_session_n_tokens(g->session) + 1;
    const struct trit_string piece = trit_tokenizer_piece(g->tokenizer, id, false);
    if (opt->on_token && !opt->on_token(opt->user, id, piece, logits))
        end(g, TRIT_FINISH_INTERRUPT);
    else if (!trit_utf8_push(&g->output.utf8, piece.bytes, piece.len, hold_back, &g->output))
        end(g, g->output.finish);
    else if (r->n_new == opt->max_tokens)
        end(g, TRIT_FINISH_LENGTH);
}

trit_status trit_generator_next(trit_generator *g, bool *more, struct trit_error *err)
{
    trit_status status = g->over ? TRIT_OK : evaluate(g, err);

    if (status) {
        end(g, TRIT_FINISH_INTERRUPT);
        status = status == TRIT_E_CANCELLED ? TRIT_OK : status;
    } else if (!g->over)
        advance(g);
    *more = !g->over;
    return status;
}

bool trit_generator_step(trit_generator *g, int32_t max_tokens, struct trit_step *step)
{
    return !is_full(g) && pending(g, max_tokens, step);
}

const struct trit_generate_result *trit_generator_result(const trit_generator *g)
{
    return &g->result;
}

trit_status trit_generator_open(trit_generator **out, trit_session *session,
                                const trit_tokenizer *tokenizer, const int32_t *tokens, int32_t n,
                                const struct trit_generate_options *opt, struct trit_error *err)
{
    struct trit_generator *g = calloc(1, sizeof *g);

    *out = NULL;
    if (!g)
        return trit_fail_memory(err, sizeof *g, "the generator");
    *g = (struct trit_generator){session, tokenizer, .result = {.n_prompt = n}, .prompt = tokens};
    const trit_status status = begin(g, opt, err);
    if (status)
        trit_generator_close(&g);
    *out = g;
    return status;
}

void trit_generator_close(trit_generator **generator)
{
    if (!generator)
        return;
    free(*generator);
    *generator = NULL;
}

trit_status trit_generate(trit_session *session, const trit_tokenizer *tokenizer,
                          const int32_t *tokens, int32_t n, const struct trit_generate_options *opt,
                          struct trit_generate_result *out, struct trit_error *err)
{
    struct trit_generator g = {session, tokenizer, .result = {.n_prompt = n}, .prompt = tokens};
    trit_status status = begin(&g, opt, err);
    bool more = !status;

    while (more)
        status = trit_generator_next(&g, &more, err);
    *out = g.result;
    return status;
}
