/* answer.c - see answer.h. */
#include "answer.h"

#include <stdio.h>

#include "fields.h"
#include "json_write.h"
#include "sampling.h"
#include "trit_tools.h"

void print_answer(const struct answer *a, const trit_session *session)
{
    static const char *const finish[] = {
        [TRIT_FINISH_EOS] = "eos",
        [TRIT_FINISH_LENGTH] = "length",
        [TRIT_FINISH_STOP] = "stop",
        [TRIT_FINISH_CONTEXT] = "context",
        [TRIT_FINISH_INTERRUPT] = "interrupt",
    };
    const struct trit_generate_result *result = &a->result;
    const struct number layers = {"mean_layers", result->mean_layers};
    const struct number timings[] = {
        {"load_ms", a->load_ms},
        {"prompt_ms", result->prompt_ms},
        {"first_token_ms", result->first_token_ms},
        {"generate_ms", result->generate_ms},
        {"prompt_tps", per_second(result->n_prompt, result->prompt_ms)},
        {"generate_tps", generate_tps(result)},
    };
    fputs("{\"text\":", stdout);
    json_string(stdout, a->text.bytes, a->text.len);
    if (a->thoughts.len) {
        fputs(",\"reasoning_content\":", stdout);
        json_string(stdout, a->thoughts.bytes, a->thoughts.len);
    }
    if (a->has_logprobs) {
        fputs(",\"logprobs\":[", stdout);
        if (a->logprobs.len) /* else the bytes may be NULL */
            fwrite(a->logprobs.bytes, 1, a->logprobs.len, stdout);
        putchar(']');
    }
    printf(",\"tokens\":%d,\"prompt_tokens\":%d", result->n_new, result->n_prompt);
    if (a->restored)
        printf(",\"restored_tokens\":%d", a->n_restored);
    if (result->n_new && result->mean_layers < trit_session_n_layers(session))
        json_numbers(",", &layers, 1, false);
    printf(",\"finish\":\"%s\",\"seed\":%llu,\"timings\":", finish[result->finish],
           (unsigned long long)a->seed);
    json_numbers("{", timings, N_OF(timings), false);
    printf("},\"isa\":\"%s\",\"threads\":%d}\n", trit_session_isa(session),
           trit_session_n_threads(session));
}
