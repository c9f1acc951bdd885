-- Whether a resume token is good. ARGV: lives, peer, token hash
if redis.call('HGET', state, 't:' .. ARGV[2]) ~= ARGV[3] then return '!session_expired' end
return 'ok'
