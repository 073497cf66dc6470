-- Takes tokens out of a bucket (Turner 1986). Returns 0, or where there are too few takes none and returns the seconds
-- until there are, as text.
-- KEYS: bucket. ARGV: tokens that come back a second, tokens of a full bucket, tokens to take (0 only looks for one).
local bucket = KEYS[1]
local rate, full, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local kept = redis.call('HMGET', bucket, 'left', 'at')
local left = full
if kept[1] then
  left = math.min(full, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * rate)
end
local needed = math.max(1, count)
if left < needed then
  return string.format('%.6f', (needed - left) / rate)
end
if count > 0 then
  redis.call('HSET', bucket, 'left', string.format('%.6f', left - count), 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', bucket, math.ceil(1000 * full / rate))
end
return '0'
