-- A session lost its connection. A repeat gets the same answer. KEYS[5] is what its owner holds. ARGV: lives, peer, generation, owner, origin, bounds (3)
local peer = ARGV[2]
local f = redis.call('HMGET', state, 'g:' .. peer, 'c:' .. peer, 'w:' .. peer)
if not f[1] then return '!session_expired' end
if f[1] == int(tonumber(ARGV[3]) + 1) and f[2] == 'false' and f[3] == ARGV[4] then return f[1] end
if f[1] ~= ARGV[3] then return '!session_replaced' end
hold(KEYS[5])
return detach(peer, ARGV[4], ARGV[5])
