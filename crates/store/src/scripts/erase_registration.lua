#!lua flags=allow-oom
-- Withdraws a user whose account is erased: a confirmed one until the competition is over, a
-- waitlisted one at any time; and erases the reasons of the user's removals in any case. The first
-- user of the waitlist gets the place in the same step. A repetition also ends a registration that
-- was made since.
--
-- KEYS: as in prelude_competition.lua, 1 to 5.
-- ARGV: user id, request id.
-- Replies {erased}, also if there is nothing to do, {no_competition}, or {unsettled}: call again.

local user, request = ARGV[1], ARGV[2]
local competition = load_competition()
if not competition then return { 'no_competition' } end
local current = parse_record(redis.call('HGET', REGISTRATIONS, user))
if current and (current.state == 'W' or competition.now < competition.ends_at) then
  -- Fails if the key has a wrong type, before `leave` writes it.
  redis.call('HLEN', PAST)
  if settle(competition) then return { 'unsettled' } end
  leave(competition, {
    user = user, request = request, actor = 'user', action = 'withdraw', state = 'D', note = '',
    reason = '',
  }, current)
end
redis.call('DEL', reasons_key(user))
return { 'erased' }
