-- Appends what members send each other, in the order in which it came, and rings each node once; the sender's own has its
-- answers instead.
-- KEYS: the marker, then of each room its hash, its stream, and what nodes handed in of it.
-- ARGV: lives, the sender's own channel, then two for each message, and last the bounds (4). The first of the two: the number
-- of its room, its kind, the author's generation, his previous id, and what he must not be muted in; the second: what follows
-- the seq in its record.
-- Returns for each a line with the answer, behind it the epoch where it was appended.
local own_channel, limits = ARGV[2], bounds()
local rooms, rings, replies = {}, {}, {}

-- The room, and behind it of the one who sends his generation, last id, slot and mutes, and whether who gets it is connected.
local function look(number, peer, slot, to)
  local at = 3 * number - 1
  state, log = KEYS[at], KEYS[at + 1]
  local room, f, from = rooms[number], nil, 0
  if room then
    f = redis.call('HMGET', state, 'g:' .. peer, 'i:' .. peer, slot, 'm:' .. peer, 'c:' .. to)
  else
    room, f = room_now('g:' .. peer, 'i:' .. peer, slot, 'm:' .. peer, 'c:' .. to)
    room.refused = meet(room.life, KEYS[at + 2])
    rooms[number] = room
    from = #f - 5
  end
  return room, unpack(f, from + 1, from + 5)
end

local function is_muted(muted, kinds)
  for each in string.gmatch(kinds, '%a+') do if string.find(muted, each, 1, true) then return true end end
  return false
end

local function relay(place, rest)
  local number, kind, generation, previous, kinds = string.match(place, '^(%d+) (%a) (%d+) (%d+) (%S*)$')
  local peer, to, id_text = string.match(rest, '^(%S+) (%S+) %d (%d+) ')
  local id = tonumber(id_text)
  local slot = answer_slot(peer, id)
  local room, current, last_id, kept, muted, connected = look(tonumber(number), peer, slot, to)
  if room.refused then return room.refused end
  local answered = judge(current, last_id, kept, generation, id, tonumber(previous), kind == 'M' and 'LE' or 'SHE')
  if answered then return answered end
  if kinds ~= '' and is_muted(muted, kinds) then return answer(peer, id, 'Emedia_forbidden') end
  if to ~= '*' and (to == peer or not connected) then return answer(peer, id, 'Epeer_not_found') end
  local letter = kind == 'M' and 'L' or connected == 'true' and 'S' or 'H'
  local text = letter .. int(room.seq + 1)
  local _, record = write(room, kind, rest, limits, 'i:' .. peer, id_text, slot, id_text .. ' ' .. text)
  note_ring(rings, room, record, own_channel)
  return text .. ' ' .. room.epoch
end

for at = 3, #ARGV - 4, 2 do
  local is_done, reply = pcall(relay, ARGV[at], ARGV[at + 1])
  -- What was appended before is to be told: only where there is nothing, the error is all that there is to say.
  if not is_done and #replies == 0 then return type(reply) == 'table' and reply or redis.error_reply(reply) end
  replies[#replies + 1] = is_done and reply or '!unavailable'
end
ring_all(rings)
return table.concat(replies, '\n')
