-- Replaces redis.call in a script, so that a bug can change one kind of command.
-- The planted code sees `command` (name and arguments) and may change it, or return another reply.
local counts = string.match(ARGV[#ARGV] or '', '^counts (%d+ %d+)$')
local ARGV = counts and { unpack(ARGV, 1, #ARGV - 1) } or ARGV
local redis = (function(redis)
  local function call(...)
    local command = { ... }

    local function send() return redis.call(unpack(command)) end

    -- The value of a field in the arguments of HSET or XADD.
    local function get(name)
      for n = 3, #command - 1 do
        if command[n] == name then return command[n + 1], n + 1 end
      end
    end

    local function set(name, value)
      local _, position = get(name)
      if position then command[position] = value end
    end

    -- The entries that XRANGE finds, with their fields changed by `edit`.
    local function edit_entries(edit)
      local found = send()
      for _, entry in ipairs(found) do
        local fields, list = {}, entry[2]
        for n = 1, #list, 2 do fields[list[n]] = list[n + 1] end
        edit(fields)
        for n = 1, #list, 2 do list[n + 1] = fields[list[n]] end
      end
      return found
    end

    local key = command[2] or ''
    local kind = string.match(key, '^c:{.*}:(.*)$') or string.match(key, '^(%a+):')
    kind = kind and command[1] .. ' ' .. kind
    --PLANTED--
    return send()
  end
  return setmetatable({ call = call }, { __index = redis })
end)(redis)
