"""The chain workload and its clock, the same for every Python peer.

A run is 10 steps; each step takes a 1 KiB JSON value and returns it with its counter one higher,
and is durable before the next one starts. A run whose last counter is not 10 is an error.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version

STEPS = 10
VALUE_BYTES = 1024
WARM_UP_RUNS = 3

Value = dict[str, object]


def new_value() -> Value:
    value: Value = {"counter": 0, "text": ""}
    value["text"] = "x" * (VALUE_BYTES - len(json.dumps(value)))
    assert len(json.dumps(value)) == VALUE_BYTES
    return value


def next_value(value: Value) -> Value:
    return {"counter": int(value["counter"]) + 1, "text": value["text"]}


def check(value: Value) -> None:
    """A wrong result must stop the benchmark: a fast wrong answer is not a measurement."""
    if value["counter"] != STEPS or len(str(value["text"])) < VALUE_BYTES - 64:
        raise SystemExit(f"wrong result: the counter is {value['counter']}, it must be {STEPS}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", choices=["sqlite", "postgres"], required=True)
    parser.add_argument("--dir", required=True, help="an empty folder for database files")
    parser.add_argument("--url", default="", help="postgres://… of a server that may be filled")
    parser.add_argument("--in-flight", default="1,16,128")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--max-runs", type=int, default=20_000)
    return parser.parse_args()


async def cell(run: Callable[[], Awaitable[Value]], in_flight: int, args) -> tuple[int, float]:
    """Keeps `in_flight` runs going until the time is up, finishes those, counts all of them."""
    for _ in range(WARM_UP_RUNS):
        check(await run())
    done = 0
    started = 0
    begin = time.perf_counter()

    async def lane() -> None:
        nonlocal done, started
        while time.perf_counter() - begin < args.seconds and started < args.max_runs:
            started += 1
            check(await run())
            done += 1

    await asyncio.gather(*(lane() for _ in range(in_flight)))
    return done, time.perf_counter() - begin


def report(peer: str, package: str, db: str, in_flight: int, runs: int, seconds: float, how: str):
    steps = runs * STEPS
    line = {
        "peer": peer,
        "version": version(package),
        "db": db,
        "in_flight": in_flight,
        "runs": runs,
        "steps": steps,
        "seconds": round(seconds, 3),
        "steps_per_s": round(steps / seconds, 1),
        "durability": how,
    }
    print(json.dumps(line), flush=True)


def pin_to_one_core(in_flight: int) -> None:
    """A Python process is faster on one core than handing its lock between two."""
    if in_flight > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def fresh_postgres_database(url: str, name: str) -> str:
    """An empty database of that name, and its URL."""
    import psycopg
    from psycopg import sql

    if not url:
        sys.exit("--db postgres needs --url")
    with psycopg.connect(url, autocommit=True) as conn:
        assert conn.execute("SHOW fsync").fetchone() == ("on",)
        assert conn.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert conn.execute("SHOW full_page_writes").fetchone() == ("on",)
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return url.rsplit("/", 1)[0] + "/" + name
