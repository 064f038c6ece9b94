"""The file: what is written is read, what is changed is noticed, and a crash leaves the old file."""

import hashlib
import io
import os
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.storage import FileFormatError, _archive
from kronlin.storage._archive import read, write
from tests.storage.forge import npy, pack, unpack

ARRAYS = [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.ones((2, 2), "complex64")), np.array(3), np.zeros((0, 4))]
CONTENT = {"operators": [1, {"two": None}]}


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "file", CONTENT, ARRAYS)
    return tmp_path / "file"


def test_there_and_back(path):
    header, arrays = read(path)
    assert header["operators"] == CONTENT["operators"]
    for found, stored in zip(arrays, ARRAYS, strict=True):
        assert found.dtype == stored.dtype
        assert found.shape == stored.shape
        assert np.array_equal(found, stored)


def test_the_name_is_taken_as_it_is(path, tmp_path):
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    write(os.fspath(tmp_path / "other.npz"), CONTENT, ARRAYS)
    assert read(os.fspath(tmp_path / "other.npz"))[0]["operators"] == CONTENT["operators"]


def test_the_same_content_is_the_same_file(path, tmp_path):
    write(tmp_path / "again", CONTENT, ARRAYS)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_it_is_an_npz_file_that_ends_with_its_sum(path):
    content = path.read_bytes()
    assert content[-64:].decode() == hashlib.sha256(content[:-64]).hexdigest()
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        assert np.array_equal(file["0"], ARRAYS[0])


def test_a_link_stays_one(path, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(path)
    write(link, {"operators": []}, [])
    assert link.is_symlink()
    assert read(path)[0]["operators"] == []


# What is damaged


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "file"
    write(path, CONTENT, ARRAYS)
    return path.read_bytes()


def reads_as_damaged(content, folder):
    path = folder / "changed"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"damaged or cut short|was not written by kronlin\.save"):
        read(path)


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_every_bit_counts(good, tmp_path_factory, place, bit):
    changed = bytearray(good)
    changed[place % len(good)] ^= 1 << bit
    reads_as_damaged(bytes(changed), tmp_path_factory.getbasetemp())


@given(length=st.integers(0, 10**6))
def test_every_byte_is_needed(good, tmp_path_factory, length):
    reads_as_damaged(good[: length % len(good)], tmp_path_factory.getbasetemp())


def test_more_bytes_are_noticed(good, tmp_path):
    for more in (b"0", b"PK", good):
        reads_as_damaged(good + more, tmp_path)


def test_damage_is_told_from_other_files(good, tmp_path):
    changed = bytearray(good)
    changed[len(good) // 2] ^= 1
    (tmp_path / "damaged").write_bytes(changed)
    np.savez(tmp_path / "foreign.npz", a=np.ones(3))
    (tmp_path / "text").write_text("PK, but no archive")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "noise").write_bytes(random.Random(0).randbytes(1000))
    for name, message in (
        ("damaged", "damaged or cut short: its SHA-256"),
        *((name, r"was not written by kronlin\.save") for name in ("foreign.npz", "text", "empty", "noise")),
    ):
        with pytest.raises(FileFormatError, match=message):
            read(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nothing")


# What is forged


def test_a_newer_version_says_so(path):
    header, entries = unpack(path)
    pack(path, {**header, "version": 2}, entries)
    with pytest.raises(FileFormatError, match=r"version 2 .* up to 1: update kronlin"):
        read(path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "kronlin sonnet"},
        {"version": "one"},
        {"arrays": None},
        {"arrays": [{"dtype": "<f8", "shape": [3, 2]}]},
        {"arrays": [{"dtype": "<f4", "shape": [2, 3]}]},
    ],
    ids=str,
)
def test_another_header_is_refused(path, change):
    header, entries = unpack(path)
    pack(path, {**header, **change}, entries)
    with pytest.raises(FileFormatError):
        read(path)


@pytest.mark.parametrize("header", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 10**5], ids=range(6))
def test_a_header_that_is_none_is_refused(path, header):
    pack(path, header, unpack(path)[1])
    with pytest.raises(FileFormatError, match=r"not as kronlin\.save writes it"):
        read(path)


def test_a_missing_part_is_refused(path):
    header, entries = unpack(path)
    pack(path, header, {name: entries[name] for name in entries if name != "1.npy"})
    with pytest.raises(FileFormatError, match=r"1\.npy"):
        read(path)
    pack(path, header, entries, name="other.json")
    with pytest.raises(FileFormatError, match=r"kronlin\.json"):
        read(path)


class Bomb:
    """Leaves a trace if it is ever unpickled."""

    gone_off = False

    def __reduce__(self):
        return (setattr, (Bomb, "gone_off", True))


def test_a_pickle_is_never_opened(path, tmp_path):
    header, entries = unpack(path)
    entries["0.npy"] = npy(np.array([Bomb()], dtype=object), tmp_path, allow_pickle=True)
    header["arrays"][0] = {"dtype": "|O", "shape": [1]}
    pack(path, header, entries)
    with pytest.raises(FileFormatError, match="allow_pickle=False"):
        read(path)
    assert not Bomb.gone_off


# What fails while it is written


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_crash_leaves_the_old_file(path, tmp_path, monkeypatch, step):
    def fail(*arguments):
        raise OSError("no space left")

    before = path.read_bytes()
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="no space left"):
        write(path, {"operators": []}, [])
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_crash_in_the_middle_leaves_the_old_file(path, tmp_path, monkeypatch):
    before = path.read_bytes()
    real, calls = np.lib.format.write_array, []

    def fail_at_the_second(file, array, **options):
        calls.append(array)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(file, array, **options)

    monkeypatch.setattr(_archive.np.lib.format, "write_array", fail_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        write(path, {"operators": []}, ARRAYS)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_the_file_reaches_the_disk_before_it_takes_the_name(path, monkeypatch):
    order = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, real=real: order.append(name) or real(*a))
    write(path, CONTENT, ARRAYS)
    assert order == ["fsync", "replace"]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "nowhere" / "file", CONTENT, ARRAYS)
