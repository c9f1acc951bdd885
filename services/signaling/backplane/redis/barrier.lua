-- The barrier behind which the nodes restore what a Redis lost (rule R2). KEYS[1] is the marker of the home: a hash of the
-- lives in which it was sealed; KEYS[2] the barrier of one life, KEYS[3] the hash of leases.
-- Fields of the barrier: since, x:<incarnation> expected, e:<incarnation> entered, d:<incarnation> done, `knowing` where an entrant knew others, and
-- `hosting` where one has rooms.
-- ARGV: life, incarnation, node id, 'enter' or 'done' or 'look', patience ms, fresh ms, '1' if it hosts rooms,
--       known incarnations...
local barrier = KEYS[2]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function contributors(reply)
  for _, field in ipairs(redis.call('HKEYS', barrier)) do
    if string.sub(field, 1, 2) == 'd:' then reply[#reply + 1] = string.sub(field, 3) end
  end
  return reply
end

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return contributors({ 'sealed' }) end
if ARGV[4] == 'enter' then
  redis.call('HSETNX', barrier, 'since', string.format('%.0f', now))
  redis.call('PEXPIRE', barrier, 3600000)
  redis.call('HSET', barrier, 'x:' .. ARGV[2], '1', 'e:' .. ARGV[2], '1')
  if ARGV[7] == '1' then redis.call('HSET', barrier, 'hosting', '1') end
  for i = 8, #ARGV do redis.call('HSET', barrier, 'x:' .. ARGV[i], '1', 'knowing', '1') end
  if redis.call('HEXISTS', KEYS[3], ARGV[2]) == 0 then redis.call('HSET', KEYS[3], ARGV[2], '1 ' .. ARGV[3]) end
end
-- Flushed meanwhile: who waits here would wait behind a barrier that he has not entered, though others may expect him.
if redis.call('HEXISTS', barrier, 'e:' .. ARGV[2]) == 0 then return { 'lost' } end
if ARGV[4] == 'done' then redis.call('HSET', barrier, 'd:' .. ARGV[2], '1') end

local waited = now - tonumber(redis.call('HGET', barrier, 'since') or now)
local all_done = true
for _, field in ipairs(redis.call('HKEYS', barrier)) do
  if string.sub(field, 1, 2) == 'x:' and redis.call('HEXISTS', barrier, 'd:' .. string.sub(field, 3)) == 0 then
    all_done = false
  end
end
-- Who knows nobody gives others a moment to come back to a Redis that has only just started, or was flushed under rooms.
local uptime = tonumber(string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)'))
local old = uptime * 1000 >= tonumber(ARGV[5]) and redis.call('HEXISTS', barrier, 'hosting') == 0
local heard = redis.call('HEXISTS', barrier, 'knowing') == 1 or old or waited >= tonumber(ARGV[6])
if not (all_done and heard) and waited < tonumber(ARGV[5]) then return { 'open' } end
redis.call('HSET', KEYS[1], ARGV[1], '1')
return contributors({ 'sealed' })
