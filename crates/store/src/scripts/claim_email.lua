#!lua
-- Claims an e-mail address for an account that is about to be made, for 10 minutes.
--
-- KEYS: 1 the claim of the address.
-- ARGV: account id, nonce.
-- Answers {claimed}, {owned} (this account has it already), {taken, account id} (another has it), or
--   {pending} (another is being made with it).

local id, nonce = ARGV[1], ARGV[2]
local held = redis.call('GET', KEYS[1])
if held == id then return { 'owned' } end
if held and string.sub(held, 1, 8) ~= 'pending:' then return { 'taken', held } end
if held and string.sub(held, 1, 9 + #id) ~= 'pending:' .. id .. ':' then return { 'pending' } end
redis.call('SET', KEYS[1], 'pending:' .. id .. ':' .. nonce, 'EX', 600)
return { 'claimed' }
