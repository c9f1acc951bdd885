-- Replaces a peer's profile. A repeat is answered with the peer as the first answer had it, while the log has it.
-- Returns the answer, and the record's body and seq.
-- ARGV: lives, peer, generation, id, previous id, name or '', metadata or '' (JSON), origin, metadata bytes of a room at
--       most, bounds (3)
local peer, id = ARGV[2], tonumber(ARGV[4])
local answered = verdict(peer, ARGV[3], id, tonumber(ARGV[5]), 'UE')
if answered then
  local seq = string.match(answered, '^U(%d+)$')
  if not seq then return { answered } end
  local entry = redis.call('XRANGE', log, seq .. '-0', seq .. '-0')[1]
  return entry and { answered, string.match(entry[2][2], '\n([^\n]*)'), seq } or { '!invalid_request' }
end

local f = redis.call('HMGET', state, 'p:' .. peer, 'metadata', 'order')
local name, metadata = cut_profile(f[1])
local kept, more = metadata_kept(f[2], f[3]), 0
if ARGV[6] ~= '' then name = '"name":' .. ARGV[6] end
if ARGV[7] ~= '' then metadata, more = ARGV[7], #ARGV[7] - #metadata end
if more > 0 and kept + more > tonumber(ARGV[9]) then return { answer(peer, id, 'Etoo_large') } end
local crowded = place_for(room_now(), bounds(), peer, HEADER_BYTES + PEER_BYTES + #name + #metadata)
if crowded then return { crowded } end
redis.call('HSET', state, 'p:' .. peer, name .. BEFORE_METADATA .. metadata, 'metadata', int(kept + more))
local body = '{"peer":' .. peer_json(peer) .. '}'
local seq = append({ kind = 'U', from = peer, echo = '1', id = id, origin = ARGV[8], body = body }, bounds())
return { answer(peer, id, 'U' .. seq), body, seq }
