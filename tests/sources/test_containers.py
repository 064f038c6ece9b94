"""Files as other programs write them, damaged ones, and what is not run."""

import os
from importlib.util import find_spec
from zipfile import ZipFile

import numpy as np
import pytest

from kronlin.sources._containers import read_container, write_container
from kronlin.storage import FileFormatError

TEXT = '{"name": "Π"}'
ARRAYS = {"a.0": np.arange(6.0).reshape(2, 3).T, "b": np.ones((), "float32")}
needs_safetensors = pytest.mark.skipif(find_spec("safetensors") is None, reason="safetensors is not installed")
EACH = pytest.mark.parametrize("name", ["x.npz", pytest.param("x.safetensors", marks=needs_safetensors)])


def same(found):
    text, arrays = found
    assert text == TEXT
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)


@EACH
def test_what_is_written_is_read(tmp_path, name):
    write_container(tmp_path / name, TEXT, ARRAYS)
    same(read_container(tmp_path / name))
    same(read_container(str(tmp_path / name)))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("text", [TEXT, np.frombuffer(TEXT.encode(), np.uint8), TEXT.encode()])
def test_files_of_numpy(tmp_path, save, text):
    save(tmp_path / "x.npz", metadata=text, **ARRAYS)
    same(read_container(tmp_path / "x.npz"))


def test_a_text_that_was_added_to_the_archive(tmp_path):
    np.savez(tmp_path / "x.npz", **ARRAYS)
    with ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr("metadata", TEXT)
    same(read_container(tmp_path / "x.npz"))


def test_an_entry_that_is_no_array(tmp_path):
    np.savez(tmp_path / "x.npz", metadata=TEXT)
    with ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr("notes", "by hand")
    assert list(read_container(tmp_path / "x.npz")[1]) == ["notes"]


def test_the_other_byte_order(tmp_path):
    np.savez(
        tmp_path / "x.npz",
        metadata=TEXT,
        **{name: array.astype(array.dtype.newbyteorder("S")) for name, array in ARRAYS.items()},
    )
    same(read_container(tmp_path / "x.npz"))


@needs_safetensors
def test_a_file_of_safetensors(tmp_path):
    from safetensors.numpy import save_file

    whole = {name: np.asarray(array, order="C") for name, array in ARRAYS.items()}
    save_file(whole, tmp_path / "x.safetensors", metadata={"metadata": TEXT, "by": "another program"})
    same(read_container(tmp_path / "x.safetensors"))


@EACH
def test_a_file_that_is_cut_short(tmp_path, name):
    write_container(tmp_path / name, TEXT, ARRAYS)
    whole = (tmp_path / name).read_bytes()
    for size in (0, 5, len(whole) // 2, len(whole) - 1):
        (tmp_path / name).write_bytes(whole[:size])
        with pytest.raises(FileFormatError, match=f"{name} cannot be read"):
            read_container(tmp_path / name)


@EACH
def test_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(FileNotFoundError):
        read_container(tmp_path / name)


def test_a_file_without_the_text(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.ones(2), b=np.ones(2))
    with pytest.raises(FileFormatError, match="has no 'metadata'; it holds 'a', 'b'"):
        read_container(tmp_path / "x.npz")


class Bomb:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("boom",)


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", metadata=TEXT, a=np.array([Bomb()], dtype=object))
    with pytest.raises(FileFormatError, match="allow_pickle=False"):
        read_container("x.npz")
    assert not os.path.exists("boom")


@pytest.mark.parametrize("name", ["x.h5", "x", "npz"])
def test_other_names(tmp_path, name):
    for use in (lambda: read_container(tmp_path / name), lambda: write_container(tmp_path / name, TEXT, ARRAYS)):
        with pytest.raises(ValueError, match=f"{name}: the name of the file must end in .npz or .safetensors"):
            use()
