-- A hosting node's word that rooms are alive; the garbage net is cast anew, and the node rung again that was taken for gone.
-- KEYS: the marker, then of each room its hash, its stream, and what nodes handed in of it.
-- What is too old goes, though nothing more is said. ARGV: lives, ttl ms, the node's channel, bounds (3).
-- Returns of each room a line with its epoch and head; an empty one where there is none.
local limits, left = bounds(), DROPPED_IN_SILENCE

local function look(at)
  state, log = KEYS[at], KEYS[at + 1]
  local room = room_now()
  local refused = meet(room.life, KEYS[at + 2])
  if room.epoch and not refused then
    host(ARGV[3])
    if left > 0 then left = left - let_go_old(room, limits, left) end
    if redis.call('PTTL', state) < tonumber(ARGV[2]) / 2 then
      redis.call('PEXPIRE', state, ARGV[2])
      redis.call('PEXPIRE', log, ARGV[2])
    end
  end
  return refused or room.epoch and room.epoch .. ' ' .. int(room.seq) or ''
end

-- A room whose keys are none of ours keeps the others from nothing.
local heads = {}
for at = 2, #KEYS, 3 do
  local is_done, head = pcall(look, at)
  if not is_done and #KEYS == 4 then return type(head) == 'table' and head or redis.error_reply(head) end
  heads[#heads + 1] = is_done and head or '!unavailable'
end
return table.concat(heads, '\n')
