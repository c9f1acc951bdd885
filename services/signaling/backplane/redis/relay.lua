-- Appends a signal or a message of one member for another ('*': for all others).
-- ARGV: lives, peer, generation, id, previous id, kind, to, echo, origin, body, bounds (4)
local peer, id, kind, to = ARGV[2], tonumber(ARGV[4]), ARGV[6], ARGV[7]
local answered = verdict(peer, ARGV[3], id, tonumber(ARGV[5]), kind == 'M' and 'LE' or 'SHE')
if answered then return answered end

local connected = 'true'
if to ~= '*' then
  connected = to ~= peer and redis.call('HGET', state, 'c:' .. to)
  if not connected then return answer(peer, id, 'Epeer_not_found') end
end
local seq = append({ kind = kind, from = peer, to = to, echo = ARGV[8], id = id, origin = ARGV[9], body = ARGV[10] },
  bounds())
if kind == 'M' then return answer(peer, id, 'L' .. seq) end
return answer(peer, id, (connected == 'true' and 'S' or 'H') .. seq)
