/* options.c - see options.h. A new option is a row here. */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include "builtin.h"

/* ---- Options --------------------------------------------------------------------------------- */

enum {
    SESSION_USERS = CMD_RUN | CMD_CHAT | CMD_LOGITS | CMD_PERPLEXITY | CMD_BENCH,
    TOKENIZERS = CMD_TOKENIZE | CMD_DETOKENIZE,
    TEXT_USERS = CMD_RUN | CMD_TOKENIZE | CMD_PERPLEXITY | CMD_TEMPLATE,
    ANSWERERS = CMD_RUN | CMD_CHAT,
    COMPUTERS = SESSION_USERS | CMD_INFO,
    CONVERTERS = CMD_CONVERT | CMD_QUANTIZE,
    OPENERS = SESSION_USERS | TOKENIZERS | CMD_INFO | CMD_TEMPLATE,
    ALL = OPENERS | CMD_DUMMY | CONVERTERS,
};
const unsigned common_commands = CMD_RUN | CMD_INFO;

#define TO(member) offsetof(struct args, member)
#define EVERY (~0u)
#define ISA_NAMES "scalar|avx2|avxvnni|avx512|amx|neon|dotprod|i8mm"

/* clang-format off */
const struct option options[] = {
    {"model", 'm', true, OPENERS | CMD_DUMMY, PATH, TO(model.path), 0, 0, "FILE", default_model,
     "the model"},

    /* what goes in */
    {"prompt", 'p', true, TEXT_USERS | CMD_LOGITS, TEXT, TO(text.prompt), 0, 0, "TEXT", NULL,
     "the text, as it stands"},
    {"file", 'f', true, TEXT_USERS, PATH, TO(text.file), 0, 0, "FILE", NULL,
     "read the text from a file; - or a pipe: from standard input"},
    {"chat", 0, true, CMD_RUN, FLAG, TO(run.chat), 0, 0, NULL, NULL,
     "answer the text as a message, in the model's chat template"},
    {"system", 's', true, ANSWERERS | CMD_TEMPLATE, TEXT, TO(chat.system), 0, 0, "TEXT", NULL,
     "the system message of the chat"},
    {"template", 0, true, ANSWERERS | CMD_TEMPLATE, TEXT, TO(chat.template_name), 0, 0, "NAME",
     "chosen by the file; -v says why",
     "the chat template: bitnet llama3 falcon3 chatml human plain"},
    {"turns", 0, true, CMD_TEMPLATE, PATH, TO(chat.turns), 0, 0, "FILE.json", NULL,
     "turns before the prompt: [{\"role\": \"user\", \"content\": \"…\"}, …]"},
    {"tokens", 0, true, CMD_LOGITS, TEXT, TO(tokens.ids), 0, 0, "1,2,3", NULL,
     "token ids, taken as they are"},
    {"ids", 0, true, CMD_DETOKENIZE, TEXT, TO(tokens.ids), 0, 0, "1,2,3", NULL, "the token ids"},

    /* bench */
    {"prompt", 'p', true, CMD_BENCH, TEXT, TO(bench.n_prompts), 0, 0, "N,...", "512",
     "lengths of the prompts to evaluate"},
    {"gen", 'n', true, CMD_BENCH, TEXT, TO(bench.n_gens), 0, 0, "N,...", "128",
     "tokens to generate"},
    {"depth", 'd', true, CMD_BENCH, TEXT, TO(bench.n_depths), 0, 0, "N,...", "0",
     "tokens that are there before"},
    {"threads", 't', true, CMD_BENCH, TEXT, TO(bench.n_threads), 0, 0, "N,...",
     "physical performance cores", "numbers of threads"},
    {"repeat", 'r', true, CMD_BENCH, INTEGER, TO(bench.repeats), 1, 1000, "N", "5",
     "times to measure each"},
    {"output", 'o', true, CMD_BENCH, CHOICE, TO(bench.format), 0, 0, "md|csv|json|jsonl", NULL,
     "form of the result, instead of a table that grows"},
    {"exit-sweep", 0, true, CMD_BENCH, FLAG, TO(layers.exit_sweep), 0, 0, NULL, NULL,
     "a row for each number of layers: speed, and how well it predicts -f"},
    {"file", 'f', true, CMD_BENCH, PATH, TO(text.file), 0, 0, "FILE", NULL,
     "the text of --exit-sweep"},
    {"samples", 0, true, CMD_BENCH, FLAG, TO(bench.samples), 0, 0, NULL, NULL,
     "with --exit-sweep: how each continues the text's first words"},
    {"chunks", 0, false, CMD_BENCH, INTEGER, TO(windows.chunks), 1, INT32_MAX, "N", NULL,
     "windows of the text at most; 20 unless said"},
    {"compare", 0, true, CMD_BENCH, PATH, TO(bench.compare), 0, 0, "OLD.json", NULL,
     "set each row beside that of an earlier result, of -o json or jsonl"},

    /* dummy, convert and quantize */
    {"shape", 0, true, CMD_DUMMY, TEXT, TO(convert.shape), 0, 0, "NAME", NULL,
     "sizes of which model: 700m 2b4t 3b 8b falcon3-10b …; without it, lists them all"},
    {"output", 'o', true, CMD_DUMMY | CMD_CONVERT, PATH, TO(out), 0, 0, "FILE", NULL,
     "the file to write"},
    {"type", 0, true, CMD_DUMMY | CONVERTERS, TEXT, TO(convert.type), 0, 0, "TYPE", "i2_s",
     "of the ternary weights: i2_s tq1_0 tq2_0 f16 bf16 f32"},
    {"embd", 0, true, CMD_DUMMY | CMD_CONVERT, TEXT, TO(convert.embd), 0, 0, "TYPE", "f16",
     "of embedding and head: f16 f32 bf16 q8_0 q6_k q4_k q4_0"},
    {"embd", 0, true, CMD_QUANTIZE, TEXT, TO(convert.embd), 0, 0, "TYPE", "as they are",
     "of embedding and head: f16 f32 bf16 q8_0 q6_k q4_k q4_0"},
    {"map", 0, true, CMD_CONVERT, PATH, TO(convert.map), 0, 0, "FILE", NULL,
     "names of tensors: lines SOURCE = blk.{}.attn_q.weight, or = ignore"},
    {"knob", 0, true, CMD_CONVERT, LIST, TO(convert.knob), 0, 0, "NAME=VALUE", NULL,
     "what the checkpoint leaves open, such as causal=false (repeatable)"},
    {"from-gguf", 0, true, CMD_CONVERT, PATH, TO(convert.from_gguf), 0, 0, "FILE", NULL,
     "from a GGUF instead of a folder, such as one with an odd I2_S layout"},
    {"dry-run", 0, true, CONVERTERS, FLAG, TO(convert.dry_run), 0, 0, NULL, NULL,
     "check everything but the weights, and list what would be written"},
    {"force", 0, true, CONVERTERS, FLAG, TO(convert.force), 0, 0, NULL, NULL,
     "quantise too what that destroys"},
    {"seed", 0, true, CMD_DUMMY, SEED, TO(seed), 0, 0, "N", "0",
     "the same seed gives the same file"},

    /* run: how long, and what comes out */
    {"max-tokens", 'n', true, ANSWERERS, INTEGER, TO(generate.max_tokens), -1, INT32_MAX, "N", "-1",
     "stop after N new tokens; -1: at an end token or a full context, or where chat continues a "
     "text after 120"},
    {"stop", 0, true, ANSWERERS, LIST, TO(generate.stop), 0, 0, "TEXT", NULL,
     "end before this text (repeatable)"},
    {"session", 0, true, ANSWERERS, PATH, TO(generate.session), 0, 0, "FILE", NULL,
     "go on where FILE ended, and save there in the end (made if missing)"},
    {"on-full", 0, false, CMD_RUN, CHOICE, TO(generate.on_full), 0, 0, "stop|shift", "stop",
     "when the context is full: end, or go on without the oldest half"},
    {"on-full", 0, false, CMD_CHAT, CHOICE, TO(generate.on_full), 0, 0, "stop|shift", "shift",
     "when the context is full: refuse messages, or leave out the oldest"},
    {"ignore-eos", 0, false, CMD_RUN, FLAG, TO(generate.ignore_eos), 0, 0, NULL, NULL,
     "go on after an end token"},
    {"cnv", 0, false, CMD_RUN, FLAG, TO(run.cnv), 0, 0, NULL, NULL,
     "as trit chat, with -p as the system prompt"},
    {"echo", 0, false, CMD_RUN, FLAG, TO(run.echo), 0, 0, NULL, NULL, "print the prompt first"},
    {"special", 0, false, CMD_RUN | TOKENIZERS, FLAG, TO(tokens.special), 0, 0, NULL, NULL,
     "control tokens in the text are those tokens (and detokenize shows them)"},

    {"seed", 0, false, SESSION_USERS & ~ANSWERERS, SEED, TO(seed), 0, 0, "N", "0",
     "of --layer-drop"},

    /* run: sampling, in the order of the stages */
    {"seed", 0, true, ANSWERERS, SEED, TO(seed), 0, 0, "N", "random, and printed",
     "the same seed gives the same text"},
    {"repeat-penalty", 0, false, ANSWERERS, NUMBER, TO(sampling.repeat_penalty), 0.001, 1000,
     "X", "1", "make tokens less likely that occurred; 1: not"},
    {"presence-penalty", 0, false, ANSWERERS, NUMBER, TO(sampling.presence_penalty), -1000, 1000,
     "X", "0", "taken from a logit if its token occurred"},
    {"frequency-penalty", 0, false, ANSWERERS, NUMBER, TO(sampling.frequency_penalty), -1000, 1000,
     "X", "0", "taken from a logit for each time its token occurred"},
    {"repeat-last-n", 0, false, ANSWERERS, INTEGER, TO(sampling.repeat_last_n), -1, INT32_MAX,
     "N", "64", "tokens that penalties look back on; -1: all"},
    {"logit-bias", 0, false, ANSWERERS, LIST, TO(sampling.logit_bias), 0, 0, "ID=V", NULL,
     "add V to the logit of token ID (repeatable)"},
    {"top-k", 0, false, ANSWERERS, INTEGER, TO(sampling.top_k), 0, INT32_MAX, "K", "0",
     "choose among the K most likely; 0: all"},
    {"top-p", 0, true, ANSWERERS, NUMBER, TO(sampling.top_p), 0, 1, "P", "1",
     "choose among the likeliest that reach probability P; 1: all"},
    {"min-p", 0, false, ANSWERERS, NUMBER, TO(sampling.min_p), 0, 1, "P", "0.05",
     "choose among those with P of the best one's probability; 0: all"},
    {"temp", 0, true, ANSWERERS, NUMBER, TO(sampling.temp), 0, 1000, "T", "0.8",
     "temperature; 0: always the most likely token"},

    /* the other commands */
    {"output", 'o', true, CMD_LOGITS, PATH, TO(out), 0, 0, "OUT.npy", NULL,
     "float32 array [tokens, vocabulary]"},
    {"ids", 0, true, CMD_TOKENIZE, FLAG, TO(tokens.print_ids), 0, 0, NULL, NULL,
     "print [1,2,3] instead of a line each"},
    {"ids", 0, true, CMD_TEMPLATE, FLAG, TO(tokens.print_ids), 0, 0, NULL, NULL,
     "print [1,2,3], BOS included, instead of the text"},
    {"no-bos", 0, true, CMD_TOKENIZE, FLAG, TO(tokens.no_bos), 0, 0, NULL, NULL,
     "never put the BOS first"},
    {"chunks", 0, true, CMD_PERPLEXITY, INTEGER, TO(windows.chunks), 1, INT32_MAX, "N", NULL,
     "windows at most"},
    {"second-half", 0, true, CMD_PERPLEXITY, FLAG, TO(windows.second_half), 0, 0, NULL, NULL,
     "score the second half of each window only"},
    {"save-logits", 0, true, CMD_PERPLEXITY, PATH, TO(perplexity.save_logits), 0, 0, "FILE", NULL,
     "keep the logits of all scored positions, for --kl"},
    {"kl", 0, true, CMD_PERPLEXITY, PATH, TO(perplexity.kl), 0, 0, "FILE", NULL,
     "how far this is from what --save-logits kept of the same text"},
    {"tensors", 0, true, CMD_INFO, FLAG, TO(info.list_tensors), 0, 0, NULL, NULL,
     "list the tensors"},
    {"metadata", 0, true, CMD_INFO, FLAG, TO(info.list_metadata), 0, 0, NULL, NULL,
     "list the metadata"},
    {"template", 0, true, CMD_INFO, FLAG, TO(info.show_template), 0, 0, NULL, NULL,
     "print the chat template that the file carries"},

    /* how it is computed */
    {"threads", 't', true, (COMPUTERS | CONVERTERS) & ~CMD_BENCH, INTEGER, TO(compute.threads), 1,
     512, "N", "physical performance cores", "threads"},
    {"ctx", 'c', true, COMPUTERS & ~(CMD_BENCH | CMD_PERPLEXITY), INTEGER, TO(compute.ctx), 1,
     1 << 20, "N", "the model's, at most 4096", "positions to make room for"},
    {"ctx", 'c', true, CMD_PERPLEXITY, INTEGER, TO(compute.ctx), 1, 1 << 20, "N",
     "the model's, at most 512", "positions of a window"},
    {"ctx", 'c', false, CMD_BENCH, INTEGER, TO(compute.ctx), 1, 1 << 20, "N", "what the tests take",
     "positions to make room for"},
    {"batch", 'b', false, COMPUTERS, INTEGER, TO(compute.batch), 1, 65536, "N", "512",
     "most tokens of a prompt at once"},
    {"isa", 0, false, COMPUTERS, TEXT, TO(compute.isa), 0, 0, ISA_NAMES, "the best of this CPU",
     "instruction set to use; see trit info"},
    {"walk", 0, false, SESSION_USERS, TEXT, TO(compute.walk), 0, 0, "NAME", "chosen by measurement",
     "how weights are read for a generated token; see trit info"},
    {"kv", 0, false, COMPUTERS & ~CMD_LOGITS, CHOICE, TO(compute.kv), 0, 0, "f16|f32|i8", "f16",
     "type of the cache of keys and values"},
    {"kv", 0, false, CMD_LOGITS, CHOICE, TO(compute.kv), 0, 0, "f16|f32|i8", "f32",
     "type of the cache of keys and values"},
    {"exit-layer", 0, true, SESSION_USERS, INTEGER, TO(layers.exit_layer), 1, 1024, "N", "all",
     "tokens pass N layers, then the head"},
    {"exit-threshold", 0, true, SESSION_USERS, NUMBER, TO(layers.exit_threshold), 0, 1, "P", "0",
     "leave at a layer after which the next token is likelier than P; 0: never"},
    {"exit-min-layer", 0, false, SESSION_USERS, INTEGER, TO(layers.exit_min_layer), 1, 1024, "N",
     "the model's", "layers to pass before that is looked at"},
    {"exit-check", 0, false, SESSION_USERS, TEXT, TO(layers.exit_check), 0, 0, "4,8,12",
     "every layer", "numbers of layers after which it is looked at"},
    {"skip-layers", 0, false, SESSION_USERS, TEXT, TO(layers.skip_layers), 0, 0, "3,7-9", "none",
     "leave these layers out (numbered from 0, as blk.N)"},
    {"layer-drop", 0, false, SESSION_USERS, NUMBER, TO(layers.layer_drop), 0, 1, "P", "0",
     "leave layers out at random, the l-th of L with P*(l/L)^2 (by --seed)"},
    {"i2s-layout", 0, false, OPENERS | CONVERTERS, CHOICE, TO(model.i2s_layout), 0, 0,
     "128|64|4row|seq|128row", "128", "how the weights of I2_S tensors lie in the file"},
    {"mlock", 0, false, ALL, FLAG, TO(model.mlock), 0, 0, NULL, NULL,
     "keep the file in physical memory"},
    {"no-mmap", 0, false, ALL, FLAG, TO(model.no_mmap), 0, 0, NULL, NULL,
     "read the file instead of mapping it"},

    /* nothing to these commands, which take them all the same: one set of options fits all */
    {"threads", 't', false, ALL & ~(COMPUTERS | CONVERTERS), INTEGER, TO(compute.threads), 1, 512,
     "N", NULL, NULL},
    {"ctx", 'c', false, ALL & ~COMPUTERS, INTEGER, TO(compute.ctx), 1, 1 << 20, "N", NULL, NULL},
    {"batch", 'b', false, ALL & ~COMPUTERS, INTEGER, TO(compute.batch), 1, 65536, "N", NULL, NULL},
    {"kv", 0, false, ALL & ~COMPUTERS, CHOICE, TO(compute.kv), 0, 0, "f16|f32|i8", NULL, NULL},
    {"isa", 0, false, ALL & ~COMPUTERS, TEXT, TO(compute.isa), 0, 0, ISA_NAMES, NULL, NULL},

    /* what is said */
    {"json", 0, true, ALL, FLAG, TO(json), 0, 0, NULL, NULL, "JSON instead of text"},
    {"stream", 0, false, CMD_RUN, FLAG, TO(run.stream), 0, 0, NULL, NULL,
     "with --json: one object per token too"},
    {"logprobs", 0, false, CMD_RUN, INTEGER, TO(run.logprobs), 0, 100, "N", "0",
     "with --json: the N likeliest tokens at each place, with ln of their probability"},
    {"quiet", 'q', true, ALL, FLAG, TO(quiet), 0, 0, NULL, NULL,
     "nothing on stderr but errors"},
    {"verbose", 'v', false, ALL, FLAG, TO(verbose), 0, 0, NULL, NULL, "say more on stderr"},
    {"version", 0, true, EVERY, FLAG, TO(version), 0, 0, NULL, NULL,
     "name, version, commit, compiler and instruction sets built in"},
    {"help", 'h', true, EVERY, FLAG, TO(help), 0, 0, NULL, NULL, "this"},
    {"help-all", 0, true, EVERY, FLAG, TO(help_all), 0, 0, NULL, NULL, "this, with every option"},
    {0},
};

/* ---- Names from elsewhere -------------------------------------------------------------------- */

#define NO_GPU "there is no GPU support; everything runs on the CPU"

/* bitnet.cpp's run_inference.py, llama-cli, llama-bench and llama-perplexity. */
const struct alias aliases[] = {
    {"-temp", "temp", false, NULL},
    {"--temperature", "temp", false, NULL},
    {"--predict", "max-tokens", false, NULL},
    {"--n-predict", "max-tokens", false, NULL},
    {"--n-prompt", "prompt", false, NULL},
    {"--n-gen", "gen", false, NULL},
    {"--n-depth", "depth", false, NULL},
    {"--repetitions", "repeat", false, NULL},
    {"--ctx-size", "ctx", false, NULL},
    {"--context", "ctx", false, NULL},
    {"--batch-size", "batch", false, NULL},
    {"--cache-type-k", "kv", false, NULL},
    {"-ctk", "kv", false, NULL},
    {"--prompt-cache", "session", false, NULL},
    {"--reverse-prompt", "stop", false, NULL},
    {"-ngl", NULL, true, NO_GPU},
    {"--gpu-layers", NULL, true, NO_GPU},
    {"--n-gpu-layers", NULL, true, NO_GPU},
    {"-cnv", "cnv", false, NULL},
    {"--conversation", "cnv", false, NULL},
    {"-no-cnv", NULL, false, NULL},
    {"--no-conversation", NULL, false, NULL},
    {"--no-display-prompt", NULL, false, NULL},
    {"--log-disable", NULL, false, NULL},
    {0},
};
/* clang-format on */

/* ---- Finding --------------------------------------------------------------------------------- */

const struct command_row *find_command(const struct command_row *commands, const char *name)
{
    for (const struct command_row *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

int n_files_of(const struct command_row *c)
{
    if (!c->operand || strchr(c->operand, '|'))
        return 0;
    return strchr(c->operand, ' ') ? 2 : 1;
}

/* "--name" without the value that may follow. */
static size_t option_name_length(const char *arg)
{
    const char *equals = strchr(arg, '=');
    return equals ? (size_t)(equals - arg) : strlen(arg);
}

const struct alias *find_alias(const char *arg)
{
    const size_t len = option_name_length(arg);
    for (const struct alias *a = aliases; a->spelling; a++)
        if (strlen(a->spelling) == len && memcmp(a->spelling, arg, len) == 0)
            return a;
    return NULL;
}

bool is_listed(const struct option *o, enum command bit)
{
    return (o->commands & (unsigned)bit) && o->help;
}

static bool is_long_name(const struct option *o, const char *arg, size_t len)
{
    const struct alias *a = find_alias(arg);
    if (a)
        return a->option && strcmp(a->option, o->name) == 0;
    return strncmp(arg, "--", 2) == 0 && strlen(o->name) == len - 2 &&
           memcmp(arg + 2, o->name, len - 2) == 0;
}

const struct option *find_option(const char *arg, unsigned command, const char **value)
{
    const struct option *other = NULL;
    const size_t len = option_name_length(arg);

    *value = NULL;
    for (const struct option *o = options; o->name; o++) {
        const bool is_long = is_long_name(o, arg, len);
        if (!is_long && !(o->letter && arg[1] == o->letter && !arg[2]))
            continue;
        *value = is_long && arg[len] ? arg + len + 1 : NULL;
        if (o->commands & command)
            return o;
        other = o;
    }
    return other;
}

/* ---- Suggestions ----------------------------------------------------------------------------- */

enum { MAX_NAME = 32 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Letters to insert, drop, replace or exchange with their neighbour to make a of b (the distance of
 * Damerau, in the form where no place changes twice); large where a name is longer than MAX_NAME.
 */
static int distance(const char *a, size_t n_a, const char *b)
{
    const size_t n_b = strlen(b);
    int d[MAX_NAME + 1][MAX_NAME + 1];

    if (n_a > MAX_NAME || n_b > MAX_NAME)
        return MAX_NAME;
    for (size_t i = 0; i <= n_a; i++)
        for (size_t j = 0; j <= n_b; j++) {
            if (!i || !j) {
                d[i][j] = (int)(i + j);
                continue;
            }
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n_a][n_b];
}

/* A name is near if at most a third of its letters are wrong, and no other was nearer. */
static void consider_name(const char **best, int *least_so_far, const char *arg, size_t len,
                          const char *name)
{
    const int n = distance(arg, len, name);
    if (n < *least_so_far && n <= (int)(len + 1) / 3) {
        *least_so_far = n;
        *best = name;
    }
}

const char *suggest_command(const struct command_row *commands, const char *name)
{
    const char *best = NULL;
    int nearest = MAX_NAME;

    for (const struct command_row *c = commands; c->name; c++)
        consider_name(&best, &nearest, name, strlen(name), c->name);
    return best;
}

const char *suggest_option(const char *arg, unsigned command)
{
    const size_t dashes = strspn(arg, "-"), len = option_name_length(arg);
    const char *best = NULL;
    int nearest = MAX_NAME;

    for (const struct option *o = options; o->name; o++)
        if ((o->commands & command) && len > dashes + 1)
            consider_name(&best, &nearest, arg + dashes, len - dashes, o->name);
    return best;
}
