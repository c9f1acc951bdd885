-- Creates a peer, and the room with the first. KEYS[5] marks a join that must not happen any more, KEYS[6] holds the
-- epoch of the room's former life, KEYS[7] what its node holds.
-- ARGV: lives, peer, generation, profile, location, first role, other role, whether hosts are followed by others,
--       peers max, token hash, person, incarnation, origin, ttl ms, 'state' or '', the node's channel,
--       metadata bytes of a room at most, bounds (3)
-- Returns the generation, the record, and the room: the snapshot, or where 'state' is asked for its hash as one text, which
-- the client reads faster than a text for each field; no field holds what is between them.
local peer, generation, location, token, person, incarnation, origin, ttl =
  ARGV[2], ARGV[3], ARGV[5], ARGV[10], ARGV[11], ARGV[12], ARGV[13], ARGV[14]

-- The node hears what comes after this; of this itself it has the answer.
local function entered(generation, record)
  hold(KEYS[7])
  host(ARGV[16])
  if ARGV[15] == '' then return snapshot({ generation, record }) end
  return { generation, record, table.concat(redis.call('HGETALL', state), BETWEEN_RINGS) }
end
if redis.call('EXISTS', KEYS[5]) == 1 then return '!unavailable' end
local known = redis.call('HMGET', state, 'g:' .. peer, 't:' .. peer)
if known[1] and known[2] == token then return entered(known[1], '') end
-- Rule Q4: the id was made of the join's key, so this is the client whose join it was. It knows nothing of what came
-- after that: its ids and attempts begin anew.
if known[1] then
  local raised, seq, record = attach(peer, location, incarnation, origin, ',"t":"' .. token .. '"')
  redis.call('HSET', state, 't:' .. peer, token, 'i:' .. peer, '1', 'x:' .. peer, '0', 's:' .. peer, seq)
  local answers = {}
  for slot = 0, ANSWERS_KEPT - 1 do answers[#answers + 1] = 'a:' .. peer .. ':' .. slot end
  redis.call('HDEL', state, unpack(answers))
  return entered(raised, record)
end

local f = redis.call('HMGET', state, 'epoch', 'seq', 'members', 'max', 'locked', 'order', 'metadata')
local members = tonumber(f[3]) or 0
local metadata = metadata_kept(f[7] or not f[1] and '0', f[6]) + metadata_bytes(ARGV[4])
local taken = ''
if f[1] then
  if redis.call('HEXISTS', state, 'b:' .. person) == 1 then return '!banned' end
  if f[5] == 'true' then return '!room_locked' end
  if members >= tonumber(f[4]) then return '!room_full' end
end
if metadata > tonumber(ARGV[17]) then return '!too_large' end
if f[1] then
  local crowded
  crowded, taken = place_for_newcomer(room_now(), bounds())
  if crowded then return crowded end
else
  local time = redis.call('TIME')
  local epoch = math.max(tonumber(time[1]) * 1000000 + tonumber(time[2]), (tonumber(redis.call('GET', KEYS[6])) or 0) + 1)
  redis.call('UNLINK', log)
  redis.call('HSET', state, 'life', life, 'epoch', int(epoch), 'seq', '0', 'first', '1', 'bytes', '0', 'members', '0',
    'max', ARGV[9], 'locked', 'false', 'inherits', ARGV[8], 'trimmed', '0')
end

local role = members == 0 and ARGV[6] or ARGV[7]
local mutes = redis.call('HGET', state, 'q:' .. person) or '[]'
local joined = int((tonumber(f[2]) or 0) + 1)
redis.call('HSET', state,
  'members', int(members + 1), 'metadata', int(metadata), 'order', (f[6] and f[6] .. ' ' or '') .. peer,
  'g:' .. peer, generation, 'i:' .. peer, '1', 'p:' .. peer, ARGV[4], 'n:' .. peer, location,
  'r:' .. peer, role, 'm:' .. peer, role == 'listener' and EVERY_KIND or mutes, 'c:' .. peer, 'true',
  'j:' .. peer, joined, 't:' .. peer, token, 'w:' .. peer, incarnation, 'x:' .. peer, '0', 's:' .. peer, joined,
  'z:' .. peer, '0', 'u:' .. peer, person, 'k:' .. peer, mutes)
if taken ~= '' then redis.call('HSET', state, 'y:' .. peer, taken) end
local _, record = append({ kind = 'J', from = peer, origin = origin, body = '{"peer":' .. peer_json(peer) .. '}',
  inner = '{"g":' .. generation .. ',"w":"' .. incarnation .. '","t":"' .. token ..
    '","u":"' .. person .. '","k":' .. mutes .. '}' }, bounds())
redis.call('PEXPIRE', state, ttl)
redis.call('PEXPIRE', log, ttl)
return entered(generation, record)
