"""``genimg train``: every family from the first step to the summary, and what it refuses."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from genimg_course import data
from genimg_course.cli import main
from genimg_course.commands import training as commands
from genimg_course.reference import FAMILIES, train, training
from genimg_course.reference.families import CONDITIONAL
from genimg_course.reference.journal import Journal, read_journal
from genimg_course.training import NonFiniteLoss, fit

SMALL = {"steps": 6, "every": 3, "count": 200, "batch_size": 9, "progress": False}


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Measure on few pictures, keep runs out of the tree, leave the generators alone."""
    monkeypatch.setattr(training, "JUDGED", 60)
    monkeypatch.chdir(tmp_path)
    state = torch.get_rng_state()
    yield
    torch.set_rng_state(state)


def weights(folder):
    return {
        f"{path.stem}.{key}": value
        for path in sorted((folder / "weights").glob("*.safetensors"))
        for key, value in load_file(path).items()
    }


def same(one, two):
    one, two = weights(one), weights(two)
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


def sentences(capsys):
    """What the reader sees besides the progress bar and the warnings."""
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    return [line for line in lines if line and "step/s" not in line and "warning:" not in line]


def steps(folder):
    return [record["step"] for record in read_journal(folder / "history.jsonl")]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_leaves_a_whole_folder(family):
    summary = train(family, **SMALL)
    folder = Path("runs") / f"{family}-glyphs-seed0"
    assert summary.folder == folder and summary.done == 6 and not summary.stopped
    assert {path.name for path in folder.iterdir()} == {
        *("settings.json", "history.jsonl", "events", "samples", "checkpoints", "weights"),
        "summary.json",
    }
    assert steps(folder) == [1, 2, 3, 4, 5, 6]
    pictures = sorted(path.name for path in (folder / "samples").iterdir())
    assert pictures == ["step-00000003.png", "step-00000006.png"]
    with Image.open(folder / "samples" / pictures[0]) as image:
        assert image.mode == "L" and image.width == 498
    for path in (folder / "weights").glob("*.safetensors"):
        card = json.loads(path.with_suffix(".json").read_text())
        assert card["network"]["arguments"]["size"] == 16 and card["steps"] == 6
        assert card["command"].startswith(f"genimg train {family} --data glyphs --size 16 --steps")
    told = json.loads((folder / "summary.json").read_text())
    assert told["numbers"] == summary.numbers and told["settings"]["batch_size"] == 9
    assert ("conditional_accuracy" in summary.numbers) == (family in CONDITIONAL)
    assert ("frechet_distance" in summary.numbers) == (family != "ae")
    assert ("unseen_negative_elbo" in summary.numbers) == (family in ("vae", "cvae"))
    assert ("unseen_squared_error" in summary.numbers) == (family == "ae")
    assert all(value == value and abs(value) != float("inf") for value in summary.numbers.values())
    assert "6 steps" in str(summary) and "images per second" in str(summary)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    for name, seed in {"a": 1, "b": 1, "c": 2}.items():
        train("vae", **SMALL, seed=seed, out=name)
    assert same(Path("a"), Path("b")) and not same(Path("a"), Path("c"))


def ask_to_stop(monkeypatch, at, number=signal.SIGINT):
    losses = Journal.losses

    def stopping(self, step, values):
        losses(self, step, values)
        if step == at:
            signal.raise_signal(number)

    monkeypatch.setattr(Journal, "losses", stopping)
    return lambda: monkeypatch.setattr(Journal, "losses", losses)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_everything_saved_and_it_goes_on_bit_for_bit(
    monkeypatch, capsys, number
):
    train("cgan", **SMALL, out="whole")
    undo = ask_to_stop(monkeypatch, 4, number)
    summary = train("cgan", **SMALL, out="torn")
    undo()
    assert summary.stopped and summary.done in (4, 5) and summary.numbers == {}
    assert "go on with genimg train cgan --resume torn" in str(summary)
    assert json.loads(Path("torn/summary.json").read_text())["stopped"]
    assert steps(Path("torn")) == list(range(1, summary.done + 1))

    summary = train("cgan", resume="torn", progress=False)
    assert summary.done == 6 and not summary.stopped
    assert steps(Path("torn")) == [1, 2, 3, 4, 5, 6]
    assert same(Path("whole"), Path("torn"))
    losses = [
        [{k: v for k, v in r.items() if k != "seconds"} for r in read_journal(f / "history.jsonl")]
        for f in (Path("whole"), Path("torn"))
    ]
    assert losses[0] == losses[1]


def test_a_finished_run_that_is_resumed_stays_as_it_is():
    train("ae", **SMALL)
    folder = Path("runs/ae-glyphs-seed0")
    before = weights(folder)
    summary = train("ae", resume=folder, progress=False)
    assert summary.done == 6 and steps(folder) == [1, 2, 3, 4, 5, 6]
    assert all(torch.equal(value, before[key]) for key, value in weights(folder).items())


def test_a_resume_refuses_other_settings_and_takes_the_same():
    train("ae", **SMALL, out="run")
    for name, value, sentence in [
        ("seed", 1, "the run in run has seed 0, not 1: leave that out to resume it"),
        ("steps", 7, "the run in run has steps 6, not 7"),
        ("dataset", "mnist", "has dataset 'glyphs', not 'mnist'"),
        ("devices", 2, "has devices 1, not 2"),
    ]:
        with pytest.raises(ValueError, match=re.escape(sentence)):
            train("ae", resume="run", **{name: value})
    with pytest.raises(ValueError, match="has family 'ae', not 'vae'"):
        train("vae", resume="run")
    with pytest.raises(ValueError, match="leave out --out other"):
        train("ae", resume="run", out="other")
    assert train("ae", resume="run", seed=0, accelerator="auto", progress=False).done == 6


def test_a_resume_that_is_refused_leaves_the_folder_as_it_was():
    train("ae", **SMALL, out="run")
    damaged = Path("run/checkpoints/step-00000006/state.pt")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with Path("run/history.jsonl").open("a") as file:
        file.write('{"step": 7}')  # what a killed run wrote last, and a resume would cut off
    files = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=r"state\.pt was altered or cut short"):
        train("ae", resume="run", progress=False)
    assert {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()} == files


def test_a_resume_computes_with_the_threads_of_the_first_part():
    summary = train("ae", **SMALL)
    path = summary.folder / "settings.json"
    before, settings = torch.get_num_threads(), json.loads(path.read_text())
    assert settings["threads"] == before
    try:
        torch.set_num_threads(before + 1)
        train("ae", resume=summary.folder, progress=False)
        assert torch.get_num_threads() == before
    finally:
        torch.set_num_threads(before)


def test_a_folder_that_is_taken_or_holds_no_run_is_refused(tmp_path):
    train("ae", **SMALL, out="run")
    with pytest.raises(ValueError, match="run holds a run already: go on with --resume run, "):
        train("ae", **SMALL, out="run")
    Path("letters").mkdir()
    Path("letters/mine.txt").write_text("dear")
    with pytest.raises(ValueError, match="letters is not empty: choose a new folder with --out"):
        train("ae", **SMALL, out="letters")
    with pytest.raises(ValueError, match=r"letters holds no run: it has no settings\.json"):
        train("ae", resume="letters")
    Path("run/settings.json").write_text("{}")
    with pytest.raises(ValueError, match=r"settings\.json is damaged"):
        train("ae", resume="run")


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["vae", "--steps", "0"], "steps is 0: expected at least one"),
        (["vae", "--every", "0"], "every is 0: expected at least one"),
        (["vae", "--batch-size", "0"], "batch_size is 0: expected at least one"),
        (["vae", "--batch-size", "99", "--count", "20"], "batch_size is 99; give 1 to 20"),
        (["vae", "--data", "faces"], "data set 'faces' is unknown; choose one of glyphs, mnist"),
        (["vae", "--data", "folder:nowhere"], " is not a folder: check the path behind 'folder:'"),
        (["vae", "--size", "17"], "size is 17: expected a side such as 16, 28, 32 or 64"),
        (["vae", "--devices", "0"], "devices is 0, nodes is 1: expected at least one each"),
        (["vae", "--seed", "-1"], "seed is -1: expected an integer from 0"),
        (["vae", "--accelerator", "cuda"], "device 'cuda' cannot be used on this machine; try"),
        (["vae", "--resume", "nowhere"], "nowhere holds no run: it has no settings.json"),
        (["wgan_gp", "--batch-size", "10"], "batch_size is 10: wgan_gp needs a multiple of 3"),
        (["vae", "--out", "file"], "File exists: file"),
    ],
)
def test_what_the_reader_can_mend_costs_one_sentence(capsys, arguments, sentence):
    if "cuda" in arguments and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    Path("file").write_text("")
    small = [] if "--count" in arguments or "--resume" in arguments else ["--count", "50"]
    assert main(["train", *arguments, *small]) == 2
    errors = sentences(capsys)
    assert len(errors) == 1 and sentence in errors[0], errors


def test_the_command_offers_every_family():
    assert list(commands.FAMILIES) == list(FAMILIES)


def test_an_unknown_family_is_named(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", "diffusion"])
    assert ended.value.code == 2
    assert "invalid choice: 'diffusion' (choose from " in capsys.readouterr().err
    with pytest.raises(ValueError, match="family is 'diffusion': choose one of ae, vae, cvae, gan"):
        train("diffusion")


def pictures(folder, count, *, classes):
    for i in range(count):
        place = folder / str(i % 2) if classes else folder
        place.mkdir(parents=True, exist_ok=True)
        noise = torch.randint(0, 255, (20, 20, 3), dtype=torch.uint8)
        Image.fromarray(noise.numpy()).save(place / f"{i}.png")


def test_a_folder_of_colour_pictures_is_trained_on(tmp_path):
    pictures(tmp_path / "mine", 60, classes=True)
    summary = train("cgan", dataset="folder:mine", steps=2, size=16, progress=False)
    assert summary.settings["dataset"] == f"folder:{tmp_path / 'mine'}"
    assert summary.folder == Path("runs/cgan-mine-seed0")
    assert summary.settings["batch_size"] <= 60 and summary.numbers == {}
    with Image.open(summary.folder / "samples/step-00000002.png") as image:
        assert image.mode == "RGB"


def test_pictures_without_classes_are_refused_for_a_conditional_family(tmp_path, capsys):
    pictures(tmp_path / "mine", 30, classes=False)
    assert main(["train", "cvae", "--data", "folder:mine"]) == 2
    assert capsys.readouterr().err == (
        f"cvae needs pictures with classes, and folder:{tmp_path / 'mine'} has none: put them into "
        "one sub-folder a class, or train a family without condition\n"
    )
    assert train("vae", dataset="folder:mine", steps=1, size=16, progress=False).done == 1


def test_a_full_disk_is_one_sentence_and_the_checkpoint_is_kept(monkeypatch, capsys):
    pictures_of = Journal.pictures

    def full(self, step, x, **options):
        if step == 6:
            raise OSError(errno.ENOSPC, "No space left on device", "samples/step.png")
        return pictures_of(self, step, x, **options)

    monkeypatch.setattr(Journal, "pictures", full)
    command = ["train", "vae", "--steps", "6", "--every", "3", "--count", "50", "--out", "run"]
    assert main(command) == 2
    errors = sentences(capsys)
    assert errors == ["No space left on device: samples/step.png"]
    monkeypatch.setattr(Journal, "pictures", pictures_of)
    assert main(["train", "vae", "--resume", "run"]) == 0
    assert steps(Path("run")) == [1, 2, 3, 4, 5, 6]


def test_a_broken_loss_is_one_sentence_and_status_one(monkeypatch, capsys):
    vae = FAMILIES["vae"]

    def breaking(*sizes, **options):
        run = vae(*sizes, **options)
        step = run.step

        def broken(n, *batch):
            if n == 4:
                next(run.networks["vae"].parameters()).data.fill_(torch.nan)
            return step(n, *batch)

        return type(run)(**{**vars(run), "step": broken})

    monkeypatch.setitem(FAMILIES, "vae", breaking)
    command = ["train", "vae", "--steps", "6", "--every", "3", "--count", "50", "--out", "run"]
    assert main(command) == 1
    errors = sentences(capsys)
    assert len(errors) == 1
    assert " became nan in step 4" in errors[0] and "vae.encoder.convolutions.0" in errors[0]
    assert (Path("run") / "checkpoints" / "step-00000003").is_dir()


def test_warnings_are_printed_once_and_kept(monkeypatch, capsys):
    monkeypatch.setattr(training, "exploded", lambda name, values: f"{name} is too large")
    monkeypatch.setattr(training, "lost_classes", lambda shares, names: "class 3 is lost")
    summary = train("gan", **SMALL)
    assert sorted(summary.warnings) == [
        "class 3 is lost",
        *("d_loss is too large", "fake_logit is too large", "g_loss is too large"),
        "real_logit is too large",
    ]
    errors = capsys.readouterr().err
    assert errors.count("warning: class 3 is lost") == 1
    assert errors.count("warning: d_loss is too large") == 1


def test_the_course_trains_where_cuda_shows_no_device(capsys, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    code = (
        "import sys; from genimg_course.cli import main; sys.exit(main(['train', 'ae', '--steps',"
        " '2', '--count', '50', '--out', 'run']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "cpu in " in done.stdout
    assert json.loads(Path("run/settings.json").read_text())["accelerator"] == "cpu"


def test_library_calls_agree_with_the_loop_that_a_lesson_writes():
    """``train`` adds nothing to the recipe: the same steps by hand give the same weights."""
    summary = train("ae", **SMALL, precision="fp32", out="run")
    images = data.load("glyphs", size=16, count=200)
    from genimg_course.training import open_fabric, seed_everything, seed_process

    fabric = open_fabric(precision="fp32", accelerator="cpu")
    rng = seed_everything(0)
    run = FAMILIES["ae"](16, 1, 10, 6, fabric=fabric)
    batches = data.Batches(images, 9, rng=rng)
    seed_process(fabric, 0)
    fit(run.step, batches, steps=6, progress=False)
    by_hand = run.networks["autoencoder"].state_dict()
    learned = load_file(summary.folder / "weights" / "autoencoder.safetensors")
    assert all(torch.equal(learned[key], value) for key, value in by_hand.items())
    assert NonFiniteLoss  # the loop's own error is part of the contract


def genimg(*arguments, script=False, **options):
    """Start ``genimg`` in a session of its own, so that all its processes can be ended."""
    entry = Path(sys.executable).with_name("genimg")
    command = [str(entry)] if script else [sys.executable, "-m", "genimg_course.cli"]
    environment = {k: v for k, v in os.environ.items() if k not in ("LOCAL_RANK", "NODE_RANK")}
    return subprocess.Popen(
        [*command, "train", *map(str, arguments)],
        env=environment
        | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
        | options.pop("environment", {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def end(process, seconds=120):
    try:
        return process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, errors = process.communicate()
        pytest.fail(f"no end after {seconds} s:\n{out}\n{errors}")


def wait_for(path, lines, process, seconds=90):
    """Wait until a diary has some lines, without reading more than it must."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if path.exists() and path.read_bytes().count(b"\n") >= lines:
            return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
    pytest.fail(f"{path} has not {lines} lines:\n" + "\n".join(process.communicate()))


def test_a_run_killed_with_signal_nine_resumes_to_the_same_bits():
    options = ["--steps", 60, "--every", 10, "--count", 300, "--batch-size", 16]
    process = genimg("gan", *options, "--out", "torn")
    wait_for(Path("torn/history.jsonl"), 25, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(steps(Path("torn"))) < 60, "it was too fast to be killed"
    assert main(["train", "gan", "--resume", "torn"]) == 0
    assert main(["train", "gan", *map(str, options), "--out", "whole"]) == 0
    assert steps(Path("torn")) == list(range(1, 61))
    assert same(Path("whole"), Path("torn"))


needs_processes = pytest.mark.skipif(os.name == "nt", reason="signals to groups of processes")


@needs_processes
def test_two_processes_train_together_and_one_of_them_talks():
    installed = Path(sys.executable).with_name("genimg").exists()
    options = ["--steps", 6, "--every", 3, "--count", 100, "--batch-size", 8, "--devices", 2]
    options += ["--accelerator", "cpu"]
    process = genimg("cgan", *options, "--out", "run", script=installed)
    out, errors = end(process)
    assert process.returncode == 0, errors
    assert out.count("cgan on ") == 2 and "2 processes, 8 images a step" in out  # begin and end
    assert steps(Path("run")) == [1, 2, 3, 4, 5, 6]
    assert json.loads(Path("run/settings.json").read_text())["devices"] == 2
    told = json.loads(Path("run/summary.json").read_text())
    assert told["done"] == 6 and "conditional_accuracy" in told["numbers"]


@needs_processes
@pytest.mark.parametrize("how", ["interrupt", "lost"])
def test_two_processes_end_together(how):
    options = ["--steps", 5000, "--every", 1000, "--count", 100, "--batch-size", 8]
    options += ["--devices", 2, "--accelerator", "cpu", "--out", "run"]
    process = genimg("vae", *options)
    wait_for(Path("run/history.jsonl"), 5, process)
    if how == "interrupt":
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        _, errors = end(process, 60)
        assert process.returncode == 0, errors
        told = json.loads(Path("run/summary.json").read_text())
        assert told["stopped"] and told["done"] == len(steps(Path("run")))
        assert (Path("run/checkpoints") / f"step-{told['done']:08d}").is_dir()
    else:
        task = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not task.exists():
            pytest.skip("this system does not list the children of a process")
        os.kill(int(task.read_text().split()[0]), signal.SIGKILL)
        end(process, 60)
        assert process.returncode != 0


@needs_processes
def test_two_machines_are_two_commands_with_the_number_of_each():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--steps", 4, "--count", 100, "--batch-size", 8, "--nodes", 2]
    options += ["--accelerator", "cpu", "--out", "run"]
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    both = [
        genimg("ae", *options, environment=address | {"NODE_RANK": str(rank)}) for rank in (0, 1)
    ]
    told = [end(process) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert "2 processes" in told[0][0] and told[1][0] == ""
    assert steps(Path("run")) == [1, 2, 3, 4]
