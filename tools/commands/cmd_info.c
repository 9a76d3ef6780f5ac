/* cmd_info.c - trit info: describe a model file, or what this CPU can run. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "commands.h"
#include "fields.h"
#include "hardware.h"
#include "json_write.h"
#include "open.h"
#include "options.h"
#include "plain_text.h"
#include "report.h"
#include "status.h"
#include "trit_tools.h"

enum { MAX_ITEMS = 8, MAX_TEXT = 160 }; /* for metadata, without --json */

static double mib(uint64_t bytes)
{
    return (double)bytes / 0x1p20;
}

/* ---- The machine ----------------------------------------------------------------------------- */

/* Print the kernels used with isa (NULL: the best), grouped by the row they come from. */
static void print_operations(const char *isa)
{
    struct trit_isa_info row;
    struct trit_operation_info op;

    printf("kernels  from each instruction set, with %s\n", isa ? isa : trit_isa_default());
    for (int r = 0; trit_isa_at(r, &row); r++) {
        int column = 0;
        for (int i = 0; trit_operation_at(i, isa, &op); i++) {
            if (strcmp(op.isa, row.name) != 0)
                continue;
            if (column > 70) {
                printf("\n          ");
                column = 0;
            } else if (!column) {
                printf("  %-8s", row.name);
            }
            column += printf(" %s", op.name);
        }
        if (column)
            putchar('\n');
    }
}

static void print_operations_json(const char *isa)
{
    struct trit_operation_info op;
    for (int i = 0; trit_operation_at(i, isa, &op); i++)
        printf("%s\"%s\":\"%s\"", i ? "," : ",\"kernels\":{", op.name, op.isa);
    printf("}");
}

static void print_isas(bool json)
{
    struct trit_isa_info isa;

    for (int i = 0; trit_isa_at(i, &isa); i++)
        if (json)
            printf("%s{\"name\":\"%s\",\"built\":%s,\"usable\":%s}", i ? "," : "", isa.name,
                   isa.built ? "true" : "false", isa.usable ? "true" : "false");
        else
            printf("  %-8s %s\n", isa.name,
                   isa.usable  ? "usable"
                   : isa.built ? "this CPU lacks it"
                               : "not in this build");
}

static void print_walks(bool json)
{
    struct trit_walk_info walk;

    for (int i = 0; trit_walk_at(i, &walk); i++)
        if (json)
            printf("%s\"%s\"", i ? "," : "", walk.name);
        else
            printf("  %-8s %s\n", walk.name, walk.note);
}

/* Print the default number of threads and the memory, each with its limit. */
static void print_limits(const struct trit_machine_info *m)
{
    printf("threads  %d (", trit_threads_default());
    if (m->cpu_limit < m->n_cores) {
        plain_text(stdout, m->cpu_limit_from, strlen(m->cpu_limit_from));
        printf(" allows %g CPUs; %d physical performance cores)\n", m->cpu_limit, m->n_cores);
    } else
        printf("physical performance cores)\n");
    if (m->memory_limit < m->memory_bytes) {
        printf("memory   %.1f GB (", (double)m->memory_limit * 1e-9);
        plain_text(stdout, m->memory_limit_from, strlen(m->memory_limit_from));
        printf("), of %.1f GB\n", (double)m->memory_bytes * 1e-9);
    } else if (m->memory_bytes)
        printf("memory   %.1f GB\n", (double)m->memory_bytes * 1e-9);
}

static void print_machine_json(const struct trit_machine_info *m)
{
    fputs(",\"cpu\":", stdout);
    json_string(stdout, m->cpu, strlen(m->cpu));
    fputs(",\"cpu_model\":", stdout);
    json_string(stdout, m->cpu_model, strlen(m->cpu_model));
    printf(",\"l1d_bytes\":%zu,\"l2_bytes\":%zu,\"l3_bytes\":%zu,\"cores\":%d,\"cpu_limit\":",
           m->l1d_bytes, m->l2_bytes, m->l3_bytes, m->n_cores);
    json_number(stdout, m->cpu_limit);
    fputs(",\"cpu_limit_from\":", stdout);
    json_string(stdout, m->cpu_limit_from, strlen(m->cpu_limit_from));
    printf(",\"memory_bytes\":%llu,\"memory_limit\":", (unsigned long long)m->memory_bytes);
    if (m->memory_limit == UINT64_MAX)
        fputs("null", stdout);
    else
        printf("%llu", (unsigned long long)m->memory_limit);
    fputs(",\"memory_limit_from\":", stdout);
    json_string(stdout, m->memory_limit_from, strlen(m->memory_limit_from));
    fputs(",\"walks\":[", stdout);
    print_walks(true);
    putchar(']');
}

static int print_machine(const struct args *args)
{
    const char *isa = args->compute.isa ? args->compute.isa : trit_isa_default();
    struct trit_isa_info row = {0};
    struct trit_machine_info machine;
    const char *value;
    size_t n_bytes;

    trit_machine_get_info(&machine);
    if (cli_check_choice(find_option("--isa", CMD_INFO, &value), isa))
        return EXIT_USAGE;
    for (int i = 0; trit_isa_at(i, &row) && strcmp(row.name, isa) != 0; i++)
        ;
    if (!row.usable) {
        return report_text(EXIT_UNSUPPORTED, "%s '%s' kernels",
                           row.built ? "this CPU cannot run the" : "this build does not have the",
                           isa);
    }
    if (args->json) {
        printf("{\"version\":\"%s\",\"threads\":%d,\"isa\":\"%s\",\"isas\":[", trit_version(),
               trit_threads_default(), isa);
        print_isas(true);
        putchar(']');
        print_operations_json(isa);
        print_machine_json(&machine);
        puts("}");
        return finish_stdout();
    }
    if (built_in_model(&n_bytes))
        printf("model    built-in, %.1f MiB; trit info -m built-in\n", mib(n_bytes));
    printf("cpu      ");
    print_cpu(&machine);
    print_limits(&machine);
    printf("isa      %s\n", isa);
    print_isas(false);
    printf("walks    ways to read the weights for a generated token: chosen by measurement, or by "
           "--walk\n");
    print_walks(false);
    print_operations(isa);
    return finish_stdout();
}

/* ---- Metadata and tensors -------------------------------------------------------------------- */

struct printer {
    bool json;
    uint64_t n; /* items so far */
};

static void print_name(struct trit_string s, int width)
{
    printf("  ");
    plain_string(stdout, s.bytes, s.len);
    if ((int)s.len < width)
        printf("%*s", width - (int)s.len, "");
}

static bool print_value(void *user, const struct trit_value *v)
{
    struct printer *p = user;

    if (!p->json && p->n == MAX_ITEMS) {
        printf(", …");
        return false;
    }
    if (p->n++)
        printf(p->json ? "," : ", ");
    switch (v->type) {
    case TRIT_VALUE_STRING:
        json_string(stdout, v->s.bytes, p->json || v->s.len < MAX_TEXT ? v->s.len : MAX_TEXT);
        if (!p->json && v->s.len > MAX_TEXT)
            printf("…");
        break;
    case TRIT_VALUE_F32:
        json_number(stdout, v->f);
        break;
    case TRIT_VALUE_F64:
        json_exact(stdout, v->f);
        break;
    case TRIT_VALUE_BOOL:
        printf(v->u ? "true" : "false");
        break;
    case TRIT_VALUE_I8:
    case TRIT_VALUE_I16:
    case TRIT_VALUE_I32:
    case TRIT_VALUE_I64:
        printf("%lld", (long long)v->i);
        break;
    default:
        printf("%llu", (unsigned long long)v->u);
    }
    return true;
}

static void print_metadata(const trit_file *f, bool json)
{
    for (size_t i = 0; i < trit_file_n_metadata(f); i++) {
        const struct trit_metadata m = trit_file_metadata(f, i);
        const bool array = m.type == TRIT_VALUE_ARRAY;
        struct printer p = {.json = json};
        if (json && i)
            putchar(',');
        if (json)
            json_string(stdout, m.key.bytes, m.key.len);
        else
            print_name(m.key, 0);
        if (json)
            printf(array ? ":[" : ":");
        else
            printf(array ? " = [%llu] " : " = ", (unsigned long long)m.n_items);
        trit_file_values(f, i, print_value, &p);
        printf(json ? (array ? "]" : "") : "\n");
    }
}

static bool print_whole_string(void *user, const struct trit_value *v)
{
    const bool *json = user;
    if (*json && v->type == TRIT_VALUE_STRING)
        json_string(stdout, v->s.bytes, v->s.len);
    else if (v->type == TRIT_VALUE_STRING)
        plain_text(stdout, v->s.bytes, v->s.len);
    return false;
}

/* The file's own chat template. */
static void print_template(const trit_file *f, bool json)
{
    const size_t i = trit_file_find_metadata(f, "tokenizer.chat_template");
    if (i == trit_file_n_metadata(f) || trit_file_metadata(f, i).type != TRIT_VALUE_STRING) {
        printf(json ? "null" : "  none in the file");
        return;
    }
    trit_file_values(f, i, print_whole_string, &json);
}

static void print_tensor_info(const struct trit_tensor_info *t,
                              const struct trit_tensor_stats *stats)
{
    print_name(t->name, 32);
    printf(" %-6s %10llu bytes  [", t->type_name, (unsigned long long)t->n_bytes);
    for (uint32_t d = 0; d < t->n_dims; d++)
        printf("%s%llu", d ? ", " : "", (unsigned long long)t->dims[d]);
    putchar(']');
    if (stats->ternary)
        printf("  scale %.4g · %.1f %% zero", (double)stats->scale,
               100 * (double)stats->n_zero / (double)stats->n);
    if (stats->n_invalid)
        printf(" · %llu invalid codes", (unsigned long long)stats->n_invalid);
    putchar('\n');
}

static void print_tensor_json(const struct trit_tensor_info *t,
                              const struct trit_tensor_stats *stats)
{
    printf("{\"name\":");
    json_string(stdout, t->name.bytes, t->name.len);
    printf(",\"type\":\"%s\",\"type_id\":%u,\"bytes\":%llu,\"shape\":[", t->type_name, t->type,
           (unsigned long long)t->n_bytes);
    for (uint32_t d = 0; d < t->n_dims; d++)
        printf("%s%llu", d ? "," : "", (unsigned long long)t->dims[d]);
    putchar(']');
    if (stats->ternary) {
        printf(",\"scale\":");
        json_number(stdout, (double)stats->scale);
        printf(",\"minus\":%llu,\"zero\":%llu,\"plus\":%llu,\"invalid\":%llu",
               (unsigned long long)stats->n_minus, (unsigned long long)stats->n_zero,
               (unsigned long long)stats->n_plus, (unsigned long long)stats->n_invalid);
    }
    putchar('}');
}

/* Ternary weights by layer; at most MAX_ROWS bars, each for one or more layers. */
enum { MAX_LAYERS = 1024, MAX_ROWS = 32 };

struct zeros {
    uint64_t n[MAX_LAYERS], zero[MAX_LAYERS];
    int n_layers;
};

static void add_zeros(struct zeros *z, struct trit_string name,
                      const struct trit_tensor_stats *stats)
{
    int layer = 0;
    size_t i = 4;

    if (!stats->ternary || name.len < 6 || memcmp(name.bytes, "blk.", 4) != 0)
        return;
    for (; i < name.len && name.bytes[i] >= '0' && name.bytes[i] <= '9' && layer < MAX_LAYERS; i++)
        layer = 10 * layer + (name.bytes[i] - '0');
    if (i == 4 || i == name.len || name.bytes[i] != '.' || layer >= MAX_LAYERS)
        return;
    z->n[layer] += stats->n;
    z->zero[layer] += stats->n_zero;
    z->n_layers = layer + 1 > z->n_layers ? layer + 1 : z->n_layers;
}

/* Fraction of zeros in layers begin..end-1. */
static double part_of(const struct zeros *z, int begin, int end)
{
    uint64_t n = 0, zero = 0;

    for (int i = begin; i < end; i++) {
        n += z->n[i];
        zero += z->zero[i];
    }
    return n ? (double)zero / (double)n : 0;
}

static void print_zeros(const struct zeros *z)
{
    const int at_once = (z->n_layers + MAX_ROWS - 1) / MAX_ROWS;
    const bool bars = is_lively(STDOUT_FILENO);

    if (!z->n_layers)
        return;
    printf("zeros among the ternary weights: %.1f %%\n", 100 * part_of(z, 0, z->n_layers));
    for (int first = 0; first < z->n_layers; first += at_once) {
        const int end = first + at_once < z->n_layers ? first + at_once : z->n_layers;
        const double part = part_of(z, first, end);
        int n = printf("  blk.%d", first);
        if (end - first > 1)
            n += printf("-%d", end - 1);
        printf("%*s", 15 - n, "");
        if (bars)
            print_bar(part, 40);
        printf("%5.1f %%\n", 100 * part);
    }
}

/* @return exit code, after a message */
static int print_tensors(const trit_file *f, bool json)
{
    struct zeros zeros = {.n_layers = 0};
    int code = EXIT_DONE;

    for (size_t i = 0; i < trit_file_n_tensors(f); i++) {
        const struct trit_tensor_info t = trit_file_tensor(f, i);
        struct trit_tensor_stats stats;
        struct trit_error err;
        if (trit_file_tensor_stats(f, i, &stats, &err) && !code)
            code = report(&err);
        add_zeros(&zeros, t.name, &stats);
        if (json && i)
            putchar(',');
        if (json)
            print_tensor_json(&t, &stats);
        else
            print_tensor_info(&t, &stats);
    }
    if (!json)
        print_zeros(&zeros);
    return code;
}

/* Print a note from the program that wrote the file. */
static bool print_note(void *user, const struct trit_value *v)
{
    struct printer *p = user;

    if (v->type != TRIT_VALUE_STRING)
        return false;
    if (p->json) {
        printf(p->n++ ? "," : "");
        json_string(stdout, v->s.bytes, v->s.len);
    } else {
        printf("%s", p->n++ ? "          " : "notes     ");
        plain_string(stdout, v->s.bytes, v->s.len);
        putchar('\n');
    }
    return true;
}

static void print_notes(const trit_file *f, bool json)
{
    const size_t i = trit_file_find_metadata(f, "trit.notes");
    struct printer p = {.json = json};

    if (i == trit_file_n_metadata(f))
        return;
    if (json)
        printf(",\"notes\":[");
    trit_file_values(f, i, print_note, &p);
    if (json)
        putchar(']');
}

/* ---- The model ------------------------------------------------------------------------------- */

static void print_model(const struct trit_model_info *m, uint64_t session_bytes)
{
    printf(
        "arch      %s · %d layers · width %d · %d heads of %d (%d KV) · FFN %d · vocabulary %d\n",
        m->arch, m->n_layer, m->n_embd, m->n_head, m->head_dim, m->n_head_kv, m->n_ff, m->n_vocab);
    printf("block     %s (%s) · %s%s · RoPE %s, base %g · norm eps %g · trained for %d positions\n",
           m->ffn_act, m->ffn_act_why, m->sub_norms ? "sub-norms" : "no sub-norms",
           m->linear_norms ? " · norms of linears" : "", m->rope_style, m->rope_base, m->norm_eps,
           m->n_ctx);
    printf("weights   %.1f M parameters, %.1f M of them ternary · embedding %s · head %s\n",
           (double)m->n_params * 1e-6, (double)m->n_ternary * 1e-6, m->embd_type,
           m->tied ? "tied to it" : m->head_type);
    printf(
        "memory    %.1f MiB for the context, %.1f MiB in addition to the file; %.1f MiB read per "
        "token\n",
        mib(session_bytes), mib(m->repacked_bytes), mib(m->token_bytes));
}

/* Print knobs that differ from most models, or that checkpoints of this family omit. */
static void print_knobs(const trit_model *model)
{
    struct trit_knob_info knob;
    int column = 0;

    for (int i = 0; trit_model_knob_at(model, i, &knob); i++) {
        if (!knob.notable)
            continue;
        if (!column || column > 75)
            column = printf(column ? "\n          " : "knobs     ");
        else
            column += printf(" ");
        column += printf("%s=%s", knob.name, knob.value);
    }
    if (column)
        putchar('\n');
}

static void print_knobs_json(const trit_model *model)
{
    struct trit_knob_info knob;

    for (int i = 0; trit_model_knob_at(model, i, &knob); i++)
        printf(knob.is_word ? "%s\"%s\":\"%s\"" : "%s\"%s\":%s", i ? "," : ",\"knobs\":{",
               knob.name, knob.value);
    printf("}}");
}

static void print_model_json(const struct trit_model_info *m, uint64_t session_bytes)
{
    const struct number numbers[] = {
        {"n_layer", m->n_layer},     {"n_embd", m->n_embd},     {"n_head", m->n_head},
        {"n_head_kv", m->n_head_kv}, {"head_dim", m->head_dim}, {"n_ff", m->n_ff},
        {"n_vocab", m->n_vocab},     {"n_ctx", m->n_ctx},       {"rope_base", m->rope_base},
        {"norm_eps", m->norm_eps},
    };
    const struct number sizes[] = {
        {"n_params", (double)m->n_params},        {"n_ternary", (double)m->n_ternary},
        {"session_bytes", (double)session_bytes}, {"repacked_bytes", (double)m->repacked_bytes},
        {"token_bytes", (double)m->token_bytes},
    };
    printf("{\"arch\":\"%s\",\"ffn_act\":\"%s\",\"ffn_act_why\":\"%s\",\"rope_style\":\"%s\","
           "\"sub_norms\":%s,\"tied\":%s,\"embd_type\":\"%s\",\"head_type\":\"%s\"",
           m->arch, m->ffn_act, m->ffn_act_why, m->rope_style, m->sub_norms ? "true" : "false",
           m->tied ? "true" : "false", m->embd_type, m->head_type);
    json_numbers(",", numbers, N_OF(numbers), false);
    json_numbers(",", sizes, N_OF(sizes), true);
}

/* ---- The command ----------------------------------------------------------------------------- */

static void print_chat(const struct trit_chat *c, bool json)
{
    if (!json && c->name)
        safe_printf(stdout, "chat      %s: %s\n", c->name, c->why);
    if (!json)
        return;
    printf(c->name ? ",\"chat\":{\"template\":\"%s\",\"why\":" : ",\"chat\":null", c->name);
    if (!c->name)
        return;
    json_string(stdout, c->why, strlen(c->why));
    printf(",\"base\":%s,\"guessed\":false}", c->base ? "true" : "false");
}

struct found {
    bool runs;
    struct trit_error why_not;
    struct trit_model_info model;
    uint64_t session_bytes;
    struct trit_chat chat; /* even if the model cannot run; name NULL: no usable vocabulary */
};

/* What --override and --override-kv replace. */
static void print_overrides(const struct model_args *args, bool json)
{
    const struct values *all[] = {&args->overrides, &args->override_kv};
    int n = 0;

    for (size_t k = 0; k < 2; k++)
        for (int i = 0; i < all[k]->n; i++) {
            const char *text = all[k]->items[i];
            if (!json) {
                safe_printf(stdout, "override  %s\n", text);
                continue;
            }
            fputs(n++ ? "," : ",\"overrides\":[", stdout);
            json_string(stdout, text, strlen(text));
        }
    if (n)
        putchar(']');
}

static void print_file(const struct args *args, const struct opened *o, const struct found *found)
{
    safe_printf(stdout, "file      %s · GGUF %u · %.1f MiB · %zu tensors\n", args->model.path,
                trit_file_version(o->file), mib(trit_file_size(o->file)),
                trit_file_n_tensors(o->file));
    if (found->runs) {
        print_model(&found->model, found->session_bytes);
        print_knobs(o->model);
    }
}

static void print_file_json(const struct args *args, const struct opened *o,
                            const struct found *found)
{
    printf("{\"file\":");
    json_string(stdout, args->model.path, strlen(args->model.path));
    printf(",\"gguf_version\":%u,\"bytes\":%llu,\"n_tensors\":%zu,\"model\":",
           trit_file_version(o->file), (unsigned long long)trit_file_size(o->file),
           trit_file_n_tensors(o->file));
    if (found->runs) {
        print_model_json(&found->model, found->session_bytes);
        print_knobs_json(o->model);
    } else
        printf("null");
}

/* @return exit code, after a message */
static int print_info(const struct args *args, const struct opened *o, const struct found *found)
{
    const bool json = args->json;
    int code = EXIT_DONE;

    (json ? print_file_json : print_file)(args, o, found);
    print_overrides(&args->model, json);
    print_chat(&found->chat, json);
    print_notes(o->file, json);
    if (args->info.list_metadata) {
        printf(json ? ",\"metadata\":{" : "metadata\n");
        print_metadata(o->file, json);
        printf(json ? "}" : "");
    }
    if (args->info.show_template) {
        printf(json ? ",\"template\":" : "template\n");
        print_template(o->file, json);
        printf(json ? "" : "\n");
    }
    if (args->info.list_tensors) {
        printf(json ? ",\"tensors\":[" : "tensors\n");
        code = print_tensors(o->file, json);
        printf(json ? "]" : "");
    }
    printf(json ? "}\n" : "");
    return code;
}

/* A file that cannot run is described too; a message and the exit code say why not. */
int info_main(const struct args *args)
{
    struct opened o = {0};
    struct found found = {0};
    struct trit_session_options opt;
    int code;

    if (!args->model.path)
        return print_machine(args);
    if ((code = open_file(&o, &args->model)))
        return code;
    found.runs = !trit_model_open(&o.model, o.file, &found.why_not);
    if (found.runs) {
        trit_model_get_info(o.model, &found.model);
        session_options(&opt, &args->compute, o.model);
        opt.whole = !found.model.causal;
        found.runs = !trit_session_bytes(&found.session_bytes, o.model, &opt, &found.why_not);
    }
    if (!trit_tokenizer_open(&o.tokenizer, o.file, NULL))
        trit_chat_choose(&found.chat, o.file, o.tokenizer, NULL, NULL);
    code = print_info(args, &o, &found);
    const int written = finish_stdout();
    if (!code)
        code = written;
    if (!code && !found.runs)
        code = report(&found.why_not);
    close_all(&o);
    return code;
}
