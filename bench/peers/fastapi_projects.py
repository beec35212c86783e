"""FastAPI + SQLAlchemy (asyncio) + asyncpg: list, get and create project, as Runstone answers them.

It serves the same table of the same database with the same answers, as FastAPI's and SQLAlchemy's
documentation show it, tuned where that is free: uvloop, httptools, no access log, statements that
are prepared once, a pool that is large enough.
"""

import argparse
import base64
import json
import os
import socket
import sys
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import BigInteger, Text, Uuid, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DATABASE = "PEER_DATABASE_URL"
CONNECTIONS = 20
DEFAULT_LIMIT = 50


class Base(DeclarativeBase):
    pass


class ProjectRow(Base):
    __tablename__ = "projects"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)
    description: Mapped[str | None] = mapped_column(Text)
    settings: Mapped[str | None] = mapped_column(Text)
    quotas: Mapped[str | None] = mapped_column(Text)


class Quotas(BaseModel):
    model_config = {"extra": "forbid"}

    active_runs: int | None = Field(default=None, ge=0)
    flows: int | None = Field(default=None, ge=0)


class NewProject(BaseModel):
    model_config = {"extra": "forbid"}

    name: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    settings: dict[str, Any] = {}
    quotas: Quotas = Quotas()


class Project(BaseModel):
    id: uuid.UUID
    name: str
    description: str | None
    version: int
    settings: dict[str, Any]
    quotas: Quotas
    created_at: str
    updated_at: str
    deleted_at: str | None


class Page(BaseModel):
    items: list[Project]
    next_cursor: str | None = None


def rfc3339(micros: int) -> str:
    at = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def wire(row: ProjectRow) -> Project:
    return Project(
        id=row.id,
        name=row.name,
        description=row.description,
        version=row.version,
        settings=json.loads(row.settings) if row.settings else {},
        quotas=json.loads(row.quotas) if row.quotas else {},
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(max(row.updated_at, row.created_at)),
        deleted_at=None if row.deleted_at is None else rfc3339(row.deleted_at),
    )


def cursor_of(id: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(f"projects\n{id}".encode()).decode().rstrip("=")


def id_of(cursor: str) -> uuid.UUID:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return uuid.UUID(text.removeprefix("projects\n"))
    except ValueError as error:
        raise HTTPException(400, "the cursor is not one that this list gave") from error


def uuid7() -> uuid.UUID:
    """In order of time, as Runstone's ids are: a random key would cost the index more."""
    ms = int(datetime.now(UTC).timestamp() * 1000)
    bits = int.from_bytes(os.urandom(10))
    bits = bits & ~(0xF << 76) | (0x7 << 76)
    return uuid.UUID(int=(ms << 80) | bits & ~(0x3 << 62) | (0x2 << 62))


@asynccontextmanager
async def lifespan(app: FastAPI):
    engine = create_async_engine(
        os.environ[DATABASE], pool_size=CONNECTIONS, max_overflow=CONNECTIONS
    )
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def session():
    async with app.state.sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.get("/api/v1/projects", response_model_exclude_unset=True)
async def list_projects(
    db: Session,
    limit: Annotated[int, Query(ge=1, le=500)] = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page:
    after = id_of(cursor) if cursor else uuid.UUID(int=0)
    found = await db.scalars(
        select(ProjectRow)
        .where(ProjectRow.id > after, ProjectRow.deleted_at.is_(None))
        .order_by(ProjectRow.id)
        .limit(limit + 1)
    )
    rows = found.all()
    items = [wire(row) for row in rows[:limit]]
    if len(rows) > limit:
        return Page(items=items, next_cursor=cursor_of(items[-1].id))
    return Page(items=items)


@app.get("/api/v1/projects/{project}")
async def get_project(db: Session, response: Response, project: uuid.UUID) -> Project:
    row = await db.get(ProjectRow, project)
    if row is None:
        raise HTTPException(404, "there is no such project")
    response.headers["etag"] = f'"{row.version}"'
    return wire(row)


@app.post("/api/v1/projects", status_code=201)
async def create_project(db: Session, response: Response, new: NewProject) -> Project:
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    row = ProjectRow(
        id=uuid7(),
        name=new.name,
        description=new.description,
        version=1,
        settings=json.dumps(new.settings),
        quotas=new.quotas.model_dump_json(),
        created_at=now,
        updated_at=now,
        deleted_at=None,
    )
    db.add(row)
    try:
        await db.commit()
    except IntegrityError as error:
        raise HTTPException(409, f"there is a project `{new.name}` already") from error
    response.headers["etag"] = '"1"'
    response.headers["location"] = f"/api/v1/projects/{row.id}"
    return wire(row)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="postgres://… of Runstone's database")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    os.environ[DATABASE] = args.url.replace("postgres://", "postgresql+asyncpg://", 1)
    port = free_port()
    packages = ["fastapi", "uvicorn", "SQLAlchemy", "asyncpg"]
    what = ", ".join(f"{name} {version(name)}" for name in packages)
    print(json.dumps({"url": f"http://127.0.0.1:{port}", "version": what}), flush=True)
    # The workers print nothing that anybody waits for.
    sys.stdout.close()
    sys.stdout = open(os.devnull, "w")
    uvicorn.run(
        "fastapi_projects:app",
        host="127.0.0.1",
        port=port,
        workers=args.workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        backlog=4096,
    )


if __name__ == "__main__":
    main()
