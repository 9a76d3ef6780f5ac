/* cmd_convert.c - trit convert and trit quantize: write a GGUF from a checkpoint folder or from
 * another GGUF. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "commands.h"
#include "handed_over.h"
#include "json_write.h"
#include "open.h"
#include "plain_text.h"
#include "report.h"
#include "sink.h"
#include "status.h"
#include "trit_tools.h"

struct conversion {
    const struct args *args;
    const char *folder; /* the checkpoint's */
    struct sink sink;
    bool dry;
    int n_tensors;
    uint64_t n_bytes;
    char name[64]; /* of the current tensor */
};

static void on_note(void *user, const char *text)
{
    const struct conversion *c = user;

    if (c->args->quiet)
        return;
    clear_status();
    safe_printf(stderr, "trit: %s\n", text);
}

static void print_converted(const struct conversion *c, const struct trit_converted_tensor *t)
{
    const char *between = c->args->json ? "," : " x ";
    char shape[128];
    int n = 0;

    for (uint32_t i = 0; i < t->n_dims; i++)
        n += snprintf(shape + n, sizeof shape - (size_t)n, "%s%llu", i ? between : "",
                      (unsigned long long)t->dims[i]);
    if (!c->args->json) {
        safe_printf(stdout, "%-28s %-8s %-16s %12llu  from %s (%s)\n", t->name, t->type, shape,
                    (unsigned long long)t->n_bytes, t->source, t->from_type);
        return;
    }
    printf("%s\n{\"name\":", c->n_tensors ? "," : "[");
    json_string(stdout, t->name, strlen(t->name));
    printf(",\"type\":\"%s\",\"bytes\":%llu,\"shape\":[%s],\"source\":", t->type,
           (unsigned long long)t->n_bytes, shape);
    json_string(stdout, t->source, strlen(t->source));
    printf(",\"source_type\":\"%s\"}", t->from_type);
}

static void on_tensor(void *user, const struct trit_converted_tensor *t)
{
    struct conversion *c = user;

    if (c->dry)
        print_converted(c, t);
    snprintf(c->name, sizeof c->name, "%s", t->name);
    c->sink.what = c->name;
    c->n_tensors++;
}

/* Convert the file, or the checkpoint folder if it is NULL. write: NULL for a dry run. */
static trit_status call_converter(struct conversion *c, const trit_file *file, trit_write_fn write,
                                  struct trit_error *err)
{
    const struct args *args = c->args;
    const struct trit_convert_options opt = {
        .type = args->convert.type,
        .embd = args->convert.embd,
        .map = args->convert.map,
        .knobs = args->convert.knob.items,
        .n_knobs = args->convert.knob.n,
        .force = args->convert.force,
        .n_threads = args->compute.threads,
        .on_note = on_note,
        .on_tensor = on_tensor,
        .user = c,
    };
    return file ? trit_quantize(file, &opt, write, &c->sink, &c->sink.total, err)
                : trit_convert(c->folder, &opt, write, &c->sink, &c->sink.total, err);
}

static int dry_run(struct conversion *c, const trit_file *file)
{
    struct trit_error err;

    c->dry = true;
    if (call_converter(c, file, NULL, &err))
        return report(&err);
    if (c->args->json)
        puts(c->n_tensors ? "\n]" : "[]");
    else
        printf("%d tensors, %.1f MB\n", c->n_tensors, (double)c->sink.total * 1e-6);
    return finish_stdout();
}

/* file: the input, or NULL for the folder */
static int convert_to(struct conversion *c, const trit_file *file, const char *path)
{
    trit_status status = TRIT_OK;
    struct trit_error err;

    if (c->args->convert.dry_run)
        return dry_run(c, file);
    if (!path || !*path)
        return usage_error("no output given; use -o FILE, or --dry-run");
    const double start = now_ms();
    int code = open_sink(&c->sink, path, show_progress(c->args->quiet));
    if (!code)
        status = call_converter(c, file, sink_put, &err);
    code = close_sink(&c->sink, code, status, &err);
    if (!code && !c->args->quiet)
        safe_printf(stderr, "%s: %d tensors, %.1f MB in %.1f s\n", path, c->n_tensors,
                    (double)c->sink.total * 1e-6, (now_ms() - start) * 1e-3);
    return code;
}

static int convert_file(struct conversion *c, const char *from, const char *path)
{
    struct model_args model = c->args->model;
    struct opened o = {0};

    model.path = from;
    int code = open_file(&o, &model);
    if (!code)
        code = convert_to(c, o.file, path);
    close_all(&o);
    return code;
}

static int convert_folder(struct conversion *c, const char *folder, const char *path)
{
    char text[4096];

    if (!find_checkpoint(text, sizeof text, folder, &c->folder))
        return file_error("%s has no config.json; %s", folder, c->folder);
    if (c->folder != folder && !c->args->quiet)
        safe_printf(stderr, "trit: %s is a download cache; its checkpoint is %s\n", folder,
                    c->folder);
    return convert_to(c, NULL, path);
}

int convert_main(const struct args *args)
{
    struct conversion c = {.args = args};

    if (args->convert.from_gguf && args->operand)
        return usage_error("give a folder or --from-gguf, not both");
    if (args->convert.from_gguf && args->convert.map)
        return usage_error("--map is for folders; it cannot be used with --from-gguf");
    if (args->convert.from_gguf && args->convert.knob.n)
        return usage_error("--knob is for folders; it cannot be used with --from-gguf");
    if (args->convert.from_gguf)
        return convert_file(&c, args->convert.from_gguf, args->out);
    if (!args->operand)
        return usage_error("no checkpoint given; use trit convert FOLDER -o FILE.gguf");
    return convert_folder(&c, args->operand, args->out);
}

int quantize_main(const struct args *args)
{
    struct conversion c = {.args = args};

    if (!args->operand || (!args->operand2 && !args->convert.dry_run))
        return usage_error("quantize needs an input and an output file: trit quantize IN.gguf "
                           "OUT.gguf --type TYPE");
    return convert_file(&c, args->operand, args->operand2);
}
