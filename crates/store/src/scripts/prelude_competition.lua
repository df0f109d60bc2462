-- The functions that the scripts about a competition share.
--
-- KEYS of every such script, all with the competition's tag:
--   1 revision  2 registrations  3 past  4 waitlist  5 log
--   and for admin-service  6 meta  7 request
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
--   before, after: the word of a state, or `waitlisted <position>`; for a change of the competition
--   the changed fields as JSON.
--   note: the options of an addition; the reason of a cancellation; for a removal with a reason
--   `sha256:<hash of the reason's record>`, or in older entries the reason itself.
--
-- `reasons:<user id>` is a hash of the reasons of a user's removals, so that an erasure can delete
-- them without a change of the log: revision -> `<nonce> <text>`. Its name is derived like that of
-- `meta`.
--
-- No script writes before its last check: Redis undoes nothing when a script fails. A function that
-- writes has `Writes.` in its comment.

local REVISION, REGISTRATIONS, PAST, WAITLIST, LOG = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local PREFIX = string.match(REVISION, '^(.*:)revision$')
local META = PREFIX .. 'meta'
-- Far below 2^53, from where on Lua's numbers skip integers.
local MAX_REVISION = 2 ^ 52
local MAX_KEPT_REQUESTS = 8
local MAX_PROMOTIONS = 100
local IS_COMPETITION_STATE = { draft = true, published = true, cancelled = true }
local STATE_WORDS = { C = 'confirmed', W = 'waitlisted', D = 'withdrawn', R = 'removed' }

-- Fails with the name of the field of `meta` that is damaged.
local function fail_for_damaged_field(meta)
  local names = { 'state', 'registration_opens_at', 'registration_closes_at', 'starts_at',
    'ends_at', 'capacity', 'waitlist_capacity' }
  for n, name in ipairs(names) do
    local pattern = n <= 5 and '^%d+$' or '^%d*$'
    local is_valid = n == 1 or string.find(meta[n], pattern)
    assert(is_valid, 'the ' .. name .. ' of the competition is damaged')
  end
  error('the competition is damaged')
end

-- Returns the competition, or nil, and its revision. Reads and checks all that a script relies on,
-- except for `log`, which XADD checks: that is always the first write.
local function load_competition()
  local meta = redis.call('HMGET', META, 'state', 'registration_opens_at', 'registration_closes_at',
    'starts_at', 'ends_at', 'capacity', 'waitlist_capacity')
  local revision = tonumber(string.match(redis.call('GET', REVISION) or '0', '^%d+$'))
  assert(revision and revision < MAX_REVISION, 'the revision of the competition is damaged')
  local waiting = redis.call('ZCARD', WAITLIST)
  local registered = redis.call('HLEN', REGISTRATIONS)
  if not meta[1] then return nil, revision end
  assert(IS_COMPETITION_STATE[meta[1]], 'the state of the competition is damaged')
  for n = 2, 7 do meta[n] = meta[n] or 'absent' end
  -- One match over all fields is faster than one for each.
  local opens_at, closes_at, starts_at, ends_at, capacity, waitlist_capacity =
    string.match(table.concat(meta, ' ', 2), '^(%d+) (%d+) (%d+) (%d+) (%d*) (%d*)$')
  if not opens_at then fail_for_damaged_field(meta) end
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
    confirmed = registered - waiting,
    now = milliseconds_now(),
  }, revision
end

local function parse_record(text)
  if not text then return nil end
  local state, revision, created_at, added_by, requests =
    string.match(text, '^([CWDR]) (%d+) (%d+) (%S+)(.*)$')
  revision, created_at = tonumber(revision), tonumber(created_at)
  assert(state and math.max(revision, created_at) < MAX_REVISION,
    'the record of a registration is damaged')
  return {
    state = state,
    revision = revision,
    created_at = created_at,
    added_by = added_by,
    requests = requests,
  }
end

-- Writes.
local function write_record(key, user, record)
  redis.call('HSET', key, user, string.format('%s %d %d %s%s', record.state, record.revision,
    record.created_at, record.added_by, record.requests))
end

-- Returns the revision of the change that this request made, or nil.
local function revision_of_request(record, request)
  local at = record and string.find(record.requests, ' ' .. request .. '=', 1, true)
  return at and tonumber(string.match(record.requests, '^%d+', at + #request + 2))
end

-- Returns the list of requests with one more, and without the oldest one if there are too many.
local function with_request(requests, request, revision)
  local kept = string.format('%s %s=%d', requests, request, revision)
  if requests == '' then return kept end
  local _, count = string.gsub(kept, '=', '')
  if count > MAX_KEPT_REQUESTS then kept = string.gsub(kept, '^ %S+', '', 1) end
  return kept
end

-- Appends the log entry of the next revision, ahead of the change itself. `entry` has actor,
-- action, user, before, after, request and note. Returns the revision. Writes.
local function append(competition, entry)
  local revision = competition.revision + 1
  redis.call('XADD', LOG, digits(revision) .. '-0',
    'at', digits(competition.now), 'actor', entry.actor, 'action', entry.action, 'user', entry.user,
    'before', entry.before, 'after', entry.after, 'request', entry.request, 'note', entry.note)
  competition.revision = revision
  return revision
end

-- Returns the fields of a log entry by name.
local function by_name(fields)
  local entry = {}
  for n = 1, #fields, 2 do entry[fields[n]] = fields[n + 1] end
  return entry
end

-- Returns the log entry of this revision, or nil.
local function log_entry(revision)
  local id = digits(revision)
  local found = redis.call('XRANGE', LOG, id, id)[1]
  return found and by_name(found[2])
end

local function reasons_key(user)
  return PREFIX .. 'reasons:' .. user
end

-- Returns the reason of a removal by the note of its log entry; nil if the reason was erased.
local function reason_of_removal(user, revision, note)
  if not (#note == 71 and string.find(note, '^sha256:%x+$')) then return note end
  local record = redis.call('HGET', reasons_key(user), digits(revision))
  return record and string.match(record, '^%x+ (.*)$')
end

-- Returns the reply about a registration:
--   {word, state, revision, waitlist position or '', created_at, updated_at, reason, added_by}
-- `change` has word, state, revision, position, updated_at and reason.
local function registration_reply(record, change)
  return { change.word, change.state, digits(change.revision), change.position,
    digits(record.created_at), change.updated_at, change.reason, record.added_by }
end

-- Returns the reply about a user's current registration. `entry` is the log entry of its record.
local function describe(user, record, entry)
  local is_waitlisted = record.state == 'W'
  return registration_reply(record, {
    word = 'registration',
    state = STATE_WORDS[record.state],
    revision = record.revision,
    position = is_waitlisted and digits(redis.call('ZRANK', WAITLIST, user) + 1) or '',
    updated_at = entry.at,
    reason = record.state == 'R' and reason_of_removal(user, record.revision, entry.note) or '',
  })
end

-- Returns the same from the text of the record, or {} if there is none.
local function read_registration(user, text)
  local record = parse_record(text or nil)
  if not record then return {} end
  local entry = assert(log_entry(record.revision), 'a registration has no log entry')
  return describe(user, record, entry)
end

-- Returns who entered a user with this log entry: an admin's id, or - for the user. Returns nil if
-- the entry is about something else.
local function entered_by(entry)
  if entry.action == 'register' then return '-' end
  if entry.action == 'add' then return string.match(entry.actor, '^admin:(.*)$') end
end

-- Returns the log entry of the last kept request before this revision, or nil.
local function entry_before(record, revision)
  local before
  for kept in string.gmatch(record.requests, '=(%d+)') do
    if tonumber(kept) < revision then before = tonumber(kept) end
  end
  return before and log_entry(before)
end

-- Returns the first reply to a request, or nil if it is new. `record` is the user's current or past
-- registration. `expected` has the word of the reply, and the action and the note of the log entry,
-- for a removal the reason instead of the note. An erased reason equals any.
-- Writes the record again in `key`, unchanged: a repetition that writes nothing would let a WAIT
-- return too early. Writes nothing without a key.
local function first_reply(expected, key, user, record, request)
  local revision = revision_of_request(record, request)
  if not revision then return nil end
  local entry = assert(log_entry(revision), 'a kept request has no log entry')
  local note = entry.note
  if entry.action == 'remove' then note = reason_of_removal(user, revision, note) end
  if entry.action ~= expected.action or (note and note ~= expected.note) then
    return { 'request_id_reused', digits(revision) }
  end
  local added_by = entered_by(entry)
  if not added_by and revision < record.revision then
    -- The request ended a registration, and a new one may have begun since, added by somebody else.
    local entrance = entry_before(record, revision)
    added_by = entrance and entered_by(entrance)
  end
  local state, position = string.match(entry.after, '^(%a+) ?(%d*)$')
  local first = { created_at = record.created_at, added_by = added_by or record.added_by }
  local result = registration_reply(first, {
    word = expected.word,
    state = state,
    revision = revision,
    position = position,
    updated_at = entry.at,
    reason = expected.action == 'remove' and note or '',
  })
  if key then write_record(key, user, record) end
  return result
end

-- Returns how many waitlisted users have a claim on a place: none once the competition has started.
local function claims(competition)
  if competition.state ~= 'published' or competition.now >= competition.starts_at then return 0 end
  return math.max(0, math.min(competition.capacity - competition.confirmed, competition.waiting))
end

-- Returns the first users of the waitlist who have a claim on a place, at most 100, with their
-- records. Must be called before anything is written.
local function next_in_queue(competition)
  local count = math.min(claims(competition), MAX_PROMOTIONS)
  if count == 0 then return {} end
  local users = redis.call('ZRANGE', WAITLIST, 0, count - 1)
  local queue = {}
  for n, text in ipairs(redis.call('HMGET', REGISTRATIONS, unpack(users))) do
    local record = assert(parse_record(text), 'a waitlisted user has no registration')
    queue[n] = { user = users[n], record = record }
  end
  return queue
end

-- Confirms these users. Writes.
local function promote(competition, queue)
  for _, first in ipairs(queue) do
    first.record.state = 'C'
    first.record.revision = append(competition, {
      actor = 'rules', action = 'promote', user = first.user, before = 'waitlisted',
      after = 'confirmed', request = '', note = '',
    })
    write_record(REGISTRATIONS, first.user, first.record)
    redis.call('ZREM', WAITLIST, first.user)
  end
  competition.waiting = competition.waiting - #queue
  competition.confirmed = competition.confirmed + #queue
end

-- Writes.
local function save_revision(competition)
  redis.call('SET', REVISION, digits(competition.revision))
end

-- Makes promotions that are due, at most 100. Returns whether there were any: then the script
-- replies {unsettled} and does nothing else, and its caller calls it again. Writes.
local function settle(competition)
  local queue = next_in_queue(competition)
  if #queue == 0 then return false end
  promote(competition, queue)
  save_revision(competition)
  return true
end

-- Confirms or waitlists a user, or refuses. `entry` has user, request, actor, action, added_by,
-- note, over_capacity, and dry (decide, write nothing). `past` is the user's past registration, or
-- nil.
local function enter(competition, entry, past)
  -- The waitlist is not promoted after the start, so nobody passes it and nobody joins it.
  local has_started = competition.now >= competition.starts_at
  local has_place = entry.over_capacity or
    ((has_started or competition.waiting == 0) and competition.confirmed < competition.capacity)
  if not has_place and
    (has_started or competition.waiting >= competition.waitlist_capacity) then
    return { 'full', digits(competition.revision), competition.capacity == math.huge and '' or
      digits(competition.capacity), digits(competition.confirmed), digits(competition.waiting) }
  end
  local state = has_place and 'confirmed' or 'waitlisted'
  local position = has_place and '' or digits(competition.waiting + 1)
  local record = {
    state = has_place and 'C' or 'W',
    created_at = past and past.created_at or competition.now,
    added_by = entry.added_by,
  }
  local change = { word = 'registered', state = state, position = position,
    updated_at = digits(competition.now), reason = '' }
  if entry.dry then
    change.revision = competition.revision + 1
    return registration_reply(record, change)
  end
  entry.before = past and STATE_WORDS[past.state] or ''
  entry.after = has_place and state or state .. ' ' .. position
  record.revision = append(competition, entry)
  record.requests = with_request(past and past.requests or '', entry.request, record.revision)
  write_record(REGISTRATIONS, entry.user, record)
  if past then redis.call('HDEL', PAST, entry.user) end
  if has_place then
    competition.confirmed = competition.confirmed + 1
  else
    redis.call('ZADD', WAITLIST, digits(record.revision), entry.user)
    competition.waiting = competition.waiting + 1
  end
  change.revision = record.revision
  return registration_reply(record, change)
end

-- Ends a current registration and promotes the first user of the waitlist. `exit` has user,
-- request, actor, action, state (D or R), note and reason, and with a reason its record. Writes.
local function leave(competition, exit, record)
  local was_waitlisted = record.state == 'W'
  if not was_waitlisted then competition.confirmed = competition.confirmed - 1 end
  local queue = was_waitlisted and {} or next_in_queue(competition)
  -- Fails if the key has a wrong type.
  if exit.reason_record then redis.call('HLEN', reasons_key(exit.user)) end

  exit.before, exit.after = STATE_WORDS[record.state], STATE_WORDS[exit.state]
  record.state = exit.state
  record.revision = append(competition, exit)
  record.requests = with_request(record.requests, exit.request, record.revision)
  if exit.reason_record then
    redis.call('HSET', reasons_key(exit.user), digits(record.revision), exit.reason_record)
  end
  write_record(PAST, exit.user, record)
  redis.call('HDEL', REGISTRATIONS, exit.user)
  if was_waitlisted then
    redis.call('ZREM', WAITLIST, exit.user)
    competition.waiting = competition.waiting - 1
  end
  local result = registration_reply(record, {
    word = 'ended', state = exit.after, revision = record.revision, position = '',
    updated_at = digits(competition.now), reason = exit.reason,
  })
  promote(competition, queue)
  save_revision(competition)
  return result
end
