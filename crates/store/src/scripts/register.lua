#!lua
-- Registers users for a competition: each one is confirmed, waitlisted or refused, in the order
-- given. A damaged record of one user does not affect the others.
--
-- KEYS: as in prelude_competition.lua, 1 to 5.
-- ARGV: mode, then three for each user: user id, request id, deadline in ms (a call that arrives
--   later is refused). Modes: `register`; `ask` registers nobody; `preview` writes nothing, not even
--   the promotions that are due.
-- Replies a list, one for each user:
--   {registered, state, revision, position, created_at, updated_at, reason, added_by}
--   {full, revision, capacity, confirmed, waitlisted}   {not_open_yet, revision, opens_at}
--   {closed, revision, closed_at}   {cancelled, revision}   {removed, revision}
--   {already_registered, revision}  {request_id_reused, revision}
--   {no_competition, revision}      {too_late, revision}        {corrupt, error}
-- or, for all of them together, {unsettled}: call again.

local PREVIEW = ARGV[1] == 'preview'
local IS_DRY = ARGV[1] ~= 'register'
local EXPECTED = { word = 'registered', action = 'register', note = '' }

local function refusal(competition, past)
  if competition.state == 'cancelled' then return { 'cancelled', digits(competition.revision) } end
  if past and past.state == 'R' then return { 'removed', digits(competition.revision) } end
  if competition.now < competition.opens_at then
    return { 'not_open_yet', digits(competition.revision), digits(competition.opens_at) }
  end
  if competition.now >= competition.closes_at then
    return { 'closed', digits(competition.revision), digits(competition.closes_at) }
  end
end

local function register(competition, user, request, deadline)
  if competition.now > deadline then return { 'too_late', digits(competition.revision) } end
  local current = parse_record(redis.call('HGET', REGISTRATIONS, user))
  local past = not current and parse_record(redis.call('HGET', PAST, user)) or nil
  local key = not IS_DRY and (current and REGISTRATIONS or PAST)
  local repetition = first_reply(EXPECTED, key, user, current or past, request)
  if repetition then return repetition end
  if current then return { 'already_registered', digits(competition.revision) } end
  return refusal(competition, past) or enter(competition, {
    user = user, request = request, actor = 'user', action = 'register', added_by = '-', note = '',
    dry = IS_DRY,
  }, past)
end

-- Counts the promotions that are due, without making them.
local function count_due_promotions(competition)
  local due = claims(competition)
  competition.revision = competition.revision + due
  competition.confirmed = competition.confirmed + due
  competition.waiting = competition.waiting - due
end

local competition, revision = load_competition()
if competition and PREVIEW then
  count_due_promotions(competition)
elseif competition and settle(competition) then
  return { 'unsettled' }
end
local replies = {}
local before = competition and competition.revision
for n = 2, #ARGV, 3 do
  if not competition or competition.state == 'draft' then
    replies[#replies + 1] = { 'no_competition', digits(revision) }
  else
    local user, request, deadline = ARGV[n], ARGV[n + 1], tonumber(ARGV[n + 2])
    local is_done, result = pcall(register, competition, user, request, deadline)
    -- An error of Redis is a table, an error of Lua is a text.
    local why = not is_done and (type(result) == 'table' and result.err or tostring(result))
    replies[#replies + 1] = is_done and result or { 'corrupt', why }
  end
end
if competition and competition.revision > before then save_revision(competition) end
return replies
