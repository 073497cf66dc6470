-- Begins a session, once. Returns 1 where the session is now this one, 0 where it was erased or belongs to another token.
-- KEYS: tombstone, meta, events, pages, and the session's other keys but its pages.
-- ARGV: what the names of pages begin with, token_sha256, started (JSON), seconds that it is kept, traceparent or nothing.
local tombstone, meta, events, pages = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local page, token, started, retention, traceparent = unpack(ARGV)

if redis.call('EXISTS', tombstone) == 1 then
  return 0
end
local owner = redis.call('HGET', meta, 'token_sha256')
if owner and owner ~= token then
  return 0
end
if owner then
  -- Its agent has started: its seconds count from here, once for each start, which may be delivered again.
  if started ~= redis.call('HGET', meta, 'started') and started ~= redis.call('HGET', meta, 'started_again') then
    redis.call('HSET', meta, 'started_again', started, 'began_at', string.format('%.6f', now()))
  end
  return 1
end
local expires_at = in_seconds(retention)
redis.call('HSET', meta, 'token_sha256', token, 'started', started, 'expires_at', expires_at,
  'began_at', string.format('%.6f', now()))
if traceparent ~= '' then
  redis.call('HSET', meta, 'traceparent', traceparent)
end
tell_traced(events, meta, traceparent, 'kind', 'started')
for i = 2, #KEYS do
  redis.call('EXPIREAT', KEYS[i], expires_at)
end
-- Evidence that came first: at most some ten minutes of pages, all in this session's slot.
for _, name in ipairs(redis.call('SMEMBERS', pages)) do
  redis.call('EXPIREAT', page .. name, expires_at)
end
return 1
