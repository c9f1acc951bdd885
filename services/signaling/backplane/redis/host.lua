-- Rings the room's records on a node's channel from now on, or no more. ARGV: lives, the channel, 'on' or 'off'
if life_of_room and ARGV[3] == 'on' then host(ARGV[2]) end
if life_of_room and ARGV[3] == 'off' then unhost(ARGV[2]) end
return 'ok'
