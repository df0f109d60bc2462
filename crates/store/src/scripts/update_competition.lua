-- Changes a competition, if it is still the version that the caller read. A larger capacity promotes
-- the first in the queue in the same step, at most 100 of them; promote.lua goes on.
--
-- KEYS: as in competition.lua and organiser.lua, 1 to 7.
-- ARGV: admin id, request id, fingerprint, before and after (JSON of the changed fields), version that
--   was read, capacity ('' = no limit), then names and values for `meta`.
-- Answers {changed, <fields>}, {no_competition, revision}, {cancelled, revision}, {old_version, revision},
--   {capacity_below_confirmed, revision, confirmed}, {request_id_reused}, or {unsettled}: call again.

local admin, request, fingerprint = ARGV[1], ARGV[2], ARGV[3]
local before, after, version, capacity = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local answered = remembered(fingerprint)
if answered then return answered end
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
if competition.state == 'cancelled' then return { 'cancelled', digits(revision) } end
if redis.call('HGET', META, 'changed_at_revision') ~= version then return { 'old_version', digits(revision) } end
if not settle(competition) then return { 'unsettled' } end
local places = capacity == '' and math.huge or tonumber(capacity)
if places ~= competition.capacity and places < competition.confirmed then
  return { 'capacity_below_confirmed', digits(competition.revision), digits(competition.confirmed) }
end
local fields = {}
for n = 8, #ARGV do fields[#fields + 1] = ARGV[n] end
change(competition, admin, 'update', before, after, request, '', fields)
competition = load_competition()
settle(competition)
return remember(competition, fingerprint)
