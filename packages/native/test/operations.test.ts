import { holdOperations } from "../../compiler/test/held/operations.ts";
import { c } from "../src/target.ts";

holdOperations(c);
