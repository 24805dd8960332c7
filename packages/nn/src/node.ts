/** The part of @adjoint/nn that reads and writes files and draws on a terminal; Node only. */

export {
  FileError,
  loadCheckpoint,
  loadSafetensors,
  saveCheckpoint,
  saveSafetensors,
  writeFileSafely,
} from "./files.ts";
export { formatFigure, formatSeconds, type TerminalProgressOptions, terminalProgress } from "./terminal.ts";
