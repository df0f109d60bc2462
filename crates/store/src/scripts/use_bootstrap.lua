#!lua
-- Spends the bootstrap token on one request. That request may be repeated.
--
-- KEYS: 1 the hash of the bootstrap token, then a blank and the request that it was spent on, if
--   any.
-- ARGV: token hash, request id.
-- Replies {spent}, {repeated} (it was spent on this request before) or {refused}.

local token, request = ARGV[1], ARGV[2]
local spent = token .. ' ' .. request
local current = redis.call('GET', KEYS[1])
if current == spent then return { 'repeated' } end
if current ~= token then return { 'refused' } end
redis.call('SET', KEYS[1], spent, 'KEEPTTL')
return { 'spent' }
