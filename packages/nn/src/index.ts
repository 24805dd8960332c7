/** The public surface of @adjoint/nn. */
export {};
