"""Class C, V40 to V50: answers that take time, memory, processes or disk without end."""

from attacks.attack import Attack, expect
from attacks.host import MARK
from attacks.writing import RIGHT, attacked

__all__ = ["ATTACKS"]

KL, DRAW, NLL = "vae.gaussian_kl", "vae.reparameterise", "vae.bernoulli_nll"
SCORE, BOUND, BETA = "vae.score_function_gradient", "vae.negative_elbo", "vae.effective_beta"
IWAE, FORMS = "vae.importance_log_likelihood", "vae.elbo_forms"
SLOW = expect("timeout|killed:cpu")
STOPPED = expect("timeout|error|crashed|killed:(cpu|memory|pids|disk|output)")
MEMORY = expect("error|killed:memory|crashed", None)

_SWALLOW = """
    import signal
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""

_FORKS = f"""
    import ctypes, os, time
    ctypes.CDLL(None).prctl(15, b"{MARK}", 0, 0, 0)
    for number in range(600):  # more than any limit, and no more, should nothing stop it
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
"""

_POOL = """
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(200) as pool:
        pool.map(abs, range(1000))
"""

_THREADS = """
    import threading, time
    started = []
    for number in range(100_000):
        thread = threading.Thread(target=time.sleep, args=(60,), daemon=True)
        thread.start()
        started.append(thread)
"""

_FILES = "import os\nheld = [os.dup(1) for number in range(100_000)]"

_FILL = f"""
    import os
    wrote = 0
    for folder in ("/tmp", ".", "/dev/shm", os.path.expanduser("~"), "/var/tmp", "/run"):
        try:
            with open(os.path.join(folder, "{MARK}-fill"), "wb") as file:
                for block in range(100):
                    file.write(bytes(1 << 20))
                    wrote += 1
        except OSError:
            pass
    if wrote == 0:
        raise OSError("nothing could be written")
"""

_INODES = f"""
    import os
    for folder in ("/tmp", ".", "/dev/shm"):
        for number in range(2000):
            open(os.path.join(folder, f"{MARK}-{{number}}"), "w").close()
"""

_DEEP = """
    class Deep:
        def __getattr__(self, name):
            return getattr(self, name)
    import sys
    sys.setrecursionlimit(10**9)
    Deep().x
"""

_PICKLE = """
    import pickle, sys
    sys.setrecursionlimit(10**9)
    nest = []
    for number in range(1_000_000):
        nest = [nest]
    pickle.dumps(nest)
"""

_CHATTY = """
    import sys
    print("x" * 200_000)
    print("y" * 200_000, file=sys.stderr)
"""

_GIGABYTE = """
    import os
    block = b"x" * (1 << 20)
    for number in range(1024):
        os.write(1, block)
"""

_GREEDY = """
    import os, threading, torch
    os.environ["OMP_NUM_THREADS"] = "64"
    try:
        torch.set_num_threads(64)
    except RuntimeError:
        pass
    def burn():
        a = torch.randn(256, 256)
        while True:
            a = torch.tanh(a @ a)
    for number in range(16):
        threading.Thread(target=burn, daemon=True).start()
    burn()
"""

_SELF = """
    held = []
    held.append(held)
    while True:
        held += held
"""

ATTACKS = (
    Attack(
        "V40",
        "a loop without end",
        {KL: SLOW, DRAW: SLOW},
        lambda host: {
            KL: attacked(KL, "while True:\n    pass", when="call"),
            DRAW: attacked(DRAW, "while True:\n    pass", when="cell"),
        },
        slow=2,
    ),
    Attack(
        "V41",
        "a loop that swallows every signal",
        {KL: SLOW},
        lambda host: {KL: attacked(KL, _SWALLOW, when="call")},
        slow=1,
    ),
    Attack(
        "V42",
        "waiting for ever",
        {
            KL: expect("timeout"),
            DRAW: expect("error|timeout"),
            NLL: expect("timeout"),
        },
        lambda host: {
            KL: attacked(KL, "import time; time.sleep(1e9)", when="call"),
            DRAW: attacked(DRAW, "input()", when="call"),
            NLL: attacked(
                NLL,
                "import threading\nlock = threading.Lock()\nlock.acquire(); lock.acquire()",
                when="call",
            ),
        },
        slow=3,
    ),
    Attack(
        "V43",
        "memory without end",
        {KL: MEMORY, DRAW: MEMORY, NLL: MEMORY, SCORE: MEMORY},
        lambda host: {
            KL: attacked(
                KL, "held = bytearray()\nwhile True:\n    held += bytes(1 << 26)", when="call"
            ),
            DRAW: attacked(DRAW, "torch.empty(10**11).fill_(1)", when="call"),
            NLL: attacked(NLL, "held = [0] * 10**12", when="call"),
            SCORE: attacked(SCORE, _SELF, when="call"),
        },
        slow=4,
    ),
    Attack(
        "V44",
        "processes without end",
        {KL: expect("killed:pids|error|crashed"), DRAW: expect("killed:pids|error|crashed")},
        lambda host: {
            KL: attacked(KL, _FORKS, when="call"),
            DRAW: attacked(DRAW, _POOL, when="call"),
        },
        slow=2,
    ),
    Attack(
        "V45",
        "threads and descriptors without end",
        {KL: expect("error|killed:.*|crashed"), DRAW: expect("error")},
        lambda host: {
            KL: attacked(KL, _THREADS, when="call"),
            DRAW: attacked(DRAW, _FILES, when="call"),
        },
        slow=2,
    ),
    Attack(
        "V46",
        "disks filled, with data and with names",
        {KL: expect("error|killed:disk"), DRAW: expect("error|killed:disk")},
        lambda host: {
            KL: attacked(KL, _FILL, when="call"),
            DRAW: attacked(DRAW, _INODES, when="call"),
        },
        slow=2,
    ),
    Attack(
        "V47a",
        "a gigabyte printed",
        {KL: expect("killed:output|wrong")},
        lambda host: {KL: attacked(KL, _GIGABYTE, when="cell")},
        slow=2,
    ),
    Attack(
        "V47b",
        "a right answer that prints a lot",
        {KL: expect("correct"), NLL: expect("correct")},
        lambda host: {
            KL: attacked(KL, _CHATTY, RIGHT[KL]),
            NLL: attacked(NLL, _CHATTY, RIGHT[NLL], when="cell"),
        },
    ),
    Attack(
        "V48",
        "crashes of the interpreter",
        {
            KL: expect("crashed"),
            DRAW: expect("crashed|error"),
            NLL: expect("crashed"),
            SCORE: expect("crashed|error|killed:memory"),
        },
        lambda host: {
            KL: attacked(KL, "import ctypes; ctypes.string_at(0)", when="call"),
            DRAW: attacked(DRAW, _DEEP, when="call"),
            NLL: attacked(NLL, "import os; os.abort()", when="cell"),
            SCORE: attacked(SCORE, _PICKLE, when="call"),
        },
        slow=4,
    ),
    Attack(
        "V49",
        "calls that hold the interpreter",
        {KL: SLOW, DRAW: SLOW, NLL: STOPPED},
        lambda host: {
            KL: attacked(KL, "import re; re.match(r'(a+)+$', 'a' * 64 + 'b')", when="call"),
            DRAW: attacked(DRAW, "10 ** 10 ** 8", when="call"),
            NLL: attacked(
                NLL, "import torch; torch.linalg.svd(torch.randn(12000, 12000))", when="call"
            ),
        },
        slow=3,
    ),
    Attack(
        "V50",
        "more threads than its share",
        {KL: expect("timeout|killed:(cpu|pids)|crashed|error")},
        lambda host: {KL: attacked(KL, _GREEDY, when="call")},
        slow=1,
    ),
)
