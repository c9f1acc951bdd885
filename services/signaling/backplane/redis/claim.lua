-- Whose a name is (rule H1): its claim is a hash with the home's name, where a room without a home would be.
-- ARGV: lives, 'claim' or 'find' or 'renew' or 'release', home, ttl ms
-- Returns the home, after a '+' where the name was nobody's until now. Only 'claim' makes it this home's; 'find' returns
-- nothing where it is nobody's, and the others '' where it is not this home's.
local home = redis.call('HGET', state, 'home')
local asks = ARGV[2] == 'claim' or ARGV[2] == 'find'
if ARGV[2] == 'find' and not home then return false end
if not asks and home ~= ARGV[3] then return '' end
local found = home or '+' .. ARGV[3]
if not home then redis.call('HSET', state, 'life', life, 'home', ARGV[3]) end
-- Who asks for a name takes no time from those who keep it.
if home and asks then redis.call('PEXPIRE', state, ARGV[4], 'GT')
else redis.call('PEXPIRE', state, ARGV[4]) end
return found
