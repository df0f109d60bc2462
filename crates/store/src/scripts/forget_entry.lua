#!lua flags=allow-oom
-- Takes an entry from a user's index, unless it was written again meanwhile.
--
-- KEYS: 1 the index
-- ARGV: competition id, the value that was read.
-- Answers {forgotten} or {kept}.

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return { 'kept' } end
redis.call('HDEL', KEYS[1], ARGV[1])
return { 'forgotten' }
