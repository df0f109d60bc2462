#!lua
-- Goes on with the promotions that a larger capacity asks for, at most 100 a call, and keeps the
-- remembered answer of the update up to date.
--
-- KEYS: as in competition.lua and organiser.lua, 1 to 7.
-- ARGV: fingerprint of the update.
-- Answers {changed, <fields>}, as the update does from now on; {no_competition, revision}; or
--   {unsettled}: call again.

local fingerprint = ARGV[1]
local answered = remembered(fingerprint)
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
if settle(competition) then
  remember(competition, fingerprint)
  return { 'unsettled' }
end
return answered or reply('changed', answer_fields(competition))
