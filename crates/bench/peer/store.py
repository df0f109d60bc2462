"""The Redis scripts that both services share."""
import os

import redis.asyncio as redis

client = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"), decode_responses=True)

# Checks the session and adds the competition to the user's index.
# KEYS: session, index of the user. ARGV: competition id. Returns 'ok' or 'no_session'.
begin = client.register_script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 'no_session' end
redis.call('SADD', KEYS[2], ARGV[1])
return 'ok'
""")

# Registers a user: confirmed while there is a place, waitlisted otherwise.
# KEYS: competition, registrations (hash), confirmed and waitlist (sorted sets by order). ARGV: user id.
# Returns the state, or 'not_found', 'closed' or 'exists', and the order.
register = client.register_script("""
local c = redis.call('HMGET', KEYS[1], 'capacity', 'opens_at', 'closes_at')
if not c[1] then return {'not_found', 0} end
local now = tonumber(redis.call('TIME')[1])
if now < tonumber(c[2]) or now >= tonumber(c[3]) then return {'closed', 0} end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return {'exists', 0} end
local order = redis.call('HINCRBY', KEYS[1], 'order', 1)
if redis.call('ZCARD', KEYS[3]) < tonumber(c[1]) then
  redis.call('ZADD', KEYS[3], order, ARGV[1])
  redis.call('HSET', KEYS[2], ARGV[1], 'confirmed')
  return {'confirmed', order}
end
redis.call('ZADD', KEYS[4], order, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], 'waitlisted')
return {'waitlisted', order}
""")
