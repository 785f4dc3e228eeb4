"""Our own variants of the classes, chosen to break this design rather than the ones before it."""

import json
import textwrap
from pathlib import Path

from attacks.attack import Attack, expect
from attacks.class_d import BLOCKED, EVERYONE
from attacks.host import MARK, Host
from attacks.writing import ANSWERS, RIGHT, answer, attacked, cells, notebook, save

__all__ = ["ATTACKS"]

KL, DRAW, NLL = "vae.gaussian_kl", "vae.reparameterise", "vae.bernoulli_nll"
SCORE, BOUND, BETA = "vae.score_function_gradient", "vae.negative_elbo", "vae.effective_beta"
IWAE, FORMS, STEP = "vae.importance_log_likelihood", "vae.elbo_forms", "vae.step"
WRONG, FAILS = expect("wrong"), expect("wrong|error")
ANY = expect("wrong|error|crashed|timeout|killed:.*")


def _last_but(body: str, line: str) -> str:
    """Return a body with one more line before its ``return``."""
    head, _, tail = textwrap.dedent(body).rpartition("return ")
    return f"{head}{line}\nreturn {tail}"


def _under(body: str) -> str:
    return "\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")


_FORGED_PROBE = """
    import sys
    def forged(*args, **options):
        yield from ()
    for name, module in list(sys.modules.items()):
        if name.startswith("genimg_course.probing"):
            for key, value in list(vars(module).items()):
                if callable(value) and getattr(value, "__module__", None) == name:
                    if not isinstance(value, type):
                        setattr(module, key, forged)
"""

_TRUE_HELPERS = """
    import builtins, sys
    for name, module in list(sys.modules.items()):
        if name.startswith("genimg_course.probing"):
            for key in list(vars(module)):
                if any(word in key for word in ("same", "agree", "detached", "equal")):
                    setattr(module, key, lambda *args, **options: True)
    torch.equal = torch.allclose = lambda *args, **options: True
    builtins.all = lambda items: True
"""

_FORGED_GRADIENT = """
    def forged(outputs, inputs, *args, **options):
        return tuple(torch.zeros_like(one) for one in inputs)
    torch.autograd.grad = forged
    torch.autograd.backward = torch.Tensor.backward = lambda *args, **options: None
"""

_NO_COPIES = """
    torch.Tensor.clone = torch.Tensor.detach = torch.Tensor.cpu = lambda self, *a, **k: self
    torch.clone = torch.detach = lambda tensor, *a, **k: tensor
"""

_LYING_METHODS = """
    class Liar(torch.Tensor):
        shape = property(lambda self: torch.Size([10**6, 10**6]))
        dtype = property(lambda self: torch.float64)
        def detach(self): return self
        def cpu(self): return self
        def clone(self): return self
        def numpy(self): return b"x" * 100
        def untyped_storage(self): return b""
        def tolist(self): return [True]
        __class__ = torch.Tensor
    return Liar(torch.zeros(len(mu)))
"""

_FAKE_TYPES = """
    import builtins, sys
    real = type
    builtins.isinstance = lambda *args: True
    builtins.issubclass = lambda *args: True
    class Type(real):
        def __call__(cls, *args):
            return float if len(args) == 1 else real(*args)
    builtins.type = Type("type", (real,), {})
"""

_PACKERS = """
    import json, os, pickle, struct
    pack, dumps, write = struct.pack, json.dumps, os.write
    json.dumps = lambda *args, **options: '{"value": true, "id": 0}'
    struct.pack = lambda form, *args: pack(form, *(0 for one in args))
    os.write = lambda fd, data: write(fd, data[::-1])
"""

_GUESS = """
    import gc, os, stat, struct
    pipes = []
    for fd in range(256):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode) or stat.S_ISSOCK(os.fstat(fd).st_mode):
                pipes.append(fd)
        except OSError:
            pass
    texts = {item for item in gc.get_objects() if type(item) is str and len(item) < 100}
    ids = set()
    for item in gc.get_objects():
        if type(item) is dict:
            ids |= {value for key, value in item.items()
                    if key == "id" and type(value) in (str, int, bytes)}
    for fd in pipes:
        for one in list(ids)[:50] or [0]:
            data = repr({"id": one, "value": 0.0}).replace("'", '"').encode()
            for form in (">I", "<I", ">Q", "<Q", ">H"):
                try:
                    os.write(fd, struct.pack(form, len(data)) + data)
                except OSError:
                    pass
"""

_FIRST = """
    import os, threading, time
    def racing():
        while True:
            for fd in range(3, 32):
                try:
                    os.set_blocking(fd, False)
                    os.read(fd, 1 << 16)
                except OSError:
                    pass
                try:
                    os.write(fd, b"\\0\\0\\0\\2{}")
                except OSError:
                    pass
            time.sleep(0.001)
    threading.Thread(target=racing, daemon=True).start()
    time.sleep(0.2)
"""

_SPAWNS = f"""
    import ctypes, multiprocessing, os, subprocess, sys
    broke = []
    attempts = [
        lambda: subprocess.run(["/bin/sh", "-c", "touch /tmp/{MARK}-spawn"], check=True),
        lambda: os.system("true") == 0 or 1 / 0,
        lambda: os.waitpid(os.posix_spawn(sys.executable, ["python", "-c", ""], {{}}), 0),
        lambda: os.popen("echo x").read() == "x\\n" or 1 / 0,
        lambda: os.forkpty(),
    ]
    for number, attempt in enumerate(attempts):
        try:
            attempt()
            broke.append(str(number))
        except BaseException:
            pass
    libc = ctypes.CDLL(None, use_errno=True)
    for call, args in ((57, ()), (58, ()), (56, (17, 0, 0, 0, 0)), (59, (b"/bin/true", 0, 0))):
        pid = libc.syscall(call, *args)  # fork, vfork, clone, execve
        if pid == 0:
            os._exit(0)
        if pid > 0:
            broke.append(f"call {{call}}")
    blank = ctypes.create_string_buffer(88)
    pid = libc.syscall(435, blank, 88)  # clone3
    if pid == 0:
        os._exit(0)
    if pid > 0:
        broke.append("clone3")
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

_RARE_CALLS = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    zeros = ctypes.create_string_buffer(256)
    broke = []
    for name, call, args in (
        ("userfaultfd", 323, (0,)), ("io_uring_setup", 425, (4, zeros)),
        ("bpf", 321, (0, zeros, 128)), ("perf_event_open", 298, (zeros, 0, -1, -1, 0)),
        ("keyctl", 250, (0, -3, 1)), ("add_key", 248, (b"user", b"x", b"y", 1, -3)),
        ("unshare", 272, (0x10000000,)), ("setns", 308, (0, 0)),
        ("open_tree", 428, (-100, b"/", 1)), ("fsopen", 430, (b"tmpfs", 0)),
        ("pidfd_open", 434, (os.getppid(), 0)),
        ("ptrace", 101, (16, os.getppid(), 0, 0)), ("personality", 135, (0x0040000,)),
        ("memfd_secret", 447, (0,)),
        ("name_to_handle_at", 303, (-100, b"/", zeros, zeros, 0)),
        ("setuid", 105, (0,)), ("socket", 41, (1, 1, 0)),
        ("socketpair", 53, (1, 1, 0, zeros)), ("io_uring_enter", 426, (0, 1, 0, 0, 0, 0)),
        ("shmget", 29, (1234, 4096, 0o1777)), ("msgget", 68, (1234, 0o1777)),
        ("mq_open", 240, (b"attackmark", 66, 0o777, 0)), ("syslog", 103, (10, 0, 0)),
    ):
        ctypes.set_errno(0)
        result = libc.syscall(call, *args)
        if result >= 0 and name not in ("personality", "setuid", "syslog"):
            broke.append(name)
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

_X32 = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    broke = []
    for call, args in ((0x40000000 + 41, (2, 1, 0)), (0x40000000 + 57, ())):
        result = libc.syscall(call, *args)
        if result == 0 and call & 0xFF == 57:
            os._exit(0)
        if result > 0:
            broke.append(hex(call))
    # int 0x80 enters the kernel as a 32-bit process: getpid is 20, fork 2, socketcall 102
    import mmap
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(b"\\x53\\xb8\\x02\\x00\\x00\\x00\\x31\\xdb\\xcd\\x80\\x5b\\xc3")
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    pid = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    if pid == 0:
        os._exit(0)
    if pid > 0:
        broke.append("fork of another architecture")
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

_EXECUTES = """
    import ctypes, os
    broke = []
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(319, b"x", 0)  # memfd_create
    if fd >= 0:
        for path in ("/bin/true", "/usr/bin/true"):
            try:
                os.write(fd, open(path, "rb").read())
                break
            except OSError:
                pass
        argv = (ctypes.c_char_p * 2)(b"true", None)
        # an execveat that works does not come back, and the answer ends as a crash
        libc.syscall(322, fd, b"", argv, None, 0x1000)
    for path in ("/bin/true", "/usr/bin/true"):
        try:
            os.execv(path, ["true"])
        except OSError:
            pass
"""

_PARENT_FILES = """
    import glob, os
    broke = []
    for pid in {os.getppid(), 1, 2, os.getppid() - 1}:
        for path in glob.glob(f"/proc/{pid}/fd/*"):
            for flags in (os.O_WRONLY, os.O_RDONLY | os.O_NONBLOCK):
                try:
                    fd = os.open(path, flags | os.O_NONBLOCK)
                    where = os.readlink(path)
                    if "null" not in where:
                        if flags == os.O_WRONLY:
                            os.write(fd, b"\\0\\0\\0\\1x" * 100)
                        broke.append(path + " " + where)
                    os.close(fd)
                except OSError:
                    pass
        try:
            open(f"/proc/{pid}/mem", "r+b").close()
            broke.append(f"memory of {pid}")
        except OSError:
            pass
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

_OWN_MEMORY = """
    import ctypes, os
    text = b"right"
    try:
        with open("/proc/self/mem", "r+b", buffering=0) as file:
            file.seek(id(text) + 32)
            file.write(b"wrong")
    except OSError:
        pass
    # True and False exchanged in place: every comparison in this process lies from here on
    ctypes.c_longlong.from_address(id(False) + 24).value = 1
    ctypes.c_longlong.from_address(id(0) + 24).value = 1
"""

_LIMITS = """
    import ctypes, os, resource, signal
    broke = []
    for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC"):
        kind = getattr(resource, name)
        soft, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY:
            continue
        try:
            resource.setrlimit(kind, (hard * 2 + 1, hard * 2 + 1))
            broke.append(name)
        except (OSError, ValueError):
            pass
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(1, 0, 0, 0, 0)  # PR_SET_PDEATHSIG
    libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    libc.prctl(38, 0, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    if libc.prctl(39, 0, 0, 0, 0) == 0:
        broke.append("privileges can be gained")
    if libc.prctl(21, 0, 0, 0, 0) == 0:
        broke.append("no filter of calls")
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

_MANY_FRAMES = """
    import os, stat
    for fd in range(3, 64):
        try:
            if not stat.S_ISFIFO(os.fstat(fd).st_mode) and not stat.S_ISSOCK(os.fstat(fd).st_mode):
                continue
            for number in range({count}):
                os.write(fd, {data})
        except OSError:
            pass
"""

_CLOSES = "import os\nos.closerange(0, 256)"

_TRACE = """
    import sys, threading
    def trace(frame, event, value):
        if "probing" in frame.f_code.co_filename or "box" in frame.f_code.co_filename:
            frame.f_trace_lines = True
            for name in list(frame.f_locals):
                if name in ("value", "first", "result", "observations"):
                    frame.f_locals[name] = True
        return trace
    sys.settrace(trace)
    sys.setprofile(lambda frame, event, value: None)
    threading.settrace(trace)
    sys.addaudithook(lambda name, values: None)
    sys.excepthook = sys.unraisablehook = lambda *values: None
"""

_ENDLESS_MAPPING = """
    from collections.abc import Mapping
    class Endless(Mapping):
        def __getitem__(self, key): return 1.0
        def __contains__(self, key): return True
        def __len__(self): return 3
        def items(self):
            number = 0
            while True:
                number += 1
                yield str(number), 1.0
        def __iter__(self):
            while True:
                yield "split"
        keys = __iter__
    return Endless()
"""

_ENDLESS_LIST = """
    class Endless(list):
        def __iter__(self):
            while True:
                yield self
        def __len__(self): return 10**18
    return Endless([mu])
"""

_NESTED = "nest = []\nfor number in range(100_000):\n    nest = [nest]\nreturn nest"
_CIRCULAR = "nest = []\nnest.append(nest)\nreturn nest"
_STRANGE_KEYS = """
    class Key(str):
        def __hash__(self): return 1
        def __eq__(self, other): return True
    return {Key("split"): kl, ("joint",): kl, 3: kl, None: kl, "x" * 10**6: kl, "\\ud800": kl,
            "\\0": kl, "__class__": kl, "ratio": {"ratio": {"ratio": kl}}}
"""
_HUGE_INTEGER = "return 10 ** 100_000"
_EXPANDED = "return torch.zeros(1, dtype=torch.float64).expand(10**12)"
_KINDS = (
    "if len(mu) == 1:\n    return mu.to_sparse()\nif len(mu) == 4:\n"
    "    return torch.empty(len(mu), device='meta')\nreturn torch.zeros(len(mu)) * 1j"
)

_BAD_TEXT = """
    class Texts(Exception):
        def __str__(self): raise RuntimeError("no text")
        __repr__ = __str__
    Texts.__name__ = Texts.__qualname__ = "\\u202e\\ud800<b>\\0" + "N" * 10**6
    raise Texts
"""
_NEVER_TEXT = """
    class Never(Exception):
        def __str__(self):
            while True:
                pass
    raise Never
"""
_LONG_TEXT = "raise ValueError('\\ud800\\x00\\x1b[2J<script>' + 'x' * 10_000_000)"
_TEXT_OF_OTHER_TYPE = """
    class Text(str):
        def strip(self, *args): return self
        def split(self, *args): return [self] * 3
        def __getitem__(self, key): return self
        def encode(self, *args): return b"x" * 10**9
    class Fails(Exception):
        def __str__(self): return Text("x" * 10**7)
    raise Fails
"""

_LOOK_UP = """
    import gc, inspect, linecache, pkgutil, sys, types
    found = []
    for module in list(sys.modules.values()):
        for name in ("gaussian_kl", "reference", "SPECIFICATION", "RIGHT"):
            value = getattr(module, name, None)
            if callable(value) and getattr(value, "__module__", "").startswith("genimg_course"):
                found.append(value)
    for item in gc.get_objects():
        if isinstance(item, types.FunctionType) and item.__name__ == "gaussian_kl":
            found.append(item)
        if type(item).__name__ == "Specification":
            found.append(item.reference)
    mine = globals().get("gaussian_kl")
    for value in found:
        if value is mine or len(given) != 2:
            continue
        try:
            result = value(*given)
        except Exception:
            continue
        if isinstance(result, torch.Tensor) and result.shape == given[0].shape[:1]:
            raise RuntimeError("SOLUTION " + repr(value))
"""

_IMPORTS = """
    import importlib, importlib.util, os, sys
    broke = []
    for path in ({course!r}, {tests!r}, "/", os.path.dirname({course!r})):
        sys.path.insert(0, path)
    for name in [name for name in sys.modules if name.startswith("genimg_course")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    for name in ("genimg_course.exercises.lesson_06.gaussian_kl", "genimg_course.authoring",
                 "genimg_course.grading.judging", "answers.lesson_06",
                 "genimg_course.exercises.checking"):
        try:
            importlib.import_module(name)
            broke.append(name)
        except BaseException:
            pass
    for path in ({course!r} + "/genimg_course/maths/gaussians.py",):
        try:
            found = importlib.util.spec_from_file_location("stolen", path)
            module = importlib.util.module_from_spec(found)
            found.loader.exec_module(module)
            broke.append(path)
        except BaseException:
            pass
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

_LOADERS = """
    import io, pickle, torch
    broke = []
    class Runs:
        def __reduce__(self):
            import os
            return os.system, ("touch /tmp/{mark}-pickle",)
    data = pickle.dumps(Runs())
    for act in (lambda: pickle.loads(data), lambda: torch.load(io.BytesIO(data)),
                lambda: torch.load(io.BytesIO(data), weights_only=False),
                lambda: torch.hub.load("pytorch/vision", "resnet18"),
                lambda: torch.ops.load_library({lib!r}),
                lambda: torch.save(torch.zeros(1), {out!r} + "/{mark}.pt"),
                lambda: torch.from_file("/tmp/{mark}-map", shared=True, size=1000)):
        try:
            act()
        except BaseException:
            pass
    return None
"""

_OWN_SIGNALS = "import os, signal\nos.kill(os.getpid(), signal.{name})"

_STOPS = (
    EVERYONE
    + """
    import os, signal
    for target in (os.getppid(), 1):
        try:
            os.kill(target, signal.SIGSTOP)
        except OSError:
            pass
    everyone(signal.SIGSTOP)
    try:
        os.kill(os.getppid(), signal.SIGCONT)
    except OSError:
        pass
"""
)

_THREAD_KILLS = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getppid()
    for call, args in ((62, (parent, 19)), (200, (parent, 9)), (234, (parent, parent, 9)),
                       (129, (parent, 9, None)), (297, (parent, parent, 9, None))):
        libc.syscall(call, *args)  # kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo
    fd = libc.syscall(434, parent, 0)  # pidfd_open
    if fd >= 0:
        libc.syscall(424, fd, 9, None, 0)  # pidfd_send_signal
        stolen = libc.syscall(438, fd, 1, 0)  # pidfd_getfd
        if stolen >= 0:
            os.write(stolen, b"\\0\\0\\0\\1x")
            raise RuntimeError("BROKE pidfd_getfd")
    libc.syscall(141, 0, parent, 19)  # setpriority
    libc.syscall(203, parent, 8, b"\\1" * 8)  # sched_setaffinity
    libc.syscall(302, parent, 0, (ctypes.c_ulong * 2)(1, 1), None)  # prlimit64 of the parent
    old = (ctypes.c_ulong * 2)()
    if libc.syscall(302, parent, 0, (ctypes.c_ulong * 2)(1, 1), old) == 0:
        raise RuntimeError("BROKE prlimit of the parent")
"""

_STATEFUL = """
    count = globals().setdefault("count_of_calls", [0])
    count[0] += 1
    right = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1)
    return right if count[0] % 2 else right + 1
"""

_MUTATES = """
    right = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1)
    with torch.no_grad():
        mu.data.add_(1.0)
    return right
"""

_EVAL = _last_but(RIGHT[STEP], "model.eval()")
_GRAPH = RIGHT[STEP].replace(".detach()", "")


def _sources(host: Host) -> dict[str, str]:
    """Return texts of cells that a parser of the trusted process may stumble over."""
    text = ANSWERS[KL]
    return {
        "brackets": "x = " + "(" * 5000 + "1" + ")" * 5000 + "\n" + text,
        "signs": "x = " + "-" * 90_000 + "1\n" + text,
        "chain": "x = a" + ".b" * 45_000 + "\n" + text,
        "sum": "x = 1" + "+1" * 45_000 + "\n" + text,
        "nul": "x = '\0'\n" + text,
        "surrogate": "x = '\ud800'\n" + text,
        "coding": "# -*- coding: utf-7 -*-\n" + text,
        "digits": "x = " + "9" * 90_000 + "\n" + text,
        "indents": "".join(" " * n + "if 1:\n" for n in range(120)) + " " * 120 + "pass\n" + text,
        "decorators": "@print\n" * 20_000 + text,
        "tabs": text.replace("    ", "\t"),
        "feed": "\f\n" + text + "\f",
        "joined": text.replace("\n", "\u2028"),
        "lambda": "x = " + "lambda: " * 10_000 + "1\n" + text,
        "await": text.replace("def ", "async def "),
        "yields": text.replace("return", "yield"),
        "method": "class A:\n" + "\n".join("    " + line for line in text.split("\n")),
        "guarded": "if True:\n" + "\n".join("    " + line for line in text.split("\n")),
        "matches": "match 1:\n" + "    case 1: pass\n" * 5000 + text,
        "fstring": "x = " + "f'{" * 3 + "1" + "}'" * 3 + "\n" + text,
        "slow": "x = '" + "\\\\" * 40_000 + "'\n!" + "\\" * 9000 + "\n" + text,
    }


_SOURCE_NAMES = tuple(_sources(Host(Path("/nowhere"))))


def _write_sources(folder: Path, host: Host) -> None:
    for name, source in _sources(host).items():
        book = notebook(ANSWERS)
        (cell,) = cells(book, [KL])
        cell["source"] = source
        save(folder.with_name(f"{folder.name}-{name}"), json.dumps(book))


def _write_web(folder: Path, host: Host) -> None:
    """Write thousands of helpers that all need each other."""
    book = notebook(ANSWERS)
    count = 4000
    lines = [
        f"def helper_{number}(x):\n"
        f"    return helper_{(number + 1) % count}(helper_{number // 2}(x))"
        for number in range(count)
    ]
    book["cells"].insert(
        1,
        {"cell_type": "code", "id": "web", "metadata": {}, "outputs": [], "source": ""},
    )
    for start in range(0, count, 500):
        book["cells"].insert(
            1,
            {
                "cell_type": "code",
                "id": f"web{start}",
                "metadata": {},
                "outputs": [],
                "source": "\n".join(lines[start : start + 500]),
            },
        )
    (cell,) = cells(book, [KL])
    cell["source"] = answer(KL, "helper_0\n" + RIGHT[KL].strip())
    save(folder, book)


def _write_twins(folder: Path, host: Host) -> None:
    """Write eight thousand answers to one exercise."""
    book = notebook(ANSWERS)
    (cell,) = cells(book, [KL])
    place = book["cells"].index(cell)
    book["cells"][place:place] = [
        {**cell, "id": f"twin{number}", "source": ANSWERS[KL]} for number in range(8000)
    ]
    save(folder, book)


ATTACKS = (
    Attack(
        "W01",
        "probes replaced by ones that see nothing",
        {KL: ANY, DRAW: ANY, STEP: ANY},
        lambda host: {id_: attacked(id_, _FORGED_PROBE) for id_ in (KL, DRAW, STEP)},
    ),
    Attack(
        "W02",
        "helpers of probes replaced by ones that say yes",
        {KL: WRONG, NLL: WRONG, SCORE: WRONG},
        lambda host: {
            KL: attacked(KL, _TRUE_HELPERS, _MUTATES),
            NLL: attacked(NLL, _TRUE_HELPERS, _last_but(RIGHT[NLL], "target.data.add_(1)")),
            SCORE: attacked(
                SCORE,
                _TRUE_HELPERS,
                "z.data.mul_(2)\nreturn (z.square() / 4 - baseline) * (z / 2 - mu)",
            ),
        },
    ),
    Attack(
        "W03",
        "right at every other call",
        {KL: WRONG},
        lambda host: {KL: attacked(KL, _TRUE_HELPERS, _STATEFUL)},
    ),
    Attack(
        "W04",
        "a step that leaves the model changed, or keeps its graph, and says otherwise",
        {STEP: WRONG},
        lambda host: {STEP: attacked(STEP, _TRUE_HELPERS, _EVAL)},
    ),
    Attack(
        "W05",
        "a step that keeps its graph behind a property",
        # whether a result holds a graph is a fact of the worker: forging it takes right numbers,
        # and more work than a right answer, so it may count as one
        {STEP: expect("wrong|error|correct")},
        lambda host: {
            STEP: attacked(
                STEP,
                _TRUE_HELPERS
                + "    import builtins\n    builtins.any = lambda items: False\n"
                + "    torch.Tensor.requires_grad = property(lambda self: False)\n",
                _GRAPH,
                when="call",
            )
        },
    ),
    Attack(
        "W06",
        "gradients forged",
        {KL: ANY, DRAW: ANY},
        lambda host: {
            KL: attacked(KL, _FORGED_GRADIENT, "with torch.no_grad():" + _under(RIGHT[KL])),
            DRAW: attacked(DRAW, _FORGED_GRADIENT, "with torch.no_grad():" + _under(RIGHT[DRAW])),
        },
    ),
    Attack(
        "W07",
        "copies that are none",
        {KL: FAILS, DRAW: FAILS},
        lambda host: {
            KL: attacked(KL, _NO_COPIES, _MUTATES),
            DRAW: attacked(DRAW, _NO_COPIES),
        },
    ),
    Attack(
        "W08",
        "a tensor whose shape, type and class lie",
        {KL: expect("wrong|error")},
        lambda host: {KL: answer(KL, _LYING_METHODS)},
    ),
    Attack(
        "W09",
        "types and tests of types replaced",
        {KL: ANY, BETA: ANY},
        lambda host: {
            KL: attacked(KL, _FAKE_TYPES, when="call"),
            BETA: attacked(BETA, _FAKE_TYPES, when="call"),
        },
    ),
    Attack(
        "W10",
        "the encoders of messages replaced",
        {KL: ANY, DRAW: ANY},
        lambda host: {KL: attacked(KL, _PACKERS), DRAW: attacked(DRAW, _PACKERS, when="call")},
    ),
    Attack(
        "W11",
        "frames made from what the heap tells",
        {KL: ANY, NLL: ANY},
        lambda host: {KL: attacked(KL, _GUESS, when="call"), NLL: attacked(NLL, _GUESS)},
        slow=3,
    ),
    Attack(
        "W12",
        "a thread that reads questions and answers first",
        {KL: ANY},
        lambda host: {KL: attacked(KL, _FIRST, when="cell")},
        slow=3,
    ),
    Attack(
        "W13",
        "processes by every other way",
        {KL: BLOCKED},
        lambda host: {KL: attacked(KL, _SPAWNS)},
        slow=2,
    ),
    Attack(
        "W14",
        "rare calls of the kernel",
        {KL: BLOCKED},
        lambda host: {KL: attacked(KL, _RARE_CALLS)},
    ),
    Attack(
        "W15",
        "calls of another architecture",
        {KL: BLOCKED, NLL: BLOCKED},
        lambda host: {KL: attacked(KL, _X32), NLL: attacked(NLL, _EXECUTES, when="call")},
    ),
    Attack(
        "W16",
        "the descriptors and the memory of the parent",
        {KL: BLOCKED},
        lambda host: {KL: attacked(KL, _PARENT_FILES)},
        slow=3,
    ),
    Attack(
        "W17",
        "own memory rewritten, so that false is true",
        {KL: ANY},
        lambda host: {KL: attacked(KL, _OWN_MEMORY, when="call")},
        slow=3,
    ),
    Attack(
        "W18",
        "limits raised",
        {KL: BLOCKED},
        lambda host: {KL: attacked(KL, _LIMITS)},
    ),
    Attack(
        "W19",
        "a million small frames, and one without end",
        {KL: ANY, DRAW: ANY},
        lambda host: {
            KL: attacked(
                KL, _MANY_FRAMES.format(count=1_000_000, data=r'b"\0\0\0\2{}"'), when="call"
            ),
            DRAW: attacked(
                DRAW, _MANY_FRAMES.format(count=500, data=r'b"\1" * (1 << 20)'), when="call"
            ),
        },
        slow=4,
    ),
    Attack(
        "W20",
        "all descriptors closed",
        {KL: ANY, DRAW: ANY},
        lambda host: {
            KL: attacked(KL, _CLOSES, when="cell"),
            DRAW: attacked(DRAW, _CLOSES, when="call"),
        },
        slow=2,
    ),
    Attack(
        "W21",
        "traces and hooks that rewrite what the probe holds",
        {KL: ANY},
        lambda host: {KL: attacked(KL, _TRACE)},
        slow=3,
    ),
    Attack(
        "W22",
        "collections without end",
        {FORMS: ANY, KL: ANY, DRAW: ANY, NLL: ANY},
        lambda host: {
            FORMS: answer(FORMS, _ENDLESS_MAPPING),
            KL: answer(KL, _ENDLESS_LIST),
            DRAW: answer(DRAW, _NESTED),
            NLL: answer(NLL, _CIRCULAR),
        },
        slow=8,
    ),
    Attack(
        "W23",
        "keys, numbers and tensors that nothing can hold",
        {FORMS: ANY, BETA: ANY, KL: ANY, DRAW: ANY, SCORE: ANY},
        lambda host: {
            FORMS: answer(FORMS, _STRANGE_KEYS),
            BETA: answer(BETA, _HUGE_INTEGER),
            KL: answer(KL, _KINDS),
            DRAW: answer(DRAW, _EXPANDED),
            SCORE: answer(SCORE, "return torch.zeros(10**8)"),
        },
        slow=4,
    ),
    Attack(
        "W24",
        "exceptions whose text fails, never ends, or is enormous",
        {KL: ANY, DRAW: ANY, NLL: ANY, SCORE: ANY},
        lambda host: {
            KL: answer(KL, _BAD_TEXT),
            DRAW: answer(DRAW, _NEVER_TEXT),
            NLL: answer(NLL, _LONG_TEXT),
            SCORE: answer(SCORE, _TEXT_OF_OTHER_TYPE),
        },
        slow=4,
    ),
    Attack(
        "W25",
        "the reference looked up in the heap",
        {KL: BLOCKED},
        lambda host: {KL: attacked(KL, _LOOK_UP)},
        slow=3,
    ),
    Attack(
        "W26",
        "the instructor's checkout imported",
        {KL: BLOCKED},
        lambda host: {
            KL: attacked(
                KL, _IMPORTS.format(course=str(host.course), tests=str(host.course / "tests"))
            )
        },
        slow=3,
    ),
    Attack(
        "W27",
        "everything that loads code or data",
        {KL: BLOCKED},
        lambda host: {
            KL: attacked(
                KL, _LOADERS.format(mark=MARK, lib=str(host.home / "x.so"), out=str(host.out))
            )
        },
        slow=3,
    ),
    Attack(
        "W28",
        "signals to oneself that look like a limit",
        dict.fromkeys((KL, DRAW, NLL, SCORE, BOUND), ANY),
        lambda host: {
            id_: attacked(id_, _OWN_SIGNALS.format(name=name), when="call")
            for id_, name in zip(
                (KL, DRAW, NLL, SCORE, BOUND),
                ("SIGXCPU", "SIGSEGV", "SIGSYS", "SIGSTOP", "SIGXFSZ"),
                strict=True,
            )
        },
        slow=4,
    ),
    Attack(
        "W29",
        "the parent stopped instead of killed",
        {KL: ANY, DRAW: BLOCKED},
        lambda host: {
            KL: attacked(KL, _STOPS, when="call"),
            DRAW: attacked(DRAW, _THREAD_KILLS, when="call"),
        },
        slow=6,
    ),
    Attack(
        "W30",
        "texts that a parser stumbles over",
        {},
        write=_write_sources,
        students={f"-{name}": {"": expect("graded|rejected:.*")} for name in _SOURCE_NAMES},
        slow=30,
    ),
    Attack(
        "W31",
        "a web of helpers",
        {KL: expect("correct|error|wrong|timeout")},
        write=_write_web,
        slow=5,
    ),
    Attack(
        "W32",
        "eight thousand answers to one exercise",
        {KL: expect("correct|error")},
        write=_write_twins,
        slow=5,
    ),
    Attack(
        "W33",
        "names of functions in disguise",
        {KL: expect("wrong|error|not_attempted")},
        lambda host: {
            KL: answer(KL, "return mu.sum(1)").replace(
                "def gaussian_kl", "def gaussian_\N{MATHEMATICAL BOLD SMALL K}l"
            )
        },
    ),
    Attack(
        "W35",
        "shapes that would broadcast to gigabytes where they are judged",
        {DRAW: WRONG, KL: WRONG, NLL: ANY},
        lambda host: {
            DRAW: answer(DRAW, "return torch.zeros(500, 1, 1, dtype=mu.dtype)"),
            KL: answer(KL, "return torch.zeros(1_000_000, 1, dtype=mu.dtype)"),
            NLL: answer(NLL, "return logits.new_zeros(0).expand(10**9, 10**9, 0)"),
        },
        slow=3,
    ),
    Attack(
        "W34",
        "a decorator that answers",
        {KL: expect("wrong|error")},
        lambda host: {
            KL: "def gift(function):\n    return lambda *a, **k: a[0].sum(1)\n\n\n"
            + answer(KL, RIGHT[KL]).replace("\ndef ", "\n@gift\ndef ")
        },
    ),
)
