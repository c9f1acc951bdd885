-- Notes rooms in the home's directory. KEYS[1] orders them by size, the largest first, KEYS[2] by name alone.
-- ARGV: room and size, again and again; 0: the room is over
for i = 1, #ARGV, 2 do
  local size = tonumber(ARGV[i + 1])
  if size > 0 then
    redis.call('ZADD', KEYS[1], -size, ARGV[i])
    redis.call('ZADD', KEYS[2], 0, ARGV[i])
  else
    redis.call('ZREM', KEYS[1], ARGV[i])
    redis.call('ZREM', KEYS[2], ARGV[i])
  end
end
return 1
