"""LangGraph with its SQLite and PostgreSQL savers, durability="sync": the chain workload."""

import asyncio
import itertools
import uuid
from contextlib import asynccontextmanager
from pathlib import Path

from chain import (
    STEPS, arguments, cell, check, fresh_postgres_database, new_value, next_value, report,
)
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    value: dict


async def step(state: State) -> State:
    return {"value": next_value(state["value"])}


def graph(saver):
    builder = StateGraph(State)
    names = [f"step{i}" for i in range(STEPS)]
    for name in names:
        builder.add_node(name, step)
    for left, right in itertools.pairwise([START, *names, END]):
        builder.add_edge(left, right)
    return builder.compile(checkpointer=saver)


@asynccontextmanager
async def sqlite_saver(folder: str):
    import aiosqlite
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    path = Path(folder) / "langgraph.db"
    async with aiosqlite.connect(path) as conn:
        saver = AsyncSqliteSaver(conn)
        await saver.setup()
        await conn.execute("PRAGMA synchronous=FULL")
        mode = await (await conn.execute("PRAGMA journal_mode")).fetchone()
        sync = await (await conn.execute("PRAGMA synchronous")).fetchone()
        assert (mode, sync) == (("wal",), (2,)), (mode, sync)
        yield saver


@asynccontextmanager
async def postgres_saver(url: str):
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool = AsyncConnectionPool(url, min_size=4, max_size=20, kwargs=options, open=False)
    async with pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield saver


async def main() -> None:
    args = arguments()
    if args.db == "sqlite":
        opened, how = sqlite_saver(args.dir), "WAL, synchronous=FULL, durability=sync"
    else:
        url = fresh_postgres_database(args.url, "peer_langgraph")
        opened, how = postgres_saver(url), "fsync, synchronous_commit=on, durability=sync"
    async with opened as saver:
        chain = graph(saver)
        last = ""

        async def run():
            nonlocal last
            last = str(uuid.uuid4())
            config = {"configurable": {"thread_id": last}}
            state = await chain.ainvoke({"value": new_value()}, config, durability="sync")
            return state["value"]

        for in_flight in map(int, args.in_flight.split(",")):
            runs, seconds = await cell(run, in_flight, args)
            stored = await saver.aget_tuple({"configurable": {"thread_id": last}})
            check(stored.checkpoint["channel_values"]["value"])
            report("langgraph", "langgraph", args.db, in_flight, runs, seconds, how)


if __name__ == "__main__":
    asyncio.run(main())
