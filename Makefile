.PHONY: demo test lint docs bench studies clean

demo:
	python -m kronlin compare

test:
	pytest -n 2

lint:
	ruff check . && ruff format --check . && mypy && lint-imports

docs:
	sphinx-build -W --keep-going docs docs/_build/html

# how fast: every file of benchmarks/speed that can be run, then the tables of docs/speed.rst
speed = $(filter-out tables,$(basename $(notdir $(shell grep -l __main__ benchmarks/speed/*.py))))
bench:
	cd benchmarks && for question in $(speed) tables; do PYTHONPATH=.. python -m speed.$$question || exit 1; done

# the longer ones: how good, what training gains, and the tables and pictures of their pages
studies:
	for question in $(filter-out benchmarks/harness.py,$(wildcard benchmarks/*.py)); do python "$$question" || exit 1; done

clean:
	git clean -fdXq -e '!.venv'
