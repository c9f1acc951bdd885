-- Drops keys of another type than ours: nobody could write there. KEYS[1] is the marker of the home, the others are those.
-- ARGV: 'marks' or '', then the type of each. With 'marks' the home is begun anew where one was dropped (rule R2): what is
-- missing there says nothing until it is sealed.
local LOOKS = {
  hash = function(key) return redis.pcall('HEXISTS', key, '') end,
  set = function(key) return redis.pcall('SRANDMEMBER', key, 1) end,
  zset = function(key) return redis.pcall('ZCARD', key) end,
  stream = function(key) return redis.pcall('XRANGE', key, '-', '+', 'COUNT', 1) end,
}

local function is_ours(key, type_of_ours)
  local look = LOOKS[type_of_ours]
  local seen = look and look(key)
  return look and not (type(seen) == 'table' and seen.err and string.find(seen.err, 'WRONGTYPE', 1, true))
end

local dropped = 0
for at = 2, #KEYS do
  if not is_ours(KEYS[at], ARGV[at]) then dropped = dropped + redis.call('UNLINK', KEYS[at]) end
end
if dropped > 0 and ARGV[1] == 'marks' then
  -- With its barrier, of which all are through.
  local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
  redis.call('UNLINK', KEYS[1], (string.gsub(KEYS[1], 'marker$', 'barrier:' .. life)))
end
return dropped
