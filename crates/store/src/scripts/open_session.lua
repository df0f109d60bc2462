#!lua
-- Opens a session for a person whose password was right, if the password and the account are still
-- what they were when it was checked. At most 20 sessions are kept: the oldest makes room.
--
-- KEYS: 1 profile  2 credential  3 sessions  4 throttle  5 log
-- ARGV: the password hash that was checked, token hash, life of the session in ms.
-- Answers {opened, expires_at} or {refused}.

local PROFILE, CREDENTIAL, SESSIONS, THROTTLE, LOG = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local checked, token, life = ARGV[1], ARGV[2], duration(ARGV[3])
local MOST_SESSIONS = 20

local disabled = redis.call('HGET', PROFILE, 'disabled')
if disabled == '1' or redis.call('GET', CREDENTIAL) ~= checked then return { 'refused' } end
expect_types({ [LOG] = 'stream' })

local now = milliseconds_now()
local open = {}
local sessions = redis.call('HGETALL', SESSIONS)

log(LOG, 'sign_in', '')
for n = 1, #sessions, 2 do
  local created, expires = string.match(sessions[n + 1], '^(%d+) (%d+)$')
  if expires and tonumber(expires) > now then
    open[#open + 1] = { token = sessions[n], created = tonumber(created) }
  else
    redis.call('HDEL', SESSIONS, sessions[n])
  end
end
table.sort(open, function(a, b) return a.created < b.created end)
for n = 1, #open - MOST_SESSIONS + 1 do redis.call('HDEL', SESSIONS, open[n].token) end
redis.call('HSET', SESSIONS, token, digits(now) .. ' ' .. digits(now + life))
redis.call('PEXPIRE', SESSIONS, life)
redis.call('DEL', THROTTLE)
return { 'opened', digits(now + life) }
