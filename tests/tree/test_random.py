"""Random operations, each answer checked against a small model of the tree and its turns.

CONDUITFS_SEED repeats one run; CONDUITFS_STEPS makes it longer. The seed and the last operations
are part of a failure's words."""

import errno
import os
import random

import pytest

SEEDS = [int(os.environ["CONDUITFS_SEED"])] if "CONDUITFS_SEED" in os.environ else [1, 2, 3]
STEPS = int(os.environ.get("CONDUITFS_STEPS", "300"))
NAMES = ["test/echo:free", "test/fail-404:free", "test/cut:free", "test/paid"]
SETTINGS = {"temperature": ["0.1", "0.5", "1", "2"], "seed": ["1", "42", "9313781139405380000"]}
LEVELS = ["", "providers/openrouter", *(f"providers/openrouter/models/{name}" for name in NAMES)]


class Reference:
    """What the tree should say: turns of each model, settings of each level."""

    def __init__(self):
        self.turns = {name: [] for name in NAMES}
        self.settings = {level: {} for level in LEVELS}

    def asked(self, name, prompt):
        self.turns[name].append(prompt)

    def expected(self, name, prompt):
        """(bytes, errno) of a turn's output."""
        if name == "test/fail-404:free":
            return b"", errno.ENOENT
        if name == "test/cut:free":
            return b"half ", errno.EPROTO
        return prompt + b"\n", 0

    def inherited(self, level, setting):
        above = ["", "providers/openrouter"]
        chain = [level] if level in above else [level, *reversed(above)]
        if level == "providers/openrouter":
            chain = [level, ""]
        for one in chain:
            if setting in self.settings[one]:
                return self.settings[one][setting]
        return None


class Walker:
    """Does one operation after the other and compares."""

    def __init__(self, tree, remount, seed):
        self.tree = tree
        self.remount = remount
        self.random = random.Random(seed)
        self.reference = Reference()
        self.done = []
        self.seed = seed

    def model(self):
        name = self.random.choice(NAMES)
        return name, self.tree.model(name)

    def prompt(self):
        size = self.random.choice([1, 5, 100, 5000, 140000])
        alphabet = "abc xyz\n\"\\{}é模🦆\t"
        words = "".join(self.random.choice(alphabet) for _ in range(min(size, 300)))
        data = (words * (size // len(words) + 1))[:size].strip("\n") or "x"
        return data.encode()

    def step(self):
        operations = [name for name in dir(self) if name.startswith("do_")]
        weights = [1 if name == "do_remount" else 20 for name in operations]
        operation = self.random.choices(operations, weights)[0]
        self.done.append(operation)
        getattr(self, operation)()

    def outcome(self, path):
        got = b""
        try:
            with open(path, "rb", buffering=0) as file:
                while piece := file.read(self.random.choice([1000, 65536])):
                    got += piece
        except OSError as error:
            return got, error.errno
        return got, 0

    def check(self, name, path, prompt):
        got, code = self.outcome(path)
        bytes_, errno_ = self.reference.expected(name, prompt)
        assert code == errno_
        assert got == bytes_ or (errno_ and got.rstrip() == bytes_.rstrip())

    def ask(self, write):
        name, model = self.model()
        prompt = self.prompt()
        write(model, prompt)
        self.reference.asked(name, prompt)
        self.check(name, model.path / "output", prompt)

    def do_ask(self):
        self.ask(lambda model, prompt: model.write(prompt + b"\n"))

    def do_ask_in_pieces(self):
        def write(model, prompt):
            with open(model.path / "input", "wb", buffering=0) as file:
                for start in range(0, len(prompt), max(1, len(prompt) // 5)):
                    file.write(prompt[start : start + max(1, len(prompt) // 5)])
                    os.fsync(file.fileno())

        self.ask(write)

    def do_ask_by_rename(self):
        def write(model, prompt):
            (model.path / ".scratch").write_bytes(prompt)
            os.rename(model.path / ".scratch", model.path / "input")

        self.ask(write)

    def do_ask_out_of_order(self):
        def write(model, prompt):
            with open(model.path / "input", "wb", buffering=0) as file:
                middle = len(prompt) // 2
                os.pwrite(file.fileno(), prompt[middle:], middle)
                os.pwrite(file.fileno(), prompt[:middle], 0)

        self.ask(write)

    def do_nothing_to_input(self):
        _, model = self.model()
        with open(model.path / "input", "wb"):
            pass
        os.truncate(model.path / "input", 0)
        os.utime(model.path / "input")
        assert model.read("input") == b""

    def do_look(self):
        name, model = self.model()
        numbers = model.turns()
        assert len(numbers) == len(self.reference.turns[name])
        if numbers:
            assert os.readlink(model.path / "turns/last") == f"{numbers[-1]:06d}"
            assert os.readlink(model.path / "output") == f"turns/{numbers[-1]:06d}/output"

    def do_read_an_old_turn(self):
        name, model = self.model()
        turns, numbers = self.reference.turns[name], model.turns()
        if turns:
            index = self.random.randrange(len(turns))
            folder = model.path / "turns" / f"{numbers[index]:06d}"
            assert (folder / "prompt").read_bytes().removesuffix(b"\n") == turns[index]
            self.check(name, folder / "output", turns[index])

    def do_set(self):
        level = self.random.choice(LEVELS)
        setting = self.random.choice(list(SETTINGS))
        value = self.random.choice(SETTINGS[setting])
        if self.reference.inherited(level, setting) != value:
            self.reference.settings[level][setting] = value
        (self.tree.path / level / "config" / setting).write_text(value + "\n")

    def do_unset(self):
        level = self.random.choice(LEVELS)
        setting = self.random.choice(list(SETTINGS))
        self.reference.settings[level].pop(setting, None)
        with open(self.tree.path / level / "config" / setting, "w", encoding="ascii") as file:
            file.write("\n")

    def do_set_wrongly(self):
        level = self.random.choice(LEVELS)
        with pytest.raises(OSError) as caught:
            (self.tree.path / level / "config/temperature").write_text("hot")
        assert caught.value.errno == errno.EINVAL

    def do_read_settings(self):
        level = self.random.choice(LEVELS)
        for setting in SETTINGS:
            expected = self.reference.inherited(level, setting)
            if expected is not None:
                assert (self.tree.path / level / "config" / setting).read_text() == expected + "\n"

    def do_refused(self):
        _, model = self.model()
        for call in (
            lambda: os.mkdir(model.path / "newdir"),
            lambda: os.rename(model.path / "input", model.path / "gone"),
            lambda: os.rmdir(model.path / "turns"),
            lambda: (model.path / "status").write_text("x"),
        ):
            with pytest.raises(OSError) as caught:
                call()
            assert caught.value.errno in (errno.EPERM, errno.EACCES, errno.ENOTEMPTY)

    def do_remount(self):
        self.tree.stop()
        self.tree = self.remount()


@pytest.mark.bound(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_operations_agree_with_the_reference(mount, simulated, seed):
    def remount():
        return mount(simulated.config()).wait_ready()

    walker = Walker(remount(), remount, seed)
    for number in range(STEPS):
        try:
            walker.step()
        except Exception as error:
            last = ", ".join(walker.done[-5:])
            raise AssertionError(f"seed {seed}, step {number}, after {last}: {error!r}") from error
