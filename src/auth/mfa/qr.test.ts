import { expect, test } from "vitest";
import { qrCode } from "./qr.ts";

const svg = qrCode('otpauth://totp/"><script>alert(1)</script>:ann?secret=MY');
const MODULE = 10;
const [, size = 0] = /viewBox="0 0 (\d+) \1"/.exec(svg)?.map(Number) ?? [];
const squares = [...svg.matchAll(/M(\d+),(\d+)h10v10h-10z/g)].map(([, x, y]) => [
  Number(x) / MODULE,
  Number(y) / MODULE,
]);

test("it is a picture with a name", () => {
  expect(svg).toMatch(
    /^<svg role="img" aria-label="[^"]+" xmlns="http:\/\/www\.w3\.org\/2000\/svg" /,
  );
});

test("it has nothing of the text in it, and nothing that loads or runs", () => {
  const elements = [...svg.matchAll(/<(\w+)/g)].map(([, name]) => name);
  expect(elements).toEqual(["svg", "rect", "path"]);
  const withoutName = svg.replace(/ xmlns="[^"]*"/, "");
  expect(withoutName).not.toMatch(/script|href|url|otpauth|style|on\w+=|https?:/i);
});

test("it is dark on light by itself", () => {
  expect(svg).toContain(`<rect fill="white" width="${size}" height="${size}"/>`);
  expect(svg).toContain('<path fill="black"');
});

test("a quiet zone of four modules is around it, and the three finders are in its corners", () => {
  const modules = size / MODULE;
  const columns = squares.map(([x = 0]) => x);
  const rows = squares.map(([, y = 0]) => y);
  expect(Math.min(...columns, ...rows)).toBe(4);
  expect(Math.max(...columns, ...rows)).toBe(modules - 5);
  const dark = new Set(squares.map(String));
  for (const [x, y] of [
    [4, 4],
    [modules - 11, 4],
    [4, modules - 11],
  ] as const) {
    const finder = Array.from({ length: 7 }, (_, row) =>
      Array.from({ length: 7 }, (__, column) =>
        dark.has(`${x + column},${y + row}`) ? "#" : ".",
      ).join(""),
    );
    expect(finder).toEqual([
      "#######",
      "#.....#",
      "#.###.#",
      "#.###.#",
      "#.###.#",
      "#.....#",
      "#######",
    ]);
  }
});

test("a text beyond what a QR code holds is refused", () => {
  expect(() => qrCode("x".repeat(2_331))).not.toThrow();
  expect(() => qrCode("x".repeat(2_332))).toThrow(RangeError);
});
