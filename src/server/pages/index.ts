export { mailboxPage } from "./mailbox-page.ts";
export { renderPage } from "./page.ts";
export { pageRoutes } from "./routes.ts";
