#!lua
-- Creates an account, with a first session if a token is given.
--
-- KEYS: 1 profile  2 credential  3 sessions  4 log  5 request  6 networks
-- ARGV: request id, fingerprint, deadline in ms, password hash, token hash ('' = no session),
--   lifetime of the session in ms, the network of the person ('' = unknown), how long it is known in
--   ms, then names and values for `profile`.
-- Replies {created, <fields>} with created_at and expires_at, also if the request is repeated;
--   {exists} (the id is or was taken), {request_id_reused} or {too_late}.

local PROFILE, CREDENTIAL, SESSIONS = KEYS[1], KEYS[2], KEYS[3]
local LOG, REQUEST, NETWORKS = KEYS[4], KEYS[5], KEYS[6]
local request, fingerprint, deadline = ARGV[1], ARGV[2], tonumber(ARGV[3])
local credential, token = ARGV[4], ARGV[5]
local lifetime = token == '' and 0 or parse_duration(ARGV[6])
local network, known_for = ARGV[7], parse_duration(ARGV[8])

local first = remembered(REQUEST, fingerprint, 'created')
if first then return first end
-- The log is kept when an account is erased, so that the id is never used again.
if redis.call('EXISTS', PROFILE, LOG) > 0 then return { 'exists' } end
local now = milliseconds_now()
if now > deadline then return { 'too_late' } end
expect_profile_fields(PROFILE, 8)
expect_types({ [CREDENTIAL] = 'string', [SESSIONS] = 'hash', [LOG] = 'stream', [NETWORKS] = 'hash' })

local created_at, expires_at = digits(now), digits(now + lifetime)
append_event(LOG, 'sign_up', request)
local profile = { 'created_at', created_at, 'updated_at', created_at, 'version', '1' }
for n = 9, #ARGV do profile[#profile + 1] = ARGV[n] end
redis.call('HSET', PROFILE, unpack(profile))
redis.call('SET', CREDENTIAL, credential)
if token ~= '' then
  redis.call('HSET', SESSIONS, token, created_at .. ' ' .. expires_at)
  redis.call('PEXPIRE', SESSIONS, digits(lifetime))
end
if network ~= '' then remember_network(NETWORKS, network, now, known_for) end
local fields = { 'created_at', created_at, 'expires_at', expires_at }
remember(REQUEST, fingerprint, fields)
return reply('created', fields)
