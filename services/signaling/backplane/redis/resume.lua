-- Continues a session on another connection, and says whether what it missed can be replayed.
-- ARGV: lives, peer, token hash, seq, epoch, attempt (0: none), location, incarnation, origin, bounds (4)
local peer, seen, attempt = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[6])
local f = redis.call('HMGET', state, 't:' .. peer, 'x:' .. peer, 'seq', 'epoch', 'former_epoch', 'former_from',
  'former_head', 's:' .. peer, 'i:' .. peer)
if f[1] ~= ARGV[3] then return '!session_expired' end
local inner = ''
if attempt > 0 then
  if attempt <= tonumber(f[2]) then return '!session_replaced' end
  redis.call('HSET', state, 'x:' .. peer, int(attempt))
  inner = ',"x":' .. int(attempt)
end
local generation, head = attach(peer, ARGV[7], ARGV[8], ARGV[9], inner)

local here = ARGV[5] == f[4] and seen <= tonumber(f[3])
local before = f[5] and ARGV[5] == f[5] and seen >= tonumber(f[6]) and seen <= tonumber(f[7])
local from = math.max(seen, tonumber(f[8]))
local trimmed = redis.call('HMGET', state, 'trimmed', 'z:' .. peer)
if (here or before) and tonumber(trimmed[1]) <= from and tonumber(trimmed[2]) <= from then
  return { generation, f[9], f[4], head, int(from) }
end
redis.call('HSET', state, 's:' .. peer, head)
return snapshot({ generation, f[9], f[4], head, '' })
