-- The functions of the scripts that count the attempts to give the password of an account.
--
-- `failures` and `confirmations` are hashes: who tries -> `<attempts> <end of their window>`, in
--   milliseconds. Each attempt counts twice: in a short window, under the network or the session
--   that tries, and in a day. A network that the person signed in from before, and a session, have
--   a day of their own, `<who>/day`. The other networks share the day `others/day`.
-- `networks` is a hash: a network that the person signed in from -> when, in milliseconds.

local MAX_NETWORKS = 16

-- Parses a number of attempts and the end of their window. Returns 0 if the window has ended, or is
-- longer than `longest` ms and so was not written by a script.
local function parse_attempts(text, now, longest)
  local count, ends_at = string.match(text or '', '^(%d+) (%d+)$')
  count, ends_at = tonumber(count), tonumber(ends_at)
  if not count or ends_at <= now or ends_at > now + longest then return 0 end
  return count, ends_at
end

-- Takes one attempt back, unless its window has ended since. Writes.
local function take_back(attempts, who, ends_at)
  local count, found = string.match(redis.call('HGET', attempts, who) or '', '^(%d+) (%d+)$')
  if found ~= ends_at then return end
  if tonumber(count) > 1 then
    redis.call('HSET', attempts, who, digits(tonumber(count) - 1) .. ' ' .. ends_at)
  else
    redis.call('HDEL', attempts, who)
  end
end

-- Remembers a network for `lifetime` ms, and forgets the oldest one if there are too many. Writes.
local function remember_network(networks, network, now, lifetime)
  redis.call('HSET', networks, network, digits(now))
  redis.call('PEXPIRE', networks, digits(lifetime))
  local known, entries = {}, redis.call('HGETALL', networks)
  for n = 1, #entries, 2 do
    local at = tonumber(string.match(entries[n + 1], '^%d+$')) or 0
    if at + lifetime <= now then
      redis.call('HDEL', networks, entries[n])
    else
      known[#known + 1] = { network = entries[n], at = at }
    end
  end
  table.sort(known, function(a, b) return a.at < b.at end)
  for n = 1, #known - MAX_NETWORKS do redis.call('HDEL', networks, known[n].network) end
end

