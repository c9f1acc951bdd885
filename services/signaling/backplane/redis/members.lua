-- For the scripts of one room: its members, and what happens to them.
local function peer_json(peer)
  local f = redis.call('HMGET', state,
    'p:' .. peer, 'r:' .. peer, 'm:' .. peer, 'c:' .. peer, 'j:' .. peer, 'n:' .. peer)
  return '{"id":"' .. peer .. '",' .. f[1] .. ',"role":"' .. f[2] .. '","muted":' .. f[3] ..
    ',"connected":' .. f[4] .. ',"joined_seq":' .. f[5] .. ',' .. f[6] .. '}'
end

-- A profile is `"name":<name>,"metadata":<metadata>`; inside a JSON string its quotes would be escaped.
local BEFORE_METADATA = ',"metadata":'
local function cut_profile(profile)
  local from, to = string.find(profile, BEFORE_METADATA, 1, true)
  return string.sub(profile, 1, from - 1), string.sub(profile, to + 1)
end

local function metadata_bytes(profile)
  local _, metadata = cut_profile(profile)
  return #metadata
end

-- How many bytes of metadata a room's members have. Versions before this one did not count them.
local function metadata_kept(counted, order)
  if counted then return tonumber(counted) end
  local bytes = 0
  for peer in string.gmatch(order or '', '%S+') do
    bytes = bytes + metadata_bytes(redis.call('HGET', state, 'p:' .. peer))
  end
  redis.call('HSET', state, 'metadata', int(bytes))
  return bytes
end

-- epoch, head, locked, max, and every member in the order of joining, appended to a reply.
local function snapshot(reply)
  local f = redis.call('HMGET', state, 'epoch', 'seq', 'locked', 'max', 'order')
  for i = 1, 4 do reply[#reply + 1] = f[i] end
  for peer in string.gmatch(f[5], '%S+') do reply[#reply + 1] = peer_json(peer) end
  return reply
end

-- The last seq that fell off the log and concerned a peer.
local function missing_of(peer)
  local noted = trimmed_so_far()
  local everyone = noted.by == peer and noted.other or noted.seq
  return math.max(tonumber(everyone), tonumber(redis.call('HGET', state, 'z:' .. peer) or '0'))
end

-- Appends one record and rings. `event`: kind, from, to, echo, id, origin, body, inner. `bounds`: events and bytes for each
-- member, bytes for the room, age in ms. Returns the seq and the record.
local function append(event, bounds)
  local rest = event.from .. ' ' .. (event.to or '*') .. ' ' .. (event.echo or '0') .. ' ' ..
    (event.id and int(event.id) or '0') .. ' ' .. event.origin .. '\n' .. event.body
  if event.inner then rest = rest .. '\n' .. event.inner end
  local room, rings = room_now(), {}
  local seq = int(room.seq + 1)
  local record = write(room, seq, event.kind, rest, bounds)
  note_ring(rings, room, record)
  ring_all(rings)
  return seq, record
end

-- Rule C7: who has a session of the room from now on is known to hold the room, in one step with it: `held` is the set of what
-- it holds. On a Cluster, where no script reaches that, it has noted the room before.
local function hold(held)
  if not IS_CLUSTER then redis.call('SADD', held, string.match(state, '{(.*)}')) end
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
