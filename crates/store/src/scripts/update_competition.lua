#!lua
-- Changes a competition, if it is still the version that the caller read. A larger capacity
-- promotes the first users of the waitlist in the same step, at most 100 of them; promote.lua
-- promotes the others.
--
-- KEYS: as in prelude_competition.lua and prelude_organiser.lua, 1 to 7.
-- ARGV: admin id, request id, fingerprint, before and after (JSON of the changed fields), the
--   version that was read, then names and values for `meta`: all fields that an organiser sets.
-- Replies {changed, <fields>}, {no_competition, revision}, {cancelled, revision}, {old_version,
--   revision}, {capacity_below_confirmed, revision, confirmed}, {request_id_reused}, or
--   {unsettled}: call again.

local admin, request, fingerprint = ARGV[1], ARGV[2], ARGV[3]
local before, after, version = ARGV[4], ARGV[5], ARGV[6]
local repetition = repeated(fingerprint)
if repetition then return repetition end
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
if competition.state == 'cancelled' then return { 'cancelled', digits(revision) } end
if redis.call('HGET', META, 'changed_at_revision') ~= version then
  return { 'old_version', digits(revision) }
end
if settle(competition) then return { 'unsettled' } end

local fields, new = { unpack(ARGV, 7) }, {}
for n = 1, #fields, 2 do new[fields[n]] = fields[n + 1] end
local capacity = new.capacity == '' and math.huge or tonumber(new.capacity)
if capacity < competition.capacity and capacity < competition.confirmed then
  return { 'capacity_below_confirmed', digits(revision), digits(competition.confirmed) }
end
-- The promotions of the changed competition are read before anything is written.
competition.capacity, competition.starts_at = capacity, tonumber(new.starts_at)
local queue = next_in_queue(competition)
change(competition, {
  admin = admin, action = 'update', before = before, after = after, request = request, note = '',
}, fields)
promote(competition, queue)
save_revision(competition)
return changed(competition, fingerprint)
