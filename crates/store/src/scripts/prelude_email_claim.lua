-- The functions that the scripts about the claim of an e-mail address share.
--
-- A claim is a text: `<account id>` if the account has the address, or
-- `pending:<account id>:<nonce>` while the account is being created.

local PENDING = 'pending:'

local function starts_with(text, prefix)
  return string.sub(text, 1, #prefix) == prefix
end

-- The beginning of every pending claim of an account.
local function pending_of(id)
  return PENDING .. id .. ':'
end

