-- What the log holds after a seq. ARGV: seq, records at most
local f = redis.call('HMGET', state, 'epoch', 'seq', 'first')
if not f[1] then return false end
local reply = { f[1], f[2], f[3] }
local from = int(tonumber(ARGV[1]) + 1) .. '-0'
for _, entry in ipairs(redis.call('XRANGE', log, from, '+', 'COUNT', ARGV[2])) do reply[#reply + 1] = entry[2][2] end
return reply
