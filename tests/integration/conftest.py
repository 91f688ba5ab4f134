"""Fixtures that several files use.

Of objects: a bucket of moto's S3, with Object Lock. Of discovery: a session for a module, and a site for a test, rolled
back after it. Of requests: people, and the plan of their map, approved.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from psycopg2.extensions import connection, cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import compiled
from datamap.document import Document
from shared import active_plan
from shared.addresses import PostgresAddress
from shared.bucket import Bucket, BucketAddress, open_bucket
from shared.catalogue import document
from shared.database import connect
from shared.plan import Plan
from tests.integration.people import MAP, SCHEMA
from tests.integration.site import Site
from tests.run import Run, administrator


@pytest.fixture(scope="module")
def session(own_server: PostgresAddress) -> Iterator[connection]:
    with contextlib.closing(connect(own_server, application="gdpr-tests")) as opened:
        yield opened


@pytest.fixture
def site(session: connection) -> Iterator[Site]:
    try:
        yield Site(session)
    finally:
        session.rollback()


@pytest.fixture
def people(postgres: PostgresAddress) -> Iterator[cursor]:
    """An administrator's session in a database with people in it."""
    with administrator(postgres) as cur:
        cur.execute(SCHEMA)
        cur.execute("set search_path = pg_catalog, pg_temp")
        yield cur


@pytest.fixture
def plan(people: cursor) -> Plan:
    """What the functions go by there."""
    found = compiled(Document.parse(MAP).map, Catalogue.from_json(document(people)))
    active_plan.approve(people, found)
    return found


@pytest.fixture
def s3(run: Run, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in run.stores.aws_credentials.items():
        monkeypatch.setenv(name, value)
    config = Config(s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=run.stores.aws_endpoint, region_name="us-east-2", config=config)


@pytest.fixture
def locked(s3: Any, run: Run) -> Bucket:
    """A bucket with Object Lock, and a prefix in it."""
    name = f"ledger-{uuid.uuid4()}"
    s3.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": "us-east-2"},
        ObjectLockEnabledForBucket=True,
    )
    address = BucketAddress.parse(f"s3://{name}/unit", variable="LEDGER_BUCKET")
    return open_bucket(address, region="us-east-2", endpoint=run.stores.aws_endpoint)
