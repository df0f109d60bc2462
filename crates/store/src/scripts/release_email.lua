#!lua flags=allow-oom
-- Frees an address that an account held.
--
-- KEYS: 1 the claim of the address.
-- ARGV: account id.
-- Answers {released} or {kept} (it was not this account's).

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'kept' } end
redis.call('DEL', KEYS[1])
return { 'released' }
