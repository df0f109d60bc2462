#!lua flags=allow-oom
-- Reserves an attempt to give the password of an account, before the password is checked, so that
-- attempts at the same time stay within the limits. A wrong password needs no further call; for a
-- right one, or if no password was checked, the attempt is taken back. Runs when memory is full,
-- so that guesses are counted then too: the key has few fields and expires.
--
-- KEYS: 1 failures or confirmations  2 networks  3 credential  4 profile
-- ARGV: who tries (a network or a session), `network` or `session`, for how many ms to refuse a
--   network from which the person has not signed in before (0 = not at all), the limit in a window,
--   the window in ms, the limit in a day, the day in ms, how long a network is known in ms.
-- Replies {reserved, end of the window, name of the day, end of the day, password hash, e-mail
--   address} (the last two are '' without an account), or {refused, ms until the next attempt}.

local ATTEMPTS, NETWORKS, CREDENTIAL, PROFILE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local who, kind, blocked_for = ARGV[1], ARGV[2], tonumber(ARGV[3])
local limit, window = parse_duration(ARGV[4]), parse_duration(ARGV[5])
local day_limit, day = parse_duration(ARGV[6]), parse_duration(ARGV[7])
local known_for = parse_duration(ARGV[8])

local now = milliseconds_now()
local has_own_day = kind == 'session'
if not has_own_day then
  local signed_in_at = string.match(redis.call('HGET', NETWORKS, who) or '', '^%d+$')
  has_own_day = signed_in_at and tonumber(signed_in_at) + known_for > now
end

local day_of = has_own_day and who .. '/day' or 'others/day'
local ended, found = {}, redis.call('HGETALL', ATTEMPTS)
local counts, ends = { [who] = 0, [day_of] = 0 }, { [who] = now + window, [day_of] = now + day }
for n = 1, #found, 2 do
  local name = found[n]
  local longest = string.match(name, '/day$') and day or window
  local count, ends_at = parse_attempts(found[n + 1], now, longest)
  if count == 0 then
    ended[#ended + 1] = name
  elseif counts[name] then
    counts[name], ends[name] = count, ends_at
  end
end
local wait = has_own_day and 0 or blocked_for
if counts[who] >= limit then wait = math.max(wait, ends[who] - now) end
if counts[day_of] >= day_limit then wait = math.max(wait, ends[day_of] - now) end
if wait > 0 then return { 'refused', digits(wait) } end
local credential = redis.call('GET', CREDENTIAL) or ''
local email = redis.call('HGET', PROFILE, 'email') or ''

for _, name in ipairs(ended) do redis.call('HDEL', ATTEMPTS, name) end
for _, name in ipairs({ who, day_of }) do
  redis.call('HSET', ATTEMPTS, name, digits(counts[name] + 1) .. ' ' .. digits(ends[name]))
end
redis.call('PEXPIRE', ATTEMPTS, digits(day))
return { 'reserved', digits(ends[who]), day_of, digits(ends[day_of]), credential, email }
