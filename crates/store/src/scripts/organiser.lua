-- What the scripts that change a competition itself have in common; put between competition.lua and
-- each of them.
--
-- KEYS: 6 meta, 7 request. `request` is a hash that keeps the first answer for 24 hours: the
-- fingerprint of the request, and the fields of an answer.
--
-- An answer about a competition is {word, <field>, <value>, ...} with the fields of `meta` and
-- revision, confirmed_count, waitlisted_count.

local REQUEST = KEYS[7]
local KEPT_SECONDS = 24 * 60 * 60
-- More than any competition has. `unpack`, and so a write of all of them at once, fails far beyond.
local MOST_FIELDS = 100

local function answer_fields(competition)
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

local function reply(word, fields)
  table.insert(fields, 1, word)
  return fields
end

-- The answer that this request got the first time, or nil. Every script begins with it.
local function remembered(fingerprint)
  assert(fingerprint, 'an argument is missing')
  assert(redis.call('HLEN', META) <= MOST_FIELDS, 'a competition has too many fields')
  local kept = redis.call('HGETALL', REQUEST)
  if #kept == 0 then return nil end
  local fields = {}
  local same = false
  for n = 1, #kept, 2 do
    if kept[n] == 'fingerprint' then
      same = kept[n + 1] == fingerprint
    else
      fields[#fields + 1] = kept[n]
      fields[#fields + 1] = kept[n + 1]
    end
  end
  if not same then return { 'request_id_reused' } end
  redis.call('EXPIRE', REQUEST, KEPT_SECONDS)
  return reply('changed', fields)
end

-- Keeps the answer for a repetition of the request. Writes.
local function remember(competition, fingerprint)
  local fields = answer_fields(competition)
  redis.call('HSET', REQUEST, 'fingerprint', fingerprint, unpack(fields))
  redis.call('EXPIRE', REQUEST, KEPT_SECONDS)
  return reply('changed', fields)
end

-- Writes a change of the competition itself: first the log, then the record. `fields` is a list of
-- names and values for `meta`.
local function change(competition, admin, action, before, after, request, note, fields)
  assert(#fields % 2 == 0 and #fields <= 2 * MOST_FIELDS, 'these are no names and values of a competition')
  append(competition, 'admin:' .. admin, action, '', before, after, request, note)
  redis.call('HSET', META, 'changed_at_revision', digits(competition.revision),
    'updated_at', digits(competition.now), unpack(fields))
  save_revision(competition)
end
