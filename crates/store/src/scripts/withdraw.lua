#!lua flags=allow-oom
-- Ends a user's own registration: a confirmed one until the competition starts, also when it is
-- full or registration has closed; a waitlisted one at any time. The first user of the waitlist gets
-- the place in the same step.
--
-- KEYS: as in prelude_competition.lua, 1 to 5.
-- ARGV: user id, request id.
-- Replies {ended, state, revision, position, created_at, updated_at, reason, added_by},
--   {no_competition, revision}, {not_registered, revision}, {started, revision, starts_at},
--   {request_id_reused, revision}, or {unsettled}: call again.

local user, request = ARGV[1], ARGV[2]
local competition, revision = load_competition()
if not competition or competition.state == 'draft' then
  return { 'no_competition', digits(revision) }
end
local current = parse_record(redis.call('HGET', REGISTRATIONS, user))
local past = parse_record(redis.call('HGET', PAST, user))
local expected = { word = 'ended', action = 'withdraw', note = '' }
local key = current and REGISTRATIONS or PAST
local repetition = first_reply(expected, key, user, current or past, request)
if repetition then return repetition end
if not current then return { 'not_registered', digits(revision) } end
if current.state ~= 'W' and competition.now >= competition.starts_at then
  return { 'started', digits(revision), digits(competition.starts_at) }
end
if settle(competition) then return { 'unsettled' } end
return leave(competition, {
  user = user, request = request, actor = 'user', action = 'withdraw', state = 'D', note = '',
  reason = '',
}, current)
