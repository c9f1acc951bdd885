-- Whether a resume token is good, and of the person that the connection speaks for. ARGV: lives, peer, token hash, person ('': any)
local f = redis.call('HMGET', state, 't:' .. ARGV[2], 'u:' .. ARGV[2])
if f[1] ~= ARGV[3] then return '!session_expired' end
if ARGV[4] ~= '' and f[2] ~= ARGV[4] then return '!unauthorized' end
return 'ok'
