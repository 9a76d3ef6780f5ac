/* expf.h - the constants of trit's own exp, shared by every instruction set.
 *
 * exp(x) = 2^n * e^r with n = rint(x/ln 2) and |r| <= ln2/2. The polynomial is the Taylor series to
 * degree 7 (relative error below 2^-25 before rounding); ln 2 is split so that n*HI is exact.
 * x is clamped to [MIN, MAX]: below MIN the result stays at about 1.6e-38 and does not reach 0.
 *
 * Each ISA computes:  t = fma(x, LOG2E, MAGIC); n = t - MAGIC; r = fma(n, -LN2_HI, x);
 * r = fma(n, -LN2_LO, r); p = Horner by fma; result p * bits((t_bits + 127) << 23). */
#ifndef TRIT_EXPF_H
#define TRIT_EXPF_H

#define TRIT_EXP_MIN (-87.0f)
#define TRIT_EXP_MAX 88.0f
#define TRIT_EXP_LOG2E 0x1.715476p+0f
#define TRIT_EXP_MAGIC 0x1.8p+23f
#define TRIT_EXP_LN2_HI 0x1.62e4p-1f
#define TRIT_EXP_LN2_LO 0x1.7f7d1cp-20f
#define TRIT_EXP_C7 (1.0f / 5040.0f)
#define TRIT_EXP_C6 (1.0f / 720.0f)
#define TRIT_EXP_C5 (1.0f / 120.0f)
#define TRIT_EXP_C4 (1.0f / 24.0f)
#define TRIT_EXP_C3 (1.0f / 6.0f)
#define TRIT_EXP_C2 0.5f

#endif
