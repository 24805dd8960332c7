/* sizes: d, k, n, m; in: alpha, mu, q, l, x, gamma. */

#include "run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

/* Parameters, or their gradient. */
typedef struct {
  double *alpha, *mu, *q, *l;
} Parameters;

static size_t triangle(const long *sizes) { return (size_t)(sizes[0] * (sizes[0] - 1) / 2); }

static size_t all(const long *sizes) {
  return (size_t)sizes[1] * (1 + 2 * (size_t)sizes[0] + triangle(sizes));
}

static size_t one(const long *sizes) { return (void)sizes, 1; }

static Parameters parameters(const long *sizes, const double *at) {
  double *alpha = (double *)at;
  double *mu = alpha + sizes[1];
  double *q = mu + sizes[1] * sizes[0];
  return (Parameters){alpha, mu, q, q + sizes[1] * sizes[0]};
}

/* exp(x − largest) in place of x; returns the logarithm of the sum of exp(x), and puts the exponentials' sum in `sum`. */
static double log_sum_exp(long n, double *x, double *sum) {
  double most = x[0];
  for (long i = 1; i < n; i++) most = x[i] > most ? x[i] : most;
  *sum = 0;
  for (long i = 0; i < n; i++) *sum += x[i] = exp(x[i] - most);
  return most + log(*sum);
}

/* The value; adds the gradient to `d` if that is not null. */
static double posterior(const long *sizes, const double *in, Parameters *g) {
  long d = sizes[0], k = sizes[1], n = sizes[2], m = sizes[3];
  size_t t = triangle(sizes);
  Parameters p = parameters(sizes, in);
  const double *x = in + all(sizes);
  double gamma = x[n * d];
  size_t kd = (size_t)(k * d);
  double *work = malloc((3 * kd + 3 * (size_t)k + (size_t)d) * sizeof *work);
  double *exps = work, *away = exps + kd, *whitened = away + kd;
  double *beta = whitened + kd, *sums = beta + k, *weights = sums + k, *back = weights + k;
  for (long c = 0; c < k; c++) {
    sums[c] = 0;
    for (long i = 0; i < d; i++) {
      exps[c * d + i] = exp(p.q[c * d + i]);
      sums[c] += p.q[c * d + i];
    }
  }
  double value = -0.5 * (double)(n * d) * log(2 * PI);
  double total;
  for (long point = 0; point < n; point++) {
    for (long c = 0; c < k; c++) {
      double *a = away + c * d, *w = whitened + c * d;
      for (long i = 0; i < d; i++) {
        a[i] = x[point * d + i] - p.mu[c * d + i];
        w[i] = exps[c * d + i] * a[i];
      }
      const double *l = p.l + (size_t)c * t;
      for (long j = 0; j < d; j++)
        for (long i = j + 1; i < d; i++) w[i] += *l++ * a[j];
      double square = 0;
      for (long i = 0; i < d; i++) square += w[i] * w[i];
      beta[c] = p.alpha[c] + sums[c] - 0.5 * square;
    }
    value += log_sum_exp(k, beta, &total);
    if (g == NULL) continue;
    for (long c = 0; c < k; c++) {
      double weight = beta[c] / total;
      double *a = away + c * d, *w = whitened + c * d;
      double *dl = g->l + (size_t)c * t;
      const double *l = p.l + (size_t)c * t;
      g->alpha[c] += weight;
      for (long i = 0; i < d; i++) {
        g->q[c * d + i] += weight * (1 - w[i] * exps[c * d + i] * a[i]);
        back[i] = exps[c * d + i] * w[i];
      }
      for (long j = 0; j < d; j++) {
        double down = 0, scale = weight * a[j];
        for (long i = j + 1; i < d; i++) {
          *dl++ -= scale * w[i];
          down += *l++ * w[i];
        }
        back[j] += down;
      }
      for (long i = 0; i < d; i++) g->mu[c * d + i] += weight * back[i];
    }
  }
  memcpy(weights, p.alpha, (size_t)k * sizeof *weights);
  value -= (double)n * log_sum_exp(k, weights, &total);
  for (long c = 0; c < k; c++) {
    double squares = 0;
    for (long i = 0; i < d; i++) squares += exps[c * d + i] * exps[c * d + i];
    for (size_t i = 0; i < t; i++) squares += p.l[(size_t)c * t + i] * p.l[(size_t)c * t + i];
    value -= 0.5 * gamma * gamma * squares - (double)m * sums[c];
    if (g == NULL) continue;
    g->alpha[c] -= (double)n * weights[c] / total;
    for (long i = 0; i < d; i++)
      g->q[c * d + i] += (double)m - gamma * gamma * exps[c * d + i] * exps[c * d + i];
    for (size_t i = 0; i < t; i++) g->l[(size_t)c * t + i] -= gamma * gamma * p.l[(size_t)c * t + i];
  }
  double degrees = (double)(d + m + 1);
  double constant = degrees * (double)d * log(gamma / sqrt(2)) - 0.25 * (double)(d * (d - 1)) * log(PI);
  for (long j = 1; j <= d; j++) constant -= lgamma(0.5 * degrees + 0.5 * (double)(1 - j));
  free(work);
  return value + (double)k * constant;
}

static void objective(const long *sizes, const double *in, double *out) { *out = posterior(sizes, in, NULL); }

static void jacobian(const long *sizes, const double *in, double *out) {
  memset(out, 0, all(sizes) * sizeof *out);
  Parameters g = parameters(sizes, out);
  posterior(sizes, in, &g);
}

const Function functions[] = {{"objective", one, objective}, {"jacobian", all, jacobian}, {0}};
