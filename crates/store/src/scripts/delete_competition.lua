#!lua flags=allow-oom
-- Deletes a draft. Its log stays, and names the admin who deleted it.
--
-- KEYS: as in prelude_competition.lua and prelude_organiser.lua, 1 to 7.
-- ARGV: admin id, request id, fingerprint.
-- Replies {changed}, {no_competition, revision}, {not_draft, revision} or {request_id_reused}.

local admin, request, fingerprint = ARGV[1], ARGV[2], ARGV[3]
local repetition = repeated(fingerprint)
if repetition then return repetition end
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
if competition.state ~= 'draft' then return { 'not_draft', digits(revision) } end
append(competition, {
  actor = 'admin:' .. admin, action = 'delete', user = '', request = request, note = '',
  before = '{"state":"draft"}', after = '{}',
})
save_revision(competition)
remember_change(REQUEST, fingerprint, {})
redis.call('DEL', META)
return { 'changed' }
