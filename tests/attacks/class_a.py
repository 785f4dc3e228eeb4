"""Class A, V01 to V24: wrong answers that try to be counted as right."""

from attacks.attack import Attack, expect
from attacks.writing import RIGHT, answer, attacked

__all__ = ["ATTACKS"]

KL, DRAW, NLL = "vae.gaussian_kl", "vae.reparameterise", "vae.bernoulli_nll"
SCORE, BOUND, BETA = "vae.score_function_gradient", "vae.negative_elbo", "vae.effective_beta"
IWAE, FORMS, STEP = "vae.importance_log_likelihood", "vae.elbo_forms", "vae.step"
WRONG = expect("wrong")
FAILS = expect("wrong|error")

_ALWAYS = """
    import math, numpy, torch
    import numpy.testing, torch.testing
    def yes(*args, **options):
        return True
    math.isclose = numpy.allclose = numpy.array_equal = torch.allclose = torch.equal = yes
    torch.testing.assert_close = numpy.testing.assert_allclose = torch.isclose = yes
    torch.Tensor.allclose = torch.Tensor.equal = yes
"""

_FAKE_MODULES = """
    import sys, types
    class Fake(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return lambda *args, **options: True
    for name in ("math", "numpy.testing", "torch.testing", "json", "struct", "unittest"):
        sys.modules[name] = Fake(name)
"""

_FRAMES = """
    import gc, sys
    frame, spoilt = sys._getframe(1), 0
    names = ("check", "assert", "close", "judge", "verify", "agree", "differ", "same", "grade")
    while frame is not None:
        for scope in (frame.f_globals, frame.f_builtins):
            for name, value in list(scope.items()):
                if callable(value) and any(word in name.lower() for word in names):
                    scope[name] = lambda *args, **options: True
        frame = frame.f_back
"""

_LYING_FLOAT = """
    class Liar(float):
        def __eq__(self, other): return True
        def __ne__(self, other): return False
        def __lt__(self, other): return True
        __le__ = __gt__ = __ge__ = __lt__
        def __sub__(self, other): return 0.0
        __rsub__ = __abs__ = lambda self, other=None: 0.0
        def __float__(self): return 0.0
        def __hash__(self): return 0
        def __reduce__(self): return (float, (0.0,))
    return Liar(beta)
"""

_LYING_ARRAY = """
    import numpy
    class Liar(numpy.ndarray):
        def __array_function__(self, func, types, args, kwargs): return True
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return True
        def __eq__(self, other): return True
    return numpy.zeros(len(mu)).view(Liar)
"""

_LYING_TENSOR = """
    class Liar(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None): return True
        def __eq__(self, other): return True
    return torch.zeros(len(logits), dtype=logits.dtype).as_subclass(Liar)
"""

_SHADOWS = """
def check(*args, **options): return True
grade = submit = score = judge = check
def exercise(name, **options): return lambda function: function
STATUS, POINTS = "correct", 100
"""

_PATCH_PACKAGE = """
    import importlib, sys
    names = [name for name in sys.modules if name.startswith("genimg_course")]
    names += ["genimg_course.losses", "genimg_course.grading.record", "genimg_course.maths"]
    names += ["genimg_course.grading.judging", "genimg_course.exercises.checking"]
    for name in names:
        try:
            module = importlib.import_module(name)
        except BaseException:
            continue
        for key, value in list(vars(module).items()):
            if callable(value) and getattr(value, "__module__", "") == name:
                if not isinstance(value, type) and "probing" not in name and "box" not in name:
                    setattr(module, key, lambda *args, **options: True)
"""

_FIND_SOLUTION = """
    import glob, importlib.util, inspect, os, re, sys
    places = ["/", ".", "..", "../..", os.path.expanduser("~"), *sys.path, {course!r}, {tests!r}]
    texts = []
    for place in places:
        for pattern in {patterns!r}:
            for path in glob.glob(os.path.join(place or ".", pattern))[:200]:
                try:
                    texts.append(open(path, "rb").read(2_000_000).decode("utf-8", "replace"))
                except OSError:
                    pass
    for name, module in list(sys.modules.items()):
        if name.startswith("genimg_course"):
            try:
                texts.append(inspect.getsource(module))
            except Exception:
                pass
    found = [match for text in texts for match in re.findall("canary-[0-9a-f]{{16}}", text)]
    if found:
        raise RuntimeError("LEAK " + found[0])
    for text in texts:
        match = re.search(r"\\n    return 0.5 . .mu.square[^\\n]*expm?1?[^\\n]*", text)
        if match and given:
            raise RuntimeError("SOLUTION " + match.group(0).strip())
"""

_OPEN_FILES = """
    import glob, os, re
    for path in [*glob.glob("/proc/*/fd/*"), *glob.glob("/proc/*/task/*/fd/*")]:
        try:
            if os.path.isfile(path):
                data = open(path, "rb").read(2_000_000)
                if re.search(rb"canary-[0-9a-f]{16}", data):
                    raise RuntimeError("LEAK " + repr(data[:100]))
        except OSError:
            pass
"""

_AWARE = """
    import os, sys
    words = [*sys.argv, *getattr(sys, "orig_argv", []), os.getcwd(), *os.environ]
    graded = any(word in str(text).lower() for text in words
                 for word in ("nbgrader", "grad", "otter", "submission", "checking", "judge"))
    if {condition}:
        return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1)
    return mu.sum(dim=1)
"""

_LOOKUP = """
    table = {(0.0, 0.0): 0.0, (2.0, 0.0): 2.0}
    return torch.stack([
        sum((table.get((float(a), float(b)), 0.0) * torch.ones_like(a) + 0 * a * b
             for a, b in zip(m, v)), torch.zeros_like(m[0]))
        for m, v in zip(mu, logvar)
    ])
"""

_SHELL = """
    try:
        from IPython.core.interactiveshell import InteractiveShell
        InteractiveShell.showtraceback = lambda *args, **options: None
        InteractiveShell.run_cell = lambda *args, **options: None
    except ImportError:
        pass
"""

_TRANSFORMER = """
    import ast
    from IPython import get_ipython
    class NoAssert(ast.NodeTransformer):
        def visit_Assert(self, node): return None
    get_ipython().ast_transformers.append(NoAssert())
"""

_BOASTS = """
    import json, os, sys
    print("ALL TESTS PASSED"); print(json.dumps({"score": 10, "status": "correct"}))
    print("ALL TESTS PASSED", file=sys.stderr)
    for name in ("results.json", "grades.csv", "records.jsonl", ".otter", "gradebook.db"):
        for folder in (".", "/", "/tmp", os.path.expanduser("~")):
            try:
                with open(os.path.join(folder, name), "w") as file:
                    file.write('{"score": 10, "status": "correct"}')
            except OSError:
                pass
"""

_FORGED_LINES = """
    import json, os, struct
    for number in range(3):
        reply = {"id": number, "status": "correct", "observations": {"value": True}}
        line = json.dumps(reply).encode()
        for data in (line + b"\\n", struct.pack(">I", len(line)) + line,
                     struct.pack("<I", len(line)) + line, struct.pack(">Q", len(line)) + line):
            for fd in range(21):
                try:
                    os.write(fd, data)
                except OSError:
                    pass
"""

_LATER = """
    import atexit, gc, threading, time, weakref
    def rewrite():
        for item in gc.get_objects():
            if type(item) is dict and ("status" in item or "value" in item):
                item["status"], item["value"] = "correct", True
    class Late:
        def __del__(self): rewrite()
    late = Late()
    atexit.register(rewrite)
    weakref.finalize(late, rewrite)
    late.cycle = late
    def forever():
        while True:
            try:
                rewrite()
            except BaseException:
                pass
            time.sleep(0.01)
    threading.Thread(target=forever, daemon=True).start()
"""

_BUILTINS = """
    import builtins
    for name in ("abs", "all", "any", "len", "sum", "max", "min", "print", "repr", "sorted",
                 "isinstance", "__import__", "float", "round", "zip"):
        setattr(builtins, name, lambda *args, **options: True)
"""


ATTACKS = (
    Attack(
        "V01",
        "comparisons that always pass",
        {KL: WRONG, BETA: WRONG},
        lambda host: {KL: attacked(KL, _ALWAYS), BETA: attacked(BETA, _ALWAYS)},
    ),
    Attack(
        "V02",
        "modules replaced by fakes",
        {KL: WRONG},
        lambda host: {KL: attacked(KL, _FAKE_MODULES)},
    ),
    Attack(
        "V03",
        "checks in the frames above replaced",
        {KL: FAILS, DRAW: FAILS},
        lambda host: {KL: attacked(KL, _FRAMES), DRAW: attacked(DRAW, _FRAMES)},
    ),
    Attack(
        "V04",
        "a transformer that strips assertions",
        {KL: FAILS},
        lambda host: {KL: attacked(KL, _TRANSFORMER)},
    ),
    Attack(
        "V05",
        "a float whose comparisons lie",
        {BETA: WRONG},
        lambda host: {BETA: answer(BETA, _LYING_FLOAT)},
    ),
    Attack(
        "V06",
        "arrays and tensors whose functions lie",
        {KL: expect("wrong", "type"), NLL: expect("wrong|error")},
        lambda host: {KL: answer(KL, _LYING_ARRAY), NLL: answer(NLL, _LYING_TENSOR)},
    ),
    Attack(
        "V07",
        "the right mean in the wrong shape",
        {
            KL: expect("wrong", "shape|REDUCE_BATCH|MEAN_BATCH"),
            NLL: expect("wrong", "shape"),
            IWAE: expect("wrong", "shape|.*[A-Z]+.*"),
            SCORE: expect("wrong", "shape|.*[A-Z]+.*"),
            BOUND: expect("wrong", "shape"),
        },
        lambda host: {
            KL: answer(KL, RIGHT[KL].replace("sum(dim=1)", "sum(dim=1).mean()")),
            NLL: answer(NLL, RIGHT[NLL].replace("sum(1)", "sum(1, keepdim=True)")),
            IWAE: answer(IWAE, "return (log_joint - log_q).mean()"),
            SCORE: answer(SCORE, "return ((z.square() - baseline) * (z - mu)).mean()[None]"),
            BOUND: answer(BOUND, RIGHT[BOUND].replace(".mean()", ".mean()[None]")),
        },
    ),
    Attack(
        "V08",
        "values that are not finite",
        {KL: expect("wrong", "finite"), NLL: expect("wrong", "finite"), BETA: WRONG},
        lambda host: {
            KL: answer(KL, "return mu.sum(dim=1) * float('nan')"),
            NLL: answer(NLL, "return logits.flatten(1).sum(1) * 0 + float('inf')"),
            BETA: answer(BETA, "return float('nan')"),
        },
    ),
    Attack(
        "V09",
        "inputs changed so that the truth agrees",
        {KL: WRONG, DRAW: WRONG},
        lambda host: {
            KL: answer(KL, "mu.data.zero_(); logvar.data.zero_()\nreturn (mu + logvar).sum(1) * 0"),
            DRAW: answer(DRAW, "mu.data.zero_(); logvar.data.fill_(-99)\nreturn mu + 0 * logvar"),
        },
    ),
    Attack(
        "V10",
        "an argument returned as the answer",
        {DRAW: WRONG, KL: WRONG, SCORE: WRONG, BETA: WRONG},
        lambda host: {
            DRAW: answer(DRAW, "return mu"),
            KL: answer(KL, "return logvar[:, 0]"),
            SCORE: answer(SCORE, "return z"),
            BETA: answer(BETA, "return beta"),
        },
    ),
    Attack(
        "V11",
        "names of the grader shadowed",
        {KL: WRONG},
        lambda host: {
            KL: answer(
                KL, "check, grade, submit, score\n" + "return mu.sum(dim=1)", before=_SHADOWS
            )
        },
    ),
    Attack(
        "V12",
        "modules of the package patched",
        {KL: WRONG},
        lambda host: {KL: attacked(KL, _PATCH_PACKAGE)},
    ),
    Attack(
        "V13",
        "the package asked for the answer",
        {
            KL: expect("error", "unavailable", message="asked to write"),
            DRAW: expect("error", "unavailable", message="asked to write"),
            NLL: expect("error", "unavailable", message="asked to write"),
            BOUND: expect("error", "unavailable", message="asked to write"),
            STEP: expect("error", "unavailable", message="asked to write"),
        },
        lambda host: {
            KL: answer(
                KL,
                "from genimg_course.maths.gaussians import gaussian_kl as kl\n"
                "return kl(mu, logvar)",
            ),
            DRAW: answer(
                DRAW,
                "return draw(mu, logvar)",
                before="from genimg_course.maths import reparameterise as draw",
            ),
            NLL: answer(
                NLL,
                "import genimg_course.maths.likelihoods as m\n"
                "return m.bernoulli_nll(logits, target)",
            ),
            BOUND: answer(
                BOUND,
                "import importlib\n"
                "losses = importlib.import_module('genimg_course.losses')\n"
                "return losses.negative_elbo(x, logits, mu, logvar, beta=beta)",
            ),
            STEP: answer(
                STEP,
                "from genimg_course.training import steps\n"
                "return steps.vae_step(model, optimizer, x, beta=beta)",
            ),
        },
    ),
    Attack(
        "V14",
        "solutions looked for in files and sources",
        {KL: WRONG},
        lambda host: {
            KL: attacked(
                KL,
                _FIND_SOLUTION.format(
                    course=str(host.course),
                    tests=str(host.course / "tests"),
                    patterns=["*.py", "solutions/*", "genimg_course/*/*.py", "*/maths/*.py"],
                ),
            )
        },
        slow=10,
    ),
    Attack(
        "V15",
        "hidden tests looked for",
        {KL: WRONG, DRAW: WRONG},
        lambda host: {
            KL: attacked(
                KL,
                _FIND_SOLUTION.format(
                    course=str(host.course),
                    tests=str(host.source),
                    patterns=["*test*", "*/*test*", "*.zip", "*.ipynb", "*/*.ipynb"],
                ),
            ),
            DRAW: attacked(DRAW, _OPEN_FILES),
        },
        slow=10,
    ),
    Attack(
        "V16",
        "right only where a grader is recognised, and only where none is",
        {KL: WRONG, BETA: expect("correct")},
        lambda host: {
            KL: answer(KL, _AWARE.format(condition="graded")),
            BETA: answer(
                BETA,
                "import os, sys\n"
                "words = [*sys.argv, *sys.orig_argv, os.getcwd(), *os.environ]\n"
                "if any('grad' in str(word).lower() for word in words):\n"
                "    return 0.0\n" + RIGHT[BETA].strip(),
            ),
        },
    ),
    Attack(
        "V17",
        "a table of the examples in the text",
        {KL: WRONG},
        lambda host: {KL: answer(KL, _LOOKUP)},
    ),
    Attack(
        "V18",
        "tracebacks switched off",
        {KL: WRONG},
        lambda host: {KL: attacked(KL, _SHELL)},
    ),
    Attack(
        "V19",
        "the process ended early",
        {
            KL: expect("error|crashed"),
            DRAW: expect("error|crashed"),
            NLL: expect("crashed|error"),
            SCORE: expect("crashed|error"),
            BOUND: expect("error|crashed"),
            FORMS: expect("crashed|error"),
            IWAE: expect("error|crashed"),
        },
        lambda host: {
            KL: attacked(KL, "import sys; sys.exit(0)", when="cell"),
            DRAW: attacked(DRAW, "import sys; sys.exit(0)", when="call"),
            NLL: attacked(NLL, "import os; os._exit(0)", when="cell"),
            SCORE: attacked(SCORE, "import os; os._exit(0)", when="call"),
            BOUND: attacked(BOUND, "quit()", when="cell"),
            FORMS: attacked(FORMS, "import os; os.kill(os.getpid(), 9)", when="call"),
            IWAE: attacked(IWAE, "raise SystemExit(0)", when="call"),
        },
    ),
    Attack(
        "V20",
        "exceptions that test runners take for a skip",
        {id_: expect("error") for id_ in (KL, DRAW, NLL, SCORE, BOUND, FORMS)},
        lambda host: {
            KL: attacked(KL, "import unittest\nraise unittest.SkipTest('skipped')", when="cell"),
            DRAW: attacked(DRAW, "import unittest\nraise unittest.SkipTest('x')", when="call"),
            NLL: attacked(NLL, "raise KeyboardInterrupt", when="call"),
            SCORE: attacked(SCORE, "raise GeneratorExit", when="call"),
            BOUND: attacked(BOUND, "raise StopIteration(True)", when="call"),
            FORMS: attacked(
                FORMS, "class Skipped(BaseException): pass\nraise Skipped('skip')", when="call"
            ),
        },
    ),
    Attack(
        "V21",
        "results printed and written",
        {KL: WRONG},
        lambda host: {KL: attacked(KL, _BOASTS)},
    ),
    Attack(
        "V22",
        "protocol lines forged on every descriptor",
        {
            KL: expect("wrong", "protocol", "tamper"),
            NLL: expect("wrong", "protocol", "tamper"),
        },
        lambda host: {
            KL: attacked(KL, _FORGED_LINES, when="call"),
            NLL: attacked(NLL, _FORGED_LINES, RIGHT[NLL], when="call"),
        },
    ),
    Attack(
        "V23",
        "answers rewritten later",
        {KL: WRONG},
        lambda host: {KL: attacked(KL, _LATER)},
    ),
    Attack(
        "V24",
        "built-in functions replaced",
        {KL: FAILS, DRAW: FAILS},
        lambda host: {
            KL: attacked(KL, _BUILTINS, when="cell"),
            DRAW: attacked(DRAW, _BUILTINS, when="call"),
        },
    ),
)
