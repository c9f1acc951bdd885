-- Appends a signal or a message of one member for another ('*': for all others).
-- ARGV: peer, generation, id, previous id, kind, to, echo, origin, body, bounds (4)
local peer, id, kind, to = ARGV[1], tonumber(ARGV[3]), ARGV[5], ARGV[6]
local answered = verdict(peer, ARGV[2], id, tonumber(ARGV[4]))
if answered then return answered end

local connected = 'true'
if to ~= '*' then
  connected = to ~= peer and redis.call('HGET', state, 'c:' .. to)
  if not connected then return answer(peer, id, 'Epeer_not_found') end
end
local seq = append(kind, peer, to, ARGV[7], ARGV[8], ARGV[9], bounds_from(10))
if kind == 'M' then return answer(peer, id, 'L' .. seq) end
return answer(peer, id, (connected == 'true' and 'S' or 'H') .. seq)
