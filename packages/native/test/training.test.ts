import { holdTraining } from "../../compiler/test/held/training.ts";
import { c } from "../src/target.ts";

holdTraining(c, 4);
