#!lua flags=allow-oom
-- Deletes an entry of a user's index, unless it was written again since it was read.
--
-- KEYS: 1 the index
-- ARGV: competition id, the value that was read.
-- Replies {forgotten} or {kept}.

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return { 'kept' } end
redis.call('HDEL', KEYS[1], ARGV[1])
return { 'forgotten' }
