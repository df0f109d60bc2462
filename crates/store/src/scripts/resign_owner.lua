#!lua flags=allow-oom
-- Takes an admin from the set of the enabled owners, unless nobody would be left in it.
--
-- KEYS: 1 owners
-- ARGV: admin id, `owner` if the profile says that this is an owner who is not disabled, or ''.
-- Answers {resigned} or {last_owner}.

local others = redis.call('SCARD', KEYS[1]) - redis.call('SISMEMBER', KEYS[1], ARGV[1])
if ARGV[2] == 'owner' and others == 0 then return { 'last_owner' } end
redis.call('SREM', KEYS[1], ARGV[1])
return { 'resigned' }
