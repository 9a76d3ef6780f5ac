/* logprobs.h - the likeliest tokens at a place, for --logprobs. */
#ifndef TRIT_TOOLS_LOGPROBS_H
#define TRIT_TOOLS_LOGPROBS_H

#include <stdio.h>

#include "trit.h"

/* ,"logprob":…,"top_logprobs":[{"token":…,"text":…,"logprob":…},…] of the chosen token and of the
 * n <= 100 likeliest, best first, the lowest id of equals first */
void print_logprobs(FILE *f, const trit_tokenizer *tokenizer, const float *logits, int32_t n_vocab,
                    int32_t chosen, int n);

#endif
