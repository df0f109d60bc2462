#!lua flags=allow-oom
-- Takes a reserved attempt back: its password was right, or was not checked.
--
-- KEYS: 1 failures or confirmations
-- ARGV: who tried, end of the window, name of the day, end of the day.
-- Replies {released}.

local who, ends_at, day, day_ends_at = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
assert(day_ends_at, 'the end of a day is missing')

take_back(KEYS[1], who, ends_at)
take_back(KEYS[1], day, day_ends_at)
return { 'released' }
