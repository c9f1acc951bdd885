-- Detaches the sessions that a dead process held in a room, and hands them to the one that counts their windows from
-- now on. Idempotent: none of them names the dead one afterwards, and a repeat tells again what the adopter has.
-- ARGV: lives, dead incarnation, adopter's incarnation, origin, bounds (3). Returns peers and generations.
local order = redis.call('HGET', state, 'order')
if not order then return {} end
local adopted = {}
for peer in string.gmatch(order, '%S+') do
  local f = redis.call('HMGET', state, 'w:' .. peer, 'c:' .. peer, 'g:' .. peer)
  local generation = f[3]
  if f[1] == ARGV[2] and f[2] == 'true' then
    generation = detach(peer, ARGV[3], ARGV[4])
  elseif f[1] == ARGV[2] then
    redis.call('HSET', state, 'w:' .. peer, ARGV[3])
    append({ kind = 'F', from = peer, origin = ARGV[4], body = '{"peer":' .. peer_json(peer) .. '}',
      inner = '{"g":' .. generation .. ',"w":"' .. ARGV[3] .. '"}' }, bounds())
  end
  if f[1] == ARGV[2] or f[1] == ARGV[3] and f[2] == 'false' then
    adopted[#adopted + 1] = peer
    adopted[#adopted + 1] = generation
  end
end
return adopted
