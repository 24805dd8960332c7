/** What a test expects of an error: its whole message. */
import { expect } from "vitest";

/** Matches any error with exactly this message. */
export function saying(message: string): unknown {
  return expect.objectContaining({ message });
}
