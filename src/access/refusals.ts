import { ForbiddenError, type Kernel } from "../core/index.ts";

const SAFE = "You may not do this.";

/** Refusal makes the 403 of a stage: a fixed sentence, or what was required where refusals are explained. */
export type Refusal = (required: string) => ForbiddenError;

export const refusalOf =
  (isExplained: boolean): Refusal =>
  (required) =>
    new ForbiddenError(isExplained ? required : SAFE);

export const explains = (kernel: Kernel): boolean => kernel.explainRefusals === true;
