#!lua
-- Gives an address to an account for good, if the account still has the pending claim: the one of
-- this call, or the one of a repetition of the same request.
--
-- KEYS: 1 the claim of the address.
-- ARGV: account id.
-- Replies {confirmed} or {lost}.

local id = ARGV[1]
local claim = redis.call('GET', KEYS[1])
if claim == id then return { 'confirmed' } end
if not claim or not starts_with(claim, pending_of(id)) then return { 'lost' } end
redis.call('SET', KEYS[1], id)
return { 'confirmed' }
