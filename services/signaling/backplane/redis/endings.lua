-- For the scripts that end sessions: leave and moderate.

-- The room is over: its tombstone is the epoch (rule R5). The log stays a while for the nodes that have not heard.
local function finish(tombstone, closed_ms, log_ms)
  local epoch = redis.call('HGET', state, 'epoch')
  redis.call('UNLINK', state)
  redis.call('PEXPIRE', log, log_ms)
  redis.call('SET', tombstone, epoch, 'PX', closed_ms)
end

-- Who is host once a host is gone: of an open room without any, the first in the order of joining.
local function hand_on(order, origin)
  for _, peer in ipairs(order) do
    if redis.call('HGET', state, 'r:' .. peer) == 'host' then return end
  end
  local heir = order[1]
  local mutes = redis.call('HGET', state, 'k:' .. heir) or '[]'
  redis.call('HSET', state, 'r:' .. heir, 'host', 'm:' .. heir, mutes)
  append({ kind = 'A', from = heir, echo = '1', origin = origin, body = '{"peer":' .. peer_json(heir) .. '}',
    inner = '{"k":' .. mutes .. '}' }, bounds())
end

-- Ends a session, and the room with its last one. `ending`: peer, id of its own request (0: none), reason, inner, origin,
-- tombstone, closed ms, log ms: how long it and the log of a room that ends are kept. Returns the record's seq and text.
local function end_session(ending)
  local peer = ending.peer
  local was = redis.call('HMGET', state, 'r:' .. peer, 'p:' .. peer, 'metadata')
  local was_host = was[1] == 'host'
  local fields = {}
  for field in string.gmatch('g i p n r m c j t w x h s z u k y', '%a') do fields[#fields + 1] = field .. ':' .. peer end
  for slot = 0, ANSWERS_KEPT - 1 do fields[#fields + 1] = 'a:' .. peer .. ':' .. slot end
  redis.call('HDEL', state, unpack(fields))

  local f = redis.call('HMGET', state, 'members', 'order', 'inherits')
  local members = tonumber(f[1]) - 1
  local order = {}
  for member in string.gmatch(f[2], '%S+') do if member ~= peer then order[#order + 1] = member end end
  redis.call('HSET', state, 'members', int(members), 'order', table.concat(order, ' '))
  if was[3] then redis.call('HINCRBY', state, 'metadata', -metadata_bytes(was[2])) end
  local seq, record = append({ kind = 'L', from = peer, id = ending.id, origin = ending.origin, inner = ending.inner,
    body = '{"peer":"' .. peer .. '","reason":"' .. ending.reason .. '"}' }, bounds())
  if members == 0 then
    finish(ending.tombstone, ending.closed_ms, ending.log_ms)
  elseif was_host and f[3] == 'true' then
    hand_on(order, ending.origin)
  end
  return seq, record
end
