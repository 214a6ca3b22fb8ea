"""How long a learner waits: `rung learn check` of every exercise's solution and stub, from the save to the report.

    python3 bench/learn.py [--rung build/release/src/cli/rung] [--compiler c++]

`rung learn watch` does the same at every save, and looks for one ten times a second. Beside the seconds of a clock,
which a busy machine stretches, stand those that the processor spent, the compiler's included.
"""

import argparse
import json
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of all that have ended
    return used.ru_utime + used.ru_stime


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rung", default=ROOT / "build/release/src/cli/rung", type=Path)
    options.add_argument("--compiler", default="")
    chosen = options.parse_args()
    rung = chosen.rung.resolve()
    exercises = json.loads(subprocess.check_output([rung, "learn", "--json"], cwd="/"))["exercises"]
    seconds: dict[str, list[float]] = {"stub": [], "solution": []}
    computed: dict[str, list[float]] = {"stub": [], "solution": []}
    slowest = (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.check_output([rung, "learn", "start", folder])
        for exercise in (one["name"] for one in exercises):
            for what, status in (("stub", 1), ("solution", 0)):
                file = next((ROOT / "course/exercises" / exercise).glob(f"{what}.*"))  # .cpp, or .metal
                (Path(folder) / f"{exercise}{file.suffix}").write_text(file.read_text())
                command = [rung, "learn", "check", exercise, "--folder", folder]
                if chosen.compiler:
                    command += ["--compiler", chosen.compiler]
                start, computed_before = time.monotonic(), processor_seconds()
                ended = subprocess.run(command, capture_output=True, text=True)
                took = time.monotonic() - start
                if ended.returncode != status:
                    raise SystemExit(f"{exercise}/{what}.cpp: {ended.stdout}{ended.stderr}")
                seconds[what].append(took)
                computed[what].append(processor_seconds() - computed_before)
                slowest = max(slowest, (took, f"{exercise}, its {what}"))
    for what, all_of_them in seconds.items():
        below = sum(took < 2 for took in all_of_them)
        computing = f"{statistics.median(computed[what]):.2f} s of computing, at most {max(computed[what]):.2f} s"
        median = statistics.median(all_of_them)
        print(f"{what:8} median {median:.2f} s, {below} of {len(all_of_them)} below 2 s; {computing}")
    print(f"slowest  {slowest[0]:.2f} s: {slowest[1]}")


if __name__ == "__main__":
    main()
