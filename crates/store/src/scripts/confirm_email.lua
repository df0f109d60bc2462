#!lua
-- Turns the claim of an address into the account's, if the claim is still ours.
--
-- KEYS: 1 the claim of the address.
-- ARGV: account id, nonce.
-- Answers {confirmed} or {lost}.

local id, nonce = ARGV[1], ARGV[2]
local held = redis.call('GET', KEYS[1])
if held == id then return { 'confirmed' } end
if held ~= 'pending:' .. id .. ':' .. nonce then return { 'lost' } end
redis.call('SET', KEYS[1], id)
return { 'confirmed' }
