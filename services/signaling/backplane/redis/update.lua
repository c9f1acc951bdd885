-- Replaces a peer's profile. A repeat is answered with the peer as the first answer had it, while the log has it.
-- Returns the answer, and the record's body and seq.
-- ARGV: lives, peer, generation, id, previous id, name or '', metadata or '' (JSON), origin, bounds (4)
local peer, id = ARGV[2], tonumber(ARGV[4])
local answered = verdict(peer, ARGV[3], id, tonumber(ARGV[5]), 'UE')
if answered then
  local seq = string.match(answered, '^U(%d+)$')
  if not seq then return { answered } end
  local entry = redis.call('XRANGE', log, seq .. '-0', seq .. '-0')[1]
  return entry and { answered, string.match(entry[2][2], '\n([^\n]*)'), seq } or { '!invalid_request' }
end

-- The profile is `"name":<name>,"metadata":<metadata>`; inside a JSON string its quotes would be escaped.
local profile = redis.call('HGET', state, 'p:' .. peer)
local cut = string.find(profile, ',"metadata":', 1, true)
local name = ARGV[6] ~= '' and '"name":' .. ARGV[6] or string.sub(profile, 1, cut - 1)
local metadata = ARGV[7] ~= '' and ',"metadata":' .. ARGV[7] or string.sub(profile, cut)
redis.call('HSET', state, 'p:' .. peer, name .. metadata)
local body = '{"peer":' .. peer_json(peer) .. '}'
local seq = append({ kind = 'U', from = peer, echo = '1', id = id, origin = ARGV[8], body = body }, bounds())
return { answer(peer, id, 'U' .. seq), body, seq }
