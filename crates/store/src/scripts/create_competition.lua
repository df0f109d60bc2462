#!lua
-- Creates a competition as a draft. The log that a deleted draft of the same id left is continued.
--
-- KEYS: as in prelude_competition.lua and prelude_organiser.lua, 1 to 7.
-- ARGV: admin id, request id, fingerprint, after (JSON of the fields), deadline in ms, then names
--   and values for `meta`.
-- Replies {changed, <fields>}, {taken}, {request_id_reused} or {too_late, revision}.

local admin, request, fingerprint, after = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local repetition = repeated(fingerprint)
if repetition then return repetition end
local existing, revision = load_competition()
if existing then return { 'taken' } end
local competition = { revision = revision, now = milliseconds_now(), confirmed = 0, waiting = 0 }
if competition.now > tonumber(ARGV[5]) then return { 'too_late', digits(revision) } end
local fields = { 'state', 'draft', 'created_at', digits(competition.now) }
for n = 6, #ARGV do fields[#fields + 1] = ARGV[n] end
change(competition, {
  admin = admin, action = 'create', before = '', after = after, request = request, note = '',
}, fields)
local created = competition_fields(competition)
remember(REQUEST, fingerprint, created)
return reply('changed', created)
