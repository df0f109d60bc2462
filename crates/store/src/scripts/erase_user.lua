#!lua flags=allow-oom
-- Erases the account of a user and all personal data, unless an index has an entry that the caller
-- has not seen. Keeps the log, which holds no personal data, and the indexes, whose entries the
-- caller deletes one by one. Keeps the request id for the token of the call for 24 hours, so that a
-- repetition gets the same reply.
--
-- KEYS: 1 profile  2 credential  3 sessions  4 competitions  5 added  6 log
--   7 failures  8 confirmations  9 networks
-- ARGV: request id, the password hash that was checked, token hash, then the entries of the two
--   indexes that the caller has seen, each a competition id and its value.
-- Replies {erased}, {refused} (the password was changed), or {more} (read the indexes again).

local PROFILE, CREDENTIAL, SESSIONS, COMPETITIONS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ADDED, LOG = KEYS[5], KEYS[6]
local FAILURES, CONFIRMATIONS, NETWORKS = KEYS[7], KEYS[8], KEYS[9]
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
-- The first replies to earlier requests hold personal data.
local replies = reply_keys(LOG, redis.call('XRANGE', LOG, '-', '+'))

append_event(LOG, 'erase', request)
redis.call('DEL', PROFILE, CREDENTIAL, SESSIONS, FAILURES, CONFIRMATIONS, NETWORKS)
for _, key in ipairs(replies) do redis.call('DEL', key) end
redis.call('HSET', SESSIONS, token, 'erased ' .. request)
redis.call('EXPIRE', SESSIONS, KEPT_SECONDS)
return { 'erased' }
