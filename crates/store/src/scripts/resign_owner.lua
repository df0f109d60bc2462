#!lua flags=allow-oom
-- Removes an admin from the set of the owners that are not disabled, unless it would be empty.
--
-- KEYS: 1 owners
-- ARGV: admin id, `owner` if the profile says that the admin is an owner and not disabled, or ''.
-- Replies {resigned} or {last_owner}.

local id, is_owner = ARGV[1], ARGV[2] == 'owner'
local others = redis.call('SCARD', KEYS[1]) - redis.call('SISMEMBER', KEYS[1], id)
if is_owner and others == 0 then return { 'last_owner' } end
redis.call('SREM', KEYS[1], id)
return { 'resigned' }
