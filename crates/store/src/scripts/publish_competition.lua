#!lua
-- Publishes a draft.
--
-- KEYS: as in prelude_competition.lua and prelude_organiser.lua, 1 to 7.
-- ARGV: admin id, request id, fingerprint.
-- Replies {changed, <fields>}, {no_competition, revision}, {not_draft, revision}, {cancelled,
--   revision} or {request_id_reused}.

local admin, request, fingerprint = ARGV[1], ARGV[2], ARGV[3]
local repetition = repeated(fingerprint)
if repetition then return repetition end
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
if competition.state == 'cancelled' then return { 'cancelled', digits(revision) } end
if competition.state ~= 'draft' then return { 'not_draft', digits(revision) } end
change(competition, {
  admin = admin, action = 'publish', request = request, note = '',
  before = '{"state":"draft"}', after = '{"state":"published"}',
}, { 'state', 'published' })
return changed(competition, fingerprint)
