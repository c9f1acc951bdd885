-- Shared by every script of a room. KEYS[1] is its hash, KEYS[2] its stream and the name of its doorbell, KEYS[3] the
-- marker of the home, KEYS[4] what nodes handed in of the room; ARGV[1] the lives of Redis under which the home is sealed.
-- Fields of the hash: life epoch seq first bytes members max locked order noted_seq noted_ms, trimmed
-- trimmed_by trimmed_other (below), former_epoch former_from former_head where it was restored,
-- inherits banned muted, b:<person> and q:<person>: bans, and mutes that are kept, and of each member
-- g: generation, i: last id, a:<id>:<slot> answers, p: profile, n: location, r: role, m: muted, c: connected,
-- j: joined seq, t: token hash, w: incarnation, x: attempt, h: holder, s: since, z: trimmed seq that was for it alone,
-- u: person, k: what it was muted in whatever its role mutes besides.
-- Profiles and locations are JSON fragments: nothing here decodes JSON.
local state, log = KEYS[1], KEYS[2]
local ANSWERS_KEPT = 64
-- A listener's mutes.
local EVERY_KIND = '["audio","video","message"]'

-- Rule R1: a room belongs to the life of the Redis under which it was written or restored. In another life the home must
-- have been sealed, and nobody have handed the room in: then it is what it was, or is really missing. '-' before the
-- lives: a Cluster, where no script reaches the marker.
local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
local life_of_room = redis.call('HGET', state, 'life')
if life_of_room ~= life then
  local sealed = string.find(ARGV[1], life, 1, true) and
    (string.sub(ARGV[1], 1, 1) == '-' or redis.call('EXISTS', KEYS[3]) == 1)
  if not sealed then do return '!rebuild ' .. life end end
  if redis.call('HEXISTS', KEYS[4], 'life') == 1 and redis.call('HGET', KEYS[4], 'life') == life then
    do return '!restoring ' .. life end
  end
  if life_of_room then redis.call('HSET', state, 'life', life) end
end

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

-- epoch, head, locked, max, and every member in the order of joining, appended to a reply.
local function snapshot(reply)
  local f = redis.call('HMGET', state, 'epoch', 'seq', 'locked', 'max', 'order')
  for i = 1, 4 do reply[#reply + 1] = f[i] end
  for peer in string.gmatch(f[5], '%S+') do reply[#reply + 1] = peer_json(peer) end
  return reply
end

-- Rule D1: of what falls off the log it is noted whom it concerned: the last for everyone but its author (trimmed_by;
-- '*' where it was for him, too), the last of another author, and the last for one alone.
local function note_trimmed(entry, noted)
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

local function trimmed_so_far()
  local f = redis.call('HMGET', state, 'trimmed', 'trimmed_by', 'trimmed_other')
  return { seq = f[1] or '0', by = f[2] or '*', other = f[3] or '0', one = {} }
end

local function keep_trimmed(noted)
  redis.call('HSET', state, 'trimmed', noted.seq, 'trimmed_by', noted.by, 'trimmed_other', noted.other)
  for peer, seq in pairs(noted.one) do
    if redis.call('HEXISTS', state, 'g:' .. peer) == 1 then redis.call('HSET', state, 'z:' .. peer, seq) end
  end
end

-- The last seq that fell off the log and concerned a peer.
local function missing_of(peer)
  local noted = trimmed_so_far()
  local everyone = noted.by == peer and noted.other or noted.seq
  return math.max(tonumber(everyone), tonumber(redis.call('HGET', state, 'z:' .. peer) or '0'))
end

-- Drops the log's entries up to and with a seq, and further the oldest until `bytes_max` holds. Exact (rule D5).
-- Returns the bytes that are left and the first seq that is.
local function trim(first, up_to, bytes, bytes_max)
  if first > up_to and bytes <= bytes_max then return bytes, first end
  local noted = trimmed_so_far()
  while first <= up_to or bytes > bytes_max do
    local page = redis.call('XRANGE', log, '-', '+', 'COUNT', 64)
    for _, entry in ipairs(page) do
      if first > up_to and bytes <= bytes_max then break end
      note_trimmed(entry[2][2], noted)
      bytes = bytes - #entry[2][2]
      first = first + 1
    end
    redis.call('XTRIM', log, 'MINID', int(first) .. '-0')
    if #page == 0 then break end
  end
  keep_trimmed(noted)
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
-- `event`: kind, from, to, echo, id, origin, body, inner. `bounds`: events and bytes for each member, bytes for the
-- room, age in ms.
local function append(event, bounds)
  local f = redis.call('HMGET', state, 'epoch', 'seq', 'first', 'bytes', 'members', 'noted_seq', 'noted_ms')
  local seq = tonumber(f[2]) + 1
  local record = event.kind .. ' ' .. f[1] .. ' ' .. int(seq) .. ' ' .. event.from .. ' ' .. (event.to or '*') .. ' ' ..
    (event.echo or '0') .. ' ' .. (event.id and int(event.id) or '0') .. ' ' .. event.origin .. '\n' .. event.body
  if event.inner then record = record .. '\n' .. event.inner end
  redis.call('XADD', log, int(seq) .. '-0', 'r', record)
  local members = math.max(tonumber(f[5]), 1)
  local up_to = math.max(seq - bounds.events * members, over_age(f[6], f[7], seq, bounds.age_ms))
  local bytes, first = trim(tonumber(f[3]), up_to, tonumber(f[4]) + #record,
    math.min(bounds.bytes * members, bounds.bytes_max))
  redis.call('HSET', state, 'seq', int(seq), 'first', int(first), 'bytes', int(bytes))
  redis.call('SPUBLISH', log, record)
  return int(seq), record
end

-- The last four arguments of every script that appends.
local function bounds()
  local n = #ARGV
  return { events = tonumber(ARGV[n - 3]), bytes = tonumber(ARGV[n - 2]),
    bytes_max = tonumber(ARGV[n - 1]), age_ms = tonumber(ARGV[n]) }
end

-- Rule Q1: session, generation, repeat, predecessor. Returns what to answer, or nothing where it is to be applied.
-- '!' marks a refusal that does not consume the id. `kinds`: the letters of answers that a request of this kind gets.
local function verdict(peer, generation, id, previous, kinds)
  local slot = 'a:' .. peer .. ':' .. int(id % ANSWERS_KEPT)
  local f = redis.call('HMGET', state, 'g:' .. peer, 'i:' .. peer, slot)
  if not f[1] then return '!session_expired' end
  if f[1] ~= generation then return '!session_replaced' end
  local last = tonumber(f[2])
  if id <= last then
    local kept, answer = string.match(f[3] or '', '^(%d+) (.+)$')
    local is_its = kept == int(id) and id > last - ANSWERS_KEPT and string.find(kinds, string.sub(answer, 1, 1), 1, true)
    return is_its and answer or '!invalid_request'
  end
  if previous > last then return '!unavailable' end
  return nil
end

-- A final answer is kept with its id, so that a repeat gets it, too (rule Q3).
local function answer(peer, id, text)
  redis.call('HSET', state, 'i:' .. peer, int(id), 'a:' .. peer .. ':' .. int(id % ANSWERS_KEPT), int(id) .. ' ' .. text)
  return text
end

-- Raises a session's generation for a connection that holds it from now on, and appends the fence (rule C4).
-- `inner`: what its record tells nodes besides, as JSON members. Returns the generation, and the record's seq and text.
local function attach(peer, location, incarnation, origin, inner)
  local f = redis.call('HMGET', state, 'g:' .. peer, 'c:' .. peer, 'n:' .. peer)
  local generation = int(tonumber(f[1]) + 1)
  local visible = f[2] ~= 'true' or f[3] ~= location
  redis.call('HSET', state, 'g:' .. peer, generation, 'c:' .. peer, 'true', 'n:' .. peer, location,
    'w:' .. peer, incarnation, 'h:' .. peer, '')
  local seq, record = append({ kind = visible and 'R' or 'F', from = peer, echo = '1', origin = origin,
    body = '{"peer":' .. peer_json(peer) .. '}',
    inner = '{"g":' .. generation .. ',"w":"' .. incarnation .. '"' .. inner .. '}' }, bounds())
  return generation, seq, record
end

-- Takes a session's connection away, and raises its generation so that nobody goes on under the old one (rule C3).
local function detach(peer, owner, origin)
  local generation = int(tonumber(redis.call('HGET', state, 'g:' .. peer)) + 1)
  redis.call('HSET', state, 'g:' .. peer, generation, 'c:' .. peer, 'false', 'w:' .. peer, owner)
  append({ kind = 'D', from = peer, echo = '1', origin = origin, body = '{"peer":' .. peer_json(peer) .. '}',
    inner = '{"g":' .. generation .. ',"w":"' .. owner .. '"}' }, bounds())
  return generation
end
