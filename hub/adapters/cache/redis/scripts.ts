/** Lua that runs on the server. Each touches one key, so that all run on a cluster too. Times are the server's, in ms. */
const NOW = `local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
`;

/** KEYS counter; ARGV its life in ms. Answers its value and what is left of its life. */
const increment = `local value = redis.call('INCR', KEYS[1])
if value == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return {value, tonumber(ARGV[1])}
end
return {value, redis.call('PTTL', KEYS[1])}`;

/**
 * KEYS lease; ARGV holder, life in ms, ms for which the last token is remembered. Answers the token as text, or nothing.
 * A lease that ended stays for a while: its token keeps the next one greater when the server's clock was set back.
 */
const acquire = `${NOW}local held = redis.call('HMGET', KEYS[1], 'holder', 'token', 'ends')
local stands = held[1] and tonumber(held[3]) > now
if stands and held[1] ~= ARGV[1] then return false end
local token = held[2]
if not stands then token = string.format('%.0f', math.max(math.floor(now), tonumber(held[2] or '0') + 1)) end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'token', token, 'ends', string.format('%.3f', now + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2] + ARGV[3])
return token`;

/** KEYS lease; ARGV holder. */
const release = `if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('HSET', KEYS[1], 'ends', '0') end
return 1`;

/** KEYS bucket; ARGV tokens a second, tokens of a full one, count. Answers whether it may, and the tokens left as text. */
const take = `${NOW}local rate, burst, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local old = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(burst, tonumber(old[1] or burst) + math.max(0, now - tonumber(old[2] or now)) * rate / 1000)
local allowed = tokens + 1e-6 >= math.max(1, count)
if allowed then tokens = tokens - count end
local left = string.format('%.9f', tokens)
if allowed and count > 0 then
  redis.call('HSET', KEYS[1], 'tokens', left, 'at', string.format('%.3f', now))
  redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) * 1000 / rate) + 1000)
end
return {allowed and 1 or 0, left}`;

/** Each script with its number of keys, as ioredis takes them. */
export const SCRIPTS = Object.fromEntries(
  Object.entries({ increment, acquire, release, take }).map(([name, lua]) => [
    `outrider${name}`,
    { numberOfKeys: 1, lua },
  ]),
);

/** The scripts as ioredis puts them on a client. */
export interface ScriptClient {
  outriderincrement(key: string, ttlMs: number): Promise<[number, number]>;
  outrideracquire(key: string, holder: string, ttlMs: number, rememberMs: number): Promise<string | null>;
  outriderrelease(key: string, holder: string): Promise<number>;
  outridertake(key: string, perSecond: number, burst: number, count: number): Promise<[number, string]>;
}
