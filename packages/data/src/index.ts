/** The public surface of @adjoint/data. */
export {};
