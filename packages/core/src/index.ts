/** The public surface of @adjoint/core: the functions, with the methods of Value installed. */
import "./methods.ts";

export * from "./functions.ts";
