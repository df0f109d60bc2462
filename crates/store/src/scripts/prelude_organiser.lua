-- The functions that the scripts share that change a competition itself.
--
-- KEYS: 6 meta, 7 request. `request` holds the first reply to a request: see prelude_shared.lua.
--
-- A reply about a competition is {word, <field>, <value>, ...} with the fields of `meta` and
-- revision, confirmed_count, waitlisted_count.

local REQUEST = KEYS[7]

local function competition_fields(competition)
  local fields = redis.call('HGETALL', META)
  local function put(name, number)
    fields[#fields + 1] = name
    fields[#fields + 1] = digits(number)
  end
  put('revision', competition.revision)
  put('confirmed_count', competition.confirmed)
  put('waitlisted_count', competition.waiting)
  return fields
end

-- Returns the first reply to this request, or nil if it is new. Every script begins with it.
local function repeated(fingerprint)
  assert(redis.call('HLEN', META) <= MAX_FIELDS, 'a competition has too many fields')
  return remembered(REQUEST, fingerprint, 'changed')
end

-- Keeps the reply for a repetition of the request, and returns it. Writes.
local function changed(competition, fingerprint)
  local fields = competition_fields(competition)
  remember_change(REQUEST, fingerprint, fields)
  return reply('changed', fields)
end

-- Changes the competition itself: appends the log entry, then writes the fields of `meta`, a list
-- of names and values. `entry` has admin, action, before, after, request and note. Writes.
local function change(competition, entry, fields)
  assert(#fields % 2 == 0, 'a name or a value of a field is missing')
  assert(#fields <= 2 * MAX_FIELDS, 'there are too many fields')
  entry.actor, entry.user = 'admin:' .. entry.admin, ''
  append(competition, entry)
  redis.call('HSET', META, 'changed_at_revision', digits(competition.revision),
    'updated_at', digits(competition.now), unpack(fields))
  save_revision(competition)
end
