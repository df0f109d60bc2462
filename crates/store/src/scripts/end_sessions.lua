#!lua flags=allow-oom
-- Ends one session, or all of them.
--
-- KEYS: 1 sessions  2 log
-- ARGV: token hash, or '' for all.
-- Replies {ended}.

local SESSIONS, LOG = KEYS[1], KEYS[2]
local token = assert(ARGV[1], 'the token hash is missing')
expect_types({ [SESSIONS] = 'hash', [LOG] = 'stream' })

append_event(LOG, 'sign_out', '')
if token == '' then redis.call('DEL', SESSIONS) else redis.call('HDEL', SESSIONS, token) end
return { 'ended' }
