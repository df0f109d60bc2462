#!lua flags=allow-oom
-- Changes a password, if it is still the one that was checked, and ends all other sessions.
--
-- KEYS: 1 credential  2 sessions  3 log  4 request
-- ARGV: request id, the password hash that was checked, the new one, hash of the token to keep.
-- Replies {changed}, also if the request is repeated; {refused} or {request_id_reused}.

local CREDENTIAL, SESSIONS, LOG, REQUEST = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local request, checked, new, kept = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- The passwords are not part of the fingerprint: a fast hash of a password would weaken the slow
-- one.
local FINGERPRINT = 'change_password'

local first = remembered(REQUEST, FINGERPRINT, 'changed')
if first then return first end
if redis.call('GET', CREDENTIAL) ~= checked then return { 'refused' } end
local session = redis.call('HGET', SESSIONS, kept)
local lifetime = redis.call('PTTL', SESSIONS)
expect_types({ [LOG] = 'stream' })

append_event(LOG, 'change_password', request)
redis.call('SET', CREDENTIAL, new)
redis.call('DEL', SESSIONS)
if session then
  redis.call('HSET', SESSIONS, kept, session)
  if lifetime > 0 then redis.call('PEXPIRE', SESSIONS, lifetime) end
end
remember_change(REQUEST, FINGERPRINT, {})
return { 'changed' }
