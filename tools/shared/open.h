/* open.h - the model that the options ask for: its file, tokenizer and session. */
#ifndef TRIT_TOOLS_OPEN_H
#define TRIT_TOOLS_OPEN_H

#include "args.h"

/* The file, model and session that the options ask for; each NULL until opened. */
struct opened {
    trit_file *file;
    trit_model *model;
    trit_tokenizer *tokenizer;
    trit_session *session;
    double load_ms;
};

/* @return EXIT_DONE, or an exit code after a message; close either way. */
int open_file(struct opened *o, const struct model_args *args);
int open_tokenizer(struct opened *o); /* of a file that is open */
int open_model(struct opened *o, const struct model_args *args);
/* Opens the model too, where that has not been done. */
int open_session(struct opened *o, const struct args *args);
void session_options(struct trit_session_options *opt, const struct compute_args *args);

/* Report an error of trit_session_open() or trit_session_bytes(). @return exit code */
int report_session(const struct trit_error *err, const trit_model *model);

void close_all(struct opened *o);

/* trit_tokenizer_encode(), with the message. *ids is released with free(). @return exit code */
int encode_text(const trit_tokenizer *t, const char *text, size_t len, unsigned flags,
                int32_t **ids, int32_t *n);

#endif
