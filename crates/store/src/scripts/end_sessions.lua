#!lua flags=allow-oom
-- Ends one session, or all of them.
--
-- KEYS: 1 sessions  2 log
-- ARGV: token hash, or '' for all.
-- Answers {ended}.

local SESSIONS, LOG = KEYS[1], KEYS[2]
expect_types({ [SESSIONS] = 'hash', [LOG] = 'stream' })
log(LOG, 'sign_out', '')
if ARGV[1] == '' then redis.call('DEL', SESSIONS) else redis.call('HDEL', SESSIONS, ARGV[1]) end
return { 'ended' }
