-- How a room is, without its peers' profiles: locked, max, peers, and how many of them have a connection.
local f = redis.call('HMGET', state, 'locked', 'max', 'order')
if not f[1] then return false end
local peers, connected = 0, 0
for peer in string.gmatch(f[3] or '', '%S+') do
  peers = peers + 1
  if redis.call('HGET', state, 'c:' .. peer) == 'true' then connected = connected + 1 end
end
return { f[1], f[2], peers, connected }
