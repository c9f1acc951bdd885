-- Ends the sessions that a dead process held in a room. Idempotent: those that are gone are not there any more.
-- ARGV: incarnation, origin, bounds (4)
local order = redis.call('HGET', state, 'order')
if not order then return 0 end
local ended = 0
for peer in string.gmatch(order, '%S+') do
  if redis.call('HGET', state, 'w:' .. peer) == ARGV[1] then
    end_session(peer, 'expired', ARGV[2], bounds_from(3))
    ended = ended + 1
  end
end
return ended
