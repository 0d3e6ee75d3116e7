/** One fault of an input. */
export interface Detail {
  readonly field: string;
  readonly message: string;
}

/** What an answer of the API says, as far as pages read it. */
export interface Answer {
  readonly status: number;
  readonly ok: boolean;
  readonly code: string;
  readonly error: string;
  readonly details: readonly Detail[];
  readonly data: Readonly<Record<string, unknown>>;
}

const unreachable: Answer = {
  status: 0,
  ok: false,
  code: "UNREACHABLE",
  error: "The server did not answer. Try again.",
  details: [],
  data: {},
};

/** api calls the API with this page's cookies. It never rejects: what went wrong is in the answer. */
export async function api(method: string, path: string, body?: unknown): Promise<Answer> {
  try {
    const response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json = (await response.json()) as Partial<Answer> & { readonly data?: unknown };
    const wait = response.headers.get("retry-after");
    const when = wait === null ? "" : ` Try again in ${wait} seconds.`;
    return {
      status: response.status,
      ok: response.ok,
      code: json.code ?? "",
      error: `${json.error ?? ""}${when}`,
      details: json.details ?? [],
      data: (json.data ?? {}) as Answer["data"],
    };
  } catch {
    return unreachable;
  }
}
