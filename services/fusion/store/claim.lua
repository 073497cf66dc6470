-- Takes a session for one source of media. Returns 1 where it is there and nobody has it.
-- KEYS: meta. ARGV: source.
local meta = KEYS[1]

if redis.call('HEXISTS', meta, 'started') == 0 then
  return 0
end
return redis.call('HSETNX', meta, 'source', ARGV[1])
