/** The part of @adjoint/data that reads files; Node only. */

export { readCsv, readIdx } from "./files.ts";
export { loadMnist, type Mnist } from "./mnist.ts";
