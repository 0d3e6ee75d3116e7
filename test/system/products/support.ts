import { type Answer, dataOf, type TestApp } from "../../support/app.ts";

export interface Product {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string;
  readonly price: number;
  readonly category: string;
  readonly description: string | null;
}

export const LAMP = { name: "Lamp", price: 9.99, category: "home" };

/** makeProduct makes a product over HTTP and returns it. */
export async function makeProduct(
  app: TestApp,
  token: string,
  fields: Partial<Omit<Product, "id" | "ownerId">> = {},
): Promise<Product> {
  return dataOf<Product>(
    await app.call("POST", "/api/products", { token, body: { ...LAMP, ...fields } }),
  );
}

export const namesOf = (answer: Answer): string[] =>
  dataOf<Product[]>(answer).map(({ name }) => name);
