-- The functions that the scripts about accounts and the scripts about competitions share.
--
-- The first reply to a request that changed something is a hash, kept for 24 hours: the field
-- `fingerprint` identifies what was requested, the other fields are those of the reply. Of the
-- changes of a thing that exists, the last 8 are kept: beside their keys, `recent` lists their ids,
-- the oldest first. The reply to the request that created a thing is not among them.

local KEPT_SECONDS = 24 * 60 * 60
local MAX_KEPT_CHANGES = 8
-- More than any record has. `unpack` fails far beyond this number.
local MAX_FIELDS = 100

-- Returns the time in milliseconds since 1970.
local function milliseconds_now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Formats a whole number without an exponent, for a reply or a record.
local function digits(number)
  return string.format('%d', number)
end

-- Returns a reply: a word, then names and values. Changes the list `fields`.
local function reply(word, fields)
  table.insert(fields, 1, word)
  return fields
end

-- Returns the key of the list of the last changes beside a key of a request, the id of the request,
-- and the prefix of both keys.
local function recent_of(key)
  local prefix, request = string.match(key, '^(.*:)([^:]*)$')
  return prefix .. 'recent', request, prefix
end

-- What the list of the last changes holds. Set by `remembered`.
local recent_changes

-- Returns the first reply to a request, with this word, and keeps it for another 24 hours. Returns
-- {request_id_reused} if the id was used for another request, and nil if the request is new.
local function remembered(key, fingerprint, word)
  assert(fingerprint, 'the fingerprint is missing')
  -- Its type must be checked before a script writes.
  recent_changes = redis.call('GET', (recent_of(key))) or ''
  local kept = redis.call('HGETALL', key)
  if #kept == 0 then return nil end
  local fields, is_same = {}, false
  for n = 1, #kept, 2 do
    if kept[n] == 'fingerprint' then
      is_same = kept[n + 1] == fingerprint
    else
      fields[#fields + 1] = kept[n]
      fields[#fields + 1] = kept[n + 1]
    end
  end
  if not is_same then return { 'request_id_reused' } end
  redis.call('EXPIRE', key, KEPT_SECONDS)
  return reply(word, fields)
end

-- Keeps the fields of a first reply. Writes.
local function remember(key, fingerprint, fields)
  redis.call('HSET', key, 'fingerprint', fingerprint, unpack(fields))
  redis.call('EXPIRE', key, KEPT_SECONDS)
end

-- Keeps the fields of a first reply to a change, and forgets the oldest change if there are too many.
-- Must follow `remembered`. Writes.
local function remember_change(key, fingerprint, fields)
  remember(key, fingerprint, fields)
  local recent, request, prefix = recent_of(key)
  local ids = {}
  for id in string.gmatch(recent_changes, '%S+') do
    if id ~= request then ids[#ids + 1] = id end
  end
  ids[#ids + 1] = request
  while #ids > MAX_KEPT_CHANGES do redis.call('DEL', prefix .. table.remove(ids, 1)) end
  redis.call('SET', recent, table.concat(ids, ' '), 'EX', KEPT_SECONDS)
end

