#!/usr/bin/env python3
"""Loads the exports of `korpus analyze` with the programs that they are for.

    scripts/check-interop.py KORPUS

KORPUS is the program. Needs the Python packages pm4py and convokit; what is not installed is skipped, and said so.
Exits with 1 where an export does not load, or says something else than the tables.
"""

import csv
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path


def module(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        print(f"{name}: skipped, as it cannot be imported ({error})")
        return None


def check_pm4py(pm4py, folder, sessions):
    import pandas

    frame = pandas.read_csv(folder / "pm4py" / "event_log.csv")
    log = pm4py.format_dataframe(
        frame,
        case_id="case:concept:name",
        activity_key="concept:name",
        timestamp_key="time:timestamp",
    )
    starts = pm4py.get_start_activities(log)
    ends = pm4py.get_end_activities(log)
    assert starts == {"start": sessions}, starts
    assert sum(ends.values()) == sessions and all(name.startswith("end: ") for name in ends), ends
    edges, _, _ = pm4py.discover_dfg(log)
    assert edges
    print(f"pm4py: {sessions} cases, {len(log)} events, {len(edges)} edges")


def check_convokit(convokit, folder, sessions):
    corpus = convokit.Corpus(filename=str(folder / "convokit"))
    conversations = list(corpus.iter_conversations())
    assert len(conversations) == sessions, len(conversations)
    for utterance in corpus.iter_utterances():
        assert utterance.speaker is not None
        if utterance.reply_to is not None:
            assert corpus.get_utterance(utterance.reply_to).conversation_id == utterance.conversation_id
    outcomes = {conversation.meta["outcome"] for conversation in conversations}
    assert "self_service" in outcomes, outcomes
    print(f"convokit: {len(conversations)} conversations, {len(corpus.utterances)} utterances")


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as temp:
        temp = Path(temp)
        subprocess.run(
            [program, "synth", "--out", temp / "synth", "--messages", "5000", "--quiet",
             "--shape", "v2,lite,agent_ai_history,call", "--page-size", "500"],
            check=True,
        )
        out = temp / "out"
        subprocess.run(
            [program, "analyze", temp / "synth" / "dump", "--out", out, "--quiet",
             "--table-format", "csv", "--export", "pm4py,convokit"],
            check=True,
        )
        with open(out / "session_summary.csv", newline="") as file:
            sessions = sum(int(row["sessions"]) for row in csv.DictReader(file))
        for name, check in [("pm4py", check_pm4py), ("convokit", check_convokit)]:
            found = module(name)
            if found is not None:
                check(found, out, sessions)


if __name__ == "__main__":
    main()
