#!lua flags=no-writes
-- Reads a competition, and one user's registration in it, at one revision.
--
-- KEYS: as in prelude_competition.lua, 1 to 5.
-- ARGV: user id ('' = no registration is read), the revision that the caller knows ('' = none).
-- Replies {competition fields as a list of names and values, registration or {}}, where a
--   registration is {registration, state, revision, position, created_at, updated_at, reason,
--   added_by}; {{'unchanged'}, registration or {}} if the competition has the revision that the
--   caller knows; or {{}, {}} if there is no such competition.

local user, known = ARGV[1], ARGV[2]

local function read_fields()
  local revision = redis.call('GET', REVISION)
  if revision and revision == known then return { 'unchanged' } end
  local fields = redis.call('HGETALL', META)
  if #fields == 0 then return fields end
  local waiting = redis.call('ZCARD', WAITLIST)
  local function put(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  put('revision', revision)
  put('confirmed_count', digits(redis.call('HLEN', REGISTRATIONS) - waiting))
  put('waitlisted_count', digits(waiting))
  return fields
end

local fields = read_fields()
if #fields == 0 or user == '' then return { fields, {} } end
local record = redis.call('HGET', REGISTRATIONS, user) or redis.call('HGET', PAST, user)
return { fields, read_registration(user, record) }
