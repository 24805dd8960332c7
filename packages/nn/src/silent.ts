/** Progress where there is no terminal: none. */

import type { ProgressReporter } from "./training/progress.ts";

/** What shows progress unless told otherwise: nothing. */
export function defaultProgress(): ProgressReporter | null {
  return null;
}
