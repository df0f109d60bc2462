#!lua flags=allow-oom
-- Opens a session for a person whose password was right, if the password and the account are still
-- the same as when it was checked. Keeps at most 20 sessions, by deleting the oldest. The failed
-- sign-ins from the network are forgotten, those from other networks are not.
--
-- KEYS: 1 profile  2 credential  3 sessions  4 failures  5 networks  6 log
-- ARGV: the password hash that was checked, token hash, lifetime of the session in ms, the network
--   that the attempt was reserved for, name of the day and its end, how long a network is known in
--   ms.
-- Replies {opened, expires_at} or {refused}.

local PROFILE, CREDENTIAL, SESSIONS = KEYS[1], KEYS[2], KEYS[3]
local FAILURES, NETWORKS, LOG = KEYS[4], KEYS[5], KEYS[6]
local checked, token, lifetime = ARGV[1], ARGV[2], parse_duration(ARGV[3])
local network, day, day_ends_at = ARGV[4], ARGV[5], ARGV[6]
local known_for = parse_duration(ARGV[7])
local MAX_SESSIONS = 20

local disabled = redis.call('HGET', PROFILE, 'disabled')
if disabled == '1' or redis.call('GET', CREDENTIAL) ~= checked then return { 'refused' } end
expect_types({ [LOG] = 'stream', [FAILURES] = 'hash', [NETWORKS] = 'hash' })

local now = milliseconds_now()
local open = {}
local sessions = redis.call('HGETALL', SESSIONS)

append_event(LOG, 'sign_in', '')
for n = 1, #sessions, 2 do
  local created_at, expires_at = string.match(sessions[n + 1], '^(%d+) (%d+)$')
  if expires_at and tonumber(expires_at) > now then
    open[#open + 1] = { token = sessions[n], created_at = tonumber(created_at) }
  else
    redis.call('HDEL', SESSIONS, sessions[n])
  end
end
table.sort(open, function(a, b) return a.created_at < b.created_at end)
for n = 1, #open - MAX_SESSIONS + 1 do redis.call('HDEL', SESSIONS, open[n].token) end
local expires_at = digits(now + lifetime)
redis.call('HSET', SESSIONS, token, digits(now) .. ' ' .. expires_at)
redis.call('PEXPIRE', SESSIONS, digits(lifetime))
redis.call('HDEL', FAILURES, network)
take_back(FAILURES, day, day_ends_at)
remember_network(NETWORKS, network, now, known_for)
return { 'opened', expires_at }
