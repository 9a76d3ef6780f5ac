/* test_conversation.c - the messages and tokens of a conversation in cases that a terminal hardly
 * shows: left out, taken back, undone, interrupted in the middle of a shift, or loaded. */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "conversation.h"
#include "fixture.h"
#include "interrupt.h"
#include "report.h"
#include "suite.h"

/* ---- A model that counts a b c d, with the template of 2B-4T --------------------------------- */

static const char *biases[] = {"97=4000", "98=3800", "99=3600", "100=3400"};

struct talk {
    struct args args;
    struct opened o;
    struct trit_chat chat;
    struct conversation c;
};

static const char *model_path(void)
{
    static const char *const special[] = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
                                          NULL};
    struct fx_spec spec = fx_default;
    spec.special = special;
    return fx_model("chat.gguf", &spec)->path;
}

/* Overwrites *t. */
static void open_talk(struct talk *t, int ctx, int max_tokens, const char *system)
{
    struct trit_error err;

    *t = (struct talk){.args = {
                           .command = CMD_CHAT,
                           .quiet = true,
                           .model = {.path = model_path()},
                           .compute = {.threads = 1, .ctx = ctx, .batch = 64},
                           .sampling = {.repeat_penalty = 1,
                                        .presence_penalty = 900,
                                        .repeat_last_n = 3,
                                        .top_p = 1,
                                        .logit_bias = {biases, 4}},
                           .generate = {.max_tokens = max_tokens},
                       }};
    assert_int_equal(open_session(&t->o, &t->args), EXIT_DONE);
    assert_int_equal(open_tokenizer(&t->o), EXIT_DONE);
    assert_int_equal(trit_chat_choose(&t->chat, t->o.file, t->o.tokenizer, NULL, &err), TRIT_OK);
    assert_string_equal(t->chat.name, "bitnet");
    assert_int_equal(conversation_open(&t->c, &t->o, &t->args, &t->chat, system), EXIT_DONE);
    watch_interrupts(t->o.session);
}

static void close_talk(struct talk *t)
{
    conversation_close(&t->c);
    close_all(&t->o);
    forget_interrupts();
}

static bool go_on(void *user, const char *text, size_t len)
{
    (void)user, (void)text, (void)len;
    return true;
}

static bool stop_at_once(void *user, const char *text, size_t len)
{
    (void)user, (void)text, (void)len;
    return false;
}

static enum ask_result ask_with(struct talk *t, const char *text, answer_fn fn, int want_code)
{
    int code;
    const enum ask_result result = conversation_ask(&t->c, text, strlen(text), fn, t, &code);
    assert_int_equal(code, want_code);
    return result;
}

/* Asks, and checks the answer. */
static void ask(struct talk *t, const char *text, const char *answer)
{
    assert_int_equal(ask_with(t, text, go_on, EXIT_DONE), ASK_ANSWERED);
    const struct exchange *last = &t->c.items[t->c.n_items - 1];
    assert_string_equal(bytes_text(&last->text), text);
    assert_string_equal(bytes_text(&last->answer), answer);
}

/* The conversation, as text, is this. */
static void said(const struct conversation *c, const char *text)
{
    char all[4096];
    size_t n = 0;

    for (int32_t i = 0; i < c->n; i++) {
        const struct trit_string s = trit_tokenizer_piece(c->o->tokenizer, c->ids[i], true);
        assert_true(n + s.len < sizeof all);
        memcpy(all + n, s.bytes, s.len);
        n += s.len;
    }
    all[n] = 0;
    assert_string_equal(all, text);
}

#define EOT "<|eot_id|>"
#define SAID(message, answer) "User: " message EOT "Assistant: " answer

/* ---- Turns ----------------------------------------------------------------------------------- */

static void test_turns(void **state)
{
    struct talk t;
    (void)state;

    open_talk(&t, 256, 4, "Brief");
    ask(&t, "One", "abcd");
    said(&t.c, "System: Brief" EOT SAID("One", "abcd"));
    ask(&t, "Two", "abcd");
    said(&t.c, "System: Brief" EOT SAID("One", "abcd") EOT SAID("Two", "abcd"));
    assert_true(conversation_undo(&t.c, NULL));
    said(&t.c, "System: Brief" EOT SAID("One", "abcd"));
    ask(&t, EOT, "abcd"); /* is text */
    assert_int_not_equal(t.c.ids[t.c.items[1].begin + 7], t.c.ids[t.c.items[1].begin]);
    assert_int_equal(conversation_begin(&t.c, NULL), EXIT_DONE);
    assert_int_equal(t.c.n, 0);
    assert_false(conversation_undo(&t.c, NULL));
    ask(&t, "One", "abcd");
    said(&t.c, SAID("One", "abcd"));
    close_talk(&t);
}

/* A template may drop a part of an answer, as those for models that think do. The rest keeps its
 * tokens, and what is not changed is evaluated once. */
static void test_dropped_part(void **state)
{
    static const char source[] =
        "{% for m in messages %}{{ m.role }} {{ m.content.split('b')[-1] }}"
        "\n{% endfor %}assistant ";
    struct trit_error err;
    struct talk t;
    (void)state;

    open_talk(&t, 256, 4, NULL);
    assert_int_equal(trit_chat_choose(&t.c.chat, t.o.file, t.o.tokenizer, source, &err), TRIT_OK);
    ask(&t, "One", "abcd");
    said(&t.c, "user One\nassistant abcd");
    const int32_t c = t.c.ids[t.c.n - 2], d = t.c.ids[t.c.n - 1];
    ask(&t, "Two", "abcd");
    said(&t.c, "user One\nassistant cd\nuser Two\nassistant abcd");
    const int32_t kept = (int32_t)strlen("user One\nassistant "); /* a byte is a token */
    assert_int_equal(t.c.ids[kept], c);
    assert_int_equal(t.c.ids[kept + 1], d);
    assert_true(conversation_undo(&t.c, NULL));
    ask(&t, "Three", "abcd");
    said(&t.c, "user One\nassistant cd\nuser Three\nassistant abcd");
    close_talk(&t);
}

/* Text that a stop text cut off is not part of the answer. */
static void test_stop_text(void **state)
{
    const char *stop[] = {"cd"};
    struct talk t;
    (void)state;

    open_talk(&t, 256, 9, NULL);
    t.args.generate.stop = (struct values){stop, 1};
    ask(&t, "One", "ab");
    said(&t.c, SAID("One", "ab"));
    ask(&t, "Two", "ab");
    said(&t.c, SAID("One", "ab") EOT SAID("Two", "ab"));
    close_talk(&t);
}

/* ---- A full context -------------------------------------------------------------------------- */

static void test_leave_out(void **state)
{
    struct talk t;
    (void)state;

    open_talk(&t, 88, 4, "Brief");
    ask(&t, "One", "abcd");
    ask(&t, "Two", "abcd");
    ask(&t, "Three", "abcd");
    assert_int_equal(t.c.n_items, 2);
    said(&t.c, "System: Brief" EOT SAID("Two", "abcd") EOT SAID("Three", "abcd"));
    assert_true(t.c.n_keep > 0);

    assert_true(conversation_undo(&t.c, NULL)); /* the rest is to be encoded again */
    assert_int_equal(t.c.n_items, 1);
    assert_int_equal(conversation_sync(&t.c), EXIT_DONE); /* or now */
    said(&t.c, "System: Brief" EOT SAID("Two", "abcd"));
    assert_int_equal(trit_session_n_tokens(t.o.session), t.c.n);
    ask(&t, "Four", "abcd");
    said(&t.c, "System: Brief" EOT SAID("Two", "abcd") EOT SAID("Four", "abcd"));
    assert_true(conversation_undo(&t.c, NULL));
    assert_true(conversation_undo(&t.c, NULL));
    assert_false(conversation_undo(&t.c, NULL));
    ask(&t, "Five", "abcd");
    said(&t.c, "System: Brief" EOT SAID("Five", "abcd"));
    close_talk(&t);
}

/* Undone immediately, without a sync. */
static void test_undo_after_leave_out(void **state)
{
    struct talk t;
    (void)state;

    open_talk(&t, 88, 4, "Brief");
    ask(&t, "One", "abcd");
    ask(&t, "Two", "abcd");
    ask(&t, "Three", "abcd");
    assert_true(conversation_undo(&t.c, NULL));
    ask(&t, "Four", "abcd");
    said(&t.c, "System: Brief" EOT SAID("Two", "abcd") EOT SAID("Four", "abcd"));
    assert_true(conversation_undo(&t.c, NULL));
    ask(&t, "Six", "abcd");
    said(&t.c, "System: Brief" EOT SAID("Two", "abcd") EOT SAID("Six", "abcd"));
    close_talk(&t);
}

static void test_refused(void **state)
{
    char huge[400];
    struct talk t;
    (void)state;

    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = 0;
    open_talk(&t, 80, 4, NULL);
    ask(&t, "One", "abcd");
    assert_int_equal(ask_with(&t, huge, go_on, EXIT_USAGE), ASK_TAKEN_BACK);
    said(&t.c, SAID("One", "abcd"));
    t.args.generate.on_full = "stop";
    ask(&t, "Two", "abcd");
    assert_int_equal(ask_with(&t, "Three, and some more", go_on, EXIT_USAGE), ASK_TAKEN_BACK);
    said(&t.c, SAID("One", "abcd") EOT SAID("Two", "abcd"));
    assert_int_equal(t.c.n_items, 2);
    close_talk(&t);
}

/* ---- Interrupts ------------------------------------------------------------------------------ */

static void test_taken_back(void **state)
{
    struct talk t;
    (void)state;

    open_talk(&t, 256, 4, NULL);
    ask(&t, "One", "abcd");
    raise(SIGINT); /* before the prompt is evaluated */
    assert_int_equal(ask_with(&t, "Two", go_on, EXIT_DONE), ASK_TAKEN_BACK);
    forget_interrupts();
    assert_int_equal(t.c.n_items, 1);
    said(&t.c, SAID("One", "abcd"));
    ask(&t, "Three", "abcd");
    said(&t.c, SAID("One", "abcd") EOT SAID("Three", "abcd"));
    assert_int_equal(ask_with(&t, "Four", stop_at_once, EXIT_DONE), ASK_STOPPED);
    said(&t.c, SAID("One", "abcd") EOT SAID("Three", "abcd") EOT SAID("Four", "a"));
    close_talk(&t);
}

/* Messages that were left out before stay left out, and no others are. */
static void test_taken_back_after_leave_out(void **state)
{
    struct talk t;
    (void)state;

    open_talk(&t, 88, 4, "Brief");
    ask(&t, "One", "abcd");
    ask(&t, "Two", "abcd");
    raise(SIGINT);
    assert_int_equal(ask_with(&t, "Three", go_on, EXIT_DONE), ASK_TAKEN_BACK);
    forget_interrupts();
    assert_int_equal(t.c.n_items, 1);
    assert_int_equal(conversation_encode(&t.c), EXIT_DONE);
    said(&t.c, "System: Brief" EOT SAID("Two", "abcd"));
    ask(&t, "Four", "abcd");
    said(&t.c, "System: Brief" EOT SAID("Two", "abcd") EOT SAID("Four", "abcd"));
    close_talk(&t);
}

/* Ctrl-C right before the context is shifted. */
static bool interrupt_when_full(void *user, const char *text, size_t len)
{
    const struct talk *t = user;
    (void)text, (void)len;
    if (t->c.n > trit_session_n_ctx(t->o.session))
        raise(SIGINT);
    return true;
}

static void test_interrupted_shift(void **state)
{
    struct talk t;
    (void)state;

    open_talk(&t, 64, -1, NULL);
    assert_int_equal(ask_with(&t, "One", interrupt_when_full, EXIT_DONE), ASK_STOPPED);
    forget_interrupts();
    assert_int_equal(t.c.n, 65);
    assert_true(trit_session_n_tokens(t.o.session) < 32); /* the session lost it */
    assert_int_equal(t.c.items[0].answer.len, 65 - (int)strlen("User: One$Assistant: "));
    assert_int_equal(conversation_sync(&t.c), EXIT_DONE);
    assert_int_equal(trit_session_n_tokens(t.o.session), 64);
    t.args.generate.max_tokens = 4;
    ask(&t, "Two", "abcd");
    close_talk(&t);
}

static void test_shift_in_answer(void **state)
{
    struct talk t;
    (void)state;

    open_talk(&t, 64, 100, NULL);
    assert_int_equal(ask_with(&t, "One", go_on, EXIT_DONE), ASK_ANSWERED);
    assert_int_equal(t.c.items[0].answer.len, 100);
    assert_int_equal(t.c.items[0].begin, -1);
    /* the session's timeline, and the last token */
    assert_int_equal(t.c.n, trit_session_n_tokens(t.o.session) + 1);
    assert_memory_equal(t.c.ids, trit_session_tokens(t.o.session),
                        (size_t)(t.c.n - 1) * sizeof *t.c.ids);
    assert_true(conversation_undo(&t.c, NULL));
    assert_int_equal(t.c.n, 0);
    close_talk(&t);
}

/* ---- Loaded ---------------------------------------------------------------------------------- */

static void test_loaded(void **state)
{
    struct talk t;
    (void)state;

    open_talk(&t, 100, 4, NULL);
    ask(&t, "One", "abcd");
    ask(&t, "Two", "abcd");
    assert_int_equal(conversation_sync(&t.c), EXIT_DONE);
    conversation_adopt(&t.c); /* as after trit_session_load() */
    assert_int_equal(t.c.n_items, 0);
    said(&t.c, SAID("One", "abcd") EOT SAID("Two", "abcd"));
    assert_false(conversation_undo(&t.c, NULL));
    ask(&t, "Three", "abcd");
    said(&t.c, SAID("One", "abcd") EOT SAID("Two", "abcd") EOT SAID("Three", "abcd"));
    assert_true(conversation_undo(&t.c, NULL));
    ask(&t, "Four", "abcd");
    ask(&t, "Five", "abcd"); /* has no room: tokens are left out */
    assert_true(t.c.n < 100);
    assert_int_equal(t.c.n_items, 2);
    assert_true(conversation_undo(&t.c, NULL));
    assert_false(conversation_undo(&t.c, NULL)); /* where it began is not known any more */
    ask(&t, "Six", "abcd");
    close_talk(&t);
}

static void test_loaded_empty(void **state)
{
    struct talk t;
    (void)state;

    open_talk(&t, 100, 4, NULL);
    conversation_adopt(&t.c);
    assert_false(t.c.resumed);
    ask(&t, "One", "abcd");
    said(&t.c, SAID("One", "abcd"));
    close_talk(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_turns),
    cmocka_unit_test(test_dropped_part),
    cmocka_unit_test(test_stop_text),
    cmocka_unit_test(test_leave_out),
    cmocka_unit_test(test_undo_after_leave_out),
    cmocka_unit_test(test_refused),
    cmocka_unit_test(test_taken_back),
    cmocka_unit_test(test_taken_back_after_leave_out),
    cmocka_unit_test(test_interrupted_shift),
    cmocka_unit_test(test_shift_in_answer),
    cmocka_unit_test(test_loaded),
    cmocka_unit_test(test_loaded_empty),
};

const struct suite suite = {SUITE_TESTS(tests)};
