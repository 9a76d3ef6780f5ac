/* windows.c - see windows.h. */
#include "windows.h"

#include <string.h>

#include "open.h"
#include "report.h"

enum { DEFAULT_WINDOW = 512 };

int plan_windows(struct windows *w, struct opened *o, const char *text, size_t len, int ctx,
                 const struct window_args *args)
{
    struct trit_model_info m;
    int code = open_tokenizer(o);

    if (!code)
        code = encode_text(o->tokenizer, text, len, 0, &w->ids, &w->n_ids);
    if (code)
        return code;
    trit_model_get_info(o->model, &m);
    w->ctx = ctx > 0                                           ? ctx
             : ctx == CTX_OF_MODEL || m.n_ctx < DEFAULT_WINDOW ? m.n_ctx
                                                               : DEFAULT_WINDOW;
    w->bos = trit_tokenizer_bos(o->tokenizer);
    w->n_text = w->ctx - (w->bos >= 0);
    w->first_scored = args->second_half ? w->ctx / 2 + 1 : 1 + (w->bos >= 0);
    if (w->first_scored >= w->ctx)
        return usage_error("--ctx %d is too small; no token would be scored", w->ctx);
    w->n = w->n_ids / w->n_text;
    if (args->chunks && w->n > args->chunks)
        w->n = args->chunks;
    if (w->n == 0)
        return usage_error("the text has %d tokens, but a window needs %d (see --ctx)", w->n_ids,
                           w->n_text);
    return EXIT_DONE;
}

void take_window(int32_t *tokens, const struct windows *w, int32_t i)
{
    tokens[0] = w->bos;
    memcpy(tokens + (w->bos >= 0), w->ids + (size_t)i * (size_t)w->n_text,
           (size_t)w->n_text * sizeof *tokens);
}
