-- Shared by every script of a room. KEYS[1] is its hash, KEYS[2] its stream and the name of its doorbell.
-- Fields of the hash: epoch seq first bytes members max locked order noted_seq noted_ms, and of each member
-- g: generation, i: last id, a:<id>:<slot> answers, p: profile, n: location, r: role, m: muted, c: connected,
-- j: joined seq, t: token hash, w: incarnation. Profiles and locations are JSON fragments: nothing here decodes JSON.
local state, log = KEYS[1], KEYS[2]
local ANSWERS_KEPT = 64

local function int(number) return string.format('%.0f', number) end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function peer_json(peer)
  local f = redis.call('HMGET', state,
    'p:' .. peer, 'r:' .. peer, 'm:' .. peer, 'c:' .. peer, 'j:' .. peer, 'n:' .. peer)
  return '{"id":"' .. peer .. '",' .. f[1] .. ',"role":"' .. f[2] .. '","muted":' .. f[3] ..
    ',"connected":' .. f[4] .. ',"joined_seq":' .. f[5] .. ',' .. f[6] .. '}'
end

-- epoch, head, locked, max, and every member in the order of joining; false where there is no room.
local function snapshot()
  local f = redis.call('HMGET', state, 'epoch', 'seq', 'locked', 'max', 'order')
  if not f[1] then return false end
  local reply = { f[1], f[2], f[3], f[4] }
  for peer in string.gmatch(f[5], '%S+') do reply[#reply + 1] = peer_json(peer) end
  return reply
end

-- Drops the log's entries up to and with a seq, and further the oldest until `bytes_max` holds. Exact (rule D5).
-- Returns the bytes that are left and the first seq that is.
local function trim(first, up_to, bytes, bytes_max)
  while first <= up_to or bytes > bytes_max do
    local page = redis.call('XRANGE', log, '-', '+', 'COUNT', 64)
    for _, entry in ipairs(page) do
      if first > up_to and bytes <= bytes_max then break end
      bytes = bytes - #entry[2][2]
      first = first + 1
    end
    redis.call('XTRIM', log, 'MINID', int(first) .. '-0')
    if #page == 0 then break end
  end
  return bytes, first
end

-- Once within the age the head is noted; what lies at or before the former note is over it by then.
local function over_age(noted_seq, noted_ms, seq, age_ms)
  local now = now_ms()
  if now - (tonumber(noted_ms) or 0) < age_ms then return 0 end
  redis.call('HSET', state, 'noted_seq', int(seq), 'noted_ms', int(now))
  return tonumber(noted_seq) or 0
end

-- Appends one record under the next seq, rings, and keeps the log within its bounds.
-- `bounds`: events and bytes for each member, bytes for the room, age in ms.
local function append(kind, from, to, echo, origin, body, bounds)
  local f = redis.call('HMGET', state, 'epoch', 'seq', 'first', 'bytes', 'members', 'noted_seq', 'noted_ms')
  local seq = tonumber(f[2]) + 1
  local record = kind .. ' ' .. f[1] .. ' ' .. int(seq) .. ' ' .. from .. ' ' .. to .. ' ' .. echo .. ' ' ..
    origin .. '\n' .. body
  redis.call('XADD', log, int(seq) .. '-0', 'r', record)
  local members = math.max(tonumber(f[5]), 1)
  local up_to = math.max(seq - bounds.events * members, over_age(f[6], f[7], seq, bounds.age_ms))
  local bytes, first = trim(tonumber(f[3]), up_to, tonumber(f[4]) + #record,
    math.min(bounds.bytes * members, bounds.bytes_max))
  redis.call('HSET', state, 'seq', int(seq), 'first', int(first), 'bytes', int(bytes))
  redis.call('SPUBLISH', log, record)
  return int(seq)
end

local function bounds_from(i)
  return { events = tonumber(ARGV[i]), bytes = tonumber(ARGV[i + 1]),
    bytes_max = tonumber(ARGV[i + 2]), age_ms = tonumber(ARGV[i + 3]) }
end

-- Rule Q1: session, generation, repeat, predecessor. Returns what to answer, or nothing where it is to be applied.
-- '!' marks a refusal that does not consume the id.
local function verdict(peer, generation, id, previous)
  local slot = 'a:' .. peer .. ':' .. int(id % ANSWERS_KEPT)
  local f = redis.call('HMGET', state, 'g:' .. peer, 'i:' .. peer, slot)
  if not f[1] then return '!session_expired' end
  if f[1] ~= generation then return '!session_replaced' end
  local last = tonumber(f[2])
  if id <= last then
    local kept, answer = string.match(f[3] or '', '^(%d+) (.+)$')
    if kept == int(id) then return answer end
    return '!invalid_request'
  end
  if previous > last then return '!unavailable' end
  return nil
end

-- A final answer is kept with its id, so that a repeat gets it, too (rule Q3).
local function answer(peer, id, text)
  redis.call('HSET', state, 'i:' .. peer, int(id), 'a:' .. peer .. ':' .. int(id % ANSWERS_KEPT), int(id) .. ' ' .. text)
  return text
end

-- Ends a session, and the room with its last one.
local function end_session(peer, reason, origin, bounds)
  local fields = {}
  for _, field in ipairs({ 'g', 'i', 'p', 'n', 'r', 'm', 'c', 'j', 't', 'w' }) do
    fields[#fields + 1] = field .. ':' .. peer
  end
  for slot = 0, ANSWERS_KEPT - 1 do fields[#fields + 1] = 'a:' .. peer .. ':' .. slot end
  redis.call('HDEL', state, unpack(fields))

  local f = redis.call('HMGET', state, 'members', 'order')
  if tonumber(f[1]) <= 1 then
    redis.call('UNLINK', state, log)
    return
  end
  local order = {}
  for member in string.gmatch(f[2], '%S+') do if member ~= peer then order[#order + 1] = member end end
  redis.call('HSET', state, 'members', int(tonumber(f[1]) - 1), 'order', table.concat(order, ' '))
  append('L', peer, '*', '0', origin, '{"peer":"' .. peer .. '","reason":"' .. reason .. '"}', bounds)
end
