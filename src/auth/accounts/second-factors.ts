import type { AuthenticationMethod, ProvedFactor } from "../../core/index.ts";
import type { AccountGuard } from "./account-guard.ts";

export type FactorMethod = "totp" | "recovery" | "passkey";

/** What proves a second factor: a code that was typed, or what a passkey signed. */
export type FactorProof =
  | { readonly method: "totp" | "recovery"; readonly code: string }
  | { readonly method: "passkey"; readonly credential: unknown };

/** The services that hold second factors. Each check uses its proof up: what is true once is false afterwards. */
export interface FactorServices {
  methodsOf(userId: string): Promise<readonly FactorMethod[]>;
  verifyTotp(userId: string, code: string): Promise<boolean>;
  useRecoveryCode(userId: string, code: string): Promise<boolean>;
  verifyPasskey(userId: string, credential: unknown): Promise<boolean>;
}

const PROVES: Readonly<Record<FactorMethod, AuthenticationMethod>> = {
  totp: "otp",
  recovery: "recovery",
  passkey: "passkey",
};

/** SecondFactors checks second factors, and counts what fails on the account, whichever factor and wherever it was tried. */
export class SecondFactors {
  readonly #services: FactorServices;
  readonly #guard: AccountGuard;

  constructor(options: { readonly services: FactorServices; readonly guard: AccountGuard }) {
    this.#services = options.services;
    this.#guard = options.guard;
  }

  /** methodsOf returns what the user can prove; empty where no second factor is set up. */
  methodsOf(userId: string): Promise<readonly FactorMethod[]> {
    return this.#services.methodsOf(userId);
  }

  /**
   * prove returns the factor that was proved, or undefined where the proof is wrong or the account is locked for second
   * factors, which look alike. What is reserved here is given back when all factors are proved.
   */
  async prove(userId: string, proof: FactorProof, now: number): Promise<ProvedFactor | undefined> {
    const attempt = await this.#guard.tryFactor(userId);
    if (attempt === undefined) return undefined;
    const isGood = await this.#verify(userId, proof);
    return isGood ? { method: PROVES[proof.method], at: now } : undefined;
  }

  #verify(userId: string, proof: FactorProof): Promise<boolean> {
    if (proof.method === "passkey") return this.#services.verifyPasskey(userId, proof.credential);
    if (proof.method === "totp") return this.#services.verifyTotp(userId, proof.code);
    return this.#services.useRecoveryCode(userId, proof.code);
  }
}
