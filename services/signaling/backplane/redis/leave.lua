-- Ends a session; the room ends with its last one. KEYS[5] marks a join that must not happen any more, KEYS[6] remembers
-- the epoch of a room that ended (rule R5).
-- ARGV: lives, peer, generation, id (0: the node's own doing), previous id, reason, origin, void ms, closed ms,
--       token hash of a join that is called off, or '', bounds (4)
local peer, id = ARGV[2], tonumber(ARGV[4])
if id > 0 then
  local answered = verdict(peer, ARGV[3], id, tonumber(ARGV[5]), '')
  if answered then return answered end
elseif ARGV[10] ~= '' then
  if redis.call('HGET', state, 't:' .. peer) ~= ARGV[10] then
    redis.call('SET', KEYS[5], '1', 'PX', ARGV[8])
    return '!session_expired'
  end
else
  local generation = redis.call('HGET', state, 'g:' .. peer)
  if not generation then return '!session_expired' end
  if generation ~= ARGV[3] then return '!session_replaced' end
end

local fields = {}
for _, field in ipairs({ 'g', 'i', 'p', 'n', 'r', 'm', 'c', 'j', 't', 'w', 'x', 'h', 's', 'z' }) do
  fields[#fields + 1] = field .. ':' .. peer
end
for slot = 0, ANSWERS_KEPT - 1 do fields[#fields + 1] = 'a:' .. peer .. ':' .. slot end
redis.call('HDEL', state, unpack(fields))

local f = redis.call('HMGET', state, 'members', 'order', 'epoch')
local members = tonumber(f[1]) - 1
local order = {}
for member in string.gmatch(f[2], '%S+') do if member ~= peer then order[#order + 1] = member end end
redis.call('HSET', state, 'members', int(members), 'order', table.concat(order, ' '))
local seq = append({ kind = 'L', from = peer, id = id, origin = ARGV[7],
  body = '{"peer":"' .. peer .. '","reason":"' .. ARGV[6] .. '"}' }, bounds())
if members == 0 then
  redis.call('UNLINK', state, log)
  redis.call('SET', KEYS[6], f[3], 'PX', ARGV[9])
end
return seq
