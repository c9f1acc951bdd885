-- What the log holds after a seq. KEYS[5] remembers the epoch of a room that ended, KEYS[6] the last of its log, for those
-- who have to hear of it. ARGV: lives, seq, records at most
local f = redis.call('HMGET', state, 'epoch', 'seq', 'first', 'former_epoch', 'former_from', 'former_head')
if not f[1] then
  local epoch, last = redis.call('GET', KEYS[5]), redis.call('GET', KEYS[6])
  if not epoch or not last then return false end
  local first, head
  local reply = { epoch, '', '', '', '', '' }
  for record in string.gmatch(last, '[^' .. BETWEEN_RINGS .. ']+') do
    head = string.match(record, '^%a %d+ (%d+) ')
    first = first or head
    if tonumber(head) > tonumber(ARGV[2]) then reply[#reply + 1] = record end
  end
  reply[2], reply[3] = head, first
  return reply
end
local reply = { f[1], f[2], f[3], f[4] or '', f[5] or '', f[6] or '' }
local from = int(tonumber(ARGV[2]) + 1) .. '-0'
for _, entry in ipairs(redis.call('XRANGE', log, from, '+', 'COUNT', ARGV[3])) do reply[#reply + 1] = entry[2][2] end
return reply
