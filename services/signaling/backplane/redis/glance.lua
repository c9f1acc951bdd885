-- How a room is, without its peers' profiles: locked, max, peers, and how many of them have a connection.
local AT_ONCE = 500
local f = redis.call('HMGET', state, 'locked', 'max', 'order')
if not f[1] then return false end
local fields, connected = {}, 0
for peer in string.gmatch(f[3] or '', '%S+') do fields[#fields + 1] = 'c:' .. peer end
for at = 1, #fields, AT_ONCE do
  local last = math.min(at + AT_ONCE - 1, #fields)
  for _, is_connected in ipairs(redis.call('HMGET', state, unpack(fields, at, last))) do
    if is_connected == 'true' then connected = connected + 1 end
  end
end
return { f[1], f[2], #fields, connected }
