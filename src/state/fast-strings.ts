/**
 * keepStringMethodsFast makes V8 look up methods of texts as quickly as before ioredis was loaded.
 *
 * ioredis derives a class from String, and a prototype that a class is derived from becomes a dictionary: from then on every
 * `text.charCodeAt(0)` of the whole process is searched for, and costs 10 ns where it had cost 1. An object that inherits from
 * that prototype, read a few times, has V8 lay it out again as a list. It costs a microsecond, once; nothing depends on it. `prototype` is that of another realm, in a test.
 */
export function keepStringMethodsFast(prototype: object = String.prototype): void {
  const heir = Object.create(prototype) as string;
  for (let reads = 0; reads < 100; reads += 1) readProperty(heir);
}

const readProperty = (text: string): number => text.length;
