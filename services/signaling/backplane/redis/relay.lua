-- Appends a signal or a message of one member for another ('*': for all others).
-- ARGV: lives, peer, generation, id, previous id, kind, to, echo, what its author must not be muted in, origin, body,
--       bounds (4)
local peer, id, kind, to = ARGV[2], tonumber(ARGV[4]), ARGV[6], ARGV[7]
local answered = verdict(peer, ARGV[3], id, tonumber(ARGV[5]), kind == 'M' and 'LE' or 'SHE')
if answered then return answered end

if ARGV[9] ~= '' then
  local muted = redis.call('HGET', state, 'm:' .. peer)
  for each in string.gmatch(ARGV[9], '%a+') do
    if string.find(muted, each, 1, true) then return answer(peer, id, 'Emedia_forbidden') end
  end
end
local connected = 'true'
if to ~= '*' then
  connected = to ~= peer and redis.call('HGET', state, 'c:' .. to)
  if not connected then return answer(peer, id, 'Epeer_not_found') end
end
local seq = append({ kind = kind, from = peer, to = to, echo = ARGV[8], id = id, origin = ARGV[10], body = ARGV[11] },
  bounds())
if kind == 'M' then return answer(peer, id, 'L' .. seq) end
return answer(peer, id, (connected == 'true' and 'S' or 'H') .. seq)
