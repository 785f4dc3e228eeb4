"""Answers that attack the box they run in, in every tier of this machine, and how each ends."""

import os
import socket
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from genimg_course.grading.isolation.session import Ended, Limits, Program, Sandbox
from genimg_course.grading.isolation.tiers import choose_tier, find_tiers
from genimg_course.grading.package import write_package
from genimg_course.probing.case import Case

VALUES = "genimg_course.probing.values:values_and_gradients"
LIMITS = Limits(seconds=6.0, cpu_seconds=8, memory_bytes=1 << 30, total_seconds=1e6)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return write_package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def tiers():
    return {report.name: report for report in find_tiers()}


@pytest.fixture(scope="module", params=["bubblewrap", "landlock"])
def sandbox(request, tiers, package):
    name, _, without = request.param.partition(" without ")
    if not tiers[name].available:
        pytest.skip(f"{name}: {tiers[name].reason}")
    tier = choose_tier(name)
    tier = replace(tier, landlock=False) if without else tier
    with Sandbox(tier, package, LIMITS) as sandbox:
        yield sandbox


each_wall = pytest.mark.parametrize(
    "sandbox", ["bubblewrap", "landlock", "bubblewrap without landlock"], indirect=True
)


@pytest.fixture(scope="module")
def trusting(package):
    with Sandbox(choose_tier("none", trust=True), package, LIMITS) as sandbox:
        yield sandbox


def program(code, **settings):
    code = textwrap.dedent(code)
    return Program(code, "f", **{"probe": VALUES, **settings})


def ask(sandbox, code, x=None, **settings):
    """Return what is seen of the function ``f`` on one input."""
    with sandbox.run(program(code, **settings)) as run:
        return run.ask(Case({"x": torch.ones(2, 3) if x is None else x}), 7)


def value(sandbox, code, x=None):
    seen = ask(sandbox, code, x)
    assert "raises" not in seen, seen["raises"]
    return seen["value"]


def raised(sandbox, code):
    return ask(sandbox, code)["raises"]


def end(sandbox, code, **settings):
    """Return how an answer ended that gave nothing to judge; the next one is well."""
    with pytest.raises(Ended) as found:
        ask(sandbox, code, **settings)
    assert value(sandbox, "def f(x):\n    return 1.5") == 1.5
    return found.value


# what a right answer needs


def test_values_and_gradients_come_back_exactly(sandbox):
    x = torch.randn(2, 3, dtype=torch.float64)
    seen = ask(sandbox, "def f(x):\n    return (x * x).sum(dim=1)", x, arguments=("x",))
    assert torch.equal(seen["value"], (x * x).sum(dim=1))
    assert torch.equal(seen["unchanged:x"], x)
    assert torch.allclose(seen["gradient:x"], 2 * x * torch.tensor([[0.5], [1.5]]).double())


def test_torch_numpy_scipy_and_torchvision_work_inside(sandbox):
    code = """
        import json, dataclasses, random, math, collections
        import numpy as np, scipy.linalg, scipy.stats, torch, torchvision
        from genimg_course.losses import __doc__ as text

        @dataclasses.dataclass
        class Pair:
            a: int = 1

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = torch.nn.Sequential(
                    torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU(),
                    torch.nn.Flatten(), torch.nn.LazyLinear(1))
            def forward(self, x):
                return self.layers(x)

        def f(x):
            net = Net()
            net(torch.rand(2, 1, 6, 6))
            optimizer = torch.optim.AdamW(net.parameters())
            for _ in range(2):
                loss = net(torch.rand(2, 1, 6, 6)).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            root = scipy.linalg.sqrtm(np.eye(3) * 4).real.trace()
            torch.linalg.svd(torch.rand(20, 20))
            torch.fft.fft(torch.rand(16))
            torch.set_num_threads(2)
            (torch.rand(300, 300) @ torch.rand(300, 300)).sum()
            return float(root), float(scipy.stats.norm.cdf(0.0))
    """
    assert value(sandbox, code) == (6.0, 0.5)


def test_an_answer_sees_a_normal_python(sandbox):
    code = """
        import os, sys, warnings
        def f(x):
            warnings.warn("a warning")
            return [__name__, sys.argv, os.listdir("."), sorted(os.environ), sys.stdin.read()]
    """
    name, arguments, here, names, typed = value(sandbox, code)
    assert (name, arguments, here, typed) == ("answer", ("answer",), (), "")
    assert not any("genimg" in one.lower() or "grad" in one.lower() for one in names)


def test_decorators_of_the_lesson_do_nothing(sandbox):
    code = """
        from genimg_course.exercises import exercise, hint, progress
        @exercise("vae.gaussian_kl")
        def f(x):
            return 2.0
    """
    assert value(sandbox, code) == 2.0


def test_a_chatty_right_answer_stays_right(sandbox):
    code = """
        import os, sys
        def f(x):
            print("x" * 200_000)
            print("y" * 200_000, file=sys.stderr)
            os.write(1, b"z" * 200_000)
            return x + 1
    """
    assert torch.equal(value(sandbox, code), torch.full((2, 3), 2.0))


def test_a_gigabyte_of_print_costs_nothing(sandbox):
    code = """
        def f(x):
            for _ in range(1000):
                print("x" * 1_000_000)
            return 1.0
    """
    assert value(sandbox, code) == 1.0


def test_each_answer_begins_afresh(sandbox):
    assert value(sandbox, "import math\nmath.tau = 1.0\ndef f(x):\n    return math.tau") == 1.0
    assert value(sandbox, "import math\ndef f(x):\n    return math.tau") > 6


def test_the_same_seed_draws_the_same(sandbox):
    code = "import torch\ndef f(x):\n    return torch.randn(4)"
    assert torch.equal(value(sandbox, code), value(sandbox, code))


# what an answer raises


@pytest.mark.parametrize(
    "kind",
    [
        *("ValueError", "MemoryError", "SystemExit", "KeyboardInterrupt", "GeneratorExit"),
        *("StopIteration", "RecursionError", "NotImplementedError", "unittest.SkipTest"),
    ],
)
@pytest.mark.parametrize("place", ["function", "cell"])
def test_an_exception_is_told_by_its_name_wherever_it_comes_up(sandbox, kind, place):
    call = f"raise {kind}('because of this\\nsecond line')"
    code = f"import unittest\n\ndef f(x):\n    {call if place == 'function' else 'pass'}\n"
    if place == "cell":
        code += call
    got = raised(sandbox, code)
    assert got.kind == kind.rpartition(".")[2]
    assert got.text == "because of this"
    assert (got.line, got.code) == (4 if place == "function" else 5, call)


@pytest.mark.parametrize("call", ["exit()", "quit()", "import sys; sys.exit(0)"])
def test_leaving_is_an_error_by_name(sandbox, call):
    # exit and quit come with the module site, which is not loaded: they are names that fail
    assert raised(sandbox, f"def f(x):\n    {call}").kind in ("SystemExit", "NameError")


def test_the_line_is_the_one_in_the_cell(sandbox):
    code = "import torch\ndef f(x):\n    y = x\n    return y @ torch.ones(7)\n"
    got = ask(sandbox, code, first_line=10)["raises"]
    assert (got.kind, got.line, got.code) == ("RuntimeError", 13, "return y @ torch.ones(7)")
    assert ask(sandbox, code, first_line=-9)["raises"].line is None


def test_a_syntax_error_names_its_line(sandbox):
    got = raised(sandbox, "def f(x):\n    return x +\n")
    assert (got.kind, got.line) == ("SyntaxError", 2)


def test_a_missing_function_is_an_error(sandbox):
    assert "no function 'f'" in raised(sandbox, "def g(x):\n    return x").text


def test_an_exception_that_lies_about_itself_is_one_printable_line(sandbox):
    code = r"""
        class E(Exception):
            def __str__(self):
                raise SystemExit
        def f(x):
            raise E if x.sum() > 99 else ValueError("\x1b[2J<script>\u202e\r\nmore")
    """
    got = raised(sandbox, code)
    assert got.text.isprintable() and "more" not in got.text


def test_the_courses_own_function_is_unavailable(sandbox):
    code = """
        from genimg_course.maths.gaussians import gaussian_kl
        def f(x):
            return gaussian_kl(x, x)
    """
    found = end(sandbox, code)
    assert (found.status, found.diagnosis) == ("error", "unavailable")
    assert "gaussian_kl" in found.message


# how an answer may end


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        """
        import signal
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)
        while True:
            try:
                while True: pass
            except BaseException:
                pass
        """,
        "import time; time.sleep(1e9)",
        "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
        "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
        "10 ** 10 ** 9",
    ],
    ids=["loop", "deaf", "sleep", "lock", "regex", "power"],
)
def test_what_never_answers_is_out_of_time(sandbox, body):
    code = "def f(x):\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ")
    left, start = sandbox.limits, time.monotonic()
    sandbox.limits = Limits(**{**vars(left), "seconds": 1.0})
    try:
        with pytest.raises(Ended) as found:
            ask(sandbox, code)
    finally:
        sandbox.limits = left
    assert found.value.status == "timeout"
    assert time.monotonic() - start < 5
    assert value(sandbox, "def f(x):\n    return 1.5") == 1.5


@pytest.mark.parametrize(
    "body, kinds",
    [
        ("a = bytearray()\n    while True: a.extend(bytes(1 << 26))", {"MemoryError"}),
        ("import torch; return torch.empty(10 ** 11).fill_(1)", {"RuntimeError"}),
        ("return [0] * 10 ** 12", {"MemoryError"}),
        ("a = []\n    while True: a = [a, bytearray(1 << 20)]", {"MemoryError"}),
    ],
    ids=["growth", "tensor", "list", "chain"],
)
def test_memory_has_an_end(sandbox, body, kinds):
    try:
        assert raised(sandbox, f"def f(x):\n    {body}").kind in kinds
    except Ended as ended:
        assert ended.status in ("killed:memory", "crashed")
    assert value(sandbox, "def f(x):\n    return 1.5") == 1.5


def test_processor_time_has_an_end(sandbox):
    # several threads use it faster than the wall clock runs; one does where there is one core
    code = """
        import threading, torch
        def burn():
            a = torch.rand(400, 400)
            while True: a = (a @ a).clamp(0, 1)
        def f(x):
            for _ in range(4): threading.Thread(target=burn, daemon=True).start()
            burn()
    """
    assert end(sandbox, code).status in ("killed:cpu", "timeout")


@pytest.mark.parametrize(
    "body, diagnosis",
    [
        ("import os; os._exit(0)", "exit"),
        ("import os; os.abort()", "SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "SIGTERM"),
    ],
)
def test_a_crash_is_a_crash(sandbox, body, diagnosis):
    found = end(sandbox, f"def f(x):\n    {body}")
    assert (found.status, found.diagnosis) == ("crashed", diagnosis)


def test_an_answer_cannot_look_as_if_memory_had_run_out(sandbox):
    body = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert raised(sandbox, f"def f(x):\n    {body}").kind == "PermissionError"


def test_a_child_that_has_no_memory_left_for_a_reply_is_no_forger(sandbox):
    code = """
        import sys
        def f(x):
            def full(*_): raise MemoryError
            sys.modules["genimg_course.grading.box.child"].encode = full
            return x
    """
    found = end(sandbox, code)
    assert (found.status, found.diagnosis, found.flags) == ("crashed", "exhausted", ())


def test_a_hundred_thousand_threads(sandbox):
    code = """
        import threading, time
        threading.stack_size(1 << 16)
        def f(x):
            for _ in range(100_000):
                threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
    """
    try:
        assert raised(sandbox, code).kind in ("RuntimeError", "MemoryError")
    except Ended as ended:
        assert ended.status in ("killed:pids", "crashed")
    assert value(sandbox, "def f(x):\n    return 1.5") == 1.5


def test_open_files_have_an_end(sandbox):
    assert raised(sandbox, "def f(x):\n    a = [open('/dev/null') for _ in range(9999)]").kind == (
        "OSError"
    )


@pytest.mark.parametrize(
    "body",
    [
        "import torch; return torch.zeros(1 << 26)",
        "return 'x' * (1 << 26)",
        "return [0.5] * 300000",
    ],
)
def test_too_large_an_answer_is_not_looked_at(sandbox, body):
    assert end(sandbox, f"def f(x):\n    {body}").status == "killed:output"


def test_an_answer_that_holds_itself_ends(sandbox):
    assert raised(sandbox, "def f(x):\n    a = []\n    a.append(a)\n    return a").kind == (
        "RecursionError"
    )


def test_numbers_that_lie_cross_as_their_type(sandbox):
    code = """
        class F(float):
            def __eq__(self, other): return True
            __le__ = __lt__ = __ge__ = __gt__ = __eq__
            __hash__ = float.__hash__
        def f(x):
            return [F(1.0), float("nan"), float("inf"), 1.0]
    """
    liar, nan, inf, one = value(sandbox, code)
    assert type(liar).__name__ == "F" and not isinstance(liar, float)
    assert nan != nan and inf == float("inf") and one == 1.0


# forged replies


def test_bytes_on_every_file_are_a_broken_protocol(sandbox):
    code = """
        import os
        def f(x):
            for number in range(21):
                try:
                    os.write(number, b"\\0\\0\\0\\x14" + bytes(16) + b"o" + b"d\\0\\0\\0\\0")
                except OSError:
                    pass
            return 1.0
    """
    found = end(sandbox, code)
    assert (found.status, found.diagnosis, found.flags) == ("wrong", "protocol", ("tamper",))


def test_a_gigabyte_on_the_pipe_is_not_taken(sandbox):
    code = """
        import os
        def f(x):
            for number in range(3, 21):
                try:
                    for _ in range(1000): os.write(number, b"A" * 1_000_000)
                except OSError:
                    pass
    """
    assert end(sandbox, code).flags == ("tamper",)


def test_what_is_sent_between_two_questions_is_noticed(sandbox):
    code = """
        import os, threading, time
        def late():
            time.sleep(0.3)
            os.write(4, b"\\0\\0\\0\\1x")
        def f(x):
            threading.Thread(target=late).start()
            return 1.0
    """
    with sandbox.run(program(code)) as run:
        assert run.ask(Case({"x": torch.ones(1)}), 1)["value"] == 1.0
        time.sleep(1)
        for _ in range(2):
            with pytest.raises(Ended) as found:
                run.ask(Case({"x": torch.ones(1)}), 1)
            assert found.value.flags == ("tamper",)


def test_replacing_the_workers_code_yields_no_more_than_other_observations(sandbox):
    code = """
        import sys
        for name, module in list(sys.modules.items()):
            if name.startswith("genimg_course.grading"):
                for key in list(vars(module)):
                    if callable(getattr(module, key)) and not key.startswith("__"):
                        setattr(module, key, lambda *a, **k: True)
        def f(x):
            return 1.0
    """
    assert end(sandbox, code).status in ("wrong", "crashed", "timeout")


def test_replaced_builtins_stay_inside(sandbox):
    code = """
        import builtins
        def f(x):
            for name in ("isinstance", "len", "type", "sum", "abs", "print", "__import__"):
                setattr(builtins, name, lambda *a, **k: True)
            return 1.0
    """
    try:
        ask(sandbox, code)
    except Ended as ended:
        assert ended.status in ("wrong", "crashed", "timeout")
    assert value(sandbox, "def f(x):\n    return len([1.0])") == 1


# what an answer can reach: the function returns what worked, and nothing may


@each_wall
def test_nothing_can_be_written_anywhere(sandbox, package, tmp_path):
    (tmp_path / "file").write_text("here")
    (tmp_path / "file").chmod(0o666)
    tmp_path.chmod(0o777)
    places = ["", "/tmp", "/var/tmp", "/dev/shm", "/", "/box", "/etc", "/root", str(tmp_path)]
    code = f"""
        import os, tempfile, torch
        places = {[*places, str(package), os.path.expanduser("~")]!r}
        places += [os.path.dirname(torch.__file__), os.path.dirname(os.__file__)]
        def f(x):
            found = []
            for place in places:
                path = os.path.join(place, "written-by-an-answer")
                for act in (
                    lambda: open(path, "w"), lambda: os.mkdir(path), lambda: os.mkfifo(path),
                    lambda: os.symlink("/etc/passwd", path), lambda: os.mknod(path),
                    lambda: os.open(place or ".", os.O_TMPFILE | os.O_RDWR),
                ):
                    try:
                        act()
                        found.append(path)
                    except OSError:
                        pass
            path = {str(tmp_path / "file")!r}
            for act in (
                lambda: open(path, "a"), lambda: os.truncate(path, 0), lambda: os.unlink(path),
                lambda: os.rename(path, path + "x"), lambda: os.link(path, path + "y"),
                lambda: os.chmod(path, 0o777), lambda: os.chown(path, 1, 1),
                lambda: os.utime(path, (0, 0)), lambda: os.setxattr(path, "user.x", b"x"),
                lambda: tempfile.TemporaryFile(), lambda: os.memfd_create("m"),
            ):
                try:
                    act()
                    found.append(path)
                except OSError:
                    pass
            return found
    """
    assert value(sandbox, code) == ()
    assert (tmp_path / "file").read_text() == "here" and len(list(tmp_path.iterdir())) == 1


@each_wall
def test_nothing_of_the_grader_can_be_read(sandbox, tmp_path, monkeypatch):
    (tmp_path / "canary").write_text("canary-5e1f")
    monkeypatch.setenv("CANARY", "canary-5e1f")
    here = Path(__file__)
    paths = [
        *(str(tmp_path / "canary"), str(here), str(here.parent.parent / "pyproject.toml")),
        *("/etc/passwd", "/etc/shadow", "/etc/hosts", os.path.expanduser("~/.bashrc")),
        *("/proc/1/environ", "/proc/1/cmdline", "/proc/self/environ", "/proc/self/mem"),
        *(f"/proc/{os.getpid()}/environ", f"/proc/{os.getpid()}/cmdline"),
        *(f"/proc/{os.getpid()}/maps", "/proc/net/tcp", "/proc/net/unix", "/proc/mounts"),
        str(here.parent.parent / "genimg_course" / "exercises" / "registry.py"),
    ]
    code = f"""
        import os
        def f(x):
            found = ["environment" for v in os.environ.values() if "canary" in v]
            parent = os.getppid()
            for path in {paths!r} + [f"/proc/{{parent}}/environ", f"/proc/{{parent}}/mem"]:
                try:
                    with open(path, "rb") as file:
                        text = file.read(1 if path.endswith("mem") else 1 << 20)
                    found.append(path + " canary-5e" * (b"canary-5e" in text))
                except OSError:
                    pass
            for folder in ("/root", "/home", "/work", {str(tmp_path)!r}, "/proc/self/fd", ".."):
                try:
                    if folder != ".." or "secret" in os.listdir(folder):
                        found += [f"{{folder}}: {{name}}" for name in os.listdir(folder)]
                except OSError:
                    pass
            return found
    """
    got = value(sandbox, code)
    if sandbox.tier.name == "bubblewrap":  # mount points are there, and empty on the way
        got = tuple(one for one in got if not one.startswith("/root: ."))
    if not sandbox.tier.landlock:  # it sees a /proc that holds nothing but the box
        own = ("/proc/1/", "/proc/self/", "/proc/net/", "/proc/mounts", "/proc/2/cmdline")
        got = tuple(one for one in got if not one.startswith(own) or "canary" in one)
    assert got == ()


def test_no_reference_and_no_other_package_is_there(sandbox):
    code = """
        import importlib.util
        def f(x):
            names = ["pytest", "IPython", "nbformat", "genimg_course.grading.judging",
                     "genimg_course.exercises.registry", "genimg_course.exercises.checking",
                     "genimg_course.grading.reports.gradebook", "pip", "site.tests"]
            found = []
            for name in names:
                try:
                    if importlib.util.find_spec(name): found.append(name)
                except ImportError:
                    pass
            return found
    """
    assert value(sandbox, code) == ()


@each_wall
def test_no_network(sandbox, tmp_path):
    tcp, unix, abstract = (
        socket.socket(),
        socket.socket(socket.AF_UNIX),
        socket.socket(socket.AF_UNIX),
    )
    tcp.bind(("127.0.0.1", 0))
    unix.bind(str(tmp_path / "s"))
    abstract.bind("\0genimg-test-canary")
    for one in (tcp, unix, abstract):
        one.listen()
        one.setblocking(False)
    code = f"""
        import socket
        def f(x):
            found = []
            for family, kind, address in (
                (socket.AF_INET, socket.SOCK_STREAM, {tcp.getsockname()!r}),
                (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 9)),
                (socket.AF_INET6, socket.SOCK_STREAM, ("::1", 9)),
                (socket.AF_UNIX, socket.SOCK_STREAM, {str(tmp_path / "s")!r}),
                (socket.AF_UNIX, socket.SOCK_STREAM, "\\0genimg-test-canary"),
                (socket.AF_NETLINK, socket.SOCK_RAW, (0, 0)),
            ):
                try:
                    one = socket.socket(family, kind)
                    found.append(str(address))
                    one.connect(address)
                except OSError:
                    pass
            try:
                socket.getaddrinfo("example.org", 80)
                found.append("name")
            except OSError:
                pass
            return found
    """
    try:
        assert value(sandbox, code) == ()
        for one in (tcp, unix, abstract):
            with pytest.raises(BlockingIOError):
                one.accept()
    finally:
        for one in (tcp, unix, abstract):
            one.close()


@each_wall
def test_no_other_process_can_be_started_or_touched(sandbox):
    code = f"""
        import ctypes, os, signal, subprocess, multiprocessing
        libc = ctypes.CDLL(None, use_errno=True)
        def f(x):
            found = []
            others = [os.getppid(), {os.getpid()}, 1, -1, 0]
            for other in others:
                for number in (0, signal.SIGCONT):  # harmless if it should get through
                    try:
                        os.kill(other, number)
                        found.append(f"kill {{other}} {{number}}")
                    except OSError:
                        pass
            for act in (
                os.fork, lambda: os.execv("/bin/true", ["true"]),
                lambda: subprocess.run(["/bin/true"]),
                lambda: os.posix_spawn("/bin/true", ["t"], {{}}),
                lambda: multiprocessing.get_context("fork").Process(target=int).start(),
                os.setsid, lambda: os.setpgid(0, 0), lambda: os.setuid(1), lambda: os.chroot("."),
                lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19), lambda: os.nice(1),
                lambda: os.sched_setaffinity(os.getppid(), {{0}}),
                lambda: os.pidfd_open(os.getppid()), lambda: os.chdir("/"),
                lambda: os.unshare(0x10000000) if hasattr(os, "unshare") else os.chroot("."),
            ):
                try:
                    act()
                    found.append("started or changed something")
                except OSError:
                    pass
            return found
    """
    assert value(sandbox, code) == ()


CALLS = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "unshare": (272, 97),
    "mount": (165, 40),
    "setns": (308, 268),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "memfd_create": (319, 279),
    "socketpair": (53, 199),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "rt_sigqueueinfo": (129, 138),
    "tkill": (200, 130),
    "open_by_handle_at": (304, 265),
    "capset": (126, 91),
    "seccomp": (317, 277),
    "prctl": (157, 167),
    "splice": (275, 76),
    "clone3": (435, 435),
    "x32": (0x40000000 + 39, 5000),
    "unborn": (500, 500),
}


@each_wall
def test_dangerous_system_calls_are_refused(sandbox):
    which = 0 if os.uname().machine == "x86_64" else 1
    numbers = {name: pair[which] for name, pair in CALLS.items()}
    code = f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        def f(x):
            found = []
            for name, number in {numbers!r}.items():
                # an address that no call could use would give EFAULT or EINVAL, were it let through
                got = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(1)] * 6)
                if not (got == -1 and ctypes.get_errno() in (1, 38)):
                    found.append(f"{{name}}: {{got}} {{ctypes.get_errno()}}")
            return found
    """
    assert value(sandbox, code) == ()


def test_a_terminal_gets_no_typed_text(sandbox):
    code = """
        import fcntl
        def f(x):
            found = []
            for request in (0x5412, 0x541C, 0x5422):
                for number in range(5):
                    try:
                        fcntl.ioctl(number, request, b"x")
                        found.append(request)
                    except OSError as error:
                        if error.errno not in (1, 9): found.append(error.errno)
            return found
    """
    assert value(sandbox, code) == ()


def test_only_two_pipes_are_open_and_they_are_the_answers_own(sandbox):
    code = """
        import os, stat
        def f(x):
            found = []
            for number in range(300):
                try:
                    found.append((number, stat.S_ISFIFO(os.fstat(number).st_mode)))
                except OSError:
                    pass
            return [one for one in found if one[1]], len(found)
    """
    pipes, count = value(sandbox, code)
    assert pipes == ((3, True), (4, True)) and count <= 8  # the rest leads to /dev/null


# around it


def test_a_lost_zygote_is_started_again(sandbox):
    assert value(sandbox, "def f(x):\n    return 1.5") == 1.5
    sandbox.worker()._process.kill()
    sandbox.worker()._process.wait()
    assert value(sandbox, "def f(x):\n    return 2.5") == 2.5


def marked(marker):
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if marker.encode() in Path("/proc", name, "cmdline").read_bytes():
                found.append(int(name))
        except OSError:
            pass
    return found


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_nothing_is_left_when_the_box_is_closed(sandbox):
    assert value(sandbox, "def f(x):\n    return 1.5") == 1.5
    box = sandbox.worker().box
    assert marked(box.marker)
    sandbox.run(program("def f(x):\n    while True: pass"))
    sandbox.close()
    deadline = time.monotonic() + 2
    while marked(box.marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked(box.marker) == [] and not box.folder.exists()


def test_all_questions_together_have_a_deadline(sandbox):
    left, sandbox.left = sandbox.left, 1.0
    try:
        with pytest.raises(Ended) as found:
            ask(sandbox, "import time\ndef f(x):\n    time.sleep(5)")
        assert (found.value.status, found.value.diagnosis) == ("timeout", "total")
        with pytest.raises(Ended):
            ask(sandbox, "def f(x):\n    return 1.0")
    finally:
        sandbox.left = left


def test_without_isolation_the_same_answers_run(trusting):
    assert value(trusting, "def f(x):\n    return x.sum()") == 6.0
    assert trusting.tier.flags == ("UNSANDBOXED",)
    assert end(trusting, "import os\ndef f(x):\n    os._exit(3)").status == "crashed"
    assert end(trusting, "import os\ndef f(x):\n    os.kill(os.getpid(), 9)").status == (
        "killed:memory"
    )


def test_what_an_answer_starts_without_isolation_ends_with_it(trusting):
    code = """
        import os, time
        def f(x):
            for _ in range(3):
                if os.fork() == 0:
                    os.setsid()
                    time.sleep(60)
                    os._exit(0)
            return 1.0
    """
    assert value(trusting, code) == 1.0
    assert value(trusting, "def f(x):\n    return 1.5") == 1.5
    before = time.monotonic()
    while len(marked(trusting.worker().box.marker)) > 2 and time.monotonic() - before < 2:
        time.sleep(0.05)
    assert len(marked(trusting.worker().box.marker)) <= 2
