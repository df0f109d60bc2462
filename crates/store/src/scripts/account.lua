-- The ground that every script about an account stands on, a user's or an admin's. It is put behind the
-- first line of each of them.
--
-- `profile` is a hash of what the person said, with created_at, updated_at and version.
-- `sessions` is a hash: SHA-256 of a token -> <created_at> <expires_at>, in milliseconds.
-- `log` is a stream of what happened to the account: action, request. The newest 1,000 are kept.
-- `request` is a hash that keeps the first answer of a changing call for 24 hours.

local KEPT_SECONDS = 24 * 60 * 60
local KEPT_LOG_ENTRIES = 1000
-- More than any record has. `unpack`, and so a write of all of them at once, fails far beyond.
local MOST_FIELDS = 100

local function milliseconds_now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function digits(number)
  return string.format('%.0f', number)
end

-- Whether each key is absent or of the type that is expected: asked before the first write.
local function expect_types(expected)
  for key, kind in pairs(expected) do
    local found = redis.call('TYPE', key).ok
    assert(found == 'none' or found == kind, 'a key of an account has a wrong type')
  end
end

-- A length of time that was handed in, in milliseconds.
local function duration(text)
  local number = tonumber(string.match(text or '', '^%d+$'))
  assert(number and number > 0 and number < 2 ^ 52, 'a length of time cannot be read')
  return number
end

-- Whether there are so many arguments, and then names and values, for a record that stays small.
local function expect_fields(profile, fixed)
  local more = #ARGV - fixed
  assert(more >= 0 and more % 2 == 0 and more / 2 + redis.call('HLEN', profile) <= MOST_FIELDS,
    'these are no names and values of a small record')
end

local function log(key, action, request)
  redis.call('XADD', key, 'MAXLEN', '~', KEPT_LOG_ENTRIES, '*', 'action', action, 'request', request)
end

-- What this request was answered the first time, as a list of names and values, or nil. The word
-- `reused` instead, if it was another request.
local function remembered(key, fingerprint)
  assert(fingerprint, 'an argument is missing')
  local kept = redis.call('HGETALL', key)
  if #kept == 0 then return nil end
  local fields, same = {}, false
  for n = 1, #kept, 2 do
    if kept[n] == 'fingerprint' then
      same = kept[n + 1] == fingerprint
    else
      fields[#fields + 1] = kept[n]
      fields[#fields + 1] = kept[n + 1]
    end
  end
  if not same then return 'reused' end
  redis.call('EXPIRE', key, KEPT_SECONDS)
  return fields
end

local function remember(key, fingerprint, fields)
  redis.call('HSET', key, 'fingerprint', fingerprint, unpack(fields))
  redis.call('EXPIRE', key, KEPT_SECONDS)
end

local function reply(word, fields)
  local answer = { word }
  for _, value in ipairs(fields) do answer[#answer + 1] = value end
  return answer
end
