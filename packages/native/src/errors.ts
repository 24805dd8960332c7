/** What goes wrong on the machine: with its compiler, and with its memory. */

import { AdjointError } from "@adjoint/core";

/** There is no C compiler, or it does not do what it must. */
export class CompilerError extends AdjointError {}

/** A program needs more memory than there is, or than it may take. */
export class MemoryError extends AdjointError {}

/** There is no library of the kind that was asked for. */
export class LibraryError extends AdjointError {}
