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

local fields = {}
for _, field in ipairs({ 'g', 'i', 'p', 'n', 'r', 'm', 'c', 'j', 't', 'w' }) do fields[#fields + 1] = field .. ':' .. peer end
for slot = 0, ANSWERS_KEPT - 1 do fields[#fields + 1] = 'a:' .. peer .. ':' .. slot end
redis.call('HDEL', state, unpack(fields))

local f = redis.call('HMGET', state, 'members', 'order')
if tonumber(f[1]) <= 1 then
  redis.call('UNLINK', state, log)
  return 'ok'
end
local order = {}
for member in string.gmatch(f[2], '%S+') do if member ~= peer then order[#order + 1] = member end end
redis.call('HSET', state, 'members', int(tonumber(f[1]) - 1), 'order', table.concat(order, ' '))
append('L', peer, '*', '0', ARGV[6], '{"peer":"' .. peer .. '","reason":"' .. ARGV[5] .. '"}', bounds_from(8))
return 'ok'
