#!lua flags=no-writes
-- Lists the registrations of a competition in the order of their revision: walks the log and keeps
-- the entries that the truth still names.
--
-- KEYS: as in competition.lua, 1 to 5.
-- ARGV: revision to begin after, how many to answer, how many log entries to look at, and the letters
--   of the wanted states, such as CW.
-- Answers {last revision looked at, or '' at the end of the log, then {user id, registration} for each},
--   with registration as in read_competition.lua; or {no_competition}.

if redis.call('EXISTS', META) == 0 then return { 'no_competition' } end
local after, wanted, looks, states = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local answer = { '' }
local last, looked = after, 0
while looked < looks do
  -- No more at a time than may be wanted: each entry that Lua is handed costs some 3 us.
  local step = math.min(wanted, looks - looked)
  local entries = redis.call('XRANGE', LOG, digits(last + 1), '+', 'COUNT', step)
  for _, found in ipairs(entries) do
    last = tonumber(string.match(found[1], '^%d+'))
    local entry = named(found[2])
    local user = entry.user
    local text = user ~= '' and (redis.call('HGET', REGISTRATIONS, user) or redis.call('HGET', PAST, user))
    local record = text and parse_record(text)
    if record and record.revision == last and string.find(states, record.state, 1, true) then
      answer[#answer + 1] = { user, describe(user, record, entry) }
    end
    if #answer > wanted then break end
  end
  if #answer > wanted then break end
  if #entries < step then return answer end
  looked = looked + #entries
end
answer[1] = digits(last)
return answer
