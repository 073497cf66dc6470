-- Accounts for one chunk, once: a score or a loss. Returns 1 where it changed anything.
-- A score that overlaps a forgotten stretch is only counted; what it had added before is taken back.
-- KEYS: tombstone, meta, counters, totals, evidence, order, events, pages, and the one or two pages it touches.
-- ARGV: seconds that an unknown session is kept, field, value (its first character is its rank), modality, seq,
--       outcome, reason, model, start_s, end_s (both empty for a loss), event, traceparent or nothing, sums of the
--       session, then for each bin, and for what is added to the
--       totals beside them: index of its page's key in KEYS, name of the page, field, sums.
local tombstone, meta, counters, totals = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local evidence, order, events, pages = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local unknown_ttl, field, value, modality, seq = unpack(ARGV, 1, 5)
local outcome, reason, model, start_s, end_s, event = unpack(ARGV, 6, 11)
local traceparent, sums = unpack(ARGV, 12, 13)
local FIRST_BIN = 14
local FORGOTTEN = 3
local place = string.format('%016.0f', tonumber(seq))

-- Sums stay below 2^53, where doubles are exact. What has come to nothing leaves no trace.
local function add(key, name, packed, sign)
  local current, result = redis.call('HGET', key, name), {}
  local old = string.gmatch(current or '', '%S+')
  for number in string.gmatch(packed, '%S+') do
    result[#result + 1] = string.format('%.0f', sign * tonumber(number) + tonumber(old() or 0))
  end
  if result[1] == '0' then
    redis.call('HDEL', key, name)
  else
    redis.call('HSET', key, name, table.concat(result, ' '))
  end
end

local function count(how, why, step)
  redis.call('HINCRBY', counters, modality .. ':' .. how, step)
  if why ~= '' then
    redis.call('HINCRBY', counters, modality .. ':reason:' .. why, step)
  end
end

-- Scores are JSON, losses are not.
local function score_in(kept)
  return kept and string.sub(kept, 2, 2) == '{' and cjson.decode(string.sub(kept, 2)) or nil
end

-- A failed score ranks between a loss and any other score; versions that know of no such rank read the same value.
local function rank_of(kept, score)
  local rank = tonumber(string.sub(kept, 1, 1))
  return score and score.status == 'failed' and rank - 0.5 or rank
end

local function overlaps()
  local from, to = tonumber(start_s), tonumber(end_s)
  for first, last in string.gmatch(redis.call('HGET', meta, 'forgotten') or '', '(%S+) (%S+)') do
    if from < tonumber(last) and (to > tonumber(first) or from >= tonumber(first)) then
      return true
    end
  end
  return false
end

local function evidence_of(sign)
  count(outcome, reason, sign)
  if model ~= '' then
    redis.call('HINCRBY', counters, modality .. ':model:' .. model, sign)
  end
  if sums ~= '' then
    add(totals, modality, sums, sign)
    for i = FIRST_BIN, #ARGV, 4 do
      add(KEYS[tonumber(ARGV[i])], ARGV[i + 2], ARGV[i + 3], sign)
    end
  end
end

if redis.call('EXISTS', tombstone) == 1 then
  return 0
end

-- A higher rank takes the place of a lower: a chunk that was judged was neither lost nor failed, whichever was heard first.
local forgotten = start_s ~= '' and overlaps()
local previous = redis.call('HGET', evidence, field)
local judged = score_in(previous)
if previous and rank_of(previous, judged) >= (forgotten and FORGOTTEN or rank_of(value, score_in(value))) then
  return 0
end
if judged and previous == value then
  evidence_of(-1)
  redis.call('ZREM', order, place)
elseif judged and forgotten then
  return 0  -- Another judgement of the chunk; the one that counted is what is taken back.
elseif judged then
  count(judged.status, type(judged.reason) == 'string' and judged.reason or '', -1)
  redis.call('HINCRBY', counters, modality .. ':model:' .. judged.model.name .. ' ' .. judged.model.version, -1)
elseif previous then
  local how, why = string.match(previous, '^%d(%a+):(.*)$')
  count(how, why, -1)
end

-- Typed texts count from 2^52; how many there are is counted as they are published.
local seen = redis.call('HGET', counters, modality .. ':seen')
local typed = modality == 'text' and tonumber(seq) >= 4503599627370496
if not typed and (not seen or tonumber(seen) <= tonumber(seq)) then
  redis.call('HSET', counters, modality .. ':seen', string.format('%.0f', tonumber(seq) + 1))
end
if forgotten then
  outcome = 'forgotten'
  count(outcome, '', 1)
  redis.call('HSET', evidence, field, FORGOTTEN .. outcome .. ':')
else
  evidence_of(1)
  redis.call('HSET', evidence, field, value)
  if model ~= '' then
    redis.call('ZADD', order, start_s, place)
  end
  for i = FIRST_BIN, #ARGV, 4 do
    if ARGV[i + 1] ~= '' then
      redis.call('SADD', pages, ARGV[i + 1])
    end
  end
end
-- What is taken back is told of once for the whole stretch.
if not (judged and forgotten) then
  tell_traced(events, meta, traceparent, 'kind', event, 'modality', modality, 'seq', seq, 'outcome', outcome)
end

local expires_at = expiry(meta, unknown_ttl)
for i = 2, #KEYS do
  redis.call('EXPIREAT', KEYS[i], expires_at)
end
return 1
