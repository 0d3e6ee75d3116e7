import type { CustomFetch } from "openid-client";
import { isLoopback } from "./oidc-config.ts";

/** A provider's documents are a few kilobytes; what is longer is none of them. */
const MAX_BYTES = 1_048_576;

/**
 * boundedFetch calls a provider: over https, or over http on loopback where that is allowed; it follows no redirect, and reads 1 MiB
 * at most. Rejects with an Error otherwise, and as `fetch` does.
 */
export function boundedFetch(insecureAllowLoopback: boolean): CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const target = new URL(url);
    const isHttp = target.protocol === "http:" && insecureAllowLoopback && isLoopback(target);
    if (target.protocol !== "https:" && !isHttp) throw new Error("the endpoint is not https");
    const response = await fetch(target, {
      method,
      headers,
      body: (body ?? null) as BodyInit | null,
      redirect: "manual",
      ...(signal === undefined ? {} : { signal }),
    });
    const bytes = await readUpTo(response, MAX_BYTES);
    const { status, statusText } = response;
    const isBare = status === 204 || status === 205 || status === 304;
    return new Response(isBare ? null : bytes, { status, statusText, headers: response.headers });
  };
}

async function readUpTo(response: Response, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
    length += read.value.byteLength;
    if (length > limit) {
      await reader?.cancel();
      throw new Error(`the answer is longer than ${limit} bytes`);
    }
    chunks.push(read.value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
