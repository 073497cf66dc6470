-- Appends an event that says how far a recording is read. Returns 1 where the session is there and goes on.
-- KEYS: tombstone, meta, events. ARGV: done_s, duration_s or nothing.
local tombstone, meta, events = KEYS[1], KEYS[2], KEYS[3]

if redis.call('EXISTS', tombstone) == 1 or redis.call('HEXISTS', meta, 'started') == 0 then
  return 0
end
redis.call('XADD', events, 'MAXLEN', '~', 1000, '*', 'kind', 'progress', 'done_s', ARGV[1], 'duration_s', ARGV[2])
redis.call('EXPIREAT', events, redis.call('HGET', meta, 'expires_at'))
return 1
