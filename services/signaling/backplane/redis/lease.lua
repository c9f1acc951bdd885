-- Takes or renews a process's lease, and tells of all. KEYS[1] is the hash of leases.
-- ARGV: incarnation, node id, '1' to take it where it is not there
local lease = redis.call('HGET', KEYS[1], ARGV[1])
if not lease and ARGV[3] ~= '1' then return false end
local count = tonumber(string.match(lease or '0', '^%d+')) + 1
redis.call('HSET', KEYS[1], ARGV[1], int(count) .. ' ' .. ARGV[2])
return redis.call('HGETALL', KEYS[1])
