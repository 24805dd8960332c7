/** The public surface of @adjoint/cli. */
export {};
