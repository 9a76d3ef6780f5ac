/* hardware.c - see hardware.h. */
#include "hardware.h"

#include <stdio.h>
#include <string.h>

#include "plain_text.h"
#include "trit_tools.h"

void print_cpu(const struct trit_machine_info *m)
{
    printf("%s%s%s%s · %d core%s", m->cpu[0] ? m->cpu : "unknown CPU", m->cpu_model[0] ? " (" : "",
           m->cpu_model, m->cpu_model[0] ? ")" : "", m->n_cores, m->n_cores == 1 ? "" : "s");
    if (m->l1d_bytes)
        printf(" · L1 %zu KB", m->l1d_bytes >> 10);
    if (m->l2_bytes)
        printf(", L2 %.1f MB", (double)m->l2_bytes / 0x1p20);
    if (m->l3_bytes)
        printf(", L3 %.1f MB", (double)m->l3_bytes / 0x1p20);
    putchar('\n');
}

void note_threads(int n_threads)
{
    struct trit_machine_info m;

    if (n_threads < 2)
        return;
    trit_machine_get_info(&m);
    if (n_threads <= m.cpu_limit)
        return;
    fprintf(stderr, "trit: %d threads, but ", n_threads);
    plain_text(stderr, m.cpu_limit_from, strlen(m.cpu_limit_from));
    fprintf(stderr, " allows only %g CPUs: all threads will be throttled\n", m.cpu_limit);
}

struct walks walks_of(const trit_session *session)
{
    struct walks walks = {""};
    struct trit_session_walk walk;
    size_t n = 0;

    for (int i = 0; trit_session_walk_at(session, i, &walk) && n < sizeof walks.text; i++)
        n += (size_t)snprintf(walks.text + n, sizeof walks.text - n, "%s%s/%zu:%s", i ? " " : "",
                              walk.type, walk.row_bytes, walk.walk);
    return walks;
}
