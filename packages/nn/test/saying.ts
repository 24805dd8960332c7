/** What a test expects of an error: its class and its whole message. */
import { expect } from "vitest";

/** Matches an error of a class with exactly this message. */
export function saying(message: string, name = "ArgumentError"): unknown {
  return expect.objectContaining({ name, message });
}
