/**
 * One step that decides a batch, in order. KEYS: each key once. ARGV: the number of limits; of each its kind (b bucket, c counter,
 * l log), requests, window in microseconds and burst; then of each decision the number of its requests, and of each of them the
 * index of its key, the index of its limit and its cost.
 *
 * Returns for each decision 1 or 0, and for each of its requests the milliseconds to wait, what remains, and the milliseconds until
 * the limit is full again. Time is the server's, read once. What a decision charges is seen by those behind it, and written once a
 * key, with an expiry in the same command or the same step: nothing is written of a decision that is refused.
 *
 * Moments are microseconds since a day in 2023: those since 1970 would leave a double no fraction worth the name.
 */
export const DECIDE = `
local time = redis.call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
local limits, at = {}, 2
for index = 1, tonumber(ARGV[1]) do
  local requests, window = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  limits[index] = { kind = ARGV[at], requests = requests, window = window,
    interval = window / requests, capacity = tonumber(ARGV[at + 3]) * window / requests }
  at = at + 4
end

local load = {}
function load.b(key)
  local full = tonumber(redis.call('GET', key) or now)
  return { full = full < now and now or full }
end
function load.c(key, limit)
  local index = math.floor(now / limit.window)
  local state = { index = index, current = 0, previous = 0 }
  local kept, current, previous = string.match(redis.call('GET', key) or '', '^(%d+) (%d+) (%d+)$')
  kept = tonumber(kept)
  if kept and kept >= index then
    state.current, state.previous = tonumber(current), tonumber(previous)
  elseif kept and kept == index - 1 then
    state.previous = tonumber(current)
  end
  return state
end
function load.l(key, limit)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - limit.window))
  return { used = redis.call('ZCARD', key), new = 0 }
end

local wait = {}
function wait.b(state, limit, cost)
  if state.full > now + limit.capacity then state.full = now + limit.capacity end
  local late = state.full + cost * limit.interval - now - limit.capacity
  return late <= math.min(1, limit.interval / 2) and 0 or late
end
function wait.c(state, limit, cost)
  if cost > limit.requests then return limit.window end
  local elapsed = now - state.index * limit.window
  local room = limit.requests - state.current - cost
  if room >= 0 then
    if state.previous == 0 then return 0 end
    local late = (1 - room / state.previous) * limit.window - elapsed
    return late <= 1 and 0 or late
  end
  return limit.window - elapsed + math.max(0, 1 - (limit.requests - cost) / state.current) * limit.window
end
function wait.l(state, limit, cost, key)
  local excess = state.used + state.new + cost - limit.requests
  if excess <= 0 then return 0 end
  if cost > limit.requests or excess > state.used then return limit.window end
  local entry = redis.call('ZRANGE', key, excess - 1, excess - 1, 'WITHSCORES')
  return math.max(1, entry[2] + limit.window - now)
end

local charge = {}
function charge.b(state, limit, cost) state.full = state.full + cost * limit.interval end
function charge.c(state, limit, cost) state.current = state.current + cost end
function charge.l(state, limit, cost) state.new = state.new + cost end

local tell = {}
function tell.b(state, limit)
  local left = (now + limit.capacity - state.full) / limit.interval
  return math.floor(left + 0.000001), state.full - now
end
function tell.c(state, limit)
  local elapsed = now - state.index * limit.window
  local used = state.previous * (1 - elapsed / limit.window) + state.current
  local windows = state.current > 0 and 2 or state.previous > 0 and 1 or 0
  return math.floor(limit.requests - used + 0.000001), windows == 0 and 0 or windows * limit.window - elapsed
end
function tell.l(state, limit, key)
  local left = limit.requests - state.used - state.new
  if state.new > 0 then return left, limit.window end
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
  return left, last[2] and last[2] + limit.window - now or 0
end

local save = {}
local function expiry(moment) return string.format('%.0f', math.max(1, math.ceil((moment - now) / 1000))) end
function save.b(state, limit, key)
  if state.full > now then
    redis.call('SET', key, string.format('%.17g', state.full), 'PX', expiry(state.full))
  end
end
function save.c(state, limit, key)
  local text = string.format('%.0f %.0f %.0f', state.index, state.current, state.previous)
  redis.call('SET', key, text, 'PX', expiry((state.index + 2) * limit.window))
end
function save.l(state, limit, key)
  local score = string.format('%.0f', now)
  local entries = {}
  for number = state.used + 1, state.used + state.new do
    entries[#entries + 1] = score
    entries[#entries + 1] = score .. ':' .. number
    if #entries == 2000 or number == state.used + state.new then
      redis.call('ZADD', key, unpack(entries))
      entries = {}
    end
  end
  redis.call('PEXPIRE', key, expiry(now + limit.window))
end

local states, dirty, answer = {}, {}, {}
while ARGV[at] do
  local count, allowed = tonumber(ARGV[at]), true
  local first, taken = #answer + 1, {}
  for number = 1, count do
    local place = at + 3 * number - 2
    local index, limit, cost = tonumber(ARGV[place]), limits[tonumber(ARGV[place + 1])], tonumber(ARGV[place + 2])
    local key = KEYS[index]
    states[index] = states[index] or load[limit.kind](key, limit)
    local before = taken[index] or 0
    taken[index] = before + cost
    local late = wait[limit.kind](states[index], limit, before + cost, key)
    if late > 0 then allowed = false end
    answer[first + 3 * number - 2] = math.ceil(late / 1000)
  end
  answer[first] = allowed and 1 or 0
  if allowed then
    for number = 1, count do
      local place = at + 3 * number - 2
      local index, limit, cost = tonumber(ARGV[place]), limits[tonumber(ARGV[place + 1])], tonumber(ARGV[place + 2])
      if cost > 0 then
        charge[limit.kind](states[index], limit, cost)
        dirty[index] = limit
      end
    end
  end
  for number = 1, count do
    local place = at + 3 * number - 2
    local index, limit = tonumber(ARGV[place]), limits[tonumber(ARGV[place + 1])]
    local left, reset = tell[limit.kind](states[index], limit, KEYS[index])
    answer[first + 3 * number - 1] = math.max(0, left)
    answer[first + 3 * number] = math.ceil(math.max(0, reset) / 1000)
  end
  at = at + 1 + 3 * count
end
for index, limit in pairs(dirty) do save[limit.kind](states[index], limit, KEYS[index]) end
return answer`;

/**
 * The same for one request of one bucket, which is what most decisions are: half the time in Redis. ARGV: requests, window in
 * microseconds, burst, cost.
 */
export const DECIDE_BUCKET = `
local time = redis.call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
local interval = ARGV[2] / ARGV[1]
local capacity = ARGV[3] * interval
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now then full = now elseif full > now + capacity then full = now + capacity end
local next = full + ARGV[4] * interval
local late = next - now - capacity
local passes = late <= math.min(1, interval / 2)
local at = passes and next or full
if passes and next > full then
  redis.call('SET', KEYS[1], string.format('%.17g', next), 'PX', string.format('%.0f', math.max(1, math.ceil((next - now) / 1000))))
end
local left = math.max(0, math.floor((now + capacity - at) / interval + 0.000001))
return { passes and 1 or 0, passes and 0 or math.ceil(late / 1000), left, math.ceil((at - now) / 1000) }`;
