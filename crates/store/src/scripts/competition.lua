-- The ground that every script about a competition stands on. It is put behind the first line of each
-- of them.
--
-- KEYS of every such script, all with the competition's tag:
--   1 revision  2 registrations  3 past  4 waitlist  5 log     and for admin-service  6 meta  7 request
-- `meta` is derived from the tag and not read from KEYS: what is in KEYS needs write permission,
-- and user-service may only read it.
--
-- A record of `registrations` or `past` is a text:
--   <state> <revision> <created_at> <added_by> [<request id>=<revision>]...
--   state: C confirmed, W waitlisted (in `registrations`); D withdrawn, R removed (in `past`).
--   created_at: milliseconds. added_by: an admin's id, or - for the user. Requests: the last 8.
--
-- An entry of `log` has the id <revision>-0 and always the same eight fields, so that Redis stores
-- their names once: at, actor, action, user, before, after, request, note.
--   actor: user (the one in the field user), admin:<id>, or rules.
--   before, after: the word of a state, `waitlisted <position>`; for a competition JSON of what changed.

local REVISION, REGISTRATIONS, PAST, WAITLIST, LOG = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local META = string.match(REVISION, '^(.*):revision$') .. ':meta'
-- Far from where Lua's numbers stop telling one from the next.
local LAST_REVISION = 2 ^ 52
local KEPT_REQUESTS = 8
local PROMOTIONS_A_CALL = 100
local STATES = { draft = true, published = true, cancelled = true }
local STATE_WORD = { C = 'confirmed', W = 'waitlisted', D = 'withdrawn', R = 'removed' }

local function milliseconds_now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A time or a count in a reply or a record: never in scientific notation.
local function digits(number)
  return string.format('%d', number)
end

-- The competition as it stands, or nil. Everything about it that a script relies on is read and
-- checked here, before any write. `log` alone is checked by XADD, which is always the first write.
local function load_competition()
  local meta = redis.call('HMGET', META, 'state', 'registration_opens_at', 'registration_closes_at',
    'starts_at', 'ends_at', 'capacity', 'waitlist_capacity')
  local revision = tonumber(string.match(redis.call('GET', REVISION) or '0', '^%d+$'))
  assert(revision and revision < LAST_REVISION, 'the revision cannot be read')
  local waiting = redis.call('ZCARD', WAITLIST)
  local held = redis.call('HLEN', REGISTRATIONS)
  if not meta[1] then return nil, revision end
  assert(STATES[meta[1]], 'the state of the competition cannot be read')
  for n = 2, 7 do meta[n] = meta[n] or 'absent' end
  local opens_at, closes_at, starts_at, ends_at, capacity, waitlist_capacity =
    string.match(table.concat(meta, ' ', 2), '^(%d+) (%d+) (%d+) (%d+) (%d*) (%d*)$')
  assert(opens_at, 'the competition cannot be read')
  return {
    state = meta[1],
    opens_at = tonumber(opens_at),
    closes_at = tonumber(closes_at),
    starts_at = tonumber(starts_at),
    ends_at = tonumber(ends_at),
    capacity = tonumber(capacity) or math.huge,
    waitlist_capacity = tonumber(waitlist_capacity) or math.huge,
    revision = revision,
    waiting = waiting,
    confirmed = held - waiting,
    now = milliseconds_now(),
  }, revision
end

local function parse_record(text)
  if not text then return nil end
  local state, revision, created_at, added_by, requests =
    string.match(text, '^([CWDR]) (%d+) (%d+) (%S+)(.*)$')
  revision, created_at = tonumber(revision), tonumber(created_at)
  assert(state and math.max(revision, created_at) < LAST_REVISION, 'a registration cannot be read')
  return {
    state = state,
    revision = revision,
    created_at = created_at,
    added_by = added_by,
    requests = requests,
  }
end

local function write_record(key, user, record)
  redis.call('HSET', key, user, string.format('%s %d %d %s%s', record.state, record.revision,
    record.created_at, record.added_by, record.requests))
end

-- The revision of the change that this request made, or nil.
local function revision_of_request(record, request)
  local at = record and string.find(record.requests, ' ' .. request .. '=', 1, true)
  return at and tonumber(string.match(record.requests, '^%d+', at + #request + 2))
end

local function with_request(requests, request, revision)
  local kept = string.format('%s %s=%d', requests, request, revision)
  if requests == '' then return kept end
  local _, count = string.gsub(kept, '=', '')
  if count > KEPT_REQUESTS then kept = string.gsub(kept, '^ %S+', '', 1) end
  return kept
end

-- Writes the log entry of the next revision: ahead of the change itself.
local function append(competition, actor, action, user, before, after, request, note)
  local revision = competition.revision + 1
  redis.call('XADD', LOG, digits(revision) .. '-0',
    'at', digits(competition.now), 'actor', actor, 'action', action, 'user', user,
    'before', before, 'after', after, 'request', request, 'note', note)
  competition.revision = revision
  return revision
end

-- The eight fields of a log entry by name.
local function named(fields)
  local entry = {}
  for n = 1, #fields, 2 do entry[fields[n]] = fields[n + 1] end
  return entry
end

-- The log entry of this revision, or nil.
local function log_entry(revision)
  local id = digits(revision)
  local found = redis.call('XRANGE', LOG, id, id)[1]
  return found and named(found[2])
end

-- What every answer about a registration holds:
-- {word, state, revision, waitlist position or '', created_at, updated_at, reason, added_by}
local function registration_reply(word, record, revision, after, at, reason)
  local state, position = string.match(after, '^(%a+) ?(%d*)$')
  return { word, state, digits(revision), position, digits(record.created_at), at, reason,
    record.added_by }
end

-- One user's registration as it stands. `entry` is the log entry of its record.
local function describe(user, record, entry)
  local after = STATE_WORD[record.state]
  if record.state == 'W' then after = after .. ' ' .. digits(redis.call('ZRANK', WAITLIST, user) + 1) end
  return registration_reply('registration', record, record.revision, after, entry.at,
    record.state == 'R' and entry.note or '')
end

-- The same from the text of the record, or {} if there is none.
local function read_registration(user, text)
  local record = parse_record(text or nil)
  if not record then return {} end
  return describe(user, record, assert(log_entry(record.revision), 'a registration has no log entry'))
end

-- Who brought a user in with this log entry: an admin's id, - for the user, or nil if nobody did.
local function brought_in_by(entry)
  if entry.action == 'register' then return '-' end
  if entry.action == 'add' then return string.match(entry.actor, '^admin:(.*)$') end
end

-- The log entry of the last kept request before this revision, or nil.
local function entry_before(record, revision)
  local before
  for kept in string.gmatch(record.requests, '=(%d+)') do
    if tonumber(kept) < revision then before = tonumber(kept) end
  end
  return before and log_entry(before)
end

-- The answer that a request got the first time, or nil. `word` is how this script says yes.
-- Writes the record again in `key`, unchanged: a replay that writes nothing lets a WAIT answer too early.
-- Without a key it writes nothing.
local function replay(word, action, key, user, record, request, note)
  local revision = revision_of_request(record, request)
  if not revision then return nil end
  local entry = assert(log_entry(revision), 'a kept request has no log entry')
  if entry.action ~= action or entry.note ~= note then return { 'request_id_reused', digits(revision) } end
  local added_by = brought_in_by(entry)
  if not added_by and revision < record.revision then
    -- That registration has ended, and somebody else may have begun a new one.
    local entrance = entry_before(record, revision)
    added_by = entrance and brought_in_by(entrance)
  end
  local first = { created_at = record.created_at, added_by = added_by or record.added_by }
  local answer = registration_reply(word, first, revision, entry.after, entry.at, action == 'remove' and note or '')
  if key then write_record(key, user, record) end
  return answer
end

-- How many of those who wait have a claim on a place now: none once the competition has started.
local function claims(competition)
  if competition.state ~= 'published' or competition.now >= competition.starts_at then return 0 end
  return math.max(0, math.min(competition.capacity - competition.confirmed, competition.waiting))
end

-- Those who have a claim on a place now, the first in the queue first, at most 100, with their records:
-- read before anything is written.
local function next_in_queue(competition)
  local count = math.min(claims(competition), PROMOTIONS_A_CALL)
  if count == 0 then return {} end
  local users = redis.call('ZRANGE', WAITLIST, 0, count - 1)
  local queue = {}
  for n, text in ipairs(redis.call('HMGET', REGISTRATIONS, unpack(users))) do
    queue[n] = { user = users[n], record = assert(parse_record(text), 'one who waits has no registration') }
  end
  return queue
end

-- Gives each of these a place. Writes.
local function promote(competition, queue)
  for _, first in ipairs(queue) do
    first.record.state = 'C'
    first.record.revision = append(competition, 'rules', 'promote', first.user, 'waitlisted', 'confirmed', '', '')
    write_record(REGISTRATIONS, first.user, first.record)
    redis.call('ZREM', WAITLIST, first.user)
  end
  competition.waiting = competition.waiting - #queue
  competition.confirmed = competition.confirmed + #queue
end

local function save_revision(competition)
  redis.call('SET', REVISION, digits(competition.revision))
end

-- Finishes what a larger capacity began, at most 100 promotions a call, before anything else happens.
-- Answers whether there was something to finish: then the script has done its work, answers
-- {unsettled}, and is called again. Writes.
local function settle(competition)
  local queue = next_in_queue(competition)
  if #queue == 0 then return false end
  promote(competition, queue)
  save_revision(competition)
  return true
end

-- Confirms or queues a user, or says why not. `entry` holds user, request, actor, action, added_by,
-- note, over_capacity, and dry (decide, write nothing).
local function enter(competition, entry, past)
  local room = entry.over_capacity or
    (competition.waiting == 0 and competition.confirmed < competition.capacity)
  if not room and competition.waiting >= competition.waitlist_capacity then
    return { 'full', digits(competition.revision), competition.capacity == math.huge and '' or
      digits(competition.capacity), digits(competition.confirmed), digits(competition.waiting) }
  end
  local after = room and 'confirmed' or 'waitlisted ' .. digits(competition.waiting + 1)
  local record = {
    state = room and 'C' or 'W',
    created_at = past and past.created_at or competition.now,
    added_by = entry.added_by,
  }
  if entry.dry then
    return registration_reply('registered', record, competition.revision + 1, after,
      digits(competition.now), '')
  end
  record.revision = append(competition, entry.actor, entry.action, entry.user,
    past and STATE_WORD[past.state] or '', after, entry.request, entry.note)
  record.requests = with_request(past and past.requests or '', entry.request, record.revision)
  write_record(REGISTRATIONS, entry.user, record)
  if past then redis.call('HDEL', PAST, entry.user) end
  if room then
    competition.confirmed = competition.confirmed + 1
  else
    redis.call('ZADD', WAITLIST, digits(record.revision), entry.user)
    competition.waiting = competition.waiting + 1
  end
  return registration_reply('registered', record, record.revision, after, digits(competition.now), '')
end

-- Ends a current registration and gives its place to the first in the queue. `exit` holds user,
-- request, actor, action, state (D or R), note.
local function leave(competition, exit, record)
  local waited = record.state == 'W'
  local before, after = STATE_WORD[record.state], STATE_WORD[exit.state]
  if not waited then competition.confirmed = competition.confirmed - 1 end
  local queue = waited and {} or next_in_queue(competition)

  record.state = exit.state
  record.revision = append(competition, exit.actor, exit.action, exit.user, before, after,
    exit.request, exit.note)
  record.requests = with_request(record.requests, exit.request, record.revision)
  write_record(PAST, exit.user, record)
  redis.call('HDEL', REGISTRATIONS, exit.user)
  if waited then
    redis.call('ZREM', WAITLIST, exit.user)
    competition.waiting = competition.waiting - 1
  end
  local answer = registration_reply('ended', record, record.revision, after, digits(competition.now),
    exit.action == 'remove' and exit.note or '')
  promote(competition, queue)
  save_revision(competition)
  return answer
end
