/* resume.h - the file of --session: loaded before a command generates, written after.
 *
 * It is replaced as a whole, and only if the command ends well or by Ctrl-C. If the file was
 * refused, or a later step fails, it stays unchanged. */
#ifndef TRIT_TOOLS_RESUME_H
#define TRIT_TOOLS_RESUME_H

#include "open.h"
#include "output.h"

struct session_file {
    const char *path; /* NULL: no --session, and the functions do nothing */
    bool quiet;
    int32_t n_restored;
    struct output out;
    bool open, written;
};

/* Load the tokens of a session file. Unless quiet, say so on stderr if they had to be evaluated
 * again. @return exit code, after a message unless it is EXIT_INTERRUPTED */
int load_session(trit_session *session, const char *path, bool quiet);

/* Write a session to an open output. @return as load_session() */
int save_session(trit_session *session, const struct output *out);

/* Load the file into o->session if it exists, check that it can be written, and watch for Ctrl-C.
 * @return exit code, after a message; call close_session_file() either way */
int open_session_file(struct session_file *f, const struct opened *o, const char *path, bool quiet);

/* If the restored tokens leave no room for n more, drop some (trit_session_shift()), with a note on
 * stderr. @return exit code, after a message */
int make_room_for_prompt(struct session_file *f, const struct opened *o, int32_t n);

/* Put the restored tokens before the n of *ids, which is reallocated. @return exit code */
int prepend_restored(const struct session_file *f, const struct opened *o, int32_t **ids,
                     int32_t *n);

/* Write the session to the file. The last token is evaluated first, if the context or --on-full has
 * room for it. @return exit code, after a message */
int write_session_file(struct session_file *f, const struct opened *o,
                       const struct trit_generate_options *opt,
                       const struct trit_generate_result *r);

/* Put the file in its place if it was written and code is EXIT_DONE or EXIT_INTERRUPTED.
 * @return code, or the exit code of a failure to close the file */
int close_session_file(struct session_file *f, int code);

#endif
