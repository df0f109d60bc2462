#!lua flags=allow-oom
-- Ends a user's own registration, until the competition starts: full, closed, waiting or not. The
-- place goes to the first in the queue in the same step.
--
-- KEYS: as in competition.lua, 1 to 5.
-- ARGV: user id, request id, until (`start`: no longer once the competition has started, or `end`:
--   once it is over, for an account that is deleted: then a repetition ends what was begun since).
-- Answers {ended, state, revision, position, created_at, updated_at, reason, added_by},
--   {no_competition, revision}, {not_registered, revision}, {started, revision, starts_at},
--   {request_id_reused, revision}, or {unsettled}: call again.

local user, request, limit = ARGV[1], ARGV[2], ARGV[3]
local competition, revision = load_competition()
if not competition or competition.state == 'draft' then return { 'no_competition', digits(revision) } end
local current = parse_record(redis.call('HGET', REGISTRATIONS, user))
local past = parse_record(redis.call('HGET', PAST, user))
local key = current and REGISTRATIONS or PAST
local answered = limit == 'start' and replay('ended', 'withdraw', key, user, current or past, request, '')
if answered then return answered end
if not current then return { 'not_registered', digits(revision) } end
local last = limit == 'end' and competition.ends_at or competition.starts_at
if competition.now >= last then return { 'started', digits(revision), digits(competition.starts_at) } end
if settle(competition) then return { 'unsettled' } end
return leave(competition, {
  user = user, request = request, actor = 'user', action = 'withdraw', state = 'D', note = '',
}, current)
