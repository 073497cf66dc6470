-- Appends an event that is about the session as a whole. Returns 1 where the session is there.
-- KEYS: tombstone, meta, events. ARGV: names and values of the event.
local tombstone, meta, events = KEYS[1], KEYS[2], KEYS[3]

if redis.call('EXISTS', tombstone) == 1 or redis.call('HEXISTS', meta, 'started') == 0 then
  return 0
end
tell(events, meta, unpack(ARGV))
redis.call('EXPIREAT', events, redis.call('HGET', meta, 'expires_at'))
return 1
