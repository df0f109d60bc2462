-- Goes on with the promotions that a larger capacity asks for, at most 100 a call, and keeps the
-- remembered answer of the update up to date.
--
-- KEYS: as in competition.lua, 1 to 7.
-- ARGV: none.
-- Answers {settled} or {unsettled}: call again.

local competition = load_competition()
if not competition then return { 'settled' } end
local settled = settle(competition)
if redis.call('EXISTS', REQUEST) == 1 then remember(competition) end
return { settled and 'settled' or 'unsettled' }
