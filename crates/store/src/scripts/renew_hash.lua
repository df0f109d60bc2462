#!lua flags=allow-oom
-- Replaces the hash of a password by another hash of the same password, if it is still the one that
-- was checked.
--
-- KEYS: 1 credential
-- ARGV: the password hash that was checked, the new one.
-- Replies {changed}, or {refused} (the password was changed).

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'refused' } end
redis.call('SET', KEYS[1], ARGV[2])
return { 'changed' }
