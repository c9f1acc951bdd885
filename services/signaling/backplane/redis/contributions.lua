-- All that is there to restore a room from: its hash and log as this Redis has them, and what nodes handed in, with their
-- names. ARGV: life
local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if life ~= ARGV[1] then return 'elsewhere' end
if redis.call('HGET', KEYS[1], 'life') == life then return 'open' end
local records = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+')) do records[#records + 1] = entry[2][2] end
return { redis.call('HGETALL', KEYS[1]), records, redis.call('HGETALL', KEYS[3]) }
