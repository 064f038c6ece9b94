.PHONY: demo test lint docs bench clean

demo:
	python -m kronlin compare

test:
	pytest -n 2

lint:
	ruff check . && ruff format --check . && mypy && lint-imports

docs:
	sphinx-build -W --keep-going docs docs/_build/html

bench:
	for question in $(filter-out benchmarks/harness.py,$(wildcard benchmarks/*.py)); do python "$$question" || exit 1; done

clean:
	git clean -fdXq -e '!.venv'
