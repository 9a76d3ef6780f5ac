/* logprobs.c - see logprobs.h. */
#include "logprobs.h"

#include <string.h>

#include "json_write.h"

enum { MAX_LOGPROBS = 100 };

struct logprob {
    int32_t id;
    double value; /* ln of its probability under softmax(logits) */
};

/* The n <= MAX_LOGPROBS likeliest of n_vocab logits, best first, the lowest id of equals first;
 * returns how many there are. */
static int top_logprobs(struct logprob *out, int n, const float *logits, int32_t n_vocab)
{
    int found = 0;

    for (int32_t id = 0; id < n_vocab; id++) {
        if (found == n && (n == 0 || !(logits[id] > logits[out[n - 1].id])))
            continue;
        int at = found < n ? found++ : n - 1;
        for (; at > 0 && logits[id] > logits[out[at - 1].id]; at--)
            out[at] = out[at - 1];
        out[at].id = id;
    }
    /* one sum over the vocabulary serves all: ln p = logit - ln sum */
    const double sum =
        found ? (double)logits[out[0].id] - trit_logprob(logits, n_vocab, out[0].id) : 0;
    for (int i = 0; i < found; i++)
        out[i].value = (double)logits[out[i].id] - sum;
    return found;
}

void print_logprobs(FILE *f, const trit_tokenizer *tokenizer, const float *logits, int32_t n_vocab,
                    int32_t chosen, int n)
{
    struct logprob top[MAX_LOGPROBS];
    const int found = top_logprobs(top, n, logits, n_vocab);

    fputs(",\"logprob\":", f);
    json_number(f, trit_logprob(logits, n_vocab, chosen));
    fputs(",\"top_logprobs\":[", f);
    for (int i = 0; i < found; i++) {
        const struct trit_string text = trit_tokenizer_piece(tokenizer, top[i].id, true);
        fprintf(f, "%s{\"token\":%d,\"text\":", i ? "," : "", top[i].id);
        json_string(f, text.bytes, text.len);
        fputs(",\"logprob\":", f);
        json_number(f, top[i].value);
        putc('}', f);
    }
    putc(']', f);
}
