#!lua flags=allow-oom
-- Ends a user's own registration: a confirmed one until the competition starts, also when it is
-- full or registration has closed; a waitlisted one at any time. The first user of the waitlist gets
-- the place in the same step.
--
-- KEYS: as in prelude_competition.lua, 1 to 5.
-- ARGV: user id, request id, limit of a confirmed registration (`start`: until the competition
--   starts, or `end`: until it is over, for an account that is erased; a repetition then also ends a
--   registration that was made since).
-- Replies {ended, state, revision, position, created_at, updated_at, reason, added_by},
--   {no_competition, revision}, {not_registered, revision}, {started, revision, starts_at},
--   {request_id_reused, revision}, or {unsettled}: call again.

local user, request, limit = ARGV[1], ARGV[2], ARGV[3]
local competition, revision = load_competition()
if not competition or competition.state == 'draft' then
  return { 'no_competition', digits(revision) }
end
local current = parse_record(redis.call('HGET', REGISTRATIONS, user))
local past = parse_record(redis.call('HGET', PAST, user))
local expected = { word = 'ended', action = 'withdraw', note = '' }
local repetition = limit == 'start' and
  first_reply(expected, current and REGISTRATIONS or PAST, user, current or past, request)
if repetition then return repetition end
if not current then return { 'not_registered', digits(revision) } end
local last = limit == 'end' and competition.ends_at or competition.starts_at
if current.state ~= 'W' and competition.now >= last then
  return { 'started', digits(revision), digits(competition.starts_at) }
end
if settle(competition) then return { 'unsettled' } end
return leave(competition, {
  user = user, request = request, actor = 'user', action = 'withdraw', state = 'D', note = '',
}, current)
