#!lua
-- Counts a failed sign-in. The count starts anew when the window since the first failure has
-- passed.
--
-- KEYS: 1 throttle
-- ARGV: length of the window in ms.
-- Replies {counted, number of failures}.

local window = parse_duration(ARGV[1])
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], digits(window)) end
return { 'counted', count }
