-- The functions that the scripts about accounts and the scripts about competitions share.
--
-- The first reply to a request that changed something is a hash, kept for 24 hours: the field
-- `fingerprint` identifies what was requested, the other fields are those of the reply.

local KEPT_SECONDS = 24 * 60 * 60
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

-- Returns the first reply to a request, with this word, and keeps it for another 24 hours. Returns
-- {request_id_reused} if the id was used for another request, and nil if the request is new.
local function remembered(key, fingerprint, word)
  assert(fingerprint, 'the fingerprint is missing')
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

