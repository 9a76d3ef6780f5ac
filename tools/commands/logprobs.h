/* logprobs.h - the likeliest tokens at a place, for --logprobs. */
#ifndef TRIT_TOOLS_LOGPROBS_H
#define TRIT_TOOLS_LOGPROBS_H

#include <stdio.h>

#include "trit.h"

enum { MAX_LOGPROBS = 100 };

struct logprob {
    int32_t id;
    double value; /* ln of its probability under softmax(logits) */
};

/* The n <= MAX_LOGPROBS likeliest of n_vocab logits, best first, the lowest id of equals first;
 * returns how many there are. */
int top_logprobs(struct logprob *out, int n, const float *logits, int32_t n_vocab);

/* ,"logprob":…,"top_logprobs":[{"token":…,"text":…,"logprob":…},…] of the chosen token */
void print_logprobs(FILE *f, const trit_tokenizer *tokenizer, const float *logits, int32_t n_vocab,
                    int32_t chosen, int n);

#endif
