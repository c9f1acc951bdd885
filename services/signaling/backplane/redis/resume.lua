-- Continues a session on another connection, and says whether what it missed can be replayed. KEYS[5] marks a try that
-- must not succeed any more, KEYS[6] is what its node holds.
-- ARGV: lives, peer, token hash, seq, epoch, attempt (0: none), location, incarnation, holder, person ('': any),
--       origin, the node's channel, bounds (3)
local peer, seen, attempt = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[6])
local f = redis.call('HMGET', state, 't:' .. peer, 'x:' .. peer, 'seq', 'epoch', 'former_epoch', 'former_from',
  'former_head', 's:' .. peer, 'i:' .. peer, 'j:' .. peer, 'u:' .. peer)
if f[1] ~= ARGV[3] then return '!session_expired' end
if ARGV[10] ~= '' and f[11] ~= ARGV[10] then return '!unauthorized' end
if redis.call('EXISTS', KEYS[5]) == 1 then return '!unavailable' end
if attempt > 0 and attempt <= tonumber(f[2]) then return '!session_replaced' end

-- Rules D1 and D6: nothing that concerned it since its join has fallen off the log, and it has received its last snapshot.
local here = ARGV[5] == f[4] and seen <= tonumber(f[3])
local before = f[5] and ARGV[5] == f[5] and seen >= tonumber(f[6]) and seen <= tonumber(f[7])
local from = f[8] == f[10] and math.max(seen, tonumber(f[8])) or seen
local recovered = (here or before) and from >= tonumber(f[8]) and missing_of(peer) <= from
local inner = recovered and '' or ',"s":true'
if attempt > 0 then
  redis.call('HSET', state, 'x:' .. peer, int(attempt))
  inner = inner .. ',"x":' .. int(attempt)
end
hold(KEYS[6])
local generation, head, record = attach(peer, ARGV[7], ARGV[8], ARGV[11], inner)
redis.call('HSET', state, 'h:' .. peer, ARGV[9])
host(ARGV[12])
if recovered then return { generation, f[9], f[4], head, record, int(from) } end
redis.call('HSET', state, 's:' .. peer, head)
return snapshot({ generation, f[9], f[4], head, record, '' })
