import type { Page } from "../page.ts";
import { ACCOUNT_PAGE } from "./account-page.ts";
import {
  EMAIL_PAGE,
  INVITE_PAGE,
  MAGIC_LINK_PAGE,
  RESET_PAGE,
  VERIFY_PAGE,
} from "./mailed-pages.ts";
import { FORGOT_PAGE, LOGIN_PAGE, REGISTER_PAGE } from "./sign-in-pages.ts";

/** The pages of accounts, by their paths. */
export const AUTH_PAGES: Readonly<Record<string, Page>> = {
  "/auth/login": LOGIN_PAGE,
  "/auth/register": REGISTER_PAGE,
  "/auth/forgot": FORGOT_PAGE,
  "/auth/verify": VERIFY_PAGE,
  "/auth/email": EMAIL_PAGE,
  "/auth/reset": RESET_PAGE,
  "/auth/invite": INVITE_PAGE,
  "/auth/magic-link": MAGIC_LINK_PAGE,
  "/auth/account": ACCOUNT_PAGE,
};
