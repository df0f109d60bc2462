-- The functions that the scripts about an account share, a user's or an admin's.
--
-- `profile` is a hash of what the person entered, with created_at, updated_at and version.
-- `credential` is the hash of the password.
-- `sessions` is a hash: the hash of a token -> `<created_at> <expires_at>`, in milliseconds. After
--   an erasure it holds `erased <request id>` for the token that requested the erasure.
-- `log` is a stream of what happened to the account: action, request. The newest 1,000 are kept, and
--   with them the first replies to their requests, so that an erasure finds all of these.
-- `request` is the first reply to a request: see the shared prelude.

local MAX_LOG_ENTRIES = 1000

-- Checks that each key is absent or has the expected type. Must precede the first write: Redis
-- undoes nothing when a later command fails.
local function expect_types(expected)
  for key, kind in pairs(expected) do
    local found = redis.call('TYPE', key).ok
    assert(found == 'none' or found == kind, 'a key of an account has a wrong type')
  end
end

-- Parses a duration in milliseconds.
local function parse_duration(text)
  local number = tonumber(string.match(text or '', '^%d+$'))
  assert(number and number > 0 and number < 2 ^ 52, 'a duration cannot be parsed')
  return number
end

-- Checks that the arguments behind the first `fixed` ones are names and values, and that the
-- profile stays small with them.
local function expect_profile_fields(profile, fixed)
  local more = #ARGV - fixed
  assert(more >= 0 and more % 2 == 0, 'a name or a value of a profile is missing')
  assert(more / 2 + redis.call('HLEN', profile) <= MAX_FIELDS, 'a profile has too many fields')
end

-- Returns the keys of the first replies to the requests of these log entries.
local function reply_keys(log, events)
  local keys, prefix = {}, string.match(log, '^(.*:)log$')
  for _, event in ipairs(events) do
    local fields = event[2]
    for n = 1, #fields, 2 do
      if fields[n] == 'request' and fields[n + 1] ~= '' then
        keys[#keys + 1] = prefix .. 'request:' .. fields[n + 1]
      end
    end
  end
  return keys
end

-- Appends to the log of the account, and deletes the oldest entries with their first replies.
-- Writes.
local function append_event(log, action, request)
  local excess = redis.call('XLEN', log) + 1 - MAX_LOG_ENTRIES
  local oldest = excess > 0 and redis.call('XRANGE', log, '-', '+', 'COUNT', excess) or {}
  local replies = reply_keys(log, oldest)
  redis.call('XADD', log, 'MAXLEN', MAX_LOG_ENTRIES, '*', 'action', action, 'request', request)
  for _, key in ipairs(replies) do redis.call('DEL', key) end
end

