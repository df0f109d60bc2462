#!lua
-- Spends the bootstrap token on one request; that request may be repeated.
--
-- KEYS: 1 the bootstrap token's hash, then a blank and the request that it was spent on, if any.
-- ARGV: token hash, request id.
-- Answers {spent}, {repeated} (it was spent on this request before) or {refused}.

local held = redis.call('GET', KEYS[1])
local spent = ARGV[1] .. ' ' .. ARGV[2]
if held == spent then return { 'repeated' } end
if held ~= ARGV[1] then return { 'refused' } end
redis.call('SET', KEYS[1], spent, 'KEEPTTL')
return { 'spent' }
