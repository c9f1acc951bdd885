-- A hosting node's word that the room is alive: its head; the garbage net is cast anew. ARGV: lives, ttl ms
local f = redis.call('HMGET', state, 'epoch', 'seq')
if not f[1] then return false end
if redis.call('PTTL', state) < tonumber(ARGV[2]) / 2 then
  redis.call('PEXPIRE', state, ARGV[2])
  redis.call('PEXPIRE', log, ARGV[2])
end
return f
