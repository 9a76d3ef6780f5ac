/* open.c - see open.h. */
#include "open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "clock.h"
#include "handed_over.h"
#include "hardware.h"
#include "layers.h"
#include "plain_text.h"
#include "report.h"
#include "status.h"
#include "trit_tools.h"

/* Where the next KEY=TYPE:VALUE of a list begins, behind a comma; NULL: it is the last one. A comma
 * that no such text follows is part of a value. */
static char *next_override(char *text)
{
    static const char *const types[] = {"=int:", "=float:", "=bool:", "=str:"};

    while ((text = strchr(text, ','))) {
        const size_t key = strcspn(++text, "=,");
        for (size_t i = 0; key && i < sizeof types / sizeof *types; i++)
            if (strncmp(text + key, types[i], strlen(types[i])) == 0)
                return text;
    }
    return NULL;
}

/* The texts of --override and of the lists of --override-kv. *texts and *copies are released with
 * free(). @return exit code */
static int gather_overrides(const struct model_args *args, const char ***texts, int32_t *n,
                            char **copies)
{
    size_t bytes = 1, most = (size_t)args->overrides.n + 1;

    for (int i = 0; i < args->override_kv.n; i++) {
        const size_t len = strlen(args->override_kv.items[i]) + 1;
        bytes += len;
        most += len / 2;
    }
    *n = 0;
    *texts = malloc(most * sizeof **texts);
    char *at = *copies = malloc(bytes);
    if (!*texts || !*copies)
        return out_of_memory();
    for (int i = 0; i < args->overrides.n; i++)
        (*texts)[(*n)++] = args->overrides.items[i];
    for (int i = 0; i < args->override_kv.n; i++) {
        char *text = strcpy(at, args->override_kv.items[i]);
        at += strlen(at) + 1;
        for (char *next; text; text = next) {
            next = next_override(text);
            if (next)
                next[-1] = 0;
            (*texts)[(*n)++] = text;
        }
    }
    return EXIT_DONE;
}

static int open_with(struct opened *o, const struct model_args *args,
                     const struct trit_file_options *opt)
{
    struct trit_error err;
    char advice[4096];

    if (!trit_file_open(&o->file, args->path, opt, &err))
        return EXIT_DONE;
    return err.code == TRIT_E_FILE && advise_about_path(advice, sizeof advice, args->path)
               ? report_hint(&err, advice)
               : report(&err);
}

int open_file(struct opened *o, const struct model_args *args)
{
    struct trit_file_options opt = {
        .no_mmap = args->no_mmap, .lock = args->mlock, .i2s_layout = args->i2s_layout};
    const char **texts = NULL;
    char *copies = NULL;

    if (!args->path)
        return usage_error("no model given; use -m FILE, or set TRIT_MODEL");
    if (strcmp(args->path, BUILT_IN) == 0)
        opt.bytes = built_in_model(&opt.n_bytes);
    int code = gather_overrides(args, &texts, &opt.n_overrides, &copies);
    opt.overrides = texts;
    if (!code)
        code = open_with(o, args, &opt);
    free(texts);
    free(copies);
    return code;
}

int open_model(struct opened *o, const struct model_args *args)
{
    struct trit_error err;
    const int code = open_file(o, args);
    if (code)
        return code;
    return trit_model_open(&o->model, o->file, &err) ? report(&err) : EXIT_DONE;
}

void session_options(struct trit_session_options *opt, const struct compute_args *args,
                     const trit_model *model)
{
    struct trit_model_info m;
    int kv = TRIT_KV_TYPE_F16;

    for (int i = 0; args->kv && trit_kv_type_at(i); i++) /* it is one of them */
        kv = strcmp(trit_kv_type_at(i), args->kv) == 0 ? i : kv;
    trit_model_get_info(model, &m);
    *opt = (struct trit_session_options){
        .n_ctx = args->ctx == CTX_OF_MODEL ? m.n_ctx : args->ctx,
        .n_batch = args->batch,
        .n_threads = args->threads,
        .kv = (trit_kv_type)kv,
        .isa = args->isa,
        .walk = args->walk,
    };
}

static void describe_session(const struct opened *o, const struct args *args)
{
    struct trit_model_info m;
    trit_model_get_info(o->model, &m);
    safe_printf(stderr, "%s: %s · %.0f M parameters · %s (%s) · context %d · opened in %.0f ms\n",
                args->model.path, m.arch, (double)m.n_params * 1e-6, m.ffn_act, m.ffn_act_why,
                trit_session_n_ctx(o->session), o->load_ms);
}

/* Only trit logits evaluates a model that is not causal. */
static bool is_causal(const trit_model *model)
{
    struct trit_model_info m;
    trit_model_get_info(model, &m);
    return m.causal;
}

int report_session(const struct trit_error *err, const trit_model *model)
{
    if (err->code == TRIT_E_UNSUPPORTED && !is_causal(model))
        return report_hint(err, "see trit logits");
    return report_hint(err, err->code == TRIT_E_MEMORY ? "use a smaller -c" : NULL);
}

int open_session(struct opened *o, const struct args *args)
{
    const double start = now_ms();
    struct trit_session_options opt;
    struct layer_list skip;
    struct trit_error err;
    int code = EXIT_DONE;

    if (show_progress(args->quiet) && args->model.path)
        show_status("loading %s", args->model.path);
    if (!o->model)
        code = open_model(o, &args->model);
    if (!code)
        session_options(&opt, &args->compute, o->model);
    if (!code)
        code = plan_layers(&opt, &skip, args, o->model);
    if (!code && args->command == CMD_LOGITS) {
        opt.whole = !is_causal(o->model);
        /* for comparisons with references, whose cache does not round */
        if (!args->compute.kv)
            opt.kv = TRIT_KV_TYPE_F32;
    }
    if (!code && trit_session_open(&o->session, o->model, &opt, &err))
        code = report_session(&err, o->model);
    clear_status();
    if (!code)
        code = set_exits(o->session, &args->layers);
    o->load_ms = now_ms() - start;
    if (!code && !args->quiet)
        note_threads(args->compute.threads);
    if (!code && args->verbose)
        describe_session(o, args);
    return code;
}

void close_all(struct opened *o)
{
    trit_session_close(&o->session);
    trit_tokenizer_close(&o->tokenizer);
    trit_model_close(&o->model);
    trit_file_close(&o->file);
    free(o->template_text);
    o->template_text = NULL;
}

int open_tokenizer(struct opened *o)
{
    struct trit_error err;
    return trit_tokenizer_open(&o->tokenizer, o->file, &err) ? report(&err) : EXIT_DONE;
}

int encode_text(const trit_tokenizer *t, const char *text, size_t len, unsigned flags,
                int32_t **ids, int32_t *n)
{
    struct trit_error err;
    return trit_tokenizer_encode(t, text, len, flags, ids, n, &err) ? report(&err) : EXIT_DONE;
}
