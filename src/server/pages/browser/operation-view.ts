import type { PolicyNote, ResponseObject } from "../../../openapi/index.ts";
import { callForm, toneOf } from "./call-form.ts";
import { element } from "./dom.ts";
import { dataSchema, type Entry, needsToken, type Resolve } from "./operations.ts";
import { parametersView, schemaView } from "./schema-view.ts";

/** methodBadge shows a method in its colour; the word says it too. */
export const methodBadge = (method: string): HTMLElement =>
  element("span", { class: `method ${method.toLowerCase()}` }, method);

/** operationView is one operation, closed; what it holds is made when it is first opened. */
export function operationView(entry: Entry, resolve: Resolve): HTMLDetailsElement {
  const view = element(
    "details",
    { class: "operation", id: entry.operationId },
    element(
      "summary",
      {},
      element("h3", {}, methodBadge(entry.method), element("code", {}, entry.path)),
      element("span", { class: "what" }, entry.summary ?? ""),
      needsToken(entry) && element("span", { class: "tag" }, "sign-in"),
    ),
  );
  view.addEventListener("toggle", () => {
    if (!view.open) {
      // An address that still named it would be no change to a link to it, which then could not open it again.
      if (location.hash === `#${entry.operationId}`)
        history.replaceState(null, "", location.pathname);
      return;
    }
    if (view.childElementCount === 1) view.append(inside(entry, resolve));
    history.replaceState(null, "", `#${entry.operationId}`);
  });
  return view;
}

function inside(entry: Entry, resolve: Resolve): HTMLElement {
  const { parameters = [], requestBody } = entry;
  const body = requestBody?.content["application/json"]?.schema;
  const section = (title: string, content: HTMLElement): HTMLElement =>
    element("section", {}, element("h4", {}, title), content);
  return element(
    "div",
    { class: "inside" },
    element(
      "div",
      {},
      section("Who may call it", policiesView(entry)),
      parameters.length > 0 && section("Parameters", parametersView(parameters, resolve)),
      body !== undefined && section("Body", schemaView(body, resolve)),
      section("Answers", responsesView(entry, resolve)),
    ),
    callForm(entry),
  );
}

function policiesView(entry: Entry): HTMLElement {
  const lines = entry["x-bulwark-policies"].flatMap((policy) => policyText(policy, entry));
  return element("ul", { class: "policies" }, ...lines.map((line) => element("li", {}, line)));
}

/** policyText says a policy in words; one that this page does not know is shown as it is. */
function policyText({ name, options }: PolicyNote, { security }: Entry): string[] {
  const list = Array.isArray(options) ? options.join(", ") : "";
  switch (name) {
    case "requireAuth":
      return [options === true ? `Signed in, by ${waysIn(security)}` : "Anyone"];
    case "requireRoles":
      return [`Role: ${list.replace(/, (?=[^,]*$)/, " or ")}`];
    case "requireScopes":
      return [`A key needs ${list}`];
    case "principals":
      return [];
    case "limits":
      return [`Limited by address: ${list}`];
    case "rateLimit": {
      const { requests, window } = (options ?? {}) as Readonly<Record<string, unknown>>;
      return [`${String(requests)} requests in ${String(window)}`];
    }
    default:
      return [options === undefined ? name : `${name}: ${JSON.stringify(options)}`];
  }
}

const WAYS: Readonly<Record<string, string>> = { bearer: "a bearer token", apiKey: "an API key" };

const waysIn = (security: Entry["security"]): string =>
  security.flatMap((way) => Object.keys(way).map((name) => WAYS[name] ?? name)).join(" or ");

function responsesView({ responses }: Entry, resolve: Resolve): HTMLElement {
  const views = Object.entries(responses).map(([status, response]) => {
    const found = resolve<ResponseObject>(response);
    const schema = dataSchema(found);
    return element(
      "details",
      {},
      element(
        "summary",
        {},
        element("span", { class: `status ${toneOf(Number(status))}` }, status),
        response.description ?? found.description,
      ),
      element(
        "div",
        { class: "content" },
        schema === undefined
          ? element(
              "p",
              { class: "small" },
              Object.keys(found.content ?? { "No content.": {} }).join(", "),
            )
          : schemaView(schema, resolve),
      ),
    );
  });
  return element("div", { class: "responses" }, ...views);
}
