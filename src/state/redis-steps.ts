// What takes more than one command is one script, which Redis runs as one step. It is sent as a whole each time: a restarted
// server, or another primary, knows no digests. KEYS[1] is the key in each.

/** ARGV: expected, next, ttl in ms. Returns 1 where the key was swapped. */
export const SWAP = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/**
 * ARGV: by, at most, ttl in ms. Returns { 1 applied | 0 refused | -1 not a counter, value as text }, as the client's parser
 * of numbers is not exact up to 2^53.
 * The first increment sets value and expiry in one command. A counter that somebody left without an expiry gets one, refused
 * or not: it would refuse for ever (INCR without EXPIRE, redis#4548).
 */
export const INCREMENT = `
local current = redis.call('GET', KEYS[1])
if not current then
  if tonumber(ARGV[1]) > tonumber(ARGV[2]) then return { 0, '0' } end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
  return { 1, ARGV[1] }
end
if #current > 16 or not string.find(current, '^%d+$') then return { -1, current } end
if redis.call('PTTL', KEYS[1]) == -1 then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
if tonumber(current) + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return { 0, current } end
return { 1, string.format('%d', redis.call('INCRBY', KEYS[1], ARGV[1])) }`;
