#!lua flags=allow-oom
-- Removes a registration for an organiser, at any time. The place goes to the first in the queue in
-- the same step. The user may not come back by themselves.
--
-- KEYS: as in competition.lua, 1 to 5.
-- ARGV: user id, request id, admin id, reason.
-- Answers {ended, state, revision, position, created_at, updated_at, reason, added_by},
--   {no_competition, revision}, {not_registered, revision}, {request_id_reused, revision}, or
--   {unsettled}: call again.

local user, request, admin, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
local current = parse_record(redis.call('HGET', REGISTRATIONS, user))
local past = parse_record(redis.call('HGET', PAST, user))
local answered = replay('ended', 'remove', current and REGISTRATIONS or PAST, user, current or past, request, reason)
if answered then return answered end
if not current then return { 'not_registered', digits(revision) } end
if settle(competition) then return { 'unsettled' } end
return leave(competition, {
  user = user, request = request, actor = 'admin:' .. admin, action = 'remove', state = 'R', note = reason,
}, current)
