"""Whether each recorded reply of the chat services is in one of the tests' tables: a recording that
lies there without being replayed shows nothing. Skipped where there are no recordings."""

import os
import pathlib
import sys

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("CONDUIT_SHARED", HERE.parents[3] / "shared"))
SERVICES = ["anthropic", "huggingface", "mistral", "openai_compat", "openrouter", "together", "ollama",
    "replicate", "fal"]

# Replies to what these providers never ask: other endpoints of the same services.
OTHERS = {
    "anthropic/json/count_tokens.json",
    # The daemon doesn't wait for the reply to a cancel.
    "fal/documented/cancel_202.json",
    "fal/documented/cancel_400.json",
    "fal/documented/cancel_404.json",
    "huggingface/hub_307_redirect.txt",
    "huggingface/hub_api_model_info.json",
    "ollama/native/api_chat_thinking_stub.txt",
    "ollama/native/api_embeddings.json",
    "ollama/native/api_generate_nonstream.json",
    "ollama/native/api_generate_stream.ndjson",
    "ollama/native/api_ps_fixture.json",
    "openrouter/json/generation_200.json",
    "replicate/error_404_problem_json.json",  # of a training
    "replicate/file_created.json",
    "replicate/hardware.json",
    "replicate/models_list_page1.json",  # collections are asked for instead
    "replicate/models_search_QUERY.json",
}


def main():
    data = SHARED / "data"
    if not data.exists():
        print(f"recordings.py: no recordings at {data}")
        return SKIPPED
    tables = "".join(path.read_text() for path in sorted(HERE.glob("test_record*.c")))
    files = [path for service in SERVICES for path in (data / service).rglob("*") if path.is_file()]
    names = {str(path.relative_to(data)) for path in files if not path.name.endswith(".meta.json")}
    unseen = sorted(name for name in names - OTHERS if f'"{name}"' not in tables)
    gone = sorted(OTHERS - names)
    for name in unseen:
        print(f"{name} is in no table")
    for name in gone:
        print(f"{name} isn't there any more")
    print(f"{len(names)} recordings, {len(names & OTHERS)} of endpoints that aren't asked, {len(unseen)} in no table")
    return 1 if unseen or gone else 0


sys.exit(main())
