/** The public surface of @adjoint/gradcheck. */
export {};
