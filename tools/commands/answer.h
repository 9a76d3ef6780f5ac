/* answer.h - an answer of trit run as a JSON object. */
#ifndef TRIT_TOOLS_ANSWER_H
#define TRIT_TOOLS_ANSWER_H

#include "trit.h"

struct answer {
    struct trit_string text, thoughts; /* thoughts: empty if there are none */
    struct trit_string logprobs; /* objects separated by commas, if has_logprobs */
    bool has_logprobs, restored; /* restored: there is a session file, of n_restored tokens */
    int32_t n_restored;
    uint64_t seed;
    double load_ms;
    struct trit_generate_result result;
};

/* Print it on stdout, with a newline. */
void print_answer(const struct answer *a, const trit_session *session);

#endif
