#!lua flags=allow-oom
-- Releases the address of an account.
--
-- KEYS: 1 the claim of the address.
-- ARGV: the claim as it was read, or the account id.
-- Replies {released} or {kept} (the claim is another one).

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'kept' } end
redis.call('DEL', KEYS[1])
return { 'released' }
