-- A hosting node's word that rooms are alive; the garbage net is cast anew, and the node rung again that was taken for gone.
-- KEYS: the marker, then of each room its hash, its stream, and what nodes handed in of it.
-- ARGV: lives, ttl ms, the node's channel. Returns of each room a line with its epoch and head; an empty one where there is none.
local function look(at)
  state, log = KEYS[at], KEYS[at + 1]
  local f = redis.call('HMGET', state, 'life', 'epoch', 'seq')
  local refused = meet(f[1], KEYS[at + 2])
  if f[2] and not refused then
    host(ARGV[3])
    if redis.call('PTTL', state) < tonumber(ARGV[2]) / 2 then
      redis.call('PEXPIRE', state, ARGV[2])
      redis.call('PEXPIRE', log, ARGV[2])
    end
  end
  return refused or f[2] and f[2] .. ' ' .. f[3] or ''
end

-- A room whose keys are none of ours keeps the others from nothing.
local heads = {}
for at = 2, #KEYS, 3 do
  local is_done, head = pcall(look, at)
  if not is_done and #KEYS == 4 then return type(head) == 'table' and head or redis.error_reply(head) end
  heads[#heads + 1] = is_done and head or '!unavailable'
end
return table.concat(heads, '\n')
