#!lua
-- Changes a profile, if it still has the version that the caller read.
--
-- KEYS: 1 profile  2 log  3 request
-- ARGV: request id, fingerprint, version that was read, then names and values for `profile`.
-- Replies {changed, <fields of the profile>}, {old_version}, {absent} or {request_id_reused}.

local PROFILE, LOG, REQUEST = KEYS[1], KEYS[2], KEYS[3]
local request, fingerprint, version = ARGV[1], ARGV[2], ARGV[3]

local first = remembered(REQUEST, fingerprint, 'changed')
if first then return first end
local current = redis.call('HGET', PROFILE, 'version')
if not current then return { 'absent' } end
if current ~= version then return { 'old_version' } end
local number = tonumber(string.match(version, '^%d+$'))
assert(number and number < 2 ^ 52, 'the version of a profile cannot be parsed')
expect_profile_fields(PROFILE, 3)
expect_types({ [LOG] = 'stream' })
local changes = { 'updated_at', digits(milliseconds_now()), 'version', digits(number + 1) }
for n = 4, #ARGV do changes[#changes + 1] = ARGV[n] end

append_event(LOG, 'update_profile', request)
redis.call('HSET', PROFILE, unpack(changes))
local profile = redis.call('HGETALL', PROFILE)
remember_change(REQUEST, fingerprint, profile)
return reply('changed', profile)
