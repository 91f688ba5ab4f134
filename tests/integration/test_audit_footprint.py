"""What audit_logging takes of the 128 MB that it has: what it imports when it starts, and what its largest work needs.

Each is measured in a process of its own, through the handler that Lambda calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from typing import Any

import pytest

from shared.addresses import PostgresAddress
from shared.bucket import BucketAddress, open_bucket
from shared.keys import Keys
from shared.plan import Plan
from tests.integration.people import event
from tests.run import Run, administrator, as_role

LARGEST = 128 * 1024  # KiB
# S3 and the cache come when they are first needed; the rest is the command line's.
FOREIGN = {
    *("boto3", "botocore.session", "redis", "sqlalchemy", "pydantic", "yaml", "rich", "click", "datamap", "gdpr"),
    *("holidays", "tzdata"),
}

WORK = """
import json, resource, sys
from types import SimpleNamespace
from functions.audit_logging.handler import handler

arn = "arn:aws:lambda:us-east-2:000000000000:function:gdpr-audit-logging"
context = SimpleNamespace(invoked_function_arn=arn, aws_request_id="1", get_remaining_time_in_millis=lambda: 600_000)
answers = [handler(event, context) for event in json.load(sys.stdin)]
with open("/proc/self/status") as status:
    (peak,) = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
print(json.dumps({"answers": answers, "peak": peak}))
"""


def test_a_cold_start_imports_nothing_that_another_part_needs() -> None:
    code = "import sys, functions.audit_logging.handler; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert FOREIGN.intersection(done.stdout.split()) == set()


@pytest.fixture
def environment(postgres: PostgresAddress, plan: Plan, run: Run, s3: Any) -> dict[str, str]:
    """The function's, with its three buckets in S3 and its keys made."""
    names = {
        name: f"{name.lower().replace('_', '-')}-{uuid.uuid4()}"
        for name in ("LEDGER_BUCKET", "KEYS_BUCKET", "EXCHANGE_BUCKET")
    }
    for bucket in names.values():
        s3.create_bucket(
            Bucket=bucket,
            CreateBucketConfiguration={"LocationConstraint": "us-east-2"},
            ObjectLockEnabledForBucket=True,
        )
    address = BucketAddress.parse(f"s3://{names['KEYS_BUCKET']}", variable="KEYS_BUCKET")
    keys = open_bucket(address, region="us-east-2", endpoint=run.stores.aws_endpoint)
    Keys(bucket=keys).make(log=names["LEDGER_BUCKET"])
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **run.stores.aws_credentials,
        **{name: f"s3://{bucket}" for name, bucket in names.items()},
        "DATABASE_URL": as_role(postgres, "gdpr_audit").url(),
        "AWS_ENDPOINT_URL": run.stores.aws_endpoint,
        "AWS_REGION": "us-east-2",
    }


def worked(environment: dict[str, str], *events: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", WORK],
        input=json.dumps(events),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_file_of_ten_thousand_lines_with_as_many_faults_fits(environment: dict[str, str], s3: Any) -> None:
    lines = [json.dumps(event(number, phone="0170")) for number in range(1, 301)]
    lines += [json.dumps(event(number, phone="0170") | {"action": "erased"}) for number in range(301, 10_001)]
    bucket = environment["EXCHANGE_BUCKET"].removeprefix("s3://")
    s3.put_object(Bucket=bucket, Key="intake/all.jsonl", Body="\n".join(lines).encode())

    done = worked(environment, {"action": "sweep"})

    assert done["answers"][0]["files"] == 1
    assert done["peak"] < LARGEST


def test_a_ledger_of_many_entries_is_verified_and_anchored_in_little(
    environment: dict[str, str], postgres: PostgresAddress
) -> None:
    with administrator(postgres) as cur:
        cur.execute(
            "insert into gdpr.entry (writer, kind, event_id, body, leaf_hash)"
            " select 'gdpr_audit', 'record.made', event, b, sha256('\\x00'::bytea || b)"
            " from (select gen_random_uuid() as event from generate_series(1, 20000)) as e"
            " cross join lateral convert_to(chr(1)"
            ' || \'{"at":"2026-11-20T09:00:00.000Z","event":"\' || event || \'","kind":"record.made","rows":{"\''
            ' || repeat(\'x\', 500) || \'":{"deleted":1}},"writer":"gdpr_audit"}\', \'UTF8\') as b'
        )
    done = worked(environment, {"action": "checkpoint"}, {"action": "verify"}, {"action": "health"})

    assert [answer["status"] for answer in done["answers"][:2]] == ["completed", "completed"]
    assert done["answers"][1]["findings"] == []
    assert done["peak"] < LARGEST
