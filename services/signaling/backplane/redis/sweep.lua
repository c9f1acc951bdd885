-- Detaches the sessions that a dead process held in a room, and hands them to the one that counts their windows from
-- now on. Idempotent: none of them names the dead one afterwards.
-- ARGV: lives, dead incarnation, adopter's incarnation, origin, bounds (4). Returns peers and generations.
local order = redis.call('HGET', state, 'order')
if not order then return {} end
local adopted = {}
for peer in string.gmatch(order, '%S+') do
  local f = redis.call('HMGET', state, 'w:' .. peer, 'c:' .. peer, 'g:' .. peer)
  if f[1] == ARGV[2] then
    local generation = f[3]
    if f[2] == 'true' then generation = detach(peer, ARGV[3], ARGV[4])
    else redis.call('HSET', state, 'w:' .. peer, ARGV[3]) end
    adopted[#adopted + 1] = peer
    adopted[#adopted + 1] = generation
  end
end
return adopted
