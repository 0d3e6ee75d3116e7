/**
 * One step that decides a batch, in order. KEYS: the key of each request, in order; the same key may stand there more than once.
 * ARGV: the number of limits; of each its kind (b bucket, c counter, l log), requests, window in microseconds and burst; then of
 * each run of decisions that ask alike their number, how many requests each has, and of each of those the index of its limit and
 * its cost.
 *
 * Returns for each request what remains and the milliseconds until the limit is full again; in front of them, where it is
 * refused, the milliseconds to wait, negative. A decision charges where none of its requests is refused. Time is the server's, read
 * once. What a decision charges is seen by those behind it, and written once a key, with its expiry in the same command or the same
 * step: nothing is written of a decision that is refused.
 *
 * Moments are microseconds since a day in 2023: those since 1970 would leave a double no fraction worth the name. A bucket is kept
 * in 64ths of them, the fraction that a double has left by now, since whole numbers are the quickest to write.
 */
export const DECIDE = `
local call, floor, ceil, min, max, format = redis.call, math.floor, math.ceil, math.min, math.max, string.format
local time = call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
local limits, at = {}, 2
for index = 1, tonumber(ARGV[1]) do
  local kind, requests, window = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local interval = window / requests
  local capacity = ARGV[at + 3] * interval
  limits[index] = { kind = kind, requests = requests, window = window, interval = interval,
    ceiling = now + capacity, tolerance = min(1, interval / 2) }
  at = at + 4
end

local kept = {}
for from = 1, #KEYS, 1000 do
  local part = call('MGET', unpack(KEYS, from, min(#KEYS, from + 999)))
  if from == 1 then kept = part else
    for index = 1, #part do kept[from + index - 1] = part[index] end
  end
end

local full, states, charged, answer, told, place = {}, {}, {}, {}, 0, 0
local load, wait, charge, tell, save = {}, {}, {}, {}, {}

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
  function tell.b(key, limit)
    return floor((limit.ceiling - full[key]) / limit.interval + 0.000001), full[key] - now
  end

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
      charged[key] = limit.kind
    end
  end
  for number = 1, size do
    local key, limit = KEYS[place + number], limits[tonumber(ARGV[first + 2 * number])]
    local left, reset = tell[limit.kind](key, limit)
    if waits[number] > 0 then
      told = told + 1
      answer[told] = -ceil(waits[number] / 1000)
    end
    answer[told + 1], answer[told + 2] = max(0, left), ceil(max(0, reset) / 1000)
    told = told + 2
  end
  place = place + size
end

while ARGV[at] do
  local times, size = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local limit = limits[tonumber(ARGV[at + 2])]
  if size == 1 and limit.kind == 'b' then
    -- What most decisions are, without a call.
    local ceiling, interval, tolerance, cost = limit.ceiling, limit.interval, limit.tolerance, ARGV[at + 3] * limit.interval
    for number = place + 1, place + times do
      local key = KEYS[number]
      local moment = full[key]
      if not moment then
        moment = kept[number] and kept[number] / 64 or now
        if moment < now then moment = now end
      end
      if moment > ceiling then moment = ceiling end
      local late = moment + cost - ceiling
      if late <= tolerance then
        moment = moment + cost
        if cost > 0 then charged[key] = 'b' end
      else
        told = told + 1
        answer[told] = -ceil(late / 1000)
      end
      full[key] = moment
      answer[told + 1] = max(0, floor((ceiling - moment) / interval + 0.000001))
      answer[told + 2] = ceil((moment - now) / 1000)
      told = told + 2
    end
    place = place + times
  else
    if not load.b then others() end
    for _ = 1, times do decide(size, at) end
  end
  at = at + 2 + 2 * size
end

local lasting, text
local function expiry(micros)
  local millis = min(1e15, max(1, ceil(micros / 1000)))
  if millis ~= lasting then
    lasting, text = millis, format('%d', millis)
  end
  return text
end
for key, kind in pairs(charged) do
  local state = states[key]
  if kind == 'b' then
    local moment = full[key]
    if moment > now then
      local kept = moment * 64
      call('SET', key, format(kept < 4e18 and '%d' or '%.17g', kept), 'PX', expiry(moment - now))
    end
  elseif kind == 'c' then
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
 * The same for one request of one bucket, which is what most decisions that come alone are: half the time in Redis. ARGV:
 * requests, window in microseconds, burst, cost.
 */
export const DECIDE_BUCKET = `
local call, format, ceil = redis.call, string.format, math.ceil
local key = KEYS[1]
local time = call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
local interval = ARGV[2] / ARGV[1]
local ceiling = now + ARGV[3] * interval
local kept = call('GET', key)
local moment = kept and kept / 64 or now
if moment < now then moment = now elseif moment > ceiling then moment = ceiling end
local after = moment + ARGV[4] * interval
local late = after - ceiling
local passes = late <= 1 and late <= interval / 2
if passes then
  if after > moment then
    local value, millis = after * 64, ceil((after - now) / 1000)
    call('SET', key, format(value < 4e18 and '%d' or '%.17g', value), 'PX', format('%d', millis < 1e15 and millis or 1e15))
  end
  moment = after
end
local left = math.floor((ceiling - moment) / interval + 0.000001)
if left < 0 then left = 0 end
local reset = ceil((moment - now) / 1000)
if passes then return { left, reset } end
return { -ceil(late / 1000), left, reset }`;
