"""The admin service of the peer: competitions, their registrations, health."""
import os

import httpx
from fastapi import FastAPI
from pydantic import BaseModel, Field

from store import client

app = FastAPI()
peer = httpx.AsyncClient(base_url=os.environ.get("USER_URL", "http://127.0.0.1:8002"), timeout=0.5)


class Competition(BaseModel):
    capacity: int = Field(ge=1, le=1_000_000)
    opens_at: int = 0
    closes_at: int = 4_000_000_000


@app.put("/competitions/{competition_id}")
async def create(competition_id: str, body: Competition):
    await client.hset(f"competition:{competition_id}", mapping=body.model_dump())
    return {"competition_id": competition_id}


@app.get("/competitions/{competition_id}/registrations")
async def registrations(competition_id: str):
    c = f"competition:{competition_id}"
    return {"registrations": await client.hgetall(c + ":registrations"), "confirmed": await client.zcard(c + ":confirmed")}


@app.get("/health")
async def base():
    return {"status": "ok"}


@app.get("/health/full")
async def full():
    await client.ping()
    answer = await peer.get("/health")
    return {"status": "ok", "redis": "ok", "peer": answer.json()}
