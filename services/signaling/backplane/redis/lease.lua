-- Takes or renews a process's lease, and tells of all. KEYS[1] is the hash of leases, KEYS[2] the marker of the home:
-- until it is sealed in this life of the Redis, a lease that is missing says nothing (rule R2).
-- ARGV: incarnation, node id, '1' to take it where it is not there
local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if redis.call('HEXISTS', KEYS[2], life) == 0 then return '!rebuild ' .. life end
local lease = redis.call('HGET', KEYS[1], ARGV[1])
if not lease and ARGV[3] ~= '1' then return false end
local count = tonumber(string.match(lease or '0', '^%d+')) + 1
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', count) .. ' ' .. ARGV[2])
return redis.call('HGETALL', KEYS[1])
