#!lua
-- Replaces the seal of a log by a later one, unless another process has replaced it.
--
-- KEYS: 1 seal
-- ARGV: the seal that was read ('' = none), the later one.
-- Replies {sealed} or {overtaken}.

if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return { 'overtaken' } end
redis.call('SET', KEYS[1], ARGV[2])
return { 'sealed' }
