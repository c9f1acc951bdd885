-- For the scripts of one room: whether what it holds, or does not, counts.
local life_of_room = redis.call('HGET', state, 'life')
do
  local refused = meet(life_of_room, KEYS[4])
  if refused then return refused end
end
