import type { Page } from "../page.ts";
import { accountPage } from "./account-page.ts";
import type { AuthFacts } from "./facts.ts";
import {
  EMAIL_PAGE,
  INVITE_PAGE,
  MAGIC_LINK_PAGE,
  RESET_PAGE,
  verifyPage,
} from "./mailed-pages.ts";
import { FORGOT_PAGE, loginPage, REGISTER_PAGE } from "./sign-in-pages.ts";

export { inWords } from "./facts.ts";

/** authPages returns the pages of accounts, by their paths. */
export const authPages = (facts: AuthFacts): Readonly<Record<string, Page>> => ({
  "/auth/login": loginPage(facts),
  "/auth/register": REGISTER_PAGE,
  "/auth/forgot": FORGOT_PAGE,
  "/auth/verify": verifyPage(facts),
  "/auth/email": EMAIL_PAGE,
  "/auth/reset": RESET_PAGE,
  "/auth/invite": INVITE_PAGE,
  ...(facts.magicLink ? { "/auth/magic-link": MAGIC_LINK_PAGE } : {}),
  "/auth/account": accountPage(facts),
});
