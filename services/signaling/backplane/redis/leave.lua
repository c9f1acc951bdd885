-- Ends a session; the room ends with its last one. KEYS[3] marks a join that must not happen any more.
-- ARGV: peer, generation, id (0: the node's own doing), previous id, reason, origin, void ms, bounds (4)
local peer, id = ARGV[1], tonumber(ARGV[3])
if id > 0 then
  local answered = verdict(peer, ARGV[2], id, tonumber(ARGV[4]))
  if answered then return answered end
else
  local generation = redis.call('HGET', state, 'g:' .. peer)
  if not generation then
    redis.call('SET', KEYS[3], '1', 'PX', ARGV[7])
    return '!session_expired'
  end
  if generation ~= ARGV[2] then return '!session_replaced' end
end

end_session(peer, ARGV[5], ARGV[6], bounds_from(8))
return 'ok'
