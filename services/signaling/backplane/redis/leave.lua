-- Ends a session; the room ends with its last one. KEYS[5] marks a join that must not happen any more, KEYS[6] remembers
-- the epoch of a room that ended (rule R5), KEYS[7] the last of its log.
-- ARGV: lives, peer, generation, id (0: the node's own doing), previous id, reason, origin, void ms, closed ms, last ms,
--       token hash of a join that is called off, or '', bounds (3)
local peer, id, token = ARGV[2], tonumber(ARGV[4]), ARGV[11]
if id > 0 then
  local answered = verdict(peer, ARGV[3], id, tonumber(ARGV[5]), '')
  if answered then return answered end
elseif token ~= '' then
  if redis.call('HGET', state, 't:' .. peer) ~= token then
    redis.call('SET', KEYS[5], '1', 'PX', ARGV[8])
    return '!session_expired'
  end
else
  local generation = redis.call('HGET', state, 'g:' .. peer)
  if not generation then return '!session_expired' end
  if generation ~= ARGV[3] then return '!session_replaced' end
end
local seq = end_session({ peer = peer, id = id, reason = ARGV[6], origin = ARGV[7] },
  { tombstone = KEYS[6], closed_ms = ARGV[9], last = KEYS[7], last_ms = ARGV[10] })
return seq
