/* cmd_bench.c - trit bench: the speed of a model, each result with the limit of the machine.
 *
 * A row evaluates a prompt of p tokens (logits for the last one only) or generates n tokens one by
 * one, with d tokens already in the context, for one sequence or for several together (x8): all
 * their tokens count. Tokens are random, and nothing is sampled. Before and
 * after each sample, the same threads measure the limit: for generation, how fast they read the
 * same weights; for prompts, integer multiply-adds with the instruction set in use. So other load
 * on the machine slows both. */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baseline.h"
#include "clock.h"
#include "commands.h"
#include "fields.h"
#include "hardware.h"
#include "input.h"
#include "interrupt.h"
#include "layers.h"
#include "open.h"
#include "report.h"
#include "status.h"
#include "trit_tools.h"

static const double read_probe_ms = 120, macs_probe_ms = 40, fmas_probe_ms = 20;

enum { MAX_LIST = 64, MAX_REPEATS = 1000, WARM_UP = 4, MAX_SEQUENCES = 256 };

struct list {
    int items[MAX_LIST], n;
};

struct name {
    char text[48];
};

struct bench_row {
    struct name test;                        /* "pp512", "tg128 x8 @ d2048" */
    int n_threads, n_prompt, n_gen, n_depth; /* n_prompt or n_gen is 0 */
    int n_sequences;
    double samples[MAX_REPEATS]; /* tokens/s */
    int n_samples;
    double avg, stddev;
    double limit;   /* of the machine: GB/s or GMAC/s */
    double reached; /* in the same unit */
    double fmas;    /* prompts: peak of float multiply-adds, 10^9/s */
    double old_avg; /* of the baseline; NAN: none */
    struct walks walks;
};

struct bench {
    const struct args *args;
    struct list prompts, gens, depths, threads, sequences;
    struct opened o;
    trit_session *forks[MAX_SEQUENCES - 1]; /* of o.session: the other sequences of a row */
    struct trit_model_info info;
    trit_kv_type kv;
    uint64_t model_bytes;
    char model_type[96];
    struct trit_machine_info machine;
    const struct format *format;
    struct baseline old; /* of --compare */
    bool progress, bars; /* whether to show them */
    int n_rows;          /* printed so far */
};

/* ---- Arguments ------------------------------------------------------------------------------- */

/* Parse numbers lo..hi separated by commas, from fallback if text is NULL. */
static int parse_numbers(struct list *out, const char *text, const char *fallback,
                         const char *option, int lo, int hi)
{
    text = text ? text : fallback;
    out->n = 0;
    for (const char *p = text;;) {
        char *end;
        const long x = strtol(p, &end, 10);
        if (!is_plain_number(p, ",") || end == p || (*end && *end != ','))
            return usage_error("%s needs numbers such as 128,512, not '%.20s'", option, p);
        if (x < lo || x > hi)
            return usage_error("%s must be between %d and %d, not %ld", option, lo, hi, x);
        if (out->n == MAX_LIST)
            return usage_error("%s takes at most %d numbers", option, MAX_LIST);
        out->items[out->n++] = (int)x;
        if (!*end)
            return EXIT_DONE;
        p = end + 1;
    }
}

static int largest(const struct list *l)
{
    int most = 0;
    for (int i = 0; i < l->n; i++)
        most = l->items[i] > most ? l->items[i] : most;
    return most;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

/* Average bytes read per token of the row: the weights of its layers, and the cached keys and
 * values. */
static double bytes_per_token(const struct bench *b, const struct bench_row *r)
{
    const struct trit_model_info *m = &b->info;
    const double n = r->n_prompt ? r->n_prompt : r->n_gen;
    const double bytes = b->kv == TRIT_KV_TYPE_F32   ? 4.0 * m->head_dim
                         : b->kv == TRIT_KV_TYPE_F16 ? 2.0 * m->head_dim
                                                     : 1.0 * m->head_dim + 4.0;
    const double n_layer = trit_session_n_active(b->o.session);
    const double rows = 2.0 * n_layer * m->n_head_kv * (r->n_depth + (n + 1) / 2);
    return (double)trit_session_token_bytes(b->o.session) / r->n_sequences + rows * bytes;
}

static void random_tokens(int32_t *tokens, int n, int32_t n_vocab)
{
    uint64_t x = 0x9e3779b97f4a7c15u; /* xorshift64 (Marsaglia) */
    for (int i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        tokens[i] = (int32_t)(x >> 33) % n_vocab;
    }
}

static void show_progress_of(const struct bench *b, const struct bench_row *r)
{
    if (b->progress)
        show_status("%s, %d thread%s: %d of %d", r->test.text, r->n_threads,
                    r->n_threads == 1 ? "" : "s", r->n_samples + 1, b->args->bench.repeats);
}

static int evaluate(const struct bench *b, const int32_t *tokens, int n)
{
    struct trit_error err;
    const trit_status status = trit_session_eval(b->o.session, tokens, n, NULL, NULL, &err);
    return !status ? EXIT_DONE : status == TRIT_E_CANCELLED ? EXIT_INTERRUPTED : report(&err);
}

/* Evaluate a token of every sequence of the row. */
static int evaluate_together(const struct bench *b, const struct bench_row *r, const int32_t *token)
{
    struct trit_step steps[MAX_SEQUENCES];
    struct trit_error err;

    for (int i = 0; i < r->n_sequences; i++)
        steps[i] = (struct trit_step){
            .session = i ? b->forks[i - 1] : b->o.session, .tokens = token, .n = 1};
    const trit_status status =
        trit_engine_eval(trit_session_engine(b->o.session), steps, r->n_sequences, &err);
    return !status ? EXIT_DONE : status == TRIT_E_CANCELLED ? EXIT_INTERRUPTED : report(&err);
}

/* Evaluate one sample of a row: n tokens of each sequence after the first r->n_depth. */
static int run_once(const struct bench *b, const struct bench_row *r, const int32_t *tokens, int n)
{
    int code = EXIT_DONE;

    trit_session_rewind(b->o.session, r->n_depth);
    for (int i = 1; i < r->n_sequences; i++)
        trit_session_rewind(b->forks[i - 1], r->n_depth);
    if (r->n_prompt)
        return evaluate(b, tokens + r->n_depth, n);
    for (int i = 0; i < n && !code; i++)
        code = evaluate_together(b, r, tokens + r->n_depth + i);
    return code;
}

static void close_forks(struct bench *b)
{
    for (int i = 0; i < MAX_SEQUENCES - 1; i++)
        trit_session_close(&b->forks[i]);
}

/* Open the other sequences of a row, with the same tokens in their contexts. */
static int open_forks(struct bench *b, const struct bench_row *r)
{
    struct trit_error err;

    for (int i = 1; i < r->n_sequences; i++)
        if (trit_session_fork(&b->forks[i - 1], b->o.session, r->n_depth, &err))
            return report(&err);
    return EXIT_DONE;
}

static double probe_limit(const struct bench *b, const struct bench_row *r)
{
    return r->n_prompt ? trit_session_measure_macs(b->o.session, macs_probe_ms)
                       : trit_session_measure_read(b->o.session, read_probe_ms);
}

static void summarize(struct bench_row *r, const struct bench *b, double limit)
{
    double sum = 0, squares = 0;

    for (int i = 0; i < r->n_samples; i++)
        sum += r->samples[i];
    r->avg = sum / r->n_samples;
    for (int i = 0; i < r->n_samples; i++)
        squares += (r->samples[i] - r->avg) * (r->samples[i] - r->avg);
    r->stddev = r->n_samples > 1 ? sqrt(squares / (r->n_samples - 1)) : 0;
    r->limit = limit;
    r->walks = walks_of(b->o.session);
    r->reached = r->avg * 1e-9 * (r->n_prompt ? (double)b->info.n_ternary : bytes_per_token(b, r));
}

static int measure_row(struct bench *b, struct bench_row *r, const int32_t *tokens)
{
    const int n = r->n_prompt ? r->n_prompt : r->n_gen;
    double limits = 0, fmas = 0;
    int code = EXIT_DONE;
    bool probed = true;

    show_progress_of(b, r);
    trit_session_rewind(b->o.session, 0);
    if (r->n_depth)
        code = evaluate(b, tokens, r->n_depth);
    if (!code)
        code = open_forks(b, r);
    if (!code) /* to warm up, and to choose how to read the weights */
        code = run_once(b, r, tokens, r->n_prompt || n < WARM_UP ? n : WARM_UP);
    for (int i = 0; i < b->args->bench.repeats && !code; i++) {
        show_progress_of(b, r);
        const double before = probe_limit(b, r);
        const double start = now_ms();
        code = run_once(b, r, tokens, n);
        r->samples[i] = n * r->n_sequences / (now_ms() - start) * 1e3;
        r->n_samples++;
        const double after = probe_limit(b, r);
        probed = probed && before > 0 && after > 0;
        limits += before + after;
        if (r->n_prompt)
            fmas += trit_session_measure_fmas(b->o.session, fmas_probe_ms);
    }
    close_forks(b);
    clear_status();
    if (!code && interrupted())
        code = EXIT_INTERRUPTED;
    if (!code && !probed)
        code = out_of_memory();
    if (!code)
        summarize(r, b, limits / (2 * r->n_samples));
    r->fmas = r->n_samples ? fmas / r->n_samples : 0;
    return code;
}

/* ---- Printing -------------------------------------------------------------------------------- */

static const char *unit(const struct bench_row *r)
{
    return r->n_prompt ? "GMAC/s" : "GB/s read";
}

/* A size or a count: "1.18 GB", "4.8 MB" */
static struct name amount_of(double x, double thousand, const char *millions, const char *billions)
{
    const double million = thousand * thousand;
    struct name name;

    if (x < 100 * million)
        snprintf(name.text, sizeof name.text, "%.1f %s", x / million, millions);
    else
        snprintf(name.text, sizeof name.text, "%.2f %s", x / (million * thousand), billions);
    return name;
}

static void table_head(const struct bench *b)
{
    print_cpu(&b->machine);
    printf("%s · %s · %s parameters · %s\n\n", b->model_type,
           amount_of((double)b->model_bytes, 1000, "MB", "GB").text,
           amount_of((double)b->info.n_params, 1000, "M", "B").text,
           trit_session_isa(b->o.session));
    printf("threads  %-16s %17s   %s%s\n", "test", "tokens/s", b->old.path ? "new/old   " : "",
           "of the limit");
}

static struct name ratio(const struct bench_row *r)
{
    struct name name = {"-"};
    if (isfinite(r->old_avg))
        snprintf(name.text, sizeof name.text, "%.2fx", r->avg / r->old_avg);
    return name;
}

static void table_row(const struct bench *b, const struct bench_row *r)
{
    if (!b->n_rows)
        table_head(b);
    printf("%7d  %-16s %9.2f ± %5.2f   ", r->n_threads, r->test.text, r->avg, r->stddev);
    if (b->old.path)
        printf("%7s   ", ratio(r).text);
    if (b->bars)
        print_bar(r->reached / r->limit, 10);
    printf("%3.0f %% of %.1f %s", 100 * r->reached / r->limit, r->limit, unit(r));
    printf(r->n_gen && r->walks.text[0] ? "   %s\n" : "\n", r->walks.text);
}

static void md_row(const struct bench *b, const struct bench_row *r)
{
    const bool old = b->old.path != NULL;

    if (!b->n_rows)
        printf("| model | size | params | isa | threads | test | t/s |%s of the limit |\n"
               "| --- | ---: | ---: | --- | ---: | ---: | ---: |%s ---: |\n",
               old ? " new/old |" : "", old ? " ---: |" : "");
    printf("| %s | %s | %s | %s | %d | %s | %.2f ± %.2f |", b->model_type,
           amount_of((double)b->model_bytes, 1024, "MiB", "GiB").text,
           amount_of((double)b->info.n_params, 1000, "M", "B").text, trit_session_isa(b->o.session),
           r->n_threads, r->test.text, r->avg, r->stddev);
    if (old)
        printf(" %s |", ratio(r).text);
    printf(" %.0f %% of %.1f %s |\n", 100 * r->reached / r->limit, r->limit, unit(r));
}

/* The fields of CSV and JSON, in CSV order; the last N_OLD_FIELDS only with --compare. */
enum { N_OLD_FIELDS = 2, N_FIELDS = 30 + N_OLD_FIELDS };

static int fields_of(struct field f[N_FIELDS], const struct bench *b, const struct bench_row *r)
{
    const bool pp = r->n_prompt > 0;
    const struct field all[N_FIELDS] = {
        {"model_filename", b->args->model.path, 0, NULL},
        {"model_type", b->model_type, 0, NULL},
        {"model_size", NULL, (double)b->model_bytes, NULL},
        {"model_n_params", NULL, (double)b->info.n_params, NULL},
        {"isa", trit_session_isa(b->o.session), 0, NULL},
        {"n_threads", NULL, r->n_threads, NULL},
        {"n_prompt", NULL, r->n_prompt, NULL},
        {"n_gen", NULL, r->n_gen, NULL},
        {"n_depth", NULL, r->n_depth, NULL},
        {"test", r->test.text, 0, NULL},
        {"avg_ts", NULL, r->avg, NULL},
        {"stddev_ts", NULL, r->stddev, NULL},
        {"samples_ts", NULL, r->n_samples, r->samples},
        {"bytes_per_token", NULL, bytes_per_token(b, r), NULL},
        {"gbps", NULL, pp ? NAN : r->reached, NULL},
        {"read_gbps", NULL, pp ? NAN : r->limit, NULL},
        {"gmacs", NULL, pp ? r->reached : NAN, NULL},
        {"peak_gmacs", NULL, pp ? r->limit : NAN, NULL},
        {"efficiency", NULL, r->reached / r->limit, NULL},
        {"peak_gfmas", NULL, pp ? r->fmas : NAN, NULL},
        {"trit_version", trit_version(), 0, NULL},
        {"walks", r->walks.text, 0, NULL},
        {"cpu", b->machine.cpu, 0, NULL},
        {"cpu_model", b->machine.cpu_model, 0, NULL},
        {"l1d_bytes", NULL, (double)b->machine.l1d_bytes, NULL},
        {"l2_bytes", NULL, (double)b->machine.l2_bytes, NULL},
        {"l3_bytes", NULL, (double)b->machine.l3_bytes, NULL},
        {"n_cores", NULL, b->machine.n_cores, NULL},
        {"cpu_limit", NULL, b->machine.cpu_limit, NULL},
        {"n_sequences", NULL, r->n_sequences, NULL},
        {"old_ts", NULL, r->old_avg, NULL},
        {"ratio", NULL, r->avg / r->old_avg, NULL},
    };
    memcpy(f, all, sizeof all);
    return b->old.path ? N_FIELDS : N_FIELDS - N_OLD_FIELDS;
}

static void csv_row(const struct bench *b, const struct bench_row *r)
{
    struct field f[N_FIELDS];
    const int n = fields_of(f, b, r);

    if (!b->n_rows)
        csv_names(f, n);
    csv_values(f, n);
}

static void json_object(const struct bench *b, const struct bench_row *r)
{
    struct field f[N_FIELDS];

    putchar('{');
    json_fields(f, fields_of(f, b, r));
    putchar('}');
}

static void json_row(const struct bench *b, const struct bench_row *r)
{
    fputs(b->n_rows ? ",\n" : "[\n", stdout);
    json_object(b, r);
}

static void jsonl_row(const struct bench *b, const struct bench_row *r)
{
    json_object(b, r);
    putchar('\n');
}

static const struct format {
    const char *name;
    void (*row)(const struct bench *b,
                const struct bench_row *r); /* the first also prints a heading */
    const char *end;                        /* printed after the last row */
} formats[] = {
    {"table", table_row, ""},    {"md", md_row, ""},       {"csv", csv_row, ""},
    {"json", json_row, "\n]\n"}, {"jsonl", jsonl_row, ""},
};

const char *bench_format(const struct args *args)
{
    return args->bench.format ? args->bench.format : args->json ? "json" : "table";
}

/* The parser has checked the name. */
static const struct format *find_format(const struct args *args)
{
    const struct format *f = formats;

    while (strcmp(f->name, bench_format(args)) != 0)
        f++;
    return f;
}

/* ---- The command ----------------------------------------------------------------------------- */

/* Set model_bytes, and model_type: "bitnet-b1.58 2.4B I2_S", the type of the largest linear. */
static void describe_model(struct bench *b)
{
    const char *type = "?";
    const double n_params = (double)b->info.n_params;
    uint64_t most = 0;

    for (size_t i = 0; i < trit_file_n_tensors(b->o.file); i++) {
        const struct trit_tensor_info t = trit_file_tensor(b->o.file, i);
        const uint64_t n = t.dims[0] * t.dims[1];
        b->model_bytes += t.n_bytes;
        if (n > most && t.dims[1] > 1 && t.name.len > 4 && memcmp(t.name.bytes, "blk.", 4) == 0) {
            most = n;
            type = t.type_name;
        }
    }
    snprintf(b->model_type, sizeof b->model_type, "%s %.1f%s %s", b->info.arch,
             n_params * (n_params < 1e8 ? 1e-6 : 1e-9), n_params < 1e8 ? "M" : "B", type);
}

/* Open a session for all rows with n_threads. */
static int open_for(struct bench *b, int n_threads, int n_ctx)
{
    struct trit_session_options opt;
    struct layer_list skip;
    struct trit_error err;
    uint64_t bytes;

    session_options(&opt, &b->args->compute, b->o.model);
    const int code = plan_layers(&opt, &skip, b->args, b->o.model);
    if (code)
        return code;
    trit_session_close(&b->o.session);
    b->kv = opt.kv;
    if (opt.n_ctx && opt.n_ctx < n_ctx)
        return usage_error("-c %d is too small; the largest test needs %d tokens", opt.n_ctx,
                           n_ctx);
    opt.n_threads = n_threads;
    opt.n_ctx = opt.n_ctx ? opt.n_ctx : n_ctx;
    if (trit_session_bytes(&bytes, b->o.model, &opt, &err))
        return report_session(&err, b->o.model);
    if (!b->args->quiet)
        fprintf(stderr, "context of %d%s: %.0f MB, repacked weights: %.0f MB, file: %.0f MB\n",
                opt.n_ctx,
                opt.n_ctx > b->info.n_ctx ? " (more than the model was trained for)" : "",
                (double)bytes * 1e-6, (double)b->info.repacked_bytes * 1e-6,
                (double)trit_file_size(b->o.file) * 1e-6);
    if (trit_session_open(&b->o.session, b->o.model, &opt, &err))
        return report_session(&err, b->o.model);
    if (!b->args->quiet)
        note_threads(n_threads);
    watch_interrupts(b->o.session);
    return set_exits(b->o.session, &b->args->layers);
}

static int run_row(struct bench *b, struct bench_row r, const int32_t *tokens)
{
    const size_t size = sizeof r.test.text;
    int n = snprintf(r.test.text, size, r.n_prompt ? "pp%d" : "tg%d",
                     r.n_prompt ? r.n_prompt : r.n_gen);

    if (r.n_sequences > 1)
        n += snprintf(r.test.text + n, size - (size_t)n, " x%d", r.n_sequences);
    if (r.n_depth)
        snprintf(r.test.text + n, size - (size_t)n, " @ d%d", r.n_depth);
    const int code = measure_row(b, &r, tokens);
    if (code)
        return code;
    r.old_avg = baseline_find(&b->old, b->model_type, r.test.text, r.n_threads);
    b->format->row(b, &r);
    b->n_rows++;
    return finish_stdout();
}

static int run_all(struct bench *b)
{
    const int n_prompt = largest(&b->prompts), n_gen = largest(&b->gens);
    const int n_ctx = (n_prompt > n_gen ? n_prompt : n_gen) + largest(&b->depths);
    int32_t *tokens = malloc((size_t)n_ctx * sizeof *tokens);
    int code = tokens ? EXIT_DONE : out_of_memory();

    if (!code)
        random_tokens(tokens, n_ctx, b->info.n_vocab);
    for (int t = 0; t < b->threads.n && !code; t++) {
        const int threads = b->threads.items[t];
        code = open_for(b, threads, n_ctx);
        for (int d = 0; d < b->depths.n && !code; d++) {
            struct bench_row r = {
                .n_threads = threads, .n_depth = b->depths.items[d], .n_sequences = 1};
            for (int i = 0; i < b->prompts.n && !code; i++)
                if ((r.n_prompt = b->prompts.items[i]))
                    code = run_row(b, r, tokens);
            r.n_prompt = 0;
            for (int i = 0; i < b->gens.n * b->sequences.n && !code; i++) {
                r.n_sequences = b->sequences.items[i % b->sequences.n];
                if ((r.n_gen = b->gens.items[i / b->sequences.n]))
                    code = run_row(b, r, tokens);
            }
        }
    }
    free(tokens);
    if (b->n_rows)
        fputs(b->format->end, stdout);
    return code ? code : finish_stdout();
}

static int parse_lists(struct bench *b)
{
    const struct bench_args *a = &b->args->bench;
    char default_threads[16];
    int code;

    snprintf(default_threads, sizeof default_threads, "%d", trit_threads_default());
    if ((code = parse_numbers(&b->prompts, a->n_prompts, "512", "-p", 0, 1 << 20)) ||
        (code = parse_numbers(&b->gens, a->n_gens, "128", "-n", 0, 1 << 20)) ||
        (code = parse_numbers(&b->depths, a->n_depths, "0", "-d", 0, 1 << 20)) ||
        (code =
             parse_numbers(&b->sequences, a->n_sequences, "1", "--sequences", 1, MAX_SEQUENCES)) ||
        (code = parse_numbers(&b->threads, a->n_threads, default_threads, "-t", 1, 512)))
        return code;
    if (!largest(&b->prompts) && !largest(&b->gens))
        return usage_error("nothing to measure: -p and -n are both 0");
    return EXIT_DONE;
}

/* Limit a default length to what fits the model. */
static void fit_default(struct list *l, const char *given, int32_t most)
{
    if (!given && l->items[0] > most)
        l->items[0] = most;
}

int bench_main(const struct args *args)
{
    struct bench b = {
        .args = args,
        .format = find_format(args),
        .progress = show_progress(args->quiet),
        .bars = is_lively(STDOUT_FILENO),
    };
    int code = parse_lists(&b);

    if (!code && args->layers.exit_sweep)
        return exit_sweep(args, largest(&b.gens) ? largest(&b.gens) : 1, largest(&b.threads));
    if (!code && args->bench.compare)
        code = baseline_open(&b.old, args->bench.compare);
    if (!code)
        code = open_model(&b.o, &args->model);
    if (!code) {
        trit_model_get_info(b.o.model, &b.info);
        trit_machine_get_info(&b.machine);
        fit_default(&b.prompts, args->bench.n_prompts, b.info.max_ctx);
        fit_default(&b.gens, args->bench.n_gens, b.info.max_ctx);
        describe_model(&b);
        if (args->bench.compare)
            baseline_choose_model(&b.old, b.model_type, args->quiet);
        code = run_all(&b);
    }
    baseline_close(&b.old);
    close_all(&b.o);
    return code;
}
