#!lua flags=allow-oom
-- Cancels a published competition. Its records are kept.
--
-- KEYS: as in prelude_competition.lua and prelude_organiser.lua, 1 to 7.
-- ARGV: admin id, request id, fingerprint, reason.
-- Replies {changed, <fields>}, {no_competition, revision}, {not_published, revision},
--   {cancelled, revision}, {request_id_reused}, or {unsettled}: call again.

local admin, request, fingerprint, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local repetition = repeated(fingerprint)
if repetition then return repetition end
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
if competition.state == 'cancelled' then return { 'cancelled', digits(revision) } end
if competition.state == 'draft' then return { 'not_published', digits(revision) } end
if settle(competition) then return { 'unsettled' } end
change(competition, {
  admin = admin, action = 'cancel', request = request, note = reason,
  before = '{"state":"published"}', after = '{"state":"cancelled"}',
}, { 'state', 'cancelled' })
return changed(competition, fingerprint)
