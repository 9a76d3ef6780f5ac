/* windows.c - see windows.h. */ #include "windows.h"

#include <string.h>

#include "open.h"
#include "report.h"

    enum {
        DEFAULT_WINDOW = 512
    };

int plan_windows(struct windows *w, const struct opened *o, int ctx, const struct window_args *args,
                 int32_t n_ids)
{
    struct trit_model_info m;
    trit_model_info(o->model, &m);

    w->ctx = ctx ? ctx : m.n_ctx < DEFAULT_WINDOW ? m.n_ctx : DEFAULT_WINDOW;
    w->bos = trit_tokenizer_bos(o->tokenizer);
    w->n_text = w->ctx - (w->bos >= 0);
    w->first_scored = args->second_half ? w->ctx / 2 + 1 : 1 + (w->bos >= 0);
    if (w->first_scored >= w->ctx)
        return usage_error("a window of %d positions scores nothing; --ctx must be larger", w->ctx);
    w->n = n_ids / w->n_text;
    if (args->chunks && w->n > args->chunks)
        w->n = args->chunks;
    if (w->n == 0)
        return usage_error("the text has %d tokens; a window takes %d (see --ctx)", n_ids,
                           w->n_text);
    return EXIT_DONE;
}

void take_window(int32_t *tokens, const struct windows *w, const int32_t *ids, int32_t i)
{
    tokens[0] = w->bos;
    memcpy(tokens + (w->bos >= 0), ids + (size_t)i * (size_t)w->n_text,
           (size_t)w->n_text * sizeof *tokens);
}
