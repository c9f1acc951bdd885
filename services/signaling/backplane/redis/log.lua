-- For the scripts that append to a room's log: how it is written, and kept within its bounds.
-- The last four arguments of every script that appends.
local function bounds()
  local n = #ARGV
  local bytes_max = tonumber(ARGV[n - 1])
  return { events = tonumber(ARGV[n - 3]), bytes = math.min(tonumber(ARGV[n - 2]), bytes_max),
    bytes_max = bytes_max, age_ms = tonumber(ARGV[n]) }
end

local function trimmed_so_far()
  local f = redis.call('HMGET', state, 'trimmed', 'trimmed_by', 'trimmed_other')
  return { seq = f[1] or '0', by = f[2] or '*', other = f[3] or '0', one = {} }
end

-- As in log-bounds.ts.
local DROPPED_AT_ONCE = 32

-- Drops the log's entries up to and with a seq, and further the oldest until `bytes_max` holds: a few, and more only where
-- it would else be larger than it was before its newest (`bytes_before`). So a bound that holds goes on to hold (rule D5).
local function trim(room, up_to, bytes_max, bytes_before)
  local noted = trimmed_so_far()
  -- Rule D1: of what falls off the log it is noted whom it concerned: the last for everyone but its author (trimmed_by;
  -- '*' where it was for him, too), the last of another author, and the last for one alone.
  local function note_trimmed(entry)
    local kind, seq, from, to, echo = string.match(entry, '^(%a) %d+ (%d+) (%S+) (%S+) (%d)')
    if not kind or kind == 'F' then return end
    if to ~= '*' then
      noted.one[to] = seq
      if echo == '1' then noted.one[from] = seq end
      return
    end
    local author = echo == '1' and '*' or from
    if noted.by ~= author then noted.other, noted.by = noted.seq, author end
    noted.seq = seq
  end

  local dropped = 0
  local function is_done()
    if room.first > up_to and room.bytes <= bytes_max then return true end
    return dropped >= DROPPED_AT_ONCE and room.bytes <= bytes_before
  end
  while not is_done() do
    local page = redis.call('XRANGE', log, '-', '+', 'COUNT', DROPPED_AT_ONCE)
    for _, entry in ipairs(page) do
      if is_done() then break end
      note_trimmed(entry[2][2])
      room.bytes, room.first, dropped = room.bytes - #entry[2][2], room.first + 1, dropped + 1
    end
    redis.call('XTRIM', log, 'MINID', int(room.first) .. '-0')
    if #page == 0 then break end
  end
  redis.call('HSET', state, 'first', int(room.first), 'trimmed', noted.seq, 'trimmed_by', noted.by, 'trimmed_other', noted.other)
  for peer, seq in pairs(noted.one) do
    if redis.call('HEXISTS', state, 'g:' .. peer) == 1 then redis.call('HSET', state, 'z:' .. peer, seq) end
  end
end

-- Once within the age the head is noted; what lies at or before the former note is over it by then.
local function over_age(room, age_ms)
  local now = now_ms()
  if now - room.noted_ms < age_ms then return 0 end
  local noted = tonumber(redis.call('HGET', state, 'noted_seq')) or 0
  if noted - room.first >= DROPPED_AT_ONCE then return noted end
  room.noted_ms = now
  redis.call('HSET', state, 'noted_seq', int(room.seq), 'noted_ms', int(now))
  return noted
end

-- What an append has to know of the room, and the values of more fields behind those.
local function room_now(...)
  local f = redis.call('HMGET', state, 'life', 'epoch', 'seq', 'first', 'bytes', 'noted_ms', 'hosts', ...)
  return { state = state, log = log, life = f[1], epoch = f[2], seq = tonumber(f[3]), first = tonumber(f[4]),
    bytes = tonumber(f[5]), noted_ms = tonumber(f[6]) or 0, hosts = f[7] or '' }, f
end

-- Keeps the log within its bounds. What that takes besides is asked and made when there is something to drop.
local function keep_within(room, bounds, bytes_before)
  local up_to = over_age(room, bounds.age_ms)
  -- Each member adds a share: where one is enough, it does not matter how many there are.
  if room.first > up_to and room.seq - room.first < bounds.events and room.bytes <= bounds.bytes then return end
  local members = math.max(tonumber(redis.call('HGET', state, 'members')), 1)
  up_to = math.max(room.seq - bounds.events * members, up_to)
  local bytes_max = math.min(bounds.bytes * members, bounds.bytes_max)
  if room.first > up_to and room.bytes <= bytes_max then return end
  trim(room, up_to, bytes_max, bytes_before)
end

-- Appends one record under the next seq, given as text, and keeps the log within its bounds. `rest` is what follows the seq
-- in the record; `...` are fields, each with its value, that change with it. Returns the record.
local function write(room, seq, kind, rest, bounds, ...)
  local record = kind .. ' ' .. room.epoch .. ' ' .. seq .. ' ' .. rest
  local bytes_before = room.bytes
  room.seq, room.bytes = room.seq + 1, bytes_before + #record
  redis.call('XADD', log, seq, 'r', record)
  keep_within(room, bounds, bytes_before)
  redis.call('HSET', state, 'seq', seq, 'bytes', int(room.bytes), ...)
  return record
end
