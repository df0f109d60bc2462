#!lua
-- Adds a registration for an organiser, also of a user who was removed. The user goes behind the
-- waitlist, unless the organiser sets over_capacity. After the start the user gets a free place, or
-- is refused.
--
-- KEYS: as in prelude_competition.lua, 1 to 5.
-- ARGV: user id, request id, admin id, ignore_window (1 or 0), over_capacity (1 or 0), deadline in
--   ms.
-- Replies one of register.lua's replies for one user, without {removed}, or {not_published,
--   revision}, or {unsettled}: call again.

local user, request, admin = ARGV[1], ARGV[2], ARGV[3]
local ignore_window, over_capacity = ARGV[4] == '1', ARGV[5] == '1'
local note = (ignore_window and 'ignore_window ' or '') ..
  (over_capacity and 'over_capacity ' or '')

local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
if competition.now > tonumber(ARGV[6]) then return { 'too_late', digits(revision) } end
local current = parse_record(redis.call('HGET', REGISTRATIONS, user))
local past = parse_record(redis.call('HGET', PAST, user))
local expected = { word = 'registered', action = 'add', note = note }
local key = current and REGISTRATIONS or PAST
local repetition = first_reply(expected, key, user, current or past, request)
if repetition then return repetition end
if current then return { 'already_registered', digits(revision) } end
if competition.state == 'draft' then return { 'not_published', digits(revision) } end
if competition.state == 'cancelled' then return { 'cancelled', digits(revision) } end
if not ignore_window and competition.now < competition.opens_at then
  return { 'not_open_yet', digits(revision), digits(competition.opens_at) }
end
if not ignore_window and competition.now >= competition.closes_at then
  return { 'closed', digits(revision), digits(competition.closes_at) }
end
if settle(competition) then return { 'unsettled' } end
local result = enter(competition, {
  user = user, request = request, actor = 'admin:' .. admin, action = 'add', added_by = admin,
  note = note, over_capacity = over_capacity,
}, past)
save_revision(competition)
return result
