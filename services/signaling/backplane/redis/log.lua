-- For the scripts that append to a room's log: how it is written, and kept within its bounds.
-- The last three arguments of every script that appends.
local function bounds()
  local n = #ARGV
  return { written_max = tonumber(ARGV[n - 2]), bytes_max = tonumber(ARGV[n - 1]), age_ms = tonumber(ARGV[n]) }
end

local function trimmed_so_far()
  local f = redis.call('HMGET', state, 'trimmed', 'trimmed_by', 'trimmed_other')
  return { seq = f[1] or '0', by = f[2] or '*', other = f[3] or '0', one = {} }
end

-- As in log-bounds.ts.
local DROPPED_AT_ONCE, DROPPED_IN_SILENCE, DROPPED_FOR_PLACE, SOON_MS = 32, 256, 512, 100
local BYTES_AT_ONCE = 1048576

-- What a record holds besides its text, and besides a profile, at most: were less charged than is written, the parts of all
-- members would be more than there is.
local HEADER_BYTES, PEER_BYTES = 48, 512

-- Drops the entries up to and with a seq, and the oldest until `bytes_max` holds. It drops `at_once` of them, and more only
-- where the log would otherwise be larger than before its newest entry (`bytes_before`).
local function trim(room, up_to, bytes_max, bytes_before, at_once)
  local bytes_here = room.bytes
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
    return (dropped >= at_once or bytes_here - room.bytes > BYTES_AT_ONCE) and room.bytes <= bytes_before
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
  redis.call('HSET', state, 'first', int(room.first), 'bytes', int(room.bytes),
    'trimmed', noted.seq, 'trimmed_by', noted.by, 'trimmed_other', noted.other)
  redis.call('HINCRBY', state, 'noted_bytes', int(room.bytes - bytes_here))
  for peer, seq in pairs(noted.one) do
    if redis.call('HEXISTS', state, 'g:' .. peer) == 1 then redis.call('HSET', state, 'z:' .. peer, seq) end
  end
end

-- Notes the head once within the age, which begins another period. The records up to the former note are over the age by
-- then. Returns the seq of the last of them.
local function over_age(room, age_ms)
  local now = now_ms()
  if now - room.noted_ms < age_ms then return room.over_age end
  room.over_age = tonumber(redis.call('HGET', state, 'noted_seq')) or 0
  if room.over_age - room.first >= DROPPED_AT_ONCE then return room.over_age end
  room.noted_ms = now
  redis.call('HSET', state, 'noted_seq', int(room.seq), 'noted_ms', int(now), 'noted_bytes', int(room.bytes))
  return room.over_age
end

-- What an append has to know of the room, and the values of more fields behind those.
local function room_now(...)
  local f = redis.call('HMGET', state, 'life', 'epoch', 'seq', 'first', 'bytes', 'noted_ms', 'hosts', ...)
  return { state = state, log = log, life = f[1], epoch = f[2], seq = tonumber(f[3]), first = tonumber(f[4]),
    bytes = tonumber(f[5]), noted_ms = tonumber(f[6]) or 0, over_age = 0, hosts = f[7] or '' }, f
end

-- Drops records that are over the age, and young ones only where the log is over its cap.
local function keep_within(room, bounds, bytes_before)
  local up_to = over_age(room, bounds.age_ms)
  if room.first > up_to and room.bytes <= bounds.bytes_max then return end
  trim(room, up_to, bounds.bytes_max, bytes_before, DROPPED_AT_ONCE)
end

-- Drops old records without an append. Returns how many.
local function let_go_old(room, bounds, at_once)
  local up_to, first = over_age(room, bounds.age_ms), room.first
  if first <= up_to then trim(room, up_to, bounds.bytes_max, room.bytes, at_once) end
  return room.first - first
end

local function refuse_for_now(room, bounds)
  return '!rate_limited ' .. int(math.max(room.noted_ms + bounds.age_ms - now_ms(), SOON_MS))
end

-- Rule D5: a log drops no young record to make place for what a member writes. So the members of a room write at most
-- `written_max` bytes in one period: any member may use up the first half, and each has an equal part of the second half.
-- Returns the refusal.
local function place_for(room, bounds, peer, bytes)
  local free = bounds.written_max / 2
  if room.bytes + bytes <= free then return nil end
  let_go_old(room, bounds, DROPPED_FOR_PLACE)
  local f = redis.call('HMGET', state, 'noted_bytes', 'members', 'y:' .. peer)
  local written = room.bytes - (tonumber(f[1]) or 0) + bytes
  if written <= free then return nil end
  local period, taken = string.match(f[3] or '', '^(%d+) (%d+)$')
  local part = (period == int(room.noted_ms) and tonumber(taken) or 0) + bytes
  if written > bounds.written_max or part > free / tonumber(f[2]) then return refuse_for_now(room, bounds) end
  redis.call('HSET', state, 'y:' .. peer, int(room.noted_ms) .. ' ' .. int(part))
  return nil
end

-- Whether the log has place for one more join. A member that joins while the first half is used up gets no part of the second
-- half in this period: otherwise a client that leaves and joins again would get several. Returns the refusal, and what
-- the member has taken of the second half.
local function place_for_newcomer(room, bounds)
  local free = bounds.written_max / 2
  if room.bytes <= free then return nil, '' end
  let_go_old(room, bounds, DROPPED_FOR_PLACE)
  if room.bytes > bounds.bytes_max * 7 / 8 then return refuse_for_now(room, bounds) end
  local written = room.bytes - (tonumber(redis.call('HGET', state, 'noted_bytes')) or 0)
  return nil, written > free and int(room.noted_ms) .. ' ' .. int(bounds.bytes_max) or ''
end

-- The records that count as members' writing. No other record is refused for the size of the log.
local WRITTEN = { S = true, M = true, U = true }

-- Appends one record under the next seq, given as text, and keeps the log within its bounds. `rest` is what follows the seq
-- in the record; `...` are fields, each with its value, that change with it. Returns the record.
local function write(room, seq, kind, rest, bounds, ...)
  local record = kind .. ' ' .. room.epoch .. ' ' .. seq .. ' ' .. rest
  local bytes_before = room.bytes
  room.seq, room.bytes = room.seq + 1, bytes_before + #record
  redis.call('XADD', log, seq, 'r', record)
  if not WRITTEN[kind] then redis.call('HINCRBY', state, 'noted_bytes', #record) end
  keep_within(room, bounds, bytes_before)
  redis.call('HSET', state, 'seq', seq, 'bytes', int(room.bytes), ...)
  return record
end
