/* fmath.h - the transcendental functions of the project's own.
 *
 * Libraries differ in the last bit of these, so nothing that reaches a logit may come from libm but
 * sqrt and fma, which are correctly rounded everywhere. These use IEEE operations only, one at a
 * time; their error is a few units of the last place of a double, far below the f32 they end in. */
#ifndef TRIT_BASE_FMATH_H
#define TRIT_BASE_FMATH_H

double trit_exp(double x); /* |x| <= 700 */
double trit_log(double x); /* x > 0, normal */

/* |x| <= 2^30 */
double trit_sin(double x);
double trit_cos(double x);

#endif
