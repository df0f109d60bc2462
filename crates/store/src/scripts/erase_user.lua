#!lua flags=allow-oom
-- Erases the account of a user and all personal data, unless an index has an entry that the caller
-- has not seen. Keeps the log, which holds no personal data. Keeps the request id for the token of
-- the call for 24 hours, so that a repetition gets the same reply.
--
-- KEYS: 1 profile  2 credential  3 sessions  4 competitions  5 added  6 log  7 request
--   8 failures  9 confirmations  10 networks
-- ARGV: request id, the password hash that was checked, token hash, then the entries of the two
--   indexes that the caller has seen, each a competition id and its value.
-- Replies {erased}, {refused} (the password was changed), or {more} (read the indexes again).

local PROFILE, CREDENTIAL, SESSIONS, COMPETITIONS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ADDED, LOG, REQUEST = KEYS[5], KEYS[6], KEYS[7]
local FAILURES, CONFIRMATIONS, NETWORKS = KEYS[8], KEYS[9], KEYS[10]
local request, checked, token = ARGV[1], ARGV[2], ARGV[3]

if redis.call('GET', CREDENTIAL) ~= checked then return { 'refused' } end
-- An entry that was written again has another value, and belongs to a call that the caller has not
-- seen.
local seen = {}
for n = 4, #ARGV, 2 do seen[ARGV[n] .. ' ' .. ARGV[n + 1]] = true end
for _, index in ipairs({ COMPETITIONS, ADDED }) do
  local entries = redis.call('HGETALL', index)
  for n = 1, #entries, 2 do
    if not seen[entries[n] .. ' ' .. entries[n + 1]] then return { 'more' } end
  end
end
-- The kept replies to earlier requests hold personal data. The log names the requests.
local replies = {}
local prefix = string.sub(REQUEST, 1, #REQUEST - #request)
for _, event in ipairs(redis.call('XRANGE', LOG, '-', '+')) do
  local fields = event[2]
  for n = 1, #fields, 2 do
    if fields[n] == 'request' and fields[n + 1] ~= '' then
      replies[#replies + 1] = prefix .. fields[n + 1]
    end
  end
end

append_event(LOG, 'erase', request)
redis.call('DEL', PROFILE, CREDENTIAL, SESSIONS, COMPETITIONS, ADDED)
redis.call('DEL', FAILURES, CONFIRMATIONS, NETWORKS)
for _, key in ipairs(replies) do redis.call('DEL', key) end
redis.call('HSET', SESSIONS, token, 'erased ' .. request)
redis.call('EXPIRE', SESSIONS, KEPT_SECONDS)
return { 'erased' }
