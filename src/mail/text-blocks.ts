/** One part of a mail: sentences, or an address that stands on a line of its own. */
export interface Block {
  readonly kind: "paragraph" | "link";
  readonly text: string;
}

export const paragraph = (text: string): Block => ({ kind: "paragraph", text });
export const link = (text: string): Block => ({ kind: "link", text });

/** textOf writes blocks as plain text, an empty line between two. */
export const textOf = (blocks: readonly Block[]): string =>
  `${blocks.map(({ text }) => text).join("\n\n")}\n`;

/** htmlOf writes blocks as HTML without styles, images or anything that is loaded. */
export const htmlOf = (blocks: readonly Block[]): string => {
  const lines = blocks.map(({ kind, text }) => {
    const safe = escapeHtml(text);
    return kind === "link" ? `<p><a href="${safe}">${safe}</a></p>` : `<p>${safe}</p>`;
  });
  return `<!doctype html>\n<html lang="en"><body>\n${lines.join("\n")}\n</body></html>\n`;
};

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
