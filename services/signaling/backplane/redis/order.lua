-- Leaves an order for the processes that bear a node's id now. KEYS[1] is the hash of leases, KEYS[2] the marker of the
-- home, KEYS[3] the hash of orders. ARGV: node id, order
local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if redis.call('HEXISTS', KEYS[2], life) == 0 then return '!rebuild ' .. life end
local leases = redis.call('HGETALL', KEYS[1])
local found = 0
for i = 1, #leases, 2 do
  local count, node = string.match(leases[i + 1], '^(%d+) (%S+)')
  if count and node == ARGV[1] then
    redis.call('HSET', KEYS[3], leases[i], ARGV[2])
    found = found + 1
  end
end
return found
