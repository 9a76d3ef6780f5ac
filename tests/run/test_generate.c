/* test_generate.c - the generation loop: its tokens, its text, and the reason why it ends.
 * test_session.c tests the logits, test_sampler.c the choice of a token.
 *
 * The text of a random model is unpredictable, but a test can record its tokens: with a presence
 * penalty that prevents repetition, a run gives ids that are all different, and a vocabulary made
 * afterwards lets these ids spell any script. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "running.h"
#include "suite.h"

enum { N_VOCAB = 300, N_PROMPT = 7, N_ORDER = 60, MAX_NEW = 300, MAX_TEXT = 8192 };

/* The model strongly prefers a few tokens; this temperature gives others a chance. */
static const float hot = 5;

static const int32_t prompt[N_PROMPT] = {5, 77, 130, 2, 250, 9, 41};

static const char *model_path;
static trit_file *file;
static trit_model *model;
static trit_tokenizer *own; /* the model file's */
static trit_session *session;
static int32_t order[N_ORDER]; /* the tokens after the prompt if no token may repeat */

/* ---- Helpers --------------------------------------------------------------------------------- */

static trit_session *open_session(struct trit_session_options opt)
{
    trit_session *s = NULL;
    opt.n_threads = opt.n_threads ? opt.n_threads : 1;
    OK(trit_session_open(&s, model, &opt, &why));
    return s;
}

/* A vocabulary of these pieces, byte for byte. eos: an id, or -1 for none. */
static trit_tokenizer *make_tokenizer(const char *const pieces[N_VOCAB], int32_t eos)
{
    static const char *const merges[] = {"a b"};
    trit_tokenizer *t = NULL;
    trit_file *f = NULL;
    struct fx_gguf g;
    int32_t types[N_VOCAB];

    fx_init(&g);
    for (int i = 0; i < N_VOCAB; i++)
        types[i] = 4; /* user-defined: stands for itself */
    fx_str(&g, "general.architecture", fx_default.arch);
    fx_str(&g, "tokenizer.ggml.model", "gpt2");
    fx_str(&g, "tokenizer.ggml.pre", "gpt-2");
    fx_str_array(&g, "tokenizer.ggml.tokens", pieces, N_VOCAB);
    fx_i32_array(&g, "tokenizer.ggml.token_type", types, N_VOCAB);
    fx_str_array(&g, "tokenizer.ggml.merges", merges, 1);
    if (eos >= 0)
        fx_u32(&g, "tokenizer.ggml.eos_token_id", (uint32_t)eos);
    const char *path = fx_write_gguf("vocabulary", &g);
    fx_free(&g);
    OK(trit_file_open(&f, path, NULL, &why));
    OK(trit_tokenizer_open(&t, f, &why));
    trit_file_close(&f);
    return t;
}

/* A vocabulary in which each token is one of n words. */
static trit_tokenizer *words_tokenizer(const char *const *words, int n, uint64_t seed)
{
    const char *pieces[N_VOCAB];
    for (int i = 0; i < N_VOCAB; i++)
        pieces[i] = words[fx_random(&seed) % (uint64_t)n];
    return make_tokenizer(pieces, -1);
}

/* A vocabulary in which the generated ids spell a script, whose pieces are separated by '|'; all
 * other tokens are "". eos: the number of the piece that is the end token, or -1. */
static trit_tokenizer *script_tokenizer(const char *script, int eos)
{
    const char *pieces[N_VOCAB];
    char *copy = malloc(strlen(script) + 1), *p = copy;
    int n = 0;

    assert_non_null(copy);
    strcpy(copy, script);
    for (int i = 0; i < N_VOCAB; i++)
        pieces[i] = "";
    while (p) {
        char *end = strchr(p, '|');
        if (end)
            *end++ = '\0';
        assert_true(n < N_ORDER);
        pieces[order[n++]] = p;
        p = end;
    }
    trit_tokenizer *t = make_tokenizer(pieces, eos < 0 ? -1 : order[eos]);
    free(copy);
    return t;
}

/* ---- Whole characters ------------------------------------------------------------------------ */

/* The number of bytes from p on that agree with a well-formed character (Unicode 15, table 3-7);
 * *whole: whether they are a complete one. */
static size_t agree(const unsigned char *p, size_t n, bool *whole)
{
    static const struct {
        unsigned char lo, hi, len, lo2, hi2;
    } rows[] = {
        {0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
        {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
        {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
    };
    *whole = false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (p[0] < rows[i].lo || p[0] > rows[i].hi)
            continue;
        size_t m = 1;
        while (m < n && m < rows[i].len && p[m] >= (m == 1 ? rows[i].lo2 : 0x80) &&
               p[m] <= (m == 1 ? rows[i].hi2 : 0xBF))
            m++;
        *whole = m == rows[i].len;
        return m;
    }
    return 0;
}

static bool is_utf8(const char *text, size_t len)
{
    bool whole = true;
    for (size_t i = 0; i < len && whole;)
        i += agree((const unsigned char *)text + i, len - i, &whole);
    return whole;
}

/* Converts bytes to text: U+FFFD for each maximal invalid part. @return the length. */
static size_t lossy(char *out, const char *bytes, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        bool whole;
        const size_t m = agree((const unsigned char *)bytes + i, len - i, &whole);
        memcpy(out + n, whole ? bytes + i : "\xEF\xBF\xBD", whole ? m : 3);
        n += whole ? m : 3;
        i += m ? m : 1;
    }
    return n;
}

/* ---- Generating ------------------------------------------------------------------------------ */

struct request {
    trit_session *session;           /* NULL: the common one */
    const trit_tokenizer *tokenizer; /* NULL: the file's own */
    const int32_t *tokens;           /* NULL: the prompt */
    int32_t n_tokens, max_tokens;
    const char *const *stop;
    int32_t n_stop;
    bool ignore_eos, greedy;
    const struct trit_sampler_options *sampling; /* NULL, and not greedy: no token twice */
    int tokens_wanted, texts_wanted; /* callbacks return false after that many; 0: never */
    trit_on_full on_full;
    int32_t n_keep;
};

struct answer {
    struct trit_generate_result result;
    trit_status status;
    struct trit_error err;
    const trit_tokenizer *tokenizer;
    int tokens_wanted, texts_wanted;
    char text[MAX_TEXT], bytes[MAX_TEXT]; /* as shown, and as pieces */
    size_t len, n_bytes;
    int n_texts, n_ids;
    int32_t ids[MAX_NEW];
    size_t len_before[MAX_NEW]; /* length of the text when a token was chosen */
    uint64_t logits[MAX_NEW];   /* hashes */
    int n_shifts, n_left_out;
    int shifted_before[MAX_NEW]; /* numbers of tokens */
};

static uint64_t hash_logits(const float *logits)
{
    uint64_t h = 0;
    for (int i = 0; i < N_VOCAB; i++) {
        uint32_t u;
        memcpy(&u, &logits[i], sizeof u);
        h = (h ^ u) * 0x9E3779B97F4A7C15;
        h ^= h >> 29;
    }
    return h;
}

static bool keep_token(void *user, int32_t id, struct trit_string piece, const float *logits)
{
    struct answer *a = user;
    const struct trit_string p = trit_tokenizer_piece(a->tokenizer, id, false);

    assert_true(a->n_ids < MAX_NEW && a->n_bytes + piece.len < MAX_TEXT);
    assert_true(a->tokens_wanted == 0 || a->n_ids < a->tokens_wanted); /* it returned false */
    assert_true(a->texts_wanted == 0 || a->n_texts < a->texts_wanted);
    assert_int_equal(piece.len, p.len);
    if (p.len)
        assert_memory_equal(piece.bytes, p.bytes, p.len);
    memcpy(a->bytes + a->n_bytes, piece.bytes, piece.len);
    a->n_bytes += piece.len;
    a->len_before[a->n_ids] = a->len;
    a->logits[a->n_ids] = hash_logits(logits);
    a->ids[a->n_ids++] = id;
    return a->n_ids != a->tokens_wanted;
}

static bool keep_text(void *user, const char *text, size_t len)
{
    struct answer *a = user;

    assert_true(len > 0 && a->len + len < MAX_TEXT);
    assert_true(a->texts_wanted == 0 || a->n_texts < a->texts_wanted); /* it returned false */
    assert_true(is_utf8(text, len));
    memcpy(a->text + a->len, text, len);
    a->len += len;
    return ++a->n_texts != a->texts_wanted;
}

static void keep_shift(void *user, int32_t n_left_out)
{
    struct answer *a = user;
    assert_true(n_left_out > 0 && a->n_shifts < MAX_NEW);
    a->n_left_out += n_left_out;
    a->shifted_before[a->n_shifts++] = a->n_ids;
}

static struct trit_sampler_options no_token_twice(void)
{
    struct trit_sampler_options o;
    trit_sampler_suggest(&o, sizeof o, NULL);
    o.presence_penalty = 1000;
    o.repeat_last_n = -1;
    o.min_p = 0;
    o.seed = 1;
    return o;
}

/* trit_generate() by hand: a prompt in pieces of three tokens, and every other token evaluated by
 * the caller. */
static trit_status step_through(trit_session *s, struct answer *a, const int32_t *tokens, int32_t n,
                                const struct trit_generate_options *opt)
{
    trit_generator *g = NULL;
    struct trit_step step;
    trit_status status = trit_generator_open(&g, s, a->tokenizer, tokens, n, opt, &a->err);
    bool more = !status;

    for (int i = 0; more; i++) {
        while (i % 2 == 0 && trit_generator_step(g, 3, &step))
            OK(trit_engine_eval(trit_session_engine(s), &step, 1, &why));
        status = trit_generator_next(g, &more, &a->err);
        assert_true(more || status || !trit_generator_step(g, 3, &step));
    }
    if (g)
        a->result = *trit_generator_result(g);
    if (g && !status) { /* nothing happens after the end */
        OK(trit_generator_next(g, &more, &a->err));
        assert_false(more);
    }
    trit_generator_close(&g);
    return status;
}

static void run_request(struct answer *a, const struct request *q, trit_session *s, bool by_hand)
{
    const struct trit_sampler_options usual = no_token_twice();
    const int32_t *tokens = q->tokens ? q->tokens : prompt;
    const int32_t n = q->tokens ? q->n_tokens : N_PROMPT;
    struct trit_generate_options opt = {
        .max_tokens = q->max_tokens,
        .ignore_eos = q->ignore_eos,
        .stop = q->stop,
        .n_stop = q->n_stop,
        .on_full = q->on_full,
        .n_keep = q->n_keep,
        .on_shift = keep_shift,
        .on_token = keep_token,
        .on_text = keep_text,
        .user = a,
    };
    *a = (struct answer){.tokenizer = q->tokenizer ? q->tokenizer : own,
                         .tokens_wanted = q->tokens_wanted,
                         .texts_wanted = q->texts_wanted};
    if (!q->greedy)
        OK(trit_sampler_open(&opt.sampler, N_VOCAB, q->sampling ? q->sampling : &usual, &why));
    a->status = by_hand ? step_through(s, a, tokens, n, &opt)
                        : trit_generate(s, a->tokenizer, tokens, n, &opt, &a->result, &a->err);
    trit_sampler_close(&opt.sampler);
    if (a->status)
        return;
    assert_int_equal(a->result.n_prompt, n);
    assert_int_equal(a->result.n_new, a->n_ids);
    assert_int_equal(a->result.n_left_out, a->n_left_out);
    if (a->result.pending >= 0)
        assert_int_equal(a->result.pending, a->ids[a->n_ids - 1]);
    if (a->result.finish != TRIT_FINISH_INTERRUPT)
        assert_int_equal(trit_session_n_tokens(s),
                         a->result.n_prompt + a->n_ids - a->n_left_out - (a->result.pending >= 0));
    assert_true(a->result.prompt_ms >= 0 && a->result.generate_ms >= 0);
    assert_true(a->result.first_token_ms >= a->result.prompt_ms);
}

/* With a cancel callback that counts its calls. */
static void generate_once(struct answer *a, const struct request *q)
{
    run_request(a, q, q->session ? q->session : session, false);
}

static void assert_same_tokens(const struct answer *a, const struct answer *b);

/* Every request is also run step by step, in a fork. */
static void generate(struct answer *a, const struct request *q)
{
    static struct answer stepped;
    trit_session *s = q->session ? q->session : session, *fork = NULL;

    OK(trit_session_fork(&fork, s, trit_session_n_tokens(s), &why));
    run_request(&stepped, q, fork, true);
    run_request(a, q, s, false);
    assert_int_equal(stepped.status, a->status);
    if (a->status == TRIT_OK) {
        assert_same_tokens(&stepped, a);
        assert_int_equal(stepped.result.finish, a->result.finish);
        assert_int_equal(stepped.result.pending, a->result.pending);
        assert_int_equal(stepped.n_texts, a->n_texts);
        assert_int_equal(stepped.n_shifts, a->n_shifts);
        assert_int_equal(trit_session_n_tokens(fork), trit_session_n_tokens(s));
        assert_memory_equal(trit_session_tokens(fork), trit_session_tokens(s),
                            (size_t)trit_session_n_tokens(s) * sizeof(int32_t));
    }
    trit_session_close(&fork);
}

static void assert_finish(const struct answer *a, trit_finish finish, int n_new)
{
    if (a->status)
        fail_msg("status %d: %s", (int)a->status, a->err.text);
    if (a->result.finish != finish || a->result.n_new != n_new)
        fail_msg("finish %d after %d tokens, expected %d after %d", (int)a->result.finish,
                 (int)a->result.n_new, (int)finish, n_new);
}

static void assert_text(const struct answer *a, const char *text, size_t len)
{
    if (a->len != len || memcmp(a->text, text, len) != 0)
        fail_msg("the text is '%.*s', expected '%.*s'", (int)a->len, a->text, (int)len, text);
}

static void assert_same_tokens(const struct answer *a, const struct answer *b)
{
    assert_int_equal(a->n_ids, b->n_ids);
    assert_memory_equal(a->ids, b->ids, (size_t)b->n_ids * sizeof *b->ids);
    assert_memory_equal(a->logits, b->logits, (size_t)b->n_ids * sizeof *b->logits);
    assert_text(a, b->text, b->len);
}

/* The timeline is the prompt and the first n of the new tokens. */
static void assert_timeline(const trit_session *s, const struct answer *a, int n)
{
    const int32_t *ids = trit_session_tokens(s);
    assert_int_equal(trit_session_n_tokens(s), N_PROMPT + n);
    assert_memory_equal(ids, prompt, sizeof prompt);
    if (n)
        assert_memory_equal(ids + N_PROMPT, a->ids, (size_t)n * sizeof *ids);
}

/* ---- Which tokens ---------------------------------------------------------------------------- */

static void test_greedy(void **state)
{
    enum { N = 40 };
    trit_session *s = open_session((struct trit_session_options){0});
    static struct answer a;
    (void)state;

    generate(&a, &(struct request){.max_tokens = N, .greedy = true, .ignore_eos = true});
    assert_finish(&a, TRIT_FINISH_LENGTH, N);
    assert_timeline(session, &a, N - 1);
    OK(trit_session_eval(s, prompt, N_PROMPT, NULL, NULL, &why));
    for (int i = 0; i < N; i++) {
        const int32_t id = trit_argmax(trit_session_logits(s), N_VOCAB);
        assert_int_equal(a.ids[i], id);
        assert_true(a.logits[i] == hash_logits(trit_session_logits(s)));
        OK(trit_session_eval(s, &id, 1, NULL, NULL, &why));
    }
    trit_session_close(&s);
}

/* A sampler with penalties: its history is the prompt and all new tokens. */
static void test_sampled(void **state)
{
    enum { N = 40 };
    struct trit_sampler_options o = no_token_twice();
    trit_session *s = open_session((struct trit_session_options){0});
    trit_sampler *sampler = NULL;
    int32_t history[N_PROMPT + N];
    static struct answer a;
    (void)state;

    o.presence_penalty = 0;
    o.frequency_penalty = 0.8f;
    o.repeat_last_n = 20;
    generate(&a, &(struct request){.max_tokens = N, .sampling = &o, .ignore_eos = true});
    OK(trit_sampler_open(&sampler, N_VOCAB, &o, &why));
    memcpy(history, prompt, sizeof prompt);
    OK(trit_session_eval(s, prompt, N_PROMPT, NULL, NULL, &why));
    for (int i = 0; i < N; i++) {
        int32_t *id = &history[N_PROMPT + i];
        *id = trit_sampler_next(sampler, trit_session_logits(s), history, N_PROMPT + i);
        assert_int_equal(a.ids[i], *id);
        OK(trit_session_eval(s, id, 1, NULL, NULL, &why));
    }
    trit_sampler_close(&sampler);
    trit_session_close(&s);
}

/* The same everywhere: instruction sets, threads, batches. */
static void test_same_everywhere(void **state)
{
    struct trit_sampler_options o;
    struct trit_isa_info isa;
    static struct answer first[2], a;
    bool any = false;
    (void)state;

    trit_sampler_suggest(&o, sizeof o, NULL);
    o.temp = hot;
    o.seed = 99;
    for (int i = 0; trit_isa_at(i, &isa); i++)
        for (int j = 0; isa.usable && j < 4; j++) {
            trit_session *s = open_session((struct trit_session_options){
                .isa = isa.name, .n_threads = 1 + j % 2, .n_batch = j < 2 ? 512 : 3});
            for (int greedy = 0; greedy < 2; greedy++) {
                generate(&a, &(struct request){.session = s,
                                               .max_tokens = 24,
                                               .sampling = &o,
                                               .greedy = greedy,
                                               .ignore_eos = true});
                assert_finish(&a, TRIT_FINISH_LENGTH, 24);
                if (!any)
                    first[greedy] = a;
                assert_same_tokens(&a, &first[greedy]);
            }
            any = true;
            trit_session_close(&s);
        }
    o.seed = 100;
    generate(&a, &(struct request){.max_tokens = 24, .sampling = &o, .ignore_eos = true});
    assert_memory_not_equal(a.ids, first[0].ids, 24 * sizeof *a.ids);
}

/* ---- Stop texts ------------------------------------------------------------------------------ */

static bool starts_with(const char *text, size_t len, const char *s, size_t n)
{
    return n <= len && memcmp(text, s, n) == 0;
}

struct end {
    size_t at; /* the text is cut here */
    int n_new;
    bool stopped;
};

/* Whether and where to cut a text: before its first stop text, but not while a stop text that
 * begins earlier may still become complete. */
static bool cut_now(const char *text, size_t len, const char *const *stop, int n_stop, bool last,
                    size_t *at)
{
    for (size_t p = 0; p < len; p++) {
        bool part = false;
        for (int i = 0; i < n_stop; i++) {
            const size_t n = strlen(stop[i]);
            if (n && starts_with(text + p, len - p, stop[i], n)) {
                *at = p;
                return true;
            }
            part = part || (n > len - p && memcmp(text + p, stop[i], len - p) == 0);
        }
        if (part && !last)
            return false;
    }
    return false;
}

/* The expected end of generation, from the output without stop texts, if all tokens are whole
 * characters. */
static struct end reference(const struct answer *free_run, const char *const *stop, int n_stop)
{
    struct end e = {.at = free_run->len, .n_new = free_run->n_ids};
    for (int t = 1; t <= free_run->n_ids; t++) {
        const bool last = t == free_run->n_ids;
        const size_t len = last ? free_run->len : free_run->len_before[t];
        if (cut_now(free_run->text, len, stop, n_stop, last, &e.at)) {
            e.stopped = true;
            e.n_new = t;
            break;
        }
    }
    return e;
}

static void check_stops(const trit_tokenizer *t, const struct answer *free_run,
                        const struct trit_sampler_options *o, const char *const *stop, int n_stop)
{
    const struct end e = reference(free_run, stop, n_stop);
    static struct answer a;

    generate(&a, &(struct request){.tokenizer = t,
                                   .max_tokens = free_run->n_ids,
                                   .sampling = o,
                                   .stop = stop,
                                   .n_stop = n_stop});
    if (a.status || a.len != e.at || memcmp(a.text, free_run->text, e.at) != 0 ||
        a.result.n_new != e.n_new ||
        a.result.finish != (e.stopped ? TRIT_FINISH_STOP : TRIT_FINISH_LENGTH))
        fail_msg("stops '%s' '%s' '%s': of '%.*s' came '%.*s', finish %d after %d tokens; expected "
                 "%d bytes, %s after %d",
                 stop[0], n_stop > 1 ? stop[1] : "", n_stop > 2 ? stop[2] : "", (int)free_run->len,
                 free_run->text, (int)a.len, a.text, (int)a.result.finish, (int)a.result.n_new,
                 (int)e.at, e.stopped ? "a stop" : "the length", e.n_new);
    assert_memory_equal(a.ids, free_run->ids, (size_t)e.n_new * sizeof *a.ids);
    assert_timeline(session, &a, e.n_new - 1);
}

static const char *const letters[] = {"a", "b", "ab", "aab", "ba",  "aaab", "",
                                      "b", "a", "aa", "c",   "abc", "bb"};
enum { N_LETTERS = sizeof letters / sizeof *letters };

/* Generates the text of 20 tokens. */
static trit_tokenizer *free_run_of(struct answer *a, struct trit_sampler_options *o,
                                   const char *const *words, int n, uint64_t seed)
{
    trit_tokenizer *t = words_tokenizer(words, n, seed);
    trit_sampler_suggest(o, sizeof *o, NULL);
    o->temp = hot;
    o->min_p = 0;
    o->seed = seed;
    generate(a, &(struct request){.tokenizer = t, .max_tokens = 20, .sampling = o});
    assert_finish(a, TRIT_FINISH_LENGTH, 20);
    assert_int_not_equal(a->ids[0], a->ids[1]); /* not a repetition */
    return t;
}

static void test_every_substring(void **state)
{
    static struct answer a;
    struct trit_sampler_options o;
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        trit_tokenizer *t = free_run_of(&a, &o, letters, N_LETTERS, seed);
        assert_true(a.len > 15 && a.len == a.n_bytes);
        assert_text(&a, a.bytes, a.n_bytes);
        for (size_t at = 0; at < a.len; at++)
            for (size_t n = 1; n <= 6 && at + n <= a.len; n++) {
                char stop[8] = {0};
                memcpy(stop, a.text + at, n);
                check_stops(t, &a, &o, (const char *const[]){stop}, 1);
            }
        trit_tokenizer_close(&t);
    }
}

/* Stop texts that do not occur, although their beginnings do: the whole text is shown, including
 * what was held back at the end. */
static void test_no_substring(void **state)
{
    static struct answer a;
    struct trit_sampler_options o;
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        trit_tokenizer *t = free_run_of(&a, &o, letters, N_LETTERS, seed);
        for (size_t at = 0; at < a.len; at++)
            for (size_t n = 1; n <= 6 && at + n <= a.len; n += at + n < a.len ? 2 : 1) {
                char stop[8] = {0};
                memcpy(stop, a.text + at, n);
                stop[n] = 'X';
                check_stops(t, &a, &o, (const char *const[]){stop}, 1);
            }
        check_stops(t, &a, &o, (const char *const[]){""}, 1);
        check_stops(t, &a, &o, (const char *const[]){"", "never", ""}, 3);
        trit_tokenizer_close(&t);
    }
}

/* Several stop texts: substrings, their beginnings followed by something else, and the empty
 * text. */
static void test_several_stops(void **state)
{
    static struct answer a;
    struct trit_sampler_options o;
    uint64_t rng = 5;
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        trit_tokenizer *t = free_run_of(&a, &o, letters, N_LETTERS, seed + 10);
        for (int i = 0; i < 150; i++) {
            char stop[4][12] = {0};
            const char *stops[4];
            for (int j = 0; j < 4; j++) {
                const size_t n = 1 + fx_random(&rng) % 8;
                memcpy(stop[j], a.text + a.len / 3 + fx_random(&rng) % (a.len - a.len / 3), n);
                if (fx_random(&rng) % 3 == 0)
                    stop[j][strlen(stop[j]) - 1] = "abcX"[fx_random(&rng) % 4];
                if (fx_random(&rng) % 16 == 0)
                    stop[j][0] = '\0';
                stops[j] = stop[j];
            }
            check_stops(t, &a, &o, stops, 2 + i % 3);
        }
        trit_tokenizer_close(&t);
    }
}

/* Characters of several bytes, split anywhere by tokens, and invalid bytes: stop texts are searched
 * in the text that is shown. */
static void test_stops_in_utf8(void **state)
{
    static const char *const words[] = {"\xC3", "\xA9", "\xC3\xA9",         "a",    "\xE2\x82",
                                        "\xAC", "b",    "\xE2\x82\xAC",     "\xE2", "\x82\xAC",
                                        "",     "\xFF", "\xF0\x9F\x98\x80", "\xF0", "\x9F\x98"};
    static struct answer a, b;
    static char text[3 * MAX_TEXT];
    struct trit_sampler_options o;
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        trit_tokenizer *t = free_run_of(&a, &o, words, sizeof words / sizeof *words, seed);
        assert_text(&a, text, lossy(text, a.bytes, a.n_bytes));
        for (size_t at = 0; at < a.len; at++)
            for (size_t n = 1; n <= 9 && at + n <= a.len; n++) {
                char stop[12] = {0};
                const char *const stops[] = {stop};
                size_t first = 0;
                memcpy(stop, a.text + at, n);
                if (!is_utf8(stop, n))
                    continue;
                while (!starts_with(a.text + first, a.len - first, stop, n))
                    first++;
                generate(&b, &(struct request){.tokenizer = t,
                                               .max_tokens = 20,
                                               .sampling = &o,
                                               .stop = stops,
                                               .n_stop = 1});
                assert_text(&b, a.text, first);
                assert_int_equal(b.result.finish, TRIT_FINISH_STOP);
                assert_memory_equal(b.ids, a.ids, (size_t)b.n_ids * sizeof *b.ids);
            }
        trit_tokenizer_close(&t);
    }
}

struct script {
    const char *script;
    const char *stop[3];
    const char *text;
    int n_new;
    bool stopped;
};

/* max_tokens is the number of pieces in the script. */
static void check_scripts(const struct script *scripts, int n)
{
    static struct answer a;
    for (int i = 0; i < n; i++) {
        const struct script *s = &scripts[i];
        trit_tokenizer *t = script_tokenizer(s->script, -1);
        int n_stop = 0, n_pieces = 1;

        while (n_stop < 3 && s->stop[n_stop])
            n_stop++;
        for (const char *p = s->script; *p; p++)
            n_pieces += *p == '|';
        generate(&a,
                 &(struct request){
                     .tokenizer = t, .max_tokens = n_pieces, .stop = s->stop, .n_stop = n_stop});
        trit_tokenizer_close(&t);
        if (a.status || a.len != strlen(s->text) || memcmp(a.text, s->text, a.len) != 0 ||
            a.result.n_new != s->n_new ||
            a.result.finish != (s->stopped ? TRIT_FINISH_STOP : TRIT_FINISH_LENGTH))
            fail_msg("script '%s', stops '%s' '%s': '%.*s', finish %d after %d tokens; expected "
                     "'%s', %s after %d",
                     s->script, s->stop[0], n_stop > 1 ? s->stop[1] : "", (int)a.len, a.text,
                     (int)a.result.finish, (int)a.result.n_new, s->text,
                     s->stopped ? "a stop" : "the length", s->n_new);
    }
}

#define N_SCRIPTS(x) ((int)(sizeof(x) / sizeof *(x)))

static void test_scripts(void **state)
{
    static const struct script scripts[] = {
        {"x|y|z", {NULL}, "xyz", 3, false},
        {"a|a|a|b|c", {"aab"}, "a", 4, true}, /* the held text contains its own beginning */
        {"aaab|c", {"aab"}, "a", 1, true},
        {"ab|ab|abx|c", {"ababx"}, "ab", 3, true},
        {"abab|abab|abx", {"ababx"}, "ababab", 3, true},
        {"a|ab|x", {"aab"}, "", 2, true},
        {"x|a|a", {"aab"}, "xaa", 3, false}, /* only the beginning of a stop text */
        {"x|aa|c|aa|b", {"aab"}, "xaac", 5, true},
        {"stop|c", {"stop"}, "", 1, true},
        {"hello world|c", {"lo"}, "hel", 1, true},
        {"hello lol|c", {"lol"}, "hello ", 1, true},
        {"a|b|c", {"b"}, "a", 2, true},
        {"a|b|c", {"c", "b"}, "a", 2, true}, /* the first in the text, not the first in the list */
        {"abcd", {"d", "c", "b"}, "a", 1, true},
        {"xab|z", {"abc", "b"}, "xa", 2, true}, /* "abc" is not completed, and "b" is in the text */
        {"xab|c", {"abc", "b"}, "x", 2, true},
        {"a||b||c", {"ab"}, "", 3, true}, /* tokens without text */
        {"a|b", {""}, "ab", 2, false},
        {"a|b", {"", "b"}, "a", 2, true},
        {"a\nb\n\n|User:", {"\n\nUser:"}, "a\nb", 2, true},
        {"\xC3|\xA9|c", {"\xC3\xA9"}, "", 2, true},
        {"a\xC3|\xA8|c",
         {"\xC3\xA9"},
         "a\xC3\xA8"
         "c",
         3,
         false},
        {"a\xC3|x|y", {"\xEF\xBF\xBD"}, "a", 2, true},
        {"a\xC3|x|y", {"\xEF\xBF\xBDx"}, "a", 2, true},
        {"a|b\xC3", {"ab"}, "", 2, true},
        {"a|\xC3", {"z"}, "a\xEF\xBF\xBD", 2, false}, /* an incomplete end */
        {"a|\xE2\x82", {"az"}, "a\xEF\xBF\xBD", 2, false},
    };
    (void)state;
    check_scripts(scripts, N_SCRIPTS(scripts));
}

/* A stop text that is complete when generation ends counts, even if another one was incomplete. */
static void test_stop_at_the_end(void **state)
{
    static const struct script scripts[] = {
        {"x|a|b", {"abc", "b"}, "xa", 3, true},
        {"x|b|c", {"bcd", "c"}, "xb", 3, true},
        {"x|a|b", {"ab", "abc"}, "x", 3, true},
        {"x|a|b", {"abc", "ab"}, "x", 3, true},
    };
    (void)state;
    check_scripts(scripts, N_SCRIPTS(scripts));
}

/* Of two stop texts that begin at the same place the shorter one counts, in any order of the
 * list. */
static void test_stop_within_stop(void **state)
{
    static const struct script scripts[] = {
        {"x|a|b|c|d", {"ab", "abcd"}, "x", 3, true},
        {"x|a|b|c|d", {"abcd", "ab"}, "x", 3, true},
        {"x|a|b|z|d", {"abcd", "zz", "ab"}, "x", 3, true},
    };
    (void)state;
    check_scripts(scripts, N_SCRIPTS(scripts));
}

/* The U+FFFD of an incomplete end is text like any other. */
static void test_stop_of_incomplete_end(void **state)
{
    static const struct script scripts[] = {
        {"a|\xC3", {"\xEF\xBF\xBD"}, "a", 2, true},
        {"a|b\xE2\x82", {"b\xEF\xBF\xBD"}, "a", 2, true},
    };
    (void)state;
    check_scripts(scripts, N_SCRIPTS(scripts));
}

/* ---- Long pieces, long stop texts ------------------------------------------------------------ */

/* word, n times; the result lives until the second next call. */
static const char *repeat(const char *word, int n, const char *end)
{
    static char text[2][MAX_TEXT];
    static int turn;
    char *t = text[turn = !turn];
    t[0] = '\0';
    for (int i = 0; i < n; i++)
        strcat(t, word);
    return strcat(t, end);
}

/* A script of n pieces that repeats "word". */
static void check_long_stop(const char *piece, int n_pieces, const char *stop, size_t at, int n_new)
{
    static struct answer a;
    const char *pieces[N_VOCAB];
    const char *const stops[] = {"zzz", stop};

    for (int i = 0; i < N_VOCAB; i++)
        pieces[i] = piece;
    trit_tokenizer *t = make_tokenizer(pieces, -1);
    generate(&a,
             &(struct request){.tokenizer = t, .max_tokens = n_pieces, .stop = stops, .n_stop = 2});
    trit_tokenizer_close(&t);
    assert_finish(&a, n_new < 0 ? TRIT_FINISH_LENGTH : TRIT_FINISH_STOP,
                  n_new < 0 ? n_pieces : n_new);
    assert_int_equal(a.len, n_new < 0 ? (size_t)n_pieces * strlen(piece) : at);
    for (size_t i = 0; i < a.len; i++)
        assert_int_equal(a.text[i], piece[i % strlen(piece)]);
}

static void test_long_stops(void **state)
{
    (void)state;
    assert_int_equal(TRIT_MAX_STOP, 1024);
    check_long_stop("abcd", 260, repeat("abcd", 256, ""), 0, 256);
    check_long_stop("abcd", 260, repeat("cdab", 256, ""), 2, 257);
    check_long_stop("abcd", 260, repeat("dabc", 255, "d"), 3, 256);
    check_long_stop("abcd", 280, repeat("abcd", 255, "abcX"), 0, -1); /* the held part moves */
    check_long_stop("abcd", 255, repeat("abcd", 256, ""), 0, -1);
    char piece[1200];
    strcpy(piece, repeat("abcd", 290, "-"));
    check_long_stop(piece, 5, "d-a", 1159, 2);
    check_long_stop(piece, 5, "d-aX", 0, -1);
    check_long_stop(piece, 5, repeat("abcd", 256, ""), 0, 1);
    check_long_stop(piece, 5, repeat("abcd", 250, "-abcd"), 160, 2);
    check_long_stop(piece, 5, repeat("abcd", 255, "aX"), 0, -1);
}

static void test_too_long_stop(void **state)
{
    static struct answer a;
    const char *const stops[] = {"a", repeat("a", 1025, "")};
    const int32_t others[] = {1, 2, 3};
    (void)state;

    OK(trit_session_sync(session, prompt, N_PROMPT, &why));
    generate(&a, &(struct request){
                     .tokens = others, .n_tokens = 3, .max_tokens = 5, .stop = stops, .n_stop = 2});
    assert_int_equal(a.status, TRIT_E_ARGUMENT);
    assert_int_equal(a.err.code, TRIT_E_ARGUMENT);
    assert_non_null(strstr(a.err.text, "stop"));
    assert_true(a.n_ids == 0 && a.n_texts == 0);
    assert_timeline(session, &a, 0); /* nothing was evaluated */
    generate(&a, &(struct request){.max_tokens = 5, .stop = stops, .n_stop = 1});
    assert_int_equal(a.status, TRIT_OK);
}

/* ---- Other ends ------------------------------------------------------------------------------ */

static void test_max_tokens(void **state)
{
    static const int counts[] = {0, 1, 2, 17};
    static struct answer a;
    trit_tokenizer *t = script_tokenizer("a|b", -1);
    (void)state;

    for (int i = 0; i < 4; i++) {
        generate(&a, &(struct request){.tokenizer = t, .max_tokens = counts[i]});
        assert_finish(&a, TRIT_FINISH_LENGTH, counts[i]);
        assert_text(&a, "ab", counts[i] < 2 ? (size_t)counts[i] : 2);
        assert_memory_equal(a.ids, order, (size_t)counts[i] * sizeof *order);
        assert_timeline(session, &a, counts[i] ? counts[i] - 1 : 0);
        assert_non_null(trit_session_logits(session));
    }
    trit_tokenizer_close(&t);
}

/* Every position is used, and the last position's logits give one more token. */
static void test_full_context(void **state)
{
    enum { N_CTX = 20, N = N_CTX - N_PROMPT + 1 };
    static struct answer a;
    trit_session *s = open_session((struct trit_session_options){.n_ctx = N_CTX});
    trit_tokenizer *t = script_tokenizer("a|b", -1);
    struct request q = {.session = s, .tokenizer = t, .max_tokens = -1};
    int32_t tokens[N_CTX + 1];
    (void)state;

    generate(&a, &q);
    assert_finish(&a, TRIT_FINISH_CONTEXT, N);
    assert_timeline(s, &a, N - 1);
    assert_int_equal(trit_session_n_tokens(s), N_CTX);
    assert_memory_equal(a.ids, order, N * sizeof *order);
    q.max_tokens = INT32_MIN;
    generate(&a, &q);
    assert_finish(&a, TRIT_FINISH_CONTEXT, N);
    q.max_tokens = N + 1;
    generate(&a, &q);
    assert_finish(&a, TRIT_FINISH_CONTEXT, N);
    q.max_tokens = N;
    generate(&a, &q);
    assert_finish(&a, TRIT_FINISH_LENGTH, N);

    memcpy(tokens, prompt, sizeof prompt); /* prompts that fill the context, and longer ones */
    memcpy(tokens + N_PROMPT, order, (N_CTX + 1 - N_PROMPT) * sizeof *order);
    q.greedy = true;
    q.max_tokens = -1;
    q.tokens = tokens;
    q.n_tokens = N_CTX;
    generate(&a, &q);
    assert_finish(&a, TRIT_FINISH_CONTEXT, 1);
    assert_int_equal(a.ids[0], trit_argmax(trit_session_logits(s), N_VOCAB));
    q.n_tokens = N_CTX + 1;
    generate(&a, &q);
    assert_int_equal(a.status, TRIT_E_ARGUMENT);
    assert_true(a.n_ids == 0);
    trit_tokenizer_close(&t);
    trit_session_close(&s);
}

/* ---- Shifts ---------------------------------------------------------------------------------- */

/* The number of tokens, of n, that a shift leaves. */
static int shifted(int32_t *ids, int n, int n_keep)
{
    const int newest = (n - n_keep) / 2;
    memmove(ids + n_keep, ids + n - newest, (size_t)newest * sizeof *ids);
    return n_keep + newest;
}

/* Each token and its logits equal those of a fresh session that has evaluated the expected
 * timeline. */
static void check_shift(int n_ctx, int n_keep, int batch, const struct trit_sampler_options *o)
{
    enum { N = 60 };
    static struct answer a;
    const struct trit_session_options opt = {.n_ctx = n_ctx, .n_batch = batch};
    trit_session *s = open_session(opt), *fresh = open_session(opt);
    trit_sampler *sampler = NULL;
    int32_t ids[64];
    int n = n_ctx < N_PROMPT ? n_ctx : N_PROMPT, n_shifts = 0;

    generate(&a, &(struct request){.session = s,
                                   .tokens = prompt,
                                   .n_tokens = n,
                                   .max_tokens = N,
                                   .ignore_eos = true,
                                   .greedy = !o,
                                   .sampling = o,
                                   .on_full = TRIT_ON_FULL_SHIFT,
                                   .n_keep = n_keep});
    assert_finish(&a, TRIT_FINISH_LENGTH, N);
    if (o)
        OK(trit_sampler_open(&sampler, N_VOCAB, o, &why));
    memcpy(ids, prompt, sizeof prompt);
    for (int i = 0; i < N; i++) {
        trit_session_rewind(fresh, 0);
        OK(trit_session_eval(fresh, ids, n, NULL, NULL, &why));
        const float *logits = trit_session_logits(fresh);
        assert_true(a.logits[i] == hash_logits(logits));
        assert_int_equal(a.ids[i], o ? trit_sampler_next(sampler, logits, ids, n)
                                     : trit_argmax(logits, N_VOCAB));
        if (i == N - 1)
            break;
        if (n == n_ctx) {
            assert_int_equal(a.shifted_before[n_shifts++], i + 1);
            n = shifted(ids, n, n_keep);
        }
        ids[n++] = a.ids[i];
    }
    assert_int_equal(a.n_shifts, n_shifts);
    assert_true(n_shifts > 0);
    assert_int_equal(trit_session_n_tokens(s), n);
    assert_memory_equal(trit_session_tokens(s), ids, (size_t)n * sizeof *ids);
    trit_sampler_close(&sampler);
    trit_session_close(&fresh);
    trit_session_close(&s);
}

static void test_shift(void **state)
{
    struct trit_sampler_options o = no_token_twice();
    (void)state;
    o.repeat_last_n = 12;
    for (int n_keep = 0; n_keep < 20; n_keep++)
        check_shift(20, n_keep, 1 + n_keep, n_keep % 2 ? &o : NULL);
    check_shift(21, 0, 512, &o);
    check_shift(2, 0, 512, &o);
    check_shift(2, 1, 512, &o);
    check_shift(1, 0, 512, &o); /* no token sees another */
}

/* If nothing may be removed, generation ends as it does without shifts; the same for a full context
 * at the last token. */
static void test_no_shift(void **state)
{
    enum { N_CTX = 20, N = N_CTX - N_PROMPT + 1 };
    static const int32_t keeps[] = {N_CTX, N_CTX + 1, INT32_MAX};
    static struct answer a;
    trit_session *s = open_session((struct trit_session_options){.n_ctx = N_CTX});
    struct request q = {.session = s, .max_tokens = -1, .ignore_eos = true};
    (void)state;

    q.on_full = TRIT_ON_FULL_SHIFT;
    for (int i = 0; i < 3; i++) {
        q.n_keep = keeps[i];
        generate(&a, &q);
        assert_finish(&a, TRIT_FINISH_CONTEXT, N);
        assert_timeline(s, &a, N - 1);
        assert_int_equal(a.n_shifts, 0);
    }
    q.n_keep = 0;
    q.max_tokens = N;
    generate(&a, &q);
    assert_finish(&a, TRIT_FINISH_LENGTH, N);
    assert_int_equal(a.n_shifts, 0);
    q.max_tokens = N + 1;
    q.n_keep = -5; /* as 0 */
    generate(&a, &q);
    assert_finish(&a, TRIT_FINISH_LENGTH, N + 1);
    assert_int_equal(a.n_shifts, 1);
    assert_int_equal(a.n_left_out, N_CTX / 2);
    trit_session_close(&s);
}

/* A stop text that begins before a shift and ends after it. */
static void test_stop_across_shift(void **state)
{
    enum { N_CTX = 20, AT = N_CTX - N_PROMPT }; /* the first token without room */
    static const char *const stops[] = {"SHIFT"};
    static struct answer all, a;
    const char *pieces[N_VOCAB];
    trit_session *s = open_session((struct trit_session_options){.n_ctx = N_CTX});
    struct request q = {.session = s, .max_tokens = 30, .ignore_eos = true};
    (void)state;

    q.on_full = TRIT_ON_FULL_SHIFT;
    generate(&all, &q);
    assert_int_equal(all.shifted_before[0], AT + 1);
    for (int i = 0; i < N_VOCAB; i++)
        pieces[i] = ".";
    pieces[all.ids[AT - 1]] = ".SH";
    pieces[all.ids[AT]] = "I";
    pieces[all.ids[AT + 1]] = "FT.";
    trit_tokenizer *t = make_tokenizer(pieces, -1);
    q.tokenizer = t;
    q.stop = stops;
    q.n_stop = 1;
    generate(&a, &q);
    assert_finish(&a, TRIT_FINISH_STOP, AT + 2);
    assert_text(&a, "....................", AT);
    assert_int_equal(a.n_shifts, 1);
    trit_tokenizer_close(&t);
    trit_session_close(&s);
}

static bool once_shifting(void *user)
{
    const trit_session *s = user;
    return trit_session_n_tokens(s) == 3;
}

/* Cancelled within a shift: the timeline has exactly the tokens that a shift always keeps. */
static void test_cancelled_shift(void **state)
{
    static struct answer a;
    trit_session *s = open_session((struct trit_session_options){.n_ctx = 20});
    struct trit_generate_options opt = {.max_tokens = 30,
                                        .ignore_eos = true,
                                        .on_full = TRIT_ON_FULL_SHIFT,
                                        .n_keep = 3,
                                        .on_shift = keep_shift,
                                        .user = &a};
    struct trit_generate_result result;
    (void)state;

    a = (struct answer){0};
    trit_session_set_cancel(s, once_shifting, s);
    OK(trit_generate(s, own, prompt, N_PROMPT, &opt, &result, &why));
    assert_int_equal(result.finish, TRIT_FINISH_INTERRUPT);
    assert_int_equal(result.n_left_out, 0);
    assert_int_equal(a.n_shifts, 0);
    assert_int_equal(trit_session_n_tokens(s), 3);
    assert_memory_equal(trit_session_tokens(s), prompt, 3 * sizeof *prompt);
    trit_session_close(&s);
}

static void test_eos_forced(void **state)
{
    const struct trit_logit_bias bias = {N_VOCAB - 1, 10000};
    struct trit_sampler_options o;
    static struct answer a;
    (void)state;

    trit_sampler_suggest(&o, sizeof o, NULL);
    o.bias = &bias;
    o.n_bias = 1;
    assert_true(trit_tokenizer_is_end(own, N_VOCAB - 1));
    for (int i = 0; i < 3; i++) {
        static const int counts[] = {-1, 1, 10};
        generate(&a, &(struct request){.max_tokens = counts[i], .sampling = &o});
        assert_finish(&a, TRIT_FINISH_EOS, 0);
        assert_true(a.n_texts == 0);
        assert_timeline(session, &a, 0);
    }
    generate(&a, &(struct request){.max_tokens = 10, .sampling = &o, .ignore_eos = true});
    assert_finish(&a, TRIT_FINISH_LENGTH, 10);
    assert_true(a.n_texts == 0 && a.n_bytes == 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(a.ids[i], N_VOCAB - 1);
    assert_timeline(session, &a, 9);
}

/* An end token after other tokens; the held text is shown. */
static void test_eos_later(void **state)
{
    static const char *const stops[] = {"deX"};
    static struct answer a;
    (void)state;
    for (int at = 0; at < 5; at++) {
        trit_tokenizer *t = script_tokenizer("a|b|c|d|e|f|g", at);
        struct request q = {.tokenizer = t, .max_tokens = 7, .stop = stops, .n_stop = 1};
        generate(&a, &q);
        assert_finish(&a, TRIT_FINISH_EOS, at);
        assert_text(&a, "abcd", (size_t)at);
        assert_memory_equal(a.ids, order, (size_t)at * sizeof *order);
        assert_timeline(session, &a, at);
        q.max_tokens = at; /* reached before the end token is chosen */
        generate(&a, &q);
        assert_finish(&a, TRIT_FINISH_LENGTH, at);
        q.max_tokens = 7;
        q.ignore_eos = true;
        generate(&a, &q);
        assert_finish(&a, TRIT_FINISH_LENGTH, 7);
        assert_memory_equal(a.ids, order, 7 * sizeof *order);
        trit_tokenizer_close(&t);
    }
    trit_tokenizer *t = script_tokenizer("a|\xE2\x82|b", 2); /* and an incomplete character */
    generate(&a, &(struct request){.tokenizer = t, .max_tokens = 7});
    assert_finish(&a, TRIT_FINISH_EOS, 2);
    assert_text(&a, "a\xEF\xBF\xBD", 4);
    trit_tokenizer_close(&t);
}

/* ---- Interruptions --------------------------------------------------------------------------- */

static void test_callbacks_say_no(void **state)
{
    static struct answer a;
    trit_tokenizer *t = script_tokenizer("a|b|c|d|e|f", -1);
    (void)state;
    for (int k = 1; k <= 5; k++) {
        generate(&a, &(struct request){.tokenizer = t, .max_tokens = 6, .texts_wanted = k});
        assert_finish(&a, TRIT_FINISH_INTERRUPT, k);
        assert_text(&a, "abcde", (size_t)k);
        assert_timeline(session, &a, k - 1);
        generate(&a, &(struct request){.tokenizer = t, .max_tokens = 6, .tokens_wanted = k});
        assert_finish(&a, TRIT_FINISH_INTERRUPT, k);
        assert_text(&a, "abcde", (size_t)k - 1);
        assert_timeline(session, &a, k - 1);
    }
    trit_tokenizer_close(&t);
}

/* It also runs without callbacks. */
static void test_no_callbacks(void **state)
{
    static const char *const stops[] = {"cd"};
    trit_tokenizer *t = script_tokenizer("a|b|c|d|e|f", -1);
    const struct trit_sampler_options o = no_token_twice();
    struct trit_generate_options opt = {.max_tokens = 6, .stop = stops, .n_stop = 1};
    struct trit_generate_result result;
    (void)state;
    OK(trit_sampler_open(&opt.sampler, N_VOCAB, &o, &why));
    OK(trit_generate(session, t, prompt, N_PROMPT, &opt, &result, &why));
    trit_sampler_close(&opt.sampler);
    assert_int_equal(result.finish, TRIT_FINISH_STOP);
    assert_int_equal(result.n_new, 4);
    trit_tokenizer_close(&t);
}

/* Counts the calls; returns true in one of them, counted from 1. */
struct questions {
    int n, yes;
};

static bool ask(void *user)
{
    struct questions *q = user;
    return ++q->n == q->yes;
}

/* Cancelled at every call in turn: with two layers, two calls for each batch of the prompt and each
 * token. */
static void test_cancelled(void **state)
{
    enum { N = 5, N_BATCHES = 4, N_QUESTIONS = 2 * (N_BATCHES + N - 1) };
    trit_session *s = open_session((struct trit_session_options){.n_batch = 2});
    trit_tokenizer *t = script_tokenizer("a|b|\xC3\xA9|d|e", -1);
    const struct request q = {.session = s, .tokenizer = t, .max_tokens = N};
    static const size_t lens[] = {0, 1, 2, 4, 5};
    static struct answer a, all;
    (void)state;

    generate_once(&all, &q);
    assert_finish(&all, TRIT_FINISH_LENGTH, N);
    for (int i = 1; i <= N_QUESTIONS + 1; i++) {
        struct questions asked = {.yes = i};
        const int n_evaluated = (i - 1) / 2 < N_BATCHES ? 0 : (i - 1) / 2 - N_BATCHES;
        const int n_new = (i - 1) / 2 < N_BATCHES ? 0 : n_evaluated + 1;

        trit_session_rewind(s, 0);
        trit_session_set_cancel(s, ask, &asked);
        generate_once(&a, &q);
        trit_session_set_cancel(s, NULL, NULL);
        if (i > N_QUESTIONS) {
            assert_int_equal(asked.n, N_QUESTIONS);
            assert_same_tokens(&a, &all);
            break;
        }
        assert_int_equal(asked.n, i);
        assert_finish(&a, TRIT_FINISH_INTERRUPT, n_new);
        assert_text(&a, all.text, lens[n_new]);
        if (n_new == 0)
            assert_int_equal(trit_session_n_tokens(s), 0);
        else
            assert_timeline(s, &a, n_evaluated);
        assert_null(trit_session_logits(s));
        generate(&a, &q); /* and it can continue from there */
        assert_same_tokens(&a, &all);
    }
    trit_tokenizer_close(&t);
    trit_session_close(&s);
}

/* Text that was held back for a stop text, or for the rest of a character, counts as text so
 * far. */
static void test_cancelled_while_held(void **state)
{
    static const char *const stops[] = {"aaz"};
    trit_tokenizer *t = script_tokenizer("x|a|a|b|c", -1);
    static struct answer a;
    (void)state;

    for (int k = 1; k <= 3; k++) {
        struct questions asked = {.yes = 2 * k}; /* while the k-th new token is evaluated */
        OK(trit_session_sync(session, prompt, N_PROMPT, &why));
        trit_session_set_cancel(session, ask, &asked);
        generate_once(
            &a, &(struct request){.tokenizer = t, .max_tokens = 5, .stop = stops, .n_stop = 1});
        trit_session_set_cancel(session, NULL, NULL);
        assert_finish(&a, TRIT_FINISH_INTERRUPT, k);
        assert_text(&a, "xaa", (size_t)k);
        assert_timeline(session, &a, k - 1);
    }
    trit_tokenizer_close(&t);
}

/* Cancelling an evaluation outside trit_generate is an error, and keeps the timeline. */
static void test_cancelled_eval(void **state)
{
    trit_session *s = open_session((struct trit_session_options){.n_batch = 2});
    struct trit_error err;
    (void)state;

    OK(trit_session_eval(s, prompt, 3, NULL, NULL, &why));
    for (int yes = 1; yes <= 4; yes++) {
        struct questions asked = {.yes = yes};
        trit_session_set_cancel(s, ask, &asked);
        err = (struct trit_error){0};
        assert_int_equal(trit_session_eval(s, prompt + 3, 4, NULL, NULL, &err), TRIT_E_CANCELLED);
        assert_true(err.code == TRIT_E_CANCELLED && err.text[0]);
        assert_int_equal(trit_session_n_tokens(s), 3);
        assert_null(trit_session_logits(s));
        asked = (struct questions){.yes = yes};
        assert_int_equal(trit_session_sync(s, prompt, N_PROMPT, NULL), TRIT_E_CANCELLED);
        assert_int_equal(trit_session_n_tokens(s), 3);
    }
    trit_session_set_cancel(s, NULL, NULL);
    OK(trit_session_eval(s, prompt + 3, 4, NULL, NULL, &why));
    assert_memory_equal(trit_session_tokens(s), prompt, sizeof prompt);
    trit_session_close(&s);
}

/* ---- Going on -------------------------------------------------------------------------------- */

/* A longer prompt that begins with the timeline: only the rest is evaluated, and the result is that
 * of a fresh session. */
static void test_prefix_reused(void **state)
{
    enum { N_SAME = 6, N_REST = 3, N = N_PROMPT + N_SAME + N_REST };
    trit_session *s = open_session((struct trit_session_options){.n_batch = 1});
    trit_session *fresh = open_session((struct trit_session_options){0});
    static struct answer a, b;
    int32_t tokens[N];
    (void)state;

    generate(&a, &(struct request){.session = s, .max_tokens = 12, .ignore_eos = true});
    memcpy(tokens, prompt, sizeof prompt);
    memcpy(tokens + N_PROMPT, a.ids, N_SAME * sizeof *tokens);
    for (int i = 0; i < N_REST; i++) /* not a generated token */
        tokens[N_PROMPT + N_SAME + i] = (a.ids[N_SAME + i] + 1) % N_VOCAB;
    struct request q = {.session = s, .tokens = tokens, .n_tokens = N, .ignore_eos = true};
    struct questions asked = {0};
    trit_session_set_cancel(s, ask, &asked);
    generate_once(&a, &q);
    assert_int_equal(asked.n, 2 * N_REST);
    generate_once(&a, &q); /* all there */
    assert_int_equal(asked.n, 2 * N_REST);
    q.max_tokens = 10;
    generate_once(&a, &q);
    assert_int_equal(asked.n, 2 * (N_REST + 9));
    trit_session_set_cancel(s, NULL, NULL);
    assert_finish(&a, TRIT_FINISH_LENGTH, 10);
    q.session = fresh;
    generate(&b, &q);
    assert_same_tokens(&a, &b);
    assert_int_equal(trit_session_n_tokens(s), N + 9);
    assert_memory_equal(trit_session_tokens(s), trit_session_tokens(fresh),
                        (N + 9) * sizeof *tokens);
    trit_session_close(&s);
    trit_session_close(&fresh);
}

/* Two generators in turn, on sessions of one engine, each give what they give alone; the second is
 * closed in the middle, and its session goes on. */
static void test_in_turn(void **state)
{
    enum { N_CLOSED = 9, N_NEW = 30 };
    static struct answer alone[2], a[2];
    const struct trit_generate_options opt = {
        .max_tokens = N_NEW, .ignore_eos = true, .on_token = keep_token, .on_text = keep_text};
    trit_session *s[2] = {open_session((struct trit_session_options){.n_ctx = 64})};
    trit_generator *g[2] = {NULL};
    bool more = true;
    (void)state;

    OK(trit_session_open_on(&s[1], trit_session_engine(s[0]), NULL, &why));
    for (int i = 0; i < 2; i++) {
        struct trit_generate_options o = opt;
        o.user = &a[i];
        a[i] = (struct answer){.tokenizer = own};
        generate(&alone[i], &(struct request){.tokens = prompt + i,
                                              .n_tokens = N_PROMPT - i,
                                              .max_tokens = N_NEW,
                                              .ignore_eos = true,
                                              .greedy = true});
        OK(trit_generator_open(&g[i], s[i], own, prompt + i, N_PROMPT - i, &o, &why));
    }
    for (int round = 0; more; round++) {
        OK(trit_generator_next(g[0], &more, &why));
        if (round < N_CLOSED)
            OK(trit_generator_next(g[1], &(bool){true}, &why));
        else
            trit_generator_close(&g[1]);
    }
    assert_same_tokens(&a[0], &alone[0]);
    assert_int_equal(a[1].n_ids, N_CLOSED);
    assert_memory_equal(a[1].ids, alone[1].ids, N_CLOSED * sizeof *a[1].ids);
    generate(&a[1], &(struct request){.session = s[1],
                                      .tokens = prompt + 1,
                                      .n_tokens = N_PROMPT - 1,
                                      .max_tokens = N_NEW,
                                      .ignore_eos = true,
                                      .greedy = true});
    assert_same_tokens(&a[1], &alone[1]);
    trit_generator_close(&g[0]);
    trit_session_close(&s[0]);
    trit_session_close(&s[1]);
}

static void test_bad_prompts(void **state)
{
    static const int32_t bad[] = {1, N_VOCAB, 3}, negative[] = {-1};
    static struct answer a;
    const struct request requests[] = {
        {.tokens = bad, .n_tokens = 3, .max_tokens = 5},
        {.tokens = negative, .n_tokens = 1, .max_tokens = 5},
        {.tokens = prompt, .n_tokens = 0, .max_tokens = 5},
        {.tokens = prompt, .n_tokens = -1, .max_tokens = 0},
    };
    (void)state;

    OK(trit_session_sync(session, prompt, N_PROMPT, &why));
    for (int i = 0; i < 4; i++) {
        generate(&a, &requests[i]);
        assert_int_equal(a.status, TRIT_E_ARGUMENT);
        assert_true(a.err.code == TRIT_E_ARGUMENT && a.err.text[0]);
        assert_true(a.n_ids == 0 && a.n_texts == 0);
        assert_timeline(session, &a, 0);
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

/* The ids of one run, all different; the vocabularies of the other tests depend on them. */
static void learn_order(void)
{
    static struct answer a;
    generate(&a, &(struct request){.max_tokens = N_ORDER, .ignore_eos = true});
    assert_finish(&a, TRIT_FINISH_LENGTH, N_ORDER);
    memcpy(order, a.ids, sizeof order);
    for (int i = 0; i < N_ORDER; i++)
        for (int j = 0; j < i; j++)
            assert_int_not_equal(order[i], order[j]);
}

static int setup(void **state)
{
    struct fx_spec spec = fx_default;
    (void)state;

    spec.n_embd = spec.n_ff = 128;
    spec.n_head = 2;
    spec.n_head_kv = 1;
    spec.n_ctx = 512;
    spec.untied = true; /* otherwise it would repeat its last token */
    model_path = fx_model("small", &spec)->path;
    OK(trit_file_open(&file, model_path, NULL, &why));
    OK(trit_model_open(&model, file, &why));
    OK(trit_tokenizer_open(&own, file, &why));
    session = open_session((struct trit_session_options){0});
    learn_order();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    trit_session_close(&session);
    trit_tokenizer_close(&own);
    trit_model_close(&model);
    trit_file_close(&file);
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_greedy),
    cmocka_unit_test(test_sampled),
    cmocka_unit_test(test_same_everywhere),
    cmocka_unit_test(test_every_substring),
    cmocka_unit_test(test_no_substring),
    cmocka_unit_test(test_several_stops),
    cmocka_unit_test(test_stops_in_utf8),
    cmocka_unit_test(test_scripts),
    cmocka_unit_test(test_stop_at_the_end),
    cmocka_unit_test(test_stop_within_stop),
    cmocka_unit_test(test_stop_of_incomplete_end),
    cmocka_unit_test(test_long_stops),
    cmocka_unit_test(test_too_long_stop),
    cmocka_unit_test(test_max_tokens),
    cmocka_unit_test(test_full_context),
    cmocka_unit_test(test_shift),
    cmocka_unit_test(test_no_shift),
    cmocka_unit_test(test_stop_across_shift),
    cmocka_unit_test(test_cancelled_shift),
    cmocka_unit_test(test_eos_forced),
    cmocka_unit_test(test_eos_later),
    cmocka_unit_test(test_callbacks_say_no),
    cmocka_unit_test(test_no_callbacks),
    cmocka_unit_test(test_cancelled),
    cmocka_unit_test(test_cancelled_while_held),
    cmocka_unit_test(test_cancelled_eval),
    cmocka_unit_test(test_prefix_reused),
    cmocka_unit_test(test_in_turn),
    cmocka_unit_test(test_bad_prompts),
};

const struct suite suite = {SUITE_TESTS(tests), .setup = setup, .teardown = teardown};
