/**
 * Writes `moment`, at which a bucket is full again, where `was` is what was kept of it, or nothing. A key expires at the end of the
 * cell of 8.4 seconds that its moment lies in. Where the new moment lies in the cell of the old one, the expiry is right already,
 * and an addition costs half of what setting both does. Its result is looked at: a key that was gone after all would come back
 * without an expiry.
 */
const WRITE = `
local value = moment * 64
local cell = value - value % 536870912
if not (was and was >= cell and was <= value and value < 4e18 and call('INCRBY', key, format('%d', value - was)) == value) then
  call('SET', key, format(value < 4e18 and '%d' or '%.17g', value), 'PX', expiry((cell + 536870912) / 64 - now))
end`;

/** The milliseconds of an expiry, as text. */
const EXPIRY = `
local lasting, text
local function expiry(micros)
  local millis = micros / 1000
  millis = millis < 1e15 and millis - millis % 1 + 1 or 1e15
  if millis ~= lasting then
    lasting, text = millis, format('%d', millis)
  end
  return text
end`;

/**
 * One step that decides a batch, in order. KEYS: the key of each request, in order; the same key may stand there more than once.
 * ARGV: the number of limits; of each its kind and two numbers (b a bucket: the microseconds in which one request comes back, and
 * those of a whole burst; c a counter and l a log: requests, and the window in microseconds); then of each run of decisions that
 * ask alike their number, how many requests each has, and of each of those the index of its limit and its cost.
 *
 * Returns for each request of a bucket how far it is from full, in 64ths of a microsecond, and that below zero, less one, where it
 * is refused; for each of another kind what remains and the milliseconds until the limit is full again, and in front of them, where
 * it is refused, the milliseconds to wait below zero. A decision charges where none of its requests is refused. Time is the
 * server's, read once. What a decision charges is seen by those behind it, and written once a key, with its expiry in the same
 * command or the same step: nothing is written of a decision that is refused.
 *
 * Moments are microseconds since a day in 2023: those since 1970 would leave a double no fraction worth the name. A bucket is kept
 * in 64ths of them, the fraction that a double has left by now, since whole numbers are the quickest to write and to answer.
 */
export const DECIDE = `
local call, floor, ceil, min, max, format = redis.call, math.floor, math.ceil, math.min, math.max, string.format
local time = call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
local limits, at = {}, 2
for index = 1, tonumber(ARGV[1]) do
  local kind, one, all = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  limits[index] = kind == 'b' and { kind = kind, interval = one, ceiling = now + all, tolerance = min(1, one / 2) }
    or { kind = kind, requests = one, window = all }
  at = at + 3
end

local kept = {}
for from = 1, #KEYS, 1000 do
  local part = call('MGET', unpack(KEYS, from, min(#KEYS, from + 999)))
  if from == 1 then kept = part else
    for index = 1, #part do kept[from + index - 1] = part[index] end
  end
end

local full, states, charged, answer, told, place = {}, {}, {}, {}, 0, 0
local load, wait, charge, tell = {}, {}, {}, {}

local function others()
  function load.b(key, _, number)
    if full[key] then return end
    local moment = kept[number] and kept[number] / 64 or now
    full[key] = moment < now and now or moment
  end
  function wait.b(key, limit, cost)
    if full[key] > limit.ceiling then full[key] = limit.ceiling end
    local late = full[key] + cost * limit.interval - limit.ceiling
    return late <= limit.tolerance and 0 or late
  end
  function charge.b(key, limit, cost) full[key] = full[key] + cost * limit.interval end

  function load.c(key, limit, number)
    if states[key] then return end
    local index = floor(now / limit.window)
    local state = { limit = limit, index = index, current = 0, previous = 0 }
    local was, current, previous = string.match(kept[number] or '', '^(%d+) (%d+) (%d+)$')
    was = tonumber(was)
    if was and was >= index then
      state.current, state.previous = tonumber(current), tonumber(previous)
    elseif was and was == index - 1 then
      state.previous = tonumber(current)
    end
    states[key] = state
  end
  function wait.c(key, limit, cost)
    if cost > limit.requests then return limit.window end
    local state = states[key]
    local elapsed = now - state.index * limit.window
    local room = limit.requests - state.current - cost
    if room >= 0 then
      if state.previous == 0 then return 0 end
      local late = (1 - room / state.previous) * limit.window - elapsed
      return late <= 1 and 0 or late
    end
    return limit.window - elapsed + max(0, 1 - (limit.requests - cost) / state.current) * limit.window
  end
  function charge.c(key, _, cost) states[key].current = states[key].current + cost end
  function tell.c(key, limit)
    local state = states[key]
    local elapsed = now - state.index * limit.window
    local used = state.previous * (1 - elapsed / limit.window) + state.current
    local windows = state.current > 0 and 2 or state.previous > 0 and 1 or 0
    return floor(limit.requests - used + 0.000001), windows == 0 and 0 or windows * limit.window - elapsed
  end

  function load.l(key, limit)
    if states[key] then return end
    call('ZREMRANGEBYSCORE', key, '-inf', format('%d', now - limit.window))
    states[key] = { limit = limit, used = call('ZCARD', key), new = 0 }
  end
  function wait.l(key, limit, cost)
    local state = states[key]
    local excess = state.used + state.new + cost - limit.requests
    if excess <= 0 then return 0 end
    if cost > limit.requests or excess > state.used then return limit.window end
    local entry = call('ZRANGE', key, excess - 1, excess - 1, 'WITHSCORES')
    return max(1, entry[2] + limit.window - now)
  end
  function charge.l(key, _, cost) states[key].new = states[key].new + cost end
  function tell.l(key, limit)
    local state = states[key]
    local left = limit.requests - state.used - state.new
    if state.new > 0 then return left, limit.window end
    local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')
    return left, last[2] and last[2] + limit.window - now or 0
  end
end

local function decide(size, first)
  local allowed, taken, waits = true, {}, {}
  for number = 1, size do
    local key, limit, cost = KEYS[place + number], limits[tonumber(ARGV[first + 2 * number])], tonumber(ARGV[first + 2 * number + 1])
    load[limit.kind](key, limit, place + number)
    local all = (taken[key] or 0) + cost
    taken[key] = all
    local late = wait[limit.kind](key, limit, all)
    if late > 0 then allowed = false end
    waits[number] = late
  end
  for number = 1, size do
    local key, limit, cost = KEYS[place + number], limits[tonumber(ARGV[first + 2 * number])], tonumber(ARGV[first + 2 * number + 1])
    if allowed and cost > 0 then
      charge[limit.kind](key, limit, cost)
      charged[key] = place + number
    end
  end
  for number = 1, size do
    local key, limit = KEYS[place + number], limits[tonumber(ARGV[first + 2 * number])]
    local late = waits[number]
    if limit.kind == 'b' then
      local level = min(4e18, (full[key] - now) * 64)
      told = told + 1
      answer[told] = late > 0 and -1 - level or level
    else
      local left, reset = tell[limit.kind](key, limit)
      if late > 0 then
        told = told + 1
        answer[told] = -ceil(late / 1000)
      end
      answer[told + 1], answer[told + 2] = max(0, left), ceil(max(0, reset) / 1000)
      told = told + 2
    end
  end
  place = place + size
end

while ARGV[at] do
  local times, size = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local limit = limits[tonumber(ARGV[at + 2])]
  if size == 1 and limit.kind == 'b' then
    -- What most decisions are, without a call.
    local ceiling, tolerance, cost = limit.ceiling, limit.tolerance, ARGV[at + 3] * limit.interval
    for number = place + 1, place + times do
      local key = KEYS[number]
      local moment = full[key]
      if not moment then
        moment = tonumber(kept[number])
        kept[number] = moment
        moment = moment and moment / 64 or now
        if moment < now then moment = now end
      end
      if moment > ceiling then moment = ceiling end
      local isRefused = moment + cost - ceiling > tolerance
      if not isRefused then
        moment = moment + cost
        if cost > 0 then charged[key] = number end
      end
      full[key] = moment
      local level = (moment - now) * 64
      if level > 4e18 then level = 4e18 end
      told = told + 1
      answer[told] = isRefused and -1 - level or level
    end
    place = place + times
  else
    if not load.b then others() end
    for _ = 1, times do decide(size, at) end
  end
  at = at + 2 + 2 * size
end

${EXPIRY}
for key, number in pairs(charged) do
  local state = states[key]
  if not state then
    local moment, was = full[key], tonumber(kept[number])
${WRITE}
  elseif state.limit.kind == 'c' then
    local kept = format('%d %d %d', state.index, state.current, state.previous)
    call('SET', key, kept, 'PX', expiry((state.index + 2) * state.limit.window - now))
  else
    local score = format('%d', now)
    local entries = {}
    for number = state.used + 1, state.used + state.new do
      entries[#entries + 1] = score
      entries[#entries + 1] = score .. ':' .. number
      if #entries == 2000 or number == state.used + state.new then
        call('ZADD', key, unpack(entries))
        entries = {}
      end
    end
    call('PEXPIRE', key, expiry(state.limit.window))
  end
end
return answer`;

/**
 * The same for one request of one bucket, which is what most decisions are that come alone: half the time in Redis. ARGV: the
 * microseconds that it costs, and those of a whole burst; where it does not cost one, those in which one comes back.
 */
export const DECIDE_BUCKET = `
local call, format = redis.call, string.format
local key, cost = KEYS[1], tonumber(ARGV[1])
local time = call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
local ceiling = now + ARGV[2]
local was = tonumber(call('GET', key))
local moment = was and was / 64 or now
if moment < now then moment = now elseif moment > ceiling then moment = ceiling end
local late = moment + cost - ceiling
local isRefused = late > 1 or late > (ARGV[3] or cost) / 2
if not isRefused and cost > 0 then
  moment = moment + cost
${EXPIRY}
${WRITE}
end
local level = (moment - now) * 64
if level > 4e18 then level = 4e18 end
return isRefused and -1 - level or level`;
