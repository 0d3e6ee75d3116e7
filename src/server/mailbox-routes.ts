import { z } from "zod";
import type { Bulwark } from "../bulwark/index.ts";
import type { AnyRoute } from "../core/index.ts";
import type { DevelopmentMailbox, KeptMail } from "../mail/index.ts";
import { mailboxPage, renderPage } from "./pages/index.ts";

const MailView = z.strictObject({
  id: z.uuid(),
  kind: z.string().optional(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string().optional(),
  at: z.iso.datetime(),
  links: z.array(z.string()),
});

/**
 * mailboxRoutes serve what the development mailbox keeps, as JSON and as a page. Outside development mode, and without a
 * mailbox, there are no such routes.
 */
export function mailboxRoutes(
  { handlers, issuer, mode, pageHeaders }: Bulwark,
  mailbox: DevelopmentMailbox | undefined,
): readonly AnyRoute[] {
  if (mailbox === undefined || mode !== "development") return [];
  const { SignInHandler } = handlers;
  const shown = mailboxPage(issuer);

  const list = SignInHandler.GET(() => mailbox.list().map(viewOf), {
    path: "/dev/mailbox.json",
    requireAuth: false,
    response: z.array(MailView),
    summary: "The mails that were not sent, the newest first; in development alone",
  });

  const page = SignInHandler.GET(
    () => {
      const { nonce, headers } = pageHeaders();
      return new Response(renderPage(shown, nonce), {
        headers: { ...headers, "content-type": "text/html; charset=utf-8" },
      });
    },
    {
      path: "/dev/mailbox",
      requireAuth: false,
      produces: ["text/html"],
      summary: "The development mailbox; a page",
    },
  );

  return [list, page];
}

const viewOf = ({ at, ...mail }: KeptMail): object => ({ ...mail, at: new Date(at).toISOString() });
