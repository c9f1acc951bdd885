-- Opens a restored room: the first who does wins. ARGV: life, ttl ms, count of fields and values, those, then the log's
-- seqs and records. 0 fields: the room goes on as this Redis has it; -1: it has ended.
local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if life ~= ARGV[1] then return 'elsewhere' end
if redis.call('HGET', KEYS[1], 'life') == life then return 'open' end
local count = tonumber(ARGV[3])
if count ~= 0 then redis.call('UNLINK', KEYS[1], KEYS[2]) end
for i = 4, 3 + count, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = 4 + count, #ARGV, 2 do redis.call('XADD', KEYS[2], ARGV[i] .. '-0', 'r', ARGV[i + 1]) end
redis.call('UNLINK', KEYS[3])
if redis.call('EXISTS', KEYS[1]) == 0 then return 'open' end
redis.call('HSET', KEYS[1], 'life', life)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 'opened'
