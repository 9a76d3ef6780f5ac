/* open.h - opens the file, model, tokenizer and session that the options name. */
#ifndef TRIT_TOOLS_OPEN_H
#define TRIT_TOOLS_OPEN_H

#include "args.h"

/* Each is NULL until it is opened. */
struct opened {
    trit_file *file;
    trit_model *model;
    trit_tokenizer *tokenizer;
    trit_session *session;
    char *template_text; /* of a file that --template names */
    double load_ms;
};

/* @return exit code, after a message; call close_all() either way */
int open_file(struct opened *o, const struct model_args *args);
int open_model(struct opened *o, const struct model_args *args); /* opens the file too */
int open_tokenizer(struct opened *o);                            /* needs the open file */

/* Open a session, and the model too unless it is open. @return as above */
int open_session(struct opened *o, const struct args *args);

void session_options(struct trit_session_options *opt, const struct compute_args *args,
                     const trit_model *model);

/* Report an error of trit_session_open() or trit_session_bytes(). @return exit code */
int report_session(const struct trit_error *err, const trit_model *model);

void close_all(struct opened *o);

/* trit_tokenizer_encode(). *ids is released with trit_free(). @return exit code, after a message */
int encode_text(const trit_tokenizer *t, const char *text, size_t len, unsigned flags,
                int32_t **ids, int32_t *n);

#endif
