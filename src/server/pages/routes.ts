import type { Bulwark } from "../../bulwark/index.ts";
import { type AnyRoute, NotFoundError } from "../../core/index.ts";
import { authPages, inWords } from "./auth/index.ts";
import { DOCS_PAGE } from "./docs-page.ts";
import { type Page, renderPage } from "./page.ts";
import { readScript } from "./scripts.ts";
import { SETUP_PAGE } from "./setup-page.ts";

/** pageRoutes serve the pages of our own, /docs and /setup, and the scripts that they load; nothing comes from elsewhere. */
export function pageRoutes({
  handlers,
  pageHeaders,
  recovery,
  registration,
}: Bulwark): readonly AnyRoute[] {
  const { SignInHandler } = handlers;

  const answer = (page: Page): Response => {
    const { nonce, headers } = pageHeaders();
    return new Response(renderPage(page, nonce), {
      headers: { ...headers, "content-type": "text/html; charset=utf-8" },
    });
  };
  const html = { requireAuth: false, produces: ["text/html"] } as const;

  const docs = SignInHandler.GET(() => answer(DOCS_PAGE), {
    ...html,
    path: "/docs",
    summary: "This API, to read and to try; a page",
  });

  const setup = SignInHandler.GET(() => answer(SETUP_PAGE), {
    ...html,
    path: "/setup",
    summary: "The form of the first administrator; a page",
  });

  const facts = {
    magicLink: recovery.isMagicLinkOn,
    verification: registration.isMailboxProved,
    deletionGrace: inWords(recovery.deletionGraceMs),
  };
  const auth = Object.entries(authPages(facts)).map(([path, page]) =>
    SignInHandler.GET(() => answer(page), { ...html, path, summary: `${page.title}; a page` }),
  );

  const scripts = SignInHandler.GET(
    async ({ params }) => {
      const script = await readScript(params.file);
      if (script === undefined) throw new NotFoundError("Path");
      return new Response(script, {
        headers: { "content-type": "text/javascript; charset=utf-8" },
      });
    },
    {
      path: "/assets/:file",
      requireAuth: false,
      produces: ["text/javascript"],
      summary: "The scripts of the pages",
    },
  );

  return [docs, setup, ...auth, scripts];
}
