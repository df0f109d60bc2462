#!lua
-- Turns the claim of an address into the account's, if the claim is still the account's: this call's, or
-- that of a repetition of the same request.
--
-- KEYS: 1 the claim of the address.
-- ARGV: account id.
-- Answers {confirmed} or {lost}.

local id = ARGV[1]
local held = redis.call('GET', KEYS[1]) or ''
local claim = 'pending:' .. id .. ':'
if held == id then return { 'confirmed' } end
if string.sub(held, 1, #claim) ~= claim then return { 'lost' } end
redis.call('SET', KEYS[1], id)
return { 'confirmed' }
