-- Takes the next place for a typed text, as published. Returns it, or -1 where the session is unknown, over or erased.
-- KEYS: tombstone, meta, counters. ARGV: none.
local tombstone, meta, counters = KEYS[1], KEYS[2], KEYS[3]

if redis.call('EXISTS', tombstone) == 1 or redis.call('HEXISTS', meta, 'started') == 0 then
  return -1
end
if redis.call('HEXISTS', meta, 'ended') == 1 then
  return -1
end
local place = redis.call('HINCRBY', counters, 'text:typed', 1) - 1
redis.call('EXPIREAT', counters, redis.call('HGET', meta, 'expires_at'))
return place
