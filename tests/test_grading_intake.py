import os
import random
import stat
import string
import struct
import time
import unicodedata
import zipfile

import pytest
from grading_material.toy import TOY, cell, notebook, solved

from genimg_course.grading.intake import gather
from genimg_course.grading.intake.files import Refused, read_file
from genimg_course.grading.intake.names import display_name, find_owner, safe_name

NB = solved()
NEXT = solved("07")


def _write(root, files):
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def _zip(path, files, method=zipfile.ZIP_DEFLATED):
    """Write a zip; files are pairs of a name or ZipInfo and the content."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return path


def _found(source, **options):
    found = gather(source, lessons=TOY, **options)
    for item in found.rejected:
        assert item.reason.isidentifier() and 10 < len(item.message) < 300, item
    return found


def _students(source, **options):
    return [(item.student, item.lesson) for item in _found(source, **options).submissions]


def _reasons(found):
    return [(item.name, item.reason) for item in found.rejected]


# students and lessons


def test_one_folder_per_student(tmp_path):
    _write(tmp_path, {"ada/06_toy_lesson.ipynb": NB, "bob/06_toy_lesson.ipynb": NB})
    found = _found(tmp_path)
    assert [(item.student, item.name, item.flags) for item in found.submissions] == [
        ("ada", "ada", ()),
        ("bob", "bob", ()),
    ]
    assert found.rejected == ()
    assert found.submissions[0].submitted == pytest.approx(time.time(), abs=100)


@pytest.mark.parametrize(
    "name, student, lesson",
    [
        ("ada_06_toy_lesson.ipynb", "ada", "06"),
        ("06_toy_lesson_ada.ipynb", "ada", "06"),
        ("06_toy_lesson-ada (2).ipynb", "ada", "06"),
        ("ada.ipynb", "ada", "06"),
        ("ada_06.IPYNB", "ada", "06"),
        ("06/ada.ipynb", "ada", "06"),
        ("06_toy_lesson/ada/answers.ipynb", "ada", "06"),
        ("submissions/ada/hw.ipynb", "ada", "06"),
        ("submitted/ada/ps1/hw.ipynb", "ada", "06"),
        ("submitted/ada/06/hw.ipynb", "ada", "06"),
        ("lovelaceada_12345_67890_06_toy_lesson.ipynb", "lovelaceada-12345", "06"),
        ("lovelaceada_LATE_12345_67890_06_toy_lesson-1.ipynb", "lovelaceada-12345", "06"),
        ("van_der_waals_12_67890_x.ipynb", "van_der_waals-12", "06"),
        ("anon_x7Yz2_67890_06_toy_lesson.ipynb", "anon-x7yz2-", "06"),
        (
            "Ada Lovelace_4711_assignsubmission_file_/06_toy_lesson.ipynb",
            "ada-lovelace-4711-",
            "06",
        ),
        ("Ada Lovelace_4711_assignsubmission_file/sub/x.ipynb", "ada-lovelace-4711-", "06"),
        ("Participant_4711_assignsubmission_file_06_toy_lesson.ipynb", "participant-4711-", "06"),
    ],
)
def test_students_are_found_in_the_forms_of_learning_platforms(tmp_path, name, student, lesson):
    for place in (_write(tmp_path / "a", {name: NB}), _zip(tmp_path / "a.zip", [(name, NB)])):
        (found,) = _found(place).submissions
        assert found.student.startswith(student) and found.lesson == lesson
        assert "student_unknown" not in found.flags
        assert ("late" in found.flags) == ("LATE" in name)


@pytest.mark.parametrize(
    ("name", "canvas_id"),
    [
        ("lovelaceada_12345_67890_x.ipynb", "12345"),
        ("lovelaceada_LATE_12345_67890_x.ipynb", "12345"),
        ("anon_12345_67890_x.ipynb", ""),  # no number of a student
        ("Ada Lovelace_12345_assignsubmission_file_/x.ipynb", ""),  # of one assignment only
        ("lovelaceada/x.ipynb", ""),
    ],
)
def test_the_number_of_a_student_is_kept_for_the_gradebook_of_canvas(tmp_path, name, canvas_id):
    (found,) = _found(_write(tmp_path, {name: NB})).submissions
    assert found.canvas_id == canvas_id


def test_wrapping_folders_are_no_students(tmp_path):
    _write(tmp_path, {f"hw/batch/{name}/x.ipynb": NB for name in ("ada", "bob")})
    assert _students(tmp_path) == [("ada", "06"), ("bob", "06")]


def test_an_export_beside_others_in_a_folder_is_read_like_itself(tmp_path):
    files = [(f"{name}/x.ipynb", NB) for name in ("ada", "bob")]
    _zip(tmp_path / "hw6_export.zip", files)
    _zip(tmp_path / "eve.zip", [("06_toy_lesson.ipynb", NB)])
    assert _students(tmp_path) == [("ada", "06"), ("bob", "06"), ("eve", "06")]


def test_nbgrader_students_keep_their_lessons_and_times(tmp_path):
    stamp = b"2015-02-02 15:58:23.948203 UTC"
    _write(
        tmp_path,
        {
            "submitted/ada/06/a.ipynb": NB,
            "submitted/ada/06/timestamp.txt": stamp,
            "submitted/ada/07/a.ipynb": NEXT,
            "submitted/ada/07/timestamp.txt": b"\xff never",
        },
    )
    first, second = _found(tmp_path).submissions
    assert (first.student, first.lesson, second.lesson) == ("ada", "06", "07")
    assert first.submitted == 1422892703.948203 and second.submitted > 1.6e9


def test_a_single_student_of_nbgrader_is_no_wrapping_folder(tmp_path):
    _write(tmp_path, {"submitted/ada/ps1/a.ipynb": NB, "submitted/ada/ps2/a.ipynb": NEXT})
    assert _students(tmp_path) == [("ada", "06"), ("ada", "07")]


def test_a_notebook_on_its_own_belongs_to_its_name_or_folder(tmp_path):
    _write(tmp_path, {"ada/06_toy_lesson.ipynb": NB, "bob.ipynb": NB})
    assert _students(tmp_path / "bob.ipynb") == [("bob", "06")]
    assert _students(tmp_path / "ada" / "06_toy_lesson.ipynb") == [("ada", "06")]


def test_a_nameless_notebook_is_flagged(tmp_path):
    (found,) = _found(_write(tmp_path, {"06_toy_lesson.ipynb": NB})).submissions
    assert found.student == "06_toy_lesson" and found.flags == ("student_unknown",)


def test_content_overrules_a_wrong_name_and_is_flagged(tmp_path):
    (found,) = _found(_write(tmp_path, {"ada/06_toy_lesson.ipynb": NEXT})).submissions
    assert (found.lesson, found.flags) == ("07", ("lesson_by_content",))


def test_functions_alone_tell_the_lesson(tmp_path):
    bare = notebook("def volume(r):\n    return r", "def third(x):\n    return x")
    assert _students(_write(tmp_path, {"ada.ipynb": bare})) == [("ada", "07")]


def test_a_notebook_of_no_lesson_is_rejected(tmp_path):
    _write(tmp_path, {"ada/essay.ipynb": notebook("x = 1")})
    found = _found(tmp_path)
    assert _reasons(found) == [("ada/essay.ipynb", "lesson")] and not found.submissions
    assert _students(tmp_path, lesson="06") == [("ada", "06")]


def test_a_name_is_enough_where_all_answers_are_gone(tmp_path):
    assert _students(_write(tmp_path, {"ada/06_toy_lesson.ipynb": notebook("x")})) == [
        ("ada", "06")
    ]


def test_only_the_wanted_lesson_is_taken(tmp_path):
    _write(tmp_path, {"ada/a.ipynb": NB, "ada/b.ipynb": NEXT, "ada/07_next_lesson.ipynb": NEXT})
    found = _found(tmp_path, lesson="06")
    assert [(item.student, item.lesson) for item in found.submissions] == [("ada", "06")]
    assert _reasons(found) == [("ada/07_next_lesson.ipynb", "lesson"), ("ada/b.ipynb", "lesson")]


def test_several_sources_come_together(tmp_path):
    _write(tmp_path, {"one/ada/x.ipynb": NB, "two/bob/x.ipynb": NEXT})
    assert _students([tmp_path / "one", tmp_path / "two"]) == [("ada", "06"), ("bob", "07")]


def test_missing_sources_and_unknown_lessons_are_refused(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        _found(tmp_path / "nothing")
    with pytest.raises(ValueError, match="no lesson 99"):
        _found(tmp_path, lesson="99")


def test_an_empty_folder_holds_nothing(tmp_path):
    assert _found(tmp_path) == _found(_zip(tmp_path / "x.zip", []))


# attempts and namesakes


def test_the_newest_attempt_counts_by_the_platforms_number(tmp_path):
    old, new = NB.replace(b"x / 2", b"x / 3"), NB
    _write(
        tmp_path,
        {"ada_12_900_06_toy_lesson-1.ipynb": new, "ada_12_899_06_toy_lesson-7.ipynb": old},
    )
    os.utime(tmp_path / "ada_12_900_06_toy_lesson-1.ipynb", (1, 1))
    (found,) = _found(tmp_path).submissions
    assert found.flags == ("attempts",) and "x / 2" in found.cells[0].source
    assert found.superseded == ("ada_12_899_06_toy_lesson-7.ipynb",)


@pytest.mark.parametrize("older, newer", [("x.ipynb", "x (1).ipynb"), ("x-2.ipynb", "x-10.ipynb")])
def test_without_one_the_number_in_the_name_counts_then_the_time(tmp_path, older, newer):
    files = {f"ada/{older}": NB.replace(b"x / 2", b"x / 3"), f"ada/{newer}": NB}
    _write(tmp_path, files)
    os.utime(tmp_path / "ada" / newer, (1, 1))
    (found,) = _found(tmp_path).submissions
    assert found.file == f"ada/{newer}"
    _write(tmp_path, {"bob/a.ipynb": NB, "bob/b.ipynb": NB})
    os.utime(tmp_path / "bob" / "b.ipynb", (1, 1))
    assert _found(tmp_path).submissions[1].file == "bob/a.ipynb"


def test_a_damaged_newer_attempt_leaves_the_older_one(tmp_path):
    _write(tmp_path, {"ada/x.ipynb": NB, "ada/x-1.ipynb": NB[:50]})
    found = _found(tmp_path)
    assert found.submissions[0].file == "ada/x.ipynb" and found.submissions[0].flags == ()
    assert [(item.name, item.student, item.reason) for item in found.rejected] == [
        ("ada/x-1.ipynb", "ada", "json")
    ]


def test_namesakes_in_different_folders_are_told_apart(tmp_path):
    _write(tmp_path, {"one/sam.ipynb": NB, "two/sam.ipynb": NB, "two/kim.ipynb": NB})
    found = _found([tmp_path / "one", tmp_path / "two"]).submissions
    sams = [item for item in found if item.name == "sam"]
    assert len({item.student for item in found}) == 3 and len(sams) == 2
    assert all(item.flags == ("same_name",) for item in sams)
    assert [item.student for item in found if item.name == "kim"] == ["kim"]


def test_namesakes_with_numbers_are_different_students(tmp_path):
    _write(tmp_path, {"sam_1_900_x.ipynb": NB, "sam_2_901_x.ipynb": NB})
    assert _students(tmp_path) == [("sam-1", "06"), ("sam-2", "06")]


def test_a_student_cannot_take_the_name_of_another_by_the_names_inside(tmp_path):
    inside = "Bob_7_assignsubmission_file_/06_toy_lesson.ipynb"
    files = {f"Eve_5_assignsubmission_file_/{inside}": NB, inside: NB}
    files["amy_12_900_bob_1_999_06_toy_lesson.ipynb"] = NB
    found = _found(_write(tmp_path, files)).submissions
    assert [(item.name, item.student.rpartition("-")[0]) for item in found] == [
        ("amy", "amy"),
        ("Bob", "bob-7"),
        ("Eve", "eve-5"),
    ]


def test_a_folder_named_like_a_platforms_student_is_told_apart(tmp_path):
    found = _found(_write(tmp_path, {"sam_1_900_x.ipynb": NB, "sam-1/x.ipynb": NB})).submissions
    assert len({item.student for item in found}) == 2
    assert {item.canvas_id: item.flags for item in found} == {"1": (), "": ("same_name",)}


def test_names_that_differ_in_case_only_never_share_a_file(tmp_path):
    _zip(tmp_path / "x.zip", [("Sam/x.ipynb", NB), ("sam/x.ipynb", NB), ("SAM/x.ipynb", NB)])
    names = [student.lower() for student, _ in _students(tmp_path / "x.zip")]
    assert len(set(names)) == 3


def test_one_student_has_one_name_in_all_lessons(tmp_path):
    _write(tmp_path, {"06/ada.ipynb": NB, "07/ada.ipynb": NEXT})
    assert _students(tmp_path) == [("ada", "06"), ("ada", "07")]


def test_no_submission_depends_on_what_stands_beside_it(tmp_path):
    _write(tmp_path, {f"{name}/x.ipynb": NB for name in ("ada", "Bob B.", "=cmd()")})
    alone = {item.file: item for item in _found(tmp_path).submissions}
    _write(tmp_path, {"eve/x.ipynb": b"{", "Ada/x.ipynb": NB, "x.png": b"x", "zoe.zip": b"PK"})
    beside = {item.file: item for item in _found(tmp_path).submissions}
    assert all(beside[file] == item for file, item in alone.items())


# names


NASTY = [
    *("..", ".", "...", "-rf", "CON", "con", "nul.txt", "a" * 300, "😀", "‮gnp.exe", "a\u200bb"),
    *("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", 'a"b', "a,b", "a\nb", "a\x1b[31m", "a\0b", ""),
    *("<script>alert(1)</script>", "a/b", "a\\b", "C:", "~", "$(id)", "é", "e\u0301", "ﬁ", "李雷"),
    *("ada-0123abcd", "sam.", "sam ", " sam", "\udcff", "\u2028", "𝔞𝔡𝔞", "COM1.x", "ada.ipynb"),
]


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_a_safe_name_is_short_plain_and_stable(name):
    found = safe_name(name)
    assert set(found) <= set(string.ascii_lowercase + string.digits + "_.-")
    assert 0 < len(found) <= 64 and found[0].isalnum() and found[-1] not in ".-"
    assert found.split(".")[0] not in {"con", "nul", "com1", "aux", "prn", "lpt1"}
    assert found == safe_name(name)


def test_different_names_have_different_safe_names():
    rng = random.Random(0)
    letters = "aAbB01-_. é😀/\\\n=…"
    names = {"".join(rng.choices(letters, k=rng.randrange(1, 7))) for _ in range(20_000)}
    names |= {safe_name(name) for name in names} | set(NASTY)
    assert len({safe_name(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_a_shown_name_has_no_control_and_no_direction_marks(name):
    shown = display_name(name)
    assert all(unicodedata.category(character)[0] != "C" for character in shown)
    assert len(shown) <= 80 and "\n" not in shown and "\u2028" not in shown
    shown.encode()


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_a_nasty_name_ends_in_one_submission_or_one_reason(tmp_path, name):
    info = zipfile.ZipInfo("x")
    info.filename = f"{name}/x.ipynb"  # as a hostile program would write it
    path = tmp_path / "x.zip"
    try:
        _zip(path, [(info, NB)])
    except UnicodeEncodeError:
        pytest.skip("no zip can hold it")
    found = _found(path)
    assert len(found.submissions) + len(found.rejected) <= 1
    for item in found.submissions:
        assert item.name and os.path.basename(item.student) == item.student
    assert sorted(os.listdir(tmp_path)) == ["x.zip"]


def test_a_name_of_marks_only_is_rejected(tmp_path):
    _zip(tmp_path / "x.zip", [("\u202e\u200b/x.ipynb", NB)])
    assert [reason for _, reason in _reasons(_found(tmp_path / "x.zip"))] == ["name"]


def test_owners_of_any_path_are_found_without_an_exception():
    rng = random.Random(1)
    pieces = [*NASTY, "_", "12", "345", "_assignsubmission_file_", "LATE", "06", "submitted", "-1"]
    for _ in range(3_000):
        parts = tuple(
            "".join(rng.choices(pieces, k=rng.randrange(1, 5))) for _ in range(rng.randrange(1, 5))
        )
        owner = find_owner(parts, TOY)
        assert isinstance(owner.key, str) and safe_name(owner.key)


# folders


def test_links_pipes_and_large_files_are_rejected_unread(tmp_path):
    _write(tmp_path, {"ada/06_toy_lesson.ipynb": NB, "secret/x.ipynb": NB})
    (tmp_path / "in" / "eve").mkdir(parents=True)
    (tmp_path / "ada").rename(tmp_path / "in" / "ada")
    eve = tmp_path / "in" / "eve"
    (eve / "06_link.ipynb").symlink_to(tmp_path / "secret" / "x.ipynb")
    (eve / "folder").symlink_to(tmp_path / "secret")
    os.mkfifo(eve / "06_pipe.ipynb")
    with (eve / "06_sparse.ipynb").open("wb") as file:
        file.truncate(10 << 30)
    (eve / "archive.zip").symlink_to(tmp_path / "secret")
    found = _found(tmp_path / "in")
    assert [item.student for item in found.submissions] == ["ada"]
    assert _reasons(found) == [
        ("eve/06_link.ipynb", "link"),
        ("eve/06_pipe.ipynb", "link"),
        ("eve/06_sparse.ipynb", "size"),
        ("eve/archive.zip", "link"),
        ("eve/folder", "artefact"),
    ]


def test_an_unreadable_file_is_one_reason(tmp_path):
    with pytest.raises(Refused) as found:
        read_file(tmp_path / "nothing.ipynb")
    assert found.value.reason == "unreadable"
    with pytest.raises(Refused) as found:
        read_file(tmp_path)
    assert found.value.reason in ("link", "unreadable")


def test_what_programs_leave_behind_is_no_submission(tmp_path):
    junk = (".DS_Store", "__MACOSX/._x.ipynb", ".ipynb_checkpoints/x-checkpoint.ipynb", "Thumbs.db")
    _write(tmp_path, {"ada/x.ipynb": NB, **{f"ada/{name}": b"{" for name in junk}})
    found = _found(tmp_path)
    assert len(found.submissions) == 1 and found.rejected == ()


def test_folders_in_folders_end(tmp_path):
    deep = "/".join("d" * 20)
    _write(tmp_path, {f"{deep}/x.ipynb": NB, "ada/x.ipynb": NB})
    found = _found(tmp_path)
    assert [item.student for item in found.submissions] == ["ada"]
    assert [reason for _, reason in _reasons(found)] == ["path"]


# zips


GOOD = ("ada/06_toy_lesson.ipynb", NB)


def _info(name, mode=0, **fields):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def _hostile_names():
    return {
        "../eve/x.ipynb": "path",
        "eve/../../x.ipynb": "path",
        "/etc/x.ipynb": "path",
        "eve\\x.ipynb": "path",
        "C:/x.ipynb": "path",
        "C:x.ipynb": "path",
        "//server/x.ipynb": "path",
        "eve/inner.zip": "nested",
    }


@pytest.mark.parametrize("name", _hostile_names())
def test_a_path_out_of_a_zip_is_rejected_and_the_rest_is_graded(tmp_path, name):
    info = _info("x")
    info.filename = name
    found = _found(_zip(tmp_path / "x.zip", [GOOD, (info, NB)]))
    assert [item.student for item in found.submissions] == ["ada"]
    assert [reason for _, reason in _reasons(found)] == [_hostile_names()[name]]
    assert os.listdir(tmp_path) == ["x.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK])
def test_links_and_devices_in_a_zip_are_rejected(tmp_path, kind):
    info = _info("eve/x.ipynb", kind | 0o777)
    found = _found(_zip(tmp_path / "x.zip", [GOOD, (info, b"/etc/passwd")]))
    assert len(found.submissions) == 1 and _reasons(found) == [("eve/x.ipynb", "link")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_both_rejected(tmp_path):
    found = _found(_zip(tmp_path / "x.zip", [("eve/x.ipynb", NB), GOOD, ("eve/x.ipynb", NB)]))
    assert len(found.submissions) == 1
    assert _reasons(found) == [("eve/x.ipynb", "duplicate")] * 2


def _patched(path, name, offset, value):
    """Change bytes of one entry, in its local header and in the directory."""
    data = bytearray(path.read_bytes())
    for signature, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        at = data.find(signature)
        while at >= 0:
            head = 30 if shift == 0 else 46
            if data[at + head :].startswith(name.encode()):
                place = at + offset + shift
                data[place : place + len(value)] = value
            at = data.find(signature, at + 4)
    path.write_bytes(data)
    return path


def test_encrypted_damaged_and_unusual_entries_are_rejected(tmp_path):
    entries = [GOOD, ("eve/x.ipynb", NB)]
    cases = {
        "encrypted": (6, b"\x01\x00"),
        "compression": (8, b"\x0e\x00"),
        "crc": (14, b"\x00\x01\x02\x03"),
    }
    for reason, (offset, value) in cases.items():
        path = _zip(tmp_path / f"{reason}.zip", entries)
        found = _found(_patched(path, "eve/x.ipynb", offset, value))
        assert [item.student for item in found.submissions] == ["ada"]
        assert _reasons(found) == [("eve/x.ipynb", reason)]


def test_a_bomb_is_rejected_by_its_ratio_before_it_unfolds(tmp_path):
    bomb = NB[:-1] + b" " * 50_000_000 + b"}"
    path = _zip(tmp_path / "x.zip", [GOOD, ("eve/x.ipynb", bomb)])
    assert path.stat().st_size < 100_000
    begin = time.perf_counter()
    found = _found(path)
    assert time.perf_counter() - begin < 1
    assert len(found.submissions) == 1 and _reasons(found) == [("eve/x.ipynb", "ratio")]


def test_an_entry_that_lies_about_its_size_is_rejected(tmp_path):
    bomb = NB[:-1] + b" " * 50_000_000 + b"}"
    path = _zip(tmp_path / "x.zip", [GOOD, ("eve/x.ipynb", bomb)])
    found = _found(_patched(path, "eve/x.ipynb", 22, struct.pack("<L", 1000)))
    assert len(found.submissions) == 1
    assert _reasons(found)[0][1] in ("crc", "archive")


def test_a_large_honest_notebook_in_a_zip_is_graded(tmp_path):
    output = {"data": {"image/png": os.urandom(1_500_000).hex()}}
    data = notebook(cell("def half(x):\n    return x / 2", "c1", outputs=[output]))
    assert _students(_zip(tmp_path / "x.zip", [("ada/x.ipynb", data)])) == [("ada", "06")]


def test_a_hundred_thousand_entries_end_soon(tmp_path):
    entries = [GOOD, *((f"{n}.x", b"") for n in range(100_000))]
    path = _zip(tmp_path / "x.zip", entries, zipfile.ZIP_STORED)
    begin = time.perf_counter()
    found = _found(path)
    assert time.perf_counter() - begin < 30
    assert [item.student for item in found.submissions] == ["ada"]
    assert sum(item.reason == "entries" for item in found.rejected) == 1


def test_a_directory_that_fills_the_memory_is_not_read(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(300):
            archive.writestr(f"{number}{'n' * 60_000}", b"")
    assert _reasons(_found(path)) == [("x.zip", "entries")]


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"PK\x03\x04" * 100, b"\0" * 10_000, b"PK\x05\x06" + b"\xff" * 18]
)
def test_what_is_no_zip_is_one_reason(tmp_path, data):
    (tmp_path / "x.zip").write_bytes(data)
    assert _reasons(_found(tmp_path / "x.zip"))[0][1] in ("archive", "entries")


def test_a_damaged_zip_never_raises(tmp_path):
    """Break bytes at random: the intake ends in submissions or reasons."""
    rng, path = random.Random(2), tmp_path / "x.zip"
    whole = _zip(path, [GOOD, ("bob/x.ipynb", NB)]).read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data[: rng.randrange(1, len(data) + 1)] if rng.random() < 0.3 else data)
        gather(path, lessons=TOY)


def test_a_damaged_notebook_never_raises(tmp_path):
    rng, path = random.Random(3), tmp_path / "ada.ipynb"
    for _ in range(300):
        data = bytearray(NB)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        found = gather(path, lessons=TOY)
        assert len(found.submissions) + len(found.rejected) == 1


def test_nothing_is_written(tmp_path, monkeypatch):
    path = _zip(tmp_path / "x.zip", [GOOD, ("bob/s.png", b"x")])
    monkeypatch.chdir(tmp_path)
    before = sorted(os.walk(tmp_path))
    _found(path)
    _found(tmp_path)
    assert sorted(os.walk(tmp_path)) == before
