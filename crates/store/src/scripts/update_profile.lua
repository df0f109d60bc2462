#!lua
-- Changes a profile, if it is still the version that the caller read.
--
-- KEYS: 1 profile  2 log  3 request
-- ARGV: request id, fingerprint, version that was read, then names and values for `profile`.
-- Answers {changed, <fields of the profile>}, {old_version}, {absent} or {request_id_reused}.

local PROFILE, LOG, REQUEST = KEYS[1], KEYS[2], KEYS[3]
local request, fingerprint, version = ARGV[1], ARGV[2], ARGV[3]
local first = remembered(REQUEST, fingerprint)
if first == 'reused' then return { 'request_id_reused' } end
if first then return reply('changed', first) end
local found = redis.call('HGET', PROFILE, 'version')
if not found then return { 'absent' } end
if found ~= version then return { 'old_version' } end
expect_fields(PROFILE, 3)
expect_types({ [LOG] = 'stream' })
local changes = { 'updated_at', digits(milliseconds_now()), 'version', digits(tonumber(version) + 1) }
for n = 4, #ARGV do changes[#changes + 1] = ARGV[n] end

log(LOG, 'update_profile', request)
redis.call('HSET', PROFILE, unpack(changes))
local profile = redis.call('HGETALL', PROFILE)
remember(REQUEST, fingerprint, profile)
return reply('changed', profile)
