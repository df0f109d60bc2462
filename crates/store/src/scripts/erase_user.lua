-- Erases a user's account and all personal data, unless it has entered a competition that the caller
-- has not seen yet. The log stays: it holds no personal data. The answer to this request is kept for the
-- token that asked, so that a repetition is answered too.
--
-- KEYS: 1 profile  2 credential  3 sessions  4 competitions  5 added  6 log  7 throttle  8 request
-- ARGV: request id, the password hash that was checked, hash of the token, then the competition ids
--   that the caller has seen.
-- Answers {erased}, {refused} (the password was changed), or {more}: look at the competitions again.

local PROFILE, CREDENTIAL, SESSIONS, COMPETITIONS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ADDED, LOG, THROTTLE, REQUEST = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local request, checked, token = ARGV[1], ARGV[2], ARGV[3]
if redis.call('GET', CREDENTIAL) ~= checked then return { 'refused' } end
local seen = {}
for n = 4, #ARGV do seen[ARGV[n]] = true end
for _, index in ipairs({ COMPETITIONS, ADDED }) do
  for _, id in ipairs(redis.call('HKEYS', index)) do
    if not seen[id] then return { 'more' } end
  end
end
local entries = redis.call('XRANGE', LOG, '-', '+')
local prefix = string.sub(REQUEST, 1, #REQUEST - #request)

log(LOG, 'erase', request)
redis.call('DEL', PROFILE, CREDENTIAL, SESSIONS, COMPETITIONS, ADDED, THROTTLE)
for _, entry in ipairs(entries) do
  local past_request = entry[2][4]
  if past_request ~= '' then redis.call('DEL', prefix .. past_request) end
end
redis.call('HSET', SESSIONS, token, 'erased ' .. request)
redis.call('EXPIRE', SESSIONS, KEPT_SECONDS)
return { 'erased' }
