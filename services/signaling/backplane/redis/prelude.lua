-- Shared by every script of a room. KEYS[1] is the marker of the home, KEYS[2] the room's hash, KEYS[3] its stream, KEYS[4]
-- what nodes handed in of it; ARGV[1] the lives of Redis under which the home is sealed.
-- Fields of the hash: life epoch seq first bytes members max locked order noted_seq noted_ms, hosts: the channels of the
-- nodes that host it, noted_bytes: those of the log up to noted_seq, metadata: bytes of all its members', trimmed trimmed_by trimmed_other (below), former_epoch former_from former_head where it was restored,
-- inherits banned muted, b:<person> and q:<person>: bans, and mutes that are kept, and of each member
-- g: generation, i: last id, a:<id>:<slot> answers, p: profile, n: location, r: role, m: muted, c: connected,
-- j: joined seq, t: token hash, w: incarnation, x: attempt, h: holder, s: since, z: trimmed seq that was for it alone,
-- u: person, k: what it was muted in whatever its role mutes besides, y: period, and bytes that it took of what is shared out.
-- Profiles and locations are JSON fragments: nothing here decodes JSON.
local marker, state, log = KEYS[1], KEYS[2], KEYS[3]
local ANSWERS_KEPT = 64
-- A listener's mutes.
local EVERY_KIND = '["audio","video","message"]'
-- Rings are records apart by what no record has: JSON has no raw control character.
local BETWEEN_RINGS = '\30'
-- Marked so before the lives: no script reaches the marker, nor channels that are not the room's own.
local IS_CLUSTER = string.sub(ARGV[1], 1, 1) == '-'

local life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')

-- Rule R1: a room belongs to the life of the Redis under which it was written or restored. In another life the home must
-- have been sealed, and nobody have handed the room in: then it is what it was, or is really missing. Returns the refusal.
local function meet(life_of_room, handed_in)
  if life_of_room == life then return nil end
  local is_sealed = string.find(ARGV[1], life, 1, true) and (IS_CLUSTER or redis.call('EXISTS', marker) == 1)
  if not is_sealed then return '!rebuild ' .. life end
  if redis.call('HEXISTS', handed_in, 'life') == 1 and redis.call('HGET', handed_in, 'life') == life then
    return '!restoring ' .. life
  end
  if life_of_room then redis.call('HSET', state, 'life', life) end
  return nil
end

local function int(number) return string.format('%d', number) end

-- Stands still while a script runs.
local clock
local function now_ms()
  if clock then return clock end
  local time = redis.call('TIME')
  clock = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  return clock
end
