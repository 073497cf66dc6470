-- What every script begins with.

-- Appends an event. Of a long session the newest thousand or so are kept; where older ones are gone, "trimmed" is the
-- first that is left, so that whoever reads on after a break can tell that something is missing.
local function tell(events, meta, ...)
  local before = redis.call('XLEN', events)
  redis.call('XADD', events, 'MAXLEN', '~', 1000, '*', ...)
  if redis.call('XLEN', events) <= before then
    redis.call('HSET', meta, 'trimmed', redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1][1])
  end
end

-- Appends an event that a message with this trace context, or with none, has brought.
local function tell_traced(events, meta, traceparent, ...)
  local fields = {...}
  if traceparent ~= '' then
    fields[#fields + 1], fields[#fields + 2] = 'traceparent', traceparent
  end
  tell(events, meta, unpack(fields))
end

-- Returns the time of Redis in seconds.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

-- Returns the second that comes so many from now, by the clock that expires keys: a service whose own is wrong must not
-- end sessions early.
local function in_seconds(seconds)
  return string.format('%.0f', tonumber(redis.call('TIME')[1]) + tonumber(seconds))
end

-- Returns when the session expires; one whose start has not been heard is kept for a while.
local function expiry(meta, unknown_ttl)
  local expires_at = redis.call('HGET', meta, 'expires_at')
  if not expires_at then
    expires_at = in_seconds(unknown_ttl)
    redis.call('HSET', meta, 'expires_at', expires_at)
  end
  return expires_at
end
