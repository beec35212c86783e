"""Writes random flows and what the reference model says of them, one JSON line each: the edges, the
visits of its source at which each edge fires, and how often each node starts. Flows that run into
the reference's step limit are left out, and counted in the last line."""
import collections
import json
import random
import sys

import join_rule


def fires(loops, out, always, seed, starts):
    """Which edge fires at which start of its source: depends on the start's number alone."""
    visits = collections.defaultdict(list)
    for node, count in starts.items():
        fired = collections.Counter()
        for visit in range(1, count + 1):
            for e in out[node]:
                back = e in loops.back_edges
                if back and fired[e] >= 3:
                    continue
                draw = random.Random(f"{seed} {e} {visit}").random() < 0.5
                if (e in always and not back) or draw:
                    fired[e] += 1
                    visits[e].append(visit)
    return visits


def main(first, count):
    left_out = 0
    for seed in range(first, first + count):
        rng = random.Random(seed)
        size = rng.randrange(3, 14)
        edges, always = join_rule.random_flow(rng, size, rng.randrange(0, 7))
        end, starts = join_rule.run(size, edges, always, seed, random.Random(0))
        if end != "done":
            left_out += 1
            continue
        loops = join_rule.Loops(size, edges)
        out = collections.defaultdict(list)
        for e in edges:
            out[e[0]].append(e)
        visits = fires(loops, out, always, seed, starts)
        print(json.dumps({
            "seed": seed,
            "size": size,
            "edges": [
                {"from": a, "to": b, "visits": visits[(a, b)],
                 "always": (a, b) in always and (a, b) not in loops.back_edges}
                for a, b in edges
            ],
            "starts": [starts[v] for v in range(size)],
        }))
    print(json.dumps({"left_out": left_out}))


main(int(sys.argv[1]), int(sys.argv[2]))
