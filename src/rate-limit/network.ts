/**
 * networkOf is what the keys of an overflow share: the /48 or /24 of an address's key (`address:...`), or the key itself where it
 * is none.
 */
export function networkOf(key: string): string {
  if (!key.startsWith("address:")) return key;
  if (!key.endsWith("::/64")) return key.slice(0, key.lastIndexOf("."));
  let end = 8;
  for (let group = 0; group < 3; group += 1) end = key.indexOf(":", end) + 1;
  return key.slice(0, end);
}
