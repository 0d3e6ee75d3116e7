import { api } from "./api.ts";
import { onSubmit, showState } from "./forms.ts";

const STATES = ["ask", "mailed"] as const;

onSubmit("form", async ({ email }) => {
  const answer = await api("POST", "/api/auth/password/forgot", { email });
  if (answer.ok) showState(STATES, "mailed");
  return answer;
});
showState(STATES, "ask");
