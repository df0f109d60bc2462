#!lua
-- Opens a draft to the public.
--
-- KEYS: as in competition.lua and organiser.lua, 1 to 7.
-- ARGV: admin id, request id, fingerprint.
-- Answers {changed, <fields>}, {no_competition, revision}, {not_draft, revision}, {cancelled, revision}
--   or {request_id_reused}.

local admin, request, fingerprint = ARGV[1], ARGV[2], ARGV[3]
local answered = remembered(fingerprint)
if answered then return answered end
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
if competition.state == 'cancelled' then return { 'cancelled', digits(revision) } end
if competition.state ~= 'draft' then return { 'not_draft', digits(revision) } end
change(competition, admin, 'publish', '{"state":"draft"}', '{"state":"published"}', request, '',
  { 'state', 'published' })
return remember(competition, fingerprint)
