#!lua
-- Deletes a draft. Its log stays, and says who deleted it.
--
-- KEYS: as in competition.lua and organiser.lua, 1 to 7.
-- ARGV: admin id, request id, fingerprint.
-- Answers {changed}, {no_competition, revision}, {not_draft, revision} or {request_id_reused}.

local admin, request, fingerprint = ARGV[1], ARGV[2], ARGV[3]
local answered = remembered(fingerprint)
if answered then return answered end
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
if competition.state ~= 'draft' then return { 'not_draft', digits(revision) } end
append(competition, 'admin:' .. admin, 'delete', '', '{"state":"draft"}', '{}', request, '')
save_revision(competition)
redis.call('HSET', REQUEST, 'fingerprint', fingerprint)
redis.call('EXPIRE', REQUEST, KEPT_SECONDS)
redis.call('DEL', META)
return { 'changed' }
