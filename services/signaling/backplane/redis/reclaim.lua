-- Writes a claim into a life of this Redis, where nobody else has. KEYS[1] is the claim. ARGV: life, home, ttl ms
-- Returns 1, or nothing where this is another life: that of another master of a Cluster, or the next one.
local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if life ~= ARGV[1] then return false end
redis.call('HSETNX', KEYS[1], 'home', ARGV[2])
redis.call('HSET', KEYS[1], 'life', life)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
