"""The command line, as a user types it."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kronlin.cli import main
from kronlin.sources import files
from tests.nets import mlp_layers

SMALL = ["compare", "--layers", "4", "--examples", "20", "--damping", "0.1", "--quiet"]


def test_compare_prints_a_table_and_a_verdict(capsys):
    assert main(SMALL) == 0
    output = capsys.readouterr().out
    assert "preconditioner" in output
    assert "K-FAC + BNN, 10 largest" in output
    assert "λ = 0.1: " in output


def test_compare_writes_all_files(tmp_path, capsys):
    names = {kind: tmp_path / f"out.{kind}" for kind in ("png", "html", "csv", "json")}
    options = ["--plot", names["png"], "--html", names["html"], "--csv", names["csv"], "--json", names["json"]]
    assert main([*SMALL, *map(str, options)]) == 0
    capsys.readouterr()
    assert names["png"].read_bytes().startswith(b"\x89PNG")
    page = names["html"].read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert "http://" not in page
    assert "https://" not in page
    with names["csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 26
    assert {row["damping"] for row in rows} == {"0.1"}
    records = json.loads(names["json"].read_text(encoding="utf-8"))
    assert [record["name"] for record in records] == [row["name"] for row in rows]
    assert not list(tmp_path.glob("*.part"))


def test_compare_on_a_file(tmp_path, capsys):
    path = str(tmp_path / "run.npz")
    layers, gradient = mlp_layers()
    files.write(path, layers, gradient, 0.25)
    assert main(["compare", "--file", path, "--damping", "0.1", "--quiet"]) == 0
    output = capsys.readouterr().out
    assert f"{path}: 3 layers, 10 examples with 3 columns each, loss 0.25." in output
    assert "K-FAC + BNN, 10 largest" in output
    assert main(["compare", "--file", path, "--layers", "3", "--seed", "1"]) == 2
    assert "--layers, --seed: of the digits classifier; leave it out beside --file" in capsys.readouterr().err
    assert main(["compare", "--file", str(tmp_path / "none.npz")]) == 2
    assert "No such file" in capsys.readouterr().err
    np.savez(path, gradient=gradient)
    assert main(["compare", "--file", path]) == 2
    assert "run.npz has no 'metadata'; it holds 'gradient'" in capsys.readouterr().err


def test_progress_goes_to_stderr(capsys):
    assert main([word for word in SMALL if word != "--quiet"]) == 0
    captured = capsys.readouterr()
    assert "row" in captured.err
    assert "row/s" not in captured.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--damping", "-1"], "damping must be finite and not negative, not -1.0"),
        (["--damping", "nan"], "damping must be finite and not negative, not nan"),
        (["--examples", "0"], "choose between 1 and 1797"),
        (["--layers", "0"], "0"),
        (["--backend", "nompy"], "unknown array library 'nompy'"),
        (["--csv", "/no/such/folder/out.csv"], "No such file"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(options, message, capsys):
    assert main([*SMALL, *options]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "Traceback" not in error


def test_module_and_info():
    done = subprocess.run([sys.executable, "-m", "kronlin", "info"], capture_output=True, text=True, check=True)
    for word in ("kronlin 0", "numpy", "BLAS", "array library cupy", "GPUs"):
        assert word in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process alone is read from /proc")
def test_the_main_job_stays_under_600_megabytes():
    script = (
        "from kronlin.cli import main; main(['compare', '--quiet']); "
        "print(*(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.count("needs the fewest CG steps") == 3
    kilobytes = int(done.stdout.split()[-2])
    assert kilobytes < 600 * 1024
