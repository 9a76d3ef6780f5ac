/* cmd_man.c - trit man: the manual as roff, from the tables in options.c and prose. */
#include <stdio.h>
#include <string.h>

#include "aliases.h"
#include "cli.h"
#include "options.h"
#include "report.h"

/* Print text, escaped for roff; a newline starts a paragraph. */
static void roff(const char *text)
{
    static const char *const escapes[0x80] = {
        ['\\'] = "\\e", ['-'] = "\\-", ['\''] = "\\(aq", ['"'] = "\\(dq"};

    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '\n')
            fputs("\n.PP\n", stdout);
        else if (strncmp(text, "…", 3) == 0)
            fputs("...", stdout);
        else if (c < sizeof escapes / sizeof *escapes && escapes[c])
            fputs(escapes[c], stdout);
        else if (c < 0x80)
            putchar(c);
    }
}

static void man_option(const struct option *o)
{
    const struct value_name value = value_name_of(o);

    printf(".TP\n.B ");
    if (o->letter)
        printf("\\-%c, ", o->letter);
    printf("\\-\\-");
    roff(o->name);
    if (*value.text) {
        printf(" \\fI");
        roff(value.text);
        printf("\\fR");
    }
    putchar('\n');
    roff(describe_option(o, true).text);
    printf(".\n");
}

static bool is_common(const struct option *o)
{
    return (o->commands & common_commands) == common_commands;
}

static void man_command(const struct command_row *c)
{
    printf(".SS trit %s%s%s\n", c->name, c->operand ? " " : "", c->operand ? c->operand : "");
    roff(c->help);
    printf(".\n");
    for (int i = 0; c->examples[i]; i++) {
        printf(".PP\n.RS\n.nf\n");
        roff(c->examples[i]);
        printf("\n.fi\n.RE\n");
    }
    for (const struct option *o = options; o->name; o++)
        if (is_listed(o, c->bit) && !is_common(o))
            man_option(o);
}

static void man_commands(const struct command_row *commands)
{
    for (const struct command_row *c = commands; c->name; c++)
        man_command(c);
}

static void man_common_options(const struct command_row *commands)
{
    (void)commands;
    for (const struct option *o = options; o->name; o++)
        if (is_common(o))
            man_option(o);
}

/* The spellings of a kind of alias, as a paragraph. */
static void man_aliases_of(const char *heading, bool has_option, bool refused)
{
    const char *between = "";

    printf(".PP\n%s ", heading);
    for (const struct alias *a = aliases; a->spelling; a++) {
        if (!!a->option != has_option || a->refused != refused)
            continue;
        roff(between);
        roff(a->spelling);
        if (a->option) {
            printf(" (\\-\\-");
            roff(a->option);
            printf("%s%s)", a->value ? " " : "", a->value ? a->value : "");
        }
        between = ", ";
    }
    printf(".\n");
}

static void man_aliases(const struct command_row *commands)
{
    (void)commands;
    printf("trit understands the options of llama.cpp, bitnet.cpp and ollama.\n");
    man_aliases_of("The same by another name:", true, false);
    man_aliases_of("Accepted without an effect:", false, false);
    man_aliases_of("Refused, unless the value switches them off:", false, true);
    printf("\\-e (\\-\\-escape) decodes \\en, \\et, \\exHH and their kind in the texts of "
           "\\-p, \\-s and \\-\\-stop.\n");
}

/* The sections in order; each is printed from the tables or is text. */
static const struct section {
    const char *heading;
    void (*print)(const struct command_row *commands);
    const char *text;
} sections[] = {
    {"NAME", NULL, "trit - run ternary language models on this computer"},
    {"SYNOPSIS", NULL, "trit COMMAND [OPTIONS]"},
    {"DESCRIPTION", NULL,
     "trit runs ternary (BitNet b1.58) language models on the CPU. It writes the result to "
     "standard output and everything else to standard error.\n"
     "The model is the file given with -m. Without -m, it is the file named by TRIT_MODEL, else "
     "the built-in model, if this build has one."},
    {"COMMANDS", man_commands, NULL},
    {"COMMON OPTIONS", man_common_options, NULL},
    {"SAMPLING", NULL,
     "trit chooses each token in these steps, in order: penalties over the last tokens, "
     "--logit-bias, --top-k, --top-p, --min-p, --temp. A step at its neutral value is off; --temp "
     "0 "
     "takes the most likely token. The statistics line ends with the seed; the same command with "
     "that --seed gives the same text on any machine. Special tokens written in the prompt are "
     "plain text unless --special is given."},
    {"CHAT", NULL,
     "A chat template formats a conversation the way the model was trained on. trit uses the one "
     "in the model file, a small program in the language Jinja, which sees the messages and "
     "nothing else. For files without one, trit has a table, and chooses by the architecture and "
     "the vocabulary. trit chat -v and trit info print the choice and the reason; --template "
     "overrides it with a name, one of the file's further templates or a file. User text never "
     "becomes a control token or a marker of the template.\n"
     "A model may think before it answers. chat shows thoughts dim; run --chat leaves them out of "
     "pipes unless --show-thoughts is given, and --json has them as reasoning_content. --reasoning "
     "on or off asks a template that knows it for the one or the other.\n"
     "The line editor works like a shell's: it has a history, Ctrl-R to search it, Tab to complete "
     "commands and file names, and accepts pasted text with several lines. Ctrl-C stops an answer "
     "and keeps the text generated so far. When the context is full, trit drops the oldest "
     "exchanges and says so. /help lists the chat commands. A base model, such as the built-in "
     "one, only continues text: type the beginning of a text instead of a message, and press Enter "
     "alone for more."},
    {"SESSIONS", NULL,
     "--session FILE saves the tokens of a run with their keys and values. The next run with FILE "
     "evaluates only the new tokens. If the saved keys and values cannot be used (another cache "
     "type, another trit version, damage), trit evaluates the tokens again and says so. It refuses "
     "a session saved with another model.\n"
     "With --on-full shift, when the context is full, trit drops the older half of the tokens "
     "after the BOS and evaluates the rest again, so nothing is approximated."},
    {"CHECKPOINTS", NULL,
     "trit convert reads config.json, the weights (safetensors or pytorch_model.bin) and the "
     "tokenizer in a folder, and writes a GGUF tensor by tensor: it needs memory only for the "
     "largest tensor, and an interrupted run leaves no partial file. It prints a line for each "
     "decision and stores it in the file; trit info shows it. trit does not guess: if a tensor is "
     "missing, unknown or has an unexpected shape, if a code or a scale is invalid, or if the "
     "config has an option that trit does not support, the conversion stops and names the problem. "
     "--map gives the tensor names of other sources.\n"
     "Full-precision master weights are quantized as in training (absmean). Floats that are "
     "already ternary keep their values. trit quantize converts between types; it refuses a "
     "conversion that would ruin the model unless --force is given. Some builds of bitnet.cpp "
     "wrote I2_S in another order with the same type id. Such files open without an error and "
     "produce nonsense unless --i2s-layout names their order; every command accepts it."},
    {"EARLY EXIT", NULL,
     "Models trained for early exit can stop before their last layer. --exit-layer N runs N "
     "layers, "
     "then the final norm and the head. --exit-threshold P exits at the first checked layer at "
     "which the next token's probability exceeds P. When a later token goes deeper, trit computes "
     "the skipped layers of all earlier tokens in one batch, so the result is the same as if they "
     "had never been skipped. trit bench --exit-sweep shows speed and quality for each number of "
     "layers."},
    {"SPEED", NULL,
     "trit bench measures memory bandwidth and peak arithmetic throughput in the same process, and "
     "shows each result as a percentage of that limit. On the first tokens of a large model, trit "
     "spends 10 ms trying several ways to read the weights and keeps the fastest. All give "
     "bit-identical results; --walk selects one. In a container with a CPU quota, trit starts only "
     "as many threads as the quota allows; trit info shows which limit applies."},
    {"OPTIONS OF OTHER PROGRAMS", man_aliases, NULL},
    {"ENVIRONMENT", NULL,
     "TRIT_MODEL: the model if -m is not given.\n"
     "NO_COLOR: if set, no color and no progress. TERM=dumb does the same.\n"
     "XDG_STATE_HOME: the folder for the chat history; see FILES."},
    {"EXIT STATUS", NULL,
     "0 success, 1 failed while running, 2 usage error, 3 a file cannot be read or is damaged, 4 "
     "not "
     "supported, 5 out of memory, 130 interrupted."},
    {"FILES", NULL,
     "$XDG_STATE_HOME/trit/history, else ~/.local/state/trit/history: the message history of "
     "trit chat.\n"
     "The --session file: tokens with their keys and values, for its owner alone. It is replaced "
     "as a whole, and only "
     "if the command succeeds or is stopped by Ctrl-C."},
};

int man_main(const struct args *args)
{
    printf(".TH TRIT 1 \"\" \"trit %s\" \"User Commands\"\n", trit_version());
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        printf(".SH %s\n", sections[i].heading);
        if (sections[i].print) {
            sections[i].print(args->commands);
        } else {
            roff(sections[i].text);
            putchar('\n');
        }
    }
    return finish_stdout();
}
