-- What concerns a peer in the log after a seq and up to another, a part at a time.
-- ARGV: lives, peer, after, up to, records at most, bytes at most
local peer, at, up_to, count, bytes = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if redis.call('HEXISTS', state, 'g:' .. peer) == 0 or missing_of(peer) > at then return false end
local reply = { '' }
local looked_at = 0
while at < up_to and #reply <= count and bytes > 0 and looked_at < 4 * count do
  local page = redis.call('XRANGE', log, int(at + 1) .. '-0', int(up_to) .. '-0', 'COUNT', '64')
  if #page == 0 then at = up_to end
  for _, entry in ipairs(page) do
    if #reply > count or bytes <= 0 then break end
    local record = entry[2][2]
    local kind, from, to, echo = string.match(record, '^(%a) %d+ %d+ (%S+) (%S+) (%d)')
    local concerns = from == peer and echo == '1' or from ~= peer and (to == '*' or to == peer)
    if concerns and kind ~= 'F' then
      reply[#reply + 1] = record
      bytes = bytes - #record
    end
    at = tonumber(string.match(entry[1], '^%d+'))
  end
  looked_at = looked_at + #page
end
reply[1] = int(at)
return reply
