/** The public surface of @adjoint/nn. */

export { decodeSafetensors, encodeSafetensors, type Safetensors, type Tensors } from "./safetensors.ts";
