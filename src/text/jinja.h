/* jinja.h - the part of Jinja that chat templates use, as a pure function of its input.
 *
 * A template can compute and write text. It sees its variables and nothing else: no files, no
 * environment, no clock but the one that it is given. Steps, memory and depth are bounded.
 *
 * Every byte of every string remembers its origin: the template itself, or the data (messages and
 * tools). Slicing, joining, trimming and all other operations keep it. So a caller can tell a
 * marker that the template wrote from one that a user wrote.
 *
 * What is understood: the statements if, for (with filter, else, break, continue), set, macro,
 * call, filter, with, do, raw, generation; all operators; the filters, tests and methods listed in
 * jinja_builtins.c; the functions range, dict, namespace, raise_exception and strftime_now. White
 * space is controlled as transformers does it: trim_blocks and lstrip_blocks are on. Anything else
 * is an error with its line and column. */
#ifndef TRIT_TEXT_JINJA_H
#define TRIT_TEXT_JINJA_H

#include "trit_tools.h"

struct trit_jinja_input {
    /* Either messages[0..n), or json: an array of objects with role, content and other members. */
    const struct trit_message *messages;
    int32_t n;
    const struct trit_json_value *json;
    const struct trit_json_value *tools;     /* an array, or NULL: none */
    struct trit_string bos_token, eos_token; /* empty: undefined */
    bool add_generation_prompt;
    int enable_thinking; /* 0 or 1; -1: undefined */
    bool has_now;        /* else strftime_now is undefined */
    int64_t now;         /* local time, in seconds since 1970 */
};

/* The origins of bytes. */
enum {
    TRIT_JINJA_TEMPLATE, /* or bos_token, eos_token, the name of a known role, a number */
    TRIT_JINJA_DATA,
    TRIT_JINJA_ANSWERS /* this + i: byte i of the contents of all messages of the role assistant,
                        * one after the other */
};

struct trit_jinja_output {
    char *text;       /* [len], not terminated */
    uint32_t *origin; /* [len] */
    size_t len;
};

/* Render a template. Release *out with trit_jinja_free(), also after an error.
 * @return TRIT_OK; TRIT_E_FILE: the template cannot be understood, or failed, or raised an
 * exception; TRIT_E_MEMORY: no memory, or the template needs too much */
trit_status trit_jinja_render(struct trit_jinja_output *out, struct trit_string source,
                              const struct trit_jinja_input *input, struct trit_error *err);
void trit_jinja_free(struct trit_jinja_output *out);

/* Whether a template can be parsed. @return as trit_jinja_render() */
trit_status trit_jinja_check(struct trit_string source, struct trit_error *err);

#endif
