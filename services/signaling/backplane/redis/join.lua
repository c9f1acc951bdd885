-- Creates a peer, and the room with the first. KEYS[3] marks a join that must not happen any more.
-- ARGV: peer, generation, profile, location, first role, other role, peers max, token hash, incarnation, origin,
--       ttl ms, bounds (4)
local peer, generation, ttl = ARGV[1], ARGV[2], ARGV[11]
if redis.call('EXISTS', KEYS[3]) == 1 then return '!unavailable' end
if redis.call('HEXISTS', state, 'g:' .. peer) == 1 then return snapshot() end

local f = redis.call('HMGET', state, 'epoch', 'seq', 'members', 'max', 'locked', 'order')
local members = tonumber(f[3]) or 0
if f[1] then
  if f[5] == 'true' then return '!room_locked' end
  if members >= tonumber(f[4]) then return '!room_full' end
else
  local time = redis.call('TIME')
  redis.call('HSET', state, 'epoch', int(tonumber(time[1]) * 1000000 + tonumber(time[2])), 'seq', '0', 'first', '1',
    'bytes', '0', 'members', '0', 'max', ARGV[7], 'locked', 'false')
end

local joined = int((tonumber(f[2]) or 0) + 1)
redis.call('HSET', state,
  'members', int(members + 1), 'order', (f[6] and f[6] .. ' ' or '') .. peer,
  'g:' .. peer, generation, 'i:' .. peer, '1', 'p:' .. peer, ARGV[3], 'n:' .. peer, ARGV[4],
  'r:' .. peer, members == 0 and ARGV[5] or ARGV[6], 'm:' .. peer, '[]', 'c:' .. peer, 'true', 'j:' .. peer, joined,
  't:' .. peer, ARGV[8], 'w:' .. peer, ARGV[9])
append('J', peer, '*', '0', ARGV[10], '{"peer":' .. peer_json(peer) .. '}', bounds_from(12))
redis.call('PEXPIRE', state, ttl)
redis.call('PEXPIRE', log, ttl)
return snapshot()
