import { BASE_STYLES } from "./base-styles.ts";

/** A page of ours. All of it is written here: nothing of a request, or of the data, is ever part of the markup. */
export interface Page {
  readonly title: string;
  /** Name of the module under /assets that runs it. */
  readonly script: string;
  readonly styles: string;
  /** What stands in the body before the script runs. */
  readonly body: string;
}

const ICON =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#0b6e63" d="M8 1 2 3v5c0 4 3 6 6 7 3-1 6-3 6-7V3z"/></svg>',
  );

/** renderPage writes a page whose own script and styles carry the nonce. */
export const renderPage = (
  { title, script, styles, body }: Page,
  nonce: string,
): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="${ICON}">
<style nonce="${nonce}">${BASE_STYLES}${styles}</style>
<script type="module" nonce="${nonce}" src="/assets/${script}"></script>
</head>
<body>
${body}
</body>
</html>
`;
