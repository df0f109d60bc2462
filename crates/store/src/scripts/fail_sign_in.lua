#!lua
-- Counts a failed sign-in. The count starts anew when the window since the first failure has passed.
--
-- KEYS: 1 throttle
-- ARGV: the window in ms.
-- Answers {counted, how many}.

local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { 'counted', count }
