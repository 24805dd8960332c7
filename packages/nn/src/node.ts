/** The part of @adjoint/nn that reads and writes files and draws on a terminal; Node only. */

export { FileError, loadSafetensors, saveSafetensors, writeFileSafely } from "./files.ts";
