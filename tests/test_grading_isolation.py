"""Which ways of containing answers there are, that none is silently lowered, and the filter."""

import os
import re
import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from genimg_course.grading.box import seccomp
from genimg_course.grading.box.syscalls import ARCHITECTURES, NUMBERS
from genimg_course.grading.box.trial import breaches
from genimg_course.grading.isolation import bubblewrap, container, landlock, tiers
from genimg_course.grading.isolation.box import Box
from genimg_course.grading.isolation.libraries import executable, libraries
from genimg_course.grading.isolation.tiers import NoIsolation, choose_tier, find_tiers
from genimg_course.grading.isolation.worker import Worker

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = {"cpu_seconds": 9, "memory_bytes": 1 << 30, "answer_bytes": 1 << 20, "threads": 64}
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def program_on(path, text):
    path.mkdir(exist_ok=True)
    (path / "bwrap").write_text(f"#!/bin/sh\n{text}\n")
    (path / "bwrap").chmod(0o755)
    return str(path)


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    """Hide every tier of this machine."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(landlock, "landlock_abi", lambda: 0)


@linux
def test_every_tier_has_a_report_and_a_missing_one_a_reason():
    reports = find_tiers()
    assert [report.name for report in reports] == list(tiers.NAMES)
    assert all(report.available != bool(report.reason) for report in reports)


@linux
@pytest.mark.parametrize("name", ["bubblewrap", "landlock"])
def test_a_tier_can_be_forced(name):
    report = {report.name: report for report in find_tiers()}[name]
    if not report.available:
        pytest.skip(report.reason)
    tier = choose_tier(name)
    assert tier.name == name and tier.flags == () and tier.filtered


@linux
@pytest.mark.parametrize(
    "text, reason",
    [
        (None, "not installed"),
        ("exit 1", "older than 0.8: no version"),
        ("echo bubblewrap 0.4.1", "older than 0.8: 0.4"),
        (
            "echo bwrap 0.9.0; echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1",
            "uid",
        ),
        ("[ $1 = --version ] && echo bubblewrap 0.8.0 && exit; sleep 0.1", "the zygote"),
        ("[ $1 = --version ] && echo bubblewrap 0.8.0 || yes", "wrong size"),
    ],
    ids=["missing", "silent", "old", "denied", "leaves", "babbles"],
)
def test_a_missing_or_broken_bubblewrap_has_its_reason(monkeypatch, tmp_path, text, reason):
    path = str(tmp_path) if text is None else f"{program_on(tmp_path / 'p', text)}:/usr/bin:/bin"
    monkeypatch.setenv("PATH", path)
    with pytest.raises(NoIsolation, match=reason):
        choose_tier("bubblewrap")
    if tiers._report("landlock").available:
        assert choose_tier().name == "landlock"  # the next one, and the record says so


def test_where_nothing_is_left_it_refuses_and_says_what_was_tried(nothing):
    with pytest.raises(NoIsolation) as found:
        choose_tier()
    for word in ("bubblewrap", "Landlock", "docker", "--i-trust-these-submissions"):
        assert word in str(found.value)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_trust_alone_opens_the_last_tier(nothing):
    with pytest.raises(NoIsolation, match="--i-trust-these-submissions"):
        choose_tier("none")
    assert choose_tier(trust=True).flags == ("UNSANDBOXED",)
    assert choose_tier("none", trust=True).name == "none"


@linux
def test_trust_does_not_lower_what_is_available():
    best = next(report.name for report in find_tiers() if report.available)
    assert choose_tier(trust=True).name == best


def test_an_unknown_tier_is_a_mistake():
    with pytest.raises(ValueError, match="'docker'"):
        choose_tier("docker")


@pytest.mark.parametrize(
    "system, words", [("darwin", "in a container"), ("win32", "WSL2 or in a container")]
)
def test_other_systems_are_told_where_to_grade(monkeypatch, tmp_path, system, words):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(NoIsolation, match=words):
        choose_tier()


def test_a_machine_without_a_table_has_no_filter(monkeypatch):
    monkeypatch.setattr(bubblewrap, "machine", lambda: "riscv64")
    monkeypatch.setattr(landlock, "machine", lambda: "riscv64")
    if sys.platform == "linux":
        assert "riscv64" in bubblewrap.missing() and "riscv64" in landlock.missing()
    with pytest.raises(ValueError, match="riscv64"):
        seccomp.program("riscv64", 1)


@linux
def test_a_box_with_a_hole_is_not_a_tier():
    if landlock.missing():
        pytest.skip(landlock.missing())
    tier = choose_tier("landlock")
    leaky = replace(tier, readable=lambda box: [*tier.readable(box), str(box.secret)])
    with pytest.raises(NoIsolation, match="from inside one can read"):
        Worker(leaky, ROOT, SETTINGS, preload=())


@linux
def test_a_box_that_fails_leaves_nothing_behind():
    tier = choose_tier("none", trust=True)
    made = []

    def command(box):
        made.append(box.folder)
        return ["/bin/false"]

    with pytest.raises(NoIsolation):
        Worker(replace(tier, command=command), ROOT, SETTINGS, preload=())
    assert made and not made[0].exists()


@linux
def test_the_trial_finds_what_an_open_process_can_do(tmp_path):
    (tmp_path / "secret").write_text("x")
    found = breaches([str(tmp_path / "secret"), "/nowhere"], [str(tmp_path)])
    said = " ".join(found)
    for what in ("read", "write to", "AF_INET", "AF_UNIX", "signals", "processes"):
        assert what in said
    assert "nowhere" not in said and [one.name for one in tmp_path.iterdir()] == ["secret"]


def test_a_box_needs_a_copy_of_the_package(tmp_path):
    with pytest.raises(ValueError, match="no copy"):
        Box.make(tmp_path)


def test_only_what_torch_needs_is_visible():
    names = set(libraries())
    assert {"torch", "torchvision", "numpy", "scipy"} <= names
    assert not {"genimg_course", "pytest", "IPython", "nbformat", "pip", "_pytest"} & names
    assert not any(name.endswith(".pth") or "genimg" in name for name in names)
    assert not executable().startswith(sys.prefix) or sys.prefix == sys.base_prefix


def test_a_container_gets_no_network_and_nothing_to_write(monkeypatch):
    monkeypatch.setattr(container, "_client", lambda: "docker")
    box = Box(Path("/package"), Path("/tmp/genimg-box-x"))
    words = " ".join(container.command(box))
    for part in ("--network none", "--read-only", "--cap-drop ALL", "no-new-privileges"):
        assert part in words
    assert words.count("--volume") == 1 and "/package/genimg_course:" in words and ":ro" in words


@pytest.mark.parametrize("answer", ["exit 1", "sleep 60"], ids=["no daemon", "hangs"])
def test_a_daemon_that_does_not_answer_is_no_container(monkeypatch, tmp_path, answer):
    program_on(tmp_path, answer)
    (tmp_path / "bwrap").rename(tmp_path / "docker")
    monkeypatch.setattr(container, "_SECONDS", 0.3)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    assert "does not answer" in container.missing()


# the filter, run by hand: so that it is tested for machines that this one is not

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x50000 | 1, 0x50000 | 38


def decide(code, arch, number, *arguments):
    """Run a filter over a system call, as the kernel does, and return its decision."""
    padded = [value & (1 << 64) - 1 for value in (*arguments, *[0] * 6)][:6]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, arch, 0, *padded)
    steps = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    at, value = 0, 0
    while True:
        kind, yes, no, k = steps[at]
        at += 1
        if kind == 0x06:
            return k
        if kind == 0x20:
            (value,) = struct.unpack_from("<I", data, k)
        elif kind == 0x54:
            value &= k
        else:
            at += yes if (value == k if kind == 0x15 else value >= k) else no


@pytest.fixture(params=sorted(ARCHITECTURES))
def call(request):
    code, arch = seccomp.program(request.param, pid=77), ARCHITECTURES[request.param]
    numbers = NUMBERS[request.param]
    return lambda name, *arguments: decide(code, arch, numbers[name], *arguments)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_another_architecture_is_the_end(name):
    code = seccomp.program(name, pid=77)
    for arch in {0x40000003, *ARCHITECTURES.values()} - {ARCHITECTURES[name]}:  # i386 too
        assert decide(code, arch, NUMBERS[name]["getpid"]) == KILL


def test_calls_of_the_x32_form_do_not_exist():
    code = seccomp.program("x86_64", pid=77)
    for number in (0x40000000, 0x40000000 + 39, 0x40000000 + 520, 0xFFFFFFFF):
        assert decide(code, ARCHITECTURES["x86_64"], number) == ENOSYS


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_what_is_not_in_the_table_is_refused(name):
    code, arch = seccomp.program(name, pid=77), ARCHITECTURES[name]
    known = set(NUMBERS[name].values())
    for number in set(range(1000)) - known:
        assert decide(code, arch, number) == (ENOSYS if number >= 451 else EPERM)


def test_what_computing_needs_is_let_through(call):
    for name in ("read", "write", "mmap", "munmap", "futex", "exit_group", "getrandom", "openat"):
        assert call(name) == ALLOW


def test_threads_may_be_made_and_processes_not(call):
    assert call("clone", 0x3D0F00) == ALLOW  # as glibc makes a thread
    assert call("clone", 17) == EPERM  # fork
    assert call("clone", 0x4111) == EPERM  # vfork
    assert call("clone", 0x3D0F00 | 0x10000000) == EPERM  # a user namespace
    assert call("clone3", 0, 88) == ENOSYS


def test_files_are_opened_for_reading_alone(call):
    assert call("openat", -100, 0, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
    for flags in (1, 2, 3, 0o100, 0o1000, 0o2000, 0o20200000, 0o101):
        assert call("openat", -100, 0, flags) == EPERM


def test_signals_reach_the_process_itself_alone(call):
    for name, before in (("kill", ()), ("tgkill", (78,))):
        assert call(name, 77, *before, 15) == ALLOW
        assert call(name, 77, *before, 9) == EPERM
        assert call(name, 77, *before, 19) == EPERM
        for other in (1, 0, -1, 76, -77):
            assert call(name, other, *before, 15) == EPERM


def test_limits_and_processors_are_the_own_ones(call):
    for name in ("prlimit64", "sched_setaffinity"):
        assert call(name, 0) == ALLOW and call(name, 1) == EPERM


def test_few_controls_are_let_through(call):
    assert call("ioctl", 0, 0x5401) == ALLOW and call("fcntl", 0, 3) == ALLOW
    assert call("prctl", 15) == ALLOW
    for name, request in (
        *(("ioctl", 0x5412), ("ioctl", 0x541C), ("ioctl", 0x1_0000_5412), ("fcntl", 8)),
        *(("fcntl", 1033), ("fcntl", 10)),
    ):
        assert call(name, 0, request) == EPERM
    for option in (4, 22, 23, 24, 36, 38, 47):
        assert call("prctl", option) == EPERM


@pytest.mark.parametrize(
    "name, header",
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_the_numbers_are_those_of_the_kernels_headers(name, header):
    if not Path(header).is_file():
        pytest.skip(f"{header} is not installed")
    pattern = r"#define __NR(?:3264)?_(\w+)\s+(\d+)"
    there = {name: int(number) for name, number in re.findall(pattern, Path(header).read_text())}
    there |= {"newfstatat": there["fstatat"]} if "fstatat" in there else {}
    assert {one: there.get(one) for one in NUMBERS[name]} == NUMBERS[name]
