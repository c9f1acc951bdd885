-- A hosting node's word that the room is alive: its head; the garbage net is cast anew. ARGV: ttl ms
local f = redis.call('HMGET', state, 'epoch', 'seq')
if not f[1] then return false end
if redis.call('PTTL', state) < tonumber(ARGV[1]) / 2 then
  redis.call('PEXPIRE', state, ARGV[1])
  redis.call('PEXPIRE', log, ARGV[1])
end
return f
