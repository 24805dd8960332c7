/** The public surface of @adjoint/cli: the command as a function. */

export { run } from "./command.ts";
