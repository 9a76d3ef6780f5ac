/* cmd_bench.c - trit bench: how fast a model runs here, each figure beside its limit.
 *
 * A row is a prompt of p tokens (logits of the last one only) or the generation of n tokens, one
 * after the other, both at a depth of d tokens that are there before; tokens are random and nothing
 * is sampled. Right before and after every sample the limit is measured in the same process with
 * the same threads: for generation the reading of the same weights, for prompts the integer
 * multiply-adds of the instruction set in use. Whatever else the machine does then slows both. */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baseline.h"
#include "clock.h"
#include "commands.h"
#include "exit_sweep.h"
#include "hardware.h"
#include "input.h"
#include "interrupt.h"
#include "json_write.h"
#include "layers.h"
#include "open.h"
#include "report.h"
#include "status.h"

static const double read_probe_ms = 120, macs_probe_ms = 40, fmas_probe_ms = 20;

enum { MAX_LIST = 64, MAX_REPEATS = 1000, WARM_UP = 4 };

struct list {
    int items[MAX_LIST], n;
};

struct bench_row {
    int n_threads, n_prompt, n_gen, n_depth; /* n_prompt or n_gen is 0 */
    double samples[MAX_REPEATS];             /* tokens/s */
    int n_samples;
    double avg, stddev;
    double limit;   /* GB/s or GMAC/s that the machine can do */
    double reached; /* of the same */
    double fmas;    /* prompts: 10^9 multiply-adds of floats a second that it can do */
    double old_avg; /* of the baseline; NAN: none */
    struct walks walks;
};

struct bench {
    const struct args *args;
    struct opened o;
    struct trit_model_info info;
    trit_kv_type kv;
    uint64_t model_bytes;
    char model_type[96];
    struct trit_machine_info machine;
    const struct format *format;
    struct baseline old; /* what --compare gives */
    bool progress, bars; /* to be shown */
    int n_rows;          /* printed so far */
};

/* "pp512", "tg128 @ d2048" */
struct name {
    char text[48];
};

static struct name test_name(const struct bench_row *r)
{
    struct name name;
    const int n = snprintf(name.text, sizeof name.text, r->n_prompt ? "pp%d" : "tg%d",
                           r->n_prompt ? r->n_prompt : r->n_gen);
    if (r->n_depth)
        snprintf(name.text + n, sizeof name.text - (size_t)n, " @ d%d", r->n_depth);
    return name;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

/* Numbers lo..hi separated by commas. */
static int parse_numbers(struct list *out, const char *text, const char *option, int lo, int hi)
{
    out->n = 0;
    for (const char *p = text;;) {
        char *end;
        const long x = strtol(p, &end, 10);
        if (!is_plain_number(p, ",") || end == p || (*end && *end != ','))
            return usage_error("%s wants numbers such as 128,512; found '%.20s'", option, p);
        if (x < lo || x > hi)
            return usage_error("%s %ld is out of range; possible is %d to %d", option, x, lo, hi);
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

/* Bytes that a token of the row has to read: the weights of the layers that it passes, and the keys
 * and values that are there, on the average of the tokens. */
static double bytes_per_token(const struct bench *b, const struct bench_row *r)
{
    const struct trit_model_info *m = &b->info;
    const double n = r->n_prompt ? r->n_prompt : r->n_gen;
    const double bytes = b->kv == TRIT_KV_TYPE_F32   ? 4.0 * m->head_dim
                         : b->kv == TRIT_KV_TYPE_F16 ? 2.0 * m->head_dim
                                                     : 1.0 * m->head_dim + 4.0;
    const double n_layer = trit_session_n_active(b->o.session);
    const double rows = 2.0 * n_layer * m->n_head_kv * (r->n_depth + (n + 1) / 2);
    return (double)trit_session_token_bytes(b->o.session) + rows * bytes;
}

static uint64_t random_bits(uint64_t *state) /* xorshift64 (Marsaglia) */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void random_tokens(int32_t *tokens, int n, int32_t n_vocab)
{
    uint64_t state = 0x9e3779b97f4a7c15u;
    for (int i = 0; i < n; i++)
        tokens[i] = (int32_t)(random_bits(&state) >> 33) % n_vocab;
}

/* Between measurements: which is going on. */
static void show_sample(const struct bench *b, const struct bench_row *r)
{
    if (b->progress)
        show_status("%s, %d thread%s: %d of %d", test_name(r).text, r->n_threads,
                    r->n_threads == 1 ? "" : "s", r->n_samples + 1, b->args->bench.repeats);
}

static int evaluate(const struct bench *b, const int32_t *tokens, int n)
{
    struct trit_error err;
    const trit_status status = trit_session_eval(b->o.session, tokens, n, NULL, NULL, &err);
    return !status ? EXIT_DONE : status == TRIT_E_CANCELLED ? EXIT_INTERRUPTED : report(&err);
}

/* What a row measures, once: the n tokens after those of the depth. */
static int run_once(const struct bench *b, const struct bench_row *r, const int32_t *tokens, int n)
{
    int code = EXIT_DONE;

    trit_session_rewind(b->o.session, r->n_depth);
    if (r->n_prompt)
        return evaluate(b, tokens + r->n_depth, n);
    for (int i = 0; i < n && !code; i++)
        code = evaluate(b, tokens + r->n_depth + i, 1);
    return code;
}

static double probe_limit(const struct bench *b, const struct bench_row *r)
{
    return r->n_prompt ? trit_session_measure_macs(b->o.session, macs_probe_ms)
                       : trit_session_measure_read(b->o.session, read_probe_ms);
}

static double probe_limit_fmas(const struct bench *b, const struct bench_row *r)
{
    return r->n_prompt ? trit_session_measure_fmas(b->o.session, fmas_probe_ms) : 0;
}

static void summarise(struct bench_row *r, const struct bench *b, double limit)
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

static int measure_row(const struct bench *b, struct bench_row *r, const int32_t *tokens)
{
    const int n = r->n_prompt ? r->n_prompt : r->n_gen;
    double limits = 0, fmas = 0;
    int code = EXIT_DONE;
    bool probed = true;

    show_sample(b, r);
    trit_session_rewind(b->o.session, 0);
    if (r->n_depth)
        code = evaluate(b, tokens, r->n_depth);
    if (!code) /* to warm up, and to find how weights are best read */
        code = run_once(b, r, tokens, r->n_prompt || n < WARM_UP ? n : WARM_UP);
    for (int i = 0; i < b->args->bench.repeats && !code; i++) {
        show_sample(b, r);
        const double before = probe_limit(b, r);
        const double start = now_ms();
        code = run_once(b, r, tokens, n);
        r->samples[i] = n / (now_ms() - start) * 1e3;
        r->n_samples++;
        const double after = probe_limit(b, r);
        probed = probed && before > 0 && after > 0;
        limits += before + after;
        fmas += probe_limit_fmas(b, r);
    }
    clear_status();
    if (!code && interrupted())
        code = EXIT_INTERRUPTED;
    if (!code && !probed)
        code = out_of_memory();
    if (!code)
        summarise(r, b, limits / (2 * r->n_samples));
    r->fmas = r->n_samples ? fmas / r->n_samples : 0;
    return code;
}

/* ---- Printing -------------------------------------------------------------------------------- */

static const char *unit(const struct bench_row *r)
{
    return r->n_prompt ? "GMAC/s" : "GB/s read";
}

/* A size or a count: "1.18 GB", "4.8 MB"; the unit is one of two words. */
struct amount {
    double value;
    int digits;
    const char *unit;
};

static struct amount amount_of(double x, double thousand, const char *millions,
                               const char *billions)
{
    const double million = thousand * thousand;

    if (x < 100 * million)
        return (struct amount){x / million, 1, millions};
    return (struct amount){x / (million * thousand), 2, billions};
}

static void table_begin(const struct bench *b)
{
    const struct amount size = amount_of((double)b->model_bytes, 1000, "MB", "GB");
    const struct amount n = amount_of((double)b->info.n_params, 1000, "M", "B");

    print_cpu(&b->machine);
    printf("%s · %.*f %s · %.*f %s parameters · %s\n\n", b->model_type, size.digits, size.value,
           size.unit, n.digits, n.value, n.unit, trit_session_isa(b->o.session));
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
    printf("%7d  %-16s %9.2f ± %5.2f   ", r->n_threads, test_name(r).text, r->avg, r->stddev);
    if (b->old.path)
        printf("%7s   ", ratio(r).text);
    if (b->bars)
        print_bar(r->reached / r->limit, 10);
    printf("%3.0f %% of %.1f %s", 100 * r->reached / r->limit, r->limit, unit(r));
    printf(r->n_gen && r->walks.text[0] ? "   %s\n" : "\n", r->walks.text);
}

static void md_begin(const struct bench *b)
{
    const bool old = b->old.path != NULL;
    printf("| model | size | params | isa | threads | test | t/s |%s of the limit |\n"
           "| --- | ---: | ---: | --- | ---: | ---: | ---: |%s ---: |\n",
           old ? " new/old |" : "", old ? " ---: |" : "");
}

static void md_row(const struct bench *b, const struct bench_row *r)
{
    const struct amount size = amount_of((double)b->model_bytes, 1024, "MiB", "GiB");
    const struct amount n = amount_of((double)b->info.n_params, 1000, "M", "B");

    printf("| %s | %.*f %s | %.*f %s | %s | %d | %s | %.2f ± %.2f |", b->model_type, size.digits,
           size.value, size.unit, n.digits, n.value, n.unit, trit_session_isa(b->o.session),
           r->n_threads, test_name(r).text, r->avg, r->stddev);
    if (b->old.path)
        printf(" %s |", ratio(r).text);
    printf(" %.0f %% of %.1f %s |\n", 100 * r->reached / r->limit, r->limit, unit(r));
}

/* The fields of csv and JSON, in the order of the csv. */
enum field_kind { TEXT, NUMBER, SAMPLES };

struct bench_field {
    const char *name;
    enum field_kind kind;
    const char *text;
    double number;
};

enum { N_OLD_FIELDS = 2, N_FIELDS = 29 + N_OLD_FIELDS };

/* The last ones are there where something is compared. */
static int n_fields(const struct bench *b)
{
    return b->old.path ? N_FIELDS : N_FIELDS - N_OLD_FIELDS;
}

static void fields_of(struct bench_field f[N_FIELDS], const struct bench *b,
                      const struct bench_row *r, const struct name *test)
{
    const bool pp = r->n_prompt > 0;
    const struct bench_field all[N_FIELDS] = {
        {"model_filename", TEXT, b->args->model.path, 0},
        {"model_type", TEXT, b->model_type, 0},
        {"model_size", NUMBER, NULL, (double)b->model_bytes},
        {"model_n_params", NUMBER, NULL, (double)b->info.n_params},
        {"isa", TEXT, trit_session_isa(b->o.session), 0},
        {"n_threads", NUMBER, NULL, r->n_threads},
        {"n_prompt", NUMBER, NULL, r->n_prompt},
        {"n_gen", NUMBER, NULL, r->n_gen},
        {"n_depth", NUMBER, NULL, r->n_depth},
        {"test", TEXT, test->text, 0},
        {"avg_ts", NUMBER, NULL, r->avg},
        {"stddev_ts", NUMBER, NULL, r->stddev},
        {"samples_ts", SAMPLES, NULL, 0},
        {"bytes_per_token", NUMBER, NULL, bytes_per_token(b, r)},
        {"gbps", NUMBER, NULL, pp ? NAN : r->reached},
        {"read_gbps", NUMBER, NULL, pp ? NAN : r->limit},
        {"gmacs", NUMBER, NULL, pp ? r->reached : NAN},
        {"peak_gmacs", NUMBER, NULL, pp ? r->limit : NAN},
        {"efficiency", NUMBER, NULL, r->reached / r->limit},
        {"peak_gfmas", NUMBER, NULL, pp ? r->fmas : NAN},
        {"trit_version", TEXT, trit_version(), 0},
        {"walks", TEXT, r->walks.text, 0},
        {"cpu", TEXT, b->machine.cpu, 0},
        {"cpu_model", TEXT, b->machine.cpu_model, 0},
        {"l1d_bytes", NUMBER, NULL, (double)b->machine.l1d_bytes},
        {"l2_bytes", NUMBER, NULL, (double)b->machine.l2_bytes},
        {"l3_bytes", NUMBER, NULL, (double)b->machine.l3_bytes},
        {"n_cores", NUMBER, NULL, b->machine.n_cores},
        {"cpu_limit", NUMBER, NULL, b->machine.cpu_limit},
        {"old_ts", NUMBER, NULL, r->old_avg},
        {"ratio", NUMBER, NULL, r->avg / r->old_avg},
    };
    memcpy(f, all, sizeof all);
}

static void csv_begin(const struct bench *b)
{
    const struct bench_row none = {.n_gen = 1};
    const struct name no_name = {""};
    struct bench_field f[N_FIELDS];
    int n = 0;

    fields_of(f, b, &none, &no_name);
    for (int i = 0; i < n_fields(b); i++)
        if (f[i].kind != SAMPLES)
            printf("%s%s", n++ ? "," : "", f[i].name);
    putchar('\n');
}

/* In quotes, inner ones doubled (RFC 4180). */
static void csv_string(const char *text)
{
    putchar('"');
    for (; *text; text++)
        printf(*text == '"' ? "\"\"" : "%c", *text);
    putchar('"');
}

static void csv_row(const struct bench *b, const struct bench_row *r)
{
    const struct name test = test_name(r);
    struct bench_field f[N_FIELDS];
    int n = 0;

    fields_of(f, b, r, &test);
    for (int i = 0; i < n_fields(b); i++) {
        if (f[i].kind == SAMPLES)
            continue;
        if (n++)
            putchar(',');
        if (f[i].kind == TEXT)
            csv_string(f[i].text);
        else if (isfinite(f[i].number))
            json_number(stdout, f[i].number);
    }
    putchar('\n');
}

static void json_samples(const struct bench_row *r)
{
    putchar('[');
    for (int i = 0; i < r->n_samples; i++) {
        fputs(i ? "," : "", stdout);
        json_number(stdout, r->samples[i]);
    }
    putchar(']');
}

static void json_object(const struct bench *b, const struct bench_row *r)
{
    const struct name test = test_name(r);
    struct bench_field f[N_FIELDS];

    fields_of(f, b, r, &test);
    for (int i = 0; i < n_fields(b); i++) {
        printf("%s\"%s\":", i ? "," : "{", f[i].name);
        if (f[i].kind == TEXT)
            json_string(stdout, f[i].text, strlen(f[i].text));
        else if (f[i].kind == SAMPLES)
            json_samples(r);
        else
            json_number(stdout, f[i].number);
    }
    putchar('}');
}

static void json_begin(const struct bench *b)
{
    (void)b;
    fputs("[\n", stdout);
}

static void json_row(const struct bench *b, const struct bench_row *r)
{
    fputs(b->n_rows ? ",\n" : "", stdout);
    json_object(b, r);
}

static void json_end(const struct bench *b)
{
    (void)b;
    fputs("\n]\n", stdout);
}

static void jsonl_row(const struct bench *b, const struct bench_row *r)
{
    json_object(b, r);
    putchar('\n');
}

static void nothing(const struct bench *b)
{
    (void)b;
}

static const struct format {
    const char *name;
    void (*begin)(const struct bench *b);
    void (*row)(const struct bench *b, const struct bench_row *r);
    void (*end)(const struct bench *b);
} formats[] = {
    {"table", table_begin, table_row, nothing}, {"md", md_begin, md_row, nothing},
    {"csv", csv_begin, csv_row, nothing},       {"json", json_begin, json_row, json_end},
    {"jsonl", nothing, jsonl_row, nothing},
};

static int find_format(const struct format **out, const struct args *args)
{
    const char *name = args->bench.format ? args->bench.format : args->json ? "json" : "table";

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        *out = &formats[i];
        if (strcmp(formats[i].name, name) == 0)
            return EXIT_DONE;
    }
    return usage_error("-o is md, csv, json or jsonl, not '%s'", name);
}

/* ---- The command ----------------------------------------------------------------------------- */

/* Bytes of the tensors; and "bitnet-b1.58 2.4B I2_S" by the type of the largest linear. */
static void describe_model(struct bench *b)
{
    const char *type = "?";
    uint64_t most = 0;
    struct amount params;

    for (size_t i = 0; i < trit_file_n_tensors(b->o.file); i++) {
        const struct trit_tensor_info t = trit_file_tensor(b->o.file, i);
        const uint64_t n = t.dims[0] * t.dims[1];
        b->model_bytes += t.n_bytes;
        if (n > most && t.dims[1] > 1 && t.name.len > 4 && memcmp(t.name.bytes, "blk.", 4) == 0) {
            most = n;
            type = t.type_name;
        }
    }
    params = amount_of((double)b->info.n_params, 1000, "M", "B");
    snprintf(b->model_type, sizeof b->model_type, "%s %.1f%s %s", b->info.arch, params.value,
             params.unit, type);
}

/* A session for all rows with that many threads. */
static int open_for(struct bench *b, int n_threads, int n_ctx)
{
    struct trit_session_options opt;
    struct layer_list skip;
    struct trit_error err;
    uint64_t bytes;

    session_options(&opt, &b->args->compute);
    const int code = plan_layers(&opt, &skip, b->args, b->o.model);
    if (code)
        return code;
    trit_session_close(&b->o.session);
    b->kv = opt.kv;
    if (opt.n_ctx && opt.n_ctx < n_ctx)
        return usage_error("-c %d is too small: the largest test takes %d positions", opt.n_ctx,
                           n_ctx);
    opt.n_threads = n_threads;
    opt.n_ctx = opt.n_ctx ? opt.n_ctx : n_ctx;
    if (trit_session_bytes(&bytes, b->o.model, &opt, &err))
        return report_session(&err, b->o.model);
    if (!b->args->quiet)
        fprintf(stderr, "context of %d%s: %.0f MB, repacked weights: %.0f MB, file: %.0f MB\n",
                opt.n_ctx, opt.n_ctx > b->info.n_ctx ? " (more than it was trained for)" : "",
                (double)bytes * 1e-6, (double)b->info.repacked_bytes * 1e-6,
                (double)trit_file_size(b->o.file) * 1e-6);
    if (trit_session_open(&b->o.session, b->o.model, &opt, &err))
        return report_session(&err, b->o.model);
    if (!b->args->quiet)
        note_threads(n_threads);
    watch_interrupts(b->o.session);
    return set_exits(b->o.session, &b->args->layers);
}

static struct bench_row one_row(int n_threads, int n_prompt, int n_gen, int n_depth)
{
    return (struct bench_row){
        .n_threads = n_threads, .n_prompt = n_prompt, .n_gen = n_gen, .n_depth = n_depth};
}

static int run_row(struct bench *b, struct bench_row r, const int32_t *tokens)
{
    int code = measure_row(b, &r, tokens);

    if (code)
        return code;
    r.old_avg = baseline_find(&b->old, b->model_type, test_name(&r).text, r.n_threads);
    if (!b->n_rows)
        b->format->begin(b);
    b->format->row(b, &r);
    b->n_rows++;
    return finish_stdout();
}

struct plan {
    struct list prompts, gens, depths, threads;
};

static int run_all(struct bench *b, const struct plan *p)
{
    const int longest =
        largest(&p->prompts) > largest(&p->gens) ? largest(&p->prompts) : largest(&p->gens);
    const int n_ctx = longest + largest(&p->depths);
    int32_t *tokens = malloc((size_t)n_ctx * sizeof *tokens);
    int code = tokens ? EXIT_DONE : out_of_memory();

    if (!code)
        random_tokens(tokens, n_ctx, b->info.n_vocab);
    for (int t = 0; t < p->threads.n && !code; t++) {
        const int threads = p->threads.items[t];
        code = open_for(b, threads, n_ctx);
        for (int d = 0; d < p->depths.n && !code; d++) {
            const int depth = p->depths.items[d];
            for (int i = 0; i < p->prompts.n && !code; i++)
                if (p->prompts.items[i])
                    code = run_row(b, one_row(threads, p->prompts.items[i], 0, depth), tokens);
            for (int i = 0; i < p->gens.n && !code; i++)
                if (p->gens.items[i])
                    code = run_row(b, one_row(threads, 0, p->gens.items[i], depth), tokens);
        }
    }
    free(tokens);
    if (b->n_rows)
        b->format->end(b);
    return code ? code : finish_stdout();
}

static int parse_plan(struct plan *p, const struct args *args)
{
    char default_threads[16];
    int code;

    snprintf(default_threads, sizeof default_threads, "%d", trit_threads_default());
    if ((code = parse_numbers(&p->prompts, args->bench.n_prompts ? args->bench.n_prompts : "512",
                              "-p", 0, 1 << 20)) ||
        (code = parse_numbers(&p->gens, args->bench.n_gens ? args->bench.n_gens : "128", "-n", 0,
                              1 << 20)) ||
        (code = parse_numbers(&p->depths, args->bench.n_depths ? args->bench.n_depths : "0", "-d",
                              0, 1 << 20)) ||
        (code = parse_numbers(&p->threads,
                              args->bench.n_threads ? args->bench.n_threads : default_threads, "-t",
                              1, 512)))
        return code;
    if (!largest(&p->prompts) && !largest(&p->gens))
        return usage_error("nothing to measure: -p and -n are both 0");
    return EXIT_DONE;
}

/* What nobody asked for must fit the model. */
static void fit_defaults(struct plan *p, const struct bench *b)
{
    const int32_t most = b->info.max_ctx;

    if (!b->args->bench.n_prompts && p->prompts.items[0] > most)
        p->prompts.items[0] = most;
    if (!b->args->bench.n_gens && p->gens.items[0] > most)
        p->gens.items[0] = most;
}

int bench_main(const struct args *args)
{
    struct bench b = {
        .args = args, .progress = show_progress(args->quiet), .bars = is_lively(STDOUT_FILENO)};
    struct plan plan;
    int code = parse_plan(&plan, args);

    if (!code && args->layers.exit_sweep)
        return exit_sweep(args, largest(&plan.gens) ? largest(&plan.gens) : 1,
                          largest(&plan.threads));
    if (!code)
        code = find_format(&b.format, args);
    if (!code && args->bench.compare)
        code = baseline_open(&b.old, args->bench.compare);
    if (!code)
        code = open_model(&b.o, &args->model);
    if (!code) {
        trit_model_info(b.o.model, &b.info);
        trit_machine_info(&b.machine);
        fit_defaults(&plan, &b);
        describe_model(&b);
        if (args->bench.compare)
            baseline_choose_model(&b.old, b.model_type, args->quiet);
        code = run_all(&b, &plan);
    }
    baseline_close(&b.old);
    close_all(&b.o);
    return code;
}
