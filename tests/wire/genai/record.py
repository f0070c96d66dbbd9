"""Write down what a real `mlflow server` on an empty store answers: `python -m tests.wire.genai.record URL`."""

import json
import sys
from pathlib import Path

from tests.wire.genai.walk import Walk

RECORDED = Path(__file__).with_name("recorded.json")

if __name__ == "__main__":
    lines = [json.dumps(list(answer), ensure_ascii=False) for answer in Walk(sys.argv[1]).answers()]
    RECORDED.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")
