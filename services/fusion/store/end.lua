-- Ends a session, once. Returns 1 where it was not ended before.
-- KEYS: tombstone, meta, events. ARGV: seconds that an unknown session is kept, ended (JSON), traceparent or nothing.
local tombstone, meta, events = KEYS[1], KEYS[2], KEYS[3]
local unknown_ttl, ended, traceparent = unpack(ARGV)

if redis.call('EXISTS', tombstone) == 1 or redis.call('HSETNX', meta, 'ended', ended) == 0 then
  return 0
end
tell_traced(events, meta, traceparent, 'kind', 'ended')
local expires_at = expiry(meta, unknown_ttl)
redis.call('EXPIREAT', meta, expires_at)
redis.call('EXPIREAT', events, expires_at)
return 1
