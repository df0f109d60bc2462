#!lua
-- Claims an e-mail address for 10 minutes, for an account that is about to be created.
--
-- KEYS: 1 the claim of the address.
-- ARGV: account id, nonce.
-- Replies {claimed}, {owned} (this account has the address already), {taken, account id} (another
--   account has it), or {pending} (another account is being created with it).

local id, nonce = ARGV[1], ARGV[2]
local claim = redis.call('GET', KEYS[1])
if claim == id then return { 'owned' } end
if claim and not starts_with(claim, PENDING) then return { 'taken', claim } end
if claim and not starts_with(claim, pending_of(id)) then return { 'pending' } end
redis.call('SET', KEYS[1], pending_of(id) .. nonce, 'EX', 600)
return { 'claimed' }
