"""What is done on the server in one step, so that two nodes cannot both have the last place.

Each script is the same rule as its namesake of `gateway.joining.together`; the contract suite holds them to it. Times
are the server's, so that the clocks of the nodes do not matter.
"""

from typing import Final

LANE_LASTS_MS: Final = 3_600_000
"""How long a destination is remembered that no node asks for any more."""
MOST_REST_MS: Final = 900_000
"""Longer than this no destination rests at the word of another: whoever can write here must not stop a delivery."""

SHARE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local node, lasts, lane_lasts = ARGV[1], tonumber(ARGV[2]), ARGV[3]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + lasts, node)
redis.call('PEXPIRE', KEYS[1], lane_lasts)
local alive = redis.call('ZCARD', KEYS[1])
local shares = {}
for place = 2, #KEYS do
    local at = 4 * place - 3
    local most, probes_from = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local held, wanted = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local others, failures, closed = 0, -1, 0
    local lane = redis.call('HGETALL', KEYS[place])
    for field = 1, #lane, 2 do
        local name, value = lane[field], lane[field + 1]
        if name == 'failures' then failures = tonumber(value)
        elseif name == 'closed' then closed = tonumber(value)
        elseif name ~= 'node ' .. node then
            local count, ends = string.match(value, '^(%d+) (%d+)$')
            ends = tonumber(ends or 0)
            if count and ends > now and ends <= now + lasts then others = others + tonumber(count)
            else redis.call('HDEL', KEYS[place], name) end
        end
    end
    local rest = math.max(0, closed - now)
    if rest > tonumber(ARGV[4]) then rest = 0 end
    if failures >= probes_from then most = 1 end
    local granted = 0
    if rest == 0 then
        local free = math.max(0, most - others - held)
        granted = math.min(wanted, math.ceil(free / alive))
    end
    redis.call('HSET', KEYS[place], 'node ' .. node, string.format('%d %d', held + granted, now + lasts))
    redis.call('PEXPIRE', KEYS[place], lane_lasts)
    shares[place - 1] = {granted, failures, rest}
end
return shares
"""
"""KEYS: the nodes, then each destination. ARGV: node, how long it counts, how long a destination is remembered, the
longest rest; then for each destination most, probes_from, held and wanted. Gives granted, failures (-1: not known) and
rest for each. Times are in milliseconds."""

HOLD: Final = """
local time = redis.call('TIME')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2])
for place = 1, #KEYS do
    redis.call('HSET', KEYS[place], 'node ' .. ARGV[1], string.format('%d %d', tonumber(ARGV[place + 3]), ends))
    redis.call('PEXPIRE', KEYS[place], ARGV[3])
end
"""
"""KEYS: each destination. ARGV: node, how long it counts, how long a destination is remembered; then what it holds."""

FAILED: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = tonumber(redis.call('HGET', KEYS[1], 'failures') or '0')
redis.call('HSET', KEYS[1], 'failures', math.max(known + 1, tonumber(ARGV[1])))
local rest = math.min(tonumber(ARGV[2]), tonumber(ARGV[4]))
if rest > 0 then redis.call('HSET', KEYS[1], 'closed', now + rest) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""
"""KEYS: one destination. ARGV: running failures the node knows of, rest, how long it is remembered, longest rest."""

ANSWERED: Final = """
redis.call('HSET', KEYS[1], 'failures', 0, 'closed', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
"""KEYS: one destination. ARGV: how long it is remembered."""
