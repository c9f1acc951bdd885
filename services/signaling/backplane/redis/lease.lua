-- Takes or renews a process's lease, and tells of all, with the order for this one (rule C8). KEYS[1] is the hash of
-- leases, KEYS[2] the marker of the home: until it is sealed in this life of the Redis, a lease that is missing says
-- nothing (rule R2). KEYS[3] is the hash of orders, by incarnation.
-- ARGV: incarnation, node id, '1' to take it where it is not there, connections, '+' if it takes new ones else '-',
-- the order that it follows or '', its report after a blank or ''
local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if redis.call('HEXISTS', KEYS[2], life) == 0 then return '!rebuild ' .. life end
local lease = redis.call('HGET', KEYS[1], ARGV[1])
if not lease and ARGV[3] ~= '1' then return false end
local order = redis.call('HGET', KEYS[3], ARGV[1])
-- What is no count of ours begins anew: one that could not be raised would be a dead process's.
local count = tonumber(string.match(lease or '', '^%d+') or '0') + 1
if count > 1e15 then count = 1 end
redis.call('HSET', KEYS[1], ARGV[1],
  string.format('%.0f', count) .. ' ' .. ARGV[2] .. ' ' .. ARGV[4] .. ' ' .. ARGV[5] .. ARGV[7])
-- Who undoes an order says so: that there is none only means that this Redis does not know it.
if not order and ARGV[6] ~= '' then
  order = ARGV[6]
  redis.call('HSET', KEYS[3], ARGV[1], order)
end
if not lease then
  for _, incarnation in ipairs(redis.call('HKEYS', KEYS[3])) do
    if redis.call('HEXISTS', KEYS[1], incarnation) == 0 then redis.call('HDEL', KEYS[3], incarnation) end
  end
end
return { order or '', redis.call('HGETALL', KEYS[1]) }
