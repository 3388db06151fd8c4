# make run, make test: both work on a fresh machine with Python 3.10 to 3.12.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
INSTALLED_IO := .venv-io/.installed
INSTALLED_PORTS := .venv-ports/.installed
INSTALLED_LOWEST := .venv-lowest/.installed
# Each process takes files as they come, and the last tests of another's in the end.
PYTEST := -m pytest -n auto --maxprocesses=4 --dist=worksteal
# Without compiled modules, importing TensorFlow takes 11 seconds instead of 4.
unexport PYTHONDONTWRITEBYTECODE
# Takes a sixth of pip's time. Where only pip knows the package index: make PIP=pip.
PIP := uv pip
# One environment installs into all, as creating one with pip takes ten seconds.
INSTALLER := $(BIN)/uv
INSTALL = UV_PYTHON=$(@D)/bin/python PIP_PYTHON=$(@D)/bin/python $(BIN)/python -m

.PHONY: run test test-all test-io test-ports test-lowest slow lint docs clean evaluate-all demo-weights

run: $(INSTALLED)
	$(BIN)/python evaluate_sample.py --eval_type=joint

test: $(INSTALLED)
	$(BIN)/python $(PYTEST)

# The extra io: TensorFlow 2.16 with tensorflow-io, in an environment of its own. What
# is about remote files.
IO_TESTS := tests/utils/remote tests/data/records/test_tfrecord.py

test-io: $(INSTALLED_IO)
	.venv-io/bin/python $(PYTEST) $(IO_TESTS)

# The extra ports: files of PyTorch itself, in an environment of their own for its size.
test-ports: $(INSTALLED_PORTS)
	.venv-ports/bin/python $(PYTEST) tests/checkpoints/importers \
	  tests/checkpoints/test_conversion.py

# The lowest versions that the metadata allows. By hand, other versions of Python:
# `make test-lowest PYTHON=python3.10`.
test-lowest: $(INSTALLED_LOWEST)
	.venv-lowest/bin/python $(PYTEST) -m "" tests/test_versions.py tests/test_structure.py \
	  tests/video/test_reader.py tests/checkpoints/file_formats/test_tensor_bundle.py \
	  tests/checkpoints/importers/test_read_weights.py tests/inference/test_graph.py \
	  tests/inference/test_many_sources.py

slow: $(INSTALLED)
	$(BIN)/python $(PYTEST) -m slow

# Both at once, which starts and imports half as much; without what `test-lowest` repeats.
test-all: $(INSTALLED)
	$(BIN)/python $(PYTEST) -m "" --ignore=tests/test_versions.py

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# The site, in site/. A broken link or an unparsable docstring is an error. The variable
# turns off an advertisement of another program.
docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# The release's out/*.txt: seven settings on its sample clip.
evaluate-all: $(INSTALLED)
	mkdir -p out
	for eval_type in joint flow rgb; do \
	  $(BIN)/python evaluate_sample.py --eval_type=$$eval_type \
	    --imagenet_pretrained=true > out/unfinished || exit; \
	  mv out/unfinished out/imagenet_$$eval_type.txt; \
	done
	for eval_type in rgb600 joint flow rgb; do \
	  $(BIN)/python evaluate_sample.py --eval_type=$$eval_type \
	    --imagenet_pretrained=false > out/unfinished || exit; \
	  mv out/unfinished out/no_imagenet_$$eval_type.txt; \
	done

# checkpoints/demo_rgb, demo_flow and demo_dense, from nothing: most of the time is
# optical flow, so that stream is trained on a third of the clips. Stopped, it goes on
# where it was.
DEMO := build/demo
TRAIN := $(BIN)/i3d train --width=0.125
MINUTES := --dataset=intervals --annotations=$(DEMO)/minutes/labels.csv

demo-weights: $(INSTALLED)
	$(BIN)/i3d demo make $(DEMO)/clips
	$(TRAIN) --recipe=demo_rgb --dataset=folder --videos=$(DEMO)/clips \
	  --checkpoint_every=200 --out=$(DEMO)/rgb
	$(BIN)/i3d demo make $(DEMO)/fewer_clips --train=400
	$(BIN)/i3d prepare --dataset=folder \
	  --videos=$(DEMO)/fewer_clips --flow_epsilon=0.03 --out=$(DEMO)/records
	$(TRAIN) --recipe=demo_flow --records=$(DEMO)/records \
	  --checkpoint_every=200 --out=$(DEMO)/flow
	$(BIN)/i3d demo make --long $(DEMO)/minutes
	$(BIN)/i3d train --recipe=demo_dense --init=$(DEMO)/rgb/last $(MINUTES) \
	  --checkpoint_every=100 --out=$(DEMO)/dense
	for name in rgb flow dense; do \
	  $(BIN)/i3d checkpoint $(DEMO)/$$name/last \
	    --copy_to=checkpoints/demo_$$name || exit; \
	done
	$(BIN)/i3d evaluate --records=$(DEMO)/records \
	  --rgb_checkpoint=checkpoints/demo_rgb --flow_checkpoint=checkpoints/demo_flow \
	  --out=$(DEMO)/evaluation
	$(BIN)/i3d evaluate $(MINUTES) --split=test --eval_type=rgb \
	  --rgb_checkpoint=checkpoints/demo_dense --out=$(DEMO)/evaluation_dense
	$(BIN)/i3d evaluate $(MINUTES) --split=test --eval_type=rgb \
	  --rgb_checkpoint=checkpoints/demo_rgb --protocol=windows --window=0.64 \
	  --stride=0.32 --out=$(DEMO)/evaluation_windows

$(INSTALLED): EXTRAS := beam,docs,http,onnx,plot,s3,serving,test
$(INSTALLED_IO): EXTRAS := http,io,s3,test
$(INSTALLED_PORTS): EXTRAS := ports
# PyPI's PyTorch is 3 GB with CUDA; pip's configuration may know a smaller one.
$(INSTALLED_PORTS): FIRST := 'torch==2.13.0'
$(INSTALLED_PORTS): PINNED := pytest pytest-xdist
$(INSTALLED_LOWEST): EXTRAS := onnx,plot
$(INSTALLED_LOWEST): PINNED := --constraint tests/lowest.txt pytest pytest-xdist
$(INSTALLED_LOWEST): tests/lowest.txt
$(INSTALLED) $(INSTALLED_IO) $(INSTALLED_PORTS) $(INSTALLED_LOWEST): pyproject.toml | $(INSTALLER)
	$(PYTHON) -m venv --without-pip $(@D)
	$(if $(FIRST),$(INSTALL) pip install --no-compile $(FIRST))
	$(INSTALL) $(PIP) install --editable '.[$(EXTRAS)]' $(PINNED)
	touch $@

$(INSTALLER):
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --no-compile 'pip>=22.3' 'uv>=0.5,<1'

clean:
	rm -rf .venv .venv-io .venv-ports .venv-lowest out site build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
