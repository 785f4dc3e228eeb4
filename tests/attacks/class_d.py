"""Class D, V51 to V55: code that reads, writes or calls what is not its own; V60 texts."""

from attacks.attack import Attack, expect
from attacks.host import MARK, Host
from attacks.writing import answer, attacked

__all__ = ["ATTACKS", "BLOCKED", "EVERYONE"]

KL, DRAW, NLL = "vae.gaussian_kl", "vae.reparameterise", "vae.bernoulli_nll"
SCORE, BOUND, FORMS = "vae.score_function_gradient", "vae.negative_elbo", "vae.elbo_forms"
BLOCKED = expect("wrong|error|crashed|killed:.*", message=r"^(?!.*(BROKE|LEAK|SOLUTION))")
"""Any verdict but ``correct``; a payload that gets through says so in its exception."""

_NETWORK = """
    import os, socket
    broke = []
    def attempt(name, family, kind, address, protocol=0):
        try:
            with socket.socket(family, kind, protocol) as one:
                one.settimeout(0.3)
                if kind == socket.SOCK_DGRAM:
                    one.sendto(b"x", address)
                else:
                    one.connect(address)
                broke.append(name)
        except (OSError, AttributeError):
            pass
    inet, stream, datagram = socket.AF_INET, socket.SOCK_STREAM, socket.SOCK_DGRAM
    attempt("tcp outside", inet, stream, ("1.1.1.1", 53))
    attempt("metadata", inet, stream, ("169.254.169.254", 80))
    attempt("tcp", inet, stream, ("127.0.0.1", {tcp}))
    attempt("udp", inet, datagram, ("127.0.0.1", {udp}))
    attempt("dns", inet, datagram, ("8.8.8.8", 53))
    attempt("icmp", inet, socket.SOCK_RAW, ("127.0.0.1", 0), 1)
    attempt("unix", socket.AF_UNIX, stream, {unix!r})
    attempt("abstract", socket.AF_UNIX, stream, "\\0" + {abstract!r})
    for path in ("/var/run/docker.sock", "/tmp/.X11-unix/X0", "/run/dbus/system_bus_socket"):
        attempt(path, socket.AF_UNIX, stream, path)
    try:
        socket.getaddrinfo("example.com", 80)
        broke.append("name resolved")
    except OSError:
        pass
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

_RAW_SOCKETS = """
    import ctypes, struct
    libc = ctypes.CDLL(None, use_errno=True)
    broke = []
    for family, kind in ((2, 1), (2, 2), (10, 1), (1, 1), (16, 3), (17, 3), (40, 1), (38, 5)):
        fd = libc.syscall(41, family, kind, 0)  # socket
        if fd >= 0 and family == 2 and kind == 1:
            address = struct.pack("<HH4s8x", 2, {swapped}, bytes([127, 0, 0, 1]))
            if libc.connect(fd, address, 16) == 0:
                broke.append("tcp by syscall")
        if fd >= 0 and family == 2 and kind == 2:
            address = struct.pack("<HH4s8x", 2, {swapped_udp}, bytes([127, 0, 0, 1]))
            if libc.sendto(fd, b"x", 1, 0, address, 16) == 1:
                broke.append("udp by syscall")
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

_SECRETS = """
    import glob, os, re
    home, course = {home!r}, {course!r}
    places = [home + "/.*", home + "/.*/*", course + "/*/*", course + "/../*/*", course + "/../*",
              os.path.expanduser("~/.*"), "/*/.*", "/home/*/.*", "/etc/passwd", "/etc/shadow",
              "/proc/*/environ", "/proc/*/cmdline", "/proc/*/cwd/*", "/proc/*/root" + home + "/.*",
              "/run/secrets/*", "/proc/*/maps", "/tmp/*", "/tmp/*/*"]
    texts = [repr(dict(os.environ)).encode()]
    for place in places:
        for path in sorted(glob.glob(place))[:300]:
            try:
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        texts.append(file.read(100_000))
            except OSError:
                pass
    for text in texts:
        found = re.search(rb"canary-[0-9a-f]{{16}}", text)
        if found:
            raise RuntimeError("LEAK " + found.group(0).decode())
"""

# Only places that belong to the test are changed. Of the machine's own files it is tried whether
# they open for writing, and nothing is written: a test must not need the protection that it tests.
_WRITES = """
    import os, sys
    import torch
    broke = []
    home, course, out, source, book = {home!r}, {course!r}, {out!r}, {source!r}, {book!r}
    scratch = os.path.dirname(home)
    for place in (home, course, out, source, book, course + "/genimg_course", scratch + "/tmp"):
        try:
            with open(os.path.join(place, {mark!r} + "-written"), "w") as file:
                file.write("x")
            broke.append("wrote " + place)
        except OSError:
            pass
    for path in (book + "/grades.csv", out + "/records.jsonl", course + "/solutions/06_hidden.py",
                 home + "/.bashrc", source + "/honest-1/06_variational_autoencoder.ipynb"):
        for act in (lambda: open(path, "a").write("#x"), lambda: os.truncate(path, 0),
                    lambda: os.rename(path, path + "x"), lambda: os.unlink(path),
                    lambda: os.chmod(path, 0o777), lambda: os.utime(path, (0, 0)),
                    lambda: os.setxattr(path, "user.x", b"x"), lambda: os.link(path, path + "y"),
                    lambda: os.symlink(path, path + "z")):
            try:
                act()
                broke.append("changed " + path)
            except OSError:
                pass
    package = getattr(sys.modules.get("genimg_course"), "__file__", None) or torch.__file__
    for path in (torch.__file__, os.__file__, package, "/etc/hostname", "/etc/passwd"):
        try:
            open(path, "r+b").close()
            broke.append("can write " + path)
        except OSError:
            pass
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

_PERSIST = """
    import os, sys
    import torch
    broke = []
    home, course = {home!r}, {course!r}
    for path in (home + "/.bashrc", home + "/.profile", home + "/.config/autostart/" + {mark!r},
                 course + "/.git/hooks/pre-commit", course + "/genimg_course/sitecustomize.py",
                 course + "/genimg_course/__pycache__/__init__.cpython-311.pyc"):
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "a") as file:
                file.write("# " + {mark!r})
            broke.append(path)
        except OSError:
            pass
    site = os.path.dirname(os.path.dirname(torch.__file__))
    modules = [sys.modules.get("genimg_course"), sys.modules.get("genimg_course.probing"), torch]
    folders = [os.path.dirname(module.__file__) for module in modules if module is not None]
    for folder in (*folders, site, "/etc", "/etc/profile.d", "/var/spool/cron", "/var/tmp"):
        path = os.path.join(folder, {mark!r} + "-stays")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            broke.append(path)
            os.unlink(path)
        except OSError:
            pass
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

EVERYONE = """
    import os
    def everyone(number):
        # outside a namespace of its own it only asks whether it might: the host must survive this
        try:
            own = len([name for name in os.listdir("/proc") if name.isdigit()]) < 12
        except OSError:
            own = False
        try:
            os.kill(-1, number if own else 0)
        except OSError:
            return
        if not own:
            raise RuntimeError("BROKE kill of everyone")
"""
"""Defines ``everyone(signal)``, which sends a signal to all processes that it can reach."""

_CALLS = """
    import ctypes, fcntl, os, struct, termios
    libc = ctypes.CDLL(None, use_errno=True)
    broke = []
    parent = os.getppid()
    if libc.ptrace(16, parent, 0, 0) == 0:  # PTRACE_ATTACH
        broke.append("ptrace")
        libc.ptrace(17, parent, 0, 0)
    for pid in (parent, 1):
        for name in ("mem", "environ", "maps"):
            try:
                with open(f"/proc/{pid}/{name}", "r+b" if name == "mem" else "rb") as file:
                    if file.read(1) and name != "maps":
                        broke.append(f"/proc/{pid}/{name}")
            except (OSError, ValueError):
                pass
    data = ctypes.create_string_buffer(64)
    local = (ctypes.c_void_p * 2)(ctypes.addressof(data), 64)
    for call, name in ((310, "process_vm_readv"), (311, "process_vm_writev")):
        remote = (ctypes.c_void_p * 2)(ctypes.addressof(data), 64)
        if libc.syscall(call, parent, local, 1, remote, 1, 0) > 0:
            broke.append(name)
    for fd in range(10):
        try:
            fcntl.ioctl(fd, termios.TIOCSTI, b"x")
            broke.append("TIOCSTI")
        except OSError:
            pass
    if libc.unshare(0x10000000) == 0:
        broke.append("unshare")
    ctypes.set_errno(0)
    libc.mount(b"none", b"/nowhere/at/all", b"tmpfs", 0, None)
    if ctypes.get_errno() not in (1, 38):  # whoever may mount is told that there is no such place
        broke.append("mount")
    before = os.getresuid()
    for act in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.chroot("/"),
                lambda: os.setgroups([0]), lambda: os.nice(-5)):
        try:
            act()
        except OSError:
            pass
    if os.getresuid() != before:
        broke.append("setuid")
    if broke:
        raise RuntimeError("BROKE " + ", ".join(broke))
"""

_MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>[a](javascript:alert(1))</pre></div><!--"
)


def _filled(payload: str, host: Host) -> str:
    def swapped(port: int) -> int:
        return int.from_bytes(port.to_bytes(2, "big"), "little")

    return payload.format(
        tcp=host.tcp,
        udp=host.udp,
        swapped=swapped(host.tcp),
        swapped_udp=swapped(host.udp),
        unix=str(host.unix),
        abstract=host.abstract,
        home=str(host.home),
        course=str(host.course),
        out=str(host.out),
        source=str(host.source),
        book=str(host.folder / "gradebook"),
        mark=MARK,
    )


ATTACKS = (
    Attack(
        "V51",
        "connections of every kind",
        {KL: BLOCKED, DRAW: BLOCKED},
        lambda host: {
            KL: attacked(KL, _filled(_NETWORK, host), when="call"),
            DRAW: attacked(DRAW, _filled(_RAW_SOCKETS, host)),
        },
        slow=8,
    ),
    Attack(
        "V52",
        "secrets of the home, the environment and other processes",
        {KL: BLOCKED},
        lambda host: {KL: attacked(KL, _filled(_SECRETS, host))},
        slow=5,
    ),
    Attack(
        "V53",
        "writing to the course, the gradebook and other submissions",
        {KL: BLOCKED},
        lambda host: {KL: attacked(KL, _filled(_WRITES, host))},
    ),
    Attack(
        "V54",
        "staying after the run",
        {KL: BLOCKED},
        lambda host: {KL: attacked(KL, _filled(_PERSIST, host))},
    ),
    Attack(
        "V55",
        "calls against the parent and the system",
        {KL: BLOCKED, DRAW: BLOCKED, NLL: BLOCKED, SCORE: BLOCKED},
        lambda host: {
            KL: attacked(KL, _CALLS),
            DRAW: attacked(DRAW, EVERYONE + "    everyone(9)\n", when="call"),
            NLL: attacked(NLL, "import os\nos.kill(os.getppid(), 9)", when="call"),
            SCORE: attacked(SCORE, "import os\nos.killpg(0, 9)", when="call"),
        },
        slow=6,
    ),
    Attack(
        "V60",
        "markup in texts, docstrings and exceptions",
        {
            KL: expect("error"),
            DRAW: expect("wrong"),
            NLL: expect("error"),
        },
        lambda host: {
            KL: answer(KL, f"raise RuntimeError({_MARKUP!r})"),
            DRAW: answer(DRAW, f'"""{_MARKUP}"""\nreturn mu'),
            NLL: answer(NLL, f"return {_MARKUP!r} + 1"),
        },
    ),
)
