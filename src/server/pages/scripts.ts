import { readFile } from "node:fs/promises";

/** The modules under browser/ that are served; nothing else of the folder, or of the disk, can be asked for. */
const SCRIPTS: ReadonlySet<string> = new Set([
  "account.js",
  "agent.js",
  "api.js",
  "call-form.js",
  "call.js",
  "docs-nav.js",
  "docs.js",
  "dom.js",
  "forgot.js",
  "forms.js",
  "login.js",
  "mailbox.js",
  "mailed.js",
  "oidc.js",
  "operation-view.js",
  "operations.js",
  "own-data.js",
  "passkeys.js",
  "passwords.js",
  "register.js",
  "schema-view.js",
  "second-factor.js",
  "setup.js",
  "step-up.js",
  "strength.js",
]);

/** What runs in a browser is compiled; where this module runs from its source, the compiled ones stand in dist. */
const HERE = import.meta.url.replace(/\/src(\/server\/pages\/[^/]+)\.ts$/, "/dist$1.js");
const FOLDER = new URL("./browser/", HERE);

const texts = new Map<string, Promise<string>>();

/** readScript returns a script of the pages, read once; undefined where there is none of that name. */
export function readScript(name: string): Promise<string> | undefined {
  if (!SCRIPTS.has(name)) return undefined;
  let text = texts.get(name);
  if (text === undefined) {
    // The map beside it is for a debugger on the disk; it is not served.
    text = readFile(new URL(name, FOLDER), "utf8").then((script) =>
      script.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"),
    );
    texts.set(name, text);
  }
  return text;
}
