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
local entries = redis.call('XRANGE', LOG, digits(after + 1), '+', 'COUNT', looks)
local answer = { '' }
for n, entry in ipairs(entries) do
  local revision = tonumber(string.match(entry[1], '^%d+'))
  local user = entry[2][8]
  local text = user ~= '' and (redis.call('HGET', REGISTRATIONS, user) or redis.call('HGET', PAST, user))
  local record = text and parse_record(text)
  if record and record.revision == revision and string.find(states, record.state, 1, true) then
    answer[#answer + 1] = { user, read_registration(user, text) }
  end
  local is_last = n == #entries and n < looks
  if #answer > wanted or (n == #entries and not is_last) then
    answer[1] = digits(revision)
    return answer
  end
end
return answer
