-- Returns the seconds since a session began, or since its agent did where that started later, as text.
-- KEYS: meta. ARGV: seconds that it is kept: where it began before there was a note of it, it began so long before it ends.
local meta, retention = KEYS[1], tonumber(ARGV[1])

local began_at = redis.call('HGET', meta, 'began_at') or (redis.call('HGET', meta, 'expires_at') or now()) - retention
return string.format('%.6f', math.max(0, now() - tonumber(began_at)))
