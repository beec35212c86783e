"""Reference model of the join rule (docs/joins.md): when may a node whose edge has fired start?

Run it: `python3 join_rule.py 20000` checks that many random flows, each under eight random completion orders:
no deadlock, every node starts the same number of times whatever the timing, every node of an acyclic flow starts once.
The engine's own property tests should agree with this model; it is a model, not a sketch of the implementation.
"""
import collections
import random
import sys

sys.setrecursionlimit(10_000)


def components(nodes, out):
    """Strongly connected components (Tarjan)."""
    index, low, stack, on_stack, found, count = {}, {}, [], set(), [], [0]

    def visit(v):
        index[v] = low[v] = count[0]
        count[0] += 1
        stack.append(v)
        on_stack.add(v)
        for w in out[v]:
            if w not in nodes:
                continue
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in on_stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            component = set()
            while True:
                w = stack.pop()
                on_stack.discard(w)
                component.add(w)
                if w == v:
                    break
            found.append(component)

    for v in sorted(nodes):
        if v not in index:
            visit(v)
    return found


class Loops:
    """The loop nesting of a flow. A loop is a strongly connected component; its header is the member that a depth-first
    search from the start (edges in declaration order) meets first; its back edges are the edges inside it that end at the
    header. Taking those away leaves the loop's body, which is divided again in the same way."""

    def __init__(self, node_count, edges):
        out = collections.defaultdict(list)
        for a, b in edges:
            out[a].append(b)
        self.preorder = {}

        def search(u):
            self.preorder[u] = len(self.preorder)
            for v in out[u]:
                if v not in self.preorder:
                    search(v)

        search(0)
        self.back_edges, self.loop_of_header, self.levels = set(), {}, []
        self.path = collections.defaultdict(list)  # node -> its levels, outermost first
        self._divide(set(range(node_count)), set(edges))

    def _divide(self, nodes, edges):
        out = collections.defaultdict(list)
        for a, b in sorted(edges):
            out[a].append(b)
        parts = components(nodes, out)
        part_of = {v: i for i, part in enumerate(parts) for v in part}
        next_parts = collections.defaultdict(set)
        for a, b in edges:
            if part_of[a] != part_of[b]:
                next_parts[part_of[a]].add(part_of[b])
        reach = {}

        def closure(i):
            if i not in reach:
                reach[i] = set()
                for j in next_parts[i]:
                    reach[i] |= {j} | closure(j)
            return reach[i]

        for i in range(len(parts)):
            closure(i)
        for v in nodes:
            self.path[v].append(len(self.levels))
        self.levels.append((part_of, reach))
        for part in parts:
            inner = {(a, b) for a, b in edges if a in part and b in part}
            if inner:
                header = min(part, key=self.preorder.get)
                back = {e for e in inner if e[1] == header}
                self.loop_of_header.setdefault(header, part)
                self.back_edges |= back
                self._divide(part, inner - back)

    def reaches(self, a, b):
        """Can a's completion still lead to b inside the innermost loop that holds both (back edges of that loop not used)?"""
        level = [x for x, y in zip(self.path[a], self.path[b]) if x == y][-1]
        part_of, reach = self.levels[level]
        return part_of[a] != part_of[b] and part_of[b] in reach[part_of[a]]


def may_start(loops, node, running, pending):
    """`pending` maps a node to 'entry' (a forward edge fired) or 'round' (only back edges of its own loop fired)."""
    if pending[node] == "round":  # rounds of a loop never overlap
        body = loops.loop_of_header[node]
        return not any(r in body for r in running) and not any(p in body for p in pending if p != node)
    if any(loops.reaches(r, node) for r in running):
        return False
    for other, kind in pending.items():
        if other == node or (kind == "round" and node in loops.loop_of_header[other]):
            continue  # a new round does not hold up what still belongs to the old one
        if loops.reaches(other, node):
            return False
    return True


def run(node_count, edges, always, seed, order, step_limit=4000):
    loops = Loops(node_count, edges)
    out = collections.defaultdict(list)
    for e in edges:
        out[e[0]].append(e)
    pending, running, starts, fired = {0: "entry"}, [], collections.Counter(), collections.Counter()
    while True:
        ready = [p for p in sorted(pending) if p not in running and may_start(loops, p, running, pending)]
        while ready:
            del pending[ready[0]]
            running.append(ready[0])
            starts[ready[0]] += 1
            ready = [p for p in sorted(pending) if p not in running and may_start(loops, p, running, pending)]
        if not running:
            return ("deadlock" if pending else "done"), starts
        if sum(starts.values()) > step_limit:
            return "limit", starts
        done = running.pop(order.randrange(len(running)))
        for e in out[done]:
            back = e in loops.back_edges
            if back and fired[e] >= 3:
                continue
            if (e in always and not back) or random.Random(f"{seed} {e} {starts[done]}").random() < 0.5:
                fired[e] += 1
                pending[e[1]] = "round" if back and pending.get(e[1]) != "entry" else "entry"


def random_flow(rng, size, back_edges):
    edges = []
    for j in range(1, size):
        edges += [(i, j) for i in rng.sample(range(j), min(j, 1 + (rng.random() < 0.6) + (rng.random() < 0.3)))]
    for _ in range(back_edges):
        i = rng.randrange(1, size)
        e = (i, rng.randrange(0, i + 1))
        if e not in edges:
            edges.append(e)
    return edges, {e for e in edges if rng.random() < 0.33}


if __name__ == "__main__":
    flows = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    deadlocks = timing = acyclic = 0
    for seed in range(flows):
        rng = random.Random(seed)
        size = rng.randrange(3, 14)
        edges, always = random_flow(rng, size, rng.randrange(0, 7))
        results = [run(size, edges, always, seed, random.Random(k)) for k in range(8)]
        deadlocks += any(r[0] == "deadlock" for r in results)
        timing += len({tuple(sorted(r[1].items())) for r in results if r[0] == "done"}) > 1
        dag, _ = random_flow(rng, size, 0)
        end, starts = run(size, dag, set(dag), seed, random.Random(seed))
        acyclic += end != "done" or any(starts[v] != 1 for v in range(size))
    print(f"{flows} flows: {deadlocks} deadlocks, {timing} depend on timing, {acyclic} acyclic flows with a node not started once")
