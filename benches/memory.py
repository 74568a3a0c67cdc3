#!/usr/bin/env python3
"""Measures the peak memory of `korpus convert` and `korpus analyze` on streams far larger than it, made by `korpus synth` into a pipe.

Usage: benches/memory.py [--korpus PATH] [--scale SHARE] [JOB...]
Jobs: ndjson (8 GiB of messages, one a line), body (one JSON body of 8 GiB), gzip (one gzip member of 2 GiB), pages (20 and 2,000
gzip pages of 10,000 messages), keys (20 million messages, a tenth of them copies, under 256 MiB), metrics (10 million messages, all
metrics of them, under 512 MiB). All of them without a name.
`--scale 0.01` makes everything a hundredth of that. Nothing but the tables is kept on disk, and those only for the while.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MIB = 1 << 20
GIB = 1 << 30
# Bytes of a lean message, and of its share of a gzip member, roughly.
MESSAGE, PACKED = 1050, 170


def piped(korpus: str, job: str, synth: list[str], options: list[str], work: Path) -> dict:
    """Pipes what `synth` makes into `convert` or `analyze`: seconds, peak memory in MiB, bytes that went through, exit code."""
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    start = time.monotonic()
    source = subprocess.Popen([korpus, "synth", "--stdout", "--quiet", *synth], stdout=subprocess.PIPE)
    command = [korpus, job, "-", "--out", str(out), "--quiet", "--threads", "2", "--temp-dir", str(work), *options]
    sink = subprocess.Popen(command, stdin=source.stdout)
    source.stdout.close()
    _, status, usage = os.wait4(sink.pid, 0)
    source.wait()
    seconds = time.monotonic() - start
    written = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    shutil.rmtree(out, ignore_errors=True)
    cpu = usage.ru_utime + usage.ru_stime
    return {
        "seconds": seconds,
        "cpu": cpu,
        "mib": usage.ru_maxrss / 1024,
        "written": written / MIB,
        "exit": os.waitstatus_to_exitcode(status),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--korpus", default="target/release/korpus")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("jobs", nargs="*")
    args = parser.parse_args()
    chosen = args.jobs or ["ndjson", "body", "gzip", "pages", "keys", "metrics"]
    count = lambda size, each: str(max(1, int(args.scale * size / each)))
    lines, body, packed = count(8 * GIB, MESSAGE), count(8 * GIB, MESSAGE), count(2 * GIB, PACKED)
    keys, many = count(20_000_000, 1), max(2, int(args.scale * 2000))
    metrics = count(10_000_000, 1)
    gzip_pages = ["--codec", "gzip", "--layout", "concatenated"]
    jobs = {
        "ndjson": [("NDJSON, a message a line", ["--layout", "ndjson-messages", "--messages", lines], [], 300)],
        "body": [("one JSON body", ["--messages", body, "--page-size", body], [], 300)],
        "gzip": [("one gzip member", ["--codec", "gzip", "--messages", packed, "--page-size", packed], [], 300)],
        "pages": [
            ("20 gzip pages", [*gzip_pages, "--pages", "20"], [], None),
            (f"{many:,} gzip pages", [*gzip_pages, "--pages", str(many)], [], None),
        ],
        "keys": [
            (
                "20 million ids, a tenth twice",
                ["--layout", "ndjson-messages", "--messages", keys, "--duplicates", "0.1"],
                ["--memory-limit", "256MiB"],
                None,
            )
        ],
        "metrics": [("all metrics, gzip pages", [*gzip_pages, "--messages", metrics], ["--memory-limit", "512MiB"], 512)],
    }
    failed = False
    print(f"{'job':34} {'messages':>12} {'seconds':>8} {'cpu s':>8} {'peak MiB':>9} {'tables MiB':>10}")
    with tempfile.TemporaryDirectory() as work:
        for name in chosen:
            peaks = []
            for title, synth, options, bound in jobs[name]:
                result = piped(args.korpus, "analyze" if name == "metrics" else "convert", synth, options, Path(work))
                peaks.append(result["mib"])
                size = synth[synth.index("--messages") + 1] if "--messages" in synth else ""
                size = f"{int(size):,}" if size else f"{int(synth[-1]) * 10_000:,}"
                print(
                    f"{title:34} {size:>12} {result['seconds']:8.1f} {result['cpu']:8.1f} {result['mib']:9.0f} "
                    f"{result['written']:10.0f}",
                    flush=True,
                )
                failed |= result["exit"] != 0 or bound is not None and result["mib"] > bound
            if name == "pages" and max(peaks) > 1.1 * min(peaks):
                print("the peaks differ by more than a tenth")
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
