-- Shared by every script of a room. KEYS[1] is the marker of the home, KEYS[2] the room's hash, KEYS[3] its stream, KEYS[4]
-- what nodes handed in of it; ARGV[1] the lives of Redis under which the home is sealed.
-- Fields of the hash: life epoch seq first bytes members max locked order noted_seq noted_ms, hosts: the channels of the
-- nodes that host it, trimmed trimmed_by trimmed_other (below), former_epoch former_from former_head where it was restored,
-- inherits banned muted, b:<person> and q:<person>: bans, and mutes that are kept, and of each member
-- g: generation, i: last id, a:<id>:<slot> answers, p: profile, n: location, r: role, m: muted, c: connected,
-- j: joined seq, t: token hash, w: incarnation, x: attempt, h: holder, s: since, z: trimmed seq that was for it alone,
-- u: person, k: what it was muted in whatever its role mutes besides.
-- Profiles and locations are JSON fragments: nothing here decodes JSON.
local marker, state, log = KEYS[1], KEYS[2], KEYS[3]
local ANSWERS_KEPT = 64
-- A listener's mutes.
local EVERY_KIND = '["audio","video","message"]'
-- Rings are records apart by what no record has: JSON has no raw control character.
local BETWEEN_RINGS = '\30'
-- Marked so before the lives: no script reaches the marker, nor channels that are not the room's own.
local IS_CLUSTER = string.sub(ARGV[1], 1, 1) == '-'

local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')

-- Rule R1: a room belongs to the life of the Redis under which it was written or restored. In another life the home must
-- have been sealed, and nobody have handed the room in: then it is what it was, or is really missing. Returns the refusal.
local function meet(life_of_room, handed_in)
  if life_of_room == life then return nil end
  local is_sealed = string.find(ARGV[1], life, 1, true) and (IS_CLUSTER or redis.call('EXISTS', marker) == 1)
  if not is_sealed then return '!rebuild ' .. life end
  if redis.call('HEXISTS', handed_in, 'life') == 1 and redis.call('HGET', handed_in, 'life') == life then
    return '!restoring ' .. life
  end
  if life_of_room then redis.call('HSET', state, 'life', life) end
  return nil
end

local function int(number) return string.format('%.0f', number) end

-- Stands still while a script runs.
local clock
local function now_ms()
  if clock then return clock end
  local time = redis.call('TIME')
  clock = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  return clock
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
local function over_age(room, age_ms)
  local now = now_ms()
  if now - room.noted_ms < age_ms then return 0 end
  local noted = room.noted_seq
  room.noted_seq, room.noted_ms = room.seq, now
  redis.call('HSET', state, 'noted_seq', int(room.seq), 'noted_ms', int(now))
  return noted
end

-- What an append has to know of the room, and the values of more fields behind those.
local function room_now(...)
  local f = redis.call('HMGET', state, 'life', 'epoch', 'seq', 'first', 'bytes', 'members', 'noted_seq', 'noted_ms', 'hosts', ...)
  return { state = state, log = log, life = f[1], epoch = f[2], seq = tonumber(f[3]), first = tonumber(f[4]),
    bytes = tonumber(f[5]), members = tonumber(f[6]), noted_seq = tonumber(f[7]) or 0, noted_ms = tonumber(f[8]) or 0,
    hosts = f[9] or '' }, f
end

-- Appends one record under the next seq, and keeps the log within its bounds. `rest` is what follows the seq in the record;
-- `...` are fields, each with its value, that change with it. Returns the seq and the record.
local function write(room, kind, rest, bounds, ...)
  room.seq = room.seq + 1
  local seq = int(room.seq)
  local record = kind .. ' ' .. room.epoch .. ' ' .. seq .. ' ' .. rest
  redis.call('XADD', log, seq .. '-0', 'r', record)
  local members = math.max(room.members, 1)
  local up_to = math.max(room.seq - bounds.events * members, over_age(room, bounds.age_ms))
  room.bytes, room.first = trim(room.first, up_to, room.bytes + #record,
    math.min(bounds.bytes * members, bounds.bytes_max))
  redis.call('HSET', state, 'seq', seq, 'first', room.first, 'bytes', room.bytes, ...)
  return seq, record
end

local channels = {}
local function channels_of(hosts)
  local list = channels[hosts]
  if list then return list end
  list = {}
  for channel in string.gmatch(hosts, '%S+') do list[#list + 1] = channel end
  channels[hosts] = list
  return list
end

-- Notes a record for the nodes that host the room: each has one channel, which it hears as long as it lives. A Cluster has
-- one for each room, since a script may touch no other there. `except`: the channel of a node that knows it already.
local function note_ring(rings, room, record, except)
  local ring = room.log .. '\n' .. record
  for _, channel in ipairs(IS_CLUSTER and { room.log } or channels_of(room.hosts)) do
    if channel ~= except then
      local to = rings[channel] or { rooms = {} }
      rings[channel] = to
      to[#to + 1] = ring
      to.rooms[room] = true
    end
  end
end

local function without(hosts, channel)
  local left = {}
  for _, each in ipairs(channels_of(hosts)) do if each ~= channel then left[#left + 1] = each end end
  return table.concat(left, ' ')
end

-- Rings once for each node. One that does not hear is gone, or will host its rooms anew as soon as it does again.
local function ring_all(rings)
  for channel, to in pairs(rings) do
    local hearers = redis.call('SPUBLISH', channel, 'R' .. table.concat(to, BETWEEN_RINGS))
    if hearers == 0 and not IS_CLUSTER then
      for room in pairs(to.rooms) do
        room.hosts = without(room.hosts, channel)
        redis.call('HSET', room.state, 'hosts', room.hosts)
      end
    end
  end
end

-- From now on, or no more, the room's records ring on a node's channel; '' on a Cluster, where nodes subscribe to rooms.
local function host(channel)
  if channel == '' then return end
  local hosts = redis.call('HGET', state, 'hosts') or ''
  for _, each in ipairs(channels_of(hosts)) do if each == channel then return end end
  redis.call('HSET', state, 'hosts', hosts == '' and channel or hosts .. ' ' .. channel)
end

local function unhost(channel)
  local hosts = redis.call('HGET', state, 'hosts') or ''
  redis.call('HSET', state, 'hosts', without(hosts, channel))
end

-- Appends one record and rings. `event`: kind, from, to, echo, id, origin, body, inner. `bounds`: events and bytes for each
-- member, bytes for the room, age in ms. Returns the seq and the record.
local function append(event, bounds)
  local rest = event.from .. ' ' .. (event.to or '*') .. ' ' .. (event.echo or '0') .. ' ' ..
    (event.id and int(event.id) or '0') .. ' ' .. event.origin .. '\n' .. event.body
  if event.inner then rest = rest .. '\n' .. event.inner end
  local room, rings = room_now(), {}
  local seq, record = write(room, event.kind, rest, bounds)
  note_ring(rings, room, record)
  ring_all(rings)
  return seq, record
end

-- The last four arguments of every script that appends.
local function bounds()
  local n = #ARGV
  return { events = tonumber(ARGV[n - 3]), bytes = tonumber(ARGV[n - 2]),
    bytes_max = tonumber(ARGV[n - 1]), age_ms = tonumber(ARGV[n]) }
end

local function answer_slot(peer, id) return 'a:' .. peer .. ':' .. int(id % ANSWERS_KEPT) end

-- Rule Q1: session, generation, repeat, predecessor. Returns what to answer, or nothing where it is to be applied.
-- '!' marks a refusal that does not consume the id. `has`: the session's generation, its last id, and what the id's slot
-- holds; `kinds`: the letters of answers that a request of this kind gets.
local function judge(has, generation, id, previous, kinds)
  if not has.generation then return '!session_expired' end
  if has.generation ~= generation then return '!session_replaced' end
  local last = tonumber(has.last)
  if id <= last then
    local kept, answer = string.match(has.slot or '', '^(%d+) (.+)$')
    local is_its = kept == int(id) and id > last - ANSWERS_KEPT and string.find(kinds, string.sub(answer, 1, 1), 1, true)
    return is_its and answer or '!invalid_request'
  end
  if previous > last then return '!unavailable' end
  return nil
end

local function verdict(peer, generation, id, previous, kinds)
  local f = redis.call('HMGET', state, 'g:' .. peer, 'i:' .. peer, answer_slot(peer, id))
  return judge({ generation = f[1], last = f[2], slot = f[3] }, generation, id, previous, kinds)
end

-- A final answer is kept with its id, so that a repeat gets it, too (rule Q3).
local function answer(peer, id, text)
  redis.call('HSET', state, 'i:' .. peer, int(id), answer_slot(peer, id), int(id) .. ' ' .. text)
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
