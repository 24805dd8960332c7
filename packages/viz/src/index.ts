/** The public surface of @adjoint/viz. */
export {};
