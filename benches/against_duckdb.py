#!/usr/bin/env python3
"""Times `korpus convert` against DuckDB on the same job: gzip pages to messages, decoded templates and counts by session in
Parquet files; and `korpus analyze`, all tables of metrics and the report, against messages and counts by session.

Usage: benches/against_duckdb.py [--korpus PATH] [--runs N] [--pages N] [--rich] [--work DIR]
Needs the package `duckdb`. The pages come from `korpus synth`. The programs run in turn, each as a process of its own with two threads;
of each the run with the least wall time counts, and the ratio of the rounds is told by its median too. DuckDB's schema is spelled
out, from one page, before the clock starts, and neither its start nor Python's is counted: it has the clock of its statements, korpus that of its process. `convert` has no table of sessions:
DuckDB counts the messages of each from the files that korpus wrote, on its clock too, and that is added to the time of korpus.
"""

import argparse
import json
import operator
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SETTINGS = "SET threads = 2; SET preserve_insertion_order = false; SET TimeZone = 'UTC';"

# Messages with their first component, as korpus has them; then what their texts hide.
MESSAGES = """
COPY (
  SELECT m.* EXCLUDE (components, channels), m.channels[1].type AS channel, m.channels, len(m.components) AS component_count,
    m.components[1]._id AS component_id, m.components[1].cT AS component_type, m.components[1].data.text AS raw_text, m.createdOn::TIMESTAMPTZ AS created_at
  FROM (SELECT unnest(messages) AS m FROM read_json('{pages}', columns = {{{schema}}}, maximum_object_size = 33554432))
) TO '{out}/messages.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);
"""
TEMPLATES = """
COPY (
  SELECT _id, raw_text->>'$.type' AS envelope_type, raw_text->>'$.payload.template_type' AS template_type,
    coalesce(raw_text->>'$.payload.text', raw_text->>'$.payload.title', raw_text->>'$.text') AS text,
    raw_text->'$.payload.buttons' AS buttons, raw_text->'$.payload.quick_replies' AS quick_replies,
    raw_text->'$.payload.elements' AS elements
  FROM '{out}/messages.parquet' WHERE starts_with(ltrim(raw_text), '{{') AND json_valid(raw_text)
) TO '{out}/templates.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);
"""

# What is counted of sessions, from the messages that were written.
SESSIONS = """
COPY (
  SELECT {bot} AS bot_id, {session} AS session_id, count(*) AS messages, min(created_at) AS first_at, max(created_at) AS last_at
  FROM '{messages}' GROUP BY ALL
) TO '{out}/sessions.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);
"""


def schema_of(page: str) -> str:
    """The columns of a page, as DuckDB itself finds them. All of them: a key that is not spelled out costs more than one that is."""
    import duckdb

    options = "sample_size = -1, maximum_object_size = 33554432, map_inference_threshold = -1"
    columns = duckdb.sql(f"DESCRIBE SELECT * FROM read_json('{page}', {options})").fetchall()
    quoted = ((name, kind.replace("'", "''")) for name, kind, *_ in columns)
    return ", ".join(f"'{name}': '{kind}'" for name, kind in quoted)


def run_duckdb(job: str) -> None:
    """What the child does: the job, with its own clock."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(SETTINGS)
    wall, cpu = time.monotonic(), time.process_time()
    for statement in filter(str.strip, job.split(";\n")):
        connection.execute(statement)
    print(json.dumps({"wall": time.monotonic() - wall, "cpu": time.process_time() - cpu}))


def measure(command: list[str], text: str | None = None) -> dict:
    """One run of a command: wall and CPU seconds (its own, where it prints them), peak memory in MiB."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if text is not None:
        child.stdin.write(text.encode())
    child.stdin.close()
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{command[:3]} ended with {code}")
    figures = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024}
    return figures | (json.loads(printed) if text is not None else {})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--korpus", default="target/release/korpus")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--rich", action="store_true")
    parser.add_argument("--busy", action="store_true", help="of a contact centre where up to 5,000 sessions begin in an hour")
    parser.add_argument("--work", type=Path, help="where pages and tables go")
    parser.add_argument("--duckdb", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--schema", help=argparse.SUPPRESS)
    args = parser.parse_args()
    # In processes of their own: the peak of a child is never below what its parent had.
    if args.duckdb:
        run_duckdb(sys.stdin.read())
        return 0
    if args.schema:
        print(schema_of(args.schema))
        return 0
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        pages, out = Path(work, "pages"), Path(work, "out")
        synth = [args.korpus, "synth", "--out", str(pages), "--pages", str(args.pages), "--codec", "gzip", "--quiet"]
        synth += ["--profile", "rich"] if args.rich else []
        synth += ["--load", "100", "--users", "20000"] if args.busy else []
        subprocess.run(synth, check=True, stdout=subprocess.DEVNULL)
        files = sorted(file for file in pages.rglob("*.gz"))
        schema = subprocess.run([sys.executable, __file__, "--schema", files[0]], check=True, capture_output=True, text=True).stdout
        messages = MESSAGES.format(pages=f"{files[0].parent}/*.gz", schema=schema.strip(), out=out)
        sessions = SESSIONS.format(bot="botId", session="sessionId", messages=f"{out}/messages.parquet", out=out)
        count = SESSIONS.format(bot="bot_id", session="session_id", messages=f"{out}/tables/messages/*.parquet", out=out)
        duckdb = [sys.executable, __file__, "--duckdb"]
        where = [str(files[0].parent), "--out", str(out / "tables"), "--threads", "2", "--quiet"]
        korpus = [args.korpus, "convert", *where]
        jobs = {
            "korpus convert": [(korpus, None), (duckdb, count)],
            "korpus convert --tables messages,templates": [
                ([*korpus, "--tables", "messages,templates"], None),
                (duckdb, count),
            ],
            (whole := "DuckDB: messages, templates, sessions"): [(duckdb, messages + TEMPLATES.format(out=out) + sessions)],
            "korpus analyze": [([args.korpus, "analyze", *where], None)],
            (short := "DuckDB: messages, sessions"): [(duckdb, messages + sessions)],
        }
        best: dict[str, dict] = {}
        walls: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(args.runs):
            for name, steps in jobs.items():
                shutil.rmtree(out, ignore_errors=True)
                out.mkdir()
                measured = [measure(command, text) for command, text in steps]
                figures = {key: sum(step[key] for step in measured) for key in ("wall", "cpu")}
                figures["mib"] = measured[0]["mib"]
                figures["sessions"] = sum(step["wall"] for step in measured[1:])
                figures["written"] = sum(file.stat().st_size for file in out.rglob("*.parquet")) / 2**20
                walls[name].append(figures["wall"])
                best[name] = min(best.get(name, figures), figures, key=lambda figures: figures["wall"])
        packed = sum(file.stat().st_size for file in files) / 2**20
        print(f"{len(files)} gzip pages, {packed:.0f} MiB; the least wall time of {args.runs} runs in turn")
        for name, figures in best.items():
            rival = short if name in ("korpus analyze", short) else whole
            ratio = best[rival]["wall"] / figures["wall"]
            in_turn = statistics.median(map(operator.truediv, walls[rival], walls[name]))
            print(
                f"{name:<44} {figures['wall']:6.2f} s wall {figures['cpu']:6.2f} s CPU {figures['mib']:5.0f} MiB "
                f"{figures['written']:5.1f} MiB written  {ratio:5.2f} x, "
                f"round by round {in_turn:.2f} x, {figures['sessions'] * 1000:.0f} ms of it counting sessions"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
