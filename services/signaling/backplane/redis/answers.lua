-- For the scripts that answer a member's requests: each once, in their order.
local function answer_slot(peer, id) return 'a:' .. peer .. ':' .. int(id % ANSWERS_KEPT) end

-- Rule Q1: session, generation, repeat, predecessor. Returns what to answer, or nothing where it is to be applied.
-- '!' marks a refusal that does not consume the id. `current`, `last_id`: the session's generation and its last id;
-- `kinds`: the letters of answers that a request of this kind gets.
local function judge(current, last_id, peer, generation, id, previous, kinds)
  if not current then return '!session_expired' end
  if current ~= generation then return '!session_replaced' end
  local last = tonumber(last_id)
  if id <= last then
    local slot = redis.call('HGET', state, answer_slot(peer, id)) or ''
    local kept, answer = string.match(slot, '^(%d+) (.+)$')
    local is_its = kept == int(id) and id > last - ANSWERS_KEPT and string.find(kinds, string.sub(answer, 1, 1), 1, true)
    return is_its and answer or '!invalid_request'
  end
  if previous > last then return '!unavailable' end
  return nil
end

local function verdict(peer, generation, id, previous, kinds)
  local f = redis.call('HMGET', state, 'g:' .. peer, 'i:' .. peer)
  return judge(f[1], f[2], peer, generation, id, previous, kinds)
end

-- A final answer is kept with its id, so that a repeat gets it, too (rule Q3).
local function answer(peer, id, text)
  redis.call('HSET', state, 'i:' .. peer, int(id), answer_slot(peer, id), int(id) .. ' ' .. text)
  return text
end
