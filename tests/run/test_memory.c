/* test_memory.c - counts allocations, and makes them fail. Every call of the allocator from the
 * library or from here passes through this file (the linker's --wrap), which counts them and makes
 * selected ones fail. Allocations inside libc (stacks of threads, the buffers of stdio and qsort)
 * are not wrapped: they are not counted and never fail. Instead, creating a thread can fail as a
 * whole.
 *
 * Link with -Wl,--wrap= for malloc, calloc, realloc, posix_memalign, aligned_alloc, free and
 * pthread_create. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "safe_writer.h"
#include "checkpoint.h"
#include "weights.h"
#include "suite.h"
#include "trit_tools.h"

/* ---- The allocator --------------------------------------------------------------------------- */

/* Used by one thread at a time: workers of a session must not allocate, and fail the test by the
 * count if they do. */
static struct {
    bool deny_all;
    long fail_at;    /* this attempt fails, counting from 1; 0: none */
    bool fail_after; /* and all that follow it */
    long n_attempts, n_denied;
    long n_live; /* blocks */
    uint64_t total;
} heap;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
int __real_posix_memalign(void **out, size_t alignment, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
void __real_free(void *p);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
int __wrap_posix_memalign(void **out, size_t alignment, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
void __wrap_free(void *p);

static bool admit(size_t n)
{
    heap.n_attempts++;
    const bool hit = heap.fail_at && (heap.fail_after ? heap.n_attempts >= heap.fail_at
                                                      : heap.n_attempts == heap.fail_at);
    if (heap.deny_all || hit) {
        heap.n_denied++;
        errno = ENOMEM;
        return false;
    }
    heap.total += n;
    return true;
}

static void *count(void *p)
{
    heap.n_live += p != NULL;
    return p;
}

void *__wrap_malloc(size_t n)
{
    return admit(n) ? count(__real_malloc(n)) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return admit(n * size) ? count(__real_calloc(n, size)) : NULL;
}

void *__wrap_realloc(void *p, size_t n)
{
    if (!admit(n))
        return NULL;
    void *moved = __real_realloc(p, n);
    heap.n_live += !p && moved;
    return moved;
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t n)
{
    if (!admit(n))
        return ENOMEM;
    const int status = __real_posix_memalign(out, alignment, n);
    heap.n_live += status == 0;
    return status;
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    return admit(n) ? count(__real_aligned_alloc(alignment, n)) : NULL;
}

void __wrap_free(void *p)
{
    heap.n_live -= p != NULL;
    __real_free(p);
}

/* ---- The maker of threads -------------------------------------------------------------------- */

static int n_threads_left = -1; /* threads that can be created; negative: no limit */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg)
{
    if (n_threads_left == 0)
        return EAGAIN;
    n_threads_left -= n_threads_left > 0;
    return __real_pthread_create(thread, attr, fn, arg);
}

/* ---- Counting -------------------------------------------------------------------------------- */

static void count_from_here(void)
{
    heap.n_attempts = heap.n_denied = 0;
    heap.total = 0;
}

static void fail_nothing(void)
{
    heap.deny_all = heap.fail_after = false;
    heap.fail_at = 0;
}

/* ---- Everything a program does --------------------------------------------------------------- */

static const char prompt[] = "the other theme: when the hen met them there";

struct everything {
    trit_file *file;
    trit_model *model;
    trit_tokenizer *tokenizer;
    trit_session *session;
    int32_t *ids, n_ids;
    int32_t *chat_ids;
    char *chat_text;
};

static void close_everything(struct everything *e)
{
    trit_free(e->chat_text);
    trit_free(e->chat_ids);
    trit_free(e->ids);
    e->ids = e->chat_ids = NULL;
    e->chat_text = NULL;
    trit_session_close(&e->session);
    trit_tokenizer_close(&e->tokenizer);
    trit_model_close(&e->model);
    trit_file_close(&e->file);
}

/* Opens everything and evaluates the prompt. *where receives the name of the call that failed, and
 * *out its output, which should be NULL. */
static trit_status open_everything(struct everything *e, const char *path,
                                   const struct trit_file_options *file_opt, int32_t n_threads,
                                   const char **where, const void **out, struct trit_error *err)
{
    const struct trit_session_options opt = {.n_threads = n_threads, .n_ctx = 128};
    trit_status status;
    void *poison = e;

    const struct trit_message messages[] = {{TRIT_ROLE_SYSTEM, {prompt, sizeof prompt - 1}},
                                            {TRIT_ROLE_USER, {prompt, sizeof prompt - 1}}};
    struct trit_chat chat;
    size_t len;
    int32_t n, n_keep;

    *e = (struct everything){.file = poison,
                             .model = poison,
                             .tokenizer = poison,
                             .session = poison,
                             .ids = poison,
                             .chat_ids = poison,
                             .chat_text = poison};
#define STEP(name, member, call)                                                                   \
    if ((status = (call)) != TRIT_OK) {                                                            \
        *where = name;                                                                             \
        *out = e->member;                                                                          \
        e->member = NULL;                                                                          \
        goto failed;                                                                               \
    }
    STEP("trit_file_open", file, trit_file_open(&e->file, path, file_opt, err))
    STEP("trit_model_open", model, trit_model_open(&e->model, e->file, err))
    STEP("trit_tokenizer_open", tokenizer, trit_tokenizer_open(&e->tokenizer, e->file, err))
    STEP("trit_session_open", session, trit_session_open(&e->session, e->model, &opt, err))
    STEP("trit_tokenizer_encode", ids,
         trit_tokenizer_encode(e->tokenizer, prompt, sizeof prompt - 1, TRIT_ENCODE_BOS, &e->ids,
                               &e->n_ids, err))
    trit_chat_choose(&chat, e->file, e->tokenizer, "bitnet", NULL);
    STEP("trit_chat_encode", chat_ids,
         trit_chat_encode(&chat, e->tokenizer, messages, 2, &e->chat_ids, &n, &n_keep, err))
    STEP("trit_chat_render", chat_text,
         trit_chat_render(&chat, messages, 2, &e->chat_text, &len, err))
#undef STEP
    *where = "trit_session_eval";
    *out = NULL;
    return trit_session_eval(e->session, e->ids, e->n_ids, NULL, NULL, err);

failed: /* handles after the failure are NULL */
    e->chat_text = e->chat_text == poison ? NULL : e->chat_text;
    e->chat_ids = e->chat_ids == poison ? NULL : e->chat_ids;
    e->ids = e->ids == poison ? NULL : e->ids;
    e->session = e->session == poison ? NULL : e->session;
    e->tokenizer = e->tokenizer == poison ? NULL : e->tokenizer;
    e->model = e->model == poison ? NULL : e->model;
    return status;
}

static const char *model_path(uint32_t linear_type)
{
    struct fx_spec spec = fx_default;
    spec.linear_type = linear_type;
    spec.n_ff = 512;
    return fx_model(linear_type == FX_I2_S ? "mapped" : "repacked", &spec)->path;
}

/* ---- Nothing is allocated once a session is open --------------------------------------------- */

static bool count_bytes(void *user, const char *text, size_t len)
{
    (void)text;
    *(size_t *)user += len;
    return true;
}

static bool ignore_logits(void *user, int32_t position, const float *logits)
{
    (void)user, (void)position, (void)logits;
    return true;
}

static bool ignore_bytes(void *user, const void *bytes, size_t n)
{
    (void)user, (void)bytes, (void)n;
    return true;
}

/* The current logits as a file. */
static const char *session_file(trit_session *s)
{
    struct fx_bytes b = {0};
    struct trit_error err = {.text = "?"};
    if (trit_session_save(s, fx_append, &b, &err))
        fail_msg("%s", err.text);
    const char *file = fx_write("session", b.data, b.len);
    free(b.data);
    return file;
}

static void check_no_allocation(const char *path, int32_t n_threads)
{
    size_t n_bytes = 0;
    const struct trit_generate_options gen = {.max_tokens = 250,
                                              .ignore_eos = true,
                                              .on_full = TRIT_ON_FULL_SHIFT,
                                              .on_text = count_bytes,
                                              .user = &n_bytes};
    struct trit_generate_result result = {0};
    struct trit_session_loaded loaded;
    struct trit_error err = {.text = "?"};
    struct everything e;
    const char *where;
    const void *out;

    if (open_everything(&e, path, NULL, n_threads, &where, &out, &err))
        fail_msg("%s: %s", where, err.text);
    const char *file = session_file(e.session);
    count_from_here();
    heap.deny_all = true;
    trit_session_rewind(e.session, 0);
    const trit_status status[] = {
        trit_session_eval(e.session, e.ids, e.n_ids, NULL, NULL, &err),
        trit_session_eval(e.session, e.ids, e.n_ids, ignore_logits, NULL, &err),
        trit_session_sync(e.session, e.ids, 3, &err),
        trit_generate(e.session, e.tokenizer, e.ids, e.n_ids, &gen, &result, &err),
        trit_session_save(e.session, ignore_bytes, NULL, &err),
        trit_session_load(e.session, file, &loaded, &err),
    };
    heap.deny_all = false;
    for (size_t i = 0; i < sizeof status / sizeof *status; i++)
        if (status[i])
            fail_msg("step %zu, %d threads: %s", i, n_threads, err.text);
    assert_int_equal(heap.n_attempts, 0);
    assert_int_equal(result.n_new, 250);
    assert_true(result.n_left_out > 0);
    assert_false(loaded.reread);
    assert_int_equal(result.finish, TRIT_FINISH_LENGTH);
    close_everything(&e);
}

static void test_no_allocation(void **state)
{
    (void)state;
    const char *path = model_path(FX_I2_S);
    check_no_allocation(path, 1);
    check_no_allocation(path, 2);
}

/* Also not with a sampler that uses every stage, and with stop texts that hold text back. */
static void test_no_allocation_sampling(void **state)
{
    static const char *const stops[] = {"never in this text", "the the the the", ""};
    const struct trit_logit_bias bias[] = {{258, 20}, {256, 19}}; /* " the", " t" */
    struct trit_sampler_options opt;
    struct trit_generate_result result = {0};
    struct trit_error err = {.text = "?"};
    struct everything e;
    const char *where;
    const void *out;
    size_t n_bytes = 0;
    (void)state;

    trit_sampler_suggest(&opt, sizeof opt, NULL);
    opt.repeat_penalty = 1.1f;
    opt.presence_penalty = opt.frequency_penalty = 0.1f;
    opt.bias = bias;
    opt.n_bias = 2;
    opt.top_k = 50;
    opt.top_p = 0.95f;
    struct trit_generate_options gen = {.max_tokens = 50,
                                        .ignore_eos = true,
                                        .stop = stops,
                                        .n_stop = 3,
                                        .on_text = count_bytes,
                                        .user = &n_bytes};
    if (open_everything(&e, model_path(FX_I2_S), NULL, 2, &where, &out, &err) ||
        trit_sampler_open(&gen.sampler, trit_model_vocab_size(e.model), &opt, &err))
        fail_msg("%s", err.text);
    count_from_here();
    heap.deny_all = true;
    const trit_status status =
        trit_generate(e.session, e.tokenizer, e.ids, e.n_ids, &gen, &result, &err);
    heap.deny_all = false;
    if (status)
        fail_msg("%s", err.text);
    assert_int_equal(heap.n_attempts, 0);
    assert_true(result.n_new > 1 && n_bytes > 0);
    trit_sampler_close(&gen.sampler);
    close_everything(&e);
}

/* Nor does an engine with several sessions, whose steps fail or not. */
static void test_no_allocation_of_steps(void **state)
{
    static const int32_t ids[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    const struct trit_engine_options opt = {.n_ctx = 64, .n_batch = 4, .n_threads = 2};
    struct trit_error err = {.text = "?"};
    trit_file *file = NULL;
    trit_model *model = NULL;
    trit_engine *engine = NULL;
    trit_session *s[3] = {NULL};
    (void)state;

    if (trit_file_open(&file, model_path(FX_I2_S), NULL, &err) ||
        trit_model_open(&model, file, &err) || trit_engine_open(&engine, model, &opt, &err) ||
        trit_session_open_on(&s[0], engine, NULL, &err) ||
        trit_session_eval(s[0], ids, 3, NULL, NULL, &err) ||
        trit_session_fork(&s[1], s[0], 2, &err) || trit_session_open_on(&s[2], engine, NULL, &err))
        fail_msg("%s", err.text);
    struct trit_step steps[] = {{.session = s[0], .tokens = ids, .n = 1},
                                {.session = s[1], .tokens = ids, .n = 10, .want = TRIT_WANT_ALL},
                                {.session = s[2], .tokens = ids, .n = 99},
                                {.session = s[2], .tokens = ids, .n = 7}};
    count_from_here();
    heap.deny_all = true;
    const trit_status status = trit_engine_eval(engine, steps, 4, &err);
    heap.deny_all = false;
    assert_int_equal(heap.n_attempts, 0);
    assert_int_equal(status, TRIT_E_ARGUMENT); /* of the third step */
    for (int i = 0; i < 4; i++)
        assert_int_equal(steps[i].error.code, i == 2 ? TRIT_E_ARGUMENT : TRIT_OK);
    for (int i = 0; i < 3; i++)
        trit_session_close(&s[i]);
    trit_engine_close(&engine);
    trit_model_close(&model);
    trit_file_close(&file);
}

/* Errors do not allocate either. */
static void test_errors_without_memory(void **state)
{
    struct trit_error err = {.text = "?"};
    struct everything e;
    const char *where;
    const void *out;
    const int32_t bad = -1;
    (void)state;

    if (open_everything(&e, model_path(FX_I2_S), NULL, 2, &where, &out, &err))
        fail_msg("%s: %s", where, err.text);
    count_from_here();
    heap.deny_all = true;
    const trit_status status = trit_session_eval(e.session, &bad, 1, NULL, NULL, &err);
    heap.deny_all = false;
    assert_int_equal(status, TRIT_E_ARGUMENT);
    assert_int_equal(heap.n_attempts, 0);
    close_everything(&e);
}

/* ---- A session takes what it said it would --------------------------------------------------- */

static void test_session_bytes(void **state)
{
    static const struct trit_session_options opts[] = {
        {0},
        {.n_threads = 1, .n_ctx = 1, .n_batch = 1},
        {.n_threads = 2, .n_ctx = 1000, .kv = TRIT_KV_TYPE_F32},
        {.n_threads = 2, .n_ctx = 333, .n_batch = 5, .kv = TRIT_KV_TYPE_I8},
        {.n_threads = 3, .n_ctx = 64, .n_batch = 65536},
    };
    struct trit_error err = {.text = "?"};
    trit_file *file = NULL;
    trit_model *model = NULL;
    (void)state;

    assert_int_equal(trit_file_open(&file, model_path(FX_I2_S), NULL, &err), TRIT_OK);
    assert_int_equal(trit_model_open(&model, file, &err), TRIT_OK);
    for (size_t i = 0; i < sizeof opts / sizeof *opts; i++) {
        const long live = heap.n_live;
        trit_session *session = NULL;
        uint64_t bytes = 0;
        count_from_here();
        assert_int_equal(trit_session_bytes(&bytes, model, &opts[i], &err), TRIT_OK);
        assert_int_equal(heap.n_attempts, 0); /* known before the allocation */
        assert_int_equal(trit_session_open(&session, model, &opts[i], &err), TRIT_OK);
        assert_true(heap.total >= bytes);
        assert_true(heap.total - bytes < 8192); /* the handles of engine, session and threads */
        trit_session_close(&session);
        assert_int_equal(heap.n_live, live);
    }
    trit_model_close(&model);
    trit_file_close(&file);
}

/* ---- Out of memory, everywhere --------------------------------------------------------------- */

/* @return whether nothing failed. */
static bool check_failure(const char *path, const struct trit_file_options *file_opt, long n,
                          bool and_after)
{
    const long live = heap.n_live;
    struct trit_error err = {.text = ""};
    struct everything e;
    const char *where = "?";
    const void *out = NULL;

    count_from_here();
    heap.fail_at = n;
    heap.fail_after = and_after;
    const trit_status status = open_everything(&e, path, file_opt, 2, &where, &out, &err);
    const long n_denied = heap.n_denied;
    fail_nothing();
    close_everything(&e);
    if (status == TRIT_OK && n_denied)
        fail_msg("allocation %ld failed, but no call did", n);
    if (status != (n_denied ? TRIT_E_MEMORY : TRIT_OK) || err.code != status)
        fail_msg("allocation %ld in %s gives status %d: %s", n, where, (int)status, err.text);
    if (n_denied && !strstr(err.text, "memory"))
        fail_msg("allocation %ld in %s says '%s'", n, where, err.text);
    if (out)
        fail_msg("allocation %ld: %s leaves an output that is not NULL", n, where);
    if (heap.n_live != live)
        fail_msg("allocation %ld in %s leaves %ld blocks", n, where, heap.n_live - live);
    return n_denied == 0;
}

static void sweep(const char *path, bool no_mmap)
{
    const struct trit_file_options file_opt = {.no_mmap = no_mmap};
    for (int and_after = 0; and_after < 2; and_after++) {
        long n = 1;
        while (!check_failure(path, &file_opt, n, and_after))
            n++;
        assert_in_range(n, 15, 500); /* the sweep reached the allocations that it tests */
    }
}

static void test_sweep_mapped(void **state)
{
    (void)state;
    sweep(model_path(FX_I2_S), false);
}

static void test_sweep_read(void **state)
{
    (void)state;
    sweep(model_path(FX_I2_S), true);
}

static void test_sweep_repacked(void **state)
{
    (void)state;
    sweep(model_path(FX_TQ2_0), false);
}

/* A checkpoint in each form of a folder: one file, shards, shards of which the last is damaged,
 * weights in another format. */
static void test_sweep_checkpoints(void **state)
{
    static const char *const folders[] = {"single", "shards", "damaged", "other"};
    static const trit_status wanted[] = {TRIT_OK, TRIT_OK, TRIT_E_FILE, TRIT_E_UNSUPPORTED};
    const uint64_t dims[] = {4};
    struct sw_file f = {0};
    (void)state;

    for (int i = 0; i < 4; i++)
        fx_folder(folders[i]);
    sw_add(&f, "a", "U8", 1, dims, "abcd", 4);
    sw_add(&f, "b", "U8", 1, dims, "efgh", 4);
    sw_write("single/model.safetensors", &f);
    sw_write_shards("shards", &f, 2);
    f.tensors[1].dims[0] = 5;
    sw_write_shards("damaged", &f, 2);
    fx_write("other/consolidated.00.pth", "?", 1);
    sw_free(&f);
    for (int i = 0; i < 8; i++) {
        const char *dir = fx_folder(folders[i / 2]);
        long n_denied = 1;
        for (long n = 1; n_denied; n++) {
            const long live = heap.n_live;
            struct trit_error err = {.text = ""};
            struct trit_weights s;

            count_from_here();
            heap.fail_at = n;
            heap.fail_after = i % 2;
            const trit_status status = trit_weights_open(&s, dir, &err);
            n_denied = heap.n_denied;
            fail_nothing();
            if (status != (n_denied ? TRIT_E_MEMORY : wanted[i / 2]))
                fail_msg("%s: allocation %ld gives status %d: %s", dir, n, (int)status, err.text);
            assert_true(!n_denied || strstr(err.text, "memory"));
            assert_true(!status || heap.n_live == live); /* nothing is left to close */
            trit_weights_close(&s);
            assert_int_equal(heap.n_live, live);
            assert_true(n < 100);
        }
    }
}

static bool ignore(void *user, const void *bytes, size_t n)
{
    (void)user;
    (void)bytes;
    return n > 0;
}

/* A conversion in which allocation n, or every one from there on, fails; or where file is given, a
 * quantization of it. @return whether any was denied */
static bool convert_without(const char *dir, const trit_file *file,
                            const struct trit_convert_options *opt, long n, bool after)
{
    const long live = heap.n_live;
    struct trit_error err = {.text = ""};

    count_from_here();
    heap.fail_at = n;
    heap.fail_after = after;
    const trit_status status = file ? trit_quantize(file, opt, ignore, NULL, NULL, &err)
                                    : trit_convert(dir, opt, ignore, NULL, NULL, &err);
    const bool denied = heap.n_denied > 0;
    fail_nothing();
    if (status != (denied ? TRIT_E_MEMORY : TRIT_OK))
        fail_msg("%s: allocation %ld gives status %d: %s", dir, n, (int)status, err.text);
    assert_int_equal(heap.n_live, live);
    return denied;
}

/* Of masters too, whose quantizing takes memory; of both kinds of vocabulary; with a file of names.
 */
static void test_sweep_conversions(void **state)
{
    struct trit_convert_options opt = {.n_threads = 2};
    struct trit_error err;
    trit_file *file = NULL;
    (void)state;

    opt.map = fx_write("names", "x = ignore\n", 11);
    for (int i = 0; i < 4; i++) {
        struct ck_spec spec = ck_default;
        spec.family = i == 0 ? CK_LLAMA : i == 2 ? CK_1BITLLM : CK_BITNET;
        spec.packed = i < 2;
        spec.untied = i == 3;
        spec.n_layer = 1;
        struct ck *ck = ck_new(&spec);
        const char *folder = ck_write(ck, "swept");
        for (int after = 0; after < 2; after++)
            for (long n = 1; convert_without(folder, NULL, &opt, n, after); n++)
                assert_true(n < 2000);
        ck_free(ck);
    }
    assert_int_equal(trit_file_open(&file, model_path(FX_TQ2_0), NULL, &err), TRIT_OK);
    opt = (struct trit_convert_options){.n_threads = 2, .embd = "q8_0"};
    for (int after = 0; after < 2; after++)
        for (long n = 1; convert_without("quantize", file, &opt, n, after); n++)
            assert_true(n < 1000);
    trit_file_close(&file);
}

/* The system gives too few threads: an error, and the threads that were created end. */
static void test_no_threads(void **state)
{
    const struct trit_session_options opt = {.n_threads = 4};
    struct trit_error err = {.text = "?"};
    trit_file *file = NULL;
    trit_model *model = NULL;
    (void)state;

    assert_int_equal(trit_file_open(&file, model_path(FX_I2_S), NULL, &err), TRIT_OK);
    assert_int_equal(trit_model_open(&model, file, &err), TRIT_OK);
    for (int i = 0; i <= 3; i++) {
        const long live = heap.n_live;
        trit_session *session = (trit_session *)&err; /* anything but NULL */
        n_threads_left = i;
        const trit_status status = trit_session_open(&session, model, &opt, &err);
        n_threads_left = -1;
        assert_int_equal(status, i < 3 ? TRIT_E_FAILED : TRIT_OK);
        if (status)
            assert_null(session);
        trit_session_close(&session);
        assert_int_equal(heap.n_live, live);
    }
    trit_model_close(&model);
    trit_file_close(&file);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_no_allocation),
    cmocka_unit_test(test_no_allocation_sampling),
    cmocka_unit_test(test_no_allocation_of_steps),
    cmocka_unit_test(test_errors_without_memory),
    cmocka_unit_test(test_session_bytes),
    cmocka_unit_test(test_sweep_mapped),
    cmocka_unit_test(test_sweep_read),
    cmocka_unit_test(test_sweep_repacked),
    cmocka_unit_test(test_sweep_checkpoints),
    cmocka_unit_test(test_sweep_conversions),
    cmocka_unit_test(test_no_threads),
};

const struct suite suite = {SUITE_TESTS(tests)};
