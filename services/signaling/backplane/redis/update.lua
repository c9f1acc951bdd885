-- Replaces a peer's profile. A repeat is answered with the peer as the first answer had it, while the log has it.
-- ARGV: peer, generation, id, previous id, name or '', metadata or '' (JSON), origin, bounds (4)
local peer, id = ARGV[1], tonumber(ARGV[3])
local answered = verdict(peer, ARGV[2], id, tonumber(ARGV[4]))
if answered then
  local seq = string.match(answered, '^U(%d+)$')
  if not seq then return { answered } end
  local entry = redis.call('XRANGE', log, seq .. '-0', seq .. '-0')[1]
  return { answered, entry and string.match(entry[2][2], '\n(.*)$') or '{"peer":' .. peer_json(peer) .. '}' }
end

-- The profile is `"name":<name>,"metadata":<metadata>`; inside a JSON string its quotes would be escaped.
local profile = redis.call('HGET', state, 'p:' .. peer)
local cut = string.find(profile, ',"metadata":', 1, true)
local name = ARGV[5] ~= '' and '"name":' .. ARGV[5] or string.sub(profile, 1, cut - 1)
local metadata = ARGV[6] ~= '' and ',"metadata":' .. ARGV[6] or string.sub(profile, cut)
redis.call('HSET', state, 'p:' .. peer, name .. metadata)
local body = '{"peer":' .. peer_json(peer) .. '}'
local seq = append('U', peer, '*', '1', ARGV[7], body, bounds_from(8))
return { answer(peer, id, 'U' .. seq), body }
