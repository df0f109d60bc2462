#!lua flags=allow-oom
-- Takes an admin from the set of the enabled owners, unless it is the last one.
--
-- KEYS: 1 owners
-- ARGV: admin id.
-- Answers {resigned} or {last_owner}.

local is_owner = redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1
if is_owner and redis.call('SCARD', KEYS[1]) == 1 then return { 'last_owner' } end
redis.call('SREM', KEYS[1], ARGV[1])
return { 'resigned' }
