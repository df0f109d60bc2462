#!lua flags=allow-oom
-- Erases a user's account and all personal data, unless it has entered a competition that the caller
-- has not seen yet. The log stays: it holds no personal data. The answer to this request is kept for the
-- token that asked, so that a repetition is answered too.
--
-- KEYS: 1 profile  2 credential  3 sessions  4 competitions  5 added  6 log  7 throttle  8 request
-- ARGV: request id, the password hash that was checked, hash of the token, then the entries of the
--   two indexes that the caller has seen, each a competition id and its value.
-- Answers {erased}, {refused} (the password was changed), or {more}: look at the competitions again.

local PROFILE, CREDENTIAL, SESSIONS, COMPETITIONS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ADDED, LOG, THROTTLE, REQUEST = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local request, checked, token = ARGV[1], ARGV[2], ARGV[3]
if redis.call('GET', CREDENTIAL) ~= checked then return { 'refused' } end
-- An entry that was written again since belongs to a call that the caller has not seen.
local seen = {}
for n = 4, #ARGV, 2 do seen[ARGV[n] .. ' ' .. ARGV[n + 1]] = true end
for _, index in ipairs({ COMPETITIONS, ADDED }) do
  local entries = redis.call('HGETALL', index)
  for n = 1, #entries, 2 do
    if not seen[entries[n] .. ' ' .. entries[n + 1]] then return { 'more' } end
  end
end
-- What earlier requests were answered holds personal data.
local prefix = string.sub(REQUEST, 1, #REQUEST - #request)
local answers = {}
for _, entry in ipairs(redis.call('XRANGE', LOG, '-', '+')) do
  local past_request = entry[2][4]
  if past_request and past_request ~= '' then answers[#answers + 1] = prefix .. past_request end
end

log(LOG, 'erase', request)
redis.call('DEL', PROFILE, CREDENTIAL, SESSIONS, COMPETITIONS, ADDED, THROTTLE)
for _, answer in ipairs(answers) do redis.call('DEL', answer) end
redis.call('HSET', SESSIONS, token, 'erased ' .. request)
redis.call('EXPIRE', SESSIONS, KEPT_SECONDS)
return { 'erased' }
