"""DBOS for Python on SQLite and PostgreSQL, as it comes: the chain workload."""

import asyncio
import sqlite3
from pathlib import Path

from chain import (
    STEPS, arguments, cell, fresh_postgres_database, new_value, next_value, pin_to_one_core, report,
)
from dbos import DBOS, DBOSConfig


@DBOS.step()
async def step(value: dict) -> dict:
    return next_value(value)


@DBOS.workflow()
async def chain(value: dict) -> dict:
    for _ in range(STEPS):
        value = await step(value)
    return value


def database(args) -> tuple[str, str]:
    if args.db == "postgres":
        url = fresh_postgres_database(args.url, "peer_dbos")
        return url, "fsync, synchronous_commit=on, pool 20"
    return f"sqlite:///{Path(args.dir).absolute()}/dbos.db", ""


def sqlite_settings(folder: str) -> str:
    """What the file says of itself; synchronous is per connection and FULL unless set."""
    with sqlite3.connect(Path(folder) / "dbos.db") as conn:
        (mode,) = conn.execute("PRAGMA journal_mode").fetchone()
    return f"journal_mode={mode}, synchronous=FULL"


async def main() -> None:
    args = arguments()
    url, how = database(args)
    config: DBOSConfig = {
        "name": "chain",
        "system_database_url": url,
        "sys_db_pool_size": 20,
        "log_level": "ERROR",
        "enable_otlp": False,
    }
    DBOS(config=config)
    DBOS.launch()
    try:
        how = how or sqlite_settings(args.dir)
        for in_flight in map(int, args.in_flight.split(",")):
            pin_to_one_core(in_flight)
            runs, seconds = await cell(lambda: chain(new_value()), in_flight, args)
            report("dbos-py", "dbos", args.db, in_flight, runs, seconds, how)
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main())
