#!lua
-- Replaces the seal of a log by a later one, if nobody else was faster.
--
-- KEYS: 1 seal
-- ARGV: the seal that was read ('' = none), the later one.
-- Answers {sealed} or {overtaken}.

if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return { 'overtaken' } end
redis.call('SET', KEYS[1], ARGV[2])
return { 'sealed' }
