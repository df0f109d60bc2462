#!lua flags=no-writes
-- Reads a competition, and one user's registration in it if a user is named, at one revision.
--
-- KEYS: as in competition.lua, 1 to 5.
-- ARGV: user id, or nothing.
-- Answers {competition fields as a list of names and values, registration or {}}, where a
--   registration is {registration, state, revision, position, created_at, updated_at, reason, added_by};
--   or {{}, {}} if there is no such competition.

local meta = redis.call('HGETALL', META)
if #meta == 0 then return { {}, {} } end
local waiting = redis.call('ZCARD', WAITLIST)
local function put(name, value)
  meta[#meta + 1] = name
  meta[#meta + 1] = value
end
put('revision', redis.call('GET', REVISION))
put('confirmed_count', digits(redis.call('HLEN', REGISTRATIONS) - waiting))
put('waitlisted_count', digits(waiting))

local user = ARGV[1]
if not user then return { meta, {} } end
return { meta, read_registration(user, redis.call('HGET', REGISTRATIONS, user) or redis.call('HGET', PAST, user)) }
