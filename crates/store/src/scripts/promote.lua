#!lua
-- Continues the promotions that a larger capacity asks for, at most 100 a call, and keeps the
-- remembered reply of the update up to date.
--
-- KEYS: as in prelude_competition.lua and prelude_organiser.lua, 1 to 7.
-- ARGV: fingerprint of the update.
-- Replies {changed, <fields>}, as the update does from now on; {no_competition, revision}; or
--   {unsettled}: call again.

local fingerprint = ARGV[1]
local repetition = repeated(fingerprint)
local competition, revision = load_competition()
if not competition then return { 'no_competition', digits(revision) } end
if settle(competition) then
  changed(competition, fingerprint)
  return { 'unsettled' }
end
return repetition or reply('changed', competition_fields(competition))
