/* aliases.c - see aliases.h. */
#include "aliases.h"

#include <stddef.h>
#include <string.h>

#define SAME(spelling_, option_)                                                                   \
    {                                                                                              \
        .spelling = spelling_, .option = option_                                                   \
    }
#define MEANS(spelling_, option_, value_)                                                          \
    {                                                                                              \
        .spelling = spelling_, .option = option_, .value = value_                                  \
    }
#define CHATS(spelling_, option_)                                                                  \
    {                                                                                              \
        .spelling = spelling_, .option = option_, .chats = true                                    \
    }
#define IGNORED(spelling_, takes_, word_)                                                          \
    {                                                                                              \
        .spelling = spelling_, .takes = takes_, .word = word_                                      \
    }
#define REFUSED(spelling_, takes_, neutral_, word_)                                                \
    {                                                                                              \
        .spelling = spelling_, .takes = takes_, .neutral = neutral_, .word = word_,                \
        .refused = true                                                                            \
    }

#define NO_GPU "trit runs on the CPU only"
#define ONE_POOL "-t is the number of threads for everything"
#define NO_PLACES "trit does not bind threads to cores"
#define MAPPED "trit reads the file as --mlock and --no-mmap say"
#define PLAIN "trit prints text without colors"
#define LOGS "see -q and -v"
#define IN_CHAT "trit chat is a conversation"
#define KEEPS "trit keeps the BOS and, in a chat, the system message"
#define NO_SAMPLER "trit does not have this way of sampling"
#define NO_GRAMMAR "trit cannot hold the output to a grammar or schema"
#define NO_ADAPTER "trit runs a model without adapters; merge them into the checkpoint"
#define NO_DRAFT "trit runs one model at a time"
#define NO_HUB "trit does not download; give the file with -m"
#define NO_ROPE "the positions are as the model file says"
#define TEMPLATES "a template says what is around a message; see --template"

/* clang-format off */
const struct alias aliases[] = {
    /* the same by another name */
    SAME("-temp", "temp"),
    SAME("--temperature", "temp"),
    SAME("--predict", "max-tokens"),
    SAME("--n-predict", "max-tokens"),
    SAME("--num-predict", "max-tokens"),
    SAME("--n-prompt", "prompt"),
    SAME("--n-gen", "gen"),
    SAME("--n-depth", "depth"),
    SAME("--repetitions", "repeat"),
    SAME("--ctx-size", "ctx"),
    SAME("--context", "ctx"),
    SAME("--num-ctx", "ctx"),
    SAME("--batch-size", "batch"),
    SAME("--cache-type-k", "kv"),
    SAME("-ctk", "kv"),
    SAME("--cache-type-v", "kv"),
    SAME("-ctv", "kv"),
    SAME("--prompt-cache", "session"),
    SAME("--reverse-prompt", "stop"),
    SAME("-r", "stop"),
    SAME("-l", "logit-bias"),
    CHATS("-sys", "system"),
    CHATS("--system-prompt", "system"),
    CHATS("--chat-template", "template"),
    CHATS("--chat-template-file", "template"),
    SAME("-st", "chat"),
    SAME("--single-turn", "chat"),
    SAME("-cnv", "cnv"),
    SAME("--conversation", "cnv"),
    SAME("-sp", "special"),
    SAME("--parse-special", "special"),
    SAME("--display-prompt", "echo"),
    SAME("--log-verbose", "verbose"),
    SAME("--usage", "help"),
    MEANS("--context-shift", "on-full", "shift"),
    MEANS("--no-context-shift", "on-full", "stop"),

    /* what trit does anyway */
    IGNORED("-no-cnv", NO_VALUE, NULL),
    IGNORED("--no-conversation", NO_VALUE, NULL),
    IGNORED("--no-display-prompt", NO_VALUE, NULL),
    IGNORED("--no-escape", NO_VALUE, NULL),
    IGNORED("--log-disable", NO_VALUE, NULL),
    IGNORED("--mmap", NO_VALUE, NULL),
    IGNORED("--jinja", NO_VALUE, NULL),
    IGNORED("--stdin", NO_VALUE, NULL),
    IGNORED("--offline", NO_VALUE, NULL),
    IGNORED("--no-parse-special", NO_VALUE, NULL),

    /* no effect here */
    IGNORED("-ngl", SOME_VALUE, NO_GPU),
    IGNORED("--gpu-layers", SOME_VALUE, NO_GPU),
    IGNORED("--n-gpu-layers", SOME_VALUE, NO_GPU),
    IGNORED("-sm", SOME_VALUE, NO_GPU),
    IGNORED("--split-mode", SOME_VALUE, NO_GPU),
    IGNORED("-ts", SOME_VALUE, NO_GPU),
    IGNORED("--tensor-split", SOME_VALUE, NO_GPU),
    IGNORED("-mg", SOME_VALUE, NO_GPU),
    IGNORED("--main-gpu", SOME_VALUE, NO_GPU),
    IGNORED("-dev", SOME_VALUE, NO_GPU),
    IGNORED("--device", SOME_VALUE, NO_GPU),
    IGNORED("-ot", SOME_VALUE, NO_GPU),
    IGNORED("--override-tensor", SOME_VALUE, NO_GPU),
    IGNORED("-ncmoe", SOME_VALUE, NO_GPU),
    IGNORED("--n-cpu-moe", SOME_VALUE, NO_GPU),
    IGNORED("-cmoe", NO_VALUE, NO_GPU),
    IGNORED("--cpu-moe", NO_VALUE, NO_GPU),
    IGNORED("-nkvo", NO_VALUE, NO_GPU),
    IGNORED("--no-kv-offload", NO_VALUE, NO_GPU),
    IGNORED("-kvo", NO_VALUE, NO_GPU),
    IGNORED("--kv-offload", NO_VALUE, NO_GPU),
    IGNORED("--no-op-offload", NO_VALUE, NO_GPU),
    IGNORED("-fit", ON_OFF, NO_GPU),
    IGNORED("--fit", ON_OFF, NO_GPU),
    IGNORED("-fitt", SOME_VALUE, NO_GPU),
    IGNORED("--fit-target", SOME_VALUE, NO_GPU),
    IGNORED("-fitc", SOME_VALUE, NO_GPU),
    IGNORED("--fit-ctx", SOME_VALUE, NO_GPU),
    IGNORED("--rpc", SOME_VALUE, NO_GPU),
    IGNORED("-fa", ON_OFF, "trit has one form of attention"),
    IGNORED("--flash-attn", ON_OFF, "trit has one form of attention"),
    IGNORED("-ub", SOME_VALUE, "see -b"),
    IGNORED("--ubatch-size", SOME_VALUE, "see -b"),
    IGNORED("-tb", SOME_VALUE, ONE_POOL),
    IGNORED("--threads-batch", SOME_VALUE, ONE_POOL),
    IGNORED("-C", SOME_VALUE, NO_PLACES),
    IGNORED("--cpu-mask", SOME_VALUE, NO_PLACES),
    IGNORED("-Cr", SOME_VALUE, NO_PLACES),
    IGNORED("--cpu-range", SOME_VALUE, NO_PLACES),
    IGNORED("--cpu-strict", SOME_VALUE, NO_PLACES),
    IGNORED("--prio", SOME_VALUE, NO_PLACES),
    IGNORED("--poll", SOME_VALUE, NO_PLACES),
    IGNORED("-Cb", SOME_VALUE, NO_PLACES),
    IGNORED("--cpu-mask-batch", SOME_VALUE, NO_PLACES),
    IGNORED("-Crb", SOME_VALUE, NO_PLACES),
    IGNORED("--cpu-range-batch", SOME_VALUE, NO_PLACES),
    IGNORED("--cpu-strict-batch", SOME_VALUE, NO_PLACES),
    IGNORED("--prio-batch", SOME_VALUE, NO_PLACES),
    IGNORED("--poll-batch", SOME_VALUE, NO_PLACES),
    IGNORED("--numa", SOME_VALUE, NO_PLACES),
    IGNORED("-np", SOME_VALUE, "see --sequences"),
    IGNORED("--parallel", SOME_VALUE, "see --sequences"),
    IGNORED("-cb", NO_VALUE, "see --sequences"),
    IGNORED("--cont-batching", NO_VALUE, "see --sequences"),
    IGNORED("-dt", SOME_VALUE, "the cache has no gaps"),
    IGNORED("--defrag-thold", SOME_VALUE, "the cache has no gaps"),
    IGNORED("-kvu", NO_VALUE, "see --sequences"),
    IGNORED("--kv-unified", NO_VALUE, "see --sequences"),
    IGNORED("--swa-full", NO_VALUE, "trit runs no model with a sliding window"),
    IGNORED("-nr", NO_VALUE, "see --walk"),
    IGNORED("--no-repack", NO_VALUE, "see --walk"),
    IGNORED("-mmp", SOME_VALUE, MAPPED),
    IGNORED("--direct-io", NO_VALUE, MAPPED),
    IGNORED("-dio", NO_VALUE, MAPPED),
    IGNORED("--check-tensors", NO_VALUE, "trit info --tensors checks them"),
    IGNORED("--warmup", NO_VALUE, "trit needs no run to warm up"),
    IGNORED("--no-warmup", NO_VALUE, "trit needs no run to warm up"),
    IGNORED("-co", NO_VALUE, PLAIN),
    IGNORED("--color", ON_OFF, PLAIN),
    IGNORED("--simple-io", NO_VALUE, "TERM=dumb makes the line editor plain"),
    IGNORED("-mli", NO_VALUE, "in trit chat, Alt-Enter begins a new line"),
    IGNORED("--multiline-input", NO_VALUE, "in trit chat, Alt-Enter begins a new line"),
    IGNORED("-i", NO_VALUE, IN_CHAT),
    IGNORED("--interactive", NO_VALUE, IN_CHAT),
    IGNORED("-if", NO_VALUE, IN_CHAT),
    IGNORED("--interactive-first", NO_VALUE, IN_CHAT),
    IGNORED("--keep", SOME_VALUE, KEEPS),
    IGNORED("--perf", NO_VALUE, LOGS),
    IGNORED("--no-perf", NO_VALUE, LOGS),
    IGNORED("--show-timings", NO_VALUE, LOGS),
    IGNORED("--no-show-timings", NO_VALUE, LOGS),
    IGNORED("--verbose-prompt", NO_VALUE, "see trit tokenize"),
    IGNORED("-lv", SOME_VALUE, LOGS),
    IGNORED("--verbosity", SOME_VALUE, LOGS),
    IGNORED("--log-verbosity", SOME_VALUE, LOGS),
    IGNORED("--log-file", SOME_VALUE, LOGS),
    IGNORED("--log-enable", NO_VALUE, LOGS),
    IGNORED("--log-colors", ON_OFF, LOGS),
    IGNORED("--log-prefix", NO_VALUE, LOGS),
    IGNORED("--log-timestamps", NO_VALUE, LOGS),
    IGNORED("--prompt-cache-all", NO_VALUE, "--session saves the answer, too"),
    IGNORED("--reasoning-format", SOME_VALUE, "trit prints what the model writes"),
    IGNORED("--penalize-nl", NO_VALUE, "penalties treat all tokens alike"),
    IGNORED("--no-penalize-nl", NO_VALUE, "penalties treat all tokens alike"),
    IGNORED("--xtc-threshold", SOME_VALUE, NO_SAMPLER),
    IGNORED("--mirostat-lr", SOME_VALUE, NO_SAMPLER),
    IGNORED("--mirostat-ent", SOME_VALUE, NO_SAMPLER),
    IGNORED("--dynatemp-exp", SOME_VALUE, NO_SAMPLER),
    IGNORED("--dry-base", SOME_VALUE, NO_SAMPLER),
    IGNORED("--dry-allowed-length", SOME_VALUE, NO_SAMPLER),
    IGNORED("--dry-penalty-last-n", SOME_VALUE, NO_SAMPLER),
    IGNORED("--dry-sequence-breaker", SOME_VALUE, NO_SAMPLER),
    IGNORED("--yarn-beta-slow", SOME_VALUE, NO_ROPE),
    IGNORED("--yarn-beta-fast", SOME_VALUE, NO_ROPE),
    IGNORED("-gaw", SOME_VALUE, NO_ROPE),
    IGNORED("--grp-attn-w", SOME_VALUE, NO_ROPE),
    IGNORED("--draft", SOME_VALUE, NO_DRAFT),
    IGNORED("--draft-max", SOME_VALUE, NO_DRAFT),
    IGNORED("--draft-min", SOME_VALUE, NO_DRAFT),
    IGNORED("--hf-token", SOME_VALUE, NO_HUB),
    IGNORED("--progress", NO_VALUE, "trit shows progress on a terminal"),
    IGNORED("--delay", SOME_VALUE, "trit bench does not wait between rows"),
    IGNORED("--nowordwrap", NO_VALUE, "trit run does not wrap lines"),
    IGNORED("--keepalive", SOME_VALUE, "the model is open while the command runs"),
    IGNORED("--insecure", NO_VALUE, NO_HUB),

    /* refused: the result would be another one */
    REFUSED("--mirostat", SOME_VALUE, "0", NO_SAMPLER),
    REFUSED("--typical", SOME_VALUE, "1", NO_SAMPLER),
    REFUSED("--typical-p", SOME_VALUE, "1", NO_SAMPLER),
    REFUSED("--tfs", SOME_VALUE, "1", NO_SAMPLER),
    REFUSED("--top-nsigma", SOME_VALUE, "-1", NO_SAMPLER),
    REFUSED("--top-n-sigma", SOME_VALUE, "-1", NO_SAMPLER),
    REFUSED("--xtc-probability", SOME_VALUE, "0", NO_SAMPLER),
    REFUSED("--dynatemp-range", SOME_VALUE, "0", NO_SAMPLER),
    REFUSED("--dry-multiplier", SOME_VALUE, "0", NO_SAMPLER),
    REFUSED("--samplers", SOME_VALUE, NULL, "the steps have one order; see trit run --help-all"),
    REFUSED("--sampling-seq", SOME_VALUE, NULL,
            "the steps have one order; see trit run --help-all"),
    REFUSED("--sampler-seq", SOME_VALUE, NULL, "the steps have one order; see trit run --help-all"),
    REFUSED("--grammar", SOME_VALUE, NULL, NO_GRAMMAR),
    REFUSED("--grammar-file", SOME_VALUE, NULL, NO_GRAMMAR),
    REFUSED("-j", SOME_VALUE, NULL, NO_GRAMMAR),
    REFUSED("--json-schema", SOME_VALUE, NULL, NO_GRAMMAR),
    REFUSED("-jf", SOME_VALUE, NULL, NO_GRAMMAR),
    REFUSED("--json-schema-file", SOME_VALUE, NULL, NO_GRAMMAR),
    REFUSED("--format", SOME_VALUE, NULL, NO_GRAMMAR),
    REFUSED("--lora", SOME_VALUE, NULL, NO_ADAPTER),
    REFUSED("--lora-scaled", SOME_VALUE, NULL, NO_ADAPTER),
    REFUSED("--control-vector", SOME_VALUE, NULL, NO_ADAPTER),
    REFUSED("--control-vector-scaled", SOME_VALUE, NULL, NO_ADAPTER),
    REFUSED("-md", SOME_VALUE, NULL, NO_DRAFT),
    REFUSED("--model-draft", SOME_VALUE, NULL, NO_DRAFT),
    REFUSED("-mm", SOME_VALUE, NULL, "trit reads text only"),
    REFUSED("--mmproj", SOME_VALUE, NULL, "trit reads text only"),
    REFUSED("--image", SOME_VALUE, NULL, "trit reads text only"),
    REFUSED("-hf", SOME_VALUE, NULL, NO_HUB),
    REFUSED("-hfr", SOME_VALUE, NULL, NO_HUB),
    REFUSED("--hf-repo", SOME_VALUE, NULL, NO_HUB),
    REFUSED("-hff", SOME_VALUE, NULL, NO_HUB),
    REFUSED("--hf-file", SOME_VALUE, NULL, NO_HUB),
    REFUSED("-mu", SOME_VALUE, NULL, NO_HUB),
    REFUSED("--model-url", SOME_VALUE, NULL, NO_HUB),
    REFUSED("--rope-scaling", SOME_VALUE, NULL, NO_ROPE),
    REFUSED("--rope-scale", SOME_VALUE, "1", NO_ROPE),
    REFUSED("--rope-freq-base", SOME_VALUE, "0", NO_ROPE),
    REFUSED("--rope-freq-scale", SOME_VALUE, "1", NO_ROPE),
    REFUSED("--yarn-orig-ctx", SOME_VALUE, "0", NO_ROPE),
    REFUSED("--yarn-ext-factor", SOME_VALUE, "-1", NO_ROPE),
    REFUSED("--yarn-attn-factor", SOME_VALUE, "-1", NO_ROPE),
    REFUSED("-gan", SOME_VALUE, "1", NO_ROPE),
    REFUSED("--grp-attn-n", SOME_VALUE, "1", NO_ROPE),
    REFUSED("--in-prefix", SOME_VALUE, NULL, TEMPLATES),
    REFUSED("--in-suffix", SOME_VALUE, NULL, TEMPLATES),
    REFUSED("--in-prefix-bos", NO_VALUE, NULL, TEMPLATES),
    REFUSED("--no-jinja", NO_VALUE, NULL, TEMPLATES),
    REFUSED("--chat-template-kwargs", SOME_VALUE, NULL, TEMPLATES),
    REFUSED("--reasoning-budget", SOME_VALUE, "-1", "-n limits the whole answer"),
    REFUSED("-sysf", SOME_VALUE, NULL, "use -s \"$(cat FILE)\""),
    REFUSED("--system-prompt-file", SOME_VALUE, NULL, "use -s \"$(cat FILE)\""),
    REFUSED("--prompt-cache-ro", NO_VALUE, NULL, "--session always saves; use a copy of the file"),
    REFUSED("-bf", SOME_VALUE, NULL, "use -f FILE"),
    REFUSED("--binary-file", SOME_VALUE, NULL, "use -f FILE"),
    REFUSED("--kl-divergence", NO_VALUE, NULL, "use --kl FILE"),
    REFUSED("--kl-divergence-base", SOME_VALUE, NULL, "use --save-logits FILE, then --kl FILE"),
    REFUSED("--ppl-stride", SOME_VALUE, "0", "windows do not overlap"),
    REFUSED("--n-probs", SOME_VALUE, "0", "use --json --logprobs N"),
    REFUSED("-lcs", SOME_VALUE, NULL, NO_DRAFT),
    REFUSED("-lcd", SOME_VALUE, NULL, NO_DRAFT),
    REFUSED("-pg", SOME_VALUE, NULL, "use -p, -n and -d"),
    {0},
};
/* clang-format on */

const struct alias *find_alias(const char *arg)
{
    const size_t len = strcspn(arg, "=");

    for (const struct alias *a = aliases; a->spelling; a++)
        if (strlen(a->spelling) == len && memcmp(a->spelling, arg, len) == 0)
            return a;
    return NULL;
}

bool find_foreign_value(const char *option, const char *value, const char **meaning)
{
    static const struct foreign_value {
        const char *option, *value, *meaning;
    } rows[] = {
        {"ctx", "0", "-1"},         /* CTX_OF_MODEL */
        {"max-tokens", "-2", "-1"}, /* until the context is full: so it is with -1 */
        {"seed", "-1", NULL},       {"threads", "-1", NULL}, {"kv", "q8_0", "i8"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].option, option) != 0 || strcmp(rows[i].value, value) != 0)
            continue;
        *meaning = rows[i].meaning;
        return true;
    }
    return false;
}
