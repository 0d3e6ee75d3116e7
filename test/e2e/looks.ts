import type { Page } from "playwright-core";

/** isSideways tells whether a page is wider than its window, so that a phone would scroll it to the side. */
export const isSideways = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

/** unnamed lists the controls that nobody could name who does not see them. */
export const unnamed = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLInputElement>("input, textarea, select, button, summary, a")]
      .filter((control) => {
        const label = control.labels?.[0]?.textContent ?? control.getAttribute("aria-label");
        return (label ?? control.textContent ?? "").trim() === "";
      })
      .map((control) => control.outerHTML.slice(0, 120)),
  );

/**
 * paleTexts lists the texts in sight whose contrast with what is behind them is below 4.5:1 (WCAG 2.2, 1.4.3); disabled
 * controls are exempt there.
 */
export const paleTexts = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const parts = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (color: string): number => {
      const [red = 0, green = 0, blue = 0] = parts(color).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = (start: Element): string => {
      for (let each: Element | null = start; each !== null; each = each.parentElement) {
        const color = getComputedStyle(each).backgroundColor;
        if ((parts(color)[3] ?? 1) > 0) return color;
      }
      return "rgb(255, 255, 255)";
    };
    const contrast = (one: string, other: string): number => {
      const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    };
    const found: string[] = [];
    const check = (holder: Element, text: string, color: string): void => {
      const ratio = contrast(color, behind(holder));
      if (ratio < 4.5) found.push(`${ratio.toFixed(2)}: ${text.trim().slice(0, 40)}`);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const holder = node.parentElement;
      const text = node.textContent ?? "";
      if (holder === null || text.trim() === "" || !holder.checkVisibility()) continue;
      if (holder.closest(":disabled, script, style") !== null) continue;
      check(holder, text, getComputedStyle(holder).color);
    }
    for (const input of document.querySelectorAll("input[placeholder]")) {
      const { color } = getComputedStyle(input, "::placeholder");
      if (input.checkVisibility()) check(input, input.getAttribute("placeholder") ?? "", color);
    }
    return found;
  });

/** unseenFocus walks a page by the Tab key, and lists the controls that did not show that they have the focus. */
export async function unseenFocus(page: Page, steps: number): Promise<string[]> {
  const found: string[] = [];
  for (let step = 0; step < steps; step += 1) {
    await page.keyboard.press("Tab");
    const unseen = await page.evaluate(() => {
      const focused = document.activeElement;
      if (focused === null || focused === document.body) return undefined;
      const { outlineStyle, outlineWidth } = getComputedStyle(focused);
      const isSeen = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
      return isSeen ? undefined : focused.outerHTML.slice(0, 120);
    });
    if (unseen !== undefined) found.push(unseen);
  }
  return found;
}
