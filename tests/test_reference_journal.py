"""The diary of a run: nothing lost, nothing twice."""

import json
import sys

import pytest
import torch
from PIL import Image

from genimg_course.reference.journal import Journal, cut_after, read_journal, sheet, write_json


def journal(folder, **options):
    return Journal(folder, **{"after": 0, "every": 2, "steps": 10, **options})


def steps(folder):
    return [record["step"] for record in read_journal(folder / "history.jsonl")]


def test_each_record_is_in_the_file_at_once(tmp_path):
    diary = journal(tmp_path)
    for n in (1, 2, 3):
        diary.losses(n, {"loss": 1 / 3 + n})
        assert steps(tmp_path) == list(range(1, n + 1))
    diary.close()
    last = read_journal(tmp_path / "history.jsonl")[-1]
    assert last.keys() == {"step", "seconds", "loss"} and last["loss"] == 1 / 3 + 3


def test_a_resume_cuts_what_came_after_its_checkpoint_and_counts_on(tmp_path):
    diary = journal(tmp_path)
    for n in range(1, 8):
        diary.losses(n, {"loss": float(n)})
    diary.pictures(4, torch.zeros(2, 1, 8, 8))
    diary.pictures(6, torch.zeros(2, 1, 8, 8))
    diary.close()
    seconds = read_journal(tmp_path / "history.jsonl")[3]["seconds"]
    diary = journal(tmp_path, after=4)
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["step-00000004.png"]
    diary.losses(5, {"loss": 0.5})
    diary.close()
    records = read_journal(tmp_path / "history.jsonl")
    assert [r["step"] for r in records] == [1, 2, 3, 4, 5]
    assert records[-1]["loss"] == 0.5 and records[-1]["seconds"] >= seconds


def test_a_line_cut_short_by_a_crash_is_dropped_and_damage_is_named(tmp_path):
    path = tmp_path / "history.jsonl"
    whole = json.dumps({"step": 1, "seconds": 0.5})
    path.write_text(whole + '\n{"step": 2, "sec')
    assert [record["step"] for record in read_journal(path)] == [1]
    assert cut_after(path, 1) == 0.5
    assert path.read_text() == whole + "\n"
    path.write_text("{oh\n" + whole + "\n")
    with pytest.raises(ValueError, match=r"history\.jsonl: line 1 is damaged"):
        read_journal(path)


def test_a_sheet_keeps_every_pixel_and_leaves_gaps():
    x = torch.full((3, 3, 16, 16), -1.0)
    x[1] = 1.0
    page = sheet(x, columns=2, least=32, gap=2)
    assert page.shape == (3, 66, 66) and page.dtype == torch.uint8
    assert (page[:, :32, :32] == 0).all() and (page[:, :32, 34:] == 255).all()
    assert (page[:, 34:, :32] == 0).all() and (page[:, 34:, 34:] == 128).all()
    assert (page[:, 32:34] == 128).all() and (page[:, :, 32:34] == 128).all()
    assert sheet(x, columns=9, gap=0).shape == (3, 48, 144)


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB")])
def test_pictures_become_a_png(tmp_path, channels, mode):
    diary = journal(tmp_path)
    path = diary.pictures(500, torch.zeros(4, channels, 16, 16), columns=2)
    diary.close()
    assert path.name == "step-00000500.png"
    with Image.open(path) as image:
        assert (image.mode, image.size) == (mode, (98, 98))


def test_events_hold_the_losses(tmp_path):
    loading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    diary = journal(tmp_path)
    for n in (1, 2, 3):
        diary.losses(n, {"loss": float(n)})
    diary.numbers(3, {"share": 0.5})
    diary.pictures(3, torch.zeros(1, 1, 8, 8))
    diary.close()
    events = loading.EventAccumulator(str(tmp_path / "events")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(1, 1), (2, 2), (3, 3)]
    assert events.Scalars("measured/share")[0].value == 0.5
    assert [image.step for image in events.Images("samples")] == [3]


def test_events_of_a_run_killed_before_its_first_checkpoint_are_hidden(tmp_path):
    loading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for number, value in enumerate((1.0, 2.0)):
        diary = journal(tmp_path)
        for n in range(1, 4 - number):
            diary.losses(n, {"loss": value})
        diary.close()
    events = loading.EventAccumulator(str(tmp_path / "events")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(1, 2), (2, 2)]


def test_without_tensorboard_it_says_so_once_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    diary = journal(tmp_path)
    diary.losses(1, {"loss": 1.0})
    diary.numbers(1, {"share": 1.0})
    diary.pictures(1, torch.zeros(1, 1, 8, 8))
    diary.close()
    assert capsys.readouterr().err == "TensorBoard is not installed: history.jsonl has the losses\n"
    assert steps(tmp_path) == [1] and not (tmp_path / "events").exists()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "summary.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": torch.zeros(1)})
    assert json.loads(path.read_text()) == {"a": 1}
