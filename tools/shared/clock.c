/* clock.c - see clock.h. */
#define _POSIX_C_SOURCE 200809L

#include "clock.h"

#include <time.h>

double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

int64_t local_time(void)
{
    const time_t now = time(NULL);
    struct tm local, utc;

    if (now == (time_t)-1 || !localtime_r(&now, &local) || !gmtime_r(&now, &utc))
        return 0;
    /* the two differ by less than a day and a bit */
    const int days =
        local.tm_year != utc.tm_year ? local.tm_year - utc.tm_year : local.tm_yday - utc.tm_yday;
    const int minutes = (local.tm_hour - utc.tm_hour) * 60 + local.tm_min - utc.tm_min;
    return (int64_t)now + days * 86400 + minutes * 60;
}
