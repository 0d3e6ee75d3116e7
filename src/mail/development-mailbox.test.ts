import { expect, test } from "vitest";
import { DevelopmentMailbox, isMailAddress } from "./index.ts";

const clock = { now: () => 1_800_000_000_000 };
const mail = (subject: string, text = "") => ({ to: "ada@example.com", subject, text });

test("keeps the last hundred, the newest first", async () => {
  const mailbox = new DevelopmentMailbox({ clock });
  for (let index = 0; index < 103; index += 1) await mailbox.send(mail(`mail ${index}`));
  const subjects = mailbox.list().map(({ subject }) => subject);
  expect([subjects.length, subjects[0], subjects[99]]).toEqual([100, "mail 102", "mail 3"]);
  expect(new Set(mailbox.list().map(({ id }) => id)).size).toBe(100);
  mailbox.clear();
  expect(mailbox.list()).toEqual([]);
});

test("a list that was read does not change", async () => {
  const mailbox = new DevelopmentMailbox({ clock });
  const before = mailbox.list();
  await mailbox.send(mail("one"));
  expect(before).toEqual([]);
});

test("knows the kind, the time and the links of a mail", async () => {
  const mailbox = new DevelopmentMailbox({ clock });
  const text = "Open https://a.example/x#t\n<http://b.example/> or ftp://c.example";
  await mailbox.send({ ...mail("one", text), kind: "reset" });
  expect(mailbox.list()).toMatchObject([
    { kind: "reset", at: clock.now(), links: ["https://a.example/x#t", "http://b.example/"] },
  ]);
});

test.each<[address: string, isOne: boolean]>([
  ["ada@example.com", true],
  ["ada+tag@mail.example.com", true],
  ["o'brien@example.com", true],
  ["no-reply@localhost", true],
  [`${"a".repeat(64)}@example.com`, true],
  [`${"a".repeat(65)}@example.com`, false],
  [`a@${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(60)}`, true],
  [`a@${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`, false],
  ["ada@-example.com", false],
  ["ada@example..com", false],
  ["ada@example.com.", false],
  [".ada@example.com", false],
  ["ada..b@example.com", false],
  ["\u00e4da@example.com", false],
  ["ada@ex\u00e4mple.com", false],
  ["ada@example.com ", false],
  ["ada@example.com\n", false],
  ["", false],
])("an address: %j, %s", (address, isOne) => {
  expect(isMailAddress(address)).toBe(isOne);
});
