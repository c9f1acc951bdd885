-- A session lost its connection. ARGV: lives, peer, generation, incarnation, origin, bounds (4)
local peer = ARGV[2]
local generation = redis.call('HGET', state, 'g:' .. peer)
if not generation then return '!session_expired' end
if generation ~= ARGV[3] then return '!session_replaced' end
return detach(peer, ARGV[4], ARGV[5])
