-- Accounts for one chunk, once: a score or a loss. Returns 1 where it changed anything.
-- KEYS: tombstone, meta, counters, totals, evidence, order, events, pages, and the one or two pages it touches.
-- ARGV: now, seconds that an unknown session is kept, field, value (its first character is its rank), modality, seq,
--       outcome, reason, model, start_s, event, sums of the session, then for each bin: index of its page's key in
--       KEYS, name of the page, field, sums.
local tombstone, meta, counters, totals = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local evidence, order, events, pages = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local now, unknown_ttl, field, value, modality, seq = unpack(ARGV, 1, 6)
local outcome, reason, model, start_s, event, sums = unpack(ARGV, 7, 12)

-- Sums stay below 2^53, where doubles are exact.
local function add(key, name, packed)
  local current = redis.call('HGET', key, name)
  if current then
    local result, old = {}, string.gmatch(current, '%S+')
    for number in string.gmatch(packed, '%S+') do
      result[#result + 1] = string.format('%.0f', tonumber(number) + tonumber(old()))
    end
    packed = table.concat(result, ' ')
  end
  redis.call('HSET', key, name, packed)
end

local function count(how, why, step)
  redis.call('HINCRBY', counters, modality .. ':' .. how, step)
  if why ~= '' then
    redis.call('HINCRBY', counters, modality .. ':reason:' .. why, step)
  end
end

if redis.call('EXISTS', tombstone) == 1 then
  return 0
end

-- A higher rank takes the place of a lower: a chunk that was scored was not lost, whichever was heard first.
local previous = redis.call('HGET', evidence, field)
if previous then
  if string.sub(previous, 1, 1) >= string.sub(value, 1, 1) then
    return 0
  end
  local how, why = string.match(previous, '^%d(%a+):(.*)$')
  count(how, why, -1)
end

redis.call('HSET', evidence, field, value)
count(outcome, reason, 1)
-- Typed texts count from 2^52; how many there are is counted as they are published.
local seen = redis.call('HGET', counters, modality .. ':seen')
local typed = modality == 'text' and tonumber(seq) >= 4503599627370496
if not typed and (not seen or tonumber(seen) <= tonumber(seq)) then
  redis.call('HSET', counters, modality .. ':seen', string.format('%.0f', tonumber(seq) + 1))
end
if model ~= '' then
  redis.call('HINCRBY', counters, modality .. ':model:' .. model, 1)
  redis.call('ZADD', order, start_s, string.format('%016.0f', tonumber(seq)))
end
if sums ~= '' then
  add(totals, modality, sums)
  for i = 13, #ARGV, 4 do
    add(KEYS[tonumber(ARGV[i])], ARGV[i + 2], ARGV[i + 3])
    redis.call('SADD', pages, ARGV[i + 1])
  end
end
redis.call('XADD', events, 'MAXLEN', '~', 1000, '*', 'kind', event, 'modality', modality, 'seq', seq, 'outcome', outcome)

local expires_at = redis.call('HGET', meta, 'expires_at')
if not expires_at then
  expires_at = string.format('%.0f', tonumber(now) + tonumber(unknown_ttl))
  redis.call('HSET', meta, 'expires_at', expires_at)
end
for i = 2, #KEYS do
  redis.call('EXPIREAT', KEYS[i], expires_at)
end
return 1
