import { api } from "./api.ts";
import { byId } from "./dom.ts";
import { onSubmit, showState } from "./forms.ts";
import { bindPasswords } from "./passwords.ts";

const STATES = ["ask", "made", "mailed"] as const;

onSubmit("form", async ({ email, name, password }) => {
  const answer = await api("POST", "/api/auth/register", { email, name, password });
  if (!answer.ok) return answer;
  byId("password", HTMLInputElement).value = "";
  for (const place of document.querySelectorAll(".address")) place.textContent = email ?? "";
  showState(STATES, answer.status === 201 ? "made" : "mailed");
  return undefined;
});
bindPasswords();
showState(STATES, "ask");
