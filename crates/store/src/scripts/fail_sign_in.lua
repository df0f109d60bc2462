#!lua
-- Counts a failed sign-in. The count starts anew when the window since the first failure has passed.
--
-- KEYS: 1 throttle
-- ARGV: the window in ms.
-- Answers {counted, how many}.

local window = tonumber(string.match(ARGV[1] or '', '^%d+$'))
assert(window and window > 0 and window < 2 ^ 52, 'the window cannot be read')
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', window)) end
return { 'counted', count }
