-- For the scripts that append to a room's log: how the nodes that host it hear of that.
local channels = {}
local function channels_of(hosts)
  local list = channels[hosts]
  if list then return list end
  list = {}
  for channel in string.gmatch(hosts, '%S+') do list[#list + 1] = channel end
  channels[hosts] = list
  return list
end

-- Notes a record for the nodes that host the room: each has one channel, which it hears as long as it lives. A Cluster has
-- one for each room, since a script may touch no other there. `except`: the channel of a node that knows it already.
local function note_ring(rings, room, record, except)
  for _, channel in ipairs(IS_CLUSTER and { room.log } or channels_of(room.hosts)) do
    if channel ~= except then
      local to = rings[channel] or { rooms = {} }
      rings[channel] = to
      local n = #to
      to[n + 1], to[n + 2], to[n + 3], to[n + 4] = n == 0 and 'R' or BETWEEN_RINGS, room.log, '\n', record
      to.rooms[room] = true
    end
  end
end

local function without(hosts, channel)
  local left = {}
  for _, each in ipairs(channels_of(hosts)) do if each ~= channel then left[#left + 1] = each end end
  return table.concat(left, ' ')
end

-- Rings once for each node. One that does not hear is gone, or will host its rooms anew as soon as it does again.
local function ring_all(rings)
  for channel, to in pairs(rings) do
    local hearers = redis.call('SPUBLISH', channel, table.concat(to))
    if hearers == 0 and not IS_CLUSTER then
      for room in pairs(to.rooms) do
        room.hosts = without(room.hosts, channel)
        redis.call('HSET', room.state, 'hosts', room.hosts)
      end
    end
  end
end

-- From now on, or no more, the room's records ring on a node's channel; '' on a Cluster, where nodes subscribe to rooms.
local function host(channel)
  if channel == '' then return end
  local hosts = redis.call('HGET', state, 'hosts') or ''
  for _, each in ipairs(channels_of(hosts)) do if each == channel then return end end
  redis.call('HSET', state, 'hosts', hosts == '' and channel or hosts .. ' ' .. channel)
end

local function unhost(channel)
  local hosts = redis.call('HGET', state, 'hosts') or ''
  redis.call('HSET', state, 'hosts', without(hosts, channel))
end
