#!lua flags=no-writes
-- Lists the registrations of a competition in the order of their revisions. Walks the log and keeps
-- the entries that are the last ones of their users.
--
-- KEYS: as in prelude_competition.lua, 1 to 5.
-- ARGV: revision to begin after, the most registrations to return, the most log entries to read,
--   and the letters of the wanted states, such as CW.
-- Replies {listed, last revision that was read or '' at the end of the log, a list of
--   {user id, registration}}, with registration as in read_competition.lua; or {no_competition}.

if redis.call('EXISTS', META) == 0 then return { 'no_competition' } end
local after, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local max_entries, states = tonumber(ARGV[3]), ARGV[4]
local listed = {}
local last, read = after, 0
while read < max_entries and #listed < wanted do
  -- No more at a time than may be wanted: each entry costs Lua some 3 us.
  local step = math.min(wanted, max_entries - read)
  local entries = redis.call('XRANGE', LOG, digits(last + 1), '+', 'COUNT', step)
  for _, found in ipairs(entries) do
    if #listed == wanted then break end
    last = tonumber(string.match(found[1], '^%d+'))
    local entry = by_name(found[2])
    local user = entry.user
    local text = user ~= '' and
      (redis.call('HGET', REGISTRATIONS, user) or redis.call('HGET', PAST, user))
    local record = text and parse_record(text)
    if record and record.revision == last and string.find(states, record.state, 1, true) then
      listed[#listed + 1] = { user, describe(user, record, entry) }
    end
  end
  if #listed < wanted and #entries < step then return { 'listed', '', listed } end
  read = read + #entries
end
return { 'listed', digits(last), listed }
