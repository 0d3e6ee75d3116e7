import { createHmac } from "node:crypto";
import type { KeyRing } from "../../crypto/index.ts";
import { OWN_BCRYPT } from "./stored-hash.ts";

/** What is used of @node-rs/bcrypt. */
interface BcryptLibrary {
  readonly hash: (password: string, cost: number) => Promise<string>;
  readonly verify: (password: string, hash: string) => Promise<boolean>;
}

interface Pepper {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * loadBcrypt loads @node-rs/bcrypt, an optional peer, at its first use. Rejects with an Error that says how to install it
 * only if it is not there.
 */
export async function loadBcrypt(
  load: () => Promise<BcryptLibrary> = () => import("@node-rs/bcrypt"),
): Promise<BcryptLibrary> {
  try {
    return await load();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error("@node-rs/bcrypt is not installed: npm install @node-rs/bcrypt", {
      cause: error,
    });
  }
}

/**
 * PepperedBcrypt hashes base64(HMAC-SHA-384(pepper, password)): 64 characters whatever the password, so bcrypt's 72 bytes
 * cut nothing and no NUL ends it, and a hash taken from elsewhere tells nothing about one of these, nor the other way round
 * (OWASP Password Storage Cheat Sheet, pre-hashing and peppering). Prepared passwords come in, NFC.
 */
export class PepperedBcrypt {
  readonly #keys: KeyRing;
  #derived: readonly [Pepper, ...Pepper[]] | undefined;

  constructor(keys: KeyRing) {
    this.#keys = keys;
  }

  /** recipe returns the beginning of a hash made now at this cost. */
  recipe(cost: number): string {
    return `${OWN_BCRYPT}${this.#peppers()[0].id}$2b$${String(cost).padStart(2, "0")}$`;
  }

  /** knows tells whether the ring still has the key of a pepper. */
  knows(keyId: string): boolean {
    return this.#peppers().some(({ id }) => id === keyId);
  }

  async hash(password: string, cost: number): Promise<string> {
    const [{ id, bytes }] = this.#peppers();
    const { hash } = await loadBcrypt();
    return `${OWN_BCRYPT}${id}${await hash(digestOf(bytes, password), cost)}`;
  }

  async verify(password: string, keyId: string, hash: string): Promise<boolean> {
    const pepper = this.#peppers().find(({ id }) => id === keyId);
    if (pepper === undefined) return false;
    const { verify } = await loadBcrypt();
    return verify(digestOf(pepper.bytes, password), hash);
  }

  /** Derived at the first use: a ring may be opened after this was made. */
  #peppers(): readonly [Pepper, ...Pepper[]] {
    this.#derived ??= this.#keys.derive("password pepper");
    return this.#derived;
  }
}

const digestOf = (pepper: Uint8Array, password: string): string =>
  createHmac("sha384", pepper).update(password).digest("base64");
