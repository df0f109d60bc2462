#!lua
-- Opens a session for a person whose password was right, if the password and the account are still
-- the same as when it was checked. Keeps at most 20 sessions, by deleting the oldest.
--
-- KEYS: 1 profile  2 credential  3 sessions  4 throttle  5 log
-- ARGV: the password hash that was checked, token hash, lifetime of the session in ms.
-- Replies {opened, expires_at} or {refused}.

local PROFILE, CREDENTIAL, SESSIONS, THROTTLE, LOG = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local checked, token, lifetime = ARGV[1], ARGV[2], parse_duration(ARGV[3])
local MAX_SESSIONS = 20

local disabled = redis.call('HGET', PROFILE, 'disabled')
if disabled == '1' or redis.call('GET', CREDENTIAL) ~= checked then return { 'refused' } end
expect_types({ [LOG] = 'stream' })

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
redis.call('DEL', THROTTLE)
return { 'opened', expires_at }
