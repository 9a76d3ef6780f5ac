/* resume.h - the file of --session: loaded before a command generates, written when it has.
 *
 * It is replaced as a whole and only where the command ended well or by Ctrl-C: one that was
 * refused, or whose tokens were to follow and could not, stays as it was. */
#ifndef TRIT_TOOLS_RESUME_H
#define TRIT_TOOLS_RESUME_H

#include "open.h"
#include "output.h"

struct session_file {
    const char *path; /* NULL: there is none, and nothing is done */
    bool quiet;
    int32_t n_restored;
    struct output out;
    bool open, written;
};

/* Load it into o->session, if it is there, and see that it can be written. Ctrl-C is watched from
 * here on. @return exit code after a message; close either way. */
int open_session_file(struct session_file *f, const struct opened *o, const char *path, bool quiet);

/* Where restored tokens leave no room for n more: shift them (trit_session_shift()), and say so.
 * @return exit code after a message */
int make_room_for_prompt(struct session_file *f, const struct opened *o, int32_t n);

/* Put the tokens that were restored before the n of *ids, which is allocated anew. @return exit
 * code */
int prepend_restored(const struct session_file *f, const struct opened *o, int32_t **ids,
                     int32_t *n);

/* A session to an output that is open. @return exit code after a message */
int put_session(trit_session *session, const struct output *out);

/* Write what is evaluated, and before that evaluate the last token where there is room for it or
 * the options make some. @return exit code after a message */
int write_session_file(struct session_file *f, const struct opened *o,
                       const struct trit_generate_options *opt,
                       const struct trit_generate_result *r);

/* Put it in its place, if it has been written and code is that of a good end or of Ctrl-C.
 * @return code, or where that is one of these what became of the file */
int close_session_file(struct session_file *f, int code);

#endif
