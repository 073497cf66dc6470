-- Remembers that a stretch is to be forgotten. Returns 1 unless the session was erased, or has more stretches apart from
-- each other than every score of it can be held against.
-- KEYS: tombstone, meta. ARGV: seconds that an unknown session is kept, start_s, end_s.
local tombstone, meta = KEYS[1], KEYS[2]
local MAX_STRETCHES = 1000
local unknown_ttl, start_s, end_s = unpack(ARGV)

if redis.call('EXISTS', tombstone) == 1 then
  return 0
end
local stretches = {{tonumber(start_s), tonumber(end_s)}}
for from, to in string.gmatch(redis.call('HGET', meta, 'forgotten') or '', '(%S+) (%S+)') do
  stretches[#stretches + 1] = {tonumber(from), tonumber(to)}
end
table.sort(stretches, function(a, b) return a[1] < b[1] end)
-- Their union, so that neither order nor repetition shows, and asking often costs no more than asking once.
local union, last = {}, nil
for _, stretch in ipairs(stretches) do
  if last and stretch[1] <= last[2] then
    last[2] = math.max(last[2], stretch[2])
  else
    last = stretch
    union[#union + 1] = last
  end
end
if #union > MAX_STRETCHES then
  return 0
end
for i, stretch in ipairs(union) do
  union[i] = string.format('%.17g %.17g', stretch[1], stretch[2])
end
redis.call('HSET', meta, 'forgotten', table.concat(union, ' '))
redis.call('EXPIREAT', meta, expiry(meta, unknown_ttl))
return 1
