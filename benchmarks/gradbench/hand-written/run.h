/* What a problem by hand consists of: functions over the numbers of an input, laid out one after the other. */

#include <stddef.h>

typedef struct {
  const char *name;
  /* How many numbers it gives. */
  size_t (*outputs)(const long *sizes);
  void (*run)(const long *sizes, const double *in, double *out);
} Function;

/* The functions of the problem that is linked with run.c; the last has no name. */
extern const Function functions[];
