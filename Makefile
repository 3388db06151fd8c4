# make run, make test: both work on a fresh machine with Python 3.10 to 3.12.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
INSTALLED_IO := .venv-io/.installed

.PHONY: run test test-io slow lint clean evaluate-all

run: $(INSTALLED)
	$(BIN)/python evaluate_sample.py --eval_type=joint

test: $(INSTALLED)
	$(BIN)/python -m pytest

# The extra io: TensorFlow 2.16 with tensorflow-io, in an environment of its own.
test-io: $(INSTALLED_IO)
	.venv-io/bin/python -m pytest

slow: $(INSTALLED)
	$(BIN)/python -m pytest -m slow

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

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

$(INSTALLED): EXTRAS := beam,plot,test
$(INSTALLED_IO): EXTRAS := beam,io,plot,test
$(INSTALLED) $(INSTALLED_IO): setup.py
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --upgrade pip
	$(@D)/bin/python -m pip install --editable '.[$(EXTRAS)]'
	touch $@

clean:
	rm -rf .venv .venv-io out build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
