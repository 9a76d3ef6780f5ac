/* options.c - see options.h. A new option is a row here. */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include "aliases.h"
#include "builtin.h"
#include "trit_tools.h"

/* ---- Choices --------------------------------------------------------------------------------- */

/* The name in row i of a library table, or NULL. */
#define NAME_OF(function, row_type, row_at)                                                        \
    static const char *function(int i)                                                             \
    {                                                                                              \
        row_type row;                                                                              \
        return row_at(i, &row) ? row.name : NULL;                                                  \
    }
NAME_OF(isa_at, struct trit_isa_info, trit_isa_at)
NAME_OF(walk_at, struct trit_walk_info, trit_walk_at)
NAME_OF(shape_at, struct trit_dummy_shape, trit_dummy_shape_at)

/* The name of the i-th type with that use; valid until the next call. */
#define TYPE_OF(function, use)                                                                     \
    static const char *function(int i)                                                             \
    {                                                                                              \
        static struct trit_weight_type row;                                                        \
        for (int k = 0; trit_weight_type_at(k, &row); k++)                                         \
            if (row.use && i-- == 0)                                                               \
                return row.name;                                                                   \
        return NULL;                                                                               \
    }
TYPE_OF(linear_type_at, linear)
TYPE_OF(embd_type_at, embd)

static const char *format_at(int i)
{
    static const char *const formats[] = {"md", "csv", "json", "jsonl", NULL};
    return formats[i];
}

static const char *reasoning_at(int i)
{
    static const char *const modes[] = {"on", "off", "auto", NULL};
    return modes[i];
}

static const char *on_full_at(int i)
{
    static const char *const ends[] = {"stop", "shift", NULL};
    return ends[i];
}

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

/* The last argument is the help; designated members may follow it. */
#define OPTION(name_, letter_, common_, commands_, value_, member_, arg_, fallback_, ...)          \
    {                                                                                              \
        .name = name_, .letter = letter_, .common = common_, .commands = commands_,                \
        .value = value_, .member = offsetof(struct args, member_), .arg = arg_,                    \
        .fallback = fallback_, .help = __VA_ARGS__                                                 \
    }
#define SWITCH(name_, letter_, common_, commands_, member_, help_)                                 \
    OPTION(name_, letter_, common_, commands_, FLAG, member_, NULL, NULL, help_)
#define RANGE(lo_, hi_) .lo = lo_, .hi = hi_
#define EVERY (~0u)

/* clang-format off */
const struct option options[] = {
    OPTION("model", 'm', true, OPENERS | CMD_DUMMY, PATH, model.path, "FILE", default_model,
           "the model file"),

    /* input */
    OPTION("prompt", 'p', true, TEXT_USERS | CMD_LOGITS, TEXT, text.prompt, "TEXT", NULL,
           "the prompt, used verbatim"),
    OPTION("escape", 'e', false, TEXT_USERS | CMD_LOGITS | CMD_CHAT, FLAG, text.escape, NULL, NULL,
           "decode \\n, \\t, \\xHH and their kind in -p, -s and --stop", .unlisted = EVERY),
    OPTION("file", 'f', true, TEXT_USERS, PATH, text.file, "FILE", NULL,
           "read the prompt from FILE; - or a pipe: standard input"),
    SWITCH("chat", 0, true, CMD_RUN, run.chat,
           "answer the prompt as a message, in the model's chat template"),
    OPTION("system", 's', true, ANSWERERS | CMD_TEMPLATE, TEXT, chat.system, "TEXT", NULL,
           "system message of the chat"),
    OPTION("template", 0, true, ANSWERERS | CMD_TEMPLATE, TEXT, chat.template_name,
           "NAME|FILE", "the model's own; -v says why", "chat template",
           .choice = trit_chat_template_at),
    OPTION("reasoning", 0, true, ANSWERERS | CMD_TEMPLATE, CHOICE, chat.reasoning, NULL, "auto",
           "whether a model that can think does: on, off, or as its template has it",
           .choice = reasoning_at),
    SWITCH("show-thoughts", 0, false, CMD_RUN | CMD_CHAT, chat.show_thoughts,
           "keep thoughts in the text, where the output is no terminal"),
    OPTION("turns", 0, true, CMD_TEMPLATE, PATH, chat.turns, "FILE.json", NULL,
           "messages before the prompt: [{\"role\": \"user\", \"content\": \"…\"}, …]"),
    OPTION("tokens", 0, true, CMD_LOGITS, TEXT, tokens.ids, "1,2,3", NULL,
           "token ids, used verbatim (no BOS is added)"),
    OPTION("ids", 0, true, CMD_DETOKENIZE, TEXT, tokens.ids, "1,2,3", NULL, "the token ids"),

    /* bench */
    OPTION("prompt", 'p', true, CMD_BENCH, TEXT, bench.n_prompts, "N,...", "512",
           "prompt lengths to evaluate"),
    OPTION("gen", 'n', true, CMD_BENCH, TEXT, bench.n_gens, "N,...", "128",
           "numbers of tokens to generate"),
    OPTION("depth", 'd', true, CMD_BENCH, TEXT, bench.n_depths, "N,...", "0",
           "tokens already in the context"),
    OPTION("sequences", 0, true, CMD_BENCH, TEXT, bench.n_sequences, "N,...", "1",
           "numbers of sequences to generate together; tokens/s of all"),
    OPTION("threads", 't', true, CMD_BENCH, TEXT, bench.n_threads, "N,...",
           "physical performance cores", "numbers of threads"),
    OPTION("repeat", 'r', true, CMD_BENCH, INTEGER, bench.repeats, "N", "5",
           "measurements per row", RANGE(1, 1000)),
    OPTION("output", 'o', true, CMD_BENCH, CHOICE, bench.format, NULL, "a table, row by row",
           "output format", .choice = format_at),
    SWITCH("exit-sweep", 0, true, CMD_BENCH, layers.exit_sweep,
           "a row for each number of layers: speed, and how well it predicts the -f text"),
    OPTION("file", 'f', true, CMD_BENCH, PATH, text.file, "FILE", NULL, "text for --exit-sweep"),
    SWITCH("samples", 0, true, CMD_BENCH, bench.samples,
           "with --exit-sweep: show how each row continues the first words of the text"),
    OPTION("chunks", 0, false, CMD_BENCH, INTEGER, windows.chunks, "N", NULL,
           "with --exit-sweep: use at most N windows of the text, by default 20",
           RANGE(1, INT32_MAX)),
    OPTION("compare", 0, true, CMD_BENCH, PATH, bench.compare, "OLD.json", NULL,
           "compare each row with an earlier result of -o json or -o jsonl"),

    /* dummy, convert and quantize */
    OPTION("shape", 0, true, CMD_DUMMY, TEXT, convert.shape, "NAME", NULL,
           "model whose sizes to use; omit it for a description of each", .choice = shape_at),
    OPTION("output", 'o', true, CMD_DUMMY | CMD_CONVERT, PATH, out, "FILE", NULL, "file to write"),
    OPTION("type", 0, true, CMD_DUMMY | CONVERTERS, TEXT, convert.type, "TYPE", "i2_s",
           "type of the ternary weights", .choice = linear_type_at),
    OPTION("embd", 0, true, CMD_DUMMY | CMD_CONVERT, TEXT, convert.embd, "TYPE", "f16",
           "type of embedding and head", .choice = embd_type_at),
    OPTION("embd", 0, true, CMD_QUANTIZE, TEXT, convert.embd, "TYPE", "unchanged",
           "type of embedding and head", .choice = embd_type_at),
    OPTION("map", 0, true, CMD_CONVERT, PATH, convert.map, "FILE", NULL,
           "tensor names, as lines SOURCE = blk.{}.attn_q.weight or SOURCE = ignore"),
    OPTION("knob", 0, true, CMD_CONVERT, LIST, convert.knob, "NAME=VALUE", NULL,
           "set a property that the checkpoint omits, such as causal=false (repeatable)"),
    OPTION("from-gguf", 0, true, CMD_CONVERT, PATH, convert.from_gguf, "FILE", NULL,
           "convert a GGUF, such as one with an unusual I2_S layout, instead of a folder"),
    SWITCH("dry-run", 0, true, CONVERTERS, convert.dry_run,
           "check everything except the weights and list the output"),
    SWITCH("force", 0, true, CONVERTERS, convert.force, "quantize even if that ruins the model"),
    OPTION("seed", 0, true, CMD_DUMMY, SEED, seed, "N", "0", "the same seed writes the same file"),

    /* run and chat: how long, and what is printed */
    OPTION("max-tokens", 'n', true, ANSWERERS, INTEGER, generate.max_tokens, "N", "-1",
           "generate at most N tokens; -1: until an end token or a full context (in chat with a "
           "base model: 120)", RANGE(-1, INT32_MAX)),
    OPTION("stop", 0, true, ANSWERERS, LIST, generate.stop, "TEXT", NULL,
           "stop when this text appears, and do not print it (repeatable)"),
    OPTION("session", 0, true, ANSWERERS, PATH, generate.session, "FILE", NULL,
           "resume from FILE and save to it on exit (created if missing)"),
    OPTION("on-full", 0, false, CMD_RUN, CHOICE, generate.on_full, NULL, "stop",
           "when the context is full: stop, or drop the oldest half and go on",
           .choice = on_full_at),
    OPTION("on-full", 0, false, CMD_CHAT, CHOICE, generate.on_full, NULL, "shift",
           "when the context is full: refuse messages, or drop the oldest", .choice = on_full_at),
    SWITCH("ignore-eos", 0, false, CMD_RUN, generate.ignore_eos, "continue after an end token"),
    OPTION("prompts", 0, true, CMD_RUN, PATH, run.prompts, "FILE.jsonl", NULL,
           "answer each line, {\"prompt\": \"…\"} or {\"messages\": […]}, with a JSON object"),
    OPTION("sequences", 0, true, CMD_RUN, INTEGER, run.sequences, "N", NULL,
           "with --prompts: answer N of them together", RANGE(1, 256)),
    SWITCH("cnv", 0, false, CMD_RUN, run.cnv, "same as trit chat, with -p as the system message"),
    SWITCH("echo", 0, false, CMD_RUN, run.echo, "print the prompt first"),
    SWITCH("special", 0, false, CMD_RUN | TOKENIZERS, tokens.special,
           "parse control tokens written in the text (and show them in detokenize)"),
    OPTION("seed", 0, false, SESSION_USERS & ~ANSWERERS, SEED, seed, "N", "0",
           "seed for --layer-drop"),

    /* run and chat: sampling, in the order of the stages */
    OPTION("seed", 0, true, ANSWERERS, SEED, seed, "N", "random, and printed",
           "the same seed gives the same text"),
    OPTION("repeat-penalty", 0, false, ANSWERERS, NUMBER, sampling.repeat_penalty, "X", "1",
           "penalize tokens that already occurred; 1: off", RANGE(0.001, 1000)),
    OPTION("presence-penalty", 0, false, ANSWERERS, NUMBER, sampling.presence_penalty, "X", "0",
           "subtract X from a logit if its token occurred", RANGE(-1000, 1000)),
    OPTION("frequency-penalty", 0, false, ANSWERERS, NUMBER, sampling.frequency_penalty, "X", "0",
           "subtract X from a logit each time its token occurred", RANGE(-1000, 1000)),
    OPTION("repeat-last-n", 0, false, ANSWERERS, INTEGER, sampling.repeat_last_n, "N", "64",
           "penalties consider the last N tokens; -1: all", RANGE(-1, INT32_MAX)),
    OPTION("logit-bias", 0, false, ANSWERERS, LIST, sampling.logit_bias, "ID=V", NULL,
           "add V to the logit of token ID (repeatable)"),
    OPTION("top-k", 0, false, ANSWERERS, INTEGER, sampling.top_k, "K", "0",
           "keep the K most likely tokens; 0: all", RANGE(0, INT32_MAX)),
    OPTION("top-p", 0, true, ANSWERERS, NUMBER, sampling.top_p, "P", "1",
           "keep the most likely tokens that together reach probability P; 1: all", RANGE(0, 1)),
    OPTION("min-p", 0, false, ANSWERERS, NUMBER, sampling.min_p, "P", "0.05",
           "keep tokens at least P times as likely as the best one; 0: all", RANGE(0, 1)),
    OPTION("temp", 0, true, ANSWERERS, NUMBER, sampling.temp, "T", "0.8",
           "temperature; 0: always the most likely token", RANGE(0, 1000)),

    /* the other commands */
    OPTION("output", 'o', true, CMD_LOGITS, PATH, out, "OUT.npy", NULL,
           "file to write: float32 array [tokens, vocabulary]"),
    SWITCH("ids", 0, true, CMD_TOKENIZE, tokens.print_ids,
           "print [1,2,3] instead of a line per token"),
    SWITCH("ids", 0, true, CMD_TEMPLATE, tokens.print_ids,
           "print [1,2,3], BOS included, instead of the text"),
    SWITCH("no-bos", 0, true, CMD_TOKENIZE, tokens.no_bos, "do not add the BOS"),
    OPTION("chunks", 0, true, CMD_PERPLEXITY, INTEGER, windows.chunks, "N", NULL,
           "score at most N windows", RANGE(1, INT32_MAX)),
    SWITCH("second-half", 0, true, CMD_PERPLEXITY, windows.second_half,
           "score only the second half of each window"),
    OPTION("save-logits", 0, true, CMD_PERPLEXITY, PATH, perplexity.save_logits, "FILE", NULL,
           "save the logits of all scored positions, for --kl"),
    OPTION("kl", 0, true, CMD_PERPLEXITY, PATH, perplexity.kl, "FILE", NULL,
           "measure the KL divergence from logits saved for the same text"),
    SWITCH("tensors", 0, true, CMD_INFO, info.list_tensors, "list the tensors"),
    SWITCH("metadata", 0, true, CMD_INFO, info.list_metadata, "list the metadata"),
    SWITCH("template", 0, true, CMD_INFO, info.show_template, "print the file's own chat template"),

    /* computation */
    OPTION("threads", 't', true, ALL & ~CMD_BENCH, INTEGER, compute.threads, "N",
           "physical performance cores", "number of threads", RANGE(1, 512),
           .unlisted = ALL & ~(COMPUTERS | CONVERTERS)),
    OPTION("ctx", 'c', true, ALL & ~(CMD_BENCH | CMD_PERPLEXITY), INTEGER, compute.ctx, "N",
           "the model's, at most 4096", "context size, in tokens", RANGE(1, 1 << 20),
           .unlisted = ALL & ~COMPUTERS),
    OPTION("ctx", 'c', true, CMD_PERPLEXITY, INTEGER, compute.ctx, "N", "the model's, at most 512",
           "window size, in tokens", RANGE(1, 1 << 20)),
    OPTION("ctx", 'c', false, CMD_BENCH, INTEGER, compute.ctx, "N", "what the rows need",
           "context size, in tokens", RANGE(1, 1 << 20)),
    OPTION("batch", 'b', false, ALL, INTEGER, compute.batch, "N", "512",
           "evaluate at most N prompt tokens at once", RANGE(1, 65536),
           .unlisted = ALL & ~COMPUTERS),
    OPTION("isa", 0, false, ALL, TEXT, compute.isa, NULL, "the best for this CPU",
           "instruction set to use; see trit info", .choice = isa_at, .unlisted = ALL & ~COMPUTERS),
    OPTION("walk", 0, false, SESSION_USERS, TEXT, compute.walk, "NAME", "chosen by measurement",
           "how to read the weights for a generated token (see trit info)", .choice = walk_at),
    OPTION("kv", 0, false, ALL & ~CMD_LOGITS, CHOICE, compute.kv, NULL, "f16",
           "type of the key and value cache", .choice = trit_kv_type_at,
           .unlisted = ALL & ~COMPUTERS),
    OPTION("kv", 0, false, CMD_LOGITS, CHOICE, compute.kv, NULL, "f32",
           "type of the key and value cache", .choice = trit_kv_type_at),
    OPTION("exit-layer", 0, true, SESSION_USERS, INTEGER, layers.exit_layer, "N", "all",
           "run N layers, then the head", RANGE(1, 1024)),
    OPTION("exit-threshold", 0, true, SESSION_USERS, NUMBER, layers.exit_threshold, "P", "0",
           "exit early once the next token's probability exceeds P; 0: never", RANGE(0, 1)),
    OPTION("exit-min-layer", 0, false, SESSION_USERS, INTEGER, layers.exit_min_layer, "N",
           "the model's", "first layer at which to check --exit-threshold", RANGE(1, 1024)),
    OPTION("exit-check", 0, false, SESSION_USERS, TEXT, layers.exit_check, "4,8,12", "every layer",
           "layers at which to check --exit-threshold"),
    OPTION("skip-layers", 0, false, SESSION_USERS, TEXT, layers.skip_layers, "3,7-9", "none",
           "skip these layers, numbered from 0 as in blk.N"),
    OPTION("layer-drop", 0, false, SESSION_USERS, NUMBER, layers.layer_drop, "P", "0",
           "skip layer l of L with probability P*(l/L)^2; --seed makes it repeatable", RANGE(0, 1)),
    OPTION("i2s-layout", 0, false, OPENERS | CONVERTERS, CHOICE, model.i2s_layout, NULL, "128",
           "order of the weights in I2_S tensors", .choice = trit_i2s_layout_at),
    SWITCH("mlock", 0, false, ALL, model.mlock, "keep the file in physical memory"),
    OPTION("override", 0, false, OPENERS | CONVERTERS, LIST, model.overrides, "KEY=VALUE", NULL,
           "use this metadata instead of the file's; may be repeated"),
    OPTION("override-kv", 0, false, OPENERS | CONVERTERS, LIST, model.override_kv,
           "KEY=TYPE:VALUE,...", NULL, "the same, with the type int, float, bool or str"),
    SWITCH("no-mmap", 0, false, ALL, model.no_mmap, "read the file instead of mapping it"),

    /* output */
    SWITCH("json", 0, true, ALL, json, "print JSON instead of text"),
    SWITCH("stream", 0, false, CMD_RUN, run.stream, "with --json: also print an object per token"),
    OPTION("logprobs", 0, false, CMD_RUN, INTEGER, run.logprobs, "N", "0",
           "with --json: also the N most likely tokens at each position, with ln probabilities",
           RANGE(0, 100)),
    SWITCH("quiet", 'q', true, ALL, quiet, "print only errors on stderr"),
    SWITCH("verbose", 'v', false, ALL, verbose, "print more on stderr"),
    SWITCH("version", 0, true, EVERY, version,
           "show version, commit, compiler and instruction sets"),
    SWITCH("help", 'h', true, EVERY, help, "show this help"),
    SWITCH("help-all", 0, true, EVERY, help_all, "show every option"),
    {0},
};
/* clang-format on */

/* ---- Lookup ---------------------------------------------------------------------------------- */

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

bool is_listed(const struct option *o, enum command bit)
{
    return o->commands & ~o->unlisted & (unsigned)bit;
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
    const size_t len = strcspn(arg, "=");

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

/* Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbors
 * that turn b into a; MAX_NAME if a name is longer than that. */
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

/* Keep name as the best if at most a third of its letters differ and it is nearer. */
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
    const size_t dashes = strspn(arg, "-"), len = strcspn(arg, "=");
    const char *best = NULL;
    int nearest = MAX_NAME;

    for (const struct option *o = options; o->name; o++)
        if ((o->commands & command) && len > dashes + 1)
            consider_name(&best, &nearest, arg + dashes, len - dashes, o->name);
    return best;
}
