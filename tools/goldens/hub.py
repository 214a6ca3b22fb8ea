"""What huggingface_hub makes of the environment: tests/golden/hub/environment.json. (pip install huggingface_hub)"""

import json
import subprocess
import sys
from pathlib import Path

OUT = Path(__file__).parents[2] / "tests/golden/hub"
ASK = """
import json
from huggingface_hub import constants
from huggingface_hub.utils._auth import _get_token_from_environment
print(json.dumps({"endpoint": constants.ENDPOINT, "cache": str(constants.HF_HUB_CACHE), "token_file":
    str(constants.HF_TOKEN_PATH), "token": _get_token_from_environment() or "", "offline": constants.HF_HUB_OFFLINE}))
"""
CASES = [
    {},
    {"HF_HOME": "/models/hf"},
    {"HF_HOME": "~/hf"},
    {"HF_HOME": "$DISK/hf", "DISK": "/disk"},
    {"HF_HOME": "${DISK}/hf", "DISK": "/disk"},
    {"HF_HOME": "$NOWHERE/hf"},
    {"HF_HOME": "${NOWHERE}/hf$"},
    {"HF_HOME": ""},
    {"HF_HOME": "relative/"},
    {"XDG_CACHE_HOME": "/xdg"},
    {"XDG_CACHE_HOME": "~/xdg"},
    {"XDG_CACHE_HOME": "/xdg", "HF_HOME": "/hf"},
    {"HF_HUB_CACHE": "/a"},
    {"HF_HUB_CACHE": "~/a"},
    {"HF_HUB_CACHE": ""},
    {"HUGGINGFACE_HUB_CACHE": "/b"},
    {"HUGGINGFACE_HUB_CACHE": "~/b"},
    {"HUGGINGFACE_HUB_CACHE": "/b", "HF_HUB_CACHE": "/a"},
    {"HUGGINGFACE_HUB_CACHE": "/b", "HF_HOME": "/hf"},
    {"HF_ENDPOINT": "https://mirror.example/hub//"},
    {"HF_TOKEN": "one"},
    {"HF_TOKEN": " one\r\n"},
    {"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": "two"},
    {"HF_TOKEN": "one", "HUGGING_FACE_HUB_TOKEN": "two"},
    {"HF_TOKEN_PATH": "~/token"},
    {"HF_TOKEN_PATH": "/token", "HF_HOME": "/hf"},
    {"HF_HUB_OFFLINE": "1"},
    {"HF_HUB_OFFLINE": "yes"},
    {"HF_HUB_OFFLINE": "True"},
    {"HF_HUB_OFFLINE": "on"},
    {"HF_HUB_OFFLINE": "0"},
    {"HF_HUB_OFFLINE": "2"},
    {"HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "1"},
    {"HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "1"},
    {"TRANSFORMERS_OFFLINE": "1"},
    {"HOME": "/somewhere/", "HF_HOME": "~"},
    {"HOME": "/", "HF_HOME": "~/x"},
]


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    answers = []
    for case in CASES:
        environment = {"HOME": "/somewhere", "PATH": "/usr/bin:/bin"} | case
        answer = subprocess.check_output([sys.executable, "-c", ASK], env=environment, text=True)
        answers.append({"environment": environment, **json.loads(answer)})
    (OUT / "environment.json").write_text(json.dumps(answers, indent=1) + "\n")


if __name__ == "__main__":
    main()
