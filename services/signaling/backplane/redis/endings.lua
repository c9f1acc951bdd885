-- For the scripts that end sessions: leave and moderate.

-- As in room-end.ts.
local LAST_RECORDS, LAST_BYTES = 16, 8192

-- The room is over: its tombstone is the epoch (rule R5). The last records stay a while for the nodes that have not heard, as
-- one text: a stream takes 4 KB, however little it holds.
local function finish(end_of_room)
  local records, bytes = {}, 0
  for _, entry in ipairs(redis.call('XREVRANGE', log, '+', '-', 'COUNT', LAST_RECORDS)) do
    bytes = bytes + #entry[2][2]
    if #records > 0 and bytes > LAST_BYTES then break end
    table.insert(records, 1, entry[2][2])
  end
  redis.call('SET', end_of_room.tombstone, redis.call('HGET', state, 'epoch'), 'PX', end_of_room.closed_ms)
  redis.call('SET', end_of_room.last, table.concat(records, BETWEEN_RINGS), 'PX', end_of_room.last_ms)
  redis.call('UNLINK', state, log)
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

-- Ends a session, and the room with its last one. `ending`: peer, id of its own request (0: none), reason, inner, origin;
-- `end_of_room`: the keys of the tombstone and of the last of the log, and how long each is kept. Returns the record's seq
-- and text.
local function end_session(ending, end_of_room)
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
    finish(end_of_room)
  elseif was_host and f[3] == 'true' then
    hand_on(order, ending.origin)
  end
  return seq, record
end
