-- A node hands in what it knows of a room that this Redis lost, or holds as it was before. KEYS[3] is the hash of
-- contributions and the life they are for, KEYS[4] the epoch of the room where it has ended (rule R5).
-- ARGV: life, incarnation, epoch, head, contribution or '' to learn whether it is wanted, ttl ms
local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if life ~= ARGV[1] then return 'elsewhere' end
local f = redis.call('HMGET', KEYS[1], 'life', 'epoch', 'seq')
if f[1] == life then return 'open' end
local ended = redis.call('GET', KEYS[4])
if ended and tonumber(ended) >= tonumber(ARGV[3]) then return 'closed' end
local known = f[2] == ARGV[3] and tonumber(f[3]) >= tonumber(ARGV[4])
if not known and ARGV[5] == '' then return 'wanted' end
if redis.call('HGET', KEYS[3], 'life') ~= life then redis.call('UNLINK', KEYS[3]) end
redis.call('HSET', KEYS[3], 'life', life, 'c:' .. ARGV[2], known and '-' or ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[6])
return 'taken'
