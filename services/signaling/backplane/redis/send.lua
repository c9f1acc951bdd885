-- Appends an operator's message, for one peer or ('*') for all. ARGV: lives, author, to, origin, body, bounds (3)
local to = ARGV[3]
if not life_of_room then return '!room_not_found' end
if to ~= '*' and redis.call('HEXISTS', state, 'g:' .. to) == 0 then return '!peer_not_found' end
local seq = append({ kind = 'M', from = ARGV[2], to = to, origin = ARGV[4], body = ARGV[5] }, bounds())
return seq
