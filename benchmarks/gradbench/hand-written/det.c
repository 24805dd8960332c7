/* sizes: ell; in: A. Minors by linked lists of the columns that are left, as in GradBench's own C++. */

#include "run.h"
#include <string.h>

enum { MOST = 32 };

typedef struct {
  long n;
  const double *a;
  double *gradient;
  /* After each column the next one that is left; column j is entry j + 1, and n ends the list. */
  long next[MOST + 1];
} Minors;

static double minor(Minors *m, long row) {
  const double *a = m->a + row * m->n;
  if (row + 1 == m->n) return a[m->next[0]];
  double sum = 0;
  double sign = 1;
  long before = 0;
  for (long j = m->next[0]; j < m->n; j = m->next[j + 1]) {
    m->next[before] = m->next[j + 1];
    sum += sign * a[j] * minor(m, row + 1);
    m->next[before] = j;
    before = j + 1;
    sign = -sign;
  }
  return sum;
}

/* The minor, and what it adds to the gradient where the determinant has it times a factor. */
static double adjoint(Minors *m, long row, double factor) {
  const double *a = m->a + row * m->n;
  double *da = m->gradient + row * m->n;
  if (row + 1 == m->n) {
    da[m->next[0]] += factor;
    return a[m->next[0]];
  }
  double sum = 0;
  double sign = 1;
  long before = 0;
  for (long j = m->next[0]; j < m->n; j = m->next[j + 1]) {
    m->next[before] = m->next[j + 1];
    double inner = sign * adjoint(m, row + 1, factor * sign * a[j]);
    m->next[before] = j;
    sum += a[j] * inner;
    da[j] += factor * inner;
    before = j + 1;
    sign = -sign;
  }
  return sum;
}

static Minors minors(const long *sizes, const double *a, double *gradient) {
  Minors m = {sizes[0], a, gradient, {0}};
  for (long j = 0; j <= m.n; j++) m.next[j] = j;
  return m;
}

static void primal(const long *sizes, const double *a, double *out) {
  Minors m = minors(sizes, a, 0);
  *out = minor(&m, 0);
}

static void gradient(const long *sizes, const double *a, double *out) {
  Minors m = minors(sizes, a, out);
  memset(out, 0, (size_t)(m.n * m.n) * sizeof *out);
  adjoint(&m, 0, 1);
}

static size_t one(const long *sizes) { return (void)sizes, 1; }
static size_t all(const long *sizes) { return (size_t)(sizes[0] * sizes[0]); }

const Function functions[] = {{"primal", one, primal}, {"gradient", all, gradient}, {0}};
