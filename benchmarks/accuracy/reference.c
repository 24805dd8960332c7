/*
 * How far numbers are from the exact results of a function. Needs GCC's libquadmath.
 *
 * Arguments: the function's name, "float32" or "float64", and how many operands it has. The standard input holds all
 * first operands, all second ones, then what was computed. Prints the largest error in units in the last place of the
 * exact result, and how many results were NaN, infinite, 0 or of a sign that the exact one is not, with the first's
 * operands.
 */

#include <math.h>
#include <quadmath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* float32 is held to functions of 64 binary digits, float64 to ones of 113. */
#define FUNCTIONS(T, S, ONE)                                                                              \
  static T sigmoid_##S(T x) { return ONE / (ONE + exp##S(-x)); }                                           \
  static T softplus_##S(T x) { return x > 0 ? x + log1p##S(exp##S(-x)) : log1p##S(exp##S(x)); }            \
  static T logSigmoid_##S(T x) { return -softplus_##S(-x); }                                               \
  static T silu_##S(T x) { return x * sigmoid_##S(x); }                                                    \
  static T gelu_##S(T x) { return x * erfc##S(-x / sqrt##S(2 * ONE)) / 2; }                                \
  static T mish_##S(T x) { return x * tanh##S(softplus_##S(x)); }                                          \
  static T elu_##S(T x) { return x > 0 ? x : expm1##S(x); }                                                \
  static T logit_##S(T x) { return fabs##S(x - ONE / 2) < ONE / 4 ? 2 * atanh##S(2 * x - 1) : log##S(x / (1 - x)); } \
  static T rsqrt_##S(T x) { return ONE / sqrt##S(x); }                                                     \
  static T logAddExp_##S(T a, T b) { return a == b ? a + log##S(2 * ONE) : fmax##S(a, b) + log1p##S(exp##S(-fabs##S(a - b))); } \
  static T mod_##S(T a, T b) { T r = fmod##S(a, b); return r != 0 && (r < 0) != (b < 0) ? r + b : r; }     \
  static T unary_##S(const char *name, T x) {                                                              \
    static const struct { const char *name; T (*f)(T); } all[] = {                                         \
      {"exp", exp##S}, {"exp2", exp2##S}, {"expm1", expm1##S}, {"log", log##S}, {"log2", log2##S},         \
      {"log10", log10##S}, {"log1p", log1p##S}, {"cbrt", cbrt##S}, {"erf", erf##S}, {"erfc", erfc##S},     \
      {"sin", sin##S}, {"cos", cos##S}, {"tan", tan##S}, {"asin", asin##S}, {"acos", acos##S},             \
      {"atan", atan##S}, {"sinh", sinh##S}, {"cosh", cosh##S}, {"tanh", tanh##S}, {"asinh", asinh##S},     \
      {"acosh", acosh##S}, {"atanh", atanh##S}, {"sigmoid", sigmoid_##S}, {"softplus", softplus_##S},      \
      {"logSigmoid", logSigmoid_##S}, {"silu", silu_##S}, {"gelu", gelu_##S}, {"mish", mish_##S},          \
      {"elu", elu_##S}, {"logit", logit_##S}, {"rsqrt", rsqrt_##S}};                                       \
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) if (!strcmp(all[i].name, name)) return all[i].f(x); \
    fprintf(stderr, "no function %s\n", name);                                                             \
    exit(1);                                                                                               \
  }                                                                                                        \
  static T binary_##S(const char *name, T x, T y) {                                                        \
    if (!strcmp(name, "pow")) return pow##S(x, y);                                                         \
    if (!strcmp(name, "hypot")) return hypot##S(x, y);                                                     \
    if (!strcmp(name, "atan2")) return atan2##S(x, y);                                                     \
    if (!strcmp(name, "logAddExp")) return logAddExp_##S(x, y);                                            \
    return mod_##S(x, y);                                                                                  \
  }

FUNCTIONS(long double, l, 1.0L)
FUNCTIONS(__float128, q, 1.0Q)

static const char *name;
static int single, operands;

static double at(const char *data, size_t i) {
  return single ? ((const float *)data)[i] : ((const double *)data)[i];
}

static double error(double got, __float128 exact, int *wrong) {
  const double rounded = single ? (double)(float)exact : (double)exact;
  if (got == rounded ? signbit(got) == signbit(rounded) || got != 0 : isnan(got) && isnan(rounded)) {
    if (isnan(got) || isinf(got)) return 0;
  } else if (isnan(got) || isnan(rounded) || signbit(got) != signbit(rounded)) {
    *wrong = 1;
    return 0;
  } else if (isinf(got) || isinf(rounded)) {
    /* Beside the largest numbers either neighbour will do. */
    const double finite = isinf(got) ? rounded : got;
    *wrong = fabs(finite) < (single ? 3.40282e38 : 1.7976931348623e308);
    return 0;
  }
  int exponent;
  frexpq(exact, &exponent);
  const int least = single ? -149 : -1074;
  const int last = exponent - (single ? 24 : 53);
  return (double)scalbnq(fabsq((__float128)got - exact), -(last < least || exact == 0 ? least : last));
}

int main(int argc, char **argv) {
  if (argc != 4) return 1;
  name = argv[1];
  single = !strcmp(argv[2], "float32");
  operands = atoi(argv[3]);
  size_t used = 0, room = 1 << 20;
  char *data = malloc(room);
  for (size_t got; (got = fread(data + used, 1, room - used, stdin)) > 0;) {
    used += got;
    if (used == room) data = realloc(data, room *= 2);
  }
  const size_t n = used / (single ? 4 : 8) / (operands + 1);
  double worst = 0;
  size_t wrongs = 0, firstWrong = 0;
  for (size_t i = 0; i < n; i++) {
    const double x = at(data, i), y = operands == 2 ? at(data, n + i) : 0;
    __float128 exact;
    if (single) exact = operands == 2 ? binary_l(name, x, y) : unary_l(name, x);
    else exact = operands == 2 ? binary_q(name, x, y) : unary_q(name, x);
    int wrong = 0;
    const double e = error(at(data, operands * n + i), exact, &wrong);
    if (wrong && wrongs++ == 0) firstWrong = i;
    if (e > worst) worst = e;
  }
  printf("{\"error\": %.4g, \"wrong\": %zu, \"first\": [\"%.9g\", \"%.9g\"]}\n", worst, wrongs, at(data, firstWrong),
         operands == 2 ? at(data, n + firstWrong) : 0);
  return 0;
}
