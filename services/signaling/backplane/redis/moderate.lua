-- Does to a room and its members what a member orders, or an operator: by the rules of domain/moderation.ts, to which the
-- contract suite holds it. KEYS[5] remembers the epoch of a room that ended, KEYS[6] the last of its log.
-- ARGV: lives, actor ('': an operator), generation, id, previous id, action, target (an id, '*' or ''), value (the role,
--       or the kinds), the room's name and home as JSON members, people kept at most, origin, closed ms, last ms, bounds (3)
-- Returns the answer, then the records that were appended.
local actor, id, action, target, value = ARGV[2], tonumber(ARGV[4]), ARGV[6], ARGV[7], ARGV[8]
local origin = ARGV[11]
local end_of_room = { tombstone = KEYS[5], closed_ms = ARGV[12], last = KEYS[6], last_ms = ARGV[13] }
local RANKS = { operator = 5, host = 4, moderator = 3, speaker = 2, listener = 1 }
local KINDS = { 'audio', 'video', 'message' }

local function get(field, peer) return redis.call('HGET', state, field .. ':' .. peer) end
-- A member that an older version let in has neither.
local function person_of(peer) return get('u', peer) or '' end
local function mutes_of(peer) return get('k', peer) or '[]' end
local function rank_of(peer) return RANKS[get('r', peer)] end
local function refuse(code) return { actor == '' and '!' .. code or answer(actor, id, 'E' .. code) } end

local rank = RANKS.operator
if actor ~= '' then
  local answered = verdict(actor, ARGV[3], id, tonumber(ARGV[5]), 'ME')
  if answered then return { answered } end
  rank = rank_of(actor)
elseif not life_of_room then
  return { '!room_not_found' }
end
if rank <= RANKS.speaker then return refuse('forbidden') end

-- What a record tells nodes of who ordered it; the last one of an order also by which request.
local function inner(members, is_last)
  if actor ~= '' then
    members[#members + 1] = '"b":"' .. actor .. '"'
    if is_last then members[#members + 1] = '"i":' .. int(id) end
  end
  return #members > 0 and '{' .. table.concat(members, ',') .. '}' or nil
end

local head = redis.call('HGET', state, 'seq')
local records = {}
local function note(seq, record) head, records[#records + 1] = seq, record end

-- Whether what is kept of a person fits: bans and mutes do not grow without bound.
local function is_kept(field, counter)
  return redis.call('HEXISTS', state, field) == 1 or
    tonumber(redis.call('HGET', state, counter) or '0') < tonumber(ARGV[10])
end

local function remove(peers)
  for at, peer in ipairs(peers) do
    local person, members = person_of(peer), {}
    if action == 'ban' and is_kept('b:' .. person, 'banned') then
      redis.call('HINCRBY', state, 'banned', redis.call('HSET', state, 'b:' .. person, '1'))
      members = { '"u":"' .. person .. '"' }
    end
    note(end_session({ peer = peer, reason = action == 'ban' and 'banned' or 'kicked', origin = origin, id = 0,
      inner = inner(members, at == #peers) }, end_of_room))
  end
end

local function mutes_after(before)
  local after = {}
  for _, kind in ipairs(KINDS) do
    local is_named = string.find(value, kind, 1, true)
    if action == 'mute' and is_named or string.find(before, kind, 1, true) and not (action == 'unmute' and is_named) then
      after[#after + 1] = '"' .. kind .. '"'
    end
  end
  return '[' .. table.concat(after, ',') .. ']'
end

-- What a person is muted in who comes again: other sessions of one that is not surely the same may differ.
local function keep_mutes(person)
  local field = 'q:' .. person
  local before = redis.call('HGET', state, field) or '[]'
  local after = mutes_after(before)
  if after == before or not is_kept(field, 'muted') then return {} end
  if after ~= '[]' then
    redis.call('HINCRBY', state, 'muted', redis.call('HSET', state, field, after))
  else
    redis.call('HDEL', state, field)
    redis.call('HINCRBY', state, 'muted', -1)
  end
  return { '"u":"' .. person .. '"', '"q":' .. after }
end

local function change(peers)
  local changes = {}
  for _, peer in ipairs(peers) do
    local before, role = mutes_of(peer), get('r', peer)
    local each = { peer = peer, mutes = before, role = role }
    if action == 'set_role' then each.role = value else each.mutes = mutes_after(before) end
    if each.mutes ~= before or each.role ~= role then changes[#changes + 1] = each end
  end
  for at, each in ipairs(changes) do
    local members = action == 'set_role' and {} or keep_mutes(person_of(each.peer))
    redis.call('HSET', state, 'k:' .. each.peer, each.mutes, 'r:' .. each.peer, each.role,
      'm:' .. each.peer, each.role == 'listener' and EVERY_KIND or each.mutes)
    members[#members + 1] = '"k":' .. each.mutes
    note(append({ kind = 'A', from = each.peer, echo = '1', origin = origin,
      body = '{"peer":' .. peer_json(each.peer) .. '}', inner = inner(members, at == #changes) }, bounds()))
  end
end

local function members()
  return string.gmatch(redis.call('HGET', state, 'order'), '%S+')
end

local function is_sure(person) return string.sub(person, 1, 1) == '=' end

-- Those below the actor who surely do not sit higher elsewhere, too.
local function everyone_below()
  local above, below = {}, {}
  for peer in members() do if rank_of(peer) >= rank then above[person_of(peer)] = true end end
  for peer in members() do
    local person = person_of(peer)
    if rank_of(peer) < rank and not (is_sure(person) and above[person]) then below[#below + 1] = peer end
  end
  return below
end

-- The target, after the other sessions of a person that is surely the same; none where one of them is not below the actor.
local function sessions_of_target()
  if rank_of(target) >= rank then return nil end
  local person, sessions = person_of(target), {}
  if is_sure(person) and action ~= 'kick' and action ~= 'set_role' then
    for peer in members() do
      if peer ~= target and person_of(peer) == person then
        if rank_of(peer) >= rank then return nil end
        sessions[#sessions + 1] = peer
      end
    end
  end
  sessions[#sessions + 1] = target
  return sessions
end

local function set_locked(locked)
  if redis.call('HGET', state, 'locked') == locked then return end
  redis.call('HSET', state, 'locked', locked)
  note(append({ kind = 'K', from = actor == '' and '-' or actor, echo = '1', origin = origin, inner = inner({}, true),
    body = '{"room":{' .. ARGV[9] .. ',"locked":' .. locked .. ',"peers_max":' .. redis.call('HGET', state, 'max') ..
      '}}' }, bounds()))
end

if action == 'close' then
  if rank < RANKS.host then return refuse('forbidden') end
  local seq, record = append({ kind = 'C', from = actor == '' and '-' or actor, origin = origin, body = '{}',
    inner = inner({}, true) }, bounds())
  finish(end_of_room)
  return { 'M' .. seq, record }
elseif action == 'lock' or action == 'unlock' then
  set_locked(action == 'lock' and 'true' or 'false')
elseif target == '*' then
  change(everyone_below())
else
  if not get('g', target) then return refuse('peer_not_found') end
  local sessions = sessions_of_target()
  if not sessions or action == 'set_role' and RANKS[value] >= rank then return refuse('forbidden') end
  if action == 'kick' or action == 'ban' then remove(sessions) else change(sessions) end
end

-- Who is host by then has a record of his own after the last one.
head = redis.call('HGET', state, 'seq') or head
if actor ~= '' then answer(actor, id, 'M' .. head) end
table.insert(records, 1, 'M' .. head)
return records
