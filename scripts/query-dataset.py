#!/usr/bin/env python3
"""Asks a dataset the README's questions with DuckDB, pyarrow and polars, and checks that they agree.

Usage: scripts/query-dataset.py DATASET     (a directory that `korpus convert` wrote)

A library that is not installed is skipped, with a line that says so. Ends with 1 where two disagree, or where a column
does not read as it should: timestamps as UTC timestamps, enums as strings.
"""

import datetime
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def readme_queries(dataset):
    """The SQL blocks of the README, on this dataset."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sql\n(.*?)```", text, re.S)
    # Either layout: with folders of days, or without.
    return [block.replace("'out/", f"'{dataset}/").replace("/*.parquet", "/**/*.parquet") for block in blocks]


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"query-dataset: {what}: {found!r}, not {wanted!r}")


def with_duckdb(dataset, tables):
    import duckdb

    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    for query in readme_queries(dataset):
        # Into a table: fetching timestamps with a zone would need one library more.
        db.execute(f"CREATE OR REPLACE TEMP TABLE answer AS {query}")
        rows = db.execute("SELECT count(*) FROM answer").fetchone()[0]
        print(f"  {rows:>6} rows from: {' '.join(query.split())[:90]}")
    counts = {
        table: db.execute(f"SELECT count(*) FROM '{dataset}/{table}/**/*.parquet'").fetchone()[0] for table in tables
    }
    columns = db.execute(f"DESCRIBE SELECT * FROM '{dataset}/messages/**/*.parquet'").fetchall()
    types = {column[0]: column[1] for column in columns}
    expect("the type of created_at", types["created_at"], "TIMESTAMP WITH TIME ZONE")
    expect("the type of message_type", types["message_type"], "VARCHAR")
    expect("the type of event_date", types["event_date"], "DATE")
    by_type = dict(
        db.execute(f"SELECT message_type, count(*) FROM '{dataset}/messages/**/*.parquet' GROUP BY ALL").fetchall()
    )
    first = db.execute(f"SELECT epoch_us(min(event_at)) FROM '{dataset}/messages/**/*.parquet'").fetchone()[0]
    return counts, by_type, first


def with_pyarrow(dataset, tables):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as pds
    import pyarrow.parquet as pq

    def read(table, columns=None):
        days = pds.partitioning(pa.schema([("event_date", pa.date32())]), flavor="hive")
        return pds.dataset(dataset / table, partitioning=days if table == "messages" else None).to_table(columns=columns)

    counts = {table: read(table).num_rows for table in tables}
    schema = pq.read_schema(next((dataset / "messages").rglob("*.parquet")))
    expect("the type of created_at", schema.field("created_at").type, pa.timestamp("us", tz="UTC"))
    expect("the type of message_type", schema.field("message_type").type, pa.string())
    messages = read("messages", ["message_type", "event_at", "event_date"])
    days = pc.cast(pc.floor_temporal(messages.column("event_at"), unit="day"), pa.date32())
    expect("event_date where it is not the day of event_at", pc.sum(pc.not_equal(days, messages.column("event_date"))).as_py() or 0, 0)
    by_type = {}
    for row in messages.column("message_type").value_counts().to_pylist():
        by_type[row["values"]] = row["counts"]
    first = pc.min(messages.column("event_at")).cast(pa.int64()).as_py()
    return counts, by_type, first


def with_polars(dataset, tables):
    import polars as pl

    def scan(table):
        return pl.scan_parquet(dataset / table)

    counts = {table: scan(table).select(pl.len()).collect().item() for table in tables}
    schema = scan("messages").collect_schema()
    expect("the type of created_at", schema["created_at"], pl.Datetime("us", "UTC"))
    expect("the type of message_type", schema["message_type"], pl.String)
    expect("the type of event_date", schema["event_date"], pl.Date)
    grouped = scan("messages").group_by("message_type").len().collect()
    by_type = dict(grouped.iter_rows())
    first = scan("messages").select(pl.col("event_at").min().to_physical()).collect().item()
    return counts, by_type, first


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    dataset = pathlib.Path(sys.argv[1])
    try:
        manifest = json.loads((dataset / "_korpus.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit(f"query-dataset: {dataset} holds no finished dataset (no _korpus.json)")
    tables = sorted({entry["table"] for entry in manifest["files"]})
    rows = {table: 0 for table in tables}
    for entry in manifest["files"]:
        rows[entry["table"]] += entry["rows"]
    answers = {}
    for name, ask in [("duckdb", with_duckdb), ("pyarrow", with_pyarrow), ("polars", with_polars)]:
        try:
            module = __import__(name)
        except ImportError:
            print(f"{name}: not installed, skipped (pip install {name})")
            continue
        print(f"{name} {getattr(module, '__version__', '')}")
        answers[name] = ask(dataset, tables)
        expect(f"rows that {name} counts", answers[name][0], rows)
    if not answers:
        print("query-dataset: none of the libraries is installed, nothing was asked")
        return
    (first_name, first), *others = answers.items()
    for name, answer in others:
        expect(f"messages by type, {name} against {first_name}", answer[1], first[1])
        expect(f"the first event, {name} against {first_name}", answer[2], first[2])
    total = sum(rows.values())
    when = "never"
    if first[2] is not None:
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        when = (epoch + datetime.timedelta(microseconds=first[2])).isoformat()
    print(f"{', '.join(answers)} agree: {total} rows in {len(tables)} tables, first event at {when}")


if __name__ == "__main__":
    main()
