"""What crosses between grader and box: exact, bounded, and never more than plain data."""

import contextlib
import math
import struct

import numpy as np
import pytest
import torch

from genimg_course.grading.wire import (
    DEPTH,
    Stranger,
    TooLarge,
    WireError,
    decode,
    encode,
    plain_line,
)
from genimg_course.probing.calling import Failure

LARGEST = 1 << 20


def crossed(value):
    return decode(encode(value, LARGEST))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        2**200,
        -(2**63),
        0.1,
        -0.0,
        math.inf,
        5e-324,
        1 + 2j,
        "",
        "ä\n\0",
        b"\0\xff",
        [],
        [1, [2.5, ["x"]]],
        (),
        (1, (2,)),
        {},
        {"a": {1: None, (2, "b"): [False]}},
        Failure("ValueError", "bad", 3, "return x"),
        {"raises": Failure("E", "", None, "")},
    ],
    ids=repr,
)
def test_plain_data_cross_unchanged(value):
    got = crossed(value)
    assert repr(got) == repr(value) and type(got) is type(value)


def test_a_float_crosses_bit_for_bit():
    strange = struct.unpack(">d", bytes.fromhex("7ff8000000001234"))[0]
    assert struct.pack(">d", crossed(strange)).hex() == "7ff8000000001234"


@pytest.mark.parametrize(
    "dtype",
    [
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.int16),
        *(torch.int32, torch.int64, torch.uint8, torch.bool, torch.complex64, torch.complex128),
    ],
)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (2, 3, 4)])
def test_a_tensor_crosses_with_dtype_shape_and_bits(dtype, shape):
    value = (torch.rand(shape) * 100 - 50).to(dtype)
    got = crossed(value)
    assert got.dtype == dtype and got.shape == value.shape and torch.equal(got, value)


def test_a_view_crosses_as_what_it_shows():
    base = torch.arange(12.0).reshape(3, 4)
    for view in (base.T, base[:, 1:3], base[0].expand(5, 4), base[::2], torch.tensor([1j]).conj()):
        assert torch.equal(crossed(view), view)


def test_an_array_stays_an_array():
    for value in (np.arange(6.0).reshape(2, 3).T, np.array(3, dtype=np.int16), np.array([True])):
        got = crossed(value)
        assert type(got) is np.ndarray and got.dtype == value.dtype and (got == value).all()
    got = crossed(np.float64(0.1))
    assert type(got) is np.float64 and got == 0.1


class Liar(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class Array(np.ndarray):
    pass


class Odd(torch.Tensor):
    pass


@pytest.mark.parametrize(
    "value, name",
    [
        (Liar(3.0), "Liar"),
        (np.zeros(2).view(Array), "Array"),
        (torch.zeros(2).as_subclass(Odd), "Odd"),
        (np.array([object()]), "ndarray"),
        (object(), "object"),
        (int, "type"),
        (2**100_000, "int"),
        (torch.eye(2).to_sparse(), "Tensor"),
        (torch.zeros(2, device="meta"), "Tensor"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_plain_crosses_as_the_name_of_its_type(value, name):
    got = crossed([value])[0]
    assert type(got).__name__ == name and isinstance(got, Stranger)


def test_what_holds_itself_is_cut_at_the_greatest_depth():
    value = []
    value.append(value)
    got, depth = crossed(value), 0
    while isinstance(got, list):
        got, depth = got[0], depth + 1
    assert depth == DEPTH and type(got).__name__ == "list"


@pytest.mark.parametrize(
    "value",
    [
        "x" * 101,
        b"x" * 101,
        torch.zeros(26),
        np.zeros(26),
        [0.0] * 30,
        dict.fromkeys(range(30), 0.0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_too_large_is_not_sent(value):
    with pytest.raises(TooLarge):
        encode(value, 100)


def test_a_huge_tensor_of_one_number_is_refused_before_it_is_copied():
    with pytest.raises(TooLarge):
        encode(torch.zeros(()).expand(1 << 40), LARGEST)


def test_too_many_items_are_not_sent():
    with pytest.raises(TooLarge, match="items"):
        encode([None] * 300_000, LARGEST)


def block(name=b"float32", shape=(2,), data=b"\0" * 8, tag=b"t", count=None):
    sizes = b"".join(struct.pack(">q", size) for size in shape)
    header = tag + struct.pack(">I", len(name)) + name
    number = bytes([len(shape) if count is None else count])
    return header + number + sizes + b"b" + struct.pack(">I", len(data)) + data


def test_a_block_made_by_hand_is_read():
    assert torch.equal(decode(block()), torch.zeros(2))


FORGED = {
    "nothing": b"",
    "unknown tag": b"Z",
    "pickle": b"\x80\x04K\x01.",
    "bytes behind": b"00",
    "cut float": b"f\0\0",
    "cut text": b"s\0\0\0\x09abc",
    "no text": b"s\0\0\0\x01\xff",
    "bool of two": b"B\x02",
    "endless list": b"l\xff\xff\xff\xff",
    "huge length": b"b\xff\xff\xff\xff",
    "too deep": b"l\0\0\0\1" * 2000 + b"0",
    "too many": b"l\0\x10\0\0" + b"0" * (1 << 20),
    "list as key": b"d\0\0\0\1l\0\0\0\0" + b"0",
    "tensor as long as it says": block(shape=(3,)),
    "negative": block(shape=(-2, -1)),
    "product overflows": block(shape=(2**62, 4), data=b""),
    "empty but impossible": block(shape=(0, 2**62, 2**62), data=b""),
    "dtype of objects": block(name=b"object", tag=b"a"),
    "dtype of torch": block(name=b"Tensor"),
    "not ascii": block(name=b"\xff"),
    "many dimensions": block(shape=(1,) * 40, data=b"\0" * 4),
    "scalar with a shape": block(tag=b"n"),
    "long integer": b"i" + struct.pack(">I", 1 << 20) + b"\1" * (1 << 20),
    "empty integer": b"i\0\0\0\0",
    "failure of numbers": b"!" + encode(1, 99) * 4,
    "failure in line -1": b"!" + b"".join(encode(x, 99) for x in ("a", "b", -1, "c")),
}


@pytest.mark.parametrize("data", FORGED.values(), ids=FORGED)
def test_forged_bytes_are_refused(data):
    with pytest.raises(WireError):
        decode(data)


def test_no_cut_and_no_changed_byte_does_more_than_be_refused():
    data = encode({"value": (torch.arange(6.0), "text", 3, [0.5, None], np.zeros(2))}, LARGEST)
    for end in range(len(data)):
        with pytest.raises(WireError):
            decode(data[:end])
    for place in range(len(data)):
        for byte in (0, 0x21, 0x3F, 0x62, 0x6C, 0x74, 0x7F, 0x80, 0xFF):
            with contextlib.suppress(WireError):
                decode(data[:place] + bytes([byte]) + data[place + 1 :])


def test_a_bool_of_other_bytes_is_a_plain_truth():
    got = decode(block(name=b"bool", shape=(3,), data=b"\0\x01\x7f"))
    assert got.view(torch.uint8).tolist() == [0, 1, 1]


def test_a_strangers_name_is_a_word():
    data = b"?\0\0\0\x0b<b>\n\x1b[2J;x)"
    name = type(decode(data)).__name__
    assert "<" not in name and "\x1b" not in name and "\n" not in name


def test_a_failure_is_one_printable_line():
    got = crossed(Failure("E\x1b[2J", "one\x1b]0;x\x07\ntwo" + "x" * 999, 1, "a\u202eb\r\nc"))
    for text in (got.kind, got.text, got.code):
        assert text.isprintable() and len(text) <= 200
    assert got.text.startswith("one")


def test_a_line_is_cut_and_cleaned():
    assert plain_line("  \x00a\tb\u2028c  ") == "?a?b"
    assert plain_line("") == ""
    assert len(plain_line("x" * 999)) == 200
