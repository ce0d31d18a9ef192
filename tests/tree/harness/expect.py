"""What a recorded reply should give, computed without any of the program's code."""

import errno
import json


class Expected:
    """Output, finish, usage and errno of a recorded reply."""

    def __init__(self):
        self.output = b""
        self.finish = None
        self.usage = None
        self.errno = 0
        self.words = None


def of_error(status, body):
    """The errno of an HTTP error by the contract's table, and the service's own words; where it only
    says that somebody behind it failed, the words of that one."""
    expected = Expected()
    error = json.loads(body)["error"]
    metadata = error.get("metadata") or {}
    expected.words = error["message"]
    if error["message"] == "Provider returned error":
        expected.words = json.loads(metadata["raw"])["error"]["message"]
    gone = error["message"].endswith("is not a valid model ID")
    daily = metadata.get("limit_source") == "openrouter_free_tier_daily" or "per-day" in error["message"]
    if metadata.get("provider_name") and 400 <= status < 500:
        expected.errno = errno.EREMOTEIO
    elif gone:
        expected.errno = errno.ENOENT
    elif status == 429:
        expected.errno = errno.EDQUOT if daily else errno.EBUSY
    else:
        expected.errno = {
            400: errno.EINVAL,
            401: errno.EKEYREJECTED,
            402: errno.EDQUOT,
            403: errno.EACCES,
            404: errno.ENOENT,
            408: errno.ETIMEDOUT,
            413: errno.EMSGSIZE,
            422: errno.EINVAL,
            504: errno.ETIMEDOUT,
            524: errno.ETIMEDOUT,
        }[status]
    return expected


def events(stream):
    """The data of each server-sent event."""
    text = stream.decode().replace("\r\n", "\n").replace("\r", "\n")
    for block in text.split("\n\n"):
        lines = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if lines:
            yield "\n".join(lines)


def of_stream(stream):
    """A chat completion's stream. An error chunk fails it, whatever else stands there."""
    expected = Expected()
    for data in events(stream):
        if data.startswith("[DONE]"):
            break
        chunk = json.loads(data)
        if chunk.get("error"):
            expected.errno = -1
            expected.words = chunk["error"]["message"]
        expected.usage = chunk.get("usage") or expected.usage
        for choice in chunk.get("choices", [])[:1]:
            expected.output += ((choice.get("delta") or {}).get("content") or "").encode()
            expected.finish = expected.finish or choice.get("finish_reason")
    return expected


def free_ids(listing):
    """The models that are certain to cost nothing."""
    found = set()
    for model in listing["data"]:
        pricing = model.get("pricing") or {}
        stated = [float(price) for price in pricing.values() if isinstance(price, (str, int, float))]
        both = "prompt" in pricing and "completion" in pricing
        text_only = model["architecture"]["output_modalities"] == ["text"]
        if both and all(price == 0 for price in stated) and (text_only or model["id"].endswith(":free")):
            found.add(model["id"])
    return found
