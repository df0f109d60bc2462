#!lua flags=allow-oom
-- Disables an admin and ends all sessions of the admin. A disabled admin stays disabled.
--
-- KEYS: 1 profile  2 sessions  3 log  4 request
-- ARGV: request id, fingerprint.
-- Replies {changed, <fields of the profile>}, {absent} or {request_id_reused}.

local PROFILE, SESSIONS, LOG, REQUEST = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local request, fingerprint = ARGV[1], ARGV[2]

local first = remembered(REQUEST, fingerprint, 'changed')
if first then return first end
if redis.call('EXISTS', PROFILE) == 0 then return { 'absent' } end
expect_profile_fields(PROFILE, 2)
expect_types({ [PROFILE] = 'hash', [SESSIONS] = 'hash', [LOG] = 'stream' })

append_event(LOG, 'disable', request)
redis.call('HSET', PROFILE, 'disabled', '1', 'updated_at', digits(milliseconds_now()))
redis.call('DEL', SESSIONS)
local profile = redis.call('HGETALL', PROFILE)
remember_change(REQUEST, fingerprint, profile)
return reply('changed', profile)
