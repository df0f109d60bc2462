#!lua flags=allow-oom
-- Removes a registration for an organiser, at any time. The first user of the waitlist gets the
-- place in the same step. The user cannot register again; only an organiser can add the user.
--
-- KEYS: as in prelude_competition.lua, 1 to 5.
-- ARGV: user id, request id, admin id, reason, and if the reason is not empty: its record for
--   `reasons:<user id>`, the note for the log.
-- Replies {ended, state, revision, position, created_at, updated_at, reason, added_by},
--   {no_competition, revision}, {not_registered, revision}, {request_id_reused, revision}, or
--   {unsettled}: call again.

local user, request, admin, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local reason_record, note = ARGV[5], ARGV[6] or ''
assert((reason ~= '') == (note ~= ''), 'the note of a reason is missing')
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
local current = parse_record(redis.call('HGET', REGISTRATIONS, user))
local past = parse_record(redis.call('HGET', PAST, user))
local expected = { word = 'ended', action = 'remove', note = reason }
local key = current and REGISTRATIONS or PAST
local repetition = first_reply(expected, key, user, current or past, request)
if repetition then return repetition end
if not current then return { 'not_registered', digits(revision) } end
if settle(competition) then return { 'unsettled' } end
return leave(competition, {
  user = user, request = request, actor = 'admin:' .. admin, action = 'remove', state = 'R',
  note = note, reason = reason, reason_record = reason_record,
}, current)
