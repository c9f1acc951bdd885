-- Takes back a resume whose outcome its node never learnt: if that try still holds the session, it is detached; if it has not
-- happened yet, it will not. KEYS[5] marks such a try, KEYS[6] is what its owner holds.
-- ARGV: lives, peer, holder, owner, origin, void ms, bounds (3). Returns the session's generation, or '' .
local peer = ARGV[2]
if redis.call('HGET', state, 'h:' .. peer) ~= ARGV[3] then
  redis.call('SET', KEYS[5], '1', 'PX', ARGV[6])
  return ''
end
redis.call('HSET', state, 'h:' .. peer, '')
hold(KEYS[6])
return detach(peer, ARGV[4], ARGV[5])
