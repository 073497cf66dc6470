-- Ends a session, once. Returns 1 where it was not ended before. What its agent says of the end, who knows what was
-- published, takes the place of what somebody else made of it before.
-- KEYS: tombstone, meta, events. ARGV: seconds that an unknown session is kept, ended (JSON), traceparent or nothing,
--       1 where it is not its agent who says so, otherwise 0.
local tombstone, meta, events = KEYS[1], KEYS[2], KEYS[3]
local unknown_ttl, ended, traceparent, outside = unpack(ARGV)

if redis.call('EXISTS', tombstone) == 1 then
  return 0
end
local is_new = redis.call('HSETNX', meta, 'ended', ended)
if is_new == 1 and outside == '1' then
  redis.call('HSET', meta, 'ended_outside', 1)
elseif is_new == 0 then
  if outside == '1' or redis.call('HDEL', meta, 'ended_outside') == 0 then
    return 0
  end
  redis.call('HSET', meta, 'ended', ended)
end
tell_traced(events, meta, traceparent, 'kind', 'ended')
local expires_at = expiry(meta, unknown_ttl)
redis.call('EXPIREAT', meta, expires_at)
redis.call('EXPIREAT', events, expires_at)
return is_new
