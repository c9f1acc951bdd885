-- A part of the home's directory: how many rooms there are, and each with its rank. KEYS[1] is the set to read.
-- ARGV: the room that was listed last or '', the rank that it had then, limit
local from = 0
if ARGV[1] ~= '' then
  -- It may have grown, shrunk or ended since: the listing goes on from where it stood.
  local rank = redis.call('ZSCORE', KEYS[1], ARGV[1])
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
  from = redis.call('ZRANK', KEYS[1], ARGV[1])
  if not rank then
    redis.call('ZREM', KEYS[1], ARGV[1])
  elseif tonumber(rank) == tonumber(ARGV[2]) then
    from = from + 1
  else
    redis.call('ZADD', KEYS[1], rank, ARGV[1])
    -- Where it moved back, those behind its old place have moved up by one.
    if tonumber(rank) < tonumber(ARGV[2]) then from = from + 1 end
  end
end
return { redis.call('ZCARD', KEYS[1]), redis.call('ZRANGE', KEYS[1], from, from + tonumber(ARGV[3]) - 1, 'WITHSCORES') }
