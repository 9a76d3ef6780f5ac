/* fmath.h - the project's own transcendental functions.
 *
 * Math libraries differ in the last bit. So nothing that reaches a logit may come from libm, except
 * sqrt and fma, which are correctly rounded everywhere. These functions use single IEEE operations;
 * their error is a few ulp of a double, far below the precision of the f32 results. */
#ifndef TRIT_BASE_FMATH_H
#define TRIT_BASE_FMATH_H

double trit_exp(double x); /* |x| <= 700 */
double trit_log(double x); /* x > 0, normal */

/* |x| <= 2^30 */
double trit_sin(double x);
double trit_cos(double x);

#endif
