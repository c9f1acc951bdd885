-- Appends what members send each other, in the order in which it came, and rings each node once; the sender's own has its
-- answers instead.
-- KEYS: the marker, then of each room its hash, its stream, and what nodes handed in of it.
-- ARGV: lives, the sender's own channel, then two for each message, and last the bounds (3). The first of the two: the number
-- of its room, its kind, the author's generation, his previous id, and what he must not be muted in; the second: what follows
-- the seq in its record.
-- Returns for each a line with the answer, behind it the epoch where it was appended.
local own_channel, limits = ARGV[2], bounds()
local rooms, rings, replies = {}, {}, {}

-- The room, and behind it of the one who sends his generation and last id, and whether who gets it is connected.
local function look(number, peer, to)
  local at = 3 * number - 1
  state, log = KEYS[at], KEYS[at + 1]
  local room = rooms[number]
  if room then
    local f = redis.call('HMGET', state, 'g:' .. peer, 'i:' .. peer, 'c:' .. to)
    return room, f[1], f[2], f[3]
  end
  local f
  room, f = room_now('g:' .. peer, 'i:' .. peer, 'c:' .. to)
  room.refused = meet(room.life, KEYS[at + 2])
  rooms[number] = room
  return room, f[8], f[9], f[10]
end

local function is_muted(peer, kinds)
  local muted = redis.call('HGET', state, 'm:' .. peer)
  for each in string.gmatch(kinds, '%a+') do if string.find(muted, each, 1, true) then return true end end
  return false
end

local function relay(place, rest)
  local number, kind, generation, previous, kinds = string.match(place, '^(%d+) (%a) (%d+) (%d+) (%S*)$')
  local peer, to, id_text = string.match(rest, '^(%S+) (%S+) %d (%d+) ')
  local id = tonumber(id_text)
  local room, current, last_id, connected = look(tonumber(number), peer, to)
  if room.refused then return room.refused end
  local answered = judge(current, last_id, peer, generation, id, tonumber(previous), kind == 'M' and 'LE' or 'SHE')
  if answered then return answered end
  if kinds ~= '' and is_muted(peer, kinds) then return answer(peer, id, 'Emedia_forbidden') end
  if to ~= '*' and (to == peer or not connected) then return answer(peer, id, 'Epeer_not_found') end
  local crowded = place_for(room, limits, peer, HEADER_BYTES + #rest)
  if crowded then return crowded end
  local seq = int(room.seq + 1)
  local text = (kind == 'M' and 'L' or connected == 'true' and 'S' or 'H') .. seq
  local record = write(room, seq, kind, rest, limits, 'i:' .. peer, id_text, answer_slot(peer, id), id_text .. ' ' .. text)
  note_ring(rings, room, record, own_channel)
  return text, room.epoch
end

local failure
for at = 3, #ARGV - 3, 2 do
  local is_done, reply, epoch = pcall(relay, ARGV[at], ARGV[at + 1])
  local n = #replies
  if at == 3 and not is_done then failure = reply end
  if is_done then failure = nil end
  replies[n + 1], replies[n + 2] = n == 0 and '' or '\n', is_done and reply or '!unavailable'
  if epoch then replies[n + 3], replies[n + 4] = ' ', epoch end
end
-- What was appended is to be told: only where there is nothing, the error is all that there is to say.
if failure then return type(failure) == 'table' and failure or redis.error_reply(failure) end
ring_all(rings)
return table.concat(replies)
