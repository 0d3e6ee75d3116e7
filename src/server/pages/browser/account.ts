import { agentName } from "./agent.ts";
import { type Answer, api } from "./api.ts";
import { byId, element } from "./dom.ts";
import { onSubmit, showFaults, takeToken } from "./forms.ts";
import { oidcRefusal } from "./oidc.ts";
import { bindOwnData } from "./own-data.ts";
import { createPasskey, declined, hasPasskeys } from "./passkeys.ts";
import { bindPasswords } from "./passwords.ts";
import { bindStepUp, own, withStepUp } from "./step-up.ts";
import type { Known } from "./strength.ts";

interface SessionView {
  readonly id: string;
  readonly current: boolean;
  readonly address: string | null;
  readonly agent: string | null;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
  readonly idleExpiresAt: string;
}

interface PasskeyView {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

const status = byId("status", HTMLParagraphElement);
/** Whose page it is, once that is read. */
let person: Known = {};

/** tell says what happened, to eyes and to readers. */
function tell(text: string, isBad = false): void {
  status.textContent = text;
  status.className = isBad ? "notice bad" : "notice good";
  status.hidden = text === "";
  // What was pressed may be gone by now: the focus goes to what came of it.
  if (text !== "" && (document.activeElement ?? document.body) === document.body) status.focus();
}

const TIMES = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const when = (iso: string): HTMLTimeElement =>
  element("time", { datetime: iso }, TIMES.format(new Date(iso)));

function button(text: string, label: string, act: () => Promise<void>): HTMLButtonElement {
  const made = element("button", { type: "button", "aria-label": label }, text);
  made.addEventListener("click", () => {
    made.disabled = true;
    void act().finally(() => {
      made.disabled = false;
    });
  });
  return made;
}

/** done shows a refusal, or what was done, and reads everything anew. */
async function done(answer: Answer, text: string): Promise<boolean> {
  if (answer.ok) await load();
  tell(answer.ok ? text : answer.error, !answer.ok);
  return answer.ok;
}

async function load(): Promise<void> {
  const me = await own("GET", "/api/auth/me");
  if (me.status === 401) return;
  if (!me.ok) return tell(me.error, true);
  const [name, email] = [String(me.data["name"]), String(me.data["email"])];
  person = { name, email };
  byId("who", HTMLParagraphElement).textContent = `${name}, ${email}`;
  const [sessions, factors, passkeys] = await Promise.all([
    api("GET", "/api/auth/sessions"),
    api("GET", "/api/auth/mfa"),
    api("GET", "/api/auth/passkeys"),
  ]);
  showSessions((sessions.data as unknown as readonly SessionView[]) ?? []);
  showFactors(factors.data);
  showPasskeys((passkeys.data as unknown as readonly PasskeyView[]) ?? []);
  byId("account", HTMLDivElement).hidden = false;
}

function showSessions(sessions: readonly SessionView[]): void {
  const mineFirst = sessions.toSorted((a, b) => Number(b.current) - Number(a.current));
  const rows = mineFirst.map((session) => {
    const what = agentName(session.agent);
    const end = button("End", `End the session of ${what}`, async () => {
      const answer = await withStepUp("DELETE", `/api/auth/sessions/${session.id}`);
      await done(answer, "The session has ended.");
    });
    return element(
      "li",
      { class: "row" },
      element(
        "div",
        {},
        element("p", { class: "agent", title: session.agent ?? undefined }, what),
        element(
          "p",
          { class: "hint" },
          session.current ? element("strong", {}, "This session. ") : false,
          `From ${session.address ?? "an unknown address"}. Last used `,
          when(session.lastSeenAt),
          "; ends ",
          when(session.idleExpiresAt),
          " if it is not used, and ",
          when(session.expiresAt),
          " at the latest.",
        ),
      ),
      session.current ? false : end,
    );
  });
  byId("sessions", HTMLUListElement).replaceChildren(...rows);
  byId("end-others", HTMLButtonElement).hidden = sessions.length < 2;
}

function showFactors(data: Answer["data"]): void {
  const methods = (data["methods"] ?? []) as readonly string[];
  const hasApp = methods.includes("totp");
  const isConfirming = !byId("totp-confirm", HTMLFormElement).hidden;
  byId("totp-none", HTMLDivElement).hidden = hasApp || isConfirming;
  byId("totp-set", HTMLDivElement).hidden = !hasApp;
  byId("recovery", HTMLElement).hidden = methods.length === 0;
  if (methods.length === 0) byId("new-codes", HTMLElement).hidden = true;
  const left = Number(data["recoveryCodesLeft"] ?? 0);
  byId("codes-left", HTMLParagraphElement).textContent =
    `${left} of 10 recovery codes are left. Each signs in once, in the place of an app or a passkey that was lost.`;
}

function showPasskeys(passkeys: readonly PasskeyView[]): void {
  const rows = passkeys.map(({ id, name, createdAt, lastUsedAt }) =>
    element(
      "li",
      { class: "row" },
      element(
        "div",
        {},
        element("p", { class: "agent" }, name),
        element(
          "p",
          { class: "hint" },
          "Added ",
          when(createdAt),
          ...(lastUsedAt === null ? [", not used yet."] : [", last used ", when(lastUsedAt), "."]),
        ),
      ),
      element(
        "div",
        { class: "acts" },
        button("Rename", `Rename the passkey ${name}`, async () => askForName({ id, name })),
        button("Remove", `Remove the passkey ${name}`, async () => {
          await done(
            await withStepUp("DELETE", `/api/auth/passkeys/${id}`),
            "The passkey is removed.",
          );
        }),
      ),
    ),
  );
  byId("passkeys", HTMLUListElement).replaceChildren(...rows);
  byId("no-passkeys", HTMLParagraphElement).hidden = passkeys.length > 0;
}

let renamed = "";

function askForName({ id, name }: Pick<PasskeyView, "id" | "name">): void {
  renamed = id;
  const input = byId("rename-name", HTMLInputElement);
  showFaults(byId("rename-form", HTMLFormElement), [], "");
  input.value = name;
  byId("rename", HTMLDialogElement).showModal();
  input.select();
}

function showCodes(data: Answer["data"]): void {
  const codes = data["recoveryCodes"] as readonly string[] | undefined;
  const section = byId("new-codes", HTMLElement);
  // Codes that were just shown stay until the page is left: nothing shows them again.
  if (codes === undefined) return;
  section.hidden = false;
  const rows = codes.map((code) => element("li", {}, element("code", {}, code)));
  byId("codes", HTMLUListElement).replaceChildren(...rows);
  section.querySelector("h2")?.focus();
}

async function enroll(): Promise<void> {
  const answer = await withStepUp("POST", "/api/auth/mfa/totp/enroll", {});
  if (!answer.ok) return tell(answer.error, true);
  const { qr, secret } = answer.data as { readonly qr: string; readonly secret: string };
  byId("qr", HTMLImageElement).src = `data:image/svg+xml,${encodeURIComponent(qr)}`;
  byId("secret", HTMLElement).textContent = secret.match(/.{1,4}/g)?.join(" ") ?? secret;
  byId("totp-none", HTMLDivElement).hidden = true;
  byId("totp-confirm", HTMLFormElement).hidden = false;
  byId("totp-code", HTMLInputElement).focus();
}

onSubmit("totp-confirm", async ({ code }) => {
  const answer = await withStepUp("POST", "/api/auth/mfa/totp/confirm", { code });
  if (answer.code === "INVALID_CREDENTIALS") {
    return { ...answer, error: "This is not the code that the app shows now." };
  }
  if (!answer.ok) return answer;
  byId("totp-confirm", HTMLFormElement).hidden = true;
  byId("secret", HTMLElement).textContent = "";
  byId("qr", HTMLImageElement).removeAttribute("src");
  byId("totp-code", HTMLInputElement).value = "";
  await done(answer, "The authenticator app is set up. Your other sessions have ended.");
  showCodes(answer.data);
  return undefined;
});

onSubmit("passkey-form", async ({ name }) => {
  const options = await withStepUp("POST", "/api/auth/passkeys/register/options", {});
  if (!options.ok) return options;
  const credential = await createPasskey(options.data);
  if (credential === undefined) {
    return { ...declined, error: "No passkey was made." };
  }
  const path = "/api/auth/passkeys/register/verify";
  const answer = await withStepUp("POST", path, { credential, name });
  if (!answer.ok) return answer;
  byId("passkey-name", HTMLInputElement).value = "";
  await done(answer, "The passkey is added. Your other sessions have ended.");
  showCodes(answer.data);
  return undefined;
});

onSubmit("rename-form", async ({ name }) => {
  const answer = await own("PATCH", `/api/auth/passkeys/${renamed}`, { name });
  if (!answer.ok) return answer;
  byId("rename", HTMLDialogElement).close();
  await done(answer, "The passkey is renamed.");
  return undefined;
});
byId("rename-cancel", HTMLButtonElement).addEventListener("click", () =>
  byId("rename", HTMLDialogElement).close(),
);

onSubmit("password-form", async ({ currentPassword, newPassword }) => {
  const body = { currentPassword, newPassword };
  const answer = await own("POST", "/api/auth/password/change", body);
  if (answer.code === "INVALID_CREDENTIALS") {
    const details = [{ field: "currentPassword", message: "This is not your password." }];
    return { ...answer, details };
  }
  if (!answer.ok) return answer;
  byId("password-form", HTMLFormElement).reset();
  await done(answer, "The password is changed. Your other sessions have ended.");
  return undefined;
});

onSubmit("email-form", async ({ email }) => {
  const answer = await withStepUp("POST", "/api/auth/email/change", { email });
  if (!answer.ok) return answer;
  byId("email", HTMLInputElement).value = "";
  tell("A mail is on its way to both addresses. Open the links in both of them.");
  return undefined;
});

const act = (id: string, run: () => Promise<unknown>): void =>
  byId(id, HTMLButtonElement).addEventListener("click", () => void run());

act("enroll", enroll);
act("totp-remove", async () =>
  done(await withStepUp("DELETE", "/api/auth/mfa/totp"), "The authenticator app is removed."),
);
act("renew-codes", async () => {
  const answer = await withStepUp("POST", "/api/auth/mfa/recovery-codes", {});
  if (await done(answer, "The old recovery codes are void.")) showCodes(answer.data);
});
act("end-others", async () =>
  done(await withStepUp("DELETE", "/api/auth/sessions"), "All other sessions have ended."),
);
act("sign-out", async () => {
  const answer = await api("POST", "/api/auth/logout");
  if (answer.ok) location.assign("/auth/login");
  else tell(answer.error, true);
});

byId("passkey-form", HTMLFormElement).hidden = !hasPasskeys();
bindPasswords(() => person);
bindStepUp();
bindOwnData(tell);
// What was said of the last change is not said of the next.
byId("account", HTMLDivElement).addEventListener("submit", () => tell(""), true);
byId("account", HTMLDivElement).addEventListener(
  "click",
  ({ target }) => {
    if (target instanceof HTMLButtonElement) tell("");
  },
  true,
);
const refusal = oidcRefusal(new URLSearchParams(takeToken()).get("error"));
void load().then(() => {
  if (refusal !== undefined) tell(refusal, true);
});
