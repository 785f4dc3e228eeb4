"""The reader's own pictures: colour, orientation, splits, and files that are none."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genimg_course.data import DataError, ImageSet, load

RED, GREEN, BLUE = (200, 30, 40), (20, 180, 60), (10, 20, 220)


def save(path: Path, picture: Image.Image, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)
    return path


def plain(mode: str, colour, size=(40, 30)) -> Image.Image:
    return Image.new(mode, size, colour)


def everything(folder: Path, size: int = 16) -> list[ImageSet]:
    sets = []
    for split in ("train", "validation", "test"):
        try:
            sets.append(load(f"folder:{folder}", size=size, split=split))
        except DataError:
            continue
    return sets


def only(folder: Path, size: int = 16) -> torch.Tensor:
    """Return the pixels of a folder's one picture, whatever its split."""
    (one,) = everything(folder, size)
    assert len(one) == 1
    return one.images[0]


def colour(folder: Path) -> list[int]:
    return only(folder).flatten(1).float().mean(dim=1).round().int().tolist()


@pytest.mark.parametrize("ending", ["png", "PNG", "bmp", "webp", "jpg", "jpeg"])
def test_every_format_is_read(tmp_path, ending):
    save(
        tmp_path / f"a.{ending}", plain("RGB", RED), **({"lossless": True} if "w" in ending else {})
    )
    assert colour(tmp_path) == pytest.approx(RED, abs=3)


@pytest.mark.parametrize("ending", ["png", "bmp", "jpg", "webp"])
def test_a_folder_of_grey_pictures_has_one_channel(tmp_path, ending):
    save(tmp_path / f"a.{ending}", plain("L", 99))
    assert only(tmp_path).shape == (1, 16, 16) and colour(tmp_path) == pytest.approx([99], abs=2)


def test_one_coloured_picture_gives_every_split_three_channels(tmp_path):
    for i in range(40):
        save(tmp_path / f"{i}.png", plain("L", i))
    assert {s.images.shape[1] for s in everything(tmp_path)} == {1}
    save(tmp_path / "40.png", plain("RGB", RED))
    sets = everything(tmp_path)
    assert len(sets) == 3 and {s.images.shape[1] for s in sets} == {3}
    assert {s.card.shape for s in sets} == {(3, 16, 16)}


def test_a_palette_picture_has_its_colours(tmp_path):
    save(tmp_path / "a.png", plain("RGB", BLUE).convert("P", palette=Image.Palette.ADAPTIVE))
    assert colour(tmp_path) == list(BLUE)


def test_sixteen_bits_become_eight_without_clipping(tmp_path):
    values = np.tile(np.linspace(0, 65535, 32), (32, 1)).astype(np.uint16)
    save(tmp_path / "a.png", Image.fromarray(values))
    picture = only(tmp_path, 32)
    assert picture.shape == (1, 32, 32)
    expected = torch.linspace(0, 255, 32).round()
    torch.testing.assert_close(picture[0, 5].float(), expected, rtol=0, atol=1)


def test_cmyk_is_converted(tmp_path):
    save(tmp_path / "a.jpg", plain("CMYK", (0, 255, 255, 0)), quality=95)
    red, green, blue = colour(tmp_path)
    assert red > 240 and green < 15 and blue < 15


@pytest.mark.parametrize("mode, half", [("RGBA", (200, 0, 0, 128)), ("LA", (0, 128))])
def test_transparent_parts_become_white(tmp_path, mode, half):
    picture = plain(mode, half, (32, 32))
    picture.paste((0,) * len(half), (16, 0, 32, 32))
    save(tmp_path / "a.png", picture)
    pixels = only(tmp_path, 32)
    assert (pixels[:, :, 18:] == 255).all()
    assert pixels[-1, 5, 5].item() == pytest.approx(127, abs=1)
    assert pixels[0, 5, 5].item() == pytest.approx(227 if mode == "RGBA" else 127, abs=1)


def test_a_transparent_palette_colour_becomes_white(tmp_path):
    picture = plain("P", 0)
    picture.putpalette([*RED, *GREEN])
    save(tmp_path / "a.png", picture, transparency=0)
    assert colour(tmp_path) == [255]


def test_the_orientation_of_the_camera_is_obeyed(tmp_path):
    stored = np.zeros((32, 32, 3), np.uint8)
    stored[:, :16] = 255  # left half white; "rotate 90 clockwise to view" puts it on top
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "a.png", Image.fromarray(stored), exif=exif)
    pixels = only(tmp_path, 32)[0].float()
    assert pixels[:14].min() > 250 and pixels[18:].max() < 5


def test_the_middle_square_is_cut_out(tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, :20], wide[:, 20:40], wide[:, 40:] = RED, GREEN, BLUE
    save(tmp_path / "a.png", Image.fromarray(wide))
    assert only(tmp_path, 20).flatten(1).unique(dim=1).flatten().tolist() == list(GREEN)
    save(tmp_path / "a.png", Image.fromarray(wide.transpose(1, 0, 2)))
    assert only(tmp_path, 20).flatten(1).unique(dim=1).flatten().tolist() == list(GREEN)


def test_shrinking_averages_instead_of_skipping(tmp_path):
    fine = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)
    save(tmp_path / "a.png", Image.fromarray(fine))
    assert (only(tmp_path, 16).int() - 127).abs().max() <= 3


def many(folder: Path, count: int = 200) -> None:
    for i in range(count):
        # the colour is the number, so that a picture can be recognised
        save(folder / f"picture {i}.png", plain("RGB", (i, 0, 255 - i), (8, 8)))


def numbers(one: ImageSet) -> list[int]:
    return one.images[:, 0, 0, 0].tolist()


def test_splits_share_no_picture_lose_none_and_have_their_sizes(tmp_path):
    many(tmp_path)
    train, validation, test = (numbers(s) for s in everything(tmp_path, 8))
    assert sorted(train + validation + test) == list(range(200))
    assert len(train) == pytest.approx(160, abs=18)
    assert len(validation) == pytest.approx(20, abs=13) and len(test) == pytest.approx(20, abs=13)


def test_a_picture_keeps_its_split_when_others_come_or_the_folder_moves(tmp_path):
    many(tmp_path / "a", 60)
    many(tmp_path / "b", 90)
    before, after = (numbers(load(f"folder:{tmp_path / x}", size=8)) for x in "ab")
    assert before == [n for n in after if n < 60]


def test_a_count_takes_a_fixed_mixture_of_the_classes(tmp_path):
    for label in ("cats", "dogs"):
        many(tmp_path / label, 40)
    few = load(f"folder:{tmp_path}", size=8, count=20)
    again = load(f"folder:{tmp_path}", size=8, count=20)
    assert torch.equal(few.images, again.images)
    assert few.labels is not None and 4 <= int(few.labels.sum()) <= 16
    with pytest.raises(ValueError, match="count is 81"):
        load(f"folder:{tmp_path}", size=8, count=81)


def test_sub_folders_are_classes_in_alphabetical_order(tmp_path):
    for label, shade in (("zebra", 200), ("ape", 100)):
        for i in range(9):
            save(tmp_path / label / "deeper" / f"{i}.png", plain("L", shade))
    (tmp_path / "empty").mkdir()
    one = load(f"folder:{tmp_path}", size=8)
    assert one.card.classes == ("ape", "zebra") and one.labels is not None
    assert one.labels.tolist() == [int(v > 150) for v in one.images[:, 0, 0, 0].tolist()]


def test_without_sub_folders_there_are_no_labels(tmp_path):
    many(tmp_path, 9)
    assert load(f"folder:{tmp_path}", size=8).labels is None


def test_both_spellings_of_an_accent_fall_into_the_same_split():
    from genimg_course.data.folder import _unit

    composed = unicodedata.normalize("NFC", "été/Ångström.png")
    assert _unit(composed) == _unit(unicodedata.normalize("NFD", composed))


def test_hidden_files_and_other_files_are_passed_over(tmp_path):
    save(tmp_path / "a.png", plain("L", 7))
    for name in ("._a.png", "notes.txt", "__MACOSX/b.png", ".trash/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no picture")
    assert colour(tmp_path) == [7]


def test_a_changed_picture_is_read_again(tmp_path):
    save(tmp_path / "a.png", plain("L", 7))
    assert colour(tmp_path) == [7]
    save(tmp_path / "a.png", plain("L", 70, (50, 30)))
    assert colour(tmp_path) == [70]


def refusal(folder: Path, **options) -> str:
    with pytest.raises(DataError) as caught:
        load(f"folder:{folder}", **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "flipped"])
def test_a_broken_picture_is_named(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    path = save(tmp_path / "broken one.png", Image.fromarray(noise))
    content = path.read_bytes()
    flipped = content[:3_000] + bytes([content[3_000] ^ 255]) + content[3_001:]
    broken = {"empty": b"", "text": b"hello", "truncated": content[:3_000], "flipped": flipped}
    path.write_bytes(broken[kind])
    sentence = refusal(tmp_path)
    assert str(path) in sentence and "repair it or take it out" in sentence


def test_a_link_to_nothing_is_named(tmp_path):
    (tmp_path / "a.png").symlink_to(tmp_path / "nothing.png")
    assert str(tmp_path / "a.png") in refusal(tmp_path)


def test_an_empty_folder_and_a_missing_one_are_named(tmp_path):
    assert str(tmp_path) in refusal(tmp_path) and "no pictures" in refusal(tmp_path)
    assert "is not a folder" in refusal(tmp_path / "nowhere")


def test_a_picture_beside_the_classes_is_named(tmp_path):
    save(tmp_path / "cats" / "a.png", plain("L", 7))
    stray = save(tmp_path / "stray.png", plain("L", 7))
    assert str(stray) in refusal(tmp_path)


def test_a_split_without_pictures_says_so(tmp_path):
    save(tmp_path / "a.png", plain("L", 7))
    splits = {"train", "validation", "test"} - {
        split for split in ("train", "validation", "test") if has(tmp_path, split)
    }
    assert len(splits) == 2
    for split in splits:
        assert f"'{split}'" in refusal(tmp_path, split=split)


def has(folder: Path, split: str) -> bool:
    try:
        return len(load(f"folder:{folder}", split=split)) > 0
    except DataError:
        return False


def test_an_impossible_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match="size is 7"):
        load(f"folder:{tmp_path}", size=7)


def test_real_photographs_are_read(real_data):
    photos = load(f"folder:{real_data / 'photos'}", size=32)
    assert photos.images.shape[1:] == (3, 32, 32) and len(photos) >= 8
    assert (photos.images.float().std(dim=(1, 2, 3)) > 5).all()
